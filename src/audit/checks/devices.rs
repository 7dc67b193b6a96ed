//! Devices of the node.

use super::Check;
use crate::audit::facts::{CONTAINER_STATUS, ContainerFacts, Seen};
use crate::audit::finding::{Evidence, Opinion, Rule, Severity};

/// Beginnings of devices that hold the node's memory or disks.
const RAW: [&str; 9] = [
    "/dev/mem",
    "/dev/kmem",
    "/dev/port",
    "/dev/sd",
    "/dev/nvme",
    "/dev/vd",
    "/dev/xvd",
    "/dev/dm-",
    "/dev/mapper",
];
/// What every container has, where a runtime lists it.
const USUAL: [&str; 9] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/console",
    "/dev/fd",
];

pub static DEVICE: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "device",
        title: "uses a device of the node",
        severity: Severity::Medium,
        level: None,
        cis: &["5.6.3"],
        nsa: "Pod security enforcement",
        advice: "Give devices by a device plugin, and only those that are needed.",
    },
    judge,
};

fn judge(facts: &ContainerFacts) -> Seen<Vec<Opinion>> {
    let spec = facts.spec()?;
    if facts.is_privileged() {
        return Ok(vec![]);
    }
    let one = |(place, path): (usize, &crate::text::Text)| {
        let device = path.as_str();
        if USUAL.contains(&device) {
            return None;
        }
        let raw = RAW.iter().any(|start| device.starts_with(start));
        let severity = if raw {
            Severity::Critical
        } else {
            Severity::Medium
        };
        let at = format!(".info.runtimeSpec.linux.devices[{place}]");
        let evidence = Evidence::told(CONTAINER_STATUS, &at, "device", device);
        let words = format!("can use the node's {device}");
        Some(
            Opinion::new(words, evidence)
                .severity(severity)
                .about(device),
        )
    };
    Ok(spec.devices.iter().enumerate().filter_map(one).collect())
}
