//! Logs of real containers, written by a real runtime and rotated as the kubelet does it: on the
//! screen and by `critui logs`.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use crate::CRITUI;
use crate::harness::{Node, node};
use crate::pods::{Pod, Recipe, create_one, pack_log, rotate_log};
use crate::support::words::{UP, header, link_is};
use crate::support::{Program, Term, wait_until};

/// For what takes no time; generous, since the machine may be busy.
const SOON: Duration = Duration::from_secs(10);

fn logs(node: &Node, args: &[&str]) -> Output {
    Command::new(CRITUI)
        .args(["-r", &node.endpoint(), "logs"])
        .args(args)
        .env_remove("CRI_CONFIG_FILE")
        .env("HOME", "/nonexistent")
        .output()
        .expect("the program starts")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The program with the log of a pod open.
fn open(node: &Node, pod: &str) -> Term {
    let mut term = Program::new(CRITUI)
        .args(["-r".to_owned(), node.endpoint()])
        .size(120, 40)
        .spawn();
    term.wait_for("all of it", SOON, |screen| {
        link_is(screen, UP) && header(screen).contains("trouble")
    });
    term.keys(&format!("/{pod}\r"));
    term.wait_for_text("1 Pods", SOON);
    term.keys("l");
    term.wait_for_text("following", SOON);
    term
}

fn quit(mut term: Term) {
    term.keys("\x03");
    let exit = term.exit(SOON);
    assert!(exit.status.success(), "{:?}", exit.status);
}

/// The newest container of a pod with this name.
fn container(node: &Node, pod: &Pod, name: &str) -> String {
    let mut all = node.cri.containers();
    all.retain(|container| {
        let metadata = container.metadata.clone().unwrap_or_default();
        container.pod_sandbox_id == pod.id && metadata.name == name
    });
    all.sort_by_key(|container| container.created_at);
    all.pop().expect("the container").id
}

/// Numbers of the lines that the chatting container has written.
fn numbers(output: &str) -> Vec<u64> {
    let lines = output.lines().map(|line| {
        let rest = line
            .strip_prefix("line ")
            .unwrap_or_else(|| panic!("{line:?}"));
        let (number, pad) = rest.split_once('.').unwrap_or_else(|| panic!("{line:?}"));
        let number: u64 = number.parse().unwrap_or_else(|e| panic!("{e}: {line:?}"));
        let length = if number.is_multiple_of(50) { 20_001 } else { 0 };
        assert_eq!(pad.len(), length, "line {number} is not whole");
        number
    });
    lines.collect()
}

fn remove(node: &Node, pod: &Pod) {
    node.cri.stop_sandbox(&pod.id);
    node.cri.remove_sandbox(&pod.id);
}

#[test]
fn every_line_is_there_through_rotation_and_on_the_screen() {
    let node = node();
    let pod = create_one(&node.cri, &Node::logs(), "chatter", 901, Recipe::Chatter);
    let id = container(&node, &pod, "app");
    let term = open(&node, "chatter");
    term.wait_for_text("app  line", SOON);
    let mut rotated: Vec<PathBuf> = Vec::new();
    for nth in 0..4 {
        let sees = |text: &str| numbers(text).len();
        let before = sees(&text(&logs(&node, &["chatter/app"])));
        let grown = || sees(&text(&logs(&node, &["chatter/app"]))) > before + 60;
        assert!(wait_until(SOON, grown), "nothing is written");
        rotated.push(rotate_log(&node.cri, &id, nth));
        if let Some(older) = rotated.len().checked_sub(2) {
            pack_log(&rotated[older]);
        }
    }
    node.cri.stop(&id, 5);
    let output = logs(&node, &["chatter/app"]);
    assert!(output.status.success(), "{output:?}");
    let mut found = numbers(&text(&output));
    let newest = *found.iter().max().expect("lines");
    // The two streams come through two pipes: their order may differ by a line or two.
    found.sort_unstable();
    assert!(
        found.iter().copied().eq(1..=newest),
        "lines are lost or doubled"
    );
    assert!(newest > 240);
    term.wait_for_text(&format!("line {}.", newest - 1), SOON);
    quit(term);
    remove(&node, &pod);
}

#[test]
fn the_view_goes_on_into_the_next_attempt() {
    let node = node();
    let pod = create_one(&node.cri, &Node::logs(), "again", 902, Recipe::Chatter);
    let id = container(&node, &pod, "app");
    let term = open(&node, "again");
    term.wait_for_text("app  line", SOON);
    node.cri.stop(&id, 5);
    // This one writes little: what it follows stays on the screen.
    pod.add(&node.cri, "app", 1, Recipe::Sleep);
    term.wait_for(
        "the next attempt, and how the one before ended",
        SOON,
        |screen| {
            let text = screen.contents();
            text.contains("attempt 0 ended: exit ") && text.contains("attempt 1 began")
        },
    );
    term.wait_for_text("app  started", SOON);
    quit(term);
    remove(&node, &pod);
}

#[test]
fn a_crash_is_shown_with_its_cause_in_the_preview_and_all_attempts() {
    let node = node();
    let mut term = open(&node, "crash");
    term.wait_for("both attempts", SOON, |screen| {
        let text = screen.contents();
        text.contains("attempt 0 ended; the runtime no longer knows how")
            && text.contains("attempt 1 ended: exit 1")
            && text.contains("panic: boom")
    });
    term.keys("q2");
    term.wait_for("the preview", SOON, |screen| {
        let text = screen.contents();
        text.contains("Log: how it ended") && text.contains("panic: boom")
    });
    quit(term);
    let all = text(&logs(&node, &["crash/app", "--all-attempts"]));
    // The runtime has forgotten the first attempt; its log is still there.
    assert_eq!(all.matches("panic: boom").count(), 3, "{all}");
    let previous = logs(&node, &["crash/app", "--previous", "-o", "json"]);
    let previous = text(&previous);
    assert_eq!(previous.lines().count(), 3, "{previous}");
    assert!(
        previous.lines().all(|line| line.contains("\"attempt\":1")),
        "{previous}"
    );
    let errors = text(&logs(&node, &["crash/app", "--stream", "stderr"]));
    assert_eq!(errors, "panic: boom\n at main.rs:1\n");
}

#[test]
fn the_log_of_a_container_that_is_gone_can_still_be_read() {
    let node = node();
    let pod = create_one(&node.cri, &Node::logs(), "gone", 903, Recipe::Sleep);
    remove(&node, &pod);
    let output = logs(&node, &["gone/app"]);
    assert_eq!(text(&output), "started\n", "{output:?}");
}

#[test]
fn a_name_that_is_unknown_or_ambiguous_lists_what_there_is() {
    let node = node();
    let unknown = logs(&node, &["web-99"]);
    assert!(!unknown.status.success());
    let line = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(
        line.contains("there are") && line.contains("web-1"),
        "{line}"
    );
    let ambiguous = logs(&node, &["web-"]);
    let line = String::from_utf8_lossy(&ambiguous.stderr).into_owned();
    assert!(
        line.contains("is ambiguous") && line.contains("web-2"),
        "{line}"
    );
}
