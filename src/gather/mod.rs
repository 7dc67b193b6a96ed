//! Facts about what is wrong, from wherever the node has them: the runtime, cgroups, logs, the
//! kubelet's files. Everything here only reads, has a deadline, and says what it could not see.

pub mod audit;
mod container;
mod lines;
mod log;
mod node;

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::task::spawn_blocking;

use crate::cri::{CriError, Kind, Reader};
use crate::domain::{Changes, Container, ContainerDetail, ContainerId, ContainerState, Spec};
use crate::host::cgroup::{self, Claim};
use crate::host::open::HostRoot;
use crate::host::{kernel, said};
use crate::model::Store;
use crate::model::asked::{AskedContainer, asked_container, asked_pod};
use crate::model::rows::{ContainerRow, PodRow};
use crate::stats::cgroup::Look;
use crate::text::Text;
use crate::triage::facts::{Kernel, Said, Seen};
use crate::triage::{ContainerFacts, PodFacts, Report};

pub use container::{pod_facts, why};
pub use lines::lines;
pub use node::{node_facts, without_runtime};

/// Statuses read at once.
const AT_ONCE: usize = 8;
/// Containers that run and are all looked at closely: on a node with more only those in trouble are.
const MANY: usize = 500;
/// Cgroups looked at in one go.
const TOGETHER: usize = 128;

type Specs = HashMap<ContainerId, Spec>;

/// The logs that tell of the whole node, read once for all that is asked.
#[derive(Clone, Debug)]
pub struct Logs {
    kernel: Arc<Seen<Kernel>>,
    said: Arc<Seen<Vec<Said>>>,
}

impl Logs {
    /// Reads them.
    pub async fn read(host: &HostRoot, now: Timestamp) -> Self {
        let (first, second) = (host.clone(), host.clone());
        let kernel = spawn_blocking(move || kernel::read(&first));
        let said = spawn_blocking(move || said::read(&second, now));
        let broken = |error: tokio::task::JoinError| Text::clean(&error.to_string());
        Self {
            kernel: Arc::new(kernel.await.unwrap_or_else(|error| Err(broken(error)))),
            said: Arc::new(said.await.unwrap_or_else(|error| Err(broken(error)))),
        }
    }
}

/// Everything about the node and all that is on it.
pub async fn everything(
    reader: &Reader,
    host: &HostRoot,
    now: Timestamp,
) -> Result<Report, CriError> {
    let store = read(reader, now).await?;
    let specs = specs(reader, &store).await;
    let logs = Logs::read(host, now).await;
    let rows: Vec<&Arc<ContainerRow>> = store
        .container_rows()
        .filter(|row| !row.superseded)
        .collect();
    let looks = looks(host, &rows, &specs).await;
    let mut facts = Vec::with_capacity(rows.len());
    for row in rows {
        let id = &row.container.id;
        let mut known = container::Known {
            spec: specs.get(id),
            before: None,
            cgroups: looks.get(id).copied().unwrap_or_default(),
        };
        let asked = asked_container(&store, row);
        facts.push(one(host, &specs, asked, &mut known, &logs, now).await);
    }
    blind_to_processes(&mut facts);
    let node = node_facts(reader, host, &store, now).await;
    let network = node::no_network(&node);
    let suspicious = |row: &&Arc<PodRow>| {
        let empty = row.running == 0 && row.total == 0;
        empty || row.superseded || row.state_differs()
    };
    let pods: Vec<PodFacts> = store
        .pod_rows()
        .filter(suspicious)
        .map(|row| pod_facts(&asked_pod(&store, row), &facts, &logs, network.clone(), now))
        .collect();
    Ok(Report::of(&node, &pods, &facts))
}

/// Facts of one container; what is well is looked at from afar.
async fn one<'a>(
    host: &HostRoot,
    specs: &'a Specs,
    asked: AskedContainer,
    known: &mut container::Known<'a>,
    logs: &Logs,
    now: Timestamp,
) -> ContainerFacts {
    if !asked.standing.sick {
        return container::from_afar(host, asked, known, logs, now).await;
    }
    let before = asked.attempts.get(1).map(|(before, _)| &before.id);
    known.before = before.and_then(|id| specs.get(id));
    container::close_up(host, asked, known, logs, now).await
}

