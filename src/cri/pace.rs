//! When to list next.

use std::time::Duration;

use tokio::time::Instant;

/// Time between two lists right after something changed.
const FAST: Duration = Duration::from_millis(500);
/// How long to stay fast after a change.
const FRESH: Duration = Duration::from_secs(5);
/// A round may take a tenth of the time at most: a slow runtime is asked less often.
const SHARE: u32 = 10;
/// How long to gather hints before following them: a starting pod makes a dozen.
const GATHER: Duration = Duration::from_millis(50);
/// Shortest time between two lists caused by hints.
const HINTED: Duration = Duration::from_millis(250);

/// What the last round was like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// When it began.
    pub began: Instant,
    /// When it ended.
    pub ended: Instant,
}

impl Round {
    fn rested(self) -> Instant {
        self.ended + (self.ended - self.began) * SHARE
    }
}

/// When the next round is due if nothing is heard: `refresh` after the last, sooner for a moment
/// after a change, later when the runtime is slow.
pub(super) fn due(round: Round, refresh: Duration, changed: Option<Instant>) -> Instant {
    let fresh = changed.is_some_and(|at| round.ended - at < FRESH);
    let pause = if fresh { refresh.min(FAST) } else { refresh };
    (round.began + pause).max(round.rested())
}

/// When the next round is due after a hint at `now`.
pub(super) fn hinted(round: Round, now: Instant) -> Instant {
    (now + GATHER).max(round.began + HINTED).max(round.rested())
}

/// Time before the next attempt to connect: short, for a unix socket costs nothing.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LAST: Duration = Duration::from_secs(1);

    /// The next wait: doubled each time, up to a second.
    pub fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(Self::LAST);
        now
    }

    /// Starts again: the connection has worked.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self(Self::FIRST)
    }
}
