//! Lines before and after a place: what a view shows.

use std::collections::VecDeque;
use std::io;
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::join::{Entry, Flow, Joiner};
use super::line::{self, Stream};
use super::scan::{Pos, Scan, Tail, line_start};
use super::timeline::Files;

/// Read at once when going back, at first and at most.
const WINDOW: u64 = 32 << 10;
const LARGEST: u64 = 1 << 20;
/// How far the rest of an unfinished line is looked for.
const AHEAD: usize = 1 << 20;

/// One line of the container, kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Where the line of the file that completes it begins: its identity, and where to go on
    /// backwards.
    pub at: Pos,
    /// Where to go on forwards.
    pub end: Pos,
    /// Time stamp in the runtime's words; see [`Row::instant`].
    pub time: Vec<u8>,
    /// Where it was written.
    pub stream: Stream,
    /// What the container wrote, as far as it is kept.
    pub content: Vec<u8>,
    /// Bytes that are not kept.
    pub omitted: usize,
    /// It goes on; see [`Entry::open`].
    pub open: bool,
}

impl Row {
    /// Of an entry, with at most `keep` bytes of its content.
    pub fn of(entry: &Entry<'_>, keep: usize) -> Self {
        let kept = &entry.content[..entry.content.len().min(keep)];
        Self {
            at: entry.at,
            end: entry.end,
            time: entry.time.to_vec(),
            stream: entry.stream,
            content: kept.to_vec(),
            omitted: entry.content.len() - kept.len(),
            open: entry.open,
        }
    }

    /// The line as what reads hands it on.
    pub fn entry(&self) -> Entry<'_> {
        Entry {
            at: self.at,
            end: self.end,
            time: &self.time,
            stream: self.stream,
            content: &self.content,
            open: self.open,
        }
    }

    /// When it was written.
    pub fn instant(&self) -> Option<Timestamp> {
        line::instant(&self.time)
    }
}

impl Files {
    /// About `most` lines after `from` (unfinished ones may be more), oldest first, with up to
    /// `keep` bytes of each. `from` is the start, or the `at` or `end` of a row.
    pub fn after(&self, from: Pos, most: usize, keep: usize) -> io::Result<Vec<Row>> {
        let mut rows = Vec::new();
        if most > 0 {
            self.each(from, self.end(), |entry| {
                rows.push(Row::of(entry, keep));
                stop_if(rows.len() >= most)
            })?;
        }
        rows.sort_by_key(|row| row.at);
        Ok(rows)
    }

    /// Up to `most` lines before `to`, oldest first, with up to `keep` bytes of each. `to` is the
    /// end, or the `at` or `end` of a row.
    pub fn before(&self, to: Pos, most: usize, keep: usize) -> io::Result<Vec<Row>> {
        let mut rows: VecDeque<Row> = VecDeque::new();
        let mut back = Backwards::new(to);
        while rows.len() < most
            && let Some((from, to)) = back.next(self, WINDOW)?
        {
            let wanted = most - rows.len();
            let mut part = VecDeque::new();
            self.each(from, to, |entry| {
                part.push_back(Row::of(entry, keep));
                // Unfinished ones come last and stand before others.
                if part.len() > wanted + 2 {
                    part.pop_front();
                }
                Flow::Continue(())
            })?;
            part.make_contiguous().sort_by_key(|row| row.at);
            part.drain(..part.len().saturating_sub(wanted));
            part.append(&mut rows);
            rows = part;
        }
        Ok(rows.into())
    }

