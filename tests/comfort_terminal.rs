//! Comforts end to end: the binary in a terminal, and what it prints without one.

mod support;

use std::process::{Command, Stdio};
use std::time::Duration;

use rstest::rstest;
use support::{Program, Term};

const CRITUI: &str = env!("CARGO_BIN_EXE_critui");
/// A simulated node starts in it, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long nothing must come for a screen to be at rest: longer than data waits on a slow line.
const REST: Duration = Duration::from_millis(2500);
/// How long nothing must come for a move to be over.
const MOVE: Duration = Duration::from_millis(200);

/// A simulated node on which nothing happens, opened with more arguments, with a home that is gone
/// afterwards.
fn opened(size: (u16, u16), arguments: &[&str]) -> (Term, tempfile::TempDir) {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().to_str().expect("a name").to_owned();
    let all: Vec<&str> = ["--demo=calm"].iter().chain(arguments).copied().collect();
    let term = (Program::new(CRITUI).args(&all))
        .env("HOME", &folder)
        .size(size.0, size.1)
        .spawn();
    term.wait_for_text("3 Images 1/", PATIENCE);
    (term, home)
}

#[test]
fn a_move_on_a_slow_line_costs_less_than_150_bytes() {
    for size in [(80, 24), (200, 50)] {
        let (mut term, _home) = opened(size, &["--low-bandwidth"]);
        term.keys("j");
        term.settle(REST, PATIENCE);
        for key in ["k", "j", "k", "j", "k"] {
            let before = term.written();
            term.keys(key);
            term.wait_for_more(before, "the move", PATIENCE);
            term.settle(MOVE, PATIENCE);
            let moved = term.written() - before;
            println!("{size:?} {key}: {moved} bytes");
            assert!(moved < 150, "{moved} bytes at {size:?}");
        }
    }
}

#[test]
fn the_simulated_node_is_called_by_its_own_name() {
    let (term, _home) = opened((80, 24), &[]);
    term.wait_for_text("worker-1 ", PATIENCE);
}

#[rstest]
#[case(&["completion", "bash"], "critui")]
#[case(&["completion", "zsh"], "#compdef critui")]
#[case(&["completion", "fish"], "complete -c critui")]
#[case(&["man"], ".TH CRITUI 1")]
#[case(&["man", "snapshot"], ".TH CRITUI-SNAPSHOT 1")]
fn what_shells_and_man_read(#[case] arguments: &[&str], #[case] part: &str) {
    let output = Command::new(CRITUI)
        .args(arguments)
        .env_clear()
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains(part));
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_closed_pipe_ends_quietly_and_mistakes_are_usage() {
    let mut child = Command::new(CRITUI)
        .args(["completion", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    for wrong in [&["man", "frob"][..], &["completion", "tcsh"]] {
        let output = Command::new(CRITUI)
            .args(wrong)
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
    }
}

/// What bash itself makes of the script, where there is one.
#[test]
fn bash_takes_its_script() {
    let script = Command::new(CRITUI).args(["completion", "bash"]).output();
    let script = String::from_utf8(script.expect("it starts").stdout).expect("text");
    let line =
        "\nCOMP_WORDS=(critui sna); COMP_CWORD=1; _critui critui sna critui; echo ${COMPREPLY[@]}";
    let Ok(output) = Command::new("bash")
        .args(["-c", &format!("{script}{line}")])
        .output()
    else {
        println!("no bash here");
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "snapshot");
}
