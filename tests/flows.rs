//! What a user does and sees: keys through the real loop against the simulated node.
//!
//! At its start the node's pods are listed as report-worker, payments, recommender, config-sync,
//! cache-0 (all in trouble) and twelve more, up to web-7d9c5b8f6d-t8w2x.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/typing.rs"]
mod typing;

use std::time::Duration;

use critui::demo::{DemoNode, Fault, FaultKind};
use flow::{Start, flow, opened, opening};
use rstest::rstest;
use tonic::Code;

const ALL: &str = "*";

/// Switches on one fault of one method.
fn fault(method: &'static str, kind: FaultKind) -> impl FnOnce(&DemoNode) {
    move |node| node.set_faults(vec![Fault::new(method, kind)])
}

fn no_fault(node: &DemoNode) {
    node.set_faults(vec![]);
}

#[rstest]
#[case("", "report-worker-74f8d6c9b5-kl5nd")]
#[case("j", "payments-6c4d8b7f95-9xvkz")]
#[case("jjjk", "recommender-6b9f7d5c84-c7rgp")]
#[case("<Down><Down><Up>", "payments-6c4d8b7f95-9xvkz")]
#[case("kkk", "report-worker-74f8d6c9b5-kl5nd")]
#[case("G", "web-7d9c5b8f6d-t8w2x")]
#[case("Gjjj", "web-7d9c5b8f6d-t8w2x")]
#[case("Gg", "report-worker-74f8d6c9b5-kl5nd")]
#[case("<End>k", "web-7d9c5b8f6d-4kqzm")]
#[case("<PgDn><Home>", "report-worker-74f8d6c9b5-kl5nd")]
#[case("<PgDn>", "web-7d9c5b8f6d-t8w2x")]
#[case("<^d><^u>", "report-worker-74f8d6c9b5-kl5nd")]
#[case("jj<Esc>", "report-worker-74f8d6c9b5-kl5nd")]
fn moving(#[case] keys: &str, #[case] selected: &str) {
    flow(keys).selects(selected);
}

#[rstest]
#[case("<Tab>", "cannot start")]
#[case("2", "cannot start")]
#[case("j<Enter>", "exit 1 x7")]
#[case("j<Enter>j", "exit 1 ")]
#[case("<Tab><Tab>", "calico/cni")]
#[case("3", "calico/cni")]
#[case("<S-Tab>j", "calico/node")]
#[case("<Tab><Tab><Tab>j", "payments-6c4d8b7f95-9xvkz")]
#[case("3j21j", "payments-6c4d8b7f95-9xvkz")]
#[case("j<Enter><Esc>", "payments-6c4d8b7f95-9xvkz")]
fn panels(#[case] keys: &str, #[case] selected: &str) {
    flow(keys).selects(selected);
}

#[rstest]
#[case(
    "j<Enter>",
    "2 Containers of payment…5-9xvkz 1/1 (23 in all) · 1 in trouble"
)]
#[case("jj", "2 Containers of recommender-6b9f7d5c84-c7rgp 0")]
#[case("*", "2 Containers 1/23")]
#[case("**", "2 Containers of report-…5-kl5nd 1/1 (23 in all)")]
#[case("*j<Enter>", "2 Containers of payment…5-9xvkz")]
#[case("j", "─ Pod shop/payments-6c4d8b7f95-9xvkz")]
#[case("j<Enter>", "─ Container payments-6c4d8b7f95-9xvkz/payments")]
#[case("3", "─ Image docker.io/calico/cni:v3.29.1")]
fn the_rest_follows_the_cursor(#[case] keys: &str, #[case] text: &str) {
    flow(keys).sees(text);
}

#[rstest]
#[case("jd", "─ Pod shop/payments-6c4d8b7f95-9xvkz")]
#[case("ji", "ip ")]
#[case("j<Enter>d", "exit code")]
#[case("j<Enter><Enter>", "exit code")]
#[case("3d", "Digests")]
#[case("?", "─ Help")]
#[case("?G", "The time of the next restart is an estimate")]
#[case("N", "no voice asks for read-only")]
fn pages(#[case] keys: &str, #[case] text: &str) {
    flow(keys)
        .sees(text)
        .sees("q back")
        .types("<Esc>")
        .misses("q back");
}

#[rstest]
#[case("?q", "─ Help")]
#[case("??", "─ Help")]
#[case("?<Esc>", "─ Help")]
#[case("d?q<Esc>", "q back")]
fn leaving_pages(#[case] keys: &str, #[case] gone: &str) {
    flow(keys).misses(gone).selects("report-worker");
}

