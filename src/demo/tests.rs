//! The simulated node as a client sees it, over its socket.

use std::time::Duration;

use jiff::Timestamp;
use k8s_cri::v1::image_service_client::ImageServiceClient;
use k8s_cri::v1::runtime_service_client::RuntimeServiceClient;
use k8s_cri::v1::{self, ContainerState};
use rstest::rstest;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use super::*;

const MAX: usize = 80 << 20;

pub(super) struct Client {
    pub(super) runtime: RuntimeServiceClient<Channel>,
    pub(super) images: ImageServiceClient<Channel>,
}

pub(super) async fn channel(demo: &DemoNode) -> Channel {
    Endpoint::from_shared(format!("unix://{}", demo.socket().display()))
        .expect("a path is an endpoint")
        .connect()
        .await
        .expect("the node listens")
}

pub(super) async fn client(demo: &DemoNode) -> Client {
    let channel = channel(demo).await;
    Client {
        runtime: RuntimeServiceClient::new(channel.clone()).max_decoding_message_size(MAX),
        images: ImageServiceClient::new(channel).max_decoding_message_size(MAX),
    }
}

pub(super) fn manual() -> Clock {
    Clock::manual("2026-11-20T10:00:00Z".parse::<Timestamp>().expect("a time"))
}

pub(super) fn start(name: &str, options: Options) -> DemoNode {
    let scenario = Scenario::named(name).expect("a scenario");
    DemoNode::start(&scenario, options).expect("it starts")
}

impl Client {
    pub(super) async fn containers(&mut self) -> Vec<v1::Container> {
        let request = v1::ListContainersRequest { filter: None };
        let reply = self.runtime.list_containers(request).await.expect("a list");
        reply.into_inner().containers
    }

    /// Attempts of the container called `name`, the newest first.
    async fn attempts(&mut self, name: &str) -> Vec<(u32, ContainerState)> {
        let mut found: Vec<_> = self
            .containers()
            .await
            .into_iter()
            .filter_map(|container| {
                let state = container.state();
                let metadata = container.metadata?;
                (metadata.name == name).then_some((metadata.attempt, state))
            })
            .collect();
        found.sort_by_key(|found| std::cmp::Reverse(found.0));
        found
    }

    /// The newest attempt of the container called `name`.
    pub(super) async fn newest(&mut self, name: &str) -> v1::Container {
        let all = self.containers().await;
        all.into_iter()
            .filter(|c| c.metadata.as_ref().is_some_and(|m| m.name == name))
            .max_by_key(|container| container.created_at)
            .expect("a container of that name")
    }

    pub(super) async fn status(&mut self, name: &str) -> v1::ContainerStatus {
        let request = v1::ContainerStatusRequest {
            container_id: self.newest(name).await.id,
            verbose: true,
        };
        let reply = self
            .runtime
            .container_status(request)
            .await
            .expect("a status");
        reply.into_inner().status.expect("it is filled")
    }

    pub(super) async fn pod(&mut self, id: &str) -> v1::PodSandbox {
        let filter = Some(v1::PodSandboxFilter {
            id: id.into(),
            ..v1::PodSandboxFilter::default()
        });
        let request = v1::ListPodSandboxRequest { filter };
        let reply = self
            .runtime
            .list_pod_sandbox(request)
            .await
            .expect("a list");
        reply.into_inner().items.pop().expect("the pod")
    }

    pub(super) async fn stats(&mut self) -> Vec<v1::ContainerStats> {
        let request = v1::ListContainerStatsRequest { filter: None };
        let reply = self
            .runtime
            .list_container_stats(request)
            .await
            .expect("a list");
        reply.into_inner().stats
    }
}

