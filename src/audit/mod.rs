//! What on a node could hurt: facts in, findings out. Everything here is pure; who gathers the
//! facts is [`crate::gather::audit`].
//!
//! What could not be seen is told as unknown, never as passed.

pub mod baseline;
pub mod checks;
pub mod facts;
pub mod finding;
pub mod kubelet;
pub mod level;
pub mod report;
mod sarif;
mod write;

use std::fmt::Write as _;

pub use facts::Facts;
pub use finding::{Evidence, Finding, Kind, Level, Opinion, Rule, Severity, Status, Subject};
pub use level::PodLevel;
pub use report::Report;

use checks::Check;
use facts::Seen;

/// All that the checks say of `facts`: the worst first, then by subject and check.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut all = Vec::new();
    for one in &facts.containers {
        judge(&checks::CONTAINER, one, &one.subject, &mut all);
    }
    for one in &facts.pods {
        judge(&checks::POD, one, &one.subject, &mut all);
    }
    for one in &facts.images {
        judge(&checks::IMAGE, one, &one.subject, &mut all);
    }
    judge(
        &checks::RUNTIME,
        &facts.runtime,
        &Subject::runtime(),
        &mut all,
    );
    judge(&checks::HOST, &facts.host, &Subject::default(), &mut all);
    all.sort_by(order);
    all
}

/// What is known comes before what is not, the worse before the better.
fn order(a: &Finding, b: &Finding) -> std::cmp::Ordering {
    let rank = |one: &Finding| (one.status, std::cmp::Reverse(one.severity));
    rank(a)
        .cmp(&rank(b))
        .then_with(|| a.subject.cmp(&b.subject))
        .then_with(|| a.rule.id.cmp(b.rule.id))
        .then_with(|| a.detail.cmp(&b.detail))
}

fn judge<F>(
    checks: &'static [&'static Check<F>],
    facts: &F,
    subject: &Subject,
    all: &mut Vec<Finding>,
) {
    for check in checks {
        all.extend(of_one(&check.rule, (check.judge)(facts), subject));
    }
}

fn of_one(
    rule: &'static Rule,
    said: Seen<Vec<Opinion>>,
    subject: &Subject,
) -> impl Iterator<Item = Finding> {
    let blank = Finding {
        rule,
        status: Status::Found,
        severity: rule.severity,
        subject: subject.clone(),
        detail: String::new(),
        summary: crate::text::Text::default(),
        evidence: vec![],
        acknowledged: false,
    };
    let found: Vec<Finding> = match said {
        Err(why) => vec![Finding {
            status: Status::Unknown,
            severity: Severity::Info,
            summary: why,
            ..blank
        }],
        Ok(opinions) => opinions
            .into_iter()
            .map(|opinion| Finding {
                severity: opinion.severity.unwrap_or(rule.severity),
                detail: opinion.detail,
                summary: crate::text::Text::clean(&opinion.summary),
                evidence: opinion.evidence,
                ..blank.clone()
            })
            .collect(),
    };
    found.into_iter()
}

/// All checks as a table in Markdown, for the README and for `critui audit --checks`.
pub fn table() -> String {
    let mut out =
        "| check | what is wrong | severity | standards | what to do |\n|---|---|---|---|---|\n"
            .to_owned();
    for rule in checks::rules() {
        let cis = rule.cis.iter().map(|number| format!("CIS {number}"));
        let level = rule
            .level
            .map(|(level, control)| format!("PSS {}: {control}", level.name()));
        let nsa = (!rule.nsa.is_empty()).then(|| format!("NSA: {}", rule.nsa));
        let standards: Vec<String> = cis.chain(level).chain(nsa).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} |",
            rule.id,
            rule.title,
            rule.severity.name(),
            standards.join("; "),
            rule.advice
        );
    }
    out
}

#[cfg(test)]
mod tests;
