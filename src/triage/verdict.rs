//! What a rule says: what is wrong, how sure that is, and why.

use jiff::Timestamp;
use serde::Serialize;

use crate::text::Text;

/// How sure a verdict is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It fits, and so does something else.
    Possible,
    /// It fits, and nothing else that could be seen does.
    Likely,
    /// The node says so itself.
    Proven,
}

impl Confidence {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Proven => "proven",
        }
    }
}

/// One thing that was seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Evidence {
    /// What: `exit code`, `memory limit`, ...
    pub what: Text,
    /// Its value.
    pub value: Text,
    /// Where it was seen: a path of the node, or a call to the runtime.
    pub source: Text,
    /// When it happened, in RFC 3339.
    pub time: Option<Timestamp>,
}

impl Evidence {
    /// Something seen at `source`.
    pub fn new(what: &str, value: impl AsRef<str>, source: impl AsRef<str>) -> Self {
        Self {
            what: Text::clean(what),
            value: Text::clean(value.as_ref()),
            source: Text::clean(source.as_ref()),
            time: None,
        }
    }

    /// It happened then.
    #[must_use]
    pub fn at(mut self, time: Option<Timestamp>) -> Self {
        self.time = time;
        self
    }
}

/// What a rule says of some facts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Opinion {
    /// How sure it is.
    pub confidence: Confidence,
    /// One sentence.
    pub summary: Text,
    /// What was seen.
    pub evidence: Vec<Evidence>,
    /// Commands to go on with; lines that begin with `#` are words.
    pub next_steps: Vec<Text>,
}

impl Opinion {
    /// Without evidence so far.
    pub fn new(confidence: Confidence, summary: impl AsRef<str>) -> Self {
        Self {
            confidence,
            summary: Text::clean(summary.as_ref()),
            evidence: Vec::new(),
            next_steps: Vec::new(),
        }
    }

    /// Proven.
    pub fn proven(summary: impl AsRef<str>) -> Self {
        Self::new(Confidence::Proven, summary)
    }

    /// Likely.
    pub fn likely(summary: impl AsRef<str>) -> Self {
        Self::new(Confidence::Likely, summary)
    }

    /// Possible.
    pub fn possible(summary: impl AsRef<str>) -> Self {
        Self::new(Confidence::Possible, summary)
    }

    /// With more evidence.
    #[must_use]
    pub fn with(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// With a command to go on with.
    #[must_use]
    pub fn next(mut self, command: impl AsRef<str>) -> Self {
        self.next_steps.push(Text::clean(command.as_ref()));
        self
    }
}

/// An opinion and the rule that gave it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verdict {
    /// Stable id of the rule.
    pub id: &'static str,
    /// What it says.
    #[serde(flatten)]
    pub opinion: Opinion,
}

/// A rule: facts in, an opinion out if they fit.
#[derive(Debug)]
pub struct Rule<F: 'static> {
    /// Stable id of its verdict.
    pub id: &'static str,
    /// What the verdict means, in a sentence.
    pub means: &'static str,
    /// What to do, in a sentence.
    pub todo: &'static str,
    /// What it says of some facts.
    pub judge: fn(&F) -> Option<Opinion>,
}

/// What all `rules` say of `facts`, the strongest first, among equals the one that comes first in
/// the table.
pub fn judge<F>(rules: &[&Rule<F>], facts: &F) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = rules
        .iter()
        .filter_map(|rule| {
            let opinion = (rule.judge)(facts)?;
            Some(Verdict {
                id: rule.id,
                opinion,
            })
        })
        .collect();
    verdicts.sort_by_key(|verdict| std::cmp::Reverse(verdict.opinion.confidence));
    verdicts
}

/// A word of a shell's line, quoted if it has to be.
pub fn word(raw: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/:@-=+,".contains(c);
    if !raw.is_empty() && raw.chars().all(plain) {
        return raw.to_owned();
    }
    format!("'{}'", raw.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("shop/payments-1", "shop/payments-1")]
    #[case("a b", "'a b'")]
    #[case("a';rm -rf /", "'a'\\'';rm -rf /'")]
    #[case("", "''")]
    fn words_of_a_shell(#[case] raw: &str, #[case] expected: &str) {
        assert_eq!(word(raw), expected);
    }

    struct Facts(String);

    #[test]
    fn the_strongest_comes_first() {
        fn weak(facts: &Facts) -> Option<Opinion> {
            facts.0.is_empty().then(|| Opinion::possible("a"))
        }
        fn strong(facts: &Facts) -> Option<Opinion> {
            facts.0.is_empty().then(|| Opinion::proven("b"))
        }
        fn rule(id: &'static str, judge: fn(&Facts) -> Option<Opinion>) -> Rule<Facts> {
            Rule {
                id,
                means: "",
                todo: "",
                judge,
            }
        }
        let rules = [
            &rule("weak", weak),
            &rule("strong", strong),
            &rule("none", |_| None),
            &rule("second", strong),
        ];
        let ids: Vec<_> = judge(&rules, &Facts(String::new()))
            .iter()
            .map(|verdict| verdict.id)
            .collect();
        assert_eq!(ids, ["strong", "second", "weak"]);
    }
}
