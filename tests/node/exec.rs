//! Into real containers, through the real program in a terminal: shells, attach.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use critui::access::Access;
use critui::cri::stream::{Ending, Event};
use critui::cri::{SocketPath, Target, Timing, Writer};
use critui::domain::ContainerId;
use critui::host::open::HostRoot;
use k8s_cri::v1::ContainerState;
use rustix::process::Signal;

use sha2::{Digest as _, Sha256};

use crate::CRITUI;
use crate::harness::{Node, node};
use crate::pods::Recipe;
use crate::support::words::{LOST, UP, link_is};
use crate::support::{Program, Term, wait_until};

/// For what takes no time; generous, since the machine may be busy.
const SOON: Duration = Duration::from_secs(8);
/// For what moves many bytes.
const LONG: Duration = Duration::from_secs(60);
/// The prompt of busybox' shell.
pub const PROMPT: &str = "/ # ";

/// Opens the program with the cursor on the container `app` of the pod `name`.
pub fn at(node: &Node, name: &str) -> Term {
    let mut term = Program::new(CRITUI)
        .args(["-r".to_owned(), node.endpoint()])
        .size(100, 30)
        .spawn();
    term.wait_for("the pods", SOON, |screen| {
        link_is(screen, UP) && screen.contents().contains("1 Pods 1/20")
    });
    term.keys(&format!("/{name}\r\r"));
    term.wait_for("its containers", SOON, |screen| {
        let text = screen.contents();
        let title = format!("2 Containers of {name}");
        text.lines().any(|line| line.contains(&title)) && text.contains("side")
    });
    term.keys("g");
    term
}

/// The same with a shell in it.
fn shell(node: &Node, name: &str) -> Term {
    let mut term = at(node, name);
    term.keys("s");
    prompt(&term);
    term
}

/// The last line is a prompt, and the screen of the program is gone.
pub fn prompt(term: &Term) {
    term.wait_for("a prompt", SOON, |screen| {
        let text = screen.contents();
        !screen.alternate_screen() && text.trim_end().ends_with(PROMPT.trim_end())
    });
}

/// Types a command and waits for what it says.
fn says(term: &mut Term, command: &str, expected: &str) {
    term.keys(&format!("{command}\r"));
    term.wait_for_text(expected, SOON);
    prompt(term);
}

/// Back in the program, with a line about the end.
fn back(term: &Term, line: &str) {
    term.wait_for(line, SOON, |screen| {
        screen.alternate_screen() && screen.contents().contains(line)
    });
}

pub fn quit(mut term: Term) {
    term.keys("\x03");
    // What is over on the node may not be known yet: then it asks once.
    let asks = |term: &Term| term.text().contains("the same key once more");
    wait_until(SOON, || !term.runs() || asks(&term));
    if term.runs() {
        term.keys("\x03");
    }
    let exit = term.exit(SOON);
    assert!(exit.status.success(), "{:?}", exit.status);
    assert_eq!(exit.damage, Vec::<&str>::new());
}

/// Processes of the container other than those it began with.
fn strangers(node: &Node, id: &str) -> Vec<String> {
    let ps = node.cri.exec(id, &["ps", "-o", "args"]);
    let own = [
        "trap 'exit 0' TERM",
        "sleep 2147483647",
        "ps -o args",
        "COMMAND",
    ];
    ps.lines()
        .filter(|line| !own.iter().any(|known| line.contains(known)))
        .map(str::to_owned)
        .collect()
}

fn nothing_left(node: &Node, id: &str) {
    let clean = wait_until(SOON, || strangers(node, id).is_empty());
    assert!(clean, "left behind: {:?}", strangers(node, id));
}

pub fn app(node: &Node, name: &str) -> String {
    node.cri.container(name, "app")
}