#[rstest]
#[case("o", "NAME↑", "api-5f7b9d8c66-mj2vr")]
#[case("oO", "NAME↓", "web-7d9c5b8f6d-t8w2x")]
#[case("ooo", "READY↑", "")]
#[case("ooooooooo", "1 Pods", "")]
#[case("O", "1 Pods", "web-7d9c5b8f6d-t8w2x")]
#[case("3O", "3 Images", "report-worker")]
fn sorting(#[case] keys: &str, #[case] head: &str, #[case] first: &str) {
    let start = Start {
        size: (200, 50),
        ..Start::default()
    };
    opened(&start).types(keys).sees(head).starts_with(first);
}

#[test]
fn sorting_keeps_the_selection() {
    flow("jo")
        .selects("payments")
        .starts_with("api-")
        .types("j")
        .selects("recommender");
}

#[rstest]
#[case("Z", "Z does nothing here; ? shows the keys")]
#[case("?o", "o does nothing here; ? shows the keys")]
#[case("<^x>", "^x does nothing here; ? shows the keys")]
#[case("jj<Enter>d", "summary: the list is empty")]
#[case("jj<Enter><Enter>", "open: the list is empty")]
fn what_cannot_be_done_says_why(#[case] keys: &str, #[case] why: &str) {
    flow(keys).sees(why).types("g").misses(why);
}

#[rstest]
#[case("", "q")]
#[case("d", "qq")]
#[case("?", "<^c>")]
#[case("3", "<^c>")]
fn quitting(#[case] before: &str, #[case] keys: &str) {
    flow(before).quits(keys);
}

#[test]
fn the_terminal_is_given_back_and_drawn_anew() {
    flow("<^z>")
        .has_left_and_repainted(1, 0)
        .types("<^l>")
        .has_left_and_repainted(1, 1);
}

#[test]
fn a_runtime_that_stops_and_returns_keeps_the_selection() {
    flow("jj")
        .node(DemoNode::stop)
        .sees("down for")
        .selects("recommender")
        .types("k")
        .selects("payments")
        .node(DemoNode::resume)
        .types("R")
        .misses("down for")
        .sees("· up ·")
        .selects("payments");
}

#[test]
fn a_runtime_that_is_not_there_yet_is_waited_for() {
    let flow = opened(&Start::default()).node(DemoNode::stop);
    flow.sees("down for")
        .types("?")
        .sees("─ Help")
        .types("<Esc>")
        .selects("report-worker");
}

#[test]
fn a_runtime_that_hangs_leaves_the_keys_alive() {
    let start = Start {
        deadline: Duration::from_millis(500),
        ..Start::default()
    };
    opened(&start)
        .node(fault(ALL, FaultKind::Hang))
        .sees("not answering for")
        .types("j")
        .selects("payments")
        .types("?")
        .sees("─ Help")
        .types("<Esc>")
        .node(no_fault)
        .sees("· up ·")
        .selects("payments");
}

#[test]
fn a_runtime_that_hangs_from_the_start_leaves_the_keys_alive() {
    let start = Start {
        deadline: Duration::from_millis(500),
        faults: vec![Fault::new(ALL, FaultKind::Hang)],
        ..Start::default()
    };
    opening(&start)
        .types("?")
        .sees("─ Help")
        .types("<Esc>")
        .quits("q");
}

#[test]
fn a_list_that_fails_is_told_and_the_others_go_on() {
    let denied = FaultKind::Error(Code::PermissionDenied, "no images for you".into());
    flow("")
        .node(fault("ListImages", denied))
        .types("R")
        .sees("no images for you")
        .types("j")
        .selects("payments")
        .types("N")
        .sees("no images for you");
}

#[test]
fn a_container_that_vanishes_between_list_and_status_harms_nothing() {
    let start = Start {
        faults: vec![Fault::new("ContainerStatus", FaultKind::Vanish)],
        full: "3 in trouble",
        ..Start::default()
    };
    opened(&start)
        .types("jjG")
        .selects("web-7d9c5b8f6d-t8w2x")
        .types("<Enter>d")
        .sees("Identity");
}

#[test]
fn time_restarts_what_crashes() {
    flow("j")
        .sees("exit 1 x7")
        .passes(Duration::from_secs(141))
        .types("R")
        .sees("exit 1 x8, restarted");
}

#[test]
fn read_only_is_said_all_the_time() {
    let start = Start {
        read_only: true,
        ..Start::default()
    };
    opened(&start)
        .sees(" READ-ONLY ")
        .types("N")
        .sees("--read-only was given")
        .sees(" READ-ONLY ");
}
