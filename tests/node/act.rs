//! Acting on real containers through the real program in a terminal. What came of it is seen by
//! the suite's own client, over a connection of its own.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use k8s_cri::v1::{ContainerState, PodSandboxState};
use rustix::process::Signal;
use serde_json::Value;

use crate::CRITUI;
use crate::exec::quit;
use crate::harness::{Node, node};
use crate::pods::{Pod, Recipe, create_one};
use crate::support::words::{UP, link_is};
use crate::support::{Program, Term, wait_until};

/// For what takes no time; generous, since the machine may be busy.
const SOON: Duration = Duration::from_secs(10);
/// For many things.
const LONG: Duration = Duration::from_secs(90);
/// Root's journal.
const JOURNAL: &str = "/var/log/critui/journal.jsonl";

/// A pod for one test.
fn pod(node: &Node, name: &str, index: usize) -> Pod {
    create_one(&node.cri, &Node::logs(), name, index, Recipe::Sleep)
}

/// Opens the program on the containers of a pod.
fn opened(node: &Node, pod: &str) -> Term {
    let mut term = Program::new(CRITUI)
        .args(["-r".to_owned(), node.endpoint()])
        .size(120, 50)
        .spawn();
    term.wait_for("the pods", SOON, |screen| {
        link_is(screen, UP) && screen.contents().contains("1 Pods 1/2")
    });
    term.keys(&format!("/{pod}\r"));
    term.wait_for_text("1 Pods 1/1 of", SOON);
    term
}

/// Asks, waits until it can be confirmed, and confirms.
fn confirms(term: &mut Term, keys: &str, question: &str) {
    term.keys(keys);
    term.wait_for_text(question, SOON);
    term.wait_for_text("kept in the journal: /var/log/critui/journal.jsonl", SOON);
    term.keys("y");
}

/// The cursor on one container.
fn on(term: &mut Term, container: &str) {
    term.keys(&format!("\r/{container}\r"));
    term.wait_for_text("2 Containers of ", SOON);
    term.wait_for_text(&format!("/{container}"), SOON);
}

fn state(node: &Node, id: &str) -> ContainerState {
    node.cri.status(id).state()
}

fn becomes(node: &Node, id: &str, wanted: ContainerState, within: Duration) {
    let there = wait_until(within, || state(node, id) == wanted);
    assert!(there, "{id} is {:?}", state(node, id));
}

fn gone(node: &Node, id: &str) -> bool {
    !node.cri.containers().iter().any(|one| one.id == id)
}

/// What the journal holds of an object: its outcomes in order. Every line is JSON.
fn kept(object: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(JOURNAL).unwrap_or_default();
    let records = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("a record"));
    let of = records.filter(|one| one["object"] == object);
    of.map(|one| {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        (text("what"), text("outcome"))
    })
    .collect()
}

fn pair(what: &str, outcome: &str) -> (String, String) {
    (what.to_owned(), outcome.to_owned())
}

#[test]
fn a_container_is_stopped_with_its_grace_and_removed() {
    let node = node();
    let pod = pod(&node, "gentle", 910);
    let app = node.cri.container("gentle", "app");
    let mut term = opened(&node, "gentle");
    on(&mut term, "app");
    confirms(&mut term, "x", "gentle/app?");
    becomes(&node, &app, ContainerState::ContainerExited, SOON);
    // It was asked to end, and had the time to.
    assert_eq!(node.cri.status(&app).exit_code, 0);
    term.wait_for_text("done after", SOON);
    confirms(&mut term, "D", "gentle/app?");
    assert!(wait_until(SOON, || gone(&node, &app)));
    term.wait_for_text("done after", SOON);
    let expected = [
        pair("stop container", "asked"),
        pair("stop container", "done"),
        pair("remove container", "asked"),
        pair("remove container", "done"),
    ];
    assert_eq!(kept(&app), expected);
    quit(term);
    node.cri.remove_sandbox(&pod.id);
}

#[test]
fn a_second_press_kills_what_does_not_listen() {
    let node = node();
    let pod = pod(&node, "stone", 911);
    let id = pod.add(&node.cri, "stubborn", 0, Recipe::Stubborn);
    let mut term = opened(&node, "stone");
    on(&mut term, "stubborn");
    confirms(&mut term, "x", "stone/stubborn?");
    term.wait_for_text("SIGKILL in 2", SOON);
    assert_eq!(state(&node, &id), ContainerState::ContainerRunning);
    confirms(&mut term, "x", "now?");
    becomes(&node, &id, ContainerState::ContainerExited, SOON);
    assert_eq!(node.cri.status(&id).exit_code, 137);
    let both_over = || {
        kept(&id)
            .iter()
            .filter(|(_, outcome)| outcome == "done")
            .count()
            == 2
    };
    assert!(wait_until(SOON, both_over), "{:?}", kept(&id));
    quit(term);
    node.cri.remove_sandbox(&pod.id);
}

