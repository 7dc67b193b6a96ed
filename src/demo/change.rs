//! The calls that change the node: they change the simulated one.

// Every method is a function of one shape, for the table of them.
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps)]

use std::sync::Arc;
use std::time::Duration;

use k8s_cri::v1;
use tonic::Status;

use super::node::Node;
use super::profile::{Family, What};
use super::scenario::{ContainerSpec, ImageSpec, PodSpec, Uses};
use super::status::no_checkpoint;
use super::units::Bytes;
use super::world::{Container, End, Id, Limits, State, World};

/// How long a pull takes.
const PULLING: Duration = Duration::from_secs(4);
/// Registries that refuse.
const REFUSING: [&str; 2] = ["127.0.0.1:1/", "registry.invalid/"];

pub(super) fn in_state(container: &Container) -> &'static str {
    match container.state {
        State::Created => "CONTAINER_CREATED",
        State::Running => "CONTAINER_RUNNING",
        State::Exited(_) => "CONTAINER_EXITED",
    }
}

/// The id, if there is such a thing; what is gone is no error when it is stopped or removed,
/// except to containerd 1.6 when it is stopped.
fn if_there(node: &Node, found: Result<Id, Status>, stops: bool) -> Result<Option<Id>, Status> {
    let strict = stops && node.traits.version.starts_with("1.6");
    match found {
        Ok(id) => Ok(Some(id)),
        Err(status) if is_gone(&status) && !strict => Ok(None),
        Err(status) => Err(status),
    }
}

fn is_gone(status: &Status) -> bool {
    status.code() == tonic::Code::NotFound || status.message().contains("No such container")
}

pub(super) fn run_pod(
    node: &Node,
    request: v1::RunPodSandboxRequest,
) -> Result<v1::RunPodSandboxResponse, Status> {
    let config = request.config.unwrap_or_default();
    let Some(metadata) = config.metadata else {
        return Err(Status::unknown("sandbox config must include metadata"));
    };
    let spec = PodSpec {
        name: metadata.name,
        namespace: metadata.namespace,
        labels: config.labels.into_iter().collect(),
        annotations: config.annotations.into_iter().collect(),
        no_cgroup: config
            .linux
            .is_none_or(|linux| linux.cgroup_parent.is_empty()),
        ..PodSpec::default()
    };
    let id = node
        .world()
        .run_pod(spec, &metadata.uid, metadata.attempt, node.clock.now());
    Ok(v1::RunPodSandboxResponse {
        pod_sandbox_id: id.to_string(),
    })
}

pub(super) fn stop_pod(
    node: &Node,
    request: v1::StopPodSandboxRequest,
) -> Result<v1::StopPodSandboxResponse, Status> {
    let mut world = node.world();
    let found = node.pod_id(&world, "StopPodSandbox", &request.pod_sandbox_id);
    if let Some(id) = if_there(node, found, true)? {
        world.stop_pod(&id, node.clock.now());
        node.tell(&mut world);
    }
    Ok(v1::StopPodSandboxResponse {})
}

pub(super) fn remove_pod(
    node: &Node,
    request: v1::RemovePodSandboxRequest,
) -> Result<v1::RemovePodSandboxResponse, Status> {
    let mut world = node.world();
    let found = node.pod_id(&world, "RemovePodSandbox", &request.pod_sandbox_id);
    if let Some(id) = if_there(node, found, false)? {
        world.remove_pod(&id, node.clock.now());
        node.tell(&mut world);
    }
    Ok(v1::RemovePodSandboxResponse {})
}

