//! The report for people and for tables.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::finding::{Finding, Severity, Status};
use super::report::{Counts, Report};
use crate::text::Text;
use crate::triage::report::escaped;

impl Counts {
    /// In words: `2 critical, 14 high, 3 acknowledged`.
    pub fn words(&self) -> String {
        let all = [
            (self.critical, "critical"),
            (self.high, "high"),
            (self.medium, "medium"),
            (self.low, "low"),
            (self.info, "info"),
            (self.unknown, "unknown"),
            (self.acknowledged, "acknowledged"),
        ];
        let some = all.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = some
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if words.is_empty() {
            return "nothing was found".to_owned();
        }
        words.join(", ")
    }
}

impl Report {
    fn found(&self) -> impl Iterator<Item = &Finding> {
        let found = |one: &&Finding| one.status == Status::Found;
        self.findings.iter().filter(found)
    }

    /// What could not be found out: for each check and reason how many subjects, and the first.
    fn unknown(&self) -> BTreeMap<(&'static str, &Text), (usize, String)> {
        let mut all = BTreeMap::new();
        for one in self
            .findings
            .iter()
            .filter(|one| one.status == Status::Unknown)
        {
            let entry = all
                .entry((one.rule.id, &one.summary))
                .or_insert_with(|| (0, one.subject.name()));
            entry.0 += 1;
        }
        all
    }

    /// Writes it for a terminal: a line for each finding.
    pub fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        let name = |one: &Finding| one.subject.name();
        let longest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let checks = longest(&mut self.found().map(|one| one.rule.id.len())).max(5);
        let names = longest(&mut self.found().map(|one| name(one).len())).clamp(7, 60);
        if self.found().next().is_some() {
            writeln!(
                out,
                "{:8}  {:checks$}  {:names$}  WHAT",
                "SEVERITY", "CHECK", "SUBJECT"
            )?;
        }
        for one in self.found() {
            let severity = if one.acknowledged {
                "(known)"
            } else {
                one.severity.name()
            };
            let (check, subject, summary) = (one.rule.id, name(one), &one.summary);
            writeln!(
                out,
                "{severity:8}  {check:checks$}  {subject:names$}  {summary}"
            )?;
        }
        if !self.pods.is_empty() {
            writeln!(out, "\nPOD SECURITY STANDARDS")?;
        }
        for pod in &self.pods {
            writeln!(out, "{}/{}: {}", pod.namespace, pod.pod, pod.words())?;
        }
        let unknown = self.unknown();
        if !unknown.is_empty() {
            writeln!(out, "\nNOT KNOWN")?;
        }
        for ((check, why), (count, first)) in unknown {
            let more = if count > 1 {
                format!(" and {} more", count - 1)
            } else {
                String::new()
            };
            writeln!(out, "{check}: {first}{more}: {why}")?;
        }
        self.last_line(out)
    }

    fn last_line(&self, out: &mut dyn Write) -> io::Result<()> {
        let seen = &self.looked_at;
        let counts = self.counts.words();
        let (pods, containers, images) = (seen.pods, seen.containers, seen.images);
        writeln!(
            out,
            "\n{counts}; looked at {pods} pods, {containers} containers, {images} images"
        )
    }

    /// Writes it in Markdown.
    pub fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "# Audit of this node\n\n{}\n", self.counts.words())?;
        for severity in Severity::ALL {
            let mut own = self
                .found()
                .filter(|one| one.severity == severity)
                .peekable();
            if own.peek().is_none() {
                continue;
            }
            writeln!(out, "## {}\n", severity.name())?;
            writeln!(
                out,
                "| check | subject | what | evidence | standards | what to do |"
            )?;
            writeln!(out, "|---|---|---|---|---|---|")?;
            for one in own {
                writeln!(out, "{}", row(one))?;
            }
            writeln!(out)?;
        }
        if !self.pods.is_empty() {
            writeln!(
                out,
                "## Pod Security Standards\n\n| pod | level |\n|---|---|"
            )?;
        }
        for pod in &self.pods {
            let name = escaped(&format!("{}/{}", pod.namespace, pod.pod));
            writeln!(out, "| {name} | {} |", escaped(&pod.words()))?;
        }
        let unknown = self.unknown();
        if !unknown.is_empty() {
            writeln!(
                out,
                "\n## Not known\n\n| check | of how many | why |\n|---|---|---|"
            )?;
        }
        for ((check, why), (count, _)) in unknown {
            writeln!(out, "| `{check}` | {count} | {} |", escaped(why.as_str()))?;
        }
        Ok(())
    }

    /// Writes it as CSV (RFC 4180), each cell in quotes.
    pub fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let heads = [
            "id",
            "check",
            "severity",
            "status",
            "acknowledged",
            "namespace",
            "pod",
            "container",
            "container_id",
            "image",
            "summary",
            "evidence",
            "standards",
            "advice",
        ];
        record(out, &heads.map(str::to_owned))?;
        for one in &self.findings {
            let subject = &one.subject;
            let maybe = |text: Option<&Text>| text.map_or_else(String::new, ToString::to_string);
            let id = subject.container_id.as_ref().map_or("", |id| id.as_str());
            let status = match one.status {
                Status::Found => "found",
                Status::Unknown => "unknown",
            };
            record(
                out,
                &[
                    one.id(),
                    one.rule.id.to_owned(),
                    one.severity.name().to_owned(),
                    status.to_owned(),
                    one.acknowledged.to_string(),
                    subject.namespace.to_string(),
                    subject.pod.to_string(),
                    maybe(subject.container.as_ref()),
                    id.to_owned(),
                    maybe(subject.image.as_ref()),
                    one.summary.to_string(),
                    evidence(one, "; "),
                    one.rule.standards().join("; "),
                    one.rule.advice.to_owned(),
                ],
            )?;
        }
        Ok(())
    }
}

/// What was seen and where, in one line.
fn evidence(finding: &Finding, by: &str) -> String {
    let all = finding.evidence.iter().map(|one| {
        let source = format!("{} {}", one.source, one.path);
        format!("{}: {} [{}]", one.what, one.value, source.trim_end())
    });
    all.collect::<Vec<String>>().join(by)
}

fn row(one: &Finding) -> String {
    let known = if one.acknowledged { " (known)" } else { "" };
    let cells = [
        one.subject.name(),
        format!("{}{known}", one.summary),
        evidence(one, "; "),
        one.rule.standards().join("; "),
        one.rule.advice.to_owned(),
    ];
    let cells = cells.map(|cell| escaped(&cell));
    format!("| `{}` | {} |", one.rule.id, cells.join(" | "))
}

fn record(out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    write!(out, "{}\r\n", cells.join(","))
}

/// In quotes, and such that no spreadsheet takes it for a formula.
fn quoted(cell: &str) -> String {
    let formula =
        cell.trim_start().starts_with(['=', '+', '-', '@']) || cell.starts_with(['\t', '\r']);
    let guard = if formula { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("plain", "\"plain\"")]
    #[case("", "\"\"")]
    #[case("a,b\nc", "\"a,b\nc\"")]
    #[case("say \"no\"", "\"say \"\"no\"\"\"")]
    #[case("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\"")]
    #[case("+1", "\"'+1\"")]
    #[case("-1", "\"'-1\"")]
    #[case("@SUM(A1)", "\"'@SUM(A1)\"")]
    #[case("\t=1", "\"'\t=1\"")]
    #[case("  =1", "\"'  =1\"")]
    #[case("a=b", "\"a=b\"")]
    fn cells(#[case] raw: &str, #[case] expected: &str) {
        assert_eq!(quoted(raw), expected);
    }
}
