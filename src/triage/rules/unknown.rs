//! When nothing fits: what is known, and what could not be seen.

use super::seen;
use crate::triage::facts::ContainerFacts;
use crate::triage::verdict::{Opinion, Verdict};

/// As in the table of rules.
pub const ROW: (&str, &str, &str) = (
    "unknown",
    "Something is wrong, and nothing that was seen explains it.",
    "The evidence tells what is known and what could not be seen.",
);

/// The verdict on a container that is in trouble without any rule that fits.
pub fn unknown(facts: &ContainerFacts) -> Verdict {
    let line = match facts.code() {
        Some(code) => format!("it ended with exit code {code}; nothing seen here says why"),
        None => "it is in trouble; nothing seen here says why".to_owned(),
    };
    let opinion = Opinion::possible(line)
        .with(seen::exit(facts))
        .with(seen::words(facts))
        .with(seen::unseen(facts));
    Verdict {
        id: ROW.0,
        opinion: opinion
            .next(seen::logs(facts))
            .next(seen::inspect(facts))
            .next(seen::describe(facts)),
    }
}
