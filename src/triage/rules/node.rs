//! The node: memory, disks, the runtime, the kubelet, the network of pods.

use crate::format::bytes;
use crate::stats::node::{Disk, NodeFiles, Threshold};
use crate::triage::facts::NodeFacts;
use crate::triage::verdict::{Evidence, Opinion, Rule};

/// A disk is full.
pub const DISK: Rule<NodeFacts> = Rule {
    id: "disk-pressure",
    means: "A disk is below the space at which the kubelet evicts pods, or close to it.",
    todo: "Find what is large: images nobody uses, logs, writable layers, emptyDir volumes.",
    judge: disk,
};
/// A disk has no inodes left.
pub const INODES: Rule<NodeFacts> = Rule {
    id: "inode-pressure",
    means: "A disk has hardly any inodes left: no file can be made, however much space is free.",
    todo: "Find folders with very many small files.",
    judge: inodes,
};
/// Memory is full.
pub const MEMORY: Rule<NodeFacts> = Rule {
    id: "memory-pressure",
    means: "The node's free memory is below that at which the kubelet evicts pods, or close to it.",
    todo: "See what uses it; pods without limits come first.",
    judge: memory,
};
/// The runtime is slow.
pub const SLOW: Rule<NodeFacts> = Rule {
    id: "runtime-slow",
    means: "The runtime takes longer than a second for an answer: the kubelet falls behind.",
    todo: "Look at the disk's and the CPU's pressure, and at the number of dead containers.",
    judge: slow,
};
/// The runtime is not ready.
pub const DOWN: Rule<NodeFacts> = Rule {
    id: "runtime-down",
    means: "The container runtime does not answer, or says that it is not ready.",
    todo: "See its service's status and log.",
    judge: down,
};
/// The network of pods is not ready.
pub const CNI: Rule<NodeFacts> = Rule {
    id: "cni-not-ready",
    means: "The network plugin is not set up: no new pod gets a network.",
    todo: "Is there a configuration in /etc/cni/net.d, and does the plugin's pod run here?",
    judge: cni,
};
/// No addresses left.
pub const ADDRESSES: Rule<NodeFacts> = Rule {
    id: "ip-exhausted",
    means: "All addresses for pods of this node are handed out: new pods get none.",
    todo: "Addresses of sandboxes that are no more can be freed; or the range is too small.",
    judge: addresses,
};
/// The kubelet does not run.
pub const KUBELET: Rule<NodeFacts> = Rule {
    id: "kubelet-down",
    means: "The kubelet does not run, or its health port does not say ok within a second.",
    todo: "See its service's status and log: nothing on this node is started or ended without it.",
    judge: kubelet,
};
/// Clocks do not agree.
pub const CLOCK: Rule<NodeFacts> = Rule {
    id: "clock-skewed",
    means: "The runtime tells times that lie ahead: the clock was set back, or differs.",
    todo: "Check time synchronisation: certificates and leases depend on it.",
    judge: clock,
};
/// Folders of pods that are gone.
pub const GHOST: Rule<NodeFacts> = Rule {
    id: "pod-left-behind",
    means: "A folder of a pod without a sandbox still has something mounted: it cannot be removed.",
    todo: "See what holds the mount; the kubelet says 'Orphaned pod' about it.",
    judge: ghost,
};

/// From here on an answer is slow, in milliseconds.
const SLOW_MS: u64 = 1000;
/// How far times may lie ahead, in seconds.
const AHEAD: i64 = 60;

fn files(facts: &NodeFacts) -> Option<&NodeFiles> {
    facts.files.as_ref().ok()
}

/// The threshold of `signal`, else what the kubelet has built in.
fn least(files: &NodeFiles, signal: &str, of: u64, default: u64) -> u64 {
    let set = files.thresholds.iter().find(|one| one.signal == signal);
    set.map_or(of * default / 1000, |set: &Threshold| set.least.of(of))
}

/// Which signal of the kubelet a disk belongs to.
fn signal(disk: &Disk, what: &str) -> String {
    let images = disk.holds.contains(&"images") && !disk.holds.contains(&"kubelet");
    format!("{}fs.{what}", if images { "image" } else { "node" })
}

fn path(disk: &Disk) -> &str {
    disk.paths.first().map_or("/", |path| path.as_str())
}

fn disk(facts: &NodeFacts) -> Option<Opinion> {
    let files = files(facts)?;
    let short = |disk: &&Disk| {
        disk.size > 0 && disk.available < least(files, &signal(disk, "available"), disk.size, 100)
    };
    let disk = files.disks.iter().find(short)?;
    let left = least(files, &signal(disk, "available"), disk.size, 100);
    let holds = disk.holds.join(", ");
    let line = format!(
        "the disk with {holds} has {} left of {}; below {} the kubelet evicts pods",
        bytes(disk.available),
        bytes(disk.size),
        bytes(left)
    );
    let evidence = Evidence::new("space left", bytes(disk.available), path(disk));
    let du = format!("du -xh -d2 {} | sort -h | tail", path(disk));
    Some(
        Opinion::proven(line)
            .with([evidence])
            .next(du)
            .next("crictl rmi --prune"),
    )
}

fn inodes(facts: &NodeFacts) -> Option<Opinion> {
    let files = files(facts)?;
    let short = |disk: &&Disk| {
        disk.inodes > 0
            && disk.inodes_free < least(files, &signal(disk, "inodesFree"), disk.inodes, 50)
    };
    let disk = files.disks.iter().find(short)?;
    let line = format!(
        "the disk with {} has {} inodes left of {}",
        disk.holds.join(", "),
        disk.inodes_free,
        disk.inodes
    );
    let evidence = Evidence::new("inodes left", disk.inodes_free.to_string(), path(disk));
    let du = format!("du --inodes -x -d2 {} | sort -n | tail", path(disk));
    Some(Opinion::proven(line).with([evidence]).next(du))
}

