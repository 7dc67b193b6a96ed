//! What a user does to read everything about a thing: the summary in sections, the tree, what
//! differs, what has happened. Keys through the real loop against the simulated node.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/typing.rs"]
mod typing;

use std::time::Duration;

use flow::{Start, each, flow, opened};

/// The value of a variable of the simulated node that nobody may see.
const SECRET: &str = "s3cr3t";

/// The summary of the container in trouble of a pod.
fn container_of(pod: &str) -> String {
    format!("/{pod}<Enter><Enter>d")
}

#[test]
fn the_summary_has_everything_in_sections() {
    let start = Start {
        size: (120, 120),
        ..Start::default()
    };
    opened(&start)
        .types(&container_of("payments"))
        .sees("Image as asked for")
        .sees("java -XX:MaxRAMPercentage=75 -jar /app/payments.jar")
        .sees("jdbc:postgresql://db.shop.svc:5432/payments")
        .sees("<masked>")
        .misses(SECRET)
        .sees("/etc/hosts (rw) from the kubelet")
        .sees("8080/TCP http")
        .sees("384MiB")
        .sees("burstable")
        .sees("privileged")
        .sees("seconds to stop in")
        .sees("ReplicaSet payments-");
}

#[test]
fn the_tree_folds_searches_and_copies() {
    let tree = container_of("payments") + "y";
    flow(&tree)
        .sees("YAML payments")
        .sees("status:")
        .types("/DB_PASSWORD<Enter>")
        .sees(".info.config.envs[2]")
        .sees("match")
        .misses(SECRET)
        .types("c")
        .sees("copied")
        .types("C")
        .sees("copied")
        .types("J")
        .sees("\"key\": \"DB_PASSWORD\"")
        .misses(SECRET)
        .types("<Esc>gJ-")
        .sees("annotations: {")
        .types("q")
        .sees("Status");
}

#[test]
fn a_masked_value_is_not_found() {
    let tree = container_of("payments") + "y";
    flow(&tree)
        .sees("status:")
        .types(&format!("/{SECRET}<Enter>"))
        .sees("nothing here matches")
        .types("/~masked<Enter>")
        .sees("nothing here matches");
}

#[test]
fn one_masked_value_is_revealed_for_a_moment() {
    let keys = container_of("payments") + "y";
    flow(&keys)
        .sees("status:")
        .types("x")
        .sees("nothing is masked on this line")
        .types("/DB_PASSWORD<Enter>jx")
        .sees(SECRET)
        .types("c")
        .misses(SECRET)
        .sees("copied")
        .types("x")
        .sees(SECRET)
        .passes(Duration::from_secs(9))
        .misses(SECRET);
}

#[test]
fn read_only_reveals_nothing() {
    let start = Start {
        read_only: true,
        ..Start::default()
    };
    opened(&start)
        .types(&(container_of("payments") + "y/DB_PASSWORD<Enter>jx"))
        .sees("reveal: this run is read-only")
        .misses(SECRET);
}

#[test]
fn what_differs_and_from_what() {
    each(
        &Start::default(),
        &[
            ("/web-7d9c5b8f6d-4<Enter>=", "of the same owner, and well"),
            ("2*=", "nothing to compare with"),
            ("3 j=", "which is marked"),
        ],
        |flow, (keys, words)| flow.types(keys).sees(words),
    );
}

#[test]
fn pods_images_and_the_runtime() {
    each(
        &Start {
            size: (120, 100),
            ..Start::default()
        },
        &[
            ("/coredns<Enter>d", "10.96.0.10"),
            ("/coredns<Enter>d", "via 10.244.3.1"),
            ("/coredns<Enter>d", "ReplicaSet coredns-"),
            ("/haproxy<Enter>d", "a manifest in a folder of this node"),
            ("3d", "History (1), the oldest first"),
            ("3y", "YAML docker.io/calico/cni"),
            ("I", "RuntimeReady"),
            ("Iy", "YAML runtime"),
            ("Iy", "containerdRootDir"),
        ],
        |flow, (keys, words)| flow.types(keys).sees(words),
    );
}

#[test]
fn what_has_happened() {
    let start = Start {
        size: (120, 40),
        ..Start::default()
    };
    opened(&start)
        .types("v")
        .sees("nothing has changed since critui started")
        .passes(Duration::from_secs(300))
        .sees("started")
        .sees("exited")
        .sees("exit 1 Error")
        .sees("most ")
        .types("/nothing-like-that<Enter>")
        .sees("nothing that is looked for")
        .types("<Esc>")
        .sees("exit 1 Error")
        .types("o")
        .sees("Events of ")
        .types("<Esc>/created<Enter>G<Enter>")
        .sees("Status");
}
