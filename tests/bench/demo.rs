//! What the program costs on the simulated node: medians of five, printed. Started by
//! `tests/bench/demo`; never fails, since a number says more than a verdict here.

#[path = "../support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use critui::demo::{self, DemoNode, Fault, FaultKind, Scenario};

use support::words::{UP, link_is, shows};
use support::{Program, Term};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Endpoint;
use tonic::{Request, Status};

const CRITUI: &str = env!("CARGO_BIN_EXE_critui");
/// Runs of each measure; odd, so that there is a middle.
const RUNS: usize = 5;
/// For a program to get somewhere.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the client is watched while the node changes.
const WATCH: Duration = Duration::from_secs(30);
/// A screen with a preview and what it uses, and the smallest that people work on.
const LARGE: (u16, u16) = (120, 40);
const SMALL: (u16, u16) = (80, 24);
/// Keys whose way to the screen is measured.
const KEYS: usize = 300;

// Numbers to be read by people: what a float loses is far behind the point.
#[allow(clippy::cast_precision_loss)]
#[test]
fn measures() {
    println!("\nsimulated node; medians of {RUNS}");
    let demo = median(|| {
        let term = Program::new(CRITUI)
            .args(["--demo".to_owned()])
            .size(120, 40)
            .spawn();
        term.wait_for("a complete frame", PATIENCE, |s| {
            link_is(s, UP) && shows(s, "Images")
        });
        term.wait_for_text("payments-", PATIENCE);
        term.started().elapsed()
    });
    println!(
        "--demo to the first complete frame: {:.1} ms (under 60)",
        ms(demo)
    );
    let calm = Simulated::start("calm");
    let small = watch(&calm, Duration::from_secs(5), LARGE);
    drop(calm);
    let large = Simulated::start("large");
    println!(
        "large, its three lists by a client that decodes nothing: {} (under 10 ms)",
        lists(&large)
    );
    let busy = watch(&large, WATCH, LARGE);
    println!(
        "large: peak memory {} KiB, {:.1} MiB above a small node (at most 48)",
        busy.peak,
        (busy.peak.saturating_sub(small.peak)) as f64 / 1024.0
    );
    println!(
        "large: {:.1} ms of CPU a refresh ({} refreshes in {} s; under 15), statistics and frames \
         of {LARGE:?} included",
        ms(busy.cpu) / busy.rounds.max(1) as f64,
        busy.rounds,
        WATCH.as_secs()
    );
    let lists = watch(&large, WATCH, SMALL);
    println!(
        "large: {:.1} ms of CPU a refresh on {SMALL:?}, where no statistics are shown (under 15)",
        ms(lists.cpu) / lists.rounds.max(1) as f64,
    );
    println!(
        "large: a client without a screen, which decodes the same lists and, as often, statistics: \
         {:.1} ms of CPU",
        ms(plain(&large))
    );
    println!("large: key to frame {} (p99 under 16 ms)", keys(&large));
    println!(
        "large, a round of statistics takes 2 s: key to frame {} (p99 under 16 ms)",
        keys_beside_slow_statistics()
    );
    println!(
        "5,000 rows: a keystroke of the filter to its frame {} (p99 under 16 ms)",
        filter(&large)
    );
    println!(
        "500 pods: opening the palette {} (under 10 ms)",
        palette(&large)
    );
}

/// Lines that a container writes in a second, and how often they come.
const BUSY: usize = 100_000;
const BURST: Duration = Duration::from_millis(10);

/// From keys to their frames while the log of a container that writes [`BUSY`] lines a second is
/// followed.
#[test]
fn following() {
    let scenario = Scenario::named("node").expect("a scenario");
    let node = DemoNode::start(&scenario, demo::Options::default()).expect("it starts");
    let root = node.host_root().to_owned();
    let socket = node.socket().strip_prefix(&root).expect("below");
    let mut term = Program::new(CRITUI)
        .args(["-r".to_owned(), format!("unix:///{}", socket.display())])
        .args(["--host-root".to_owned(), root.display().to_string()])
        .size(120, 40)
        .spawn();
    complete(&term);
    term.keys("/cache-0\rl");
    // Its files are there, and read.
    term.wait_for_text("Ready to accept", PATIENCE);
    let over = Arc::new(AtomicBool::new(false));
    let writer = write_lines(&root, Arc::clone(&over));
    term.wait_for_text("busy line", PATIENCE);
    let mut times = Vec::new();
    for nth in 0..KEYS {
        // Spread over the windows that come by themselves.
        std::thread::sleep(Duration::from_millis(
            20 + u64::try_from(nth % 17).unwrap_or(0),
        ));
        for (key, text) in [("/", "Enter search"), ("\x15\x7f", "? help")] {
            let start = Instant::now();
            term.keys(key);
            term.wait_for_text(text, PATIENCE);
            times.push(start.elapsed());
        }
    }
    let ticks = cpu(term.pid());
    over.store(true, Ordering::Relaxed);
    let written = writer.join().expect("it writes");
    println!(
        "following {BUSY} lines a second: key to frame {} (p99 under 33 ms); {:.1} s of CPU for {written} lines",
        summary(times),
        ticks.as_secs_f64()
    );
}

