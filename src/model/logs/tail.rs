//! The end of a log, for the preview.

use std::collections::BTreeMap;

use crate::domain::ContainerState;
use crate::logs::level::looks_like_cause;
use crate::logs::shown::{Fields, Line};
use crate::logs::viewer::{News, Request, To, Whose};
use crate::logs::{Sift, Stream};
use crate::model::{Model, Page, Seen, Slot, Subject};
use crate::text::Text;

use super::LogView;
use super::whose::whose;

/// Lines that are read: among them the cause of a crash is looked for.
const LINES: usize = 300;

/// The end of the log of what is selected.
#[derive(Debug)]
pub struct Tail {
    /// What it is about.
    pub subject: Subject,
    /// Whose files are read.
    pub whose: Whose,
    /// The newest lines.
    pub lines: Vec<Line>,
    /// Names of the logs, by the lines' source.
    pub names: Vec<Text>,
    /// Why there is nothing.
    pub missing: Option<Text>,
    /// It has answered at least once.
    pub answered: bool,
    request: Request,
}

/// Lines of a crash, as they are shown.
#[derive(Debug, PartialEq, Eq)]
pub struct Crash<'a> {
    /// Standard error first.
    pub lines: Vec<&'a Line>,
    /// Which of them looks like the cause.
    pub cause: Option<usize>,
}

impl Tail {
    pub(super) fn new(subject: Subject, whose: Whose) -> Self {
        Self {
            subject,
            whose,
            lines: Vec::new(),
            names: Vec::new(),
            missing: None,
            answered: false,
            request: Request {
                ticket: 1,
                to: To::End,
                most: LINES,
                follow: true,
                numbers: false,
                sift: Sift::default(),
                since: None,
                search: None,
                fields: Fields::default(),
            },
        }
    }

    /// What is asked of the thread that reads.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Takes what has become known.
    pub fn take(&mut self, news: News) {
        if let Some(status) = news.status {
            self.missing = status.missing.first().map(|(_, why)| why.clone());
        }
        if let Some(window) = news.window {
            self.answered = true;
            self.lines = window.lines;
            self.names = window.names;
        }
    }

    /// What to show of a container that has crashed: the last lines of its last attempt, those of
    /// standard error first, beginning at what looks like the cause if there is not room for all.
    pub fn crash(&self, room: usize) -> Crash<'_> {
        let mut newest = BTreeMap::new();
        for line in &self.lines {
            newest.insert(line.id.source, line.attempt);
        }
        let of_last = |line: &&Line| newest.get(&line.id.source) == Some(&line.attempt);
        let lines: Vec<&Line> = self.lines.iter().filter(of_last).collect();
        let (errors, others): (Vec<&Line>, Vec<&Line>) = lines
            .into_iter()
            .partition(|line| line.stream == Stream::Stderr);
        let cause_in = |lines: &[&Line]| {
            let mut lines = lines.iter();
            lines.position(|line| looks_like_cause(line.text.as_str()))
        };
        let for_errors = if others.is_empty() {
            room
        } else {
            room - room / 3
        };
        let errors = from_cause(&errors, cause_in(&errors), for_errors);
        let left = room.saturating_sub(errors.len());
        let others = from_cause(&others, cause_in(&others), left);
        let mut lines = errors.to_vec();
        lines.extend(others);
        let cause = cause_in(&lines);
        Crash { lines, cause }
    }
}

/// The last `room` of `lines`, or from the cause on if that stands before them.
fn from_cause<'a, 'b>(lines: &'b [&'a Line], cause: Option<usize>, room: usize) -> &'b [&'a Line] {
    let last = lines.len().saturating_sub(room);
    let from = cause.map_or(last, |cause| cause.min(last));
    let to = (from + room).min(lines.len());
    &lines[from..to]
}

/// Whose log the preview is to show, and whether that has crashed.
fn previewed(model: &Model) -> Option<&Subject> {
    let subject = model.home.preview.as_ref();
    subject.filter(|subject| !matches!(subject, Subject::Image(_)))
}

/// True if the newest attempt of the container has ended badly.
pub fn has_crashed(model: &Model, subject: &Subject) -> bool {
    match subject {
        Subject::Container(id) => model.store.container(id).is_some_and(|row| {
            row.container.state == ContainerState::Exited && row.trouble.is_some()
        }),
        Subject::Pod(id) => {
            let rows = model.store.attempts_in(id);
            let running = |state| state == ContainerState::Running;
            let none = !rows.iter().any(|row| running(row.container.state));
            none && rows.iter().any(|row| row.trouble.is_some())
        }
        Subject::Image(_) => false,
    }
}

/// Brings what is asked of the threads that read up to date with what is shown.
pub fn settle(model: &mut Model, seen: &Seen) {
    if let (Some(size), Some(view)) = (seen.log, model.log_mut()) {
        view.fit(size);
        view.want_more(size);
    }
    look_elsewhere(model);
    let shown = model.layers.is_empty() && seen.log_tail.is_some();
    let subject = previewed(model).filter(|_| shown).cloned();
    let Some(subject) = subject else {
        model.log_tail = None;
        return;
    };
    let same = model.log_tail.as_ref().is_some_and(|tail| {
        // Where it writes may have become known since.
        tail.subject == subject && (tail.missing.is_none() || !tail.lines.is_empty())
    });
    if same {
        return;
    }
    let whose = whose(model, &subject);
    let known = model.log_tail.as_ref().map(|tail| &tail.whose);
    if known != whose.as_ref() || model.log_tail.as_ref().is_none_or(|t| t.subject != subject) {
        model.log_tail = whose.map(|whose| Tail::new(subject, whose));
    }
}

/// Where a container writes may have become known after its log was looked for in vain.
fn look_elsewhere(model: &mut Model) {
    let in_vain = |view: &&LogView| view.items.is_empty() && !view.known.status.missing.is_empty();
    let subject = model.log().filter(in_vain).map(|view| view.subject.clone());
    let known = subject.and_then(|subject| whose(model, &subject));
    if let (Some(known), Some(view)) = (known, model.log_mut()) {
        view.whose = known;
    }
}

/// What is to be read: whose logs, and what of them.
pub fn wanted(model: &Model, slot: Slot) -> Option<(&Whose, &Request)> {
    match slot {
        Slot::View => {
            let mut layers = model.layers.iter().rev();
            let view: &LogView = layers.find_map(|layer| match &layer.page {
                Page::Logs(view) => Some(&**view),
                _ => None,
            })?;
            Some((&view.whose, view.request()))
        }
        Slot::Preview => {
            let tail = model.log_tail.as_ref()?;
            Some((&tail.whose, tail.request()))
        }
    }
}
