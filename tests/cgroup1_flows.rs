//! A node with cgroup v1 is as well told as one with v2: keys through the real loop against the
//! simulated node.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/typing.rs"]
mod typing;

use flow::{Flow, Start, opened};

fn old(size: (u16, u16)) -> Flow {
    opened(&Start {
        scenario: "node,cgroup=v1",
        size,
        ..Start::default()
    })
}

#[test]
fn a_kill_for_memory_is_proven() {
    old((120, 70))
        .types("/cache-0<Enter>w")
        .sees("oom-container-limit (proven)")
        .sees("killed for memory: the container reached its limit of 64.0MiB")
        .sees("memory.limit_in_bytes")
        .sees("memory.max_usage_in_bytes")
        .sees("cri-containerd-")
        .misses("memory.peak");
}

#[test]
fn other_verdicts_do_not_depend_on_it() {
    let cases = [
        ("/report-worker<Enter>w", "command-not-found (proven)"),
        ("/coredns<Enter>w", "Nothing is wrong as far as can be seen"),
    ];
    for (keys, words) in cases {
        old((120, 60)).types(keys).sees(words);
    }
}

#[test]
fn statistics_have_all_that_version_1_tells() {
    old((200, 50))
        .types("/orders<Enter>t")
        .sees("> whole pod")
        .sees("no limit")
        .types("j")
        .sees("> log-shipper")
        .sees("of 32.0MiB")
        .sees("peak");
}

#[test]
fn the_header_and_the_node() {
    old((120, 50))
        .sees("6 in trouble")
        .types("n")
        .sees("waiting for memory")
        .sees("the kubelet evicts below");
}

#[test]
fn the_cgroups_are_those_of_version_1() {
    let flow = old((80, 24));
    let root = flow.demo.host_root().join("sys/fs/cgroup");
    assert!(!root.join("cgroup.controllers").exists());
    for controller in ["cpu", "cpuacct", "memory", "pids", "blkio", "systemd"] {
        assert!(root.join(controller).join("kubepods.slice").is_dir());
    }
}
