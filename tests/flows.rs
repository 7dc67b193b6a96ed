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
use flow::{Start, each, flow, opened, opening};
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

#[test]
fn moving() {
    each(
        &Start::default(),
        &[
            ("", "report-worker-74f8d6c9b5-kl5nd"),
            ("j", "payments-6c4d8b7f95-9xvkz"),
            ("jjjk", "recommender-6b9f7d5c84-c7rgp"),
            ("<Down><Down><Up>", "payments-6c4d8b7f95-9xvkz"),
            ("kkk", "report-worker-74f8d6c9b5-kl5nd"),
            ("G", "web-7d9c5b8f6d-t8w2x"),
            ("Gjjj", "web-7d9c5b8f6d-t8w2x"),
            ("Gg", "report-worker-74f8d6c9b5-kl5nd"),
            ("<End>k", "web-7d9c5b8f6d-4kqzm"),
            ("<PgDn><Home>", "report-worker-74f8d6c9b5-kl5nd"),
            ("<PgDn>", "web-7d9c5b8f6d-t8w2x"),
            ("<^d><^u>", "report-worker-74f8d6c9b5-kl5nd"),
            ("jj<Esc>", "report-worker-74f8d6c9b5-kl5nd"),
        ],
        |flow, (keys, selected)| flow.types(keys).selects(selected),
    );
}

#[test]
fn panels() {
    each(
        &Start::default(),
        &[
            ("<Tab>", "cannot start"),
            ("2", "cannot start"),
            ("j<Enter>", "exit 1 x7"),
            ("j<Enter>j", "exit 1 "),
            ("<Tab><Tab>", "calico/cni"),
            ("3", "calico/cni"),
            ("<S-Tab>j", "calico/node"),
            ("<Tab><Tab><Tab>j", "payments-6c4d8b7f95-9xvkz"),
            ("3j21j", "payments-6c4d8b7f95-9xvkz"),
            ("j<Enter><Esc>", "payments-6c4d8b7f95-9xvkz"),
        ],
        |flow, (keys, selected)| flow.types(keys).selects(selected),
    );
}

#[test]
fn the_rest_follows_the_cursor() {
    each(
        &Start::default(),
        &[
            (
                "j<Enter>",
                "2 Containers of payments-…95-9xvkz 1/1 (23 in all) · 1 in trouble",
            ),
            ("jj", "2 Containers of recommender-6b9f7d5c84-c7rgp 0"),
            ("*", "2 Containers 1/23"),
            ("**", "2 Containers of report-wo…b5-kl5nd 1/1 (23 in all)"),
            ("*j<Enter>", "2 Containers of payments-…95-9xvkz"),
            ("j", "─ Pod shop/payments-6c4d8b7f95-9xvkz"),
            ("j<Enter>", "─ Container payments-6c4d8b7f95-9xvkz/payments"),
            ("3", "─ Image docker.io/calico/cni:v3.29.1"),
        ],
        |flow, (keys, text)| flow.types(keys).sees(text),
    );
}

#[test]
fn pages() {
    each(
        &Start::default(),
        &[
            ("jd", "> Pod shop/payments-6c4d8b7f95-9xvkz"),
            ("ji", "ip "),
            ("j<Enter>d", "exit code"),
            ("j<Enter><Enter>", "exit code"),
            ("3d", "Digests"),
            ("?", "> Help"),
            ("?G", "The time of the next restart is an estimate"),
            ("N", "no voice asks for read-only"),
        ],
        |flow, (keys, text)| {
            flow.types(keys)
                .sees(text)
                .sees("q back")
                .types("<Esc>")
                .misses("q back")
        },
    );
}

#[test]
fn leaving_pages() {
    each(
        &Start::default(),
        &[
            ("?q", "> Help"),
            ("??", "> Help"),
            ("?<Esc>", "> Help"),
            ("d?q<Esc>", "q back"),
        ],
        |flow, (keys, gone)| flow.types(keys).misses(gone).selects("report-worker"),
    );
}

