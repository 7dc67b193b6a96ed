//! What the full status of a container adds.

use super::words::{command_line, cpus, first, number, quantity, user};
use crate::format::bytes;
use crate::theme::Role;
use crate::tree::Tree;
use crate::widgets::page::Doc;

/// Variables and mounts shown at most; the tree has all.
const SHOWN: usize = 60;
/// Capabilities that containerd and CRI-O give to every container.
const USUAL: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The sections.
pub fn sections(tree: &Tree, doc: &mut Doc) {
    image(tree, doc);
    command(tree, doc);
    environment(tree, doc);
    mounts(tree, doc);
    network(tree, doc);
    resources(tree, doc);
    security(tree, doc);
    runtime(tree, doc);
}

fn image(tree: &Tree, doc: &mut Doc) {
    let asked = first(
        tree,
        &[
            &["info", "config", "image", "user_specified_image"],
            &[
                "info",
                "runtimeSpec",
                "annotations",
                "io.kubernetes.cri.image-name",
            ],
            &[
                "info",
                "runtimeSpec",
                "annotations",
                "io.kubernetes.cri-o.ImageName",
            ],
        ],
    );
    let digest = first(
        tree,
        &[
            &["status", "imageRef"],
            &[
                "info",
                "runtimeSpec",
                "annotations",
                "io.kubernetes.cri-o.ImageRepoDigests",
            ],
        ],
    );
    if asked.is_some() || digest.is_some() {
        doc.title("Image as asked for");
        doc.maybe("name", asked).maybe("digest", digest);
    }
}

fn command(tree: &Tree, doc: &mut Doc) {
    let mut args = tree.texts(&["info", "runtimeSpec", "process", "args"]);
    if args.is_empty() {
        args = tree.texts(&["info", "config", "command"]);
        args.extend(tree.texts(&["info", "config", "args"]));
    }
    doc.title("Command");
    if args.is_empty() {
        doc.text("not told by this runtime", Role::Dim);
        return;
    }
    doc.fact("runs", command_line(&args));
    doc.maybe("in", tree.text(&["info", "runtimeSpec", "process", "cwd"]));
    let yes = |path: &[&str]| tree.text(path) == Some("true");
    let tty =
        yes(&["info", "config", "tty"]) || yes(&["info", "runtimeSpec", "process", "terminal"]);
    if tty {
        doc.fact("terminal", "yes");
    }
    if yes(&["info", "config", "stdin"]) {
        doc.fact("standard input", "open");
    }
    doc.maybe("stop signal", tree.text(&["status", "stopSignal"]));
}

/// What the kubelet adds for each service of the namespace.
fn of_a_service(name: &str) -> bool {
    let ends = [
        "_SERVICE_HOST",
        "_SERVICE_PORT",
        "_PORT",
        "_ADDR",
        "_PROTO",
        "_TCP",
        "_UDP",
    ];
    name.starts_with("KUBERNETES_")
        || name.contains("_SERVICE_PORT_")
        || (ends.iter().any(|end| name.ends_with(end))
            && (name.contains("_SERVICE_") || name.contains("_PORT_")))
}

fn environment(tree: &Tree, doc: &mut Doc) {
    let entries = tree.texts(&["info", "runtimeSpec", "process", "env"]);
    let mut pairs: Vec<(&str, &str)> = entries
        .iter()
        .map(|entry| entry.split_once('=').unwrap_or((entry, "")))
        .collect();
    if let (true, Some(list)) = (pairs.is_empty(), tree.find(&["info", "config", "envs"])) {
        let text = |at, name| tree.child(at, name).and_then(|at| tree.shown(at));
        pairs = tree
            .children(list)
            .map(|at| {
                (
                    text(at, "key").unwrap_or(""),
                    text(at, "value").unwrap_or(""),
                )
            })
            .collect();
    }
    if pairs.is_empty() {
        return;
    }
    let (services, own): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|(name, _)| of_a_service(name));
    doc.title(format!("Environment ({})", own.len()));
    for (name, value) in own.iter().take(SHOWN) {
        let masked = value.contains(crate::mask::MASK);
        doc.fact_as(*name, *value, if masked { Role::Dim } else { Role::Text });
    }
    let more = own.len().saturating_sub(SHOWN);
    let left = [
        (more, "more"),
        (services.len(), "of services (y shows all)"),
    ];
    for (count, what) in left.iter().filter(|(count, _)| *count > 0) {
        doc.text(format!("and {count} {what}"), Role::Dim);
    }
}