#[test]
fn a_shell_with_a_terminal() {
    let node = node();
    let mut term = shell(&node, "web-1");
    assert!(term.text().contains("web-1/app"), "{}", term.text());
    says(&mut term, "echo a$((20+3))b", "a23b");
    says(&mut term, "stty size", "30 100");
    term.resize(90, 20);
    // The size comes by its own way; it is asked for until it is there.
    let followed = wait_until(SOON, || {
        term.keys("stty size\r");
        prompt(&term);
        term.text().contains("20 90")
    });
    assert!(followed, "{}", term.text());
    term.keys("exit 7\r");
    back(&term, "exit code 7");
    nothing_left(&node, &app(&node, "web-1"));
    quit(term);
}

#[test]
fn what_is_typed_too_early_reaches_the_shell() {
    let node = node();
    let mut term = at(&node, "web-2");
    term.keys("secho early $((40+2))\r");
    term.wait_for_text("early 42", SOON);
    prompt(&term);
    term.keys("exit\r");
    back(&term, "exit code 0");
    quit(term);
}

#[test]
fn an_interrupt_reaches_the_process() {
    let node = node();
    let mut term = shell(&node, "web-3");
    term.keys("sleep 1000\r");
    term.wait_for_text("sleep 1000", SOON);
    let id = app(&node, "web-3");
    let runs = || {
        strangers(&node, &id)
            .iter()
            .any(|line| line.contains("sleep 1000"))
    };
    assert!(wait_until(SOON, runs));
    term.keys("\x03");
    prompt(&term);
    assert!(!runs());
    says(&mut term, "echo code $?", "code 130");
    term.keys("\x04");
    back(&term, "exit code 0");
    quit(term);
}

#[test]
fn an_editor_opens_and_leaves() {
    let node = node();
    let mut term = shell(&node, "web-4");
    term.keys("vi /note\r");
    term.wait_for_text("/note", SOON);
    term.wait_for_text("~", SOON);
    term.keys("ihello from vi");
    term.wait_for_text("hello from vi", SOON);
    // An escape with something right behind it is another key.
    term.keys("\x1b");
    assert!(term.settle(Duration::from_millis(300), SOON));
    term.keys(":wq\r");
    prompt(&term);
    says(&mut term, "cat /note; rm /note", "hello from vi");
    term.keys("exit\r");
    back(&term, "exit code 0");
    quit(term);
}

/// However the program ends, no shell stays, nor what runs in it.
#[test]
fn no_shell_is_left() {
    let node = node();
    let id = app(&node, "web-5");
    let busy = ["", "vi /x\r", "sleep 1000 & sleep 2000\r"];
    for (command, signal) in busy
        .into_iter()
        .flat_map(|command| [Signal::HUP, Signal::TERM].map(|signal| (command, signal)))
    {
        let mut term = shell(&node, "web-5");
        term.keys(command);
        let shells = 1 + usize::from(!command.is_empty());
        let up = wait_until(SOON, || strangers(&node, &id).len() >= shells);
        assert!(up, "{:?}", strangers(&node, &id));
        term.signal(signal);
        let exit = term.exit(SOON);
        assert_eq!(exit.damage, Vec::<&str>::new(), "{command:?} {signal:?}");
        nothing_left(&node, &id);
    }
    // The keys that always leave.
    let mut term = shell(&node, "web-5");
    term.keys("cat\r");
    term.wait_for_text("cat", SOON);
    term.keys("\x1d\x1d\x1d");
    back(&term, "left");
    nothing_left(&node, &id);
    quit(term);
}

#[test]
fn a_runtime_that_dies_gives_the_terminal_back() {
    let mut node = node();
    let mut term = shell(&node, "web-6");
    says(&mut term, "echo here", "here");
    node.kill();
    back(&term, "may still run in there");
    term.wait_for("the loss in the header", SOON, |screen| {
        link_is(screen, LOST)
    });
    node.ensure_up();
    term.wait_for("the return", SOON, |screen| link_is(screen, UP));
    term.keys("s");
    prompt(&term);
    term.keys("exit\r");
    back(&term, "exit code 0");
    quit(term);
}

