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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[rstest]
    #[case::calm(1, 2000, None, 2000)]
    #[case::just_changed(1, 2000, Some(0), 500)]
    #[case::changed_a_while_ago(1, 2000, Some(4998), 500)]
    #[case::changed_long_ago(1, 2000, Some(5000), 2000)]
    #[case::quick_anyway(1, 300, Some(0), 300)]
    #[case::slow(400, 2000, None, 4400)]
    #[case::slow_and_changed(400, 2000, Some(0), 4400)]
    fn the_next_round(
        #[case] took: u64,
        #[case] refresh: u64,
        #[case] changed_before_end: Option<u64>,
        #[case] expected_after_begin: u64,
    ) {
        let began = Instant::now() + ms(60_000);
        let ended = began + ms(took);
        let changed = changed_before_end.map(|before| ended - ms(before));
        let due = due(Round { began, ended }, ms(refresh), changed);
        assert_eq!(due - began, ms(expected_after_begin));
    }

    #[rstest]
    #[case::gathers(1, 1000, 1050)]
    #[case::four_a_second(1, 100, 250)]
    #[case::spares_a_slow_runtime(100, 200, 1100)]
    fn a_hint(#[case] took: u64, #[case] at: u64, #[case] expected: u64) {
        let began = Instant::now();
        let ended = began + ms(took);
        let due = hinted(Round { began, ended }, began + ms(at));
        assert_eq!(due - began, ms(expected));
    }

    #[test]
    fn backing_off_doubles_up_to_a_second_and_starts_again() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..6).map(|_| backoff.next()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1000, 1000].map(ms));
        backoff.reset();
        assert_eq!(backoff.next(), ms(100));
    }
}