#[test]
fn sorting() {
    each(
        &Start {
            size: (200, 50),
            ..Start::default()
        },
        &[
            ("o", "NAME↑", "api-5f7b9d8c66-mj2vr"),
            ("oO", "NAME↓", "web-7d9c5b8f6d-t8w2x"),
            ("ooo", "READY↑", ""),
            ("ooooooooo", "1 Pods", ""),
            ("O", "1 Pods", "web-7d9c5b8f6d-t8w2x"),
            ("3O", "3 Images", "report-worker"),
        ],
        |flow, (keys, head, first)| flow.types(keys).sees(head).starts_with(first),
    );
}

#[test]
fn sorting_keeps_the_selection() {
    flow("jo")
        .selects("payments")
        .starts_with("api-")
        .types("j")
        .selects("recommender");
}

#[test]
fn what_cannot_be_done_says_why() {
    each(
        &Start::default(),
        &[
            ("Z", "Z does nothing here; ? shows the keys"),
            ("?o", "o does nothing here; ? shows the keys"),
            ("<^x>", "^x does nothing here; ? shows the keys"),
            ("jj<Enter>d", "summary: the list is empty"),
            ("jj<Enter><Enter>", "open: the list is empty"),
        ],
        |flow, (keys, why)| flow.types(keys).sees(why).types("g").misses(why),
    );
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
        .sees("> Help")
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
        .sees("> Help")
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
        .sees("> Help")
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
        full: "4 in trouble",
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

#[test]
fn when_the_selected_pod_goes_its_neighbour_is_selected() {
    flow("j")
        .selects("payments")
        .removes("payments-6c4d8b7f95-9xvkz")
        .types("R")
        .misses("payments-6c4d8b7f95-9xvkz")
        .selects("recommender")
        .sees("1 Pods 2/16");
}

#[test]
fn a_page_about_what_is_gone_says_so() {
    flow("jd")
        .sees("> Pod shop/payments")
        .removes("payments-6c4d8b7f95-9xvkz")
        .sees("It is no longer on this node.")
        .types("<Esc>")
        .selects("recommender");
}

/// Whatever the runtime sends, in every view: nothing that a terminal would act on, and nothing
/// that a reader could not see, gets into a cell.
#[test]
fn hostile_strings_reach_no_cell() {
    let start = Start {
        faults: vec![Fault::new(ALL, FaultKind::Hostile)],
        full: " pods, ",
        ..Start::default()
    };
    let mut flow = opened(&start);
    let views = [
        "", "d", "<Esc>jd", "<Esc>G", "<Enter>", "d", "<Esc>*G", "dG", "<Esc>3", "jd", "G",
        "<Esc>?", "<Esc>N",
    ];
    flow = flow.sees(r"\x1b[31mred");
    for keys in views {
        flow = flow.types(keys);
        let buffer = flow.shown().buffer;
        for cell in &buffer.content {
            let bad = cell.symbol().chars().find(|c| critui::text::is_unsafe(*c));
            assert_eq!(bad, None, "after {keys:?}: {:?}", cell.symbol());
        }
    }
    flow.sees("Notices");
}

/// With the cursor on the only container of a pod of the web.
fn at_web() -> flow::Flow {
    flow("/web-7d<Enter><Enter>").selects("nginx")
}

#[test]
fn a_shell_has_the_terminal_until_it_ends() {
    at_web()
        .enters("s")
        .reads("exit or ctrl-d leaves")
        .reads("/ # ")
        .says("echo from $?\r")
        .reads("from 0\r\n")
        .says("stty size\r")
        .reads("40 120\r\n")
        .says("exit 7\r")
        .sees("/nginx: exit code 7")
        .types("j")
        .selects("nginx");
}

#[test]
fn a_shell_that_is_left_is_hung_up() {
    let asked = |demo: &DemoNode| {
        let calls = demo.recording();
        calls
            .iter()
            .filter(|call| call.method() == "ExecSync")
            .count()
    };
    let flow = at_web()
        .enters("e")
        .reads("/ # ")
        .says("cat\r")
        .reads("cat");
    assert_eq!(asked(&flow.demo), 0);
    let flow = flow.says("\x1d\x1d\x1d").sees("left, and hung up");
    assert_eq!(asked(&flow.demo), 1);
}

#[test]
fn what_cannot_be_entered_says_why() {
    each(
        &Start::default(),
        &[
            ("3s", "does nothing here"),
            ("/report<Enter>s", "no container of this pod runs"),
            ("/coredns<Enter><Enter>", "coredns"),
        ],
        |flow, (keys, said)| flow.types(keys).sees(said),
    );
}

#[test]
fn an_image_without_a_shell_is_told_so_once() {
    let starts = |demo: &DemoNode| {
        let calls = demo.recording();
        calls.iter().filter(|call| call.method() == "Exec").count()
    };
    let flow = flow("/coredns<Enter><Enter>")
        .selects("coredns")
        .enters("s")
        .sees("the image has no shell");
    assert_eq!(starts(&flow.demo), 1);
    // It is remembered.
    let flow = flow.types("j").enters("s").sees("the image has no shell");
    assert_eq!(starts(&flow.demo), 1);
}

#[test]
fn a_command_runs_with_a_terminal_and_waits_for_a_key() {
    at_web()
        .types("S")
        .sees("/nginx  Enter run")
        .enters("echo one; exit 3<Enter>")
        .reads("one\r\n")
        .reads("exit code 3; any key returns")
        .says("x")
        .sees("/nginx: exit code 3")
        // The history.
        .types("S<Up>")
        .sees("$echo one; exit 3");
}

#[test]
fn attached_until_the_keys_that_detach() {
    at_web()
        .enters("a")
        .reads("no terminal and no input")
        .reads("request 1 served")
        .says("\x10\x11")
        .sees("detached; it runs on");
}

#[test]
fn read_only_reaches_no_container() {
    let start = Start {
        read_only: true,
        ..Start::default()
    };
    let flow = opened(&start)
        .types("/web-7d<Enter><Enter>")
        .selects("nginx");
    let flow = ["s", "e", "S", "a"].into_iter().fold(flow, |flow, key| {
        flow.types(key).sees("this run is read-only")
    });
    let calls = flow.demo.recording();
    assert!(!calls.iter().any(|call| call.method().contains("Exec")));
}

#[test]
fn a_runtime_that_dies_gives_the_terminal_back() {
    at_web()
        .enters("s")
        .reads("/ # ")
        .node(DemoNode::stop)
        .sees("lost, and may still run in there");
}

/// The address that is shown as listening.
fn listening(flow: &flow::Flow) -> String {
    let lines = flow.shown().lines().join(" ");
    let mut words = lines.split_whitespace();
    let found = words.find(|word| word.starts_with("127.0.0.1:"));
    found.expect("an address").to_owned()
}

#[test]
fn ports_are_forwarded_counted_and_stopped() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let flow = at_web()
        .types("f<^u>:80<Enter>")
        .sees("leads to port 80 of shop/web-7d9c5b8f6d-4kqzm")
        .types("F")
        .sees("LISTENS AT")
        .sees("1 forwarded");
    let at = listening(&flow);
    let answer = flow.beside(async {
        let mut stream = tokio::net::TcpStream::connect(&at)
            .await
            .expect("it listens");
        stream
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .await
            .expect("it is taken");
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .await
            .expect("it answers");
        answer
    });
    assert!(answer.ends_with("from the simulated node.\n"), "{answer}");
    let flow = flow
        .sees("1        18B       109B  listening")
        .types("x")
        .sees("no port is forwarded");
    let refused = flow.beside(tokio::net::TcpStream::connect(&at));
    assert!(refused.is_err());
}

