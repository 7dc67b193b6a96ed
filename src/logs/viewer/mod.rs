//! A window on logs, for a screen: a thread that reads, answers the newest request, and tells
//! what is new. Both ways hold the newest only, so neither side ever waits for the other or grows:
//! of a log that is written faster than a screen is drawn, the screen gets the newest window.

mod aim;
mod count;
pub(super) mod sources;
mod worker;

use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rustix::event::{EventfdFlags, eventfd};

use super::shown::{Fields, Line, LineId, Spot};
use super::sift::Sift;
use super::sought::Sought;
use crate::host::open::HostRoot;
use crate::text::Text;

pub use sources::Whose;

/// Where to look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum To {
    /// The newest lines; with [`Request::follow`] also those to come.
    End,
    /// The oldest lines.
    Start,
    /// Around a place.
    Around(Spot),
    /// The first line written then or later.
    Time(Timestamp),
    /// Hundredths of a per cent of all bytes.
    Share(u16),
    /// A line by its number, from 0; of one log only.
    Number(u64),
    /// The next match of [`Request::search`] after that line, or before it.
    Match {
        /// From here.
        spot: Spot,
        /// The line to leave behind.
        line: LineId,
        /// Backwards.
        back: bool,
    },
    /// The end of the attempt before that of this line, or the beginning of the next one.
    Attempt {
        /// From here.
        spot: Spot,
        /// A line of the attempt.
        line: LineId,
        /// The one before.
        older: bool,
    },
}

/// What is wanted. The newest counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Told back with what answers it.
    pub ticket: u64,
    /// Where to look.
    pub to: To,
    /// Lines before and after the place.
    pub most: usize,
    /// Go on with what comes.
    pub follow: bool,
    /// Count all lines, for their numbers: that reads the whole log once.
    pub numbers: bool,
    /// Which lines.
    pub sift: Sift,
    /// Only lines since then.
    pub since: Option<Timestamp>,
    /// What is looked for and counted.
    pub search: Option<Sought>,
    /// Of JSON, these fields in this order instead of all of them.
    pub fields: Fields,
}

/// Lines around a place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Window {
    /// Of the request that it answers.
    pub ticket: u64,
    /// By time.
    pub lines: Vec<Line>,
    /// The line that was asked for.
    pub focus: Option<LineId>,
    /// There is nothing before them.
    pub from_start: bool,
    /// There is nothing after them.
    pub to_end: bool,
    /// Names of the logs, by [`LineId::source`].
    pub names: Vec<Text>,
    /// Where each log begins: bytes of all logs before it and its files, for shares.
    pub sizes: Vec<Vec<u64>>,
    /// Number of the first line, from 0, where that is known.
    pub first_number: Option<u64>,
    /// Why it is not what was asked for.
    pub note: Option<Text>,
}

/// What there is, apart from the window.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Status {
    /// Bytes of all logs.
    pub bytes: u64,
    /// Lines of all logs, once they have been counted.
    pub lines: Option<u64>,
    /// It has grown since the last window.
    pub grown: bool,
    /// Logs that cannot be read, and why.
    pub missing: Vec<(Text, Text)>,
    /// Lines were lost: a file was truncated before it was read.
    pub lost: bool,
}

/// How many lines match [`Request::search`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Of the request whose search this is, or one with the same.
    pub search: u64,
    /// Matching lines so far.
    pub matches: u64,
    /// Bytes searched, and bytes to search.
    pub done: (u64, u64),
    /// All has been searched.
    pub complete: bool,
}

/// What has become known since it was last asked; of each the newest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct News {
    /// Lines.
    pub window: Option<Window>,
    /// What there is.
    pub status: Option<Status>,
    /// Matches.
    pub tally: Option<Tally>,
    /// The match that was found last, and which of all it is, from 1.
    pub rank: Option<(LineId, u64)>,
}

impl News {
    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What both sides share.
struct Shared {
    request: Mutex<Option<Request>>,
    news: Mutex<News>,
    over: AtomicBool,
    /// Rings when there is a request.
    bell: OwnedFd,
    /// Called when there is news.
    tell: Box<dyn Fn() + Send + Sync>,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Nothing newer is wanted.
    fn goes_on(&self) -> bool {
        !self.is_over() && lock(&self.request).is_none()
    }

    fn publish(&self, change: impl FnOnce(&mut News)) {
        change(&mut lock(&self.news));
        (self.tell)();
    }

    fn ring(&self) {
        // A bell that cannot count further rings already.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    fn take_request(&self) -> Option<Request> {
        let mut rings = [0; 8];
        // Nothing rang: then there may still be a request, taken late.
        let _ = rustix::io::read(&self.bell, &mut rings);
        lock(&self.request).take()
    }

    fn bell(&self) -> std::os::fd::BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A window on the logs of one pod or container. Dropping it ends its thread.
pub struct Viewer {
    shared: Arc<Shared>,
}

impl fmt::Debug for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Viewer")
    }
}

impl Viewer {
    /// Starts it; `tell` is called, from any thread, when there is news.
    pub fn start(
        host: HostRoot,
        whose: Whose,
        tell: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            request: Mutex::default(),
            news: Mutex::default(),
            over: AtomicBool::new(false),
            bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            tell: Box::new(tell),
        });
        let worker = worker::Worker::new(host, whose, Arc::clone(&shared));
        std::thread::Builder::new()
            .name("logs".into())
            .spawn(move || worker.run())?;
        Ok(Self { shared })
    }

    /// Asks for something else than before.
    pub fn ask(&self, request: Request) {
        *lock(&self.shared.request) = Some(request);
        self.shared.ring();
    }

    /// What has become known since this was last called.
    pub fn news(&self) -> News {
        std::mem::take(&mut lock(&self.shared.news))
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        self.shared.ring();
    }
}

#[cfg(test)]
mod tests;
