//! `critui logs` from outside: on files alone, and on the simulated node.

use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rstest::rstest;

const T: &str = "2026-11-20T10:00:00.5Z";

fn critui(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_critui"));
    command.arg("logs").args(args).output().expect("it runs")
}

fn out(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

/// A pod's folder with two containers; one was restarted and rotated.
fn pod() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let app = folder.path().join("app");
    fs::create_dir(&app).expect("a folder");
    let write = |name: &str, text: String| fs::write(app.join(name), text).expect("a file");
    write("0.log", format!("{T} stderr F crashed\n"));
    write(
        "1.log.20261120-100000",
        format!("{T} stdout P ro\n{T} stderr F oh\x1b[2J\n"),
    );
    write("1.log", format!("{T} stdout F tated\n{T} stdout F last\n"));
    let side = folder.path().join("side");
    fs::create_dir(&side).expect("a folder");
    let line = "2026-11-20T10:00:01Z stdout F beside\n";
    fs::write(side.join("0.log"), line).expect("a file");
    folder
}

#[rstest]
#[case(&[], "oh\x1b[2J\nrotated\nlast\n")]
#[case(&["--sanitize"], "oh\\x1b[2J\nrotated\nlast\n")]
#[case(&["--previous"], "crashed\n")]
#[case(&["--all-attempts", "--stream", "stderr"], "crashed\noh\x1b[2J\n")]
#[case(&["--tail", "1"], "last\n")]
#[case(&["--tail", "0"], "")]
#[case(&["--grep", "^ROTA|^rota"], "rotated\n")]
#[case(&["--grep", "stdout"], "")]
#[case(&["--tail", "1", "--grep", "oh", "--timestamps"], "2026-11-20T10:00:00.5Z oh\x1b[2J\n")]
#[case(&["--since", "2026-11-20T10:00:00.5Z", "--tail", "1"], "last\n")]
#[case(&["--since", "2026-11-20T10:00:00.6Z"], "")]
#[case(&["--until", "2026-11-20T10:00:00.4Z"], "")]
#[case(&["--tail", "1", "-o", "json"],
    "{\"time\":\"2026-11-20T10:00:00.5Z\",\"namespace\":null,\"pod\":null,\"container\":null,\
      \"attempt\":1,\"stream\":\"stdout\",\"line\":\"last\"}\n")]
fn a_containers_folder_needs_no_runtime(#[case] args: &[&str], #[case] expected: &str) {
    let pod = pod();
    let folder = pod.path().join("app");
    let args = [&[folder.to_str().expect("text")], args].concat();
    assert_eq!(out(&critui(&args)), expected);
}

#[test]
fn a_pods_folder_merges_its_containers_by_time() {
    let pod = pod();
    let printed = out(&critui(&[pod.path().to_str().expect("text"), "--sanitize"]));
    let expected = "[app] oh\\x1b[2J\n[app] rotated\n[app] last\n[side] beside\n";
    assert_eq!(printed, expected);
}

#[test]
fn any_file_is_a_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plain.txt");
    fs::write(&path, b"no format\n\xff\n\nno end").expect("a file");
    let output = critui(&[path.to_str().expect("text")]);
    assert!(output.status.success());
    assert_eq!(output.stdout, b"no format\n\xff\n\nno end\n");
}

#[rstest]
#[case("/dev/null", "/dev/null is a device, not a regular file")]
#[case("/none/0.log", "/none/0.log does not exist")]
#[case("/etc", "/etc holds no log file (N.log)")]
fn what_is_no_log_is_said(#[case] path: &str, #[case] expected: &str) {
    assert_eq!(error(&critui(&[path])), format!("critui: {expected}\n"));
}

#[test]
fn a_missing_attempt_and_a_wrong_pattern_are_said() {
    let pod = pod();
    let side = pod.path().join("side");
    let side = side.to_str().expect("text");
    let none = error(&critui(&[side, "--previous"]));
    assert!(
        none.contains("attempt 0 only: there is no previous one"),
        "{none}"
    );
    let wrong = error(&critui(&[side, "--grep", "a("]));
    assert!(
        wrong.contains("--grep: \"a(\" is no regular expression"),
        "{wrong}"
    );
}

#[rstest]
#[case(&["coredns-668d6bf9bc-5w7hn", "--tail", "1"], "")]
#[case(&["kube-system/coredns-668d6bf9bc-5w7hn/coredns", "--tail", "1"], "")]
fn the_simulated_node_has_logs(#[case] args: &[&str], #[case] prefix: &str) {
    let printed = out(&critui(&[&["--demo"], args].concat()));
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(
        printed.starts_with(prefix) && printed.len() > 10,
        "{printed}"
    );
}

#[test]
fn unknown_names_tell_what_there_is() {
    let told = error(&critui(&["--demo", "kube-system/corends"]));
    assert!(told.contains("names no pod, container or id"), "{told}");
    assert!(
        told.contains("kube-system/coredns-668d6bf9bc-5w7hn/coredns"),
        "{told}"
    );
}

#[test]
fn the_beginning_of_a_name_is_enough() {
    let told = out(&critui(&["--demo", "coredns"]));
    assert!(told.contains("orders.shop.svc.cluster.local"), "{told}");
}

fn append(path: &Path, text: &str) {
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.expect("a file")
        .write_all(text.as_bytes())
        .expect("it can be written");
}

#[test]
fn following_goes_through_rotation_and_restart_and_ends_quietly() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("0.log");
    append(&log, &format!("{T} stdout F one\n"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_critui"))
        .args(["logs", "-f", folder.path().to_str().expect("text")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    assert_eq!(next(), "one");
    append(&log, &format!("{T} stdout F two\n"));
    fs::rename(&log, folder.path().join("0.log.20261120-100000")).expect("it is renamed");
    append(&log, &format!("{T} stdout F three\n"));
    assert_eq!((next(), next()), ("two".to_owned(), "three".to_owned()));
    append(
        &folder.path().join("1.log"),
        &format!("{T} stdout F four\n"),
    );
    assert_eq!(next(), "four");
    // Nobody reads any more.
    drop(lines);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "critui: attempt 1\n"
    );
}