/// A real containerd before 2.2 would die of a request without the sandbox's metadata, and every
/// container's supervision with it: here it is refused, and the recording shows it.
pub(super) fn create_container(
    node: &Node,
    request: v1::CreateContainerRequest,
) -> Result<v1::CreateContainerResponse, Status> {
    let sandbox = request.sandbox_config.and_then(|config| config.metadata);
    if sandbox.is_none() {
        return Err(Status::unknown("pod sandbox config must include metadata"));
    }
    let config = request.config.unwrap_or_default();
    let Some(metadata) = config.metadata else {
        return Err(Status::unknown("container config must include metadata"));
    };
    let mut world = node.world();
    let pod = node.pod_id(&world, "CreateContainer", &request.pod_sandbox_id)?;
    let image = config.image.unwrap_or_default().image;
    let Some(known) = world.image(&image) else {
        return Err(Status::not_found(format!(
            "failed to resolve image {image:?}: not found"
        )));
    };
    let image = known.tags.first().cloned().unwrap_or(image);
    refuse_twin(&world, &pod, &metadata)?;
    let spec = ContainerSpec {
        name: metadata.name,
        image,
        command: config.command.into_iter().chain(config.args).collect(),
        env: config
            .envs
            .iter()
            .map(|env| format!("{}={}", env.key, env.value))
            .collect(),
        uses: Uses::default(),
        tty: config.tty,
        ..ContainerSpec::default()
    };
    let id = world.create(&pod, Arc::new(spec), metadata.attempt, node.clock.now());
    node.tell(&mut world);
    Ok(v1::CreateContainerResponse {
        container_id: id.to_string(),
    })
}

/// Names are reserved for as long as their container is there.
fn refuse_twin(world: &World, pod: &Id, wanted: &v1::ContainerMetadata) -> Result<(), Status> {
    let twin = world.containers.values().find(|container| {
        container.pod == *pod
            && container.spec.name == wanted.name
            && container.attempt == wanted.attempt
    });
    let Some((twin, pod)) = twin.zip(world.pods.get(pod)) else {
        return Ok(());
    };
    let (spec, uid) = (&pod.spec, &pod.uid);
    let name = format!(
        "{}_{}_{}_{uid}_{}",
        wanted.name, spec.name, spec.namespace, wanted.attempt
    );
    Err(Status::unknown(format!(
        "failed to reserve container name {name:?}: name {name:?} is reserved for {:?}",
        twin.id
    )))
}

pub(super) fn start_container(
    node: &Node,
    request: v1::StartContainerRequest,
) -> Result<v1::StartContainerResponse, Status> {
    let mut world = node.world();
    let id = node.container_id(&world, "StartContainer", &request.container_id)?;
    let container = &world.containers[&id];
    if container.state != State::Created {
        return Err(Status::unknown(format!(
            "failed to set starting state for container {id:?}: container is in {} state",
            in_state(container)
        )));
    }
    let failure = world.start(&id, node.clock.now());
    node.tell(&mut world);
    match failure {
        Some(message) => Err(Status::unknown(message)),
        None => Ok(v1::StartContainerResponse {}),
    }
}

/// Blocks until the process is dead: the client's deadline must be longer than the grace.
pub(super) async fn stop_container(
    node: &Arc<Node>,
    request: v1::StopContainerRequest,
) -> Result<v1::StopContainerResponse, Status> {
    let now = node.clock.now();
    let (id, listens) = {
        let mut world = node.world();
        let found = node.container_id(&world, "StopContainer", &request.container_id);
        let Some(id) = if_there(node, found, true)? else {
            return Ok(v1::StopContainerResponse {});
        };
        if world.containers[&id].state != State::Running {
            return Ok(v1::StopContainerResponse {});
        }
        let listens = (request.timeout > 0)
            .then(|| world.terminate(&id, now))
            .flatten();
        (id, listens)
    };
    let grace = request.timeout.clamp(0, 1_000_000_000) * 1_000_000_000;
    if let Some(ends) = listens.filter(|ends| *ends <= now + grace) {
        node.clock.until(ends).await;
    } else {
        // A client that leaves before this moment leaves the container running.
        node.clock.until(now + grace).await;
    }
    let mut world = node.world();
    world.end(&id, End::new(node.clock.now(), 137));
    node.tell(&mut world);
    Ok(v1::StopContainerResponse {})
}

pub(super) fn remove_container(
    node: &Node,
    request: v1::RemoveContainerRequest,
) -> Result<v1::RemoveContainerResponse, Status> {
    let mut world = node.world();
    let found = node.container_id(&world, "RemoveContainer", &request.container_id);
    if let Some(id) = if_there(node, found, false)? {
        world.remove_container(&id, node.clock.now());
        node.tell(&mut world);
    }
    Ok(v1::RemoveContainerResponse {})
}

