//! The state of the connection to the runtime, as the header shows it.

use jiff::Timestamp;

use crate::text::Text;

/// State of the connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    /// The first attempt is under way.
    Connecting,
    /// The runtime answers.
    Up,
    /// Connected, but the last calls ran into their deadline (a frozen or overloaded runtime).
    Silent {
        /// When it last answered.
        since: Timestamp,
    },
    /// Not connected.
    Down {
        /// What is wrong and what to do.
        problem: Problem,
        /// Since when.
        since: Timestamp,
        /// When the next attempt starts.
        retry_at: Timestamp,
    },
}

/// Something that went wrong, in words for the user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// One line: what happened, naming the socket, file, key or flag.
    pub what: Text,
    /// One line: what to do next.
    pub advice: Text,
}
