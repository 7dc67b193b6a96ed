//! What the runtime has told in full about things that are, or were, looked at.

pub mod compare;
pub mod view;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::link::Link;
use crate::model::{Effect, Model, Page, Subject, update};
use crate::text::Text;
use crate::tree::{Key, Tree};

pub use compare::DiffView;
pub use view::{Revealed, TreeView};

/// Answers remembered at most: the last of what was looked at.
const MOST: usize = 64;
/// How long a revealed value stays.
const REVEALED: Duration = Duration::from_secs(8);
/// Nodes of all of them together.
const MOST_NODES: usize = 1_000_000;

/// What can be inspected.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum About {
    /// A pod, a container or an image.
    One(Subject),
    /// The runtime itself.
    Runtime,
}

/// What came of asking.
pub type Answer = Result<Arc<Tree>, Text>;

/// Which attempt of which container an answer is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Whose {
    /// Uid of the pod.
    pub uid: Text,
    /// Name of the container.
    pub name: Text,
    /// Its attempt.
    pub attempt: u32,
}

#[derive(Debug)]
struct Known {
    about: About,
    /// The state in which it was asked for.
    state: &'static str,
    whose: Option<Whose>,
    answer: Answer,
}

/// All answers, and what is being asked.
#[derive(Debug, Default)]
pub struct Inspections {
    known: VecDeque<Known>,
    under_way: Vec<About>,
}

impl Inspections {
    /// The last answer about something.
    pub fn of(&self, about: &About) -> Option<&Answer> {
        let known = self.known.iter().find(|known| known.about == *about);
        known.map(|known| &known.answer)
    }

    /// The same for a thing in a list.
    pub fn of_subject(&self, subject: &Subject) -> Option<&Answer> {
        let is = |known: &&Known| matches!(&known.about, About::One(one) if one == subject);
        self.known.iter().find(is).map(|known| &known.answer)
    }

    /// An attempt of a container that this run has looked at, the newest before `whose`.
    pub fn before(&self, whose: &Whose) -> Option<(&About, u32)> {
        let older = |known: &&Known| {
            let other = known.whose.as_ref();
            known.answer.is_ok()
                && other.is_some_and(|other| {
                    other.uid == whose.uid
                        && other.name == whose.name
                        && other.attempt < whose.attempt
                })
        };
        let attempt = |known: &&Known| known.whose.as_ref().map_or(0, |whose| whose.attempt);
        let found = self.known.iter().filter(older).max_by_key(attempt)?;
        Some((&found.about, attempt(&found)))
    }

    /// What could not be read is worth another try.
    pub fn retry(&mut self) {
        self.known.retain(|known| known.answer.is_ok());
    }

    /// Is to be asked for again; what is known stays until then.
    pub fn forget(&mut self, about: &About) {
        for known in self.known.iter_mut().filter(|known| known.about == *about) {
            known.state = "old";
        }
    }

    fn is_fresh(&self, about: &About, state: &'static str) -> bool {
        let known = self.known.iter().find(|known| known.about == *about);
        known.is_some_and(|known| known.state == state)
    }

    fn take(&mut self, known: Known) {
        self.under_way.retain(|about| *about != known.about);
        let same = self.known.iter().position(|old| old.about == known.about);
        if let Some(same) = same {
            // What is gone since is remembered as it was.
            if known.answer.is_err() && self.known[same].answer.is_ok() {
                self.known[same].state = known.state;
                return;
            }
            self.known.remove(same);
        }
        self.known.push_front(known);
        let size = |known: &Known| known.answer.as_ref().map_or(1, |tree| tree.nodes().len());
        while self.known.len() > MOST
            || (self.known.len() > 1 && self.known.iter().map(size).sum::<usize>() > MOST_NODES)
        {
            self.known.pop_back();
        }
    }
}

/// What the page on top needs.
fn wanted(model: &Model) -> Vec<About> {
    match model.layers.last().map(|layer| &layer.page) {
        Some(Page::Summary(subject)) => vec![About::One(subject.clone())],
        Some(Page::Runtime) => vec![About::Runtime],
        Some(Page::Tree(view)) => vec![view.about.clone()],
        Some(Page::Diff(view)) => vec![view.before.clone(), view.after.clone()],
        _ => vec![],
    }
}

