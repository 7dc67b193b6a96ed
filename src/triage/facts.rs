//! What is known when a verdict is asked for: plain data, gathered elsewhere. What could not be
//! looked at says why.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::domain::{ContainerId, ContainerState};
use crate::format::{bytes, seconds_between, span};
use crate::stats::cgroup::{Cgroup, Look};
use crate::text::Text;

mod node;
mod pod;

pub use node::{AddressRange, Certificate, Condition, Kubelet, Manifest, NodeFacts};
pub use pod::PodFacts;

/// What was seen, or a line that says why nothing could be.
pub type Seen<T> = Result<T, Text>;

/// What a finding is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
pub struct About {
    /// Namespace of the pod.
    pub namespace: Text,
    /// Name of the pod.
    pub pod: Text,
    /// Name of the container; `None` if it is the pod as a whole.
    pub container: Option<Text>,
    /// Id of the attempt that is judged.
    pub container_id: Option<ContainerId>,
}

/// One attempt of a container, as its status tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// Its id.
    pub id: ContainerId,
    /// Its number, from 0.
    pub number: u32,
    /// Its state.
    pub state: ContainerState,
    /// When it was created, started, and ended.
    pub created_at: Option<Timestamp>,
    /// When its process started.
    pub started_at: Option<Timestamp>,
    /// When its process ended.
    pub finished_at: Option<Timestamp>,
    /// Exit code of one that has ended.
    pub exit_code: Option<i32>,
    /// The runtime's word for the end.
    pub reason: Text,
    /// The runtime's error text.
    pub message: Text,
}

impl Attempt {
    /// It has ended, or never started.
    pub fn is_over(&self) -> bool {
        matches!(self.state, ContainerState::Exited | ContainerState::Unknown)
    }

    /// How long it ran.
    pub fn ran(&self) -> Option<u64> {
        Some(seconds_between(self.started_at?, self.finished_at?))
    }

    /// It was never started, and that is an error.
    pub fn never_started(&self) -> bool {
        self.reason == "StartError" || self.reason == "ContainerCannotRun"
    }
}

/// What the container was made from; see [`crate::domain::Spec`].
pub use crate::domain::Spec;

/// Where a container stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Something is wrong with it, by its state and the states of its attempts alone.
    pub sick: bool,
    /// Its sandbox is ready.
    pub pod_ready: bool,
    /// Restarts so far.
    pub restarts: u32,
    /// When the kubelet will probably start it again.
    pub next_restart: Option<Timestamp>,
    /// Its image, by name.
    pub image: Text,
    /// The image is on the node; `None` if that is not known.
    pub image_here: Option<bool>,
    /// Seconds that it gets to end after SIGTERM, if the kubelet says.
    pub grace: Option<u64>,
    /// It is the newest container of its pod that is to be there, or a debug container: nobody
    /// restarts those.
    pub static_pod: bool,
}

/// A line that somebody logged about this container or its pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// When; `None` if the line does not say.
    pub at: Option<Timestamp>,
    /// The line.
    pub text: Text,
    /// Which log.
    pub source: Text,
}

/// Where the memory limit was that the kernel enforced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// A cgroup's, by path.
    Cgroup(Text),
    /// The node itself had no memory left.
    Node,
}

/// The kernel has killed a process for memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kill {
    /// When.
    pub at: Option<Timestamp>,
    /// Whose limit it was.
    pub scope: Scope,
    /// Cgroup of the process.
    pub cgroup: Text,
    /// Name of the process.
    pub process: Text,
    /// Its number on the node.
    pub pid: u32,
    /// The kernel's line.
    pub line: Text,
}

/// The kernel has reported a fault of a process: a segfault, an illegal instruction, a system call
/// that a filter forbids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// When.
    pub at: Option<Timestamp>,
    /// Name of the process.
    pub process: Text,
    /// Its number on the node.
    pub pid: u32,
    /// The kernel's line.
    pub line: Text,
}

/// What the kernel's log says, all of it or what concerns one container.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kernel {
    /// Where it was read.
    pub source: Text,
    /// Kills for memory, oldest first.
    pub kills: Vec<Kill>,
    /// Faults, oldest first.
    pub faults: Vec<Fault>,
}

/// One line of a container's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// When it was written.
    pub at: Option<Timestamp>,
    /// It went to standard error.
    pub stderr: bool,
    /// What was written.
    pub text: Text,
}

/// The end of an attempt's log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogTail {
    /// Path of the folder and attempt.
    pub source: Text,
    /// The last lines, oldest first.
    pub lines: Vec<LogLine>,
    /// The line that is most likely the cause, as a place in `lines`.
    pub cause: Option<usize>,
    /// The cause is a crash that a language's runtime reports: a panic, an uncaught exception.
    pub crash: bool,
}

impl LogTail {
    /// The likely cause.
    pub fn cause(&self) -> Option<&LogLine> {
        self.lines.get(self.cause?)
    }

