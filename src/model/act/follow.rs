//! What follows when something is stopped or removed: from the facts of the lists alone.

use crate::act::{Act, GRACE};
use crate::cri::debug::OWNER;
use crate::domain::{ContainerId, ContainerState, label};
use crate::model::Model;
use crate::model::act::choose::{Victim, Weight};
use crate::model::act::foresee::Question;
use crate::model::rows::{ContainerRow, PodRow};
use crate::text::Text;

/// The parts of a control plane.
const PLANE: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// `namespace/pod/container`.
pub fn title(row: &ContainerRow) -> Text {
    let name = &row.container.name;
    match &row.pod {
        Some(pod) => Text::clean(&format!("{}/{}/{name}", pod.namespace, pod.name)),
        None => name.clone(),
    }
}

/// Seconds that a container gets to end by itself: what the kubelet would give it.
pub fn grace(row: &ContainerRow) -> (u32, bool) {
    let keys = [
        "io.kubernetes.pod.deletionGracePeriod",
        "io.kubernetes.pod.terminationGracePeriod",
    ];
    let noted = |key| {
        label(&row.container.annotations, key)?
            .as_str()
            .parse()
            .ok()
    };
    // More than an hour is no patience that anybody has at a terminal, but it is the pod's own.
    let own = keys.into_iter().find_map(noted);
    (own.unwrap_or(GRACE), own.is_some())
}

fn grace_line(row: &ContainerRow) -> (Weight, String) {
    let (grace, own) = grace(row);
    let whose = if own { "the pod's own" } else { "the usual" };
    let line = match grace {
        0 => format!("killed at once: a grace period of 0s is {whose}"),
        _ => format!("SIGTERM now, SIGKILL after {grace}s ({whose} grace period)"),
    };
    (Weight::Plain, line)
}

fn is_kubelets(row: &ContainerRow) -> bool {
    label(&row.container.annotations, "io.kubernetes.container.hash").is_some()
}

/// Where the pod comes from: `api`, `file` or `http`, if the kubelet made it.
fn source(pod: &crate::domain::Pod) -> Option<&str> {
    label(&pod.annotations, "kubernetes.io/config.source").map(Text::as_str)
}

fn is_static(pod: &crate::domain::Pod) -> bool {
    matches!(source(pod), Some("file" | "http"))
}

/// Who looks after it, and what that means.
pub(super) fn whose(row: &ContainerRow) -> Vec<(Weight, String)> {
    let mut lines = Vec::new();
    let plane = row.pod.as_ref().and_then(|pod| plane(pod));
    lines.extend(plane);
    if label(&row.container.labels, OWNER).is_some() {
        lines.push((Weight::Plain, "a debug container of critui".to_owned()));
    } else if !is_kubelets(row) {
        let line = "not managed by a kubelet: nothing starts it again";
        lines.push((Weight::Warn, line.to_owned()));
    }
    lines
}

fn plane(pod: &crate::domain::Pod) -> Option<(Weight, String)> {
    let part = |name: &&str| is_static(pod) && pod.name.as_str().starts_with(name);
    let part = PLANE.iter().find(|name| part(name))?;
    let line = format!("this is {part}, a part of the control plane");
    Some((Weight::Bad, line))
}

pub(super) fn stopped(model: &Model, row: &ContainerRow) -> Victim {
    let (seconds, _) = grace(row);
    let mut lines = vec![grace_line(row)];
    let hook = "io.kubernetes.container.preStopHandler";
    if label(&row.container.annotations, hook).is_some() {
        let line = "its preStop hook is not run: only the kubelet runs those";
        lines.push((Weight::Warn, line.to_owned()));
    }
    lines.extend(whose(row));
    if is_kubelets(row) {
        let next = row.container.restart_count() + 1;
        let line = format!(
            "the kubelet will restart it (restart {next}), unless its restartPolicy says Never"
        );
        lines.push((Weight::Warn, line));
    }
    Victim {
        act: Act::Stop {
            id: row.container.id.clone(),
            grace: seconds,
        },
        title: title(row),
        lines,
        looked_at: looks(model, row),
    }
}

/// A static pod comes from a file, and what runs may be beyond a kill.
fn looks(_: &Model, row: &ContainerRow) -> Question {
    let runs = row.container.state == ContainerState::Running;
    let file = row.pod.as_ref().filter(|pod| is_static(pod));
    Question {
        manifest_of: file.map(|pod| (pod.namespace.clone(), pod.name.clone())),
        ended: Some(row.container.id.clone())
            .into_iter()
            .filter(|_| runs)
            .collect(),
        ..Question::default()
    }
}

