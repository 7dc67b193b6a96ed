//! What one look at the runtime's statistics tells.

use crate::domain::{ContainerId, PodId};

/// CPU time of one container.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cpu {
    /// When it was measured, in nanoseconds since the epoch by the node's clock; 0 if the
    /// runtime does not say.
    pub at: i64,
    /// CPU time used so far, in nanoseconds.
    pub total: Option<u64>,
    /// The runtime's own rate, in billionths of a core; zero tells nothing and is left out.
    pub rate: Option<u64>,
}

/// Memory of one container, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Memory {
    /// What is used without the cache that can go: what the limit is about.
    pub working_set: Option<u64>,
    /// What its processes hold themselves.
    pub rss: Option<u64>,
    /// With all cache.
    pub usage: Option<u64>,
    /// What is left up to the limit; left out where there is none.
    pub available: Option<u64>,
}

/// One container, once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sample {
    /// Which one.
    pub id: ContainerId,
    /// CPU; `None` when the runtime tells nothing, as of one that has ended.
    pub cpu: Option<Cpu>,
    /// Memory; see [`Sample::cpu`].
    pub memory: Option<Memory>,
    /// Bytes in its writable layer.
    pub layer: Option<u64>,
}

/// Bytes through a pod's network so far, all its interfaces but the loopback.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Network {
    /// When, in nanoseconds since the epoch; 0 if the runtime does not say.
    pub at: i64,
    /// Received.
    pub received: u64,
    /// Sent.
    pub sent: u64,
}

/// One pod, once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PodSample {
    /// Which sandbox.
    pub id: PodId,
    /// CPU of the pod's own cgroup.
    pub cpu: Option<Cpu>,
    /// Memory of the pod's own cgroup.
    pub memory: Option<Memory>,
    /// Its network.
    pub network: Option<Network>,
}
