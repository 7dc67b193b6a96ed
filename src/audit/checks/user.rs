//! As whom a container runs, and what it can become.

use super::Check;
use crate::audit::facts::{CONTAINER_STATUS, ContainerFacts, Seen};
use crate::audit::finding::{Evidence, Level, Opinion, Rule, Severity};

pub static ROOT: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "runs-as-root",
        title: "runs as root",
        severity: Severity::Medium,
        level: Some((Level::Restricted, "Running as Non-root user")),
        cis: &["5.2.7"],
        nsa: "Non-root containers and rootless container engines",
        advice: "Set securityContext.runAsNonRoot and runAsUser, or USER in the image.",
    },
    judge: root,
};

pub static ESCALATION: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "privilege-escalation",
        title: "can gain rights by setuid programs",
        severity: Severity::Medium,
        level: Some((Level::Restricted, "Privilege Escalation")),
        cis: &["5.2.6"],
        nsa: "Pod security enforcement",
        advice: "Set securityContext.allowPrivilegeEscalation to false.",
    },
    judge: |facts| {
        if facts.spec()?.no_new_privileges {
            return Ok(vec![]);
        }
        let path = ".info.runtimeSpec.process.noNewPrivileges";
        let evidence = Evidence::told(CONTAINER_STATUS, path, "noNewPrivileges", "false");
        let words = "a setuid program in it gains rights that its process does not have";
        Ok(vec![Opinion::new(words, evidence)])
    },
};

pub static WRITABLE_ROOT: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "writable-root",
        title: "can write to its root file system",
        severity: Severity::Low,
        level: None,
        cis: &["5.6.3"],
        nsa: "Immutable container file systems",
        advice: "Set securityContext.readOnlyRootFilesystem and mount an emptyDir where it writes.",
    },
    judge: |facts| {
        if facts.spec()?.read_only_root {
            return Ok(vec![]);
        }
        let path = ".info.runtimeSpec.root";
        let evidence = Evidence::told(CONTAINER_STATUS, path, "readonly", "false");
        let words = "who breaks into it can change its programs";
        Ok(vec![Opinion::new(words, evidence)])
    },
};

fn root(facts: &ContainerFacts) -> Seen<Vec<Opinion>> {
    let spec = facts.spec()?;
    let uid = spec.uid.ok_or("the runtime tells no user")?;
    if uid != 0 {
        return Ok(vec![]);
    }
    let path = ".info.runtimeSpec.process.user";
    let evidence = Evidence::told(CONTAINER_STATUS, path, "uid", "0");
    let opinion = if spec.user_namespace {
        let words = "runs as root, which is another user on the node (user namespace)";
        Opinion::new(words, evidence).severity(Severity::Info)
    } else {
        Opinion::new("runs as root, and that is root of the node too", evidence)
    };
    Ok(vec![opinion])
}
