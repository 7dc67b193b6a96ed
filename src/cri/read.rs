//! Asking the runtime. Every call here goes through a closed gate and has a deadline.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_cri::v1::runtime_service_client::RuntimeServiceClient;
use k8s_cri::{v1, v1alpha2};
use tonic::Status;
use tonic::transport::Channel;

pub(super) use super::ask::{request, within, within_of};
use super::convert::{self, Condition};
use super::diagnose::{Failure, diagnose};
use super::dial::{self, Session, Watch};
use super::error::{CriError, Kind};
use super::gate::Gate;
use super::list::{Listed, Memory};
use super::pieces::{self, Form};
use super::target::{Target, Timing};
use crate::domain::{
    Changes, Container, ContainerDetail, ContainerId, Image, Pod, PodDetail, PodId, RuntimeVersion,
};
use crate::link::Problem;
use crate::text::Text;

/// Largest message that is accepted: CRI-O's own limit. containerd stops at 16 MiB.
pub(super) const LARGEST: usize = 80 << 20;

const VERSION: &str = "Version";

type Gated = Gate<Channel>;

/// Answers questions about the node: a cheap handle. While the runtime is down, every call fails
/// at once with [`Kind::Down`]; while it is silent, with [`Kind::Timeout`].
#[derive(Clone, Debug)]
pub struct Reader {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    session: Mutex<Option<Session>>,
    /// The runtime does not answer: asking would only add to the pile.
    silent: AtomicBool,
    deadline: Duration,
}

/// How one list is fetched.
#[derive(Debug)]
pub(super) struct List<T> {
    memory: Memory<T>,
    /// It was too large for one message: ask for batches.
    batched: bool,
}

