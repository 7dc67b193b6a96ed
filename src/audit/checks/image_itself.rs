//! Images that are on the node.

use super::Check;
use crate::audit::facts::{ImageFacts, Seen};
use crate::audit::finding::{Evidence, Opinion, Rule, Severity};
use crate::format::seconds_between;
use crate::mask::MASK;
use crate::text::Text;

/// Days after which an image has missed many updates.
const DAYS: u64 = 365;
const DAY: u64 = 86_400;

pub static SECRET: Check<ImageFacts> = Check {
    rule: Rule {
        id: "secret-in-image",
        title: "has a secret baked in",
        severity: Severity::High,
        level: None,
        cis: &[],
        nsa: "Building secure container images",
        advice: "Build it without, and replace the secret: whoever can pull the image has it.",
    },
    judge: |facts| {
        let variable = |(place, name): &(usize, Text)| {
            let path = format!(".info.imageSpec.config.Env[{place}]");
            let value = format!("{name}={MASK}");
            let evidence = Evidence::told("ImageStatus", &path, "environment", value);
            let words = format!("{name} is set in the image and looks like a secret");
            Opinion::new(words, evidence).about(name.as_str())
        };
        let step = |place: &usize| {
            let path = format!(".info.imageSpec.history[{place}].created_by");
            let evidence = Evidence::told("ImageStatus", &path, "history", MASK);
            let words = format!("step {place} of its history holds what looks like a secret");
            Opinion::new(words, evidence).about(format!("history[{place}]"))
        };
        let told = facts.told.as_ref().map_err(Text::clone)?;
        let variables = told.secrets.iter().map(variable);
        Ok(variables.chain(told.history.iter().map(step)).collect()) as Seen<_>
    },
};

pub static OLD: Check<ImageFacts> = Check {
    rule: Rule {
        id: "image-old",
        title: "is older than a year",
        severity: Severity::Low,
        level: None,
        cis: &[],
        nsa: "Upgrading and application security practices",
        advice: "Build it anew on a current base.",
    },
    judge: |facts| {
        let told = facts.told.as_ref().map_err(Text::clone)?;
        let built = told
            .built_at
            .ok_or("the image does not say when it was built")?;
        let days = seconds_between(built, facts.now) / DAY;
        if days < DAYS || !facts.needed {
            return Ok(vec![]);
        }
        let path = ".info.imageSpec.created";
        let evidence = Evidence::told("ImageStatus", path, "built", built.to_string());
        let words = format!("was built {days} days ago: what was mended since is not in it");
        Ok(vec![Opinion::new(words, evidence)])
    },
};

pub static DANGLING: Check<ImageFacts> = Check {
    rule: Rule {
        id: "image-dangling",
        title: "has no name any more",
        severity: Severity::Info,
        level: None,
        cis: &[],
        nsa: "Upgrading and application security practices",
        advice: "Remove it if no container needs it.",
    },
    judge: |facts| {
        let evidence = || Evidence::told("ListImages", ".status.repoTags", "tags", "none");
        let words = "no tag leads to it: nobody can say what it is";
        Ok((!facts.named)
            .then(|| Opinion::new(words, evidence()))
            .into_iter()
            .collect())
    },
};

pub static UNUSED: Check<ImageFacts> = Check {
    rule: Rule {
        id: "image-unused",
        title: "no container was made from it",
        severity: Severity::Info,
        level: None,
        cis: &[],
        nsa: "Upgrading and application security practices",
        advice: "The kubelet removes it when the disk gets full; remove it before if it should not \
                 be there.",
    },
    judge: |facts| {
        let evidence = || Evidence::told("ListContainers", ".status", "containers", "none");
        let words = "lies on the node, but no container was made from it";
        let unused = !facts.needed && facts.named;
        Ok(unused
            .then(|| Opinion::new(words, evidence()))
            .into_iter()
            .collect())
    },
};
