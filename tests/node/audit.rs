//! The audit of a node on which something is wrong in every way that it knows, and one pod is held
//! as hard as pods can be.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use k8s_cri::v1 as cri;
use serde_json::Value;

use crate::CRITUI;
use crate::cri::spec;
use crate::harness::{Node, node};
use crate::pods::{Recipe, container};

/// An image whose tag moves on.
const MOVING: &str = "critui.test/moving:1";
/// What stands in an environment and must not be told.
const SECRET: &str = "hunter2-of-the-audit";
/// What a kubelet hides and protects by default.
const MASKED: [&str; 3] = ["/proc/acpi", "/proc/kcore", "/proc/keys"];
const READ_ONLY: [&str; 3] = ["/proc/bus", "/proc/fs", "/proc/sys"];

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

fn report(node: &Node, args: &[&str]) -> Value {
    let (code, text) = run(node, &[args, &["-o", "json"]].concat());
    assert_eq!(code, 3, "there is much to find");
    serde_json::from_str(&text).expect("JSON")
}

/// `SUBJECT` (pod and container) to the checks that found something, or could not.
fn checks(report: &Value, status: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::<String, BTreeSet<String>>::new();
    for one in report["findings"].as_array().expect("a list") {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let subject = &one["subject"];
        let name = format!("{}/{}", text(&subject["pod"]), text(&subject["container"]));
        if one["status"] == status {
            all.entry(name).or_default().insert(text(&one["check"]));
        }
    }
    all
}

/// Id and configuration.
type Sandbox = (String, cri::PodSandboxConfig);

/// Pods and containers that are gone afterwards.
struct Ward<'a> {
    node: &'a Node,
    sandboxes: Vec<String>,
    containers: Vec<String>,
}

impl<'a> Ward<'a> {
    fn new(node: &'a Node) -> Self {
        Self {
            node,
            sandboxes: vec![],
            containers: vec![],
        }
    }

    fn sandbox(&mut self, name: &str, change: impl FnOnce(&mut cri::PodSandboxConfig)) -> Sandbox {
        let mut config = self.node.pods.get("web-8").config.clone();
        let uid = format!("a0d17000-0000-4000-8000-{:012}", self.sandboxes.len());
        let metadata = config.metadata.as_mut().expect("metadata");
        (metadata.name, metadata.uid) = (name.to_owned(), uid.clone());
        config
            .labels
            .insert("io.kubernetes.pod.name".into(), name.to_owned());
        config.labels.insert("io.kubernetes.pod.uid".into(), uid);
        change(&mut config);
        let id = self.node.cri.run_sandbox(&config);
        self.sandboxes.push(id.clone());
        (id, config)
    }

    fn container(
        &mut self,
        (pod, sandbox): &Sandbox,
        name: &str,
        change: impl FnOnce(&mut cri::ContainerConfig),
    ) -> String {
        let mut config = container(sandbox, name, 0, Recipe::Sleep);
        change(&mut config);
        let id = self.node.cri.create(pod, config, sandbox);
        self.containers.push(id.clone());
        let started = self.node.cri.start(&id);
        assert!(started.is_ok(), "{name}: {started:?}");
        id
    }
}

impl Drop for Ward<'_> {
    fn drop(&mut self) {
        for id in &self.containers {
            self.node.cri.remove(id);
        }
        for id in &self.sandboxes {
            self.node.cri.stop_sandbox(id);
            self.node.cri.remove_sandbox(id);
        }
    }
}

fn context(config: &mut cri::ContainerConfig) -> &mut cri::LinuxContainerSecurityContext {
    let linux = config.linux.get_or_insert_default();
    linux.security_context.get_or_insert_default()
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn mount(host_path: &str, container_path: &str, readonly: bool) -> cri::Mount {
    cri::Mount {
        host_path: host_path.to_owned(),
        container_path: container_path.to_owned(),
        readonly,
        ..Default::default()
    }
}

/// What is found of every image: containerd 1.6 does not tell what was asked for, only the tag
/// that it has found.
fn by_tag(node: &Node) -> &'static [&'static str] {
    if node.version.starts_with("1.6") {
        &["image-tag"]
    } else {
        &[]
    }
}

