//! Facts for an audit: all statuses in full, and the node's own files. What vanishes while it is
//! looked at is left out; what does not answer is unknown.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::task::spawn_blocking;

use crate::audit::facts::{
    ContainerFacts, Context, Facts, HostFacts, ImageFacts, PodFacts, RuntimeFacts, Seen,
};
use crate::audit::{Kind, Subject};
use crate::cri::{CriError, Kind as Trouble, Reader};
use crate::domain::security::Security;
use crate::domain::{
    Changes, Container, ContainerState, Image, Labels, Pod, PodState, RuntimeVersion, label,
};
use crate::host::guarded;
use crate::host::open::HostRoot;
use crate::model::Store;
use crate::model::rows::{ContainerRow, ImageRow, PodRow};
use crate::text::Text;

/// Statuses read at once. Few: the runtime's other clients must not feel an audit.
const AT_ONCE: usize = 2;

/// What is to be looked at.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Where the node's files are.
    pub host: HostRoot,
    /// The runtime's socket on the node.
    pub socket: PathBuf,
    /// Registries that images may come from; empty if nobody said.
    pub registries: Vec<String>,
    /// When.
    pub now: Timestamp,
}

/// Lists everything and looks at all of it. `told` hears how many of how many statuses are in.
pub async fn facts(
    reader: &Reader,
    version: RuntimeVersion,
    asked: Asked,
    told: impl Fn(usize, usize) + Sync,
) -> Result<Facts, CriError> {
    let (pods, containers, images) =
        tokio::try_join!(reader.pods(), reader.containers(), reader.images())?;
    let mut store = Store::default();
    store.set_pods(&Changes::all(pods), asked.now);
    let images = Changes::all(images);
    store.set_images(&images, asked.now);
    store.set_containers(&Changes::all(containers), asked.now);
    let (context, host) = of_node(&asked).await;
    let known = Known {
        tags: tags(&images.came),
        context: Arc::new(context),
        now: asked.now,
    };
    let pods: Vec<Arc<PodRow>> = store
        .pod_rows()
        .filter(|row| is_there(row))
        .cloned()
        .collect();
    let containers: Vec<Arc<ContainerRow>> = store
        .container_rows()
        .filter(|row| runs(row))
        .cloned()
        .collect();
    let images: Vec<Arc<ImageRow>> = store.image_rows().cloned().collect();
    let all = pods.len() + containers.len() + images.len();
    let count = AtomicUsize::new(0);
    let next = || told(count.fetch_add(1, Ordering::Relaxed) + 1, all);
    let containers = each(containers, |row| of_container(reader, &known, row), &next).await?;
    let pods = each(pods, |row| of_pod(reader, row), &next).await?;
    let images = each(images, |row| of_image(reader, &known, row), &next).await?;
    let runtime = reader.runtime_security().await;
    Ok(Facts {
        pods,
        containers,
        images,
        runtime: RuntimeFacts {
            version,
            told: runtime.map_err(|error| error.message),
            context: known.context,
        },
        host,
    })
}

struct Known {
    tags: HashMap<Text, Text>,
    context: Arc<Context>,
    now: Timestamp,
}

/// A few at a time. What is gone is left out; a runtime that is gone ends it all.
async fn each<T, F: Future<Output = Result<Option<A>, CriError>>, A>(
    all: Vec<T>,
    ask: impl Fn(T) -> F,
    next: &impl Fn(),
) -> Result<Vec<A>, CriError> {
    let mut answers = std::pin::pin!(stream::iter(all).map(ask).buffer_unordered(AT_ONCE));
    let mut told = Vec::new();
    while let Some(answer) = answers.next().await {
        next();
        told.extend(answer?);
    }
    Ok(told)
}

/// What was told, or why not; `None` if it is gone.
fn seen<T>(answer: Result<T, CriError>) -> Result<Option<Seen<T>>, CriError> {
    match answer {
        Ok(told) => Ok(Some(Ok(told))),
        Err(error) if error.kind == Trouble::NotFound => Ok(None),
        Err(error) if error.kind == Trouble::Down => Err(error),
        Err(error) => Ok(Some(Err(error.message))),
    }
}

