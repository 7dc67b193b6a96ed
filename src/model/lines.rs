//! A page of lines that were read from the node: what the kubelet, the runtime and the kernel have
//! logged, of all or of one pod, or what is configured for a pod.

use super::asked::Asked;
use super::{Effect, Layer, Model, Page, update, why};
use crate::logs::Sought;
use crate::text::Text;
use crate::triage::facts::{Said, Seen};

/// What is read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// All that the kubelet, the runtime and the kernel have logged.
    NodeLog,
    /// What of it is about this.
    LogOf(Box<Asked>),
    /// What is in the `ConfigMap`s that are mounted into the pod of this uid, and the keys of its
    /// Secrets.
    Configs(Text),
}

/// The page.
#[derive(Debug)]
pub struct LinesView {
    /// Its name.
    pub title: Text,
    /// What was read, oldest first, or why it cannot be; `None` while that takes its time.
    pub read: Option<Seen<Vec<Said>>>,
    /// Only those that match.
    pub filter: Option<Sought>,
    /// What to read.
    pub wanted: Wanted,
    ticket: u64,
}

impl LinesView {
    /// Those that are shown.
    pub fn shown(&self) -> impl Iterator<Item = &Said> {
        let all = self.read.as_ref().and_then(|read| read.as_ref().ok());
        let all = all.map_or(&[][..], Vec::as_slice).iter();
        all.filter(|line| {
            let found = |sought: &Sought| {
                let is = |text: &Text| sought.pattern().is_match(text.as_str().as_bytes());
                is(&line.text) || is(&line.source)
            };
            self.filter.as_ref().is_none_or(found)
        })
    }
}

fn push(model: &mut Model, title: Text, wanted: Wanted) -> Vec<Effect> {
    model.why_asked += 1;
    let view = LinesView {
        title,
        read: None,
        filter: None,
        wanted: wanted.clone(),
        ticket: model.why_asked,
    };
    model.layers.push(Layer {
        page: Page::Lines(Box::new(view)),
        scroll: 0,
    });
    vec![Effect::ReadLines(model.why_asked, wanted)]
}

/// What is logged on this node.
pub fn node_log(model: &mut Model) -> Vec<Effect> {
    push(model, "Node log".into(), Wanted::NodeLog)
}

/// What is logged about what the page on top explains.
pub fn log_of(model: &mut Model) -> Vec<Effect> {
    let Some(view) = why::view(model) else {
        return vec![];
    };
    let title = Text::clean(&format!("Node log about {}", view.title));
    let asked = Box::new(view.asked().clone());
    push(model, title, Wanted::LogOf(asked))
}

/// What is configured for the pod that the page on top explains.
pub fn configs(model: &mut Model) -> Vec<Effect> {
    let pod = why::view(model).and_then(|view| {
        let asked = view.asked();
        let of_container = asked.container.as_ref().and_then(|one| one.pod.clone());
        of_container.or(asked.pod.as_ref().map(|one| one.pod.clone()))
    });
    let Some(pod) = pod else {
        update::say(model, "its pod is not listed");
        return vec![];
    };
    let title = format!("Configuration of {}/{}", pod.namespace, pod.name);
    let wanted = Wanted::Configs(pod.uid.clone());
    push(model, Text::clean(&title), wanted)
}

/// Reads it once more.
pub fn again(model: &mut Model) -> Vec<Effect> {
    model.why_asked += 1;
    let ticket = model.why_asked;
    let Some(view) = model.lines_mut() else {
        return vec![];
    };
    view.ticket = ticket;
    vec![Effect::ReadLines(ticket, view.wanted.clone())]
}

/// Takes an answer; of a log the end is what matters.
pub fn read(model: &mut Model, ticket: u64, lines: Seen<Vec<Said>>) {
    for layer in &mut model.layers {
        if let Page::Lines(view) = &mut layer.page
            && view.ticket == ticket
        {
            if view.read.replace(lines).is_none() && !matches!(view.wanted, Wanted::Configs(_)) {
                layer.scroll = usize::MAX;
            }
            return;
        }
    }
}
