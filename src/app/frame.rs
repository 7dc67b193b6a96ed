//! When the next frame is due.

use std::time::Duration;

use tokio::time::Instant;

/// Least time between two frames that only data asks for: a burst of statuses costs few frames.
const FRAME: Duration = Duration::from_millis(200);
/// How long data waits for more: lists come side by side, and statuses right behind them.
const GATHER: Duration = Duration::from_millis(60);

/// What gets old on the screen, and numbers that change all the time, wait so long after a frame
/// for data that is drawn with them.
const PATIENCE: Duration = Duration::from_millis(500);

/// The first two on a slow line.
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
    /// All that is not drawn yet can wait for company.
    pub(super) patient: bool,
    pub(super) last: Option<Instant>,
    /// All that is shown first has been there once.
    pub(super) complete: bool,
    /// The line is slow: what only data asks for waits longer.
    pub(super) slow: bool,
}

impl Frame {
    /// Something came. Numbers that change all the time are `patient`: they wait longer for data
    /// to be drawn with.
    pub(super) fn gather(&mut self, patient: bool) {
        if !self.dirty || (self.patient && !patient) {
            self.since = Some(Instant::now());
            self.patient = patient;
        }
        self.dirty = true;
    }

    pub(super) fn due_at(&self) -> Option<Instant> {
        let (frame, gather) = match self.patient {
            _ if self.slow => SLOW,
            true => (PATIENCE, GATHER),
            false => (FRAME, GATHER),
        };
        let next = self.last.map_or_else(Instant::now, |last| last + frame);
        let gathered = self.since.map_or(next, |since| since + gather);
        let next = next.max(gathered);
        let next = self.soon.map_or(next, |soon| soon.min(next));
        let urgent = self.urgent.then(Instant::now);
        self.dirty.then_some(urgent.unwrap_or(next))
    }

    /// What to wake up for: `model` is when time has to pass for the model, `stale` when what is on
    /// the screen gets old. Once a frame is due anyway `stale` does not count, or each moment
    /// until it is drawn would be one to wake up.
    pub(super) fn alarm(
        &self,
        model: Option<Instant>,
        stale: Option<Instant>,
        can_draw: bool,
    ) -> Option<Alarm> {
        let company = self.last.map(|last| last + PATIENCE);
        let screen = if self.dirty {
            self.due_at().filter(|_| can_draw).map(Alarm::Frame)
        } else {
            stale.map(|at| Alarm::Pass(company.map_or(at, |company| at.max(company))))
        };
        let alarms = model.map(Alarm::Pass).into_iter().chain(screen);
        alarms.min_by_key(|alarm| alarm.at())
    }
}

/// What the loop wakes up for, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Alarm {
    /// A frame alone: the model has nothing to do.
    Frame(Instant),
    /// Time has to pass for the model.
    Pass(Instant),
}

impl Alarm {
    pub(super) fn at(self) -> Instant {
        match self {
            Self::Frame(at) | Self::Pass(at) => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(now: Instant) -> Frame {
        Frame {
            last: Some(now),
            ..Frame::default()
        }
    }

    #[test]
    fn what_is_old_wakes_nobody_while_a_frame_is_due() {
        let now = Instant::now();
        let mut frame = drawn(now);
        let past = now.checked_sub(FRAME);
        frame.dirty = true;
        let due = Some(Alarm::Frame(now + FRAME));
        assert_eq!(frame.alarm(None, past, true), due);
        // The terminal is lent, or takes no more.
        assert_eq!(frame.alarm(None, past, false), None);
    }

    #[test]
    fn what_is_old_waits_a_moment_for_data() {
        let now = Instant::now();
        let frame = drawn(now);
        let at = |stale| frame.alarm(None, Some(stale), true);
        assert_eq!(at(now + FRAME), Some(Alarm::Pass(now + PATIENCE)));
        let late = now + PATIENCE + FRAME;
        assert_eq!(at(late), Some(Alarm::Pass(late)));
    }

    #[test]
    fn numbers_wait_for_data_and_data_for_its_like() {
        let now = Instant::now();
        let mut frame = drawn(now);
        frame.gather(true);
        assert_eq!(frame.due_at(), Some(now + PATIENCE));
        let numbers = frame.since;
        frame.gather(true);
        assert_eq!(frame.since, numbers);
        frame.gather(false);
        assert_eq!(frame.due_at(), Some(now + FRAME));
        assert!(frame.since > numbers);
        frame.gather(true);
        assert_eq!(frame.due_at(), Some(now + FRAME));
    }

    #[test]
    fn the_model_is_woken_while_a_frame_is_due() {
        let now = Instant::now();
        let mut frame = drawn(now);
        frame.dirty = true;
        let past = now.checked_sub(FRAME).unwrap();
        assert_eq!(
            frame.alarm(Some(past), None, true),
            Some(Alarm::Pass(past)),
            "or the loop would turn without a message until the frame is drawn"
        );
        let due = Some(Alarm::Frame(now + FRAME));
        assert_eq!(frame.alarm(Some(now + FRAME * 2), None, true), due);
    }
}