async fn of_node(asked: &Asked) -> (Context, HostFacts) {
    let (host, socket) = (asked.host.clone(), asked.socket.clone());
    let looked =
        spawn_blocking(move || (guarded::modules(&host), guarded::look(&host, &socket))).await;
    let (modules, files) = looked.unwrap_or_else(|error| {
        let why = Text::clean(&error.to_string());
        let facts = HostFacts {
            kubelet: Some(Err(why.clone())),
            ..HostFacts::default()
        };
        (Err(why), facts)
    });
    let context = Context {
        modules,
        registries: asked.registries.clone(),
    };
    (context, files)
}

/// The key of the image that each tag leads to.
fn tags(images: &[Arc<Image>]) -> HashMap<Text, Text> {
    let of = |image: &Arc<Image>| {
        let key = Text::clean(image.id.key());
        let tags: Vec<Text> = image.tags.clone();
        tags.into_iter().map(move |tag| (tag, key.clone()))
    };
    images.iter().flat_map(of).collect()
}

/// A sandbox that is up, and the newest of its pod.
fn is_there(row: &PodRow) -> bool {
    !row.superseded && row.pod.state != PodState::NotReady
}

/// The newest attempt, in a pod that is up.
fn runs(row: &ContainerRow) -> bool {
    let up = row
        .pod
        .as_ref()
        .is_none_or(|pod| pod.state != PodState::NotReady);
    !row.superseded && (up || row.container.state == ContainerState::Running)
}

async fn of_container(
    reader: &Reader,
    known: &Known,
    row: Arc<ContainerRow>,
) -> Result<Option<ContainerFacts>, CriError> {
    let container = &row.container;
    let Some(mut told) = seen(reader.container_security(&container.id).await)? else {
        return Ok(None);
    };
    if let Ok(told) = &mut told
        && told.image.is_none()
    {
        // A name that is asked for by hand is in the list.
        told.image = container.image.clone().non_empty();
    }
    let moved_to = told
        .as_ref()
        .ok()
        .and_then(|told| moved(known, container, told));
    let pod = row.pod.as_deref();
    let by_label = |key: &str| label(&container.labels, key).cloned();
    let uid = pod.map(|pod| pod.uid.clone());
    Ok(Some(ContainerFacts {
        subject: container_subject(container, pod),
        uid: uid
            .or_else(|| by_label("io.kubernetes.pod.uid"))
            .unwrap_or_default(),
        told,
        host_ports: host_ports(&container.annotations),
        moved_to,
        context: Arc::clone(&known.context),
    }))
}

/// The image that its tag leads to, if that is not the one it was made from.
fn moved(known: &Known, container: &Container, told: &Security) -> Option<Text> {
    let name = told.image.as_ref()?;
    let now = known.tags.get(name)?;
    let own = container.image_id.key();
    // A reference by digest cannot be compared with an id.
    let is_id = own.len() == 64 && own.bytes().all(|byte| byte.is_ascii_hexdigit());
    let short: String = now.as_str().chars().take(13).collect();
    (is_id && *now != own).then(|| short.into())
}

#[derive(Deserialize)]
struct Port {
    #[serde(default, rename = "hostPort")]
    host: u16,
}

