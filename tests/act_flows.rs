//! What a user does to change the node: keys through the real loop against the simulated node.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/typing.rs"]
mod typing;

use std::fs;
use std::time::Duration;

use critui::demo::{DemoNode, Fault, FaultKind};
use flow::{Flow, Start, each, journal_of, opened};
use serde_json::Value;
use tonic::Code;

const STOP: &str = "/runtime.v1.RuntimeService/StopContainer";

fn start() -> Start {
    Start::default()
}

/// Calls that the node received, without those that only read.
fn changes(node: &DemoNode) -> Vec<String> {
    let calls = node.recording().into_iter();
    let changes = calls.filter(|call| !critui::cri::gate::READS.contains(&call.path.as_str()));
    changes.map(|call| call.method().to_owned()).collect()
}

fn journal(flow: &Flow) -> Vec<Value> {
    let text = fs::read_to_string(journal_of(&flow.demo)).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn outcomes(flow: &Flow) -> Vec<(String, String)> {
    let text = |record: &Value, name: &str| record[name].as_str().unwrap_or_default().to_owned();
    let records = journal(flow);
    let pair = |record: &Value| (text(record, "what"), text(record, "outcome"));
    records.iter().map(pair).collect()
}

/// Waits until the node has received so many calls of a method.
fn arrives(flow: Flow, method: &str, times: usize) -> Flow {
    let count = || {
        changes(&flow.demo)
            .iter()
            .filter(|call| *call == method)
            .count()
    };
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while count() < times {
        assert!(
            std::time::Instant::now() < end,
            "{method}: {} of {times}",
            count()
        );
        flow.beside(async { tokio::time::sleep(Duration::from_millis(5)).await });
    }
    flow
}

/// Lets grace periods pass until `text` is there.
fn passes_until(mut flow: Flow, text: &str) -> Flow {
    for _ in 0..200 {
        if flow.shown().lines().iter().any(|line| line.contains(text)) {
            return flow;
        }
        flow.beside(async { tokio::time::sleep(Duration::from_millis(20)).await });
        flow = flow.passes(Duration::from_secs(8));
    }
    flow.sees(text)
}

#[test]
fn the_question_names_its_victim_and_says_what_follows() {
    each(
        &start(),
        &[
            ("/coredns<Enter>x", "Stop kube-system/coredns-"),
            ("/coredns<Enter>x", "SIGKILL after 30s"),
            ("/coredns<Enter>x", "the kubelet will build it anew"),
            ("/coredns<Enter>x", "crictl stop --timeout 30 "),
            ("/coredns<Enter>x", "kept in the journal: "),
            (
                "/coredns<Enter><Enter>x",
                "the kubelet will restart it (restart ",
            ),
            ("/coredns<Enter><Enter>D", "it runs, so it is stopped first"),
            (
                "/haproxy<Enter>x",
                "a static pod: the kubelet will build it anew",
            ),
            (
                "/haproxy<Enter>x",
                "/etc/kubernetes/manifests/haproxy-worker-3.yaml",
            ),
            (
                "/report<Enter><Enter>D",
                "the newest attempt: the runtime forgets",
            ),
        ],
        |flow, (keys, words)| {
            flow.types(keys)
                .sees(words)
                .types("<Esc>")
                .misses("Cancel ]")
        },
    );
}

#[test]
fn it_stands_on_cancel() {
    each(
        &start(),
        &[
            "<Enter>",
            "n",
            "<Esc>",
            "q",
            "<Tab><Tab><Enter>",
            "jjj<Enter>",
        ],
        |flow, keys| {
            let flow = flow.types("/coredns<Enter>x").sees("kept in the journal");
            let flow = flow.types(keys).misses("Cancel ]");
            let flow = flow.lists_once_more();
            assert_eq!(changes(&flow.demo), Vec::<String>::new());
            flow
        },
    );
}

#[test]
fn what_was_typed_ahead_confirms_nothing() {
    let flow = opened(&start()).types("/coredns<Enter>xy");
    let flow = flow.sees("kept in the journal").sees("Cancel ]");
    assert_eq!(changes(&flow.demo), Vec::<String>::new());
}

#[test]
fn a_container_is_stopped_with_a_countdown_and_kept_in_the_journal() {
    let flow = opened(&start())
        .types("/coredns<Enter><Enter>x")
        .sees("kept in the journal")
        .types("y")
        .sees("stopping kube-system/coredns-");
    let flow = arrives(flow, "StopContainer", 1);
    let flow = flow.passes(Duration::from_secs(31)).sees("done after");
    let calls = flow.demo.recording();
    let stop = calls.iter().find(|call| call.path == STOP).unwrap();
    let asked: k8s_cri::v1::StopContainerRequest = stop.request().unwrap();
    assert_eq!(asked.timeout, 30);
    let asked = ("stop container".to_owned(), "asked".to_owned());
    let done = ("stop container".to_owned(), "done".to_owned());
    assert_eq!(outcomes(&flow), [asked, done]);
    let record = &journal(&flow)[0];
    assert_eq!(record["parameters"]["grace_seconds"], 30);
    assert!(
        record["crictl"]
            .as_str()
            .unwrap()
            .starts_with("crictl stop --timeout 30 ")
    );
    flow.types("<Esc><Esc>J")
        .sees("stop container kube-system/coredns-")
        .sees(": done");
}

#[test]
fn a_second_press_kills_now() {
    let flow = opened(&start())
        .types("/web-7d9c5b8f6d-4<Enter><Enter>x")
        .sees("kept in the journal")
        .types("y")
        .sees("stopping")
        .types("x")
        .sees("now?")
        .sees("SIGKILL comes by itself in ")
        .sees("kept in the journal")
        .types("y");
    let flow = arrives(flow, "StopContainer", 2);
    let flow = flow.passes(Duration::from_secs(1)).sees("done");
    let stops: Vec<i64> = flow
        .demo
        .recording()
        .iter()
        .filter(|call| call.path == STOP)
        .map(|call| {
            call.request::<k8s_cri::v1::StopContainerRequest>()
                .unwrap()
                .timeout
        })
        .collect();
    assert_eq!(stops, [30, 0]);
}

#[test]
fn many_are_removed_with_a_line_each() {
    let flow = opened(&start())
        .types("2*:mark-all<Enter>D")
        .sees("Remove 23 containers?")
        .sees("kept in the journal")
        .types("y")
        .sees("Actions");
    let flow = passes_until(flow, "23 done: X shows them");
    let removed = changes(&flow.demo);
    let removed = removed.iter().filter(|method| *method == "RemoveContainer");
    assert_eq!(removed.count(), 23);
    assert_eq!(journal(&flow).len(), 46);
}

#[test]
fn what_waits_can_be_given_up() {
    let flow = opened(&start())
        .types("2*:mark-all<Enter>D")
        .sees("kept in the journal")
        .types("y")
        .sees("waits")
        .types("c")
        .sees("was not begun")
        .misses("waits");
    passes_until(flow, "not begun: X shows them");
}

#[test]
fn what_is_gone_already_is_done() {
    let flow = opened(&start())
        .types("/coredns<Enter>D")
        .sees("kept in the journal");
    let flow = flow.node(|node| {
        let gone = |method| {
            Fault::new(
                method,
                FaultKind::Error(Code::NotFound, "no such thing".into()),
            )
        };
        node.set_faults(vec![
            gone("RemovePodSandbox"),
            gone("StopPodSandbox"),
            gone("StopContainer"),
        ]);
    });
    flow.types("y").sees("done, it was gone already");
}

#[test]
fn a_runtime_that_refuses_is_quoted() {
    let flow = opened(&start())
        .types("/coredns<Enter><Enter>x")
        .sees("kept in the journal");
    let flow = flow.node(|node| {
        let text = "the shim does not answer".to_owned();
        node.set_faults(vec![Fault::new(
            "StopContainer",
            FaultKind::Error(Code::Unknown, text),
        )]);
    });
    let flow = flow
        .types("y")
        .sees("stop container failed: StopContainer: the shim does not answer");
    let last = outcomes(&flow).pop().unwrap();
    assert_eq!(last.1, "failed");
}

#[test]
fn a_journal_that_cannot_be_written_is_told_before() {
    let flow = opened(&start());
    fs::create_dir_all(journal_of(&flow.demo)).unwrap();
    let flow = flow
        .types("/coredns<Enter><Enter>x")
        .sees("the journal will NOT keep it")
        .types("y");
    let flow = arrives(flow, "StopContainer", 1);
    flow.passes(Duration::from_secs(31)).sees("done after");
    // A command in several containers asks no question: it says so with what came of it.
    let flow = opened(&start());
    fs::create_dir_all(journal_of(&flow.demo)).unwrap();
    flow.types("/web-<Enter><Enter>:mark-all<Enter>Secho hello<Enter>")
        .sees("Run in all")
        .sees("the journal does NOT keep this");
}

#[test]
fn read_only_says_so() {
    let start = Start {
        read_only: true,
        ..start()
    };
    each(
        &start,
        &["x", "D", "<Enter>x", "2*:mark-all<Enter>D"],
        |flow, keys| {
            let flow = flow.types(keys).sees("this run is read-only");
            assert_eq!(changes(&flow.demo), Vec::<String>::new());
            flow
        },
    );
}

#[test]
fn leaving_amid_a_change_asks_once() {
    opened(&start())
        .types("/web-7d9c5b8f6d-4<Enter><Enter>x")
        .sees("kept in the journal")
        .types("y")
        .sees("stopping")
        .types("<^c>")
        .sees("is under way")
        .quits("<^c>");
}

#[test]
fn what_is_done_inside_is_kept_but_never_what_is_said_there() {
    let flow = opened(&start())
        .types("/web-7d9c5b8f6d-4<Enter><Enter>")
        .enters("S")
        .enters("PGPASSWORD=hunter2 echo spoken<Enter>")
        .reads("any key returns")
        .says("x")
        .sees("exit ");
    let flow = flow.types("f<^u>9090:80<Enter>").sees("leads to port 80");
    let flow = flow.types("b").sees("Debug ");
    let records = journal(&flow);
    let kinds: Vec<&str> = records
        .iter()
        .filter_map(|one| one["what"].as_str())
        .collect();
    assert_eq!(kinds, ["exec", "exec", "port-forward", "port-forward"]);
    let all = format!("{records:?}");
    assert!(all.contains("PGPASSWORD=<masked> echo spoken"), "{all}");
    assert!(!all.contains("hunter2"), "{all}");
    assert!(all.contains("127.0.0.1:9090:80"), "{all}");
}

#[test]
fn images_are_removed_with_all_their_names() {
    each(
        &start(),
        &[
            (
                "3/nginx:1.27.3<Enter>D",
                "Remove docker.io/library/nginx:1.27.3 (",
            ),
            (
                "3/nginx:1.27.3<Enter>D",
                "used by 2 running: shop/web-7d9c5b8f6d-4kqzm/nginx",
            ),
            ("3/nginx:1.27.3<Enter>D", "all its names go with it: "),
            ("3/nginx:1.27.3<Enter>D", "crictl rmi "),
            (
                "3/pause<Enter>D",
                "the runtime needs this image for every pod",
            ),
            (":prune<Enter>", "that nobody uses, up to "),
            (":prune<Enter>", "nobody uses it; what other images share"),
        ],
        |flow, (keys, words)| flow.types(keys).sees(words),
    );
}

#[test]
fn only_what_nobody_uses_is_pruned() {
    let flow = opened(&start())
        .types(":prune<Enter>")
        .sees("kept in the journal");
    let flow = flow.types("y").sees("done: X shows them");
    let flow = flow.types("<Esc>").misses("reclaimable");
    flow.types("3/pause<Enter>").selects("pause");
}

#[test]
fn an_image_is_pulled() {
    let flow = opened(&start())
        .types("3P<^u>Nginx<Enter>")
        .sees("names are written in lower case")
        .types("<^u>registry.example:5000/team/app:2<Enter>")
        .sees("Pull registry.example:5000/team/app:2?")
        .sees("without credentials: no auth file here")
        .sees("kept in the journal")
        .types("y")
        .sees("pulling registry.example:5000/team/app:2");
    let flow = arrives(flow, "PullImage", 1);
    let flow = flow.passes(Duration::from_secs(5)).sees("done after");
    flow.types("/team/app<Enter>")
        .sees("registry.example:5000/team/app:2");
}

#[test]
fn tab_completes_what_is_here() {
    opened(&start())
        .types("3P<^u>nginx<Tab>")
        .sees("pull docker.io/library/nginx:1.27.1")
        .types("<^u>nothing-here<Tab>")
        .sees("no image here has a name like that");
}

#[test]
fn a_typed_password_goes_to_the_runtime_alone() {
    let flow = opened(&start())
        .types("3P<^u>registry.example/app:1 as alice<Enter>")
        .sees("password ")
        .types("hunter2")
        .sees("*******")
        .misses("hunter2")
        .types("<Enter>")
        .sees("as alice, with the password that was typed")
        .sees("crictl pull --creds alice:PASSWORD registry.example/app:1")
        .sees("kept in the journal")
        .types("y");
    let flow = arrives(flow, "PullImage", 1);
    let flow = flow
        .passes(Duration::from_secs(5))
        .sees("done after")
        .misses("hunter2");
    let calls = flow.demo.recording();
    let call = calls
        .iter()
        .find(|call| call.method() == "PullImage")
        .unwrap();
    let auth = call
        .request::<k8s_cri::v1::PullImageRequest>()
        .unwrap()
        .auth
        .unwrap();
    assert_eq!(
        (auth.username.as_str(), auth.password.as_str()),
        ("alice", "hunter2")
    );
    let kept = fs::read_to_string(journal_of(&flow.demo)).unwrap();
    assert!(
        kept.contains("alice, typed") && !kept.contains("hunter2"),
        "{kept}"
    );
    // Nor is it among what was typed before.
    flow.types("3P<^u><Up>")
        .sees("registry.example/app:1 as alice")
        .misses("hunter2");
}

#[test]
fn a_file_with_credentials_is_named_and_used() {
    let flow = opened(&start());
    let folder = flow.demo.host_root().join("run/containers/0");
    fs::create_dir_all(&folder).unwrap();
    let auths = r#"{"auths": {"registry.example": {"auth": "Ym9iOmh1bnRlcjI="}}}"#;
    fs::write(folder.join("auth.json"), auths).unwrap();
    let flow = flow
        .types("3P<^u>registry.example/app:1<Enter>")
        .sees("as bob, from /run/containers/0/auth.json (registry.example)")
        .sees("kept in the journal")
        .types("y");
    let flow = arrives(flow, "PullImage", 1);
    let calls = flow.demo.recording();
    let call = calls
        .iter()
        .find(|call| call.method() == "PullImage")
        .unwrap();
    let auth = call
        .request::<k8s_cri::v1::PullImageRequest>()
        .unwrap()
        .auth
        .unwrap();
    assert_eq!(auth.password, "hunter2");
    flow.passes(Duration::from_secs(5))
        .sees("done after")
        .misses("hunter2");
}

#[test]
fn a_pull_is_broken_off_and_a_registry_that_refuses_is_quoted() {
    let flow = opened(&start())
        .types("3P<^u>registry.example/slow:1<Enter>")
        .sees("kept in the journal")
        .types("y");
    let flow = arrives(flow, "PullImage", 1);
    let flow = flow
        .types("X")
        .sees("pulling for ")
        .types("x")
        .sees("failed: it was broken off");
    let flow = flow
        .types("<Esc>P<^u>127.0.0.1:1/app<Enter>")
        .sees("kept in the journal");
    flow.types("y").sees("failed: PullImage: failed to pull");
}

#[test]
fn limits_are_set_with_what_they_were() {
    let flow = opened(&start())
        .types("/coredns<Enter><Enter>U")
        .sees("memory=SIZE cpu=CORES")
        .types("<^u>memory=lots<Enter>")
        .sees("expected a size, such as 512Mi")
        .types("<^u>memory=1Gi cpu=250m<Enter>")
        .sees("1.00GiB then")
        .sees("250m then")
        .sees("the kubelet knows nothing of it")
        .sees("crictl update --cpu-period 100000 --cpu-quota 25000 --memory 1073741824")
        .sees("kept in the journal")
        .types("y")
        .sees("set limits kube-system/coredns")
        .sees("done after");
    let calls = flow.demo.recording();
    let call = calls
        .iter()
        .find(|call| call.method() == "UpdateContainerResources")
        .unwrap();
    let asked: k8s_cri::v1::UpdateContainerResourcesRequest = call.request().unwrap();
    let linux = asked.linux.unwrap();
    assert_eq!(
        (linux.memory_limit_in_bytes, linux.cpu_quota),
        (1 << 30, 25_000)
    );
    // Zero leaves what is not named.
    assert_eq!((linux.cpu_shares, linux.oom_score_adj), (0, 0));
}

#[test]
fn a_limit_below_what_is_used_is_told_before_and_refused() {
    opened(&start())
        .types("/coredns<Enter><Enter>U<^u>memory=4Mi<Enter>")
        .sees("the runtime refuses, or the kernel kills it")
        .sees("kept in the journal")
        .types("y")
        .sees("set limits failed: UpdateContainerResources: failed to update resources: unable");
}

#[test]
fn a_log_is_reopened_and_a_checkpoint_says_what_is_missing() {
    let at = "/coredns<Enter><Enter>";
    let flow = opened(&start())
        .types(&format!("{at}:reopen-log<Enter>"))
        .sees("Reopen the log of kube-system/coredns")
        .sees("kept in the journal")
        .types("y")
        .sees("done after");
    flow.types(":checkpoint<Enter>")
        .sees("checkpoint to /var/tmp/kube-system-coredns")
        .types("<Enter>")
        .sees("all of its memory goes to /var/tmp/kube-system-coredns")
        .sees("kept in the journal")
        .types("y")
        .sees("criu");
}

#[test]
fn a_pod_and_a_container_are_made_from_files() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let flow = opened(&start())
        .types(&format!(
            ":run-files<Enter>{examples}/container.yaml {examples}/pod.yaml<Enter>"
        ))
        .sees("Run default/hello/web?")
        .sees("a kubelet that runs here removes it soon")
        .sees("docker.io/library/busybox:1.37.0, which is here")
        .sees("kept in the journal")
        .types("y")
        .sees("run pod and container default/hello/web: done");
    let made = changes(&flow.demo);
    assert_eq!(made, ["RunPodSandbox", "CreateContainer", "StartContainer"]);
    let calls = flow.demo.recording();
    let call = calls
        .iter()
        .find(|call| call.method() == "CreateContainer")
        .unwrap();
    let asked: k8s_cri::v1::CreateContainerRequest = call.request().unwrap();
    // Without it older containerd dies.
    assert_eq!(
        asked.sandbox_config.unwrap().metadata.unwrap().name,
        "hello"
    );
    let flow = flow
        .types("/hello<Enter><Enter>")
        .sees("2 Containers of hello 1/1");
    let flow = flow
        .types(&format!(
            ":create-container<Enter>{examples}/container.json<Enter>"
        ))
        .sees("Create default/hello/web?")
        .sees("kept in the journal")
        .types("y")
        .sees("failed to reserve container name");
    drop(flow);
}

#[test]
fn a_file_with_a_mistake_names_line_and_field() {
    let flow = opened(&start());
    let file = flow.demo.host_root().join("a bad.yaml");
    fs::write(&file, "metadata:\n  name: a\n  namespce: b\n").unwrap();
    let file = file.display().to_string();
    let flow = flow.types(&format!(":run-pod<Enter>'{file}<Enter>"));
    let flow = flow
        .sees("a quotation mark is not closed")
        .types("'<Enter>");
    let flow = flow.sees("bad.yaml:3:3: metadata.namespce is no field; namespace is near");
    assert_eq!(changes(&flow.demo), Vec::<String>::new());
    flow.types(":run-pod<Enter><Enter>").sees("type POD-FILE");
}