/// What a mount is, by where it comes from: the kubelet's folders say it.
fn kind(path: &str) -> (&'static str, &str) {
    const VOLUMES: [(&str, &str); 9] = [
        ("/kubernetes.io~configmap/", "config map"),
        ("/kubernetes.io~secret/", "secret"),
        ("/kubernetes.io~projected/", "projected"),
        ("/kubernetes.io~empty-dir/", "empty dir"),
        ("/kubernetes.io~downward-api/", "downward API"),
        ("/kubernetes.io~csi/", "CSI volume"),
        ("/kubernetes.io~nfs/", "NFS"),
        ("/kubernetes.io~local-volume/", "local volume"),
        ("/kubernetes.io~", "volume"),
    ];
    for (part, kind) in VOLUMES {
        if let Some((_, name)) = path.split_once(part) {
            return (kind, name.trim_end_matches("/mount"));
        }
    }
    if path.contains("/volume-subpaths/") {
        return ("part of a volume", path);
    }
    if path.contains("/pods/") && path.ends_with("/etc-hosts") {
        return ("hosts file", "the kubelet");
    }
    let in_pod = path.split_once("/pods/").map_or("", |(_, rest)| rest);
    if in_pod.split('/').nth(1) == Some("containers") {
        return ("ending message", "the kubelet");
    }
    ("host path", path)
}

fn mounts(tree: &Tree, doc: &mut Doc) {
    let Some(list) = tree.find(&["status", "mounts"]) else {
        return;
    };
    let items: Vec<usize> = tree.children(list).collect();
    doc.title(format!("Mounts ({})", items.len()));
    if items.is_empty() {
        doc.text("none", Role::Dim);
    }
    for at in items.into_iter().take(SHOWN) {
        let text = |name| {
            tree.child(at, name)
                .and_then(|at| tree.shown(at))
                .unwrap_or("")
        };
        let read_only = text("readonly") == "true";
        let source = text("hostPath");
        let (kind, from) = kind(source);
        let mut how = if read_only { "ro" } else { "rw" }.to_owned();
        if text("recursiveReadOnly") == "true" {
            how.push_str(" with all below");
        }
        match text("propagation") {
            "PROPAGATION_HOST_TO_CONTAINER" => how.push_str(", sees the host's mounts"),
            "PROPAGATION_BIDIRECTIONAL" => how.push_str(", shares mounts both ways"),
            _ => {}
        }
        let image = tree
            .child(at, "image")
            .and_then(|at| tree.child(at, "image"));
        let image = image
            .and_then(|at| tree.shown(at))
            .filter(|_| source.is_empty());
        let (kind, from) = image.map_or((kind, from), |image| ("image", image));
        let role = if kind == "host path" && !read_only {
            Role::Warn
        } else {
            Role::Text
        };
        doc.fact_as(
            kind,
            format!("{} ({how}) from {from}", text("containerPath")),
            role,
        );
    }
}

fn network(tree: &Tree, doc: &mut Doc) {
    doc.title("Network");
    let path = ["status", "annotations", "io.kubernetes.container.ports"];
    let ports = tree.find(&path).map_or_else(Vec::new, |list| {
        let port = |at| {
            let text = |name| tree.child(at, name).and_then(|at| tree.shown(at));
            let host = text("hostPort").filter(|port| *port != "0");
            let host = host.map_or_else(String::new, |port| format!(" as the node's {port}"));
            let name = text("name").map_or_else(String::new, |name| format!(" {name}"));
            let (port, kind) = (text("containerPort").unwrap_or("?"), text("protocol"));
            format!("{port}/{}{name}{host}", kind.unwrap_or("TCP"))
        };
        tree.children(list).map(port).collect()
    });
    if ports.is_empty() {
        doc.fact_as("ports", "none declared", Role::Dim);
    } else {
        doc.fact("ports", ports.join(", "));
    }
    let ip = [
        "info",
        "runtimeSpec",
        "annotations",
        "io.kubernetes.cri-o.IP.0",
    ];
    doc.maybe("ip", tree.text(&ip));
    super::pod::namespace(tree, doc);
}

