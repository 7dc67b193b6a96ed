//! `critui config` and the command line from outside: exit codes, one line on standard error.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::process::{Command, Output, Stdio};

use rstest::rstest;
use tempfile::TempDir;

/// A node without anything, and the program started on it.
struct Node(TempDir);

impl Node {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("etc")).unwrap();
        fs::create_dir_all(folder.path().join("run/containerd")).unwrap();
        Self(folder)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_critui"));
        command.env_clear().env("HOME", self.0.path()).args(args);
        command.arg("--host-root").arg(self.0.path());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[rstest]
#[case(&["--no-such-flag"], 2, "unexpected argument '--no-such-flag' found")]
#[case(&["config", "-o", "xml"], 2, "invalid value 'xml'")]
#[case(&["config", "-t", "2"], 2, "invalid value '2' for '--timeout")]
#[case(&["config", "-r", "tcp://host:1"], 2, "--runtime-endpoint: only support unix socket endpoint")]
#[case(&["config", "-c", "/none.yaml"], 2, "--config: ")]
#[case(&["config", "-c", "\x1b]0;x\x07"], 2, "--config: \\x1b]0;x\\x07 is relative")]
fn errors_are_one_line(#[case] args: &[&str], #[case] code: i32, #[case] start: &str) {
    let output = Node::new().run(args);
    let line = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{line}");
    assert!(line.starts_with(&format!("critui: {start}")), "{line}");
    assert_eq!(line.matches('\n').count(), 1, "{line}");
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn help_and_version_go_to_standard_output() {
    for flag in ["--help", "--version"] {
        let output = Node::new().run(&[flag]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("critui"));
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn every_form_shows_the_sources() {
    let node = Node::new();
    let yaml = node.0.path().join("etc/crictl.yaml");
    fs::write(&yaml, "\ntimeout: 7\nruntime-endpoint: unix:///r.sock\n").unwrap();
    let place = format!("{}:2", yaml.display());
    for form in ["table", "json", "yaml"] {
        let output = node.run(&["config", "-o", form]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(&place), "{form}");
    }
}

#[test]
fn nothing_found_is_no_failure_of_config() {
    let output = Node::new().run(&["config"]);
    assert_eq!(output.status.code(), Some(0));
    let table = text(&output.stdout);
    let line = "unix:///run/crio/crio.sock does not exist";
    assert!(table.contains(line), "{table}");
}

#[test]
fn a_dead_socket_is_told() {
    let node = Node::new();
    let socket = node.0.path().join("run/containerd/containerd.sock");
    drop(UnixListener::bind(&socket).unwrap());
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).unwrap();
    let table = text(&node.run(&["config"]).stdout);
    let line = "containerd.sock: nothing listens there (connection refused)";
    assert!(table.contains(line), "{table}");
}

#[test]
fn a_full_disk_is_told() {
    let full = File::create("/dev/full").unwrap();
    let node = Node::new();
    let mut command = node.command(&["config"]);
    let output = command.stdout(full).stderr(Stdio::piped()).spawn();
    let output = output.unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stderr);
    assert!(
        line.starts_with("critui: standard output: No space left"),
        "{line}"
    );
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let node = Node::new();
    let mut command = node.command(&["config"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}
