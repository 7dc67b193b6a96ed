//! What `critui logs` is asked for, and which log on the node that is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::{Container, ContainerId, Pod, label};
use crate::format::some_of;
use crate::text::Text;

/// Names told when there are several, or none.
const TOLD: usize = 8;
/// An id must be named by so many characters at least.
const SHORTEST_ID: usize = 4;

/// One container of a pod, over all its attempts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Candidate {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Uid of the pod.
    pub uid: String,
    /// Name of the container.
    pub container: String,
    /// When the newest part of it that the runtime knows was made, in nanoseconds.
    pub created: i128,
    /// The newest attempt that the runtime knows, if it knows one.
    pub newest: Option<ContainerId>,
    /// The attempt asked for by its id.
    pub attempt: Option<u32>,
    /// Ids of its attempts and of its sandbox.
    ids: Vec<(String, Option<u32>)>,
}

/// What the runtime knows.
pub fn of_runtime(pods: &[Arc<Pod>], containers: &[Arc<Container>]) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut containers: Vec<&Arc<Container>> = containers.iter().collect();
    containers.sort_by_key(|container| (container.attempt, container.created_at));
    for container in containers {
        let pod = pods.iter().find(|pod| pod.id == container.pod_id);
        let told = |key: &str, of_pod: fn(&Pod) -> &Text| {
            let labelled = || label(&container.labels, key);
            let text = pod.map(|pod| of_pod(pod)).or_else(labelled);
            text.map_or_else(String::new, |text| text.as_str().to_owned())
        };
        let namespace = told("io.kubernetes.pod.namespace", |pod| &pod.namespace);
        let name = told("io.kubernetes.pod.name", |pod| &pod.name);
        let uid = told("io.kubernetes.pod.uid", |pod| &pod.uid);
        let id = (container.id.as_str().to_owned(), Some(container.attempt));
        let sandbox = (container.pod_id.as_str().to_owned(), None);
        let created = container
            .created_at
            .map_or(0, jiff::Timestamp::as_nanosecond);
        let known = found
            .iter_mut()
            .find(|known| known.uid == uid && known.container == container.name.as_str());
        match known {
            Some(known) => {
                known.ids.extend([id, sandbox]);
                known.created = created;
                known.newest = Some(container.id.clone());
            }
            None => found.push(Candidate {
                namespace,
                pod: name,
                uid,
                container: container.name.as_str().to_owned(),
                created,
                newest: Some(container.id.clone()),
                attempt: None,
                ids: vec![id, sandbox],
            }),
        }
    }
    found
}

/// Adds what the folders below the log root tell: `NAMESPACE_POD_UID` and the containers in it.
pub fn add_of_disk(found: &mut Vec<Candidate>, folder: &str, containers: &[String]) {
    let mut parts = folder.splitn(3, '_');
    let (Some(namespace), Some(pod), Some(uid)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    for container in containers {
        if !found
            .iter()
            .any(|known| known.uid == uid && known.container == *container)
        {
            found.push(Candidate {
                namespace: namespace.to_owned(),
                pod: pod.to_owned(),
                uid: uid.to_owned(),
                container: container.clone(),
                created: 0,
                newest: None,
                attempt: None,
                ids: Vec::new(),
            });
        }
    }
}

/// A path, if that is what is meant: it begins with `/` or `.`.
pub fn as_path(target: &str) -> Option<PathBuf> {
    let path = Path::new(target);
    let dotted = target == "." || target == ".." || target.starts_with("./");
    (path.is_absolute() || dotted || target.starts_with("../")).then(|| path.to_owned())
}

/// The containers of the one pod that `target` names. The error is one line with candidates.
pub fn choose(found: &[Candidate], target: &str) -> Result<Vec<Candidate>, Text> {
    let parts: Vec<&str> = target.split('/').collect();
    let mut chosen: Vec<Candidate> = found
        .iter()
        .filter_map(|candidate| candidate.named(&parts))
        .collect();
    if chosen.is_empty() {
        chosen = found.iter().filter_map(|c| c.with_id(&parts)).collect();
    }
    if chosen.is_empty() {
        let begun = found.iter().filter(|candidate| candidate.begins(&parts));
        chosen = begun.cloned().collect();
    }
    let names: BTreeSet<(&str, &str)> = chosen
        .iter()
        .map(|candidate| (&*candidate.namespace, &*candidate.pod))
        .collect();
    match names.len() {
        0 => Err(unknown(found, target)),
        1 => Ok(newest_pod(chosen)),
        _ => {
            let names = names
                .iter()
                .map(|(namespace, pod)| format!("{namespace}/{pod}"));
            let line = format!(
                "{target} is ambiguous: {}",
                some_of(&names.collect::<Vec<_>>(), TOLD)
            );
            Err(Text::clean(&line))
        }
    }
}

/// Of pods with one name (made again under another uid), the newest.
fn newest_pod(mut chosen: Vec<Candidate>) -> Vec<Candidate> {
    let newest = chosen.iter().max_by_key(|candidate| candidate.created);
    let uid = newest.map_or_else(String::new, |candidate| candidate.uid.clone());
    chosen.retain(|candidate| candidate.uid == uid);
    chosen.sort_by(|a, b| a.container.cmp(&b.container));
    chosen
}

fn unknown(found: &[Candidate], target: &str) -> Text {
    let pod = target
        .split('/')
        .find(|part| !part.is_empty())
        .unwrap_or(target);
    let likeness = |candidate: &Candidate| {
        let container = strsim::jaro_winkler(&candidate.container, pod);
        strsim::jaro_winkler(&candidate.pod, pod).max(container)
    };
    let mut near: Vec<&Candidate> = found.iter().collect();
    near.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)).then_with(|| a.cmp(b)));
    let mut names: Vec<String> = Vec::new();
    for candidate in near {
        let name = format!(
            "{}/{}/{}",
            candidate.namespace, candidate.pod, candidate.container
        );
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return Text::clean(&format!(
            "{target}: this node has no container and no log of one"
        ));
    }
    Text::clean(&format!(
        "{target} names no pod, container or id of this node; there are {}",
        some_of(&names, TOLD)
    ))
}