#[test]
fn a_command_with_its_code() {
    let node = node();
    let mut term = at(&node, "web-7");
    term.keys("S");
    term.wait_for_text("web-7/app", SOON);
    term.keys("echo one | cat; exit 9\r");
    term.wait_for_text("exit code 9; any key returns", SOON);
    assert!(term.text().contains("one"), "{}", term.text());
    term.keys("x");
    back(&term, "exit code 9");
    quit(term);
}

#[test]
fn bytes_reach_the_terminal_unharmed() {
    const MANY: usize = 4 << 20;
    let node = node();
    let mut term = shell(&node, "web-8");
    let written = term.written();
    term.keys("stty -opost -echo; dd if=/dev/zero bs=1M count=4 2>/dev/null | tr '\\0' x\r");
    let all = wait_until(LONG, || term.written() - written > MANY);
    assert!(all, "{} of {MANY}", term.written() - written);
    term.keys("stty sane; echo; exit\r");
    back(&term, "exit code 0");
    let bytes = term.bytes_from(written);
    assert_eq!(longest_run(&bytes, b'x'), MANY);
    quit(term);
}

/// Length of the longest run of `wanted`.
fn longest_run(bytes: &[u8], wanted: u8) -> usize {
    let runs = bytes.split(|byte| *byte != wanted).map(<[u8]>::len);
    runs.max().unwrap_or(0)
}

/// What acts on the node without a screen.
pub async fn writer(node: &Node) -> Writer {
    let socket = SocketPath::new(node.socket());
    let target = Target {
        image: socket.clone(),
        runtime: socket,
        host: HostRoot::new(Path::new("/")).expect("the root"),
    };
    let connected = critui::cri::connect_once(&target, &Timing::default()).await;
    let (reader, _) = connected.expect("it answers");
    let access = Access::decide(vec![]);
    let grant = access.grant().expect("nobody asks for read-only");
    Writer::new(reader, Arc::default(), grant)
}

/// The checksum that `sha256sum` prints.
fn sum(digest: impl AsRef<[u8]>) -> String {
    use std::fmt::Write as _;
    digest
        .as_ref()
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

const HUNDRED: usize = 100 << 20;

pub fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime")
}

#[test]
fn a_hundred_megabytes_come_out_unharmed() {
    let node = node();
    let id = ContainerId::new(&app(&node, "web-9"));
    let script = "dd if=/dev/urandom bs=1M count=100 2>/dev/null | tee /out | cat; \
                  sha256sum /out >&2; rm /out; exit 7";
    let command = ["sh", "-c", script].map(str::to_owned);
    runtime().block_on(async {
        let writer = writer(&node).await;
        let mut open = writer.pipe(&id, &command, false).await.expect("it opens");
        let (mut digest, mut count, mut said) = (Sha256::new(), 0, Vec::new());
        loop {
            match open.output.next().await.expect("it goes on") {
                Event::Open => {}
                Event::Stdout(bytes) => {
                    count += bytes.len();
                    digest.update(&bytes);
                }
                Event::Stderr(bytes) => said.extend_from_slice(&bytes),
                Event::Ended(ending) => {
                    assert_eq!(ending, Ending::Exit(7));
                    break;
                }
            }
        }
        assert_eq!(count, HUNDRED);
        let said = String::from_utf8(said).expect("text");
        assert_eq!(said.split(' ').next(), Some(&*sum(digest.finalize())));
    });
}