#[tokio::test]
async fn one_sandbox_without_a_cgroup_parent_fails_the_statistics_of_all_pods() {
    for (profile, fails) in [
        ("containerd-2", true),
        ("containerd-1.7", true),
        ("cri-o", false),
    ] {
        let options = Options {
            profile: Profile::named(profile).expect("a profile"),
            ..Options::default()
        };
        let demo = start("calm", options);
        let mut client = client(&demo).await;
        let ask = v1::ListPodSandboxStatsRequest::default();
        let before = client.runtime.list_pod_sandbox_stats(ask.clone()).await;
        assert_eq!(before.expect("statistics").into_inner().stats.len(), 3);
        let config = v1::PodSandboxConfig {
            metadata: Some(v1::PodSandboxMetadata {
                name: "by-hand".into(),
                ..v1::PodSandboxMetadata::default()
            }),
            ..v1::PodSandboxConfig::default()
        };
        let request = v1::RunPodSandboxRequest {
            config: Some(config),
            ..v1::RunPodSandboxRequest::default()
        };
        client
            .runtime
            .run_pod_sandbox(request)
            .await
            .expect("a pod");
        let after = client.runtime.list_pod_sandbox_stats(ask).await;
        let error = after.err().map(|error| error.message().to_owned());
        let named = error.is_some_and(|text| text.ends_with("because cgroupPath is empty"));
        assert_eq!(named, fails, "{profile}");
    }
}

#[tokio::test]
async fn the_crashlooper_backs_off_and_keeps_one_dead_attempt() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let (exited, running) = (
        ContainerState::ContainerExited,
        ContainerState::ContainerRunning,
    );
    assert_eq!(client.attempts("payments").await, [(7, exited)]);
    // Created 2m51s ago, it ran for 11 s: the next attempt comes 5 minutes after its end.
    demo.advance(Duration::from_secs(140));
    assert_eq!(client.attempts("payments").await, [(7, exited)]);
    demo.advance(Duration::from_secs(1));
    assert_eq!(
        client.attempts("payments").await,
        [(8, running), (7, exited)]
    );
    demo.advance(Duration::from_secs(12));
    assert_eq!(client.attempts("payments").await, [(8, exited)]);
    demo.advance(Duration::from_secs(300));
    assert_eq!(
        client.attempts("payments").await,
        [(9, running), (8, exited)]
    );
}

#[rstest]
#[case("payments", 1, "Error")]
#[case("worker", 128, "StartError")]
#[case("backup", 0, "Completed")]
#[tokio::test]
async fn ends_are_told_as_they_are(#[case] name: &str, #[case] exit: i32, #[case] reason: &str) {
    let demo = start("node", Options::default());
    let status = client(&demo).await.status(name).await;
    assert_eq!((status.exit_code, status.reason.as_str()), (exit, reason));
    assert!(status.finished_at > status.created_at);
    assert_eq!(status.started_at == 0, reason == "StartError");
}