/// A number of the status, else of the runtime's own specification.
fn limit(tree: &Tree, status: &str, spec: [&str; 2]) -> Option<i64> {
    let told = number(tree, &["status", "resources", "linux", status]);
    let spec = [
        "info",
        "runtimeSpec",
        "linux",
        "resources",
        spec[0],
        spec[1],
    ];
    told.or_else(|| number(tree, &spec))
}

fn resources(tree: &Tree, doc: &mut Doc) {
    doc.title("Resources and limits");
    let told = tree.find(&["status", "resources", "linux"]);
    if told
        .or_else(|| tree.find(&["info", "runtimeSpec"]))
        .is_none()
    {
        doc.text("not told by this runtime", Role::Dim);
        return;
    }
    let quota = limit(tree, "cpuQuota", ["cpu", "quota"]).filter(|quota| *quota > 0);
    let period = limit(tree, "cpuPeriod", ["cpu", "period"]).unwrap_or(100_000);
    match quota {
        Some(quota) => doc.fact("CPU limit", cpus(quota, period)),
        None => doc.fact_as("CPU limit", "none", Role::Dim),
    };
    if let Some(shares) = limit(tree, "cpuShares", ["cpu", "shares"]) {
        doc.fact(
            "CPU request",
            format!("about {} (shares {shares})", cpus(shares, 1024)),
        );
    }
    match limit(tree, "memoryLimitInBytes", ["memory", "limit"]) {
        Some(limit) => doc.fact("memory limit", quantity(limit)),
        None => doc.fact_as("memory limit", "none", Role::Dim),
    };
    let swap = limit(tree, "memorySwapLimitInBytes", ["memory", "swap"]);
    doc.maybe("with swap", swap.map(quantity));
    let pids = number(
        tree,
        &["info", "runtimeSpec", "linux", "resources", "pids", "limit"],
    );
    doc.maybe(
        "processes",
        pids.filter(|pids| *pids > 0).map(|pids| pids.to_string()),
    );
    let score = tree.text(&["info", "runtimeSpec", "process", "oomScoreAdj"]);
    let score = score.or_else(|| tree.text(&["status", "resources", "linux", "oomScoreAdj"]));
    doc.maybe("OOM score", score.map(str::to_owned));
    doc.maybe(
        "CPUs",
        tree.text(&["status", "resources", "linux", "cpusetCpus"]),
    );
    super::pod::cgroup(tree, doc);
}

fn security(tree: &Tree, doc: &mut Doc) {
    doc.title("Security");
    let has_spec = tree.find(&["info", "runtimeSpec"]).is_some();
    if !has_spec {
        doc.text("not told by this runtime", Role::Dim);
        doc.maybe("user", user(tree));
        return;
    }
    let yes = |path: &[&str]| tree.text(path) == Some("true");
    let privileged = yes(&["info", "privileged"])
        || yes(&["info", "config", "linux", "security_context", "privileged"]);
    if privileged {
        doc.fact_as(
            "privileged",
            "yes: it can do on the node what root can",
            Role::Bad,
        );
    } else {
        doc.fact("privileged", "no");
    }
    doc.maybe("user", user(tree));
    let root = yes(&["info", "runtimeSpec", "root", "readonly"]);
    doc.fact(
        "root file system",
        if root { "read-only" } else { "writable" },
    );
    if yes(&["info", "runtimeSpec", "process", "noNewPrivileges"]) {
        doc.fact("new privileges", "none");
    }
    capabilities(tree, doc);
    let profile = [
        "info",
        "config",
        "linux",
        "security_context",
        "seccomp",
        "profile_type",
    ];
    // Go leaves the zero out, which is the runtime's default.
    let profile = match tree.text(&profile) {
        Some("1") => Some("unconfined"),
        Some("2") => Some("a file of the node"),
        _ => tree.find(&profile[..5]).map(|_| "the runtime's default"),
    };
    let role = if profile == Some("unconfined") {
        Role::Warn
    } else {
        Role::Text
    };
    if let Some(profile) = profile {
        doc.fact_as("seccomp", profile, role);
    }
    doc.maybe(
        "AppArmor",
        tree.text(&["info", "runtimeSpec", "process", "apparmorProfile"]),
    );
    doc.maybe(
        "SELinux",
        tree.text(&["info", "runtimeSpec", "process", "selinuxLabel"]),
    );
    let masked = tree
        .texts(&["info", "runtimeSpec", "linux", "maskedPaths"])
        .len();
    if masked == 0 {
        doc.fact_as("/proc", "nothing of it is masked", Role::Warn);
    }
}

