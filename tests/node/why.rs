//! Verdicts on containers that really fare like that, and none on those beside them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use k8s_cri::v1 as cri;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::CRITUI;
use crate::cri::spec;
use crate::harness::{Node, node};
use crate::pods::{Recipe, container, create_one};
use crate::support::wait_until;

/// For what takes a moment; generous, since the machine may be busy.
const SOON: Duration = Duration::from_secs(20);
/// A container may be created but not started for half a minute before that is trouble.
const LONG: Duration = Duration::from_secs(60);
/// An image that goes away.
const IMAGE: &str = "critui.test/why:1";

/// What `critui triage` finds; it ends with 3 then, and with 0 when there is nothing.
fn triage(node: &Node) -> Value {
    let output = Command::new(CRITUI)
        .args([
            "-r",
            &node.endpoint(),
            "--timeout",
            "5s",
            "triage",
            "-o",
            "json",
        ])
        .env_remove("CRI_CONFIG_FILE")
        .env("HOME", "/nonexistent")
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr, "");
    assert_eq!(output.status.code(), Some(3), "there are pods in trouble");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// `POD/CONTAINER` to `verdict confidence`.
fn findings(report: &Value) -> BTreeMap<String, String> {
    let all = report["findings"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let one = |finding: &Value| {
        let subject = &finding["subject"];
        let whose = format!("{}/{}", text(&subject["pod"]), text(&subject["container"]));
        let verdict = format!("{} {}", text(&finding["id"]), text(&finding["confidence"]));
        (whose, verdict)
    };
    all.iter().map(one).collect()
}

/// Containers in one pod of the node that are gone afterwards.
struct Ward<'a> {
    node: &'a Node,
    made: Vec<String>,
}

impl Ward<'_> {
    fn create(&mut self, name: &str, change: impl FnOnce(&mut cri::ContainerConfig)) -> String {
        let pod = self.node.pods.get("web-8");
        let mut config = container(&pod.config, name, 0, Recipe::Sleep);
        change(&mut config);
        let id = self.node.cri.create(&pod.id, config, &pod.config);
        self.made.push(id.clone());
        id
    }

    fn start(&mut self, name: &str, change: impl FnOnce(&mut cri::ContainerConfig)) -> String {
        let id = self.create(name, change);
        // Some cannot be started: their status tells it.
        let _ = self.node.cri.start(&id);
        id
    }

    /// Runs a line of a shell.
    fn shell(&mut self, name: &str, line: &str) -> String {
        self.start(name, |config| {
            config.command = ["/bin/sh", "-c", line].map(str::to_owned).to_vec();
        })
    }

    /// Kills the first process of a container from outside.
    fn kill(&self, id: &str) {
        let answer = self.node.cri.container_status_verbose(id);
        let info: Value = serde_json::from_str(&answer.info["info"]).expect("JSON");
        let pid = info["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        let pid = Pid::from_raw(pid.expect("a process")).expect("a process");
        kill_process(pid, Signal::KILL).expect("it can be killed");
        self.wait_for_end(id);
    }

    /// A shell that has not set its trap yet does not hear the signal: as the first process of its
    /// container it hears none without one.
    fn wait_for_trap(&self, id: &str) {
        let children = || self.node.cri.exec(id, &["ps"]).contains("sleep ");
        assert!(wait_until(SOON, children), "it does not get that far");
    }

    fn wait_for_end(&self, id: &str) {
        let exited = cri::ContainerState::ContainerExited;
        let over = wait_until(SOON, || self.node.cri.status(id).state() == exited);
        assert!(over, "{:?}", self.node.cri.status(id));
    }
}

impl Drop for Ward<'_> {
    fn drop(&mut self) {
        for id in &self.made {
            self.node.cri.remove(id);
        }
    }
}

