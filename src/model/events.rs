//! What has changed on the node since the program started, from the differences between lists.

mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    Container, ContainerDetail, ContainerId, ContainerState, IdMap, Image, Pod, PodState,
};
use crate::model::Subject;
use crate::model::rows::image_name;
use crate::model::store::index::Change;
use crate::text::Text;

pub use view::EventsView;

/// Events remembered at most.
const MOST: usize = 5000;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// It was made.
    Created,
    /// Its process began.
    Started,
    /// Its process ended, or the sandbox stopped.
    Ended,
    /// The runtime has lost its state.
    Lost,
    /// It is gone.
    Removed,
    /// An image came.
    Pulled,
    /// An image has other names.
    Tagged,
}

impl What {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Started => "started",
            Self::Ended => "exited",
            Self::Lost => "lost",
            Self::Removed => "removed",
            Self::Pulled => "pulled",
            Self::Tagged => "tagged",
        }
    }
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Counts up.
    pub number: u64,
    /// When, as well as is known: what the runtime does not date happened since the list before.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// To what.
    pub subject: Subject,
    /// Uid of the pod; empty for an image.
    pub uid: Text,
    /// `namespace/pod`, `namespace/pod/container #attempt`, or the name of an image.
    pub name: Text,
    /// Exit code and reason, once they are known.
    pub ending: Option<(Option<i32>, Option<Text>)>,
}

/// All of them, the oldest first.
#[derive(Default, Debug)]
pub struct History {
    all: BTreeMap<Place, Event>,
    /// Where those of a container are: its status finds them among thousands.
    of: IdMap<ContainerId, Vec<Place>>,
    next: u64,
}

/// When something happened, and its number.
type Place = (Timestamp, u64);

impl Event {
    fn place(&self) -> Place {
        (self.at, self.number)
    }
}

