//! Statistics: what uses how much, against which limit, and since when. Pure: it takes what was
//! read and the time, and knows neither the runtime nor the screen.
//!
//! ```text
//! Sample ── rate ──> Meter { now, smoothed, History } ── Load (a row's numbers)
//! ```
//!
//! Whatever is not known is `None`, never zero, and every number can say where it comes from
//! ([`Source`]).

pub mod cgroup;
pub mod deep;
pub mod history;
pub mod load;
pub mod meter;
pub mod network;
pub mod node;
pub mod rate;
pub mod sample;

pub use deep::{Deep, Deeps};
pub use history::History;
pub use load::Load;
pub use meter::{Meter, Meters};
pub use network::Networks;
pub use sample::{Cpu, Memory, Network, PodSample, Sample};

/// Where a number comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Two readings of the runtime's counter of CPU time.
    Counter,
    /// The runtime's own rate: the average since whoever asked before.
    Told,
    /// The runtime's gauge.
    Runtime,
    /// The container's status.
    Status,
    /// What the runtime says is available, and the working set.
    Implied,
    /// The container's cgroup on the node.
    Cgroup,
    /// The sum over the containers.
    Sum,
}

impl Source {
    /// In words, to follow "from".
    pub fn words(self) -> &'static str {
        match self {
            Self::Counter => "two readings of the runtime's CPU counter",
            Self::Told => "the runtime's own rate, an average since somebody asked before",
            Self::Runtime => "the runtime",
            Self::Status => "the container's status",
            Self::Implied => "what the runtime says is available",
            Self::Cgroup => "the container's cgroup",
            Self::Sum => "the sum over its containers",
        }
    }
}

/// A number and where it comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Sourced {
    /// The number.
    pub value: u64,
    /// Where it comes from.
    pub source: Source,
}

impl Sourced {
    /// `value` from `source`.
    pub fn new(value: u64, source: Source) -> Self {
        Self { value, source }
    }
}
