//! Each profile compared with what a real runtime of its kind sent: the same call about a similar
//! pod is absent, empty and filled in the same places. The fixtures are crictl's JSON.

use std::collections::{BTreeMap, HashMap};

use k8s_cri::v1;
use rstest::rstest;
use serde::Serialize;
use serde_json::Value;

use super::tests::{Client, client, manual, start};
use super::{Options, Profile};

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    Absent,
    Empty,
    Filled,
}

type Shapes = BTreeMap<String, Shape>;

/// Made through the CRI alone, without a kubelet: what the kubelet adds is missing there.
const WITHOUT_KUBELET: [&str; 6] = [
    "annotations",
    "mounts",
    "resources.linux",
    "image.user_specified_image",
    "status.log_path",
    "attributes.annotations",
];

/// Depend on the pod, not on the runtime.
const OF_THE_POD: [&str; 10] = [
    "attributes.metadata.attempt",
    "metadata.attempt",
    "attempt",
    "memory.major_page_faults.value",
    "cpu.usage_nano_cores.value",
    "writable_layer.timestamp",
    "writable_layer.used_bytes.value",
    "writable_layer.inodes_used.value",
    "image_filesystems.timestamp",
    "exit_code",
];

fn fixture(profile: Profile) -> Value {
    let text = match profile {
        Profile::Containerd16 => include_str!("../../tests/fixtures/demo/containerd-1.6.json"),
        Profile::Containerd17 => include_str!("../../tests/fixtures/demo/containerd-1.7.json"),
        Profile::CriO => include_str!("../../tests/fixtures/demo/cri-o.json"),
        Profile::CriDockerd => include_str!("../../tests/fixtures/demo/cri-dockerd.json"),
        _ => include_str!("../../tests/fixtures/demo/containerd-2.1.json"),
    };
    serde_json::from_str(text).expect("the fixture is JSON")
}

fn snake(camel: &str) -> String {
    let mut out = String::new();
    for c in camel.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => {
            text.is_empty()
                || text == "0"
                || text.starts_with("0001-01-01T")
                || text == "1970-01-01T00:00:00Z"
        }
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The shapes of every field below `value`; of a list, those of its first item; of a map of
/// labels only whether it is empty.
fn walk(value: &Value, path: &str, ours: bool, out: &mut Shapes) {
    match value {
        Value::Null => {
            out.insert(path.into(), Shape::Absent);
        }
        Value::Object(fields)
            if path.ends_with("labels")
                || path.ends_with("annotations")
                || path.ends_with("unified") =>
        {
            let shape = if fields.is_empty() {
                Shape::Empty
            } else {
                Shape::Filled
            };
            out.insert(path.into(), shape);
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                let key = if ours { key.clone() } else { snake(key) };
                let path = if path.is_empty() {
                    key
                } else {
                    format!("{path}.{key}")
                };
                walk(field, &path, ours, out);
            }
        }
        Value::Array(items) if items.first().is_some_and(Value::is_object) => {
            walk(&items[0], path, ours, out);
        }
        _ => {
            let shape = if is_empty(value) {
                Shape::Empty
            } else {
                Shape::Filled
            };
            out.insert(path.into(), shape);
        }
    }
}

/// Enums by name in crictl's JSON, by number in ours: their first value is empty here.
fn is_enum(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    ["state", "network", "pid", "ipc", "mode", "propagation"].contains(&last)
}

fn compare(what: &str, captured: &Value, ours: &impl Serialize, allowed: &[&str]) {
    let ours = serde_json::to_value(ours).expect("it is serialisable");
    let (mut theirs, mut mine) = (Shapes::new(), Shapes::new());
    walk(captured, "", false, &mut theirs);
    walk(&ours, "", true, &mut mine);
    let absent_above = |path: &str, other: &Shapes| {
        let mut ends = path.match_indices('.').map(|(at, _)| at);
        ends.any(|at| other.get(&path[..at]) == Some(&Shape::Absent)) || !path.contains('.')
    };
    let allowed = |path: &str| allowed.iter().any(|allowed| path.starts_with(allowed));
    let mut wrong = Vec::new();
    for (path, shape) in &mine {
        if is_enum(path) || allowed(path) {
            continue;
        }
        let captured = theirs.get(path).copied();
        let agrees = match captured {
            Some(captured) => captured == *shape,
            // crictl leaves out what is absent; a message that is absent on one side has fields
            // on the other.
            None => {
                *shape != Shape::Filled || !absent_above(path, &theirs) && has_below(&theirs, path)
            }
        };
        if !agrees {
            wrong.push(format!("{path}: {shape:?}, captured {captured:?}"));
        }
    }
    for (path, shape) in &theirs {
        let filled = *shape == Shape::Filled && !is_enum(path) && !allowed(path);
        if filled
            && !mine.contains_key(path)
            && absent_above(path, &mine)
            && mine.contains_key(parent(path))
        {
            wrong.push(format!("{path}: not there, captured {shape:?}"));
        }
    }
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(parent, _)| parent)
}

