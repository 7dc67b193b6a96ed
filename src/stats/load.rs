//! The numbers of a row: small, comparable, the same while nothing changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::meter::{CPU, Meter};
use super::{Source, Sourced};
use crate::domain::Limits;

/// Columns of a trend.
pub const TREND: usize = 10;
/// What a trend is about.
pub const TREND_WINDOW: Duration = Duration::from_secs(60);
/// Less than this, in millionths of a core, fills no trend: idle noise is no mountain.
const TREND_FLOOR: u32 = 20_000;
/// Levels of a trend above nothing.
const LEVELS: u32 = 8;

/// CPU over the last minute as levels from 0 to 8; `None` is not known.
pub type Trend = [Option<u8>; TREND];

/// What a container or a pod uses. Rounded as it is shown, so that equal rows are equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Load {
    /// CPU in thousandths of a core.
    pub cpu: Option<u64>,
    /// Working set in bytes, whole KiB.
    pub memory: Option<u64>,
    /// What of its memory limit is used, in percent; `None` without a limit.
    pub percent: Option<u32>,
    /// What rows sort by, smoothed and refreshed at a slower pace: CPU, memory, percent.
    pub rank: [Option<u64>; 3],
}

impl Load {
    /// Of a container. `rank` is what its row sorted by so far; it is kept.
    pub fn of(meter: &Meter, limits: Limits, rank: Option<Self>) -> Self {
        let memory = meter.working_set().map(|bytes| bytes / 1024 * 1024);
        let limit = memory_limit(meter, limits);
        let share = |used: u64| Some(percent(used, limit?.value));
        let percent = memory.and_then(share);
        let steady = meter.steady_memory().map(|kib| kib * 1024);
        let fresh = [
            meter.steady_cpu(),
            steady,
            steady.and_then(share).map(u64::from),
        ];
        Self {
            cpu: meter.cpu.map(|cpu| rounded(cpu.value)),
            memory,
            percent,
            rank: match rank {
                // What was not known before cannot be held.
                Some(old) => std::array::from_fn(|at| {
                    old.rank[at].filter(|_| fresh[at].is_some()).or(fresh[at])
                }),
                None => fresh,
            },
        }
    }

    /// Of several containers together; what is not known of one adds nothing.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        Self {
            cpu: sum(self.cpu, other.cpu),
            memory: sum(self.memory, other.memory),
            // The fullest of its containers is the one that is killed.
            percent: self.percent.max(other.percent),
            rank: [
                sum(self.rank[0], other.rank[0]),
                sum(self.rank[1], other.rank[1]),
                self.rank[2].max(other.rank[2]),
            ],
        }
    }
}

/// The load of one row, shared by all that the row becomes: most rows have other numbers after
/// each sample, and nothing else about them is new. Trends are drawn of what is on the screen.
#[derive(Clone, Debug, Default)]
pub struct Live(Arc<Mutex<(Load, Trend)>>);

impl Live {
    fn lock(&self) -> MutexGuard<'_, (Load, Trend)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it is now.
    pub fn get(&self) -> Load {
        self.lock().0
    }

    /// Its trend, as it was drawn last.
    pub fn trend(&self) -> Trend {
        self.lock().1
    }

    /// Sets it; true if the row now sorts elsewhere.
    pub fn set(&self, load: Load) -> bool {
        let before = std::mem::replace(&mut self.lock().0, load);
        before.rank != load.rank
    }

    /// Draws its trend, of all that it stands for: the highest of theirs.
    pub fn draw<'a>(&self, meters: impl Iterator<Item = &'a Meter>, uptime: Duration) {
        let mut all = [None; TREND];
        for meter in meters {
            for (highest, own) in all.iter_mut().zip(trend(meter, uptime)) {
                *highest = (*highest).max(own);
            }
        }
        self.lock().1 = all;
    }
}

impl PartialEq for Live {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || (self.get(), self.trend()) == (other.get(), other.trend())
    }
}

/// A container's memory limit: as its status says, else as the runtime's numbers imply it.
pub fn memory_limit(meter: &Meter, limits: Limits) -> Option<Sourced> {
    let said = limits
        .memory
        .map(|limit| Sourced::new(limit, Source::Status));
    said.or_else(|| Some(Sourced::new(meter.implied_limit?, Source::Implied)))
}