#[test]
fn a_hundred_megabytes_go_in_unharmed() {
    let node = node();
    let id = ContainerId::new(&app(&node, "web-9"));
    // Nothing tells a command the end of its input.
    let command = ["sh", "-c", &format!("head -c {HUNDRED} | sha256sum")].map(str::to_owned);
    runtime().block_on(async {
        let writer = writer(&node).await;
        let mut open = writer.pipe(&id, &command, true).await.expect("it opens");
        let mut digest = Sha256::new();
        for number in 0..HUNDRED / 1024 / 32 {
            let chunk: Vec<u8> = (0..32 << 10)
                .map(|at: usize| u8::try_from((at * 7 + number) % 256).unwrap_or(0))
                .collect();
            digest.update(&chunk);
            open.input.stdin(&chunk).await.expect("it is taken");
        }
        let mut said = Vec::new();
        loop {
            match open.output.next().await.expect("it goes on") {
                Event::Stdout(bytes) => said.extend_from_slice(&bytes),
                Event::Ended(ending) => break assert_eq!(ending, Ending::Exit(0)),
                _ => {}
            }
        }
        let said = String::from_utf8(said).expect("text");
        assert_eq!(said.split(' ').next(), Some(&*sum(digest.finalize())));
    });
}

/// What is not there fails at once, and clearly.
#[test]
fn a_missing_command_does_not_hang() {
    let node = node();
    let id = ContainerId::new(&app(&node, "web-9"));
    runtime().block_on(async {
        let writer = writer(&node).await;
        let command = ["/no/such/command".to_owned()];
        let mut open = writer.pipe(&id, &command, false).await.expect("it opens");
        let ending = loop {
            if let Event::Ended(ending) = open.output.next().await.expect("it says") {
                break ending;
            }
        };
        let Ending::Failed(words) = ending else {
            panic!("{ending:?}");
        };
        assert!(words.as_str().contains("no such file"), "{words}");
    });
}

#[test]
fn attached_and_detached_the_container_lives_on() {
    let node = node();
    let pod = node.pods.get("web-10");
    let id = pod.add(&node.cri, "term", 0, Recipe::Terminal);
    let mut term = at(&node, "web-10");
    term.keys("/term\r");
    term.wait_for("the container alone", SOON, |screen| {
        !screen.contents().contains("side")
    });
    let attach = |term: &mut Term| {
        term.keys("a");
        term.wait_for_text("ctrl-p ctrl-q leaves", SOON);
        // Nothing that was shown before is shown again.
        term.keys("\r");
        prompt(term);
    };
    attach(&mut term);
    says(&mut term, "echo a$((20+3))b; x=kept", "a23b");
    says(&mut term, "stty size", "30 100");
    term.keys("\x10\x11");
    back(&term, "detached; it runs on");
    assert_eq!(
        node.cri.status(&id).state(),
        ContainerState::ContainerRunning
    );
    attach(&mut term);
    says(&mut term, "echo still $x", "still kept");
    term.keys("exit 4\r");
    back(&term, "the container ended with exit code 4");
    node.cri.remove(&id);
    quit(term);
}

/// Asks the web server behind `port`.
fn get(port: u16) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let timeout = stream.set_read_timeout(Some(SOON));
    timeout.expect("a timeout");
    let request = b"GET /index.html HTTP/1.0\r\nHost: x\r\n\r\n";
    stream.write_all(request).expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn a_web_server_behind_a_forwarded_port() {
    const AT_ONCE: usize = 20;
    const EACH: usize = 10;
    let node = node();
    let serve = "mkdir -p /www; echo hello from the pod >/www/index.html; httpd -p 8080 -h /www";
    node.cri.exec(&app(&node, "web-11"), &["sh", "-c", serve]);
    let mut term = at(&node, "web-11");
    term.keys("f\x15:8080\r");
    term.wait_for_text("leads to port 8080 of", SOON);
    let text = term.text();
    let port = text.split("127.0.0.1:").nth(1).expect("an address");
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let port: u16 = port.parse().expect("a port");
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let answer = get(port);
                    assert!(answer.contains("200 OK"), "{answer}");
                    assert!(answer.ends_with("hello from the pod\n"), "{answer}");
                }
            });
        }
    });
    term.keys("F");
    term.wait_for("all connections", SOON, |screen| {
        let text = screen.contents();
        let line = text.lines().find(|line| line.contains("listening"));
        let words: Vec<_> = line.unwrap_or_default().split_whitespace().collect();
        words.len() > 4 && words[3] == "0" && words[4] == "200"
    });
    term.keys("x");
    term.wait_for_text("no port is forwarded", SOON);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    quit(term);
}

