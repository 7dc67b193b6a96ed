//! One command in several containers, and what it left in each.

use crate::domain::ContainerState;
use crate::model::visit::{Errand, Visit};
use crate::model::{Effect, Layer, Model, Page, Panel};
use crate::text::Text;

/// What a command left in one container: its exit code and output, or why there is none.
pub type Left = Result<(i32, Vec<Text>), Text>;

/// A command that runs, or has run, in several containers.
#[derive(Debug)]
pub struct Ran {
    /// The command.
    pub line: Text,
    /// Each container by its title; `None` while it runs there.
    pub left: Vec<(Text, Option<Left>)>,
}

/// The marked containers that run, if the list of containers has marks.
pub fn marked(model: &Model) -> Vec<Visit> {
    let list = &model.home.containers;
    if model.home.focus != Panel::Containers || !model.layers.is_empty() || list.marked() == 0 {
        return Vec::new();
    }
    let rows = list.chosen().into_iter();
    let running = rows.filter(|row| row.container.state == ContainerState::Running);
    running
        .map(|row| super::visit::towards(model, row, Errand::Shell))
        .collect()
}

/// Runs a line in all of them.
pub fn start(model: &mut Model, visits: Vec<Visit>, line: &str) -> Vec<Effect> {
    let left = visits.iter().map(|visit| (visit.title.clone(), None));
    let ran = Ran {
        line: Text::clean(line),
        left: left.collect(),
    };
    model.layers.push(Layer {
        page: Page::Ran(Box::new(ran)),
        scroll: 0,
    });
    let ids = visits.into_iter().map(|visit| visit.container).collect();
    vec![Effect::RunInAll(ids, line.to_owned())]
}

/// Takes what it left in the one at `place`.
pub fn take(model: &mut Model, place: usize, left: Left) {
    let page = model
        .layers
        .iter_mut()
        .rev()
        .find_map(|layer| match &mut layer.page {
            Page::Ran(ran) => Some(ran),
            _ => None,
        });
    if let Some((_, known)) = page.and_then(|ran| ran.left.get_mut(place)) {
        *known = Some(left);
    }
}
