//! Following a log: every line once, through rotation, truncation and restarts.

use std::io;
use std::ops::ControlFlow;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use inotify::{Inotify, WatchMask};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::join::{Entry, Flow, Joiner};
use super::page::Reading;
use super::place::Place;
use super::scan::{Pos, Scan, Tail};
use super::timeline::Files;

/// How often files are looked at when nothing says that they changed.
pub const POLL: Duration = Duration::from_millis(250);
/// How often when a file has just been replaced.
pub const SOON: Duration = Duration::from_millis(10);
/// So long may the runtime go on writing to a file that has been replaced.
const LATE: Duration = Duration::from_secs(10);

/// What following hands on.
#[derive(Clone, Copy, Debug)]
pub enum News<'a> {
    /// A line.
    Line(&'a Entry<'a>),
    /// From here on, lines of this attempt.
    Attempt(u32),
}

/// Reads what is new, once. Between two calls of [`Follower::read`], call
/// [`super::Timeline::refresh`].
#[derive(Debug)]
pub struct Follower {
    scan: Scan,
    joiner: Joiner,
    attempt: Option<u32>,
    /// Files known at the last read: of one that has just been replaced, more may come.
    known: usize,
    left: Option<Left>,
}

/// A file that was left behind, and where.
#[derive(Debug)]
struct Left {
    at: Pos,
    when: Instant,
}

impl Follower {
    /// From `from` on: the start, the end, or the `at` or `end` of a row.
    pub fn new(files: &Files, from: Pos) -> io::Result<Self> {
        let reading = Reading::new(files, from)?;
        Ok(Self {
            scan: reading.scan,
            joiner: reading.joiner,
            attempt: files.attempt(from),
            known: files.segments().len(),
            left: None,
        })
    }

    /// How long to wait for the next look at the files.
    pub fn pause(&self, files: &Files) -> Duration {
        if self.scan.pos().segment < files.end().segment {
            SOON
        } else {
            POLL
        }
    }

