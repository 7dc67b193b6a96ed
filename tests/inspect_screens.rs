//! What inspecting looks like: the summary of each kind in full, the tree, what differs, events;
//! with what each runtime says and with texts that want to do harm. After a change on purpose
//! look at each (`INSTA_UPDATE=always cargo test --test inspect_screens`).

#[path = "support/sample.rs"]
#[allow(dead_code)]
mod sample;
#[path = "support/typing.rs"]
mod typing;

use std::sync::Arc;

use critui::cri::Update;
use critui::domain::Changes;
use critui::domain::ContainerState;
use critui::model::{About, Msg, Page, Subject};
use critui::text::is_unsafe;
use critui::theme::Ability;
use critui::tree::Tree;
use rstest::rstest;
use sample::{FULL, HOSTILE, PLAIN, Screen, busy};
use serde_json::{Value, json};

const SECRET: &str = "hunter2";

/// What a runtime tells of a container, with `text` wherever somebody else chooses it.
fn container(text: &str) -> Value {
    json!({
        "status": {
            "id": "c", "imageRef": format!("docker.io/library/x@sha256:{text}"),
            "logPath": format!("/var/log/pods/{text}/0.log"), "state": "CONTAINER_RUNNING",
            "annotations": {"io.kubernetes.container.ports":
                "[{\"name\":\"http\",\"containerPort\":8080,\"hostPort\":18080,\"protocol\":\"TCP\"}]"},
            "mounts": [
                {"containerPath": format!("/etc/{text}"), "readonly": true, "hostPath":
                    format!("/var/lib/kubelet/pods/u/volumes/kubernetes.io~configmap/{text}")},
                {"containerPath": "/host", "readonly": false, "hostPath": format!("/{text}"),
                    "propagation": "PROPAGATION_BIDIRECTIONAL"},
            ],
            "resources": {"linux": {"cpuQuota": 50_000, "cpuPeriod": 100_000, "cpuShares": 51,
                "memoryLimitInBytes": 67_108_864, "oomScoreAdj": 988}},
        },
        "info": {
            "pid": 4711, "runtimeType": text, "snapshotter": "overlayfs", "snapshotKey": text,
            "config": {"image": {"user_specified_image": text}, "tty": true,
                "envs": [{"key": "DB_PASSWORD", "value": SECRET}],
                "linux": {"security_context": {"privileged": true, "seccomp": {"profile_type": 1}}}},
            "runtimeSpec": {
                "process": {"args": ["/bin/app", "--token", SECRET, text], "cwd": text,
                    "env": [format!("NAME={text}"), format!("DB_PASSWORD={SECRET}"),
                        "KUBERNETES_SERVICE_HOST=10.96.0.1", format!("{text}=x")],
                    "capabilities": {"bounding": ["CAP_CHOWN", "CAP_SYS_ADMIN"]},
                    "user": {"uid": 0, "gid": 0, "additionalGids": [10]}},
                "linux": {"cgroupsPath": format!("kubepods-burstable:{text}"), "maskedPaths": [],
                    "namespaces": [{"type": "network", "path": format!("/var/run/netns/{text}")}]},
                "root": {"readonly": true},
            },
        },
    })
}

fn pod(text: &str) -> Value {
    json!({
        "status": {"linux": {"namespaces": {"options":
            {"network": "POD", "pid": "NODE", "ipc": "POD"}}}},
        "info": {"pid": 42, "image": text, "runtimeType": text,
            "cniResult": {"Interfaces": {"eth0": {"IPConfigs": [{"IP": text, "Gateway": "10.0.0.1"}],
                "Mac": text}, "lo": {"IPConfigs": [{"IP": "127.0.0.1"}]}}},
            "config": {"hostname": text, "log_directory": text,
                "dns_config": {"servers": [text], "searches": [text]},
                "port_mappings": [{"container_port": 80, "host_port": 8080}],
                "linux": {"cgroup_parent": format!("/kubepods/besteffort/{text}"),
                    "resources": {"cpu_shares": 2}, "sysctls": {text: text}}}},
    })
}

