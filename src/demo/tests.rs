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

struct Client {
    runtime: RuntimeServiceClient<Channel>,
    images: ImageServiceClient<Channel>,
}

async fn channel(demo: &DemoNode) -> Channel {
    Endpoint::from_shared(format!("unix://{}", demo.socket().display()))
        .expect("a path is an endpoint")
        .connect()
        .await
        .expect("the node listens")
}

async fn client(demo: &DemoNode) -> Client {
    let channel = channel(demo).await;
    Client {
        runtime: RuntimeServiceClient::new(channel.clone()).max_decoding_message_size(MAX),
        images: ImageServiceClient::new(channel).max_decoding_message_size(MAX),
    }
}

fn manual() -> Clock {
    Clock::manual("2026-11-20T10:00:00Z".parse::<Timestamp>().expect("a time"))
}

fn start(name: &str, options: Options) -> DemoNode {
    let scenario = Scenario::named(name).expect("a scenario");
    DemoNode::start(&scenario, options).expect("it starts")
}

impl Client {
    async fn containers(&mut self) -> Vec<v1::Container> {
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

    async fn status(&mut self, name: &str) -> v1::ContainerStatus {
        let all = self.containers().await;
        let newest = all
            .into_iter()
            .filter(|c| c.metadata.as_ref().is_some_and(|m| m.name == name))
            .max_by_key(|container| container.created_at)
            .expect("a container of that name");
        let request = v1::ContainerStatusRequest {
            container_id: newest.id,
            verbose: true,
        };
        let reply = self
            .runtime
            .container_status(request)
            .await
            .expect("a status");
        reply.into_inner().status.expect("it is filled")
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
    let kills = || {
        read(&demo, "/dev/kmsg")
            .matches("Memory cgroup out of memory")
            .count()
    };
    assert_eq!(kills(), 4, "the kills of the past");
    demo.advance(Duration::from_secs(26));
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
    let before = tree(demo.host_root());
    demo.advance(Duration::from_secs(3_600));
    client.containers().await;
    assert_eq!(tree(demo.host_root()), before);
}
