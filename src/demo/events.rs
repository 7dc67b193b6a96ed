//! `GetContainerEvents`, with the differences that make it dangerous: see the profile's `events`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use k8s_cri::v1;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, broadcast};
use tonic::Status;

use super::node::Node;
use super::profile::{Events, Missing};
use super::wire::Reply;
use super::world::{Notice, NoticeKind};

/// Events that wait: for a subscriber, or for a slow one.
const MAX_WAITING: usize = 1_000;
/// How long containerd 2.x keeps events for which there was no subscriber, nanoseconds.
const KEPT: i64 = 300 * 1_000_000_000;

/// Where events go.
#[derive(Debug)]
pub(super) struct Hub {
    kind: Events,
    waiting: Mutex<VecDeque<Notice>>,
    more: Notify,
    live: broadcast::Sender<Notice>,
}

impl Hub {
    pub(super) fn new(kind: Events) -> Self {
        Self {
            kind,
            waiting: Mutex::default(),
            more: Notify::new(),
            live: broadcast::channel(MAX_WAITING).0,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Notice>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event; without a subscriber it waits for one.
    pub(super) fn publish(&self, notice: Notice) {
        let live = self.kind == Events::Broadcast && self.live.receiver_count() > 0;
        if live {
            // The last subscriber may just have gone.
            let _ = self.live.send(notice);
        } else {
            let mut waiting = self.waiting();
            if waiting.len() == MAX_WAITING {
                waiting.pop_front();
            }
            waiting.push_back(notice);
            self.more.notify_one();
        }
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
            let receiver = node.hub.live.subscribe();
            let old = node.hub.replayed(node.clock.now());
            let old: Vec<_> = old.iter().map(|notice| encoded(node, notice)).collect();
            let start = (Arc::clone(node), receiver);
            let live = futures_util::stream::unfold(start, |(node, mut receiver)| async move {
                let notice = next_live(&mut receiver).await?;
                Some((encoded(&node, &notice), (node, receiver)))
            });
            Ok(Reply::Many(
                futures_util::stream::iter(old).chain(live).boxed(),
            ))
        }
    }
}

async fn next_live(receiver: &mut broadcast::Receiver<Notice>) -> Option<Notice> {
    loop {
        match receiver.recv().await {
            Ok(notice) => return Some(notice),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
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
