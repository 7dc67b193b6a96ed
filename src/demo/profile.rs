//! The quirks of each runtime, as data: one table entry a runtime, read by the code that answers.

use tonic::{Code, Status};

/// Which runtime the simulated node plays.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Profile {
    /// containerd 1.6.20: no events, no `RuntimeConfig`, `NotFound` when stopping what is gone.
    Containerd16,
    /// containerd 1.7.24: events from one shared queue.
    Containerd17,
    /// containerd 2.1.9.
    Containerd21,
    /// containerd 2.4: `image_id`, the `Stream*` list calls, pod metrics.
    #[default]
    Containerd2,
    /// CRI-O 1.37.
    CriO,
    /// cri-dockerd on Docker.
    CriDockerd,
}

impl Profile {
    /// The names by which profiles are chosen.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("containerd-1.6", Self::Containerd16),
        ("containerd-1.7", Self::Containerd17),
        ("containerd-2.1", Self::Containerd21),
        ("containerd-2", Self::Containerd2),
        ("cri-o", Self::CriO),
        ("cri-dockerd", Self::CriDockerd),
    ];

    /// The profile called `name`. The error lists the names there are.
    pub fn named(name: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, profile)| *profile).ok_or_else(|| {
            let known = Self::NAMES.map(|(known, _)| known).join(", ");
            format!("there is no runtime {name:?} to play; there are {known}")
        })
    }
}

/// What tells one runtime from another.
#[derive(Debug)]
pub(super) struct Traits {
    pub name: &'static str,
    pub version: &'static str,
    /// Path of its socket on the node.
    pub socket: &'static str,
    pub family: Family,
    pub images: ImageTraits,
    pub stats: StatsTraits,
    pub logs: LogFormat,
    pub events: Events,
    /// Methods that it does not have, and how it says so.
    pub missing: &'static [(&'static str, Missing)],
    /// A longer reply is refused.
    pub max_reply: usize,
    /// Statuses carry the user of the process.
    pub users: bool,
    /// Sandbox statuses carry the options of user namespaces.
    pub userns: bool,
    /// The old API beside v1.
    pub v1alpha2: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    Containerd,
    CriO,
    CriDockerd,
}

// A table of independent quirks, not a state.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub(super) struct ImageTraits {
    /// What stands before the hexadecimal digits of an id.
    pub prefix: &'static str,
    /// Lists and statuses fill `image_id`.
    pub image_id: bool,
    /// Lists repeat what the user had written.
    pub user_specified: bool,
    /// Sizes are those of the unpacked content: twice as much.
    pub unpacked: bool,
    /// The sandbox image is marked as pinned.
    pub pins: bool,
}

