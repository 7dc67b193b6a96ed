//! The baseline: findings that are known and accepted, one id a line.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::checks;
use super::finding::{Finding, Status};

/// Ids of findings that are accepted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Baseline(BTreeSet<String>);

impl Baseline {
    /// Reads one: an id a line, and what is behind a `#` is for people. The error names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut ids = BTreeSet::new();
        for (number, line) in text.lines().enumerate() {
            let id = line.split('#').next().unwrap_or_default().trim();
            if id.is_empty() {
                continue;
            }
            let check = id.split(':').next().unwrap_or_default();
            let known = checks::rules().iter().any(|rule| rule.id == check);
            if !known || id.contains(char::is_whitespace) {
                return Err(format!(
                    "line {}: {id:?} is no id of a finding: expected CHECK:SUBJECT, as \
                     --write-baseline writes it",
                    number + 1
                ));
            }
            ids.insert(id.to_owned());
        }
        Ok(Self(ids))
    }

    /// Marks the findings that are accepted. How many of the ids belong to none.
    pub fn apply(&self, findings: &mut [Finding]) -> usize {
        let mut met = BTreeSet::new();
        for finding in findings {
            let id = finding.id();
            if finding.status == Status::Found && self.0.contains(&id) {
                finding.acknowledged = true;
                met.insert(id);
            }
        }
        self.0.len() - met.len()
    }

    /// Nothing is accepted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes one that accepts all of `findings`.
pub fn write(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "# Findings of 'critui audit' that are known and accepted, one id a line."
    )?;
    let found = findings.iter().filter(|one| one.status == Status::Found);
    let mut lines: Vec<(String, &str)> = found.map(|one| (one.id(), one.rule.title)).collect();
    lines.sort();
    lines.dedup();
    for (id, title) in lines {
        writeln!(out, "{id} # {title}")?;
    }
    Ok(())
}
