//! The simulated node's clock: the real one, or one that a test moves by hand.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

/// Where the simulated node takes its time from. Clones share one time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Real,
    Manual(watch::Sender<i64>),
}

impl Clock {
    /// The machine's clock.
    pub fn real() -> Self {
        Self(Source::Real)
    }

    /// A clock that stands still at `start` until it is moved.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(watch::Sender::new(nanos(start))))
    }

    /// Moves a manual clock forward; the real one cannot be moved and stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(sender) = &self.0 {
            let by = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
            sender.send_modify(|now| *now = now.saturating_add(by));
        }
    }

    /// Nanoseconds since the epoch.
    pub(super) fn now(&self) -> i64 {
        match &self.0 {
            Source::Real => nanos(Timestamp::now()),
            Source::Manual(sender) => *sender.borrow(),
        }
    }

    /// Waits until the clock has reached `at`.
    pub(super) async fn until(&self, at: i64) {
        match &self.0 {
            Source::Real => {
                let left = u64::try_from(at.saturating_sub(self.now())).unwrap_or(0);
                tokio::time::sleep(Duration::from_nanos(left)).await;
            }
            Source::Manual(sender) => {
                // The sender lives in `self`, so this ends only by the time being reached.
                let _ = sender.subscribe().wait_for(|now| *now >= at).await;
            }
        }
    }

    /// Waits for `duration`.
    pub(super) async fn sleep(&self, duration: Duration) {
        let by = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        self.until(self.now().saturating_add(by)).await;
    }
}

fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

/// RFC 3339 with nanoseconds without trailing zeros, in UTC, as Go prints times.
pub(super) fn rfc3339(at: i64) -> String {
    Timestamp::from_nanosecond(i128::from(at)).map_or_else(|_| String::new(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_who_waits_for_it() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let waiter = tokio::spawn({
            let clock = clock.clone();
            async move { clock.until(2_000_000_000).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        clock.advance(Duration::from_secs(1));
        waiter.await.expect("the waiter wakes");
        assert_eq!(clock.now(), 2_000_000_000);
    }
}
