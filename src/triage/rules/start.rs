//! It could not be started.

use super::seen;
use crate::triage::facts::{Attempt, ContainerFacts};
use crate::triage::verdict::{Evidence, Opinion, Rule};

/// Its command is not there.
pub const NOT_FOUND: Rule<ContainerFacts> = Rule {
    id: "command-not-found",
    means: "The command, or one that its script calls, is not in the image.",
    todo: "Check command and args for mistakes, and whether the image holds that file.",
    judge: not_found,
};
/// Its command may not be run.
pub const DENIED: Rule<ContainerFacts> = Rule {
    id: "permission-denied",
    means: "The command is there but may not be executed, or by this user.",
    todo: "Check the file's mode in the image, runAsUser, and noexec mounts.",
    judge: denied,
};
/// A mount's source is not there.
pub const MOUNT: Rule<ContainerFacts> = Rule {
    id: "missing-mount",
    means: "Something that is to be mounted into the container is not there, or is of another kind.",
    todo: "Check the path on the node, subPath, and whether the volume was set up.",
    judge: mount,
};
/// Another reason.
pub const ERROR: Rule<ContainerFacts> = Rule {
    id: "start-error",
    means: "The runtime could not start the container.",
    todo: "The runtime's message names the cause: architecture, profile, cgroup, working folder.",
    judge: error,
};

/// Why a container did not start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    NotFound,
    Denied,
    Mount,
    Other,
}

/// Of an attempt that never started: the runtime's message decides.
fn cause(ended: &Attempt) -> Option<Cause> {
    if !ended.never_started() {
        return None;
    }
    let message = ended.message.as_str();
    let has = |mark: &str| message.contains(mark);
    let mount =
        has("error mounting") || has("bind source path does not exist") || has("mountpoint");
    Some(if mount {
        Cause::Mount
    } else if has("executable file not found") || (has("exec") && has("no such file or directory"))
    {
        Cause::NotFound
    } else if has("permission denied") {
        Cause::Denied
    } else {
        Cause::Other
    })
}

fn opinion(facts: &ContainerFacts, opinion: Opinion) -> Opinion {
    let command = facts.spec.as_ref().ok().map(|spec| {
        let line: Vec<&str> = spec.args.iter().map(AsRef::as_ref).collect();
        Evidence::new("command", line.join(" "), "its specification")
    });
    opinion.with(seen::exit(facts)).with(command)
}

/// The command, for a sentence.
fn command(facts: &ContainerFacts) -> String {
    let spec = facts.spec.as_ref().ok();
    let first = spec.and_then(|spec| spec.args.first());
    first.map_or_else(|| "its command".to_owned(), ToString::to_string)
}

fn not_found(facts: &ContainerFacts) -> Option<Opinion> {
    let ended = facts.ended()?;
    if cause(ended) == Some(Cause::NotFound) {
        let line = format!("{} is not in the image", command(facts));
        let proven = opinion(facts, Opinion::proven(line));
        return Some(proven.next(seen::inspect(facts)));
    }
    if ended.never_started() || ended.exit_code != Some(127) {
        return None;
    }
    let log = facts.log.as_ref().ok();
    let said = log.and_then(|log| Some((log, log.with(&["not found", "No such file"])?)));
    let likely = match said {
        Some((log, line)) => Opinion::proven(format!("a command was not found: {}", line.text))
            .with([Evidence::new("log", &line.text, &log.source).at(line.at)]),
        None => Opinion::likely("a command was not found: shells end with 127 then"),
    };
    Some(opinion(facts, likely).next(seen::logs(facts)))
}

fn denied(facts: &ContainerFacts) -> Option<Opinion> {
    let ended = facts.ended()?;
    if cause(ended) == Some(Cause::Denied) {
        let line = format!("{} may not be executed", command(facts));
        let proven = opinion(facts, Opinion::proven(line));
        return Some(proven.next(seen::inspect(facts)));
    }
    if ended.never_started() || ended.exit_code != Some(126) {
        return None;
    }
    let likely = Opinion::likely("a command could not be executed: shells end with 126 then");
    let likely = likely.with(seen::words(facts));
    Some(opinion(facts, likely).next(seen::logs(facts)))
}

fn mount(facts: &ContainerFacts) -> Option<Opinion> {
    let ended = facts.ended();
    let failed = ended.and_then(cause) == Some(Cause::Mount);
    let missing = &facts.disk.missing_mounts;
    let starts = ended.is_some_and(Attempt::never_started) || !facts.runs();
    let first = missing.first();
    let opinion_of = match (failed, first) {
        (true, Some(path)) => Opinion::proven(format!("{path} is to be mounted and is not there")),
        (true, None) => {
            Opinion::proven("something that is to be mounted is not there or not of its kind")
        }
        // Ended by itself: what it lacks now it may have had.
        (false, Some(path)) if starts && facts.standing.sick => {
            Opinion::possible(format!("{path} is mounted into it and is not there"))
        }
        _ => return None,
    };
    let gone = missing
        .iter()
        .map(|path| Evidence::new("not there", path, path));
    let all = opinion(facts, opinion_of.with(gone));
    let stat = first.map(|path| format!("stat {}", crate::triage::verdict::word(path.as_str())));
    let all = stat.into_iter().fold(all, Opinion::next);
    Some(all.next(seen::describe(facts)))
}

fn error(facts: &ContainerFacts) -> Option<Opinion> {
    let ended = facts.ended()?;
    let code = ended.exit_code == Some(128) && ended.started_at.is_none();
    let other = cause(ended) == Some(Cause::Other) || (cause(ended).is_none() && code);
    if !other {
        return None;
    }
    let message = ended.message.as_str();
    // What is most specific stands last.
    let last = message.trim_end_matches(": unknown");
    let why = match last.rsplit(": ").next() {
        _ if message.contains("exec format error") => "the image is for another CPU architecture",
        Some("") | None => "the runtime does not say why",
        Some(why) => why,
    };
    let proven = Opinion::proven(format!("it could not be started: {why}"));
    Some(opinion(facts, proven).next(seen::inspect(facts)))
}
