//! Statistics of containers that use a known amount.

use std::time::Duration;

use serde_json::Value;

use crate::CRITUI;
use crate::harness::{Node, node};
use crate::pods::Recipe;
use crate::snapshot::critui;
use crate::support::words::{UP, link_is};
use crate::support::{Program, Term};

/// For what takes a moment; generous, since the machine may be busy.
const SOON: Duration = Duration::from_secs(10);
/// For what grows until it is killed.
const LONG: Duration = Duration::from_secs(60);

/// What `critui top` says of a container.
fn top(node: &Node, id: &str) -> Value {
    let text = critui(node, &["top", "-o", "json"]);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let rows = report["containers"].as_array().expect("a list");
    let found = rows.iter().find(|row| row["id"] == id);
    found
        .unwrap_or_else(|| panic!("{id} is missing in {text}"))
        .clone()
}

/// The screen of statistics of the container `name` in the pod.
fn screen(node: &Node, pod: &str, name: &str) -> Term {
    let mut term = Program::new(CRITUI)
        .args(["-r".to_owned(), node.endpoint()])
        .size(120, 40)
        .spawn();
    term.wait_for("the pods", SOON, |screen| {
        link_is(screen, UP) && screen.contents().contains("1 Pods 1/20")
    });
    term.keys(&format!("/{pod}\r\r"));
    term.wait_for("its containers", SOON, |screen| {
        let text = screen.contents();
        text.contains(&format!("2 Containers of {pod}")) && text.contains(name)
    });
    term.keys(&format!("/{name}\r"));
    term.wait_for_text(&format!("/{name}"), SOON);
    term.keys("t");
    term.wait_for_text("Statistics of", SOON);
    term
}

#[test]
fn a_busy_loop_with_a_quota() {
    let node = node();
    let pod = node.pods.get("web-5");
    let id = pod.add(&node.cri, "busy", 0, Recipe::Busy);
    // The middle of three: the machine may be busy with something else.
    let mut rows: Vec<Value> = (0..3).map(|_| top(&node, &id)).collect();
    rows.sort_by_key(|row| row["cpu_millicores"].as_u64());
    let used = rows[1]["cpu_millicores"].as_u64().expect("CPU is known");
    println!("0.3 of a core by quota: {used}m");
    assert!((270..=330).contains(&used), "{}", rows[1]);
    assert_eq!(rows[1]["cpu_source"], "counter");
    assert_eq!(rows[1]["cpu_limit_millicores"], 300);
    let mut term = screen(&node, "web-5", "busy");
    term.wait_for("throttling", SOON, |screen| {
        let text = screen.contents();
        text.contains("of 300m") && text.contains("kept from running")
    });
    println!("{}", term.text());
    term.keys("\x03");
    node.cri.stop(&id, 0);
    node.cri.remove(&id);
}

#[test]
fn one_that_holds_64_mib() {
    let node = node();
    let pod = node.pods.get("web-6");
    let id = pod.add(&node.cri, "holder", 0, Recipe::Holder);
    let held = || top(&node, &id)["memory_working_set_bytes"].as_u64();
    let enough = crate::support::wait_until(SOON, || held() >= Some(64 << 20));
    let used = held().expect("memory is known");
    println!("64 MiB held: {used} bytes");
    let slack = (64 << 20) / 20;
    assert!(enough && used <= (64 << 20) + slack, "{used}");
    assert_eq!(top(&node, &id)["memory_limit_bytes"], Value::Null);
    node.cri.stop(&id, 0);
    node.cri.remove(&id);
}

#[test]
fn one_that_climbs_until_it_is_killed() {
    let node = node();
    let pod = node.pods.get("web-7");
    let id = pod.add(&node.cri, "climber", 0, Recipe::Climber);
    let mut term = screen(&node, "web-7", "climber");
    // While it lives, against its limit.
    term.wait_for_text("of 32.0MiB", SOON);
    term.wait_for("its end", LONG, |screen| {
        let text = screen.contents();
        text.contains("killed for it") && text.contains("peak")
    });
    let text = term.text();
    println!("{text}");
    assert!(text.contains("limit 32.0MiB"), "{text}");
    term.keys("\x03");
    node.cri.remove(&id);
}

#[test]
fn one_that_writes_files() {
    let node = node();
    let pod = node.pods.get("web-8");
    let id = pod.add(&node.cri, "writer", 0, Recipe::Writer);
    let written = || top(&node, &id)["writable_layer_bytes"].as_u64();
    // The runtime counts layers now and then.
    let enough = crate::support::wait_until(LONG, || written() >= Some(24 << 20));
    let size = written();
    println!("24 MiB written: {size:?} bytes");
    assert!(enough && size <= Some(26 << 20), "{size:?}");
    node.cri.stop(&id, 0);
    node.cri.remove(&id);
}

#[test]
fn pods_with_their_networks() {
    let node = node();
    let text = critui(&node, &["top", "--pods", "-o", "json", "--sort", "memory"]);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let pods = report["pods"].as_array().expect("a list");
    assert!(pods.len() >= 15, "{text}");
    let memory = |row: &Value| row["memory_working_set_bytes"].as_u64();
    assert!(
        pods.windows(2)
            .all(|two| memory(&two[0]) >= memory(&two[1]))
    );
    assert!(pods.iter().all(|row| memory(row).is_some()), "{text}");
    let network = |row: &&Value| row["network_received_bytes_per_second"].is_u64();
    assert!(pods.iter().filter(network).count() > 10, "{text}");
}