    /// The first line that contains one of `marks`.
    pub fn with(&self, marks: &[&str]) -> Option<&LogLine> {
        let mut lines = self.lines.iter().rev();
        lines.find(|line| marks.iter().any(|mark| line.text.as_str().contains(mark)))
    }
}

/// A `ConfigMap` or Secret that is mounted into the pod, in the kubelet's folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// `configmap`, `secret` or `projected`.
    pub kind: &'static str,
    /// Name of the volume.
    pub volume: Text,
    /// When its content last changed.
    pub changed_at: Option<Timestamp>,
    /// Its keys.
    pub keys: Vec<Text>,
    /// Where it lies.
    pub path: Text,
}

/// What the node's files say of a container.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OnDisk {
    /// Sources of its mounts that are not there.
    pub missing_mounts: Vec<Text>,
    /// What it left as its last word, if it did.
    pub last_word: Option<Text>,
    /// Configuration that is mounted into its pod.
    pub configs: Vec<Config>,
    /// Its first process, as `/proc` has it; `None` if nothing is known.
    pub process: Option<ProcessState>,
}

/// How a process stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProcessState {
    /// There is none of that number any more.
    Gone(u32),
    /// It is there: number, state letter, and what it waits for in the kernel.
    There(u32, char, Text),
}

/// All that is known of one container, with the newest attempt in front.
#[derive(Clone, PartialEq, Debug)]
pub struct ContainerFacts {
    /// Whose facts.
    pub about: About,
    /// When they were gathered.
    pub now: Timestamp,
    /// Where it stands.
    pub standing: Standing,
    /// Its attempts that the runtime still knows, the newest first; never empty.
    pub attempts: Vec<Attempt>,
    /// What it was made from.
    pub spec: Seen<Spec>,
    /// What differs between the newest attempt and the one before.
    pub changes: Vec<Text>,
    /// Its cgroup and its pod's.
    pub cgroups: Look,
    /// The kernel's words about it.
    pub kernel: Seen<Kernel>,
    /// The end of the log of the attempt that is judged.
    pub log: Seen<LogTail>,
    /// The kubelet's and the runtime's lines about it, oldest first.
    pub said: Seen<Vec<Said>>,
    /// What the node's files say.
    pub disk: OnDisk,
}

impl ContainerFacts {
    /// The newest attempt.
    pub fn newest(&self) -> Option<&Attempt> {
        self.attempts.first()
    }

    /// The attempt whose end is to be explained: the newest one, or the one before if that runs.
    pub fn ended(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.is_over())
    }

    /// Exit code of that attempt.
    pub fn code(&self) -> Option<i32> {
        self.ended()?.exit_code
    }

    /// The newest attempt runs.
    pub fn runs(&self) -> bool {
        self.newest()
            .is_some_and(|newest| newest.state == ContainerState::Running)
    }

    /// Its memory limit, in bytes: as the cgroup says, else as it was asked for.
    pub fn limit(&self) -> Option<u64> {
        let own = self.cgroups.own.and_then(|own| own.limits.memory);
        let asked = self.spec.as_ref().ok().and_then(|spec| spec.limits.memory);
        own.or(asked)
    }

    /// Memory limit of its pod, in bytes.
    pub fn pod_limit(&self) -> Option<u64> {
        self.cgroups.pod.and_then(|pod| pod.limits.memory)
    }

    /// Its own cgroup.
    pub fn own(&self) -> Option<&Cgroup> {
        self.cgroups.own.as_ref()
    }

    /// Kills for memory in the attempt `id`.
    pub fn kills_in(&self, id: &ContainerId) -> impl Iterator<Item = &Kill> {
        let kills = self.kernel.as_ref().map_or(&[][..], |kernel| &kernel.kills);
        let id = id.as_str().to_owned();
        kills
            .iter()
            .filter(move |kill| id.len() >= 12 && kill.cgroup.as_str().contains(&id))
    }

    /// Lines of the kubelet or the runtime that contain all of `marks`, the newest first.
    pub fn says<'a>(&'a self, marks: &'a [&'a str]) -> impl Iterator<Item = &'a Said> {
        let said = self.said.as_ref().map_or(&[][..], Vec::as_slice);
        said.iter()
            .rev()
            .filter(move |line| marks.iter().all(|mark| line.text.as_str().contains(mark)))
    }

    /// `NAMESPACE/POD/CONTAINER`, as `critui logs` takes it.
    pub fn target(&self) -> String {
        self.about.target()
    }
}

impl About {
    /// `NAMESPACE/POD/CONTAINER`, or without the container.
    pub fn target(&self) -> String {
        let pod = format!("{}/{}", self.namespace, self.pod);
        match &self.container {
            Some(name) => format!("{pod}/{name}"),
            None => pod,
        }
    }
}

/// `from` plus so many seconds.
pub fn later(from: Timestamp, seconds: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

/// `64.0MiB` of bytes that may be unknown.
pub fn size(count: Option<u64>) -> String {
    count.map_or_else(|| "none".to_owned(), bytes)
}

/// How long ago, in words.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    format!("{} ago", span(seconds_between(at, now)))
}
