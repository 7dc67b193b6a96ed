//! When the next frame is due.

use std::time::Duration;

use tokio::time::Instant;

/// Least time between two frames that only data asks for: a burst of statuses costs few frames.
const FRAME: Duration = Duration::from_millis(200);
/// How long data waits for more: lists come side by side, and statuses right behind them.
const GATHER: Duration = Duration::from_millis(60);

/// The same on a slow line.
const SLOW: (Duration, Duration) = (Duration::from_secs(2), Duration::from_millis(500));

/// Whether and why a frame is due.
// Independent facts.
#[allow(clippy::struct_excessive_bools)]
#[derive(Default)]
pub(super) struct Frame {
    pub(super) dirty: bool,
    /// A key, a resize or the last of the first lists: at once.
    pub(super) urgent: bool,
    /// The first data of a panel: the others are close behind, and one frame shows them all.
    pub(super) soon: Option<Instant>,
    /// When what is not drawn yet came.
    pub(super) since: Option<Instant>,
    pub(super) last: Option<Instant>,
    /// All that is shown first has been there once.
    pub(super) complete: bool,
    /// The line is slow: what only data asks for waits longer.
    pub(super) slow: bool,
}

impl Frame {
    pub(super) fn due_at(&self) -> Option<Instant> {
        let (frame, gather) = if self.slow { SLOW } else { (FRAME, GATHER) };
        let next = self.last.map_or_else(Instant::now, |last| last + frame);
        let gathered = self.since.map_or(next, |since| since + gather);
        let next = next.max(gathered);
        let next = self.soon.map_or(next, |soon| soon.min(next));
        let urgent = self.urgent.then(Instant::now);
        self.dirty.then_some(urgent.unwrap_or(next))
    }

    /// When to wake up for the screen: what is on it gets old at `stale`, but once a frame is due
    /// anyway only that counts, or each moment until it is drawn would be one to wake up.
    pub(super) fn wake_at(&self, stale: Option<Instant>, can_draw: bool) -> Option<Instant> {
        if self.dirty {
            self.due_at().filter(|_| can_draw)
        } else {
            stale
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_wakes_nobody_while_a_frame_is_due() {
        let now = Instant::now();
        let (past, later) = (now.checked_sub(FRAME).unwrap(), now + FRAME);
        let mut frame = Frame {
            last: Some(now),
            ..Frame::default()
        };
        assert_eq!(frame.wake_at(Some(later), true), Some(later));
        frame.dirty = true;
        assert_eq!(frame.wake_at(Some(past), true), Some(now + FRAME));
        // The terminal is lent, or takes no more.
        assert_eq!(frame.wake_at(Some(past), false), None);
    }
}
