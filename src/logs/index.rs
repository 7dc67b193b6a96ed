//! Where in a log: line numbers through sparse checkpoints, per cent through bytes, times by
//! bisection.

use std::io;

use jiff::Timestamp;

use super::join::Flow;
use super::line::{self, Stream};
use super::page::stop_if;
use super::scan::Pos;
use super::timeline::Files;

/// At first, bytes between two checkpoints.
const STRIDE: u64 = 1 << 20;
/// With more checkpoints than this, every other one goes and the stride doubles.
const MOST: usize = 4096;
/// Bytes read between two questions whether to go on.
const ASKED: usize = 1 << 20;
/// Smaller parts of a file are read rather than bisected.
const SMALL: u64 = 64 << 10;
/// Lines without a time that are passed over when looking for the time at a place.
const TIMELESS: usize = 1000;

/// Numbers of lines, built step by step in the background.
#[derive(Clone, Debug)]
pub struct Index {
    /// Ascending places and how many lines end before each.
    checkpoints: Vec<(Pos, u64)>,
    stride: u64,
    /// How far it has been built.
    reached: (Pos, u64),
}

impl Default for Index {
    fn default() -> Self {
        Self {
            checkpoints: vec![(Pos::default(), 0)],
            stride: STRIDE,
            reached: (Pos::default(), 0),
        }
    }
}

impl Index {
    /// Reads on, about `bytes` further; true when the end has been reached (for now).
    pub fn build(&mut self, files: &Files, bytes: u64) -> io::Result<bool> {
        let mut left = bytes;
        while left > 0 {
            let from = self.reached.0;
            if from >= files.end() {
                return Ok(true);
            }
            let step = self.stride.min(left.max(SMALL));
            let until = files.step(from, step)?;
            let mut lines = 0;
            files.each(from, until, |entry| {
                // What is open may still become a line, or is a part of one.
                lines += u64::from(!entry.open);
                Flow::Continue(())
            })?;
            left = left.saturating_sub(step);
            self.advance(until, lines);
        }
        Ok(false)
    }

    fn advance(&mut self, until: Pos, lines: u64) {
        self.reached = (until, self.reached.1 + lines);
        let last = self
            .checkpoints
            .last()
            .map_or(Pos::default(), |last| last.0);
        if last.segment != until.segment || until.offset - last.offset >= self.stride {
            self.checkpoints.push(self.reached);
        }
        if self.checkpoints.len() > MOST {
            let mut nth = 0;
            self.checkpoints.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
            self.stride *= 2;
        }
    }

    /// How far it has been built, and the lines up to there.
    pub fn reached(&self) -> (Pos, u64) {
        self.reached
    }

    /// Number of the first line that ends after `pos`, counted from 0; `None` where the index
    /// has not been built yet.
    pub fn line_at(&self, files: &Files, pos: Pos) -> io::Result<Option<u64>> {
        if pos > self.reached.0 {
            return Ok(None);
        }
        let place = self.checkpoints.partition_point(|(at, _)| *at <= pos);
        let (from, mut line) = self.checkpoints[place.saturating_sub(1)];
        files.each(from, pos, |entry| {
            line += u64::from(!entry.open);
            Flow::Continue(())
        })?;
        Ok(Some(line))
    }

    /// Where line `number` (from 0) begins; `None` where the index has not been built yet.
    pub fn place_of(&self, files: &Files, number: u64) -> io::Result<Option<Pos>> {
        if number >= self.reached.1 {
            return Ok(None);
        }
        let place = self
            .checkpoints
            .partition_point(|(_, line)| *line <= number);
        let (from, mut line) = self.checkpoints[place.saturating_sub(1)];
        let mut found = None;
        files.each(from, self.reached.0, |entry| {
            if !entry.open && line == number {
                found = Some(entry.at);
            }
            line += u64::from(!entry.open);
            stop_if(found.is_some())
        })?;
        Ok(found)
    }
}

