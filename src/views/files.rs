//! The files of a container.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cx, body};
use crate::domain::{Contents, FileRow};
use crate::format::bytes;
use crate::model::PageSeen;
use crate::model::files::Files;
use crate::theme::Role;

/// Draws a folder or a file below its title.
pub fn draw(cx: &Cx, files: &Files, area: Rect, buffer: &mut Buffer) -> PageSeen {
    let line = |nth: usize| Rect {
        y: area.y
            + u16::try_from(nth)
                .unwrap_or(u16::MAX)
                .min(area.height.saturating_sub(1)),
        height: 1.min(area.height),
        ..area
    };
    let head = match &files.contents {
        None => Some(("looking".to_owned(), Role::Dim)),
        Some(Err(why)) => Some((why.to_string(), Role::Bad)),
        Some(Ok(Contents::Folder(rows, _))) if rows.is_empty() => {
            Some(("an empty folder".to_owned(), Role::Dim))
        }
        Some(Ok(Contents::Folder(_, all))) => {
            let more = if *all { "" } else { "   (there are more)" };
            let head = format!("{:10}  {:>8}  {:>9}  NAME{more}", "MODE", "USER", "SIZE");
            Some((head, Role::Dim))
        }
        Some(Ok(Contents::File(_, size, true))) => Some((bytes(*size), Role::Dim)),
        Some(Ok(Contents::File(_, size, false))) => {
            let head = format!("the beginning of {}; copy it out to see all", bytes(*size));
            Some((head, Role::Warn))
        }
    };
    if let Some((head, role)) = head {
        body::line(cx, line(0), buffer, &head, role);
    }
    let room = usize::from(area.height.saturating_sub(1)).max(1);
    let first = (files.cursor + 1).saturating_sub(room);
    for nth in 0..room.min(files.lines().saturating_sub(first)) {
        let (text, role) = text(files, first + nth);
        let chosen = first + nth == files.cursor;
        let role = body::pick(cx, chosen, role);
        body::line(cx, line(nth + 1), buffer, &text, role);
        if chosen {
            body::mark(cx, line(nth + 1), buffer);
        }
    }
    PageSeen {
        lines: files.lines(),
        height: room,
    }
}

fn text(files: &Files, nth: usize) -> (String, Role) {
    if let Some(Ok(Contents::File(lines, ..))) = &files.contents {
        let line = lines.get(nth).map(ToString::to_string);
        return (line.unwrap_or_default(), Role::Text);
    }
    let Some(row) = files.rows().get(nth) else {
        return (String::new(), Role::Text);
    };
    let size = match row.kind {
        '-' => bytes(row.size),
        _ => String::new(),
    };
    let target = row.target.as_ref().map(|target| format!(" -> {target}"));
    let slash = if row.kind == 'd' { "/" } else { "" };
    let line = format!(
        "{}  {:>8}  {size:>9}  {}{slash}{}",
        mode(row),
        row.uid,
        row.name,
        target.unwrap_or_default(),
    );
    let special = row.mode & 0o6000 != 0;
    let role = match row.kind {
        // What acts as its owner is worth a look.
        '-' if special => Role::Warn,
        'd' => Role::Accent,
        '-' | 'l' => Role::Text,
        _ => Role::Dim,
    };
    (line, role)
}

/// `-rwsr-xr-x`, as `ls` has it.
fn mode(row: &FileRow) -> String {
    let mut text = String::from(row.kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = row.mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, row.mode & special != 0) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case('-', 0o644, "-rw-r--r--")]
    #[case('d', 0o1777, "drwxrwxrwt")]
    #[case('-', 0o4755, "-rwsr-xr-x")]
    #[case('-', 0o2640, "-rw-r-S---")]
    fn modes(#[case] kind: char, #[case] bits: u32, #[case] expected: &str) {
        let row = FileRow {
            name: "x".into(),
            raw: "x".into(),
            kind,
            size: 0,
            mode: bits,
            uid: 0,
            target: None,
        };
        assert_eq!(mode(&row), expected);
    }
}
