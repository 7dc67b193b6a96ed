//! Containers and pods: each held as hard as they can be but for one thing, which is found, and
//! nothing else.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use k8s_cri::v1 as cri;

use super::ward::{Ward, context, hold, resources, texts};
use super::{Report, SECRET, only_tags};
use crate::cri::spec;
use crate::harness::{Node, node};

/// An image whose tag moves on.
const MOVING: &str = "critui.test/moving:1";
/// An image by the tag that always means another one.
const NEWEST: &str = "critui.test/newest:latest";
/// A file system whose mounts reach others.
const SHARED: &str = "/run/critui-test-shared";

/// A container with one thing wrong.
struct Case {
    /// What finds it.
    check: &'static str,
    /// How bad that is.
    severity: &'static str,
    /// What else cannot but be found.
    with: &'static [&'static str],
    /// What is wrong.
    make: fn(&Node, &mut cri::ContainerConfig),
}

const fn case(
    check: &'static str,
    severity: &'static str,
    with: &'static [&'static str],
    make: fn(&Node, &mut cri::ContainerConfig),
) -> Case {
    Case {
        check,
        severity,
        with,
        make,
    }
}

fn mount(config: &mut cri::ContainerConfig, host_path: &str, path: &str, readonly: bool) {
    config.mounts.push(cri::Mount {
        host_path: host_path.to_owned(),
        container_path: path.to_owned(),
        readonly,
        ..Default::default()
    });
}

/// By no other name than its tag.
fn by_name(config: &mut cri::ContainerConfig, name: &str) {
    config.image = Some(spec(name));
}

fn said(config: &mut cri::ContainerConfig, name: &str) {
    let image = config.image.as_mut().expect("an image");
    name.clone_into(&mut image.user_specified_image);
}

static CONTAINERS: [Case; 28] = [
    case("privileged", "high", &[], |_, config| {
        context(config).privileged = true;
    }),
    case("runtime-socket", "critical", &[], |node, config| {
        let socket = node.socket().display().to_string();
        mount(config, &socket, "/run/runtime.sock", true);
    }),
    // Graded by what lies there, and by who may write.
    case("host-path", "critical", &[], |_, config| {
        mount(config, "/etc", "/node", false);
    }),
    case("host-path", "high", &[], |_, config| {
        mount(config, "/", "/node", true);
    }),
    case("host-path", "high", &[], |_, config| {
        mount(config, "/var/log", "/node", false);
    }),
    case("host-path", "medium", &[], |_, config| {
        mount(config, "/tmp", "/node", false);
    }),
    case("host-path", "low", &[], |_, config| {
        mount(config, "/tmp", "/node", true);
    }),
    case(
        "mount-propagation",
        "medium",
        &["host-path"],
        |_, config| {
            config.mounts.push(cri::Mount {
                host_path: SHARED.into(),
                container_path: "/node".into(),
                propagation: cri::MountPropagation::PropagationBidirectional.into(),
                ..Default::default()
            });
        },
    ),
    case("capabilities-added", "high", &[], |_, config| {
        add(config, &["SYS_ADMIN"]);
    }),
    case("capabilities-added", "medium", &[], |_, config| {
        add(config, &["NET_RAW"]);
    }),
    case("capabilities-kept", "low", &[], |_, config| {
        context(config).capabilities = None;
    }),
    case("seccomp-unconfined", "medium", &[], |_, config| {
        context(config).seccomp = Some(cri::SecurityProfile {
            profile_type: cri::security_profile::ProfileType::Unconfined.into(),
            ..Default::default()
        });
    }),
    case("proc-unmasked", "high", &[], |_, config| {
        context(config).masked_paths.clear();
    }),
    case("proc-unmasked", "high", &[], |_, config| {
        context(config).readonly_paths.clear();
    }),
    case("device", "medium", &[], |_, config| {
        config.devices.push(cri::Device {
            host_path: "/dev/null".into(),
            container_path: "/dev/mine".into(),
            permissions: "rw".into(),
        });
    }),
    // The user of the image, which names none.
    case("runs-as-root", "medium", &[], |_, config| {
        context(config).run_as_user = None;
    }),
    case("privilege-escalation", "medium", &[], |_, config| {
        context(config).no_new_privs = false;
    }),
    case("writable-root", "low", &[], |_, config| {
        context(config).readonly_rootfs = false;
    }),
    case("service-account-token", "low", &[], |_, config| {
        let uid = &config.labels["io.kubernetes.pod.uid"];
        let folder = format!("/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~projected/token");
        std::fs::create_dir_all(&folder).expect("a volume");
        let path = "/var/run/secrets/kubernetes.io/serviceaccount";
        mount(config, &folder, path, true);
    }),
    case("secret-in-environment", "medium", &[], |_, config| {
        config.envs.push(cri::KeyValue {
            key: "DB_PASSWORD".into(),
            value: SECRET.into(),
        });
    }),
    case("host-port", "low", &[], |_, config| {
        let key = "io.kubernetes.container.ports".to_owned();
        let ports = r#"[{"hostPort":8088,"containerPort":80}]"#.to_owned();
        config.annotations.insert(key, ports);
    }),
    case("no-memory-limit", "low", &[], |_, config| {
        resources(config).memory_limit_in_bytes = 0;
    }),
    case("no-cpu-limit", "info", &[], |_, config| {
        resources(config).cpu_quota = 0;
    }),
    case("image-latest", "medium", &[], |_, config| {
        by_name(config, NEWEST);
    }),
    case("image-tag", "info", &[], |_, config| {
        by_name(config, crate::image::APP);
    }),
    case("image-moved", "medium", &["image-tag"], |_, config| {
        by_name(config, MOVING);
    }),
    case("image-unqualified", "low", &["image-tag"], |_, config| {
        said(config, "app:1");
    }),
    case("image-registry", "medium", &[], |_, config| {
        let image = format!("elsewhere.test/app@sha256:{}", "0".repeat(64));
        said(config, &image);
    }),
];

