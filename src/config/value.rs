//! Values that remember where they come from.

use std::fmt;

use crate::text::Text;

/// Where an effective value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A flag of the command line, with its dashes.
    Flag(&'static str),
    /// An environment variable.
    Env(&'static str),
    /// A file, as somebody outside the host's root would name it.
    File {
        /// Its path.
        path: Text,
        /// Line of the key, from 1, if it is known.
        line: Option<usize>,
    },
    /// Found on this node, and why it was taken.
    Discovered(Text),
    /// Follows from another value, and which.
    Follows(&'static str),
    /// Built in.
    Default,
}

impl Source {
    /// One word for the kind of source, stable: `flag`, `env`, `file`, `discovered`, `follows`,
    /// `default`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Flag(_) => "flag",
            Self::Env(_) => "env",
            Self::File { .. } => "file",
            Self::Discovered(_) => "discovered",
            Self::Follows(_) => "follows",
            Self::Default => "default",
        }
    }

    /// What there is to say beyond the kind: the flag, the variable, `path:line`, the reason.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Flag(name) | Self::Env(name) | Self::Follows(name) => Some((*name).to_owned()),
            Self::File { path, line: None } => Some(path.to_string()),
            Self::File {
                path,
                line: Some(line),
            } => Some(format!("{path}:{line}")),
            Self::Discovered(why) => Some(why.to_string()),
            Self::Default => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.detail()) {
            (Self::File { .. }, Some(place)) => f.write_str(&place),
            (_, Some(detail)) => write!(f, "{} {detail}", self.kind()),
            (_, None) => f.write_str(self.kind()),
        }
    }
}

/// A value and where it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Valued<T> {
    /// The value in effect.
    pub value: T,
    /// Who said so.
    pub source: Source,
}

impl<T> Valued<T> {
    /// A value from a source.
    pub fn new(value: T, source: Source) -> Self {
        Self { value, source }
    }

    /// A built-in value.
    pub fn default_of(value: T) -> Self {
        Self::new(value, Source::Default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Source::Flag("--timeout"), "flag --timeout")]
    #[case(Source::Env("CRI_CONFIG_FILE"), "env CRI_CONFIG_FILE")]
    #[case(Source::File { path: "/a".into(), line: Some(3) }, "/a:3")]
    #[case(Source::File { path: "/a".into(), line: None }, "/a")]
    #[case(Source::Discovered("it answers".into()), "discovered it answers")]
    #[case(Source::Follows("runtime-endpoint"), "follows runtime-endpoint")]
    #[case(Source::Default, "default")]
    fn sources_read_well(#[case] source: Source, #[case] expected: &str) {
        assert_eq!(source.to_string(), expected);
    }
}
