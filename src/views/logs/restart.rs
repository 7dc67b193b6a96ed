//! The line between two attempts: how the one ended, how long it ran, when the next one began.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::{Cx, body};
use crate::format::{seconds_between, span};
use crate::model::logs::{LogView, Restart, attempt};
use crate::model::trouble::ending;
use crate::theme::Role;

/// Draws it.
pub fn draw(
    cx: &Cx,
    view: &LogView,
    restart: Restart,
    (top, selected): (isize, bool),
    area: Rect,
    buffer: &mut Buffer,
) {
    let y = u16::try_from(top).ok().filter(|y| *y < area.height);
    let Some(y) = y.map(|y| area.y + y) else {
        return;
    };
    let area = Rect {
        y,
        height: 1,
        ..area
    };
    let dash = if cx.theme.unicode() { "──" } else { "--" };
    let text = format!("{dash} {} {dash}", words(cx, view, restart));
    body::line(cx, area, buffer, &text, Role::Accent);
    if selected {
        let gutter = Rect { width: 2, ..area };
        buffer.set_style(gutter, cx.theme.style(Role::Selected));
    }
}

/// What is known of it.
fn words(cx: &Cx, view: &LogView, restart: Restart) -> String {
    let Restart {
        source,
        from,
        to,
        last,
        first,
    } = restart;
    let name = view.frame.names.get(source).cloned().unwrap_or_default();
    let several = view.frame.names.len() > 1;
    let whose = if several {
        format!("{name}: ")
    } else {
        String::new()
    };
    let find = |nth| attempt(cx.model, &view.subject, &name, nth);
    let ended = find(from).and_then(|row| row.detail.as_deref());
    let how = match ended {
        Some(detail) if detail.exit_code.is_some() => {
            let how = ending(detail.exit_code, detail.reason.as_ref(), None);
            let ran = detail.started_at.zip(detail.finished_at);
            let ran = ran.map(|(from, to)| format!(" after {}", span(seconds_between(from, to))));
            format!("ended: {how}{}", ran.unwrap_or_default())
        }
        _ => "ended; the runtime no longer knows how".to_owned(),
    };
    let began: Option<Timestamp> = find(to).and_then(|row| {
        let started = row.detail.as_deref().and_then(|detail| detail.started_at);
        started.or(row.container.created_at)
    });
    let over = ended.and_then(|detail| detail.finished_at).or(last);
    let pause = over.zip(began.or(first));
    let pause = pause.map(|(over, began)| format!(" {} later", span(seconds_between(over, began))));
    let began = format!("attempt {to} began{}", pause.unwrap_or_default());
    format!("{whose}attempt {from} {how}; {began}")
}