impl Reader {
    /// A reader without a connection.
    pub(super) fn new(timing: &Timing) -> Self {
        let shared = Shared {
            session: Mutex::new(None),
            silent: AtomicBool::new(false),
            deadline: timing.deadline,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Uses `session` from now on.
    pub(super) fn pick_up(&self, session: Session) {
        *self.session() = Some(session);
        self.set_silent(false);
    }

    /// Drops the connection: calls fail at once.
    pub(super) fn hang_up(&self) {
        *self.session() = None;
    }

    /// While the runtime is silent, calls fail at once with [`Kind::Timeout`].
    pub(super) fn set_silent(&self, silent: bool) {
        self.shared.silent.store(silent, Ordering::Relaxed);
    }

    fn session(&self) -> std::sync::MutexGuard<'_, Option<Session>> {
        let session = self.shared.session.lock();
        session.unwrap_or_else(PoisonError::into_inner)
    }

    /// Name and version of the runtime.
    pub async fn version(&self) -> Result<RuntimeVersion, CriError> {
        self.awake(VERSION)?;
        self.version_within(self.shared.deadline).await
    }

    /// [`Reader::version`] with another deadline, asked also of a silent runtime.
    pub(super) async fn version_within(
        &self,
        deadline: Duration,
    ) -> Result<RuntimeVersion, CriError> {
        let channel = self.line(VERSION, |session| &session.runtime)?;
        let mut client = RuntimeServiceClient::new(Gate::closed(channel));
        let request = request(v1::VersionRequest::default(), deadline);
        let answer = within(VERSION, deadline, client.version(request)).await?;
        Ok(convert::version(&answer))
    }

    /// Name and version of a runtime that serves only v1alpha2.
    async fn old_version(&self) -> Result<Text, CriError> {
        const CALL: &str = "v1alpha2 Version";
        let channel = self.channel(CALL, |session| &session.runtime)?;
        let mut client =
            v1alpha2::runtime_service_client::RuntimeServiceClient::new(Gate::closed(channel));
        let request = request(v1alpha2::VersionRequest::default(), self.shared.deadline);
        let answer = within(CALL, self.shared.deadline, client.version(request)).await?;
        let name = format!("{} {}", answer.runtime_name, answer.runtime_version);
        Ok(Text::from(name))
    }

    /// All pod sandboxes, in the runtime's (random) order.
    pub async fn pods(&self) -> Result<Vec<Arc<Pod>>, CriError> {
        Ok(self.list(&mut List::default()).await?.came)
    }

    /// All containers, in the runtime's (random) order.
    pub async fn containers(&self) -> Result<Vec<Arc<Container>>, CriError> {
        Ok(self.list(&mut List::default()).await?.came)
    }

    /// All images, in the runtime's (random) order.
    pub async fn images(&self) -> Result<Vec<Arc<Image>>, CriError> {
        Ok(self.list(&mut List::default()).await?.came)
    }

    /// What changed about `list` since it was last fetched.
    pub(super) async fn list<T: Listed>(&self, list: &mut List<T>) -> Result<Changes<T>, CriError> {
        let channel = self.channel(T::WHAT, T::line)?;
        let deadline = self.shared.deadline;
        if !list.batched {
            let whole = Form::Whole(T::UNARY);
            match list.fetch(whole, channel.clone(), deadline).await {
                Err(error) if error.kind == Kind::TooLarge => (),
                done => return done,
            }
        }
        let batches = Form::Batches(T::STREAM);
        let listed = list.fetch(batches, channel, deadline).await;
        let listed = listed.map_err(|error| match error.kind {
            Kind::Unimplemented => too_large::<T>(),
            _ => error,
        })?;
        list.batched = true;
        Ok(listed)
    }

    /// Addresses and namespaces of one pod. A pod that is gone is [`Kind::NotFound`].
    pub async fn pod_detail(&self, id: &PodId) -> Result<PodDetail, CriError> {
        const CALL: &str = "PodSandboxStatus";
        let mut client = self.runtime(CALL)?;
        let asked = v1::PodSandboxStatusRequest {
            pod_sandbox_id: id.as_str().to_owned(),
            verbose: false,
        };
        let answer = client.pod_sandbox_status(request(asked, self.shared.deadline));
        let about = Some(id.as_str());
        let answer = within_of(CALL, about, self.shared.deadline, answer).await?;
        let status = answer.status.ok_or_else(|| gone(CALL, id.as_str()))?;
        Ok(convert::pod_detail(status))
    }

    /// Times, exit code and paths of one container. One that is gone is [`Kind::NotFound`].
    pub async fn container_detail(&self, id: &ContainerId) -> Result<ContainerDetail, CriError> {
        const CALL: &str = "ContainerStatus";
        let mut client = self.runtime(CALL)?;
        let asked = v1::ContainerStatusRequest {
            container_id: id.as_str().to_owned(),
            verbose: false,
        };
        let answer = client.container_status(request(asked, self.shared.deadline));
        let about = Some(id.as_str());
        let answer = within_of(CALL, about, self.shared.deadline, answer).await?;
        let status = answer.status.ok_or_else(|| gone(CALL, id.as_str()))?;
        Ok(convert::container_detail(&status))
    }

    /// The runtime's own idea of its readiness.
    pub async fn runtime_status(&self) -> Result<Vec<Condition>, CriError> {
        const CALL: &str = "Status";
        let mut client = self.runtime(CALL)?;
        let asked = request(v1::StatusRequest::default(), self.shared.deadline);
        let answer = within(CALL, self.shared.deadline, client.status(asked)).await?;
        Ok(convert::conditions(answer))
    }

    pub(super) fn channel(
        &self,
        call: &str,
        of: impl Fn(&Session) -> &Channel,
    ) -> Result<Channel, CriError> {
        self.awake(call)?;
        self.line(call, of)
    }

    /// Longest wait for any one call.
    pub(super) fn deadline(&self) -> Duration {
        self.shared.deadline
    }

    /// The line to the runtime service, for calls that another gate lets through.
    pub(super) fn runtime_line(&self, call: &str) -> Result<Channel, CriError> {
        self.channel(call, |session| &session.runtime)
    }

    /// The line to the image service.
    pub(super) fn image_line(&self, call: &str) -> Result<Channel, CriError> {
        self.channel(call, |session| &session.image)
    }

    fn awake(&self, call: &str) -> Result<(), CriError> {
        if self.shared.silent.load(Ordering::Relaxed) {
            let message = format!("{call}: not asked: the runtime does not answer");
            return Err(CriError::new(Kind::Timeout, message));
        }
        Ok(())
    }

    fn line(&self, call: &str, of: impl Fn(&Session) -> &Channel) -> Result<Channel, CriError> {
        let session = self.session();
        let session = session.as_ref().ok_or_else(|| CriError::down(call))?;
        Ok(of(session).clone())
    }

    pub(super) fn runtime(&self, call: &str) -> Result<RuntimeServiceClient<Gated>, CriError> {
        let channel = self.channel(call, |session| &session.runtime)?;
        let client = RuntimeServiceClient::new(Gate::closed(channel));
        Ok(client.max_decoding_message_size(LARGEST))
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            memory: Memory::default(),
            batched: false,
        }
    }
}

