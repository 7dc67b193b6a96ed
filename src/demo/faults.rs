//! Faults that a test or a demo switches on: the ways in which a runtime can be slow, broken or
//! hostile.

use std::time::Duration;

use tonic::Code;

/// A fault of one RPC, or of all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Name of the method without its service (`ListContainers`), or `*` for every one.
    pub method: String,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// What goes wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultKind {
    /// The answer comes this much later.
    Latency(Duration),
    /// There is no answer until the fault is taken away, as with a runtime that is frozen.
    Hang,
    /// The answer is this error.
    Error(Code, String),
    /// What was listed is gone when it is asked for: a status call finds nothing.
    Vanish,
    /// A list has at least this many bytes.
    Pad(usize),
    /// Every string that the runtime sends, other than ids, is hostile: escape sequences, bidi
    /// controls, newlines, piles of accents, 100 KB at once.
    Hostile,
    /// The runtime's clock is ahead of the machine's by so many seconds, or behind.
    Skew(i64),
}

impl Fault {
    /// A fault of `method`.
    pub fn new(method: &str, kind: FaultKind) -> Self {
        Self {
            method: method.into(),
            kind,
        }
    }

    fn is_of(&self, method: &str) -> bool {
        self.method == "*" || self.method == method
    }
}

/// The kinds of fault that are switched on for `method`.
pub(super) fn of<'a>(faults: &'a [Fault], method: &str) -> impl Iterator<Item = &'a FaultKind> {
    let hit = faults.iter().filter(move |fault| fault.is_of(method));
    hit.map(|fault| &fault.kind).collect::<Vec<_>>().into_iter()
}
