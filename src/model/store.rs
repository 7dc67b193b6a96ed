//! What the node looks like now. Lists come in whole; what did not change keeps its `Arc`, so
//! the store finds what did by comparing pointers and rebuilds only those rows.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    Container, ContainerDetail, ContainerId, ContainerState, Image, ImageId, Pod, PodDetail, PodId,
};
use crate::model::rows::{ContainerRow, ImageRow, PodRow, image_name};
use crate::model::trouble::{Facts, Judgement, judge_container, judge_empty};
use crate::text::Text;

/// Pods, containers and images with their rows.
#[derive(Default, Debug)]
pub struct Store {
    pods: HashMap<PodId, Arc<Pod>>,
    containers: HashMap<ContainerId, Arc<Container>>,
    images: HashMap<ImageId, Arc<Image>>,
    details: Details,
    index: Index,
    rows: Rows,
    loaded: Loaded,
    /// When time alone may change a judgement.
    recheck: Option<Timestamp>,
}

/// Statuses. Each is read once per state of its container or sandbox.
#[derive(Default, Debug)]
struct Details {
    pods: HashMap<PodId, (Arc<Pod>, Arc<PodDetail>)>,
    containers: HashMap<ContainerId, (ContainerState, Arc<ContainerDetail>)>,
}

#[derive(Default, Debug)]
struct Index {
    /// Sandboxes of one pod, by its uid (by its own id where the uid is empty).
    by_uid: HashMap<Text, Vec<PodId>>,
    by_pod: HashMap<PodId, Vec<ContainerId>>,
    /// Containers made from an image, by the image's join key.
    used_by: HashMap<Text, usize>,
    image_names: HashMap<Text, Text>,
}

#[derive(Default, Debug)]
struct Rows {
    pods: HashMap<PodId, Arc<PodRow>>,
    containers: HashMap<ContainerId, Arc<ContainerRow>>,
    images: HashMap<ImageId, Arc<ImageRow>>,
}

/// Which lists have arrived at least once.
#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// Pods.
    pub pods: bool,
    /// Containers.
    pub containers: bool,
    /// Images.
    pub images: bool,
}

impl Loaded {
    /// All three.
    pub fn all(self) -> bool {
        self.pods && self.containers && self.images
    }
}

impl Store {
    /// Takes a new list of pods. True if anything changed.
    pub fn set_pods(&mut self, list: Vec<Arc<Pod>>, now: Timestamp) -> bool {
        let first = !std::mem::replace(&mut self.loaded.pods, true);
        let changed = changes(&mut self.pods, list, |pod| &pod.id);
        if changed.is_empty() {
            return first;
        }
        self.index.by_uid = HashMap::new();
        for pod in self.pods.values() {
            self.index
                .by_uid
                .entry(group_key(pod))
                .or_default()
                .push(pod.id.clone());
        }
        let gone: Vec<PodId> = self.gone_pods();
        for id in gone {
            self.details.pods.remove(&id);
            self.rows.pods.remove(&id);
        }
        let mut groups: HashSet<Text> = HashSet::new();
        for pod in changed {
            groups.insert(group_key(&pod));
        }
        self.judge(groups, now);
        true
    }

    fn gone_pods(&self) -> Vec<PodId> {
        self.rows
            .pods
            .keys()
            .filter(|id| !self.pods.contains_key(*id))
            .cloned()
            .collect()
    }

    /// Takes a new list of containers. True if anything changed.
    pub fn set_containers(&mut self, list: Vec<Arc<Container>>, now: Timestamp) -> bool {
        let first = !std::mem::replace(&mut self.loaded.containers, true);
        let changed = changes(&mut self.containers, list, |container| &container.id);
        if changed.is_empty() {
            return first;
        }
        self.index.by_pod = HashMap::new();
        self.index.used_by = HashMap::new();
        for container in self.containers.values() {
            let members = self
                .index
                .by_pod
                .entry(container.pod_id.clone())
                .or_default();
            members.push(container.id.clone());
            let key = Text::clean(container.image_id.key());
            *self.index.used_by.entry(key).or_default() += 1;
        }
        let live = &self.containers;
        self.rows.containers.retain(|id, _| live.contains_key(id));
        self.details
            .containers
            .retain(|id, _| live.contains_key(id));
        let groups: HashSet<Text> = changed.iter().map(|c| self.group_of(c)).collect();
        self.judge(groups, now);
        self.build_images();
        true
    }

