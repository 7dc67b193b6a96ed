//! Drawing: from the model to the screen. Pure; what the next update must know of the drawn
//! screen comes back as [`Seen`].

mod body;
mod footer;
mod forwards;
mod header;
mod help;
mod home;
mod inside;
mod logs;
mod node;
mod panel;
mod prompt;
mod summary;
mod title;
mod top;

use std::cell::Cell;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::model::{Model, Page, PageSeen, Seen};
use crate::theme::{Role, Theme};
use crate::widgets::page::Doc;

/// Smallest terminal in which anything useful can be shown.
const SMALLEST: Size = Size {
    width: 40,
    height: 10,
};

/// What every view draws with.
struct Cx<'a> {
    model: &'a Model,
    theme: &'a Theme,
    wake_at: Cell<Option<Timestamp>>,
}

impl Cx<'_> {
    fn now(&self) -> Timestamp {
        self.model.clock.now
    }

    /// Something drawn changes by itself in so many seconds.
    fn wake_in(&self, seconds: u64) {
        let seconds = i64::try_from(seconds).unwrap_or(60).max(1);
        let at = Timestamp::from_second(self.now().as_second() + seconds).ok();
        let earlier = match (self.wake_at.get(), at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.wake_at.set(earlier);
    }

    /// An age of so many seconds is shown: it ticks by seconds below a minute, and all the
    /// others together at each full minute.
    fn shows_age(&self, seconds: u64) {
        let into_minute = u64::try_from(self.now().as_second().rem_euclid(60)).unwrap_or(0);
        self.wake_in(if seconds < 60 { 1 } else { 60 - into_minute });
    }
}

/// Draws everything.
pub fn draw(model: &Model, theme: &Theme, buffer: &mut Buffer) -> Seen {
    let area = buffer.area;
    let mut seen = Seen {
        size: area.as_size(),
        ..Seen::default()
    };
    if area.width < SMALLEST.width || area.height < SMALLEST.height {
        let line = format!("critui needs {}x{}", SMALLEST.width, SMALLEST.height);
        Line::styled(line, theme.style(Role::Warn)).render(area, buffer);
        return seen;
    }
    let cx = Cx {
        model,
        theme,
        wake_at: Cell::new(None),
    };
    let (top, body, bottom) = frame(area, header::height(&cx, area.width));
    header::draw(&cx, top, buffer);
    footer::draw(&cx, bottom, buffer);
    match model.layers.last() {
        None => home::draw(&cx, body, buffer, &mut seen),
        Some(layer) => match &layer.page {
            Page::Logs(view) => logs::draw(&cx, view, body, buffer, &mut seen),
            Page::Forwards => {
                body::titled(&cx, body, buffer, &crumbs(&cx, "Forwarded ports"), true);
                forwards::draw(&cx, body::below_title(body), buffer);
            }
            Page::Help => {
                let doc = help::doc(&model.keymap, model.reads_logs());
                page(&cx, "Help", &doc, layer.scroll, body, buffer, &mut seen);
            }
            Page::Notices => {
                let doc = help::notices(model);
                page(&cx, "Notices", &doc, layer.scroll, body, buffer, &mut seen);
            }
            Page::Summary(subject) => {
                let (title, doc) = summary::page(&cx, subject, true);
                page(&cx, &title, &doc, layer.scroll, body, buffer, &mut seen);
            }
            Page::Node => {
                let title = format!("Node {}", model.node.name);
                page(
                    &cx,
                    &title,
                    &node::page(&cx),
                    layer.scroll,
                    body,
                    buffer,
                    &mut seen,
                );
            }
            Page::Top(view) => {
                body::titled(&cx, body, buffer, &crumbs(&cx, &top::title(view)), true);
                top::draw(&cx, view, body::below_title(body), buffer);
            }
            Page::Inside(id, name) => {
                let (title, doc) = (format!("Inside {name}"), inside::page(&cx, id));
                page(&cx, &title, &doc, layer.scroll, body, buffer, &mut seen);
            }
        },
    }
    if let Some(open) = &model.prompt {
        prompt::choices(&cx, open, body, buffer);
    }
    seen.wake_at = cx.wake_at.get();
    seen
}

/// Draws a page of text.
fn page(
    cx: &Cx,
    title: &str,
    doc: &Doc,
    scroll: usize,
    area: Rect,
    buffer: &mut Buffer,
    seen: &mut Seen,
) {
    body::titled(cx, area, buffer, &crumbs(cx, title), true);
    let inner = body::below_title(area);
    let lines = doc.lines(cx.theme, inner.width);
    seen.page = Some(PageSeen {
        lines: lines.len(),
        height: inner.height.into(),
    });
    body::lines(inner, buffer, &lines, scroll);
}

/// The title of the topmost page behind those that lie below it.
fn crumbs(cx: &Cx, title: &str) -> String {
    let below = cx
        .model
        .layers
        .iter()
        .rev()
        .skip(1)
        .rev()
        .map(|layer| match &layer.page {
            Page::Help => "Help".to_owned(),
            Page::Notices => "Notices".to_owned(),
            Page::Forwards => "Forwarded ports".to_owned(),
            Page::Inside(_, title) => format!("Inside {title}"),
            Page::Summary(subject) => summary::page(cx, subject, false).0,
            Page::Logs(view) => logs::title(view),
            Page::Node => "Node".to_owned(),
            Page::Top(view) => top::title(view),
        });
    let panel = cx.model.home.focus.title().to_owned();
    let all: Vec<String> = std::iter::once(panel)
        .chain(below)
        .chain([title.to_owned()])
        .collect();
    all.join(" > ")
}

fn frame(area: Rect, header: u16) -> (Rect, Rect, Rect) {
    let top = Rect {
        height: header,
        ..area
    };
    let bottom = Rect {
        y: area.bottom() - 1,
        height: 1,
        ..area
    };
    let body = Rect {
        y: top.bottom(),
        height: area.height - header - 1,
        ..area
    };
    (top, body, bottom)
}
