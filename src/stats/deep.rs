//! What only a container's cgroup tells, over time.

use std::time::Duration;

use super::cgroup::{Cgroup, Look};
use super::history::{Fold, History};
use super::rate::{Moment, Reading, step};
use crate::domain::{ContainerId, IdMap};

/// Series: share of the time for which it was throttled, in tenths of a percent.
pub const THROTTLED: usize = 0;
/// Series: KiB read from disks a second.
pub const READ: usize = 1;
/// Series: KiB written to disks a second.
pub const WRITTEN: usize = 2;
/// Series: waiting for CPU, memory and I/O, in hundredths of a percent: three of them.
pub const PRESSURE: usize = 3;
/// Containers kept at most: those that somebody has looked at.
const MOST: usize = 512;
/// Deaths for lack of memory that are remembered of one container.
const MARKS: usize = 64;

/// What its cgroup told of a container so far.
#[derive(Clone, Debug)]
pub struct Deep {
    /// The last look; kept when the container has ended.
    pub last: Cgroup,
    /// The last look at its pod's cgroup.
    pub pod: Option<Cgroup>,
    /// When the last look at its own cgroup was, as the time since the start.
    pub seen: Duration,
    /// Throttled now, in tenths of a percent of the time.
    pub throttled: Option<u64>,
    /// Bytes read and written a second now.
    pub io: [Option<u64>; 2],
    /// When tasks were killed for its memory, as the time since the start.
    pub kills: Vec<Duration>,
    /// What was.
    pub history: History<6>,
    before: Option<(Cgroup, Moment)>,
}

impl Deep {
    fn new(last: Cgroup, moment: Moment) -> Self {
        Self {
            last,
            pod: None,
            seen: moment.uptime,
            throttled: None,
            io: [None; 2],
            kills: vec![],
            history: History::new([
                Fold::Mean,
                Fold::Mean,
                Fold::Mean,
                Fold::Highest,
                Fold::Highest,
                Fold::Highest,
            ]),
            before: None,
        }
    }

    /// Highest memory it had, with cache, in bytes.
    pub fn peak(&self) -> Option<u64> {
        self.last.gauges.peak
    }

    /// Tasks killed for its memory: as its own cgroup says, or its pod's, which remembers those of
    /// containers that are gone.
    pub fn oom_kills(&self) -> Option<u64> {
        let pod = self.pod.and_then(|pod| pod.counters.oom_kills);
        self.last.counters.oom_kills.max(pod)
    }

    fn take(&mut self, own: Option<Cgroup>, pod: Option<Cgroup>, moment: Moment) {
        let kills = self.oom_kills();
        let now = own.unwrap_or(self.last);
        let rate = |of: fn(&Cgroup) -> Option<u64>, unit: u64| {
            let (before, read) = self.before?;
            let reading = |total, read| Reading { at: 0, total, read };
            let (before, after) = (reading(of(&before)?, read), reading(of(&now)?, moment));
            step(&before, &after).per(unit)
        };
        let alive = own.is_some();
        // Of nanoseconds a nanosecond, tenths of a percent; several tasks wait side by side.
        let throttled = rate(|group| group.counters.throttled, 1000).map(|share| share.min(1000));
        let io = [
            rate(|group| group.counters.read, 1_000_000_000),
            rate(|group| group.counters.written, 1_000_000_000),
        ];
        (self.throttled, self.io) = if alive {
            (throttled, io)
        } else {
            (None, [None; 2])
        };
        self.before = own.map(|own| (own, moment));
        self.last = now;
        self.pod = pod.or(self.pod);
        if alive {
            self.seen = moment.uptime;
            let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX - 1);
            let kib = |rate: Option<u64>| rate.map(|rate| small(rate.div_ceil(1024)));
            let [cpu, memory, disk] = now.gauges.pressure.map(|psi| psi.map(|psi| psi.some));
            let shares = [
                throttled.map(small),
                kib(io[0]),
                kib(io[1]),
                cpu,
                memory,
                disk,
            ];
            self.history.push(moment.uptime, shares);
        }
        if self.oom_kills() > kills && kills.is_some() && self.kills.len() < MARKS {
            self.kills.push(moment.uptime);
        }
    }
}