fn add(config: &mut cri::ContainerConfig, names: &[&str]) {
    context(config).capabilities = Some(cri::Capability {
        add_capabilities: texts(names),
        drop_capabilities: texts(&["ALL"]),
        ..Default::default()
    });
}

/// A pod with one thing wrong, what finds it, and how bad that is.
type PodCase = (&'static str, &'static str, fn(&mut cri::PodSandboxConfig));

const PODS: [PodCase; 5] = [
    ("host-pid", "high", |config| {
        options(config).pid = cri::NamespaceMode::Node.into();
    }),
    ("host-ipc", "high", |config| {
        options(config).ipc = cri::NamespaceMode::Node.into();
    }),
    ("host-network", "medium", |config| {
        options(config).network = cri::NamespaceMode::Node.into();
        config.hostname = String::new();
    }),
    ("sysctl", "medium", |config| {
        let linux = config.linux.get_or_insert_default();
        linux
            .sysctls
            .insert("net.ipv4.ip_forward".into(), "1".into());
    }),
    ("unmanaged", "high", |config| config.labels.clear()),
];

fn options(config: &mut cri::PodSandboxConfig) -> &mut cri::NamespaceOption {
    let linux = config.linux.get_or_insert_default();
    let context = linux.security_context.get_or_insert_default();
    context.namespace_options.get_or_insert_default()
}

/// The checks that have a case here.
pub fn checks() -> impl Iterator<Item = &'static str> {
    let containers = CONTAINERS.iter().map(|case| case.check);
    containers.chain(PODS.iter().map(|(check, _, _)| *check))
}

/// A mount that is gone afterwards.
pub struct Mounted(&'static str);

impl Mounted {
    /// Mounts a file system in memory.
    pub fn memory(path: &'static str) -> Self {
        std::fs::create_dir_all(path).expect("a folder");
        mount_with(&["-t", "tmpfs", "tmpfs", path]);
        Self(path)
    }

    /// Mounts what is written from now on over a folder.
    pub fn over(path: &'static str, above: &Path) -> Self {
        let (upper, work) = (above.join("up"), above.join("work"));
        for folder in [&upper, &work] {
            std::fs::create_dir_all(folder).expect("a folder");
        }
        let (upper, work) = (upper.display(), work.display());
        let options = format!("lowerdir={path},upperdir={upper},workdir={work}");
        mount_with(&["-t", "overlay", "-o", &options, "overlay", path]);
        Self(path)
    }
}

fn mount_with(args: &[&str]) {
    let status = Command::new("mount").args(args).status();
    assert!(status.expect("mount starts").success(), "mount {args:?}");
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let status = Command::new("umount").args(["-l", self.0]).status();
        assert!(status.expect("umount starts").success(), "{}", self.0);
    }
}

