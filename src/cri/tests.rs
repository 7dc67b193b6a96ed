//! The whole connection against peers on real sockets.

use std::path::Path;

use k8s_cri::v1;
use prost::Message;
use rstest::rstest;
use tonic::Code;

use super::testing::*;
use super::*;
use crate::access::Access;
use crate::domain::{Changes, PodId};
use crate::link::Problem;

const ALL: Wanted = Wanted {
    pods: true,
    containers: true,
    images: true,
};
const ONLY_PODS: Wanted = Wanted {
    pods: true,
    containers: false,
    images: false,
};

fn up(update: &Update) -> Option<()> {
    matches!(update, Update::Link(Link::Up)).then_some(())
}

fn down(update: &Update) -> Option<Problem> {
    match update {
        Update::Link(Link::Down { problem, .. }) => Some(problem.clone()),
        _ => None,
    }
}

fn pod_list(update: &Update) -> Option<Changes<Pod>> {
    match update {
        Update::Pods(told) => Some(told.clone()),
        _ => None,
    }
}

fn notice(update: &Update) -> Option<Text> {
    match update {
        Update::Notice(text) => Some(text.clone()),
        _ => None,
    }
}

async fn problem(socket: &Path, timing: Timing) -> Problem {
    connect_once(&target(socket), &timing).await.unwrap_err()
}

#[tokio::test]
async fn comes_up_goes_down_and_comes_back() {
    let mut peer = Peer::start();
    peer.answer(PODS, Answer::message(&pods(&["a"])));
    let mut listener = Listener::start(peer.target(), patient(), ALL);
    listener.next(up).await;
    let reader = listener.connection.reader();
    peer.kill();
    let problem = listener.next(down).await;
    assert!(problem.what.as_str().contains("lost"), "{problem:?}");
    let error = reader.pods().await.unwrap_err();
    assert_eq!(error.kind, Kind::Down);
    peer.revive();
    listener.next(up).await;
    assert_eq!(reader.pods().await.unwrap().len(), 1);
}

#[tokio::test]
async fn loss_is_noticed_without_polling() {
    let mut peer = Peer::start();
    let timing = Timing {
        refresh: LONG * 100,
        ..patient()
    };
    let mut listener = Listener::start(peer.target(), timing, ALL);
    listener.next(up).await;
    peer.kill();
    listener.next(down).await;
}

#[tokio::test]
async fn a_runtime_that_freezes_is_silent_and_recovers_on_the_same_connection() {
    let peer = Peer::start();
    let mut listener = Listener::start(peer.target(), quick(), ALL);
    listener.next(up).await;
    peer.freeze(true);
    listener
        .next(|update| matches!(update, Update::Link(Link::Silent { .. })).then_some(()))
        .await;
    let error = listener.connection.reader().pods().await.unwrap_err();
    assert!(error.message.as_str().contains("not asked"), "{error}");
    peer.freeze(false);
    listener.next(up).await;
    assert_eq!(peer.connections(), 1);
    assert!(listener.connection.reader().pods().await.is_ok());
}

#[tokio::test]
async fn a_runtime_that_starts_counts_as_down() {
    let peer = Peer::start();
    let answers = peer.answers();
    let starting = Answer::Fail(Code::Unavailable, "server is not initialized yet");
    peer.answer_all(&starting);
    let mut listener = Listener::start(peer.target(), patient(), ALL);
    let problem = listener.next(down).await;
    assert!(
        problem.what.as_str().contains("not initialized"),
        "{problem:?}"
    );
    peer.restore(answers);
    listener.next(up).await;
}

#[tokio::test]
async fn lists_that_start_late_do_not_flap_the_link() {
    let peer = Peer::start();
    let starting = Answer::Fail(Code::Unavailable, "server is not initialized yet");
    peer.answer(PODS, starting);
    let mut listener = Listener::start(peer.target(), patient(), ONLY_PODS);
    let link = |update: &Update| match update {
        Update::Link(link) if *link != Link::Connecting => Some(link.clone()),
        _ => None,
    };
    listener.next(down).await;
    for _ in 0..3 {
        let link = listener.next(link).await;
        assert!(matches!(link, Link::Down { .. }), "{link:?}");
    }
}

#[tokio::test]
async fn what_nobody_wants_is_not_fetched() {
    let peer = Peer::start();
    let mut listener = Listener::start(peer.target(), patient(), Wanted::default());
    listener.next(up).await;
    peer.called(VERSION, 4).await;
    assert!(peer.seen().iter().all(|path| path == VERSION));
    listener.connection.want(ONLY_PODS);
    peer.called(PODS, 3).await;
    assert_eq!((peer.count(CONTAINERS), peer.count(IMAGES)), (0, 0));
}

