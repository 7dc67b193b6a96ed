//! What the full status of an image adds.

use super::words::command_line;
use crate::theme::Role;
use crate::tree::{Key, Tree};
use crate::widgets::page::Doc;

/// Steps of the history shown at most.
const STEPS: usize = 60;

/// The sections.
pub fn sections(tree: &Tree, doc: &mut Doc) {
    let Some(_) = tree.find(&["info", "imageSpec"]) else {
        doc.text("This runtime tells no more of an image.", Role::Dim);
        return;
    };
    config(tree, doc);
    layers(tree, doc);
}

fn names(tree: &Tree, path: &[&str]) -> Vec<String> {
    let of = |at: usize| match &tree.nodes()[at].key {
        Key::Name(name) => Some(name.to_string()),
        _ => None,
    };
    let at = tree.find(path);
    at.into_iter()
        .flat_map(|at| tree.children(at))
        .filter_map(of)
        .collect()
}

fn config(tree: &Tree, doc: &mut Doc) {
    doc.title("Configuration");
    let config = |name| ["info", "imageSpec", "config", name];
    doc.maybe("built", tree.text(&["info", "imageSpec", "created"]));
    let platform = ["os", "architecture", "variant"];
    let platform = platform.map(|name| tree.text(&["info", "imageSpec", name]).unwrap_or(""));
    doc.fact("platform", platform.join(" ").trim().to_owned());
    for (name, what) in [("Entrypoint", "entrypoint"), ("Cmd", "command")] {
        let args = tree.texts(&config(name));
        if !args.is_empty() {
            doc.fact(what, command_line(&args));
        }
    }
    doc.maybe("in", tree.text(&config("WorkingDir")));
    doc.fact(
        "user",
        tree.text(&config("User"))
            .unwrap_or("root, unless the pod says otherwise"),
    );
    for (name, what) in [("ExposedPorts", "ports"), ("Volumes", "volumes")] {
        let all = names(tree, &config(name));
        doc.maybe(what, Some(all.join(", ")).filter(|all| !all.is_empty()));
    }
    doc.maybe("stop signal", tree.text(&config("StopSignal")));
    let env = tree.texts(&config("Env"));
    if !env.is_empty() {
        doc.title(format!("Environment ({})", env.len()));
    }
    for entry in env {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        doc.fact(name, value);
    }
    let labels = tree.find(&config("Labels"));
    for (nth, at) in labels
        .into_iter()
        .flat_map(|at| tree.children(at))
        .enumerate()
    {
        if nth == 0 {
            doc.title("Labels");
        }
        if let (Key::Name(name), Some(value)) = (&tree.nodes()[at].key, tree.shown(at)) {
            doc.text(format!("{name}={value}"), Role::Text);
        }
    }
}

fn layers(tree: &Tree, doc: &mut Doc) {
    let layers = tree.texts(&["info", "imageSpec", "rootfs", "diff_ids"]);
    doc.title(format!("Layers ({})", layers.len()));
    doc.text("The CRI does not tell the size of a layer.", Role::Dim);
    for layer in &layers {
        doc.text(*layer, Role::Text);
    }
    let Some(history) = tree.find(&["info", "imageSpec", "history"]) else {
        return;
    };
    let steps: Vec<usize> = tree.children(history).collect();
    doc.title(format!("History ({}), the oldest first", steps.len()));
    for at in steps.iter().take(STEPS) {
        let text = |name| tree.child(*at, name).and_then(|at| tree.shown(at));
        let empty = text("empty_layer") == Some("true");
        let by = text("created_by")
            .or_else(|| text("comment"))
            .unwrap_or("not told");
        let by = by.trim_start_matches("/bin/sh -c #(nop) ").trim_start();
        let role = if empty { Role::Dim } else { Role::Text };
        doc.fact_as(if empty { "no layer" } else { "layer" }, by, role);
    }
    if steps.len() > STEPS {
        doc.text(
            format!("and {} more (y shows all)", steps.len() - STEPS),
            Role::Dim,
        );
    }
}
