//! The audit on the screen: what was found, grouped, and one finding on a page of its own.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cx, body, crumbs};
use crate::audit::{Evidence, Finding, Report, Severity, Status};
use crate::model::audit::{AuditView, FindingView, Group, Row};
use crate::model::{PageSeen, Seen};
use crate::theme::Role;
use crate::widgets::page::Doc;
use crate::widgets::text::{cut_end, cut_middle, width};

/// Cells of the word for the severity.
const SEVERITY: u16 = 10;
/// Least cells of what is said: it repeats what the check's name says in short.
const SAID: u16 = 22;

/// Its title.
pub fn title(view: &AuditView) -> String {
    let filter = view.filter.as_ref();
    let filter = filter.map(|sought| format!(" only {:?}", sought.line()));
    format!(
        "Audit by {}{}",
        view.group.name(),
        filter.unwrap_or_default()
    )
}

/// Draws the view.
pub fn draw(cx: &Cx, view: &AuditView, area: Rect, buffer: &mut Buffer, seen: &mut Seen) {
    body::titled(cx, area, buffer, &crumbs(cx, &title(view)), true);
    let inner = body::below_title(area);
    let report = match &view.report {
        None => {
            let (done, all) = view.progress.get();
            cx.wake_in(1);
            let words = format!("looking at all that runs here: {done} of {all} statuses");
            body::line(cx, inner, buffer, &words, Role::Dim);
            return;
        }
        Some(Err(why)) => {
            body::line(cx, inner, buffer, why.as_str(), Role::Bad);
            return;
        }
        Some(Ok(report)) => report,
    };
    body::line(cx, inner, buffer, &report.counts.words(), Role::Dim);
    let lines = Rect {
        y: inner.y + inner.height.min(1),
        height: inner.height.saturating_sub(1),
        ..inner
    };
    seen.page = Some(PageSeen {
        lines: view.rows.len(),
        height: lines.height.into(),
    });
    if view.rows.is_empty() {
        let words = match view.filter {
            Some(_) => "no finding matches; Esc shows all",
            None => "nothing was found",
        };
        body::line(cx, lines, buffer, words, Role::Good);
        return;
    }
    let columns = Columns::of(view, report);
    let rows = view.rows.iter().enumerate().skip(view.top);
    for ((nth, row), y) in rows.zip(lines.y..lines.bottom()) {
        let at = Rect {
            y,
            height: 1,
            ..lines
        };
        match row {
            Row::Head(name, count) => {
                let words = format!("{name} ({count})");
                body::line(cx, at, buffer, &words, Role::Title);
            }
            Row::Finding(place) => {
                if let Some(finding) = report.findings.get(*place) {
                    line(cx, columns, finding, at, buffer);
                }
            }
        }
        if nth == view.cursor {
            buffer.set_style(at, cx.theme.style(Role::Selected));
        }
    }
}

/// How wide things are, and what is left out.
#[derive(Clone, Copy)]
struct Columns {
    group: Group,
    /// Cells of the longest name of a check that is listed, with what keeps it apart.
    checks: u16,
    /// The same of what findings are about.
    names: u16,
}

impl Columns {
    fn of(view: &AuditView, report: &Report) -> Self {
        let listed = view.rows.iter().filter_map(|row| match row {
            Row::Finding(place) => report.findings.get(*place),
            Row::Head(..) => None,
        });
        let (mut checks, mut names) = (0, 0);
        for finding in listed {
            checks = checks.max(width(finding.rule.id));
            names = names.max(width(&subject(view.group, finding)));
        }
        Self {
            group: view.group,
            checks: checks.saturating_add(2),
            names: names.saturating_add(2),
        }
    }
}

/// What a finding is about, as far as its group does not say it.
fn subject(group: Group, finding: &Finding) -> String {
    let subject = &finding.subject;
    match (group, &subject.container) {
        (Group::Pod, Some(container)) => container.to_string(),
        (Group::Pod, None) => subject
            .image
            .as_ref()
            .map_or_else(|| "-".to_owned(), ToString::to_string),
        _ => subject.name(),
    }
}

/// How bad it is, in colour: the word stands beside it.
fn role(finding: &Finding) -> Role {
    match (finding.status, finding.severity) {
        _ if finding.acknowledged => Role::Dim,
        (Status::Unknown, _) => Role::Dim,
        (_, Severity::Critical | Severity::High) => Role::Bad,
        (_, Severity::Medium) => Role::Warn,
        (_, Severity::Low | Severity::Info) => Role::Text,
    }
}

