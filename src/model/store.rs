//! What the node looks like now. What changed about a list comes in, and only the rows of that are
//! built anew.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    Changes, Container, ContainerDetail, ContainerId, ContainerState, Image, ImageId, Pod,
    PodDetail, PodId,
};
use crate::domain::{IdMap, IdSet};
use crate::model::events::History;
use crate::model::rows::{ContainerRow, ImageRow, PodRow, image_name};
use crate::text::Text;

pub(super) mod index;
mod judge;
mod loads;

use index::{Index, Known, group_key};

/// Pods, containers and images with their rows.
#[derive(Default, Debug)]
pub struct Store {
    pods: Known<PodId, Pod>,
    containers: Known<ContainerId, Container>,
    images: Known<ImageId, Image>,
    details: Details,
    index: Index,
    rows: Rows,
    history: History,
    loaded: Loaded,
    /// When time alone may change the judgement of a pod.
    rechecks: IdMap<Text, Timestamp>,
    dirty: Dirty,
}

/// Which rows have changed since they were last asked for.
#[derive(Default, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dirty {
    /// Pods.
    pub pods: bool,
    /// Containers.
    pub containers: bool,
    /// Images.
    pub images: bool,
}

impl Dirty {
    /// What is dirty in either.
    pub fn add(&mut self, other: Self) {
        self.pods |= other.pods;
        self.containers |= other.containers;
        self.images |= other.images;
    }
}

/// Statuses. Each is read once per state of its container or sandbox.
#[derive(Default, Debug)]
struct Details {
    pods: IdMap<PodId, (Arc<Pod>, Arc<PodDetail>)>,
    containers: IdMap<ContainerId, (ContainerState, Arc<ContainerDetail>)>,
}

#[derive(Default, Debug)]
struct Rows {
    pods: IdMap<PodId, Arc<PodRow>>,
    containers: IdMap<ContainerId, Arc<ContainerRow>>,
    images: IdMap<ImageId, Arc<ImageRow>>,
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
    /// Takes what a list of pods says.
    pub fn set_pods(&mut self, told: &Changes<Pod>, now: Timestamp) {
        let first = !std::mem::replace(&mut self.loaded.pods, true);
        self.dirty.pods |= first;
        let changed = self.pods.take(told, |pod| &pod.id);
        if !first {
            self.history.pods(&changed, now);
        }
        let mut groups = IdSet::default();
        for change in &changed {
            self.index.pod(change);
            groups.extend(
                [&change.before, &change.after]
                    .into_iter()
                    .flatten()
                    .map(|p| group_key(p)),
            );
            if let (Some(gone), None) = (&change.before, &change.after) {
                self.details.pods.remove(&gone.id);
                self.rows.pods.remove(&gone.id);
            }
        }
        self.judge(groups, now);
    }

    /// Takes what a list of containers says.
    pub fn set_containers(&mut self, told: &Changes<Container>, now: Timestamp) {
        let first = !std::mem::replace(&mut self.loaded.containers, true);
        self.dirty.containers |= first;
        let changed = self.containers.take(told, |container| &container.id);
        if !first {
            let pods = &self.pods;
            let pod = |container: &Container| pods.get(&container.pod_id);
            self.history.containers(&changed, pod, now);
        }
        let mut groups = IdSet::default();
        let mut images = IdSet::default();
        for change in &changed {
            images.extend(self.index.container(change));
            let both = [&change.before, &change.after];
            groups.extend(
                both.into_iter()
                    .flatten()
                    .map(|container| self.group_of(container)),
            );
            if let (Some(gone), None) = (&change.before, &change.after) {
                self.details.containers.remove(&gone.id);
                self.rows.containers.remove(&gone.id);
            }
        }
        if first {
            // Whether a sandbox is empty could not be judged before.
            groups.extend(self.pods.values().map(|pod| group_key(pod)));
        }
        self.judge(groups, now);
        self.count_users(&images);
    }