fn capabilities(tree: &Tree, doc: &mut Doc) {
    let path = ["info", "runtimeSpec", "process", "capabilities"];
    if tree.find(&path).is_none() {
        return;
    }
    let mut held: Vec<&str> = tree
        .texts(&[path[0], path[1], path[2], path[3], "bounding"])
        .into_iter()
        .map(|name| name.trim_start_matches("CAP_"))
        .collect();
    held.sort_unstable();
    let more: Vec<&str> = held
        .iter()
        .filter(|name| !USUAL.contains(name))
        .copied()
        .collect();
    let less: Vec<&str> = USUAL
        .iter()
        .filter(|name| !held.contains(name))
        .copied()
        .collect();
    let words = match (held.len(), more.len(), less.len()) {
        (0, ..) => "none".to_owned(),
        (_, 0, 0) => "the usual 14".to_owned(),
        (_, 1..=8, 0) => format!("the usual 14, and {}", more.join(", ")),
        (all, 9.., _) => format!("{all}, beyond the usual also {}", more.join(", ")),
        _ => held.join(", "),
    };
    let role = if more.is_empty() {
        Role::Text
    } else {
        Role::Warn
    };
    doc.fact_as("capabilities", words, role);
}

fn runtime(tree: &Tree, doc: &mut Doc) {
    doc.title("On the node");
    let pid = number(tree, &["info", "pid"]).filter(|pid| *pid > 0);
    let runs = tree.text(&["status", "state"]) == Some("CONTAINER_RUNNING");
    doc.maybe("process", pid.filter(|_| runs).map(|pid| pid.to_string()));
    doc.maybe("log", tree.text(&["status", "logPath"]));
    doc.maybe("runtime", tree.text(&["info", "runtimeType"]));
    let snapshot = [["info", "snapshotter"], ["info", "snapshotKey"]];
    let snapshot = snapshot
        .map(|path| tree.text(&path).unwrap_or(""))
        .join(" ");
    doc.maybe(
        "snapshot",
        Some(snapshot.trim()).filter(|text| !text.is_empty()),
    );
    let root = tree.text(&["info", "runtimeSpec", "root", "path"]);
    doc.maybe("root", root.filter(|path| path.starts_with('/')));
    let grace = [
        "status",
        "annotations",
        "io.kubernetes.pod.terminationGracePeriod",
    ];
    doc.maybe(
        "time to stop",
        tree.text(&grace).map(|seconds| format!("{seconds}s")),
    );
    let size = number(tree, &["status", "size"]).and_then(|size| u64::try_from(size).ok());
    doc.maybe("size", size.map(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "/var/lib/kubelet/pods/u/volumes/kubernetes.io~configmap/app",
        "config map",
        "app"
    )]
    #[case(
        "/var/lib/kubelet/pods/u/volumes/kubernetes.io~csi/pvc-1/mount",
        "CSI volume",
        "pvc-1"
    )]
    #[case(
        "/var/lib/kubelet/pods/u/volumes/example.com~x/y",
        "host path",
        "/var/lib/kubelet/pods/u/volumes/example.com~x/y"
    )]
    #[case("/var/lib/kubelet/pods/u/etc-hosts", "hosts file", "the kubelet")]
    #[case(
        "/var/lib/kubelet/pods/u/containers/app/f8",
        "ending message",
        "the kubelet"
    )]
    #[case("/etc/ssl", "host path", "/etc/ssl")]
    #[case("", "host path", "")]
    fn kinds_of_mounts(#[case] path: &str, #[case] expected: &str, #[case] from: &str) {
        assert_eq!(kind(path), (expected, from));
    }

    #[rstest]
    #[case("KUBERNETES_SERVICE_HOST", true)]
    #[case("WEB_SERVICE_PORT_HTTP", true)]
    #[case("WEB_PORT_80_TCP_ADDR", true)]
    #[case("PORT", false)]
    #[case("LISTEN_PORT", false)]
    #[case("PATH", false)]
    fn variables_of_services(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(of_a_service(name), expected);
    }
}
