//! What was, at falling resolution in bounded memory: five minutes by two seconds, a quarter of an
//! hour by ten, an hour by thirty.

use std::collections::VecDeque;
use std::time::Duration;

/// What is not known. It is no number that anything has.
const UNKNOWN: u32 = u32::MAX;
/// Step in milliseconds and number of points, the finest first.
const TIERS: [(u64, usize); 3] = [(2_000, 150), (10_000, 90), (30_000, 120)];
/// A value stands for the time since the one before, if that is not longer ago: the pace in the
/// background and some patience.
const HELD: u64 = 25_000;

/// How several values become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fold {
    /// Their mean, for rates.
    Mean,
    /// The highest, for gauges: a peak must not vanish.
    Highest,
}

/// `N` series side by side.
#[derive(Clone, Debug)]
pub struct History<const N: usize> {
    folds: [Fold; N],
    tiers: [Ring<N>; 3],
    /// When the last value came, in milliseconds.
    last: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct Ring<const N: usize> {
    points: VecDeque<[u32; N]>,
    /// The number of the newest slot since the start.
    newest: u64,
    /// Values in the newest slot.
    count: u32,
}

impl<const N: usize> History<N> {
    /// Nothing yet.
    pub fn new(folds: [Fold; N]) -> Self {
        Self {
            folds,
            tiers: std::array::from_fn(|_| Ring::default()),
            last: None,
        }
    }

    /// Takes the values of `uptime`; they stand for the time since those before.
    pub fn push(&mut self, uptime: Duration, values: [Option<u32>; N]) {
        let at = milliseconds(uptime);
        // Time does not go back; what comes twice in a millisecond is one.
        let since = self.last.filter(|last| at - (*last).min(at) <= HELD);
        let point = values.map(|value| value.unwrap_or(UNKNOWN));
        for (ring, (step, most)) in self.tiers.iter_mut().zip(TIERS) {
            let slot = at / step;
            // The slot of the value before is its own.
            let first = since.map_or(slot, |since| (since / step + 1).min(slot));
            ring.fill(first, slot, point, self.folds, most);
        }
        self.last = Some(at);
    }

    /// When the first value that is still known came, as the time since the start.
    pub fn begins(&self) -> Option<Duration> {
        let oldest = |(ring, (step, _)): (&Ring<N>, (u64, usize))| {
            let length = ring.points.len() as u64;
            (length > 0).then(|| (ring.newest + 1 - length) * step)
        };
        let starts = self.tiers.iter().zip(TIERS).filter_map(oldest);
        starts.min().map(Duration::from_millis)
    }

    /// Series `nth` over the `window` that ends at `uptime`, in `columns` values, the oldest
    /// first.
    pub fn series(
        &self,
        nth: usize,
        uptime: Duration,
        window: Duration,
        columns: usize,
    ) -> Vec<Option<u32>> {
        let window = milliseconds(window).max(1);
        let covers = |(_, (step, most)): &(&Ring<N>, (u64, usize))| step * (*most as u64) >= window;
        let mut tiers = self.tiers.iter().zip(TIERS);
        let fine = tiers.find(covers);
        let Some((ring, (step, _))) = fine.or_else(|| self.tiers.iter().zip(TIERS).next_back())
        else {
            return vec![None; columns];
        };
        // On the border of a slot, so that columns do not flicker as slots pass through them.
        let end = (milliseconds(uptime) / step + 1) * step;
        let columns_u64 = columns.max(1) as u64;
        let edge = |column: u64| (end + window * column / columns_u64).checked_sub(window);
        let column = |nth_column: u64| {
            let to = edge(nth_column + 1).filter(|to| *to > 0)?;
            let from = edge(nth_column).unwrap_or(0);
            // A column between two slots shows the one that it lies in.
            let slots = from / step..=(to.saturating_sub(1) / step).max(from / step);
            let values = slots.filter_map(|slot| ring.get(slot, nth));
            fold(self.folds[nth], values)
        };
        (0..columns as u64).map(column).collect()
    }

    /// The highest value of series `nth` that is known at all.
    pub fn highest(&self, nth: usize) -> Option<u32> {
        let all = self.tiers.iter().flat_map(|ring| &ring.points);
        all.map(|point| point[nth])
            .filter(|value| *value != UNKNOWN)
            .max()
    }
}

impl<const N: usize> Ring<N> {
    /// Puts `point` into the slots from `first` to `slot`.
    fn fill(&mut self, first: u64, slot: u64, point: [u32; N], folds: [Fold; N], most: usize) {
        if self.points.is_empty() {
            self.newest = slot;
            self.points.push_back(point);
            self.count = 1;
            return;
        }
        if slot <= self.newest {
            let count = self.count;
            if let Some(newest) = self.points.back_mut() {
                merge(newest, point, folds, count);
            }
            self.count = count.saturating_add(1);
            return;
        }
        let missing = slot - self.newest;
        if missing > most as u64 {
            self.points.clear();
        } else {
            for gap in self.newest + 1..slot {
                let held = if gap >= first { point } else { [UNKNOWN; N] };
                self.points.push_back(held);
            }
        }
        self.points.push_back(point);
        while self.points.len() > most {
            self.points.pop_front();
        }
        (self.newest, self.count) = (slot, 1);
    }

