//! How the kubelet is set: what its flags say, else its configuration, else its own defaults.

use super::Check;
use crate::audit::facts::{HostFacts, Seen};
use crate::audit::finding::{Opinion, Rule, Severity};
use crate::audit::kubelet::{self, Key, Setting};
use crate::config::go::parse_duration;

const NSA: &str = "Authentication and authorization";

pub static ANONYMOUS: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-anonymous",
        title: "the kubelet takes requests without credentials",
        severity: Severity::High,
        level: None,
        cis: &["4.2.1"],
        nsa: NSA,
        advice: "Set authentication.anonymous.enabled to false; a flag --anonymous-auth \
                 would win over that.",
    },
    judge: |facts| {
        let words = "it answers requests without credentials";
        let found = judge(facts, &kubelet::ANONYMOUS, words, |setting| {
            setting.value == "true"
        })?;
        let Some(Ok(set)) = &facts.kubelet else {
            return Ok(found);
        };
        let anonymous = set.setting(&kubelet::ANONYMOUS);
        let mode = set.setting(&kubelet::AUTHORIZATION);
        if mode.value != "AlwaysAllow" {
            return Ok(found);
        }
        let worse = |one: Opinion| {
            let words = "anybody who reaches its port can run commands in every pod";
            let both = format!("{words} ({}, {})", anonymous.words, mode.words);
            Opinion {
                summary: both,
                ..one
            }
            .severity(Severity::Critical)
            .with(mode.evidence.clone())
        };
        Ok(found.into_iter().map(worse).collect())
    },
};

pub static ALWAYS_ALLOW: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-always-allow",
        title: "the kubelet lets every caller do everything",
        severity: Severity::High,
        level: None,
        cis: &["4.2.2"],
        nsa: NSA,
        advice: "Set authorization.mode to Webhook; a flag --authorization-mode would win \
                 over that.",
    },
    judge: |facts| {
        let words = "everybody with any credentials for it can run commands in every pod";
        judge(facts, &kubelet::AUTHORIZATION, words, |setting| {
            setting.value == "AlwaysAllow"
        })
    },
};

pub static CLIENT_CA: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-client-ca",
        title: "the kubelet checks no client certificates",
        severity: Severity::Medium,
        level: None,
        cis: &["4.2.3"],
        nsa: NSA,
        advice: "Set authentication.x509.clientCAFile; a flag --client-ca-file would win \
                 over that.",
    },
    judge: |facts| {
        let words = "no certificate of a client is checked against an authority";
        judge(facts, &kubelet::CLIENT_CA, words, |setting| {
            setting.value.is_empty()
        })
    },
};

pub static READ_ONLY_PORT: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-read-only-port",
        title: "the kubelet tells all about its pods without credentials",
        severity: Severity::High,
        level: None,
        cis: &["4.2.4"],
        nsa: NSA,
        advice: "Set readOnlyPort to 0; a flag --read-only-port would win over that.",
    },
    judge: |facts| {
        let words = "anybody who reaches the port can read the specification of every pod";
        judge(facts, &kubelet::READ_ONLY_PORT, words, |setting| {
            setting.value != "0"
        })
    },
};

pub static IDLE: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-idle-streams",
        title: "sessions into containers never end by themselves",
        severity: Severity::Low,
        level: None,
        cis: &["4.2.5"],
        nsa: NSA,
        advice: "Set streamingConnectionIdleTimeout to a few minutes; a flag \
                 --streaming-connection-idle-timeout would win over that.",
    },
    judge: |facts| {
        let words = "an idle session into a container stays open for ever";
        judge(facts, &kubelet::IDLE, words, |setting| {
            parse_duration(setting.value.as_str()) == Ok(0)
        })
    },
};

pub static PIDS: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-pids-limit",
        title: "pods may start processes without end",
        severity: Severity::Low,
        level: None,
        cis: &["4.2.13"],
        nsa: "Resource policies",
        advice: "Set podPidsLimit, for example to 4096; a flag --pod-max-pids would win over that.",
    },
    judge: |facts| {
        let words = "one pod can take all process numbers of the node";
        judge(facts, &kubelet::PIDS, words, |setting| !limits(setting))
    },
};

pub static SECCOMP: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-seccomp-default",
        title: "pods that ask for no seccomp profile get none",
        severity: Severity::Low,
        level: None,
        cis: &["4.2.14"],
        nsa: "Hardening container environments",
        advice: "Set seccompDefault to true; a flag --seccomp-default would win over that.",
    },
    judge: |facts| {
        let words = "a pod that asks for no seccomp profile may use every system call";
        judge(facts, &kubelet::SECCOMP, words, |setting| {
            setting.value != "true"
        })
    },
};