/// Asks for what the page on top needs and is not known as it is now.
pub fn ask(model: &mut Model) -> Vec<Effect> {
    if model.node.link != Link::Up {
        return vec![];
    }
    let mut effects = Vec::new();
    for about in wanted(model) {
        let state = state(model, &about);
        let asked = model.inspections.under_way.contains(&about);
        if !asked && !model.inspections.is_fresh(&about, state) {
            model.inspections.under_way.push(about.clone());
            effects.push(Effect::Inspect(about, state));
        }
    }
    effects
}

/// Takes an answer.
pub fn answered(model: &mut Model, about: About, state: &'static str, answer: Answer) {
    let whose = match &about {
        About::One(subject) => whose(model, subject),
        About::Runtime => None,
    };
    model.inspections.take(Known {
        about,
        state,
        whose,
        answer,
    });
    show(model);
}

/// Gives the page on top what is known.
pub fn show(model: &mut Model) {
    let inspections = &model.inspections;
    match model.layers.last_mut().map(|layer| &mut layer.page) {
        Some(Page::Tree(view)) => {
            if let Some(Ok(tree)) = inspections.of(&view.about) {
                view.show(tree);
            }
        }
        Some(Page::Diff(view)) => view.fill(inspections),
        _ => {}
    }
}

/// Shows a value that was asked for, if the page is still there.
pub fn revealed(model: &mut Model, about: &About, keys: Vec<Key>, value: Result<Text, Text>) {
    let until = model.clock.uptime + REVEALED;
    let view = model.tree_mut().filter(|view| view.about == *about);
    match (value, view) {
        (Ok(text), Some(view)) => view.revealed = Some(Revealed { keys, text, until }),
        (Ok(_), None) => {}
        (Err(why), _) => update::say(model, &format!("reveal: {why}")),
    }
}

/// When a revealed value is to be hidden.
pub fn due(model: &Model) -> Option<Duration> {
    Some(model.tree()?.revealed.as_ref()?.until)
}

/// Hides a revealed value; the terminal forgets it too.
pub fn hide(model: &mut Model) -> Vec<Effect> {
    let hidden = model.tree_mut().and_then(|view| view.revealed.take());
    hidden.map(|_| Effect::Repaint).into_iter().collect()
}

/// The attempt that a container is.
pub fn whose(model: &Model, subject: &Subject) -> Option<Whose> {
    let Subject::Container(id) = subject else {
        return None;
    };
    let row = model.store.container(id)?;
    let uid = match &row.pod {
        Some(pod) => pod.uid.clone(),
        None => crate::domain::label(&row.container.labels, "io.kubernetes.pod.uid")?.clone(),
    };
    Some(Whose {
        uid,
        name: row.container.name.clone(),
        attempt: row.container.attempt,
    })
}

/// The state of something: in another one there is more to be told.
fn state(model: &Model, about: &About) -> &'static str {
    match about {
        About::One(Subject::Pod(id)) => model
            .store
            .pod(id)
            .map_or("gone", |row| row.pod.state.name()),
        About::One(Subject::Container(id)) => {
            let row = model.store.container(id);
            row.map_or("gone", |row| row.container.state.name())
        }
        About::One(Subject::Image(_)) | About::Runtime => "",
    }
}

/// What it is called, for titles.
pub fn title(model: &Model, about: &About) -> Text {
    let title = match about {
        About::Runtime => "runtime".to_owned(),
        About::One(Subject::Pod(id)) => match model.store.pod(id) {
            Some(row) => format!("{}/{}", row.pod.namespace, row.pod.name),
            None => id.short().to_owned(),
        },
        About::One(Subject::Container(id)) => match model.store.container(id) {
            Some(row) => format!(
                "{}/{} #{}",
                row.pod_name(),
                row.container.name,
                row.container.attempt
            ),
            None => id.short().to_owned(),
        },
        About::One(Subject::Image(id)) => match model.store.image(id) {
            Some(row) => row.name.to_string(),
            None => id.short().to_owned(),
        },
    };
    Text::clean(&title)
}