#[tokio::test]
async fn calm_gives_the_same_bytes() {
    let demo = start(
        "calm",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let first = client.containers().await;
    demo.advance(Duration::from_secs(86_400));
    assert_eq!(client.containers().await, first);
    assert_eq!(first.len(), 3);
}

#[tokio::test]
async fn the_recording_is_complete() {
    let demo = start("calm", Options::default());
    let mut client = client(&demo).await;
    client.containers().await;
    let request = v1::StopContainerRequest {
        container_id: "nope".into(),
        timeout: 7,
    };
    client
        .runtime
        .stop_container(request.clone())
        .await
        .expect("it is idempotent");
    client
        .images
        .list_images(v1::ListImagesRequest::default())
        .await
        .expect("a list");
    let calls = demo.recording();
    let methods: Vec<&str> = calls.iter().map(Call::method).collect();
    assert_eq!(methods, ["ListContainers", "StopContainer", "ListImages"]);
    assert_eq!(calls[1].request(), Some(request));
    assert_eq!(calls[2].path, "/runtime.v1.ImageService/ListImages");
}

#[tokio::test]
async fn it_goes_away_with_its_folder() {
    let demo = start("calm", Options::default());
    let root = demo.host_root().to_owned();
    assert!(root.exists());
    drop(demo);
    assert!(!root.exists());
}

#[tokio::test]
async fn down_and_up_again() {
    let demo = start("calm", Options::default());
    let mut client = client(&demo).await;
    client.containers().await;
    demo.stop();
    let request = v1::ListContainersRequest { filter: None };
    while client
        .runtime
        .list_containers(request.clone())
        .await
        .is_ok()
    {}
    demo.resume();
    while client
        .runtime
        .list_containers(request.clone())
        .await
        .is_err()
    {}
}

#[tokio::test]
async fn a_restart_ends_every_stream() {
    let demo = start("calm", Options::default());
    let mut events = events(&demo).await.expect("a stream");
    let before = client(&demo).await.containers().await;
    demo.restart();
    events.message().await.expect_err("it is cut off");
    assert_eq!(client(&demo).await.containers().await, before);
}

#[tokio::test]
async fn errors_as_asked_for() {
    let error = FaultKind::Error(Code::Unavailable, "error reading from server: EOF".into());
    let faults = vec![Fault::new("ListContainers", error)];
    let demo = start(
        "calm",
        Options {
            faults,
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let request = v1::ListContainersRequest { filter: None };
    let status = client
        .runtime
        .list_containers(request)
        .await
        .expect_err("the fault");
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "error reading from server: EOF");
}

fn read(demo: &DemoNode, path: &str) -> String {
    let path = demo.host_root().join(path.trim_start_matches('/'));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Waits until the node's own thread has done what the moved clock asks of it.
fn eventually(what: &str, done: impl Fn() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(std::time::Instant::now() < deadline, "{what} never came");
        std::thread::yield_now();
    }
}

#[rstest]
#[case(Profile::Containerd2, "Z stderr F ")]
#[case(Profile::CriO, "+00:00 stderr F ")]
#[case(Profile::CriDockerd, "\"stream\":\"stderr\"")]
#[tokio::test]
async fn logs_are_where_the_status_says(#[case] profile: Profile, #[case] shape: &str) {
    let demo = start(
        "node",
        Options {
            profile,
            clock: manual(),
            ..Options::default()
        },
    );
    let status = client(&demo).await.status("payments").await;
    assert!(
        status.log_path.ends_with("/payments/7.log"),
        "{}",
        status.log_path
    );
    let real = if profile == Profile::CriDockerd {
        format!("/var/lib/docker/containers/{0}/{0}-json.log", status.id)
    } else {
        status.log_path
    };
    demo.files_written().await;
    let log = read(&demo, &real);
    let trace = log
        .lines()
        .find(|line| line.contains("PSQLException"))
        .expect("the cause");
    assert!(trace.contains(shape), "{trace}");
}

#[tokio::test]
async fn logs_grow_with_time_and_go_with_their_container() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let old = client.status("payments").await.log_path;
    let noisy = client.status("spam").await.log_path;
    demo.files_written().await;
    let lines = || read(&demo, &noisy).lines().count();
    let before = lines();
    demo.advance(Duration::from_secs(10));
    eventually("the noisy lines", || lines() >= before + 200);
    assert_eq!(lines(), before + 200, "20 lines a second");
    demo.advance(Duration::from_secs(460));
    client.containers().await;
    let gone = || !demo.host_root().join(old.trim_start_matches('/')).exists();
    eventually("the removal of the old log", gone);
}

#[tokio::test]
async fn a_kill_for_memory_is_in_the_kernels_log_and_the_cgroup() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let running = client.status("redis").await;
    demo.files_written().await;
    let kills = || {
        read(&demo, "/dev/kmsg")
            .matches("Memory cgroup out of memory")
            .count()
    };
    assert_eq!(kills(), 4, "the kills of the past");
    demo.advance(Duration::from_secs(25));
    let file = format!("cri-containerd-{}.scope/memory.peak", running.id);
    let limit = (64 << 20).to_string();
    eventually("no more than its limit is used", || {
        let groups = tree(&demo.host_root().join("sys/fs/cgroup"));
        let own = groups.into_iter().find(|(path, _)| path.ends_with(&file));
        own.is_some_and(|(_, peak)| String::from_utf8_lossy(&peak).trim() == limit)
    });
    demo.advance(Duration::from_secs(1));
    let killed = client.status("redis").await;
    assert_eq!(
        (killed.exit_code, killed.reason.as_str()),
        (137, "OOMKilled")
    );
    assert_eq!(killed.id, running.id);
    eventually("the report", || kills() == 5);
    assert!(
        read(&demo, "/var/log/kern.log").contains(&format!("cri-containerd-{}.scope", killed.id))
    );
}

