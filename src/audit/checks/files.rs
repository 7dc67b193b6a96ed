//! Who may read and write the node's own files.

use super::Check;
use crate::audit::facts::{FileFact, HostFacts, Purpose, Seen};
use crate::audit::finding::{Evidence, Opinion, Rule, Severity};
use crate::text::Text;

const NSA: &str = "Control plane hardening";

pub static SOCKET: Check<HostFacts> = Check {
    rule: Rule {
        id: "socket-mode",
        title: "others than root reach the runtime's socket",
        severity: Severity::Critical,
        level: None,
        cis: &[],
        nsa: NSA,
        advice: "chmod 660 and chown root:root; whoever may use it is root on the node.",
    },
    judge: |facts| {
        judge(
            facts,
            Purpose::Socket,
            0o775,
            "anybody on the node can use it and become root",
        )
    },
};

pub static KEY: Check<HostFacts> = Check {
    rule: Rule {
        id: "key-mode",
        title: "others than its owner can read a private key",
        severity: Severity::High,
        level: None,
        cis: &["1.1.21"],
        nsa: NSA,
        advice: "chmod 600.",
    },
    judge: |facts| {
        judge(
            facts,
            Purpose::Key,
            0o600,
            "others than its owner can use this private key",
        )
    },
};

pub static KUBECONFIG: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubeconfig-mode",
        title: "others than its owner can use credentials for the API server",
        severity: Severity::High,
        level: None,
        cis: &["1.1.13", "1.1.15", "1.1.17", "4.1.5"],
        nsa: NSA,
        advice: "chmod 600.",
    },
    judge: |facts| {
        judge(
            facts,
            Purpose::Kubeconfig,
            0o600,
            "others than its owner can act with these credentials",
        )
    },
};

pub static MANIFEST: Check<HostFacts> = Check {
    rule: Rule {
        id: "manifest-mode",
        title: "others than its owner can read or change a static pod",
        severity: Severity::Low,
        level: None,
        cis: &["1.1.1", "1.1.3", "1.1.5", "1.1.7"],
        nsa: NSA,
        advice: "chmod 600.",
    },
    judge: |facts| {
        judge(
            facts,
            Purpose::Manifest,
            0o600,
            "others than its owner can read this manifest",
        )
    },
};

pub static KUBELET_CONFIG: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-config-mode",
        title: "others than its owner can read or change the kubelet's configuration",
        severity: Severity::Low,
        level: None,
        cis: &["4.1.9"],
        nsa: NSA,
        advice: "chmod 600.",
    },
    judge: |facts| {
        judge(
            facts,
            Purpose::KubeletConfig,
            0o600,
            "others than its owner can read it",
        )
    },
};

pub static ETCD: Check<HostFacts> = Check {
    rule: Rule {
        id: "etcd-mode",
        title: "others than its owner reach the data of etcd",
        severity: Severity::High,
        level: None,
        cis: &["1.1.11"],
        nsa: NSA,
        advice: "chmod 700.",
    },
    judge: |facts| {
        judge(
            facts,
            Purpose::Etcd,
            0o700,
            "every secret of the cluster lies here",
        )
    },
};

pub static OWNER: Check<HostFacts> = Check {
    rule: Rule {
        id: "file-owner",
        title: "somebody else than root owns a file of the node's own",
        severity: Severity::Medium,
        level: None,
        cis: &[
            "1.1.2", "1.1.4", "1.1.6", "1.1.8", "1.1.14", "1.1.16", "1.1.18", "1.1.19", "4.1.6",
            "4.1.10",
        ],
        nsa: NSA,
        advice: "chown root:root.",
    },
    judge: |facts| {
        // etcd may run as a user of its own, and the socket has a check of its own.
        let of_root = facts
            .files
            .iter()
            .filter(|file| !matches!(file.purpose, Purpose::Etcd | Purpose::Socket));
        let one = |file: &FileFact| {
            let stat = file.stat.as_ref().ok()?;
            let owner = format!("{}:{}", stat.uid, stat.gid);
            let evidence = Evidence::file(&file.path, "owner", &owner);
            let words = format!("{} belongs to user {}", file.path, stat.uid);
            (stat.uid != 0).then(|| Opinion::new(words, evidence).about(file.path.as_str()))
        };
        Ok(of_root.filter_map(one).collect::<Vec<Opinion>>()) as Seen<_>
    },
};

/// Files of one kind, of which no more than `most` is allowed. One that cannot be looked at makes
/// the whole unknown, unless others are wrong.
fn judge(facts: &HostFacts, purpose: Purpose, most: u32, words: &str) -> Seen<Vec<Opinion>> {
    let mut found = Vec::new();
    let mut unknown = None;
    for file in facts.files.iter().filter(|file| file.purpose == purpose) {
        match &file.stat {
            Err(why) => unknown = Some(Text::clean(&format!("{} {why}", file.path))),
            Ok(stat) if stat.mode & 0o777 & !most != 0 => {
                found.push(opinion(file, stat.mode, words));
            }
            Ok(stat) if purpose == Purpose::Socket && stat.gid != 0 && stat.mode & 0o020 != 0 => {
                let words = format!("group {} can use it and become root", stat.gid);
                found.push(opinion(file, stat.mode, &words).severity(Severity::Medium));
            }
            Ok(_) => {}
        }
    }
    match unknown {
        Some(why) if found.is_empty() => Err(why),
        _ => Ok(found),
    }
}

fn opinion(file: &FileFact, mode: u32, words: &str) -> Opinion {
    let mode = format!("{:04o}", mode & 0o7777);
    let evidence = Evidence::file(&file.path, "mode", &mode);
    let words = format!("{} has mode {mode}: {words}", file.path);
    Opinion::new(words, evidence).about(file.path.as_str())
}
