//! The running simulated node: the world behind a lock, the faults, the recording, and the one
//! way in which a call is answered.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::body::Bytes;
use jiff::Timestamp;
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Notify, watch};
use tonic::Status;

use super::clock::Clock;
use super::events::Hub;
use super::faults::{self, Fault, FaultKind};
use super::host::Host;
use super::hostile;
use super::methods;
use super::profile::{Family, Traits, What};
use super::scenario::{Cgroups, Scenario};
use super::streaming::Streams;
use super::tell::Teller;
use super::wire::Reply;
use super::world::{Id, Pod, World};

/// Calls that are kept; older ones are dropped, so that a demo left open does not grow.
const MAX_CALLS: usize = 1 << 16;

/// One RPC that the simulated node received.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// Full path: `/runtime.v1.RuntimeService/ListContainers`.
    pub path: String,
    /// When it came, by the node's clock.
    pub at: Timestamp,
    message: Bytes,
}

impl Call {
    /// The method without its service.
    pub fn method(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The request, decoded as `M`; `None` if it is no such message.
    pub fn request<M: Message + Default>(&self) -> Option<M> {
        M::decode(self.message.clone()).ok()
    }
}

/// The node that the server answers for.
#[derive(Debug)]
pub(super) struct Node {
    pub clock: Clock,
    pub traits: &'static Traits,
    pub story: Story,
    world: Mutex<World>,
    faults: watch::Sender<Vec<Fault>>,
    calls: Mutex<Vec<Call>>,
    pub hub: Hub,
    pub files: Files,
    pub streams: Streams,
    /// Something has been done to the node.
    pub changed: Notify,
}

/// What the scenario says of the node as a whole.
#[derive(Debug)]
pub(super) struct Story {
    pub name: String,
    pub still: bool,
    /// The host's files are made for what is asked about only.
    pub sparse: bool,
    pub cgroup: Cgroups,
    /// When the story began.
    pub start: i64,
    /// When the node was booted.
    pub boot: i64,
}

/// The host's files, and how far they are.
#[derive(Debug, Default)]
pub(super) struct Files {
    host: Mutex<Option<Host>>,
    /// Containers whose files a sparse host has.
    asked: Mutex<BTreeSet<Id>>,
    /// All have been written once.
    pub written: watch::Sender<bool>,
    /// The node goes away.
    pub stop: Arc<AtomicBool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The guarded values stay usable: no method leaves them half-changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Node {
    pub(super) fn new(
        scenario: &Scenario,
        traits: &'static Traits,
        clock: Clock,
        seed: u64,
    ) -> Self {
        let hide = traits.family == Family::CriO;
        let start = clock.now();
        let world = World::new(scenario, start, seed, hide);
        Self {
            clock,
            traits,
            story: Story {
                name: scenario.node.clone(),
                still: scenario.still,
                sparse: scenario.sparse_host,
                cgroup: scenario.cgroup,
                start,
                boot: start - scenario.uptime.0,
            },
            world: Mutex::new(world),
            faults: watch::Sender::default(),
            calls: Mutex::default(),
            hub: Hub::new(traits.events),
            files: Files::default(),
            streams: Streams::default(),
            changed: Notify::new(),
        }
    }

    /// containerd cannot say how much a sandbox without a cgroup parent uses.
    pub(super) fn has_cgroup(&self, pod: &Pod) -> Result<(), Status> {
        if !pod.spec.no_cgroup || self.traits.family != Family::Containerd {
            return Ok(());
        }
        let id = &pod.id;
        Err(Status::unknown(format!(
            "failed to decode sandbox container metrics for sandbox {id:?}: failed getting metrics \
             for sandbox {id}: failed to get cgroup metrics for sandbox {id} because cgroupPath is \
             empty"
        )))
    }

    /// The world as it is now.
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        let mut world = lock(&self.world);
        let now = self.clock.now();
        world.stall(self.hub.stalled(), now);
        world.advance(now);
        self.tell(&mut world);
        world
    }

    /// Sends what has happened to the subscribers of events.
    pub(super) fn tell(&self, world: &mut World) {
        let notices = world.take_notices();
        if !notices.is_empty() {
            self.changed.notify_one();
        }
        for notice in notices {
            self.hub.publish(notice);
        }
    }

    pub(super) fn set_host(&self, host: Host) {
        *lock(&self.files.host) = Some(host);
    }

    /// Does something with the host's files. Take the world's lock inside, never around.
    pub(super) fn with_host<T>(&self, what: impl FnOnce(&mut Host) -> T) -> Option<T> {
        lock(&self.files.host).as_mut().map(what)
    }

    /// What the host's files are made from: a copy, so that a slow disk holds nobody up.
    pub(super) fn snapshot(&self) -> World {
        let world = self.world();
        if self.story.sparse {
            let asked = lock(&self.files.asked);
            world.part(|container| asked.contains(&container.id))
        } else {
            world.part(|_| true)
        }
    }

