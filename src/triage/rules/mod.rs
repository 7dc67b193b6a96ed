//! The rules, and the order in which equally strong ones are told.

mod app;
mod control_plane;
mod heap;
mod killed;
mod limits;
mod node;
mod oom;
mod pods;
mod seen;
mod signal;
mod start;
mod unknown;
mod waiting;

use super::facts::{ContainerFacts, NodeFacts, PodFacts};
use super::verdict::Rule;

pub use unknown::unknown;

/// What can be said of a container; the more specific ones first.
pub const CONTAINER: [&Rule<ContainerFacts>; 28] = [
    &oom::CONTAINER,
    &oom::POD,
    &oom::NODE,
    &killed::PROBE,
    &start::MOUNT,
    &start::NOT_FOUND,
    &start::DENIED,
    &start::ERROR,
    &heap::RULE,
    &signal::SECCOMP,
    &signal::SEGFAULT,
    &signal::ILLEGAL,
    &signal::BUS,
    &signal::ABORT,
    &killed::GRACE,
    &killed::REQUEST,
    &killed::RESTARTED,
    &limits::PIDS,
    &app::PANIC,
    &app::ERROR,
    &app::ZERO,
    &waiting::CREATED,
    &waiting::IMAGE,
    &oom::CHILD,
    &limits::MEMORY,
    &limits::CPU,
    &waiting::GONE,
    &killed::UNKNOWN,
];

/// What can be said of a pod.
pub const POD: [&Rule<PodFacts>; 6] = [
    &pods::STUCK,
    &pods::PULL,
    &pods::CONFIG,
    &pods::SANDBOX,
    &pods::ZOMBIE,
    &pods::EMPTY,
];

/// What can be said of the node.
pub const NODE: [&Rule<NodeFacts>; 14] = [
    &node::DOWN,
    &node::KUBELET,
    &node::CNI,
    &node::ADDRESSES,
    &node::DISK,
    &node::INODES,
    &node::MEMORY,
    &node::SLOW,
    &control_plane::ETCD,
    &control_plane::STATIC,
    &control_plane::PORT,
    &control_plane::CERTIFICATE,
    &node::CLOCK,
    &node::GHOST,
];

/// Id, meaning and what to do, of all verdicts there are, in the order of the tables.
pub fn all() -> Vec<(&'static str, &'static str, &'static str)> {
    fn row<F>(rule: &Rule<F>) -> (&'static str, &'static str, &'static str) {
        (rule.id, rule.means, rule.todo)
    }
    let mut all: Vec<_> = CONTAINER.iter().map(|rule| row(rule)).collect();
    all.extend(POD.iter().map(|rule| row(rule)));
    all.extend(NODE.iter().map(|rule| row(rule)));
    all.push(unknown::ROW);
    all
}