fn has_below(shapes: &Shapes, path: &str) -> bool {
    shapes
        .keys()
        .any(|other| other.starts_with(&format!("{path}.")))
}

fn allowed_for(profile: Profile) -> Vec<&'static str> {
    let mut allowed = OF_THE_POD.to_vec();
    if matches!(
        profile,
        Profile::Containerd16 | Profile::Containerd17 | Profile::CriDockerd
    ) {
        allowed.extend(WITHOUT_KUBELET);
    }
    allowed
}

fn keys(info: &HashMap<String, String>) -> Vec<String> {
    let Some(info) = info.get("info") else {
        return Vec::new();
    };
    let info: Value = serde_json::from_str(info).expect("it is JSON");
    let fields = info.as_object().expect("an object");
    fields.keys().cloned().collect()
}

#[rstest]
#[case(Profile::Containerd16)]
#[case(Profile::Containerd17)]
#[case(Profile::Containerd21)]
#[case(Profile::CriO)]
#[case(Profile::CriDockerd)]
#[tokio::test]
async fn lists_and_statuses_have_the_captured_shapes(#[case] profile: Profile) {
    let captured = fixture(profile);
    let demo = start(
        "node",
        Options {
            profile,
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let allowed = allowed_for(profile);
    let web = client.newest("nginx").await;
    compare("Container", &captured["Container"], &web, &allowed);
    if let Some(bad) = captured.get("ContainerBad") {
        let ours = client.newest("worker").await;
        compare("Container bad", bad, &ours, &allowed);
        assert_eq!(bad["state"], ours.state().as_str_name());
    }
    let pod = client.pod(&web.pod_sandbox_id).await;
    let no_labels = [&allowed[..], &["labels"]].concat();
    compare("PodSandbox", &captured["PodSandbox"], &pod, &no_labels);
    for (key, name) in [
        ("StatusRunning", "nginx"),
        ("StatusCrash", "payments"),
        ("StatusOom", "redis"),
        ("StatusBad", "worker"),
        ("StatusDone", "backup"),
    ] {
        let Some(captured) = captured.get(key).filter(|captured| !captured.is_null()) else {
            continue;
        };
        if name == "redis" {
            demo.advance(std::time::Duration::from_secs(26));
        }
        let ours = client.status(name).await;
        // Whether there is a digest depends on how the image came.
        let allowed = [
            &allowed[..],
            &[
                "image_ref",
                "resources.linux.memory",
                "resources.linux.cpu_quota",
                "user",
            ],
        ]
        .concat();
        compare(key, captured, &ours, &allowed);
        assert_eq!(captured["reason"], ours.reason, "{key}");
        assert_eq!(
            captured["exitCode"].as_i64(),
            Some(exit_of(&ours, captured)),
            "{key}"
        );
        assert_eq!(
            captured["user"].is_null(),
            ours.user.is_none(),
            "{key}: user"
        );
    }
}

/// The same code where the story has it: a crash exits with its own.
fn exit_of(ours: &v1::ContainerStatus, captured: &Value) -> i64 {
    if ours.reason == "Error" {
        captured["exitCode"].as_i64().unwrap_or(0)
    } else {
        i64::from(ours.exit_code)
    }
}

#[rstest]
#[case(Profile::Containerd16)]
#[case(Profile::Containerd17)]
#[case(Profile::Containerd21)]
#[case(Profile::CriO)]
#[case(Profile::CriDockerd)]
#[tokio::test]
async fn statistics_and_images_have_the_captured_shapes(#[case] profile: Profile) {
    let captured = fixture(profile);
    let demo = start(
        "node",
        Options {
            profile,
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client = client(&demo).await;
    let allowed = allowed_for(profile);
    let stats = client.stats().await;
    let of = |name: &str| {
        let named = |row: &&v1::ContainerStats| {
            let attributes = row.attributes.as_ref();
            attributes
                .and_then(|a| a.metadata.as_ref())
                .is_some_and(|m| m.name == name)
        };
        stats.iter().find(named).cloned()
    };
    let running = of("nginx").expect("it runs");
    compare(
        "StatsRunning",
        &captured["StatsRunning"],
        &running,
        &allowed,
    );
    match of("backup") {
        Some(exited) => compare("StatsExited", &captured["StatsExited"], &exited, &allowed),
        None => assert!(captured["StatsExited"].is_null()),
    }
    let request = v1::ListImagesRequest::default();
    let images = client
        .images
        .list_images(request)
        .await
        .expect("a list")
        .into_inner()
        .images;
    let image = |name: &str| {
        images
            .iter()
            .find(|i| i.repo_tags[0].contains(name))
            .expect(name)
    };
    let how_it_came = ["repo_digests", "uid", "username"];
    compare(
        "Image",
        &captured["Image"],
        image("debug-tools"),
        &how_it_came,
    );
    compare(
        "ImagePause",
        &captured["ImagePause"],
        image("pause"),
        &how_it_came,
    );
    let prefix = |id: &str| id.starts_with("sha256:");
    let captured_id = captured["Image"]["id"].as_str().expect("an id");
    assert_eq!(prefix(&image("nginx").id), prefix(captured_id));
    let fs = client
        .images
        .image_fs_info(v1::ImageFsInfoRequest {})
        .await
        .expect("an answer");
    let fs = fs.into_inner();
    // On two captured nodes the collector had not run yet.
    let not_yet = [
        "image_filesystems.inodes_used",
        "image_filesystems.used_bytes",
        "image_filesystems.timestamp",
    ];
    compare("ImageFsInfo", &captured["ImageFsInfo"], &fs, &not_yet);
    let filter = Some(v1::PodSandboxStatsFilter::default());
    let pods = client
        .runtime
        .list_pod_sandbox_stats(v1::ListPodSandboxStatsRequest { filter })
        .await;
    if captured["PodStats"].is_null() {
        let status = pods.expect_err("it lacks the call");
        assert_eq!(
            status.message(),
            "method ListPodSandboxStats not implemented"
        );
    } else {
        let pods = pods.expect("a list").into_inner().stats;
        let web = pods.iter().find(|row| {
            row.attributes.as_ref().is_some_and(|a| {
                a.metadata
                    .as_ref()
                    .is_some_and(|m| m.name.starts_with("web"))
            })
        });
        let allowed = [
            &allowed[..],
            &[
                "attributes",
                "linux.containers",
                "linux.cpu.usage_nano_cores",
                "linux.memory.major_page_faults",
                "linux.memory.available_bytes",
            ],
        ]
        .concat();
        compare(
            "PodStats",
            &captured["PodStats"],
            web.expect("it runs"),
            &allowed,
        );
    }
}

#[rstest]
#[case(Profile::Containerd16)]
#[case(Profile::Containerd17)]
#[case(Profile::Containerd21)]
#[case(Profile::CriO)]
#[case(Profile::CriDockerd)]
#[tokio::test]
async fn verbose_answers_have_the_captured_keys(#[case] profile: Profile) {
    let captured = fixture(profile);
    let demo = start(
        "node",
        Options {
            profile,
            clock: manual(),
            ..Options::default()
        },
    );
    let mut client: Client = client(&demo).await;
    let expected = |key: &str| -> Vec<String> {
        serde_json::from_value(captured[key].clone()).expect("names")
    };
    let web = client.newest("nginx").await;
    let request = v1::ContainerStatusRequest {
        container_id: web.id,
        verbose: true,
    };
    let reply = client
        .runtime
        .container_status(request)
        .await
        .expect("a status")
        .into_inner();
    assert_eq!(keys(&reply.info), expected("info"));
    let request = v1::PodSandboxStatusRequest {
        pod_sandbox_id: web.pod_sandbox_id,
        verbose: true,
    };
    let reply = client
        .runtime
        .pod_sandbox_status(request)
        .await
        .expect("a status")
        .into_inner();
    assert_eq!(keys(&reply.info), expected("podInfo"));
    let allowed = [
        &allowed_for(profile)[..],
        &["labels", "linux.namespaces.options", "runtime_handler"],
    ]
    .concat();
    compare(
        "PodStatus",
        &captured["PodStatus"],
        &reply.status.expect("it is filled"),
        &allowed,
    );
}