#[tokio::test]
async fn the_hosts_files_agree_with_the_story() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let status = client(&demo).await.status("api").await;
    let uid = &status.labels["io.kubernetes.pod.uid"];
    demo.files_written().await;
    let group = format!(
        "/sys/fs/cgroup/kubepods.slice/kubepods-pod{}.slice/cri-containerd-{}.scope",
        uid.replace('-', "_"),
        status.id
    );
    assert_eq!(
        read(&demo, &format!("{group}/memory.max")).trim(),
        (256 << 20).to_string()
    );
    assert_eq!(
        read(&demo, &format!("{group}/cpu.max")).trim(),
        "50000 100000"
    );
    assert_eq!(read(&demo, "/etc/hostname"), "worker-3\n");
    assert!(read(&demo, "/var/lib/kubelet/config.yaml").contains("containerd.sock"));
    assert!(
        read(&demo, "/etc/kubernetes/manifests/haproxy-worker-3.yaml").contains("haproxy:3.0.6")
    );
    assert!(read(&demo, "/proc/pressure/memory").starts_with("some avg10=0.41"));
}

/// Files below `root` that hold something, with their contents.
fn tree(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).expect("a folder").flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("it has a type");
        if kind.is_dir() {
            found.extend(tree(&path));
        } else if kind.is_file() {
            let content = std::fs::read(&path).expect("it can be read");
            found.push((path, content));
        }
    }
    found
}