// A table of independent quirks, not a state.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug)]
pub(super) struct StatsTraits {
    /// Where writable layers are counted.
    pub mountpoint: &'static str,
    /// `available_bytes` of a container without a limit; `None`: absent.
    pub unlimited: Option<u64>,
    pub exited: ExitedStats,
    /// Counters beyond working set and CPU time.
    pub detailed: bool,
    /// The single call leaves out `usage_nano_cores`.
    pub single_without_nano_cores: bool,
    /// Pod statistics have a CPU and a memory part of their own.
    pub pod_totals: bool,
    /// Swap is reported, as large as the memory: bogus.
    pub bogus_swap: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ExitedStats {
    /// A row with the writable layer only.
    LayerOnly,
    /// No row.
    Omitted,
    /// A row of zeros.
    Zeros,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum LogFormat {
    /// containerd: UTC with `Z`, trailing zeros trimmed, chunks of 16,384 bytes.
    Cri,
    /// conmon: offset `+00:00`, nine digits, chunks of 8,192 bytes.
    Conmon,
    /// Docker's json-file, behind a link.
    DockerJson,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Events {
    /// Each event goes to exactly one subscriber; old ones are delivered on connecting.
    SharedQueue,
    /// Each event goes to every subscriber.
    Broadcast,
    /// The stream ends at once, cleanly.
    EndsAtOnce,
    Unimplemented,
}

/// How a Go server says that it lacks a method.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missing {
    /// Its protocol file knows the method, its code does not.
    NotImplemented,
    /// Its protocol file is older than the method.
    Unknown,
}

impl Missing {
    pub(super) fn status(self, service: &str, method: &str) -> Status {
        Status::unimplemented(match self {
            Self::NotImplemented => format!("method {method} not implemented"),
            Self::Unknown => format!("unknown method {method} for service {service}"),
        })
    }
}

/// The kind of thing that was not found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Container,
    Sandbox,
}

use Missing::{NotImplemented, Unknown};

const NEW: [(&str, Missing); 9] = [
    ("StreamPodSandboxes", Unknown),
    ("StreamContainers", Unknown),
    ("StreamContainerStats", Unknown),
    ("StreamPodSandboxStats", Unknown),
    ("StreamPodSandboxMetrics", Unknown),
    ("StreamImages", Unknown),
    ("CheckpointPod", Unknown),
    ("RestorePod", Unknown),
    ("UpdatePodSandboxResources", Unknown),
];

const fn with_new<const N: usize, const M: usize>(
    own: [(&'static str, Missing); N],
) -> [(&'static str, Missing); M] {
    let mut all = [("", Unknown); M];
    let mut at = 0;
    while at < M {
        all[at] = if at < N { own[at] } else { NEW[at - N] };
        at += 1;
    }
    all
}

static MISSING_16: [(&str, Missing); 14] = with_new([
    ("GetContainerEvents", NotImplemented),
    ("RuntimeConfig", Unknown),
    ("ListMetricDescriptors", Unknown),
    ("ListPodSandboxMetrics", Unknown),
    ("CheckpointContainer", NotImplemented),
]);
static MISSING_17: [(&str, Missing); 13] = with_new([
    ("RuntimeConfig", NotImplemented),
    ("ListMetricDescriptors", NotImplemented),
    ("ListPodSandboxMetrics", NotImplemented),
    ("CheckpointContainer", NotImplemented),
]);
static MISSING_21: [(&str, Missing); 11] = with_new([
    ("ListMetricDescriptors", NotImplemented),
    ("ListPodSandboxMetrics", NotImplemented),
]);
static MISSING_DOCKERD: [(&str, Missing); 15] = with_new([
    ("GetContainerEvents", NotImplemented),
    ("ListPodSandboxStats", NotImplemented),
    ("PodSandboxStats", NotImplemented),
    ("ListMetricDescriptors", NotImplemented),
    ("ListPodSandboxMetrics", NotImplemented),
    ("CheckpointContainer", NotImplemented),
]);

const CONTAINERD_STATS: StatsTraits = StatsTraits {
    mountpoint: "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs",
    unlimited: Some(0),
    exited: ExitedStats::LayerOnly,
    detailed: true,
    single_without_nano_cores: true,
    pod_totals: true,
    bogus_swap: false,
};

const CONTAINERD_IMAGES: ImageTraits = ImageTraits {
    prefix: "sha256:",
    image_id: false,
    user_specified: true,
    unpacked: false,
    pins: true,
};

const CONTAINERD: Traits = Traits {
    name: "containerd",
    version: "v2.1.9",
    socket: "run/containerd/containerd.sock",
    family: Family::Containerd,
    images: CONTAINERD_IMAGES,
    stats: CONTAINERD_STATS,
    logs: LogFormat::Cri,
    events: Events::Broadcast,
    missing: &MISSING_21,
    max_reply: 16 << 20,
    users: true,
    userns: true,
    v1alpha2: false,
};

static CONTAINERD_16: Traits = Traits {
    version: "1.6.20~ds1",
    images: ImageTraits {
        user_specified: false,
        pins: false,
        ..CONTAINERD_IMAGES
    },
    stats: StatsTraits {
        single_without_nano_cores: false,
        ..CONTAINERD_STATS
    },
    events: Events::Unimplemented,
    missing: &MISSING_16,
    users: false,
    userns: false,
    v1alpha2: true,
    ..CONTAINERD
};

static CONTAINERD_17: Traits = Traits {
    version: "1.7.24~ds1",
    events: Events::SharedQueue,
    missing: &MISSING_17,
    users: false,
    v1alpha2: true,
    ..CONTAINERD
};

static CONTAINERD_21: Traits = CONTAINERD;

static CONTAINERD_2: Traits = Traits {
    version: "v2.4.0",
    images: ImageTraits {
        image_id: true,
        ..CONTAINERD_IMAGES
    },
    missing: &[],
    ..CONTAINERD
};

static CRI_O: Traits = Traits {
    name: "cri-o",
    version: "1.37.0",
    socket: "run/crio/crio.sock",
    family: Family::CriO,
    images: ImageTraits {
        prefix: "",
        image_id: true,
        user_specified: false,
        unpacked: true,
        pins: true,
    },
    stats: StatsTraits {
        mountpoint: "/var/lib/containers/storage/overlay",
        unlimited: Some(9_223_372_036_854_288_384),
        exited: ExitedStats::Omitted,
        detailed: true,
        single_without_nano_cores: false,
        pod_totals: false,
        bogus_swap: true,
    },
    logs: LogFormat::Conmon,
    events: Events::EndsAtOnce,
    missing: &[],
    max_reply: 80 << 20,
    users: true,
    userns: true,
    v1alpha2: false,
};

static CRI_DOCKERD: Traits = Traits {
    name: "docker",
    version: "28.5.2",
    socket: "run/cri-dockerd.sock",
    family: Family::CriDockerd,
    images: ImageTraits {
        prefix: "sha256:",
        image_id: false,
        user_specified: false,
        unpacked: true,
        pins: true,
    },
    stats: StatsTraits {
        mountpoint: "/var/lib/docker",
        unlimited: None,
        exited: ExitedStats::Zeros,
        detailed: false,
        single_without_nano_cores: true,
        pod_totals: false,
        bogus_swap: false,
    },
    logs: LogFormat::DockerJson,
    events: Events::Unimplemented,
    missing: &MISSING_DOCKERD,
    max_reply: 16 << 20,
    users: false,
    userns: false,
    v1alpha2: false,
};

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 6] = [
        Self::Containerd16,
        Self::Containerd17,
        Self::Containerd21,
        Self::Containerd2,
        Self::CriO,
        Self::CriDockerd,
    ];

    pub(super) fn traits(self) -> &'static Traits {
        match self {
            Self::Containerd16 => &CONTAINERD_16,
            Self::Containerd17 => &CONTAINERD_17,
            Self::Containerd21 => &CONTAINERD_21,
            Self::Containerd2 => &CONTAINERD_2,
            Self::CriO => &CRI_O,
            Self::CriDockerd => &CRI_DOCKERD,
        }
    }
}

impl Traits {
    /// What the runtime answers to `method` about an id that it does not know.
    pub(super) fn not_found(&self, method: &str, what: What, id: &str) -> Status {
        match self.family {
            Family::Containerd => Status::not_found(containerd_not_found(method, what, id)),
            Family::CriO => crio_not_found(method, what, id),
            Family::CriDockerd => Status::unknown(format!(
                "Error response from daemon: No such container: {id}"
            )),
        }
    }