#[test]
fn processes_and_ports_from_outside() {
    let node = node();
    let id = app(&node, "web-12");
    let serve = "mkdir -p /www; httpd -p 8081 -h /www";
    node.cri.exec(&id, &["sh", "-c", serve]);
    let mut term = at(&node, "web-12");
    term.keys("b");
    term.wait_for_text("httpd -p 8081 -h /www", SOON);
    term.wait_for_text("[::]:8081", SOON);
    let text = term.text();
    let first = text
        .lines()
        .find(|line| line.contains("trap 'exit 0' TERM"));
    let words: Vec<_> = first
        .expect("the first process")
        .split_whitespace()
        .collect();
    assert_eq!(words[0], "1", "{text}");
    // It is looked at again by itself.
    node.cri.exec(&id, &["killall", "httpd"]);
    term.wait_for("its end", SOON, |screen| {
        !screen.contents().contains("httpd")
    });
    quit(term);
}

#[test]
fn a_debug_container_sees_the_processes_and_is_gone_afterwards() {
    let node = node();
    let mut term = at(&node, "web-13");
    term.keys("b");
    term.wait_for_text("What can be done", SOON);
    term.wait_for_text("trap 'exit 0' TERM", SOON);
    term.keys("d");
    term.wait_for_text("Image of the debug container", SOON);
    term.keys("test/app");
    term.keys("\r");
    term.wait_for_text("it is removed when you leave", SOON);
    says(&mut term, "echo a$((20+3))b", "a23b");
    let debugging = || {
        let all = node.cri.containers();
        let names = all.into_iter().filter_map(|one| Some(one.metadata?.name));
        names
            .filter(|name| name.starts_with("critui-debug-"))
            .count()
    };
    assert_eq!(debugging(), 1);
    // The target is the first process here, and its files can be looked at.
    says(&mut term, "tr '\\0' ' ' </proc/1/cmdline", "trap");
    says(&mut term, "ls -d /proc/1/root/bin", "/proc/1/root/bin");
    term.keys("exit\r");
    back(&term, "the debug container is gone");
    assert_eq!(debugging(), 0);
    // Left in another way, it goes as well.
    term.keys("d");
    term.keys("test/app");
    term.keys("\r");
    term.wait_for_text("it is removed when you leave", SOON);
    assert!(wait_until(SOON, || debugging() == 1));
    term.keys("\x1d\x1d\x1d");
    term.wait_for_text("What can be done", SOON);
    assert!(wait_until(SOON, || debugging() == 0));
    term.keys("q");
    quit(term);
}

#[test]
fn a_shell_of_the_node_in_the_network_of_a_pod() {
    let node = node();
    let serve = "mkdir -p /www; httpd -p 8082 -h /www";
    node.cri.exec(&app(&node, "web-14"), &["sh", "-c", serve]);
    let mut term = at(&node, "web-14");
    term.keys("b");
    term.wait_for_text("[::]:8082", SOON);
    let net = |term: &Term| -> String {
        let text = term.text();
        let at = text.rfind("net:[").expect("a namespace");
        text[at..].chars().take_while(|c| *c != ']').collect()
    };
    term.keys("h");
    term.wait_for_text("a shell of this node in the network of", SOON);
    term.keys("readlink /proc/self/ns/net; echo here=$((40+2))\r");
    term.wait_for_text("here=42", SOON);
    let own = std::fs::read_link("/proc/self/ns/net").expect("one's own");
    assert_ne!(format!("{}]", net(&term)), own.display().to_string());
    // The node's own files and tools are there.
    term.keys("exit\r");
    term.wait_for_text("What can be done", SOON);
    term.keys("H");
    term.wait_for_text("network and processes of", SOON);
    term.keys("tr '\\0' ' ' </proc/1/cmdline; echo there=$((40+3))\r");
    term.wait_for_text("there=43", SOON);
    assert!(
        term.text().contains("trap 'exit 0' TERM"),
        "{}",
        term.text()
    );
    // Ended by a signal, nothing is left of the shell.
    term.keys("sleep 4711 &\r");
    assert!(wait_until(SOON, || running("sleep 4711")));
    term.signal(Signal::TERM);
    let exit = term.exit(SOON);
    assert_eq!(exit.damage, Vec::<&str>::new());
    assert!(wait_until(SOON, || !running("sleep 4711")));
}

