//! Pods that do not come up, or do not go.

use super::seen;
use crate::domain::ContainerState;
use crate::format::span;
use crate::triage::facts::{PodFacts, ProcessState, Said};
use crate::triage::verdict::{Evidence, Opinion, Rule};

/// The image cannot be pulled.
pub const PULL: Rule<PodFacts> = Rule {
    id: "image-pull-failing",
    means: "The pod waits for an image that cannot be pulled.",
    todo: "The log names the cause: a name that is wrong, credentials, the registry, a proxy.",
    judge: pull,
};
/// Its configuration is missing.
pub const CONFIG: Rule<PodFacts> = Rule {
    id: "container-config-missing",
    means: "The kubelet cannot make the container: a ConfigMap, Secret, key or volume is missing.",
    todo: "Create what is missing, or correct its name in the pod's specification.",
    judge: config,
};
/// The sandbox cannot be made.
pub const SANDBOX: Rule<PodFacts> = Rule {
    id: "sandbox-failing",
    means: "The pod's sandbox cannot be made or lost its network: nothing in it can start.",
    todo: "Usually the network plugin: see the runtime's log and /etc/cni/net.d.",
    judge: sandbox,
};
/// It does not go.
pub const STUCK: Rule<PodFacts> = Rule {
    id: "stuck-terminating",
    means: "The pod's sandbox has stopped, but a container in it still runs or cannot be ended.",
    todo: "The evidence names the blocker: a process, what it waits for, a mount.",
    judge: stuck,
};
/// It was left behind.
pub const ZOMBIE: Rule<PodFacts> = Rule {
    id: "zombie-sandbox",
    means: "A sandbox is left behind: a newer one of the same pod has taken its place.",
    todo: "The kubelet removes it when it is well; crictl rmp does it by hand.",
    judge: zombie,
};
/// Nothing is known.
pub const EMPTY: Rule<PodFacts> = Rule {
    id: "no-containers",
    means: "The sandbox is ready, but no container was made in it, and no log that can be read says why.",
    todo: "Only the kubelet knows: an image that is being pulled, a missing Secret, a volume.",
    judge: empty,
};

/// A sandbox may be without containers for so long, in seconds: images are being pulled.
const GRACE: u64 = 60;
/// A container may run on in a stopped sandbox for so long.
const STOPPING: u64 = 60;

const PULLS: [&str; 6] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "Failed to pull image",
    "failed to pull and unpack image",
    "InvalidImageName",
    "ErrImageNeverPull",
];
const CONFIGS: [&str; 4] = [
    "CreateContainerConfigError",
    "MountVolume.SetUp failed",
    "Unable to attach or mount volumes",
    "FailedMount",
];
const SANDBOXES: [&str; 5] = [
    "Failed to create sandbox",
    "CreatePodSandboxError",
    "RunPodSandbox for",
    "failed to setup network for sandbox",
    "FailedCreatePodSandBox",
];

fn waits(facts: &PodFacts) -> bool {
    facts.ready && !facts.superseded && facts.containers.is_empty() && facts.age() >= GRACE
}

/// What kubelets and runtimes quote last: the cause, without the words around it.
fn cause(line: &Said) -> String {
    let text = line.text.as_str().replace('\\', "");
    let at = [
        "desc = ",
        "with CreateContainerConfigError: ",
        "with ErrImagePull: ",
        "with ImagePullBackOff: ",
    ]
    .iter()
    .filter_map(|mark| text.rfind(mark).map(|at| at + mark.len()))
    .max();
    let rest = at.map_or(text.as_str(), |at| &text[at..]);
    let end = rest
        .find("\" pod=")
        .or_else(|| rest.find(" pod=\""))
        .unwrap_or(rest.len());
    rest[..end].trim_matches(['"', ' ']).to_owned()
}

fn pull(facts: &PodFacts) -> Option<Opinion> {
    let line = facts.says(&PULLS).next()?;
    if !facts.ready || facts.superseded || !facts.containers.is_empty() && !is_recent(facts, line) {
        return None;
    }
    let summary = format!("its image cannot be pulled: {}", cause(line));
    let opinion = Opinion::proven(summary).with([seen::said(line)]);
    Some(
        opinion
            .next(seen::describe_pod(facts))
            .next("crictl images"),
    )
}

fn config(facts: &PodFacts) -> Option<Opinion> {
    let line = facts.says(&CONFIGS).next()?;
    if !waits(facts) {
        return None;
    }
    let summary = format!("the kubelet cannot make its container: {}", cause(line));
    let opinion = Opinion::proven(summary).with([seen::said(line)]);
    Some(opinion.next(seen::describe_pod(facts)))
}