fn memory(facts: &NodeFacts) -> Option<Opinion> {
    let files = files(facts)?;
    let memory = files.memory?;
    let set = files
        .thresholds
        .iter()
        .find(|one| one.signal == "memory.available");
    let least = set.map_or(100 << 20, |set| set.least.of(memory.total));
    if memory.available >= least {
        return None;
    }
    let line = format!(
        "the node has {} of memory left; below {} the kubelet evicts pods",
        bytes(memory.available),
        bytes(least)
    );
    let evidence = Evidence::new("MemAvailable", bytes(memory.available), "/proc/meminfo");
    Some(
        Opinion::proven(line)
            .with([evidence])
            .next("critui top --sort memory"),
    )
}

fn slow(facts: &NodeFacts) -> Option<Opinion> {
    let (call, took) = facts.slow_calls.iter().max_by_key(|(_, took)| *took)?;
    if *took < SLOW_MS {
        return None;
    }
    let line = format!("the runtime takes {took} ms for {call}");
    let evidence = Evidence::new(call.as_str(), format!("{took} ms"), "measured here");
    Some(
        Opinion::likely(line)
            .with([evidence])
            .next("cat /proc/pressure/io /proc/pressure/cpu"),
    )
}

fn down(facts: &NodeFacts) -> Option<Opinion> {
    let step = "systemctl status containerd crio docker";
    let conditions = match &facts.conditions {
        Ok(conditions) => conditions,
        Err(why) => {
            let evidence = Evidence::new("Status", why, "the runtime's socket");
            return Some(
                Opinion::proven("the runtime does not answer")
                    .with([evidence])
                    .next(step),
            );
        }
    };
    let ready = conditions
        .iter()
        .find(|one| one.name == "RuntimeReady" && !one.ok)?;
    let evidence = Evidence::new("RuntimeReady", &ready.why, "Status");
    let line = format!("the runtime says that it is not ready: {}", ready.why);
    Some(Opinion::proven(line).with([evidence]).next(step))
}

fn cni(facts: &NodeFacts) -> Option<Opinion> {
    let conditions = facts.conditions.as_ref().ok()?;
    let network = conditions
        .iter()
        .find(|one| one.name == "NetworkReady" && !one.ok)?;
    let evidence = Evidence::new("NetworkReady", &network.why, "Status");
    let files = match &facts.networks {
        Ok(count) => Evidence::new("configurations", count.to_string(), "/etc/cni/net.d"),
        Err(why) => Evidence::new(
            "configurations",
            format!("not seen: {why}"),
            "/etc/cni/net.d",
        ),
    };
    let line = format!("no new pod gets a network: {}", network.why);
    let opinion = Opinion::proven(line).with([evidence, files]);
    Some(
        opinion
            .next("ls -l /etc/cni/net.d /opt/cni/bin")
            .next("crictl info"),
    )
}

fn addresses(facts: &NodeFacts) -> Option<Opinion> {
    let full = facts
        .ranges
        .iter()
        .find(|range| range.size > 0 && range.used >= range.size)?;
    let line = format!(
        "all {} addresses of network {} are handed out, {} of them to sandboxes that are no more",
        full.size, full.network, full.leaked
    );
    let value = format!("{} of {}", full.used, full.size);
    let evidence = Evidence::new("addresses", value, &full.path);
    Some(
        Opinion::proven(line)
            .with([evidence])
            .next(format!("ls {}", full.path)),
    )
}

fn kubelet(facts: &NodeFacts) -> Option<Opinion> {
    let kubelet = &facts.kubelet;
    if !kubelet.expected {
        return None;
    }
    let (line, evidence) = match (&kubelet.process, &kubelet.health) {
        (Some(false), _) => (
            "no kubelet runs on this node",
            Evidence::new("process", "none is called kubelet, k3s or rke2", "/proc"),
        ),
        (_, Some(Err(why))) => (
            "the kubelet does not say that it is well",
            Evidence::new("healthz", why, "http://127.0.0.1:10248/healthz"),
        ),
        _ => return None,
    };
    let opinion = Opinion::proven(line).with([evidence]);
    Some(
        opinion
            .next("systemctl status kubelet")
            .next("journalctl -u kubelet -n 50"),
    )
}

fn clock(facts: &NodeFacts) -> Option<Opinion> {
    let newest = facts.newest?;
    let ahead = newest.as_second() - facts.now.as_second();
    if ahead < AHEAD {
        return None;
    }
    let line = format!("the runtime tells times that lie {ahead} s ahead of this clock");
    let evidence = Evidence::new("newest time", newest.to_string(), "ListContainers");
    Some(
        Opinion::likely(line)
            .with([evidence.at(Some(facts.now))])
            .next("timedatectl"),
    )
}

fn ghost(facts: &NodeFacts) -> Option<Opinion> {
    let (uid, mount) = facts.ghosts.first()?;
    let count = facts.ghosts.len();
    let line =
        format!("{count} mounts of pods that have no sandbox are left, the first of pod {uid}");
    let all = facts.ghosts.iter().take(5);
    let evidence = all
        .map(|(uid, mount)| Evidence::new("mount", mount, format!("/proc/1/mountinfo, pod {uid}")));
    let fuser = format!("fuser -vm {}", crate::triage::verdict::word(mount.as_str()));
    Some(Opinion::likely(line).with(evidence).next(fuser))
}