/// As the level restricted wants it, and everything else that there is a check for.
fn hold(config: &mut cri::ContainerConfig) {
    let image = format!("registry.critui.test/app@sha256:{}", "0".repeat(64));
    config
        .image
        .as_mut()
        .expect("an image")
        .user_specified_image = image;
    let context = context(config);
    context.run_as_user = Some(cri::Int64Value { value: 10001 });
    context.no_new_privs = true;
    context.readonly_rootfs = true;
    context.masked_paths = texts(&MASKED);
    context.readonly_paths = texts(&READ_ONLY);
    context.seccomp = Some(cri::SecurityProfile::default());
    context.capabilities = Some(cri::Capability {
        drop_capabilities: texts(&["ALL"]),
        ..Default::default()
    });
    let linux = config.linux.get_or_insert_default();
    let resources = linux.resources.get_or_insert_default();
    resources.memory_limit_in_bytes = 64 << 20;
    (resources.cpu_quota, resources.cpu_period) = (50_000, 100_000);
}

#[test]
fn a_pod_that_is_held_as_hard_as_pods_can_be_is_clean() {
    let node = node();
    let mut ward = Ward::new(&node);
    let pod = ward.sandbox("hardened", |_| ());
    ward.container(&pod, "app", hold);
    let report = report(&node, &[]);
    let found = checks(&report, "found");
    let of_image: BTreeSet<String> = by_tag(&node).iter().map(|one| (*one).to_owned()).collect();
    assert_eq!(
        found.get("hardened/app").cloned().unwrap_or_default(),
        of_image
    );
    assert_eq!(found.get("hardened/"), None);
    let unknown = checks(&report, "unknown");
    assert_eq!(unknown.get("hardened/app"), None);
    assert_eq!(unknown.get("hardened/"), None);
    let pods = report["pods"].as_array().expect("a list");
    let own = pods
        .iter()
        .find(|pod| pod["pod"] == "hardened")
        .expect("its level");
    assert_eq!(
        (&own["level"], &own["next"]),
        (&"restricted".into(), &Value::Null)
    );
    // Alone in its namespace it makes nothing count.
    let namespace = own["namespace"].as_str().expect("a namespace");
    let (code, text) = run(
        &node,
        &["--namespace", namespace, "--exclude", "*/web-8", "-o", "md"],
    );
    assert!(code == 0 || code == 3, "{text}");
}

/// A pod that nobody manages, in every namespace of the node, and privileged.
fn host_pod(ward: &mut Ward) {
    let host = ward.sandbox("host", |config| {
        let linux = config.linux.get_or_insert_default();
        let context = linux.security_context.get_or_insert_default();
        context.privileged = true;
        let options = context.namespace_options.get_or_insert_default();
        let own = cri::NamespaceMode::Node.into();
        (options.network, options.pid, options.ipc) = (own, own, own);
        config.hostname = String::new();
        config.labels.clear();
    });
    ward.container(&host, "privileged", |config| {
        let context = context(config);
        context.privileged = true;
        context.namespace_options = Some(cri::NamespaceOption {
            network: cri::NamespaceMode::Node.into(),
            pid: cri::NamespaceMode::Node.into(),
            ipc: cri::NamespaceMode::Node.into(),
            ..Default::default()
        });
    });
}