pub(super) fn removed(model: &Model, row: &ContainerRow) -> Victim {
    let runs = row.container.state == ContainerState::Running;
    let mut lines = Vec::new();
    if runs {
        lines.push((Weight::Warn, "it runs, so it is stopped first".to_owned()));
        lines.push(grace_line(row));
    }
    lines.extend(whose(row));
    if is_kubelets(row) {
        let line = match (row.superseded, runs) {
            (true, _) => {
                "an earlier attempt: nothing runs it; the runtime forgets how it ended, and the \
                 kubelet deletes its log soon"
            }
            (false, true) => "the kubelet will make a new one, unless its restartPolicy says Never",
            (false, false) => {
                "the newest attempt: the runtime forgets how it ended, and the kubelet may start \
                 a new one at once, its back-off forgotten"
            }
        };
        lines.push((Weight::Warn, line.to_owned()));
    } else {
        lines.push((Weight::Bad, "gone for good".to_owned()));
    }
    lines.push((Weight::Plain, "its log file stays where it is".to_owned()));
    Victim {
        act: Act::Remove {
            id: row.container.id.clone(),
            running: runs.then(|| grace(row).0),
        },
        title: title(row),
        lines,
        looked_at: looks(model, row),
    }
}

/// The containers of a pod that run, and the longest time that one of them gets.
fn inside(model: &Model, row: &PodRow) -> (Vec<ContainerId>, u32) {
    let rows = model.store.attempts_in(&row.pod.id).into_iter();
    let running = rows.filter(|row| row.container.state == ContainerState::Running);
    let mut longest = None;
    let ids = running.map(|row| {
        longest = longest.max(Some(grace(row).0));
        row.container.id.clone()
    });
    let ids: Vec<ContainerId> = ids.collect();
    (ids, longest.unwrap_or(GRACE))
}

fn pod_lines(row: &PodRow, running: usize, seconds: u32) -> Vec<(Weight, String)> {
    let mut lines = Vec::new();
    match running {
        0 => lines.push((Weight::Plain, "none of its containers runs".to_owned())),
        count => {
            let line = format!(
                "{count} running: SIGTERM now, SIGKILL after {seconds}s; preStop hooks are not run"
            );
            lines.push((Weight::Plain, line));
        }
    }
    lines.extend(plane(&row.pod));
    match source(&row.pod) {
        None => {
            let line = "not managed by a kubelet: gone for good";
            lines.push((Weight::Bad, line.to_owned()));
        }
        Some(_) if row.superseded || row.completed => {
            let line = "the kubelet has no more use for this sandbox, and removes it by itself";
            lines.push((Weight::Plain, line.to_owned()));
        }
        Some("api") => {
            let line = "the kubelet will build it anew within seconds: a new sandbox, a new IP, \
                        all containers; to delete the pod ask the API server (kubectl delete pod)";
            lines.push((Weight::Warn, line.to_owned()));
        }
        Some(_) => {
            let line = "a static pod: the kubelet will build it anew within seconds";
            lines.push((Weight::Warn, line.to_owned()));
        }
    }
    lines
}

fn pod_victim(
    model: &Model,
    row: &PodRow,
    act: fn(&PodRow, Vec<ContainerId>, u32) -> Act,
) -> Victim {
    let (running, seconds) = inside(model, row);
    let pod = &row.pod;
    Victim {
        title: Text::clean(&format!("{}/{}", pod.namespace, pod.name)),
        lines: pod_lines(row, running.len(), seconds),
        looked_at: Question {
            manifest_of: is_static(pod).then(|| (pod.namespace.clone(), pod.name.clone())),
            ended: running.clone(),
            ..Question::default()
        },
        act: act(row, running, seconds),
    }
}

pub(super) fn pod_stopped(model: &Model, row: &PodRow) -> Victim {
    pod_victim(model, row, |row, running, grace| Act::StopPod {
        id: row.pod.id.clone(),
        running,
        grace,
    })
}

pub(super) fn pod_removed(model: &Model, row: &PodRow) -> Victim {
    let mut victim = pod_victim(model, row, |row, running, grace| Act::RemovePod {
        id: row.pod.id.clone(),
        running,
        grace,
    });
    let line =
        "its containers go with it, ended ones too; log files stay for the kubelet to delete";
    victim.lines.push((Weight::Plain, line.to_owned()));
    victim
}