#[tokio::test]
async fn a_list_is_told_once_and_then_what_changes_about_it() {
    let peer = Peer::start();
    peer.answer(PODS, Answer::message(&pods(&["a", "b"])));
    let mut listener = Listener::start(peer.target(), patient(), ONLY_PODS);
    let first = listener.next(pod_list).await;
    assert_eq!((first.whole, first.came.len()), (true, 2));
    peer.called(PODS, 4).await;
    peer.answer(PODS, Answer::message(&pods(&["b", "c"])));
    let second = listener.next(pod_list).await;
    let ids: Vec<_> = second.came.iter().map(|pod| pod.id.as_str()).collect();
    assert_eq!((second.whole, ids), (false, vec!["c"]));
    assert_eq!(second.went, first.came[..1]);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_is_told_by_the_next() {
    let peer = Peer::start();
    peer.answer(PODS, Answer::message(&pods(&["a"])));
    let mut listener = Listener::start(peer.target(), patient(), ONLY_PODS);
    listener.next(pod_list).await;
    let mut broken = pods(&["b"]).encode_to_vec();
    broken.extend([0x0a, 9, 0]);
    peer.answer(PODS, Answer::Messages(vec![broken]));
    let text = listener.next(notice).await;
    assert!(text.as_str().contains("breaks off"), "{text}");
    peer.answer(PODS, Answer::message(&pods(&["b"])));
    let told = listener.next(pod_list).await;
    assert_eq!((told.came[0].id.as_str(), told.went.len()), ("b", 1));
}

#[tokio::test]
async fn what_somebody_else_read_first_is_still_sent() {
    let peer = Peer::start();
    let timing = Timing {
        refresh: LONG * 100,
        ..patient()
    };
    let mut listener = Listener::start(peer.target(), timing, ONLY_PODS);
    listener.next(pod_list).await;
    peer.answer(PODS, Answer::message(&pods(&["a"])));
    let read = listener.connection.reader().pods().await.unwrap();
    listener.connection.refresh();
    assert_eq!(listener.next(pod_list).await.came, read);
}

#[tokio::test]
async fn a_new_folder_of_logs_lists_early() {
    let peer = Peer::start();
    let logs = peer.folder().join("var/log/pods");
    std::fs::create_dir_all(&logs).unwrap();
    let socket = SocketPath::new("/cri.sock");
    let target = Target {
        runtime: socket.clone(),
        image: socket,
        host: crate::host::open::HostRoot::new(peer.folder()).unwrap(),
    };
    let timing = Timing {
        refresh: LONG * 100,
        ..patient()
    };
    let mut listener = Listener::start(target, timing, ONLY_PODS);
    listener.next(pod_list).await;
    // The watch may not stand yet when the first folder is made.
    let make = async {
        let mut often = tokio::time::interval(std::time::Duration::from_millis(50));
        for n in 0_u32.. {
            often.tick().await;
            std::fs::create_dir(logs.join(n.to_string())).unwrap();
        }
    };
    tokio::select! {
        () = make => (),
        () = peer.called(PODS, 2) => (),
    }
}

#[tokio::test]
async fn a_refresh_lists_now() {
    let peer = Peer::start();
    let timing = Timing {
        refresh: LONG * 100,
        ..patient()
    };
    let mut listener = Listener::start(peer.target(), timing, ALL);
    listener.next(up).await;
    peer.called(IMAGES, 1).await;
    listener.connection.refresh();
    peer.called(PODS, 2).await;
    peer.called(IMAGES, 2).await;
}

#[tokio::test]
async fn another_interval_counts_from_now_on() {
    let peer = Peer::start();
    let timing = Timing {
        refresh: LONG * 100,
        ..patient()
    };
    let mut listener = Listener::start(peer.target(), timing, ALL);
    listener.next(up).await;
    let interval = std::time::Duration::from_millis(20);
    listener.connection.refresh_every(interval);
    peer.called(PODS, 5).await;
}

#[tokio::test]
async fn an_unknown_image_is_looked_up_once() {
    let peer = Peer::start();
    let mut listener = Listener::start(peer.target(), patient(), ALL);
    listener.next(up).await;
    peer.called(IMAGES, 1).await;
    let timing = peer.count(IMAGES);
    peer.answer(
        CONTAINERS,
        Answer::message(&containers(&[("c", "sha256:11")])),
    );
    peer.called(IMAGES, timing + 1).await;
    // Still absent: from here on only every fifth round asks.
    let (images, rounds) = (peer.count(IMAGES), peer.count(CONTAINERS));
    peer.called(CONTAINERS, rounds + 10).await;
    assert!(peer.count(IMAGES) <= images + 4);
}

#[tokio::test]
async fn one_failing_list_is_told_once_and_leaves_the_others() {
    let peer = Peer::start();
    peer.answer(
        IMAGES,
        Answer::Fail(Code::Unknown, "disk is \x1b[31mbroken"),
    );
    peer.answer(PODS, Answer::message(&pods(&["a"])));
    let mut listener = Listener::start(peer.target(), patient(), ALL);
    let text = listener.next(notice).await;
    assert_eq!(text.as_str(), "ListImages: disk is \\x1b[31mbroken");
    peer.called(IMAGES, 4).await;
    drop(listener.connection);
    while let Some(update) = listener.updates.recv().await {
        assert_eq!(notice(&update), None);
    }
}

#[tokio::test]
async fn five_mebibytes_are_one_message() {
    let peer = Peer::start();
    peer.answer(PODS, Answer::message(&large(5 << 20)));
    let (reader, _) = connect_once(&peer.target(), &patient()).await.unwrap();
    assert!(reader.pods().await.unwrap().len() > 4_000);
}

fn large(bytes: usize) -> v1::ListPodSandboxResponse {
    let text = "x".repeat(1_000);
    let pod = |n: usize| v1::PodSandbox {
        id: n.to_string(),
        annotations: [("note".to_owned(), text.clone())].into(),
        ..Default::default()
    };
    let items = (0..bytes / 1_000).map(pod).collect();
    v1::ListPodSandboxResponse { items }
}

const TOO_LARGE: Answer = Answer::Fail(
    Code::ResourceExhausted,
    "trying to send message larger than max (20971520 vs. 16777216)",
);
const STREAM: &str = "/runtime.v1.RuntimeService/StreamPodSandboxes";

#[tokio::test]
async fn a_list_too_large_for_a_message_comes_in_batches_from_then_on() {
    let peer = Peer::start();
    peer.answer(PODS, TOO_LARGE);
    let batches = [pods(&["a", "b"]), pods(&["c"])];
    let batches = batches.iter().map(Message::encode_to_vec).collect();
    peer.answer(STREAM, Answer::Messages(batches));
    let mut listener = Listener::start(peer.target(), patient(), ONLY_PODS);
    assert_eq!(listener.next(pod_list).await.came.len(), 3);
    peer.called(STREAM, 3).await;
    let batches = [pods(&["b"]), pods(&["c", "d"])];
    let batches = batches.iter().map(Message::encode_to_vec).collect();
    peer.answer(STREAM, Answer::Messages(batches));
    let second = listener.next(pod_list).await;
    assert_eq!((second.came.len(), second.went.len()), (1, 1));
    assert_eq!(peer.count(PODS), 1);
}

#[tokio::test]
async fn a_list_too_large_for_everything_says_what_to_do() {
    let peer = Peer::start();
    peer.answer(PODS, TOO_LARGE);
    let (reader, _) = connect_once(&peer.target(), &patient()).await.unwrap();
    let error = reader.pods().await.unwrap_err();
    assert_eq!(error.kind, Kind::TooLarge);
    assert!(error.message.as_str().contains("remove"), "{error}");
}

#[tokio::test]
async fn a_call_without_answer_times_out() {
    let peer = Peer::start();
    peer.answer(PODS, Answer::Hang);
    peer.answer(CONTAINERS, Answer::Open(vec![]));
    let (reader, _) = connect_once(&peer.target(), &quick()).await.unwrap();
    for error in [
        reader.pods().await.unwrap_err(),
        reader.containers().await.unwrap_err(),
    ] {
        assert_eq!(error.kind, Kind::Timeout);
    }
}

#[tokio::test]
async fn a_detail_of_what_is_gone_is_not_found() {
    let peer = Peer::start();
    let path = "/runtime.v1.RuntimeService/PodSandboxStatus";
    let (reader, version) = connect_once(&peer.target(), &patient()).await.unwrap();
    assert_eq!(version.version, "v2.1.0");
    peer.answer(
        path,
        Answer::Fail(Code::Unknown, "could not find sandbox x"),
    );
    let error = reader.pod_detail(&PodId::new("x")).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    peer.answer(path, Answer::Messages(vec![vec![]]));
    let error = reader.pod_detail(&PodId::new("x")).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
}

#[tokio::test]
async fn only_reads_ever_arrive() {
    let peer = Peer::start();
    let mut listener = Listener::start(peer.target(), patient(), ALL);
    listener.next(up).await;
    let reader = listener.connection.reader();
    let _ = reader.version().await;
    let _ = reader.pod_detail(&PodId::new("x")).await;
    let _ = reader
        .container_detail(&crate::domain::ContainerId::new("x"))
        .await;
    let _ = reader.runtime_status().await;
    peer.called(IMAGES, 3).await;
    let seen = peer.seen();
    assert!(seen.iter().any(|path| path.ends_with("/ContainerStatus")));
    for path in seen {
        assert!(gate::READS.contains(&path.as_str()), "{path}");
    }
}

#[tokio::test]
async fn an_image_socket_of_its_own_gets_the_image_calls() {
    let (runtime, images) = (Peer::start(), Peer::start());
    let target = Target {
        image: SocketPath::new(&images.socket),
        ..runtime.target()
    };
    let mut listener = Listener::start(target, patient(), ALL);
    listener.next(up).await;
    images.called(IMAGES, 1).await;
    assert_eq!((runtime.count(IMAGES), images.count(PODS)), (0, 0));
}

#[tokio::test]
async fn sockets_are_found_under_the_host_root() {
    let peer = Peer::start();
    let socket = SocketPath::new("/cri.sock");
    let target = Target {
        runtime: socket.clone(),
        image: socket,
        host: crate::host::open::HostRoot::new(peer.folder()).unwrap(),
    };
    assert!(connect_once(&target, &patient()).await.is_ok());
}

#[rstest]
#[case::http1(b"HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n", false, "HTTP/1")]
#[case::http1_open(b"HTTP/1.1 400 Bad Request\r\n\r\n", true, "HTTP/1")]
#[case::other(b"SSH-2.0-OpenSSH_9.2p1 and more\r\n", false, "does not speak gRPC")]
#[case::hangs_up(b"", false, "without an answer")]
#[case::mute(b"", true, "does not answer")]
#[tokio::test]
async fn strangers_are_told_apart(
    #[case] hello: &'static [u8],
    #[case] stay: bool,
    #[case] expected: &str,
) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    stranger(&socket, hello, stay);
    // Only silence is told by the deadline.
    let mute = stay && hello.is_empty();
    let timing = if mute { quick() } else { patient() };
    let problem = problem(&socket, timing).await;
    assert!(problem.what.as_str().contains(expected), "{problem:?}");
    assert!(problem.what.as_str().contains("unix:///"), "{problem:?}");
    assert!(!problem.advice.is_empty());
}

