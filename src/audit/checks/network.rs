//! Ports of the node, and kernel parameters.

use super::Check;
use crate::audit::facts::{CONTAINER_STATUS, ContainerFacts, PodFacts, Seen};
use crate::audit::finding::{Evidence, Level, Opinion, Rule, Severity};
use crate::text::Text;

/// Parameters that concern the pod alone, by the level baseline.
const SAFE: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

pub static HOST_PORT: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "host-port",
        title: "takes a port of the node",
        severity: Severity::Low,
        level: Some((Level::Baseline, "Host Ports")),
        cis: &["5.2.12"],
        nsa: "Network policies",
        advice: "Publish it by a Service in place of hostPort.",
    },
    judge: |facts| {
        let one = |port: &u16| {
            let path = ".status.annotations";
            let evidence = Evidence::told(CONTAINER_STATUS, path, "hostPort", port.to_string());
            let words = format!("port {port} of the node leads to it");
            Opinion::new(words, evidence).about(port.to_string())
        };
        Ok(facts.host_ports.iter().map(one).collect::<Vec<Opinion>>()) as Seen<_>
    },
};

pub static SYSCTL: Check<PodFacts> = Check {
    rule: Rule {
        id: "sysctl",
        title: "sets kernel parameters that are not known to be safe",
        severity: Severity::Medium,
        level: Some((Level::Baseline, "Sysctls")),
        cis: &["5.6.3"],
        nsa: "Pod security enforcement",
        advice: "Take the parameter out of securityContext.sysctls.",
    },
    judge: |facts| {
        let told = facts.told.as_ref().map_err(Text::clone)?;
        let sysctls = told.sysctls.as_ref();
        let sysctls =
            sysctls.ok_or_else(|| Text::from("the runtime tells no kernel parameters"))?;
        let unsafe_ones = sysctls.iter().filter(|name| !SAFE.contains(&name.as_str()));
        let one = |name: &Text| {
            let path = ".info";
            let evidence = Evidence::told("PodSandboxStatus", path, "sysctl", name.as_str());
            Opinion::new(format!("sets the kernel parameter {name}"), evidence).about(name.as_str())
        };
        Ok(unsafe_ones.map(one).collect())
    },
};