/// Millionths of a core as thousandths, rounded.
pub fn rounded(micro: u64) -> u64 {
    (micro + 500) / 1000
}

/// `used` of `limit` in percent.
pub fn percent(used: u64, limit: u64) -> u32 {
    let percent = u128::from(used) * 100 / u128::from(limit.max(1));
    u32::try_from(percent).unwrap_or(u32::MAX)
}

/// CPU as levels: of the highest in the window, or of a floor.
fn trend(meter: &Meter, uptime: Duration) -> Trend {
    // Columns as wide as three samples, so that they do not flicker as they pass by.
    let step = TREND_WINDOW.as_secs() / TREND as u64;
    let end = Duration::from_millis((uptime.as_secs() / step + 1) * step * 1000 - 1);
    let series = meter.history.series(CPU, end, TREND_WINDOW, TREND);
    let most = series.iter().flatten().max().copied().unwrap_or(0);
    let most = u64::from(most.max(TREND_FLOOR));
    let level = |value: u32| {
        let level = (u64::from(value) * u64::from(LEVELS)).div_ceil(most);
        u8::try_from(level).unwrap_or(8)
    };
    let mut trend = [None; TREND];
    for (place, value) in trend.iter_mut().zip(series) {
        *place = value.map(level);
    }
    trend
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ContainerId;
    use crate::stats::Meters;
    use crate::stats::rate::Moment;
    use crate::stats::sample::{Cpu, Memory, Sample};
    use jiff::{SignedDuration, Timestamp};

    /// Half a core for a minute, 32 of 64 MiB; and one that does nothing.
    fn meters() -> Meters {
        let mut meters = Meters::default();
        for second in (0..=60_i64).step_by(2) {
            let sample = Sample {
                id: ContainerId::new("c"),
                cpu: Some(Cpu {
                    at: (second + 1) * 1_000_000_000,
                    total: Some(second.unsigned_abs() * 500_000_000),
                    rate: None,
                }),
                memory: Some(Memory {
                    working_set: Some(32 << 20),
                    ..Memory::default()
                }),
                layer: None,
            };
            let mut idle = sample.clone();
            idle.id = ContainerId::new("idle");
            idle.cpu = idle.cpu.map(|cpu| Cpu {
                total: Some(1),
                ..cpu
            });
            let moment = Moment {
                now: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second),
                uptime: Duration::from_secs(second.unsigned_abs()),
            };
            meters.take(&[sample, idle], moment);
        }
        meters
    }

    fn load(limits: Limits) -> Load {
        let meters = meters();
        let meter = meters.get(&ContainerId::new("c")).unwrap();
        Load::of(meter, limits, None)
    }

    #[test]
    fn of_one_container() {
        let limits = Limits {
            memory: Some(64 << 20),
            cpu: None,
        };
        let load = load(limits);
        assert_eq!((load.cpu, load.memory), (Some(500), Some(32 << 20)));
        assert_eq!(load.percent, Some(50));
        assert_eq!(load.rank, [Some(500_000), Some(32 << 20), Some(50)]);
    }

    #[test]
    fn a_trend_is_that_of_the_busiest() {
        let meters = meters();
        let meter = |id| meters.get(&ContainerId::new(id)).into_iter();
        let (live, now) = (Live::default(), Duration::from_secs(60));
        assert_eq!(live.trend(), [None; TREND]);
        live.draw(meter("c").chain(meter("idle")), now);
        assert_eq!(live.trend()[TREND - 1], Some(8));
        live.set(Load::default());
        assert_eq!(live.trend()[TREND - 1], Some(8));
        live.draw(meter("c"), now + TREND_WINDOW * 2);
        assert_eq!(live.trend(), [None; TREND]);
    }

    #[test]
    fn without_a_limit_there_is_no_share() {
        assert_eq!(load(Limits::default()).percent, None);
    }

    #[test]
    fn a_pod_is_the_sum_and_its_fullest_container() {
        let full = Load {
            percent: Some(97),
            memory: Some(1 << 20),
            ..Load::default()
        };
        let both = load(Limits::default()).plus(&full);
        assert_eq!((both.cpu, both.memory), (Some(500), Some(33 << 20)));
        assert_eq!(both.percent, Some(97));
    }
}
