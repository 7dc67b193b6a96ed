//! The program ended by itself.

use super::seen;
use crate::format::span;
use crate::triage::facts::{ContainerFacts, ago};
use crate::triage::verdict::{Evidence, Opinion, Rule};

/// It crashed in its own words.
pub const PANIC: Rule<ContainerFacts> = Rule {
    id: "app-panic",
    means: "The program crashed with a panic or an exception that nobody caught.",
    todo: "Read the cause in its log: this is a fault of the program or of its input.",
    judge: panic,
};
/// It ended with an error.
pub const ERROR: Rule<ContainerFacts> = Rule {
    id: "app-error",
    means: "The program ended by itself with an error code of its own.",
    todo: "Read the last lines of its log; look at what changed since it last worked.",
    judge: error,
};
/// It ends well, again and again.
pub const ZERO: Rule<ContainerFacts> = Rule {
    id: "exits-zero-restarts",
    means: "The program ends with success and is started again: it is not meant to run for ever.",
    todo: "Make it a Job, keep it in the foreground, or set restartPolicy: OnFailure.",
    judge: zero,
};

/// Codes that the program chooses itself; the others are signals and shells.
fn is_own(code: i32) -> bool {
    matches!(code, 1..=125 | 160..=254)
}

/// Configuration of the pod that changed before it first failed.
fn changed_config(facts: &ContainerFacts) -> Vec<Evidence> {
    let oldest = facts.attempts.iter().rev().find_map(|one| one.started_at);
    let changed = facts.disk.configs.iter().filter_map(|config| {
        let at = config
            .changed_at
            .filter(|at| oldest.is_none_or(|oldest| *at <= oldest))?;
        let what = format!("{} {}", config.kind, config.volume);
        let value = format!("last changed {}", ago(at, facts.now));
        Some(Evidence::new(&what, value, &config.path).at(Some(at)))
    });
    let spec = facts.changes.iter();
    let spec =
        spec.map(|line| Evidence::new("changed since the attempt before", line, "ContainerStatus"));
    spec.chain(changed).collect()
}

fn panic(facts: &ContainerFacts) -> Option<Opinion> {
    let code = facts.code()?;
    let log = facts.log.as_ref().ok().filter(|log| log.crash)?;
    let line = log.cause()?;
    if !is_own(code) && code != 134 {
        return None;
    }
    let line = format!("it crashed: {}", line.text);
    let opinion = Opinion::likely(line)
        .with(seen::words(facts))
        .with(seen::exit(facts));
    Some(opinion.with(changed_config(facts)).next(seen::logs(facts)))
}

fn error(facts: &ContainerFacts) -> Option<Opinion> {
    let ended = facts.ended()?;
    let code = ended.exit_code.filter(|code| is_own(*code))?;
    if ended.never_started() || facts.log.as_ref().is_ok_and(|log| log.crash) {
        return None;
    }
    let words = seen::words(facts);
    let ran = ended.ran().map(span).unwrap_or_default();
    let summary = match words.first() {
        Some(evidence) => format!(
            "it ended with exit code {code} after {ran}: {}",
            evidence.value
        ),
        None => format!("it ended with exit code {code} after {ran} and says nothing of the cause"),
    };
    let opinion = Opinion::likely(summary)
        .with(words)
        .with(seen::exit(facts))
        .with(changed_config(facts));
    Some(opinion.next(seen::logs(facts)).next(seen::describe(facts)))
}

fn zero(facts: &ContainerFacts) -> Option<Opinion> {
    let ended = facts.ended().filter(|ended| ended.exit_code == Some(0))?;
    if facts.standing.restarts == 0 {
        return None;
    }
    let ran = ended.ran().map(span).unwrap_or_default();
    let times = facts.standing.restarts;
    let line = format!("it ends with success after {ran} and was started again {times} times");
    let opinion = Opinion::likely(line).with(seen::exit(facts));
    let opinion = opinion.with(seen::words(facts)).next(seen::logs(facts));
    Some(opinion.next(seen::inspect(facts)))
}
