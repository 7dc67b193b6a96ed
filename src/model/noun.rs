//! What keys are about.

use super::{About, Model, Page, Subject, audit};

/// What a key can be about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Noun {
    /// The list of pods.
    Pod,
    /// The list of containers.
    Container,
    /// The list of images.
    Image,
    /// A page of text.
    Page,
    /// The view of logs.
    Logs,
    /// The list of forwarded ports.
    Forward,
    /// The view of a tree.
    Tree,
    /// The view of events.
    Events,
    /// A container from outside.
    Inside,
    /// Its files.
    File,
    /// Statistics of a pod or a container.
    Stats,
    /// The page of the node.
    Node,
    /// Why something fares as it does.
    Why,
    /// What could hurt.
    Audit,
    /// One finding of that.
    Finding,
    /// Lines of the node's files.
    Lines,
    /// The changes of this run.
    Deed,
    /// Which columns a list shows.
    Columns,
    /// The page of help.
    Help,
}

impl Model {
    /// The thing under the cursor.
    pub fn subject(&self) -> Option<Subject> {
        match self.layers.last().map(|layer| &layer.page) {
            Some(Page::Summary(subject)) => Some(subject.clone()),
            Some(Page::Logs(view)) => Some(view.subject.clone()),
            Some(Page::Tree(view)) => about(&view.about),
            Some(Page::Diff(view)) => about(&view.after),
            Some(Page::Events(view)) => {
                let event = view.chosen(self.store.history())?;
                Some(event.subject.clone())
            }
            Some(Page::Inside(visit)) => Some(Subject::Container(visit.container.clone())),
            Some(Page::Top(view)) => Some(view.subject.clone()),
            Some(Page::Why(view)) => Some(view.subject.clone()),
            Some(Page::Audit(_) | Page::Finding(_)) => audit::subject_of(audit::chosen(self)?),
            Some(_) => None,
            None => self.home.subject(),
        }
    }
}

fn about(about: &About) -> Option<Subject> {
    match about {
        About::One(subject) => Some(subject.clone()),
        About::Runtime => None,
    }
}