fn write_lines(root: &Path, over: Arc<AtomicBool>) -> JoinHandle<usize> {
    let pods = fs::read_dir(root.join("var/log/pods")).expect("pods");
    let mut folders = pods.map(|entry| entry.expect("an entry").path());
    let folder = folders.find(|path| path.to_string_lossy().contains("cache-0"));
    let path = folder.expect("its folder").join("redis/4.log");
    let mut options = fs::OpenOptions::new();
    let mut file = options.append(true).open(path).expect("its log");
    std::thread::spawn(move || {
        let (mut count, start) = (0, Instant::now());
        while !over.load(Ordering::Relaxed) {
            let mut out = String::new();
            for _ in 0..BUSY / 100 {
                count += 1;
                let now = jiff::Timestamp::now();
                let _ = writeln!(
                    out,
                    "{now} stdout F busy line {count} of a container that does not know when to stop"
                );
            }
            file.write_all(out.as_bytes()).expect("it is written");
            let bursts = u32::try_from(count * 100 / BUSY).unwrap_or(u32::MAX);
            let due = start + BURST * bursts;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        count
    })
}

fn median<T: Ord + Copy>(mut run: impl FnMut() -> T) -> T {
    let mut results: Vec<_> = (0..RUNS).map(|_| run()).collect();
    results.sort();
    results[RUNS / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// `critui demo-node` in a process of its own.
struct Simulated {
    child: Child,
    folder: tempfile::TempDir,
}

impl Simulated {
    fn start(scenario: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(CRITUI)
            .args(["demo-node", "--socket"])
            .arg(folder.path().join("socket"))
            .arg(scenario)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the simulated node starts");
        let out = child.stdout.take().expect("its output");
        let mut line = String::new();
        std::io::BufReader::new(out)
            .read_line(&mut line)
            .expect("it listens");
        Self { child, folder }
    }

    fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("socket")
    }

    fn open(&self) -> Program {
        let endpoint = format!("unix://{}", self.socket().display());
        Program::new(CRITUI)
            .args(["-r".to_owned(), endpoint])
            .size(120, 40)
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

fn complete(term: &Term) {
    term.wait_for("a complete frame", PATIENCE, |screen| {
        let text = screen.contents();
        link_is(screen, UP) && text.contains("3 Images 1/") && text.contains("1 Pods 1/")
    });
}

struct Watched {
    peak: u64,
    cpu: Duration,
    rounds: usize,
}

fn watch(node: &Simulated, time: Duration, size: (u16, u16)) -> Watched {
    let trace = node.folder.path().join("trace");
    let endpoint = format!("unix://{}", node.socket().display());
    let line = format!("exec {CRITUI} -D -r {endpoint} 2>{}", trace.display());
    let term = Program::new("/bin/sh")
        .args(["-c".to_owned(), line])
        .size(size.0, size.1)
        .spawn();
    term.wait_for("the lists", PATIENCE, |screen| {
        link_is(screen, UP) && screen.contents().contains("Pods 1/")
    });
    // Statuses of what has ended are read once, at the start.
    term.settle(Duration::from_secs(1), Duration::from_secs(5));
    let (before, cpu_before) = (rounds(&trace), cpu(term.pid()));
    std::thread::sleep(time);
    Watched {
        peak: peak(term.pid()),
        cpu: cpu(term.pid()).saturating_sub(cpu_before),
        rounds: rounds(&trace) - before,
    }
}

fn rounds(trace: &Path) -> usize {
    let text = fs::read_to_string(trace).unwrap_or_default();
    text.lines()
        .filter(|line| line.contains("ListContainers"))
        .count()
}

fn keys(node: &Simulated) -> String {
    keys_in(node.open())
}

/// The same while each round of statistics takes two seconds.
fn keys_beside_slow_statistics() -> String {
    let slow = FaultKind::Latency(Duration::from_secs(2));
    let options = demo::Options {
        faults: vec![Fault::new("ListContainerStats", slow)],
        ..demo::Options::default()
    };
    let large = Scenario::named("large").expect("a scenario");
    let node = DemoNode::start(&large, options).expect("it starts");
    let endpoint = format!("unix://{}", node.socket().display());
    let program = Program::new(CRITUI).args(["-r".to_owned(), endpoint]);
    keys_in(program.size(200, 50))
}

fn keys_in(program: Program) -> String {
    let mut term = program.spawn();
    complete(&term);
    let key = |n: usize| if n % 40 < 20 { "j" } else { "k" };
    summary((0..KEYS).map(|n| to_frame(&mut term, key(n))).collect())
}

/// From a key to the first bytes of its frame.
fn to_frame(term: &mut Term, key: &str) -> Duration {
    // Spread over the refreshes; a frame of a refresh must not be taken for the key's.
    term.settle(Duration::from_millis(23), Duration::from_millis(300));
    let before = term.written();
    let start = Instant::now();
    term.keys(key);
    term.wait_for_more(before, "a frame", PATIENCE);
    start.elapsed()
}

fn summary(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |percent: usize| ms(times[(times.len() - 1) * percent / 100]);
    format!("median {:.1} ms, p99 {:.1} ms", at(50), at(99))
}

fn filter(node: &Simulated) -> String {
    let mut term = node.open().spawn();
    complete(&term);
    term.keys("2*/");
    term.wait_for_text("Enter keep", PATIENCE);
    let mut times = Vec::new();
    for word in [
        "web", "api", "worker", "running", "exit", "image", "ns:team",
    ] {
        for letter in word.chars() {
            times.push(to_frame(&mut term, &letter.to_string()));
        }
        for _ in word.chars() {
            times.push(to_frame(&mut term, "\x7f"));
        }
    }
    summary(times)
}

fn palette(node: &Simulated) -> String {
    let mut term = node.open().spawn();
    complete(&term);
    let mut times = Vec::new();
    for _ in 0..20 {
        times.push(to_frame(&mut term, ":"));
        to_frame(&mut term, "\x7f");
    }
    summary(times)
}

/// Time that all threads of a process have run.
fn cpu(pid: i32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process");
    let nanoseconds = tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(nanoseconds)
}

/// CPU that the lists of a refresh cost a client that takes them as the CRI's own types: the two
/// that change each time, and statistics each fourth time.
fn plain(node: &Simulated) -> Duration {
    use k8s_cri::v1 as cri;
    use k8s_cri::v1::runtime_service_client::RuntimeServiceClient;
    let rounds = 40;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a loop");
    let own = || {
        let text = fs::read_to_string("/proc/thread-self/schedstat").expect("this thread");
        let first = text.split_whitespace().next().expect("a number");
        Duration::from_nanos(first.parse().expect("a number"))
    };
    runtime.block_on(async {
        let uri = format!("unix://{}", node.socket().display());
        let channel = Endpoint::from_shared(uri).expect("an endpoint");
        let channel = channel.connect().await.expect("a connection");
        let mut client = RuntimeServiceClient::new(channel).max_decoding_message_size(80 << 20);
        let before = own();
        for round in 0..rounds {
            let pods = client.list_pod_sandbox(cri::ListPodSandboxRequest::default());
            let pods = pods.await.expect("pods").into_inner().items.len();
            let containers = client.list_containers(cri::ListContainersRequest::default());
            let containers = containers.await.expect("containers").into_inner();
            assert!(pods > 0 && containers.containers.len() > pods);
            if round % 4 == 0 {
                let stats = client.list_container_stats(cri::ListContainerStatsRequest::default());
                assert!(
                    !stats
                        .await
                        .expect("statistics")
                        .into_inner()
                        .stats
                        .is_empty()
                );
            }
        }
        own().saturating_sub(before) / rounds
    })
}

/// Peak memory (`VmHWM`) in KiB.
fn peak(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

/// Takes answers as bytes and drops them.
#[derive(Clone, Copy, Default)]
struct Nothing;

impl Codec for Nothing {
    type Encode = ();
    type Decode = usize;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Nothing {
    type Item = ();
    type Error = Status;
    fn encode(&mut self, (): (), _: &mut EncodeBuf<'_>) -> Result<(), Status> {
        Ok(())
    }
}

impl Decoder for Nothing {
    type Item = usize;
    type Error = Status;
    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<usize>, Status> {
        use prost::bytes::Buf;
        let size = buf.remaining();
        buf.advance(size);
        Ok(Some(size))
    }
}

fn lists(node: &Simulated) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a loop");
    runtime.block_on(async {
        let uri = format!("unix://{}", node.socket().display());
        let endpoint = Endpoint::from_shared(uri).expect("an endpoint");
        let channel = endpoint
            .initial_stream_window_size(8 << 20)
            .initial_connection_window_size(8 << 20)
            // It is the server that is measured: the client should cost little.
            .max_frame_size(1 << 20);
        let channel = channel.connect().await.expect("a connection");
        let mut grpc = tonic::client::Grpc::new(channel).max_decoding_message_size(80 << 20);
        let mut told = Vec::new();
        for path in [
            "/runtime.v1.RuntimeService/ListPodSandbox",
            "/runtime.v1.RuntimeService/ListContainers",
            "/runtime.v1.ImageService/ListImages",
        ] {
            let mut times = Vec::new();
            let mut size = 0;
            for _ in 0..RUNS {
                grpc.ready().await.expect("ready");
                let start = Instant::now();
                let path = http::uri::PathAndQuery::from_static(path);
                size = grpc
                    .unary(Request::new(()), path, Nothing)
                    .await
                    .expect("an answer")
                    .into_inner();
                times.push(start.elapsed());
            }
            times.sort();
            told.push(format!(
                "{:.1} ms for {} KiB",
                ms(times[RUNS / 2]),
                size >> 10
            ));
        }
        told.join(", ")
    })
}
