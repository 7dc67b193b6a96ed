//! What belongs to what, kept up to date change by change.

use std::hash::Hash;
use std::sync::Arc;

use crate::domain::{
    Changes, Container, ContainerId, ContainerState, IdMap, IdSet, Image, Pod, PodId,
};
use crate::model::rows::image_name;
use crate::text::Text;

/// What a new list changed about one thing: what it was, what it is.
#[derive(Debug)]
pub struct Change<T> {
    pub before: Option<Arc<T>>,
    pub after: Option<Arc<T>>,
}

/// Things by their ids.
#[derive(Debug)]
pub struct Known<I, T>(IdMap<I, Arc<T>>);

impl<I, T> Default for Known<I, T> {
    fn default() -> Self {
        Self(IdMap::default())
    }
}

impl<I: Clone + Eq + Hash, T: PartialEq> Known<I, T> {
    /// One of them.
    pub fn get(&self, id: &I) -> Option<&Arc<T>> {
        self.0.get(id)
    }

    /// All of them, in no order.
    pub fn values(&self) -> impl Iterator<Item = &Arc<T>> {
        self.0.values()
    }

    /// Takes what a list says and returns what came, changed or went.
    pub fn take(&mut self, told: &Changes<T>, id: impl Fn(&T) -> &I) -> Vec<Change<T>> {
        let mut changed = Vec::new();
        for item in &told.came {
            let old = self.0.insert(id(item).clone(), Arc::clone(item));
            if old.as_ref() != Some(item) {
                changed.push(Change {
                    before: old,
                    after: Some(Arc::clone(item)),
                });
            }
        }
        // Unless something new has its id.
        let gone = |old: &&Arc<T>| {
            let now = self.0.get(id(old));
            now.is_some_and(|now| Arc::ptr_eq(now, old))
        };
        let mut gone: Vec<_> = told.went.iter().filter(gone).cloned().collect();
        if told.whole {
            let there: IdSet<&I> = told.came.iter().map(|item| id(item)).collect();
            let unlisted = |old: &&Arc<T>| !there.contains(id(old));
            gone = self.0.values().filter(unlisted).cloned().collect();
        }
        for old in gone {
            self.0.remove(id(&old));
            changed.push(Change {
                before: Some(old),
                after: None,
            });
        }
        changed
    }
}

/// The key under which the sandboxes of one pod are found: its uid, or the sandbox's own id where
/// there is none.
pub fn group_key(pod: &Pod) -> Text {
    if pod.uid.is_empty() {
        Text::clean(pod.id.as_str())
    } else {
        pod.uid.clone()
    }
}

/// Who uses an image.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Users {
    /// Containers that were made from it.
    pub all: usize,
    /// Those of them that run.
    pub running: usize,
}

/// Look-ups by what things belong to.
#[derive(Default, Debug)]
pub struct Index {
    by_uid: IdMap<Text, Vec<PodId>>,
    by_pod: IdMap<PodId, Vec<ContainerId>>,
    /// Containers made from an image, by the image's join key.
    used_by: IdMap<Text, Users>,
    image_names: IdMap<Text, Text>,
}

impl Index {
    /// Takes note of what changed about a pod.
    pub fn pod(&mut self, change: &Change<Pod>) {
        if let Some(before) = &change.before {
            remove(&mut self.by_uid, &group_key(before), &before.id);
        }
        if let Some(after) = &change.after {
            self.by_uid
                .entry(group_key(after))
                .or_default()
                .push(after.id.clone());
        }
    }

    /// Takes note of what changed about a container. Returns the join keys of the images that
    /// are used by more or fewer containers, or by others that run, now.
    pub fn container(&mut self, change: &Change<Container>) -> Vec<Text> {
        let key = |container: &Arc<Container>| {
            let runs = container.state == ContainerState::Running;
            (Text::clean(container.image_id.key()), usize::from(runs))
        };
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        if let Some(container) = before {
            remove(&mut self.by_pod, &container.pod_id, &container.id);
        }
        if let Some(container) = after {
            let members = self.by_pod.entry(container.pod_id.clone()).or_default();
            members.push(container.id.clone());
        }
        let (before, after) = (before.map(key), after.map(key));
        if before == after {
            return vec![];
        }
        if let Some((key, running)) = &before
            && let Some(users) = self.used_by.get_mut(key)
        {
            users.all = users.all.saturating_sub(1);
            users.running = users.running.saturating_sub(*running);
        }
        if let Some((key, running)) = &after {
            let users = self.used_by.entry(key.clone()).or_default();
            users.all += 1;
            users.running += running;
        }
        let both = before.into_iter().chain(after);
        both.map(|(key, _)| key).collect()
    }

    /// Takes note of what changed about an image.
    pub fn image(&mut self, change: &Change<Image>) {
        if let Some(before) = &change.before {
            self.image_names.remove(before.id.key());
        }
        if let Some(after) = &change.after {
            self.image_names
                .insert(Text::clean(after.id.key()), image_name(after));
        }
    }

    /// Sandboxes of a pod.
    pub fn sandboxes(&self, group: &Text) -> impl Iterator<Item = &PodId> {
        self.by_uid.get(group).into_iter().flatten()
    }

    /// Containers in a sandbox.
    pub fn members(&self, pod: &PodId) -> impl Iterator<Item = &ContainerId> {
        self.by_pod.get(pod).into_iter().flatten()
    }

    /// How many containers were made from an image.
    pub fn users(&self, image_key: &str) -> Users {
        self.used_by.get(image_key).copied().unwrap_or_default()
    }

    /// The name of an image.
    pub fn image_name(&self, image_key: &str) -> Option<&Text> {
        self.image_names.get(image_key)
    }
}

fn remove<K: Eq + Hash, V: PartialEq>(lists: &mut IdMap<K, Vec<V>>, key: &K, value: &V) {
    if let Some(list) = lists.get_mut(key) {
        list.retain(|other| other != value);
        if list.is_empty() {
            lists.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Thing = (u8, &'static str);

    /// What changed, as what was and what is, in the order of ids.
    fn take(known: &mut Known<u8, Thing>, told: &Changes<Thing>) -> Vec<[Option<Thing>; 2]> {
        let changed = known.take(told, |thing| &thing.0);
        let thing = |side: &Option<Arc<Thing>>| side.as_deref().copied();
        let sides = |change: &Change<Thing>| [thing(&change.before), thing(&change.after)];
        let mut changed: Vec<_> = changed.iter().map(sides).collect();
        changed.sort_unstable();
        changed
    }

    #[test]
    fn what_came_changed_and_went() {
        let [a, b, c] = [(1, "a"), (2, "b"), (3, "c")].map(Arc::new);
        let mut known = Known::default();
        let first = Changes::all(vec![a, Arc::clone(&b), Arc::clone(&c)]);
        assert_eq!(take(&mut known, &first).len(), 3);
        let newer = (2, "newer");
        let told = Changes {
            whole: false,
            came: vec![Arc::new(newer)],
            went: vec![b, c],
        };
        let changed = [[Some((2, "b")), Some(newer)], [Some((3, "c")), None]];
        assert_eq!(take(&mut known, &told), changed);
        assert!(known.get(&3).is_none() && known.get(&1).is_some());
        // After a reconnect all is told again: what is missing has gone, what is equal is no change.
        let again = Changes::all(vec![Arc::new(newer)]);
        assert_eq!(take(&mut known, &again), [[Some((1, "a")), None]]);
        assert_eq!(known.values().count(), 1);
    }
}
