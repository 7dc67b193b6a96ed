//! Into containers: exec, attach and port-forward over WebSocket.
//!
//! The runtime answers the RPC with a URL of its streaming server. `address` decides whether to
//! go there at all, `dial` connects and shakes hands, `frame` and `status` are the bytes, and
//! [`Session`] and [`Tunnel`] are what one talks through. [`Writer`](super::Writer) makes them;
//! nothing here needs the screen.
//!
//! What the protocol cannot do: there is no half-close, so the end of stdin cannot be told to a
//! command; and closing the socket does not end the command. Whoever opens a shell ends it.

mod address;
pub(in crate::cri) mod dial;
mod frame;
mod session;
mod status;
mod tunnel;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use crate::mask;
use crate::text::Text;

use super::error::CriError;

pub use dial::Trust;
pub use frame::Size;
pub use session::{Event, Input, Output, Session};
pub use status::Ending;
pub use tunnel::{Counted, Tunnel};

pub(super) use address::Address;

/// Fuzzing and the tests of the corpus: whatever a server sends, this must not panic.
pub fn survives(bytes: &[u8]) {
    if let Some((_, payload)) = frame::decode(bytes) {
        // Only that it returns counts.
        let _ = status::decode(payload);
    }
    let _ = Address::parse(&String::from_utf8_lossy(bytes));
}

/// Why a stream could not be opened, or broke.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StreamError {
    /// The RPC before it failed.
    #[error("{0}")]
    Call(#[from] CriError),
    /// The URL was not followed.
    #[error("{0}")]
    Address(Text),
    /// The streaming server cannot be reached or does not want to talk.
    #[error("{0}")]
    Server(Text),
    /// The connection broke.
    #[error("{0}")]
    Lost(Text),
}

impl StreamError {
    fn address(line: &str) -> Self {
        Self::Address(told(line))
    }

    fn server(line: &str) -> Self {
        Self::Server(told(line))
    }

    fn lost(line: &str) -> Self {
        Self::Lost(told(line))
    }
}

/// Words of a server: without control characters, and without secrets.
fn told(words: &str) -> Text {
    Text::clean(&mask::text(words))
}
