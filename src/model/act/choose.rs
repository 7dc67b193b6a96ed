//! What is meant, and what will follow: from the facts of the lists alone.

use crate::act::{Act, GRACE};
use crate::cri::debug::OWNER;
use crate::domain::{ContainerId, ContainerState, PodState, label};
use crate::model::act::confirm::{self, Confirm};
use crate::model::act::foresee::Question;
use crate::model::rows::{ContainerRow, ImageRow, PodRow};
use crate::model::{Effect, Model, Subject};
use crate::text::Text;

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Weight {
    /// What it is about.
    Name,
    /// A fact.
    Plain,
    /// Worth a thought.
    Warn,
    /// Worth a second thought.
    Bad,
    /// A line for a shell.
    Crictl,
}

/// One thing that a change is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Victim {
    /// The change.
    pub act: Act,
    /// Of what, as the user knows it.
    pub title: Text,
    /// What follows.
    pub lines: Vec<(Weight, String)>,
    /// What is to be looked at first.
    pub looked_at: Question,
}

/// Seconds that containers of a pod get, as Kubernetes has them by itself.
const PLANE: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// What the keys are about: the marked rows, else the one under the cursor.
fn subjects(model: &Model) -> Vec<Subject> {
    match model.layers.last() {
        None => model.home.chosen(),
        Some(_) => model.subject().into_iter().collect(),
    }
}

fn containers(model: &Model) -> Vec<&ContainerRow> {
    let subjects = subjects(model).into_iter();
    let rows = subjects.filter_map(|subject| match subject {
        Subject::Container(id) => model.store.container(&id),
        _ => None,
    });
    rows.map(AsRef::as_ref).collect()
}

fn pods(model: &Model) -> Vec<&PodRow> {
    let subjects = subjects(model).into_iter();
    let rows = subjects.filter_map(|subject| match subject {
        Subject::Pod(id) => model.store.pod(&id),
        _ => None,
    });
    rows.map(AsRef::as_ref).collect()
}

fn images(model: &Model) -> Vec<&ImageRow> {
    let subjects = subjects(model).into_iter();
    let rows = subjects.filter_map(|subject| match subject {
        Subject::Image(id) => model.store.image(&id),
        _ => None,
    });
    rows.map(AsRef::as_ref).collect()
}

/// It is the image of the sandboxes' own process.
fn is_kept(row: &ImageRow) -> bool {
    row.image.pinned || row.is_pause()
}

/// Asks to stop what is chosen; what is being stopped already, to kill it now.
pub fn stop(model: &mut Model) -> Vec<Effect> {
    let running = running(model);
    let hurry: Vec<Victim> = running
        .iter()
        .filter_map(|one| Some((model.deeds.ending(one.act.object())?, one)))
        .filter_map(|(deed, one)| hurried(model, deed, one))
        .collect();
    if !hurry.is_empty() && hurry.len() == running.len() {
        let question = format!("Kill {} now?", counted(&hurry));
        return confirm::ask(model, Confirm::new(question, "Kill now", hurry));
    }
    let fresh = running
        .into_iter()
        .filter(|one| model.deeds.ending(one.act.object()).is_none());
    let fresh: Vec<Victim> = fresh.collect();
    let question = format!("Stop {}?", counted(&fresh));
    confirm::ask(model, Confirm::new(question, "Stop", fresh))
}

/// Asks to kill the one under the cursor of the page of changes.
pub fn kill(model: &mut Model) -> Vec<Effect> {
    let Some(deed) = model.deeds.chosen() else {
        return vec![];
    };
    if matches!(deed.act, Act::Pull { .. }) {
        return vec![Effect::BreakOff(deed.id)];
    }
    let Some(act) = deed.act.at_once().filter(|_| deed.since().is_some()) else {
        return vec![];
    };
    let ended = match &act {
        Act::Stop { id, .. } | Act::Remove { id, .. } => vec![id.clone()],
        Act::StopPod { running, .. } | Act::RemovePod { running, .. } => running.clone(),
        _ => vec![],
    };
    let victim = Victim {
        act,
        title: deed.title.clone(),
        lines: vec![patience(model, deed)],
        looked_at: Question {
            ended,
            ..Question::default()
        },
    };
    confirm::ask(
        model,
        Confirm::new("Kill it now?".to_owned(), "Kill now", vec![victim]),
    )
}

/// Why there is nothing to kill.
pub fn refuse_kill(model: &Model) -> Option<&'static str> {
    let deed = model.deeds.chosen();
    let ends = deed.is_some_and(|deed| {
        let pulls = matches!(deed.act, Act::Pull { .. });
        deed.since().is_some() && (pulls || deed.act.at_once().is_some())
    });
    (!ends).then_some("nothing waits there for an end")
}

