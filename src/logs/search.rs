//! Searching: blocks of raw bytes at the speed of memory, then a closer look at what may be a
//! match. A match is in what the container wrote, joined from its chunks, never in what the
//! runtime put before it.

use std::cell::OnceCell;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use memchr::memmem::Finder;
use memchr::{memchr, memrchr};

use super::join::{Entry, Flow, Joiner};
use super::page::{Backwards, Reading, Row, stop_if};
use super::scan::{Ends, Pos, Region, Tail};
use super::timeline::Files;

mod pattern;

pub use pattern::Pattern;

/// Counted at once by one thread.
const SHARE: u64 = 8 << 20;
/// More shares than this are made larger instead.
const SHARES: u64 = 8192;
/// Searched at once when going back, at first.
const WINDOW: u64 = 256 << 10;

/// Bytes that show how frequent each byte is in a log.
const SAMPLE: usize = 8 << 10;

/// The line without its newline that holds `at`; `from` is the beginning of one before it.
fn line_around(bytes: &[u8], from: usize, at: usize) -> (usize, usize) {
    let start = memrchr(b'\n', &bytes[from..at]).map_or(from, |newline| from + newline + 1);
    let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline);
    (start, end)
}

/// Searches region after region.
struct Search<'a> {
    pattern: &'a Pattern,
    /// Made for the first region.
    tuned: OnceCell<Option<Finder<'a>>>,
    joiner: Joiner,
}

impl<'a> Search<'a> {
    fn new(pattern: &'a Pattern, joiner: Joiner) -> Self {
        Self {
            pattern,
            tuned: OnceCell::new(),
            joiner,
        }
    }

    /// Hands every entry that may match to `check`.
    fn region(&mut self, region: &Region<'_>, check: &mut impl FnMut(&Entry<'_>) -> Flow) -> Flow {
        let bytes = region.bytes;
        // What docker writes is escaped: raw bytes say little about it.
        let escaped = bytes.first() == Some(&b'{');
        let scout = match &self.pattern.scout {
            Some(scout) if !escaped && region.ends == Ends::Newline && !region.continues => scout,
            _ => return self.joiner.feed(region, check),
        };
        let tuned = self
            .tuned
            .get_or_init(|| scout.tuned(&bytes[..bytes.len().min(SAMPLE)]));
        let (mut at, mut partial) = (0, None);
        loop {
            while !self.joiner.is_idle() && at < bytes.len() {
                at = self.joiner.feed_one(region, at, check)?;
            }
            let found =
                (at < bytes.len()).then(|| scout.next(tuned.as_ref(), bytes, at, &mut partial));
            let Some(found) = found.flatten() else {
                return Flow::Continue(());
            };
            let (start, _) = line_around(bytes, at, found.min(bytes.len() - 1));
            at = self.joiner.feed_one(region, start, check)?;
        }
    }
}

/// How far counting has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Bytes searched.
    pub done: u64,
    /// Bytes to search.
    pub total: u64,
    /// Matching lines so far.
    pub matches: u64,
}

/// What counting found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// Matching lines.
    pub matches: u64,
    /// Ascending places, and the matching lines from each to the next one.
    pub shares: Vec<(Pos, u64)>,
}

impl Files {
    /// Every matching line that ends after `from` and not after `until`.
    pub fn matches(
        &self,
        pattern: &Pattern,
        from: Pos,
        until: Pos,
        mut f: impl FnMut(&Entry<'_>) -> Flow,
    ) -> io::Result<()> {
        let Reading {
            mut scan,
            joiner,
            mut attempt,
        } = Reading::new(self, from)?;
        let mut search = Search::new(pattern, joiner);
        let mut check = |entry: &Entry<'_>| {
            if pattern.is_match(entry.content) {
                f(entry)
            } else {
                Flow::Continue(())
            }
        };
        while let Some(region) = scan.next(&self.segments, until, Tail::Take)? {
            let now = self.segments[region.segment].attempt;
            if attempt.replace(now) != Some(now) && search.joiner.flush(&mut check).is_break()
                || search.region(&region, &mut check).is_break()
            {
                return Ok(());
            }
        }
        self.finish(search.joiner, from, until, &mut check)
    }

    /// The first match after `from`, with up to `keep` bytes. `go_on` is asked now and then.
    pub fn next_match(
        &self,
        pattern: &Pattern,
        from: Pos,
        keep: usize,
        go_on: impl Fn() -> bool,
    ) -> io::Result<Option<Row>> {
        let mut from = from;
        while go_on() && from < self.end() {
            let until = self.step(from, SHARE)?;
            let mut found = None;
            self.matches(pattern, from, until, |entry| {
                found = Some(Row::of(entry, keep));
                Flow::Break(())
            })?;
            if found.is_some() {
                return Ok(found);
            }
            from = until;
        }
        Ok(None)
    }

