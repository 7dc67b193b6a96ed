//! What the full status of a pod adds.

use super::words::{cpus, first, number, quantity};
use crate::theme::Role;
use crate::tree::Tree;
use crate::widgets::page::Doc;

/// The sections.
pub fn sections(tree: &Tree, doc: &mut Doc) {
    network(tree, doc);
    resources(tree, doc);
    security(tree, doc);
    doc.title("On the node");
    let pid = number(tree, &["info", "pid"]).filter(|pid| *pid > 0);
    doc.maybe("pause process", pid.map(|pid| pid.to_string()));
    doc.maybe("logs", tree.text(&["info", "config", "log_directory"]));
    doc.maybe("pause image", tree.text(&["info", "image"]));
    doc.maybe("runtime", tree.text(&["info", "runtimeType"]));
}

fn network(tree: &Tree, doc: &mut Doc) {
    doc.title("Network");
    let hostname = first(
        tree,
        &[
            &["info", "config", "hostname"],
            &["info", "runtimeSpec", "hostname"],
        ],
    );
    doc.maybe("host name", hostname);
    if let Some(interfaces) = tree.find(&["info", "cniResult", "Interfaces"]) {
        for at in tree.children(interfaces) {
            interface(tree, at, doc);
        }
    }
    let servers = tree.texts(&["info", "config", "dns_config", "servers"]);
    if !servers.is_empty() {
        doc.fact("DNS", servers.join(", "));
    }
    let searches = tree.texts(&["info", "config", "dns_config", "searches"]);
    if !searches.is_empty() {
        doc.fact("DNS searches", searches.join(" "));
    }
    ports(tree, doc);
    namespace(tree, doc);
    if tree.text(&["info", "netNamespaceClosed"]) == Some("true") {
        doc.fact_as("namespace", "closed", Role::Dim);
    }
}

/// One interface with its addresses; what has none is the node's end of the cable.
fn interface(tree: &Tree, at: usize, doc: &mut Doc) {
    let crate::tree::Key::Name(name) = &tree.nodes()[at].key else {
        return;
    };
    let Some(list) = tree.child(at, "IPConfigs").filter(|_| name != "lo") else {
        return;
    };
    let text = |at, name| tree.child(at, name).and_then(|at| tree.shown(at));
    let configured = tree.children(list).filter_map(|at| {
        let via = text(at, "Gateway").filter(|via| !via.is_empty());
        let via = via.map_or_else(String::new, |via| format!(" via {via}"));
        Some(format!("{}{via}", text(at, "IP")?))
    });
    let addresses: Vec<String> = configured.collect();
    if !addresses.is_empty() {
        let mac = text(at, "Mac").map_or_else(String::new, |mac| format!(", MAC {mac}"));
        doc.fact(name.as_str(), format!("{}{mac}", addresses.join(", ")));
    }
}

fn ports(tree: &Tree, doc: &mut Doc) {
    let Some(list) = tree.find(&["info", "config", "port_mappings"]) else {
        return;
    };
    let text = |at, name| tree.child(at, name).and_then(|at| tree.shown(at));
    let mapped = tree.children(list).filter_map(|at| {
        let host = text(at, "host_port").filter(|port| *port != "0")?;
        Some(format!(
            "the node's {host} to {}",
            text(at, "container_port")?
        ))
    });
    let mapped: Vec<String> = mapped.collect();
    if !mapped.is_empty() {
        doc.fact("host ports", mapped.join(", "));
    }
}

/// The file of the network namespace.
pub fn namespace(tree: &Tree, doc: &mut Doc) {
    let path = ["info", "runtimeSpec", "linux", "namespaces"];
    let Some(list) = tree.find(&path) else { return };
    let text = |at, name| tree.child(at, name).and_then(|at| tree.shown(at));
    let network = tree
        .children(list)
        .find(|at| text(*at, "type") == Some("network"));
    match network {
        None => doc.fact_as("namespace", "the node's own", Role::Warn),
        Some(at) => doc.maybe(
            "namespace",
            text(at, "path").filter(|path| !path.is_empty()),
        ),
    };
}

/// The class of service and the control group.
pub fn cgroup(tree: &Tree, doc: &mut Doc) {
    let path = first(
        tree,
        &[
            &["info", "config", "linux", "cgroup_parent"],
            &["info", "runtimeSpec", "linux", "cgroupsPath"],
        ],
    );
    let Some(path) = path else { return };
    let class = ["besteffort", "burstable"]
        .into_iter()
        .find(|class| path.contains(class));
    let class = class.or_else(|| path.contains("kubepods").then_some("guaranteed"));
    doc.maybe("QoS", class);
    doc.fact("cgroup", path);
}

fn resources(tree: &Tree, doc: &mut Doc) {
    doc.title("Resources");
    let of = |name| number(tree, &["info", "config", "linux", "resources", name]);
    if let Some(quota) = of("cpu_quota").filter(|quota| *quota > 0) {
        doc.fact(
            "CPU limit",
            cpus(quota, of("cpu_period").unwrap_or(100_000)),
        );
    }
    if let Some(shares) = of("cpu_shares") {
        doc.fact(
            "CPU request",
            format!("about {} (shares {shares})", cpus(shares, 1024)),
        );
    }
    doc.maybe("memory limit", of("memory_limit_in_bytes").map(quantity));
    cgroup(tree, doc);
}

fn security(tree: &Tree, doc: &mut Doc) {
    doc.title("Security");
    let options = ["status", "linux", "namespaces", "options"];
    if let Some(at) = tree.find(&options) {
        for (name, what) in [("network", "network"), ("pid", "processes"), ("ipc", "IPC")] {
            let mode = tree.child(at, name).and_then(|at| tree.shown(at));
            let (words, role) = match mode {
                Some("NODE") => ("the node's", Role::Warn),
                Some("POD") => ("shared within the pod", Role::Text),
                Some("CONTAINER") => ("each container its own", Role::Text),
                Some("TARGET") => ("those of another container", Role::Text),
                _ => continue,
            };
            doc.fact_as(what, words, role);
        }
    }
    let sysctls = tree.find(&["info", "config", "linux", "sysctls"]);
    for at in sysctls.into_iter().flat_map(|at| tree.children(at)) {
        if let (crate::tree::Key::Name(name), Some(value)) = (&tree.nodes()[at].key, tree.shown(at))
        {
            doc.fact(name.as_str(), value);
        }
    }
    let privileged = ["info", "config", "linux", "security_context", "privileged"];
    let crio = [
        "info",
        "runtimeSpec",
        "annotations",
        "io.kubernetes.cri-o.PrivilegedRuntime",
    ];
    if first(tree, &[&privileged, &crio]) == Some("true") {
        doc.fact_as("privileged", "its containers may be", Role::Warn);
    }
}
