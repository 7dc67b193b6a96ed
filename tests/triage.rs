//! `critui triage` on the simulated node: its shape, its forms, its exit codes.

use std::process::{Command, Output};

use rstest::rstest;
use serde_json::Value;

fn triage(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_critui"))
        .args(["triage", "--read-only"])
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

#[test]
fn the_shape_is_stable() {
    let output = triage(&["--demo", "-o", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let report: Value = serde_json::from_str(&text(&output)).expect("JSON");
    assert_eq!(keys(&report), ["findings", "node"]);
    assert_eq!(report["node"], serde_json::json!([]));
    let findings = report["findings"].as_array().expect("a list");
    let of = |id: &str| findings.iter().find(|one| one["id"] == id).expect(id);
    let finding = of("oom-container-limit");
    assert_eq!(
        keys(finding),
        [
            "confidence",
            "evidence",
            "exit_code",
            "id",
            "next_steps",
            "others",
            "restarts",
            "subject",
            "summary"
        ]
    );
    let subject = &finding["subject"];
    assert_eq!(
        keys(subject),
        ["container", "container_id", "namespace", "pod"]
    );
    assert_eq!(
        (&subject["namespace"], &subject["pod"]),
        (&"shop".into(), &"cache-0".into())
    );
    assert_eq!(
        (&finding["confidence"], &finding["exit_code"]),
        (&"proven".into(), &137.into())
    );
    let evidence = &finding["evidence"][0];
    assert_eq!(keys(evidence), ["source", "time", "value", "what"]);
    assert_eq!(evidence["source"], "/dev/kmsg");
    let ids: Vec<&str> = findings
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "stuck-terminating",
            "command-not-found",
            "oom-container-limit",
            "image-pull-failing",
            "exits-zero-restarts",
            "app-error",
        ]
    );
}

#[rstest]
#[case(&["--demo=calm"], 0, "nothing is wrong as far as can be seen")]
#[case(&["--demo=calm", "-o", "md"], 0, "Nothing is wrong as far as can be seen.")]
#[case(&["--demo=calm", "-o", "json"], 0, "\"findings\": []")]
#[case(&["--demo", "-o", "md"], 3, "## shop/cache-0/redis (restarted 4 times)")]
#[case(&["--demo"], 3, "oom-container-limit (proven): killed for memory")]
#[case(&["--verdicts"], 0, "| `oom-container-limit` |")]
fn forms_and_exit_codes(#[case] args: &[&str], #[case] code: i32, #[case] words: &str) {
    let output = triage(args);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let text = text(&output);
    assert!(text.contains(words), "{text}");
    assert!(!text.contains("hunter2"), "a secret is told: {text}");
}

#[rstest]
#[case(&["-r", "unix:///nonexistent"], 1)]
#[case(&["--demo", "-o", "xml"], 2)]
#[case(&["--demo", "--verdicts", "-w"], 2)]
fn what_cannot_be_done_is_one_line(#[case] args: &[&str], #[case] code: i32) {
    let output = triage(args);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty());
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
}

#[test]
fn a_runtime_that_hangs_is_a_finding_and_one_that_is_not_there_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("runtime.sock");
    let endpoint = format!("unix://{}", socket.display());
    let ask = |form: &str| {
        let args = [
            "--runtime-endpoint",
            &endpoint,
            "--timeout",
            "1s",
            "-o",
            form,
        ];
        triage(&args)
    };
    let missing = ask("json");
    assert_eq!(missing.status.code(), Some(1), "{missing:?}");
    // It takes connections, and that is all.
    let _hangs = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    let hangs = ask("json");
    assert_eq!(hangs.status.code(), Some(3), "{hangs:?}");
    let report: Value = serde_json::from_str(&text(&hangs)).expect("JSON");
    let node = report["node"].as_array().expect("a list");
    let down = node.iter().find(|one| one["id"] == "runtime-down");
    assert_eq!(down.expect("a verdict")["confidence"], "proven");
    let yaml: Value = serde_yaml::from_str(&text(&ask("yaml"))).expect("YAML");
    assert_eq!(keys(&yaml), ["findings", "node"]);
}
