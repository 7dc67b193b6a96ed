//! What a node holds, in small types with typed ids: the vocabulary that every other module
//! shares. The wire format becomes these types once, in `cri::convert`; nothing above sees a raw
//! nanosecond, an enum number or an unchecked string.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::text::Text;

pub mod security;
mod spec;

pub use spec::Spec;

/// A map by id. Ids are made by the runtime, and a refresh looks up every one on the node, so the
/// hash is a quick one.
pub type IdMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
/// A set of ids; see [`IdMap`].
pub type IdSet<K> = HashSet<K, foldhash::fast::RandomState>;

/// What changed about a list since it was last told. What did not change keeps its `Arc`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changes<T> {
    /// What was told before is void: `came` is all there is.
    pub whole: bool,
    /// Things that are there now, in the runtime's (random) order. One that changed is among
    /// these as it is now, and in `went` as it was.
    pub came: Vec<Arc<T>>,
    /// Things that are no longer there.
    pub went: Vec<Arc<T>>,
}

impl<T> Changes<T> {
    /// A list that is told whole.
    pub fn all(came: Vec<Arc<T>>) -> Self {
        Self {
            whole: true,
            came,
            went: Vec::new(),
        }
    }

    /// Nothing changed.
    pub fn is_empty(&self) -> bool {
        !self.whole && self.came.is_empty() && self.went.is_empty()
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(Text);

        impl $name {
            /// The id as the runtime gave it.
            pub fn new(raw: &str) -> Self {
                Self(Text::clean(raw))
            }
            /// The whole id.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
            /// The first 13 characters, as crictl shows it, without a `sha256:` prefix.
            pub fn short(&self) -> &str {
                let id = self.as_str();
                let bare = id.strip_prefix("sha256:").unwrap_or(id);
                bare.char_indices().nth(13).map_or(bare, |(at, _)| &bare[..at])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
    };
}

id! {
    /// Id of a pod sandbox (what crictl calls POD ID), not the uid of the pod.
    PodId
}
id! {
    /// Id of one attempt of a container.
    ContainerId
}
id! {
    /// Id of an image. containerd and Docker write `sha256:HEX`, CRI-O bare `HEX`; compare
    /// through [`ImageId::key`].
    ImageId
}

impl ImageId {
    /// The id without `sha256:`, the form in which references can be joined.
    pub fn key(&self) -> &str {
        let id = self.as_str();
        id.strip_prefix("sha256:").unwrap_or(id)
    }
}

/// Labels or annotations, sorted by key.
pub type Labels = Vec<(Text, Text)>;

/// The value of `key`.
pub fn label<'a>(labels: &'a Labels, key: &str) -> Option<&'a Text> {
    let at = labels.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
    Some(&labels[at].1)
}

/// State of a pod sandbox.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PodState {
    /// The sandbox runs.
    Ready,
    /// The sandbox has stopped, or never came up.
    NotReady,
    /// A number that this version of the CRI does not know.
    Unknown,
}

impl PodState {
    /// The name crictl prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::NotReady => "NotReady",
            Self::Unknown => "Unknown",
        }
    }
}

/// State of a container.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ContainerState {
    /// Made, not started.
    Created,
    /// Its process runs (a paused one too: the CRI has no word for it).
    Running,
    /// Its process has ended, or could never start.
    Exited,
    /// The runtime has lost its state.
    Unknown,
}

impl ContainerState {
    /// The name crictl prints.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "Created",
            Self::Running => "Running",
            Self::Exited => "Exited",
            Self::Unknown => "Unknown",
        }
    }
}

/// One pod sandbox, as `ListPodSandbox` tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pod {
    /// Sandbox id.
    pub id: PodId,
    /// Uid of the pod, the same for every sandbox it has had.
    pub uid: Text,
    /// Pod name, from the metadata.
    pub name: Text,
    /// Namespace, from the metadata.
    pub namespace: Text,
    /// How many sandboxes this pod had before this one.
    pub attempt: u32,
    /// State.
    pub state: PodState,
    /// When the sandbox was made; `None` if the runtime does not say.
    pub created_at: Option<Timestamp>,
    /// Runtime handler; `None` is the default one.
    pub runtime_handler: Option<Text>,
    /// All labels of the pod.
    pub labels: Labels,
    /// All annotations of the pod.
    pub annotations: Labels,
}

/// What `PodSandboxStatus` adds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PodDetail {
    /// Primary IP first. Empty for a host-network pod and for a stopped sandbox.
    pub ips: Vec<Text>,
    /// The pod uses the node's network.
    pub host_network: bool,
    /// The pod sees the node's processes.
    pub host_pid: bool,
    /// The pod shares the node's IPC.
    pub host_ipc: bool,
}

