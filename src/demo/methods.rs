//! Every RPC of the CRI and what answers it: one table a service.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use hyper::body::Bytes;
use tonic::Status;

use super::item::List;
use super::node::Node;
use super::profile::Missing;
use super::wire::{Reply, decode};
use super::{change, events, exec, lists, stats, status, streaming};

type ListAnswer = fn(&Node, &[u8]) -> Result<List, Status>;

/// A streamed list comes in messages of about this size.
const BATCH: usize = 2 << 20;

/// What answers a method.
enum Handler {
    /// Answers at once.
    Now(fn(&Node, &[u8]) -> Result<Vec<u8>, Status>),
    /// A list, in one message.
    List(ListAnswer),
    /// The same list in several messages.
    Stream(ListAnswer),
    /// Takes its time.
    Slow(fn(Arc<Node>, Bytes) -> BoxFuture<'static, Result<Reply, Status>>),
    /// The stand-in's own lack, not the runtime's.
    NotYet,
}

macro_rules! now {
    ($method:literal, $answer:path) => {
        (
            $method,
            Handler::Now(
                |node, message| Ok(node.encode($method, $answer(node, decode(message)?)?)),
            ),
        )
    };
}

macro_rules! list {
    ($list:literal, $stream:literal, $answer:path) => {
        [
            (
                $list,
                Handler::List(|node, message| $answer(node, decode(message)?)),
            ),
            (
                $stream,
                Handler::Stream(|node, message| $answer(node, decode(message)?)),
            ),
        ]
    };
}

macro_rules! slow {
    ($method:literal, $answer:path) => {
        (
            $method,
            Handler::Slow(|node, message| {
                Box::pin(async move {
                    let reply = $answer(&node, decode(&message)?).await?;
                    Ok(Reply::One(node.encode($method, reply)))
                })
            }),
        )
    };
}

type Table = &'static [(&'static str, Handler)];

static LISTS: [[(&str, Handler); 2]; 4] = [
    list!("ListPodSandbox", "StreamPodSandboxes", lists::pods),
    list!("ListContainers", "StreamContainers", lists::containers),
    list!(
        "ListContainerStats",
        "StreamContainerStats",
        stats::list_containers
    ),
    list!(
        "ListPodSandboxStats",
        "StreamPodSandboxStats",
        stats::list_pods
    ),
];

static IMAGE_LISTS: [[(&str, Handler); 2]; 1] =
    [list!("ListImages", "StreamImages", lists::images)];

static RUNTIME: Table = &[
    now!("Version", status::version),
    now!("Status", status::status),
    now!("RuntimeConfig", status::runtime_config),
    now!("UpdateRuntimeConfig", status::update_runtime_config),
    now!("PodSandboxStatus", status::pod),
    now!("ContainerStatus", status::container),
    now!("ContainerStats", stats::container),
    now!("PodSandboxStats", stats::pod),
    now!("ListMetricDescriptors", stats::metric_descriptors),
    now!("ListPodSandboxMetrics", stats::pod_metrics),
    now!("RunPodSandbox", change::run_pod),
    now!("StopPodSandbox", change::stop_pod),
    now!("RemovePodSandbox", change::remove_pod),
    now!("CreateContainer", change::create_container),
    now!("StartContainer", change::start_container),
    now!("RemoveContainer", change::remove_container),
    now!("UpdateContainerResources", change::update_resources),
    now!("ReopenContainerLog", change::reopen_log),
    now!("CheckpointContainer", change::checkpoint),
    now!("ExecSync", exec::exec_sync),
    slow!("StopContainer", change::stop_container),
    (
        "GetContainerEvents",
        Handler::Slow(|node, _| Box::pin(async move { events::subscribe(&node) })),
    ),
    now!("Exec", streaming::exec),
    now!("Attach", streaming::attach),
    now!("PortForward", streaming::port_forward),
    ("UpdatePodSandboxResources", Handler::NotYet),
];

static IMAGE: Table = &[
    now!("ImageStatus", status::image),
    now!("ImageFsInfo", stats::image_fs),
    now!("RemoveImage", change::remove_image),
    slow!("PullImage", change::pull_image),
];

const RUNTIME_SERVICE: &str = "runtime.v1.RuntimeService";
const IMAGE_SERVICE: &str = "runtime.v1.ImageService";

/// Answers a call that was recorded and has passed the faults.
pub(super) async fn dispatch(node: Arc<Node>, path: &str, message: Bytes) -> Result<Reply, Status> {
    let (service, method) = split(path);
    let known = known_service(&node, service)?;
    if let Some(missing) = node.traits.missing(method) {
        return Err(missing.status(service, method));
    }
    let Some(handler) = find(known, method) else {
        return Err(Missing::Unknown.status(service, method));
    };
    match handler {
        Handler::Now(answer) => {
            let reply = answer(&node, &message)?;
            within(&node, reply.len())?;
            Ok(Reply::One(reply))
        }
        Handler::List(answer) => {
            let list = answer(&node, &message)?;
            within(&node, list.size())?;
            Ok(Reply::List(list))
        }
        Handler::Stream(answer) => {
            let mut list = answer(&node, &message)?;
            let batches = std::iter::from_fn(move || list.part(BATCH));
            Ok(Reply::Many(futures_util::stream::iter(batches).boxed()))
        }
        Handler::Slow(answer) => answer(node, message).await,
        Handler::NotYet => Err(Status::unimplemented(format!(
            "the simulated node does not answer {method} yet"
        ))),
    }
}

fn split(path: &str) -> (&str, &str) {
    path.trim_start_matches('/')
        .rsplit_once('/')
        .unwrap_or(("", path))
}

/// The v1 name of the service. The old API differs by its name alone for all that is asked of it.
fn known_service(node: &Node, service: &str) -> Result<&'static str, Status> {
    match service {
        RUNTIME_SERVICE => Ok(RUNTIME_SERVICE),
        IMAGE_SERVICE => Ok(IMAGE_SERVICE),
        "runtime.v1alpha2.RuntimeService" if node.traits.v1alpha2 => Ok(RUNTIME_SERVICE),
        "runtime.v1alpha2.ImageService" if node.traits.v1alpha2 => Ok(IMAGE_SERVICE),
        _ => Err(Status::unimplemented(format!("unknown service {service}"))),
    }
}

fn find(service: &str, method: &str) -> Option<&'static Handler> {
    let (lists, table): (&[_], Table) = if service == RUNTIME_SERVICE {
        (&LISTS, RUNTIME)
    } else {
        (&IMAGE_LISTS, IMAGE)
    };
    let mut all = lists.iter().flatten().chain(table);
    all.find(|(name, _)| *name == method)
        .map(|(_, handler)| handler)
}

/// Whether the runtime's gRPC server would send a reply of this size.
fn within(node: &Node, size: usize) -> Result<(), Status> {
    let max = node.traits.max_reply;
    if size > max {
        return Err(Status::resource_exhausted(format!(
            "grpc: trying to send message larger than max ({size} vs. {max})"
        )));
    }
    Ok(())
}

/// The full path of every method that is answered.
#[cfg(test)]
pub(super) fn paths() -> Vec<String> {
    let runtime = LISTS.iter().flatten().chain(RUNTIME);
    let image = IMAGE_LISTS.iter().flatten().chain(IMAGE);
    let runtime = runtime.map(|(name, _)| format!("/{RUNTIME_SERVICE}/{name}"));
    let image = image.map(|(name, _)| format!("/{IMAGE_SERVICE}/{name}"));
    runtime.chain(image).collect()
}
