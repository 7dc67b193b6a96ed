//! What is on the simulated node at a moment, and how time changes it. The kubelet is simulated
//! too: it restarts what ends, backs off, keeps one dead attempt, rebuilds stopped sandboxes.
//! Nothing runs by itself: whoever looks first calls [`World::advance`].

mod images;
mod kubelet;
mod things;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use super::chance::Chance;
use super::scenario::{ContainerSpec, ImageSpec, PodSpec, Scenario};
use super::units::Bytes;
use things::term_exit;

pub(super) use things::{Container, End, Image, Limits, Notice, NoticeKind, Pod, State};

const MILLI: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MILLI;
/// From `CreateContainer` to a running process.
const STARTING: i64 = 60 * MILLI;
/// From SIGTERM to the end of a process that listens to it.
const ENDING: i64 = 400 * MILLI;

/// Id of a sandbox or a container.
pub(super) type Id = Arc<str>;

/// What the kubelet knows of a pod.
#[derive(Debug)]
struct PodSlot {
    spec: Arc<PodSpec>,
    uid: Arc<str>,
    attempt: u32,
    sandbox: Option<Id>,
    slots: std::ops::Range<usize>,
}

/// What the kubelet knows of a container.
#[derive(Debug)]
struct Slot {
    pod: usize,
    spec: Arc<ContainerSpec>,
    attempt: u32,
    current: Option<Id>,
    previous: Option<Id>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Happening {
    /// The kubelet starts the attempt of this number.
    Start(usize, u32),
    /// A process ends by itself, or by SIGTERM (then `true`).
    End(Id, bool),
    /// The kubelet makes a new sandbox for the pod.
    Rebuild(usize),
}

/// The simulated node's state.
#[derive(Debug)]
pub(super) struct World {
    pub pods: BTreeMap<Id, Pod>,
    pub containers: BTreeMap<Id, Container>,
    pub images: BTreeMap<String, Image>,
    /// Image ids by every tag and digest.
    names: HashMap<String, String>,
    pub chance: Chance,
    /// Bad commands leave no container behind (CRI-O).
    hide_start_errors: bool,
    pod_slots: Vec<PodSlot>,
    slots: Vec<Slot>,
    queue: BinaryHeap<Reverse<(i64, Happening)>>,
    notices: Vec<Notice>,
    next_pid: u32,
    /// While nobody can tell an event: containers that the kubelet waits for the creation of.
    stalled: Option<Vec<Id>>,
}

impl World {
    /// The world of `scenario` at `now`.
    pub(super) fn new(scenario: &Scenario, now: i64, seed: u64, hide_start_errors: bool) -> Self {
        let mut world = Self {
            pods: BTreeMap::new(),
            containers: BTreeMap::new(),
            images: BTreeMap::new(),
            names: HashMap::new(),
            chance: Chance::new(seed),
            hide_start_errors,
            pod_slots: Vec::new(),
            slots: Vec::new(),
            queue: BinaryHeap::new(),
            notices: Vec::new(),
            next_pid: 1_201,
            stalled: None,
        };
        for spec in &scenario.images {
            world.add_image(spec.clone());
        }
        for spec in &scenario.pods {
            world.add_pod(spec, now);
        }
        world.advance(now);
        world.notices.clear();
        world
    }

    /// A copy of the containers that `keep` chooses, and of their pods: to look at, not to live on.
    /// With every container come all pods.
    pub(super) fn part(&self, keep: impl Fn(&Container) -> bool) -> Self {
        let mut part = Self {
            pods: BTreeMap::new(),
            containers: BTreeMap::new(),
            images: BTreeMap::new(),
            names: HashMap::new(),
            chance: self.chance.clone(),
            hide_start_errors: self.hide_start_errors,
            pod_slots: Vec::new(),
            slots: Vec::new(),
            queue: BinaryHeap::new(),
            notices: Vec::new(),
            next_pid: self.next_pid,
            stalled: None,
        };
        for container in self.containers.values().filter(|container| keep(container)) {
            let id = Arc::clone(&container.id);
            part.containers.insert(id, container.clone());
        }
        let whole = part.containers.len() == self.containers.len();
        let used: BTreeSet<Id> = part
            .containers
            .values()
            .map(|c| Arc::clone(&c.pod))
            .collect();
        let pods = self
            .pods
            .values()
            .filter(|pod| whole || used.contains(&pod.id));
        part.pods = pods.map(|pod| (Arc::clone(&pod.id), pod.clone())).collect();
        part
    }

    /// When the next thing happens by itself.
    pub(super) fn next_change(&self) -> Option<i64> {
        self.queue.peek().map(|Reverse((at, _))| *at)
    }

    /// Lets everything happen that is due at `now`.
    pub(super) fn advance(&mut self, now: i64) {
        while self.next_change().is_some_and(|at| at <= now) {
            if let Some(Reverse((at, happening))) = self.queue.pop() {
                self.happen(at, happening);
            }
        }
    }

    /// What has happened since the last call.
    pub(super) fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Forgets every encoded item: the way they are told has changed.
    pub(super) fn forget_items(&mut self) {
        self.pods.values_mut().for_each(|pod| pod.item = None);
        self.containers.values_mut().for_each(|c| c.item = None);
        self.images.values_mut().for_each(|image| image.item = None);
    }

    fn happen(&mut self, at: i64, happening: Happening) {
        match happening {
            Happening::Start(slot, attempt) => {
                if self.slots[slot].attempt == attempt {
                    self.start_slot(slot, at);
                }
            }
            Happening::End(id, by_term) => {
                let Some(container) = self.containers.get(&id) else {
                    return;
                };
                let end = if by_term {
                    End::new(at, term_exit(&container.spec))
                } else {
                    End::of(&container.spec.life, at)
                };
                self.end(&id, end);
            }
            Happening::Rebuild(pod) => self.rebuild(pod, at),
        }
    }

