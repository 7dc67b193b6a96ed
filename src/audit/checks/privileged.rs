//! Privileged containers.

use super::Check;
use crate::audit::facts::{CONTAINER_STATUS, ContainerFacts, Seen};
use crate::audit::finding::{Evidence, Level, Opinion, Rule, Severity};

/// So many capabilities nobody asks for one by one.
const NEARLY_ALL: usize = 35;

pub static PRIVILEGED: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "privileged",
        title: "runs privileged",
        severity: Severity::High,
        level: Some((Level::Baseline, "Privileged Containers")),
        cis: &["5.2.2"],
        nsa: "Pod security enforcement",
        advice: "Set securityContext.privileged to false and add the one capability, device or \
                 mount that is really needed.",
    },
    judge,
};

fn judge(facts: &ContainerFacts) -> Seen<Vec<Opinion>> {
    let told = facts.security()?;
    let found = |path: &str, value: &str| {
        let evidence = Evidence::told(CONTAINER_STATUS, path, "privileged", value);
        let words = "runs privileged: all capabilities, all devices, no filter of system calls";
        vec![Opinion::new(words, evidence)]
    };
    match (told.privileged, &told.spec) {
        (Some(true), Some(_)) if facts.spec()?.capabilities.is_empty() => {
            Ok(found(".info", "true"))
        }
        (Some(true), _) => Ok(found(".info.runtimeSpec.process.capabilities", "true")),
        (Some(false), _) => Ok(vec![]),
        (None, Some(spec)) => {
            let all = spec.capabilities.len() >= NEARLY_ALL && !spec.seccomp && !spec.masked;
            let value = "by its capabilities and paths";
            let path = ".info.runtimeSpec.process.capabilities";
            Ok(if all { found(path, value) } else { vec![] })
        }
        (None, None) => Err("the runtime does not say whether it is privileged".into()),
    }
}
