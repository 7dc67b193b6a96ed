//! Reading forward in big blocks of whole lines, across the files of a timeline.

use std::io;
use std::sync::Arc;

use memchr::memrchr;

use super::segment::Segment;

/// Read at once: large enough for few calls, small enough for the processor's cache.
const BLOCK: usize = 256 << 10;
/// A line of a file that is longer is cut, at the first multiple of this offset that leaves at
/// least this much before it. So where it is cut can be seen from anywhere.
pub(super) const PIECE: u64 = 4 << 20;
/// Read at once when looking for the beginning of a line.
const BACK: u64 = 32 << 10;

/// A place between two lines of a timeline: a file, and an offset in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Pos {
    /// Which file, counted from the oldest known when the timeline was opened.
    pub segment: usize,
    /// Offset in it, in bytes (unpacked).
    pub offset: u64,
}

impl Pos {
    /// The beginning of a file.
    pub fn start_of(segment: usize) -> Self {
        Self { segment, offset: 0 }
    }
}

/// How a region ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ends {
    /// With a newline.
    Newline,
    /// In the middle of a line that is too long.
    Cut,
    /// Where the file ends, without a newline.
    File,
}

/// Whole lines of one file, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region<'a> {
    pub(super) segment: usize,
    /// Where it begins in the file.
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
    /// Its first line is the rest of one that was cut.
    pub(super) continues: bool,
    pub(super) ends: Ends,
}

/// What to do with a last line that has no newline (yet).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tail {
    /// It is a line.
    Take,
    /// More of it may come.
    Leave,
}

/// A reader of regions.
#[derive(Debug)]
pub(super) struct Scan {
    segment: usize,
    /// Offset of the first byte of `buffer`.
    offset: u64,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that have been handed out.
    taken: usize,
    /// Bytes of `buffer` that have been read.
    filled: usize,
    continues: bool,
}

impl Scan {
    /// From `from`, which is at the beginning of a line, or where one was cut.
    pub(super) fn new(from: Pos, continues: bool) -> Self {
        Self {
            segment: from.segment,
            offset: from.offset,
            buffer: Vec::new(),
            taken: 0,
            filled: 0,
            continues,
        }
    }

    /// Where the next region begins.
    pub(super) fn pos(&self) -> Pos {
        Pos {
            segment: self.segment,
            offset: self.offset + self.taken as u64,
        }
    }

    /// Goes on at `to`, forgetting what has been read ahead.
    pub(super) fn jump(&mut self, to: Pos) {
        (self.segment, self.offset) = (to.segment, to.offset);
        (self.taken, self.filled, self.continues) = (0, 0, false);
    }

    /// The next region before `until`; `None` when there is none (now). Never crosses files.
    pub(super) fn next(
        &mut self,
        segments: &[Arc<Segment>],
        until: Pos,
        tail: Tail,
    ) -> io::Result<Option<Region<'_>>> {
        self.buffer.copy_within(self.taken..self.filled, 0);
        self.offset += self.taken as u64;
        self.filled -= self.taken;
        self.taken = 0;
        let mut searched = 0;
        loop {
            if self.segment > until.segment {
                return Ok(None);
            }
            let count = self.read(segments, until)?;
            if count > 0 {
                if let Some((length, ends)) = self.whole_lines(searched) {
                    return Ok(Some(self.take(length, ends)));
                }
                searched = self.filled;
                continue;
            }
            let is_last = self.segment == until.segment;
            if self.filled > 0 && !(is_last && tail == Tail::Leave) {
                return Ok(Some(self.take(self.filled, Ends::File)));
            }
            if is_last {
                return Ok(None);
            }
            self.jump(Pos::start_of(self.segment + 1));
            searched = 0;
        }
    }

    fn read(&mut self, segments: &[Arc<Segment>], until: Pos) -> io::Result<usize> {
        let Some(segment) = segments.get(self.segment) else {
            return Ok(0);
        };
        if self.buffer.len() - self.filled < BLOCK / 2 {
            let room = (self.filled * 2).max(BLOCK).next_multiple_of(BLOCK);
            self.buffer.resize(room, 0);
        }
        let mut room = self.buffer.len() - self.filled;
        let at = self.offset + self.filled as u64;
        if self.segment == until.segment {
            let left = usize::try_from(until.offset.saturating_sub(at));
            room = room.min(left.unwrap_or(usize::MAX));
        }
        let count = segment.read_at(at, &mut self.buffer[self.filled..self.filled + room])?;
        self.filled += count;
        Ok(count)
    }

    /// How many of the bytes read are whole lines, if any are.
    fn whole_lines(&self, searched: usize) -> Option<(usize, Ends)> {
        if let Some(at) = memrchr(b'\n', &self.buffer[searched..self.filled]) {
            return Some((searched + at + 1, Ends::Newline));
        }
        let cut = cut_after(self.offset, self.continues) - self.offset;
        let cut = usize::try_from(cut).unwrap_or(usize::MAX);
        (self.filled >= cut).then_some((cut, Ends::Cut))
    }

    fn take(&mut self, length: usize, ends: Ends) -> Region<'_> {
        let mut region = Region {
            segment: self.segment,
            offset: self.offset,
            bytes: &self.buffer[..length],
            continues: self.continues,
            ends,
        };
        // Only the first line can be too long: any after it would have ended this region.
        let cut = cut_after(self.offset, self.continues) - self.offset;
        if let Ok(cut) = usize::try_from(cut)
            && length > cut
            && memchr::memchr(b'\n', &region.bytes[..cut]).is_none()
        {
            region.bytes = &self.buffer[..cut];
            region.ends = Ends::Cut;
        }
        self.taken = region.bytes.len();
        self.continues = region.ends == Ends::Cut;
        region
    }
}