    fn later(&mut self, at: i64, happening: Happening) {
        self.queue.push(Reverse((at, happening)));
    }

    fn notice(&mut self, id: &Id, pod: &Id, kind: NoticeKind, at: i64) {
        self.notices.push(Notice {
            id: Arc::clone(id),
            pod: Arc::clone(pod),
            kind,
            at,
            gone: None,
        });
    }

    fn pid(&mut self) -> u32 {
        self.next_pid += 13;
        self.next_pid
    }

    /// Makes a container that has not started.
    pub(super) fn create(
        &mut self,
        pod: &Id,
        spec: Arc<ContainerSpec>,
        attempt: u32,
        at: i64,
    ) -> Id {
        let id: Id = self.chance.hex(64).into();
        if !spec.image.is_empty() && self.image(&spec.image).is_none() {
            let size = 20_000_000 + self.chance.next() % 180_000_000;
            self.add_image(ImageSpec {
                tags: vec![spec.image.clone()],
                size: Bytes(size),
                user: String::new(),
                pinned: false,
            });
        }
        let container = Container {
            id: Arc::clone(&id),
            pod: Arc::clone(pod),
            spec,
            attempt,
            state: State::Created,
            created: at,
            started: 0,
            pid: 0,
            limits: None,
            item: None,
            slot: None,
        };
        self.containers.insert(Arc::clone(&id), container);
        self.notice(&id, pod, NoticeKind::Created, at);
        id
    }

    /// Starts a container that was made. Gives what runc says if it cannot start.
    pub(super) fn start(&mut self, id: &Id, at: i64) -> Option<String> {
        let pid = self.pid();
        let container = self.containers.get_mut(id)?;
        container.item = None;
        let life = container.spec.life.clone();
        if let Some(message) = life.start_error {
            let end = End {
                at: at + 15 * STARTING,
                exit: 128,
                reason: "StartError",
                message: message.clone(),
            };
            self.end(id, end);
            return Some(message);
        }
        container.state = State::Running;
        container.started = at + STARTING;
        container.pid = pid;
        let pod = Arc::clone(&container.pod);
        self.notice(id, &pod, NoticeKind::Started, at + STARTING);
        if let Some(runs) = life.runs {
            self.later(
                at + STARTING + runs.0,
                Happening::End(Arc::clone(id), false),
            );
        }
        None
    }

    /// Ends a container; the kubelet then does what its policy says.
    pub(super) fn end(&mut self, id: &Id, end: End) {
        let Some(container) = self.containers.get_mut(id) else {
            return;
        };
        if matches!(container.state, State::Exited(_)) {
            return;
        }
        container.item = None;
        let at = end.at;
        let failed = end.exit != 0;
        container.state = State::Exited(end);
        let (slot, pod) = (container.slot, Arc::clone(&container.pod));
        self.notice(id, &pod, NoticeKind::Stopped, at);
        if let Some(slot) = slot {
            self.after_end(slot, id, failed, at);
        }
    }

    fn forget(&mut self, id: &Id, at: i64) {
        if let Some(container) = self.containers.remove(id) {
            self.notice(id, &container.pod, NoticeKind::Deleted, at);
        }
    }

    /// SIGTERM: a process that listens to it ends soon. Gives the moment, `None` if it does not
    /// listen.
    pub(super) fn terminate(&mut self, id: &Id, at: i64) -> Option<i64> {
        let container = self.containers.get(id)?;
        if container.spec.life.ignores_term {
            return None;
        }
        self.later(at + ENDING, Happening::End(Arc::clone(id), true));
        Some(at + ENDING)
    }

    /// Removes a container, killing it first.
    pub(super) fn remove_container(&mut self, id: &Id, at: i64) {
        self.end(id, End::new(at, 137));
        let slot = self.containers.get(id).and_then(|container| container.slot);
        if let Some(entry) = slot.map(|slot| &mut self.slots[slot]) {
            for place in [&mut entry.current, &mut entry.previous] {
                if place.as_ref() == Some(id) {
                    *place = None;
                }
            }
        }
        self.forget(id, at);
    }

    /// Stops a sandbox and everything in it; the kubelet will make a new one.
    pub(super) fn stop_pod(&mut self, id: &Id, at: i64) {
        let Some(pod) = self.pods.get_mut(id) else {
            return;
        };
        let was_ready = std::mem::replace(&mut pod.ready, false);
        pod.ip.clear();
        pod.item = None;
        for container in self.containers_of(id) {
            self.end(&container, End::new(at, 137));
        }
        if was_ready {
            self.notice(id, id, NoticeKind::Stopped, at);
            self.rebuild_later(id, at);
        }
    }

    /// Removes a sandbox with everything in it.
    pub(super) fn remove_pod(&mut self, id: &Id, at: i64) {
        self.stop_pod(id, at);
        for container in self.containers_of(id) {
            self.remove_container(&container, at);
        }
        if let Some(pod) = self.pods.remove(id) {
            self.notices.push(Notice {
                id: Arc::clone(id),
                pod: Arc::clone(id),
                kind: NoticeKind::Deleted,
                at,
                gone: Some(Arc::new(pod)),
            });
        }
    }

    /// Ids of the containers of a sandbox.
    pub(super) fn containers_of(&self, pod: &Id) -> Vec<Id> {
        let all = self.containers.values();
        all.filter(|container| container.pod == *pod)
            .map(|container| Arc::clone(&container.id))
            .collect()
    }
}