    /// Makes the files of a container of a sparse host, now that it is asked about.
    pub(super) fn ensure_files(&self, id: &Id) {
        if self.story.sparse && lock(&self.files.asked).insert(Arc::clone(id)) {
            // A full disk stops the files, not the server.
            let _ = self.with_host(|host| host.add(self, id));
        }
    }

    /// The moment that statistics are of.
    pub(super) fn stats_time(&self) -> i64 {
        if self.story.still {
            self.story.start
        } else {
            self.clock.now()
        }
    }

    pub(super) fn set_faults(&self, faults: Vec<Fault>) {
        self.faults.send_replace(faults);
        lock(&self.world).forget_items();
    }

    pub(super) fn faults(&self, method: &str) -> Vec<FaultKind> {
        faults::of(&self.faults.borrow(), method).cloned().collect()
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        lock(&self.calls).clone()
    }

    fn record(&self, path: &str, message: &Bytes) {
        let mut calls = lock(&self.calls);
        if calls.len() >= MAX_CALLS {
            calls.drain(..MAX_CALLS / 2);
        }
        calls.push(Call {
            path: path.into(),
            at: Timestamp::from_nanosecond(i128::from(self.clock.now())).unwrap_or_default(),
            message: message.clone(),
        });
    }

    /// The way this runtime tells things to `method` now.
    pub(super) fn teller(&self, method: &str) -> Teller {
        let skew = self.faults(method).iter().find_map(|fault| match fault {
            FaultKind::Skew(seconds) => Some(seconds.saturating_mul(1_000_000_000)),
            _ => None,
        });
        Teller {
            traits: self.traits,
            skew: skew.unwrap_or(0),
        }
    }

    async fn thawed(&self, method: &str) {
        let hangs = |faults: &Vec<Fault>| faults::of(faults, method).any(|f| *f == FaultKind::Hang);
        // The sender lives in `self`, so this ends only by the fault being taken away.
        let _ = self.faults.subscribe().wait_for(|f| !hangs(f)).await;
    }

    /// Answers one call.
    pub(super) async fn answer(
        self: Arc<Self>,
        path: &str,
        message: Bytes,
    ) -> Result<Reply, Status> {
        self.record(path, &message);
        let method = path.rsplit('/').next().unwrap_or_default();
        for fault in self.faults(method) {
            match fault {
                FaultKind::Latency(by) => self.clock.sleep(by).await,
                FaultKind::Hang => self.thawed(method).await,
                FaultKind::Error(code, text) => return Err(Status::new(code, text)),
                _ => {}
            }
        }
        let reply = methods::dispatch(Arc::clone(&self), path, message).await;
        self.hub.told(method).await;
        reply
    }

    /// Encodes a reply, poisoned if that fault is on.
    pub(super) fn encode<M>(&self, method: &str, reply: M) -> Vec<u8>
    where
        M: Message + Serialize + DeserializeOwned,
    {
        if self.is_hostile(method) {
            hostile::poison(reply).encode_to_vec()
        } else {
            reply.encode_to_vec()
        }
    }

    pub(super) fn is_hostile(&self, method: &str) -> bool {
        self.faults(method).contains(&FaultKind::Hostile)
    }

    /// The full id that `prefix` means to `method` among the containers.
    pub(super) fn container_id(
        &self,
        world: &World,
        method: &str,
        prefix: &str,
    ) -> Result<Id, Status> {
        let found = resolve(&world.containers, prefix)?;
        self.present(found, method, What::Container, prefix)
    }

    /// The full id that `prefix` means to `method` among the sandboxes.
    pub(super) fn pod_id(&self, world: &World, method: &str, prefix: &str) -> Result<Id, Status> {
        let found = resolve(&world.pods, prefix)?;
        self.present(found, method, What::Sandbox, prefix)
    }

    fn present(&self, found: Option<Id>, method: &str, what: What, id: &str) -> Result<Id, Status> {
        let vanished = self.faults(method).contains(&FaultKind::Vanish);
        found
            .filter(|_| !vanished)
            .ok_or_else(|| self.traits.not_found(method, what, id))
    }
}

/// The key that begins with `prefix`: an error if there are several, as containerd's index says.
pub(super) fn resolve<T>(
    map: &std::collections::BTreeMap<Id, T>,
    prefix: &str,
) -> Result<Option<Id>, Status> {
    if prefix.is_empty() {
        return Err(Status::unknown("prefix can't be empty"));
    }
    let from: Id = prefix.into();
    let mut hits = map
        .range(from..)
        .take_while(|(id, _)| id.starts_with(prefix));
    let first = hits.next().map(|(id, _)| Arc::clone(id));
    if first.as_deref() != Some(prefix) && hits.next().is_some() {
        return Err(Status::unknown(format!(
            "Multiple IDs found with provided prefix: {prefix}"
        )));
    }
    Ok(first)
}
