//! The floor under critui's times: the least that a program in this language can do to know the
//! same. Connects to the socket it is given, makes the three list calls at once and prints one
//! line; with `--statuses` it also asks for every status, eight at a time.

use futures_util::stream::{self, StreamExt as _};
use k8s_cri::v1 as cri;
use k8s_cri::v1::image_service_client::ImageServiceClient;
use k8s_cri::v1::runtime_service_client::RuntimeServiceClient;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

type Runtime = RuntimeServiceClient<Channel>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let socket = args.next().ok_or("usage: floor SOCKET [--statuses]")?;
    let channel = Endpoint::from_shared(format!("unix://{socket}"))?
        .connect()
        .await?;
    let runtime = RuntimeServiceClient::new(channel.clone()).max_decoding_message_size(80 << 20);
    let mut pod_lists = runtime.clone();
    let mut container_lists = runtime.clone();
    let mut image_lists = ImageServiceClient::new(channel);
    let (pods, containers, images) = tokio::try_join!(
        pod_lists.list_pod_sandbox(cri::ListPodSandboxRequest::default()),
        container_lists.list_containers(cri::ListContainersRequest::default()),
        image_lists.list_images(cri::ListImagesRequest::default()),
    )?;
    let (pods, containers) = (pods.into_inner().items, containers.into_inner().containers);
    let images = images.into_inner().images.len();
    println!(
        "floor: {} pods, {} containers, {images} images",
        pods.len(),
        containers.len()
    );
    if args.next().as_deref() == Some("--statuses") {
        let known = statuses(&runtime, pods, containers).await?;
        println!("floor: {known} statuses");
    }
    Ok(())
}

/// Asks for all statuses; how many there were.
async fn statuses(
    runtime: &Runtime,
    pods: Vec<cri::PodSandbox>,
    containers: Vec<cri::Container>,
) -> Result<usize, Status> {
    let pods = pods.into_iter().map(|pod| {
        let mut client = runtime.clone();
        async move {
            let request = cri::PodSandboxStatusRequest {
                pod_sandbox_id: pod.id,
                verbose: false,
            };
            client.pod_sandbox_status(request).await.map(|_| ())
        }
    });
    let containers = containers.into_iter().map(|container| {
        let mut client = runtime.clone();
        async move {
            let request = cri::ContainerStatusRequest {
                container_id: container.id,
                verbose: false,
            };
            client.container_status(request).await.map(|_| ())
        }
    });
    let pods = count(stream::iter(pods).buffer_unordered(8)).await?;
    let containers = count(stream::iter(containers).buffer_unordered(8)).await?;
    Ok(pods + containers)
}

async fn count(answers: impl stream::Stream<Item = Result<(), Status>>) -> Result<usize, Status> {
    let answers: Vec<_> = answers.collect().await;
    answers
        .into_iter()
        .collect::<Result<Vec<_>, _>>()
        .map(|all| all.len())
}