impl Candidate {
    /// `[NAMESPACE/]POD[/CONTAINER]`.
    fn named(&self, parts: &[&str]) -> Option<Self> {
        self.is(parts, |pod| pod == self.pod).then(|| self.clone())
    }

    /// The same with the beginning of the pod's name.
    fn begins(&self, parts: &[&str]) -> bool {
        self.is(parts, |pod| !pod.is_empty() && self.pod.starts_with(pod))
    }

    fn is(&self, parts: &[&str], is_pod: impl Fn(&str) -> bool) -> bool {
        match *parts {
            [pod] => is_pod(pod),
            [first, second] => {
                (first == self.namespace && is_pod(second))
                    || (is_pod(first) && second == self.container)
            }
            [namespace, pod, container] => {
                namespace == self.namespace && is_pod(pod) && container == self.container
            }
            _ => false,
        }
    }

    /// The beginning of an id, of a sandbox (perhaps with `/CONTAINER`) or of one attempt.
    fn with_id(&self, parts: &[&str]) -> Option<Self> {
        let (prefix, container) = match *parts {
            [id] => (id, None),
            [id, container] => (id, Some(container)),
            _ => return None,
        };
        if prefix.len() < SHORTEST_ID || container.is_some_and(|name| name != self.container) {
            return None;
        }
        let mut ids = self.ids.iter();
        let (_, attempt) = ids.find(|(id, _)| id.starts_with(prefix))?;
        let attempt = *attempt;
        Some(Self {
            attempt,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn found() -> Vec<Candidate> {
        let mut found = Vec::new();
        for (folder, containers) in [
            ("shop_web-1_u1", &["nginx", "sidecar"][..]),
            ("infra_web-1_u2", &["nginx"]),
            ("shop_db-0_u3", &["postgres"]),
            ("shop_db-0_u4", &["postgres"]),
            ("not-a-pod", &["x"]),
        ] {
            let containers: Vec<String> = containers.iter().map(|&c| c.to_owned()).collect();
            add_of_disk(&mut found, folder, &containers);
        }
        found[3].created = 7;
        found[0].ids = vec![("abcdef".to_owned(), Some(3)), ("123456".to_owned(), None)];
        found[1].ids = vec![("123456".to_owned(), None)];
        found
    }

    #[rstest]
    #[case("shop/web-1", "shop/web-1/nginx#u1 shop/web-1/sidecar#u1")]
    #[case("web-1/sidecar", "shop/web-1/sidecar#u1")]
    #[case("shop/web-1/nginx", "shop/web-1/nginx#u1")]
    #[case("db-0", "shop/db-0/postgres#u3")]
    #[case("abcd", "shop/web-1/nginx#u1@3")]
    #[case("1234", "shop/web-1/nginx#u1 shop/web-1/sidecar#u1")]
    #[case("1234/sidecar", "shop/web-1/sidecar#u1")]
    #[case("d", "shop/db-0/postgres#u3")]
    #[case("shop/we", "shop/web-1/nginx#u1 shop/web-1/sidecar#u1")]
    #[case("web/sidecar", "shop/web-1/sidecar#u1")]
    #[case("infra/w/nginx", "infra/web-1/nginx#u2")]
    #[case("we", "! we is ambiguous: infra/web-1, shop/web-1")]
    #[case("web-1", "! web-1 is ambiguous: infra/web-1, shop/web-1")]
    #[case(
        "db-1",
        "! db-1 names no pod, container or id of this node; there are shop/db-0/postgres, infra/web-1/nginx, shop/web-1/nginx, shop/web-1/sidecar"
    )]
    fn names(#[case] target: &str, #[case] expected: &str) {
        let mut found = found();
        found.sort();
        let newest = found.iter().position(|c| c.uid == "u4").unwrap();
        found[newest].created = 0;
        let third = found.iter().position(|c| c.uid == "u3").unwrap();
        found[third].created = 7;
        let told = match choose(&found, target) {
            Ok(chosen) => chosen
                .iter()
                .map(|c| {
                    let attempt = c.attempt.map_or_else(String::new, |n| format!("@{n}"));
                    format!(
                        "{}/{}/{}#{}{attempt}",
                        c.namespace, c.pod, c.container, c.uid
                    )
                })
                .collect::<Vec<_>>()
                .join(" "),
            Err(line) => format!("! {line}"),
        };
        assert_eq!(told, expected);
    }

    #[rstest]
    #[case("/var/log/x", true)]
    #[case("./x", true)]
    #[case("..", true)]
    #[case("shop/web", false)]
    #[case(".hidden", false)]
    fn paths(#[case] target: &str, #[case] expected: bool) {
        assert_eq!(as_path(target).is_some(), expected);
    }
}
