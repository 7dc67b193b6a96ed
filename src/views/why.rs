//! Why something fares as it does: the verdict, then what it stands on.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::Cx;
use crate::format::{bytes, seconds_between, span};
use crate::model::trouble::ending;
use crate::model::why::{Found, WhyView};
use crate::theme::Role;
use crate::triage::facts::{Attempt, Config, LogTail};
use crate::triage::{Confidence, ContainerFacts, Evidence, Verdict};
use crate::widgets::page::Doc;

/// Cells of the axis of time and of the bar of memory.
const CELLS: u64 = 60;
/// Lines of the log before and after the cause.
const BEFORE: usize = 3;
const AFTER: usize = 6;
/// Lines of the kubelet and the runtime.
const SAID: usize = 5;

/// The page's name.
pub fn title(view: &WhyView) -> String {
    format!("Why {}", view.title)
}

/// The page.
pub fn page(cx: &Cx, view: &WhyView) -> Doc {
    let mut doc = Doc::default();
    let Some(found) = &view.found else {
        doc.text("looking at statuses, logs and files of the node", Role::Dim);
        return doc;
    };
    verdict(&mut doc, found);
    if let Some(facts) = &found.container {
        attempts(cx, &mut doc, facts);
        memory(cx, &mut doc, facts);
        if let Ok(log) = &facts.log {
            log_lines(cx, &mut doc, log);
        }
        changes(cx, &mut doc, facts);
    }
    if let Some(first) = found.verdicts.first() {
        evidence(&mut doc, first);
        steps(&mut doc, first);
    }
    others(&mut doc, found);
    said(&mut doc, found);
    doc
}

fn verdict(doc: &mut Doc, found: &Found) {
    let Some(first) = found.verdicts.first() else {
        doc.text("Nothing is wrong as far as can be seen.", Role::Good);
        return;
    };
    let opinion = &first.opinion;
    let role = match opinion.confidence {
        Confidence::Proven | Confidence::Likely => Role::Bad,
        Confidence::Possible => Role::Warn,
    };
    let confidence = opinion.confidence.name();
    doc.text(opinion.summary.as_str(), role);
    doc.text(format!("{} ({confidence})", first.id), Role::Dim);
}

/// Each attempt that is still known, and all of them on one axis.
fn attempts(cx: &Cx, doc: &mut Doc, facts: &ContainerFacts) {
    let now = cx.now();
    let restarts = facts.standing.restarts;
    doc.title(format!("Attempts ({restarts} restarts)"));
    let mut oldest_first: Vec<&Attempt> = facts.attempts.iter().collect();
    oldest_first.reverse();
    if let Some(axis) = axis(cx, &oldest_first, now) {
        doc.text(axis, Role::Accent);
    }
    let mut ended: Option<Timestamp> = None;
    for one in oldest_first {
        let began = one.started_at.or(one.created_at);
        let gap = ended.zip(began).map(|(from, to)| seconds_between(from, to));
        if let Some(gap) = gap {
            doc.fact("", format!("{} until it was started again", span(gap)));
        }
        let role = if one.is_over() {
            Role::Text
        } else {
            Role::Good
        };
        doc.fact_as(format!("#{}", one.number), told(one, now), role);
        ended = one.finished_at;
    }
    match facts.standing.next_restart {
        Some(next) if next > now => {
            cx.wake_in(1);
            let left = span(seconds_between(now, next));
            doc.fact_as("", format!("next restart expected in ~{left}"), Role::Warn);
        }
        Some(_) => {
            doc.fact_as("", "next restart is due", Role::Warn);
        }
        None => {}
    }
}

fn told(one: &Attempt, now: Timestamp) -> String {
    let mut text = match (one.started_at, one.finished_at) {
        _ if one.never_started() => "never started".to_owned(),
        (Some(from), Some(to)) => format!("ran {}", span(seconds_between(from, to))),
        (Some(from), None) => format!("runs for {}", span(seconds_between(from, now))),
        (None, _) => "not started".to_owned(),
    };
    if one.is_over() {
        let reason = (!one.reason.is_empty()).then_some(&one.reason);
        // Writing to a String cannot fail.
        let _ = write!(text, ", {}", ending(one.exit_code, reason, None));
    }
    if let Some(at) = one.finished_at.filter(|_| one.is_over()) {
        let _ = write!(text, ", {} ago", span(seconds_between(at, now)));
    }
    text
}

/// Running and waiting from the start of the first known attempt until now, to scale.
fn axis(cx: &Cx, oldest_first: &[&Attempt], now: Timestamp) -> Option<String> {
    let first = oldest_first.first()?;
    let from = first.started_at.or(first.created_at)?;
    let all = seconds_between(from, now).max(1);
    let (run, wait) = if cx.theme.unicode() {
        ('█', '·')
    } else {
        ('#', '.')
    };
    let cell = |at: Timestamp| seconds_between(from, at).saturating_mul(CELLS) / all;
    let mut cells = vec![wait; usize::try_from(CELLS).unwrap_or(0)];
    for one in oldest_first {
        let Some(start) = one.started_at else {
            continue;
        };
        let end = one.finished_at.filter(|_| one.is_over()).unwrap_or(now);
        // The shortest run is seen as well.
        let (start, end) = (cell(start).min(CELLS - 1), cell(end).min(CELLS));
        for at in start..end.max(start + 1) {
            if let Some(cell) = usize::try_from(at).ok().and_then(|at| cells.get_mut(at)) {
                *cell = run;
            }
        }
    }
    let cells: String = cells.into_iter().collect();
    Some(format!("{cells} now; all of it is {}", span(all)))
}

