//! The audit of a node on which something is wrong in every way that it knows, one thing at a time,
//! beside pods, images and files that are held as hard as they can be.

mod around;
mod held;
mod images;
mod kubelet;
mod ward;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::CRITUI;
use crate::harness::{Node, node};
use ward::{Ward, hold};

/// What stands in an environment, a configuration or a command line and must not be told.
const SECRET: &str = "hunter2-of-the-audit";
/// Checks without a case here, or with half of one, and why.
const NOT_HERE: [(&str, &str); 3] = [
    (
        "apparmor-unconfined",
        "needs a kernel with AppArmor on: what the runtime tells is real, the kernel's list is not",
    ),
    (
        "selinux-unconfined",
        "needs a kernel with SELinux on: what the runtime tells is real, the kernel's list is not",
    ),
    (
        "runtime-apparmor-off",
        "needs a kernel with AppArmor on: the runtime's setting is real, the kernel's list is not",
    ),
];

fn run(node: &Node, args: &[&str]) -> (i32, String) {
    let output = Command::new(CRITUI)
        .args(["-r", &node.endpoint(), "-t", "20s", "audit"])
        .args(args)
        .env_remove("CRI_CONFIG_FILE")
        .env("HOME", "/nonexistent")
        .output()
        .expect("the program starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(!text.contains(SECRET), "a secret is told");
    (output.status.code().expect("it ends by itself"), text)
}

/// One finding of a report.
struct Found {
    id: String,
    check: String,
    severity: String,
    /// `POD/CONTAINER`, `POD/`, `image NAME`, `runtime`, `node`.
    subject: String,
    known: bool,
    /// Where each piece of evidence stood.
    sources: Vec<String>,
}

/// A whole report.
struct Report {
    json: Value,
    findings: Vec<Found>,
}

impl Report {
    fn of(node: &Node, args: &[&str]) -> Self {
        let (code, text) = run(node, &[args, &["-o", "json"]].concat());
        assert_eq!(code, 3, "there is much to find");
        let json: Value = serde_json::from_str(&text).expect("JSON");
        let findings = json["findings"].as_array().expect("a list");
        Self {
            findings: findings.iter().map(found).collect(),
            json,
        }
    }

    /// Checks that found something about `subject`.
    fn of_subject(&self, subject: &str) -> BTreeSet<&str> {
        let own = self.findings.iter();
        let own = own.filter(|one| one.known && one.subject == subject);
        own.map(|one| one.check.as_str()).collect()
    }

    /// The findings of one check about `subject`.
    fn all<'a>(&'a self, check: &'a str, subject: &'a str) -> impl Iterator<Item = &'a Found> {
        let all = self.findings.iter();
        all.filter(move |one| one.known && one.check == check && one.subject == subject)
    }

    fn has(&self, id: &str) -> bool {
        self.findings.iter().any(|one| one.known && one.id == id)
    }
}

fn found(one: &Value) -> Found {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let subject = &one["subject"];
    let kind = text(&subject["kind"]);
    let sources = one["evidence"].as_array().expect("a list").iter();
    Found {
        id: text(&one["id"]),
        check: text(&one["check"]),
        severity: text(&one["severity"]),
        subject: match kind.as_str() {
            "image" => format!("image {}", text(&subject["image"])),
            "container" | "pod" => {
                format!("{}/{}", text(&subject["pod"]), text(&subject["container"]))
            }
            _ => kind,
        },
        known: one["status"] == "found",
        sources: sources.map(|one| text(&one["source"])).collect(),
    }
}

/// containerd 1.6 tells no name by which an image was asked for, only the tag that it has found.
fn only_tags(node: &Node) -> bool {
    node.version.trim_start_matches('v').starts_with("1.6")
}

/// containerd 2 tells less of its configuration.
fn is_old(node: &Node) -> bool {
    node.version.trim_start_matches('v').starts_with("1.")
}

#[test]
fn a_pod_that_is_held_as_hard_as_pods_can_be_is_clean() {
    let node = node();
    let mut ward = Ward::new(&node);
    let pod = ward.sandbox("hardened", |_| ());
    ward.container(&pod, "app", hold);
    let report = Report::of(&node, &[]);
    let mut found = report.of_subject("hardened/app");
    if only_tags(&node) {
        assert!(found.remove("image-tag"));
    }
    assert_eq!(found, BTreeSet::new());
    assert_eq!(report.of_subject("hardened/"), BTreeSet::new());
    let unknown = report.findings.iter();
    let unknown = unknown.filter(|one| !one.known && one.subject.starts_with("hardened/"));
    assert_eq!(unknown.map(|one| &one.id).collect::<Vec<_>>(), [""; 0]);
    let pods = report.json["pods"].as_array().expect("a list");
    let own = pods
        .iter()
        .find(|pod| pod["pod"] == "hardened")
        .expect("its level");
    assert_eq!(
        (&own["level"], &own["next"]),
        (&"restricted".into(), &Value::Null)
    );
    // Alone it makes nothing count.
    let namespace = own["namespace"].as_str().expect("a namespace");
    let others: BTreeSet<&str> = pods
        .iter()
        .filter_map(|pod| pod["pod"].as_str())
        .filter(|name| *name != "hardened")
        .collect();
    let patterns: Vec<String> = others.iter().map(|name| format!("*/{name}")).collect();
    let mut args = vec!["--namespace", namespace, "--fail-on", "low"];
    for pattern in &patterns {
        args.extend(["--exclude", pattern]);
    }
    let (code, text) = run(&node, &args);
    assert_eq!(code, 0, "{text}");
}

