//! Labels and annotations, those of Kubernetes explained, and what they tell of who made a pod.

use crate::domain::{Labels, Pod, label};
use crate::theme::Role;
use crate::widgets::page::Doc;

/// What the keys mean that Kubernetes itself writes.
const EXPLAINED: [(&str, &str); 22] = [
    ("io.kubernetes.container.hash", "hash of its spec"),
    (
        "io.kubernetes.container.hashWithoutResources",
        "hash of its spec",
    ),
    ("io.kubernetes.container.restartCount", "restarts"),
    (
        "io.kubernetes.container.terminationMessagePath",
        "ending message in",
    ),
    (
        "io.kubernetes.container.terminationMessagePolicy",
        "ending message from",
    ),
    ("io.kubernetes.container.ports", "ports"),
    ("io.kubernetes.container.preStopHandler", "before it stops"),
    ("io.kubernetes.container.type", "kind of container"),
    (
        "io.kubernetes.pod.terminationGracePeriod",
        "seconds to stop in",
    ),
    (
        "io.kubernetes.pod.deletionGracePeriod",
        "seconds until deleted",
    ),
    ("kubernetes.io/config.source", "pod comes from"),
    ("kubernetes.io/config.hash", "hash of its manifest"),
    ("kubernetes.io/config.seen", "kubelet saw it"),
    ("kubernetes.io/config.mirror", "mirror of a static pod"),
    ("kubectl.kubernetes.io/restartedAt", "rollout restarted"),
    (
        "kubectl.kubernetes.io/last-applied-configuration",
        "manifest as applied",
    ),
    ("kubectl.kubernetes.io/default-container", "main container"),
    (
        "cluster-autoscaler.kubernetes.io/safe-to-evict",
        "may be evicted",
    ),
    ("prometheus.io/scrape", "metrics are read"),
    ("prometheus.io/port", "metrics port"),
    ("prometheus.io/path", "metrics path"),
    ("seccomp.security.alpha.kubernetes.io/pod", "seccomp"),
];
/// Labels that say again what stands above.
const SAID: [&str; 4] = [
    "io.kubernetes.pod.name",
    "io.kubernetes.pod.namespace",
    "io.kubernetes.pod.uid",
    "io.kubernetes.container.name",
];

/// All of them.
pub fn all(doc: &mut Doc, title: &str, labels: &Labels) {
    let own: Vec<_> = labels
        .iter()
        .filter(|(key, _)| !SAID.contains(&key.as_str()))
        .collect();
    if own.is_empty() {
        return;
    }
    doc.title(format!("{title} ({})", own.len()));
    for (key, value) in own {
        let explained = EXPLAINED.iter().find(|(known, _)| key == known);
        match explained {
            Some((_, words)) => doc.fact(*words, value.as_str()),
            None => doc.text(format!("{key}={value}"), Role::Text),
        };
    }
}

/// Who made a pod, as far as its labels tell.
pub fn lineage(doc: &mut Doc, pod: &Pod) {
    let of = |key: &str| label(&pod.labels, key).map(crate::text::Text::as_str);
    let noted = |key: &str| label(&pod.annotations, key).map(crate::text::Text::as_str);
    let name = pod.name.as_str();
    let without_last = |name: &str| name.rsplit_once('-').map(|(start, _)| start.to_owned());
    doc.title("Lineage");
    let (what, from) = match noted("kubernetes.io/config.source") {
        Some("file") => (
            "static pod",
            "a manifest in a folder of this node".to_owned(),
        ),
        Some("http") => ("static pod", "a manifest from a URL".to_owned()),
        _ => owner(pod, &of, &without_last),
    };
    doc.fact(what, from);
    if let Some(job) = of("batch.kubernetes.io/job-name").or_else(|| of("job-name")) {
        let time = job
            .rsplit_once('-')
            .filter(|(_, time)| time.len() >= 8 && time.bytes().all(|b| b.is_ascii_digit()));
        doc.maybe("CronJob", time.map(|(cron, _)| cron));
    }
    for (key, what) in [
        ("app.kubernetes.io/managed-by", "managed by"),
        ("helm.sh/chart", "Helm chart"),
        ("app.kubernetes.io/instance", "release"),
        ("app.kubernetes.io/part-of", "part of"),
        ("argocd.argoproj.io/instance", "Argo CD"),
    ] {
        doc.maybe(what, of(key).or_else(|| noted(key)));
    }
    doc.fact_as("pod", name, Role::Dim);
}

fn owner<'a>(
    pod: &Pod,
    of: &impl Fn(&str) -> Option<&'a str>,
    without_last: &impl Fn(&str) -> Option<String>,
) -> (&'static str, String) {
    let name = pod.name.as_str();
    if let Some(hash) = of("pod-template-hash") {
        let set = without_last(name).unwrap_or_default();
        let deployment = set
            .strip_suffix(hash)
            .and_then(|start| start.strip_suffix('-'));
        return match deployment {
            Some(deployment) => ("Deployment", format!("{deployment}, ReplicaSet {set}")),
            None => ("ReplicaSet", format!("one with the template {hash}")),
        };
    }
    if let Some(job) = of("batch.kubernetes.io/job-name").or_else(|| of("job-name")) {
        return ("Job", job.to_owned());
    }
    if of("statefulset.kubernetes.io/pod-name").is_some() {
        let set = without_last(name).unwrap_or_default();
        return ("StatefulSet", set);
    }
    if of("controller-revision-hash").is_some() {
        let set = without_last(name).unwrap_or_default();
        let kind = if of("pod-template-generation").is_some() {
            "DaemonSet"
        } else {
            "controller"
        };
        return (kind, set);
    }
    (
        "made by",
        "nobody that its labels name: perhaps by hand".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PodId, PodState};
    use rstest::rstest;

    fn pod(name: &str, labels: &[(&str, &str)], annotations: &[(&str, &str)]) -> Pod {
        let sorted = |all: &[(&str, &str)]| {
            let mut all: Labels = all
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect();
            all.sort();
            all
        };
        Pod {
            id: PodId::new("p"),
            uid: "u".into(),
            name: name.into(),
            namespace: "shop".into(),
            attempt: 0,
            state: PodState::Ready,
            created_at: None,
            runtime_handler: None,
            labels: sorted(labels),
            annotations: sorted(annotations),
        }
    }

    #[rstest]
    #[case(&pod("web-7d9-x2", &[("pod-template-hash", "7d9")], &[]), "Deployment web, ReplicaSet web-7d9")]
    #[case(&pod("db-0", &[("statefulset.kubernetes.io/pod-name", "db-0"), ("controller-revision-hash", "db-1")], &[]), "StatefulSet db")]
    #[case(&pod("proxy-x", &[("controller-revision-hash", "1"), ("pod-template-generation", "1")], &[]), "DaemonSet proxy")]
    #[case(&pod("nightly-28912340-x", &[("job-name", "nightly-28912340")], &[]), "CronJob nightly")]
    #[case(&pod("etcd-node", &[], &[("kubernetes.io/config.source", "file")]), "static pod a manifest in a folder of this node")]
    #[case(&pod("x", &[], &[]), "made by nobody that its labels name: perhaps by hand")]
    #[case(&pod("x", &[("helm.sh/chart", "redis-1")], &[]), "Helm chart redis-1")]
    fn who_made_it(#[case] pod: &Pod, #[case] expected: &str) {
        let mut doc = Doc::default();
        lineage(&mut doc, pod);
        let facts: Vec<String> = doc
            .facts()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        assert!(facts.contains(&expected.to_owned()), "{facts:?}");
    }
}