/// Zero means unchanged.
pub(super) fn update_resources(
    node: &Node,
    request: v1::UpdateContainerResourcesRequest,
) -> Result<v1::UpdateContainerResourcesResponse, Status> {
    let mut world = node.world();
    let id = node.container_id(&world, "UpdateContainerResources", &request.container_id)?;
    let wanted = request.linux.unwrap_or_default();
    let Some(container) = world.containers.get_mut(&id) else {
        return Err(node
            .traits
            .not_found("UpdateContainerResources", What::Container, &id));
    };
    let used = super::stats::usage(container, node.clock.now()).memory;
    let limit = wanted.memory_limit_in_bytes;
    if limit > 0 && u64::try_from(limit).is_ok_and(|limit| limit < used) {
        return Err(Status::unknown(format!(
            "failed to update resources: unable to set memory limit to {limit} (current usage: {used}, peak usage: {used})"
        )));
    }
    let limits = container.limits.get_or_insert_with(Limits::default);
    for (place, wanted) in [
        (&mut limits.memory, limit),
        (&mut limits.cpu_quota, wanted.cpu_quota),
        (&mut limits.cpu_shares, wanted.cpu_shares),
    ] {
        if wanted != 0 {
            *place = wanted;
        }
    }
    Ok(v1::UpdateContainerResourcesResponse {})
}

pub(super) fn reopen_log(
    node: &Node,
    request: v1::ReopenContainerLogRequest,
) -> Result<v1::ReopenContainerLogResponse, Status> {
    let world = node.world();
    let id = node.container_id(&world, "ReopenContainerLog", &request.container_id)?;
    if world.containers[&id].state != State::Running {
        return Err(Status::unknown("container is not running"));
    }
    drop(world);
    if let Some(Err(error)) = node.with_host(|host| host.reopen(&id)) {
        return Err(Status::unknown(format!(
            "failed to reopen log file: {error}"
        )));
    }
    Ok(v1::ReopenContainerLogResponse {})
}

pub(super) fn checkpoint(
    node: &Node,
    request: v1::CheckpointContainerRequest,
) -> Result<v1::CheckpointContainerResponse, Status> {
    let world = node.world();
    node.container_id(&world, "CheckpointContainer", &request.container_id)?;
    Err(no_checkpoint(node))
}

pub(super) async fn pull_image(
    node: &Arc<Node>,
    request: v1::PullImageRequest,
) -> Result<v1::PullImageResponse, Status> {
    let name = request.image.unwrap_or_default().image;
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(Status::unknown(format!(
            "failed to parse image reference {name:?}: invalid reference format"
        )));
    }
    if let Some(registry) = REFUSING.iter().find(|registry| name.starts_with(*registry)) {
        return Err(Status::unknown(refusal(
            node.traits.family,
            &name,
            registry,
        )));
    }
    node.clock.sleep(PULLING).await;
    let mut world = node.world();
    let id = world.image(&name).map(|image| image.id.clone());
    let id = id.unwrap_or_else(|| {
        let tagged = name
            .rsplit('/')
            .next()
            .is_some_and(|last| last.contains([':', '@']));
        let tag = if tagged {
            name
        } else {
            format!("{name}:latest")
        };
        world.add_image(ImageSpec {
            tags: vec![tag],
            size: Bytes(48_000_000),
            user: String::new(),
            pinned: false,
        })
    });
    Ok(v1::PullImageResponse {
        image_ref: node.traits.image_id(&id),
    })
}

fn refusal(family: Family, name: &str, registry: &str) -> String {
    let host = registry.trim_end_matches('/');
    let dial = format!("dial tcp {host}: connect: connection refused");
    match family {
        Family::CriDockerd => {
            format!("Error response from daemon: Get \"http://{host}/v2/\": {dial}")
        }
        _ => format!(
            "failed to pull and unpack image {name:?}: failed to resolve reference {name:?}: failed to do request: Head \"http://{host}/v2/\": {dial}"
        ),
    }
}

/// Removes every tag of what the name means, also if containers use it, as containerd does.
pub(super) fn remove_image(
    node: &Node,
    request: v1::RemoveImageRequest,
) -> Result<v1::RemoveImageResponse, Status> {
    let mut world = node.world();
    let name = request.image.unwrap_or_default().image;
    if let Some(id) = world.image(&name).map(|image| image.id.clone()) {
        world.remove_image(&id);
    }
    Ok(v1::RemoveImageResponse {})
}