/// The limit against the highest use.
fn memory(cx: &Cx, doc: &mut Doc, facts: &ContainerFacts) {
    let Some(limit) = facts.limit() else {
        return;
    };
    doc.title("Memory");
    let own = facts.own().map(|own| own.gauges);
    let Some(peak) = own.and_then(|own| own.peak.or(own.working_set)) else {
        doc.fact("limit", bytes(limit));
        return;
    };
    let filled = peak
        .saturating_mul(CELLS / 2)
        .checked_div(limit)
        .unwrap_or(0)
        .min(CELLS / 2);
    let (full, free) = if cx.theme.unicode() {
        ("█", "░")
    } else {
        ("#", "-")
    };
    let count = |cells: u64| usize::try_from(cells).unwrap_or(0);
    let bar = full.repeat(count(filled)) + &free.repeat(count(CELLS / 2 - filled));
    let percent = peak.saturating_mul(100).checked_div(limit).unwrap_or(0);
    let text = format!("{bar} {} of {} ({percent} %)", bytes(peak), bytes(limit));
    let role = if percent >= 90 { Role::Bad } else { Role::Text };
    doc.fact_as("highest use", text, role);
}

/// The cause among the lines around it, else the last lines.
fn log_lines(cx: &Cx, doc: &mut Doc, log: &LogTail) {
    if log.lines.is_empty() {
        return;
    }
    doc.title("Log");
    doc.text(log.source.as_str(), Role::Dim);
    let last = log.lines.len();
    let middle = log.cause.unwrap_or(last.saturating_sub(1));
    let (from, to) = (middle.saturating_sub(BEFORE), (middle + AFTER).min(last));
    for (at, line) in log.lines.iter().enumerate().take(to).skip(from) {
        let is_cause = log.cause == Some(at);
        let mark = match (is_cause, cx.theme.unicode()) {
            (true, true) => "▶ ",
            (true, false) => "> ",
            (false, _) => "  ",
        };
        let role = if is_cause { Role::Bad } else { Role::Text };
        doc.text(format!("{mark}{}", line.text), role);
    }
}

fn changes(cx: &Cx, doc: &mut Doc, facts: &ContainerFacts) {
    let configs = &facts.disk.configs;
    if facts.changes.is_empty() && configs.is_empty() {
        return;
    }
    doc.title("What changed");
    for change in &facts.changes {
        doc.fact_as("since the attempt before", change.as_str(), Role::Warn);
    }
    for config in configs {
        doc.fact(
            format!("{} {}", config.kind, config.volume),
            configured(cx, config),
        );
    }
}

fn configured(cx: &Cx, config: &Config) -> String {
    let keys: Vec<String> = config.keys.iter().map(ToString::to_string).collect();
    let keys = crate::format::some_of(&keys, 6);
    match config.changed_at {
        Some(at) => format!(
            "changed {} ago; {keys}",
            span(seconds_between(at, cx.now()))
        ),
        None => keys,
    }
}

fn evidence(doc: &mut Doc, verdict: &Verdict) {
    doc.title("Evidence");
    for one in &verdict.opinion.evidence {
        doc.fact(one.what.as_str(), shown(one));
    }
}

fn shown(one: &Evidence) -> String {
    let time = one.time.map(|time| format!("{time:.0}"));
    let source = Some(one.source.to_string()).filter(|source| !source.is_empty());
    let whence: Vec<String> = source.into_iter().chain(time).collect();
    match whence.join(", ").as_str() {
        "" => one.value.to_string(),
        whence => format!("{}  [{whence}]", one.value),
    }
}

fn steps(doc: &mut Doc, verdict: &Verdict) {
    if verdict.opinion.next_steps.is_empty() {
        return;
    }
    doc.title("What to do next");
    for step in &verdict.opinion.next_steps {
        doc.text(step.as_str(), Role::Key);
    }
}

fn others(doc: &mut Doc, found: &Found) {
    if found.verdicts.len() < 2 {
        return;
    }
    doc.title("What fits as well");
    for one in &found.verdicts[1..] {
        let confidence = one.opinion.confidence.name();
        let text = format!("{} ({confidence})", one.opinion.summary);
        doc.fact(one.id, text);
    }
}

/// The newest lines of the kubelet and the runtime about it.
fn said(doc: &mut Doc, found: &Found) {
    let of_container = found.container.as_ref().map(|facts| &facts.said);
    let said = of_container.or(found.pod.as_ref().map(|facts| &facts.said));
    let Some(said) = said else { return };
    doc.title("Kubelet and runtime");
    match said {
        Err(why) => drop(doc.text(why.as_str(), Role::Dim)),
        Ok(lines) if lines.is_empty() => drop(doc.text("nothing about it", Role::Dim)),
        Ok(lines) => {
            for line in lines.iter().rev().take(SAID).rev() {
                doc.text(line.text.as_str(), Role::Dim);
            }
        }
    }
}
