//! Why something is wrong: facts in, verdicts out. Everything here is pure; who gathers the facts
//! is [`crate::gather`].
//!
//! A wrong verdict is worse than none: a rule that is not sure says so, the strongest evidence
//! comes first, and where nothing fits the verdict is `unknown` with what is known.

pub mod cause;
pub mod facts;
pub mod report;
pub mod rules;
pub mod verdict;

use std::fmt::Write as _;

pub use facts::{About, ContainerFacts, NodeFacts, PodFacts};
pub use report::{Finding, Report};
pub use verdict::{Confidence, Evidence, Opinion, Verdict};

/// The verdicts on a container, the strongest first. None on one that is well.
pub fn of_container(facts: &ContainerFacts) -> Vec<Verdict> {
    let mut verdicts = verdict::judge(&rules::CONTAINER, facts);
    // What ended a healthy container's earlier attempt is history.
    if !facts.standing.sick {
        verdicts.retain(|verdict| RISKS.contains(&verdict.id));
    }
    if verdicts.is_empty() && facts.standing.sick {
        verdicts.push(rules::unknown(facts));
    }
    verdicts
}

/// What can be said of a container that runs well otherwise.
const RISKS: [&str; 5] = [
    "oom-child-process",
    "memory-near-limit",
    "cpu-throttled",
    "pid-limit",
    "process-gone",
];

/// The verdicts on a pod as a whole.
pub fn of_pod(facts: &PodFacts) -> Vec<Verdict> {
    let mut verdicts = verdict::judge(&rules::POD, facts);
    if verdicts.len() > 1 {
        // It says only that nothing else fits.
        verdicts.retain(|verdict| verdict.id != "no-containers");
    }
    verdicts
}

/// The verdicts on the node.
pub fn of_node(facts: &NodeFacts) -> Vec<Verdict> {
    verdict::judge(&rules::NODE, facts)
}

/// All verdicts as a table in Markdown, for the README and for `critui triage --verdicts`.
pub fn table() -> String {
    let mut out = "| verdict | what it means | what to do |\n|---|---|---|\n".to_owned();
    for (id, means, todo) in rules::all() {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "| `{id}` | {means} | {todo} |");
    }
    out
}

#[cfg(test)]
mod tests;
