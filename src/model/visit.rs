//! Going into a container: what gets the terminal, and what becomes of it.

use crate::domain::{ContainerId, ContainerState, ImageId, PodId};
use crate::model::rows::ContainerRow;
use crate::model::{Effect, Model, Subject};
use crate::text::Text;

/// Something in a container that gets the terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visit {
    /// The container.
    pub container: ContainerId,
    /// The sandbox that it is in.
    pub pod: PodId,
    /// Its image: what shell it has is the same for all of one image.
    pub image: ImageId,
    /// `namespace/pod/container`.
    pub title: Text,
    /// The node's name.
    pub node: Text,
    /// What to do there.
    pub errand: Errand,
}

/// What to do in a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Errand {
    /// The best shell that the image has.
    Shell,
    /// One line, in a shell if the image has one.
    Command(String),
    /// Its own process.
    Attach,
    /// A debug container from this image; `true` if the container runs, so that its processes can
    /// be seen.
    Debug(String, bool),
}

/// Why nothing can be entered now.
pub fn refuse(model: &Model) -> Option<&'static str> {
    target(model).err()
}

/// Goes there.
pub fn enter(model: &Model, errand: Errand) -> Vec<Effect> {
    let visit = aim(model, errand);
    visit
        .map(|visit| Effect::Visit(Box::new(visit)))
        .into_iter()
        .collect()
}

/// What would be entered.
pub fn aim(model: &Model, errand: Errand) -> Option<Visit> {
    target(model).ok().map(|row| towards(model, row, errand))
}

/// What would be looked at or debugged: it need not run.
pub fn aim_near(model: &Model) -> Option<Visit> {
    near(model)
        .ok()
        .map(|row| towards(model, row, Errand::Shell))
}

pub(super) fn towards(model: &Model, row: &ContainerRow, errand: Errand) -> Visit {
    let container = &row.container;
    let title = match &row.pod {
        Some(pod) => format!("{}/{}/{}", pod.namespace, pod.name, container.name),
        None => container.name.to_string(),
    };
    Visit {
        container: container.id.clone(),
        pod: container.pod_id.clone(),
        image: container.image_id.clone(),
        title: Text::clean(&title),
        node: model.node.name.clone(),
        errand,
    }
}

/// Why nothing can be looked at from outside now.
pub fn refuse_near(model: &Model) -> Option<&'static str> {
    near(model).err()
}

/// As [`target`], but one that has ended will do: the newest attempt.
fn near(model: &Model) -> Result<&ContainerRow, &'static str> {
    match model.subject() {
        Some(Subject::Container(id)) => {
            let row = model.store.container(&id);
            row.map(AsRef::as_ref).ok_or("it is gone")
        }
        Some(Subject::Pod(id)) => {
            let mut rows = model.store.attempts_in(&id);
            rows.retain(|row| !row.superseded);
            match rows[..] {
                [one] => Ok(one.as_ref()),
                [] => Err("this pod has no container"),
                _ => only(model, &id),
            }
        }
        _ => target(model),
    }
}

/// The container that is meant: the one under the cursor, or the only running one of a pod.
fn target(model: &Model) -> Result<&ContainerRow, &'static str> {
    match model.subject() {
        Some(Subject::Container(id)) => {
            let row: &ContainerRow = model.store.container(&id).ok_or("it is gone")?;
            let runs = row.container.state == ContainerState::Running;
            runs.then_some(row).ok_or("the container does not run")
        }
        Some(Subject::Pod(id)) => only(model, &id),
        Some(Subject::Image(_)) => Err("an image cannot be entered, only a container"),
        None => Err("nothing is selected"),
    }
}

fn only<'a>(model: &'a Model, id: &PodId) -> Result<&'a ContainerRow, &'static str> {
    let rows = model.store.containers_in(id);
    let mut running = rows.filter(|row| row.container.state == ContainerState::Running);
    match (running.next(), running.next()) {
        (Some(row), None) => Ok(row),
        (None, _) => Err("no container of this pod runs"),
        _ => Err("this pod has several containers: choose one (Enter lists them)"),
    }
}