    /// The image id `digits` in the runtime's form.
    pub(super) fn image_id(&self, digits: &str) -> String {
        format!("{}{digits}", self.images.prefix)
    }

    pub(super) fn missing(&self, method: &str) -> Option<Missing> {
        let entry = self.missing.iter().find(|(name, _)| *name == method)?;
        Some(entry.1)
    }
}

fn containerd_not_found(method: &str, what: What, id: &str) -> String {
    match (method, what) {
        ("Exec" | "ExecSync" | "Attach", _) => {
            format!("failed to find container {id:?} in store: not found")
        }
        ("ContainerStats" | "UpdateContainerResources", _) => {
            "failed to find container: not found".into()
        }
        ("PortForward", _) => format!("failed to find sandbox {id:?} in store: not found"),
        (_, What::Container) => {
            format!("an error occurred when try to find container {id:?}: not found")
        }
        ("PodSandboxStatus" | "PodSandboxStats", What::Sandbox) => {
            "an error occurred when try to find sandbox: not found".into()
        }
        (_, What::Sandbox) => {
            format!("an error occurred when try to find sandbox {id:?}: not found")
        }
    }
}

fn crio_not_found(method: &str, what: What, id: &str) -> Status {
    let code = match method {
        "Exec" | "Attach" | "ReopenContainerLog" | "UpdateContainerResources" => Code::Unknown,
        _ => Code::NotFound,
    };
    let text = match what {
        What::Container => format!(
            "could not find container {id:?}: container with ID starting with {id} not found: ID does not exist"
        ),
        What::Sandbox => format!(
            "could not find pod {id:?}: PodSandbox with ID starting with {id} not found: ID does not exist"
        ),
    };
    Status::new(code, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        Profile::Containerd16,
        "RuntimeConfig",
        "unknown method RuntimeConfig for service runtime.v1.RuntimeService"
    )]
    #[case(
        Profile::Containerd16,
        "GetContainerEvents",
        "method GetContainerEvents not implemented"
    )]
    #[case(
        Profile::Containerd16,
        "CheckpointContainer",
        "method CheckpointContainer not implemented"
    )]
    #[case(
        Profile::Containerd21,
        "ListPodSandboxMetrics",
        "method ListPodSandboxMetrics not implemented"
    )]
    #[case(
        Profile::CriDockerd,
        "ListPodSandboxStats",
        "method ListPodSandboxStats not implemented"
    )]
    fn missing_methods_say_so_as_captured(
        #[case] profile: Profile,
        #[case] method: &str,
        #[case] text: &str,
    ) {
        let missing = profile.traits().missing(method).expect("it is missing");
        let status = missing.status("runtime.v1.RuntimeService", method);
        assert_eq!(
            (status.code(), status.message()),
            (Code::Unimplemented, text)
        );
    }
}
