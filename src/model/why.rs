//! The page that says why: what was asked, and what came of it.

use super::asked::Asked;
use super::command::area;
use super::logs::{LogView, Look};
use super::{Effect, Layer, Model, Page, Seen, Subject, update};
use crate::logs::viewer::To;
use crate::text::Text;
use crate::triage::{self, ContainerFacts, PodFacts, Verdict, report};

/// What was found out.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// Facts of the container, if it is about one.
    pub container: Option<ContainerFacts>,
    /// Facts of its pod, if that is listed.
    pub pod: Option<PodFacts>,
    /// What they mean, the surest first; none if nothing is wrong.
    pub verdicts: Vec<Verdict>,
}

impl Found {
    /// From facts.
    pub fn new(container: Option<ContainerFacts>, pod: Option<PodFacts>) -> Self {
        let mut verdicts = container
            .as_ref()
            .map(triage::of_container)
            .unwrap_or_default();
        verdicts.extend(pod.as_ref().map(triage::of_pod).unwrap_or_default());
        verdicts.sort_by_key(|verdict| std::cmp::Reverse(verdict.opinion.confidence));
        Self {
            container,
            pod,
            verdicts,
        }
    }
}

/// The page.
#[derive(Debug)]
pub struct WhyView {
    /// What it is about.
    pub subject: Subject,
    /// Its name.
    pub title: Text,
    /// What was found out; `None` while that takes its time.
    pub found: Option<Found>,
    asked: Asked,
    ticket: u64,
}

impl WhyView {
    /// What was asked.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }
}

/// Opens the page about what is selected.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let subject = model.subject();
    let Some((subject, asked)) = subject.and_then(|subject| ask(model, &subject)) else {
        update::say(model, "it is not there any more");
        return vec![];
    };
    model.why_asked += 1;
    let view = WhyView {
        title: title(&asked),
        subject,
        found: None,
        asked: asked.clone(),
        ticket: model.why_asked,
    };
    model.layers.push(Layer {
        page: Page::Why(Box::new(view)),
        scroll: 0,
    });
    vec![Effect::Why(model.why_asked, Box::new(asked))]
}

/// Why there is nothing to ask.
pub fn refuse(model: &Model) -> Option<&'static str> {
    match model.subject() {
        None => Some("nothing is selected"),
        Some(Subject::Image(_)) => Some("it tells why pods and containers fare as they do"),
        Some(Subject::Pod(_) | Subject::Container(_)) => None,
    }
}

/// What to ask, as it is now, and what that is about: of a pod its worst container.
fn ask(model: &Model, subject: &Subject) -> Option<(Subject, Asked)> {
    let store = &model.store;
    let asked = match subject {
        Subject::Container(id) => Asked::container(store, id)?,
        Subject::Pod(id) => Asked::pod(store, store.pod(id)?),
        Subject::Image(_) => return None,
    };
    let container = asked.container.as_ref();
    let id = container.and_then(|container| container.about.container_id.clone());
    let about = id.map_or_else(|| subject.clone(), Subject::Container);
    Some((about, asked))
}

/// The attempts that the page knew are gone: a newer one of the same container.
fn successor(model: &Model, view: &WhyView) -> Option<Subject> {
    let about = &view.asked.container.as_ref()?.about;
    let mut rows = model.store.container_rows();
    let same = rows.find(|row| {
        let named = Some(&row.container.name) == about.container.as_ref();
        named && row.pod_name() == about.pod.as_str() && row.namespace() == about.namespace.as_str()
    });
    same.map(|row| Subject::Container(row.container.id.clone()))
}

fn title(asked: &Asked) -> Text {
    let container = asked.container.as_ref().map(|one| one.about.target());
    let pod = asked.pod.as_ref();
    let pod = pod.map(|one| super::asked::about_pod(&one.pod).target());
    Text::clean(&container.or(pod).unwrap_or_default())
}

/// The page, if it is on top.
pub fn view(model: &Model) -> Option<&WhyView> {
    match &model.layers.last()?.page {
        Page::Why(view) => Some(view),
        _ => None,
    }
}

/// Takes an answer.
pub fn found(model: &mut Model, ticket: u64, found: Found) {
    let pages = model.layers.iter_mut().map(|layer| &mut layer.page);
    for page in pages {
        if let Page::Why(view) = page
            && view.ticket == ticket
        {
            view.found = Some(found);
            return;
        }
    }
}

/// Asks again when something has happened to what the page is about.
pub fn again(model: &mut Model) -> Option<Effect> {
    let view_of = view(model)?;
    let now = ask(model, &view_of.subject).or_else(|| ask(model, &successor(model, view_of)?));
    let (subject, asked) = now?;
    if view(model)?.asked == asked {
        return None;
    }
    model.why_asked += 1;
    let ticket = model.why_asked;
    if let Page::Why(view) = &mut model.layers.last_mut()?.page {
        (view.subject, view.asked, view.ticket) = (subject, asked.clone(), ticket);
    }
    Some(Effect::Why(ticket, Box::new(asked)))
}

/// Opens the log at the line that is likely the cause, else at its end.
pub fn logs(model: &mut Model, seen: &Seen) -> Vec<Effect> {
    let Some(view) = view(model) else {
        return vec![];
    };
    let facts = view
        .found
        .as_ref()
        .and_then(|found| found.container.as_ref());
    let at = facts.and_then(|facts| facts.log.as_ref().ok()?.cause()?.at);
    let end = facts.and_then(|facts| facts.ended()?.finished_at);
    let subject = view.subject.clone();
    let Some(mut logs) = LogView::open(model, &subject, Look::default()) else {
        update::say(model, "it has no logs");
        return vec![];
    };
    if let Some(at) = at.or(end) {
        logs.ask(To::Time(at), false, area(seen));
    }
    model.layers.push(Layer {
        page: Page::Logs(Box::new(logs)),
        scroll: 0,
    });
    vec![]
}

/// The steps to go on with, as lines for a shell.
pub fn steps(model: &mut Model) -> Vec<Effect> {
    let verdicts = view(model).and_then(|view| Some(&view.found.as_ref()?.verdicts));
    let first = verdicts.and_then(|verdicts| verdicts.first());
    let Some(verdict) = first else {
        update::say(model, "there are no steps to copy");
        return vec![];
    };
    let steps: Vec<&str> = verdict
        .opinion
        .next_steps
        .iter()
        .map(Text::as_str)
        .collect();
    vec![Effect::Copy(steps.join("\n"))]
}

/// All of it in Markdown, for a ticket.
pub fn ticket(model: &mut Model) -> Vec<Effect> {
    let Some((view, found)) = view(model).and_then(|view| Some((view, view.found.as_ref()?)))
    else {
        update::say(model, "there is nothing to copy yet");
        return vec![];
    };
    let mut out = Vec::new();
    for verdict in &found.verdicts {
        // Writing to memory cannot fail.
        let _ = report::section(&mut out, view.title.as_str(), verdict);
    }
    vec![Effect::Copy(String::from_utf8_lossy(&out).into_owned())]
}
