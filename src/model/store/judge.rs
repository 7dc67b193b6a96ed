//! From facts to rows: which attempt is the newest, what is in trouble, what things are called.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;

use super::index::group_key;
use super::{Store, age_order};
use crate::domain::IdSet;
use crate::domain::{Container, ContainerDetail, ContainerState, Pod, PodId};
use crate::model::rows::{ContainerRow, PodRow};
use crate::model::trouble::{Facts, Judgement, judge_container, judge_empty};
use crate::text::Text;

impl Store {
    pub(super) fn group_of(&self, container: &Container) -> Text {
        let pod = self.pods.get(&container.pod_id);
        pod.map_or_else(
            || Text::clean(container.pod_id.as_str()),
            |pod| group_key(pod),
        )
    }

    /// Judges everything anew: the clock has jumped, or names have changed.
    pub fn judge_all(&mut self, now: Timestamp) {
        let mut groups: IdSet<Text> = self.pods.values().map(|pod| group_key(pod)).collect();
        groups.extend(
            self.containers
                .values()
                .map(|container| self.group_of(container)),
        );
        self.rechecks.clear();
        self.judge(groups, now);
    }

    /// Judges anew what time alone may have changed. True if anything was due.
    pub fn recheck(&mut self, now: Timestamp) -> bool {
        if self.recheck_at().is_none_or(|at| now < at) {
            return false;
        }
        let due = self.rechecks.extract_if(|_, at| *at <= now);
        let due: IdSet<Text> = due.map(|(group, _)| group).collect();
        self.judge(due, now);
        true
    }

    /// When [`Store::recheck`] is due.
    pub fn recheck_at(&self) -> Option<Timestamp> {
        self.rechecks.values().min().copied()
    }

    fn recheck_later(&mut self, group: &Text, judgement: &Judgement) {
        if let Some(at) = judgement.recheck {
            let due = self.rechecks.entry(group.clone()).or_insert(at);
            *due = at.min(*due);
        }
    }

    /// Rebuilds the rows of these pods and of all their containers.
    pub(super) fn judge(&mut self, groups: IdSet<Text>, now: Timestamp) {
        if !groups.is_empty() {
            self.dirty.pods = true;
            self.dirty.containers = true;
        }
        for group in groups {
            self.rechecks.remove(&group);
            let sandboxes = self
                .index
                .sandboxes(&group)
                .filter_map(|id| self.pods.get(id));
            let mut sandboxes: Vec<Arc<Pod>> = sandboxes.cloned().collect();
            sandboxes.sort_by_key(|pod| Reverse((pod.created_at, pod.attempt)));
            let newest = self.judge_containers(&group, &sandboxes, now);
            for (place, pod) in sandboxes.iter().enumerate() {
                self.judge_pod(&group, pod, place > 0, &newest, now);
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
                self.index
                    .members(id)
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
            let row = self.container_row(group, container, superseded, before.as_deref(), now);
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
        group: &Text,
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
        self.recheck_later(group, &judgement);
        let image = self.name_of_image(container, detail.as_deref());
        let known = self.rows.containers.get(&container.id);
        let load = known.map_or_else(Default::default, |row| row.load.clone());
        let container = Arc::clone(container);
        ContainerRow {
            pod,
            detail,
            image,
            trouble: judgement.trouble,
            superseded,
            load,
            container,
        }
    }

    /// The kubelet asks for images by id: the list of images knows the name.
    fn name_of_image(&self, container: &Container, detail: Option<&ContainerDetail>) -> Text {
        let known = self.index.image_name(container.image_id.key());
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
        group: &Text,
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
        if self.loaded.containers && self.index.members(&pod.id).next().is_none() && !superseded {
            let judgement = judge_empty(pod, now);
            self.recheck_later(group, &judgement);
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
            restarts: own
                .iter()
                .map(|row| row.container.restart_count())
                .fold(0, u32::saturating_add),
            trouble: trouble.filter(|_| !superseded),
            superseded,
            load: self
                .rows
                .pods
                .get(&pod.id)
                .map_or_else(Default::default, |row| row.load.clone()),
            pod: Arc::clone(pod),
        };
        self.rows.pods.insert(pod.id.clone(), Arc::new(row));
    }
}

fn is_image_id(reference: &str) -> bool {
    let bare = reference.trim_start_matches("sha256:");
    bare.len() == 64 && bare.bytes().all(|b| b.is_ascii_hexdigit())
}
