//! What filters and profiles hold a container.

use super::Check;
use crate::audit::facts::{CONTAINER_STATUS, ContainerFacts, Seen};
use crate::audit::finding::{Evidence, Level, Opinion, Rule, Severity};
use crate::text::Text;

const NSA: &str = "Hardening container environments";

pub static SECCOMP: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "seccomp-unconfined",
        title: "may use every system call",
        severity: Severity::Medium,
        level: Some((Level::Restricted, "Seccomp")),
        cis: &["5.6.2"],
        nsa: NSA,
        advice: "Set securityContext.seccompProfile.type to RuntimeDefault, or seccompDefault in \
                 the kubelet's configuration.",
    },
    judge: |facts| {
        if facts.spec()?.seccomp || facts.is_privileged() {
            return Ok(vec![]);
        }
        let path = ".info.runtimeSpec.linux.seccomp";
        let evidence = Evidence::told(CONTAINER_STATUS, path, "seccomp", "none");
        Ok(vec![Opinion::new(
            "no seccomp profile: it may use every system call",
            evidence,
        )])
    },
};

pub static APPARMOR: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "apparmor-unconfined",
        title: "no AppArmor profile holds it",
        severity: Severity::Medium,
        level: Some((Level::Baseline, "AppArmor")),
        cis: &["5.6.3"],
        nsa: NSA,
        advice: "Leave the AppArmor profile to the runtime, or name one; do not set it to \
                 Unconfined.",
    },
    judge: apparmor,
};

pub static SELINUX: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "selinux-unconfined",
        title: "SELinux does not hold it",
        severity: Severity::Medium,
        level: Some((Level::Baseline, "SELinux")),
        cis: &["5.6.3"],
        nsa: NSA,
        advice: "Leave seLinuxOptions.type to the runtime; turn SELinux on in its configuration.",
    },
    judge: selinux,
};

pub static PROC: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "proc-unmasked",
        title: "sees all of /proc and /sys",
        severity: Severity::High,
        level: Some((Level::Baseline, "/proc Mount Type")),
        cis: &["5.6.3"],
        nsa: "Pod security enforcement",
        advice: "Leave securityContext.procMount at Default.",
    },
    judge: |facts| {
        if facts.spec()?.masked || facts.is_privileged() {
            return Ok(vec![]);
        }
        let path = ".info.runtimeSpec.linux";
        let value = "maskedPaths or readonlyPaths are missing";
        let evidence = Evidence::told(CONTAINER_STATUS, path, "paths of /proc", value);
        let words = "sensitive parts of /proc and /sys are not hidden from it or can be written";
        Ok(vec![Opinion::new(words, evidence)])
    },
};

/// The kernel has this security module, and it is on.
fn is_on(facts: &ContainerFacts, module: &str) -> Seen<bool> {
    let modules = facts.context.modules.as_ref().map_err(Text::clone)?;
    Ok(modules.iter().any(|one| *one == module))
}

fn apparmor(facts: &ContainerFacts) -> Seen<Vec<Opinion>> {
    let spec = facts.spec()?;
    let profile = spec.apparmor.as_ref().map_or("", Text::as_str);
    let held = !matches!(profile, "" | "unconfined");
    if held || facts.is_privileged() || !is_on(facts, "apparmor")? {
        return Ok(vec![]);
    }
    let path = ".info.runtimeSpec.process.apparmorProfile";
    let value = if profile.is_empty() { "none" } else { profile };
    let evidence = Evidence::told(CONTAINER_STATUS, path, "AppArmor profile", value);
    Ok(vec![Opinion::new(
        "no AppArmor profile holds it, though the kernel has it on",
        evidence,
    )])
}

/// Types that containers get, by the level baseline.
const TYPES: [&str; 4] = [
    "container_t",
    "container_init_t",
    "container_kvm_t",
    "container_engine_t",
];

fn selinux(facts: &ContainerFacts) -> Seen<Vec<Opinion>> {
    let spec = facts.spec()?;
    if facts.is_privileged() || !is_on(facts, "selinux")? {
        return Ok(vec![]);
    }
    let label = spec.selinux.as_ref().map_or("", Text::as_str);
    let kind = label.split(':').nth(2).unwrap_or("");
    if TYPES.contains(&kind) {
        return Ok(vec![]);
    }
    let path = ".info.runtimeSpec.process.selinuxLabel";
    let value = if label.is_empty() { "none" } else { label };
    let evidence = Evidence::told(CONTAINER_STATUS, path, "SELinux label", value);
    let words = if label.is_empty() {
        "no SELinux label holds it, though the kernel has it on".to_owned()
    } else {
        format!("its SELinux type is {kind}, which is none of containers")
    };
    Ok(vec![Opinion::new(words, evidence)])
}
