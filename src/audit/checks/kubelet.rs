//! The kubelet's configuration. A flag on its command line would win over its file, which is said.

use super::Check;
use crate::audit::facts::{HostFacts, KubeletConfig, Seen};
use crate::audit::finding::{Evidence, Opinion, Rule, Severity};
use crate::text::Text;

const NSA: &str = "Authentication and authorization";

pub static ANONYMOUS: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-anonymous",
        title: "the kubelet takes requests without credentials",
        severity: Severity::High,
        level: None,
        cis: &["4.2.1"],
        nsa: NSA,
        advice: "Set authentication.anonymous.enabled to false.",
    },
    judge: |facts| {
        judge(facts, |config| {
            let everything = config
                .authorization
                .as_ref()
                .is_some_and(|mode| *mode == "AlwaysAllow");
            let (words, severity) = if everything {
                (
                    "anybody who reaches its port can run commands in every pod",
                    Severity::Critical,
                )
            } else {
                ("it answers requests without credentials", Severity::High)
            };
            let on = config.anonymous == Some(true);
            on.then(|| {
                one(config, "authentication.anonymous.enabled", "true", words).severity(severity)
            })
        })
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
        advice: "Set authorization.mode to Webhook.",
    },
    judge: |facts| {
        judge(facts, |config| {
            let open = config
                .authorization
                .as_ref()
                .is_some_and(|mode| *mode == "AlwaysAllow");
            let words = "everybody with any credentials for it can run commands in every pod";
            open.then(|| one(config, "authorization.mode", "AlwaysAllow", words))
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
        advice: "Set authentication.x509.clientCAFile.",
    },
    judge: |facts| {
        judge(facts, |config| {
            let words = "no certificate of a client is checked against an authority";
            config
                .client_ca
                .is_none()
                .then(|| one(config, "authentication.x509.clientCAFile", "none", words))
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
        advice: "Set readOnlyPort to 0.",
    },
    judge: |facts| {
        judge(facts, |config| {
            let port = config.read_only_port.filter(|port| *port != 0)?;
            let words = "anybody who reaches the port can read the specification of every pod";
            Some(one(config, "readOnlyPort", &port.to_string(), words))
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
        advice: "Set streamingConnectionIdleTimeout to a few minutes.",
    },
    judge: |facts| {
        judge(facts, |config| {
            let idle = config.streaming_idle.as_ref();
            let never = idle.filter(|time| {
                time.as_str()
                    .trim_end_matches(|c: char| c.is_ascii_alphabetic())
                    == "0"
            })?;
            let words = "an idle session into a container stays open for ever";
            Some(one(
                config,
                "streamingConnectionIdleTimeout",
                never.as_str(),
                words,
            ))
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
        advice: "Set podPidsLimit, for example to 4096.",
    },
    judge: |facts| {
        judge(facts, |config| {
            let limited = config.pids_limit.is_some_and(|limit| limit > 0);
            let words = "one pod can take all process numbers of the node";
            (!limited).then(|| one(config, "podPidsLimit", "none", words))
        })
    },
};

pub static SECCOMP: Check<HostFacts> = Check {
    rule: Rule {
        id: "kubelet-seccomp-default",
        title: "pods that ask for no seccomp profile get none",
        severity: Severity::Low,
        level: None,
        cis: &["5.7.2"],
        nsa: "Hardening container environments",
        advice: "Set seccompDefault to true.",
    },
    judge: |facts| {
        judge(facts, |config| {
            let words = "a pod that asks for no seccomp profile may use every system call";
            (config.seccomp_default != Some(true))
                .then(|| one(config, "seccompDefault", "false", words))
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
        advice: "Set rotateCertificates to true.",
    },
    judge: |facts| {
        judge(facts, |config| {
            let words = "its certificate ends one day, and a stolen one is good until then";
            (config.rotates == Some(false))
                .then(|| one(config, "rotateCertificates", "false", words))
        })
    },
};

/// Where there is no kubelet there is nothing to judge.
fn judge(
    facts: &HostFacts,
    rule: impl Fn(&KubeletConfig) -> Option<Opinion>,
) -> Seen<Vec<Opinion>> {
    match &facts.kubelet {
        None => Ok(vec![]),
        Some(Err(why)) => Err(why.clone()),
        Some(Ok(config)) => Ok(rule(config).into_iter().collect()),
    }
}

fn one(config: &KubeletConfig, key: &str, value: &str, words: &str) -> Opinion {
    let words = Text::clean(&format!("{words} ({key}: {value})"));
    Opinion::new(words.as_str(), Evidence::file(&config.path, key, value))
}
