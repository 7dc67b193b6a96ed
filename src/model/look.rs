//! A container from the outside: its processes and what listens.

use std::time::Duration;

use crate::cri::debug::OWNER;
use crate::domain::{ContainerId, ContainerState, Inside, PodState, label};
use crate::model::visit::{self, Visit};
use crate::model::{Effect, Layer, Model, Page};
use crate::text::Text;

/// How often it is looked at anew while it is shown.
const AGAIN: Duration = Duration::from_secs(2);

/// What was seen last.
#[derive(Debug, Default)]
pub struct Look {
    /// Of which container, and what, or why nothing.
    pub seen: Option<(ContainerId, Result<Inside, Text>)>,
    /// When, by the time since the start; `None` while an answer is awaited.
    at: Option<Duration>,
    /// Debug containers that were left behind.
    pub left: Vec<ContainerId>,
    /// It has been looked for those.
    asked: bool,
}

/// Opens the page.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let Some(visit) = visit::aim_near(model) else {
        return vec![];
    };
    let id = visit.container.clone();
    (model.look.seen, model.look.at) = (None, None);
    model.layers.push(Layer {
        page: Page::Inside(Box::new(visit)),
        scroll: 0,
    });
    vec![Effect::Look(id)]
}

/// Takes an answer.
pub fn looked(model: &mut Model, id: ContainerId, seen: Result<Inside, Text>) {
    model.look.seen = Some((id, seen));
    model.look.at = Some(model.clock.uptime);
}

/// When to look again, by the time since the start.
pub fn due(model: &Model) -> Option<Duration> {
    shown(model)?;
    Some(model.look.at? + AGAIN)
}

/// Looks again, if it is time.
pub fn again(model: &mut Model) -> Option<Effect> {
    let id = shown(model)?.clone();
    due(model).filter(|at| *at <= model.clock.uptime)?;
    model.look.at = None;
    Some(Effect::Look(id))
}

/// The container that is looked at.
pub fn visit(model: &Model) -> Option<&Visit> {
    match &model.layers.last()?.page {
        Page::Inside(visit) => Some(visit),
        _ => None,
    }
}

/// Why no shell of the node can be among its processes.
pub fn refuse_processes(model: &Model) -> Option<&'static str> {
    let id = shown(model)?;
    let row = model.store.container(id)?;
    let runs = row.container.state == ContainerState::Running;
    (!runs).then_some("it does not run, so it has none")
}

/// Why there can be no debug container.
pub fn refuse_debug(model: &Model) -> Option<&'static str> {
    let pod = model.store.pod(&visit(model)?.pod)?;
    let ready = pod.pod.state == PodState::Ready;
    (!ready).then_some("the sandbox does not run")
}

/// What to find out once all containers are known: which were left behind.
pub fn owners(model: &mut Model) -> Option<Effect> {
    if model.look.asked || !model.store.loaded().all() || !model.node.read_only.is_empty() {
        return None;
    }
    model.look.asked = true;
    let rows = model.store.container_rows();
    let owned = rows.filter_map(|row| {
        let owner = label(&row.container.labels, OWNER)?;
        Some((row.container.id.clone(), owner.clone()))
    });
    let owned: Vec<_> = owned.collect();
    (!owned.is_empty()).then_some(Effect::Owners(owned))
}

/// Removes what was left behind.
pub fn remove_left(model: &Model) -> Vec<Effect> {
    vec![Effect::Discard(left(model))]
}

/// Why nothing that was left behind can be removed.
pub fn refuse_left(model: &Model) -> Option<&'static str> {
    left(model).is_empty().then_some("nothing was left behind")
}

/// What was left behind and is still there.
fn left(model: &Model) -> Vec<ContainerId> {
    let left = model.look.left.iter();
    left.filter(|id| model.store.container(id).is_some())
        .cloned()
        .collect()
}

/// A shell of the node in its namespaces.
pub fn host_shell(model: &Model, processes: bool) -> Vec<Effect> {
    let runs = refuse_processes(model).is_none();
    let effect =
        visit(model).map(|visit| Effect::HostShell(Box::new(visit.clone()), runs, processes));
    effect.into_iter().collect()
}

fn shown(model: &Model) -> Option<&ContainerId> {
    match &model.layers.last()?.page {
        Page::Inside(visit) => Some(&visit.container),
        _ => None,
    }
}
