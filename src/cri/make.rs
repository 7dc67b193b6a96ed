//! Pods and containers made as a plan says.

use std::time::Duration;

use k8s_cri::v1;

use super::debug::sandbox_config;
use super::error::CriError;
use super::read::{request, within};
use super::spec::{Place, Plan};
use super::write::Writer;
use crate::domain::{ContainerId, PodId};

/// Longest wait for a pod: its network is set up.
const PATIENCE: Duration = Duration::from_secs(4 * 60);

impl Writer {
    /// Makes what a plan says. A pod whose container cannot be made or started goes again.
    pub(super) async fn make(&self, plan: &Plan) -> Result<&'static str, CriError> {
        const RUN: &str = "RunPodSandbox";
        let (id, config) = match &plan.pod {
            Place::There(id) => {
                let told = self.reader().full_sandbox(id).await?;
                (id.clone(), sandbox_config(&told))
            }
            Place::New(config) => {
                let asked = v1::RunPodSandboxRequest {
                    config: Some((**config).clone()),
                    runtime_handler: String::new(),
                };
                let mut client = self.client(RUN)?;
                let sent = Box::pin(client.run_pod_sandbox(request(asked, PATIENCE)));
                let made = within(RUN, PATIENCE, sent).await?;
                (PodId::new(&made.pod_sandbox_id), (**config).clone())
            }
        };
        let Some(container) = &plan.container else {
            return Ok("");
        };
        let made = self
            .make_in(&id, config, container.clone(), plan.starts)
            .await;
        if made.is_err() && matches!(plan.pod, Place::New(_)) {
            // What went wrong is told; that this fails too would only hide it.
            let _ = self.stop_pod(&id, &[], 0).await;
            let _ = self.remove_pod(&id).await;
        }
        made.map(|()| "")
    }

    async fn make_in(
        &self,
        pod: &PodId,
        sandbox: v1::PodSandboxConfig,
        config: v1::ContainerConfig,
        starts: bool,
    ) -> Result<(), CriError> {
        const CREATE: &str = "CreateContainer";
        let asked = v1::CreateContainerRequest {
            pod_sandbox_id: pod.as_str().to_owned(),
            config: Some(config),
            // Without its metadata older containerd dies; it has been checked.
            sandbox_config: Some(sandbox),
        };
        let mut client = self.client(CREATE)?;
        let sent = Box::pin(client.create_container(request(asked, PATIENCE)));
        let made = within(CREATE, PATIENCE, sent).await?;
        let id = ContainerId::new(&made.container_id);
        if !starts {
            return Ok(());
        }
        let started = self.start(&id).await;
        if started.is_err() {
            // Nobody would look for one that never ran.
            let _ = self.discard(&id).await;
        }
        started
    }
}
