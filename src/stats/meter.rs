//! One meter for each container: its numbers now, smoothed ones to sort by, and its history.

use std::time::Duration;

use jiff::Timestamp;

use super::history::{Fold, History};
use super::rate::{Moment, Reading, Step, step};
use super::sample::{Memory, Sample};
use super::{Source, Sourced};
use crate::domain::{ContainerId, IdMap};

/// Series of CPU, in millionths of a core.
pub const CPU: usize = 0;
/// Series of memory, in KiB.
pub const MEMORY: usize = 1;
/// How long what is no longer listed is remembered: long enough to look at what was killed.
const REMEMBER: Duration = Duration::from_secs(900);
/// Containers remembered at most, dead ones included.
const MOST: usize = 20_000;
/// No container uses more cores than this: what says so is wrong.
const MOST_CPU: u64 = 4096 * 1_000_000;
/// Share of a new value in a smoothed one, in percent.
const FRESH: u64 = 40;
/// How long a value counts as the present one.
const STALE: Duration = Duration::from_secs(30);

/// What is known of one container.
#[derive(Clone, Debug)]
pub struct Meter {
    /// CPU, in millionths of a core.
    pub cpu: Option<Sourced>,
    /// What the runtime says of its memory.
    pub memory: Option<Memory>,
    /// Bytes in its writable layer.
    pub layer: Option<u64>,
    /// Its memory limit, as what is available implies it.
    pub implied_limit: Option<u64>,
    /// CPU (millionths of a core) and memory (KiB), smoothed.
    smooth: [Option<u64>; 2],
    /// What was.
    pub history: History<2>,
    base: Option<Reading>,
    seen: Duration,
}

impl Meter {
    fn new(seen: Duration) -> Self {
        Self {
            cpu: None,
            memory: None,
            layer: None,
            implied_limit: None,
            smooth: [None; 2],
            history: History::new([Fold::Mean, Fold::Highest]),
            base: None,
            seen,
        }
    }

    /// Working set, in bytes.
    pub fn working_set(&self) -> Option<u64> {
        self.memory?.working_set
    }

    /// CPU smoothed over some samples, in millionths of a core: to sort by.
    pub fn steady_cpu(&self) -> Option<u64> {
        self.smooth[CPU]
    }

    /// Working set smoothed, in KiB.
    pub fn steady_memory(&self) -> Option<u64> {
        self.smooth[MEMORY]
    }

    /// When something of it was told last, as the time since the start.
    pub fn seen(&self) -> Duration {
        self.seen
    }

    /// It was measured, but not twice yet.
    pub fn waits(&self) -> bool {
        self.base.is_some() && self.cpu.is_none_or(|cpu| cpu.source != Source::Counter)
    }

    fn take(&mut self, sample: &Sample, moment: Moment) {
        self.take_cpu(sample, moment);
        self.memory = sample.memory;
        self.layer = sample.layer.or(self.layer);
        let implied = sample.memory.and_then(|memory| {
            let available = memory.available.filter(|left| *left > 0)?;
            let limit = available.checked_add(memory.working_set?)?;
            Some(limit).filter(|limit| *limit < crate::domain::NO_LIMIT)
        });
        // Nothing is available at the limit itself.
        self.implied_limit = implied.or(self.implied_limit);
        if sample.cpu.is_none() && sample.memory.is_none() {
            self.smooth = [None; 2];
            return;
        }
        self.seen = moment.uptime;
        let now = [
            self.cpu.map(|cpu| cpu.value),
            self.working_set().map(|bytes| bytes / 1024),
        ];
        for (smooth, now) in self.smooth.iter_mut().zip(now) {
            *smooth = match (*smooth, now) {
                (Some(old), Some(new)) => Some((old * (100 - FRESH) + new * FRESH) / 100),
                (_, now) => now,
            };
        }
        let small = |value: Option<u64>| value.map(|v| u32::try_from(v).unwrap_or(u32::MAX - 1));
        self.history.push(moment.uptime, now.map(small));
    }

