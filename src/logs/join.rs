//! Lines of the container from lines of the file: chunks of one stream are joined until its full
//! one.

use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;

use memchr::{memchr, memrchr};

use super::line::{self, Line, Stream};
use super::scan::{Ends, Pos, Region, line_start};
use super::segment::Segment;

/// Most bytes of one entry; a longer one is handed on in pieces.
pub(super) const LONGEST: usize = 8 << 20;
/// How far before a place chunks that belong to a line after it are looked for.
const LOOKBACK: u64 = 1 << 20;

/// One line of the container, while it is being read.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Where the line of the file that completes it begins.
    pub at: Pos,
    /// Where that line ends.
    pub end: Pos,
    /// Time stamp of its first chunk; see [`line::instant`]. Empty in raw lines, and in the later
    /// pieces of one that is very long.
    pub time: &'a [u8],
    /// Where it was written.
    pub stream: Stream,
    /// What the container wrote, without the newline. A `\r` of a terminal is still there.
    pub content: &'a [u8],
    /// It goes on: a very long one in the next entry of its stream; the last one of a file
    /// perhaps later.
    pub open: bool,
}

/// What has been read of a line whose last chunk has not come.
#[derive(Clone, Debug, Default)]
struct Pending {
    active: bool,
    at: Pos,
    end: Pos,
    time: Vec<u8>,
    content: Vec<u8>,
}

/// Joins chunks.
#[derive(Clone, Debug, Default)]
pub(super) struct Joiner {
    pending: [Pending; 2],
    /// The line of the file that was cut: its stream, and whether it is partial itself.
    split: Option<(Stream, bool)>,
}

/// What handlers of lines answer: whether to go on.
pub type Flow = ControlFlow<()>;

impl Joiner {
    /// True if no line waits for its end.
    pub(super) fn is_idle(&self) -> bool {
        self.split.is_none() && self.pending.iter().all(|pending| !pending.active)
    }

    /// True in the middle of a line of the file that was cut.
    pub(super) fn is_split(&self) -> bool {
        self.split.is_some()
    }

    /// Takes a region apart, until `f` breaks off.
    pub(super) fn feed(
        &mut self,
        region: &Region<'_>,
        f: &mut impl FnMut(&Entry<'_>) -> Flow,
    ) -> Flow {
        let (mut at, length) = (0, region.bytes.len());
        while at < length {
            at = self.feed_one(region, at, f)?;
        }
        Flow::Continue(())
    }

    /// Takes the line at `at` of a region; where the next one begins.
    pub(super) fn feed_one(
        &mut self,
        region: &Region<'_>,
        at: usize,
        f: &mut impl FnMut(&Entry<'_>) -> Flow,
    ) -> ControlFlow<(), usize> {
        let rest = &region.bytes[at..];
        let (text, next) = match memchr(b'\n', rest) {
            Some(newline) => (&rest[..newline], at + newline + 1),
            None => (rest, region.bytes.len()),
        };
        let pos = |place: usize| Pos {
            segment: region.segment,
            offset: region.offset + place as u64,
        };
        let (from, to) = (pos(at), pos(next));
        let is_last = next == region.bytes.len();
        let cut = is_last && region.ends == Ends::Cut;
        let line = if at == 0 && region.continues {
            self.rest_of_split(text)
        } else {
            line::parse(text)
        };
        self.split = cut.then_some((line.stream, line.partial));
        match self.join(from, to, &line, cut, f) {
            Flow::Continue(()) => ControlFlow::Continue(next),
            Flow::Break(()) => ControlFlow::Break(()),
        }
    }

    fn rest_of_split<'a>(&self, text: &'a [u8]) -> Line<'a> {
        let (stream, partial) = self.split.unwrap_or((Stream::Raw, false));
        Line {
            time: b"",
            stream,
            partial,
            content: text.into(),
        }
    }