#[tokio::test]
async fn calm_keeps_its_files() {
    let demo = start(
        "calm",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    demo.files_written().await;
    let before = tree(demo.host_root());
    demo.advance(Duration::from_secs(3_600));
    client.containers().await;
    assert_eq!(tree(demo.host_root()), before);
}

/// The error that `method` gives while `kind` is on.
async fn list_error(demo: &DemoNode) -> tonic::Status {
    let request = v1::ListContainersRequest { filter: None };
    let mut client = client(demo).await;
    let reply = client.runtime.list_containers(request).await;
    reply.expect_err("it is refused")
}

async fn streamed(demo: &DemoNode) -> usize {
    let mut grpc = tonic::client::Grpc::new(channel(demo).await);
    grpc.ready().await.expect("it is connected");
    let codec =
        tonic_prost::ProstCodec::<v1::ListContainersRequest, v1::ListContainersResponse>::default();
    let path = http::uri::PathAndQuery::from_static("/runtime.v1.RuntimeService/StreamContainers");
    let request = tonic::Request::new(v1::ListContainersRequest { filter: None });
    let mut stream = grpc
        .server_streaming(request, path, codec)
        .await
        .expect("a stream")
        .into_inner();
    let mut count = 0;
    while let Some(batch) = stream.message().await.expect("a batch") {
        count += batch.containers.len();
    }
    count
}

#[tokio::test]
async fn a_list_of_5_mib_is_sent_whole() {
    let faults = vec![Fault::new("ListContainers", FaultKind::Pad(5 << 20))];
    let demo = start(
        "node",
        Options {
            faults,
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let size: usize = client
        .containers()
        .await
        .iter()
        .map(prost::Message::encoded_len)
        .sum();
    assert!(size >= 5 << 20, "{size}");
}

#[tokio::test]
async fn a_list_of_20_mib_is_refused_and_can_be_streamed() {
    let faults = vec![Fault::new("ListContainers", FaultKind::Pad(20 << 20))];
    let demo = start(
        "node",
        Options {
            clock: manual(),
            faults,
            ..Options::default()
        },
    );
    let status = list_error(&demo).await;
    assert_eq!(status.code(), Code::ResourceExhausted);
    let text = status.message();
    assert!(
        text.starts_with("grpc: trying to send message larger than max ("),
        "{text}"
    );
    assert!(text.ends_with(" vs. 16777216)"), "{text}");
    let streamed = streamed(&demo).await;
    demo.set_faults(Vec::new());
    assert_eq!(streamed, client(&demo).await.containers().await.len());
}

#[tokio::test]
async fn what_vanishes_is_listed_and_not_found() {
    let demo = start("calm", Options::default());
    demo.set_faults(vec![Fault::new("ContainerStatus", FaultKind::Vanish)]);
    let mut client = client(&demo).await;
    let id = client.newest("nginx").await.id;
    let request = v1::ContainerStatusRequest {
        container_id: id.clone(),
        verbose: false,
    };
    let status = client
        .runtime
        .container_status(request)
        .await
        .expect_err("it is gone");
    assert_eq!(status.code(), Code::NotFound);
    let text = format!("an error occurred when try to find container {id:?}: not found");
    assert_eq!(status.message(), text);
}

#[tokio::test]
async fn the_runtimes_clock_can_be_wrong() {
    let demo = start(
        "calm",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let right = client.newest("nginx").await.created_at;
    demo.set_faults(vec![Fault::new("*", FaultKind::Skew(-3_600))]);
    assert_eq!(
        client.newest("nginx").await.created_at,
        right - 3_600_000_000_000
    );
}

#[tokio::test]
async fn answers_come_late_or_never() {
    let late = FaultKind::Latency(Duration::from_secs(3));
    let faults = vec![
        Fault::new("ListContainers", late),
        Fault::new("Version", FaultKind::Hang),
    ];
    let demo = start(
        "calm",
        Options {
            clock: manual(),
            faults,
            ..Options::default()
        },
    );
    let mut second = client(&demo).await;
    let mut first = client(&demo).await;
    let late = tokio::spawn(async move { first.containers().await.len() });
    let never = tokio::spawn(async move {
        second
            .runtime
            .version(v1::VersionRequest::default())
            .await
            .is_ok()
    });
    while demo.recording().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(!late.is_finished());
    demo.advance(Duration::from_secs(3));
    assert_eq!(late.await.expect("it answers"), 3);
    assert!(!never.is_finished());
    never.abort();
}

#[tokio::test]
async fn hostile_strings_fill_every_call() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let id = client.newest("payments").await.id;
    demo.set_faults(vec![Fault::new("*", FaultKind::Hostile)]);
    let containers = client.containers().await;
    let metadata = |c: &v1::Container| c.metadata.clone().expect("it is filled").name;
    assert!(
        containers
            .iter()
            .all(|c| hostile::strings().contains(&metadata(c)))
    );
    let request = v1::ContainerStatusRequest {
        container_id: id,
        verbose: true,
    };
    let reply = client
        .runtime
        .container_status(request)
        .await
        .expect("ids stay")
        .into_inner();
    let status = reply.status.expect("it is filled");
    for text in [
        &status.reason,
        &status.message,
        &status.log_path,
        &reply.info["info"],
    ] {
        assert!(hostile::strings().contains(text), "{text}");
    }
    let version = client
        .runtime
        .version(v1::VersionRequest::default())
        .await
        .expect("an answer");
    assert!(hostile::strings().contains(&version.into_inner().runtime_name));
}

/// Id of the container that does not listen to SIGTERM, and how it and others are stopped.
fn stop(id: &str, timeout: i64) -> v1::StopContainerRequest {
    v1::StopContainerRequest {
        container_id: id.into(),
        timeout,
    }
}

/// Waits until the node is at work on a stop. A call is recorded before it is worked on; the node
/// does one thing at a time, so whatever it answers afterwards comes behind that.
async fn is_stopping(demo: &DemoNode, client: &mut Client) {
    let stop = |call: &Call| call.method() == "StopContainer";
    while !demo.recording().iter().any(stop) {
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        client.containers().await;
    }
}

#[tokio::test]
async fn a_stubborn_container_blocks_its_stop_for_the_grace() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let id = client.newest("bridge").await.id;
    let mut other = RuntimeServiceClient::new(channel(&demo).await);
    let request = stop(&id, 10);
    let stopping = tokio::spawn(async move { other.stop_container(request).await.is_ok() });
    is_stopping(&demo, &mut client).await;
    demo.advance(Duration::from_secs(9));
    assert_eq!(
        client.newest("bridge").await.state(),
        ContainerState::ContainerRunning
    );
    assert!(!stopping.is_finished());
    demo.advance(Duration::from_secs(1));
    assert!(stopping.await.expect("it answers"));
    assert_eq!(client.status("bridge").await.exit_code, 137);
}

#[tokio::test]
async fn a_client_that_leaves_early_leaves_the_container_running() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let id = client.newest("bridge").await.id;
    let mut other = RuntimeServiceClient::new(channel(&demo).await);
    let stopping = tokio::spawn({
        let request = stop(&id, 10);
        async move { other.stop_container(request).await.is_ok() }
    });
    is_stopping(&demo, &mut client).await;
    stopping.abort();
    let _ = stopping.await;
    // The server sees the reset before what comes after it on a connection of its own.
    for _ in 0..20 {
        client.containers().await;
    }
    demo.advance(Duration::from_secs(60));
    assert_eq!(
        client.newest("bridge").await.state(),
        ContainerState::ContainerRunning
    );
}

#[rstest]
#[case(Profile::Containerd16, Some(Code::NotFound))]
#[case(Profile::Containerd17, None)]
#[case(Profile::CriO, None)]
#[tokio::test]
async fn stopping_what_is_gone(#[case] profile: Profile, #[case] expected: Option<Code>) {
    let demo = start(
        "calm",
        Options {
            profile,
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let reply = client.runtime.stop_container(stop("0123", 1)).await;
    assert_eq!(reply.err().map(|status| status.code()), expected);
}

#[tokio::test]
async fn a_removed_container_comes_back_as_the_next_attempt() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let container_id = client.newest("api").await.id;
    let request = v1::RemoveContainerRequest { container_id };
    client
        .runtime
        .remove_container(request)
        .await
        .expect("it kills first");
    assert_eq!(client.attempts("api").await, []);
    demo.advance(Duration::from_secs(1));
    assert_eq!(
        client.attempts("api").await,
        [(1, ContainerState::ContainerRunning)]
    );
}

#[tokio::test]
async fn a_stopped_sandbox_is_rebuilt() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let old = client.newest("api").await.pod_sandbox_id;
    let request = v1::StopPodSandboxRequest {
        pod_sandbox_id: old.clone(),
    };
    client
        .runtime
        .stop_pod_sandbox(request)
        .await
        .expect("it stops");
    assert_eq!(client.pod(&old).await.state, 1);
    demo.advance(Duration::from_secs(5));
    let new = client.newest("api").await;
    assert_ne!(new.pod_sandbox_id, old);
    assert_eq!(
        client
            .pod(&new.pod_sandbox_id)
            .await
            .metadata
            .expect("filled")
            .attempt,
        1
    );
}

#[tokio::test]
async fn a_container_without_the_sandboxs_metadata_is_refused() {
    let demo = start("calm", Options::default());
    let mut client = client(&demo).await;
    let request = v1::CreateContainerRequest::default();
    let status = client
        .runtime
        .create_container(request)
        .await
        .expect_err("it would be fatal");
    assert_eq!(status.message(), "pod sandbox config must include metadata");
}

#[tokio::test]
async fn a_debug_container_is_made_and_started_once() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let pod = client.newest("api").await.pod_sandbox_id;
    let metadata = Some(v1::ContainerMetadata {
        name: "debugger".into(),
        attempt: 0,
    });
    let image = v1::ImageSpec {
        image: "docker.io/library/busybox:1.37.0".into(),
        ..v1::ImageSpec::default()
    };
    let request = v1::CreateContainerRequest {
        pod_sandbox_id: pod,
        config: Some(v1::ContainerConfig {
            metadata,
            image: Some(image),
            ..v1::ContainerConfig::default()
        }),
        sandbox_config: Some(v1::PodSandboxConfig {
            metadata: Some(v1::PodSandboxMetadata::default()),
            ..v1::PodSandboxConfig::default()
        }),
    };
    let reply = client
        .runtime
        .create_container(request.clone())
        .await
        .expect("it is made");
    let container_id = reply.into_inner().container_id;
    assert_eq!(
        client.attempts("debugger").await,
        [(0, ContainerState::ContainerCreated)]
    );
    let twin = client
        .runtime
        .create_container(request)
        .await
        .expect_err("the name is taken");
    assert!(
        twin.message()
            .starts_with("failed to reserve container name"),
        "{twin}"
    );
    let start = v1::StartContainerRequest { container_id };
    client
        .runtime
        .start_container(start.clone())
        .await
        .expect("it starts");
    let again = client
        .runtime
        .start_container(start)
        .await
        .expect_err("only once");
    assert!(
        again
            .message()
            .ends_with("container is in CONTAINER_RUNNING state"),
        "{again}"
    );
}

