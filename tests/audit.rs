//! `critui audit` on the simulated node: its shape, its forms, its exit codes, its baseline.

use std::fs;
use std::process::{Command, Output};

use rstest::rstest;
use serde_json::Value;

fn audit(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_critui"))
        .arg("audit")
        .args(args)
        .env_clear()
        .env("HOME", "/nonexistent")
        .output()
        .expect("it starts")
}

fn text(output: &Output) -> String {
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn keys(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&text(&audit(args))).expect("JSON")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().expect("a list")
}

#[test]
fn the_shape_is_stable() {
    let report = json(&["--demo", "-o", "json"]);
    assert_eq!(
        keys(&report),
        ["counts", "findings", "looked_at", "pods", "standards"]
    );
    let findings = list(&report, "findings");
    let one = findings
        .iter()
        .find(|one| one["id"] == "privileged:kube-system/kube-proxy/kube-proxy")
        .expect("a stable id");
    assert_eq!(
        keys(one),
        [
            "acknowledged",
            "advice",
            "check",
            "evidence",
            "id",
            "severity",
            "standards",
            "status",
            "subject",
            "summary"
        ]
    );
    assert_eq!(
        keys(&one["subject"]),
        [
            "container",
            "container_id",
            "image",
            "kind",
            "namespace",
            "pod"
        ]
    );
    assert_eq!(
        keys(&one["evidence"][0]),
        ["path", "source", "value", "what"]
    );
    assert_eq!(
        (&one["severity"], &one["status"]),
        (&"high".into(), &"found".into())
    );
    let pod = list(&report, "pods")
        .iter()
        .find(|pod| pod["pod"] == "kube-proxy-7xk2p")
        .expect("its level");
    assert_eq!(
        keys(pod),
        ["level", "missing", "namespace", "next", "pod", "unknown"]
    );
    assert_eq!(
        (&pod["level"], &pod["next"]),
        (&"privileged".into(), &"baseline".into())
    );
}

#[rstest]
#[case(&["--demo"], 3, "privileged")]
#[case(&["--demo", "--fail-on", "critical"], 3, "runtime-socket")]
#[case(&["--demo", "--fail-on", "critical", "--exclude", "runtime-socket"], 0, "privileged")]
#[case(&["--demo", "--fail-on", "info", "--namespace", "shop"], 3, "secret-in-environment")]
#[case(
    &["--demo", "--exclude", "privileged", "--exclude", "host-pid", "--exclude", "host-path",
      "--exclude", "runtime-socket", "--exclude", "kubelet-read-only-port"],
    0, "runs-as-root"
)]
#[case(
    &["--demo", "--exclude", "kube-system/*", "--exclude", "monitoring/*", "--exclude", "ops/*",
      "--exclude", "kubelet-read-only-port"],
    0, "runs-as-root"
)]
#[case(&["--demo", "-o", "md"], 3, "| `privileged` |")]
#[case(&["--demo", "-o", "yaml"], 3, "check: privileged")]
#[case(&["--demo", "-o", "csv"], 3, "\"privileged:kube-system/kube-proxy/kube-proxy\",\"privileged\",\"high\"")]
#[case(&["--demo", "-o", "sarif"], 3, "\"version\": \"2.1.0\"")]
#[case(&["--demo", "--registry", "registry.shop.example"], 3, "image-registry")]
#[case(&["--checks"], 0, "| `privileged` | runs privileged | high | CIS 5.2.2;")]
fn forms_and_exit_codes(#[case] args: &[&str], #[case] code: i32, #[case] words: &str) {
    let output = audit(args);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let text = text(&output);
    assert!(text.contains(words), "{text}");
    for secret in ["hunter2", "correct-horse", "s3cr3t"] {
        assert!(!text.contains(secret), "a secret is told: {text}");
    }
}

#[rstest]
#[case(&["-r", "unix:///nonexistent"], 1, "/nonexistent")]
#[case(&["--demo", "-o", "xml"], 2, "sarif")]
#[case(&["--demo", "--fail-on", "bad"], 2, "critical")]
#[case(&["--demo", "--write-baseline"], 2, "--baseline")]
#[case(&["--demo", "--exclude", "privileges"], 2, "privileged is near")]
#[case(&["--demo", "--baseline", "/nonexistent"], 1, "baseline /nonexistent")]
#[case(&["--demo", "--baseline", "/dev/null"], 1, "is no regular file")]
fn what_cannot_be_done_is_one_line(#[case] args: &[&str], #[case] code: i32, #[case] words: &str) {
    let output = audit(args);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty());
    let line = String::from_utf8_lossy(&output.stderr);
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains(words), "{line}");
}

