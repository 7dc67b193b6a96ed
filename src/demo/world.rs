//! What is on the simulated node at a moment, and how time changes it. The kubelet is simulated
//! too: it restarts what ends, backs off, keeps one dead attempt, rebuilds stopped sandboxes.
//! Nothing runs by itself: whoever looks first calls [`World::advance`].

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::sync::Arc;

use super::chance::{Chance, digest};
use super::item::Item;
use super::scenario::{ContainerSpec, ImageSpec, Life, PodSpec, Restart, Scenario};
use super::units::Bytes;

const MILLI: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MILLI;
/// From `CreateContainer` to a running process.
const STARTING: i64 = 60 * MILLI;
/// From SIGTERM to the end of a process that listens to it.
const ENDING: i64 = 400 * MILLI;
/// From the end of a sandbox to its successor.
const REBUILDING: i64 = 3 * SECOND;

/// Id of a sandbox or a container.
pub(super) type Id = Arc<str>;

/// One pod sandbox.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    pub id: Id,
    pub uid: Arc<str>,
    pub spec: Arc<PodSpec>,
    pub attempt: u32,
    pub created: i64,
    pub ready: bool,
    pub ip: String,
    pub pid: u32,
    pub item: Option<Arc<Item>>,
}

/// One attempt of a container.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub id: Id,
    pub pod: Id,
    pub spec: Arc<ContainerSpec>,
    pub attempt: u32,
    pub state: State,
    pub created: i64,
    /// 0 if it never started.
    pub started: i64,
    pub pid: u32,
    /// Limits that were changed after it was made.
    pub limits: Option<Limits>,
    pub item: Option<Arc<Item>>,
    /// Set when the kubelet looks after it.
    slot: Option<usize>,
}

/// State of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum State {
    Created,
    Running,
    Exited(End),
}

/// How a container ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct End {
    pub at: i64,
    pub exit: i32,
    pub reason: &'static str,
    pub message: String,
}

/// Limits set by `UpdateContainerResources`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Limits {
    pub memory: i64,
    pub cpu_quota: i64,
    pub cpu_shares: i64,
}

/// One image.
#[derive(Clone, Debug)]
pub(super) struct Image {
    /// 64 hexadecimal digits.
    pub id: String,
    pub tags: Vec<String>,
    pub digests: Vec<String>,
    pub spec: ImageSpec,
    pub item: Option<Arc<Item>>,
}

