//! The list calls, whole and streamed: encoded items, spliced.

// Every method is a function of one shape, for the table of them.
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps)]

use std::collections::HashMap;
use std::sync::Arc;

use k8s_cri::v1;
use prost::Message;
use tonic::Status;

use super::chance::Chance;
use super::faults::FaultKind;
use super::hostile;
use super::item::{Item, List};
use super::node::{Node, resolve};
use super::tell::{CONTAINER_MAPS, POD_MAPS, container_labels};
use super::world::{Container, Id, Pod, State, World};

/// Number of the field in which an item of a list can be padded: a map of strings, or a repeated
/// string.
#[derive(Clone, Copy)]
enum Padding {
    Map(u32),
    Strings(u32),
}

pub(super) fn pods(node: &Node, request: v1::ListPodSandboxRequest) -> Result<List, Status> {
    let mut world = node.world();
    let filter = request.filter.unwrap_or_default();
    let Some(id) = wanted(&world.pods, &filter.id)? else {
        return Ok(List::default());
    };
    let teller = node.teller("ListPodSandbox");
    let hostile = node.is_hostile("ListPodSandbox");
    let fresh: Vec<(Id, Arc<Item>)> = world
        .pods
        .values()
        .filter(|pod| pod.item.is_none())
        .map(|pod| {
            let told = poisoned(teller.pod(pod), hostile);
            (Arc::clone(&pod.id), Arc::new(Item::new(&told, &POD_MAPS)))
        })
        .collect();
    for (id, item) in fresh {
        if let Some(pod) = world.pods.get_mut(&id) {
            pod.item = Some(item);
        }
    }
    let fits = |pod: &&Pod| {
        (id.is_empty() || pod.id.as_ref() == id)
            && filter
                .state
                .is_none_or(|state| state.state == i32::from(!pod.ready))
            && has_labels(&filter.label_selector, || teller.pod_labels(pod))
    };
    let items = world
        .pods
        .values()
        .filter(fits)
        .filter_map(|pod| pod.item.clone());
    let items = items.collect();
    Ok(splice(
        node,
        &mut world,
        "ListPodSandbox",
        items,
        Padding::Map(6),
    ))
}

pub(super) fn containers(node: &Node, request: v1::ListContainersRequest) -> Result<List, Status> {
    let mut world = node.world();
    let filter = request.filter.unwrap_or_default();
    let Some(id) = wanted(&world.containers, &filter.id)? else {
        return Ok(List::default());
    };
    let Some(pod) = wanted(&world.pods, &filter.pod_sandbox_id)? else {
        return Ok(List::default());
    };
    refresh_containers(node, &mut world);
    let fits = |container: &&Container| {
        (id.is_empty() || container.id.as_ref() == id)
            && (pod.is_empty() || container.pod.as_ref() == pod)
            && filter
                .state
                .is_none_or(|state| state.state == state_number(container))
            && has_labels(&filter.label_selector, || {
                container_labels(container, &world)
            })
    };
    let all = world.containers.values().filter(fits);
    let items = all.filter_map(|container| container.item.clone()).collect();
    Ok(splice(
        node,
        &mut world,
        "ListContainers",
        items,
        Padding::Map(9),
    ))
}

fn refresh_containers(node: &Node, world: &mut World) {
    let teller = node.teller("ListContainers");
    let hostile = node.is_hostile("ListContainers");
    let fresh: Vec<(Id, Arc<Item>)> = world
        .containers
        .values()
        .filter(|container| container.item.is_none())
        .map(|container| {
            let told = poisoned(teller.container(container, world), hostile);
            (
                Arc::clone(&container.id),
                Arc::new(Item::new(&told, &CONTAINER_MAPS)),
            )
        })
        .collect();
    for (id, item) in fresh {
        if let Some(container) = world.containers.get_mut(&id) {
            container.item = Some(item);
        }
    }
}

/// containerd ignores the filter of this call completely.
pub(super) fn images(node: &Node, _: v1::ListImagesRequest) -> Result<List, Status> {
    let mut world = node.world();
    let teller = node.teller("ListImages");
    let hostile = node.is_hostile("ListImages");
    for image in world.images.values_mut() {
        if image.item.is_none() {
            image.item = Some(Arc::new(Item::new(
                &poisoned(teller.image(image), hostile),
                &[],
            )));
        }
    }
    let items = world.images.values().filter_map(|image| image.item.clone());
    let items = items.collect();
    Ok(splice(
        node,
        &mut world,
        "ListImages",
        items,
        Padding::Strings(2),
    ))
}

fn poisoned<M>(message: M, hostile: bool) -> M
where
    M: Message + serde::Serialize + serde::de::DeserializeOwned,
{
    if hostile {
        hostile::poison(message)
    } else {
        message
    }
}

fn state_number(container: &Container) -> i32 {
    match container.state {
        State::Created => 0,
        State::Running => 1,
        State::Exited(_) => 2,
    }
}

/// The full id that a filter asks for, empty for any; `None` if there is no such thing.
fn wanted<T>(
    map: &std::collections::BTreeMap<Id, T>,
    prefix: &str,
) -> Result<Option<String>, Status> {
    if prefix.is_empty() {
        return Ok(Some(String::new()));
    }
    Ok(resolve(map, prefix)?.map(|id| id.to_string()))
}

fn has_labels(
    selector: &HashMap<String, String>,
    labels: impl Fn() -> HashMap<String, String>,
) -> bool {
    if selector.is_empty() {
        return true;
    }
    let labels = labels();
    selector
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}

/// The reply that holds `items`, in random order.
fn splice(
    node: &Node,
    world: &mut World,
    method: &str,
    mut items: Vec<Arc<Item>>,
    padding: Padding,
) -> List {
    let size: usize = items.iter().map(|item| item.len() + 4).sum();
    let pad = pad_of(node, method);
    let missing = pad.saturating_sub(size).div_ceil(items.len().max(1));
    let extra = if missing > 0 {
        padding.field(missing)
    } else {
        Vec::new()
    };
    let chance = (!node.story.still).then(|| {
        world.chance.shuffle(&mut items);
        Chance::new(world.chance.next())
    });
    List::new(items, chance, extra)
}

fn pad_of(node: &Node, method: &str) -> usize {
    let faults = node.faults(method);
    let pads = faults.iter().map(|fault| match fault {
        FaultKind::Pad(bytes) => *bytes,
        _ => 0,
    });
    pads.max().unwrap_or(0)
}

impl Padding {
    /// An encoded field with about `length` bytes of content.
    fn field(self, length: usize) -> Vec<u8> {
        let text = "x".repeat(length);
        let mut out = Vec::with_capacity(length + 32);
        match self {
            Self::Strings(tag) => prost::encoding::string::encode(tag, &text, &mut out),
            Self::Map(tag) => {
                let mut entry = Vec::with_capacity(length + 16);
                prost::encoding::string::encode(1, &"padding".to_owned(), &mut entry);
                prost::encoding::string::encode(2, &text, &mut entry);
                prost::encoding::bytes::encode(tag, &entry, &mut out);
            }
        }
        out
    }
}