    fn join(
        &mut self,
        at: Pos,
        end: Pos,
        line: &Line<'_>,
        cut: bool,
        f: &mut impl FnMut(&Entry<'_>) -> Flow,
    ) -> Flow {
        let mut entry = Entry {
            at,
            end,
            time: line.time,
            stream: line.stream,
            content: &line.content,
            open: cut,
        };
        let Some(pending) = self.pending_of(line.stream) else {
            return f(&entry);
        };
        let partial = line.partial || cut;
        if !partial && !pending.active {
            return f(&entry);
        }
        if !pending.active {
            pending.active = true;
            pending.time.extend_from_slice(line.time);
        }
        (pending.at, pending.end) = (at, end);
        pending.content.extend_from_slice(&line.content);
        if partial && pending.content.len() < LONGEST {
            return Flow::Continue(());
        }
        entry.time = &pending.time;
        entry.content = &pending.content;
        entry.open = partial;
        let flow = f(&entry);
        pending.time.clear();
        pending.content.clear();
        // Memory of one long line is not kept for ever.
        pending.content.shrink_to(64 << 10);
        pending.active = partial;
        flow
    }

    /// Forgets lines whose last chunk stands before `from`, or at or after `until`.
    pub(super) fn keep_between(&mut self, from: Pos, until: Pos) {
        for pending in &mut self.pending {
            pending.active &= (from..until).contains(&pending.at);
        }
    }

    /// Hands on what never came to its end: at the end of an attempt.
    pub(super) fn flush(&mut self, f: &mut impl FnMut(&Entry<'_>) -> Flow) -> Flow {
        let both = std::mem::take(self).pending;
        let mut streams = [(&both[0], Stream::Stdout), (&both[1], Stream::Stderr)];
        streams.sort_by_key(|(pending, _)| pending.at);
        for (pending, stream) in streams {
            if pending.active && !pending.content.is_empty() {
                f(&Entry {
                    at: pending.at,
                    end: pending.end,
                    time: &pending.time,
                    stream,
                    content: &pending.content,
                    open: true,
                })?;
            }
        }
        Flow::Continue(())
    }

    fn pending_of(&mut self, stream: Stream) -> Option<&mut Pending> {
        match stream {
            Stream::Stdout => Some(&mut self.pending[0]),
            Stream::Stderr => Some(&mut self.pending[1]),
            Stream::Raw => None,
        }
    }

    /// A joiner that knows the chunks before `at` that belong to lines after it.
    pub(super) fn before(segments: &[Arc<Segment>], at: Pos) -> io::Result<Self> {
        let mut back = Back::default();
        let Some(attempt) = segments.get(at.segment).map(|segment| segment.attempt) else {
            return Ok(Self::default());
        };
        let mut left = LOOKBACK;
        let (mut place, mut offset) = (at.segment, at.offset);
        loop {
            left = back.search(&segments[place], place, offset, left)?;
            if left == 0 || back.is_settled() || place == 0 {
                break;
            }
            place -= 1;
            if segments[place].attempt != attempt {
                break;
            }
            offset = segments[place].len()?;
        }
        Ok(back.into_joiner())
    }
}

/// Chunks found by going back, newest first.
#[derive(Debug, Default)]
struct Back {
    settled: [bool; 2],
    chunks: [Vec<Chunk>; 2],
}

#[derive(Debug)]
struct Chunk {
    at: Pos,
    end: Pos,
    time: Vec<u8>,
    content: Vec<u8>,
}

impl Back {
    fn is_settled(&self) -> bool {
        self.settled == [true, true]
    }

    /// Goes back through one file from `offset`, at most `left` bytes; how many remain.
    fn search(
        &mut self,
        segment: &Segment,
        place: usize,
        offset: u64,
        mut left: u64,
    ) -> io::Result<u64> {
        let (mut end, mut step) = (offset, 4 << 10);
        while end > 0 && left > 0 && !self.is_settled() {
            let want = end.saturating_sub(step);
            let (start, _) = line_start(segment, want)?;
            let mut bytes = vec![0; usize::try_from(end - start).unwrap_or(0)];
            let count = segment.read_at(start, &mut bytes)?;
            bytes.truncate(count);
            self.lines(&bytes, place, start);
            left = left.saturating_sub(end - start);
            end = start;
            step = (step * 4).min(256 << 10);
        }
        Ok(left)
    }

    fn lines(&mut self, bytes: &[u8], segment: usize, start: u64) {
        let mut end = bytes.len();
        while end > 0 && !self.is_settled() {
            let text = bytes[..end].strip_suffix(b"\n").unwrap_or(&bytes[..end]);
            let from = memrchr(b'\n', text).map_or(0, |newline| newline + 1);
            let pos = |place: usize| Pos {
                segment,
                offset: start + place as u64,
            };
            self.line(pos(from), pos(end), &line::parse(&text[from..]));
            end = from;
        }
    }

    fn line(&mut self, at: Pos, end: Pos, line: &Line<'_>) {
        let which = match line.stream {
            Stream::Stdout => 0,
            Stream::Stderr => 1,
            Stream::Raw => return,
        };
        if !line.partial {
            self.settled[which] = true;
        }
        if !self.settled[which] {
            self.chunks[which].push(Chunk {
                at,
                end,
                time: line.time.to_vec(),
                content: line.content.to_vec(),
            });
        }
    }

    fn into_joiner(self) -> Joiner {
        let pending = self.chunks.map(|chunks| Pending {
            active: !chunks.is_empty(),
            at: chunks.first().map_or_else(Pos::default, |chunk| chunk.at),
            end: chunks.first().map_or_else(Pos::default, |chunk| chunk.end),
            time: chunks
                .last()
                .map_or_else(Vec::new, |chunk| chunk.time.clone()),
            content: chunks
                .iter()
                .rev()
                .flat_map(|chunk| chunk.content.iter().copied())
                .collect(),
        });
        Joiner {
            pending,
            split: None,
        }
    }
}