/// It was said within two minutes, so it still holds.
fn is_recent(facts: &PodFacts, line: &Said) -> bool {
    let recent = crate::triage::facts::later(facts.now, -120);
    line.at.is_some_and(|at| at >= recent)
}

fn sandbox(facts: &PodFacts) -> Option<Opinion> {
    let said = facts.says(&SANDBOXES).next();
    let failed = said.filter(|line| {
        let text = line.text.as_str();
        text.contains("rror") || text.contains("ailed")
    });
    if facts.ready || facts.superseded || !facts.containers.is_empty() {
        return None;
    }
    let opinion = match (failed, &facts.no_network) {
        (Some(line), _) => Opinion::proven(format!("its sandbox cannot be made: {}", cause(line)))
            .with([seen::said(line)]),
        (None, Some(why)) => Opinion::likely("its sandbox has no network, so nothing in it starts")
            .with([Evidence::new("NetworkReady", why, "Status")]),
        (None, None) => return None,
    };
    Some(
        opinion
            .next("ls -l /etc/cni/net.d /opt/cni/bin")
            .next(seen::describe_pod(facts)),
    )
}

fn stuck(facts: &PodFacts) -> Option<Opinion> {
    if facts.ready {
        return None;
    }
    let live = facts.containers.iter();
    let live: Vec<&str> = live
        .filter(|(_, state)| *state == ContainerState::Running)
        .map(|(name, _)| name.as_str())
        .collect();
    let first = live.first()?;
    if facts.age() < STOPPING {
        return None;
    }
    let processes = facts.processes.iter().map(|(name, state)| match state {
        ProcessState::Gone(pid) => Evidence::new(
            name.as_str(),
            format!("its process {pid} is gone"),
            format!("/proc/{pid}"),
        ),
        ProcessState::There(pid, state, waits) => Evidence::new(
            name.as_str(),
            format!("process {pid}, state {state}, waits in {waits}"),
            format!("/proc/{pid}/stat and wchan"),
        ),
    });
    let held = facts
        .processes
        .iter()
        .find(|(_, state)| matches!(state, ProcessState::There(_, 'D' | 'Z', _)));
    let why = match held {
        Some((_, ProcessState::There(pid, 'D', waits))) => {
            format!(": process {pid} waits in the kernel ({waits})")
        }
        Some(_) => ": its process has ended, and nobody takes note".to_owned(),
        None => String::new(),
    };
    let said = facts.says(&[
        "Killing container",
        "StopContainer",
        "Orphaned pod",
        "KillContainerError",
    ]);
    let said = said.take(2).map(seen::said);
    let sandbox = Evidence::new("sandbox", "SANDBOX_NOTREADY", "PodSandboxStatus");
    let summary = format!("its sandbox has stopped, but {first} still runs{why}");
    let opinion = Opinion::proven(summary)
        .with([sandbox])
        .with(processes)
        .with(said);
    Some(
        opinion
            .next(seen::describe_pod(facts))
            .next(format!("crictl stopp {}", facts.id.short())),
    )
}

fn zombie(facts: &PodFacts) -> Option<Opinion> {
    let live = facts
        .containers
        .iter()
        .any(|(_, state)| *state == ContainerState::Running);
    if !facts.superseded || !(facts.ready || live) {
        return None;
    }
    let summary = format!(
        "sandbox {} of this pod still {}, though a newer one has taken its place",
        facts.id.short(),
        if live {
            "holds running containers"
        } else {
            "is ready"
        }
    );
    let attempt = Evidence::new("attempt", facts.attempt.to_string(), "ListPodSandbox");
    let opinion = Opinion::likely(summary).with([attempt.at(facts.created_at)]);
    Some(opinion.next(format!("crictl inspectp {}", facts.id.short())))
}

fn empty(facts: &PodFacts) -> Option<Opinion> {
    if !waits(facts) {
        return None;
    }
    let summary = format!(
        "it is ready for {}, but has no containers",
        span(facts.age())
    );
    let blind = facts.said.as_ref().err();
    let blind = blind.map(|why| Evidence::new("kubelet's log", format!("not seen: {why}"), ""));
    let age = Evidence::new("sandbox", "ready, empty", "ListContainers").at(facts.created_at);
    let opinion = Opinion::possible(summary).with([age]).with(blind);
    Some(
        opinion
            .next(seen::describe_pod(facts))
            .next("journalctl -u kubelet --since -10min"),
    )
}
