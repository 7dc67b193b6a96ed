//! `critui snapshot`: everything that the panels show, once, for programs and for people.
//!
//! The shape is stable: fields are added, never renamed or removed. What is absent is null, times
//! are RFC 3339 in UTC, ids are as the runtime gives them, lists are sorted by namespace, name and
//! time of creation, texts are sanitised.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::Form;
use crate::cri::{CriError, Kind, Reader};
use crate::domain::{
    Changes, Container, ContainerDetail, ContainerId, ImageId, Labels, Pod, PodDetail, PodId,
    RuntimeVersion,
};
use crate::model::columns::{CONTAINERS, Column, IMAGES, PODS};
use crate::model::rows::{ContainerRow, ImageRow, PodRow};
use crate::model::{Store, columns::Stands};
use crate::text::Text;
use crate::widgets::text::width;

/// Statuses read at once.
const AT_ONCE: usize = 8;

/// The whole report.
#[derive(Serialize, Debug)]
pub struct Snapshot {
    runtime: Runtime,
    pods: Vec<PodItem>,
    containers: Vec<ContainerItem>,
    images: Vec<ImageItem>,
    #[serde(skip)]
    store: Store,
    #[serde(skip)]
    taken_at: Timestamp,
}

#[derive(Serialize, Debug)]
struct Runtime {
    name: Text,
    version: Text,
    api_version: Text,
    endpoint: Text,
    endpoint_source: Text,
}

#[derive(Serialize, Debug)]
struct PodItem {
    id: PodId,
    uid: Text,
    name: Text,
    namespace: Text,
    attempt: u32,
    state: &'static str,
    created_at: Option<String>,
    ips: Vec<Text>,
    runtime_handler: Option<Text>,
    labels: BTreeMap<Text, Text>,
}

#[derive(Serialize, Debug)]
// One field for each of the stable shape.
struct ContainerItem {
    id: ContainerId,
    pod_id: PodId,
    pod: Option<Text>,
    namespace: Option<Text>,
    name: Text,
    attempt: u32,
    restart_count: u32,
    state: &'static str,
    image: Text,
    image_id: ImageId,
    created_at: Option<String>,
    #[serde(flatten)]
    outcome: Outcome,
    labels: BTreeMap<Text, Text>,
}

#[derive(Serialize, Debug)]
struct Outcome {
    started_at: Option<String>,
    finished_at: Option<String>,
    exit_code: Option<i32>,
    reason: Option<Text>,
    message: Option<Text>,
    log_path: Option<Text>,
}

#[derive(Serialize, Debug)]
struct ImageItem {
    id: ImageId,
    tags: Vec<Text>,
    digests: Vec<Text>,
    size: u64,
    pinned: bool,
    used_by: Vec<ContainerId>,
}

/// Where the runtime was reached.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The socket, as crictl writes it.
    pub endpoint: Text,
    /// How it was found.
    pub source: Text,
}

/// Reads everything once. What vanishes between its list and its status is left out; a status
/// that does not come in time fails the report, because half a truth is none.
pub async fn take(
    reader: &Reader,
    version: RuntimeVersion,
    origin: Origin,
    now: Timestamp,
) -> Result<Snapshot, CriError> {
    let (pods, containers, images) =
        tokio::try_join!(reader.pods(), reader.containers(), reader.images())?;
    let (pod_details, container_details) = tokio::try_join!(
        pod_details(reader, &pods),
        container_details(reader, &containers)
    )?;
    let mut store = Store::default();
    let listed = |id: &PodId| pod_details.contains_key(id);
    let pods: Vec<Arc<Pod>> = pods.into_iter().filter(|pod| listed(&pod.id)).collect();
    store.set_pods(&Changes::all(pods), now);
    let listed = |id: &ContainerId| container_details.contains_key(id);
    let there = containers.into_iter().filter(|c| listed(&c.id));
    store.set_containers(&Changes::all(there.collect()), now);
    store.set_images(&Changes::all(images), now);
    for (id, detail) in pod_details {
        store.set_pod_detail(&id, detail, now);
    }
    for (id, (container, detail)) in container_details {
        store.set_container_detail(&id, container.state, detail, now);
    }
    let runtime = Runtime {
        name: version.name,
        version: version.version,
        api_version: version.api_version,
        endpoint: origin.endpoint,
        endpoint_source: origin.source,
    };
    Ok(Snapshot {
        runtime,
        pods: pod_items(&store),
        containers: container_items(&store),
        images: image_items(&store),
        store,
        taken_at: now,
    })
}

