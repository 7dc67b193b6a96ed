//! `GetContainerEvents`, with the differences that make it dangerous: see the profile's `events`.

use std::sync::Arc;

use futures_util::StreamExt as _;
use k8s_cri::v1;
use tokio::sync::broadcast::error::RecvError;
use tonic::Status;

use super::node::Node;
use super::profile::{Events, Missing};
use super::wire::Reply;
use super::world::{Notice, NoticeKind};

/// Subscribes to what happens from now on.
pub(super) fn subscribe(node: &Arc<Node>) -> Result<Reply, Status> {
    match node.traits.events {
        Events::Unimplemented => {
            let service = "runtime.v1.RuntimeService";
            return Err(Missing::NotImplemented.status(service, "GetContainerEvents"));
        }
        Events::EndsAtOnce => return Ok(Reply::Many(futures_util::stream::empty().boxed())),
        Events::Broadcast | Events::SharedQueue => {}
    }
    let receiver = node.notices.subscribe();
    let start = (Arc::clone(node), receiver);
    let stream = futures_util::stream::unfold(start, |(node, mut receiver)| async move {
        loop {
            match receiver.recv().await {
                Ok(notice) => {
                    let event = node.encode("GetContainerEvents", event(&node, &notice));
                    return Some((event, (node, receiver)));
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    Ok(Reply::Many(stream.boxed()))
}

fn event(node: &Node, notice: &Notice) -> v1::ContainerEventResponse {
    let world = node.world();
    let teller = node.teller("GetContainerEvents");
    let pod = world.pods.get(&notice.pod);
    let statuses = world
        .containers
        .values()
        .filter(|container| container.pod == notice.pod);
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
