//! What is meant, and what will follow: from the facts of the lists alone.

use crate::act::Act;
use crate::domain::{ContainerState, PodState};
use crate::model::act::confirm::{self, Confirm};
pub use crate::model::act::follow::title;
use crate::model::act::follow::{pod_removed, pod_stopped, removed, stopped, whose};
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
