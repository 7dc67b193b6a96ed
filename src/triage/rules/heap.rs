//! The heap of a language's runtime is full, which no cgroup knows.

use super::seen;
use crate::triage::facts::ContainerFacts;
use crate::triage::verdict::{Evidence, Opinion, Rule};

/// The heap is full.
pub const RULE: Rule<ContainerFacts> = Rule {
    id: "app-heap-exhausted",
    means: "The program's own heap (JVM, Node.js) was full, whatever the container's limit.",
    todo: "Compare the heap setting with the limit: raise it, or take a heap dump.",
    judge,
};

/// What the runtimes of languages print.
const MARKS: [&str; 6] = [
    "java.lang.OutOfMemoryError",
    "JavaScript heap out of memory",
    "Reached heap limit",
    "GC overhead limit exceeded",
    "Terminating due to java.lang.OutOfMemoryError",
    "FATAL ERROR: Ineffective mark-compacts near heap limit",
];

fn judge(facts: &ContainerFacts) -> Option<Opinion> {
    let code = facts.code()?;
    let log = facts.log.as_ref().ok()?;
    let line = log.with(&MARKS).filter(|_| code != 0 && code != 143)?;
    let evidence = Evidence::new("log", &line.text, &log.source).at(line.at);
    let opinion = Opinion::proven("the heap of the program was full, and it ended itself");
    let opinion = opinion
        .with([evidence])
        .with(seen::exit(facts))
        .with(seen::memory(facts));
    Some(opinion.next(seen::logs(facts)))
}
