//! A container from the outside: its processes and what listens.

use std::time::Duration;

use crate::domain::{ContainerId, Inside};
use crate::model::{Effect, Layer, Model, Page, visit};
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
}

/// Opens the page.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let Some(visit) = visit::aim(model, visit::Errand::Shell) else {
        return vec![];
    };
    let (id, title) = (visit.container, visit.title);
    model.look = Look::default();
    model.layers.push(Layer {
        page: Page::Inside(id.clone(), title),
        scroll: 0,
    });
    vec![Effect::Look(id)]
}

/// Takes an answer.
pub fn looked(model: &mut Model, id: ContainerId, seen: Result<Inside, Text>) {
    model.look = Look {
        seen: Some((id, seen)),
        at: Some(model.clock.uptime),
    };
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

fn shown(model: &Model) -> Option<&ContainerId> {
    match &model.layers.last()?.page {
        Page::Inside(id, _) => Some(id),
        _ => None,
    }
}