/// A process of the node has this command line.
fn running(line: &str) -> bool {
    let processes = std::fs::read_dir("/proc").expect("processes");
    processes.flatten().any(|process| {
        let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&words).replace('\0', " ").trim() == line
    })
}

/// Copies `/aaa.bin`, the first name in the root of the container under the cursor, and compares.
fn copies_out(term: &mut Term, sum: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("copy");
    term.keys("b");
    term.wait_for_text("What can be done", SOON);
    term.keys("o");
    term.wait_for_text("aaa.bin", SOON);
    term.keys("\x13\x15");
    term.keys(&format!("{}\r", path.display()));
    term.wait_for_text("copied 3.00MiB to", LONG);
    let copy = std::fs::read(&path).expect("it is there");
    assert_eq!(format!("{:x}", Sha256::digest(&copy)), sum);
    let stat = rustix::fs::stat(&path).expect("it is there");
    assert_eq!(stat.st_mode & 0o7777, 0o600);
    // Links are followed inside the container, and what is no file is not opened.
    term.keys("j\r");
    term.wait_for_text("/bin/sh", SOON);
    term.keys("qj\r");
    term.wait_for_text("is a named pipe, which is not read", SOON);
    term.keys("qqq");
}

const MAKE_FILES: &str = "dd if=/dev/urandom of=/aaa.bin bs=1M count=3 2>/dev/null; \
    chmod 4755 /aaa.bin; echo /bin/sh >/zzz; ln -s ../../../zzz /aab; mkfifo /aac; \
    sha256sum /aaa.bin | cut -c1-64";

#[test]
fn files_are_copied_out_of_what_runs_and_of_what_has_ended() {
    let node = node();
    let pod = node.pods.get("web-15");
    let id = pod.add(&node.cri, "files", 0, Recipe::Sleep);
    let sum = node.cri.exec(&id, &["sh", "-c", MAKE_FILES]);
    let sum = sum.trim();
    let mut term = at(&node, "web-15");
    term.keys("/files\r");
    term.wait_for("the container alone", SOON, |screen| {
        !screen.contents().contains("side")
    });
    copies_out(&mut term, sum);
    node.cri.stop(&id, 0);
    term.wait_for_text("exit", SOON);
    copies_out(&mut term, sum);
    node.cri.remove(&id);
    quit(term);
}

#[test]
fn what_a_killed_critui_left_is_found_and_removed() {
    let node = node();
    let mut term = at(&node, "web-12");
    term.keys("b");
    term.wait_for_text("What can be done", SOON);
    term.keys("dtest/app\r");
    term.wait_for_text("it is removed when you leave", SOON);
    let left = || {
        let all = node.cri.containers();
        let mut names = all.into_iter().filter_map(|one| Some(one.metadata?.name));
        names.any(|name| name.starts_with("critui-debug-"))
    };
    assert!(wait_until(SOON, left));
    term.signal(Signal::KILL);
    drop(term);
    let mut term = Program::new(CRITUI)
        .args(["-r".to_owned(), node.endpoint()])
        .size(120, 30)
        .spawn();
    term.wait_for_text(":remove-left removes them", SOON);
    assert!(left());
    term.keys(":remove-left\r");
    assert!(wait_until(SOON, || !left()));
    quit(term);
}