fn word(finding: &Finding) -> &'static str {
    match finding.status {
        _ if finding.acknowledged => "known",
        Status::Unknown => "unknown",
        Status::Found => finding.severity.name(),
    }
}

/// What the group already says is left out.
fn line(cx: &Cx, columns: Columns, finding: &Finding, area: Rect, buffer: &mut Buffer) {
    let more = cx.theme.glyphs().more;
    let role = role(finding);
    let quiet = if finding.acknowledged {
        Role::Dim
    } else {
        Role::Text
    };
    let group = columns.group;
    let mut cells = Vec::new();
    if group != Group::Severity || finding.acknowledged || finding.status == Status::Unknown {
        cells.push((word(finding).to_owned(), role, SEVERITY));
    }
    if group != Group::Check {
        cells.push((finding.rule.id.to_owned(), role, columns.checks));
    }
    let taken: u16 = cells.iter().map(|(_, _, wide)| *wide).sum::<u16>() + 2;
    let room = area.width.saturating_sub(taken);
    let names = columns.names;
    let names = names.min(room.saturating_sub(SAID).max(room / 3));
    let subject = subject(group, finding);
    let subject = cut_middle(&subject, names.saturating_sub(2), more).into_owned();
    cells.push((subject, quiet, names));
    cells.push((
        finding.summary.to_string(),
        quiet,
        room.saturating_sub(names),
    ));
    let mut x = area.x.saturating_add(2);
    for (text, role, wide) in cells {
        let rest = Rect {
            x: x.min(area.right()),
            width: area.right().saturating_sub(x).min(wide),
            ..area
        };
        let text = cut_end(&text, rest.width, more);
        body::line(cx, rest, buffer, &text, role);
        x = x.saturating_add(wide.max(width(&text).min(wide)));
    }
}

/// The name of a finding's page.
pub fn finding_title(view: &FindingView) -> String {
    format!("{} {}", view.finding.rule.id, view.finding.subject.name())
}

/// The page of a finding.
pub fn finding(view: &FindingView) -> Doc {
    let finding = &view.finding;
    let mut doc = Doc::default();
    let role = role(finding);
    doc.text(finding.summary.as_str(), role);
    let head = format!(
        "{}: {}, {}",
        word(finding),
        finding.rule.id,
        finding.rule.title
    );
    doc.text(head, Role::Dim);
    if finding.status == Status::Unknown {
        doc.text(
            "It could not be seen whether this is so, which does not mean that it is not.",
            Role::Warn,
        );
    }
    if finding.acknowledged {
        doc.text("It is in the baseline: known and accepted.", Role::Dim);
    }
    doc.title("About");
    about(&mut doc, finding);
    if !finding.evidence.is_empty() {
        doc.title("Seen");
    }
    for one in &finding.evidence {
        evidence(&mut doc, one);
    }
    doc.title("What to do");
    doc.text(finding.rule.advice, Role::Text);
    let standards = finding.rule.standards();
    if !standards.is_empty() {
        doc.title("Standards");
    }
    for one in standards {
        doc.text(one, Role::Text);
    }
    if let Some(level) = &view.level {
        doc.title("Pod Security Standards");
        doc.text(level.words(), Role::Text);
    }
    doc.title("Id");
    doc.text(finding.id(), Role::Dim);
    doc
}

fn about(doc: &mut Doc, finding: &Finding) {
    let subject = &finding.subject;
    if subject.pod.is_empty() && subject.image.is_none() {
        doc.text(subject.name(), Role::Text);
        return;
    }
    doc.maybe(
        "namespace",
        subject
            .namespace
            .clone()
            .non_empty()
            .map(|text| text.to_string()),
    );
    doc.maybe(
        "pod",
        subject.pod.clone().non_empty().map(|text| text.to_string()),
    );
    doc.maybe(
        "container",
        subject.container.as_ref().map(ToString::to_string),
    );
    doc.maybe(
        "container id",
        subject
            .container_id
            .as_ref()
            .map(|id| id.short().to_owned()),
    );
    doc.maybe("image", subject.image.as_ref().map(ToString::to_string));
}

fn evidence(doc: &mut Doc, one: &Evidence) {
    doc.fact(one.what.to_string(), one.value.to_string());
    let place = format!("{} {}", one.source, one.path);
    doc.fact_as("", place.trim_end(), Role::Dim);
}