pub static ROTATION: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-rotation",
        title: "the kubelet does not renew its certificate",
        severity: Severity::Low,
        level: None,
        cis: &["4.2.10"],
        nsa: NSA,
        advice: "Set rotateCertificates to true; a flag --rotate-certificates would win over that.",
    },
    judge: |facts| {
        let words = "its certificate ends one day, and a stolen one is good until then";
        judge(facts, &kubelet::ROTATION, words, |setting| {
            setting.value == "false"
        })
    },
};

pub static SERVER_CERTIFICATE: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-server-certificate",
        title: "the kubelet serves with a certificate that nobody can check",
        severity: Severity::Low,
        level: None,
        cis: &["4.2.9"],
        nsa: "Encryption",
        advice: "Set serverTLSBootstrap to true and approve its requests, or tlsCertFile and \
                 tlsPrivateKeyFile.",
    },
    judge: |facts| {
        let words = "it signs its own certificate: who calls it cannot know that it is the node";
        judge(facts, &kubelet::CERTIFICATE, words, |setting| {
            setting.value.is_empty() && !asks_for_one(facts)
        })
    },
};

pub static CIPHERS: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-ciphers",
        title: "the kubelet takes ciphers that are no longer strong",
        severity: Severity::Low,
        level: None,
        cis: &["4.2.12"],
        nsa: "Encryption",
        advice: "Take them out of tlsCipherSuites, or take tlsCipherSuites away; a flag \
                 --tls-cipher-suites would win over that.",
    },
    judge: |facts| {
        let words = "who listens in may read along one day";
        judge(facts, &kubelet::CIPHERS, words, |setting| {
            let mut all = setting.value.as_str().split(',').map(str::trim);
            all.any(|name| !name.is_empty() && !STRONG.contains(&name))
        })
    },
};

pub static FIREWALL: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-iptables",
        title: "the kubelet does not keep the rules of the packet filter",
        severity: Severity::Low,
        level: None,
        cis: &["4.2.6"],
        nsa: "Network separation and hardening",
        advice: "Set makeIPTablesUtilChains to true; a flag --make-iptables-util-chains \
                 would win over that.",
    },
    judge: |facts| {
        let words = "rules that others count on may be missing or old";
        judge(facts, &kubelet::FIREWALL, words, |setting| {
            setting.value == "false"
        })
    },
};

pub static HOSTNAME: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-hostname",
        title: "the kubelet gives the node another name",
        severity: Severity::Info,
        level: None,
        cis: &["4.2.7"],
        nsa: NSA,
        advice: "Leave --hostname-override away where the node's own name will do.",
    },
    judge: |facts| {
        let words = "certificates and logs may tell of another name than the node's own";
        judge(facts, &kubelet::HOSTNAME, words, |setting| {
            !setting.value.is_empty()
        })
    },
};

/// What TLS of today takes, by the benchmark; TLS 1.3 has others, which cannot be chosen.
const STRONG: [&str; 8] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

fn asks_for_one(facts: &HostFacts) -> bool {
    let set = facts.kubelet.as_ref().and_then(|seen| seen.as_ref().ok());
    set.is_some_and(|set| set.setting(&kubelet::BOOTSTRAP).value == "true")
}

fn limits(setting: &Setting) -> bool {
    let limit = setting.value.as_str().parse::<i64>();
    limit.is_ok_and(|limit| limit > 0)
}

/// Where there is no kubelet there is nothing to judge. Where its flags cannot be seen, one of them
/// could say another thing: then only what its file says and is bad is told.
fn judge(
    facts: &HostFacts,
    key: &Key,
    words: &str,
    bad: impl Fn(&Setting) -> bool,
) -> Seen<Vec<Opinion>> {
    let set = match &facts.kubelet {
        None => return Ok(vec![]),
        Some(Err(why)) => return Err(why.clone()),
        Some(Ok(set)) => set,
    };
    let setting = set.setting(key);
    let unseen = set.flags_unseen();
    if bad(&setting) && !(unseen.is_some() && setting.is_default) {
        let words = format!("{words} ({})", setting.words);
        return Ok(vec![Opinion::new(words, setting.evidence)]);
    }
    unseen.map_or(Ok(vec![]), |why| Err(why.clone()))
}
