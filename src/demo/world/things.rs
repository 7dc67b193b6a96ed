//! What there is on the node.

use std::sync::Arc;

use super::super::item::Item;
use super::super::scenario::{ContainerSpec, ImageSpec, Life, PodSpec};
use super::Id;

/// One pod sandbox.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Pod {
    pub id: Id,
    pub uid: Arc<str>,
    pub spec: Arc<PodSpec>,
    pub attempt: u32,
    pub created: i64,
    pub ready: bool,
    pub ip: String,
    pub pid: u32,
    pub item: Option<Arc<Item>>,
}

/// One attempt of a container.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Container {
    pub id: Id,
    pub pod: Id,
    pub spec: Arc<ContainerSpec>,
    pub attempt: u32,
    pub state: State,
    pub created: i64,
    /// 0 if it never started.
    pub started: i64,
    pub pid: u32,
    /// Limits that were changed after it was made.
    pub limits: Option<Limits>,
    pub item: Option<Arc<Item>>,
    /// Set when the kubelet looks after it.
    pub(super) slot: Option<usize>,
}

/// State of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::demo) enum State {
    Created,
    Running,
    Exited(End),
}

/// How a container ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::demo) struct End {
    pub at: i64,
    pub exit: i32,
    pub reason: &'static str,
    pub message: String,
}

/// Limits set by `UpdateContainerResources`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::demo) struct Limits {
    pub memory: i64,
    pub cpu_quota: i64,
    pub cpu_shares: i64,
}

/// One image.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Image {
    /// 64 hexadecimal digits.
    pub id: String,
    pub tags: Vec<String>,
    pub digests: Vec<String>,
    pub spec: ImageSpec,
    pub item: Option<Arc<Item>>,
}

/// Something that a subscriber to events learns.
#[derive(Clone, Debug)]
pub(in crate::demo) struct Notice {
    pub id: Id,
    pub pod: Id,
    pub kind: NoticeKind,
    pub at: i64,
    /// The sandbox as it was, if it is the one that was removed.
    pub gone: Option<Arc<Pod>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::demo) enum NoticeKind {
    Created,
    Started,
    Stopped,
    Deleted,
}

impl End {
    /// An end with `exit` and the reason that goes with it.
    pub(in crate::demo) fn new(at: i64, exit: i32) -> Self {
        Self {
            at,
            exit,
            reason: if exit == 0 { "Completed" } else { "Error" },
            message: String::new(),
        }
    }

    /// The end that a life comes to.
    pub(super) fn of(life: &Life, at: i64) -> Self {
        let mut end = Self::new(at, life.exit_code());
        if life.oom {
            end.reason = "OOMKilled";
        }
        end
    }
}

/// Exit code after SIGTERM: a server of good manners says 0, a shell 143.
pub(super) fn term_exit(spec: &ContainerSpec) -> i32 {
    match spec.command.first() {
        Some(command) if command.ends_with("sh") => 143,
        _ => 0,
    }
}

impl Container {
    /// How it ended, if it has.
    pub(in crate::demo) fn ended(&self) -> Option<&End> {
        match &self.state {
            State::Exited(end) => Some(end),
            _ => None,
        }
    }

    /// Memory limit in bytes, 0 for none.
    pub(in crate::demo) fn memory_limit(&self) -> i64 {
        let own = i64::try_from(self.spec.uses.memory_limit.0).unwrap_or(i64::MAX);
        match self.limits {
            Some(limits) if limits.memory > 0 => limits.memory,
            _ => own,
        }
    }
}