#[test]
fn what_is_in_the_baseline_is_told_and_does_not_count() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("known");
    let path = path.to_str().expect("UTF-8");
    let written = audit(&["--demo", "--baseline", path, "--write-baseline"]);
    assert_eq!(written.status.code(), Some(0), "{written:?}");
    let known = fs::read_to_string(path).expect("it was written");
    assert!(known.contains("privileged:kube-system/kube-proxy/kube-proxy # runs privileged\n"));
    let report = audit(&[
        "--demo",
        "--baseline",
        path,
        "--fail-on",
        "info",
        "-o",
        "json",
    ]);
    assert_eq!(report.status.code(), Some(0), "{report:?}");
    let report: Value = serde_json::from_slice(&report.stdout).expect("JSON");
    assert_eq!(report["counts"]["high"], 0);
    assert!(report["counts"]["acknowledged"].as_u64() > Some(50));
    // Without that one line it counts again.
    let shorter: Vec<&str> = known
        .lines()
        .filter(|line| !line.starts_with("host-pid:"))
        .collect();
    fs::write(path, shorter.join("\n") + "\nprivileged:gone/pod/x\n").expect("written");
    let output = audit(&["--demo", "--baseline", path]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "critui: 1 entries of the baseline belong to nothing any more\n"
    );
    fs::write(path, "privileged:a/b/c\nnonsense\n").expect("written");
    let output = audit(&["--demo", "--baseline", path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 2: \"nonsense\""));
}

#[test]
fn a_link_is_not_followed_for_writing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (there, link) = (folder.path().join("there"), folder.path().join("link"));
    fs::write(&there, "precious").expect("written");
    std::os::unix::fs::symlink(&there, &link).expect("a link");
    let link = link.to_str().expect("UTF-8");
    let output = audit(&["--demo", "--baseline", link, "--write-baseline"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(fs::read_to_string(&there).expect("there"), "precious");
}

#[test]
fn the_order_is_the_same_each_time() {
    let ids = || -> Vec<String> {
        let report = json(&["--demo", "-o", "json"]);
        let findings = list(&report, "findings");
        findings
            .iter()
            .map(|one| format!("{} {}", one["id"], one["subject"]["pod"]))
            .collect()
    };
    let first = ids();
    assert_eq!(first, ids());
    assert!(first.len() > 100);
}

/// The report without what each start of the simulated node makes anew.
fn golden(form: &str) -> String {
    let report = text(&audit(&["--demo", "-o", form]));
    let ids = regex::Regex::new("[0-9a-f]{64}").expect("a pattern");
    ids.replace_all(&report, "ID").into_owned()
}

#[rstest]
#[case("table")]
#[case("md")]
fn the_report_of_the_simulated_node(#[case] form: &str) {
    insta::assert_snapshot!(format!("audit-{form}"), golden(form));
}

#[test]
fn sarif_holds_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("known");
    fs::write(&path, "privileged:kube-system/kube-proxy/kube-proxy\n").expect("written");
    let path = path.to_str().expect("UTF-8");
    let log = json(&["--demo", "-o", "sarif", "--baseline", path]);
    assert_eq!(keys(&log), ["$schema", "runs", "version"]);
    assert_eq!(log["version"], "2.1.0");
    let runs = list(&log, "runs");
    assert_eq!(runs.len(), 1);
    let driver = &runs[0]["tool"]["driver"];
    assert_eq!(driver["name"], "critui");
    let rules = list(driver, "rules");
    for rule in rules {
        assert!(!rule["id"].as_str().expect("an id").is_empty());
        for part in ["shortDescription", "fullDescription", "help"] {
            assert!(rule[part]["text"].is_string(), "{rule}");
        }
        let level = rule["defaultConfiguration"]["level"].as_str();
        assert!(
            matches!(level, Some("error" | "warning" | "note")),
            "{rule}"
        );
    }
    let ids: std::collections::HashSet<&str> = rules
        .iter()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    assert_eq!(ids.len(), rules.len());
    let results = list(&runs[0], "results");
    for result in results {
        result_holds_together(result, rules);
    }
    let suppressed = results
        .iter()
        .filter(|one| one.get("suppressions").is_some());
    assert_eq!(suppressed.count(), 1);
}

fn result_holds_together(result: &Value, rules: &[Value]) {
    let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
    assert_eq!(rules[index]["id"], result["ruleId"]);
    assert!(
        !result["message"]["text"]
            .as_str()
            .expect("a message")
            .is_empty()
    );
    let kind = result["kind"].as_str().expect("a kind");
    let level = result["level"].as_str().expect("a level");
    match kind {
        "fail" => assert!(["error", "warning", "note"].contains(&level), "{result}"),
        // The standard demands it.
        _ => assert_eq!((kind, level), ("open", "none"), "{result}"),
    }
    assert!(result["partialFingerprints"]["critui/v1"].is_string());
    let locations = list(result, "locations");
    assert!(!locations.is_empty());
    for location in locations {
        let logical = &list(location, "logicalLocations")[0];
        assert!(logical["fullyQualifiedName"].is_string(), "{location}");
        assert!(logical["kind"].is_string(), "{location}");
        if let Some(physical) = location.get("physicalLocation") {
            let uri = physical["artifactLocation"]["uri"].as_str().expect("a URI");
            assert!(uri.starts_with("file:///"), "{uri}");
        }
    }
    for known in result
        .get("suppressions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        assert_eq!(known["kind"], "external");
        assert_eq!(known["status"], "accepted");
    }
}