/// All containers whose cgroups were looked at.
#[derive(Clone, Debug, Default)]
pub struct Deeps(IdMap<ContainerId, Deep>);

impl Deeps {
    /// Takes a look at a container's cgroup and at its pod's.
    pub fn take(&mut self, id: &ContainerId, look: Look, moment: Moment) {
        let Look { own, pod } = look;
        if let Some(deep) = self.0.get_mut(id) {
            deep.take(own, pod, moment);
            return;
        }
        // Of a container that has ended the pod's kills are still known.
        let Some(first) = own.or(pod.map(|_| Cgroup::default())) else {
            return;
        };
        if self.0.len() >= MOST
            && let Some(oldest) = self.0.iter().min_by_key(|(_, deep)| deep.seen)
        {
            let oldest = oldest.0.clone();
            self.0.remove(&oldest);
        }
        let mut deep = Deep::new(first, moment);
        deep.take(own, pod, moment);
        self.0.insert(id.clone(), deep);
    }

    /// What is known of one.
    pub fn get(&self, id: &ContainerId) -> Option<&Deep> {
        self.0.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{SignedDuration, Timestamp};

    fn moment(second: u64) -> Moment {
        Moment {
            now: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::try_from(second).unwrap()),
            uptime: Duration::from_secs(second),
        }
    }

    fn cgroup(throttled_ms: u64, kills: u64) -> Cgroup {
        let mut group = Cgroup::default();
        group.counters.throttled = Some(throttled_ms * 1_000_000);
        group.counters.written = Some(throttled_ms * 1024);
        group.counters.oom_kills = Some(kills);
        group.gauges.peak = Some(7);
        group
    }

    #[test]
    fn rates_marks_and_what_stays_after_the_end() {
        let id = ContainerId::new("c");
        let mut deeps = Deeps::default();
        deeps.take(
            &id,
            Look {
                own: Some(cgroup(0, 1)),
                pod: None,
            },
            moment(0),
        );
        // Kills before the first look have no time.
        assert_eq!(deeps.get(&id).unwrap().kills, []);
        deeps.take(
            &id,
            Look {
                own: Some(cgroup(500, 1)),
                pod: None,
            },
            moment(2),
        );
        let deep = deeps.get(&id).unwrap();
        assert_eq!(deep.throttled, Some(250));
        assert_eq!(deep.io, [None, Some(250 * 1024)]);
        deeps.take(
            &id,
            Look {
                own: Some(cgroup(500, 2)),
                pod: None,
            },
            moment(4),
        );
        deeps.take(
            &id,
            Look {
                own: None,
                pod: Some(cgroup(0, 3)),
            },
            moment(6),
        );
        let deep = deeps.get(&id).unwrap();
        assert_eq!(deep.kills, [Duration::from_secs(4), Duration::from_secs(6)]);
        assert_eq!((deep.oom_kills(), deep.peak()), (Some(3), Some(7)));
        assert_eq!((deep.throttled, deep.io), (None, [None; 2]));
        let series =
            deep.history
                .series(THROTTLED, Duration::from_secs(5), Duration::from_secs(4), 2);
        assert_eq!(series, [Some(250), Some(0)]);
    }

    #[test]
    fn there_is_a_bound() {
        let mut deeps = Deeps::default();
        for nth in 0..600_u64 {
            let id = ContainerId::new(&nth.to_string());
            deeps.take(
                &id,
                Look {
                    own: Some(cgroup(0, 0)),
                    pod: None,
                },
                moment(nth),
            );
        }
        assert_eq!(deeps.0.len(), MOST);
        assert!(deeps.get(&ContainerId::new("0")).is_none());
        assert!(deeps.get(&ContainerId::new("599")).is_some());
    }
}
