//! `GetContainerEvents`, with the differences that make it dangerous: see the profile's `events`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use k8s_cri::v1;
use tokio::sync::{Notify, mpsc, watch};
use tonic::Status;

use super::node::Node;
use super::profile::{Events, Missing};
use super::wire::Reply;
use super::world::{Notice, NoticeKind};

/// Events that wait for a subscriber.
const MAX_WAITING: usize = 1_000;
/// How long containerd 2.x keeps events for which there was no subscriber, nanoseconds.
const KEPT: i64 = 300 * 1_000_000_000;
/// Events that containerd 2.x keeps for a subscriber that does not take them, beyond what HTTP/2's
/// flow control lets go to it. The next one holds up whoever tells it, and all who tell others.
const UNREAD: usize = 100;
/// The calls that tell an event before they answer. `StopContainer` does not: another part of the
/// runtime tells what has ended.
const TELLING: [&str; 5] = [
    "RunPodSandbox",
    "RemovePodSandbox",
    "CreateContainer",
    "StartContainer",
    "RemoveContainer",
];

/// Where events go.
#[derive(Debug)]
pub(super) struct Hub {
    kind: Events,
    waiting: Mutex<VecDeque<Notice>>,
    more: Notify,
    live: Mutex<Live>,
    stalled: watch::Sender<bool>,
    subscribed: watch::Sender<usize>,
}

/// The subscribers that get every event.
#[derive(Debug, Default)]
struct Live {
    subscribers: Vec<mpsc::Sender<Notice>>,
    /// Events that nobody gets before a subscriber takes one of its own.
    held: VecDeque<Notice>,
}

impl Live {
    /// Gives each event to every subscriber, for as long as all have room.
    fn pump(&mut self) {
        self.subscribers
            .retain(|subscriber| !subscriber.is_closed());
        let room = |subscriber: &mpsc::Sender<Notice>| subscriber.capacity() > 0;
        while !self.subscribers.is_empty()
            && self.subscribers.iter().all(room)
            && let Some(notice) = self.held.pop_front()
        {
            for subscriber in &self.subscribers {
                // It has room, unless it has just gone.
                let _ = subscriber.try_send(notice.clone());
            }
        }
    }
}

impl Hub {
    pub(super) fn new(kind: Events) -> Self {
        Self {
            kind,
            waiting: Mutex::default(),
            more: Notify::new(),
            live: Mutex::default(),
            stalled: watch::Sender::default(),
            subscribed: watch::Sender::default(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Notice>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event; without a subscriber it waits for one.
    pub(super) fn publish(&self, notice: Notice) {
        if self.kind == Events::Broadcast {
            self.with_live(|live| live.held.push_back(notice));
        } else {
            self.keep(notice);
        }
    }

    fn keep(&self, notice: Notice) {
        let mut waiting = self.waiting();
        if waiting.len() == MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(notice);
        self.more.notify_one();
    }

    fn with_live(&self, change: impl FnOnce(&mut Live)) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut live);
        live.pump();
        if live.subscribers.is_empty() {
            live.held.drain(..).for_each(|notice| self.keep(notice));
        }
        let (stalled, now) = (!live.held.is_empty(), live.subscribers.len());
        self.stalled
            .send_if_modified(|was| std::mem::replace(was, stalled) != stalled);
        self.subscribed
            .send_if_modified(|was| std::mem::replace(was, now) != now);
    }

    /// A subscriber that does not read holds up everybody who has an event to tell.
    pub(super) fn stalled(&self) -> bool {
        *self.stalled.borrow()
    }

    /// Waits until this is so.
    pub(super) async fn stalls(&self) {
        // The sender lives in `self`, so this ends only by a stall.
        let _ = self.stalled.subscribe().wait_for(|stalled| *stalled).await;
    }

    /// Waits until what `method` has told is on its way to the subscribers.
    pub(super) async fn told(&self, method: &str) {
        if TELLING.contains(&method) {
            // The sender lives in `self`, so this ends only by the stall being over.
            let _ = self.stalled.subscribe().wait_for(|stalled| !stalled).await;
        }
    }

    /// Waits until so many subscribers get every event.
    pub(super) async fn subscribed(&self, wanted: usize) {
        // As above.
        let _ = self
            .subscribed
            .subscribe()
            .wait_for(|now| *now == wanted)
            .await;
    }

    /// The next event of a queue that all subscribers share.
    async fn next_shared(&self) -> Notice {
        loop {
            let next = self.waiting().pop_front();
            if let Some(notice) = next {
                return notice;
            }
            self.more.notified().await;
        }
    }

    /// What has waited for the first subscriber and is not too old.
    fn replayed(&self, now: i64) -> Vec<Notice> {
        let waiting = std::mem::take(&mut *self.waiting());
        let young = waiting.into_iter().filter(|notice| now - notice.at < KEPT);
        young.collect()
    }
}

/// A subscriber that gets every event.
struct Subscription {
    node: Arc<Node>,
    events: mpsc::Receiver<Notice>,
}

impl Subscription {
    fn new(node: &Arc<Node>) -> Self {
        let (to, events) = mpsc::channel(UNREAD);
        node.hub.with_live(|live| live.subscribers.push(to));
        Self {
            node: Arc::clone(node),
            events,
        }
    }