fn host_ports(annotations: &Labels) -> Vec<u16> {
    let ports = label(annotations, "io.kubernetes.container.ports");
    let ports = ports.and_then(|text| serde_json::from_str::<Vec<Port>>(text.as_str()).ok());
    let mut ports: Vec<u16> = ports
        .into_iter()
        .flatten()
        .map(|port| port.host)
        .filter(|port| *port != 0)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

async fn of_pod(reader: &Reader, row: Arc<PodRow>) -> Result<Option<PodFacts>, CriError> {
    let pod = &row.pod;
    let told = seen(reader.pod_security(&pod.id).await)?;
    Ok(told.map(|told| PodFacts {
        subject: pod_subject(pod),
        told,
        managed: label(&pod.labels, "io.kubernetes.pod.uid").is_some(),
    }))
}

async fn of_image(
    reader: &Reader,
    known: &Known,
    row: Arc<ImageRow>,
) -> Result<Option<ImageFacts>, CriError> {
    let told = seen(reader.image_security(&row.image.id).await)?;
    let untold = || "the runtime does not tell what is in it".into();
    Ok(told.map(|told| ImageFacts {
        subject: image_subject(&row),
        now: known.now,
        told: told.and_then(|told| told.ok_or_else(untold)),
        needed: !row.is_reclaimable(),
        named: !row.is_dangling() || !row.image.digests.is_empty(),
    }))
}

fn pod_subject(pod: &Pod) -> Subject {
    Subject {
        kind: Kind::Pod,
        namespace: pod.namespace.clone(),
        pod: pod.name.clone(),
        workload: workload(pod),
        pod_id: Some(pod.id.clone()),
        ..Subject::default()
    }
}

fn container_subject(container: &Container, pod: Option<&Pod>) -> Subject {
    let by_label = |key: &str| label(&container.labels, key).cloned().unwrap_or_default();
    let of_pod = pod.map_or_else(
        || Subject {
            namespace: by_label("io.kubernetes.pod.namespace"),
            pod: by_label("io.kubernetes.pod.name"),
            workload: by_label("io.kubernetes.pod.name"),
            pod_id: Some(container.pod_id.clone()),
            ..Subject::default()
        },
        pod_subject,
    );
    Subject {
        kind: Kind::Container,
        container: Some(container.name.clone()),
        container_id: Some(container.id.clone()),
        ..of_pod
    }
}

fn image_subject(row: &ImageRow) -> Subject {
    // What has no name is told apart by its id.
    let name = if row.is_dangling() {
        Text::clean(&format!("{} {}", row.name, row.image.id.short()))
    } else {
        row.name.clone()
    };
    Subject {
        kind: Kind::Image,
        image: Some(name),
        image_id: Some(row.image.id.clone()),
        ..Subject::default()
    }
}

/// The pod's name without what its controller adds to it: a hash, and five characters.
fn workload(pod: &Pod) -> Text {
    let name = pod.name.as_str();
    let hash = label(&pod.labels, "pod-template-hash");
    let cut = hash.and_then(|hash| {
        let (start, _) = name.rsplit_once('-')?;
        start.strip_suffix(hash.as_str())?.strip_suffix('-')
    });
    let controlled = [
        "controller-revision-hash",
        "batch.kubernetes.io/job-name",
        "job-name",
    ];
    let numbered = label(&pod.labels, "apps.kubernetes.io/pod-index").is_some();
    let by_controller = || {
        let is = controlled
            .iter()
            .any(|key| label(&pod.labels, key).is_some());
        let (start, end) = name.rsplit_once('-')?;
        // A StatefulSet numbers its pods.
        let random = end.len() == 5 && !numbered && !end.bytes().all(|b| b.is_ascii_digit());
        (is && random).then_some(start)
    };
    Text::clean(cut.or_else(by_controller).unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::PodId;
    use rstest::rstest;

    #[rstest]
    #[case("web-7d9c5b8f6d-4kqzm", "pod-template-hash", "7d9c5b8f6d", "web")]
    #[case(
        "kube-proxy-7xk2p",
        "controller-revision-hash",
        "5b8f9c7d64",
        "kube-proxy"
    )]
    #[case("cache-0", "controller-revision-hash", "x", "cache-0")]
    #[case("backup-28903-x7x2p", "job-name", "backup-28903", "backup-28903")]
    #[case("etcd-master", "component", "etcd", "etcd-master")]
    #[case("web-4kqzm", "pod-template-hash", "7d9c5b8f6d", "web-4kqzm")]
    fn what_stays_of_a_pods_name(
        #[case] name: &str,
        #[case] key: &str,
        #[case] value: &str,
        #[case] expected: &str,
    ) {
        let pod = Pod {
            id: PodId::new("p"),
            uid: "u".into(),
            name: name.into(),
            namespace: "n".into(),
            attempt: 0,
            state: PodState::Ready,
            created_at: None,
            runtime_handler: None,
            labels: vec![(key.into(), value.into())],
            annotations: vec![],
        };
        assert_eq!(workload(&pod), expected);
    }

    #[rstest]
    #[case("[{\"hostPort\":80,\"containerPort\":8080},{\"containerPort\":1}]", &[80])]
    #[case("[]", &[])]
    #[case("nonsense", &[])]
    fn ports_of_the_node(#[case] text: &str, #[case] expected: &[u16]) {
        let annotations = vec![("io.kubernetes.container.ports".into(), text.into())];
        assert_eq!(host_ports(&annotations), expected);
    }
}