/// What ends by itself, or never starts.
fn by_themselves(ward: &mut Ward) {
    let mut over = Vec::new();
    for (name, line) in [
        (
            "exits-1",
            "echo 'ERROR no route to the database' >&2; exit 1",
        ),
        ("exits-3", "exit 3"),
        ("exits-126", "/etc/hosts"),
        ("exits-127", "no-such-command"),
    ] {
        over.push(ward.shell(name, line));
    }
    let oom = container(&ward.node.pods.get("web-8").config, "oom", 0, Recipe::Oom);
    over.push(ward.start("oom", |config| *config = oom));
    over.push(ward.start("no-binary", |config| {
        config.command = vec!["/no/such".to_owned()];
    }));
    over.push(ward.start("no-mode", |config| {
        config.command = vec!["/etc/hosts".to_owned()];
    }));
    for id in &over {
        ward.wait_for_end(id);
    }
}

/// What somebody ends.
fn by_others(ward: &mut Ward) {
    // The first process of a container heeds only SIGKILL from outside: another one gets these.
    for (name, signal) in [("segv", "SEGV"), ("abrt", "ABRT")] {
        let id = ward.shell(name, &format!("sh -c 'kill -{signal} $$'; exit $?"));
        ward.wait_for_end(&id);
    }
    let id = ward.shell("killed", "echo up; sleep 2147483647");
    ward.kill(&id);
    let id = ward.shell("obeys", "trap 'exit 143' TERM; sleep 2147483647 & wait");
    ward.wait_for_trap(&id);
    ward.node.cri.stop(&id, 20);
    let id = ward.shell("ignores", "trap '' TERM; while :; do sleep 1; done");
    ward.wait_for_trap(&id);
    ward.node.cri.stop(&id, 1);
}

/// A mount whose source goes between the making and the start.
fn without_mount(ward: &mut Ward) {
    let source = "/run/critui-test/goes-away";
    std::fs::create_dir_all(source).expect("a folder");
    let id = ward.create("no-mount", |config| {
        config.mounts.push(cri::Mount {
            container_path: "/data".to_owned(),
            host_path: source.to_owned(),
            ..Default::default()
        });
    });
    std::fs::remove_dir(source).expect("the folder goes");
    assert!(
        ward.node.cri.start(&id).is_err(),
        "it has no source to mount"
    );
}

/// One whose image goes after its end, which is none of a program's own ends.
fn without_image(ward: &mut Ward) {
    ward.node.load_image(&[IMAGE], &["/bin/sh"]);
    let id = ward.start("no-image", |config| {
        config.image = Some(spec(IMAGE));
        config.command = ["/bin/sh", "-c", "exit 136"].map(str::to_owned).to_vec();
    });
    ward.wait_for_end(&id);
    ward.node.cri.remove_image(IMAGE);
}

#[test]
fn every_end_gets_its_verdict_and_nothing_else_does() {
    let node = node();
    let before = findings(&triage(&node));
    println!("{before:#?}");
    let mut ward = Ward {
        node: &node,
        made: vec![],
    };
    ward.create("waits", |_| ());
    by_themselves(&mut ward);
    by_others(&mut ward);
    without_mount(&mut ward);
    without_image(&mut ward);
    let mut report = Value::Null;
    let found = wait_until(LONG, || {
        report = triage(&node);
        findings(&report).contains_key("web-8/waits")
    });
    assert!(found, "what was not started is told: {report:#}");
    let mut expected: BTreeMap<String, String> = [
        ("exits-1", "app-error likely"),
        ("exits-3", "app-error likely"),
        ("exits-126", "permission-denied likely"),
        ("exits-127", "command-not-found proven"),
        ("oom", "oom-container-limit proven"),
        ("no-binary", "command-not-found proven"),
        ("no-mode", "permission-denied proven"),
        ("segv", "segfault likely"),
        ("abrt", "abort likely"),
        ("killed", "killed-unknown likely"),
        ("obeys", "terminated-by-request proven"),
        ("ignores", "killed-after-grace proven"),
        ("no-mount", "missing-mount proven"),
        ("no-image", "image-missing likely"),
        ("waits", "created-never-started proven"),
    ]
    .map(|(name, verdict)| (format!("web-8/{name}"), verdict.to_owned()))
    .into();
    // Those that the node was made with; all others are well.
    expected.extend(
        [
            ("crash/app", "app-panic likely"),
            ("oom/app", "oom-container-limit proven"),
            ("wrong/app", "command-not-found proven"),
        ]
        .map(|(name, verdict)| (name.to_owned(), verdict.to_owned())),
    );
    assert_eq!(findings(&report), expected, "{report:#}");
    assert_eq!(
        of_node(&report),
        of_machine(),
        "the node is well: {report:#}"
    );
}

