//! What can go wrong with one call.

use std::error::Error;
use std::time::Duration;

use tonic::{Code, Status};

use super::gate;
use crate::mask;
use crate::text::Text;

/// Why a call failed, as far as callers care.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// No answer within the deadline.
    Timeout,
    /// There is no connection, or it broke.
    Down,
    /// The runtime answers, but is not ready for calls (it starts or stops).
    NotReady,
    /// The object is gone.
    NotFound,
    /// The runtime does not know this call.
    Unimplemented,
    /// The runtime does not allow it.
    Denied,
    /// The answer is larger than a message can be.
    TooLarge,
    /// critui itself did not send it: this run is read-only.
    ReadOnly,
    /// Anything else that the runtime says.
    Refused,
}

/// A call that failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct CriError {
    /// What kind of failure it is.
    pub kind: Kind,
    /// One line: the call and what the runtime (or the transport) says.
    pub message: Text,
}

impl CriError {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        let message = Text::clean(&mask::text(&message.into()));
        Self { kind, message }
    }

    pub(super) fn timeout(call: &str, deadline: Duration) -> Self {
        let message = format!("{call}: the runtime did not answer within {deadline:?}");
        Self::new(Kind::Timeout, message)
    }

    pub(super) fn down(call: &str) -> Self {
        Self::new(Kind::Down, format!("{call}: not connected to the runtime"))
    }

    /// `call` failed with `status`.
    pub(super) fn from_status(call: &str, status: &Status) -> Self {
        let kind = kind(status);
        let mut message = format!("{call}: {}", status.message());
        if status.message().is_empty() {
            message += status.code().description();
        }
        // tonic says "transport error" and hides the system's words in the sources.
        if let Some(root) = root_cause(status) {
            message = format!("{message}: {root}");
        }
        Self::new(kind, message)
    }
}

fn kind(status: &Status) -> Kind {
    let text = status.message();
    match status.code() {
        Code::DeadlineExceeded => Kind::Timeout,
        // What tonic answers when its own timer fires.
        Code::Cancelled if text == "Timeout expired" => Kind::Timeout,
        Code::ResourceExhausted if text.contains("larger than max") => Kind::TooLarge,
        Code::OutOfRange if text.contains("too large") => Kind::TooLarge,
        Code::PermissionDenied if text.starts_with(gate::REFUSAL) => Kind::ReadOnly,
        _ if status.source().is_some() => Kind::Down,
        Code::Unavailable => Kind::NotReady,
        Code::NotFound => Kind::NotFound,
        Code::Unimplemented => Kind::Unimplemented,
        Code::PermissionDenied | Code::Unauthenticated => Kind::Denied,
        // CRI-O reports some missing objects as Unknown.
        _ if text.contains("not find") || text.contains("not found") => Kind::NotFound,
        _ => Kind::Refused,
    }
}

/// The last error of the chain, if it says more than the status itself.
fn root_cause(status: &Status) -> Option<String> {
    let mut cause = status.source()?;
    while let Some(next) = cause.source() {
        cause = next;
    }
    let text = cause.to_string();
    (!status.message().contains(&text)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Status::deadline_exceeded("context deadline exceeded"), Kind::Timeout)]
    #[case(Status::cancelled("Timeout expired"), Kind::Timeout)]
    #[case(Status::cancelled("context canceled"), Kind::Refused)]
    #[case(Status::not_found("an error occurred"), Kind::NotFound)]
    #[case(Status::unknown("could not find container \"ab\""), Kind::NotFound)]
    #[case(Status::unknown("container \"ab\" not found"), Kind::NotFound)]
    #[case(
        Status::unknown("container is in CONTAINER_EXITED state"),
        Kind::Refused
    )]
    #[case(
        Status::unimplemented("unknown service runtime.v1.X"),
        Kind::Unimplemented
    )]
    #[case(Status::unavailable("server is not initialized yet"), Kind::NotReady)]
    #[case(Status::permission_denied("no"), Kind::Denied)]
    #[case(
        Status::permission_denied("critui is read-only: /a/B was not sent"),
        Kind::ReadOnly
    )]
    #[case(
        Status::out_of_range("decoded message length too large: found 9 bytes"),
        Kind::TooLarge
    )]
    #[case(
        Status::resource_exhausted("trying to send message larger than max (17 vs. 16)"),
        Kind::TooLarge
    )]
    #[case(
        Status::resource_exhausted("maximum number of in-flight requests exceeded"),
        Kind::Refused
    )]
    #[case(
        Status::from_error(Box::new(std::io::Error::other("broken"))),
        Kind::Down
    )]
    fn statuses_become_kinds(#[case] status: Status, #[case] expected: Kind) {
        assert_eq!(CriError::from_status("X", &status).kind, expected);
    }

    #[test]
    fn the_message_names_the_call_and_is_never_empty() {
        let error = CriError::from_status("ListImages", &Status::unimplemented(""));
        assert!(error.message.as_str().starts_with("ListImages: "));
        assert!(error.message.as_str().len() > "ListImages: ".len());
    }

    #[test]
    fn hostile_texts_are_sanitised() {
        let error = CriError::from_status("X", &Status::unknown("\x1b[2J"));
        assert!(!error.message.as_str().contains('\x1b'));
    }
}