/// Something that a subscriber to events learns.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub id: Id,
    pub pod: Id,
    pub kind: NoticeKind,
    pub at: i64,
    /// The sandbox as it was, if it is the one that was removed.
    pub gone: Option<Arc<Pod>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoticeKind {
    Created,
    Started,
    Stopped,
    Deleted,
}

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

    /// Adds an image, if none has its first tag yet, and gives its id.
    pub(super) fn add_image(&mut self, spec: ImageSpec) -> String {
        let id = digest(spec.tags.first().map_or("<none>", String::as_str));
        let digests: Vec<String> = spec
            .tags
            .iter()
            .filter(|tag| !tag.starts_with("localhost/"))
            .filter_map(|tag| tag.rsplit_once(':'))
            .map(|(name, _)| format!("{name}@sha256:{}", digest(name)))
            .collect();
        for name in spec.tags.iter().chain(&digests) {
            self.names.entry(name.clone()).or_insert_with(|| id.clone());
        }
        self.images.entry(id.clone()).or_insert_with(|| Image {
            id: id.clone(),
            tags: spec.tags.clone(),
            digests,
            spec,
            item: None,
        });
        id
    }

    /// Removes an image with all its names.
    pub(super) fn remove_image(&mut self, id: &str) {
        self.images.remove(id);
        self.names.retain(|_, named| named != id);
        self.containers.values_mut().for_each(|c| c.item = None);
    }

    /// The image that `name` (a tag, a digest, an id or the beginning of one) means.
    pub(super) fn image(&self, name: &str) -> Option<&Image> {
        let named = self.names.get(name).or_else(|| {
            let last = name.rsplit('/').next()?;
            let untagged = !last.contains([':', '@']);
            self.names
                .get(&format!("{name}:latest"))
                .filter(|_| untagged)
        });
        if let Some(id) = named {
            return self.images.get(id);
        }
        let digits = name.strip_prefix("sha256:").unwrap_or(name);
        let (id, image) = self.images.range(digits.to_owned()..).next()?;
        (!digits.is_empty() && id.starts_with(digits)).then_some(image)
    }

    fn add_pod(&mut self, spec: &Arc<PodSpec>, now: i64) {
        let index = self.pod_slots.len();
        let first = self.slots.len();
        let uid = if spec.static_pod {
            self.chance.hex(32)
        } else {
            self.chance.uuid()
        };
        self.slots
            .extend(spec.containers.iter().map(|container| Slot {
                pod: index,
                spec: Arc::clone(container),
                attempt: container.life.restarts,
                current: None,
                previous: None,
            }));
        self.pod_slots.push(PodSlot {
            spec: Arc::clone(spec),
            uid: uid.into(),
            attempt: 0,
            sandbox: None,
            slots: first..self.slots.len(),
        });
        let created = now - spec.age.0;
        self.make_sandbox(index, created, !spec.stopped);
        for (nth, slot) in (first..self.slots.len()).enumerate() {
            let offset = SECOND * (2 + i64::try_from(nth).unwrap_or(0));
            self.add_history(slot, created + offset, now);
        }
    }

    fn make_sandbox(&mut self, slot: usize, at: i64, ready: bool) {
        let id: Id = self.chance.hex(64).into();
        let pid = self.pid();
        let pod = &self.pod_slots[slot];
        let spec = Arc::clone(&pod.spec);
        let ip = if ready && !spec.host_network {
            format!("10.244.{}.{}", 3 + slot / 250, slot % 250 + 4)
        } else {
            String::new()
        };
        let pod = Pod {
            id: Arc::clone(&id),
            uid: Arc::clone(&pod.uid),
            spec,
            attempt: pod.attempt,
            created: at,
            ready,
            ip,
            pid,
            item: None,
        };
        self.pod_slots[slot].sandbox = Some(Arc::clone(&id));
        self.notice(&id, &id, NoticeKind::Created, at);
        self.notice(&id, &id, NoticeKind::Started, at);
        self.pods.insert(id, pod);
    }

    /// Puts a container where its story stands when the node starts: with the attempt before, if
    /// the present one runs.
    fn add_history(&mut self, slot: usize, first: i64, now: i64) {
        let spec = Arc::clone(&self.slots[slot].spec);
        let life = &spec.life;
        let created = life.since.map_or(first, |since| now - since.0);
        let before = life.restarts.checked_sub(1).zip(life.runs);
        if let Some((attempt, runs)) = before.filter(|(_, runs)| created + STARTING + runs.0 > now)
        {
            let ended = created - life.delay_after(attempt);
            self.add_dead(slot, attempt, ended - runs.0, ended);
        }
        self.start_slot(slot, created);
    }

    fn add_dead(&mut self, slot: usize, attempt: u32, started: i64, ended: i64) {
        let entry = &self.slots[slot];
        let spec = Arc::clone(&entry.spec);
        let Some(pod) = self.pod_slots[entry.pod].sandbox.clone() else {
            return;
        };
        let end = End::of(&spec.life, ended);
        let id = self.create(&pod, spec, attempt, started - STARTING);
        if let Some(container) = self.containers.get_mut(&id) {
            container.started = started;
            container.state = State::Exited(end);
            container.slot = Some(slot);
        }
        self.slots[slot].current = Some(id);
    }

    /// The kubelet starts the next attempt of a container.
    fn start_slot(&mut self, slot: usize, at: i64) {
        let entry = &self.slots[slot];
        let Some(pod) = self.pod_slots[entry.pod].sandbox.clone() else {
            return;
        };
        let (spec, attempt) = (Arc::clone(&entry.spec), entry.attempt);
        if self.hide_start_errors && spec.life.start_error.is_some() {
            return;
        }
        let id = self.create(&pod, spec, attempt, at);
        let entry = &mut self.slots[slot];
        let older = entry.previous.take();
        entry.previous = entry.current.replace(Arc::clone(&id));
        if let Some(older) = older {
            self.forget(&older, at);
        }
        if let Some(container) = self.containers.get_mut(&id) {
            container.slot = Some(slot);
        }
        self.start(&id, at);
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

    /// The kubelet's reaction: it drops the attempt before, and backs off.
    fn after_end(&mut self, slot: usize, id: &Id, failed: bool, at: i64) {
        let entry = &mut self.slots[slot];
        if entry.current.as_ref() != Some(id) {
            return;
        }
        let again = match entry.spec.life.restart {
            Restart::Always => true,
            Restart::OnFailure => failed,
            Restart::Never => false,
        };
        let previous = entry.previous.take();
        let attempt = entry.attempt;
        let delay = entry.spec.life.delay_after(attempt);
        let sandbox = self.pod_slots[entry.pod].sandbox.as_ref();
        let ready = sandbox
            .and_then(|id| self.pods.get(id))
            .is_some_and(|pod| pod.ready);
        if let Some(previous) = previous {
            self.forget(&previous, at);
        }
        if again && ready {
            self.slots[slot].attempt += 1;
            self.later(at + delay, Happening::Start(slot, attempt + 1));
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

    fn rebuild_later(&mut self, id: &Id, at: i64) {
        let slot = self
            .pod_slots
            .iter()
            .position(|slot| slot.sandbox.as_ref() == Some(id));
        if let Some(slot) = slot.filter(|slot| self.pod_slots[*slot].spec.deleting.is_none()) {
            self.later(at + REBUILDING, Happening::Rebuild(slot));
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

    /// Adds a sandbox that no kubelet looks after.
    pub(super) fn run_pod(&mut self, spec: PodSpec, uid: &str, attempt: u32, at: i64) -> Id {
        let index = self.pod_slots.len();
        let none = self.slots.len()..self.slots.len();
        let mut spec = spec;
        spec.deleting.get_or_insert_default();
        self.pod_slots.push(PodSlot {
            spec: Arc::new(spec),
            uid: uid.into(),
            attempt,
            sandbox: None,
            slots: none,
        });
        self.make_sandbox(index, at, true);
        let made = self.pod_slots[index].sandbox.clone();
        made.unwrap_or_else(|| Arc::from(""))
    }

    fn rebuild(&mut self, slot: usize, at: i64) {
        self.pod_slots[slot].attempt += 1;
        self.make_sandbox(slot, at, true);
        for slot in self.pod_slots[slot].slots.clone() {
            let entry = &mut self.slots[slot];
            if entry.current.is_some() || entry.attempt > 0 {
                entry.attempt += 1;
            }
            self.start_slot(slot, at + SECOND);
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

impl End {
    /// An end with `exit` and the reason that goes with it.
    pub(super) fn new(at: i64, exit: i32) -> Self {
        Self {
            at,
            exit,
            reason: if exit == 0 { "Completed" } else { "Error" },
            message: String::new(),
        }
    }

    /// The end that a life comes to.
    fn of(life: &Life, at: i64) -> Self {
        let mut end = Self::new(at, life.exit_code());
        if life.oom {
            end.reason = "OOMKilled";
        }
        end
    }
}

/// Exit code after SIGTERM: a server of good manners says 0, a shell 143.
fn term_exit(spec: &ContainerSpec) -> i32 {
    match spec.command.first() {
        Some(command) if command.ends_with("sh") => 143,
        _ => 0,
    }
}

impl Container {
    /// How it ended, if it has.
    pub(super) fn ended(&self) -> Option<&End> {
        match &self.state {
            State::Exited(end) => Some(end),
            _ => None,
        }
    }

    /// Memory limit in bytes, 0 for none.
    pub(super) fn memory_limit(&self) -> i64 {
        let own = i64::try_from(self.spec.uses.memory_limit.0).unwrap_or(i64::MAX);
        match self.limits {
            Some(limits) if limits.memory > 0 => limits.memory,
            _ => own,
        }
    }
}
