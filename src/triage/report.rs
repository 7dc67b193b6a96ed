//! What `critui triage` prints. The shape is stable: fields are added, never renamed or removed.

use std::io::{self, Write};

use serde::Serialize;

use super::facts::{About, ContainerFacts, NodeFacts, PodFacts};
use super::verdict::Verdict;
use super::{of_container, of_node, of_pod};

/// A verdict and what it is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// What it is, how sure that is, why, and what to do.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What it is about.
    pub subject: About,
    /// Restarts of the container.
    pub restarts: u32,
    /// Exit code of the attempt that is judged.
    pub exit_code: Option<i32>,
    /// Other verdicts that fit too, by id, the strongest first.
    pub others: Vec<&'static str>,
}

/// Everything that is wrong, and what could not be seen.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Report {
    /// What is wrong with the node.
    pub node: Vec<Verdict>,
    /// What is wrong with pods and containers, the surest first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Of all that is known.
    pub fn of(node: &NodeFacts, pods: &[PodFacts], containers: &[ContainerFacts]) -> Self {
        let mut findings: Vec<Finding> = containers.iter().filter_map(of_one).collect();
        for facts in pods {
            findings.extend(finding(of_pod(facts), &facts.about, 0, None));
        }
        findings.sort_by(|a, b| {
            let rank = |finding: &Finding| std::cmp::Reverse(finding.verdict.opinion.confidence);
            rank(a)
                .cmp(&rank(b))
                .then_with(|| a.subject.cmp(&b.subject))
        });
        Self {
            node: of_node(node),
            findings,
        }
    }

    /// Nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.node.is_empty() && self.findings.is_empty()
    }

    /// Writes it as JSON.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }

    /// Writes it as YAML.
    pub fn yaml(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_yaml::to_writer(out, self).map_err(io::Error::other)
    }

    /// Writes it for a terminal.
    pub fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.is_empty() {
            return writeln!(out, "nothing is wrong as far as can be seen");
        }
        for verdict in &self.node {
            writeln!(out, "NODE")?;
            text(out, verdict, &[])?;
        }
        for finding in &self.findings {
            writeln!(out, "{}{}", finding.subject.target(), finding.times())?;
            text(out, &finding.verdict, &finding.others)?;
        }
        Ok(())
    }

    /// Writes it for a ticket.
    pub fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.is_empty() {
            return writeln!(out, "Nothing is wrong as far as can be seen.");
        }
        let node = self
            .node
            .iter()
            .map(|verdict| ("the node".to_owned(), verdict));
        let findings = self.findings.iter().map(|finding| {
            let head = format!("{}{}", finding.subject.target(), finding.times());
            (head, &finding.verdict)
        });
        for (head, verdict) in node.chain(findings) {
            section(out, &head, verdict)?;
        }
        Ok(())
    }
}

impl Finding {
    fn times(&self) -> String {
        match self.restarts {
            0 => String::new(),
            n => format!(" (restarted {n} times)"),
        }
    }
}

/// Writes a verdict in Markdown, under a head.
pub fn section(out: &mut dyn Write, head: &str, verdict: &Verdict) -> io::Result<()> {
    let opinion = &verdict.opinion;
    let (id, confidence) = (verdict.id, opinion.confidence.name());
    writeln!(out, "## {}\n", escaped(head))?;
    let summary = escaped(opinion.summary.as_str());
    writeln!(out, "**`{id}`** ({confidence}): {summary}\n")?;
    writeln!(out, "| seen | value | where | when |\n|---|---|---|---|")?;
    for one in &opinion.evidence {
        let parts = [&one.what, &one.value, &one.source];
        let [what, value, source] = parts.map(|text| escaped(text.as_str()));
        let time = one.time.map_or(String::new(), |time| time.to_string());
        writeln!(out, "| {what} | {value} | {source} | {time} |")?;
    }
    writeln!(out, "\n```sh")?;
    for step in &opinion.next_steps {
        writeln!(out, "{step}")?;
    }
    writeln!(out, "```\n")
}

/// `text` with what Markdown would take for its own escaped.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_|<>[]#".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn of_one(facts: &ContainerFacts) -> Option<Finding> {
    let code = facts.ended().and_then(|ended| ended.exit_code);
    let restarts = facts.standing.restarts;
    finding(of_container(facts), &facts.about, restarts, code)
}

fn finding(
    verdicts: Vec<Verdict>,
    about: &About,
    restarts: u32,
    exit_code: Option<i32>,
) -> Option<Finding> {
    let mut verdicts = verdicts.into_iter();
    let verdict = verdicts.next()?;
    Some(Finding {
        verdict,
        subject: about.clone(),
        restarts,
        exit_code,
        others: verdicts.map(|verdict| verdict.id).collect(),
    })
}

fn text(out: &mut dyn Write, verdict: &Verdict, others: &[&str]) -> io::Result<()> {
    let opinion = &verdict.opinion;
    writeln!(
        out,
        "  {} ({}): {}",
        verdict.id,
        opinion.confidence.name(),
        opinion.summary
    )?;
    for one in &opinion.evidence {
        let source = match one.source.as_str() {
            "" => String::new(),
            source => format!("  [{source}]"),
        };
        writeln!(out, "    {}: {}{source}", one.what, one.value)?;
    }
    if !others.is_empty() {
        writeln!(out, "    also: {}", others.join(", "))?;
    }
    for step in &opinion.next_steps {
        let prompt = if step.as_str().starts_with('#') {
            ""
        } else {
            "$ "
        };
        writeln!(out, "    {prompt}{step}")?;
    }
    writeln!(out)
}
