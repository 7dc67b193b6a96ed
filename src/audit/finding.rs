//! What an audit says: what was found, how bad that is, where it shows, which standard says so.

use clap::ValueEnum;
use serde::Serialize;

use crate::domain::{ContainerId, ImageId, PodId};
use crate::text::Text;

/// How bad something is.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    #[default]
    Info,
    /// It helps somebody who is already inside.
    Low,
    /// A wall is missing that others have.
    Medium,
    /// Who breaks into it is close to owning the node, or the node is open to others.
    High,
    /// Who breaks into it owns the node, or anybody does.
    Critical,
}

impl Severity {
    /// All of them, the worst first.
    pub const ALL: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Info,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// What came of a check.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is so.
    Found,
    /// It could not be seen whether it is so.
    Unknown,
}

/// A level of the Pod Security Standards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It may do anything.
    Privileged,
    /// Known ways to more rights are closed.
    Baseline,
    /// As hard as pods can be held.
    Restricted,
}

impl Level {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

/// What a finding is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One container.
    Container,
    /// A pod as a whole.
    Pod,
    /// An image.
    Image,
    /// The runtime's configuration.
    Runtime,
    /// The node's own files.
    #[default]
    Node,
}

/// The thing that a finding is about. What does not apply is empty or `None`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize)]
pub struct Subject {
    /// Namespace of the pod.
    pub namespace: Text,
    /// Name of the pod.
    pub pod: Text,
    /// Name of the container; `None` if it is none.
    pub container: Option<Text>,
    /// Id of the attempt that was looked at.
    pub container_id: Option<ContainerId>,
    /// What it is.
    pub kind: Kind,
    /// Name of the image.
    pub image: Option<Text>,
    /// Name of the pod without what changes with each new one of the same workload.
    #[serde(skip)]
    pub workload: Text,
    /// Id of the sandbox.
    #[serde(skip)]
    pub pod_id: Option<PodId>,
    /// Id of the image.
    #[serde(skip)]
    pub image_id: Option<ImageId>,
}

impl Subject {
    /// The runtime.
    pub fn runtime() -> Self {
        Self {
            kind: Kind::Runtime,
            ..Self::default()
        }
    }

    /// What people call it: `NAMESPACE/POD/CONTAINER`, the name of an image, `runtime`, `node`.
    pub fn name(&self) -> String {
        self.named(&self.pod)
    }

    /// What stays the same when its pod is replaced by another of the same workload.
    pub fn key(&self) -> String {
        self.named(&self.workload)
    }

    fn named(&self, pod: &Text) -> String {
        let container = self.container.as_ref().map_or("", Text::as_str);
        match self.kind {
            Kind::Container => format!("{}/{pod}/{container}", self.namespace),
            Kind::Pod => format!("{}/{pod}", self.namespace),
            Kind::Image => format!("image {}", self.image.as_ref().map_or("", Text::as_str)),
            Kind::Runtime => "runtime".to_owned(),
            Kind::Node => "node".to_owned(),
        }
    }
}

/// One thing that was seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Evidence {
    /// What: `capabilities`, `mode`, ...
    pub what: Text,
    /// Its value; secrets are masked.
    pub value: Text,
    /// Where it was seen: a call to the runtime, or a path of the node.
    pub source: Text,
    /// Where in what that call tells, as jq writes it; empty for a file.
    pub path: Text,
}

impl Evidence {
    /// Something that the runtime told, at `path` of its answer.
    pub fn told(call: &str, path: &str, what: &str, value: impl AsRef<str>) -> Self {
        Self {
            what: Text::clean(what),
            value: Text::clean(value.as_ref()),
            source: Text::clean(call),
            path: Text::clean(path),
        }
    }

    /// Something about a file of the node.
    pub fn file(path: &Text, what: &str, value: impl AsRef<str>) -> Self {
        Self {
            what: Text::clean(what),
            value: Text::clean(value.as_ref()),
            source: path.clone(),
            path: Text::default(),
        }
    }
}

/// What one check says about one thing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Opinion {
    /// How bad it is here, where that is not what the check always says.
    pub severity: Option<Severity>,
    /// What tells several findings of one check about one thing apart: a path, a name.
    pub detail: String,
    /// One sentence.
    pub summary: String,
    /// What was seen.
    pub evidence: Vec<Evidence>,
}

