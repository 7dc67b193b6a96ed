//! `--read-only` on the real program: what the kernel holds it to, as the kernel itself tells.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[allow(unused_imports)]
mod support;
#[path = "support/typing.rs"]
#[allow(dead_code)]
mod typing;

use std::fs;
use std::time::Duration;

use flow::Start;
use support::Program;

const LONG: Duration = Duration::from_secs(20);

/// A line of `/proc/PID/status`.
fn status(pid: i32, task: &str, name: &str) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{task}/status")).expect("it runs");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_default()
        .trim_start_matches(':')
        .trim()
        .to_owned()
}

#[test]
fn every_thread_has_given_up_its_rights() {
    let node = flow::node(&Start::default());
    let mut term = Program::new(env!("CARGO_BIN_EXE_critui"))
        .args(["--read-only", "-r"])
        .args([format!("unix://{}", node.socket().display())])
        .spawn();
    term.wait_for_text("READ-ONLY+KERNEL", LONG);
    term.wait_for_text("3 Images 1/", LONG);
    let pid = term.pid();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    // Of root's capabilities those to read files (2) and to look at processes (19).
    let reading = (1_u64 << 2) | (1 << 19);
    let mut threads = 0;
    for task in tasks {
        let task = task
            .expect("a thread")
            .file_name()
            .into_string()
            .expect("a number");
        assert_eq!(status(pid, &task, "NoNewPrivs"), "1");
        for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
            let held = u64::from_str_radix(&status(pid, &task, set), 16).expect("a mask");
            assert_eq!(held & !reading, 0, "{set} of thread {task}");
        }
        threads += 1;
    }
    assert!(threads > 1, "only {threads} threads");
    term.keys("N");
    term.wait_for_text("What the kernel refuses for this run", LONG);
    term.wait_for_text("no-new-privs: no program", LONG);
}
