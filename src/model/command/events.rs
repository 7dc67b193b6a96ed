//! The commands of the view of events.

use super::run::push;
use super::{Command, LISTS, command};
use crate::model::prompt::ViewLine;
use crate::model::{Effect, EventsView, Model, Noun, Page, Seen, Subject, typing, update};
use crate::text::Text;

const EVENTS: &[Noun] = &[Noun::Events];

/// All of them, in the order in which help shows them.
pub(super) const COMMANDS: &[Command] = &[
    command(
        "events",
        &["v"],
        LISTS,
        "",
        "what has happened on this node since critui started",
        |m, _| push(m, Page::Events(Box::default())),
    ),
    command(
        "pod-events",
        &["V"],
        &[Noun::Pod, Noun::Container],
        "",
        "what has happened to this pod since then",
        of_pod,
    ),
    command(
        "event-subject",
        &["Enter"],
        EVENTS,
        "open",
        "the facts about it",
        open,
    ),
    command(
        "event-pod",
        &["o"],
        EVENTS,
        "this pod",
        "only what happened to its pod, or to all again",
        narrow,
    ),
    command(
        "event-filter",
        &["/"],
        EVENTS,
        "filter",
        "only events that match: text, or ~ and a regular expression",
        |m, _| {
            typing::open_view_line(m, ViewLine::Events);
            vec![]
        },
    ),
];

fn of_pod(model: &mut Model, _: &Seen) -> Vec<Effect> {
    let pod = match model.subject() {
        Some(Subject::Pod(id)) => model.store.pod(&id).map(|row| row.pod.clone()),
        Some(Subject::Container(id)) => {
            let row = model.store.container(&id);
            row.and_then(|row| row.pod.clone())
        }
        _ => None,
    };
    let Some(pod) = pod else {
        update::say(model, "no pod is selected");
        return vec![];
    };
    let title = Text::clean(&format!("{}/{}", pod.namespace, pod.name));
    let view = EventsView {
        pod: Some((pod.uid.clone(), title)),
        ..EventsView::default()
    };
    push(model, Page::Events(Box::new(view)))
}

fn open(model: &mut Model, seen: &Seen) -> Vec<Effect> {
    let there = match model.subject() {
        Some(Subject::Pod(id)) => model.store.pod(&id).is_some(),
        Some(Subject::Container(id)) => model.store.container(&id).is_some(),
        Some(Subject::Image(id)) => model.store.image(&id).is_some(),
        None => return vec![],
    };
    if there {
        return super::run::summary(model, seen);
    }
    update::say(model, "it is no longer on this node");
    vec![]
}

fn narrow(model: &mut Model, _: &Seen) -> Vec<Effect> {
    let (view, history) = model.events_mut();
    let Some(view) = view else { return vec![] };
    if view.pod.take().is_some() {
        return vec![];
    }
    let chosen = view.chosen(history).filter(|event| !event.uid.is_empty());
    let chosen = chosen.map(|event| {
        let name = event.name.as_str();
        let pod: Vec<&str> = name.splitn(3, '/').take(2).collect();
        (event.uid.clone(), Text::clean(&pod.join("/")))
    });
    if chosen.is_none() {
        update::say(model, "an image belongs to no pod");
        return vec![];
    }
    view.pod = chosen;
    vec![]
}