impl<T: Listed> List<T> {
    async fn fetch(
        &mut self,
        form: Form,
        channel: Channel,
        deadline: Duration,
    ) -> Result<Changes<T>, CriError> {
        let mut round = self.memory.begin();
        let item = |bytes: &[u8]| round.item(bytes);
        // Boxed: tonic's futures are large, and three of these wait side by side.
        let answer = Box::pin(pieces::list(
            Gate::closed(channel),
            form,
            request((), deadline),
            LARGEST,
            item,
        ));
        within(call(form.path()), deadline, answer).await?;
        Ok(round.end())
    }
}

pub(super) fn grpc(channel: Channel) -> tonic::client::Grpc<Gated> {
    tonic::client::Grpc::new(Gate::closed(channel)).max_decoding_message_size(LARGEST)
}

pub(super) async fn ready(client: &mut tonic::client::Grpc<Gated>) -> Result<(), Status> {
    client
        .ready()
        .await
        .map_err(|error| Status::from_error(error.into()))
}

/// The name of a call, from its path.
pub(super) fn call(path: &'static str) -> &'static str {
    path.rsplit('/').next().unwrap_or(path)
}

pub(super) fn gone(call: &str, id: &str) -> CriError {
    CriError::new(Kind::NotFound, format!("{call}: {id} not found"))
}

fn too_large<T: Listed>() -> CriError {
    let message = format!(
        "the list of {} is larger than the runtime can send (16 MiB on containerd) and it has no \
         streaming lists (containerd 2.4 and CRI-O 1.36 do): remove what is dead, or upgrade",
        T::WHAT
    );
    CriError::new(Kind::TooLarge, message)
}

/// Asks a fresh connection who is there, and finds out what is wrong if nobody answers in v1.
pub(super) async fn probe(reader: &Reader, watch: &Watch) -> Result<RuntimeVersion, Failure> {
    let deadline = reader.shared.deadline;
    let error = match reader.version().await {
        Ok(version) => return Ok(version),
        Err(error) => error,
    };
    // tonic's words when an HTTP/2 server does not end its answer as gRPC does.
    let web = error.message.as_str().contains("grpc-status");
    Err(match error.kind {
        _ if web => Failure::NotGrpc,
        Kind::Timeout => Failure::Mute(watch.greeting(), deadline),
        Kind::Down => Failure::Closed(watch.greeting()),
        Kind::NotReady => Failure::Starting(error.message),
        Kind::Unimplemented => match reader.old_version().await {
            Ok(name) => Failure::OldCri(name),
            Err(error) if error.kind == Kind::Unimplemented => Failure::CriOff,
            Err(error) => Failure::Status(error.message),
        },
        _ => Failure::Status(error.message),
    })
}

/// Connects once, without retries: for subcommands, and to try candidates.
pub async fn connect_once(
    target: &Target,
    timing: &Timing,
) -> Result<(Reader, RuntimeVersion), Problem> {
    let dialled = dial::dial(target, timing.deadline).await;
    let (session, watch) = dialled.map_err(|(socket, failure)| diagnose(&socket, &failure))?;
    let reader = Reader::new(timing);
    reader.pick_up(session);
    match probe(&reader, &watch).await {
        Ok(version) => Ok((reader, version)),
        Err(failure) => Err(diagnose(&target.runtime, &failure)),
    }
}