#[test]
fn what_was_only_made_is_started() {
    let node = node();
    let pod = pod(&node, "fresh", 912);
    let id = pod.make(&node.cri, "new", Recipe::Sleep);
    let mut term = opened(&node, "fresh");
    on(&mut term, "new");
    confirms(&mut term, ":start\r", "fresh/new?");
    becomes(&node, &id, ContainerState::ContainerRunning, SOON);
    term.wait_for_text("done after", SOON);
    quit(term);
    node.cri.remove_sandbox(&pod.id);
}

#[test]
fn a_pod_is_stopped_and_removed() {
    let node = node();
    let pod = pod(&node, "leaving", 913);
    let app = node.cri.container("leaving", "app");
    let mut term = opened(&node, "leaving");
    confirms(&mut term, "x", "/leaving?");
    becomes(&node, &app, ContainerState::ContainerExited, SOON);
    assert_eq!(node.cri.status(&app).exit_code, 0, "it had its grace");
    let stopped = || node.cri.sandbox_status(&pod.id).state() == PodSandboxState::SandboxNotready;
    assert!(wait_until(SOON, stopped));
    term.wait_for_text("done after", SOON);
    confirms(&mut term, "D", "/leaving?");
    let there = || node.cri.sandboxes().iter().any(|one| one.id == pod.id);
    assert!(wait_until(SOON, || !there()));
    assert!(gone(&node, &app));
    // Before it knows the outcome it would ask whether to quit.
    term.wait_for("the outcome", SOON, |screen| {
        let text = screen.contents();
        text.contains("remove pod") && text.contains("done after")
    });
    quit(term);
}

#[test]
fn forty_are_stopped_and_removed_at_once() {
    let node = node();
    let pod = pod(&node, "crowd", 914);
    let ids: Vec<String> = (0..38)
        .map(|nth| pod.add(&node.cri, &format!("c{nth}"), 0, Recipe::Sleep))
        .collect();
    let mut term = opened(&node, "crowd");
    term.keys("\r");
    term.wait_for_text("2 Containers of crowd 1/40", LONG);
    confirms(&mut term, ":mark-all\rx", "Stop 40 containers?");
    term.wait_for_text("40 done: X shows them", LONG);
    for id in &ids {
        assert_eq!(state(&node, id), ContainerState::ContainerExited);
        assert_eq!(node.cri.status(id).exit_code, 0);
    }
    term.keys("q");
    term.wait_for_text("2 Containers of crowd 1/40", SOON);
    confirms(&mut term, "D", "Remove 40 containers?");
    term.wait_for_text("40 done: X shows them", LONG);
    assert!(ids.iter().all(|id| gone(&node, id)));
    quit(term);
    node.cri.remove_sandbox(&pod.id);
}

#[test]
fn killed_amid_many_it_leaves_a_journal_that_can_be_read() {
    let node = node();
    let pod = pod(&node, "midst", 915);
    let ids: Vec<String> = (0..12)
        .map(|nth| pod.add(&node.cri, &format!("s{nth}"), 0, Recipe::Stubborn))
        .collect();
    let mut term = opened(&node, "midst");
    term.keys("\r/s\r");
    term.wait_for_text("2 Containers of midst", SOON);
    confirms(&mut term, ":mark-all\rx", "Stop 1");
    term.wait_for_text("waits", SOON);
    let asked = || {
        let begun = ids
            .iter()
            .filter(|id| kept(id) == [pair("stop container", "asked")]);
        begun.count()
    };
    assert!(wait_until(SOON, || asked() >= 7), "{}", asked());
    term.signal(Signal::KILL);
    let _ = term.exit(SOON);
    // What was begun has no outcome, and nobody made one up; what waited was never begun.
    assert!(asked() <= 8, "{}", asked());
    // The node answers, and everything can still be ended.
    let states: HashMap<&str, ContainerState> = ids
        .iter()
        .map(|id| (id.as_str(), state(&node, id)))
        .collect();
    assert_eq!(states.len(), 12);
    for id in &ids {
        node.cri.stop(id, 0);
        assert_eq!(state(&node, id), ContainerState::ContainerExited);
    }
    node.cri.remove_sandbox(&pod.id);
}
