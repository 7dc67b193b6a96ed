//! Secrets in the environment of a container.

use super::Check;
use crate::audit::facts::{CONTAINER_STATUS, ContainerFacts, Seen};
use crate::audit::finding::{Evidence, Opinion, Rule, Severity};
use crate::mask::MASK;

pub static SECRET: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "secret-in-environment",
        title: "has a secret in its environment",
        severity: Severity::Medium,
        level: None,
        cis: &["5.4.1"],
        nsa: "Secrets",
        advice: "Mount the secret as a file; an environment is seen by every child process, by \
                 crash reports and by whoever may inspect the container.",
    },
    judge: |facts| {
        let secrets = facts.spec()?.secrets.iter();
        let one = |(place, name): &(usize, crate::text::Text)| {
            let path = format!(".info.runtimeSpec.process.env[{place}]");
            let value = format!("{name}={MASK}");
            let evidence = Evidence::told(CONTAINER_STATUS, &path, "environment", value);
            let words = format!("{name} in its environment looks like a secret");
            Opinion::new(words, evidence).about(name.as_str())
        };
        Ok(secrets.map(one).collect::<Vec<Opinion>>()) as Seen<_>
    },
};