#[tokio::test]
async fn sockets_that_are_none_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("file"), "").unwrap();
    drop(std::os::unix::net::UnixListener::bind(path("stale")).unwrap());
    for (name, expected) in [
        ("none", "does not exist"),
        ("file", "not a socket"),
        ("", "not a socket"),
        ("stale", "connection refused"),
    ] {
        let problem = problem(&path(name), patient()).await;
        assert!(problem.what.as_str().contains(expected), "{problem:?}");
    }
}

#[tokio::test]
async fn runtimes_without_cri_v1_are_told_apart() {
    let peer = Peer::start();
    let unknown = Answer::Fail(
        Code::Unimplemented,
        "unknown service runtime.v1.RuntimeService",
    );
    peer.answer(VERSION, unknown);
    let off = problem(&peer.socket, patient()).await;
    assert!(off.advice.as_str().contains("disabled_plugins"), "{off:?}");
    peer.answer(
        "/runtime.v1alpha2.RuntimeService/Version",
        version("containerd", "1.5.9"),
    );
    let old = problem(&peer.socket, patient()).await;
    assert!(old.what.as_str().contains("containerd 1.5.9"), "{old:?}");
    assert!(old.what.as_str().contains("v1alpha2"), "{old:?}");
}

#[rstest]
#[case::not_found(404)]
#[case::fine(200)]
#[tokio::test]
async fn a_web_server_is_no_runtime(#[case] status: u16) {
    let peer = Peer::start();
    peer.answer(VERSION, Answer::Web(status));
    let problem = problem(&peer.socket, patient()).await;
    assert!(
        problem.what.as_str().contains("does not speak gRPC"),
        "{problem:?}"
    );
}

