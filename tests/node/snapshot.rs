//! `critui snapshot` against what the runtime itself answers, field by field.

use std::collections::BTreeMap;
use std::process::Command;

use jiff::Timestamp;
use k8s_cri::v1 as cri;
use serde_json::{Value, json};

use crate::harness::{Node, node};
use crate::support::words::{NOT_READY, READY};
use crate::{CRITUI, image, pods};

/// Runs `critui ARGS` against the node; its standard output. Fails unless it succeeds in silence.
pub fn critui(node: &Node, args: &[&str]) -> String {
    let output = Command::new(CRITUI)
        .args(["-r", &node.endpoint()])
        .args(args)
        .env_remove("CRI_CONFIG_FILE")
        .env("HOME", "/nonexistent")
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    assert_eq!(stderr, "", "{args:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn snapshot(node: &Node) -> Value {
    let text = critui(node, &["snapshot", "-o", "json"]);
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// The items of a list by their id.
fn by_id(report: &Value, list: &str) -> BTreeMap<String, Value> {
    let items = report[list]
        .as_array()
        .unwrap_or_else(|| panic!("{list} is no list: {report}"));
    let index: BTreeMap<_, _> = items
        .iter()
        .map(|item| (item["id"].as_str().unwrap_or("").to_owned(), item.clone()))
        .collect();
    assert_eq!(index.len(), items.len(), "ids of {list} are not unique");
    index
}

/// A time as reports write it, in nanoseconds.
fn nanoseconds(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => {
            assert!(text.ends_with('Z'), "not UTC: {text}");
            let time: Timestamp = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            json!(i64::try_from(time.as_nanosecond()).expect("a time of this century"))
        }
        None => value.clone(),
    }
}

/// What a report shall say of a time: null for zero.
fn time(nanoseconds: i64) -> Value {
    if nanoseconds == 0 {
        Value::Null
    } else {
        json!(nanoseconds)
    }
}

/// What a report shall say of a text: null for none, and safe to show.
fn text(raw: &str) -> Value {
    if raw.is_empty() {
        Value::Null
    } else {
        json!(safe(raw))
    }
}

/// The tests' own idea of a safe text: only what the suite's pods hold.
fn safe(raw: &str) -> String {
    raw.replace('\u{1b}', "\\x1b")
        .replace('\u{202e}', "\\u{202e}")
        .replace(['\n', '\t'], " ")
}

fn labels(raw: &std::collections::HashMap<String, String>) -> Value {
    raw.iter()
        .map(|(key, value)| (safe(key), json!(safe(value))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Compares the fields that `expected` names; times by their value.
fn assert_fields(what: &str, found: &Value, expected: &Value) {
    for (field, expected) in expected.as_object().expect("fields") {
        let found = if field.ends_with("_at") {
            nanoseconds(&found[field])
        } else {
            found[field].clone()
        };
        assert_eq!(found, *expected, "{what}: {field}");
    }
    let extra: Vec<_> = found
        .as_object()
        .expect("an item")
        .keys()
        .filter(|key| expected.get(key.as_str()).is_none())
        .collect();
    assert_eq!(
        extra,
        Vec::<&String>::new(),
        "{what}: fields nobody asked for"
    );
}

#[test]
fn says_which_runtime_it_is() {
    let node = node();
    let report = snapshot(&node);
    let version = node.cri.version();
    let runtime = &report["runtime"];
    assert_eq!(runtime["name"], version.runtime_name);
    assert_eq!(runtime["version"], version.runtime_version);
    assert_eq!(runtime["api_version"], version.runtime_api_version);
    assert_eq!(runtime["endpoint"], node.endpoint());
    assert!(
        runtime["endpoint_source"]
            .as_str()
            .is_some_and(|source| source.contains("runtime-endpoint")),
        "{runtime}"
    );
}

#[test]
fn agrees_with_the_runtime_on_pods() {
    let node = node();
    let mut found = by_id(&snapshot(&node), "pods");
    for pod in node.cri.sandboxes() {
        let metadata = pod.metadata.clone().unwrap_or_default();
        let ready = pod.state() == cri::PodSandboxState::SandboxReady;
        let network = node.cri.sandbox_status(&pod.id).network.unwrap_or_default();
        let ips: Vec<_> = std::iter::once(network.ip)
            .chain(network.additional_ips.into_iter().map(|ip| ip.ip))
            .filter(|ip| !ip.is_empty())
            .collect();
        let expected = json!({
            "id": pod.id,
            "uid": metadata.uid,
            "name": metadata.name,
            "namespace": metadata.namespace,
            "attempt": metadata.attempt,
            "state": if ready { READY } else { NOT_READY },
            "created_at": time(pod.created_at),
            "ips": ips,
            "runtime_handler": text(&pod.runtime_handler),
            "labels": labels(&pod.labels),
        });
        let item = found.remove(&pod.id).unwrap_or_default();
        assert_fields(&metadata.name, &item, &expected);
    }
    assert_eq!(
        found,
        BTreeMap::new(),
        "pods that the runtime does not have"
    );
}

#[test]
fn agrees_with_the_runtime_on_containers() {
    let node = node();
    let mut found = by_id(&snapshot(&node), "containers");
    let sandboxes: BTreeMap<_, _> = node
        .cri
        .sandboxes()
        .into_iter()
        .map(|pod| (pod.id, pod.metadata.unwrap_or_default()))
        .collect();
    let images = node.cri.images();
    for container in node.cri.containers() {
        let status = node.cri.status(&container.id);
        let metadata = status.metadata.clone().unwrap_or_default();
        let pod = &sandboxes[&container.pod_sandbox_id];
        let what = format!("{}/{}", pod.name, metadata.name);
        let mut item = found.remove(&container.id).unwrap_or_default();
        // Any name of the image will do, and its id in any spelling.
        let own = images
            .iter()
            .find(|image| container.image_ref == image.id)
            .unwrap_or_else(|| panic!("{what}: no image {}", container.image_ref));
        take(&mut item, "image", |image| {
            own.repo_tags.iter().any(|tag| image == tag)
        });
        take(&mut item, "image_id", |id| own.id.ends_with(id));
        assert_fields(&what, &item, &expected_container(&container, &status, pod));
    }
    assert_eq!(
        found,
        BTreeMap::new(),
        "containers that the runtime does not have"
    );
}

/// Takes a field out of an item after a look at it.
fn take(item: &mut Value, field: &str, good: impl Fn(&str) -> bool) {
    let value = item
        .as_object_mut()
        .and_then(|item| item.remove(field))
        .unwrap_or_default();
    assert!(value.as_str().is_some_and(good), "{field}: {value}");
}

fn expected_container(
    container: &cri::Container,
    status: &cri::ContainerStatus,
    pod: &cri::PodSandboxMetadata,
) -> Value {
    let metadata = status.metadata.clone().unwrap_or_default();
    let state = match container.state() {
        cri::ContainerState::ContainerCreated => "Created",
        cri::ContainerState::ContainerRunning => "Running",
        cri::ContainerState::ContainerExited => "Exited",
        cri::ContainerState::ContainerUnknown => "Unknown",
    };
    let restarts = &status.annotations["io.kubernetes.container.restartCount"];
    let exit_code =
        (container.state() == cri::ContainerState::ContainerExited).then_some(status.exit_code);
    json!({
        "id": container.id,
        "pod_id": container.pod_sandbox_id,
        "pod": pod.name,
        "namespace": pod.namespace,
        "name": metadata.name,
        "attempt": metadata.attempt,
        "restart_count": restarts.parse::<u32>().expect("a number"),
        "state": state,
        "created_at": time(container.created_at),
        "started_at": time(status.started_at),
        "finished_at": time(status.finished_at),
        "exit_code": exit_code,
        "reason": text(&status.reason),
        "message": text(&status.message),
        "log_path": text(&status.log_path),
        "labels": labels(&container.labels),
    })
}

#[test]
fn agrees_with_the_runtime_on_images() {
    let node = node();
    let mut found = by_id(&snapshot(&node), "images");
    let containers = node.cri.containers();
    for image in node.cri.images() {
        let mut item = found.remove(&image.id).unwrap_or_default();
        let used_by = item
            .as_object_mut()
            .and_then(|item| item.remove("used_by"))
            .unwrap_or_default();
        let users = containers
            .iter()
            .filter(|c| c.image_ref == image.id)
            .count();
        assert_eq!(
            used_by.as_array().map(Vec::len),
            Some(users),
            "{:?}: used_by {used_by}",
            image.repo_tags
        );
        let sorted = |mut texts: Vec<String>| {
            texts.sort();
            texts
        };
        let expected = json!({
            "id": image.id,
            "tags": sorted(image.repo_tags.clone()),
            "digests": sorted(image.repo_digests.clone()),
            "size": image.size,
            "pinned": image.pinned,
        });
        assert_fields(&format!("{:?}", image.repo_tags), &item, &expected);
    }
    assert_eq!(
        found,
        BTreeMap::new(),
        "images that the runtime does not have"
    );
}

#[test]
fn is_sorted_by_namespace_name_and_age() {
    let report = snapshot(&node());
    for list in ["pods", "containers"] {
        let keys: Vec<_> = report[list]
            .as_array()
            .expect("a list")
            .iter()
            .map(|item| {
                let field = |name: &str| item[name].as_str().unwrap_or("").to_owned();
                (
                    field("namespace"),
                    field("name"),
                    nanoseconds(&item["created_at"]).as_i64(),
                )
            })
            .collect();
        assert!(keys.is_sorted(), "{list}: {keys:?}");
    }
}

#[test]
fn the_unused_image_is_used_by_nobody() {
    let report = snapshot(&node());
    let images = report["images"].as_array().expect("a list");
    let used_by = |tag: &str| {
        let image = images
            .iter()
            .find(|image| {
                image["tags"]
                    .as_array()
                    .is_some_and(|t| t.contains(&json!(tag)))
            })
            .unwrap_or_else(|| panic!("no {tag}"));
        image["used_by"].as_array().map(Vec::len)
    };
    assert_eq!(used_by(image::UNUSED), Some(0));
    assert!(used_by(image::APP) > Some(20));
    assert_eq!(used_by(image::APP), used_by(image::APP_LATEST));
}

#[test]
fn nothing_hostile_comes_through_in_any_form() {
    let node = node();
    for form in ["json", "yaml", "table"] {
        let text = critui(&node, &["snapshot", "-o", form]);
        for bad in ['\u{1b}', '\u{202e}'] {
            assert!(!text.contains(bad), "{form} holds {bad:?}");
        }
        assert!(text.contains("hostile"), "{form} lacks a pod: {text}");
    }
    assert!(pods::HOSTILE.contains('\u{1b}'));
}

#[test]
fn yaml_says_the_same_as_json() {
    let node = node();
    let yaml = critui(&node, &["snapshot", "-o", "yaml"]);
    let yaml: Value = serde_yaml::from_str(&yaml).expect("YAML");
    let lines = |value: &Value| serde_json::to_string_pretty(value).expect("JSON");
    let (yaml, json) = (lines(&yaml), lines(&snapshot(&node)));
    // Line by line: in one piece nobody could read the difference.
    for (line, (yaml, json)) in yaml.lines().zip(json.lines()).enumerate() {
        assert_eq!(yaml, json, "line {line}");
    }
    assert_eq!(yaml.lines().count(), json.lines().count());
}

#[test]
fn config_names_the_endpoint_and_its_source() {
    let node = node();
    let text = critui(&node, &["config", "-o", "json"]);
    let _: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"));
    assert!(text.contains(&node.endpoint()), "{text}");
}
