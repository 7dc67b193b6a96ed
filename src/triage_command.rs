//! `critui triage`: what is wrong on this node and why, once or as it changes. It only reads.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;

use crate::cri::{CriError, Reader};
use crate::gather;
use crate::host::open::HostRoot;
use crate::text::Text;
use crate::triage::{Report, table};

/// The arguments of `critui triage`.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Triage {
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub output: TriageForm,
    /// Go on, and print what is found and what has gone, one line each (with -o json an object
    /// each), until interrupted
    #[arg(short, long)]
    pub watch: bool,
    /// Print all verdicts there are, what they mean and what to do, as a table in Markdown
    #[arg(long, conflicts_with_all = ["watch", "output"])]
    pub verdicts: bool,
}

/// Form of the report.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TriageForm {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// The same.
    Yaml,
    /// For tickets: Markdown.
    Md,
}

/// What has changed from one look to the next.
#[derive(Serialize, PartialEq, Eq, Debug)]
struct Change<'a> {
    /// When.
    time: Timestamp,
    /// `found` or `gone`.
    what: &'static str,
    /// Id of the verdict.
    id: &'a str,
    /// `NAMESPACE/POD/CONTAINER`, or `node`.
    subject: &'a str,
    /// What it says.
    summary: &'a str,
}

/// What was found before: subject and id to what it says.
#[derive(Default, Debug)]
pub struct Before(BTreeMap<(String, &'static str), Text>);

/// Looks once.
pub async fn look(reader: &Reader, host: &HostRoot) -> Result<Report, CriError> {
    gather::everything(reader, host, Timestamp::now()).await
}

/// What can be told when the runtime is there but does not answer, which `why` says.
pub async fn look_without_runtime(host: &HostRoot, why: Text) -> Report {
    let node = gather::without_runtime(host, why, Timestamp::now()).await;
    Report::of(&node, &[], &[])
}

impl Triage {
    /// Writes the table of all verdicts.
    pub fn list(out: &mut dyn Write) -> io::Result<()> {
        out.write_all(table().as_bytes())
    }

    /// Writes a report.
    pub fn write(&self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        match self.output {
            TriageForm::Table => report.table(out),
            TriageForm::Json => report.json(out),
            TriageForm::Yaml => report.yaml(out),
            TriageForm::Md => report.markdown(out),
        }
    }

    /// Writes what has changed since `before`, and takes note of it.
    pub fn changes(
        &self,
        report: &Report,
        before: &mut Before,
        now: Timestamp,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let found = found(report);
        for ((subject, id), summary) in &before.0 {
            if !found.contains_key(&(subject.clone(), *id)) {
                self.change(out, ("gone", now), (subject, id), summary)?;
            }
        }
        for ((subject, id), summary) in &found {
            if !before.0.contains_key(&(subject.clone(), *id)) {
                self.change(out, ("found", now), (subject, id), summary)?;
            }
        }
        before.0 = found;
        out.flush()
    }

    fn change(
        &self,
        out: &mut dyn Write,
        (what, time): (&'static str, Timestamp),
        (subject, id): (&str, &str),
        summary: &Text,
    ) -> io::Result<()> {
        let summary = summary.as_str();
        if self.output != TriageForm::Json {
            let sign = if what == "found" { '+' } else { '-' };
            return writeln!(out, "{time:.0} {sign} {subject}: {id}: {summary}");
        }
        let line = Change {
            time,
            what,
            id,
            subject,
            summary,
        };
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)
    }
}

fn found(report: &Report) -> BTreeMap<(String, &'static str), Text> {
    let node = report.node.iter().map(|one| ("node".to_owned(), one));
    let findings = report.findings.iter();
    let findings = findings.map(|one| (one.subject.target(), &one.verdict));
    let all = node.chain(findings);
    all.map(|(subject, one)| ((subject, one.id), one.opinion.summary.clone()))
        .collect()
}