/// `verdict confidence` of the node itself.
fn of_node(report: &Value) -> Vec<String> {
    let all = report["node"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    all.map(|one| format!("{} {}", text(&one["id"]), text(&one["confidence"])))
        .collect()
}

/// What is found on a node that is well: its root is this machine's disk, which may be full.
fn of_machine() -> Vec<String> {
    let root = rustix::fs::statvfs("/").expect("the root");
    let usable = root.f_blocks - root.f_bfree + root.f_bavail;
    let full = root.f_bavail < usable / 10;
    full.then(|| "disk-pressure proven".to_owned())
        .into_iter()
        .collect()
}

/// What is found together with what a well node has.
fn with_machine(found: &str) -> Vec<String> {
    let machine = of_machine();
    [found.to_owned()].into_iter().chain(machine).collect()
}

#[test]
fn a_runtime_that_hangs_and_a_network_without_configuration() {
    let node = node();
    node.freeze();
    let report = triage(&node);
    node.thaw();
    assert_eq!(of_node(&report), with_machine("runtime-down proven"));
    let (network, away) = (node.network(), node.network().with_extension("away"));
    std::fs::rename(&network, &away).expect("the network's configuration");
    let down = wait_until(SOON, || !node.cri.network_ready());
    let report = triage(&node);
    std::fs::rename(&away, &network).expect("the network's configuration");
    assert!(down, "the runtime notices");
    assert_eq!(of_node(&report), with_machine("cni-not-ready proven"));
    assert!(wait_until(SOON, || node.cri.network_ready()));
}

#[test]
fn a_disk_below_what_the_kubelet_evicts_at_and_a_kubelet_that_is_not_there() {
    let node = node();
    // The namespaces' own: see tests/node/enter.
    let folder = Path::new("/var/lib/kubelet");
    std::fs::create_dir_all(folder).expect("the kubelet's folder");
    let file = folder.join("config.yaml");
    let with = |least: &str| {
        let config = format!("evictionHard: {{nodefs.available: {least}}}\n");
        std::fs::write(&file, config).expect("the kubelet's configuration");
        of_node(&triage(&node))
    };
    let (little, much) = (with("1Ki"), with("100%"));
    std::fs::remove_file(&file).expect("the kubelet's configuration");
    assert_eq!(little, ["kubelet-down proven"]);
    assert_eq!(much, ["kubelet-down proven", "disk-pressure proven"]);
}

/// Kills what is named so on some process's command line.
fn kill_all(word: &str) {
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let pid = name.parse().ok().and_then(Pid::from_raw);
        if let Some(pid) = pid.filter(|_| String::from_utf8_lossy(&line).contains(word)) {
            // It may have ended meanwhile.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

#[test]
fn what_ended_while_the_runtime_was_away() {
    let mut node = node();
    let pod = create_one(&node.cri, &Node::logs(), "lost", 940, Recipe::Sleep);
    let app = node.cri.container("lost", "app");
    node.kill();
    // With its shim goes who would have known.
    kill_all(&pod.id);
    node.start();
    let over = || node.cri.status(&app).state() == cri::ContainerState::ContainerExited;
    assert!(wait_until(SOON, over), "{:?}", node.cri.status(&app));
    let report = triage(&node);
    assert_eq!(
        findings(&report).get("lost/app").map(String::as_str),
        Some("runtime-restarted likely"),
        "{:?}: {report:#}",
        node.cri.status(&app)
    );
    node.cri.remove_sandbox(&pod.id);
}
