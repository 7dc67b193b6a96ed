//! The first of the three locks of read-only mode: types. Whatever changes the node, runs a
//! program or writes a file demands a [`WriteGrant`], and only [`Access::decide`] makes one.

use std::fmt;
use std::sync::Arc;

/// Proof that this run may change things. It has no public constructor: without it there is no
/// value to send. It is shared, so that work under way has its own.
#[derive(Debug)]
pub struct WriteGrant(());

/// Why the program is read-only: one entry for each voice that asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// `--read-only` was given.
    Flag,
    /// `CRITUI_READ_ONLY` holds something other than empty, `0` or `false`.
    Environment {
        /// Its value.
        value: String,
    },
    /// `read-only: true` in a settings file.
    Settings {
        /// The file.
        path: String,
    },
    /// A settings file exists but could not be read, parsed or trusted, so it may have said
    /// `read-only: true`.
    BrokenSettings {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => write!(f, "--read-only was given"),
            Self::Environment { value } => write!(f, "CRITUI_READ_ONLY is {value:?}"),
            Self::Settings { path } => write!(f, "{path} says read-only: true"),
            Self::BrokenSettings { path, problem } => {
                write!(
                    f,
                    "{path} could not be used ({problem}), so it counts as read-only"
                )
            }
        }
    }
}

/// What this run may do.
#[derive(Debug)]
pub enum Access {
    /// Look only, and why.
    ReadOnly(Vec<Reason>),
    /// Look and act.
    Full(Arc<WriteGrant>),
}

impl Access {
    /// The only source of a [`WriteGrant`]: full access exactly when no voice asks for
    /// read-only. Call it once, with every voice there is.
    pub fn decide(reasons: Vec<Reason>) -> Self {
        if reasons.is_empty() {
            Self::Full(Arc::new(WriteGrant(())))
        } else {
            Self::ReadOnly(reasons)
        }
    }

    /// The grant, if there is one.
    pub fn grant(&self) -> Option<&Arc<WriteGrant>> {
        match self {
            Self::ReadOnly(_) => None,
            Self::Full(grant) => Some(grant),
        }
    }
}
