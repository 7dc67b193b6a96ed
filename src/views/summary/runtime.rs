//! The runtime: who it is, how it is, how it is set up.

use super::words::{first, number, quantity};
use crate::model::inspect::About;
use crate::theme::Role;
use crate::tree::{Key, Tree};
use crate::views::Cx;
use crate::widgets::page::Doc;

/// The page.
pub fn page(cx: &Cx) -> Doc {
    let mut doc = Doc::default();
    match cx.model.inspections.of(&About::Runtime) {
        None => {
            doc.text("asking the runtime", Role::Dim);
        }
        Some(Err(why)) => {
            doc.fact_as("not told", why.as_str(), Role::Bad);
        }
        Some(Ok(tree)) => sections(tree, &mut doc),
    }
    doc
}

fn sections(tree: &Tree, doc: &mut Doc) {
    doc.title("Version");
    for (name, what) in [
        ("runtimeName", "runtime"),
        ("runtimeVersion", "version"),
        ("runtimeApiVersion", "CRI"),
    ] {
        doc.maybe(what, tree.text(&["version", name]));
    }
    doc.maybe("built with", tree.text(&["info", "golang"]));
    doc.title("Conditions");
    let text = |at, name| {
        tree.child(at, name)
            .and_then(|at| tree.shown(at))
            .unwrap_or("")
    };
    let conditions = tree.find(&["status", "conditions"]);
    for at in conditions.into_iter().flat_map(|at| tree.children(at)) {
        let holds = text(at, "status") == "true";
        // Warnings about what is to go are no outage.
        let matters = text(at, "type").ends_with("Ready");
        let role = match (holds, matters) {
            (true, _) => Role::Good,
            (false, true) => Role::Bad,
            (false, false) => Role::Warn,
        };
        let words = [
            if holds { "yes" } else { "no" },
            text(at, "reason"),
            text(at, "message"),
        ];
        doc.fact_as(text(at, "type"), words.join(" ").trim().to_owned(), role);
    }
    network(tree, doc);
    configuration(tree, doc);
    file_systems(tree, doc);
    if let Some(metrics) = tree.find(&["metrics"]) {
        doc.title("Metrics");
        doc.fact("sets described", tree.children(metrics).count().to_string());
    }
    doc.text("", Role::Dim)
        .text("y shows everything that it tells.", Role::Dim);
}

fn network(tree: &Tree, doc: &mut Doc) {
    doc.title("Network");
    doc.maybe("last load", tree.text(&["info", "lastCNILoadStatus"]));
    doc.maybe(
        "configuration",
        tree.text(&["info", "cniconfig", "PluginConfDir"]),
    );
    let folders = tree.texts(&["info", "cniconfig", "PluginDirs"]);
    doc.maybe(
        "plugins",
        Some(folders.join(", ")).filter(|all| !all.is_empty()),
    );
    let networks = tree.find(&["info", "cniconfig", "Networks"]);
    for at in networks.into_iter().flat_map(|at| tree.children(at)) {
        let name = tree
            .child(at, "Config")
            .and_then(|at| tree.child(at, "Name"));
        let interface = tree.child(at, "IFName").and_then(|at| tree.shown(at));
        if let Some(name) = name.and_then(|at| tree.shown(at)) {
            doc.fact(interface.unwrap_or("interface"), name);
        }
    }
}

fn configuration(tree: &Tree, doc: &mut Doc) {
    doc.title("Configuration");
    let config = |name| ["info", "config", name];
    let pause = first(
        tree,
        &[
            &config("sandboxImage"),
            &["info", "config", "pinnedImages", "sandbox"],
        ],
    );
    doc.maybe("pause image", pause);
    doc.maybe(
        "cgroup driver",
        tree.text(&["runtimeConfig", "cgroupDriver"]),
    );
    let default = first(
        tree,
        &[
            &["info", "config", "containerd", "defaultRuntimeName"],
            &["info", "config", "crio", "DefaultRuntime"],
        ],
    );
    doc.maybe("default handler", default);
    let handlers = tree
        .find(&["runtimeHandlers"])
        .into_iter()
        .flat_map(|at| tree.children(at));
    let handlers: Vec<&str> = handlers
        .filter_map(|at| tree.shown(tree.child(at, "name")?))
        .filter(|name| !name.is_empty())
        .collect();
    doc.maybe(
        "other handlers",
        Some(handlers.join(", ")).filter(|all| !all.is_empty()),
    );
    for (path, what) in [
        (&["info", "config", "containerdRootDir"][..], "data"),
        (&["info", "config", "crio", "Root"], "data"),
        (&["info", "config", "stateDir"], "state"),
        (&["info", "config", "crio", "RunRoot"], "state"),
        (&["info", "config", "snapshotter"], "snapshotter"),
    ] {
        doc.maybe(what, tree.text(path));
    }
    if let Some(length) = number(tree, &config("maxContainerLogLineSize")) {
        doc.fact("longest log line", quantity(length));
    }
}

fn file_systems(tree: &Tree, doc: &mut Doc) {
    let Some(all) = tree.find(&["imageFilesystems"]) else {
        return;
    };
    for group in tree.children(all) {
        let Key::Name(name) = &tree.nodes()[group].key else {
            continue;
        };
        for at in tree.children(group) {
            let within = |path: [&str; 2]| {
                let at = tree.child(at, path[0])?;
                tree.shown(tree.child(at, path[1])?)
            };
            doc.title(if name == "imageFilesystems" {
                "Images on disk"
            } else {
                "Containers on disk"
            });
            doc.maybe("in", within(["fsId", "mountpoint"]));
            let used = within(["usedBytes", "value"]).and_then(|text| text.parse().ok());
            doc.maybe("used", used.map(quantity));
            doc.maybe("inodes", within(["inodesUsed", "value"]));
        }
    }
}