fn image(text: &str) -> Value {
    json!({
        "status": {"id": "i"},
        "info": {"imageSpec": {"created": "2026-01-01T00:00:00Z", "os": "linux", "architecture": "amd64",
            "config": {"Entrypoint": ["/entry", text], "Cmd": [text], "User": text, "WorkingDir": text,
                "Env": ["PATH=/bin", format!("API_KEY={SECRET}")], "Labels": {text: text},
                "ExposedPorts": {"8080/tcp": {}, text: {}}, "Volumes": {text: {}}, "StopSignal": "SIGQUIT"},
            "rootfs": {"diff_ids": ["sha256:aa", text]},
            "history": [{"created_by": format!("/bin/sh -c #(nop) ENV API_KEY={SECRET}"), "empty_layer": true},
                {"created_by": text}]}},
    })
}

fn runtime(text: &str) -> Value {
    json!({
        "version": {"runtimeName": "containerd", "runtimeVersion": text, "runtimeApiVersion": "v1"},
        "status": {"conditions": [{"type": "RuntimeReady", "status": true},
            {"type": "NetworkReady", "status": false, "reason": "NetworkPluginNotReady", "message": text}]},
        "info": {"lastCNILoadStatus": text, "config": {"sandboxImage": text, "stateDir": text,
            "registry": {"configs": {"r": {"auth": {"username": "u", "password": SECRET}}}}},
            "cniconfig": {"Networks": [{"IFName": "eth0", "Config": {"Name": text}}]}},
        "imageFilesystems": {"imageFilesystems": [{"fsId": {"mountpoint": text},
            "usedBytes": {"value": 1_000_000}, "inodesUsed": {"value": 7}}]},
    })
}

/// Answers what the page on top asks for.
fn answer(screen: &mut Screen, text: &str) {
    let abouts = match screen.model.layers.last().map(|layer| &layer.page) {
        Some(Page::Summary(subject)) => vec![About::One(subject.clone())],
        Some(Page::Runtime) => vec![About::Runtime],
        Some(Page::Tree(view)) => vec![view.about.clone()],
        Some(Page::Diff(view)) => vec![view.before.clone(), view.after.clone()],
        _ => vec![],
    };
    for (nth, about) in abouts.into_iter().enumerate() {
        let mut json = match &about {
            About::One(Subject::Pod(_)) => pod(text),
            About::One(Subject::Container(_)) => container(text),
            About::One(Subject::Image(_)) => image(text),
            About::Runtime => runtime(text),
        };
        if nth > 0 {
            json["info"]["config"]["envs"] = json!([{"key": "DB_PASSWORD", "value": "other"}]);
            json["status"]["resources"]["linux"]["memoryLimitInBytes"] = json!(1);
        }
        screen.send(Msg::Inspected(about, "x", Ok(Arc::new(Tree::of(&json)))));
    }
}

fn shown(screen: &mut Screen) -> String {
    let shown = format!("{:?}", screen.draw());
    assert!(!shown.contains(SECRET), "{shown}");
    shown
}

#[rstest]
#[case("inspect-container-80x130", (80, 130), FULL, "2*d", "plain")]
#[case("inspect-container-120x120-plain", (120, 120), PLAIN, "2*d", "plain")]
#[case("inspect-container-40x10", (40, 10), FULL, "2*dG", "plain")]
#[case("inspect-pod-80x80", (80, 80), FULL, "d", "plain")]
#[case("inspect-image-80x80", (80, 80), FULL, "3d", "plain")]
#[case("inspect-runtime-80x40", (80, 40), FULL, "I", "plain")]
#[case("inspect-tree-80x24", (80, 24), FULL, "2*y", "plain")]
#[case("inspect-tree-120x40-plain", (120, 40), PLAIN, "2*y", "plain")]
#[case("inspect-diff-80x40", (80, 40), FULL, "/ns:shop pay<Enter><Enter>=", "plain")]
#[case("inspect-hostile-container-80x130", (80, 130), FULL, "2*d", HOSTILE[0])]
#[case("inspect-hostile-pod-80x80-plain", (80, 80), PLAIN, "d", HOSTILE[2])]
#[case("inspect-hostile-image-80x80", (80, 80), FULL, "3d", HOSTILE[5])]
#[case("inspect-hostile-runtime-80x40", (80, 40), FULL, "I", HOSTILE[3])]
#[case("inspect-hostile-tree-80x50", (80, 50), FULL, "2*y", HOSTILE[6])]
fn screen(
    #[case] name: &str,
    #[case] size: (u16, u16),
    #[case] ability: Ability,
    #[case] keys: &str,
    #[case] text: &str,
) {
    let mut screen = Screen::with(size, ability, busy());
    screen.keys(keys);
    answer(&mut screen, text);
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, shown(&mut screen));
    });
}

