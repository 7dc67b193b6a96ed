//! The view of an audit: what is asked, what was found, how that is grouped.

mod view;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::command::push;
use super::list::Move;
use super::{About, Effect, Model, Page, Seen, Subject, TreeView, inspect, update};
use crate::audit::baseline::Baseline;
use crate::audit::{Finding, Kind, PodLevel, Report};
use crate::logs::Sought;
use crate::text::Text;

pub use view::{AuditView, Group, Row};

/// How far an audit has come. The one who looks counts, the one who draws reads.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<(AtomicUsize, AtomicUsize)>);

impl Progress {
    /// So many statuses of so many are in.
    pub fn set(&self, done: usize, all: usize) {
        self.0.0.store(done, Ordering::Relaxed);
        self.0.1.store(all, Ordering::Relaxed);
    }

    /// How many are in, of how many.
    pub fn get(&self) -> (usize, usize) {
        (
            self.0.0.load(Ordering::Relaxed),
            self.0.1.load(Ordering::Relaxed),
        )
    }
}

impl PartialEq for Progress {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Progress {}

/// What is to be looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Counts up: an answer to an older question is dropped.
    pub ticket: u64,
    /// The runtime's socket, as critui found it.
    pub endpoint: Text,
    /// Who is there.
    pub version: crate::domain::RuntimeVersion,
    /// What is known and accepted.
    pub baseline: Arc<Baseline>,
    /// How far it has come.
    pub progress: Progress,
}

/// A finding on a page of its own.
#[derive(Debug)]
pub struct FindingView {
    /// The finding.
    pub finding: Finding,
    /// The level that its pod meets, if it is about one.
    pub level: Option<PodLevel>,
}

fn asked(model: &mut Model) -> Asked {
    model.audit.tickets += 1;
    Asked {
        ticket: model.audit.tickets,
        endpoint: model.node.endpoint.clone(),
        version: model.node.version.clone().unwrap_or_default(),
        baseline: Arc::clone(&model.audit.baseline),
        progress: Progress::default(),
    }
}

/// What is kept of audits while the program runs.
#[derive(Debug, Default)]
pub struct Audits {
    /// What is known and accepted.
    pub baseline: Arc<Baseline>,
    /// No masked value is shown, not even for a moment.
    pub mask_always: bool,
    /// No log is shown that nobody asked for.
    pub quiet: bool,
    tickets: u64,
}

/// Opens the view, which begins to look.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let asked = asked(model);
    let view = AuditView {
        report: None,
        group: Group::default(),
        filter: None,
        rows: vec![],
        cursor: 0,
        top: 0,
        progress: asked.progress.clone(),
        ticket: asked.ticket,
    };
    push(model, Page::Audit(Box::new(view)));
    vec![Effect::Audit(Box::new(asked))]
}

/// Looks again; what is known stays until then.
pub fn again(model: &mut Model) -> Vec<Effect> {
    let asked = asked(model);
    if let Some(view) = view_mut(model) {
        (view.ticket, view.progress) = (asked.ticket, asked.progress.clone());
        if view.report().is_none() {
            view.report = None;
        }
        update::say(model, "looking again");
    }
    vec![Effect::Audit(Box::new(asked))]
}

/// The view, if it is on top.
pub fn view(model: &Model) -> Option<&AuditView> {
    match &model.layers.last()?.page {
        Page::Audit(view) => Some(view),
        _ => None,
    }
}

fn view_mut(model: &mut Model) -> Option<&mut AuditView> {
    match &mut model.layers.last_mut()?.page {
        Page::Audit(view) => Some(view),
        _ => None,
    }
}

/// Takes an answer, for the view that asked.
pub fn found(model: &mut Model, ticket: u64, report: Result<Arc<Report>, Text>) {
    let pages = model.layers.iter_mut().map(|layer| &mut layer.page);
    for page in pages {
        if let Page::Audit(view) = page
            && view.ticket == ticket
        {
            // An answer that is there is better than none.
            if report.is_err() && view.report().is_some() {
                return;
            }
            view.report = Some(report);
            view.rows.clear();
            view.lay_out();
            return;
        }
    }
}

/// Moves the cursor; false if the view is not on top.
pub fn go(model: &mut Model, to: Move, height: usize) -> bool {
    let view = view_mut(model);
    view.map(|view| view.go(to, height)).is_some()
}