    /// The last match before `to`, with up to `keep` bytes. `go_on` is asked now and then.
    pub fn previous_match(
        &self,
        pattern: &Pattern,
        to: Pos,
        keep: usize,
        go_on: impl Fn() -> bool,
    ) -> io::Result<Option<Row>> {
        let mut back = Backwards::new(to);
        while go_on()
            && let Some((from, to)) = back.next(self, WINDOW)?
        {
            let mut found = None;
            self.matches(pattern, from, to, |entry| {
                found = Some(Row::of(entry, keep));
                Flow::Continue(())
            })?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Counts the matching lines on `threads` threads; `watch` is told of progress from any of
    /// them and may break off (then the count is of what was searched).
    pub fn count(
        &self,
        pattern: &Pattern,
        threads: usize,
        watch: &(dyn Fn(Progress) -> Flow + Sync),
    ) -> io::Result<Count> {
        let (shares, total) = self.shares()?;
        let tally = Tally {
            next: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            done: AtomicU64::new(0),
            matches: AtomicU64::new(0),
            found: Mutex::new(vec![0; shares.len()]),
            failed: Mutex::new(None),
        };
        let work = || {
            let result = tally.work(self, pattern, &shares, &|done, matches| {
                watch(Progress {
                    done,
                    total,
                    matches,
                })
            });
            if let Err(error) = result {
                tally.stop.store(true, Ordering::Relaxed);
                *lock(&tally.failed) = Some(error);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.clamp(1, shares.len().max(1)) {
                scope.spawn(work);
            }
            work();
        });
        if let Some(error) = lock(&tally.failed).take() {
            return Err(error);
        }
        let found = lock(&tally.found);
        let places = shares.iter().map(|share| share.from);
        Ok(Count {
            matches: found.iter().sum(),
            shares: places.zip(found.iter().copied()).collect(),
        })
    }

    /// Parts to search on their own, and how many bytes they are. Where they begin is aligned
    /// when it is their turn.
    fn shares(&self) -> io::Result<(Vec<Share>, u64)> {
        let mut sizes = Vec::new();
        for (place, segment) in self.segments.iter().enumerate() {
            let size = if segment.is_plain() {
                self.len_of(place)?
            } else {
                segment.len_hint()?
            };
            sizes.push((place, segment.is_plain(), size));
        }
        let total: u64 = sizes.iter().map(|(_, _, size)| size).sum();
        let each = SHARE.max(total / SHARES);
        let mut shares = Vec::new();
        for (segment, plain, size) in sizes {
            let mut offset = 0;
            while plain && size - offset > each + each / 2 {
                let from = Pos { segment, offset };
                offset += each;
                shares.push(Share {
                    from,
                    until: Some(offset),
                    size: each,
                });
            }
            shares.push(Share {
                from: Pos { segment, offset },
                until: None,
                size: size - offset,
            });
        }
        Ok((shares, total))
    }
}

#[derive(Clone, Copy)]
struct Share {
    from: Pos,
    /// Offset of the next one; `None`: to the end of the file.
    until: Option<u64>,
    size: u64,
}

struct Tally {
    next: AtomicUsize,
    stop: AtomicBool,
    done: AtomicU64,
    matches: AtomicU64,
    found: Mutex<Vec<u64>>,
    failed: Mutex<Option<io::Error>>,
}

impl Tally {
    fn work(
        &self,
        files: &Files,
        pattern: &Pattern,
        shares: &[Share],
        watch: &dyn Fn(u64, u64) -> Flow,
    ) -> io::Result<()> {
        while !self.stop.load(Ordering::Relaxed) {
            let nth = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(share) = shares.get(nth) else {
                break;
            };
            let segment = share.from.segment;
            let from = files.align(segment, share.from.offset)?;
            let until = match share.until {
                Some(offset) => files.align(segment, offset)?,
                None => Pos {
                    segment,
                    offset: files.len_of(segment)?,
                },
            };
            let mut matches = 0;
            files.matches(pattern, from, until, |_| {
                matches += 1;
                stop_if(self.stop.load(Ordering::Relaxed))
            })?;
            lock(&self.found)[nth] = matches;
            let matches = self.matches.fetch_add(matches, Ordering::Relaxed) + matches;
            let done = self.done.fetch_add(share.size, Ordering::Relaxed) + share.size;
            if watch(done, matches).is_break() {
                self.stop.store(true, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