#[tokio::test]
async fn prefixes_are_ids() {
    let demo = start("node", Options::default());
    let mut client = client(&demo).await;
    let id = client.newest("api").await.id;
    let ask = |id: &str| v1::ContainerStatusRequest {
        container_id: id.into(),
        verbose: false,
    };
    let reply = client
        .runtime
        .container_status(ask(&id[..12]))
        .await
        .expect("a prefix");
    assert_eq!(reply.into_inner().status.expect("filled").id, id);
    let status = client
        .runtime
        .container_status(ask(""))
        .await
        .expect_err("no prefix");
    assert_eq!(status.message(), "prefix can't be empty");
    let filter = Some(v1::ContainerFilter {
        id: "zz".into(),
        ..v1::ContainerFilter::default()
    });
    let reply = client
        .runtime
        .list_containers(v1::ListContainersRequest { filter })
        .await;
    assert!(reply.expect("no error").into_inner().containers.is_empty());
}

#[tokio::test]
async fn lists_come_in_random_order() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let first = client.containers().await;
    let mut second = client.containers().await;
    let ids = |list: &[v1::Container]| list.iter().map(|c| c.id.clone()).collect::<Vec<_>>();
    assert_ne!(ids(&first), ids(&second));
    let mut first = first;
    first.sort_by(|a, b| a.id.cmp(&b.id));
    second.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(first, second);
}