impl Opinion {
    /// A sentence with what it stands on.
    pub fn new(summary: impl Into<String>, evidence: Evidence) -> Self {
        Self {
            summary: summary.into(),
            evidence: vec![evidence],
            ..Self::default()
        }
    }

    /// So bad here.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// One of several.
    #[must_use]
    pub fn about(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// With more evidence.
    #[must_use]
    pub fn with(mut self, evidence: Evidence) -> Self {
        self.evidence.push(evidence);
        self
    }
}

/// The benchmark whose numbers [`Rule::cis`] are.
pub const CIS: &str = "CIS Kubernetes Benchmark 1.12";
/// The standards of [`Rule::level`], as Kubernetes of this version enforces them.
pub const PSS: &str = "Pod Security Standards 1.36";
/// The guide whose sections [`Rule::nsa`] are.
pub const NSA: &str = "NSA/CISA Kubernetes Hardening Guide 1.2";

/// What a check is, whatever it is about.
#[derive(PartialEq, Eq, Debug)]
pub struct Rule {
    /// Its stable name.
    pub id: &'static str,
    /// What is wrong where it finds something, in a few words.
    pub title: &'static str,
    /// How bad that is, unless the finding says otherwise.
    pub severity: Severity,
    /// The level of the Pod Security Standards that it keeps a pod from, and the control's name.
    pub level: Option<(Level, &'static str)>,
    /// Numbers in [`CIS`].
    pub cis: &'static [&'static str],
    /// Section of [`NSA`].
    pub nsa: &'static str,
    /// What to do.
    pub advice: &'static str,
}

impl Rule {
    /// The standards that it comes from, each in words.
    pub fn standards(&self) -> Vec<String> {
        let cis = self.cis.iter().map(|number| format!("{CIS}, {number}"));
        let level = self
            .level
            .map(|(level, control)| format!("{PSS}, {}: {control}", level.name()));
        let nsa = (!self.nsa.is_empty()).then(|| format!("{NSA}: {}", self.nsa));
        cis.chain(level).chain(nsa).collect()
    }
}

/// Something that an audit found, or could not find out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The check.
    pub rule: &'static Rule,
    /// Whether it is so, or not known.
    pub status: Status,
    /// How bad it is; what is not known is [`Severity::Info`].
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// What tells it apart from others of the same check about the same thing.
    pub detail: String,
    /// One sentence.
    pub summary: Text,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// It is in the baseline: known and accepted.
    pub acknowledged: bool,
}

impl Finding {
    /// The same for every pod of a workload, and after each restart: check, subject, detail.
    pub fn id(&self) -> String {
        let mut id = format!("{}:{}", self.rule.id, self.subject.key());
        if !self.detail.is_empty() {
            id.push(':');
            id.push_str(&self.detail);
        }
        escaped(&id)
    }

    /// It counts: it is so, and nobody has accepted it.
    pub fn counts(&self) -> bool {
        self.status == Status::Found && !self.acknowledged
    }
}

/// In one word: what is no visible ASCII character, and `#` and `%`, becomes `%` and two digits.
fn escaped(id: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_graphic() && !b"#%".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a:shop/web/nginx:/etc", "a:shop/web/nginx:/etc")]
    #[case("a:image <none> #1 50%", "a:image%20<none>%20%231%2050%25")]
    #[case("é", "%C3%A9")]
    fn ids_are_one_word(#[case] raw: &str, #[case] expected: &str) {
        assert_eq!(escaped(raw), expected);
    }

    #[test]
    fn a_subject_keeps_its_key_when_the_pod_is_replaced() {
        let subject = Subject {
            kind: Kind::Container,
            namespace: "shop".into(),
            pod: "web-7d9c5b8f6d-4kqzm".into(),
            workload: "web".into(),
            container: Some("nginx".into()),
            ..Subject::default()
        };
        assert_eq!(subject.name(), "shop/web-7d9c5b8f6d-4kqzm/nginx");
        assert_eq!(subject.key(), "shop/web/nginx");
    }
}
