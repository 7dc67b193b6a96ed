//! What differs between two things of one kind.

use crate::domain::{Container, ContainerState, Pod, label};
use crate::model::columns::Stands;
use crate::model::inspect::{About, Inspections, title, whose};
use crate::model::rows::ContainerRow;
use crate::model::{Model, Subject};
use crate::text::Text;
use crate::tree::{Difference, differences};

/// Parts of paths whose values belong to one attempt alone: they differ always.
const ALWAYS: [&str; 22] = [
    ".status.id",
    ".status.createdAt",
    ".status.startedAt",
    ".status.finishedAt",
    ".status.logPath",
    ".status.metadata.attempt",
    ".status.state",
    ".info.pid",
    ".info.snapshotKey",
    ".info.sandboxID",
    ".info.config.log_path",
    ".info.config.metadata.attempt",
    "cgroupsPath",
    "restartCount",
    "hostPath",
    "host_path",
    ".source",
    "sandbox-id",
    "sandbox-uid",
    "io.kubernetes.pod.uid",
    "io.kubernetes.cri-o.",
    "config.seen",
];

/// Two things side by side.
#[derive(Debug)]
pub struct DiffView {
    /// The one with which it is compared.
    pub before: About,
    /// What is looked at.
    pub after: About,
    /// Both by name.
    pub titles: [Text; 2],
    /// Why it is this one.
    pub why: &'static str,
    /// What differs: first what somebody has changed, then what differs always. Nothing before
    /// both are known.
    pub found: Option<[Vec<Difference>; 2]>,
    /// Why not, if one of them cannot be read.
    pub problem: Option<Text>,
}

impl DiffView {
    /// Takes what is known of both.
    pub(super) fn fill(&mut self, inspections: &Inspections) {
        let both = (inspections.of(&self.before), inspections.of(&self.after));
        match both {
            (Some(Ok(before)), Some(Ok(after))) => {
                let always = |one: &Difference| ALWAYS.iter().any(|part| one.path.contains(part));
                let (noise, told) = differences(before, after).into_iter().partition(always);
                self.found = Some([told, noise]);
                self.problem = None;
            }
            (Some(Err(why)), _) | (_, Some(Err(why))) => self.problem = Some(why.clone()),
            _ => {}
        }
    }
}

/// With what `subject` is best compared, and why; the error says why with nothing.
pub fn aim(model: &Model, subject: &Subject) -> Result<DiffView, &'static str> {
    let (before, why) = marked(model, subject)
        .or_else(|| previous(model, subject))
        .or_else(|| remembered(model, subject))
        .or_else(|| sibling(model, subject))
        .ok_or("nothing to compare with: mark another one with Space")?;
    let after = About::One(subject.clone());
    Ok(DiffView {
        titles: [title(model, &before), title(model, &after)],
        before,
        after,
        why,
        found: None,
        problem: None,
    })
}

/// The one that is marked, if it is one other of the same kind.
fn marked(model: &Model, subject: &Subject) -> Option<(About, &'static str)> {
    let kind = std::mem::discriminant(subject);
    let home = &model.home;
    if home.pods.marked() + home.containers.marked() + home.images.marked() == 0 {
        return None;
    }
    let mut others = home
        .chosen()
        .into_iter()
        .filter(|other| other != subject && std::mem::discriminant(other) == kind);
    let other = others.next()?;
    others
        .next()
        .is_none()
        .then_some((About::One(other), "which is marked"))
}

fn row<'a>(model: &'a Model, subject: &Subject) -> Option<&'a ContainerRow> {
    match subject {
        Subject::Container(id) => model.store.container(id).map(|row| &**row),
        _ => None,
    }
}

fn previous(model: &Model, subject: &Subject) -> Option<(About, &'static str)> {
    let container = &row(model, subject)?.container;
    let older = |other: &Container| {
        other.name == container.name
            && other.id != container.id
            && (other.created_at, other.attempt) < (container.created_at, container.attempt)
    };
    let attempts = model.store.attempts_in(&container.pod_id);
    let found = attempts.into_iter().find(|row| older(&row.container))?;
    let subject = Subject::Container(found.container.id.clone());
    Some((About::One(subject), "the attempt before"))
}

fn remembered(model: &Model, subject: &Subject) -> Option<(About, &'static str)> {
    let whose = whose(model, subject)?;
    let (about, _) = model.inspections.before(&whose)?;
    Some((
        about.clone(),
        "an attempt that is gone, as this run has seen it",
    ))
}

/// A container of the same name in another pod of the same owner, that runs well.
fn sibling(model: &Model, subject: &Subject) -> Option<(About, &'static str)> {
    const WHY: &str = "of the same owner, and well";
    match subject {
        Subject::Container(_) => {
            let row = row(model, subject)?;
            let pod = row.pod.as_deref()?;
            let well = |other: &&std::sync::Arc<ContainerRow>| {
                other.container.name == row.container.name
                    && other.container.state == ContainerState::Running
                    && !other.in_trouble()
                    && other
                        .pod
                        .as_deref()
                        .is_some_and(|other| siblings(pod, other))
            };
            let mut found: Vec<_> = model.store.container_rows().filter(well).collect();
            found.sort_by(|a, b| a.container.id.cmp(&b.container.id));
            let id = found.first()?.container.id.clone();
            Some((About::One(Subject::Container(id)), WHY))
        }
        Subject::Pod(id) => {
            let pod = &model.store.pod(id)?.pod;
            let well = |other: &&std::sync::Arc<crate::model::rows::PodRow>| {
                !other.in_trouble() && !other.superseded && siblings(pod, &other.pod)
            };
            let mut found: Vec<_> = model.store.pod_rows().filter(well).collect();
            found.sort_by(|a, b| a.pod.id.cmp(&b.pod.id));
            let id = found.first()?.pod.id.clone();
            Some((About::One(Subject::Pod(id)), WHY))
        }
        Subject::Image(_) => None,
    }
}

/// Two pods that one controller has made, as far as labels tell.
fn siblings(pod: &Pod, other: &Pod) -> bool {
    const OWNED: [&str; 4] = [
        "pod-template-hash",
        "controller-revision-hash",
        "batch.kubernetes.io/controller-uid",
        "job-name",
    ];
    let same = |key: &&str| {
        let value = label(&pod.labels, key);
        value.is_some() && value == label(&other.labels, key)
    };
    pod.id != other.id
        && pod.uid != other.uid
        && pod.namespace == other.namespace
        && OWNED.iter().any(same)
}