#[tokio::test]
async fn a_runtime_that_is_mute_from_the_start_is_met_without_dialling_again() {
    let peer = Peer::start();
    peer.freeze(true);
    let mut listener = Listener::start(peer.target(), quick(), ALL);
    let problem = listener.next(down).await;
    assert!(
        problem.what.as_str().contains("does not answer"),
        "{problem:?}"
    );
    peer.called(VERSION, 2).await;
    peer.freeze(false);
    listener.next(up).await;
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_list_that_is_slow_does_not_hold_up_the_others() {
    let peer = Peer::start();
    peer.answer(IMAGES, Answer::Hang);
    peer.answer(PODS, Answer::message(&pods(&["a"])));
    let mut listener = Listener::start(peer.target(), patient(), ALL);
    assert_eq!(listener.next(pod_list).await.came.len(), 1);
}

#[test]
fn everything_can_move_between_threads() {
    fn can_move<T: Send>(_: impl FnOnce(Reader) -> T) {}
    fn is_shared<T: Send + Sync>() {}
    is_shared::<Connection>();
    can_move(|reader| async move { reader.pods().await });
    can_move(|reader| async move { reader.pod_detail(&PodId::new("x")).await });
}

mod events {
    use super::*;

    const EVENTS: &str = "/runtime.v1.RuntimeService/GetContainerEvents";

    fn start(peer: &Peer, timing: Timing) -> Listener {
        let access = Access::decide(vec![]);
        let (out, updates) = tokio::sync::mpsc::channel(64);
        let connection = Connection::start(
            peer.target(),
            timing,
            access.grant().map(AsRef::as_ref),
            out,
        );
        connection.want(ONLY_PODS);
        Listener {
            connection,
            updates,
        }
    }

    fn lazy() -> Timing {
        Timing {
            refresh: LONG * 100,
            ..patient()
        }
    }

    #[tokio::test]
    async fn an_event_lists_at_once() {
        let peer = Peer::start();
        peer.answer(EVENTS, Answer::Open(vec![vec![]]));
        let mut listener = start(&peer, lazy());
        listener.next(up).await;
        peer.called(PODS, 2).await;
    }

    #[tokio::test]
    async fn a_paused_subscription_is_closed_and_resumed() {
        let peer = Peer::start();
        peer.answer(EVENTS, Answer::Open(vec![]));
        let mut listener = start(&peer, lazy());
        listener.next(up).await;
        peer.called(EVENTS, 1).await;
        listener.connection.pause_events();
        assert!(!listener.connection.events_run());
        listener.connection.resume_events();
        peer.called(EVENTS, 2).await;
    }

    #[tokio::test]
    async fn a_forbidden_subscription_is_closed_and_never_made_again() {
        let mut peer = Peer::start();
        peer.answer(EVENTS, Answer::Open(vec![]));
        let mut listener = start(&peer, patient());
        listener.next(up).await;
        peer.called(EVENTS, 1).await;
        listener.connection.forbid_events();
        // As after being suspended.
        listener.connection.resume_events();
        peer.kill();
        listener.next(down).await;
        peer.revive();
        listener.next(up).await;
        peer.called(PODS, peer.count(PODS) + 3).await;
        assert_eq!(peer.count(EVENTS), 1);
    }

    #[rstest]
    #[case::instant_end(Answer::Messages(vec![]), "at once")]
    #[case::unimplemented(
        Answer::Fail(Code::Unimplemented, "method not implemented"),
        "no events"
    )]
    #[tokio::test]
    async fn a_runtime_without_events_is_polled_for_good(
        #[case] answer: Answer,
        #[case] expected: &str,
    ) {
        let mut peer = Peer::start();
        peer.answer(EVENTS, answer);
        let mut listener = start(&peer, patient());
        let text = listener.next(notice).await;
        assert!(text.as_str().contains(expected), "{text}");
        peer.kill();
        listener.next(down).await;
        peer.revive();
        listener.next(up).await;
        assert_eq!(peer.count(EVENTS), 1);
    }

    #[tokio::test]
    async fn containerd_1_7_is_never_subscribed_to() {
        let peer = Peer::start();
        peer.answer(VERSION, version("containerd", "v1.7.24"));
        peer.answer(EVENTS, Answer::Open(vec![]));
        let mut listener = start(&peer, patient());
        let text = listener.next(notice).await;
        assert!(text.as_str().contains("1.7"), "{text}");
        peer.called(PODS, 3).await;
        assert_eq!(peer.count(EVENTS), 0);
    }
}
