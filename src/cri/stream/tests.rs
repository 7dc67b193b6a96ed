//! Sessions and tunnels against a streaming server that does what no server should.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::testing::{Act, answer, send, serve};
use super::{Counted, Event, Session, Size, StreamError, Trust, Tunnel, dial};

const LONG: Duration = Duration::from_secs(20);

async fn socket(url: &str) -> Result<dial::Socket, StreamError> {
    dial::connect(url, &Trust::default(), LONG).await
}

async fn session(url: &str) -> Session {
    Session::new(socket(url).await.unwrap())
}

/// Everything that comes out of a session, in words.
async fn told(acts: Vec<Act>) -> Vec<String> {
    let (url, _server) = serve(acts).await;
    let mut session = session(&url).await;
    let mut told = Vec::new();
    loop {
        let event = tokio::time::timeout(LONG, session.output.next()).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match event.expect("it hangs") {
            Ok(Event::Open) => told.push("open".into()),
            Ok(Event::Stdout(bytes)) => told.push(format!("out {}", text(&bytes))),
            Ok(Event::Stderr(bytes)) => told.push(format!("err {}", text(&bytes))),
            Ok(Event::Ended(ending)) => {
                told.push(format!("ended {ending}"));
                break;
            }
            Err(error) => {
                told.push(error.to_string());
                break;
            }
        }
    }
    told
}

const SUCCESS: &[u8] = b"\x03{\"status\":\"Success\"}";
const NO_WORD: &str = "the streaming server closed without saying how the command ended";

#[rstest]
#[case::a_command(
    vec![send(b"\x01"), send(b"\x01hi\n"), send(b"\x02err\n"), send(SUCCESS), Act::Close],
    &["open", "out hi\n", "err err\n", "ended exit code 0"]
)]
#[case::unknown_channels(
    vec![send(b"\x05x"), send(b"\xff\x00"), send(b"\x00x"), send(b"\x04{}"), send(b""), send(SUCCESS)],
    &["ended exit code 0"]
)]
#[case::text(vec![Act::Text("\u{1}hi"), send(SUCCESS)], &["out hi", "ended exit code 0"])]
#[case::fragments(
    vec![Act::Fragments(b"\x01one ", b"message"), send(SUCCESS)],
    &["out one message", "ended exit code 0"]
)]
#[case::ping(vec![Act::Ping, send(SUCCESS)], &["ended exit code 0"])]
#[case::large(
    vec![send(&[b"\x01".to_vec(), vec![b'x'; 5]].concat()), send(SUCCESS)],
    &["out xxxxx", "ended exit code 0"]
)]
#[case::oversized(
    vec![Act::Send(vec![1; (8 << 20) + 1])],
    &["the streaming server sent a message of 8388609 bytes where 8388608 are the most"]
)]
#[case::no_code(
    vec![send(b"\x03{\"status\":\"Failure\",\"reason\":\"NonZeroExitCode\",\"message\":\"m\"}")],
    &["ended m"]
)]
#[case::no_status(vec![send(b"\x01hi"), Act::Close], &["out hi", NO_WORD])]
#[tokio::test]
async fn what_a_server_may_send(#[case] acts: Vec<Act>, #[case] expected: &[&str]) {
    assert_eq!(told(acts).await, expected);
}

#[tokio::test]
async fn a_connection_that_is_cut_is_told() {
    let told = told(vec![send(b"\x01hi"), Act::Cut]).await;
    assert_eq!(told[0], "out hi");
    assert!(told[1].contains("streaming server"), "{told:?}");
}

#[tokio::test]
async fn the_size_and_what_is_typed_arrive_in_order() {
    let (url, server) = serve(vec![Act::Take, Act::Take, Act::Take, send(SUCCESS)]).await;
    let mut session = session(&url).await;
    let size = |columns, rows| Size { columns, rows };
    session.input.resize(size(100, 40)).await.unwrap();
    // No size at all is not sent: servers ignore it.
    session.input.resize(size(0, 0)).await.unwrap();
    session.input.stdin(b"exit\n").await.unwrap();
    session.input.stdin(b"").await.unwrap();
    session.output.next().await.unwrap();
    session.input.close().await;
    let taken = server.await.unwrap();
    let expected: [&[u8]; 3] = [b"\x04{\"Width\":100,\"Height\":40}", b"\0exit\n", b"\0"];
    assert_eq!(taken, expected);
}

