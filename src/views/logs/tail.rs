//! The end of the selection's log, in the preview.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::super::{Cx, body};
use crate::logs::shown::Line;
use crate::model::logs::{Tail, has_crashed};
use crate::theme::Role;
use crate::widgets::text::{cut_end, width};

/// Draws the end of a log below a title; the area of its lines.
pub fn pane(cx: &Cx, area: Rect, buffer: &mut Buffer) -> Size {
    let inner = body::below_title(area);
    let Some(tail) = &cx.model.log_tail else {
        body::titled(cx, area, buffer, "Log", false);
        return inner.as_size();
    };
    let crashed = has_crashed(cx.model, &tail.subject);
    let title = if crashed { "Log: how it ended" } else { "Log" };
    body::titled(cx, area, buffer, title, false);
    let rows = usize::from(inner.height);
    let (lines, cause) = if crashed {
        let crash = tail.crash(rows);
        (crash.lines, crash.cause)
    } else {
        let from = tail.lines.len().saturating_sub(rows);
        (tail.lines[from..].iter().collect(), None)
    };
    if lines.is_empty() {
        nothing(cx, tail, inner, buffer);
    }
    for ((nth, line), y) in lines.into_iter().enumerate().zip(inner.y..inner.bottom()) {
        let row = Rect {
            y,
            height: 1,
            ..inner
        };
        draw(cx, tail, line, cause == Some(nth), row, buffer);
    }
    inner.as_size()
}

fn nothing(cx: &Cx, tail: &Tail, area: Rect, buffer: &mut Buffer) {
    let why = match &tail.missing {
        Some(why) => why.to_string(),
        None if tail.answered => "nothing has been written yet".to_owned(),
        None => return,
    };
    let mut doc = crate::widgets::page::Doc::default();
    doc.text(why, Role::Dim);
    body::lines(area, buffer, &doc.lines(cx.theme, area.width), 0);
}

fn draw(cx: &Cx, tail: &Tail, line: &Line, cause: bool, area: Rect, buffer: &mut Buffer) {
    let mut x = area.x;
    if let Some(name) = tail
        .names
        .get(line.id.source)
        .filter(|_| tail.names.len() > 1)
    {
        let name = cut_end(name.as_str(), area.width / 4, cx.theme.glyphs().more);
        let style = cx.theme.hue(line.id.source);
        buffer.set_stringn(x, area.y, &name, area.width.into(), style);
        x += width(&name) + 1;
    }
    let rest = Rect {
        x,
        width: area.right().saturating_sub(x),
        ..area
    };
    let text = line.short.as_ref().unwrap_or(&line.text);
    let role = if cause {
        Role::Alert
    } else {
        super::line::role(line.level)
    };
    body::line(cx, rest, buffer, text.as_str(), role);
}
