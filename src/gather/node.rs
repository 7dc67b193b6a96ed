//! Facts about the node.

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use crate::cri::{self, Reader};
use crate::domain::{ContainerState, IdSet, PodState, label};
use crate::host::open::HostRoot;
use crate::host::{addresses, certificates, ghosts, kubelet, manifests, node};
use crate::model::Store;
use crate::text::Text;
use crate::triage::NodeFacts;
use crate::triage::facts::{Condition, Kubelet, Manifest};

/// Looks at all of it.
pub async fn node_facts(
    reader: &Reader,
    host: &HostRoot,
    store: &Store,
    now: Timestamp,
) -> NodeFacts {
    let health = reader.health().await;
    let conditions = health.map(|health| health.conditions.into_iter().map(condition).collect());
    // Where images are is a help, no more.
    let images = reader.image_places().await.unwrap_or_default();
    let mut facts = of_files(host, store, images, now).await;
    facts.conditions = conditions.map_err(|error| error.message);
    facts.slow_calls = slow_calls();
    facts.newest = newest(store);
    facts.manifests = facts.manifests.map(|all| joined(all, store));
    facts
}

/// What is left when the runtime does not answer, which `why` says.
pub async fn without_runtime(host: &HostRoot, why: Text, now: Timestamp) -> NodeFacts {
    let mut facts = of_files(host, &Store::default(), vec![], now).await;
    facts.conditions = Err(why);
    // What runs and what does not, the runtime alone would know.
    facts.manifests = Err("the runtime does not answer".into());
    facts.ghosts.clear();
    facts
}

async fn of_files(host: &HostRoot, store: &Store, images: Vec<Text>, now: Timestamp) -> NodeFacts {
    let ids = store.pod_rows().map(|row| row.pod.id.to_string());
    let ids = ids.chain(
        store
            .container_rows()
            .map(|row| row.container.id.to_string()),
    );
    let live: IdSet<String> = ids.collect();
    let uids: IdSet<String> = store
        .pod_rows()
        .map(|row| row.pod.uid.to_string())
        .collect();
    let host = host.clone();
    let looked = spawn_blocking(move || {
        let (networks, ranges) = addresses::look(&host, live);
        NodeFacts {
            now,
            files: node::look(&host, images),
            conditions: Err("not asked".into()),
            slow_calls: vec![],
            kubelet: kubelet::look(&host),
            ranges,
            networks,
            manifests: manifests::read(&host),
            certificates: certificates::read(&host),
            newest: None,
            ghosts: ghosts::look(&host, uids),
        }
    });
    let looked = looked.await;
    looked.unwrap_or_else(|error| nothing(now, &error.to_string()))
}

/// Why no pod gets a network, if that is so.
pub(super) fn no_network(facts: &NodeFacts) -> Option<Text> {
    let conditions = facts.conditions.as_ref().ok()?;
    let network = conditions.iter().find(|one| one.name == "NetworkReady")?;
    (!network.ok).then(|| network.why.clone())
}

fn nothing(now: Timestamp, why: &str) -> NodeFacts {
    let why = Text::clean(why);
    NodeFacts {
        now,
        files: Err(why.clone()),
        conditions: Err(why.clone()),
        slow_calls: vec![],
        kubelet: Kubelet::default(),
        ranges: vec![],
        networks: Err(why.clone()),
        manifests: Err(why),
        certificates: vec![],
        newest: None,
        ghosts: vec![],
    }
}

fn condition(one: cri::Condition) -> Condition {
    let words: Vec<&str> = [&one.reason, &one.message]
        .into_iter()
        .flatten()
        .map(Text::as_str)
        .collect();
    Condition {
        ok: one.holds,
        why: Text::clean(&words.join(": ")),
        name: one.kind,
    }
}

fn slow_calls() -> Vec<(Text, u64)> {
    let took = |latency: &cri::Latency| u64::try_from(latency.p99.as_millis()).unwrap_or(u64::MAX);
    let all = cri::latencies();
    all.iter()
        .map(|one| (one.call.clone(), took(one)))
        .collect()
}

fn newest(store: &Store) -> Option<Timestamp> {
    let pods = store.pod_rows().filter_map(|row| row.pod.created_at);
    let containers = store
        .container_rows()
        .filter_map(|row| row.container.created_at);
    pods.chain(containers).max()
}

/// Which manifests have a pod, and whether it runs.
fn joined(mut all: Vec<Manifest>, store: &Store) -> Vec<Manifest> {
    let is_static = |source: &Text| *source == "file";
    let pods: Vec<_> = store
        .pod_rows()
        .filter(|row| {
            label(&row.pod.annotations, "kubernetes.io/config.source").is_some_and(is_static)
        })
        .collect();
    for manifest in &mut all {
        let Some(name) = &manifest.pod else { continue };
        // The kubelet appends the node's name.
        let begin = format!("{name}-");
        let own = pods.iter().filter(|row| {
            let pod = row.pod.name.as_str();
            (pod == name.as_str() || pod.starts_with(&begin)) && row.pod.state == PodState::Ready
        });
        for row in own {
            manifest.sandbox = true;
            let mut containers = store.attempts_in(&row.pod.id).into_iter();
            manifest.running |=
                containers.any(|one| one.container.state == ContainerState::Running);
        }
    }
    all
}
