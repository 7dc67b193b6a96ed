//! A control-plane node: static pods, their ports, certificates.

use crate::format::span;
use crate::triage::facts::{Certificate, Manifest, NodeFacts};
use crate::triage::verdict::{Confidence, Evidence, Opinion, Rule};

/// A manifest without a pod that runs.
pub const STATIC: Rule<NodeFacts> = Rule {
    id: "static-pod-not-running",
    means: "There is a manifest of a static pod, but no container of that pod runs.",
    todo: "See its container's log, and the kubelet's: is the manifest valid?",
    judge: static_pod,
};
/// Its port is closed.
pub const PORT: Rule<NodeFacts> = Rule {
    id: "control-plane-port-closed",
    means: "A part of the control plane runs here, but nothing listens on its port.",
    todo: "It is starting or stuck: see its log.",
    judge: port,
};
/// etcd does not serve.
pub const ETCD: Rule<NodeFacts> = Rule {
    id: "etcd-unhealthy",
    means: "etcd is meant to run here but does not, or nothing listens on its port.",
    todo: "See its log: disk latency, lost quorum, a full database.",
    judge: etcd,
};
/// A certificate ends.
pub const CERTIFICATE: Rule<NodeFacts> = Rule {
    id: "certificate-expiring",
    means: "A certificate of the node ends within 30 days (proven: within 7, or it has ended).",
    todo: "Renew it: kubeadm certs renew, or let the kubelet rotate its own.",
    judge: certificate,
};

/// Port of each part, by the name of its static pod.
const PORTS: [(&str, u16); 3] = [
    ("kube-apiserver", 6443),
    ("kube-controller-manager", 10257),
    ("kube-scheduler", 10259),
];
/// Days before the end from which on it is told, and from which on it is urgent.
const SOON: i64 = 30;
const URGENT: i64 = 7;
const DAY: i64 = 86_400;
/// A manifest may be new for so long, in seconds.
const NEW: i64 = 120;

fn manifests(facts: &NodeFacts) -> &[Manifest] {
    facts.manifests.as_deref().unwrap_or_default()
}

fn is_new(facts: &NodeFacts, manifest: &Manifest) -> bool {
    let changed = manifest.changed_at;
    changed.is_some_and(|at| facts.now.as_second() - at.as_second() < NEW)
}

fn name(manifest: &Manifest) -> &str {
    manifest.pod.as_ref().map_or("", |pod| pod.as_str())
}

fn static_pod(facts: &NodeFacts) -> Option<Opinion> {
    let down = |one: &&Manifest| !one.running && !is_new(facts, one) && name(one) != "etcd";
    let down = manifests(facts).iter().find(down)?;
    let line = match &down.pod {
        None => format!("the manifest {} cannot be read as a pod", down.path),
        Some(pod) if down.sandbox => format!("no container of the static pod {pod} runs"),
        Some(pod) => format!("the static pod {pod} has no sandbox"),
    };
    let evidence = Evidence::new("manifest", name(down), &down.path).at(down.changed_at);
    let opinion = Opinion::likely(line).with([evidence]);
    Some(
        opinion
            .next(format!("crictl ps -a --name {}", name(down)))
            .next("journalctl -u kubelet -n 50"),
    )
}

fn port(facts: &NodeFacts) -> Option<Opinion> {
    let ports = &facts.files.as_ref().ok()?.ports;
    let closed = manifests(facts).iter().find_map(|one| {
        let (name, port) = PORTS.iter().find(|(known, _)| *known == name(one))?;
        (one.running && !ports.contains(port)).then_some((name, port))
    });
    let (name, port) = closed?;
    let line = format!("{name} runs, but nothing listens on its port {port}");
    let evidence = Evidence::new("listening", format!("not {port}"), "/proc/1/net/tcp, tcp6");
    Some(
        Opinion::likely(line)
            .with([evidence])
            .next(format!("crictl ps -a --name {name}")),
    )
}

fn etcd(facts: &NodeFacts) -> Option<Opinion> {
    let one = manifests(facts)
        .iter()
        .find(|one| name(one) == "etcd" && !is_new(facts, one))?;
    let listens = facts
        .files
        .as_ref()
        .map(|files| files.ports.contains(&2379));
    let line = match (one.running, listens) {
        (false, _) => "etcd is meant to run here and does not",
        (true, Ok(false)) => "etcd runs, but nothing listens on its port 2379",
        (true, _) => return None,
    };
    let evidence = Evidence::new("manifest", "etcd", &one.path).at(one.changed_at);
    Some(
        Opinion::likely(line)
            .with([evidence])
            .next("crictl ps -a --name etcd"),
    )
}

fn certificate(facts: &NodeFacts) -> Option<Opinion> {
    let left = |one: &Certificate| one.ends_at.as_second() - facts.now.as_second();
    let soon = facts
        .certificates
        .iter()
        .filter(|one| left(one) < SOON * DAY);
    let mut soon: Vec<&Certificate> = soon.collect();
    soon.sort_by_key(|one| one.ends_at);
    let first = soon.first()?;
    let seconds = left(first);
    let when = if seconds < 0 {
        format!("ended {} ago", span(seconds.unsigned_abs()))
    } else {
        format!("ends in {}", span(seconds.unsigned_abs()))
    };
    let urgent = seconds < URGENT * DAY;
    let confidence = if urgent {
        Confidence::Proven
    } else {
        Confidence::Likely
    };
    let more = match soon.len() {
        1 => String::new(),
        n => format!(", and {} more end soon", n - 1),
    };
    let line = format!("the certificate {} {when}{more}", first.path);
    let all = soon.iter().take(5);
    let evidence = all.map(|one| Evidence::new("ends at", one.ends_at.to_string(), &one.path));
    let opinion = Opinion::new(confidence, line).with(evidence);
    Some(opinion.next("kubeadm certs check-expiration"))
}