    fn take_cpu(&mut self, sample: &Sample, moment: Moment) {
        let Some(cpu) = sample.cpu else {
            (self.cpu, self.base) = (None, None);
            return;
        };
        let told = cpu.rate.filter(|rate| *rate > 0);
        let told = told.map(|rate| Sourced::new(rate / 1000, Source::Told));
        let Some(total) = cpu.total else {
            (self.cpu, self.base) = (told, None);
            return;
        };
        let reading = Reading {
            at: cpu.at,
            total,
            read: moment,
        };
        let said = self.base.map(|base| step(&base, &reading));
        if said == Some(Step::Same) {
            let fresh = moment.uptime.saturating_sub(self.seen) < STALE;
            self.cpu = self.cpu.filter(|_| fresh).or(told);
            return;
        }
        // A counter of nanoseconds: so many a nanosecond are so many cores.
        let counted = said.and_then(|step| step.per(1_000_000));
        let counted = counted.filter(|rate| *rate <= MOST_CPU);
        let counted = counted.map(|rate| Sourced::new(rate, Source::Counter));
        self.cpu = counted.or(told);
        self.base = Some(reading);
    }
}

/// All meters.
#[derive(Clone, Debug, Default)]
pub struct Meters {
    by_id: IdMap<ContainerId, Meter>,
    /// When the first look was taken.
    began: Option<Timestamp>,
    last: Option<Moment>,
}

impl Meters {
    /// Takes one look at all containers.
    pub fn take(&mut self, samples: &[Sample], moment: Moment) {
        self.began.get_or_insert(moment.now);
        self.last = Some(moment);
        for sample in samples {
            if let Some(meter) = self.by_id.get_mut(&sample.id) {
                meter.take(sample, moment);
            } else if self.by_id.len() < MOST {
                let mut meter = Meter::new(moment.uptime);
                meter.take(sample, moment);
                self.by_id.insert(sample.id.clone(), meter);
            }
        }
        // What the runtime leaves out has ended, or cannot be measured now.
        let told = |meter: &Meter| moment.uptime.saturating_sub(meter.seen) < STALE;
        for meter in self.by_id.values_mut().filter(|meter| !told(meter)) {
            (meter.cpu, meter.memory, meter.smooth) = (None, None, [None; 2]);
            meter.base = None;
        }
    }

    /// Forgets what is not `listed` and was not seen for a quarter of an hour.
    pub fn forget(&mut self, listed: impl Fn(&ContainerId) -> bool) {
        let Some(last) = self.last else { return };
        self.by_id
            .retain(|id, meter| last.uptime.saturating_sub(meter.seen) < REMEMBER || listed(id));
    }

    /// One of them.
    pub fn get(&self, id: &ContainerId) -> Option<&Meter> {
        self.by_id.get(id)
    }

    /// Some were measured only once: a second look soon gives their rates.
    pub fn wait_for_rates(&self) -> bool {
        self.by_id.values().any(Meter::waits)
    }

    /// When the first look was taken; history begins there.
    pub fn began(&self) -> Option<Timestamp> {
        self.began
    }

    /// When the last look was taken, as the time since the start.
    pub fn last(&self) -> Option<Duration> {
        Some(self.last?.uptime)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::sample::Cpu;
    use jiff::SignedDuration;
    use rstest::rstest;

    fn moment(milliseconds: u64) -> Moment {
        let wall = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap() + 5_000);
        Moment {
            now: Timestamp::UNIX_EPOCH + wall,
            uptime: Duration::from_millis(milliseconds),
        }
    }

    fn id() -> ContainerId {
        ContainerId::new("c")
    }

    /// Milliseconds of CPU time, MiB of memory.
    fn sample(at: u64, cpu: Option<u64>, memory: Option<u64>, available: Option<u64>) -> Sample {
        Sample {
            id: id(),
            cpu: cpu.map(|ms| Cpu {
                at: i64::try_from(at + 5_000).unwrap() * 1_000_000,
                total: Some(ms * 1_000_000),
                rate: None,
            }),
            memory: memory.map(|mib| Memory {
                working_set: Some(mib << 20),
                available,
                ..Memory::default()
            }),
            layer: None,
        }
    }

