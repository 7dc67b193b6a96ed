//! It runs, but close to what it may use.

use super::seen;
use crate::format::bytes;
use crate::triage::facts::ContainerFacts;
use crate::triage::verdict::{Evidence, Opinion, Rule};

/// Close to the memory limit.
pub const MEMORY: Rule<ContainerFacts> = Rule {
    id: "memory-near-limit",
    means: "The container uses 90 % of its memory limit or more: a little more and it is killed.",
    todo: "Watch whether it grows; raise the limit before the kernel acts.",
    judge: memory,
};
/// Kept from running.
pub const CPU: Rule<ContainerFacts> = Rule {
    id: "cpu-throttled",
    means: "The container used up its CPU limit in a quarter of all periods or more, and waited.",
    todo: "Slow answers and failing probes follow: raise or drop the CPU limit.",
    judge: cpu,
};
/// Out of processes.
pub const PIDS: Rule<ContainerFacts> = Rule {
    id: "pid-limit",
    means: "The container has nearly as many processes and threads as it may have.",
    todo: "Look for processes that nobody waits for; raise podPidsLimit of the kubelet.",
    judge: pids,
};

/// From here on memory and processes are close, in percent.
const CLOSE: u64 = 90;
/// Throttled periods that count, in percent.
const THROTTLED: u64 = 25;
/// Periods after which shares mean something: ten seconds of work.
const PERIODS: u64 = 100;

fn share(part: u64, of: u64) -> u64 {
    part.saturating_mul(100).checked_div(of).unwrap_or(0)
}

fn memory(facts: &ContainerFacts) -> Option<Opinion> {
    let own = facts.own().filter(|_| facts.runs())?;
    let (used, limit) = (own.gauges.working_set?, facts.limit()?);
    let percent = share(used, limit);
    if percent < CLOSE {
        return None;
    }
    let line = format!(
        "it uses {percent} % of its memory limit of {}",
        bytes(limit)
    );
    let used = Evidence::new(
        "memory in use",
        bytes(used),
        "memory.current less inactive_file",
    );
    let opinion = Opinion::likely(line).with([used]).with(seen::memory(facts));
    Some(opinion.next("critui top --sort memory"))
}

fn cpu(facts: &ContainerFacts) -> Option<Opinion> {
    let own = facts.own().filter(|_| facts.runs())?;
    let (all, throttled) = own.counters.periods?;
    let percent = share(throttled, all);
    if all < PERIODS || percent < THROTTLED || own.limits.cpu.is_none() {
        return None;
    }
    let line = format!("it was kept from running in {percent} % of all periods by its CPU limit");
    let periods = format!("{throttled} of {all}");
    let evidence = Evidence::new("throttled periods", periods, "cpu.stat");
    Some(
        Opinion::likely(line)
            .with([evidence])
            .next("critui top --sort cpu"),
    )
}

fn pids(facts: &ContainerFacts) -> Option<Opinion> {
    const MARKS: [&str; 4] = [
        "fork: retry: Resource temporarily unavailable",
        "Resource temporarily unavailable: can't fork",
        "unable to create native thread",
        "pthread_create failed",
    ];
    let own = facts.own().map(|own| own.gauges);
    let full = own.and_then(|own| Some((own.pids?, own.pids_limit?)));
    let full = full.filter(|(pids, limit)| share(*pids, *limit) >= CLOSE);
    let said = facts.log.as_ref().ok().and_then(|log| {
        let line = log.with(&MARKS)?;
        Some(Evidence::new("log", &line.text, &log.source).at(line.at))
    });
    if full.is_none() && said.is_none() {
        return None;
    }
    let line = match full {
        Some((pids, limit)) => format!("it has {pids} processes and threads of {limit}"),
        None => "it could not make another process or thread".to_owned(),
    };
    let counts = full.map(|(pids, limit)| {
        Evidence::new(
            "processes",
            format!("{pids} of {limit}"),
            "pids.current, pids.max",
        )
    });
    let opinion = Opinion::likely(line).with(counts).with(said);
    Some(opinion.next(seen::logs(facts)))
}
