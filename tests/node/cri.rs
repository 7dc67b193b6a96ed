//! The tests' own CRI client: nothing of the program's, so that one can be checked by the other.

use std::path::Path;
use std::time::Duration;

use k8s_cri::v1 as cri;
use k8s_cri::v1::image_service_client::ImageServiceClient;
use k8s_cri::v1::runtime_service_client::RuntimeServiceClient;
use tokio::runtime::{Builder, Runtime};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};

/// Deadline of every call.
const DEADLINE: Duration = Duration::from_secs(60);
/// The largest message that a runtime sends.
const LARGEST: usize = 80 << 20;

/// A client that blocks and panics with the call's name when a call fails.
pub struct Cri {
    tokio: Runtime,
    runtime: RuntimeServiceClient<Channel>,
    images: ImageServiceClient<Channel>,
}

/// Runs one call and takes its answer.
macro_rules! call {
    ($self:ident, $service:ident.$method:ident, $request:expr) => {{
        let mut client = $self.$service.clone();
        let request = request($request);
        answer(
            stringify!($method),
            $self.tokio.block_on(client.$method(request)),
        )
    }};
}

fn request<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

fn answer<T>(call: &str, result: Result<Response<T>, Status>) -> T {
    result
        .unwrap_or_else(|status| panic!("{call}: {status}"))
        .into_inner()
}

impl Cri {
    /// A client for the socket, which need not be there yet.
    pub fn new(socket: &Path) -> Self {
        let tokio = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a tokio runtime");
        let channel = {
            let _inside = tokio.enter();
            Endpoint::from_shared(format!("unix://{}", socket.display()))
                .expect("an endpoint")
                .connect_lazy()
        };
        Self {
            tokio,
            runtime: RuntimeServiceClient::new(channel.clone()).max_decoding_message_size(LARGEST),
            images: ImageServiceClient::new(channel).max_decoding_message_size(LARGEST),
        }
    }

    /// What the runtime says it is.
    pub fn version(&self) -> cri::VersionResponse {
        call!(self, runtime.version, cri::VersionRequest::default())
    }