    /// Every line whose last chunk stands between `from` and `until`; both lie between two lines
    /// of a file, or `until` is an end. Unfinished ones come when nothing can finish them.
    pub fn each(
        &self,
        from: Pos,
        until: Pos,
        mut f: impl FnMut(&Entry<'_>) -> Flow,
    ) -> io::Result<()> {
        let mut reading = Reading::new(self, from)?;
        let mut reached = until;
        let mut note = |entry: &Entry<'_>| {
            let flow = f(entry);
            if flow.is_break() {
                reached = entry.end;
            }
            flow
        };
        while let Some(region) = reading.scan.next(&self.segments, until, Tail::Take)? {
            let attempt = self.segments[region.segment].attempt;
            if reading.attempt.replace(attempt) != Some(attempt)
                && reading.joiner.flush(&mut note).is_break()
            {
                return Ok(());
            }
            if reading.joiner.feed(&region, &mut note).is_break() {
                break;
            }
        }
        self.finish(reading.joiner, from, reached, &mut f)
    }

    /// Hands on what stands between `from` and `reached` and is never finished after it.
    pub(super) fn finish(
        &self,
        mut joiner: Joiner,
        from: Pos,
        reached: Pos,
        f: &mut impl FnMut(&Entry<'_>) -> Flow,
    ) -> io::Result<()> {
        let mut scan = Scan::new(reached, joiner.is_split());
        joiner.keep_between(from, reached);
        if !joiner.is_idle() && !self.ends_attempt(reached)? {
            let attempt = self.attempt(reached);
            let mut ahead = 0;
            while let Some(region) = scan.next(&self.segments, self.end(), Tail::Take)? {
                if self.attempt(Pos::start_of(region.segment)) != attempt {
                    break;
                }
                ahead += region.bytes.len();
                let _ = joiner.feed(&region, &mut |_| Flow::Continue(()));
                joiner.keep_between(from, reached);
                if joiner.is_idle() || ahead > AHEAD {
                    return Ok(());
                }
            }
        }
        // What breaks off here has nothing after it.
        let _ = joiner.flush(f);
        Ok(())
    }

    /// The beginning of the line around `offset` of a file.
    pub(super) fn align(&self, segment: usize, offset: u64) -> io::Result<Pos> {
        let Some(file) = self.segments.get(segment) else {
            return Ok(self.end());
        };
        let offset = line_start(file, offset)?.0;
        Ok(Pos { segment, offset })
    }
}

/// `Break` if so.
pub(super) fn stop_if(enough: bool) -> Flow {
    if enough {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

/// What reading forward from somewhere starts with.
pub(super) struct Reading {
    pub(super) scan: Scan,
    pub(super) joiner: Joiner,
    pub(super) attempt: Option<u32>,
}

impl Reading {
    pub(super) fn new(files: &Files, from: Pos) -> io::Result<Self> {
        let over = files.ends_attempt(from)?;
        let joiner = if over || from == files.start() {
            Joiner::default()
        } else {
            Joiner::before(&files.segments, from)?
        };
        // A place that is no beginning of a line is one where a line was cut.
        let cut = match files.segments.get(from.segment) {
            Some(file) if from.offset > 0 => {
                let mut byte = [b'\n'];
                file.read_at(from.offset - 1, &mut byte)?;
                byte != [b'\n']
            }
            _ => false,
        };
        Ok(Self {
            scan: Scan::new(from, cut),
            joiner,
            attempt: files.attempt(from).filter(|_| !over),
        })
    }
}

/// Windows of whole lines, going back.
pub(super) struct Backwards {
    to: Pos,
    grown: u64,
}

impl Backwards {
    pub(super) fn new(to: Pos) -> Self {
        Self { to, grown: 1 }
    }

    /// The window before the last one, at first `size` bytes long.
    pub(super) fn next(&mut self, files: &Files, size: u64) -> io::Result<Option<(Pos, Pos)>> {
        while self.to.offset == 0 {
            let Some(segment) = self.to.segment.checked_sub(1) else {
                return Ok(None);
            };
            let offset = files.len_of(segment)?;
            self.to = Pos { segment, offset };
        }
        let size = (size * self.grown).min(size.max(LARGEST));
        self.grown = (self.grown * 2).min(1 << 20);
        let to = self.to;
        let wanted = to.offset.saturating_sub(size);
        self.to = files.align(to.segment, wanted)?;
        Ok(Some((self.to, to)))
    }
}
