//! Which level of the Pod Security Standards each pod meets, by how its containers run: what is
//! effective counts, not what its manifest asks for.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::finding::{Finding, Level, Status, Subject};
use crate::domain::PodId;
use crate::text::Text;

/// The level that a pod meets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PodLevel {
    /// Namespace of the pod.
    pub namespace: Text,
    /// Its name.
    pub pod: Text,
    /// The highest level that it surely meets; `None` if too little is known to say.
    pub level: Option<Level>,
    /// The level above that.
    pub next: Option<Level>,
    /// What keeps it from that.
    pub missing: Vec<Missing>,
    /// Controls of that level of which it is not known whether it meets them.
    pub unknown: Vec<&'static str>,
    /// Id of the sandbox.
    #[serde(skip)]
    pub pod_id: Option<PodId>,
}

/// What keeps a pod from a level.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Missing {
    /// The control, as the standard names it.
    pub control: &'static str,
    /// The check that found it.
    pub check: &'static str,
    /// The container; `None` if it is the pod as a whole.
    pub container: Option<Text>,
}

/// The levels of `pods`, by namespace and name.
pub fn of_pods<'a>(pods: impl Iterator<Item = &'a Subject>, findings: &[Finding]) -> Vec<PodLevel> {
    let mut by_pod: BTreeMap<&PodId, Vec<&Finding>> = BTreeMap::new();
    for finding in findings.iter().filter(|one| one.rule.level.is_some()) {
        if let Some(id) = &finding.subject.pod_id {
            by_pod.entry(id).or_default().push(finding);
        }
    }
    let mut levels: Vec<PodLevel> = pods
        .map(|pod| {
            let own = pod.pod_id.as_ref().and_then(|id| by_pod.get(id));
            of_pod(pod, own.map_or(&[], Vec::as_slice))
        })
        .collect();
    levels
        .sort_by(|a, b| (&a.namespace, &a.pod, &a.pod_id).cmp(&(&b.namespace, &b.pod, &b.pod_id)));
    levels
}

fn of_pod(pod: &Subject, findings: &[&Finding]) -> PodLevel {
    let of = |level: Level, status: Status| {
        let is = move |one: &&&Finding| {
            one.status == status && one.rule.level.is_some_and(|(of, _)| of == level)
        };
        findings.iter().filter(is)
    };
    let any = |level, status| of(level, status).next().is_some();
    let (baseline, restricted) = (Level::Baseline, Level::Restricted);
    let (level, next) = if any(baseline, Status::Found) {
        (Some(Level::Privileged), Some(baseline))
    } else if any(baseline, Status::Unknown) {
        (None, Some(baseline))
    } else if any(restricted, Status::Found) || any(restricted, Status::Unknown) {
        (Some(baseline), Some(restricted))
    } else {
        (Some(restricted), None)
    };
    let control = |one: &Finding| one.rule.level.map_or("", |(_, control)| control);
    let missing = next.map_or_else(BTreeSet::new, |next| {
        let found = of(next, Status::Found).map(|one| Missing {
            control: control(one),
            check: one.rule.id,
            container: one.subject.container.clone(),
        });
        found.collect()
    });
    let unknown = next.map_or_else(BTreeSet::new, |next| {
        of(next, Status::Unknown).map(|one| control(one)).collect()
    });
    PodLevel {
        namespace: pod.namespace.clone(),
        pod: pod.pod.clone(),
        level,
        next,
        missing: missing.into_iter().collect(),
        unknown: unknown.into_iter().collect(),
        pod_id: pod.pod_id.clone(),
    }
}

impl PodLevel {
    /// In words: `baseline; restricted needs Seccomp (nginx)`.
    pub fn words(&self) -> String {
        let level = self.level.map_or("unknown", Level::name);
        let Some(next) = self.next else {
            return level.to_owned();
        };
        let mut controls: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for one in &self.missing {
            let containers = controls.entry(one.control).or_default();
            containers.extend(one.container.as_ref().map(Text::as_str));
            containers.dedup();
        }
        let told = controls.iter().map(|(control, containers)| {
            if containers.is_empty() {
                return (*control).to_owned();
            }
            format!("{control} ({})", containers.join(", "))
        });
        let mut parts = Vec::new();
        let needs: Vec<String> = told.collect();
        if !needs.is_empty() {
            parts.push(format!("{} needs {}", next.name(), needs.join(", ")));
        }
        if !self.unknown.is_empty() {
            parts.push(format!("not known: {}", self.unknown.join(", ")));
        }
        format!("{level}; {}", parts.join("; "))
    }
}
