//! A debug container: made in a sandbox that is there, beside a container whose processes it sees.

use std::time::Duration;

use k8s_cri::v1;
use serde_json::Value;

use super::error::CriError;
use super::read::{request, within};
use super::verbose::info;
use super::write::Writer;
use crate::domain::{ContainerId, PodId};

/// Label of what critui has made: whose it is, see [`crate::host::owner`].
pub const OWNER: &str = "io.critui.owner";
/// How long removing may take: a runtime that kills at once is given some time for that.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a debug container is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Debug {
    /// The sandbox.
    pub pod: PodId,
    /// The container whose processes it sees, if that runs.
    pub target: Option<ContainerId>,
    /// An image that is on the node, by reference or id.
    pub image: String,
    /// What it is called in the pod.
    pub name: String,
    /// The value of [`OWNER`].
    pub owner: String,
}

impl Writer {
    /// Makes a debug container and starts it: a shell with a terminal.
    pub async fn debug(&self, debug: &Debug) -> Result<ContainerId, CriError> {
        const CREATE: &str = "CreateContainer";
        const START: &str = "StartContainer";
        let deadline = self.reader().deadline();
        let sandbox = self.reader().full_sandbox(&debug.pod).await?;
        let asked = v1::CreateContainerRequest {
            pod_sandbox_id: debug.pod.as_str().to_owned(),
            config: Some(config(debug, &sandbox)),
            sandbox_config: Some(sandbox_config(&sandbox)),
        };
        let mut client = self.client(CREATE)?;
        // The request is large.
        let made = Box::pin(client.create_container(request(asked, deadline)));
        let made = within(CREATE, deadline, made).await?;
        let id = ContainerId::new(made.container_id.as_str());
        let asked = v1::StartContainerRequest {
            container_id: id.as_str().to_owned(),
        };
        let started = client.start_container(request(asked, deadline));
        if let Err(error) = within(START, deadline, started).await {
            // Nobody would ever look for it.
            let _ = self.discard(&id).await;
            return Err(error);
        }
        Ok(id)
    }

    /// Kills a container and removes it, whatever state it is in. One that is gone already is what
    /// was wanted.
    pub async fn discard(&self, id: &ContainerId) -> Result<(), CriError> {
        const STOP: &str = "StopContainer";
        const REMOVE: &str = "RemoveContainer";
        let mut client = self.client(STOP)?;
        let asked = v1::StopContainerRequest {
            container_id: id.as_str().to_owned(),
            timeout: 0,
        };
        let stopped = client.stop_container(request(asked, PATIENCE));
        // What cannot be stopped may still be removed.
        let _ = within(STOP, PATIENCE, stopped).await;
        let asked = v1::RemoveContainerRequest {
            container_id: id.as_str().to_owned(),
        };
        let removed = client.remove_container(request(asked, PATIENCE));
        match within(REMOVE, PATIENCE, removed).await {
            Err(error) if error.kind != super::Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The configuration that the sandbox was made with, as far as it is told. Without its metadata
/// containerd 1.6 and 1.7 die.
pub(super) fn sandbox_config(answer: &v1::PodSandboxStatusResponse) -> v1::PodSandboxConfig {
    let status = answer.status.clone().unwrap_or_default();
    let told = info(&answer.info);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let config = &told["config"];
    v1::PodSandboxConfig {
        metadata: status.metadata,
        hostname: text(&config["hostname"]),
        log_directory: text(&config["log_directory"]),
        labels: status.labels,
        annotations: status.annotations,
        linux: Some(v1::LinuxPodSandboxConfig {
            cgroup_parent: text(&config["linux"]["cgroup_parent"]),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn config(debug: &Debug, sandbox: &v1::PodSandboxStatusResponse) -> v1::ContainerConfig {
    let status = sandbox.status.as_ref();
    let linux = status.and_then(|status| status.linux.as_ref());
    let options = linux.and_then(|linux| linux.namespaces.as_ref()?.options.clone());
    let mut namespaces = options.unwrap_or_default();
    if let Some(target) = &debug.target {
        namespaces.pid = v1::NamespaceMode::Target as i32;
        target.as_str().clone_into(&mut namespaces.target_id);
    }
    let metadata = status.and_then(|status| status.metadata.as_ref());
    let metadata = metadata.cloned().unwrap_or_default();
    let labels = [
        (OWNER, debug.owner.as_str()),
        ("io.kubernetes.container.name", &debug.name),
        ("io.kubernetes.pod.name", &metadata.name),
        ("io.kubernetes.pod.namespace", &metadata.namespace),
        ("io.kubernetes.pod.uid", &metadata.uid),
    ];
    v1::ContainerConfig {
        metadata: Some(v1::ContainerMetadata {
            name: debug.name.clone(),
            attempt: 0,
        }),
        image: Some(v1::ImageSpec {
            image: debug.image.clone(),
            user_specified_image: debug.image.clone(),
            ..Default::default()
        }),
        command: vec!["sh".to_owned()],
        labels: labels
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        stdin: true,
        tty: true,
        linux: Some(v1::LinuxContainerConfig {
            security_context: Some(v1::LinuxContainerSecurityContext {
                // To look into /proc/1/root of the target.
                capabilities: Some(v1::Capability {
                    add_capabilities: vec!["SYS_PTRACE".to_owned()],
                    ..Default::default()
                }),
                namespace_options: Some(namespaces),
                ..Default::default()
            }),
            ..Default::default()
        }),
        // No log, so nothing of it stays on the node.
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox() -> v1::PodSandboxStatusResponse {
        let config = r#"{"config":{"hostname":"web","log_directory":"/var/log/pods/x","linux":{"cgroup_parent":"/kubepods/burstable/podu"}}}"#;
        v1::PodSandboxStatusResponse {
            status: Some(v1::PodSandboxStatus {
                metadata: Some(v1::PodSandboxMetadata {
                    name: "web".into(),
                    uid: "u".into(),
                    namespace: "shop".into(),
                    attempt: 1,
                }),
                ..Default::default()
            }),
            info: [("info".to_owned(), config.to_owned())].into(),
            ..Default::default()
        }
    }

    fn debug(target: Option<&str>) -> Debug {
        Debug {
            pod: PodId::new("p"),
            target: target.map(ContainerId::new),
            image: "busybox".into(),
            name: "critui-debug".into(),
            owner: "boot/1/2".into(),
        }
    }

    #[test]
    fn the_sandbox_is_told_as_it_was_made() {
        let config = sandbox_config(&sandbox());
        assert_eq!(config.metadata.unwrap().name, "web");
        assert_eq!(config.log_directory, "/var/log/pods/x");
        assert_eq!(
            config.linux.unwrap().cgroup_parent,
            "/kubepods/burstable/podu"
        );
        // CRI-O tells less: the metadata is there all the same.
        let mut little = sandbox();
        little.info.clear();
        assert_eq!(sandbox_config(&little).metadata.unwrap().uid, "u");
    }

    #[test]
    fn only_what_runs_shares_its_processes() {
        let options = |target| {
            let config = config(&debug(target), &sandbox());
            let context = config.linux.unwrap().security_context.unwrap();
            context.namespace_options.unwrap()
        };
        let beside = options(Some("c1"));
        assert_eq!(beside.pid, v1::NamespaceMode::Target as i32);
        assert_eq!(beside.target_id, "c1");
        assert_eq!(options(None).pid, v1::NamespaceMode::Pod as i32);
        let config = config(&debug(None), &sandbox());
        assert_eq!(config.labels[OWNER], "boot/1/2");
        assert!(config.log_path.is_empty() && config.tty && config.stdin);
    }
}
