//! The view of logs, and the log in the preview.

mod line;
mod restart;
mod status;
mod tail;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cx, body, crumbs};
use crate::model::logs::{Columns, Item, LogView};
use crate::model::{Seen, Subject, top};
use crate::theme::Role;

pub use line::role;
pub use tail::pane;

/// Whose logs, for titles.
pub fn title(view: &LogView) -> String {
    let whose = &view.whose;
    let container = match &view.whose.container {
        Some(name) => format!("/{name}"),
        None => String::new(),
    };
    let namespace = match &view.subject {
        Subject::Pod(_) => format!("{}/", whose.namespace),
        _ => String::new(),
    };
    format!("Logs {namespace}{}{container}", whose.pod)
}

/// Draws the view.
pub fn draw(cx: &Cx, view: &LogView, area: Rect, buffer: &mut Buffer, seen: &mut Seen) {
    status::draw(cx, view, &crumbs(cx, &title(view)), area, buffer);
    let inner = Rect {
        y: area.y + area.height.min(1),
        height: area.height.saturating_sub(1),
        ..area
    };
    seen.log = Some(inner.as_size());
    if view.items.is_empty() {
        nothing(cx, view, body::below_title(area), buffer);
        return;
    }
    lines(cx, view, inner, buffer);
}

/// The items from the one at the top of the screen on.
fn lines(cx: &Cx, view: &LogView, area: Rect, buffer: &mut Buffer) {
    let size = area.as_size();
    let columns = Columns::of(view);
    let (mut first, mut top) = (view.place.cursor, view.place.above);
    while top > 0 && first > 0 {
        first -= 1;
        let height = view.height_of(&view.items[first], size);
        top -= isize::try_from(height).unwrap_or(isize::MAX);
    }
    let bottom = isize::try_from(area.height).unwrap_or(0);
    for (nth, item) in view.items.iter().enumerate().skip(first) {
        if top >= bottom {
            break;
        }
        let selected = nth == view.place.cursor;
        let height = match item {
            Item::Line(shown) => {
                line::draw(cx, view, shown, columns, (top, selected), area, buffer)
            }
            Item::Restart(shown) => {
                restart::draw(cx, view, *shown, (top, selected), area, buffer);
                1
            }
        };
        top += isize::try_from(height).unwrap_or(bottom);
    }
}

/// Why there are no lines.
fn nothing(cx: &Cx, view: &LogView, area: Rect, buffer: &mut Buffer) {
    let mut doc = crate::widgets::page::Doc::default();
    let look = &view.look;
    if !view.known.answered {
        doc.text("reading the log", Role::Dim);
    } else if let Some(filter) = &look.filter {
        let line = format!("no line matches {:?}; Esc shows all lines", filter.line());
        doc.text(line, Role::Text);
    } else if let Some((_, name)) = look.since {
        let line = format!("no line in the last {name}; 0 shows all lines");
        doc.text(line, Role::Text);
    } else if view.known.status.missing.is_empty() {
        let text = if top::members(cx.model, &view.subject).is_empty() {
            "it has no container on this node, so nothing writes a log"
        } else {
            "the log is empty so far; new lines are shown as they come"
        };
        doc.text(text, Role::Text);
    }
    for (name, why) in &view.known.status.missing {
        doc.fact_as(name.as_str(), why.as_str(), Role::Warn);
    }
    if !view.known.status.missing.is_empty() {
        doc.text("Looked for again every second.", Role::Dim);
    }
    body::lines(area, buffer, &doc.lines(cx.theme, area.width), 0);
}
