//! How long the runtime takes to answer, call by call.
//!
//! The program talks to one runtime for as long as it runs, so this is one table for all.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::text::Text;

/// Answers of one call that are remembered.
const MOST: usize = 512;
/// An answer that takes longer is slow.
const SLOW: Duration = Duration::from_millis(500);

static CALLS: Mutex<BTreeMap<String, Times>> = Mutex::new(BTreeMap::new());

#[derive(Debug, Default)]
struct Times {
    count: u64,
    failed: u64,
    last: VecDeque<u32>,
    slowest: Option<(Duration, Option<Text>)>,
}

/// How long one call took so far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Latency {
    /// Its name.
    pub call: Text,
    /// How often it was asked, and how often that failed.
    pub count: (u64, u64),
    /// Half of the last answers took at most this.
    pub p50: Duration,
    /// All but a hundredth of them took at most this.
    pub p99: Duration,
    /// The slowest since the start if it was slow, and what it was about.
    pub slowest: Option<(Duration, Option<Text>)>,
}

/// Takes note of an answer.
pub(super) fn note(call: &str, about: Option<&str>, took: Duration, failed: bool) {
    let mut calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner);
    if !calls.contains_key(call) {
        calls.insert(call.to_owned(), Times::default());
    }
    if let Some(times) = calls.get_mut(call) {
        times.note(about, took, failed);
    }
}

/// Of every call that was asked, by name.
pub fn latencies() -> Vec<Latency> {
    let calls = CALLS.lock().unwrap_or_else(PoisonError::into_inner);
    calls
        .iter()
        .map(|(call, times)| times.latency(call))
        .collect()
}

impl Times {
    fn note(&mut self, about: Option<&str>, took: Duration, failed: bool) {
        self.count += 1;
        self.failed += u64::from(failed);
        if self.last.len() == MOST {
            self.last.pop_front();
        }
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.last.push_back(micros);
        let slower = self
            .slowest
            .as_ref()
            .is_none_or(|(slowest, _)| took > *slowest);
        if took > SLOW && slower {
            self.slowest = Some((took, about.map(Text::clean)));
        }
    }

    fn latency(&self, call: &str) -> Latency {
        let mut sorted: Vec<u32> = self.last.iter().copied().collect();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
            Duration::from_micros(sorted.get(place).copied().unwrap_or(0).into())
        };
        Latency {
            call: Text::clean(call),
            count: (self.count, self.failed),
            p50: at(50),
            p99: at(99),
            slowest: self.slowest.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_the_slowest() {
        let mut times = Times::default();
        for ms in 1..=100 {
            times.note(Some("a"), Duration::from_millis(ms), ms == 7);
        }
        let found = times.latency("Status");
        assert_eq!((found.call.as_str(), found.count), ("Status", (100, 1)));
        let ms = Duration::from_millis;
        assert_eq!(
            (found.p50, found.p99, found.slowest),
            (ms(50), ms(99), None)
        );
        times.note(Some("b"), ms(900), false);
        times.note(None, ms(800), false);
        let slowest = times.latency("Status").slowest;
        assert_eq!(slowest, Some((ms(900), Some("b".into()))));
        for _ in 0..1000 {
            times.note(None, ms(3), false);
        }
        assert_eq!(times.last.len(), MOST);
        assert_eq!(times.latency("Status").p99, ms(3));
    }
}