    /// Takes a new list of images. True if anything changed.
    pub fn set_images(&mut self, list: Vec<Arc<Image>>, now: Timestamp) -> bool {
        let first = !std::mem::replace(&mut self.loaded.images, true);
        if changes(&mut self.images, list, |image| &image.id).is_empty() {
            return first;
        }
        let key = |image: &Arc<Image>| (Text::clean(image.id.key()), image_name(image));
        self.index.image_names = self.images.values().map(key).collect();
        self.build_images();
        self.judge_all(now);
        true
    }

    /// Takes the status of a sandbox.
    pub fn set_pod_detail(&mut self, id: &PodId, detail: PodDetail, now: Timestamp) {
        if let Some(pod) = self.pods.get(id) {
            let group = group_key(pod);
            self.details
                .pods
                .insert(id.clone(), (Arc::clone(pod), Arc::new(detail)));
            self.judge(HashSet::from([group]), now);
        }
    }

    /// Takes the status of a container, read when it was in `state`.
    pub fn set_container_detail(
        &mut self,
        id: &ContainerId,
        state: ContainerState,
        detail: ContainerDetail,
        now: Timestamp,
    ) {
        if let Some(container) = self.containers.get(id) {
            let group = self.group_of(container);
            self.details
                .containers
                .insert(id.clone(), (state, Arc::new(detail)));
            self.judge(HashSet::from([group]), now);
        }
    }

    /// True if the status of this sandbox, as it is now, has been read.
    pub fn knows_pod(&self, id: &PodId) -> bool {
        let read = self.details.pods.get(id).map(|(pod, _)| pod.state);
        read.is_some() && read == self.pods.get(id).map(|pod| pod.state)
    }

    /// True if the status of this container in its present state has been read.
    pub fn knows_container(&self, container: &Container) -> bool {
        self.details
            .containers
            .get(&container.id)
            .is_some_and(|(state, _)| *state == container.state)
    }

    /// Judges anew what time alone may have changed. True if it was due.
    pub fn recheck(&mut self, now: Timestamp) -> bool {
        let due = self.recheck.is_some_and(|at| now >= at);
        if due {
            self.judge_all(now);
        }
        due
    }

    /// When [`Store::recheck`] is due.
    pub fn recheck_at(&self) -> Option<Timestamp> {
        self.recheck
    }

    /// Which lists have arrived.
    pub fn loaded(&self) -> Loaded {
        self.loaded
    }

    /// All pod rows, in no order.
    pub fn pod_rows(&self) -> impl Iterator<Item = &Arc<PodRow>> {
        self.rows.pods.values()
    }

    /// All container rows, in no order.
    pub fn container_rows(&self) -> impl Iterator<Item = &Arc<ContainerRow>> {
        self.rows.containers.values()
    }

    /// All image rows, in no order.
    pub fn image_rows(&self) -> impl Iterator<Item = &Arc<ImageRow>> {
        self.rows.images.values()
    }

    /// One pod.
    pub fn pod(&self, id: &PodId) -> Option<&Arc<PodRow>> {
        self.rows.pods.get(id)
    }

    /// One container.
    pub fn container(&self, id: &ContainerId) -> Option<&Arc<ContainerRow>> {
        self.rows.containers.get(id)
    }

    /// One image.
    pub fn image(&self, id: &ImageId) -> Option<&Arc<ImageRow>> {
        self.rows.images.get(id)
    }

    /// Every attempt of the containers of a pod, over all its sandboxes, by name and then the
    /// newest first.
    pub fn attempts_in(&self, id: &PodId) -> Vec<&Arc<ContainerRow>> {
        let Some(pod) = self.pods.get(id) else {
            return self
                .members(id)
                .filter_map(|id| self.rows.containers.get(id))
                .collect();
        };
        let sandboxes = self.index.by_uid.get(&group_key(pod)).into_iter().flatten();
        let ids = sandboxes.flat_map(|id| self.members(id));
        let mut rows: Vec<_> = ids.filter_map(|id| self.rows.containers.get(id)).collect();
        rows.sort_by(|a, b| {
            let (a, b) = (&a.container, &b.container);
            a.name
                .cmp(&b.name)
                .then_with(|| age_order(b).cmp(&age_order(a)))
        });
        rows
    }