/// Needs no node: each check has a case, or is known to have none.
#[test]
fn every_check_has_a_case() {
    let output = Command::new(CRITUI)
        .args(["audit", "--checks"])
        .env("HOME", "/nonexistent")
        .output()
        .expect("the program starts");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let ids = text.lines().filter_map(|line| {
        let (id, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some(id)
    });
    let ids: BTreeSet<&str> = ids.collect();
    let cases = held::checks()
        .chain(images::checks())
        .chain(around::checks())
        .chain(kubelet::checks());
    let cases: BTreeSet<&str> = cases.collect();
    let not_here: BTreeSet<&str> = NOT_HERE.iter().map(|(id, _)| *id).collect();
    let all: BTreeSet<&str> = cases.union(&not_here).copied().collect();
    assert_eq!(all, ids);
    assert!(cases.is_disjoint(&not_here), "a case is left out");
}

/// Every form comes out, without the secret, and the same each time.
#[test]
fn every_form_is_whole_and_the_same_each_time() {
    let node = node();
    for form in ["table", "json", "yaml", "csv", "md", "sarif"] {
        let (code, first) = run(&node, &["-o", form]);
        assert_eq!(code, 3);
        assert_eq!(run(&node, &["-o", form]).1, first, "{form}");
    }
}

/// What the kernel saw of an audit, its children included: a line for each call.
fn traced(node: &Node) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("trace");
    let (strace, libraries) = node.strace();
    let output = Command::new(strace)
        .env("LD_LIBRARY_PATH", libraries)
        .args(["-f", "-y", "-E", "LD_LIBRARY_PATH", "-e"])
        .arg("trace=%file,%network,%process,%desc")
        .arg("-o")
        .arg(&path)
        .args([CRITUI, "-r", &node.endpoint(), "-t", "20s", "audit"])
        .env_remove("CRI_CONFIG_FILE")
        .env("HOME", "/nonexistent")
        .output()
        .expect("strace starts");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let trace = std::fs::read_to_string(&path).expect("strace has written");
    trace.lines().map(str::to_owned).collect()
}

/// The name of the call on a line of strace.
fn call(line: &str) -> &str {
    let start = line.split('(').next().unwrap_or_default();
    start.rsplit(' ').next().unwrap_or_default()
}

/// Calls by which something could be changed, beside opening it.
const CHANGES: [&str; 24] = [
    "creat",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "unlink",
    "unlinkat",
    "rmdir",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "chmod",
    "fchmodat",
    "chown",
    "lchown",
    "fchownat",
    "truncate",
    "mount",
    "umount2",
    "setxattr",
];

#[test]
fn the_kernel_sees_no_writing_and_no_connection_but_to_the_runtime() {
    let node = node();
    let trace = traced(&node);
    let opens = trace.iter().filter(|line| call(line).starts_with("open"));
    let mut opened = 0;
    for line in opens {
        opened += 1;
        for flag in [
            "O_WRONLY",
            "O_RDWR",
            "O_CREAT",
            "O_TRUNC",
            "O_APPEND",
            "O_TMPFILE",
        ] {
            assert!(!line.contains(flag), "{line}");
        }
    }
    assert!(opened > 10, "the trace is whole");
    for line in &trace {
        assert!(!CHANGES.contains(&call(line)), "{line}");
    }
    let of =
        |name: &str| -> Vec<&String> { trace.iter().filter(|line| call(line) == name).collect() };
    assert_eq!(
        of("execve").len(),
        1,
        "no program is started: {:?}",
        of("execve")
    );
    for line in of("socket") {
        assert!(line.contains("AF_UNIX"), "{line}");
    }
    let connects = of("connect");
    assert!(!connects.is_empty());
    // The socket was opened as what it is, and is connected to by that.
    let own = format!("<{}>", node.socket().display());
    let fd = trace.iter().find_map(|line| {
        let (_, opened) = line.rsplit_once(" = ")?;
        let fd = opened.strip_suffix(&own)?;
        call(line).starts_with("open").then(|| fd.to_owned())
    });
    let by_fd = format!("sun_path=\"/proc/self/fd/{}\"", fd.expect("it is opened"));
    let by_path = format!("sun_path=\"{}\"", node.socket().display());
    for line in connects {
        assert!(line.contains(&by_fd) || line.contains(&by_path), "{line}");
    }
    for name in ["bind", "listen", "accept", "accept4"] {
        assert!(of(name).is_empty(), "{:?}", of(name));
    }
}
