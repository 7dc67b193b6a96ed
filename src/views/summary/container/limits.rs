//! What a container may use, and what it may do.

use super::super::words::{cpus, number, quantity, user};
use crate::domain::security::USUAL;
use crate::format::bytes;
use crate::theme::Role;
use crate::tree::Tree;
use crate::widgets::page::Doc;

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

pub(super) fn resources(tree: &Tree, doc: &mut Doc) {
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
    super::super::pod::cgroup(tree, doc);
}

pub(super) fn security(tree: &Tree, doc: &mut Doc) {
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

pub(super) fn runtime(tree: &Tree, doc: &mut Doc) {
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