    fn members(&self, id: &PodId) -> impl Iterator<Item = &ContainerId> {
        self.index.by_pod.get(id).into_iter().flatten()
    }

    fn group_of(&self, container: &Container) -> Text {
        let pod = self.pods.get(&container.pod_id);
        pod.map_or_else(
            || Text::clean(container.pod_id.as_str()),
            |pod| group_key(pod),
        )
    }

    /// Judges everything anew: the clock has jumped, or names have changed.
    pub fn judge_all(&mut self, now: Timestamp) {
        let mut groups: HashSet<Text> = self.pods.values().map(|pod| group_key(pod)).collect();
        groups.extend(
            self.containers
                .values()
                .map(|container| self.group_of(container)),
        );
        self.recheck = None;
        self.judge(groups, now);
    }

    /// Rebuilds the rows of these pods and of all their containers.
    fn judge(&mut self, groups: HashSet<Text>, now: Timestamp) {
        for group in groups {
            let mut sandboxes: Vec<Arc<Pod>> =
                self.index.by_uid.get(&group).map_or_else(Vec::new, |ids| {
                    ids.iter()
                        .filter_map(|id| self.pods.get(id))
                        .cloned()
                        .collect()
                });
            sandboxes.sort_by_key(|pod| Reverse((pod.created_at, pod.attempt)));
            let newest = self.judge_containers(&group, &sandboxes, now);
            for (place, pod) in sandboxes.iter().enumerate() {
                self.judge_pod(pod, place > 0, &newest, now);
            }
        }
    }

    /// The rows of every container of a pod. Returns the newest attempt of each.
    fn judge_containers(
        &mut self,
        group: &Text,
        sandboxes: &[Arc<Pod>],
        now: Timestamp,
    ) -> Vec<Arc<ContainerRow>> {
        let mut attempts: Vec<Arc<Container>> = Vec::new();
        let orphaned = sandboxes.is_empty().then(|| PodId::new(group.as_str()));
        for id in sandboxes.iter().map(|pod| &pod.id).chain(&orphaned) {
            attempts.extend(
                self.members(id)
                    .filter_map(|id| self.containers.get(id))
                    .cloned(),
            );
        }
        attempts.sort_by(|a, b| {
            a.name
                .cmp(&b.name)
                .then_with(|| age_order(b).cmp(&age_order(a)))
        });
        let mut newest: Vec<Arc<ContainerRow>> = Vec::new();
        for (place, container) in attempts.iter().enumerate() {
            let superseded = newest
                .last()
                .is_some_and(|row| row.container.name == container.name);
            let before = attempts
                .get(place + 1)
                .filter(|other| other.name == container.name);
            let before = before
                .filter(|_| !superseded)
                .and_then(|other| self.detail_of(other));
            let row = self.container_row(container, superseded, before.as_deref(), now);
            let row = Arc::new(row);
            self.rows
                .containers
                .insert(row.container.id.clone(), Arc::clone(&row));
            if !superseded {
                newest.push(row);
            }
        }
        newest
    }

    /// The status of a container in its present state: one that was read before it ended says
    /// nothing about its end.
    fn detail_of(&self, container: &Container) -> Option<Arc<ContainerDetail>> {
        let known = self.details.containers.get(&container.id);
        known
            .filter(|(state, _)| *state == container.state)
            .map(|(_, detail)| Arc::clone(detail))
    }

    fn container_row(
        &mut self,
        container: &Arc<Container>,
        superseded: bool,
        before: Option<&ContainerDetail>,
        now: Timestamp,
    ) -> ContainerRow {
        let pod = self.pods.get(&container.pod_id).cloned();
        let detail = self.detail_of(container);
        let judgement = if superseded {
            Judgement::default()
        } else {
            let (detail, pod) = (detail.as_deref(), pod.as_deref());
            judge_container(
                Facts {
                    container,
                    detail,
                    before,
                    pod,
                },
                now,
            )
        };
        self.recheck = earliest(self.recheck, judgement.recheck);
        let image = self.name_of_image(container, detail.as_deref());
        let container = Arc::clone(container);
        ContainerRow {
            pod,
            detail,
            image,
            trouble: judgement.trouble,
            superseded,
            container,
        }
    }

