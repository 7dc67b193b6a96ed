//! The line above a log: whose it is, what is shown of it, and where in it one is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::{Cx, body};
use crate::format::bytes;
use crate::logs::Stream;
use crate::model::logs::LogView;
use crate::theme::Role;
use crate::widgets::text::width;

/// Cells that the title keeps.
const TITLE: u16 = 24;

/// A piece of the line. Those with a high rank leave first.
type Part = (u8, Role, String);

/// Draws it.
pub fn draw(cx: &Cx, view: &LogView, title: &str, area: Rect, buffer: &mut Buffer) {
    body::titled(cx, area, buffer, title, true);
    let mut parts = parts(view);
    let total = |parts: &[Part]| parts.iter().map(|(.., text)| width(text) + 3).sum::<u16>();
    let room = area.width.saturating_sub((width(title) + 4).min(TITLE));
    while total(&parts) > room {
        let last = (0..parts.len()).max_by_key(|at| parts[*at].0);
        match last {
            Some(last) => parts.remove(last),
            None => return,
        };
    }
    let mut x = area.right().saturating_sub(total(&parts));
    for (_, role, text) in parts {
        let rest = Rect {
            x,
            width: area.right().saturating_sub(x),
            height: 1,
            ..area
        };
        x += body::line(cx, rest, buffer, &format!(" {text} "), role) + 1;
    }
}

fn parts(view: &LogView) -> Vec<Part> {
    let (look, known) = (&view.look, &view.known);
    let mut parts: Vec<Part> = Vec::new();
    let mut part = |rank, role, text: String| parts.push((rank, role, text));
    if known.status.lost {
        part(3, Role::Bad, "truncated: lines were lost".into());
    }
    if let Some(stream) = look.stream {
        let name = if stream == Stream::Stderr {
            "stderr"
        } else {
            "stdout"
        };
        part(2, Role::Warn, format!("{name} only"));
    }
    if let Some((_, name)) = look.since {
        part(2, Role::Warn, format!("last {name}"));
    }
    if let Some(filter) = &look.filter {
        let context = match look.context {
            0 => String::new(),
            context => format!(" +-{context}"),
        };
        part(1, Role::Warn, format!("only {:?}{context}", filter.line()));
    }
    if look.search.is_some() {
        part(1, Role::Accent, matches(view));
    }
    if !view.marks.is_empty() {
        part(6, Role::Text, format!("{} marked", view.marks.len()));
    }
    if view.is_waiting() && known.answered {
        part(4, Role::Warn, "looking".into());
    }
    let size = bytes(known.status.bytes);
    match (view.number(), known.status.lines) {
        (Some(number), Some(lines)) => part(7, Role::Text, format!("line {number} of {lines}")),
        (None, Some(lines)) => part(7, Role::Text, format!("{lines} lines")),
        _ => {}
    }
    part(8, Role::Text, size);
    if let Some(percent) = view.percent().filter(|_| !view.follows()) {
        part(5, Role::Text, format!("{percent}%"));
    }
    if view.follows() {
        part(0, Role::Good, "following".into());
    } else if known.status.grown {
        part(3, Role::Text, "more has come".into());
    }
    parts
}

/// Which of all matches the line under the cursor is.
fn rank(view: &LogView) -> Option<u64> {
    let (id, rank) = view.known.rank?;
    (view.line()?.id == id).then_some(rank)
}

fn matches(view: &LogView) -> String {
    match &view.known.tally {
        None => "counting matches".to_owned(),
        Some(tally) if tally.complete => match (rank(view), tally.matches) {
            (_, 0) => "no match".to_owned(),
            (Some(rank), matches) => format!("match {rank} of {matches}"),
            (None, 1) => "1 match".to_owned(),
            (None, matches) => format!("{matches} matches"),
        },
        Some(tally) => {
            let percent = (tally.done.0 * 100).checked_div(tally.done.1).unwrap_or(0);
            format!("{} matches in {percent}%", tally.matches)
        }
    }
}
