//! Changes of the node, sent: what has to come before what, and how long each may take.

use std::future::Future;
use std::time::Duration;

use futures_util::future::join_all;
use k8s_cri::v1;
use tonic::{Response, Status};

use super::error::{CriError, Kind};
use super::read::{request, within};
use super::write::Writer;
use crate::act::Act;
use crate::domain::{ContainerId, PodId};

/// How long the runtime may take beyond the grace period, and for what tears networks down.
const MARGIN: Duration = Duration::from_secs(60);
/// Said of what is not there any more, which is what was wanted.
pub const GONE: &str = "it was gone already";

impl Writer {
    /// Does it, and waits until it is done; a line about how. What is gone already is done.
    pub async fn act(&self, act: &Act) -> Result<&'static str, CriError> {
        match act {
            Act::Stop { id, grace } => gone_is_done(self.stop(id, *grace).await),
            Act::Remove { id, running } => {
                if let Some(grace) = running {
                    gone_is_done(self.stop(id, *grace).await)?;
                }
                gone_is_done(self.remove(id).await)
            }
            Act::Start { id } => self.start(id).await.map(|()| ""),
            Act::StopPod { id, running, grace } => self.stop_pod(id, running, *grace).await,
            Act::Update { id, memory, cpu } => self.update(id, *memory, *cpu).await.map(|()| ""),
            Act::Checkpoint { id, to } => self.checkpoint(id, to).await.map(|()| ""),
            Act::Reopen { id } => self.reopen(id).await.map(|()| ""),
            Act::Make(plan) => self.make(plan).await,
            Act::Pull { reference, login } => self.pull(reference, login).await,
            Act::RemoveImage { id, unused } => self.remove_image(id, *unused).await,
            Act::RemovePod { id, running, grace } => {
                self.stop_pod(id, running, *grace).await?;
                gone_is_done(self.remove_pod(id).await)
            }
        }
    }

    /// The deadline outlives the grace period: a client that leaves before its end leaves the
    /// container running on containerd.
    async fn stop(&self, id: &ContainerId, grace: u32) -> Result<(), CriError> {
        let deadline = Duration::from_secs(grace.into()) + MARGIN;
        let asked = v1::StopContainerRequest {
            container_id: id.as_str().to_owned(),
            timeout: grace.into(),
        };
        let mut client = self.client("StopContainer")?;
        let sent = client.stop_container(request(asked, deadline));
        done("StopContainer", deadline, sent).await
    }

    async fn remove(&self, id: &ContainerId) -> Result<(), CriError> {
        let asked = v1::RemoveContainerRequest {
            container_id: id.as_str().to_owned(),
        };
        let mut client = self.client("RemoveContainer")?;
        let sent = client.remove_container(request(asked, MARGIN));
        done("RemoveContainer", MARGIN, sent).await
    }

    pub(super) async fn start(&self, id: &ContainerId) -> Result<(), CriError> {
        let asked = v1::StartContainerRequest {
            container_id: id.as_str().to_owned(),
        };
        let mut client = self.client("StartContainer")?;
        let sent = client.start_container(request(asked, MARGIN));
        done("StartContainer", MARGIN, sent).await
    }

    /// Stopping a sandbox kills what runs in it without any grace, so that goes first.
    pub(super) async fn stop_pod(
        &self,
        id: &PodId,
        running: &[ContainerId],
        grace: u32,
    ) -> Result<&'static str, CriError> {
        let stopped = join_all(running.iter().map(|one| self.stop(one, grace))).await;
        for one in stopped {
            gone_is_done(one)?;
        }
        let asked = v1::StopPodSandboxRequest {
            pod_sandbox_id: id.as_str().to_owned(),
        };
        let mut client = self.client("StopPodSandbox")?;
        let sent = client.stop_pod_sandbox(request(asked, MARGIN));
        gone_is_done(done("StopPodSandbox", MARGIN, sent).await)
    }

    pub(super) async fn remove_pod(&self, id: &PodId) -> Result<(), CriError> {
        let asked = v1::RemovePodSandboxRequest {
            pod_sandbox_id: id.as_str().to_owned(),
        };
        let mut client = self.client("RemovePodSandbox")?;
        let sent = client.remove_pod_sandbox(request(asked, MARGIN));
        done("RemovePodSandbox", MARGIN, sent).await
    }
}

pub(super) async fn done<T>(
    call: &str,
    deadline: Duration,
    sent: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<(), CriError> {
    within(call, deadline, sent).await.map(drop)
}

fn gone_is_done(done: Result<(), CriError>) -> Result<&'static str, CriError> {
    match done {
        Ok(()) => Ok(""),
        Err(error) if error.kind == Kind::NotFound => Ok(GONE),
        Err(error) => Err(error),
    }
}