/// What each runtime really says.
#[rstest]
#[case("containerd-1.7", &["exec httpd -f", "64.0MiB", "user 0 (root)", "privileged no"])]
#[case("containerd-2.1", &["exec httpd -f", "64.0MiB", "QoS burstable", "about 49m CPU", "/etc/hosts (rw) from the kubelet", "DB_PASSWORD <masked>", "8080/TCP http as the node's 18080", "the usual 14", "process 1724"])]
#[case("crio-1.37", &["exec httpd -f", "64.0MiB", "QoS burstable", "DB_PASSWORD <masked>", "localhost/busybox:test", "ip 10.88.94.10", "/run/crio/ns/netns/"])]
#[case("cri-dockerd", &["Command not told by this runtime", "Resources and limits not told", "Security not told"])]
fn each_runtime(#[case] runtime: &str, #[case] expected: &[&str]) {
    let root = env!("CARGO_MANIFEST_DIR");
    let text = std::fs::read_to_string(format!("{root}/tests/fixtures/inspect/{runtime}.json"));
    let json: Value = serde_json::from_str(&text.expect("a capture")).expect("JSON");
    let tree = Arc::new(Tree::of(&json));
    assert!(!tree.json(0).contains("s3cr3t-hunter2"), "{}", tree.json(0));
    let mut screen = Screen::with((160, 200), FULL, busy());
    screen.keys("2*d");
    let subject = screen.model.subject().expect("a container");
    screen.send(Msg::Inspected(About::One(subject), "x", Ok(tree)));
    let buffer = screen.draw();
    let cells: String = buffer
        .content
        .iter()
        .map(ratatui::buffer::Cell::symbol)
        .collect();
    let words = cells.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in expected {
        assert!(words.contains(text), "{text:?} in {words}");
    }
}

#[test]
fn nothing_hostile_reaches_a_cell() {
    for text in HOSTILE {
        for keys in ["2*d", "2*y", "2*yJ", "d", "y", "3d", "3y", "I", "Iy"] {
            for size in [(40, 10), (80, 24), (200, 50)] {
                let mut screen = Screen::with(size, FULL, busy());
                screen.keys(keys);
                answer(&mut screen, text);
                let buffer = screen.draw();
                let bad = buffer
                    .content
                    .iter()
                    .any(|cell| cell.symbol().chars().any(is_unsafe));
                assert!(!bad, "{keys} with {text:?}");
            }
        }
    }
}

#[test]
fn while_it_is_asked_for_and_when_it_cannot_be_told() {
    let mut screen = Screen::with((80, 60), FULL, busy());
    screen.keys("2*d");
    assert!(shown(&mut screen).contains("asking the runtime"));
    let subject = screen.model.subject().expect("a container");
    screen.send(Msg::Inspected(
        About::One(subject),
        "x",
        Err("it is gone".into()),
    ));
    let told = shown(&mut screen);
    assert!(
        told.contains("it is gone") && told.contains("Lineage"),
        "{told}"
    );
}

#[test]
fn events_with_their_rhythm() {
    let mut screen = Screen::with((80, 24), FULL, busy());
    let lists = busy();
    for round in 0..4 {
        let mut containers = lists.containers.clone();
        for container in &mut containers {
            if container.name.as_str() == "coredns" && round % 2 == 0 {
                container.state = ContainerState::Exited;
            }
        }
        let containers = containers.into_iter().map(Arc::new).collect();
        screen.feed(Update::Containers(Changes::all(containers)));
    }
    screen.keys("v");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("events-80x24", shown(&mut screen));
    });
}
