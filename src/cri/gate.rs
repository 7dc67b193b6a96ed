//! The second lock of read-only mode: a service around the channel that lets a call through only
//! if its full path is on one list of reads, unless it was built with a [`Pass`], which needs a
//! `WriteGrant`. Unknown paths are refused: what a future CRI adds is a write until somebody
//! has looked at it.

use std::task::{Context, Poll};

use futures_util::future::{Either, Ready, ready};
use http::{Request, Response};
use tonic::Status;
use tower::Service;

use crate::access::WriteGrant;

/// Every path that only reads. `GetContainerEvents` is not here: subscribing takes events away
/// from other clients (containerd 1.7) or can stall the runtime (containerd 2.x).
pub const READS: &[&str] = &[
    "/runtime.v1.RuntimeService/Version",
    "/runtime.v1.RuntimeService/Status",
    "/runtime.v1.RuntimeService/RuntimeConfig",
    "/runtime.v1.RuntimeService/ListPodSandbox",
    "/runtime.v1.RuntimeService/PodSandboxStatus",
    "/runtime.v1.RuntimeService/ListContainers",
    "/runtime.v1.RuntimeService/ContainerStatus",
    "/runtime.v1.RuntimeService/ListContainerStats",
    "/runtime.v1.RuntimeService/ContainerStats",
    "/runtime.v1.RuntimeService/ListPodSandboxStats",
    "/runtime.v1.RuntimeService/PodSandboxStats",
    "/runtime.v1.RuntimeService/ListMetricDescriptors",
    "/runtime.v1.RuntimeService/ListPodSandboxMetrics",
    "/runtime.v1.RuntimeService/StreamPodSandboxes",
    "/runtime.v1.RuntimeService/StreamContainers",
    "/runtime.v1.RuntimeService/StreamContainerStats",
    "/runtime.v1.RuntimeService/StreamPodSandboxStats",
    "/runtime.v1.RuntimeService/StreamPodSandboxMetrics",
    "/runtime.v1.ImageService/ListImages",
    "/runtime.v1.ImageService/StreamImages",
    "/runtime.v1.ImageService/ImageStatus",
    "/runtime.v1.ImageService/ImageFsInfo",
    // Only to tell an old runtime from one whose CRI is off.
    "/runtime.v1alpha2.RuntimeService/Version",
];

/// How the gate's own refusals begin.
pub(super) const REFUSAL: &str = "critui is read-only";

/// What opens the gate for everything: made from a `WriteGrant`, and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Pass(());

impl Pass {
    /// Turns the proof that this run may change things into a pass that can be kept.
    pub fn new(_: &WriteGrant) -> Self {
        Self(())
    }
}

/// A channel that refuses what is not on [`READS`] before a byte leaves.
#[derive(Clone, Debug)]
pub struct Gate<S> {
    inner: S,
    pass: Option<Pass>,
}

impl<S> Gate<S> {
    /// A gate for reads only.
    pub fn closed(inner: S) -> Self {
        Self { inner, pass: None }
    }

    /// A gate that lets everything through.
    pub fn open(inner: S, pass: Pass) -> Self {
        let pass = Some(pass);
        Self { inner, pass }
    }
}

impl<S, In, Out> Service<Request<In>> for Gate<S>
where
    S: Service<Request<In>, Response = Response<Out>>,
    Out: Default,
{
    type Response = Response<Out>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Out>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<In>) -> Self::Future {
        let path = request.uri().path();
        if self.pass.is_some() || READS.contains(&path) {
            return Either::Left(self.inner.call(request));
        }
        let refusal = Status::permission_denied(format!("{REFUSAL}: {path} was not sent"));
        Either::Right(ready(Ok(refusal.into_http())))
    }
}