#[test]
fn quitting_asks_once_if_something_would_end() {
    let forwarding = || {
        at_web()
            .types("f<^u>:80<Enter>")
            .sees("leads to port 80")
            .types("<Esc>")
    };
    let asked = "a port is forwarded: the same key once more ends it and quits";
    // Any other key takes it back.
    let flow = forwarding()
        .types("<^c>")
        .sees(asked)
        .types("j<^c>")
        .sees(asked);
    flow.quits("<^c>");
    forwarding().types("*/<Enter>q").sees(asked).quits("q");
    // Nothing is asked when nothing runs.
    let flow = forwarding().types("F").sees("1 forwarded").types("x");
    flow.sees("no port is forwarded").quits("<^c>");
}

#[test]
fn ports_that_cannot_be_forwarded() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port();
    let flow = at_web()
        .types("f<^u>x<Enter>")
        .sees("is no port")
        .types(&format!("<^u>{port}:80<Enter>"))
        .sees(&format!("port {port} is in use by "))
        .sees(&format!("(pid {})", std::process::id()));
    // Others can reach it only after a second Enter.
    let flow = flow
        .types("f<^u>0.0.0.0:0:80<Enter>")
        .sees("Enter once more")
        .misses("forwarded to the network")
        .types("<Enter>")
        .sees("1 forwarded to the network")
        .types("F")
        .sees("open to the network");
    // Nothing listens there in the pod: it is told where the port is listed.
    let flow = flow
        .types("<Esc>f<^u>:81<Enter>")
        .sees("port 81")
        .types("F<Down>");
    let at = listening(&flow);
    flow.beside(async {
        use tokio::io::AsyncReadExt as _;
        let mut stream = tokio::net::TcpStream::connect(&at)
            .await
            .expect("it listens");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("it ends");
        assert!(answer.is_empty());
    });
    flow.sees("error forwarding port 81");
}

