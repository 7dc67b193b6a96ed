//! Looks at what everything uses, beside the loop.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt, stream};
use tokio::task::JoinSet;

use super::App;
use crate::cri::Reader;
use crate::domain::{ContainerId, IdMap, PodId};
use crate::host::cgroup::{self, Claim};
use crate::host::open::HostRoot;
use crate::host::{certificates, fills, kubelet, node};
use crate::model::Msg;
use crate::model::node::{NodeSeen, Plane};
use crate::model::stats::{Asked, Sampled};
use crate::stats::Network;
use crate::stats::cgroup::Look;
use crate::terminal::{Keys, Surface};
use crate::text::Text;

/// Verbose statuses read at once: they are large.
const AT_ONCE: usize = 4;
/// Places of cgroups remembered at most.
const MOST: usize = 4096;

/// Says that something is to end.
pub(super) type Stop = Arc<AtomicBool>;

/// Ends what looks at it.
pub(super) fn stop(it: &Stop) {
    it.store(true, Ordering::Relaxed);
}

/// Where the cgroups of containers are: a container keeps its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Arc<Mutex<IdMap<ContainerId, Claim>>>);

impl<S: Surface, I: Keys> App<S, I> {
    pub(super) fn sample(&self, asked: Asked, places: &Places, jobs: &mut JoinSet<Msg>) {
        let (reader, host) = (self.connection.reader(), self.gauge.host().clone());
        let places = places.clone();
        // Where the connection lives: a large node's answer is read there as it comes in.
        let look = async move {
            // Without an answer nothing would be asked again.
            let look = AssertUnwindSafe(look(&reader, host, asked, &places)).catch_unwind();
            Msg::Sampled(Box::new(look.await.unwrap_or_else(|_| Sampled {
                containers: Err("reading the statistics failed: a fault of critui".into()),
                cgroups: Ok(vec![]),
                network: None,
            })))
        };
        jobs.spawn_on(look, self.connection.runtime());
    }
}

impl<S: Surface, I: Keys> App<S, I> {
    /// Measures the pressure on the node after a pause.
    pub(super) fn measure(&self, jobs: &mut JoinSet<Msg>, pause: Duration) {
        let gauge = self.gauge.clone();
        jobs.spawn(async move {
            tokio::time::sleep(pause).await;
            Msg::Pressure(gauge.worst().await)
        });
    }

    pub(super) fn look_at_node(&self, deep: bool, jobs: &mut JoinSet<Msg>) {
        let (reader, host) = (self.connection.reader(), self.gauge.host().clone());
        jobs.spawn(async move {
            let health = reader.health().await.map_err(|error| error.message);
            // Where images are is a help, no more.
            let images = reader.image_places().await.unwrap_or_default();
            let look = move || {
                let plane = deep.then(|| Plane {
                    kubelet: kubelet::look(&host),
                    certificates: certificates::read(&host),
                });
                (node::look(&host, images), plane)
            };
            let looked = tokio::task::spawn_blocking(look).await;
            let (files, plane) =
                looked.unwrap_or_else(|error| (Err(Text::clean(&error.to_string())), None));
            Msg::Node(Box::new(NodeSeen {
                files: Some(files),
                health: Some(health),
                latencies: crate::cri::latencies(),
                plane,
            }))
        });
    }
}

impl<S: Surface, I: Keys> App<S, I> {
    /// Measures what fills the disks until `stop` is set; what was measured before is given up.
    pub(super) fn measure_disks(&self, stop: &mut Stop, jobs: &mut JoinSet<Msg>) {
        self::stop(stop);
        *stop = Stop::default();
        let (host, stop) = (self.gauge.host().clone(), Arc::clone(stop));
        jobs.spawn_blocking(move || Msg::Filled(fills::measure(&host, stop)));
    }
}

async fn look(reader: &Reader, host: HostRoot, asked: Asked, places: &Places) -> Sampled {
    let containers = reader.stats().await.map_err(|error| error.message);
    let claims = claims(reader, asked.cgroups, places).await;
    let cgroups = looks(host, claims).await;
    let network = match asked.network {
        Some(id) => Some(network(reader, id).await),
        None => None,
    };
    Sampled {
        containers,
        cgroups,
        network,
    }
}

async fn looks(host: HostRoot, claims: Vec<Claim>) -> Result<Vec<(ContainerId, Look)>, Text> {
    if claims.is_empty() {
        return Ok(vec![]);
    }
    let look = move || cgroup::look(&host, claims);
    let looked = tokio::task::spawn_blocking(look).await;
    looked.unwrap_or_else(|error| Err(Text::clean(&error.to_string())))
}

async fn network(reader: &Reader, id: PodId) -> (PodId, Result<Option<Network>, Text>) {
    let stats = reader.pod_stats_of(&id).await;
    let network = stats.map(|stats| stats.network);
    (id, network.map_err(|error| error.message))
}

/// Where these cgroups are; what the runtime does not tell is left out.
async fn claims(reader: &Reader, ids: Vec<ContainerId>, places: &Places) -> Vec<Claim> {
    let known = |id: &ContainerId| places.lock().get(id).cloned();
    let unknown: Vec<ContainerId> = ids
        .iter()
        .filter(|id| known(id).is_none())
        .cloned()
        .collect();
    let ask = |id: ContainerId| async move {
        let place = reader.cgroup_place(&id).await.ok()?;
        let (pid, path) = (place.pid, place.path);
        Some(Claim { id, pid, path })
    };
    let mut answers = std::pin::pin!(stream::iter(unknown).map(ask).buffer_unordered(AT_ONCE));
    while let Some(answer) = answers.next().await {
        let Some(claim) = answer else { continue };
        let mut places = places.lock();
        if places.len() >= MOST {
            places.clear();
        }
        places.insert(claim.id.clone(), claim);
    }
    ids.iter().filter_map(known).collect()
}

impl Places {
    fn lock(&self) -> std::sync::MutexGuard<'_, IdMap<ContainerId, Claim>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