    fn take(meters: &mut Meters, at: u64, cpu: Option<u64>, memory: Option<u64>) {
        meters.take(&[sample(at, cpu, memory, None)], moment(at));
    }

    fn cpu(meters: &Meters) -> Option<u64> {
        meters.get(&id()).unwrap().cpu.map(|cpu| cpu.value)
    }

    #[test]
    fn the_second_look_gives_the_rate() {
        let mut meters = Meters::default();
        take(&mut meters, 0, Some(100), Some(64));
        assert_eq!(cpu(&meters), None);
        assert!(meters.wait_for_rates());
        take(&mut meters, 500, Some(250), Some(64));
        assert_eq!(cpu(&meters), Some(300_000));
        assert!(!meters.wait_for_rates());
        assert_eq!(meters.get(&id()).unwrap().working_set(), Some(64 << 20));
    }

    #[test]
    fn a_counter_that_begins_anew_is_unknown_once() {
        let mut meters = Meters::default();
        for (at, total) in [(0, 5000), (2000, 6000), (4000, 100), (6000, 200)] {
            take(&mut meters, at, Some(total), None);
            let expected = [None, Some(500_000), None, Some(50_000)];
            assert_eq!(cpu(&meters), expected[usize::try_from(at / 2000).unwrap()]);
        }
    }

    #[test]
    fn what_has_ended_has_no_numbers_but_a_history() {
        let mut meters = Meters::default();
        take(&mut meters, 0, Some(0), Some(10));
        take(&mut meters, 2000, Some(1000), Some(16));
        take(&mut meters, 4000, None, None);
        let meter = meters.get(&id()).unwrap();
        assert_eq!((meter.cpu, meter.memory), (None, None));
        assert_eq!(meter.steady_cpu(), None);
        assert_eq!(meter.history.highest(MEMORY), Some(16 << 10));
        // It is remembered for a while after it is gone from the list.
        let mut gone = meters.clone();
        gone.take(&[], moment(600_000));
        gone.forget(|_| false);
        assert_eq!(gone.len(), 1);
        gone.take(&[], moment(1_000_000));
        gone.forget(|_| true);
        assert_eq!(gone.len(), 1);
        gone.forget(|_| false);
        assert!(gone.is_empty());
    }

    #[test]
    fn the_runtimes_rate_serves_until_there_is_a_better_one() {
        let mut meters = Meters::default();
        let mut first = sample(0, Some(100), None, None);
        let told = |rate| Cpu {
            rate: Some(rate),
            ..first.cpu.unwrap()
        };
        let (zero, some) = (told(0), told(42_000_000));
        first.cpu = Some(zero);
        meters.take(std::slice::from_ref(&first), moment(0));
        assert_eq!(cpu(&meters), None);
        first.cpu = Some(some);
        meters.take(std::slice::from_ref(&first), moment(1));
        let cpu = meters.get(&id()).unwrap().cpu.unwrap();
        assert_eq!((cpu.value, cpu.source), (42_000, Source::Told));
    }

    #[rstest]
    #[case(Some(48 << 20), Some(64 << 20))]
    #[case(None, None)]
    // What CRI-O says where there is no limit.
    #[case(Some(9_223_372_036_854_288_384), None)]
    #[case(Some(u64::MAX), None)]
    fn the_limit_that_is_implied(#[case] available: Option<u64>, #[case] limit: Option<u64>) {
        let mut meters = Meters::default();
        meters.take(&[sample(0, Some(1), Some(16), available)], moment(0));
        assert_eq!(meters.get(&id()).unwrap().implied_limit, limit);
    }

    #[test]
    fn sorting_goes_by_smoothed_numbers() {
        let mut meters = Meters::default();
        for (at, total) in [(0, 0), (2000, 2000), (4000, 2000), (6000, 2000)] {
            take(&mut meters, at, Some(total), Some(1));
        }
        let meter = meters.get(&id()).unwrap();
        assert_eq!(meter.cpu.unwrap().value, 0);
        assert_eq!(meter.steady_cpu(), Some(360_000));
    }
}
