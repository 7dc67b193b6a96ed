//! The framing of `v4.channel.k8s.io`: one message is one byte that names the channel, and the
//! payload.

/// Where a payload comes from or goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Channel {
    /// To the command.
    Stdin,
    /// From the command; all of it with a terminal.
    Stdout,
    /// From the command.
    Stderr,
    /// How the command ended.
    Status,
    /// The size of the terminal.
    Resize,
}

impl Channel {
    /// Its byte.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Stdin => 0,
            Self::Stdout => 1,
            Self::Stderr => 2,
            Self::Status => 3,
            Self::Resize => 4,
        }
    }
}

/// Size of a terminal in cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Cells in a row.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

impl Size {
    /// The message that sets it; `None` for a size that is none, which servers ignore. One whole
    /// JSON object: a malformed one would block the session for good.
    pub(super) fn message(self) -> Option<Vec<u8>> {
        let Self { columns, rows } = self;
        (columns > 0 && rows > 0).then(|| {
            let json = format!("{{\"Width\":{columns},\"Height\":{rows}}}");
            encode(Channel::Resize, json.as_bytes())
        })
    }
}

/// The message that carries `payload`.
pub(super) fn encode(channel: Channel, payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(payload.len() + 1);
    message.push(channel.byte());
    message.extend_from_slice(payload);
    message
}

/// What a message of the server carries; `None` for an empty one and for a channel that a server
/// does not send on: both are ignored, as the runtimes' own clients do.
pub(super) fn decode(message: &[u8]) -> Option<(Channel, &[u8])> {
    let (first, payload) = message.split_first()?;
    let channel = match first {
        1 => Channel::Stdout,
        2 => Channel::Stderr,
        3 => Channel::Status,
        _ => return None,
    };
    Some((channel, payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"", None)]
    #[case(b"\x01", Some((Channel::Stdout, &b""[..])))]
    #[case(b"\x01hi\n", Some((Channel::Stdout, &b"hi\n"[..])))]
    #[case(b"\x02err", Some((Channel::Stderr, &b"err"[..])))]
    #[case(b"\x03{}", Some((Channel::Status, &b"{}"[..])))]
    #[case(b"\x00stdin from a server", None)]
    #[case(b"\x04{}", None)]
    #[case(b"\x05new", None)]
    #[case(b"\xffclose of v5", None)]
    fn messages_of_the_server(#[case] message: &[u8], #[case] expected: Option<(Channel, &[u8])>) {
        assert_eq!(decode(message), expected);
    }

    #[test]
    fn sizes() {
        let message = |columns, rows| Size { columns, rows }.message();
        assert_eq!(
            message(100, 40).unwrap(),
            b"\x04{\"Width\":100,\"Height\":40}"
        );
        assert_eq!(message(0, 40), None);
        assert_eq!(message(100, 0), None);
    }

    #[test]
    fn stdin_is_whole() {
        assert_eq!(encode(Channel::Stdin, b"ls\r"), b"\0ls\r");
        assert_eq!(encode(Channel::Stdin, b""), b"\0");
    }
}
