//! Statistics, as a user asks for them: keys through the real loop against the simulated node.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/typing.rs"]
mod typing;

use critui::demo::{Fault, FaultKind};
use flow::{Start, each, flow, opened};
use tonic::Code;

/// Types a filter that leaves one pod, and opens its statistics.
fn stats_of(pod: &str) -> String {
    format!("/{pod}<Enter>t")
}

#[test]
fn a_pod_and_its_containers() {
    let screen = flow(&stats_of("orders"))
        .sees("Pods > Statistics of shop/orders-84c6f5d7b9-2hjkl: 5 minutes")
        .sees("> whole pod")
        .sees("log-shipper")
        // One of its containers has no limit.
        .sees("no limit")
        .sees("when critui began");
    // The next line is a container with a limit.
    screen.types("j").sees("> log-shipper").sees("of 32.0MiB");
}

#[test]
fn keys_of_the_screen() {
    let cases = [
        ("+", "15 minutes"),
        ("++", "1 hour"),
        ("+++++", "1 hour"),
        ("-", "1 minute"),
        ("--=", "5 minutes"),
        ("q", "1 Pods"),
        ("<Esc>", "1 Pods"),
        ("?", "In the lists"),
    ];
    each(&Start::default(), &cases, |flow, (keys, text)| {
        flow.types(&stats_of("cache")).types(keys).sees(text)
    });
}

#[test]
fn one_that_was_killed_says_so() {
    flow(&stats_of("cache"))
        .sees("shop/cache-0")
        .sees("64.0MiB")
        .sees("killed for it");
}

#[test]
fn rows_carry_what_they_use() {
    let start = Start {
        size: (200, 50),
        ..Start::default()
    };
    opened(&start)
        .types("2**")
        .sees("%LIMIT")
        .sees("CPU 1 MIN")
        .sees("MiB")
        // One that works; the highest of its last minute.
        .types("1/orders<Enter>")
        .sees("█");
}

#[test]
fn the_node() {
    flow("n")
        .sees("Node")
        .sees("load")
        .sees("waiting for memory")
        .sees("the kubelet evicts below")
        .types("G")
        .sees("RuntimeReady")
        .sees("How long the runtime takes to answer critui");
}

#[test]
fn what_fills_the_disks_is_measured_when_asked_for() {
    let start = Start {
        size: (120, 80),
        ..Start::default()
    };
    opened(&start)
        .types("n")
        .sees("m measures logs")
        .types("m")
        .sees("logs of shop/")
        .sees("m measures again")
        .types("q")
        .sees("1 Pods");
}

#[test]
fn looking_is_no_change() {
    let start = Start {
        read_only: true,
        ..Start::default()
    };
    each(
        &start,
        &[("t", "Statistics of"), ("n", "Disks")],
        |flow, (keys, text)| flow.types(keys).sees(text),
    );
}

#[test]
fn a_runtime_that_tells_nothing() {
    let refuses = |method| {
        let kind = FaultKind::Error(Code::Unknown, "cgroupPath is empty".into());
        Fault::new(method, kind)
    };
    let start = Start {
        faults: vec![refuses("ListContainerStats"), refuses("PodSandboxStats")],
        ..Start::default()
    };
    opened(&start)
        .types(&stats_of("orders"))
        .sees("ListContainerStats: cgroupPath is empty")
        .sees("CPU     not known yet")
        .sees("PodSandboxStats: cgroupPath is empty");
}
