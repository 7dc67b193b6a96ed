//! The node itself: its control plane, CPU, memory, pressure, disks, and its runtime.

use super::Cx;
use crate::format::{age, bytes};
use crate::model::node::{Health, Latency};
use crate::stats::cgroup::Pressure;
use crate::stats::node::{NodeFiles, NodeMemory, Threshold};
use crate::text::Text;
use crate::theme::Role;
use crate::widgets::page::Doc;

mod disks;
mod plane;

use disks::{disks, fills};
use plane::control_plane;

/// Cells of a bar.
const BAR: usize = 24;
/// From here on something full is worth a colour, in percent.
const FULL: u64 = 85;
/// The page.
pub fn page(cx: &Cx) -> Doc {
    let mut doc = Doc::default();
    let look = &cx.model.node_look;
    let files = look.seen.files.as_ref();
    let known = files.and_then(|files| files.as_ref().ok());
    control_plane(cx, known, look.plane.as_ref(), &mut doc);
    doc.title("Node");
    match files {
        None => {
            doc.text("looking", Role::Dim);
        }
        Some(Err(why)) => {
            doc.text(why.as_str(), Role::Bad);
        }
        Some(Ok(files)) => resources(cx, files, look.busy, &mut doc),
    }
    used(cx, &mut doc);
    if let Some(files) = known {
        disks(cx, files, &mut doc);
    }
    fills(cx, known, &mut doc);
    runtime(cx, look.seen.health.as_ref(), &mut doc);
    calls(&look.seen.latencies, &mut doc);
    doc
}

fn resources(cx: &Cx, files: &NodeFiles, busy: Option<u64>, doc: &mut Doc) {
    if let Some(up) = files.uptime {
        doc.fact("up", age(up));
    }
    let load = files
        .load
        .as_ref()
        .map_or_else(String::new, |load| format!(", load {load}"));
    match busy {
        Some(busy) => {
            let text = format!(
                "{} {}.{}% of {} cores{load}",
                bar(cx, busy, 1000),
                busy / 10,
                busy % 10,
                files.cores
            );
            doc.fact_as(
                "CPU",
                text,
                if busy >= 900 { Role::Warn } else { Role::Text },
            );
        }
        None => {
            doc.fact("CPU", format!("{} cores{load}", files.cores));
        }
    }
    match &files.memory {
        Some(memory) => self::memory(cx, memory, &files.thresholds, doc),
        None => {
            doc.fact_as(
                "memory",
                "not known: /proc/meminfo cannot be read",
                Role::Dim,
            );
        }
    }
    for (what, pressure) in ["CPU", "memory", "disks"].into_iter().zip(files.pressure) {
        let name = format!("waiting for {what}");
        match pressure {
            Some(Pressure { some, full }) => {
                let role = if some >= 3000 { Role::Warn } else { Role::Text };
                let share = |share: u32| format!("{}.{:02}%", share / 100, share % 100);
                let text = format!("some task {} of the time, all {}", share(some), share(full));
                doc.fact_as(name, text, role);
            }
            None => {
                doc.fact_as(name, "not known: the kernel does not tell", Role::Dim);
            }
        }
    }
    if let Some(why) = &files.no_thresholds {
        doc.fact_as("kubelet evicts", format!("not known: {why}"), Role::Dim);
    }
}

fn memory(cx: &Cx, memory: &NodeMemory, thresholds: &[Threshold], doc: &mut Doc) {
    let used = memory.total.saturating_sub(memory.available);
    let share = used * 100 / memory.total.max(1);
    let text = format!(
        "{} {} of {} ({share}%), {} available",
        bar(cx, used, memory.total),
        bytes(used),
        bytes(memory.total),
        bytes(memory.available)
    );
    let (line, reached) = threshold(
        thresholds,
        "memory.available",
        memory.total,
        memory.available,
    );
    let role = match (reached, share) {
        (true, _) => Role::Bad,
        (false, FULL..) => Role::Warn,
        _ => Role::Text,
    };
    doc.fact_as("memory", text + &line, role);
    let (swap, free) = memory.swap;
    if swap > 0 {
        doc.fact(
            "swap",
            format!("{} of {}", bytes(swap.saturating_sub(free)), bytes(swap)),
        );
    }
}