/// One attempt of a container, as `ListContainers` tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Container {
    /// Container id.
    pub id: ContainerId,
    /// Sandbox it runs in.
    pub pod_id: PodId,
    /// Name within the pod.
    pub name: Text,
    /// The kubelet's restart count when this attempt was made.
    pub attempt: u32,
    /// State.
    pub state: ContainerState,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Image as in the request that created it: under the kubelet an id, else what was typed.
    pub image: Text,
    /// The id to join images by: `image_id`, else `image_ref`.
    pub image_id: ImageId,
    /// Labels: under the kubelet exactly four.
    pub labels: Labels,
    /// Annotations, the kubelet's own ones.
    pub annotations: Labels,
}

impl Container {
    /// How often the kubelet has restarted it: the annotation, else the attempt.
    pub fn restart_count(&self) -> u32 {
        label(&self.annotations, "io.kubernetes.container.restartCount")
            .and_then(|text| text.as_str().parse().ok())
            .unwrap_or(self.attempt)
    }
}

/// No container is given as much memory: what says so means that there is no limit.
pub const NO_LIMIT: u64 = 1 << 60;

/// What a container may use. No limit is `None`, however the node writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// CPU, in millionths of a core.
    pub cpu: Option<u64>,
}

impl Limits {
    /// More cores than any node has.
    const NO_CPU: u64 = 100_000 * 1_000_000;

    /// From the numbers of the node: bytes, and microseconds of CPU time in each period. Zero,
    /// negative and absurd ones are no limit.
    pub fn of(memory: i64, quota: i64, period: i64) -> Self {
        let memory = u64::try_from(memory).ok();
        let cpu = u64::try_from(quota).ok().zip(u64::try_from(period).ok());
        let cpu = cpu.and_then(|(quota, period)| quota.checked_mul(1_000_000)?.checked_div(period));
        Self {
            memory: memory.filter(|bytes| (1..NO_LIMIT).contains(bytes)),
            cpu: cpu.filter(|cpu| (1..Self::NO_CPU).contains(cpu)),
        }
    }
}

/// What `ContainerStatus` adds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ContainerDetail {
    /// When its process started; `None` if it never did.
    pub started_at: Option<Timestamp>,
    /// When its process ended. Some runtimes let this lie just before the start: clamp.
    pub finished_at: Option<Timestamp>,
    /// Exit code, only of a container that has exited. -1 (CRI-O) is unknown: `None`.
    pub exit_code: Option<i32>,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`, `Unknown`, ...
    pub reason: Option<Text>,
    /// The runtime's own error text.
    pub message: Option<Text>,
    /// Absolute path of the log on the node.
    pub log_path: Option<Text>,
    /// The image as the status names it: on containerd the first tag.
    pub image: Option<Text>,
    /// What it may use, as far as the runtime says: cri-dockerd does not.
    pub limits: Limits,
}

/// One process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Process {
    /// Its number on the node.
    pub pid: u32,
    /// Its number in the container.
    pub inner: u32,
    /// The user it acts as.
    pub uid: u32,
    /// `S`, `R`, `D`, `Z`, ...
    pub state: char,
    /// Bytes of memory that are its own or shared.
    pub memory: u64,
    /// Its command line, or its name in brackets.
    pub command: Text,
}

/// Something that listens.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Listener {
    /// The port.
    pub port: u16,
    /// `tcp` or `udp`.
    pub protocol: &'static str,
    /// The address it is bound to.
    pub address: IpAddr,
}

/// A name in a folder of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileRow {
    /// The name, for the screen.
    pub name: Text,
    /// The name as it is, for the way there.
    pub raw: OsString,
    /// `-`, `d`, `l`, `c`, `p`, `s`, as `ls` has it.
    pub kind: char,
    /// Bytes of a file.
    pub size: u64,
    /// Permission bits (`0o7777`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Where a link points.
    pub target: Option<Text>,
}

/// What a path in a container leads to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Contents {
    /// The names in a folder, in order, and whether those are all.
    Folder(Vec<FileRow>, bool),
    /// The beginning of a file as text, its bytes, and whether that is all of it.
    File(Vec<Text>, u64, bool),
}

/// A container as the node sees it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inside {
    /// Its processes, the first one first.
    pub processes: Vec<Process>,
    /// What listens in its network, which is that of the whole pod.
    pub listeners: Vec<Listener>,
}

/// One image, as `ListImages` tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// Image id.
    pub id: ImageId,
    /// `host/name:tag`, sorted; empty for a dangling image.
    pub tags: Vec<Text>,
    /// `host/name@sha256:HEX`, sorted; empty for one imported from a tar.
    pub digests: Vec<Text>,
    /// Bytes: compressed in the store on containerd, uncompressed on CRI-O.
    pub size: u64,
    /// The runtime keeps it (the sandbox image).
    pub pinned: bool,
}

/// What `Version` answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuntimeVersion {
    /// `containerd`, `cri-o`, `docker`.
    pub name: Text,
    /// Its version.
    pub version: Text,
    /// `v1`.
    pub api_version: Text,
}