impl History {
    /// All of them, the oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.all.values()
    }

    /// How many there were, also those that are forgotten.
    pub fn total(&self) -> u64 {
        self.next
    }

    fn push(&mut self, at: Timestamp, what: What, subject: Subject, uid: &Text, name: &Text) {
        self.put(Event {
            number: self.next,
            at,
            what,
            subject,
            uid: uid.clone(),
            name: name.clone(),
            ending: None,
        });
        self.next += 1;
        if self.all.len() > MOST {
            let oldest = self.all.first_key_value().map(|(place, _)| *place);
            oldest.and_then(|place| self.take(place));
        }
    }

    fn put(&mut self, event: Event) {
        let place = event.place();
        if let Subject::Container(id) = &event.subject {
            self.of.entry(id.clone()).or_default().push(place);
        }
        self.all.insert(place, event);
    }

    fn take(&mut self, place: Place) -> Option<Event> {
        let event = self.all.remove(&place)?;
        if let Subject::Container(id) = &event.subject
            && let Some(places) = self.of.get_mut(id)
        {
            places.retain(|other| *other != place);
            if places.is_empty() {
                self.of.remove(id);
            }
        }
        Some(event)
    }

    /// The newest event of this kind of a container.
    fn newest(&self, id: &ContainerId, what: What) -> Option<&Event> {
        let of_it = self.of.get(id)?.iter();
        let events = of_it.filter_map(|place| self.all.get(place));
        events
            .filter(|event| event.what == what)
            .max_by_key(|event| event.place())
    }

    /// Takes what changed about pods.
    pub(super) fn pods(&mut self, changed: &[Change<Pod>], now: Timestamp) {
        for change in changed {
            let Some(pod) = change.after.as_ref().or(change.before.as_ref()) else {
                continue;
            };
            let what = match (&change.before, &change.after) {
                (None, Some(_)) => What::Created,
                (Some(_), None) => What::Removed,
                (Some(before), Some(after))
                    if before.state == PodState::Ready && after.state != PodState::Ready =>
                {
                    What::Ended
                }
                _ => continue,
            };
            let made = pod
                .created_at
                .filter(|at| what == What::Created && *at <= now);
            let name = Text::clean(&format!("{}/{}", pod.namespace, pod.name));
            self.push(
                made.unwrap_or(now),
                what,
                Subject::Pod(pod.id.clone()),
                &pod.uid,
                &name,
            );
        }
    }

    /// Takes what changed about containers; `pod` knows their pods.
    pub(super) fn containers<'a>(
        &mut self,
        changed: &[Change<Container>],
        pod: impl Fn(&Container) -> Option<&'a Arc<Pod>>,
        now: Timestamp,
    ) {
        for change in changed {
            let Some(container) = change.after.as_ref().or(change.before.as_ref()) else {
                continue;
            };
            let label = |key| crate::domain::label(&container.labels, key).cloned();
            let of_pod = pod(container);
            let uid = of_pod
                .map(|pod| pod.uid.clone())
                .or_else(|| label("io.kubernetes.pod.uid"));
            let pod = match of_pod {
                Some(pod) => format!("{}/{}", pod.namespace, pod.name),
                None => label("io.kubernetes.pod.name")
                    .unwrap_or_default()
                    .to_string(),
            };
            let name = format!("{pod}/{} #{}", container.name, container.attempt);
            let (name, uid) = (Text::clean(&name), uid.unwrap_or_default());
            let subject = Subject::Container(container.id.clone());
            if change.before.is_none() {
                let made = container.created_at.filter(|at| *at <= now);
                self.push(
                    made.unwrap_or(now),
                    What::Created,
                    subject.clone(),
                    &uid,
                    &name,
                );
            }
            let before = change.before.as_ref().map(|before| before.state);
            let what = match change.after.as_ref().map(|after| after.state) {
                None => What::Removed,
                state if state == before => continue,
                Some(ContainerState::Running) => What::Started,
                Some(ContainerState::Exited) => What::Ended,
                Some(ContainerState::Unknown) => What::Lost,
                Some(ContainerState::Created) => continue,
            };
            self.push(now, what, subject, &uid, &name);
        }
    }

    /// Takes what changed about images.
    pub(super) fn images(&mut self, changed: &[Change<Image>], now: Timestamp) {
        for change in changed {
            let Some(image) = change.after.as_ref().or(change.before.as_ref()) else {
                continue;
            };
            let what = match (&change.before, &change.after) {
                (None, _) => What::Pulled,
                (_, None) => What::Removed,
                (Some(before), Some(after)) if before.tags != after.tags => What::Tagged,
                _ => continue,
            };
            let subject = Subject::Image(image.id.clone());
            self.push(now, what, subject, &Text::default(), &image_name(image));
        }
    }

    /// A container that had already ended when it was first listed has begun too.
    fn began(&mut self, id: &ContainerId, at: Option<Timestamp>) {
        if self.newest(id, What::Started).is_some() {
            return;
        }
        let made = self.newest(id, What::Created).cloned();
        if let (Some(made), Some(at)) = (made, at) {
            self.push(at, What::Started, made.subject, &made.uid, &made.name);
        }
    }

    /// The status of a container is known: how it ended, and when.
    pub(super) fn detail(&mut self, id: &ContainerId, detail: &ContainerDetail, now: Timestamp) {
        self.began(id, detail.started_at.filter(|at| *at <= now));
        let times = [
            (What::Started, detail.started_at),
            (What::Ended, detail.finished_at),
        ];
        for (what, at) in times {
            let place = self.newest(id, what).map(Event::place);
            let Some(mut event) = place.and_then(|place| self.take(place)) else {
                continue;
            };
            if what == What::Ended {
                event.ending = Some((detail.exit_code, detail.reason.clone()));
            }
            event.at = at.filter(|at| *at <= now).unwrap_or(event.at);
            self.put(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Changes, ImageId, PodId};
    use crate::model::Store;
    use jiff::SignedDuration;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    fn container(id: &str, attempt: u32, state: ContainerState) -> Arc<Container> {
        Arc::new(Container {
            id: ContainerId::new(id),
            pod_id: PodId::new("p"),
            name: "app".into(),
            attempt,
            state,
            created_at: Some(at(100)),
            image: "i".into(),
            image_id: ImageId::new("i"),
            labels: vec![],
            annotations: vec![],
        })
    }

    fn told(store: &Store) -> Vec<String> {
        let line = |event: &Event| {
            let code = event.ending.as_ref().and_then(|(code, _)| *code);
            let code = code.map_or_else(String::new, |code| format!(" {code}"));
            format!(
                "{} {} {}{code}",
                event.at.as_second(),
                event.what.word(),
                event.name
            )
        };
        store.history().all().map(line).collect()
    }

    #[test]
    fn a_life_from_list_to_list() {
        let mut store = Store::default();
        store.set_containers(
            &Changes::all(vec![container("old", 0, ContainerState::Running)]),
            at(90),
        );
        assert_eq!(
            told(&store),
            [] as [&str; 0],
            "what was there before is no news"
        );
        store.set_containers(
            &Changes::all(vec![container("c", 1, ContainerState::Created)]),
            at(101),
        );
        store.set_containers(
            &Changes::all(vec![container("c", 1, ContainerState::Running)]),
            at(103),
        );
        store.set_containers(
            &Changes::all(vec![container("c", 1, ContainerState::Exited)]),
            at(110),
        );
        let detail = ContainerDetail {
            started_at: Some(at(102)),
            finished_at: Some(at(107)),
            exit_code: Some(3),
            ..ContainerDetail::default()
        };
        store.set_container_detail(
            &ContainerId::new("c"),
            ContainerState::Exited,
            detail,
            at(111),
        );
        store.set_containers(&Changes::all(vec![]), at(120));
        assert_eq!(
            told(&store),
            [
                "100 created /app #1",
                "101 removed /app #0",
                "102 started /app #1",
                "107 exited /app #1 3",
                "120 removed /app #1",
            ]
        );
    }

    #[test]
    fn there_is_a_bound() {
        let mut history = History::default();
        let id = Subject::Container(ContainerId::new("c"));
        for second in 0..6000 {
            history.push(
                at(second),
                What::Started,
                id.clone(),
                &Text::default(),
                &"i".into(),
            );
        }
        assert_eq!((history.all().count(), history.total()), (MOST, 6000));
        let places: usize = history.of.values().map(Vec::len).sum();
        assert_eq!(places, MOST);
        assert_eq!(history.all().next().map(|event| event.number), Some(1000));
    }
}