    fn get(&self, slot: u64, nth: usize) -> Option<u32> {
        let back = usize::try_from(self.newest.checked_sub(slot)?).ok()?;
        let place = self.points.len().checked_sub(back + 1)?;
        Some(self.points[place][nth]).filter(|value| *value != UNKNOWN)
    }
}

fn merge<const N: usize>(into: &mut [u32; N], point: [u32; N], folds: [Fold; N], count: u32) {
    for ((into, value), fold) in into.iter_mut().zip(point).zip(folds) {
        *into = match (*into, value, fold) {
            (UNKNOWN, value, _) => value,
            (known, UNKNOWN, _) => known,
            (known, value, Fold::Highest) => known.max(value),
            (known, value, Fold::Mean) => {
                let (count, known) = (u64::from(count), u64::from(known));
                let mean = (known * count + u64::from(value)) / (count + 1);
                u32::try_from(mean).unwrap_or(UNKNOWN - 1)
            }
        };
    }
}

fn fold(how: Fold, values: impl Iterator<Item = u32>) -> Option<u32> {
    match how {
        Fold::Highest => values.max(),
        Fold::Mean => {
            let (mut sum, mut count) = (0_u64, 0_u64);
            for value in values {
                (sum, count) = (sum + u64::from(value), count + 1);
            }
            u32::try_from(sum.checked_div(count)?).ok()
        }
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn history() -> History<2> {
        History::new([Fold::Mean, Fold::Highest])
    }

    #[test]
    fn a_minute_by_two_seconds() {
        let mut history = history();
        for second in (0..60).step_by(2) {
            let value = u32::try_from(second).unwrap();
            history.push(secs(second), [Some(value), Some(value)]);
        }
        let last = history.series(0, secs(59), secs(10), 5);
        assert_eq!(last, [50, 52, 54, 56, 58].map(Some));
        // Nothing is known of the time before.
        let older = history.series(0, secs(59), secs(120), 4);
        assert_eq!(older, [None, None, Some(14), Some(44)]);
        assert_eq!(
            history.series(1, secs(59), secs(60), 2),
            [Some(28), Some(58)]
        );
        assert_eq!(history.begins(), Some(secs(0)));
    }

    #[test]
    fn gauges_keep_their_peaks_and_rates_their_means() {
        let mut history = history();
        for second in 0..3600 {
            let peak = if second == 1800 { 900 } else { 100 };
            history.push(secs(second), [Some(peak), Some(peak)]);
        }
        let hour = |nth| history.series(nth, secs(3599), secs(3600), 60);
        assert_eq!(hour(1).iter().filter(|v| **v == Some(900)).count(), 1);
        let means = hour(0);
        assert!(
            means
                .iter()
                .all(|v| v.is_some_and(|v| (100..150).contains(&v)))
        );
        assert_eq!(history.highest(1), Some(900));
    }

    /// In the background only every tenth second is sampled: what a rate says of all of them.
    #[rstest]
    #[case(10, Some(7))]
    #[case(60, None)]
    fn a_value_stands_for_a_short_time_before_it(#[case] pause: u64, #[case] held: Option<u32>) {
        let mut history = history();
        history.push(secs(0), [Some(3), Some(3)]);
        history.push(secs(pause), [Some(7), Some(7)]);
        let series = history.series(0, secs(pause), secs(4), 2);
        assert_eq!(series, [held, Some(7)]);
        assert_eq!(history.series(0, secs(1), secs(2), 1), [Some(3)]);
    }

    #[test]
    fn what_is_unknown_is_no_zero() {
        let mut history = history();
        history.push(secs(10), [None, Some(5)]);
        history.push(secs(12), [Some(0), None]);
        assert_eq!(history.series(0, secs(13), secs(4), 2), [None, Some(0)]);
        assert_eq!(history.series(1, secs(13), secs(4), 2), [Some(5), None]);
    }

    #[test]
    fn memory_is_bounded() {
        let mut history = history();
        for second in 0..20_000 {
            history.push(secs(second * 2), [Some(1), Some(1)]);
        }
        let points: usize = history.tiers.iter().map(|ring| ring.points.len()).sum();
        assert_eq!(points, 150 + 90 + 120);
        // A night without samples leaves nothing behind.
        history.push(secs(100_000), [Some(2), Some(2)]);
        let points: usize = history.tiers.iter().map(|ring| ring.points.len()).sum();
        assert_eq!(points, 3);
        let hour = history.series(0, secs(100_000), secs(3600), 6);
        assert_eq!(hour, [None, None, None, None, None, Some(2)]);
    }

    #[test]
    fn time_that_stands_still_or_goes_back_breaks_nothing() {
        let mut history = history();
        history.push(secs(10), [Some(1), Some(1)]);
        history.push(secs(10), [Some(3), Some(3)]);
        history.push(secs(4), [Some(5), Some(5)]);
        assert_eq!(history.series(1, secs(10), secs(2), 1), [Some(5)]);
        assert_eq!(history.series(1, secs(0), secs(2), 3).len(), 3);
    }
}
