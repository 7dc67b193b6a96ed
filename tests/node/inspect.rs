//! `critui inspect` against what the runtime itself answers.

use serde_json::Value;

use crate::harness::node;
use crate::snapshot::critui;

/// A number or text of JSON as it is shown.
fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// All facts of a summary in one text, without the breaks of long lines.
fn summary(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same text without any space: ids and paths are broken wherever a line ends.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn the_summary_of_each_container_is_what_the_runtime_says() {
    let node = node();
    for container in node.cri.containers() {
        let status = node.cri.container_status_verbose(&container.id);
        let info: Value = serde_json::from_str(&status.info["info"]).expect("JSON");
        let told = critui(&node, &["inspect", "container", &container.id]);
        let status = status.status.expect("a status");
        let facts = dense(&told);
        let has = |what: &str, text: &str| {
            assert!(facts.contains(&dense(text)), "{what} {text:?} in {told}");
        };
        has("id", &status.id);
        has("log", &status.log_path);
        has("digest", &status.image_ref);
        for arg in info["runtimeSpec"]["process"]["args"]
            .as_array()
            .expect("args")
        {
            // Quotes are the summary's own.
            let arg = shown(arg).replace('\'', "'\\''");
            has("argument", &arg);
        }
        for mount in &status.mounts {
            let how = if mount.readonly { "(ro" } else { "(rw" };
            has("mount", &format!("{} {how}", mount.container_path));
        }
        for entry in info["config"]["envs"].as_array().into_iter().flatten() {
            has("variable", &shown(&entry["key"]));
        }
        let resources = status.resources.and_then(|resources| resources.linux);
        if let Some(limit) = resources
            .map(|linux| linux.memory_limit_in_bytes)
            .filter(|n| *n > 0)
        {
            has("memory limit", &format!("({limit} bytes)"));
        }
        has(
            "cgroup",
            &shown(&info["runtimeSpec"]["linux"]["cgroupsPath"]),
        );
        let privileged = info["config"]["linux"]["security_context"]["privileged"] == true;
        let words = summary(&told);
        let expected = if privileged {
            "privileged yes"
        } else {
            "privileged no"
        };
        assert!(words.contains(expected), "{told}");
        if let (true, Some(pid)) = (info["pid"] != 0, info["pid"].as_u64()) {
            assert!(words.contains(&format!("process {pid}")), "{pid} in {told}");
        }
    }
}

/// Everything that the runtime's verbose answer holds is in the tree, but for what is masked.
#[test]
fn the_tree_is_the_whole_answer() {
    let node = node();
    let container = node
        .cri
        .containers()
        .into_iter()
        .next()
        .expect("a container");
    let status = node.cri.container_status_verbose(&container.id);
    let info: Value = serde_json::from_str(&status.info["info"]).expect("JSON");
    let told = critui(
        &node,
        &["inspect", "container", &container.id, "-o", "json"],
    );
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let mut missing = Vec::new();
    compare("info", &info, &told["info"], &mut missing);
    assert_eq!(missing, Vec::<String>::new());
    assert_eq!(told["status"]["id"], container.id);
    let yaml = critui(
        &node,
        &["inspect", "container", &container.id, "-o", "yaml"],
    );
    let yaml: Value = serde_yaml::from_str(&yaml).expect("YAML");
    assert_eq!(yaml["info"]["config"], told["info"]["config"]);
}

fn compare(path: &str, expected: &Value, found: &Value, missing: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(map), Value::Object(_)) => {
            for (name, value) in map {
                compare(&format!("{path}.{name}"), value, &found[name], missing);
            }
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            for (item, other) in items.iter().zip(others) {
                compare(&format!("{path}[]"), item, other, missing);
            }
        }
        // JSON in a text is parsed, what is unsafe to show is escaped.
        (Value::String(text), other) => {
            let nested = serde_json::from_str::<Value>(text).ok();
            let same = other == expected
                || nested.as_ref() == Some(other)
                || other.as_str().is_some_and(|other| {
                    other.contains("<masked>") || text.contains(['\n', '\t', '\u{1b}', '\u{202e}'])
                });
            if !same {
                missing.push(format!("{path}: {expected} is {other}"));
            }
        }
        _ if expected == found => {}
        _ => missing.push(format!("{path}: {expected} is {found}")),
    }
}

#[test]
fn pods_images_and_the_runtime() {
    let node = node();
    for pod in node.cri.sandboxes() {
        let status = node.cri.sandbox_status(&pod.id);
        let told = critui(&node, &["inspect", "pod", &pod.id]);
        let facts = dense(&told);
        assert!(facts.contains(&status.id), "{told}");
        let ip = status.network.unwrap_or_default().ip;
        assert!(facts.contains(&ip), "{ip} in {told}");
    }
    for image in node.cri.images() {
        let told = critui(&node, &["inspect", "image", &image.id]);
        assert!(
            dense(&told).contains(&format!("({}bytes)", image.size)),
            "{told}"
        );
        assert!(told.contains("Layers ("), "{told}");
    }
    let told = critui(&node, &["inspect", "runtime"]);
    let version = node.cri.version();
    for text in [
        version.runtime_name,
        version.runtime_version,
        "RuntimeReady".into(),
    ] {
        assert!(told.contains(&text), "{text} in {told}");
    }
}
