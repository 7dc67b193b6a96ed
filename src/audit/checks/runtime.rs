//! How the runtime is configured.

use super::Check;
use crate::audit::facts::{RuntimeFacts, Seen};
use crate::audit::finding::{Evidence, Opinion, Rule, Severity};
use crate::domain::RuntimeVersion;
use crate::domain::security::RuntimeSecurity;
use crate::text::Text;

const CALL: &str = "Status";
const NSA: &str = "Hardening container environments";

pub static STREAMING: Check<RuntimeFacts> = Check {
    rule: Rule {
        id: "streaming-server",
        title: "others can reach its streaming server",
        severity: Severity::High,
        level: None,
        cis: &[],
        nsa: "Network separation and hardening",
        advice: "Set stream_server_address (CRI-O: stream_address) to 127.0.0.1.",
    },
    judge: |facts| {
        let told = told(facts)?;
        let Some(address) = &told.streaming else {
            return Err(unsaid(facts));
        };
        let here = ["", "127.0.0.1", "::1", "localhost"].contains(&address.as_str());
        let tls = if told.streaming_tls == Some(true) {
            ", with TLS"
        } else {
            ", without TLS"
        };
        let path = ".info.config";
        let evidence = || Evidence::told(CALL, path, "address", format!("{address}{tls}"));
        let words = "its streaming server, by which one enters containers, listens on the network";
        Ok((!here)
            .then(|| Opinion::new(words, evidence()))
            .into_iter()
            .collect())
    },
};

pub static INSECURE_REGISTRY: Check<RuntimeFacts> = Check {
    rule: Rule {
        id: "insecure-registry",
        title: "trusts a registry that anybody could pretend to be",
        severity: Severity::High,
        level: None,
        cis: &["5.5.1"],
        nsa: "Building secure container images",
        advice: "Give the registry a certificate and take insecure_skip_verify or http:// away.",
    },
    judge: |facts| {
        let told = told(facts)?;
        let Some(registries) = &told.insecure_registries else {
            return Err(unsaid(facts));
        };
        Ok(each(registries, |name| {
            format!("images of {name} are taken without checking who sends them")
        }))
    },
};

pub static CREDENTIALS: Check<RuntimeFacts> = Check {
    rule: Rule {
        id: "registry-credentials",
        title: "a registry's password stands in its configuration",
        severity: Severity::Medium,
        level: None,
        cis: &[],
        nsa: "Secrets",
        advice: "Use imagePullSecrets or a credential provider of the kubelet.",
    },
    judge: |facts| {
        let told = told(facts)?;
        let Some(registries) = &told.credentials else {
            return Err(unsaid(facts));
        };
        let words = |name: &Text| format!("the password for {name} stands in its configuration");
        Ok(each(registries, words))
    },
};

pub static APPARMOR: Check<RuntimeFacts> = Check {
    rule: Rule {
        id: "runtime-apparmor-off",
        title: "puts no container under AppArmor",
        severity: Severity::Medium,
        level: None,
        cis: &[],
        nsa: NSA,
        advice: "Set disable_apparmor to false (CRI-O: apparmor_profile).",
    },
    judge: |facts| {
        let off = told(facts)?.apparmor_off;
        let off = off.ok_or_else(|| unsaid(facts))?;
        if !off {
            return Ok(vec![]);
        }
        let modules = facts.context.modules.as_ref().map_err(Text::clone)?;
        let on = modules.iter().any(|module| *module == "apparmor");
        let evidence = || Evidence::told(CALL, ".info.config", "AppArmor", "off");
        let words = "AppArmor is on in the kernel, but the runtime does not use it";
        Ok(on
            .then(|| Opinion::new(words, evidence()))
            .into_iter()
            .collect())
    },
};

