//! What a container may use.

use super::Check;
use crate::audit::facts::{CONTAINER_STATUS, ContainerFacts, Seen};
use crate::audit::finding::{Evidence, Opinion, Rule, Severity};
use crate::domain::Limits;

const NSA: &str = "Resource policies";

pub static MEMORY: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "no-memory-limit",
        title: "may use all memory of the node",
        severity: Severity::Low,
        level: None,
        cis: &[],
        nsa: NSA,
        advice: "Set resources.limits.memory.",
    },
    judge: |facts| {
        let words = "has no memory limit: it can take the node's memory from everybody else";
        Ok(one(limits(facts)?.memory.is_none(), "memory limit", words))
    },
};

pub static CPU: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "no-cpu-limit",
        title: "may use all CPUs of the node",
        severity: Severity::Info,
        level: None,
        cis: &[],
        nsa: NSA,
        advice: "Set resources.limits.cpu where others must not be slowed down by it; many leave \
                 it out on purpose.",
    },
    judge: |facts| {
        let words = "has no CPU limit: it can slow down everybody else";
        Ok(one(limits(facts)?.cpu.is_none(), "CPU limit", words))
    },
};

fn limits(facts: &ContainerFacts) -> Seen<Limits> {
    let limits = facts.security()?.limits;
    limits.ok_or_else(|| "the runtime tells no limits".into())
}

fn one(missing: bool, what: &str, words: &str) -> Vec<Opinion> {
    let evidence = || Evidence::told(CONTAINER_STATUS, ".status.resources.linux", what, "none");
    let found = missing.then(|| Opinion::new(words, evidence()));
    found.into_iter().collect()
}
