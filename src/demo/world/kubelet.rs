//! The simulated kubelet: it makes the sandboxes, starts what they hold, restarts what ends with
//! a growing wait, keeps one dead attempt, and rebuilds sandboxes that were stopped.

use std::sync::Arc;

use super::super::scenario::{PodSpec, Restart};
use super::{End, Happening, Id, NoticeKind, Pod, PodSlot, SECOND, STARTING, Slot, State, World};

/// From the end of a sandbox to its successor.
const REBUILDING: i64 = 3 * SECOND;

impl World {
    pub(super) fn add_pod(&mut self, spec: &Arc<PodSpec>, now: i64) {
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
            container.pid = 900 + attempt;
            container.state = State::Exited(end);
            container.slot = Some(slot);
        }
        self.slots[slot].current = Some(id);
    }

    /// The kubelet starts the next attempt of a container.
    pub(super) fn start_slot(&mut self, slot: usize, at: i64) {
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
        match &mut self.stalled {
            Some(waiting) => waiting.push(id),
            None => {
                self.start(&id, at);
            }
        }
    }

    /// Whether a subscriber to events holds up the runtime: `CreateContainer` then makes a
    /// container and does not answer, so that the kubelet cannot start it before this is over.
    pub(in crate::demo) fn stall(&mut self, stalled: bool, now: i64) {
        if stalled {
            self.stalled.get_or_insert_default();
            return;
        }
        for id in self.stalled.take().into_iter().flatten() {
            let made = self.containers.get(&id);
            if made.is_some_and(|container| container.state == State::Created) {
                self.start(&id, now);
            }
        }
    }

    /// The kubelet's reaction: it drops the attempt before, and backs off.
    pub(super) fn after_end(&mut self, slot: usize, id: &Id, failed: bool, at: i64) {
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

    pub(super) fn rebuild_later(&mut self, id: &Id, at: i64) {
        let slot = self
            .pod_slots
            .iter()
            .position(|slot| slot.sandbox.as_ref() == Some(id));
        if let Some(slot) = slot.filter(|slot| self.pod_slots[*slot].spec.deleting.is_none()) {
            self.later(at + REBUILDING, Happening::Rebuild(slot));
        }
    }

    pub(super) fn rebuild(&mut self, slot: usize, at: i64) {
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

    /// Adds a sandbox that no kubelet looks after.
    pub(in crate::demo) fn run_pod(
        &mut self,
        spec: PodSpec,
        uid: &str,
        attempt: u32,
        at: i64,
    ) -> Id {
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
}
