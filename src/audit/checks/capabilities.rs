//! Capabilities.

use super::Check;
use crate::audit::facts::{CONTAINER_STATUS, ContainerFacts, Seen};
use crate::audit::finding::{Evidence, Level, Opinion, Rule, Severity};
use crate::domain::security::USUAL;
use crate::text::Text;

/// Those of them that the level baseline does not let a pod ask for.
const NOT_TO_ASK: &str = "NET_RAW";
/// Each of these leads out of a container.
const DANGEROUS: [&str; 13] = [
    "BPF",
    "CHECKPOINT_RESTORE",
    "DAC_READ_SEARCH",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "NET_ADMIN",
    "PERFMON",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
];
/// What the level restricted lets a container keep.
const HARMLESS: &str = "NET_BIND_SERVICE";
const PATH: &str = ".info.runtimeSpec.process.capabilities";

pub static ADDED: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "capabilities-added",
        title: "has capabilities that containers do not usually get",
        severity: Severity::Medium,
        level: Some((Level::Baseline, "Capabilities")),
        cis: &["5.2.9"],
        nsa: "Pod security enforcement",
        advice: "Drop ALL in securityContext.capabilities and add only what is needed.",
    },
    judge: added,
};

pub static KEPT: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "capabilities-kept",
        title: "keeps capabilities that it may not need",
        severity: Severity::Low,
        level: Some((Level::Restricted, "Capabilities")),
        cis: &["5.2.8", "5.2.9"],
        nsa: "Pod security enforcement",
        advice: "Drop ALL in securityContext.capabilities; only NET_BIND_SERVICE may be added back.",
    },
    judge: kept,
};

fn joined<'a>(names: impl Iterator<Item = &'a Text>, by: &str) -> String {
    let names: Vec<&str> = names.map(Text::as_str).collect();
    names.join(by)
}

fn is_added(facts: &ContainerFacts, name: &Text) -> bool {
    let asked = facts
        .told
        .as_ref()
        .is_ok_and(|told| told.added.contains(name));
    !USUAL.contains(&name.as_str()) || (asked && *name == NOT_TO_ASK)
}

fn added(facts: &ContainerFacts) -> Seen<Vec<Opinion>> {
    let spec = facts.spec()?;
    let names = || {
        spec.capabilities
            .iter()
            .filter(|name| is_added(facts, name))
    };
    if facts.is_privileged() || names().next().is_none() {
        return Ok(vec![]);
    }
    let dangerous = names().any(|name| DANGEROUS.contains(&name.as_str()));
    let severity = if dangerous {
        Severity::High
    } else {
        Severity::Medium
    };
    let words = format!(
        "has capabilities beyond the usual: {}",
        joined(names(), ", ")
    );
    let all = joined(spec.capabilities.iter(), ", ");
    let evidence = Evidence::told(CONTAINER_STATUS, PATH, "capabilities", all);
    let opinion = Opinion::new(words, evidence).severity(severity);
    Ok(vec![opinion.about(joined(names(), "+"))])
}

fn kept(facts: &ContainerFacts) -> Seen<Vec<Opinion>> {
    let spec = facts.spec()?;
    let names = || {
        let usual = spec
            .capabilities
            .iter()
            .filter(|name| !is_added(facts, name));
        usual.filter(|name| **name != HARMLESS)
    };
    if facts.is_privileged() || names().next().is_none() {
        return Ok(vec![]);
    }
    let words = format!(
        "does not drop all capabilities: it keeps {}",
        joined(names(), ", ")
    );
    let all = joined(spec.capabilities.iter(), ", ");
    let evidence = Evidence::told(CONTAINER_STATUS, PATH, "capabilities", all);
    Ok(vec![Opinion::new(words, evidence)])
}
