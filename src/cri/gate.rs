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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use prost::Message;
    use prost_types::FileDescriptorSet;
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::convert::Infallible;
    use std::path::PathBuf;
    use std::process::Command;

    /// What changes the node, or can: everything that is not a read. With [`READS`] this covers
    /// the whole CRI, so that a method of a newer one has to be looked at before it is used.
    const WRITES: &[&str] = &[
        "/runtime.v1.RuntimeService/RunPodSandbox",
        "/runtime.v1.RuntimeService/StopPodSandbox",
        "/runtime.v1.RuntimeService/RemovePodSandbox",
        "/runtime.v1.RuntimeService/CreateContainer",
        "/runtime.v1.RuntimeService/StartContainer",
        "/runtime.v1.RuntimeService/StopContainer",
        "/runtime.v1.RuntimeService/RemoveContainer",
        "/runtime.v1.RuntimeService/UpdateContainerResources",
        "/runtime.v1.RuntimeService/ReopenContainerLog",
        "/runtime.v1.RuntimeService/ExecSync",
        "/runtime.v1.RuntimeService/Exec",
        "/runtime.v1.RuntimeService/Attach",
        "/runtime.v1.RuntimeService/PortForward",
        "/runtime.v1.RuntimeService/UpdateRuntimeConfig",
        "/runtime.v1.RuntimeService/CheckpointContainer",
        "/runtime.v1.RuntimeService/GetContainerEvents",
        "/runtime.v1.ImageService/PullImage",
        "/runtime.v1.ImageService/RemoveImage",
    ];

    /// Newer than the descriptors of k8s-cri.
    const NEWER_READS: &[&str] = &[
        "/runtime.v1.RuntimeService/StreamPodSandboxes",
        "/runtime.v1.RuntimeService/StreamContainers",
        "/runtime.v1.RuntimeService/StreamContainerStats",
        "/runtime.v1.RuntimeService/StreamPodSandboxStats",
        "/runtime.v1.RuntimeService/StreamPodSandboxMetrics",
        "/runtime.v1.ImageService/StreamImages",
    ];

    /// Sends `path` through `gate`; true if it got out, else the refusal must be clear.
    fn passes(pass: Option<Pass>, path: &str) -> bool {
        let sent = RefCell::new(false);
        let inner = tower::service_fn(|_: Request<()>| {
            *sent.borrow_mut() = true;
            ready(Ok::<_, Infallible>(Response::new(())))
        });
        let mut gate = match pass {
            Some(pass) => Gate::open(inner, pass),
            None => Gate::closed(inner),
        };
        let request = Request::builder().uri(path).body(()).unwrap();
        let answer = futures_util::FutureExt::now_or_never(gate.call(request));
        let answer = answer.unwrap().unwrap();
        let status = Status::from_header_map(answer.headers());
        let sent = *sent.borrow();
        assert_eq!(sent, status.is_none());
        if let Some(status) = status {
            assert!(status.message().starts_with(REFUSAL));
            assert!(status.message().contains(path));
        }
        sent
    }

    #[test]
    fn reads_pass_and_writes_do_not() {
        for path in READS {
            assert!(passes(None, path), "{path}");
        }
        for path in WRITES {
            assert!(!passes(None, path), "{path}");
        }
    }

    #[test]
    fn only_whole_paths_count() {
        for path in [
            "/",
            "/Version",
            "/runtime.v1.RuntimeService/Version/",
            "//runtime.v1.RuntimeService/Version",
            "/runtime.v1.runtimeservice/version",
            "/runtime.v1.RuntimeService/%56ersion",
            "/runtime.v1alpha2.RuntimeService/ListContainers",
            "/containerd.services.snapshots.v1.Snapshots/Mounts",
            "/runtime.v1.RuntimeService/SomethingNew",
        ] {
            assert!(!passes(None, path), "{path}");
        }
    }

    #[test]
    fn a_pass_opens_the_gate() {
        let access = Access::decide(vec![]);
        let pass = Pass::new(access.grant().unwrap().as_ref());
        for path in WRITES {
            assert!(passes(Some(pass), path), "{path}");
        }
    }

    #[test]
    fn every_method_of_the_compiled_cri_is_classified() {
        let compiled = methods("v1.proto");
        assert!(compiled.len() > 30, "{compiled:?}");
        let old = |path: &&&str| path.starts_with("/runtime.v1.") && !NEWER_READS.contains(path);
        let reads = READS.iter().filter(old);
        let classified: BTreeSet<_> = reads.chain(WRITES).map(ToString::to_string).collect();
        assert_eq!(classified, compiled);
    }

    #[test]
    fn of_the_old_cri_only_the_version_is_a_read() {
        let passing: Vec<_> = methods("v1alpha2.proto")
            .into_iter()
            .filter(|path| passes(None, path))
            .collect();
        assert_eq!(passing, ["/runtime.v1alpha2.RuntimeService/Version"]);
    }

    /// Full paths of all methods in a file of the very k8s-cri that this crate is built with.
    fn methods(file: &str) -> BTreeSet<String> {
        let protos = k8s_cri_folder().join("proto");
        let output = tempfile::NamedTempFile::new().unwrap();
        let compiler = std::env::var_os("PROTOC").unwrap_or_else(|| {
            let wrapper = concat!(env!("CARGO_MANIFEST_DIR"), "/.cargo/protoc");
            wrapper.into()
        });
        let status = Command::new(compiler)
            .arg("-I")
            .arg(&protos)
            .arg("-o")
            .arg(output.path())
            .arg(protos.join(file))
            .status();
        assert!(status.unwrap().success());
        let bytes = std::fs::read(output.path()).unwrap();
        let set = FileDescriptorSet::decode(bytes.as_slice()).unwrap();
        let mut paths = BTreeSet::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    let (package, service) = (file.package(), service.name());
                    paths.insert(format!("/{package}.{service}/{}", method.name()));
                }
            }
        }
        paths
    }

    fn k8s_cri_folder() -> PathBuf {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--offline", "--locked"])
            // What other systems need has not been downloaded.
            .arg("--filter-platform")
            .arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH))
            .args([
                "--manifest-path",
                concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
            ])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let found = packages.iter().find(|package| package["name"] == "k8s-cri");
        let manifest = found.unwrap()["manifest_path"].as_str().unwrap();
        PathBuf::from(manifest).parent().unwrap().to_owned()
    }
}
