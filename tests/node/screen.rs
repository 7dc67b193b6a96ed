//! The program in a terminal on a real node, also while the node's runtime dies, freezes and
//! comes back.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::CRITUI;
use crate::harness::{Node, node};
use crate::pods::{Recipe, create_one};
use crate::support::words::{HELP, LOST, UP, header, link_is, selected_of, shows};
use crate::support::{Program, Term};

/// For what takes no time; generous, since the machine may be busy.
const SOON: Duration = Duration::from_secs(5);
/// The loss of the runtime is seen within.
const LOSS: Duration = Duration::from_secs(1);
/// Its return is seen within.
const RETURN: Duration = Duration::from_secs(2);
/// A frozen runtime is seen after the deadline of a call or two.
const SILENCE: Duration = Duration::from_secs(8);

/// Rows for all pods of the suite at once.
const TALL: (u16, u16) = (200, 120);

fn open(node: &Node, (columns, rows): (u16, u16)) -> Term {
    Program::new(CRITUI)
        .args(["-r".to_owned(), node.endpoint()])
        .size(columns, rows)
        .spawn()
}

/// For people: `tests/node/look` opens the program on the node in its own terminal.
#[test]
#[ignore = "to be looked at: tests/node/look runs it"]
fn by_eye() {
    let node = node();
    let endpoint = node.endpoint();
    let status = std::process::Command::new(CRITUI)
        .args(["-r", &endpoint])
        .status();
    assert!(status.expect("the program starts").success());
}

/// Opens the program and waits until it shows pods.
fn open_full(node: &Node) -> Term {
    let term = open(node, TALL);
    term.wait_for("all pods and the link", SOON, |screen| {
        // The header says "trouble" once it is known how everything ended.
        link_is(screen, UP)
            && header(screen).contains("trouble")
            && node.pods.names().iter().all(|name| shows(screen, name))
    });
    term
}

/// The selected pods: the names of pods in highlighted rows.
fn selection<'a>(term: &Term, node: &'a Node) -> BTreeSet<&'a str> {
    selected_of(&term.screen(), &node.pods.names())
}

/// Types and waits until the selection is another; the new one.
fn move_on<'a>(term: &mut Term, node: &'a Node, keys: &str) -> BTreeSet<&'a str> {
    let names = node.pods.names();
    let before = selection(term, node);
    term.keys(keys);
    term.wait_for("the selection to move", SOON, |screen| {
        let now = selected_of(screen, &names);
        !now.is_empty() && now != before
    });
    selection(term, node)
}

fn quit(mut term: Term) {
    term.keys("q");
    let exit = term.exit(SOON);
    assert!(exit.status.success(), "{:?}", exit.status);
    assert_eq!(exit.damage, Vec::<&str>::new());
}

#[test]
fn shows_the_runtime_and_all_pods() {
    let node = node();
    let term = open_full(&node);
    let header = header(&term.screen());
    let version = node.cri.version();
    for part in [&version.runtime_name, &version.runtime_version] {
        assert!(
            header.contains(part.as_str()),
            "{part} is not in {header:?}"
        );
    }
    quit(term);
}

#[test]
fn pods_stand_beside_their_namespaces() {
    let node = node();
    let term = open_full(&node);
    let text = term.text();
    for pod in node.cri.sandboxes() {
        let metadata = pod.metadata.unwrap_or_default();
        let together = text.lines().any(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            words.contains(&metadata.name.as_str()) && words.contains(&metadata.namespace.as_str())
        });
        assert!(
            together,
            "{}/{} in\n{text}",
            metadata.namespace, metadata.name
        );
    }
    quit(term);
}

#[test]
fn needs_no_place_to_write() {
    let node = node();
    // A mount namespace whose root is read-only and whose home is full.
    let script = "mkdir -p $HOME && mount -t tmpfs -o size=4k tmpfs $HOME && \
        head -c 4096 /dev/zero >$HOME/full; mount -o remount,bind,ro / && exec \"$@\"";
    let term = Program::new("/usr/bin/unshare")
        .args(["--mount", "/bin/sh", "-c", script, "sh", CRITUI, "-r"])
        .args([node.endpoint()])
        .env("HOME", "/run/full")
        .spawn();
    term.wait_for("pods", SOON, |screen| {
        link_is(screen, UP) && shows(screen, "crash")
    });
    quit(term);
}

#[test]
fn what_is_in_trouble_stands_first() {
    let node = node();
    let term = open_full(&node);
    let text = term.text();
    let line = |name: &str| {
        text.lines()
            .position(|line| line.split_whitespace().any(|word| word == name))
            .unwrap_or_else(|| panic!("no {name} in\n{text}"))
    };
    for trouble in ["crash", "oom", "wrong"] {
        assert!(line(trouble) < line("web-1"), "{trouble} in\n{text}");
    }
    assert!(line("web-1") < line("web-15") || line("job") > line("crash"));
    quit(term);
}

#[test]
fn nothing_hostile_reaches_the_terminal() {
    let node = node();
    let term = open_full(&node);
    let bytes = term.bytes_from(0);
    let text = String::from_utf8_lossy(&bytes);
    assert!(
        !text.contains("a\u{1b}[31mred"),
        "an escape sequence came through"
    );
    assert!(!text.contains('\u{202e}'), "a bidi control came through");
    quit(term);
}

#[test]
fn a_new_pod_appears_and_a_removed_one_goes() {
    let node = node();
    let term = open_full(&node);
    let pod = create_one(&node.cri, &Node::logs(), "newcomer", 900, Recipe::Sleep);
    term.wait_for("the new pod", SOON, |screen| shows(screen, "newcomer"));
    node.cri.stop_sandbox(&pod.id);
    node.cri.remove_sandbox(&pod.id);
    term.wait_for("the pod to go", SOON, |screen| !shows(screen, "newcomer"));
    quit(term);
}

#[test]
fn a_killed_runtime_is_seen_and_so_is_its_return() {
    let mut node = node();
    let mut term = open_full(&node);
    move_on(&mut term, &node, "j");
    let chosen = move_on(&mut term, &node, "j")
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    node.kill();
    let lost = term.wait_for("the loss in the header", LOSS, |screen| {
        link_is(screen, LOST)
    });
    node.ensure_up();
    let back = term.wait_for("the return in the header", RETURN, |screen| {
        link_is(screen, UP)
    });
    println!("loss seen after {lost:?}, return after {back:?}");
    let now: Vec<_> = selection(&term, &node).into_iter().collect();
    assert_eq!(now, chosen, "the selection; the screen:\n{}", term.text());
    quit(term);
}

#[test]
fn a_frozen_runtime_leaves_the_keys_alive() {
    let node = node();
    let mut term = open_full(&node);
    node.freeze();
    move_on(&mut term, &node, "j");
    term.keys("?");
    term.wait_for_text(HELP, SOON);
    term.keys("\x1b");
    term.wait_for("home again", SOON, |screen| {
        !screen.contents().contains(HELP)
    });
    term.wait_for("the silence in the header", SILENCE, |screen| {
        link_is(screen, LOST)
    });
    move_on(&mut term, &node, "k");
    node.thaw();
    term.wait_for("the return in the header", SOON, |screen| {
        link_is(screen, UP)
    });
    quit(term);
}

#[test]
fn quits_under_a_frozen_runtime() {
    let node = node();
    let term = open_full(&node);
    node.freeze();
    quit(term);
    let term = open(&node, (120, 40));
    term.wait_for("a screen", SOON, |screen| {
        screen.alternate_screen() && !screen.contents().trim().is_empty()
    });
    quit(term);
    node.thaw();
}