async fn pod_details(
    reader: &Reader,
    pods: &[Arc<Pod>],
) -> Result<HashMap<PodId, PodDetail>, CriError> {
    let read = |pod: Arc<Pod>| async move {
        let detail = present(reader.pod_detail(&pod.id).await)?;
        Ok(detail.map(|detail| (pod.id.clone(), detail)))
    };
    gather(
        stream::iter(pods.to_vec())
            .map(read)
            .buffer_unordered(AT_ONCE),
    )
    .await
}

async fn container_details(
    reader: &Reader,
    containers: &[Arc<Container>],
) -> Result<HashMap<ContainerId, (Arc<Container>, ContainerDetail)>, CriError> {
    let read = |container: Arc<Container>| async move {
        let detail = present(reader.container_detail(&container.id).await)?;
        Ok(detail.map(|detail| (container.id.clone(), (container, detail))))
    };
    gather(
        stream::iter(containers.to_vec())
            .map(read)
            .buffer_unordered(AT_ONCE),
    )
    .await
}

/// What has vanished since it was listed is no error.
fn present<T>(answer: Result<T, CriError>) -> Result<Option<T>, CriError> {
    match answer {
        Ok(detail) => Ok(Some(detail)),
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn gather<K: Eq + std::hash::Hash, V>(
    answers: impl stream::Stream<Item = Result<Option<(K, V)>, CriError>>,
) -> Result<HashMap<K, V>, CriError> {
    let mut answers = std::pin::pin!(answers);
    let mut gathered = HashMap::new();
    while let Some(answer) = answers.next().await {
        gathered.extend(answer?);
    }
    Ok(gathered)
}

fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn labels(labels: &Labels) -> BTreeMap<Text, Text> {
    labels.iter().cloned().collect()
}

fn pod_items(store: &Store) -> Vec<PodItem> {
    let mut rows: Vec<&Arc<PodRow>> = store.pod_rows().collect();
    let key = |row: &PodRow| {
        let pod = &row.pod;
        (
            pod.namespace.clone(),
            pod.name.clone(),
            pod.created_at,
            pod.id.clone(),
        )
    };
    rows.sort_by_cached_key(|row| key(row));
    let item = |row: &Arc<PodRow>| PodItem {
        id: row.pod.id.clone(),
        uid: row.pod.uid.clone(),
        name: row.pod.name.clone(),
        namespace: row.pod.namespace.clone(),
        attempt: row.pod.attempt,
        state: row.pod.state.name(),
        created_at: time(row.pod.created_at),
        ips: row
            .detail
            .as_ref()
            .map_or_else(Vec::new, |detail| detail.ips.clone()),
        runtime_handler: row.pod.runtime_handler.clone(),
        labels: labels(&row.pod.labels),
    };
    rows.into_iter().map(item).collect()
}

fn container_items(store: &Store) -> Vec<ContainerItem> {
    let mut rows: Vec<&Arc<ContainerRow>> = store.container_rows().collect();
    let key = |row: &ContainerRow| {
        let container = &row.container;
        (
            row.namespace().to_owned(),
            container.name.clone(),
            container.created_at,
            container.id.clone(),
        )
    };
    rows.sort_by_cached_key(|row| key(row));
    rows.into_iter().map(|row| container_item(row)).collect()
}

fn container_item(row: &ContainerRow) -> ContainerItem {
    let container = &row.container;
    let detail = row.detail.as_deref().cloned().unwrap_or_default();
    ContainerItem {
        id: container.id.clone(),
        pod_id: container.pod_id.clone(),
        pod: Text::clean(row.pod_name()).non_empty(),
        namespace: Text::clean(row.namespace()).non_empty(),
        name: container.name.clone(),
        attempt: container.attempt,
        restart_count: container.restart_count(),
        state: container.state.name(),
        image: row.image.clone(),
        image_id: container.image_id.clone(),
        created_at: time(container.created_at),
        outcome: Outcome {
            started_at: time(detail.started_at),
            finished_at: time(detail.finished_at),
            exit_code: detail.exit_code,
            reason: detail.reason,
            message: detail.message,
            log_path: detail.log_path,
        },
        labels: labels(&container.labels),
    }
}

fn image_items(store: &Store) -> Vec<ImageItem> {
    let mut users: HashMap<&str, Vec<ContainerId>> = HashMap::new();
    for row in store.container_rows() {
        users
            .entry(row.container.image_id.key())
            .or_default()
            .push(row.container.id.clone());
    }
    for ids in users.values_mut() {
        ids.sort();
    }
    let mut rows: Vec<&Arc<ImageRow>> = store.image_rows().collect();
    rows.sort_by(|a, b| a.by_trouble(b));
    let item = |row: &Arc<ImageRow>| ImageItem {
        id: row.image.id.clone(),
        tags: row.image.tags.clone(),
        digests: row.image.digests.clone(),
        size: row.image.size,
        pinned: row.image.pinned,
        used_by: users.get(row.image.id.key()).cloned().unwrap_or_default(),
    };
    rows.into_iter().map(item).collect()
}

impl Snapshot {
    /// Writes the report.
    pub fn write(&self, form: Form, out: &mut dyn Write) -> io::Result<()> {
        match form {
            Form::Json => {
                serde_json::to_writer_pretty(&mut *out, self)?;
                writeln!(out)
            }
            Form::Yaml => serde_yaml::to_writer(out, self).map_err(io::Error::other),
            Form::Table => self.tables(out),
        }
    }

    fn tables(&self, out: &mut dyn Write) -> io::Result<()> {
        let runtime = &self.runtime;
        let Runtime {
            name,
            version,
            endpoint,
            endpoint_source,
            ..
        } = runtime;
        writeln!(out, "{name} {version} at {endpoint} ({endpoint_source})")?;
        writeln!(out)?;
        let mut pods: Vec<&Arc<PodRow>> = self.store.pod_rows().collect();
        pods.sort_by(|a, b| a.by_trouble(b));
        table(out, &PODS, &pods, self.taken_at)?;
        writeln!(out)?;
        let mut containers: Vec<&Arc<ContainerRow>> = self.store.container_rows().collect();
        containers.sort_by(|a, b| a.by_trouble(b));
        table(out, &CONTAINERS, &containers, self.taken_at)?;
        writeln!(out)?;
        let mut images: Vec<&Arc<ImageRow>> = self.store.image_rows().collect();
        images.sort_by(|a, b| a.by_trouble(b));
        table(out, &IMAGES, &images, self.taken_at)
    }
}

/// The columns of the panels, in full, two spaces apart.
fn table<R>(
    out: &mut dyn Write,
    columns: &[Column<R>],
    rows: &[&Arc<R>],
    now: Timestamp,
) -> io::Result<()> {
    // What is measured over time is not in what is asked once: critui top tells it.
    let columns: Vec<&Column<R>> = columns.iter().filter(|column| !column.live).collect();
    let cells = |row: &&Arc<R>| -> Vec<String> {
        columns
            .iter()
            .map(|column| (column.cell)(row, now).text.into_owned())
            .collect()
    };
    let heads = columns
        .iter()
        .map(|column| column.head.to_owned())
        .collect();
    let lines: Vec<Vec<String>> = std::iter::once(heads)
        .chain(rows.iter().map(cells))
        .collect();
    let widths: Vec<u16> = (0..columns.len())
        .map(|place| {
            lines
                .iter()
                .map(|line| width(&line[place]))
                .max()
                .unwrap_or(0)
        })
        .collect();
    for line in lines {
        let mut text = String::new();
        for ((cell, room), column) in line.iter().zip(&widths).zip(&columns) {
            let pad = " ".repeat(usize::from(room - width(cell)));
            let (before, after) = if column.right {
                (&*pad, "")
            } else {
                ("", &*pad)
            };
            text.extend([before, cell, after, "  "]);
        }
        writeln!(out, "{}", text.trim_end())?;
    }
    Ok(())
}
