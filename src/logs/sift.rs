//! Lines around a place, all of them or only those that are asked for, with their neighbours.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use super::join::{Entry, Flow};
use super::line::Stream;
use super::page::{Backwards, Row, stop_if};
use super::scan::Pos;
use super::sought::Sought;
use super::timeline::Files;

/// Searched at once; between two of these, whoever asked may break off.
const STEP: u64 = 4 << 20;
/// Searched at once when going back, at first.
const WINDOW: u64 = 256 << 10;

/// Which lines to show.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sift {
    /// Only one stream's.
    pub stream: Option<Stream>,
    /// Only those that match.
    pub pattern: Option<Sought>,
    /// So many lines before and after each that matches, too.
    pub context: usize,
}

/// A line, and whether it was asked for itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) row: Row,
    pub(super) matched: bool,
}

/// How much to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Lines before the place, and from it on.
    pub(super) lines: (usize, usize),
    /// Bytes of each.
    pub(super) keep: usize,
    /// Nothing before it is wanted.
    pub(super) floor: Pos,
}

/// Lines around a place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Around {
    /// Before it, the nearest last.
    pub(super) before: Vec<Found>,
    /// From it on.
    pub(super) after: Vec<Found>,
    /// There is nothing before these.
    pub(super) from_start: bool,
    /// There is nothing after these.
    pub(super) to_end: bool,
}

/// Lines of one direction, and how far they reach.
struct Part {
    rows: Vec<Row>,
    reached: Pos,
    exhausted: bool,
}

impl Sift {
    /// True if it lets every line through.
    pub fn is_open(&self) -> bool {
        self.stream.is_none() && self.pattern.is_none()
    }

    /// True if the line is asked for itself.
    pub fn wants(&self, stream: Stream, content: &[u8]) -> bool {
        self.stream.is_none_or(|wanted| wanted == stream)
            && self
                .pattern
                .as_ref()
                .is_none_or(|sought| sought.pattern().is_match(content))
    }
}

impl Files {
    /// The lines around `at`: the start, the end, or the `at` or `end` of a row. `go_on` is asked
    /// now and then.
    pub(super) fn around(
        &self,
        sift: &Sift,
        at: Pos,
        room: Room,
        go_on: &dyn Fn() -> bool,
    ) -> io::Result<Around> {
        let (most_before, most_after) = room.lines;
        let context = if sift.pattern.is_some() {
            sift.context
        } else {
            0
        };
        // A match on one side may have neighbours on the other.
        let (mut to, mut from) = (at, at);
        if context > 0 {
            let nearest = self.before(at, context, room.keep)?;
            from = nearest.first().map_or(at, |row| row.at);
            to = self
                .after(at, context, room.keep)?
                .last()
                .map_or(at, |row| row.end);
        }
        let back = self.sifted_before(sift, to, most_before, room, go_on)?;
        let fore = self.sifted_after(sift, from, most_after, room.keep, go_on)?;
        let mut found = BTreeMap::new();
        for row in back.rows.into_iter().chain(fore.rows) {
            if context > 0 {
                let mut near = self.before(row.at, context, room.keep)?;
                near.extend(self.after(row.end, context, room.keep)?);
                for row in near {
                    let matched = sift.wants(row.stream, &row.content);
                    found.entry(row.at).or_insert(Found { row, matched });
                }
            }
            let matched = true;
            found.insert(row.at, Found { row, matched });
        }
        found.retain(|at, _| *at >= room.floor);
        let after = found.split_off(&at);
        let mut before: Vec<Found> = found.into_values().collect();
        before.drain(..before.len().saturating_sub(most_before));
        let mut after: Vec<Found> = after.into_values().collect();
        let to_end = fore.exhausted && after.len() <= most_after;
        after.truncate(most_after);
        Ok(Around {
            from_start: back.exhausted && before.len() < most_before.max(1),
            to_end,
            before,
            after,
        })
    }

    fn sifted_after(
        &self,
        sift: &Sift,
        from: Pos,
        most: usize,
        keep: usize,
        go_on: &dyn Fn() -> bool,
    ) -> io::Result<Part> {
        if sift.is_open() {
            let rows = self.after(from, most, keep)?;
            let reached = rows.last().map_or(from, |row| row.end);
            let exhausted = rows.len() < most || reached >= self.end();
            return Ok(Part {
                rows,
                reached,
                exhausted,
            });
        }
        let mut part = Part {
            rows: Vec::new(),
            reached: from,
            exhausted: false,
        };
        while part.rows.len() < most && go_on() {
            if part.reached >= self.end() {
                part.exhausted = true;
                break;
            }
            let until = self.step(part.reached, STEP)?;
            self.wanted(sift, part.reached, until, |entry| {
                part.rows.push(Row::of(entry, keep));
                stop_if(part.rows.len() >= most)
            })?;
            part.reached = match part.rows.last() {
                Some(last) if part.rows.len() >= most => last.end,
                _ => until,
            };
        }
        Ok(part)
    }

    fn sifted_before(
        &self,
        sift: &Sift,
        to: Pos,
        most: usize,
        room: Room,
        go_on: &dyn Fn() -> bool,
    ) -> io::Result<Part> {
        let keep = room.keep;
        if sift.is_open() {
            let rows = self.before(to, most, keep)?;
            let reached = rows.first().map_or(to, |row| row.at);
            let exhausted = rows.len() < most || reached <= room.floor;
            return Ok(Part {
                rows,
                reached,
                exhausted,
            });
        }
        let mut rows: VecDeque<Row> = VecDeque::new();
        let mut back = Backwards::new(to);
        let (mut reached, mut exhausted) = (to, false);
        while rows.len() < most && go_on() {
            let window = back.next(self, WINDOW)?.filter(|(_, to)| *to > room.floor);
            let Some((from, to)) = window else {
                exhausted = true;
                break;
            };
            let wanted = most - rows.len();
            let mut part = VecDeque::new();
            self.wanted(sift, from, to, |entry| {
                part.push_back(Row::of(entry, keep));
                if part.len() > wanted + 2 {
                    part.pop_front();
                }
                Flow::Continue(())
            })?;
            part.make_contiguous().sort_by_key(|row| row.at);
            part.drain(..part.len().saturating_sub(wanted));
            part.append(&mut rows);
            rows = part;
            reached = from;
        }
        Ok(Part {
            rows: rows.into(),
            reached,
            exhausted,
        })
    }

    /// Every line that is asked for itself.
    fn wanted(
        &self,
        sift: &Sift,
        from: Pos,
        until: Pos,
        mut f: impl FnMut(&Entry<'_>) -> Flow,
    ) -> io::Result<()> {
        let stream = sift.stream;
        let of_stream = |entry: &Entry<'_>| {
            if stream.is_none_or(|wanted| wanted == entry.stream) {
                f(entry)
            } else {
                Flow::Continue(())
            }
        };
        match &sift.pattern {
            Some(sought) => self.matches(sought.pattern(), from, until, of_stream),
            None => self.each(from, until, of_stream),
        }
    }
}