/// A pod with a system setting of its own; what its containers may do and see.
fn bad_pod(node: &Node, ward: &mut Ward) -> Sandbox {
    let pod = ward.sandbox("bad", |config| {
        let linux = config.linux.get_or_insert_default();
        linux
            .sysctls
            .insert("net.ipv4.ip_forward".into(), "1".into());
    });
    let socket = node.socket().display().to_string();
    let folder = node
        .socket()
        .parent()
        .expect("a folder")
        .display()
        .to_string();
    ward.container(&pod, "capable", |config| {
        hold(config);
        context(config).capabilities = Some(cri::Capability {
            add_capabilities: texts(&["SYS_ADMIN", "NET_RAW"]),
            drop_capabilities: texts(&["ALL"]),
            ..Default::default()
        });
    });
    ward.container(&pod, "mounts", |config| {
        hold(config);
        config.mounts = vec![
            mount("/", "/node", true),
            mount("/etc", "/node-etc", false),
            mount(
                &folder,
                "/var/run/secrets/kubernetes.io/serviceaccount",
                true,
            ),
            mount(&socket, "/run/runtime.sock", false),
        ];
    });
    pod
}

/// A container without any care, and one with an image of no name.
fn lax(ward: &mut Ward, pod: &Sandbox) {
    ward.container(pod, "lax", |config| {
        config.image = Some(spec(MOVING));
        config.envs = vec![cri::KeyValue {
            key: "DB_PASSWORD".into(),
            value: SECRET.into(),
        }];
        config.devices = vec![cri::Device {
            host_path: "/dev/null".into(),
            container_path: "/dev/mine".into(),
            permissions: "rw".into(),
        }];
        let ports = r#"[{"hostPort":8088,"containerPort":80}]"#;
        config
            .annotations
            .insert("io.kubernetes.container.ports".into(), ports.into());
    });
    ward.container(pod, "newest", |config| {
        hold(config);
        let image = config.image.as_mut().expect("an image");
        image.user_specified_image = "app".into();
    });
}

/// Each with what must be found of it.
#[test]
fn what_is_held_badly_is_found() {
    let node = node();
    node.load_image(&[MOVING], &["/bin/sh"]);
    let mut ward = Ward::new(&node);
    host_pod(&mut ward);
    let pod = bad_pod(&node, &mut ward);
    lax(&mut ward, &pod);
    // The tag leads elsewhere now.
    node.load_image(&[MOVING], &["/bin/true"]);
    let report = report(&node, &[]);
    let found = checks(&report, "found");
    let of = |name: &str| -> Vec<&str> {
        let all = found
            .get(name)
            .unwrap_or_else(|| panic!("{name}: {found:?}"));
        all.iter().map(String::as_str).collect()
    };
    assert_eq!(
        of("host/"),
        ["host-ipc", "host-network", "host-pid", "unmanaged"]
    );
    assert_eq!(of("bad/"), ["sysctl"]);
    let privileged = of("host/privileged");
    assert!(privileged.contains(&"privileged"), "{privileged:?}");
    assert!(
        !privileged.contains(&"capabilities-added"),
        "{privileged:?}"
    );
    let of_image = by_tag(&node);
    assert_eq!(
        of("bad/capable"),
        [&["capabilities-added"], of_image].concat()
    );
    let mounts = of("bad/mounts");
    for check in ["host-path", "runtime-socket", "service-account-token"] {
        assert!(mounts.contains(&check), "{mounts:?}");
    }
    let lax = of("bad/lax");
    for check in [
        "capabilities-kept",
        "device",
        "host-port",
        "image-moved",
        "image-tag",
        "no-cpu-limit",
        "no-memory-limit",
        "privilege-escalation",
        "proc-unmasked",
        "runs-as-root",
        "seccomp-unconfined",
        "secret-in-environment",
        "writable-root",
    ] {
        assert!(lax.contains(&check), "{check}: {lax:?}");
    }
    let named: &[&str] = &["image-latest", "image-unqualified"];
    let newest = if of_image.is_empty() { named } else { of_image };
    assert_eq!(of("bad/newest"), newest);
    let levels: BTreeMap<&str, &Value> = report["pods"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|pod| Some((pod["pod"].as_str()?, &pod["level"])))
        .collect();
    assert_eq!(
        (levels["host"], levels["bad"]),
        (&"privileged".into(), &"privileged".into())
    );
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
