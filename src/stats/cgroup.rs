//! What a cgroup's files tell, whatever version and driver they are of.

use crate::domain::Limits;

/// How long tasks of a group waited for something, in hundredths of a percent of the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Pressure {
    /// Some task waited, average over ten seconds.
    pub some: u32,
    /// All tasks waited at once, average over ten seconds.
    pub full: u32,
}

/// Counters of one cgroup. All that is not known is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Time for which its tasks were kept from running, in nanoseconds.
    pub throttled: Option<u64>,
    /// Periods of the CPU quota so far, and those in which it was used up.
    pub periods: Option<(u64, u64)>,
    /// Bytes read from disks.
    pub read: Option<u64>,
    /// Bytes written to disks.
    pub written: Option<u64>,
    /// Tasks killed for its memory.
    pub oom_kills: Option<u64>,
}

/// Gauges of one cgroup. All that is not known is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gauges {
    /// Bytes in use without the cache that can go.
    pub working_set: Option<u64>,
    /// Highest use of memory so far, with cache, in bytes.
    pub peak: Option<u64>,
    /// Tasks.
    pub pids: Option<u64>,
    /// Tasks there may be; `None` is no limit.
    pub pids_limit: Option<u64>,
    /// Waiting for CPU, memory and I/O.
    pub pressure: [Option<Pressure>; 3],
}

/// One look at a cgroup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cgroup {
    /// Version of the hierarchy, 1 or 2.
    pub version: u8,
    /// Limits in force.
    pub limits: Limits,
    /// Counters.
    pub counters: Counters,
    /// Gauges.
    pub gauges: Gauges,
}

/// One look at a container's cgroup, and at its pod's, which outlives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Look {
    /// The container's; `None` once it is gone.
    pub own: Option<Cgroup>,
    /// The pod's.
    pub pod: Option<Cgroup>,
}