/// Where the kubelet evicts, in words, and whether that is reached.
fn threshold(all: &[Threshold], signal: &str, total: u64, left: u64) -> (String, bool) {
    let Some(found) = all.iter().find(|threshold| threshold.signal == *signal) else {
        return (String::new(), false);
    };
    let least = found.least.of(total);
    let default = if found.default { ", by default" } else { "" };
    let least_text = if signal.ends_with("inodesFree") {
        least.to_string()
    } else {
        bytes(least)
    };
    (
        format!("; the kubelet evicts below {least_text}{default}"),
        left < least,
    )
}

/// What all containers use together.
fn used(cx: &Cx, doc: &mut Doc) {
    let rows = cx.model.store.container_rows();
    let (mut cpu, mut memory, mut known) = (0_u64, 0_u64, 0_u64);
    for row in rows {
        let load = row.load.get();
        cpu = cpu.saturating_add(load.cpu.unwrap_or(0));
        memory = memory.saturating_add(load.memory.unwrap_or(0));
        known += u64::from(load.memory.is_some());
    }
    if known > 0 {
        doc.fact(
            "containers use",
            format!(
                "{cpu}m CPU and {} of memory, {known} of them",
                bytes(memory)
            ),
        );
    }
    let counts = &cx.model.home.counts;
    doc.fact("pods", counts.pods.to_string())
        .fact("containers", counts.containers.to_string());
}

fn runtime(cx: &Cx, health: Option<&Result<Health, Text>>, doc: &mut Doc) {
    doc.title("Runtime");
    if let Some(version) = &cx.model.node.version {
        doc.fact("version", format!("{} {}", version.name, version.version));
    }
    doc.fact("endpoint", cx.model.node.endpoint.as_str());
    let health = match health {
        None => return,
        Some(Err(why)) => {
            doc.fact_as("status", why.as_str(), Role::Bad);
            return;
        }
        Some(Ok(health)) => health,
    };
    for condition in &health.conditions {
        let (word, role) = if condition.holds {
            ("yes", Role::Good)
        } else {
            ("no", Role::Bad)
        };
        let why = [&condition.reason, &condition.message];
        let why: Vec<&str> = why.into_iter().flatten().map(Text::as_str).collect();
        let why = if condition.holds || why.is_empty() {
            String::new()
        } else {
            format!(": {}", why.join(", "))
        };
        doc.fact_as(condition.kind.as_str(), format!("{word}{why}"), role);
    }
    if let Some(cni) = &health.cni {
        let role = if cni.as_str() == "OK" {
            Role::Good
        } else {
            Role::Bad
        };
        doc.fact_as("CNI configuration", cni.as_str(), role);
    }
    if !health.networks.is_empty() {
        let names: Vec<&str> = health.networks.iter().map(Text::as_str).collect();
        doc.fact("CNI networks", names.join(", "));
    }
    if let Some(systemd) = health.systemd {
        doc.fact(
            "cgroup driver",
            if systemd { "systemd" } else { "cgroupfs" },
        );
    }
}

/// How long the runtime takes to answer us.
fn calls(latencies: &[Latency], doc: &mut Doc) {
    if latencies.is_empty() {
        return;
    }
    doc.title("How long the runtime takes to answer critui");
    let head = format!(
        "{:24} {:>7} {:>6} {:>9} {:>9}",
        "CALL", "ASKED", "FAILED", "P50", "P99"
    );
    doc.text(head, Role::Dim);
    for one in latencies {
        let ms = |took: std::time::Duration| {
            let micros = took.as_micros();
            format!("{}.{}ms", micros / 1000, micros % 1000 / 100)
        };
        let (count, failed) = one.count;
        let slow = one.p99.as_millis() >= 500;
        let line = format!(
            "{:24} {count:>7} {failed:>6} {:>9} {:>9}",
            one.call,
            ms(one.p50),
            ms(one.p99)
        );
        doc.text(line, if slow { Role::Warn } else { Role::Text });
        if let Some((took, about)) = &one.slowest {
            let about = about
                .as_ref()
                .map_or_else(String::new, |id| format!(", of {id}"));
            doc.text(format!("    slowest {}{about}", ms(*took)), Role::Warn);
        }
    }
}

fn bar(cx: &Cx, used: u64, all: u64) -> String {
    let full = u128::from(used) * BAR as u128 / u128::from(all.max(1));
    let full = usize::try_from(full).unwrap_or(BAR).min(BAR);
    let (on, off) = if cx.theme.unicode() {
        ("█", "░")
    } else {
        ("#", "-")
    };
    on.repeat(full) + &off.repeat(BAR - full)
}
