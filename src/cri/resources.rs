//! Changes of a container that goes on running.

use std::time::Duration;

use k8s_cri::v1;

use super::act::done;
use super::error::{CriError, Kind};
use super::read::request;
use super::write::Writer;
use crate::act::{PERIOD, quota};
use crate::domain::ContainerId;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest wait for a checkpoint: all of its memory is written.
const CHECKPOINT: Duration = Duration::from_secs(10 * 60);

impl Writer {
    /// Sets limits. Zero means unchanged to the runtime.
    pub(super) async fn update(
        &self,
        id: &ContainerId,
        memory: Option<u64>,
        cpu: Option<u64>,
    ) -> Result<(), CriError> {
        const CALL: &str = "UpdateContainerResources";
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let asked = v1::UpdateContainerResourcesRequest {
            container_id: id.as_str().to_owned(),
            linux: Some(v1::LinuxContainerResources {
                memory_limit_in_bytes: memory.map_or(0, number),
                cpu_quota: cpu.map_or(0, |cpu| number(quota(cpu))),
                cpu_period: cpu.map_or(0, |_| number(PERIOD)),
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut client = self.client(CALL)?;
        let sent = client.update_container_resources(request(asked, PATIENCE));
        done(CALL, PATIENCE, sent).await
    }

    /// Writes a checkpoint; an error says what is missing, as far as that is known.
    pub(super) async fn checkpoint(&self, id: &ContainerId, to: &str) -> Result<(), CriError> {
        const CALL: &str = "CheckpointContainer";
        let asked = v1::CheckpointContainerRequest {
            container_id: id.as_str().to_owned(),
            location: to.to_owned(),
            timeout: number(CHECKPOINT),
        };
        let mut client = self.client(CALL)?;
        let sent = client.checkpoint_container(request(asked, CHECKPOINT));
        let Err(error) = done(CALL, CHECKPOINT, sent).await else {
            return Ok(());
        };
        let said = error.message.as_str();
        let advice = if error.kind == Kind::Unimplemented {
            "this runtime cannot: containerd can from 2.0 on, CRI-O with enable_criu_support"
        } else if said.contains("criu") || said.contains("checkpoint/restore") {
            "it needs the program criu on the node, and CRI-O also enable_criu_support"
        } else {
            return Err(error);
        };
        Err(CriError::new(error.kind, format!("{said}; {advice}")))
    }

    pub(super) async fn reopen(&self, id: &ContainerId) -> Result<(), CriError> {
        const CALL: &str = "ReopenContainerLog";
        let asked = v1::ReopenContainerLogRequest {
            container_id: id.as_str().to_owned(),
        };
        let mut client = self.client(CALL)?;
        let sent = client.reopen_container_log(request(asked, PATIENCE));
        done(CALL, PATIENCE, sent).await
    }
}

fn number(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
