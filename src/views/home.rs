//! The home screen in its layouts.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use super::{Cx, body, header, logs, panel, summary};
use crate::link::Link;
use crate::model::{Panel, Seen, Subject};
use crate::theme::Role;

/// From this size on there is room for all panels and a preview.
const MEDIUM: (u16, u16) = (100, 28);
/// From this size on the preview has two panes.
const LARGE: (u16, u16) = (160, 44);

/// Draws the home screen.
pub fn draw(cx: &Cx, area: Rect, buffer: &mut Buffer, seen: &mut Seen) {
    if let (Link::Down { problem, .. }, false) = (&cx.model.node.link, cx.model.store.loaded().pods)
    {
        let inner = Rect {
            x: area.x + 2,
            width: area.width - 4,
            ..area
        };
        header::problem(cx, inner, buffer, problem);
        return;
    }
    let whole = seen.size;
    if cx.model.comfort.slow || whole.width < MEDIUM.0 || whole.height < MEDIUM.1 {
        small(cx, area, buffer, seen);
        return;
    }
    let left = cx.model.home.arranged.split;
    let [panels, rule, preview] = Layout::horizontal([
        Constraint::Percentage(left),
        Constraint::Length(1),
        Constraint::Fill(1),
    ])
    .areas(area);
    stacked(
        cx,
        Rect {
            width: panels.width - 1,
            ..panels
        },
        buffer,
        seen,
    );
    vertical_rule(cx, rule, buffer);
    seen.split = Some((rule.x, area));
    let large = whole.width >= LARGE.0 && whole.height >= LARGE.1;
    if cx.model.audit.quiet {
        quiet(cx, preview, large, buffer);
        return;
    }
    let has_log = matches!(
        cx.model.home.preview,
        Some(Subject::Pod(_) | Subject::Container(_))
    );
    let upper = if large { 45 } else { 58 };
    let [upper, lower] =
        Layout::vertical([Constraint::Percentage(upper), Constraint::Fill(1)]).areas(preview);
    if has_log {
        preview_pane(cx, upper, true, buffer);
        seen.log_tail = Some(logs::pane(cx, lower, buffer));
    } else if large {
        preview_pane(cx, upper, false, buffer);
        attempts_pane(cx, lower, buffer);
    } else {
        preview_pane(cx, preview, true, buffer);
        // Where the log of the next selection goes.
        seen.log_tail = Some(lower.as_size());
    }
}

/// The preview without a log that nobody asked for.
fn quiet(cx: &Cx, area: Rect, large: bool, buffer: &mut Buffer) {
    if !large {
        preview_pane(cx, area, true, buffer);
        return;
    }
    let halves = [Constraint::Percentage(45), Constraint::Fill(1)];
    let [upper, lower] = Layout::vertical(halves).areas(area);
    preview_pane(cx, upper, false, buffer);
    attempts_pane(cx, lower, buffer);
}

/// One panel in full, the others one line each.
fn small(cx: &Cx, area: Rect, buffer: &mut Buffer, seen: &mut Seen) {
    let focus = cx.model.home.focus;
    let height = |panel: Panel| {
        if panel == focus {
            Constraint::Fill(1)
        } else {
            Constraint::Length(1)
        }
    };
    let areas: [Rect; 3] = Layout::vertical(Panel::ALL.map(height)).areas(area);
    for (panel, area) in Panel::ALL.into_iter().zip(areas) {
        if panel == focus {
            seen.panels[panel.index()] = Some(panel::draw(cx, panel, area, buffer));
        } else {
            panel::collapsed(cx, panel, area, buffer);
        }
    }
}

fn stacked(cx: &Cx, area: Rect, buffer: &mut Buffer, seen: &mut Seen) {
    let shares = [
        Constraint::Fill(5),
        Constraint::Fill(3),
        Constraint::Fill(2),
    ];
    let areas: [Rect; 3] = Layout::vertical(shares).areas(area);
    for (panel, area) in Panel::ALL.into_iter().zip(areas) {
        seen.panels[panel.index()] = Some(panel::draw(cx, panel, area, buffer));
    }
}

fn vertical_rule(cx: &Cx, area: Rect, buffer: &mut Buffer) {
    let rule = if cx.theme.unicode() { "│" } else { "|" };
    for y in area.y..area.bottom() {
        buffer.set_string(area.x, y, rule, cx.theme.style(Role::Border));
    }
}

fn preview_pane(cx: &Cx, area: Rect, with_attempts: bool, buffer: &mut Buffer) {
    let inner = body::below_title(area);
    match &cx.model.home.preview {
        Some(subject) => {
            let (title, doc) = summary::page(cx, subject, with_attempts);
            body::titled(cx, area, buffer, &title, false);
            body::lines(inner, buffer, &doc.lines(cx.theme, inner.width), 0);
        }
        None => body::titled(cx, area, buffer, "Nothing selected", false),
    }
}

fn attempts_pane(cx: &Cx, area: Rect, buffer: &mut Buffer) {
    let inner = body::below_title(area);
    if let Some(subject) = &cx.model.home.preview {
        let (title, doc) = summary::related(cx, subject);
        body::titled(cx, area, buffer, &title, false);
        body::lines(inner, buffer, &doc.lines(cx.theme, inner.width), 0);
    }
}
