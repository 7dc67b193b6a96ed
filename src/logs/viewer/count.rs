//! Counting matches in the background, on a thread of its own; what comes later is counted as it
//! comes.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::{Shared, Tally, lock};
use crate::logs::scan::Pos;
use crate::logs::{Files, GO_ON, Pattern, STOP};

/// A count. Dropping it breaks it off.
pub(super) struct Count {
    pattern: Pattern,
    search: u64,
    /// Up to where each log is counted.
    ends: Vec<Pos>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    over: AtomicBool,
    complete: AtomicBool,
    matches: AtomicU64,
    /// Of each log, once it is counted: ascending places, and the matches from each to the next.
    shares: Mutex<Vec<Shares>>,
}

type Shares = Vec<(Pos, u64)>;

impl Drop for Count {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Relaxed);
    }
}

impl Count {
    /// Counts the matching lines of all `files`; `search` is told back.
    pub fn start(
        shared: &Arc<Shared>,
        search: u64,
        pattern: Pattern,
        files: Vec<Files>,
    ) -> Option<Self> {
        let count = Self {
            pattern: pattern.clone(),
            search,
            ends: files.iter().map(Files::end).collect(),
            state: Arc::default(),
        };
        let (shared, state) = (Arc::clone(shared), Arc::clone(&count.state));
        let work = move || {
            let mut done = 0;
            for files in &files {
                let before = state.matches.load(Ordering::Relaxed);
                let found = files.count(&pattern, 1, &|progress| {
                    if state.over.load(Ordering::Relaxed) || shared.is_over() {
                        return STOP;
                    }
                    let tally = Tally {
                        search,
                        matches: before + progress.matches,
                        done: (done + progress.done, done + progress.total),
                        complete: false,
                    };
                    shared.publish(|news| news.tally = Some(tally));
                    GO_ON
                });
                if state.over.load(Ordering::Relaxed) {
                    return;
                }
                // What cannot be read has no matches.
                let found = found.unwrap_or_default();
                state.matches.fetch_add(found.matches, Ordering::Relaxed);
                lock(&state.shares).push(found.shares);
                done += files.end().offset;
            }
            state.complete.store(true, Ordering::Release);
            publish(&shared, search, state.matches.load(Ordering::Relaxed));
            // Somebody may wait for the sum.
            shared.ring();
        };
        let thread = std::thread::Builder::new().name("count".into());
        thread.spawn(work).ok().map(|_| count)
    }

    /// Matches before a place, once all are counted; `None` before, or when `go_on` says no.
    pub fn before(
        &self,
        files: &[&Files],
        spot: &[Pos],
        go_on: &dyn Fn() -> bool,
    ) -> io::Result<Option<u64>> {
        if !self.state.complete.load(Ordering::Acquire) {
            return Ok(None);
        }
        let mut sum = 0;
        for ((shares, files), to) in lock(&self.state.shares).iter().zip(files).zip(spot) {
            let whole = shares
                .partition_point(|(from, _)| from <= to)
                .saturating_sub(1);
            sum += shares[..whole]
                .iter()
                .map(|(_, matches)| matches)
                .sum::<u64>();
            let from = shares
                .get(whole)
                .map_or_else(|| files.start(), |(from, _)| *from);
            files.matches(&self.pattern, from, *to, |_| {
                sum += 1;
                if go_on() { GO_ON } else { STOP }
            })?;
        }
        Ok(go_on().then_some(sum))
    }

    /// Counts what has come since.
    pub fn go_on(&mut self, shared: &Shared, files: &[&Files]) -> io::Result<()> {
        if !self.state.complete.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut fresh = 0;
        for (from, files) in self.ends.iter_mut().zip(files) {
            let end = files.end();
            if end <= *from {
                continue;
            }
            files.matches(&self.pattern, *from, end, |entry| {
                // What is open may still become a line.
                fresh += u64::from(!entry.open);
                GO_ON
            })?;
            *from = end;
        }
        if fresh > 0 {
            let matches = self.state.matches.fetch_add(fresh, Ordering::Relaxed) + fresh;
            publish(shared, self.search, matches);
        }
        Ok(())
    }
}

fn publish(shared: &Shared, search: u64, matches: u64) {
    let tally = Tally {
        search,
        matches,
        complete: true,
        ..Tally::default()
    };
    shared.publish(|news| news.tally = Some(tally));
}
