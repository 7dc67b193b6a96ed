//! What `critui audit` prints. The shape is stable: fields are added, never renamed or removed.

use std::io::{self, BufWriter, Write};

use serde::{Serialize, Serializer};

use super::facts::Facts;
use super::finding::{CIS, Evidence, Finding, NSA, PSS, Severity, Status, Subject};
use super::level::{self, PodLevel};
use super::{baseline::Baseline, findings};
use crate::text::Text;

/// What an audit came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// What was looked at.
    pub looked_at: LookedAt,
    /// The standards that findings refer to, with their versions.
    pub standards: [&'static str; 3],
    /// How many findings there are of each kind.
    pub counts: Counts,
    /// The level of the Pod Security Standards that each pod meets.
    pub pods: Vec<PodLevel>,
    /// What was found, the worst first, and what could not be found out.
    pub findings: Vec<Finding>,
}

/// What was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct LookedAt {
    /// Pods.
    pub pods: usize,
    /// Containers.
    pub containers: usize,
    /// Images.
    pub images: usize,
}

/// How many findings there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    /// Critical ones.
    pub critical: usize,
    /// High ones.
    pub high: usize,
    /// Medium ones.
    pub medium: usize,
    /// Low ones.
    pub low: usize,
    /// Good to know.
    pub info: usize,
    /// Checks that could not be made.
    pub unknown: usize,
    /// Known and accepted ones, which are in none of the others.
    pub acknowledged: usize,
}

impl Counts {
    fn of(findings: &[Finding]) -> Self {
        let mut counts = Self::default();
        for finding in findings {
            let count = match (finding.status, finding.severity) {
                _ if finding.acknowledged => &mut counts.acknowledged,
                (Status::Unknown, _) => &mut counts.unknown,
                (_, Severity::Critical) => &mut counts.critical,
                (_, Severity::High) => &mut counts.high,
                (_, Severity::Medium) => &mut counts.medium,
                (_, Severity::Low) => &mut counts.low,
                (_, Severity::Info) => &mut counts.info,
            };
            *count += 1;
        }
        counts
    }
}

/// What a report leaves out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Narrow {
    /// Only pods of these namespaces, and nothing else; all if empty.
    pub namespaces: Vec<String>,
    /// Checks by id, and pods and containers by `NAMESPACE/POD[/CONTAINER]`, `*` for any.
    pub exclude: Vec<String>,
}

impl Narrow {
    fn takes(&self, finding: &Finding) -> bool {
        let subject = &finding.subject;
        let by_namespace = self.namespaces.is_empty()
            || self
                .namespaces
                .iter()
                .any(|name| subject.namespace == *name.as_str());
        by_namespace
            && !self.exclude.iter().any(|what| {
                *what == finding.rule.id || (what.contains('/') && matches(what, subject))
            })
    }
}

/// `NAMESPACE/POD` or `NAMESPACE/POD/CONTAINER`; a pod also by the name of its workload.
fn matches(pattern: &str, subject: &Subject) -> bool {
    let container = subject.container.as_ref().map_or("", Text::as_str);
    let mut parts = pattern.split('/');
    let mut next = || parts.next().unwrap_or("*");
    let is = |part: &str, name: &str| part == "*" || part == name;
    let (namespace, pod, own) = (next(), next(), next());
    !subject.pod.is_empty()
        && is(namespace, subject.namespace.as_str())
        && (is(pod, subject.pod.as_str()) || is(pod, subject.workload.as_str()))
        && is(own, container)
}

impl Report {
    /// Judges `facts`. The second is how many entries of the baseline belong to no finding.
    pub fn of(facts: &Facts, narrow: &Narrow, baseline: &Baseline) -> (Self, usize) {
        let mut all = findings(facts);
        let mut pods = level::of_pods(facts.pods.iter().map(|pod| &pod.subject), &all);
        let wanted = &narrow.namespaces;
        pods.retain(|pod| {
            wanted.is_empty() || wanted.iter().any(|name| pod.namespace == *name.as_str())
        });
        let stale = baseline.apply(&mut all);
        all.retain(|finding| narrow.takes(finding));
        let report = Self {
            looked_at: LookedAt {
                pods: facts.pods.len(),
                containers: facts.containers.len(),
                images: facts.images.len(),
            },
            standards: [CIS, PSS, NSA],
            counts: Counts::of(&all),
            pods,
            findings: all,
        };
        (report, stale)
    }

    /// Something counts that is so bad or worse.
    pub fn fails(&self, level: Severity) -> bool {
        let mut all = self.findings.iter();
        all.any(|one| one.counts() && one.severity >= level)
    }

    /// Writes it as JSON.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        // Of a large node these are tens of megabytes, in pieces of a few bytes.
        let mut out = BufWriter::with_capacity(1 << 16, out);
        serde_json::to_writer_pretty(&mut out, self)?;
        writeln!(out)?;
        out.flush()
    }

    /// Writes it as YAML.
    pub fn yaml(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_yaml::to_writer(out, self).map_err(io::Error::other)
    }
}

/// A finding as it is written.
#[derive(Serialize)]
struct Written<'a> {
    id: String,
    check: &'static str,
    severity: Severity,
    status: Status,
    acknowledged: bool,
    subject: &'a Subject,
    summary: &'a Text,
    evidence: &'a [Evidence],
    standards: Vec<String>,
    advice: &'static str,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            id: self.id(),
            check: self.rule.id,
            severity: self.severity,
            status: self.status,
            acknowledged: self.acknowledged,
            subject: &self.subject,
            summary: &self.summary,
            evidence: &self.evidence,
            standards: self.rule.standards(),
            advice: self.rule.advice,
        };
        written.serialize(serializer)
    }
}
