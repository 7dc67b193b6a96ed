//! Counting matches in the background, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Shared, Tally};
use crate::logs::{Files, Pattern};
use crate::logs::{GO_ON, STOP};

/// A count under way. Dropping it breaks it off.
pub(super) struct Count {
    over: Arc<AtomicBool>,
}

impl Drop for Count {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl Count {
    /// Counts the matching lines of all `files`.
    pub fn start(
        shared: &Arc<Shared>,
        search: u64,
        pattern: Pattern,
        files: Vec<Files>,
    ) -> Option<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let count = Self {
            over: Arc::clone(&over),
        };
        let shared = Arc::clone(shared);
        let work = move || {
            let matches = AtomicU64::new(0);
            let done = AtomicU64::new(0);
            let mut tally = Tally {
                search,
                ..Tally::default()
            };
            for files in &files {
                let before = (
                    matches.load(Ordering::Relaxed),
                    done.load(Ordering::Relaxed),
                );
                let found = files.count(&pattern, 1, &|progress| {
                    if over.load(Ordering::Relaxed) || shared.is_over() {
                        return STOP;
                    }
                    let tally = Tally {
                        search,
                        matches: before.0 + progress.matches,
                        done: (before.1 + progress.done, before.1 + progress.total),
                        complete: false,
                    };
                    shared.publish(|news| news.tally = Some(tally));
                    GO_ON
                });
                if over.load(Ordering::Relaxed) {
                    return;
                }
                // What cannot be read has no matches.
                let found = found.unwrap_or_default();
                matches.fetch_add(found.matches, Ordering::Relaxed);
                let size: u64 = found
                    .shares
                    .iter()
                    .map(|(at, _)| at.offset)
                    .max()
                    .unwrap_or(0);
                done.fetch_add(size, Ordering::Relaxed);
            }
            tally.matches = matches.load(Ordering::Relaxed);
            tally.complete = true;
            shared.publish(|news| news.tally = Some(tally));
        };
        let thread = std::thread::Builder::new().name("count".into());
        thread.spawn(work).ok().map(|_| count)
    }
}