async fn events(
    demo: &DemoNode,
) -> Result<tonic::Streaming<v1::ContainerEventResponse>, tonic::Status> {
    let mut client = client(demo).await;
    let reply = client
        .runtime
        .get_container_events(v1::GetEventsRequest {})
        .await;
    reply.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn events_of_17_wait_for_whoever_comes() {
    let profile = Profile::Containerd17;
    let demo = start(
        "node",
        Options {
            profile,
            clock: manual(),
            ..Options::default()
        },
    );
    demo.advance(Duration::from_secs(900));
    client(&demo).await.containers().await;
    let mut events = events(&demo).await.expect("a stream");
    let old = events.message().await.expect("an event");
    assert!(old.is_some(), "a backlog of a quarter of an hour");
}

#[tokio::test]
async fn events_of_2_go_to_everyone() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut one = events(&demo).await.expect("a stream");
    let mut two = events(&demo).await.expect("a stream");
    demo.advance(Duration::from_secs(7));
    client(&demo).await.containers().await;
    let first = one.message().await.expect("an event").expect("sync ends");
    assert_eq!(
        two.message().await.expect("an event").as_ref(),
        Some(&first)
    );
    assert_eq!(
        first.container_event_type(),
        v1::ContainerEventType::ContainerStoppedEvent
    );
}

