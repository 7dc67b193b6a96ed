//! What a subscriber to events that does not read does to a node: on containerd 2.x it holds up
//! whoever makes a container.

use std::time::Duration;

use k8s_cri::v1::runtime_service_client::RuntimeServiceClient;
use k8s_cri::v1::{self, ContainerState};
use rstest::rstest;
use tokio::time::timeout;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use super::tests::{Client, client, manual, start};
use super::*;

/// Reached only by a failure.
const LONG: Duration = Duration::from_secs(20);
/// More than any stream holds.
const MANY: u32 = 600;

fn played(name: &str, profile: Profile) -> DemoNode {
    let options = Options {
        profile,
        clock: manual(),
        ..Options::default()
    };
    start(name, options)
}

/// A subscription that is not read, with the flow control that Go's clients have.
async fn unread(demo: &DemoNode) -> Streaming<v1::ContainerEventResponse> {
    let endpoint = Endpoint::from_shared(format!("unix://{}", demo.socket().display()));
    let endpoint = endpoint
        .expect("a path is an endpoint")
        .initial_stream_window_size(65_535)
        .initial_connection_window_size(65_535);
    let channel = endpoint.connect().await.expect("the node listens");
    let mut runtime = RuntimeServiceClient::new(channel);
    let reply = runtime.get_container_events(v1::GetEventsRequest {}).await;
    reply.expect("a stream").into_inner()
}

/// Makes many pods, one after the other; how many.
async fn make(mut runtime: RuntimeServiceClient<Channel>) -> u32 {
    for nth in 0..MANY {
        let metadata = v1::PodSandboxMetadata {
            name: format!("made-{nth}"),
            uid: nth.to_string(),
            ..v1::PodSandboxMetadata::default()
        };
        let config = Some(v1::PodSandboxConfig {
            metadata: Some(metadata),
            ..v1::PodSandboxConfig::default()
        });
        let request = v1::RunPodSandboxRequest {
            config,
            runtime_handler: String::new(),
        };
        runtime.run_pod_sandbox(request).await.expect("a pod");
    }
    MANY
}

impl Client {
    /// Number of the newest pod that [`make`] has made, finished or not.
    async fn newest_made(&mut self) -> u32 {
        let request = v1::ListPodSandboxRequest { filter: None };
        let reply = self.runtime.list_pod_sandbox(request).await;
        let all = reply.expect("a list").into_inner().items.into_iter();
        let numbers = all.filter_map(|pod| {
            let name = pod.metadata?.name;
            name.strip_prefix("made-")?.parse().ok()
        });
        numbers.max().unwrap_or(0)
    }
}

/// Waits for the stall, and for the one that lasts: there are others before it, until the stream
/// has taken what it can hold. Number of the newest pod then.
async fn stalled(demo: &DemoNode, client: &mut Client) -> u32 {
    /// Looks at the node in which nothing may change.
    const LOOKS: usize = 20;
    let lasting = async {
        let (mut newest, mut same) = (0, 0);
        while same < LOOKS {
            demo.stalls().await;
            let now = client.newest_made().await;
            same = if now == newest { same + 1 } else { 0 };
            newest = now;
        }
        newest
    };
    timeout(LONG, lasting).await.expect("it stalls")
}

#[rstest]
#[case(Profile::Containerd21)]
#[case(Profile::Containerd2)]
#[tokio::test]
async fn who_does_not_read_stalls_containerd_2(#[case] profile: Profile) {
    let demo = played("calm", profile);
    let mut client = client(&demo).await;
    let events = unread(&demo).await;
    let making = tokio::spawn(make(client.runtime.clone()));
    // Lists go on: what hangs has been made, and is there.
    let newest = stalled(&demo, &mut client).await;
    assert!((50..200).contains(&newest), "{newest}");
    assert!(!making.is_finished());
    assert_eq!(client.newest_made().await, newest);
    // A stop goes on as well: it is not who stops that tells it.
    let id = client.newest("nginx").await.id;
    let stop = v1::StopContainerRequest {
        container_id: id,
        timeout: 0,
    };
    let stopped = timeout(LONG, client.runtime.stop_container(stop)).await;
    stopped.expect("in time").expect("it stops");
    drop(events);
    let made = timeout(LONG, making).await.expect("in time");
    assert_eq!(made.expect("no failure"), MANY);
}

#[tokio::test]
async fn who_does_not_read_stalls_nobody_on_containerd_1_7() {
    let demo = played("calm", Profile::Containerd17);
    let client = client(&demo).await;
    let _events = unread(&demo).await;
    let made = timeout(LONG, make(client.runtime.clone())).await;
    assert_eq!(made.expect("in time"), MANY);
    assert!(!demo.is_stalled());
}

#[tokio::test]
async fn the_kubelet_is_held_up_as_well() {
    let demo = played("node", Profile::default());
    let mut client = client(&demo).await;
    let before = client.newest("sync").await;
    let events = unread(&demo).await;
    let making = tokio::spawn(make(client.runtime.clone()));
    stalled(&demo, &mut client).await;
    demo.advance(Duration::from_secs(3_600));
    let held = client.newest("sync").await;
    assert_ne!(held.id, before.id);
    assert_eq!(held.state(), ContainerState::ContainerCreated);
    drop(events);
    timeout(LONG, demo.subscribed(0)).await.expect("it is gone");
    making.abort();
    demo.advance(Duration::from_secs(1));
    let freed = client.newest("sync").await;
    assert_ne!(freed.state(), ContainerState::ContainerCreated);
}
