//! What an audit of a large node costs, against fetching the same statuses and doing nothing with
//! them, and what another client of the runtime feels of it. Started by `tests/bench/demo`; never
//! fails, since a number says more than a verdict here.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use k8s_cri::v1;
use k8s_cri::v1::image_service_client::ImageServiceClient;
use k8s_cri::v1::runtime_service_client::RuntimeServiceClient;
use tonic::transport::{Channel, Endpoint};

const CRITUI: &str = env!("CARGO_BIN_EXE_critui");
/// Runs of each measure; odd, so that there is a middle.
const RUNS: usize = 5;
/// Statuses read at once, as the audit does.
const AT_ONCE: usize = 2;
/// For the simulated node to come up.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two calls of the other client.
const PAUSE: Duration = Duration::from_millis(5);

struct Simulated {
    child: Child,
    _folder: tempfile::TempDir,
    socket: String,
}

impl Simulated {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("node.sock").display().to_string();
        let child = Command::new(CRITUI)
            .args(["demo-node", "--socket", &socket, "large"])
            .stdout(Stdio::null())
            .spawn()
            .expect("the simulated node starts");
        Self {
            child,
            _folder: folder,
            socket,
        }
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Images = ImageServiceClient<Channel>;

async fn connect(socket: &str) -> Channel {
    let endpoint = Endpoint::from_shared(format!("unix://{socket}")).expect("an endpoint");
    let deadline = Instant::now() + PATIENCE;
    loop {
        match endpoint.connect().await {
            Ok(channel) => return channel,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// All containers, and the full status of each.
async fn statuses(client: &RuntimeServiceClient<Channel>) -> (usize, Duration) {
    let start = Instant::now();
    let mut own = client.clone();
    let listed = own.list_containers(v1::ListContainersRequest::default());
    let all = listed.await.expect("the list").into_inner().containers;
    let count = all.len();
    each(all, |one| {
        let mut client = client.clone();
        async move {
            let asked = v1::ContainerStatusRequest {
                container_id: one.id,
                verbose: true,
            };
            client.container_status(asked).await.is_ok()
        }
    })
    .await;
    (count, start.elapsed())
}

/// What an audit reads beside them: the full status of each pod and each image.
async fn others(client: &RuntimeServiceClient<Channel>, images: &Images) -> Duration {
    let start = Instant::now();
    let mut own = client.clone();
    let listed = own.list_pod_sandbox(v1::ListPodSandboxRequest::default());
    let all = listed.await.expect("the list").into_inner().items;
    each(all, |one| {
        let mut client = client.clone();
        async move {
            let asked = v1::PodSandboxStatusRequest {
                pod_sandbox_id: one.id,
                verbose: true,
            };
            client.pod_sandbox_status(asked).await.is_ok()
        }
    })
    .await;
    let mut own = images.clone();
    let listed = own.list_images(v1::ListImagesRequest::default());
    let all = listed.await.expect("the list").into_inner().images;
    each(all, |one| {
        let mut client = images.clone();
        async move {
            let asked = v1::ImageStatusRequest {
                image: Some(v1::ImageSpec {
                    image: one.id,
                    ..Default::default()
                }),
                verbose: true,
            };
            client.image_status(asked).await.is_ok()
        }
    })
    .await;
    start.elapsed()
}

/// Asks about all, a few at a time. Some end meanwhile.
async fn each<T, F: Future<Output = bool>>(all: Vec<T>, ask: impl Fn(T) -> F) {
    let answers = stream::iter(all).map(ask).buffer_unordered(AT_ONCE);
    answers.for_each(|_| std::future::ready(())).await;
}

fn audit(socket: &str) -> Child {
    Command::new(CRITUI)
        .args([
            "-r",
            &format!("unix://{socket}"),
            "-t",
            "20s",
            "audit",
            "-o",
            "json",
        ])
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts")
}

/// How long calls of another client take until `over`.
async fn felt(
    client: &RuntimeServiceClient<Channel>,
    mut over: impl FnMut() -> bool,
) -> Vec<Duration> {
    let mut times = Vec::new();
    while !over() {
        let start = Instant::now();
        let answer = client.clone().version(v1::VersionRequest::default()).await;
        answer.expect("a version");
        times.push(start.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    times.sort();
    times
}

fn median(times: &[Duration]) -> Duration {
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[test]
fn measures() {
    let node = Simulated::start();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("an event loop");
    runtime.block_on(async {
        let channel = connect(&node.socket).await;
        let client = RuntimeServiceClient::new(channel.clone()).max_decoding_message_size(1 << 28);
        let images = Images::new(channel).max_decoding_message_size(1 << 28);
        let (mut fetched, mut all, mut audited, mut count) = (vec![], vec![], vec![], 0);
        for _ in 0..RUNS {
            let (containers, time) = statuses(&client).await;
            count = containers;
            fetched.push(time);
            all.push(time + others(&client, &images).await);
            let start = Instant::now();
            audit(&node.socket).wait().expect("it ends");
            audited.push(start.elapsed());
        }
        for times in [&mut fetched, &mut all, &mut audited] {
            times.sort();
        }
        let ratio = |to: &[Duration]| median(&audited).as_secs_f64() / median(to).as_secs_f64();
        println!(
            "\naudit of {count} containers: {:.0} ms; their statuses alone {:.0} ms ({:.2} times; at most 1.5); with those of pods and images {:.0} ms ({:.2} times)",
            ms(median(&audited)),
            ms(median(&fetched)),
            ratio(&fetched),
            ms(median(&all)),
            ratio(&all),
        );
        let until = Instant::now() + Duration::from_secs(3);
        let idle = felt(&client, || Instant::now() > until).await;
        let mut child = audit(&node.socket);
        let busy = felt(&client, || child.try_wait().expect("a child").is_some()).await;
        println!(
            "another client's call: {:.2} ms alone, {:.2} ms beside an audit (at most twice)",
            ms(median(&idle)),
            ms(median(&busy))
        );
    });
}
