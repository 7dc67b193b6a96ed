//! What the program costs on a real node, against the floor: medians of five and ratios, printed.
//! Started by `tests/bench/node`; never fails, since a number says more than a verdict here.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use vt100::Screen;

use crate::CRITUI;
use crate::harness::{Node, node};
use crate::support::words::{UP, link_is, shows};
use crate::support::{Program, Term};

/// Runs of each measure; odd, so that there is a middle.
const RUNS: usize = 5;
/// For a program to get somewhere.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the idle program is watched.
const IDLE: Duration = Duration::from_secs(60);
/// The preview follows the cursor after 150 ms of rest: what comes before is the move itself.
const MOVE: Duration = Duration::from_millis(100);

#[test]
#[ignore = "a benchmark: tests/bench/node runs it"]
fn measures() {
    let node = node();
    let floor = std::env::var("CRITUI_TEST_FLOOR").expect("tests/bench/node sets this");
    println!(
        "\ncontainerd {}: {} pods, {} containers, {} images; medians of {RUNS}",
        node.version,
        node.cri.sandboxes().len(),
        node.cri.containers().len(),
        node.cri.images().len()
    );
    attempt("start to the first complete frame, 120x40", || {
        start(&node, &floor)
    });
    attempt("snapshot -o json", || snapshot(&node, &floor));
    attempt("a cursor move at 200x50", || cursor(&node));
    attempt("idle", || idle(&node));
}

/// Prints what a measure found, or that it could not be taken.
fn attempt(name: &str, measure: impl FnOnce() -> String) {
    let found = catch_unwind(AssertUnwindSafe(measure));
    println!(
        "{name}: {}",
        found.unwrap_or_else(|_| "not measured (see above)".to_owned())
    );
}

fn median<T: Ord + Copy>(mut run: impl FnMut() -> T) -> T {
    let mut results: Vec<_> = (0..RUNS).map(|_| run()).collect();
    results.sort();
    results[RUNS / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn open(node: &Node, columns: u16, rows: u16) -> Term {
    Program::new(CRITUI)
        .args(["-r".to_owned(), node.endpoint()])
        .size(columns, rows)
        .spawn()
}

/// All three panels are filled.
fn complete(screen: &Screen, node: &Node) -> bool {
    link_is(screen, UP)
        && node.pods.names().iter().any(|name| shows(screen, name))
        && (shows(screen, "app") || shows(screen, "side"))
        && screen.contents().contains("critui.test")
}

fn start(node: &Node, floor: &str) -> String {
    let below = median(|| {
        let term = Program::new(floor)
            .args([node.socket().display().to_string()])
            .spawn();
        term.wait_for_text("images", PATIENCE);
        term.started().elapsed()
    });
    let critui = median(|| {
        let mut term = open(node, 120, 40);
        term.wait_for("a complete frame", PATIENCE, |screen| {
            complete(screen, node)
        });
        let took = term.started().elapsed();
        term.keys("q");
        took
    });
    format!(
        "{:.1} ms, {:.1} ms above the floor of {:.1} ms (at most 8)",
        milliseconds(critui),
        milliseconds(critui.saturating_sub(below)),
        milliseconds(below)
    )
}

/// How long a program runs.
fn run(program: &str, args: &[&str]) -> Duration {
    let start = Instant::now();
    let status = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .expect("the program starts");
    assert!(status.success(), "{program} {args:?}: {status}");
    start.elapsed()
}

fn snapshot(node: &Node, floor: &str) -> String {
    let endpoint = node.endpoint();
    let socket = node.socket().display().to_string();
    let below = median(|| run(floor, &[&socket, "--statuses"]));
    let critui = median(|| run(CRITUI, &["-r", &endpoint, "snapshot", "-o", "json"]));
    format!(
        "{:.1} ms, {:.2} times the floor of {:.1} ms (at most 1.5)",
        milliseconds(critui),
        critui.as_secs_f64() / below.as_secs_f64(),
        milliseconds(below)
    )
}

fn cursor(node: &Node) -> String {
    let mut term = open(node, 200, 50);
    term.wait_for("a complete frame", PATIENCE, |screen| {
        complete(screen, node)
    });
    let mut previews = Vec::new();
    let bytes = median(|| {
        term.settle(Duration::from_millis(400), PATIENCE);
        let before = term.written();
        term.keys("j");
        term.wait_for_more(before, "the move", PATIENCE);
        std::thread::sleep(MOVE);
        let moved = term.written();
        term.settle(Duration::from_millis(400), PATIENCE);
        previews.push(term.written() - moved);
        moved - before
    });
    previews.sort_unstable();
    format!(
        "{bytes} bytes (under 400), the preview after it {} bytes",
        previews[RUNS / 2]
    )
}

fn idle(node: &Node) -> String {
    let term = open(node, 120, 40);
    term.wait_for("a complete frame", PATIENCE, |screen| {
        complete(screen, node)
    });
    // Ages show seconds for a minute.
    std::thread::sleep(Duration::from_secs(61));
    let (bytes, busy) = (term.written(), cpu(term.pid()));
    std::thread::sleep(IDLE);
    let written = term.written() - bytes;
    let used = cpu(term.pid()).saturating_sub(busy);
    let share = used.as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    format!(
        "{written} bytes in {} s (the ages' minute ticks), {share:.2} % of a core (under 0.5), \
         peak memory {} KiB (at most {})",
        IDLE.as_secs(),
        peak(term.pid()),
        12 << 10
    )
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

/// Peak memory (`VmHWM`) in KiB.
fn peak(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}