impl Files {
    /// A place between two lines, about `bytes` after `from`, in the same file or at the
    /// beginning of the next one.
    pub(super) fn step(&self, from: Pos, bytes: u64) -> io::Result<Pos> {
        let length = self.len_of(from.segment)?;
        let mut bytes = bytes;
        while from.offset + bytes < length {
            let until = self.align(from.segment, from.offset + bytes)?;
            if until > from {
                return Ok(until);
            }
            bytes *= 2;
        }
        if from.segment == self.end().segment {
            return Ok(self.end());
        }
        Ok(Pos::start_of(from.segment + 1))
    }

    /// Bytes before `pos` in hundredths of a per cent of all; of gzipped files as they claim.
    pub fn share_before(&self, pos: Pos) -> io::Result<u16> {
        let (mut before, mut total) = (u128::from(pos.offset), 0);
        for (place, segment) in self.segments().iter().enumerate() {
            let size = u128::from(self.size(place, segment.is_plain())?);
            total += size;
            if place < pos.segment {
                before += size;
            }
        }
        let share = (before * 10_000).checked_div(total).unwrap_or(0);
        Ok(u16::try_from(share).unwrap_or(10_000).min(10_000))
    }

    /// The beginning of the line at that share (hundredths of a per cent) of all bytes.
    pub fn at_share(&self, share: u16) -> io::Result<Pos> {
        let mut sizes = Vec::new();
        for (place, segment) in self.segments().iter().enumerate() {
            sizes.push(self.size(place, segment.is_plain())?);
        }
        let total: u128 = sizes.iter().copied().map(u128::from).sum();
        let mut left = total * u128::from(share.min(10_000)) / 10_000;
        for (segment, size) in sizes.into_iter().enumerate() {
            if left < u128::from(size) {
                return self.align(segment, u64::try_from(left).unwrap_or(0));
            }
            left -= u128::from(size);
        }
        Ok(self.end())
    }

    fn size(&self, place: usize, plain: bool) -> io::Result<u64> {
        if plain {
            self.len_of(place)
        } else {
            self.segments()[place].len_hint()
        }
    }

    /// The first line written at or after `time`, found by bisection; where time stamps are out
    /// of order, one such line that no earlier block suggests.
    pub fn at_time(&self, time: Timestamp) -> io::Result<Pos> {
        self.at_time_while(time, &|| true)
    }

    /// The same; `go_on` is asked now and then: what holds no times at all is read to its end.
    pub(super) fn at_time_while(
        &self,
        time: Timestamp,
        go_on: &dyn Fn() -> bool,
    ) -> io::Result<Pos> {
        let mut segment = 0;
        // The last file that begins before that time holds the place, or ends before it.
        for place in (0..self.segments().len()).rev() {
            if self
                .time_after(Pos::start_of(place))?
                .is_some_and(|at| at < time)
            {
                segment = place;
                break;
            }
        }
        let (mut low, mut high) = (0, self.size_to_bisect(segment)?);
        while high - low > SMALL {
            let middle = self.align(segment, low + (high - low) / 2)?;
            if middle.offset <= low {
                break;
            }
            match self.time_after(middle)? {
                Some(at) if at < time => low = middle.offset,
                _ => high = middle.offset,
            }
        }
        let mut found = self.end();
        let mut unasked = 0;
        self.each(
            Pos {
                segment,
                offset: low,
            },
            self.end(),
            |entry| {
                let reached = line::instant(entry.time).is_some_and(|at| at >= time);
                if reached {
                    found = entry.at;
                }
                unasked += entry.content.len() + 1;
                let over = unasked > ASKED && !go_on();
                unasked %= ASKED;
                stop_if(reached || over)
            },
        )?;
        Ok(found)
    }

    /// Files that cannot be read backwards cheaply are read through.
    fn size_to_bisect(&self, segment: usize) -> io::Result<u64> {
        match self.segments().get(segment) {
            Some(file) if file.is_plain() => self.len_of(segment),
            _ => Ok(0),
        }
    }

    /// When the first line after `from` that tells its time was written.
    fn time_after(&self, from: Pos) -> io::Result<Option<Timestamp>> {
        let (mut time, mut seen) = (None, 0);
        self.each(from, self.end(), |entry| {
            seen += 1;
            if entry.stream != Stream::Raw {
                time = line::instant(entry.time);
            }
            stop_if(time.is_some() || seen > TIMELESS)
        })?;
        Ok(time)
    }
}