/// Where a line that begins at `start` is cut if it is still going on there.
fn cut_after(start: u64, continues: bool) -> u64 {
    if continues {
        start + PIECE
    } else {
        start.saturating_add(PIECE).next_multiple_of(PIECE)
    }
}

/// The last beginning of a line (or place where one is cut) in a file at or before `at`, and
/// whether it is such a cut.
pub(super) fn line_start(segment: &Segment, at: u64) -> io::Result<(u64, bool)> {
    let mut block = vec![0; usize::try_from(BACK).unwrap_or(1)];
    let farthest = at.saturating_sub(2 * PIECE);
    let mut end = at;
    while end > farthest {
        let start = end.saturating_sub(BACK).max(farthest);
        let room = usize::try_from(end - start).unwrap_or(block.len());
        let count = segment.read_at(start, &mut block[..room])?;
        if let Some(newline) = memrchr(b'\n', &block[..count]) {
            return Ok((start + newline as u64 + 1, false));
        }
        end = start;
    }
    if farthest == 0 {
        return Ok((0, false));
    }
    Ok((at - at % PIECE, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn segment(bytes: &[u8]) -> Arc<Segment> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Arc::new(Segment::new(0, "0.log", file).unwrap())
    }

    fn regions(segments: &[Arc<Segment>], from: Pos) -> Vec<(usize, u64, usize, Ends)> {
        let until = Pos {
            segment: segments.len() - 1,
            offset: segments.last().unwrap().len().unwrap(),
        };
        let mut scan = Scan::new(from, false);
        let mut found = Vec::new();
        while let Some(region) = scan.next(segments, until, Tail::Take).unwrap() {
            found.push((
                region.segment,
                region.offset,
                region.bytes.len(),
                region.ends,
            ));
        }
        found
    }

    #[test]
    fn files_end_regions() {
        let segments = [segment(b"a\nbb\ncut"), segment(b""), segment(b"next\nlast")];
        let expected = [
            (0, 0, 5, Ends::Newline),
            (0, 5, 3, Ends::File),
            (2, 0, 5, Ends::Newline),
            (2, 5, 4, Ends::File),
        ];
        assert_eq!(regions(&segments, Pos::default()), expected);
    }

    #[test]
    fn lines_that_are_too_long_are_cut_where_it_can_be_seen() {
        let mut bytes = b"short\n".to_vec();
        bytes.resize(14 << 20, b'x');
        bytes.extend(b"\nafter\n");
        let segments = [segment(&bytes)];
        let found = regions(&segments, Pos::default());
        let ends: Vec<u64> = found
            .iter()
            .filter(|region| region.3 == Ends::Cut)
            .map(|region| region.1 + region.2 as u64)
            .collect();
        assert_eq!(ends, [2 * PIECE, 3 * PIECE]);
        assert_eq!(line_start(&segments[0], 3).unwrap(), (0, false));
        assert_eq!(line_start(&segments[0], 8 << 20).unwrap(), (6, false));
        let late = line_start(&segments[0], 13 << 20).unwrap();
        assert_eq!(late, (3 * PIECE, true));
    }

    #[test]
    fn a_line_without_an_end_is_left_until_it_has_one() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"one\ntw").unwrap();
        let opened = file.reopen().unwrap();
        let segments = [Arc::new(Segment::new(0, "0.log", opened).unwrap())];
        let mut scan = Scan::new(Pos::default(), false);
        let end = |offset| Pos { segment: 0, offset };
        let first = scan.next(&segments, end(6), Tail::Leave).unwrap().unwrap();
        assert_eq!(first.bytes, b"one\n");
        assert!(scan.next(&segments, end(6), Tail::Leave).unwrap().is_none());
        file.write_all(b"o\n").unwrap();
        let second = scan.next(&segments, end(8), Tail::Leave).unwrap().unwrap();
        assert_eq!((second.offset, second.bytes), (4, &b"two\n"[..]));
    }
}
