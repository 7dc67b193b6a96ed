//! What the full status of a container adds.

mod limits;

use super::words::{command_line, first};
use crate::theme::Role;
use crate::tree::Tree;
use crate::widgets::page::Doc;

use limits::{resources, runtime, security};

/// Variables and mounts shown at most; the tree has all.
const SHOWN: usize = 60;

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