    /// Hands on every line that has been completed.
    pub fn read(&mut self, files: &Files, mut f: impl FnMut(News<'_>) -> Flow) -> io::Result<()> {
        if self.read_late(files, &mut f)?.is_break() {
            return Ok(());
        }
        let fresh = files.segments().len() > self.known;
        let drained = self.scan.pos().segment < self.known;
        if fresh && drained && self.known > 0 {
            // The runtime opens the new file first and then changes over: one more look at the
            // old one before it is left.
            let offset = u64::MAX;
            let segment = self.known - 1;
            let old = Pos { segment, offset };
            self.known = files.segments().len();
            return self.read_until(files, old, Tail::Leave, &mut f);
        }
        self.known = files.segments().len();
        self.read_until(files, files.end(), Tail::Leave, &mut f)
    }

    /// Hands on what never came to its end: when nothing more will come.
    pub fn finish(&mut self, files: &Files, mut f: impl FnMut(News<'_>) -> Flow) -> io::Result<()> {
        self.read_until(files, files.end(), Tail::Take, &mut f)?;
        // What breaks off here has nothing after it.
        let _ = self.joiner.flush(&mut |entry| f(News::Line(entry)));
        Ok(())
    }

    fn read_until(
        &mut self,
        files: &Files,
        until: Pos,
        tail: Tail,
        f: &mut impl FnMut(News<'_>) -> Flow,
    ) -> io::Result<()> {
        loop {
            let before = self.scan.pos();
            let Some(region) = self.scan.next(&files.segments, until, tail)? else {
                return Ok(());
            };
            let place = region.segment;
            let file = &files.segments[place];
            let end = region.offset + region.bytes.len() as u64;
            if file.is_plain() && region.segment == files.end().segment && file.len()? < end {
                // Truncated while it was read: what was read may be of before and after.
                self.scan.jump(before);
                return Ok(());
            }
            if before.segment != place {
                let when = Instant::now();
                self.left = Some(Left { at: before, when });
            }
            let attempt = file.attempt;
            if self.attempt.replace(attempt) != Some(attempt) {
                let mut lines = |entry: &Entry<'_>| f(News::Line(entry));
                if self.joiner.flush(&mut lines).is_break() || f(News::Attempt(attempt)).is_break()
                {
                    return Ok(());
                }
            }
            let mut lines = |entry: &Entry<'_>| f(News::Line(entry));
            if self.joiner.feed(&region, &mut lines).is_break() {
                return Ok(());
            }
        }
    }

    /// What the runtime still wrote to a file that was left: late, but not lost.
    fn read_late(
        &mut self,
        files: &Files,
        f: &mut impl FnMut(News<'_>) -> Flow,
    ) -> io::Result<Flow> {
        let Some(left) = &mut self.left else {
            return Ok(Flow::Continue(()));
        };
        if left.when.elapsed() > LATE {
            self.left = None;
            return Ok(Flow::Continue(()));
        }
        let offset = u64::MAX;
        let segment = left.at.segment;
        let mut scan = Scan::new(left.at, false);
        let mut joiner = Joiner::default();
        let until = Pos { segment, offset };
        while let Some(region) = scan.next(&files.segments, until, Tail::Leave)? {
            let mut lines = |entry: &Entry<'_>| f(News::Line(entry));
            if joiner.feed(&region, &mut lines).is_break() {
                return Ok(Flow::Break(()));
            }
        }
        left.at = scan.pos();
        Ok(Flow::Continue(()))
    }
}

/// Says when to look at the files again.
#[derive(Debug)]
pub struct Watch {
    inotify: Option<Inotify>,
}

impl Watch {
    /// Of the folder of a log. Where notifications cannot be had, time alone says it.
    pub fn new(place: &Place) -> Self {
        Self {
            inotify: notify(place).ok(),
        }
    }

    /// Of another log, too.
    pub fn add(&mut self, place: &Place) {
        if let Some(inotify) = &mut self.inotify
            && watch(inotify, place).is_err()
        {
            self.inotify = None;
        }
    }

    /// Waits until something has changed, or `at_most` has passed. True if something changed.
    pub fn wait(&mut self, at_most: Duration) -> bool {
        self.wait_or(None, at_most)
    }

    /// The same, or until `bell` can be read.
    pub fn wait_or(&mut self, bell: Option<BorrowedFd<'_>>, at_most: Duration) -> bool {
        let Some(inotify) = &mut self.inotify else {
            rest(bell, at_most);
            return false;
        };
        let mut waits = vec![PollFd::new(&*inotify, PollFlags::IN)];
        waits.extend(bell.map(|bell| PollFd::from_borrowed_fd(bell, PollFlags::IN)));
        let ready = poll(&mut waits, Some(&timespec(at_most)));
        let woken = ready.is_ok() && waits[0].revents().intersects(PollFlags::IN);
        let rung = waits.get(1).is_some_and(|bell| !bell.revents().is_empty());
        if woken {
            // Of a busy log, what comes together is read together.
            if !rung {
                rest(bell, SOON.min(at_most));
            }
            if inotify.read_events(&mut [0; 4096]).is_err() {
                self.inotify = None;
            }
        }
        woken
    }
}

/// Sleeps, unless `bell` can be read.
pub(super) fn rest(bell: Option<BorrowedFd<'_>>, at_most: Duration) {
    let mut waits: Vec<PollFd<'_>> = bell
        .map(|bell| PollFd::from_borrowed_fd(bell, PollFlags::IN))
        .into_iter()
        .collect();
    // Interrupted is early, and that harms nothing.
    let _ = poll(&mut waits, Some(&timespec(at_most)));
}

fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}

fn notify(place: &Place) -> io::Result<Inotify> {
    let mut inotify = Inotify::init()?;
    watch(&mut inotify, place)?;
    Ok(inotify)
}

fn watch(inotify: &mut Inotify, place: &Place) -> io::Result<()> {
    let mask = WatchMask::CREATE
        | WatchMask::MODIFY
        | WatchMask::MOVE
        | WatchMask::DELETE
        | WatchMask::ONLYDIR;
    for path in place.watch_paths() {
        inotify.watches().add(path, mask)?;
    }
    Ok(())
}

/// `Break`: what [`Follower::read`]'s handler answers to stop.
pub const STOP: Flow = ControlFlow::Break(());
/// `Continue`: what it answers to go on.
pub const GO_ON: Flow = ControlFlow::Continue(());

#[cfg(test)]
mod tests;