    async fn next(&mut self) -> Option<Notice> {
        let notice = self.events.recv().await;
        self.make_room();
        notice
    }

    fn make_room(&self) {
        let stalled = self.node.hub.stalled();
        self.node.hub.with_live(|_| ());
        if stalled && !self.node.hub.stalled() {
            // What the kubelet could not do goes on.
            self.node.changed.notify_one();
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.events.close();
        self.make_room();
    }
}

/// Subscribes to what happens from now on, and to what has waited.
pub(super) fn subscribe(node: &Arc<Node>) -> Result<Reply, Status> {
    match node.traits.events {
        Events::Unimplemented => {
            let service = "runtime.v1.RuntimeService";
            Err(Missing::NotImplemented.status(service, "GetContainerEvents"))
        }
        Events::EndsAtOnce => Ok(Reply::Many(futures_util::stream::empty().boxed())),
        Events::SharedQueue => {
            let stream = futures_util::stream::unfold(Arc::clone(node), |node| async move {
                let notice = node.hub.next_shared().await;
                Some((encoded(&node, &notice), node))
            });
            Ok(Reply::Many(stream.boxed()))
        }
        Events::Broadcast => {
            let old = node.hub.replayed(node.clock.now());
            let old: Vec<_> = old.iter().map(|notice| encoded(node, notice)).collect();
            let start = Subscription::new(node);
            let live = futures_util::stream::unfold(start, |mut subscription| async move {
                let notice = subscription.next().await?;
                Some((encoded(&subscription.node, &notice), subscription))
            });
            Ok(Reply::Many(
                futures_util::stream::iter(old).chain(live).boxed(),
            ))
        }
    }
}

fn encoded(node: &Node, notice: &Notice) -> Vec<u8> {
    node.encode("GetContainerEvents", event(node, notice))
}

fn event(node: &Node, notice: &Notice) -> v1::ContainerEventResponse {
    let world = node.world();
    let teller = node.teller("GetContainerEvents");
    // Of a removed sandbox 1.7 knows nothing more, 2.x its last state.
    let gone = notice
        .gone
        .as_deref()
        .filter(|_| node.traits.events == Events::Broadcast);
    let pod = world.pods.get(&notice.pod).or(gone);
    let containers = world.containers.values();
    let statuses = containers.filter(|container| container.pod == notice.pod);
    v1::ContainerEventResponse {
        container_id: notice.id.to_string(),
        container_event_type: match notice.kind {
            NoticeKind::Created => 0,
            NoticeKind::Started => 1,
            NoticeKind::Stopped => 2,
            NoticeKind::Deleted => 3,
        },
        created_at: teller.time(notice.at),
        pod_sandbox_status: pod.map(|pod| teller.pod_status(pod)),
        containers_statuses: statuses
            .map(|container| teller.container_status(container, &world))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn notice(at: i64) -> Notice {
        Notice {
            id: "container".into(),
            pod: "pod".into(),
            kind: NoticeKind::Started,
            at,
            gone: None,
        }
    }

    #[test]
    fn a_shared_queue_gives_each_event_once() {
        let hub = Hub::new(Events::SharedQueue);
        hub.publish(notice(1));
        hub.publish(notice(2));
        let next = || hub.next_shared().now_or_never().map(|notice| notice.at);
        assert_eq!([next(), next(), next()], [Some(1), Some(2), None]);
    }

    #[test]
    fn without_a_subscriber_young_events_wait() {
        let hub = Hub::new(Events::Broadcast);
        hub.publish(notice(1));
        hub.publish(notice(KEPT));
        let replayed = hub.replayed(KEPT + 1);
        assert_eq!(
            replayed.iter().map(|notice| notice.at).collect::<Vec<_>>(),
            [KEPT]
        );
        assert!(hub.replayed(KEPT + 1).is_empty());
    }
}