/// The lists and all statuses. What vanishes in between is left out.
async fn read(reader: &Reader, now: Timestamp) -> Result<Store, CriError> {
    let (pods, containers, images) =
        tokio::try_join!(reader.pods(), reader.containers(), reader.images())?;
    let mut store = Store::default();
    store.set_pods(&Changes::all(pods), now);
    store.set_images(&Changes::all(images), now);
    let mut told = Vec::with_capacity(containers.len());
    let ask = |container: Arc<Container>| async move {
        let answer = reader.container_detail(&container.id).await;
        (container, answer)
    };
    let mut answers = std::pin::pin!(stream::iter(containers).map(ask).buffer_unordered(AT_ONCE));
    while let Some((container, answer)) = answers.next().await {
        match answer {
            Ok(detail) => told.push((container, Some(detail))),
            Err(error) if error.kind == Kind::NotFound => {}
            // Its state alone is told then.
            Err(error) if error.kind == Kind::Timeout => told.push((container, None)),
            Err(error) => return Err(error),
        }
    }
    fill(&mut store, told, now);
    Ok(store)
}

/// What the containers were made from that are looked at closely: those in trouble with the
/// attempt before, and those that run unless there are very many. Verbose answers are large.
async fn specs(reader: &Reader, store: &Store) -> Specs {
    let newest = store.container_rows().filter(|row| !row.superseded);
    let newest: Vec<&Arc<ContainerRow>> = newest.collect();
    let runs = |row: &&&Arc<ContainerRow>| row.container.state == ContainerState::Running;
    let all = newest.iter().filter(runs).count() <= MANY;
    let mut ids: Vec<ContainerId> = Vec::new();
    for row in newest {
        if row.trouble.is_some() {
            let attempts = store.attempts_in(&row.container.pod_id).into_iter();
            let same = attempts.filter(|other| other.container.name == row.container.name);
            ids.extend(same.take(2).map(|other| other.container.id.clone()));
        } else if all && runs(&&row) {
            ids.push(row.container.id.clone());
        }
    }
    let ask = |id: ContainerId| async move {
        // What cannot be read is told as not seen.
        let (_, spec) = reader.container_spec(&id).await.ok()?;
        Some((id, spec))
    };
    let answers = stream::iter(ids).map(ask).buffer_unordered(AT_ONCE);
    answers.filter_map(std::future::ready).collect().await
}

fn fill(store: &mut Store, told: Vec<(Arc<Container>, Option<ContainerDetail>)>, now: Timestamp) {
    let containers: Vec<Arc<Container>> = told.iter().map(|(one, _)| Arc::clone(one)).collect();
    store.set_containers(&Changes::all(containers), now);
    for (container, detail) in told {
        if let Some(detail) = detail {
            store.set_container_detail(&container.id, container.state, detail, now);
        }
    }
}

/// The cgroups of these containers, of those that can be seen.
async fn looks(
    host: &HostRoot,
    rows: &[&Arc<ContainerRow>],
    specs: &Specs,
) -> HashMap<ContainerId, Look> {
    let wanted = rows.iter().filter(|row| {
        let runs = row.container.state == ContainerState::Running;
        runs || row.trouble.is_some()
    });
    let claims = wanted.filter_map(|row| claim(&row.container.id, specs.get(&row.container.id)?));
    let claims: Vec<Claim> = claims.collect();
    let mut found = HashMap::new();
    for part in claims.chunks(TOGETHER) {
        found.extend(look(host, part.to_vec()).await);
    }
    found
}

async fn look(host: &HostRoot, claims: Vec<Claim>) -> Vec<(ContainerId, Look)> {
    let host = host.clone();
    let looked = spawn_blocking(move || cgroup::look(&host, claims)).await;
    looked.unwrap_or_else(|_| Ok(vec![])).unwrap_or_default()
}

fn claim(id: &ContainerId, spec: &Spec) -> Option<Claim> {
    (spec.pid.is_some() || spec.cgroup.is_some()).then(|| Claim {
        id: id.clone(),
        pid: spec.pid,
        path: spec.cgroup.clone(),
    })
}

/// Where not one process can be seen, it is critui that cannot see them: it looks from inside a
/// container, or at another root.
fn blind_to_processes(facts: &mut [ContainerFacts]) {
    use crate::triage::facts::ProcessState;
    let sees = facts
        .iter()
        .any(|one| matches!(one.disk.process, Some(ProcessState::There(..))));
    if !sees {
        for one in facts {
            one.disk.process = None;
        }
    }
}
