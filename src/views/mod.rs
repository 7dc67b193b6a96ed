//! Drawing: from the model to the screen. Pure; what the next update must know of the drawn
//! screen comes back as [`Seen`].

mod act;
mod audit;
mod body;
mod columns;
mod diff;
mod events;
mod files;
mod footer;
mod forwards;
mod header;
mod help;
mod home;
mod inside;
mod lines;
mod logs;
mod node;
mod panel;
mod prompt;
mod ran;
mod summary;
mod title;
mod top;
mod tree;
mod why;

use std::cell::Cell;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::model::{About, Model, Page, PageSeen, Seen};
use crate::theme::{Role, Theme};
use crate::widgets::page::Doc;

/// Smallest terminal in which anything useful can be shown.
const SMALLEST: Size = Size {
    width: 40,
    height: 10,
};

/// On a slow line nothing changes by itself more often than in so many seconds.
const SLOW: i64 = 10;

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
        let least = if self.model.comfort.slow { SLOW } else { 1 };
        let seconds = i64::try_from(seconds).unwrap_or(60).max(least);
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
    let hints = model.comfort.hint && model.layers.is_empty() && model.prompt.is_none();
    let (body, hint) = hint_line(body, hints);
    if hints {
        footer::hint(&cx, hint, buffer);
    }
    match model.layers.last() {
        None => home::draw(&cx, body, buffer, &mut seen),
        Some(layer) => match &layer.page {
            Page::Logs(view) => logs::draw(&cx, view, body, buffer, &mut seen),
            Page::Events(view) => events::draw(&cx, view, body, buffer, &mut seen),
            Page::Tree(view) => tree::draw(&cx, view, body, buffer, &mut seen),
            Page::Audit(view) => audit::draw(&cx, view, body, buffer, &mut seen),
            Page::Forwards => {
                let inner = titled(&cx, body, buffer, "Forwarded ports");
                forwards::draw(&cx, inner, buffer);
            }
            Page::Top(view) => {
                let inner = titled(&cx, body, buffer, &top::title(view));
                top::draw(&cx, view, inner, buffer);
            }
            Page::Deeds => {
                let inner = titled(&cx, body, buffer, "Actions");
                seen.page = Some(act::deeds(&cx, inner, buffer));
            }
            Page::Files(shown) => {
                let title = format!("Files {}", shown.title());
                let inner = titled(&cx, body, buffer, &title);
                seen.page = Some(files::draw(&cx, shown, inner, buffer));
            }
            Page::Columns(dialog) => columns::draw(&cx, dialog, body, buffer, &mut seen),
            text => {
                let (title, doc) = text_of(&cx, text);
                page(&cx, &title, &doc, layer.scroll, body, buffer, &mut seen);
            }
        },
    }
    if let Some(open) = &model.prompt {
        prompt::choices(&cx, open, body, buffer);
    }
    if let Some(open) = &model.confirm {
        act::question(&cx, open, body, buffer);
    }
    seen.wake_at = cx.wake_at.get();
    theme.lay(buffer);
    seen
}

/// The summary of something in lines, for no screen.
pub fn report(model: &Model, theme: &Theme, about: &About, width: u16) -> Vec<String> {
    let cx = Cx {
        model,
        theme,
        wake_at: Cell::new(None),
    };
    let (title, doc) = match about {
        About::One(subject) => summary::whole(&cx, subject),
        About::Runtime => ("Runtime".to_owned(), summary::runtime::page(&cx)),
    };
    let lines = doc.lines(theme, width);
    let lines = lines
        .iter()
        .map(|line| line.to_string().trim_end().to_owned());
    [title, String::new()].into_iter().chain(lines).collect()
}

/// Title and text of a page that is nothing else.
fn text_of(cx: &Cx, page: &Page) -> (String, Doc) {
    let model = cx.model;
    match page {
        Page::Notices => ("Notices".to_owned(), help::notices(model)),
        Page::Journal(read) => ("Journal".to_owned(), act::journal(read.as_ref())),
        Page::Summary(subject) => summary::whole(cx, subject),
        Page::Diff(view) => (diff::title(view), diff::page(view)),
        Page::Runtime => ("Runtime".to_owned(), summary::runtime::page(cx)),
        Page::Ran(ran) => ("Run in all".to_owned(), ran::page(ran)),
        Page::Node => (format!("Node {}", model.node.name), node::page(cx)),
        Page::Why(view) => (why::title(view), why::page(cx, view)),
        Page::Finding(view) => (audit::finding_title(view), audit::finding(view)),
        Page::Lines(view) => (lines::title(view), lines::page(view)),
        Page::Inside(visit) => {
            let doc = inside::page(cx, &visit.container);
            (format!("Debug {}", visit.title), doc)
        }
        Page::Help(asked) => {
            let read_only = !model.node.read_only.is_empty();
            let doc = help::doc(&model.keymap, asked, read_only);
            (help::title(asked), doc)
        }
        // What is no text has a view of its own.
        _ => (String::new(), Doc::default()),
    }
}

/// A title with what lies below it; the area that is left.
fn titled(cx: &Cx, area: Rect, buffer: &mut Buffer, title: &str) -> Rect {
    body::titled(cx, area, buffer, &crumbs(cx, title), true);
    body::below_title(area)
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
            Page::Help(_) => "Help".to_owned(),
            Page::Notices => "Notices".to_owned(),
            Page::Forwards => "Forwarded ports".to_owned(),
            Page::Events(view) => events::title(view),
            Page::Tree(view) => tree::title(view),
            Page::Diff(view) => diff::title(view),
            Page::Runtime => "Runtime".to_owned(),
            Page::Inside(visit) => format!("Debug {}", visit.title),
            Page::Files(_) => "Files".to_owned(),
            Page::Ran(_) => "Run in all".to_owned(),
            Page::Summary(subject) => summary::page(cx, subject, false).0,
            Page::Logs(view) => logs::title(view),
            Page::Node => "Node".to_owned(),
            Page::Deeds => "Actions".to_owned(),
            Page::Journal(_) => "Journal".to_owned(),
            Page::Top(view) => top::title(view),
            Page::Why(view) => why::title(view),
            Page::Columns(_) => "Columns".to_owned(),
            Page::Audit(view) => audit::title(view),
            Page::Finding(view) => audit::finding_title(view),
            Page::Lines(view) => lines::title(view),
        });
    let panel = cx.model.home.focus.title().to_owned();
    let all: Vec<String> = std::iter::once(panel)
        .chain(below)
        .chain([title.to_owned()])
        .collect();
    all.join(" > ")
}

/// The last line of the body apart, if it is needed for the hint.
fn hint_line(body: Rect, hints: bool) -> (Rect, Rect) {
    let lines = u16::from(hints).min(body.height);
    let rest = Rect {
        height: body.height - lines,
        ..body
    };
    let hint = Rect {
        y: rest.bottom(),
        height: lines,
        ..body
    };
    (rest, hint)
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
