//! How a kubelet is set: a process that is called so and has its command line, with and without a
//! configuration file.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::{Report, SECRET};
use crate::harness::{Node, node};
use crate::support::wait_until;

/// What finds something, the flag that is wrong, and the one that is right.
const FLAGS: [(&str, &str, &str); 12] = [
    (
        "kubelet-anonymous",
        "--anonymous-auth",
        "--anonymous-auth=false",
    ),
    (
        "kubelet-always-allow",
        "--authorization-mode=AlwaysAllow",
        "--authorization-mode=Webhook",
    ),
    (
        "kubelet-read-only-port",
        "--read-only-port=10255",
        "--read-only-port=0",
    ),
    (
        "kubelet-client-ca",
        "--client-ca-file=",
        "--client-ca-file=/ca.crt",
    ),
    (
        "kubelet-idle-streams",
        "--streaming-connection-idle-timeout=0",
        "--streaming-connection-idle-timeout=5m",
    ),
    (
        "kubelet-pids-limit",
        "--pod-max-pids=-1",
        "--pod-max-pids=4096",
    ),
    (
        "kubelet-seccomp-default",
        "--seccomp-default=false",
        "--seccomp-default",
    ),
    (
        "kubelet-rotation",
        "--rotate-certificates=false",
        "--rotate-certificates",
    ),
    (
        "kubelet-server-certificate",
        "--tls-cert-file=",
        "--tls-cert-file=/k.crt",
    ),
    (
        "kubelet-ciphers",
        "--tls-cipher-suites=TLS_RSA_WITH_AES_128_CBC_SHA",
        "--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    ),
    (
        "kubelet-iptables",
        "--make-iptables-util-chains=false",
        "--make-iptables-util-chains=true",
    ),
    // Only a flag sets it.
    ("kubelet-hostname", "--hostname-override=other", "--v=2"),
];
/// All wrong but the name, which no file gives.
const WRONG: &str = "authentication: {anonymous: {enabled: true}, x509: {clientCAFile: ''}}
authorization: {mode: AlwaysAllow}
readOnlyPort: 10255
streamingConnectionIdleTimeout: 0s
podPidsLimit: -1
seccompDefault: false
rotateCertificates: false
tlsCertFile: ''
tlsCipherSuites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_RSA_WITH_AES_128_CBC_SHA]
makeIPTablesUtilChains: false
";
/// All right.
const RIGHT: &str = "authentication: {anonymous: {enabled: false}, x509: {clientCAFile: /ca.crt}}
authorization: {mode: Webhook}
readOnlyPort: 0
podPidsLimit: 4096
seccompDefault: true
rotateCertificates: true
serverTLSBootstrap: true
";
/// Found where neither a flag nor a file says anything: older and laxer defaults.
const BARE: [&str; 3] = [
    "kubelet-anonymous",
    "kubelet-always-allow",
    "kubelet-read-only-port",
];

/// The checks that have a case here.
pub fn checks() -> impl Iterator<Item = &'static str> {
    FLAGS.iter().map(|(check, ..)| *check)
}

/// A process that looks like a kubelet, until it is dropped.
struct StandIn(Child);

impl StandIn {
    fn start(node: &Node, args: &[&str]) -> Self {
        let program = folder(node).join("kubelet");
        if !program.exists() {
            fs::copy(node.base("bin/busybox"), &program).expect("a program");
        }
        // A shell that waits for the end of its input; what follows are its arguments.
        let child = Command::new(program)
            .arg0("busybox")
            .args(["sh", "-c", "read line", "kubelet"])
            .args(args)
            .stdin(Stdio::piped())
            .spawn()
            .expect("it starts");
        let comm = format!("/proc/{}/comm", child.id());
        let named = wait_until(Duration::from_secs(10), || {
            fs::read_to_string(&comm).is_ok_and(|name| name == "kubelet\n")
        });
        assert!(named, "it is not called so");
        Self(child)
    }

    fn command(&self) -> String {
        format!("/proc/{}/cmdline", self.0.id())
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn folder(node: &Node) -> PathBuf {
    let folder = node.socket().with_file_name("kubelet");
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn file(node: &Node, text: &str) -> String {
    let path = folder(node).join("config.yaml");
    fs::write(&path, text).expect("a configuration");
    path.display().to_string()
}

/// The check has found something of the node, as it stands in `source`.
fn is_found(report: &Report, check: &str, source: &str) -> bool {
    let mut own = report.all(check, "node");
    own.any(|one| one.sources.iter().any(|from| from == source))
}

fn told(report: &Report) -> Vec<&str> {
    let own = report.of_subject("node");
    own.into_iter()
        .filter(|one| checks().any(|check| check == *one))
        .collect()
}

#[test]
fn flags_win_over_the_file() {
    let node = node();
    let config = format!("--config={}", file(&node, RIGHT));
    let token = format!("--bootstrap-kubeconfig=https://me:{SECRET}@api/");
    let wrong = FLAGS.iter().map(|(_, wrong, _)| *wrong);
    let first = [&*config, &*token, "--rotate-server-certificates=false"];
    let args: Vec<&str> = first.into_iter().chain(wrong).collect();
    let kubelet = StandIn::start(&node, &args);
    let report = Report::of(&node, &[]);
    for (check, flag, _) in FLAGS {
        assert!(
            is_found(&report, check, &kubelet.command()),
            "{check} by {flag}"
        );
    }
    // Anybody may do everything.
    let anonymous = report.all("kubelet-anonymous", "node").next();
    assert_eq!(anonymous.expect("it is found").severity, "critical");
    drop(kubelet);

    let config = format!("--config={}", file(&node, WRONG));
    let right = FLAGS.iter().map(|(_, _, right)| *right);
    let args: Vec<&str> = std::iter::once(&*config).chain(right).collect();
    let _kubelet = StandIn::start(&node, &args);
    assert_eq!(told(&Report::of(&node, &[])), [""; 0]);
}

#[test]
fn the_file_that_it_names_wins_over_defaults() {
    let node = node();
    let path = file(&node, WRONG);
    let _kubelet = StandIn::start(&node, &["--config", &path]);
    let report = Report::of(&node, &[]);
    for (check, ..) in FLAGS
        .iter()
        .filter(|(check, ..)| *check != "kubelet-hostname")
    {
        assert!(is_found(&report, check, &path), "{check}");
    }
    fs::write(Path::new(&path), RIGHT).expect("a configuration");
    assert_eq!(told(&Report::of(&node, &[])), [""; 0]);
}

#[test]
fn without_a_file_it_has_older_defaults() {
    let node = node();
    let kubelet = StandIn::start(&node, &["--v=2"]);
    let report = Report::of(&node, &[]);
    for check in BARE {
        assert!(is_found(&report, check, &kubelet.command()), "{check}");
    }
}
