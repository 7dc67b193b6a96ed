//! Which statuses to read: each once per state, at most eight at once, and only those that
//! somebody looks at: containers that have ended (their exit code decides what is in trouble),
//! the selection, and pods on the screen when their IPs are shown.

use std::sync::Arc;

use crate::domain::IdSet;
use crate::domain::{Container, ContainerId, ContainerState, PodId};
use crate::link::Link;
use crate::model::home::page;
use crate::model::{Model, Page, Panel, Seen, Subject, stats};

/// Most statuses being read at once.
const AT_ONCE: usize = 8;

/// One status to read.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Target {
    /// Of a sandbox.
    Pod(PodId),
    /// Of a container, in the state in which the list shows it.
    Container(ContainerId, ContainerState),
}

/// Statuses being read, and those that could not be.
#[derive(Debug, Default)]
pub struct Fetches {
    under_way: IdSet<Target>,
    /// Not asked again before the next list: the runtime has just refused or not answered.
    failed: IdSet<Target>,
    /// Ended containers whose status is still to be read; added to when the list changes.
    waiting: Vec<Arc<Container>>,
}

impl Fetches {
    /// The answer is here, or there is none.
    pub fn done(&mut self, target: &Target, answered: bool) {
        self.under_way.remove(target);
        if !answered {
            self.failed.insert(target.clone());
        }
    }

    /// Nothing is being read and no ended container waits.
    pub fn settled(&self) -> bool {
        self.under_way.is_empty() && self.waiting.is_empty()
    }

    fn start(&mut self, target: Target, into: &mut Vec<Target>) {
        if !self.failed.contains(&target) && self.under_way.insert(target.clone()) {
            into.push(target);
        }
    }

    fn full(&self) -> bool {
        self.under_way.len() >= AT_ONCE
    }
}

/// What to read next.
pub fn next(model: &mut Model, seen: &Seen) -> Vec<Target> {
    let mut targets = Vec::new();
    if model.node.link != Link::Up {
        return targets;
    }
    for target in looked_at(model, seen) {
        if model.fetches.full() {
            return targets;
        }
        model.fetches.start(target, &mut targets);
    }
    while !model.fetches.full() {
        let Some(container) = model.fetches.waiting.pop() else {
            break;
        };
        if is_unread(model, &container) {
            let target = Target::Container(container.id.clone(), container.state);
            model.fetches.start(target, &mut targets);
        }
    }
    targets
}

/// Statuses that the screen shows and that are not known yet.
fn looked_at(model: &Model, seen: &Seen) -> Vec<Target> {
    let mut targets = Vec::new();
    let on_top = model.layers.last().and_then(|layer| match &layer.page {
        Page::Summary(subject) => Some(subject),
        Page::Logs(view) => Some(&view.subject),
        Page::Top(view) => Some(&view.subject),
        _ => None,
    });
    for subject in on_top.into_iter().chain(&model.home.preview) {
        targets.extend(status_of(model, subject));
    }
    // For their limits.
    if let Some(view) = model.top() {
        for id in stats::of(model, &view.subject) {
            targets.extend(status_of(model, &Subject::Container(id)));
        }
    }
    if seen.panels[Panel::Pods.index()]
        .as_ref()
        .is_some_and(|panel| panel.shows_ip)
    {
        let pods = &model.home.pods;
        let visible = pods
            .rows()
            .iter()
            .skip(pods.offset())
            .take(page(seen, Panel::Pods));
        targets.extend(visible.filter_map(|row| pod_target(model, &row.pod.id)));
    }
    targets
}

fn status_of(model: &Model, subject: &Subject) -> Option<Target> {
    match subject {
        Subject::Pod(id) => pod_target(model, id),
        Subject::Container(id) => {
            let container = &model.store.container(id)?.container;
            let known = model.store.knows_container(container);
            (!known).then(|| Target::Container(id.clone(), container.state))
        }
        Subject::Image(_) => None,
    }
}

fn pod_target(model: &Model, id: &PodId) -> Option<Target> {
    let known = model.store.pod(id).is_none() || model.store.knows_pod(id);
    (!known).then(|| Target::Pod(id.clone()))
}

/// Takes note of a new list, in which these containers came or changed, or of a new connection
/// (`None`). What failed may be tried again.
pub fn relisted(model: &mut Model, came: Option<&[Arc<Container>]>) {
    let failed = std::mem::take(&mut model.fetches.failed);
    let mut waiting: Vec<Arc<Container>> = match came {
        Some(came) if failed.is_empty() => came.to_vec(),
        _ => {
            model.fetches.waiting.clear();
            let rows = model.store.container_rows();
            rows.map(|row| Arc::clone(&row.container)).collect()
        }
    };
    waiting.retain(|container| is_unread(model, container));
    if !waiting.is_empty() {
        let all = &mut model.fetches.waiting;
        all.append(&mut waiting);
        // The newest are read first, from the end.
        all.sort_by_key(|container| container.created_at);
    }
}

/// It has ended, is still there, and its status is not known.
fn is_unread(model: &Model, container: &Container) -> bool {
    let listed = || {
        let row = model.store.container(&container.id);
        row.is_some_and(|row| row.container.state == container.state)
    };
    container.state == ContainerState::Exited && !model.store.knows_container(container) && listed()
}
