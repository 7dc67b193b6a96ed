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