#[test]
fn one_command_in_all_marked_containers() {
    flow("2*!")
        .sees("2 Containers")
        .types("*/web<Enter>")
        .types(":mark-all<Enter>")
        .sees("marked")
        .types("Secho hello<Enter>")
        .sees("$ echo hello")
        .sees("exit 0")
        .misses("runs")
        .sees("hello")
        .types("q")
        .sees("2 Containers");
}

#[test]
fn what_can_be_done_without_a_shell() {
    at_web()
        .types("b")
        .sees("What can be done")
        // The simulated node has no processes.
        .sees("not among those that critui sees")
        .types("d")
        .sees("Image of the debug container")
        .types("<Esc>")
        .misses("Image of the debug container")
        .types("h")
        .sees("not among those that critui sees")
        .types("o")
        .sees("Files shop/web")
        .sees("not among those that critui sees")
        .types("qq")
        .sees("1 Pods");
    // Of one that has ended the rest is possible.
    flow("/nightly-<Enter>b")
        .sees("What can be done")
        .sees("it does not run, so it has none");
}

#[test]
fn read_only_debugs_nothing_but_looks() {
    let start = Start {
        read_only: true,
        ..Start::default()
    };
    opened(&start)
        .types("/web-7d9c5b8f6d-4kqzm<Enter>b")
        .sees("d  a container beside it from an image that is here, gone when you leave: this run is read-only")
        .types("h")
        .sees("host-shell: this run is read-only")
        .types("o")
        .sees("files: this run is read-only");
}

#[test]
fn a_debug_container_in_the_simulated_pod() {
    let flow = at_web()
        .types("b")
        .sees("What can be done")
        .types("d")
        .sees("Image of the debug container");
    let flow = flow
        .enters("redis<Enter>")
        .reads("it is removed when you leave");
    flow.says("\x1d\x1d\x1d")
        .sees("the debug container is gone");
}
