//! What a user does to learn why something is wrong. Keys through the real loop against the
//! simulated node.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/typing.rs"]
mod typing;

use std::time::Duration;

use flow::{Start, each, flow, opened};

#[test]
fn every_kind_of_trouble_gets_its_verdict() {
    each(
        &Start {
            size: (120, 60),
            ..Start::default()
        },
        &[
            ("/report-worker<Enter>w", "command-not-found (proven)"),
            ("/cache-0<Enter>w", "oom-container-limit (proven)"),
            ("/payments<Enter>w", "app-error (likely)"),
            ("/config-sync<Enter>w", "exits-zero-restarts (likely)"),
            ("/recommender<Enter>w", "image-pull-failing (proven)"),
            ("/soap-bridge<Enter>w", "stuck-terminating (proven)"),
            ("/coredns<Enter>w", "Nothing is wrong as far as can be seen"),
            ("/payments<Enter><Enter>w", "app-error (likely)"),
            ("/payments<Enter>dw", "app-error (likely)"),
            ("/payments<Enter>tw", "app-error (likely)"),
        ],
        |flow, (keys, words)| flow.types(keys).sees(words),
    );
}

#[test]
fn the_verdict_stands_on_what_was_seen() {
    let start = Start {
        size: (120, 70),
        ..Start::default()
    };
    opened(&start)
        .types("/payments<Enter>w")
        .sees("password authentication failed")
        .sees("Attempts (7 restarts)")
        .sees("next restart expected in ~")
        .sees("384MiB")
        .sees("▶ org.postgresql.util.PSQLException: FATAL")
        .sees("ContainerStatus")
        .sees("critui logs shop/payments-")
        .sees("CrashLoopBackOff")
        .misses("hunter2")
        .types("q<Esc>/cache-0<Enter>w")
        .sees("until it was started again");
}

#[test]
fn one_key_leads_on_from_it() {
    flow("/payments<Enter>w")
        .sees("app-error")
        .types("l")
        .sees("Logs payments-")
        .sees("PSQLException")
        .types("qt")
        .sees("Statistics of")
        .types("qc")
        .sees("copied")
        .types("C")
        .sees("copied")
        .types("y")
        .sees("> YAML payments-")
        .types("q")
        .sees("app-error");
}

#[test]
fn what_the_node_has_logged_and_what_is_configured() {
    flow("/payments<Enter>wn")
        .sees("Node log about shop/payments-")
        .sees("CrashLoopBackOff")
        .misses("ErrImagePull")
        .types("/nothing of the kind<Enter>")
        .sees("nothing that is looked for")
        .types("<Esc>")
        .sees("CrashLoopBackOff")
        .types("R")
        .sees("CrashLoopBackOff")
        .types("qm")
        .sees("Configuration of shop/payments-")
        .sees("configmap settings: application.yaml")
        .sees("provider: https://api.psp.example/v2")
        .sees("secret db: password")
        .misses("hunter2")
        .types("q<Esc><Esc><Esc>nl")
        .sees("> Node log")
        .sees("ErrImagePull")
        .types("/~kernel.*oom-kill<Enter>")
        .sees("oom-kill")
        .misses("ErrImagePull");
    flow("/coredns<Enter>wm").sees("no ConfigMap or Secret is mounted into this pod");
}

#[test]
fn what_differs_from_the_attempt_before() {
    flow("/cache-0<Enter>w")
        .sees("oom-container-limit")
        .types("=")
        .sees("cache-0/redis #3, the attempt before");
}

#[test]
fn it_follows_what_happens() {
    opened(&Start {
        size: (120, 60),
        ..Start::default()
    })
    .types("/cache-0<Enter>w")
    .sees("Attempts (4 restarts)")
    .passes(Duration::from_secs(400))
    .sees("Attempts (6 restarts)");
}