    /// Takes what a list of images says.
    pub fn set_images(&mut self, told: &Changes<Image>, now: Timestamp) {
        let first = !std::mem::replace(&mut self.loaded.images, true);
        self.dirty.images |= first;
        let changed = self.images.take(told, |image| &image.id);
        if !first {
            self.history.images(&changed, now);
        }
        for change in &changed {
            self.index.image(change);
            match (&change.before, &change.after) {
                (_, Some(image)) => self.build_image(&Arc::clone(image)),
                (Some(gone), None) => drop(self.rows.images.remove(&gone.id)),
                (None, None) => {}
            }
        }
        if changed.is_empty() {
            return;
        }
        self.dirty.images = true;
        // Containers are shown with the names of their images.
        let both = changed
            .iter()
            .flat_map(|change| [&change.before, &change.after]);
        let keys: IdSet<&str> = both.flatten().map(|image| image.id.key()).collect();
        let users = self
            .containers
            .values()
            .filter(|container| keys.contains(container.image_id.key()));
        let groups = users.map(|container| self.group_of(container)).collect();
        self.judge(groups, now);
    }

    /// Takes the status of a sandbox.
    pub fn set_pod_detail(&mut self, id: &PodId, detail: PodDetail, now: Timestamp) {
        if let Some(pod) = self.pods.get(id) {
            let group = group_key(pod);
            self.details
                .pods
                .insert(id.clone(), (Arc::clone(pod), Arc::new(detail)));
            self.judge(IdSet::from_iter([group]), now);
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
            self.history.detail(id, &detail, now);
            self.details
                .containers
                .insert(id.clone(), (state, Arc::new(detail)));
            self.judge(IdSet::from_iter([group]), now);
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

    /// Which rows have changed since this was last asked.
    pub fn take_dirty(&mut self) -> Dirty {
        std::mem::take(&mut self.dirty)
    }

    /// What has happened since the first lists.
    pub fn history(&self) -> &History {
        &self.history
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

    /// The attempts of containers in one sandbox, in no order.
    pub fn containers_in(&self, pod: &PodId) -> impl Iterator<Item = &Arc<ContainerRow>> {
        let members = self.index.members(pod);
        members.filter_map(|id| self.rows.containers.get(id))
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

    /// An image of this id, or of this reference, is on the node.
    pub fn has_image(&self, key: &str) -> bool {
        let known = self.images.values();
        let mut known = known.map(|image| (image.id.key(), &image.digests, &image.tags));
        known.any(|(id, digests, tags)| {
            let named = |name: &Text| name.as_str() == key;
            id == key || digests.iter().chain(tags).any(named)
        })
    }

    /// Every attempt of the containers of a pod, over all its sandboxes, by name and then the
    /// newest first.
    pub fn attempts_in(&self, id: &PodId) -> Vec<&Arc<ContainerRow>> {
        let Some(pod) = self.pods.get(id) else {
            return self.containers_in(id).collect();
        };
        let group = group_key(pod);
        let rows = self
            .index
            .sandboxes(&group)
            .flat_map(|id| self.containers_in(id));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|a, b| {
            let (a, b) = (&a.container, &b.container);
            a.name
                .cmp(&b.name)
                .then_with(|| age_order(b).cmp(&age_order(a)))
        });
        rows
    }

    fn build_image(&mut self, image: &Arc<Image>) {
        let users = self.index.users(image.id.key());
        let row = ImageRow {
            name: image_name(image),
            used_by: users.all,
            running: users.running,
            image: Arc::clone(image),
        };
        self.rows.images.insert(image.id.clone(), Arc::new(row));
        self.dirty.images = true;
    }

    /// Rebuilds the rows of these images, by their join keys.
    fn count_users(&mut self, keys: &IdSet<Text>) {
        if keys.is_empty() {
            return;
        }
        let images = self
            .images
            .values()
            .filter(|image| keys.contains(image.id.key()));
        for image in images.cloned().collect::<Vec<_>>() {
            self.build_image(&image);
        }
    }
}

fn age_order(container: &Container) -> (Option<Timestamp>, u32) {
    (container.created_at, container.attempt)
}