fn hurried(model: &Model, deed: &crate::model::act::Deed, one: &Victim) -> Option<Victim> {
    Some(Victim {
        act: deed.act.at_once()?,
        lines: vec![patience(model, deed)],
        ..one.clone()
    })
}

fn patience(model: &Model, deed: &crate::model::act::Deed) -> (Weight, String) {
    let left = deed.left(model.clock.uptime).unwrap_or(0);
    let line = format!("was asked to end; SIGKILL comes by itself in {left}s");
    (Weight::Plain, line)
}

/// Why nothing can be stopped.
pub fn refuse_stop(model: &Model) -> Option<&'static str> {
    if subjects(model).is_empty() {
        return Some("nothing is selected");
    }
    if containers(model).is_empty() && pods(model).is_empty() {
        return Some("only pods and containers can be stopped");
    }
    running(model)
        .is_empty()
        .then_some("it does not run: nothing to stop")
}

/// All that is chosen and runs, as if it were stopped.
fn running(model: &Model) -> Vec<Victim> {
    let rows = containers(model).into_iter();
    let rows = rows.filter(|row| row.container.state == ContainerState::Running);
    let of_containers = rows.map(|row| stopped(model, row));
    let rows = pods(model).into_iter();
    let rows = rows.filter(|row| row.pod.state == PodState::Ready || row.running > 0);
    let of_pods = rows.map(|row| pod_stopped(model, row));
    of_containers.chain(of_pods).collect()
}

/// Asks to remove what is chosen.
pub fn remove(model: &mut Model) -> Vec<Effect> {
    let of_containers = containers(model).into_iter().map(|row| removed(model, row));
    let of_pods = pods(model).into_iter().map(|row| pod_removed(model, row));
    let rows = images(model).into_iter();
    let of_images = rows.filter(|row| !is_kept(row));
    let of_images = of_images.map(|row| super::image::removed(model, row));
    let victims: Vec<Victim> = of_containers.chain(of_pods).chain(of_images).collect();
    let question = format!("Remove {}?", counted(&victims));
    confirm::ask(model, Confirm::new(question, "Remove", victims))
}

/// Why nothing can be removed.
pub fn refuse_remove(model: &Model) -> Option<&'static str> {
    let images = images(model);
    if images.is_empty() {
        let none = containers(model).is_empty() && pods(model).is_empty();
        return none.then_some("nothing is selected that can be removed");
    }
    let kept = images.iter().all(|row| is_kept(row));
    kept.then_some("the runtime needs this image for every pod, and keeps it")
}

/// Asks to start what is chosen and was only created.
pub fn start(model: &mut Model) -> Vec<Effect> {
    let rows = containers(model).into_iter();
    let rows = rows.filter(|row| row.container.state == ContainerState::Created);
    let victims: Vec<Victim> = rows
        .map(|row| Victim {
            act: Act::Start {
                id: row.container.id.clone(),
            },
            title: title(row),
            lines: whose(row),
            looked_at: Question::default(),
        })
        .collect();
    let question = format!("Start {}?", counted(&victims));
    confirm::ask(model, Confirm::new(question, "Start", victims))
}

/// Why nothing can be started.
pub fn refuse_start(model: &Model) -> Option<&'static str> {
    let rows = containers(model);
    if rows.is_empty() {
        return Some("only a container can be started");
    }
    let created = |row: &&ContainerRow| row.container.state == ContainerState::Created;
    (!rows.iter().any(created))
        .then_some("only what was created and never ran can be started; CRI restarts nothing")
}

/// `3 containers`, or the one by its name.
pub(super) fn counted(victims: &[Victim]) -> String {
    match victims {
        [one] => one.title.to_string(),
        many => {
            let what = match many.first().map(|one| &one.act) {
                Some(Act::StopPod { .. } | Act::RemovePod { .. }) => "pods",
                Some(Act::RemoveImage { .. }) => "images",
                _ => "containers",
            };
            format!("{} {what}", many.len())
        }
    }
}

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
fn whose(row: &ContainerRow) -> Vec<(Weight, String)> {
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

fn stopped(model: &Model, row: &ContainerRow) -> Victim {
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

fn removed(model: &Model, row: &ContainerRow) -> Victim {
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

fn pod_stopped(model: &Model, row: &PodRow) -> Victim {
    pod_victim(model, row, |row, running, grace| Act::StopPod {
        id: row.pod.id.clone(),
        running,
        grace,
    })
}

fn pod_removed(model: &Model, row: &PodRow) -> Victim {
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
