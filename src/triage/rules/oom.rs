//! Killed for memory: whose limit it was, and which process died.

use super::seen;
use crate::triage::facts::{ContainerFacts, Kill, Scope, size};
use crate::triage::verdict::{Opinion, Rule};

/// The container's own limit.
pub const CONTAINER: Rule<ContainerFacts> = Rule {
    id: "oom-container-limit",
    means: "The container reached its own memory limit and the kernel killed it.",
    todo: "Compare the highest use with the limit: raise the limit, or find what grows.",
    judge: container,
};
/// The pod's limit.
pub const POD: Rule<ContainerFacts> = Rule {
    id: "oom-pod-limit",
    means: "The pod as a whole reached its memory limit, and this container's process was chosen.",
    todo: "Look at all containers of the pod and at its memory-backed volumes.",
    judge: pod,
};
/// The node.
pub const NODE: Rule<ContainerFacts> = Rule {
    id: "oom-node",
    means: "The node had no memory left, and the kernel chose this container.",
    todo: "See what uses the node's memory; give this container a request that fits its use.",
    judge: node,
};
/// Not the main process.
pub const CHILD: Rule<ContainerFacts> = Rule {
    id: "oom-child-process",
    means: "The kernel killed a process of the container for memory, but not the container.",
    todo: "Its status does not tell it: look for workers that vanish, and raise the limit.",
    judge: child,
};

/// Whose limit a kill was about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Container,
    Pod,
    Node,
}

/// A kill in the attempt that ended, and its level.
fn last_kill(facts: &ContainerFacts) -> Option<(&Kill, Level)> {
    let ended = facts.ended()?;
    let kill = facts.kills_in(&ended.id).last()?;
    let level = match &kill.scope {
        Scope::Cgroup(path) if path.as_str().contains(ended.id.as_str()) => Level::Container,
        Scope::Cgroup(path) if path.as_str().contains("pod") && !is_all_pods(path.as_str()) => {
            Level::Pod
        }
        Scope::Cgroup(_) | Scope::Node => Level::Node,
    };
    Some((kill, level))
}

/// The cgroup of all pods, or of all of one class.
fn is_all_pods(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    !last.contains("pod")
        || matches!(
            last.trim_end_matches(".slice"),
            "kubepods" | "kubepods-burstable" | "kubepods-besteffort"
        )
}

/// The attempt ended by a kill for memory: the runtime says so, or the kernel does and the signal
/// fits.
fn was_killed(facts: &ContainerFacts) -> bool {
    let Some(ended) = facts.ended() else {
        return false;
    };
    ended.reason == "OOMKilled" || (ended.exit_code == Some(137) && last_kill(facts).is_some())
}

fn of_level(facts: &ContainerFacts, wanted: Level) -> Option<Opinion> {
    if !was_killed(facts) {
        return None;
    }
    let words = |whose: &str| format!("killed for memory: {whose}");
    let (limit, pod) = (facts.limit(), facts.pod_limit());
    let whose = match wanted {
        Level::Container => format!("the container reached its limit of {}", size(limit)),
        Level::Pod => format!("the pod reached its limit of {}", size(pod)),
        Level::Node => "the node had none left".to_owned(),
    };
    let opinion = match last_kill(facts) {
        Some((kill, level)) if level == wanted => {
            Opinion::proven(words(&whose)).with(seen::kill(facts, kill))
        }
        Some(_) => return None,
        None => {
            // Only the runtime's word: which limit there is decides.
            let guess = match (limit, pod) {
                (Some(_), _) => Level::Container,
                (None, Some(_)) => Level::Pod,
                (None, None) => Level::Node,
            };
            if guess != wanted {
                return None;
            }
            Opinion::likely(words(&whose)).with(seen::unseen(facts))
        }
    };
    let opinion = opinion.with(seen::exit(facts)).with(seen::memory(facts));
    Some(opinion.next(seen::logs(facts)))
}

fn container(facts: &ContainerFacts) -> Option<Opinion> {
    of_level(facts, Level::Container).map(|opinion| {
        opinion
            .next("critui top --sort memory")
            .next("# raise resources.limits.memory, or make the program use less")
    })
}

fn pod(facts: &ContainerFacts) -> Option<Opinion> {
    of_level(facts, Level::Pod).map(|opinion| opinion.next(seen::describe(facts)))
}

fn node(facts: &ContainerFacts) -> Option<Opinion> {
    of_level(facts, Level::Node).map(|opinion| opinion.next("critui top --sort memory"))
}

fn child(facts: &ContainerFacts) -> Option<Opinion> {
    let newest = facts.newest()?;
    let counted = facts
        .own()
        .and_then(|own| own.counters.oom_kills)
        .unwrap_or(0);
    let kill = facts.kills_in(&newest.id).last();
    let survived = facts.runs() || newest.exit_code.is_some_and(|code| code != 137);
    if !survived || newest.reason == "OOMKilled" || (counted == 0 && kill.is_none()) {
        return None;
    }
    let who = kill.map_or_else(
        || "a process".to_owned(),
        |kill| format!("its process {}", kill.process),
    );
    let lives = if facts.runs() {
        ", the container runs on"
    } else {
        ""
    };
    let limit = size(facts.limit());
    let line = format!("{who} was killed for memory at the limit of {limit}{lives}");
    let kill = kill.map(|one| seen::kill(facts, one)).unwrap_or_default();
    let opinion = Opinion::proven(line).with(kill).with(seen::memory(facts));
    Some(opinion.next(seen::logs(facts)))
}
