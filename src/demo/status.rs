//! Versions, conditions and statuses.

// Every method is a function of one shape, for the table of them.
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps)]

use std::collections::HashMap;

use k8s_cri::v1;
use tonic::Status;

use super::faults::FaultKind;
use super::node::Node;
use super::profile::{Family, Missing};
use super::verbose;

pub(super) fn version(node: &Node, _: v1::VersionRequest) -> Result<v1::VersionResponse, Status> {
    Ok(v1::VersionResponse {
        version: "0.1.0".into(),
        runtime_name: node.traits.name.into(),
        runtime_version: node.traits.version.into(),
        runtime_api_version: "v1".into(),
    })
}

pub(super) fn status(
    node: &Node,
    request: v1::StatusRequest,
) -> Result<v1::StatusResponse, Status> {
    let conditions = [
        "RuntimeReady",
        "NetworkReady",
        "ContainerdHasNoDeprecationWarnings",
    ];
    let warns = node.traits.family == Family::Containerd && !node.traits.v1alpha2;
    let count = if warns { 3 } else { 2 };
    let conditions = conditions[..count].iter().map(|kind| v1::RuntimeCondition {
        r#type: (*kind).into(),
        status: true,
        reason: String::new(),
        message: String::new(),
    });
    let has_handlers = node.traits.missing("RuntimeConfig").is_none();
    Ok(v1::StatusResponse {
        status: Some(v1::RuntimeStatus {
            conditions: conditions.collect(),
        }),
        info: if request.verbose {
            verbose::runtime(node)
        } else {
            HashMap::new()
        },
        runtime_handlers: if has_handlers { handlers() } else { Vec::new() },
        features: has_handlers.then_some(v1::RuntimeFeatures {
            supplemental_groups_policy: true,
        }),
    })
}

fn handlers() -> Vec<v1::RuntimeHandler> {
    let handler = |name: &str| v1::RuntimeHandler {
        name: name.into(),
        features: Some(v1::RuntimeHandlerFeatures {
            recursive_read_only_mounts: true,
            user_namespaces: true,
        }),
    };
    vec![handler(""), handler("runc")]
}

pub(super) fn runtime_config(
    _: &Node,
    _: v1::RuntimeConfigRequest,
) -> Result<v1::RuntimeConfigResponse, Status> {
    Ok(v1::RuntimeConfigResponse {
        linux: Some(v1::LinuxRuntimeConfiguration { cgroup_driver: 0 }),
    })
}

pub(super) fn update_runtime_config(
    _: &Node,
    _: v1::UpdateRuntimeConfigRequest,
) -> Result<v1::UpdateRuntimeConfigResponse, Status> {
    Ok(v1::UpdateRuntimeConfigResponse {})
}

pub(super) fn pod(
    node: &Node,
    request: v1::PodSandboxStatusRequest,
) -> Result<v1::PodSandboxStatusResponse, Status> {
    let world = node.world();
    let id = node.pod_id(&world, "PodSandboxStatus", &request.pod_sandbox_id)?;
    let pod = &world.pods[&id];
    let teller = node.teller("PodSandboxStatus");
    Ok(v1::PodSandboxStatusResponse {
        status: Some(teller.pod_status(pod)),
        info: if request.verbose {
            verbose::pod(&teller, pod)
        } else {
            HashMap::new()
        },
        containers_statuses: Vec::new(),
        timestamp: 0,
    })
}

pub(super) fn container(
    node: &Node,
    request: v1::ContainerStatusRequest,
) -> Result<v1::ContainerStatusResponse, Status> {
    let world = node.world();
    let id = node.container_id(&world, "ContainerStatus", &request.container_id)?;
    let container = &world.containers[&id];
    let teller = node.teller("ContainerStatus");
    let status = teller.container_status(container, &world);
    let info = if request.verbose {
        verbose::container(&teller, container, &world)
    } else {
        HashMap::new()
    };
    drop(world);
    node.ensure_files(&id);
    Ok(v1::ContainerStatusResponse {
        status: Some(status),
        info,
    })
}

/// An image that is not there is no error.
pub(super) fn image(
    node: &Node,
    request: v1::ImageStatusRequest,
) -> Result<v1::ImageStatusResponse, Status> {
    let world = node.world();
    let name = request.image.unwrap_or_default().image;
    let vanished = node.faults("ImageStatus").contains(&FaultKind::Vanish);
    let image = world.image(&name).filter(|_| !vanished);
    let teller = node.teller("ImageStatus");
    Ok(v1::ImageStatusResponse {
        image: image.map(|image| teller.image(image)),
        info: match image {
            Some(image) if request.verbose => verbose::image(&teller, image),
            _ => HashMap::new(),
        },
    })
}

/// What a runtime without CRIU says.
pub(super) fn no_checkpoint(node: &Node) -> Status {
    match node.traits.family {
        Family::CriO => Status::unknown("checkpoint/restore support not available"),
        Family::Containerd => Status::unknown("criu binary not found in shim path or system PATH"),
        Family::CriDockerd => {
            Missing::NotImplemented.status("runtime.v1.RuntimeService", "CheckpointContainer")
        }
    }
}
