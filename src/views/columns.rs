//! The dialog of columns, below the list as it would be.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cx, body, crumbs, panel};
use crate::model::arrange::{names, presets};
use crate::model::arranging::{Dialog, Line};
use crate::model::{PageSeen, Seen};
use crate::theme::Role;

/// Lines of the list that are shown at least.
const SAMPLE: u16 = 5;

/// Draws the dialog and the list.
pub fn draw(cx: &Cx, dialog: &Dialog, area: Rect, buffer: &mut Buffer, seen: &mut Seen) {
    let lines = u16::try_from(dialog.lines.len()).unwrap_or(u16::MAX);
    // A title and the presets stand above the lines.
    let height = lines
        .saturating_add(2)
        .min(area.height.saturating_sub(SAMPLE));
    let over = Rect {
        y: area.bottom() - height,
        height,
        ..area
    };
    let above = Rect {
        height: area.height - height,
        ..area
    };
    let at = dialog.panel.index();
    seen.panels[at] = Some(panel::draw(cx, dialog.panel, above, buffer));
    let title = format!("Columns of {}", dialog.panel.title().to_lowercase());
    body::titled(cx, over, buffer, &crumbs(cx, &title), true);
    let inner = body::below_title(over);
    presets_line(cx, dialog, inner, buffer);
    let rows = Rect {
        y: inner.y + 1,
        height: inner.height.saturating_sub(1),
        ..inner
    };
    let names = names(dialog.panel);
    let first = (dialog.cursor + 1).saturating_sub(rows.height.into());
    for ((place, line), y) in
        (dialog.lines.iter().enumerate().skip(first)).zip(rows.y..rows.bottom())
    {
        let area = Rect {
            y,
            height: 1,
            ..rows
        };
        let name = names.get(line.column).map_or("", String::as_str);
        let chosen = place == dialog.cursor;
        let role = if line.shown { Role::Text } else { Role::Dim };
        let role = body::pick(cx, chosen, role);
        body::line(cx, area, buffer, &text(line, name), role);
        if chosen {
            body::mark(cx, area, buffer);
        }
    }
    seen.page = Some(PageSeen {
        lines: dialog.lines.len(),
        height: rows.height.into(),
    });
}

fn text(line: &Line, name: &str) -> String {
    let sign = if line.shown { "x" } else { " " };
    let width = match (line.width, line.column) {
        (Some(width), _) => format!("{width} wide"),
        (None, 0) => "always there, always first".to_owned(),
        (None, _) => String::new(),
    };
    format!("[{sign}] {name:14} {width:26}")
}

/// The presets, the one in effect in brackets.
fn presets_line(cx: &Cx, dialog: &Dialog, area: Rect, buffer: &mut Buffer) {
    let now = dialog.draft.preset_name(dialog.panel);
    let names = presets(dialog.panel).map(|name| {
        let [before, after] = if Some(name) == now {
            ["[", "]"]
        } else {
            [" ", " "]
        };
        format!("{before}{name}{after}")
    });
    let own = if now.is_none() { "[own]" } else { " own " };
    let names: Vec<String> = names.chain([own.to_owned()]).collect();
    body::line(
        cx,
        area,
        buffer,
        &format!(" {}", names.join(" ")),
        Role::Accent,
    );
}