/// Both halves at once: neither waits for the other.
#[tokio::test]
async fn megabytes_go_both_ways() {
    const CHUNKS: usize = 64;
    const CHUNK: usize = 32 << 10;
    let (url, _server) = serve(vec![Act::Echo(CHUNKS * (CHUNK + 1)), send(SUCCESS)]).await;
    let Session {
        mut input,
        mut output,
    } = session(&url).await;
    let typed = async {
        for _ in 0..CHUNKS {
            // As stdin; the server sends it back on the same channel, where nothing is expected.
            input.stdin(&vec![7; CHUNK]).await.unwrap();
        }
    };
    let read = async { output.next().await.unwrap() };
    let ((), event) = tokio::join!(typed, read);
    assert_eq!(event, Event::Ended(super::Ending::Exit(0)));
}

#[rstest]
#[case(
    "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "refuses WebSocket with v4"
)]
#[case("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "try again")]
#[case(
    "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
    "client certificate"
)]
#[case("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "HTTP status 500")]
#[case("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP status 200")]
#[case("SSH-2.0-OpenSSH_9.2\r\n", "does not speak WebSocket")]
#[case("", "does not speak WebSocket")]
#[tokio::test]
async fn servers_that_refuse(#[case] text: &'static str, #[case] words: &str) {
    let url = answer(text).await;
    let line = socket(&url).await.unwrap_err().to_string();
    assert!(line.contains(words), "{line}");
    assert!(line.contains("127.0.0.1:"), "{line}");
}

#[tokio::test]
async fn a_dead_server_is_diagnosed() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/exec/A", listener.local_addr().unwrap());
    drop(listener);
    let line = socket(&url).await.unwrap_err().to_string();
    assert!(line.contains("nothing listens at 127.0.0.1:"), "{line}");
}

#[tokio::test]
async fn a_mute_server_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/exec/A", listener.local_addr().unwrap());
    let short = Duration::from_millis(1);
    let error = dial::connect(&url, &Trust::default(), short).await;
    let line = error.unwrap_err().to_string();
    assert!(line.contains("did not answer within 1ms"), "{line}");
    drop(listener);
}

#[tokio::test]
async fn a_foreign_server_is_never_dialled() {
    // TEST-NET-1; a dial would not answer at all.
    let line = socket("http://192.0.2.1:1/exec/A").await.unwrap_err();
    assert!(line.to_string().contains("--stream-host 192.0.2.1"));
}

async fn tunnel(acts: Vec<Act>) -> (Tunnel, tokio::task::JoinHandle<Vec<Vec<u8>>>) {
    let (url, server) = serve(acts).await;
    (Tunnel::new(socket(&url).await.unwrap()), server)
}

#[tokio::test]
async fn a_tunnel_skips_the_ports_once() {
    let acts = vec![
        send(b"\x00\x90\x1f"),
        send(b"\x01\x90\x1f"),
        Act::Take,
        send(b"\x00\x90\x1f and more"),
        Act::Close,
    ];
    let (tunnel, server) = tunnel(acts).await;
    let (mut here, there) = tokio::io::duplex(1 << 10);
    let counted = Counted::default();
    let user = async {
        here.write_all(b"GET /").await.unwrap();
        let mut answer = Vec::new();
        here.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let (carried, answer) = tokio::join!(tunnel.carry(there, &counted), user);
    assert_eq!(carried, Ok(()));
    assert_eq!(answer, b"\x90\x1f and more");
    assert_eq!(server.await.unwrap(), [b"\0GET /".to_vec()]);
    let count = |of: &std::sync::atomic::AtomicU64| of.load(Ordering::Relaxed);
    assert_eq!((count(&counted.sent), count(&counted.received)), (5, 11));
}

#[tokio::test]
async fn a_tunnel_tells_why_the_pod_refuses() {
    let words = b"\x01error forwarding port 8181 to pod x: failed to connect";
    let acts = vec![send(b"\x00\xf5\x1f"), send(b"\x01\xf5\x1f"), send(words)];
    let (tunnel, _server) = tunnel(acts).await;
    let (_here, there) = tokio::io::duplex(1 << 10);
    let line = tunnel.carry(there, &Counted::default()).await.unwrap_err();
    assert!(line.to_string().starts_with("error forwarding port 8181"));
}

#[tokio::test(start_paused = true)]
async fn a_tunnel_whose_user_has_left_ends() {
    let (tunnel, _server) = tunnel(vec![send(b"\x00\x90\x1f")]).await;
    let (here, there) = tokio::io::duplex(1 << 10);
    drop(here);
    assert_eq!(tunnel.carry(there, &Counted::default()).await, Ok(()));
}

proptest::proptest! {
    #[test]
    fn no_bytes_of_a_server_hurt(bytes: Vec<u8>) {
        super::survives(&bytes);
    }

    #[test]
    fn no_status_hurts(text in "\\PC*", code in "\\PC*") {
        let status = serde_json::json!({"status": "Failure", "message": text,
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": code}]}});
        super::survives(&[b"\x03".to_vec(), status.to_string().into_bytes()].concat());
    }
}
