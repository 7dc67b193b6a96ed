//! `--events` does not harm containerd 2.x: what subscribes reads always, and goes when nobody
//! looks at what it learns.

use std::time::Duration;

use critui::access::Access;
use critui::cri::{Connection, SocketPath, Target, Timing, Update};
use critui::demo::{DemoNode, Options, Scenario};
use k8s_cri::v1::{self, runtime_service_client::RuntimeServiceClient};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tonic::transport::Endpoint;

/// Reached only by a failure.
const LONG: Duration = Duration::from_secs(60);
/// Ten times as many as a runtime keeps for a subscriber that does not read, with all that flow
/// control lets go to it.
const PODS: u32 = 3_000;

/// A node, and a connection that subscribes to its events.
fn subscribed() -> (DemoNode, Connection, mpsc::Receiver<Update>) {
    let scenario = Scenario::named("calm").expect("a scenario");
    let demo = DemoNode::start(&scenario, Options::default()).expect("it starts");
    let socket = demo.socket().strip_prefix(demo.host_root()).expect("below");
    let socket = SocketPath::new(std::path::Path::new("/").join(socket));
    let target = Target {
        runtime: socket.clone(),
        image: socket,
        host: demo.host().expect("its root"),
    };
    let access = Access::decide(vec![]);
    let grant = access.grant().map(AsRef::as_ref);
    // So short that it is full at once.
    let (out, updates) = mpsc::channel(1);
    let connection = Connection::start(target, Timing::default(), grant, out);
    (demo, connection, updates)
}

async fn makes_pods(demo: &DemoNode) {
    let endpoint = Endpoint::from_shared(format!("unix://{}", demo.socket().display()));
    let channel = endpoint.expect("a path is an endpoint").connect().await;
    let mut runtime = RuntimeServiceClient::new(channel.expect("the node listens"));
    for nth in 0..PODS {
        let metadata = Some(v1::PodSandboxMetadata {
            name: format!("made-{nth}"),
            uid: nth.to_string(),
            ..v1::PodSandboxMetadata::default()
        });
        let config = Some(v1::PodSandboxConfig {
            metadata,
            ..v1::PodSandboxConfig::default()
        });
        let request = v1::RunPodSandboxRequest {
            config,
            ..v1::RunPodSandboxRequest::default()
        };
        runtime.run_pod_sandbox(request).await.expect("a pod");
    }
}

#[tokio::test]
async fn a_screen_that_is_stuck_does_not_stall_the_runtime() {
    let (demo, _connection, mut updates) = subscribed();
    // The connection comes up, and from then on nobody takes what it tells.
    updates.recv().await.expect("it connects");
    updates.recv().await.expect("it is up");
    timeout(LONG, demo.subscribed(1)).await.expect("in time");
    let made = timeout(LONG, makes_pods(&demo)).await;
    made.expect("no call is held up");
    assert!(!demo.is_stalled());
}

#[tokio::test]
async fn a_subscription_ends_with_who_wanted_it() {
    let (demo, _connection, mut updates) = subscribed();
    updates.recv().await.expect("it connects");
    updates.recv().await.expect("it is up");
    timeout(LONG, demo.subscribed(1)).await.expect("in time");
    drop(updates);
    timeout(LONG, demo.subscribed(0)).await.expect("in time");
}

#[tokio::test]
async fn a_suspended_program_has_no_subscription() {
    let (demo, connection, mut updates) = subscribed();
    updates.recv().await.expect("it connects");
    updates.recv().await.expect("it is up");
    timeout(LONG, demo.subscribed(1)).await.expect("in time");
    connection.pause_events();
    timeout(LONG, demo.subscribed(0)).await.expect("in time");
    connection.resume_events();
    timeout(LONG, demo.subscribed(1)).await.expect("in time");
}