    /// True when the runtime answers and its network is configured.
    pub fn network_ready(&self) -> bool {
        let mut client = self.runtime.clone();
        let request = request(cri::StatusRequest::default());
        let Ok(answer) = self.tokio.block_on(client.status(request)) else {
            return false;
        };
        let conditions = answer.into_inner().status.unwrap_or_default().conditions;
        ["RuntimeReady", "NetworkReady"]
            .iter()
            .all(|kind| conditions.iter().any(|c| c.r#type == *kind && c.status))
    }

    /// An image, if the runtime has it.
    pub fn image(&self, name: &str) -> Option<cri::Image> {
        let image = Some(spec(name));
        let request = cri::ImageStatusRequest {
            image,
            ..Default::default()
        };
        call!(self, images.image_status, request).image
    }

    /// Removes an image by name.
    pub fn remove_image(&self, name: &str) {
        let image = Some(spec(name));
        call!(self, images.remove_image, cri::RemoveImageRequest { image });
    }

    /// All images.
    pub fn images(&self) -> Vec<cri::Image> {
        call!(self, images.list_images, cri::ListImagesRequest::default()).images
    }

    /// All sandboxes.
    pub fn sandboxes(&self) -> Vec<cri::PodSandbox> {
        let request = cri::ListPodSandboxRequest::default();
        call!(self, runtime.list_pod_sandbox, request).items
    }

    /// All containers, in all states.
    pub fn containers(&self) -> Vec<cri::Container> {
        let request = cri::ListContainersRequest::default();
        call!(self, runtime.list_containers, request).containers
    }

    /// One sandbox in detail.
    pub fn sandbox_status(&self, id: &str) -> cri::PodSandboxStatus {
        let request = cri::PodSandboxStatusRequest {
            pod_sandbox_id: id.to_owned(),
            verbose: false,
        };
        call!(self, runtime.pod_sandbox_status, request)
            .status
            .expect("a status")
    }

    /// One container in detail.
    pub fn status(&self, id: &str) -> cri::ContainerStatus {
        let request = cri::ContainerStatusRequest {
            container_id: id.to_owned(),
            verbose: false,
        };
        call!(self, runtime.container_status, request)
            .status
            .expect("a status")
    }

    /// The status of a container, with everything that is verbose.
    pub fn container_status_verbose(&self, id: &str) -> cri::ContainerStatusResponse {
        let asked = cri::ContainerStatusRequest {
            container_id: id.to_owned(),
            verbose: true,
        };
        call!(self, runtime.container_status, asked)
    }

    /// Starts a sandbox; its id.
    pub fn run_sandbox(&self, config: &cri::PodSandboxConfig) -> String {
        let request = cri::RunPodSandboxRequest {
            config: Some(config.clone()),
            runtime_handler: String::new(),
        };
        call!(self, runtime.run_pod_sandbox, request).pod_sandbox_id
    }

    /// Makes a container; its id. The sandbox's configuration is not optional here: containerd 1.x
    /// panics without its metadata.
    pub fn create(
        &self,
        sandbox: &str,
        config: cri::ContainerConfig,
        sandbox_config: &cri::PodSandboxConfig,
    ) -> String {
        assert!(sandbox_config.metadata.is_some(), "containerd would panic");
        let request = cri::CreateContainerRequest {
            pod_sandbox_id: sandbox.to_owned(),
            config: Some(config),
            sandbox_config: Some(sandbox_config.clone()),
        };
        call!(self, runtime.create_container, request).container_id
    }

    /// Starts a container; the runtime's answer, since a wrong command fails here.
    pub fn start(&self, id: &str) -> Result<(), Status> {
        let mut client = self.runtime.clone();
        let request = request(cri::StartContainerRequest {
            container_id: id.to_owned(),
        });
        self.tokio
            .block_on(client.start_container(request))
            .map(|_| ())
    }

    /// Stops a container after `grace` seconds at most.
    pub fn stop(&self, id: &str, grace: i64) {
        let request = cri::StopContainerRequest {
            container_id: id.to_owned(),
            timeout: grace,
        };
        call!(self, runtime.stop_container, request);
    }

    /// Removes a container.
    pub fn remove(&self, id: &str) {
        let request = cri::RemoveContainerRequest {
            container_id: id.to_owned(),
        };
        call!(self, runtime.remove_container, request);
    }

    /// Stops a sandbox and all that runs in it.
    pub fn stop_sandbox(&self, id: &str) {
        let request = cri::StopPodSandboxRequest {
            pod_sandbox_id: id.to_owned(),
        };
        call!(self, runtime.stop_pod_sandbox, request);
    }

    /// Removes a sandbox with its containers.
    pub fn remove_sandbox(&self, id: &str) {
        let request = cri::RemovePodSandboxRequest {
            pod_sandbox_id: id.to_owned(),
        };
        call!(self, runtime.remove_pod_sandbox, request);
    }

    /// Where a command that is started this way is talked to.
    pub fn exec_url(&self, asked: &cri::ExecRequest) -> String {
        call!(self, runtime.exec, asked.clone()).url
    }

    /// Standard output of a command in a container.
    pub fn exec(&self, id: &str, command: &[&str]) -> String {
        let request = cri::ExecSyncRequest {
            container_id: id.to_owned(),
            cmd: command.iter().map(ToString::to_string).collect(),
            timeout: 5,
        };
        let answer = call!(self, runtime.exec_sync, request);
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }

    /// Id of a running container by the names of its pod and its own.
    pub fn container(&self, pod: &str, name: &str) -> String {
        let sandboxes = self.sandboxes();
        let named =
            |sandbox: &&cri::PodSandbox| sandbox.metadata.as_ref().is_some_and(|m| m.name == pod);
        let sandbox = &sandboxes.iter().find(named).expect("the pod").id;
        let wanted = |container: &&cri::Container| {
            container.pod_sandbox_id == *sandbox
                && container.state() == cri::ContainerState::ContainerRunning
                && container.metadata.as_ref().is_some_and(|m| m.name == name)
        };
        let containers = self.containers();
        containers
            .iter()
            .find(wanted)
            .expect("the container")
            .id
            .clone()
    }

    /// Makes the runtime open a container's log anew.
    pub fn reopen_log(&self, id: &str) {
        let request = cri::ReopenContainerLogRequest {
            container_id: id.to_owned(),
        };
        call!(self, runtime.reopen_container_log, request);
    }
}

/// An image by name.
pub fn spec(name: &str) -> cri::ImageSpec {
    cri::ImageSpec {
        image: name.to_owned(),
        ..Default::default()
    }
}