#[rstest]
#[case(Profile::CriO, None)]
#[case(
    Profile::Containerd16,
    Some("method GetContainerEvents not implemented")
)]
#[tokio::test]
async fn events_that_do_not_come(#[case] profile: Profile, #[case] expected: Option<&str>) {
    let demo = start(
        "calm",
        Options {
            profile,
            ..Options::default()
        },
    );
    match events(&demo).await {
        Ok(mut stream) => {
            assert_eq!(expected, None);
            assert_eq!(stream.message().await.expect("a clean end"), None);
        }
        Err(status) => assert_eq!(Some(status.message()), expected),
    }
}

#[tokio::test]
async fn statistics_only_grow() {
    let demo = start(
        "node",
        Options {
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let mut last = 0;
    for _ in 0..60 {
        demo.advance(Duration::from_secs(1));
        let stats = client.stats().await;
        let api = stats.iter().find(|row| {
            let attributes = row.attributes.as_ref().and_then(|a| a.metadata.as_ref());
            attributes.is_some_and(|metadata| metadata.name == "api")
        });
        let cpu = api.and_then(|row| row.cpu).expect("it runs");
        let used = cpu.usage_core_nano_seconds.expect("it is filled").value;
        assert!(used > last);
        last = used;
    }
}

/// The reply to a list call, without a client.
fn listed<M: prost::Message + Default>(node: &Arc<Node>, method: &str) -> M {
    let service = if method == "ListImages" {
        "ImageService"
    } else {
        "RuntimeService"
    };
    let path = format!("/runtime.v1.{service}/{method}");
    let answer = Arc::clone(node).answer(&path, hyper::body::Bytes::new());
    let reply = futures_util::FutureExt::now_or_never(answer).expect("lists do not wait");
    let wire::Reply::List(mut list) = reply.expect("a list") else {
        panic!("a list");
    };
    let size = list.size();
    let parts: Vec<_> = std::iter::from_fn(|| list.part(64 << 10)).collect();
    let reply = parts.concat();
    assert_eq!(reply.len(), size, "as its prefix says");
    M::decode(reply.as_slice()).expect("it decodes")
}

#[test]
fn a_hundredth_of_the_large_node_changes_each_second() {
    let scenario = Scenario::named("large").expect("a scenario");
    let node = Arc::new(Node::new(
        &scenario,
        Profile::default().traits(),
        manual(),
        7,
    ));
    let pods: v1::ListPodSandboxResponse = listed(&node, "ListPodSandbox");
    assert_eq!(pods.items.len(), 500);
    let images: v1::ListImagesResponse = listed(&node, "ListImages");
    assert_eq!(images.images.len(), 800);
    let states = |node| -> std::collections::BTreeMap<String, i32> {
        let list: v1::ListContainersResponse = listed(node, "ListContainers");
        list.containers
            .into_iter()
            .map(|c| (c.id, c.state))
            .collect()
    };
    let before = states(&node);
    assert!((4_900..5_100).contains(&before.len()), "{}", before.len());
    node.clock.advance(Duration::from_secs(1));
    let after = states(&node);
    let changed = after
        .iter()
        .filter(|(id, state)| before.get(*id) != Some(state))
        .count();
    assert!((30..=70).contains(&changed), "{changed}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_request_makes_it_panic(
        message in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..40),
        id in "[0-9a-f]{0,2}",
        profile in 0..Profile::ALL.len(),
    ) {
        let scenario = Scenario::named("node").expect("a scenario");
        let traits = Profile::ALL[profile].traits();
        let node = Arc::new(Node::new(&scenario, traits, manual(), 7));
        let by_id = [&[0x0a, u8::try_from(id.len()).expect("short")], id.as_bytes()].concat();
        for path in methods::paths() {
            for message in [&message, &by_id] {
                let answer = Arc::clone(&node).answer(&path, message.clone().into());
                // Pending is an answer, too: some calls take their time.
                drop(futures_util::FutureExt::now_or_never(answer));
            }
        }
    }
}
