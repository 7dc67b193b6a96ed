//! The runtime's configuration and the node's own files: all wrong in one audit, all right in
//! another.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::held::Mounted;
use super::{Report, SECRET, is_old};
use crate::harness::{Node, node};

/// What finds something, and the end of its id.
const RUNTIME: [(&str, &str); 6] = [
    ("streaming-server", ""),
    ("insecure-registry", ":insecure.test"),
    ("registry-credentials", ":secret.test"),
    ("runtime-seccomp-unconfined", ""),
    ("runtime-deprecation", ""),
    ("runtime-outdated", ""),
];
/// A file, how its mode is wrong, how it is right, and what finds that.
const FILES: [(&str, &str, u32, u32); 7] = [
    (
        "key-mode",
        "/etc/kubernetes/pki/apiserver.key",
        0o644,
        0o600,
    ),
    ("key-mode", "/var/lib/kubelet/pki/kubelet.key", 0o640, 0o600),
    (
        "kubeconfig-mode",
        "/etc/kubernetes/admin.conf",
        0o644,
        0o600,
    ),
    (
        "kubeconfig-mode",
        "/etc/kubernetes/kubelet.conf",
        0o604,
        0o600,
    ),
    (
        "manifest-mode",
        "/etc/kubernetes/manifests/etcd.yaml",
        0o644,
        0o600,
    ),
    (
        "kubelet-config-mode",
        "/var/lib/kubelet/config.yaml",
        0o644,
        0o600,
    ),
    ("etcd-mode", "/var/lib/etcd", 0o755, 0o700),
];
/// A file that somebody else owns.
const OWNED: &str = "/etc/kubernetes/scheduler.conf";

/// The checks that have a case here.
pub fn checks() -> impl Iterator<Item = &'static str> {
    let files = FILES.iter().map(|(check, ..)| *check);
    let more = ["file-owner", "socket-mode"].into_iter();
    let runtime = RUNTIME.iter().map(|(check, _)| *check);
    files.chain(more).chain(runtime)
}

/// A containerd of the test's own.
struct Beside(Node);

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.kill();
    }
}

/// `text` with all wrong in it that there is a check for.
fn worse(text: &str, old: bool) -> String {
    let registries = |table: &str| {
        format!(
            "\n[{table}.registry.configs.'insecure.test'.tls]\ninsecure_skip_verify = true\n\
             [{table}.registry.configs.'secret.test'.auth]\nusername = 'me'\npassword = '{SECRET}'\n"
        )
    };
    let (own, images) = if old {
        let cri = "plugins.\"io.containerd.grpc.v1.cri\"";
        (cri, cri)
    } else {
        (
            "plugins.'io.containerd.cri.v1.runtime'",
            "plugins.'io.containerd.cri.v1.images'",
        )
    };
    let settings = "disable_apparmor = true\nunset_seccomp_profile = \"unconfined\"\n";
    let text = text
        .replace(&format!("\n[{own}]\n"), &format!("\n[{own}]\n{settings}"))
        .replace(
            "stream_server_address = \"127.0.0.1\"",
            "stream_server_address = \"0.0.0.0\"",
        )
        .replace(
            "stream_server_address = '127.0.0.1'",
            "stream_server_address = '0.0.0.0'",
        );
    format!("{text}{}", registries(images))
}

/// What a version of containerd has, and tells.
fn is_told(node: &Node, check: &str) -> bool {
    match check {
        "streaming-server" | "insecure-registry" | "registry-credentials" => is_old(node),
        "runtime-outdated" => node.version.trim_start_matches('v').starts_with("1.6"),
        "runtime-deprecation" => !node.version.trim_start_matches('v').starts_with("1.6"),
        _ => true,
    }
}

#[test]
fn what_is_wrong_with_the_runtime_is_found() {
    let node = node();
    let old = is_old(&node);
    let well = Report::of(&node, &[]);
    for (check, end) in RUNTIME {
        let never = check == "runtime-outdated" || check == "runtime-deprecation";
        assert!(
            never || !well.has(&format!("{check}:runtime{end}")),
            "{check}"
        );
    }
    let bad = Beside(node.beside(|config| {
        let bad = worse(config, old);
        assert!(bad.contains("0.0.0.0") && bad.contains("disable_apparmor"));
        bad
    }));
    let _list = Mounted::memory("/sys/kernel/security");
    fs::write("/sys/kernel/security/lsm", "capability,apparmor").expect("a list");
    // Not all of this is told by every version.
    let report = Report::of(&bad.0, &["--fail-on", "info"]);
    assert!(report.has("runtime-apparmor-off:runtime"));
    for (check, end) in RUNTIME {
        let id = format!("{check}:runtime{end}");
        if is_told(&bad.0, check) {
            assert!(report.has(&id), "{id} is not found");
            continue;
        }
        assert!(!report.has(&id), "{id} cannot be known");
        // What is not told is not passed.
        let unknown = report.findings.iter();
        let unknown = unknown
            .filter(|one| !one.known && one.check == check)
            .count();
        let version = ["runtime-outdated", "runtime-deprecation"].contains(&check);
        assert_eq!(unknown, usize::from(!version), "{check}");
    }
}

/// Files of a control plane, gone afterwards.
struct Files {
    _etc: Mounted,
    made: Vec<PathBuf>,
}

impl Files {
    fn new(node: &Node) -> Self {
        let above = node.socket().with_file_name("etc");
        Self {
            _etc: Mounted::over("/etc", &above),
            made: vec![],
        }
    }

    fn write(&mut self, path: &str, mode: u32) {
        let path = Path::new(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        if path.ends_with("etcd") {
            fs::create_dir_all(path).expect("a folder");
        } else if !path.exists() {
            let text = if path.ends_with("config.yaml") {
                "kind: KubeletConfiguration\n"
            } else {
                SECRET
            };
            fs::write(path, text).expect("a file");
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
        self.made.push(path.to_owned());
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in &self.made {
            let _ = fs::remove_file(path);
            let _ = fs::remove_dir(path);
        }
    }
}

#[test]
fn who_may_read_and_write_the_nodes_own_files() {
    let node = node();
    let socket = node.socket();
    let own = format!("socket-mode:node:{}", socket.display());
    let owned = format!("file-owner:node:{OWNED}");
    let reach = |mode| {
        fs::set_permissions(&socket, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let mut files = Files::new(&node);
    for wrong in [true, false] {
        for (_, path, bad, good) in FILES {
            files.write(path, if wrong { bad } else { good });
        }
        files.write(OWNED, 0o600);
        let user = if wrong { 1000 } else { 0 };
        chown(OWNED, Some(user), None).expect("an owner");
        reach(if wrong { 0o666 } else { 0o660 });
        let report = Report::of(&node, &[]);
        for (check, path, ..) in FILES {
            let id = format!("{check}:node:{path}");
            assert_eq!(report.has(&id), wrong, "{id}");
        }
        assert_eq!(report.has(&owned), wrong, "{owned}");
        assert_eq!(report.has(&own), wrong, "{own}");
    }
}