    /// The kubelet asks for images by id: the list of images knows the name.
    fn name_of_image(&self, container: &Container, detail: Option<&ContainerDetail>) -> Text {
        let known = self.index.image_names.get(container.image_id.key());
        let named = !is_image_id(container.image.as_str());
        match known {
            _ if named => container.image.clone(),
            Some(name) => name.clone(),
            None => detail
                .and_then(|d| d.image.clone())
                .unwrap_or_else(|| container.image.clone()),
        }
    }

    fn judge_pod(
        &mut self,
        pod: &Arc<Pod>,
        superseded: bool,
        newest: &[Arc<ContainerRow>],
        now: Timestamp,
    ) {
        let own: Vec<&Arc<ContainerRow>> = newest
            .iter()
            .filter(|row| row.container.pod_id == pod.id)
            .collect();
        let worst = own
            .iter()
            .filter_map(|row| Some((row, row.trouble.as_ref()?)));
        let worst = worst.max_by_key(|(_, trouble)| (trouble.severity(), trouble.at()));
        let mut trouble = worst.map(|(row, t)| (Some(row.container.name.clone()), t.clone()));
        if self.loaded.containers && self.members(&pod.id).next().is_none() && !superseded {
            let judgement = judge_empty(pod, now);
            self.recheck = earliest(self.recheck, judgement.recheck);
            trouble = judgement.trouble.map(|trouble| (None, trouble));
        }
        let running = |row: &&&Arc<ContainerRow>| row.container.state == ContainerState::Running;
        let succeeded = |row: &&Arc<ContainerRow>| {
            row.detail
                .as_ref()
                .is_some_and(|detail| detail.exit_code == Some(0))
        };
        let youngest = own.iter().map(|row| row.container.created_at).max();
        // Older kubelets do not say which are init containers: those that succeeded before
        // another one was made.
        let finished_init = |row: &&&Arc<ContainerRow>| {
            succeeded(row)
                && row.container.restart_count() == 0
                && youngest.is_some_and(|youngest| row.container.created_at < youngest)
        };
        let row = PodRow {
            detail: self
                .details
                .pods
                .get(&pod.id)
                .map(|(_, detail)| Arc::clone(detail)),
            running: own.iter().filter(running).count(),
            total: own.iter().filter(|row| !finished_init(row)).count(),
            completed: !own.is_empty() && own.iter().all(succeeded),
            restarts: own.iter().map(|row| row.container.restart_count()).sum(),
            trouble: trouble.filter(|_| !superseded),
            superseded,
            pod: Arc::clone(pod),
        };
        self.rows.pods.insert(pod.id.clone(), Arc::new(row));
    }

    fn build_images(&mut self) {
        let used_by = &self.index.used_by;
        let row = |image: &Arc<Image>| {
            let row = ImageRow {
                name: image_name(image),
                used_by: used_by.get(image.id.key()).copied().unwrap_or(0),
                image: Arc::clone(image),
            };
            (image.id.clone(), Arc::new(row))
        };
        self.rows.images = self.images.values().map(row).collect();
    }
}

/// Replaces `known` by `list` and returns what came, changed or went.
fn changes<I, T>(
    known: &mut HashMap<I, Arc<T>>,
    list: Vec<Arc<T>>,
    id: impl Fn(&T) -> &I,
) -> Vec<Arc<T>>
where
    I: Clone + Eq + std::hash::Hash,
    T: PartialEq,
{
    let mut old = std::mem::take(known);
    let mut changed = Vec::new();
    for item in list {
        match old.remove(id(&item)) {
            Some(before) if Arc::ptr_eq(&before, &item) || before == item => {}
            _ => changed.push(Arc::clone(&item)),
        }
        known.insert(id(&item).clone(), item);
    }
    changed.extend(old.into_values());
    changed
}

fn group_key(pod: &Pod) -> Text {
    if pod.uid.is_empty() {
        Text::clean(pod.id.as_str())
    } else {
        pod.uid.clone()
    }
}

fn age_order(container: &Container) -> (Option<Timestamp>, u32) {
    (container.created_at, container.attempt)
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn is_image_id(reference: &str) -> bool {
    let bare = reference.trim_start_matches("sha256:");
    bare.len() == 64 && bare.bytes().all(|b| b.is_ascii_hexdigit())
}
