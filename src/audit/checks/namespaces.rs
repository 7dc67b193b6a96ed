//! Namespaces of the node that a pod is in.

use super::Check;
use crate::audit::facts::PodFacts;
use crate::audit::finding::{Evidence, Level, Opinion, Rule, Severity};

const CONTROL: Option<(Level, &str)> = Some((Level::Baseline, "Host Namespaces"));

pub static PID: Check<PodFacts> = Check {
    rule: Rule {
        id: "host-pid",
        title: "sees all processes of the node",
        severity: Severity::High,
        level: CONTROL,
        cis: &["5.2.3"],
        nsa: "Pod security enforcement",
        advice: "Set hostPID to false.",
    },
    judge: |facts| {
        let words = "is in the node's PID namespace: it sees every process, and their environments \
                     where it is root";
        Ok(one(facts.namespaces()?.pid, "pid", words))
    },
};

pub static IPC: Check<PodFacts> = Check {
    rule: Rule {
        id: "host-ipc",
        title: "shares memory with processes of the node",
        severity: Severity::High,
        level: CONTROL,
        cis: &["5.2.4"],
        nsa: "Pod security enforcement",
        advice: "Set hostIPC to false.",
    },
    judge: |facts| {
        let words = "is in the node's IPC namespace: it reaches shared memory of other processes";
        Ok(one(facts.namespaces()?.ipc, "ipc", words))
    },
};

pub static NETWORK: Check<PodFacts> = Check {
    rule: Rule {
        id: "host-network",
        title: "is in the node's network",
        severity: Severity::Medium,
        level: CONTROL,
        cis: &["5.2.5"],
        nsa: "Pod security enforcement",
        advice: "Set hostNetwork to false; publish a port by a Service.",
    },
    judge: |facts| {
        let words = "is in the node's network: it reaches what listens on loopback only, and no \
                     network policy holds it";
        Ok(one(facts.namespaces()?.network, "network", words))
    },
};

fn one(is_node: bool, which: &str, words: &str) -> Vec<Opinion> {
    let path = format!(".status.linux.namespaces.options.{which}");
    let evidence = || Evidence::told("PodSandboxStatus", &path, which, "NODE");
    let found = is_node.then(|| Opinion::new(words, evidence()));
    found.into_iter().collect()
}
