//! The kernel ended it for what it did.

use super::seen;
use crate::triage::facts::{ContainerFacts, Fault};
use crate::triage::verdict::{Evidence, Opinion, Rule};

/// SIGSEGV.
pub const SEGFAULT: Rule<ContainerFacts> = Rule {
    id: "segfault",
    means: "The program touched memory that is not its own (SIGSEGV).",
    todo: "A bug in native code: look for a core file, and at what changed in the image.",
    judge: |facts| {
        judge(
            facts,
            139,
            "it crashed with a segmentation fault",
            "segfault",
        )
    },
};
/// SIGABRT.
pub const ABORT: Rule<ContainerFacts> = Rule {
    id: "abort",
    means: "The program aborted itself (SIGABRT): a failed assertion, a corrupt heap, a fatal error.",
    todo: "Its last lines on standard error name the assertion or the fatal error.",
    judge: |facts| judge(facts, 134, "it aborted itself", "abort"),
};
/// SIGILL.
pub const ILLEGAL: Rule<ContainerFacts> = Rule {
    id: "illegal-instruction",
    means: "The program used an instruction that this CPU does not have (SIGILL).",
    todo: "Use an image built for this CPU: compare its flags in /proc/cpuinfo.",
    judge: |facts| {
        judge(
            facts,
            132,
            "it used an instruction that this CPU does not have",
            "invalid opcode",
        )
    },
};
/// SIGBUS.
pub const BUS: Rule<ContainerFacts> = Rule {
    id: "bus-error",
    means: "Memory that is backed by a file could not be read or written (SIGBUS).",
    todo: "Is /dev/shm or the disk below a mapped file full? Was the file cut?",
    judge: |facts| {
        judge(
            facts,
            135,
            "a mapped file or /dev/shm failed it (bus error)",
            "bus error",
        )
    },
};
/// SIGSYS.
pub const SECCOMP: Rule<ContainerFacts> = Rule {
    id: "seccomp-killed",
    means: "The program made a system call that its seccomp profile forbids (SIGSYS).",
    todo: "The audit log names the system call: allow it in the profile, or use another one.",
    judge: seccomp,
};

/// Faults that the kernel has reported within two seconds of the end.
fn fault<'a>(facts: &'a ContainerFacts, mark: &str) -> Option<(&'a Fault, &'a str)> {
    let kernel = facts.kernel.as_ref().ok()?;
    let end = facts.ended()?.finished_at?;
    let near = |fault: &&Fault| {
        fault
            .at
            .is_some_and(|at| at.as_second().abs_diff(end.as_second()) <= 2)
    };
    let fits = |fault: &&Fault| fault.line.as_str().contains(mark);
    let found = kernel.faults.iter().rev().filter(near).find(fits)?;
    Some((found, kernel.source.as_str()))
}

/// True for a fault of a program that the container's command names: the kernel's lines tell no
/// container, only the first 15 bytes of a program's name.
fn is_own(facts: &ContainerFacts, fault: &Fault) -> bool {
    let Ok(spec) = &facts.spec else {
        return false;
    };
    let mut words = spec
        .args
        .iter()
        .flat_map(|arg| arg.as_str().split_whitespace());
    words.any(|word| {
        let name = word.rsplit('/').next().unwrap_or(word);
        let known = name.get(..15).unwrap_or(name);
        !known.is_empty() && known == fault.process.as_str()
    })
}

fn judge(facts: &ContainerFacts, code: i32, words: &str, mark: &str) -> Option<Opinion> {
    if facts.code() != Some(code) {
        return None;
    }
    let opinion = match fault(facts, mark) {
        Some((fault, source)) => {
            let line = format!("{words}: {}", fault.process);
            let opinion = if is_own(facts, fault) {
                Opinion::proven(line)
            } else {
                Opinion::likely(line)
            };
            opinion.with([Evidence::new("kernel", &fault.line, source).at(fault.at)])
        }
        None => Opinion::likely(words),
    };
    let opinion = opinion.with(seen::exit(facts)).with(seen::words(facts));
    Some(opinion.next(seen::logs(facts)).next("coredumpctl list"))
}

fn seccomp(facts: &ContainerFacts) -> Option<Opinion> {
    if facts.ended()?.reason == "seccomp killed" {
        let opinion = Opinion::proven("its seccomp profile forbids a system call that it made");
        return Some(
            opinion
                .with(seen::exit(facts))
                .next("journalctl -k --grep type=1326"),
        );
    }
    judge(
        facts,
        159,
        "its seccomp profile forbids a system call that it made",
        "type=1326",
    )
}
