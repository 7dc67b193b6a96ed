//! Somebody ended it: asked, or by force.

use jiff::Timestamp;

use super::seen;
use crate::format::seconds_between;
use crate::triage::facts::{ContainerFacts, Said};
use crate::triage::verdict::{Confidence, Opinion, Rule};

/// A probe failed.
pub const PROBE: Rule<ContainerFacts> = Rule {
    id: "killed-by-probe",
    means: "The kubelet ended the container because its liveness or startup probe failed.",
    todo: "See why the probe failed: too slow to start, too busy, or really stuck.",
    judge: probe,
};
/// It did not heed SIGTERM.
pub const GRACE: Rule<ContainerFacts> = Rule {
    id: "killed-after-grace",
    means: "It was asked to end, did not within its grace period, and was killed.",
    todo: "Make its first process handle SIGTERM, or give it a longer grace period.",
    judge: grace,
};
/// It was asked to end, and did.
pub const REQUEST: Rule<ContainerFacts> = Rule {
    id: "terminated-by-request",
    means: "It was asked to end (SIGTERM) and did: a rollout, an eviction, or somebody by hand.",
    todo: "Nothing is wrong with the program; see who asked in the kubelet's log.",
    judge: request,
};
/// The runtime lost it.
pub const RESTARTED: Rule<ContainerFacts> = Rule {
    id: "runtime-restarted",
    means: "The runtime does not know how it ended: the runtime or the node was restarted meanwhile.",
    todo: "See when the node booted and when the runtime was started.",
    judge: restarted,
};
/// Nobody knows who.
pub const UNKNOWN: Rule<ContainerFacts> = Rule {
    id: "killed-unknown",
    means: "It was killed (SIGKILL), and nothing that can be seen here says by whom.",
    todo: "Not for memory as far as is known: look for somebody on the node, and in its audit log.",
    judge: unknown,
};

/// What the kubelet says when a probe decides.
const PROBES: [&[&str]; 3] = [
    &["failed liveness probe"],
    &["failed startup probe"],
    &["Probe failed", "iveness"],
];
/// What the kubelet and the runtimes say when a container is to end.
const STOPS: [&[&str]; 4] = [
    &["StopContainer for"],
    &["Stop container", "signal"],
    &["Killing container with a grace period"],
    &["Stopping container", "with timeout"],
];

/// The first line of `marks` from the time in which the attempt that ended was running: a stop is
/// also told when it is over.
fn before_end<'a>(facts: &'a ContainerFacts, marks: &'a [&'a [&'a str]]) -> Option<&'a Said> {
    let ended = facts.ended()?;
    let (start, end) = (ended.started_at?, ended.finished_at?);
    let within = |at: Timestamp| at >= start && at.as_second() <= end.as_second() + 2;
    let found = marks.iter().flat_map(|marks| facts.says(marks));
    found
        .filter(|line| line.at.is_some_and(within))
        .min_by_key(|line| line.at)
}

fn probe(facts: &ContainerFacts) -> Option<Opinion> {
    if !matches!(facts.code()?, 137 | 143 | 0..=2) {
        return None;
    }
    let line = before_end(facts, &PROBES)?;
    let opinion = Opinion::proven("the kubelet ended it because a probe failed");
    let opinion = opinion.with([seen::said(line)]).with(seen::exit(facts));
    Some(opinion.next(seen::describe(facts)).next(seen::logs(facts)))
}

fn was_oom(facts: &ContainerFacts) -> bool {
    facts.ended().is_some_and(|ended| {
        ended.reason == "OOMKilled" || facts.kills_in(&ended.id).next().is_some()
    })
}

fn grace(facts: &ContainerFacts) -> Option<Opinion> {
    if facts.code() != Some(137) || was_oom(facts) {
        return None;
    }
    let stop = before_end(facts, &STOPS);
    let (confidence, evidence) = match stop {
        Some(line) => (Confidence::Proven, Some(seen::said(line))),
        // The sandbox is going: the kubelet stops what is in it.
        None if !facts.standing.pod_ready => (Confidence::Likely, None),
        None => return None,
    };
    let end = facts.ended().and_then(|ended| ended.finished_at);
    let waited = stop.and_then(|line| Some(seconds_between(line.at?, end?)));
    let line = match waited {
        Some(seconds) => format!("it was asked to end, did not for {seconds}s, and was killed"),
        None => "it was stopped with its pod, did not end in time, and was killed".to_owned(),
    };
    let opinion = Opinion::new(confidence, line)
        .with(evidence)
        .with(seen::exit(facts));
    Some(opinion.next(seen::logs(facts)))
}

fn request(facts: &ContainerFacts) -> Option<Opinion> {
    if facts.code() != Some(143) {
        return None;
    }
    let opinion = match before_end(facts, &STOPS) {
        Some(line) => {
            Opinion::proven("it was asked to end (SIGTERM) and did").with([seen::said(line)])
        }
        None => Opinion::likely("it ended on SIGTERM").with(seen::unseen(facts)),
    };
    let opinion = opinion.with(seen::exit(facts));
    Some(opinion.next(seen::describe(facts)))
}

fn restarted(facts: &ContainerFacts) -> Option<Opinion> {
    let ended = facts.ended()?;
    let unknown = ended.reason == "Unknown" && matches!(ended.exit_code, Some(255) | None);
    let lost = ended.state == crate::domain::ContainerState::Unknown;
    if !unknown && !lost {
        return None;
    }
    let line = "the runtime does not know how it ended: it, or the node, was restarted meanwhile";
    let opinion = Opinion::likely(line).with(seen::exit(facts));
    Some(
        opinion
            .next("uptime --since")
            .next("systemctl status containerd crio"),
    )
}

fn unknown(facts: &ContainerFacts) -> Option<Opinion> {
    let known = was_oom(facts)
        || before_end(facts, &STOPS).is_some()
        || before_end(facts, &PROBES).is_some()
        || !facts.standing.pod_ready;
    if facts.code() != Some(137) || known {
        return None;
    }
    let blind = facts.kernel.is_err() || facts.said.is_err();
    let opinion = if blind {
        Opinion::possible("it was killed, and not everything could be seen that may say by whom")
    } else {
        Opinion::likely("it was killed by somebody other than the kubelet, and not for memory")
    };
    let opinion = opinion.with(seen::exit(facts)).with(seen::unseen(facts));
    let opinion = opinion.next(seen::describe(facts)).next(seen::logs(facts));
    Some(opinion.next("ausearch -m OBJ_PID --start recent"))
}
