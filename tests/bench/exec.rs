//! What a shell in a container costs, against the least that it can cost: bare calls of the same
//! client without a screen, and for bulk a WebSocket client that does nothing else. Ratios,
//! printed; never fails.

use std::time::{Duration, Instant};

use critui::cri::stream::{Event, Session, Size};
use critui::domain::ContainerId;
use futures_util::StreamExt as _;
use k8s_cri::v1;

use crate::exec::{PROMPT, app, at, prompt, quit, runtime, writer};
use crate::harness::{Node, node};
use crate::support::Term;

/// Runs of each measure; odd, so that there is a middle.
const RUNS: usize = 5;
/// Keys whose echo is timed.
const KEYS: usize = 200;
/// Bytes in bulk.
const BULK: usize = 400 << 20;
const PATIENCE: Duration = Duration::from_secs(20);
const TERMINAL: Size = Size {
    columns: 100,
    rows: 30,
};

#[test]
#[ignore = "a benchmark: tests/bench/node runs it"]
fn exec_measures() {
    let node = node();
    let (own, floor) = (middle(|| to_prompt(&node)), middle(|| bare_prompt(&node)));
    told("key to the first byte of the prompt", own, floor, "1.5");
    let (own, floor) = (echo(&node), bare_echo(&node));
    told("echo of a key, 95th percentile", own, floor, "1.5");
    let (own, floor) = (middle(|| bulk(&node)), middle(|| bare_bulk(&node)));
    let rate = |time: Duration| f64::from(400_u16) / time.as_secs_f64();
    println!(
        "bulk output: {:.0} MiB/s, a minimal client {:.0} MiB/s (at least 200, or 0.8 of that)",
        rate(own),
        rate(floor)
    );
}

fn told(what: &str, own: Duration, floor: Duration, most: &str) {
    let ratio = own.as_secs_f64() / floor.as_secs_f64();
    println!("{what}: {own:.1?}, floor {floor:.1?}: {ratio:.2} times (at most {most})");
}

fn middle(mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort();
    times[RUNS / 2]
}

/// From the key to the prompt on the terminal, the program's own banner before it.
fn to_prompt(node: &Node) -> Duration {
    let mut term = at(node, "web-9");
    // The runtime still answers what a program asks that has just begun.
    term.settle(Duration::from_millis(500), PATIENCE);
    let began = Instant::now();
    term.keys("s");
    prompt(&term);
    let took = began.elapsed();
    term.keys("exit\r");
    term.wait_for("its end", PATIENCE, vt100::Screen::alternate_screen);
    quit(term);
    took
}

/// Exec, handshake, first byte.
fn bare_prompt(node: &Node) -> Duration {
    let id = ContainerId::new(&app(node, "web-9"));
    runtime().block_on(async {
        let writer = writer(node).await;
        let began = Instant::now();
        let command = ["sh".to_owned()];
        let shell = writer.shell(&id, &command, TERMINAL).await;
        let mut shell = shell.expect("it opens");
        until(&mut shell, PROMPT.trim_end()).await;
        let took = began.elapsed();
        shell.input.stdin(b"exit\n").await.expect("it is taken");
        took
    })
}

/// Waits until something was shown.
async fn until(shell: &mut Session, text: &str) {
    let mut shown = String::new();
    while !shown.contains(text) {
        if let Event::Stdout(bytes) = shell.output.next().await.expect("it goes on") {
            shown += &String::from_utf8_lossy(&bytes);
        }
    }
}

fn ninety_five(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 95 / 100]
}

fn echo(node: &Node) -> Duration {
    let mut term: Term = at(node, "web-9");
    term.keys("s");
    prompt(&term);
    let mut times = Vec::new();
    for nth in 0..KEYS {
        let before = term.written();
        let began = Instant::now();
        term.keys("x");
        term.wait_for_more(before, "the echo", PATIENCE);
        times.push(began.elapsed());
        if nth % 50 == 49 {
            term.keys("\x15");
            prompt(&term);
        }
    }
    term.keys("\x15exit\r");
    term.wait_for("its end", PATIENCE, vt100::Screen::alternate_screen);
    quit(term);
    ninety_five(times)
}

fn bare_echo(node: &Node) -> Duration {
    let id = ContainerId::new(&app(node, "web-9"));
    runtime().block_on(async {
        let writer = writer(node).await;
        let command = ["sh".to_owned()];
        let shell = writer.shell(&id, &command, TERMINAL).await;
        let mut shell = shell.expect("it opens");
        until(&mut shell, PROMPT.trim_end()).await;
        let mut times = Vec::new();
        for _ in 0..KEYS {
            let began = Instant::now();
            shell.input.stdin(b"x").await.expect("it is taken");
            until(&mut shell, "x").await;
            times.push(began.elapsed());
        }
        shell.input.stdin(b"\x15exit\n").await.expect("it is taken");
        ninety_five(times)
    })
}

fn many() -> Vec<String> {
    let script = format!("dd if=/dev/zero bs=1M count={} 2>/dev/null", BULK >> 20);
    ["sh", "-c", &script].map(str::to_owned).to_vec()
}

fn bulk(node: &Node) -> Duration {
    let id = ContainerId::new(&app(node, "web-9"));
    runtime().block_on(async {
        let writer = writer(node).await;
        let open = writer.pipe(&id, &many(), false).await;
        let (mut open, mut count) = (open.expect("it opens"), 0);
        let began = Instant::now();
        while count < BULK {
            if let Event::Stdout(bytes) = open.output.next().await.expect("it goes on") {
                count += bytes.len();
            }
        }
        began.elapsed()
    })
}

/// The same bytes, read from the socket and dropped.
fn bare_bulk(node: &Node) -> Duration {
    let url = node.cri.exec_url(&v1::ExecRequest {
        container_id: app(node, "web-9"),
        cmd: many(),
        stdout: true,
        stderr: true,
        ..v1::ExecRequest::default()
    });
    runtime().block_on(async {
        let address = url.strip_prefix("http://").expect("no TLS");
        let host = address.split('/').next().expect("a host");
        let stream = tokio::net::TcpStream::connect(host).await;
        let request = http::Request::builder()
            .uri(format!("ws://{address}"))
            .header("Host", host)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
            .header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
            .body(())
            .expect("a request");
        let stream = stream.expect("it listens");
        let opened = tokio_tungstenite::client_async(request, stream).await;
        let (mut socket, _) = opened.expect("it speaks WebSocket");
        let (mut count, began) = (0, Instant::now());
        while count < BULK {
            let message = socket.next().await.expect("it goes on");
            count += message.expect("it goes on").len().saturating_sub(1);
        }
        began.elapsed()
    })
}