/// All cases at once, each in a container of its own, `c0` and so on.
#[test]
fn of_each_container_the_one_thing_that_is_wrong_is_found() {
    let node = node();
    let _shared = Mounted::memory(SHARED);
    mount_with(&["--make-shared", SHARED]);
    node.load_image(&[MOVING], &["/bin/sh"]);
    node.load_image(&[NEWEST], &["/bin/sh", "newest"]);
    let mut ward = Ward::new(&node);
    let pod = ward.sandbox("one-thing", |config| {
        // A privileged container needs a pod that may have one.
        let linux = config.linux.get_or_insert_default();
        linux.security_context.get_or_insert_default().privileged = true;
    });
    for (nth, case) in CONTAINERS.iter().enumerate() {
        ward.container(&pod, &format!("c{nth}"), |config| {
            hold(config);
            (case.make)(&node, config);
        });
    }
    ward.container(&pod, "nothing", hold);
    // The tag leads elsewhere now.
    node.load_image(&[MOVING], &["/bin/true"]);
    let expected = [
        "--registry",
        "registry.critui.test",
        "--registry",
        "critui.test",
    ];
    let report = Report::of(&node, &expected);
    let clean = found(&node, &report, "nothing");
    assert_eq!(clean, BTreeSet::new());
    for (nth, case) in CONTAINERS.iter().enumerate() {
        let name = format!("c{nth}");
        let mut own = found(&node, &report, &name);
        if only_tags(&node) && ["image-unqualified", "image-registry"].contains(&case.check) {
            continue;
        }
        // `app:1` names no registry, and so none that is expected.
        if case.check == "image-unqualified" {
            own.remove("image-registry");
        }
        let mut all: BTreeSet<&str> = case.with.iter().copied().collect();
        all.insert(case.check);
        if only_tags(&node) && case.check != "image-tag" {
            all.remove("image-tag");
        }
        assert_eq!(own, all, "{} ({name})", case.check);
        let subject = format!("one-thing/{name}");
        let how_bad: Vec<&str> = report
            .all(case.check, &subject)
            .map(|one| one.severity.as_str())
            .collect();
        assert_eq!(how_bad, [case.severity], "{} ({name})", case.check);
    }
    drop(ward);
    for name in [MOVING, NEWEST] {
        node.cri.remove_image(name);
    }
}

/// What is found of a container. Where only tags are told, all have one.
fn found<'a>(node: &Node, report: &'a Report, name: &str) -> BTreeSet<&'a str> {
    let mut own = report.of_subject(&format!("one-thing/{name}"));
    let by_tag = CONTAINERS
        .iter()
        .enumerate()
        .any(|(nth, case)| case.check == "image-tag" && name == format!("c{nth}"));
    if only_tags(node) && !by_tag {
        own.remove("image-tag");
    }
    own
}

#[test]
fn of_each_pod_the_one_thing_that_is_wrong_is_found() {
    let node = node();
    let mut ward = Ward::new(&node);
    for (check, _, make) in PODS {
        ward.sandbox(check, make);
    }
    ward.sandbox("nothing", |_| ());
    let report = Report::of(&node, &[]);
    assert_eq!(report.of_subject("nothing/"), BTreeSet::new());
    for (check, severity, _) in PODS {
        let name = format!("{check}/");
        assert_eq!(report.of_subject(&name), BTreeSet::from([check]));
        let one = report.all(check, &name).next().expect("it is found");
        assert_eq!(one.severity, severity, "{check}");
    }
    let pods = report.json["pods"].as_array().expect("a list");
    let level = |name: &str| {
        let own = pods.iter().find(|pod| pod["pod"] == name);
        own.expect("its level")["level"].clone()
    };
    assert_eq!(level("host-pid"), "privileged");
    // A pod without containers has nothing that keeps it from the highest.
    assert_eq!(level("unmanaged"), "restricted");
}

/// No module of this kernel holds a container, so that all are found once the list says that one is
/// on. The list is not the kernel's.
#[test]
fn what_no_module_holds_is_found_where_the_kernel_says_that_one_is_on() {
    let node = node();
    let mut ward = Ward::new(&node);
    let pod = ward.sandbox("modules", |_| ());
    ward.container(&pod, "app", hold);
    let _list = Mounted::memory("/sys/kernel/security");
    let list = "/sys/kernel/security/lsm";
    std::fs::write(list, "capability,apparmor,selinux").expect("a list");
    let report = Report::of(&node, &[]);
    let own = report.of_subject("modules/app");
    for check in ["apparmor-unconfined", "selinux-unconfined"] {
        assert!(own.contains(check), "{own:?}");
    }
}
