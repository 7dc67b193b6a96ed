//! One line of a log: mark, stream, time, name, and what it says in its colours.

use std::ops::Range;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::Cx;
use crate::format::{age, seconds_between};
use crate::logs::level::Level;
use crate::logs::shown::Line;
use crate::logs::{Sought, Stream};
use crate::model::logs::{Columns, LogView, Stamps, words};
use crate::theme::Role;
use crate::widgets::text::{cut_middle, prefix, wrap};

/// Most matches that are highlighted in one line.
const MATCHES: usize = 64;

/// Text with its styles.
pub struct Styled<'a> {
    text: &'a str,
    base: Style,
    /// Pieces in other styles, ascending.
    pieces: Vec<(Range<usize>, Style)>,
    /// What was found, ascending.
    found: Vec<Range<usize>>,
    match_style: Style,
}

/// Draws a line whose first row is `top` rows below the top of the area (above it if negative);
/// how many rows it takes.
pub fn draw(
    cx: &Cx,
    view: &LogView,
    line: &Line,
    columns: Columns,
    (top, selected): (isize, bool),
    area: Rect,
    buffer: &mut Buffer,
) -> usize {
    let room = columns.text(area.as_size());
    let row = |nth: usize| {
        let y = top.checked_add_unsigned(nth)?;
        let y = u16::try_from(y).ok().filter(|y| *y < area.height)?;
        Some(area.y + y)
    };
    if let Some(y) = row(0) {
        before_text(
            cx,
            view,
            line,
            columns,
            Rect {
                y,
                height: 1,
                ..area
            },
            buffer,
        );
    }
    let rows = if view.spread == Some(line.id) {
        let lines = view.in_full(line, room);
        for (nth, text) in lines.iter().enumerate() {
            let Some(y) = row(nth) else { continue };
            let x = area.x + columns.before_text();
            Styled::plain(cx, view, line, text.as_str()).draw(
                0..text.as_str().len(),
                (x, y),
                room,
                buffer,
            );
        }
        lines.len().max(1)
    } else {
        said(cx, view, line, columns, row, area, buffer)
    };
    if selected {
        for y in (0..rows).filter_map(row) {
            let gutter = Rect::new(area.x, y, columns.gutter.saturating_sub(1), 1);
            let gutter = gutter.intersection(area);
            buffer.set_style(gutter, cx.theme.style(Role::Selected));
        }
    }
    rows
}

fn said(
    cx: &Cx,
    view: &LogView,
    line: &Line,
    columns: Columns,
    row: impl Fn(usize) -> Option<u16>,
    area: Rect,
    buffer: &mut Buffer,
) -> usize {
    let room = columns.text(area.as_size());
    let words = words(line, &view.look);
    let styled = Styled::of(cx, view, line, &words);
    let x = area.x + columns.before_text();
    if view.look.wrap {
        let parts = wrap(&words, room);
        for (nth, part) in parts.iter().enumerate() {
            let Some(y) = row(nth) else { continue };
            // Each part is a piece of the same text.
            let start = part.as_ptr() as usize - words.as_ptr() as usize;
            styled.draw(start..start + part.len(), (x, y), room, buffer);
        }
        return parts.len();
    }
    if let Some(y) = row(0) {
        let hidden = u16::try_from(view.place.column).unwrap_or(u16::MAX);
        let start = prefix(&words, hidden).len();
        styled.draw(start..words.len(), (x, y), room, buffer);
        let cut = words.len() > start + prefix(&words[start..], room).len();
        if cut && room > 0 {
            let more = cx.theme.glyphs().more;
            let at = (x + room - 1).min(area.right().saturating_sub(1));
            buffer.set_stringn(at, y, more, 1, cx.theme.style(Role::Dim));
        }
    }
    1
}

