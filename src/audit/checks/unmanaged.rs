//! Pods that no kubelet knows.

use super::Check;
use crate::audit::facts::PodFacts;
use crate::audit::finding::{Evidence, Opinion, Rule, Severity};

pub static UNMANAGED: Check<PodFacts> = Check {
    rule: Rule {
        id: "unmanaged",
        title: "was not made by a kubelet",
        severity: Severity::High,
        level: None,
        cis: &[],
        nsa: "Threat detection",
        advice: "Find out who made it: no policy of the cluster has seen it. Remove it if nobody \
                 knows it.",
    },
    judge: |facts| {
        if facts.managed {
            return Ok(vec![]);
        }
        let path = ".status.labels";
        let value = "no io.kubernetes.pod.uid";
        let evidence = Evidence::told("PodSandboxStatus", path, "labels", value);
        let words = "was made by hand, past the kubelet and the cluster's admission";
        Ok(vec![Opinion::new(words, evidence)])
    },
};