/// Scrolls to the cursor. True if it did.
pub fn fit(model: &mut Model, seen: &Seen) -> bool {
    let height = seen.page.map(|page| page.height);
    let view = view_mut(model);
    view.zip(height)
        .is_some_and(|(view, height)| view.fit(height))
}

/// Groups by the next thing.
pub fn regroup(model: &mut Model) -> Vec<Effect> {
    if let Some(view) = view_mut(model) {
        view.group = view.group.next();
        view.lay_out();
    }
    vec![]
}

/// What is typed for the filter so far.
pub fn filter(model: &Model) -> Option<&Sought> {
    view(model)?.filter.as_ref()
}

/// Shows only what matches; false if nothing does.
pub fn narrow(model: &mut Model, sought: Option<Sought>) -> bool {
    let Some(view) = view_mut(model) else {
        return true;
    };
    view.filter = sought;
    view.lay_out();
    !view.rows.is_empty()
}

/// Drops the filter; false if there is none.
pub fn widen(model: &mut Model) -> bool {
    let Some(view) = view_mut(model) else {
        return false;
    };
    let had = view.filter.take().is_some();
    if had {
        view.lay_out();
    }
    had
}

/// The finding that keys are about.
pub fn chosen(model: &Model) -> Option<&Finding> {
    match &model.layers.last()?.page {
        Page::Audit(view) => view.chosen(),
        Page::Finding(view) => Some(&view.finding),
        _ => None,
    }
}

/// Why there is nothing to open.
pub fn refuse(model: &Model) -> Option<&'static str> {
    chosen(model)
        .is_none()
        .then_some("there is no finding here")
}

/// Opens the page of the finding under the cursor.
pub fn detail(model: &mut Model) -> Vec<Effect> {
    let Some(finding) = chosen(model).cloned() else {
        return vec![];
    };
    let report = view(model).and_then(AuditView::report);
    let own = |level: &&PodLevel| level.pod_id.is_some() && level.pod_id == finding.subject.pod_id;
    let level = report
        .and_then(|report| report.pods.iter().find(own))
        .cloned();
    push(
        model,
        Page::Finding(Box::new(FindingView { finding, level })),
    )
}

/// The thing that a finding is about, if that is in a list.
pub fn subject_of(finding: &Finding) -> Option<Subject> {
    let subject = &finding.subject;
    match subject.kind {
        Kind::Container => subject.container_id.clone().map(Subject::Container),
        Kind::Pod => subject.pod_id.clone().map(Subject::Pod),
        Kind::Image => subject.image_id.clone().map(Subject::Image),
        Kind::Runtime | Kind::Node => None,
    }
}

/// Why what proves a finding cannot be shown.
pub fn refuse_proof(model: &Model) -> Option<&'static str> {
    match chosen(model) {
        None => Some("there is no finding here"),
        Some(finding) if finding.subject.kind == Kind::Node => {
            Some("a file of the node proves it: its path stands under Seen")
        }
        Some(_) => None,
    }
}

/// Opens all that the runtime tells, at the place that proves the finding.
pub fn proof(model: &mut Model) -> Vec<Effect> {
    let Some(finding) = chosen(model) else {
        return vec![];
    };
    let about = match (finding.subject.kind, subject_of(finding)) {
        (Kind::Runtime, _) => About::Runtime,
        (_, Some(subject)) => About::One(subject),
        (_, None) => return vec![],
    };
    let path = finding.evidence.first().map(|one| one.path.clone());
    let title = inspect::title(model, &about);
    let mut tree = TreeView::new(about, title);
    tree.goal = path.and_then(Text::non_empty);
    model.inspections.retry();
    push(model, Page::Tree(Box::new(tree)));
    inspect::show(model);
    vec![]
}

/// Copies the id of the finding, as a baseline has it.
pub fn copy(model: &mut Model) -> Vec<Effect> {
    let id = chosen(model).map(Finding::id);
    id.map(Effect::Copy).into_iter().collect()
}

/// The path of the socket that an endpoint names.
pub fn socket(endpoint: &Text) -> &Path {
    let endpoint = endpoint.as_str();
    Path::new(endpoint.strip_prefix("unix://").unwrap_or(endpoint))
}