fn before_text(
    cx: &Cx,
    view: &LogView,
    line: &Line,
    columns: Columns,
    area: Rect,
    buffer: &mut Buffer,
) {
    let mut x = area.x;
    let mut put = |text: &str, width: u16, style: Style| {
        let room = width.min(area.right().saturating_sub(x));
        buffer.set_stringn(x, area.y, text, room.into(), style);
        x += width;
    };
    let mark = if view.marks.contains_key(&line.id) {
        cx.theme.glyphs().mark
    } else {
        " "
    };
    put(mark, 1, cx.theme.style(Role::Accent));
    let stream = if line.stream == Stream::Stderr {
        "e"
    } else {
        " "
    };
    put(stream, columns.gutter - 1, cx.theme.style(Role::Dim));
    if columns.time > 0 {
        let time = line.time.map(|time| stamp(cx, time, view.look.stamps));
        put(
            &time.unwrap_or_default(),
            columns.time,
            cx.theme.style(Role::Dim),
        );
    }
    if columns.name > 0 {
        let name = view.frame.names.get(line.id.source);
        let name = name.map_or("", |name| name.as_str());
        let name = cut_middle(name, columns.name - 1, cx.theme.glyphs().more);
        put(&name, columns.name, cx.theme.hue(line.id.source));
    }
}

/// A time before a line.
fn stamp(cx: &Cx, time: Timestamp, stamps: Stamps) -> String {
    let zone = match stamps {
        Stamps::Off => return String::new(),
        Stamps::Relative => {
            // A clock that was wrong has written times that lie ahead.
            if time > cx.now() {
                return format!(
                    "{:>6}",
                    format!("+{}", age(seconds_between(cx.now(), time)))
                );
            }
            let seconds = seconds_between(time, cx.now());
            cx.shows_age(seconds);
            return format!("{:>6}", age(seconds));
        }
        Stamps::Local => TimeZone::system(),
        Stamps::Utc => TimeZone::UTC,
    };
    let time = time.to_zoned(zone);
    time.strftime("%m-%d %H:%M:%S.%3f").to_string()
}

/// Style of a level.
pub fn role(level: Option<Level>) -> Role {
    match level {
        Some(Level::Fatal | Level::Error) => Role::Bad,
        Some(Level::Warn) => Role::Warn,
        Some(Level::Debug | Level::Trace) => Role::Dim,
        Some(Level::Info) | None => Role::Text,
    }
}

impl<'a> Styled<'a> {
    /// What a line of the view says.
    pub fn of(cx: &Cx, view: &LogView, line: &Line, text: &'a str) -> Self {
        let mut styled = Self::plain(cx, view, line, text);
        let own = text.starts_with(line.text.as_str());
        if own && !line.paints.is_empty() {
            styled.base = cx.theme.style(Role::Text);
            let pieces = line.paints.iter();
            styled.pieces = pieces
                .map(|(at, paint)| (at.clone(), cx.theme.paint(*paint)))
                .collect();
        }
        if !line.matched {
            // Here as a neighbour only.
            styled.base = cx.theme.style(Role::Dim);
        }
        styled
    }

    /// The same without the container's own colours.
    pub fn plain(cx: &Cx, view: &LogView, line: &Line, text: &'a str) -> Self {
        let mut found = Vec::new();
        for sought in [&view.look.filter, &view.look.search].into_iter().flatten() {
            found.extend(Sought::pattern(sought).ranges(text.as_bytes(), MATCHES));
        }
        found.retain(|at| text.get(at.clone()).is_some());
        found.sort_by_key(|at| at.start);
        Self {
            text,
            base: cx.theme.style(role(line.level)),
            pieces: Vec::new(),
            found,
            match_style: cx.theme.style(Role::Match),
        }
    }

    /// Draws a part of it in at most `room` cells.
    fn draw(&self, part: Range<usize>, (x, y): (u16, u16), room: u16, buffer: &mut Buffer) {
        let right = x.saturating_add(room).min(buffer.area.right());
        let (mut x, mut at) = (x, part.start);
        while at < part.end && x < right {
            let (style, until) = self.style_at(at);
            let until = until.min(part.end);
            let Some(piece) = self.text.get(at..until) else {
                return;
            };
            x = buffer.set_stringn(x, y, piece, (right - x).into(), style).0;
            at = until;
        }
    }

    /// The style at a byte, and where it may change.
    fn style_at(&self, at: usize) -> (Style, usize) {
        let (mut style, mut until) = (self.base, self.text.len());
        let mut look = |range: &Range<usize>, other: Style| {
            if range.contains(&at) {
                style = style.patch(other);
                until = until.min(range.end);
            } else if range.start > at {
                until = until.min(range.start);
            }
        };
        for (range, piece) in &self.pieces {
            look(range, *piece);
        }
        for range in &self.found {
            look(range, self.match_style);
        }
        (style, until)
    }
}
