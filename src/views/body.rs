//! Titles and pages inside the body.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::Cx;
use crate::theme::Role;
use crate::widgets::text::{cut_end, width};

/// Cells of a title's line that are not the title's.
pub const TITLE_MARGIN: u16 = 4;

/// A rule across `area` with a title on it.
pub fn titled(cx: &Cx, area: Rect, buffer: &mut Buffer, title: &str, focused: bool) {
    if area.height == 0 {
        return;
    }
    let (line, role) = if focused {
        (Role::Focus, Role::Focus)
    } else {
        (Role::Border, Role::Title)
    };
    let dash = if cx.theme.unicode() { "─" } else { "-" };
    let title = cut_end(
        title,
        area.width.saturating_sub(TITLE_MARGIN),
        cx.theme.glyphs().more,
    );
    let title = format!(" {title} ");
    let end = area.x + (1 + width(&title)).min(area.width);
    let rules = (area.x..area.right()).filter(|x| *x == area.x || *x >= end);
    for x in rules {
        buffer.set_string(x, area.y, dash, cx.theme.style(line));
    }
    let room = usize::from(area.width.saturating_sub(2));
    buffer.set_stringn(area.x + 1, area.y, title, room, cx.theme.style(role));
}

/// What lies below the title.
pub fn below_title(area: Rect) -> Rect {
    let left = u16::from(area.width > 2);
    Rect {
        x: area.x + left,
        y: area.y + area.height.min(1),
        width: area.width - left,
        height: area.height.saturating_sub(1),
    }
}

/// Lines from `scroll` on.
pub fn lines(area: Rect, buffer: &mut Buffer, lines: &[Line<'_>], scroll: usize) {
    let last_page = lines.len().saturating_sub(area.height.into());
    let shown = lines.iter().skip(scroll.min(last_page));
    for (line, y) in shown.zip(area.y..area.bottom()) {
        line.render(
            Rect {
                y,
                height: 1,
                ..area
            },
            buffer,
        );
    }
}

/// One line of text in a role.
pub fn line(cx: &Cx, area: Rect, buffer: &mut Buffer, text: &str, role: Role) -> u16 {
    let text = cut_end(text, area.width, cx.theme.glyphs().more);
    buffer.set_stringn(
        area.x,
        area.y,
        &text,
        area.width.into(),
        cx.theme.style(role),
    );
    width(&text)
}

/// The role of a line that is chosen: on a slow line its mark alone tells it.
pub fn pick(cx: &Cx, chosen: bool, role: Role) -> Role {
    if chosen && !cx.model.comfort.slow {
        Role::Selected
    } else {
        role
    }
}

/// On a slow line, the mark of what is chosen, left of its line.
pub fn mark(cx: &Cx, line: Rect, buffer: &mut Buffer) {
    if cx.model.comfort.slow {
        let x = line.x.saturating_sub(1);
        buffer.set_string(x, line.y, ">", cx.theme.style(Role::Text));
    }
}

/// Shows that a line that is drawn already is chosen.
pub fn choose(cx: &Cx, line: Rect, buffer: &mut Buffer) {
    if !cx.model.comfort.slow {
        buffer.set_style(line, cx.theme.style(Role::Selected));
    }
    mark(cx, line, buffer);
}