pub static SECCOMP: Check<RuntimeFacts> = Check {
    rule: Rule {
        id: "runtime-seccomp-unconfined",
        title: "filters no system calls where a pod does not ask for it",
        severity: Severity::Low,
        level: None,
        cis: &["5.6.2"],
        nsa: NSA,
        advice: "Set unset_seccomp_profile to RuntimeDefault (CRI-O: seccomp_profile), or \
                 seccompDefault in the kubelet's configuration.",
    },
    judge: |facts| {
        let Some(profile) = &told(facts)?.seccomp_default else {
            return Err(unsaid(facts));
        };
        // Empty is the built-in profile on CRI-O, and left to the kubelet on containerd.
        let evidence = || Evidence::told(CALL, ".info.config", "seccomp profile", profile);
        let words = "a pod that asks for no seccomp profile gets none";
        let off = *profile == "unconfined";
        Ok(off
            .then(|| Opinion::new(words, evidence()))
            .into_iter()
            .collect())
    },
};

pub static OUTDATED: Check<RuntimeFacts> = Check {
    rule: Rule {
        id: "runtime-outdated",
        title: "is a version that nobody mends any more",
        severity: Severity::High,
        level: None,
        cis: &[],
        nsa: "Upgrading and application security practices",
        advice: "Upgrade it to a version that gets fixes.",
    },
    judge: |facts| {
        let version = &facts.version;
        let numbers = version.version.as_str().trim_start_matches('v').split('.');
        let mut numbers = numbers.map_while(|part| part.parse::<u32>().ok());
        let (Some(major), Some(minor)) = (numbers.next(), numbers.next()) else {
            return Err(Text::clean(&format!(
                "the version is {:?}",
                version.version.as_str()
            )));
        };
        let Some(first) = first_supported(version.name.as_str()) else {
            return Err(Text::clean(&format!(
                "nothing is known of {}",
                version.name
            )));
        };
        let value = format!("{} {}", version.name, version.version);
        let evidence = || Evidence::told("Version", ".version", "version", &value);
        let words = format!(
            "{value} is older than {}.{}, the oldest that gets fixes",
            first.0, first.1
        );
        let old = (major, minor) < first;
        Ok(old
            .then(|| Opinion::new(words, evidence()))
            .into_iter()
            .collect())
    },
};

pub static DEPRECATED: Check<RuntimeFacts> = Check {
    rule: Rule {
        id: "runtime-deprecation",
        title: "uses what its next version will not have",
        severity: Severity::Info,
        level: None,
        cis: &[],
        nsa: "Upgrading and application security practices",
        advice: "Change what it warns of before the next upgrade.",
    },
    judge: |facts| {
        let Some(warning) = &told(facts)?.deprecations else {
            return Ok(vec![]);
        };
        let evidence = || Evidence::told(CALL, ".status.conditions", "deprecated", warning);
        let words = "it warns that something in use goes away";
        let warns = !warning.is_empty();
        Ok(warns
            .then(|| Opinion::new(words, evidence()))
            .into_iter()
            .collect())
    },
};

/// The oldest version that still got fixes at the end of 2026.
fn first_supported(name: &str) -> Option<(u32, u32)> {
    match name {
        "containerd" => Some((1, 7)),
        "cri-o" => Some((1, 33)),
        _ => None,
    }
}

fn told(facts: &RuntimeFacts) -> Seen<&RuntimeSecurity> {
    facts.told.as_ref().map_err(Text::clone)
}

fn unsaid(facts: &RuntimeFacts) -> Text {
    let RuntimeVersion { name, version, .. } = &facts.version;
    Text::clean(&format!(
        "{name} {version} does not tell it: look into its configuration"
    ))
}

fn each(names: &[Text], words: impl Fn(&Text) -> String) -> Vec<Opinion> {
    let one = |name: &Text| {
        let evidence = Evidence::told(CALL, ".info.config", "registry", name);
        Opinion::new(words(name), evidence).about(name.as_str())
    };
    names.iter().map(one).collect()
}
