//! From what failed to what the user reads: what is wrong with which socket, and what to do.

use std::io;
use std::time::Duration;

use super::target::SocketPath;
use crate::link::Problem;
use crate::text::Text;

/// What the first bytes of a peer show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Greeting {
    /// Nothing has come yet.
    Silence,
    /// HTTP/2, as every gRPC server speaks it.
    Http2,
    /// HTTP/1: the Docker API, which podman serves too.
    Http1,
    /// Neither.
    Other,
}

impl Greeting {
    /// Judges the first `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        // Length (3), type SETTINGS, flags, stream 0 (4): how every HTTP/2 server begins.
        const SETTINGS: u8 = 4;
        match bytes {
            [] => Self::Silence,
            [b'H', b'T', b'T', b'P', ..] => Self::Http1,
            [_, _, _, SETTINGS, _, 0, 0, 0, 0, ..] => Self::Http2,
            _ => Self::Other,
        }
    }
}

/// Why there is no working connection.
#[derive(Debug)]
pub(super) enum Failure {
    /// The socket could not be found or opened, or is none.
    Socket(io::Error),
    /// A socket that nobody serves any more.
    Stale,
    /// Closed before the first answer.
    Closed(Greeting),
    /// Connected, no answer for so long.
    Mute(Greeting, Duration),
    /// HTTP/2 that is not gRPC.
    NotGrpc,
    /// Serves the CRI of before 2022 only; what it calls itself.
    OldCri(Text),
    /// Serves gRPC, but no CRI at all.
    CriOff,
    /// Serves CRI, but refuses calls for now; its words.
    Starting(Text),
    /// Worked, and was closed.
    Lost,
    /// Another answer to the first call; the words.
    Status(Text),
}

/// Says what `failure` at `socket` means and what to do about it.
pub(super) fn diagnose(socket: &SocketPath, failure: &Failure) -> Problem {
    let (what, advice) = words(socket.shown().as_str(), failure);
    Problem {
        what: Text::from(what),
        advice: Text::from(advice.to_owned()),
    }
}

const NAME_ONE: &str = "Name the CRI socket of containerd, CRI-O or cri-dockerd with -r";

fn words(socket: &str, failure: &Failure) -> (String, &'static str) {
    match failure {
        Failure::Socket(error) => unopened(socket, error),
        Failure::Stale => (
            format!("{socket}: nothing listens there (connection refused)"),
            "Start the runtime (systemctl status containerd, or crio), or name another socket with -r",
        ),
        Failure::Closed(Greeting::Http1) | Failure::Mute(Greeting::Http1, _) => (
            format!(
                "{socket} speaks HTTP/1, not gRPC: it is the API of podman or Docker, not a CRI"
            ),
            "podman has no CRI; Docker needs cri-dockerd. Name a CRI socket with -r",
        ),
        Failure::Closed(Greeting::Other) | Failure::Mute(Greeting::Other, _) | Failure::NotGrpc => {
            (format!("{socket} does not speak gRPC"), NAME_ONE)
        }
        Failure::Closed(_) => (
            format!("{socket} closed the connection without an answer"),
            "If the runtime is starting or stopping this passes; else name its CRI socket with -r",
        ),
        Failure::Mute(Greeting::Http2, _) => (
            format!(
                "{socket} speaks gRPC, but does not answer{}",
                within(failure)
            ),
            "The runtime is frozen or overloaded: look at its process and its log; -t waits longer",
        ),
        Failure::Mute(..) => (
            format!(
                "{socket} accepts connections, but does not answer{}",
                within(failure)
            ),
            "The runtime is frozen, or this is not a gRPC socket (not containerd.sock.ttrpc?)",
        ),
        Failure::OldCri(name) => (
            format!("{socket}: {name} serves only CRI v1alpha2, critui needs v1"),
            "Upgrade the runtime: containerd 1.6, CRI-O 1.23 and later serve v1",
        ),
        Failure::CriOff => (
            format!(
                "{socket} is a gRPC server without the CRI: its CRI plugin is off or failed to load"
            ),
            "For containerd, take \"cri\" out of disabled_plugins in /etc/containerd/config.toml and restart it; its log says why if it failed",
        ),
        Failure::Starting(words) => (
            format!("{socket}: the runtime is not ready: {words}"),
            "It is starting or stopping; critui keeps trying",
        ),
        Failure::Lost => (
            format!("{socket}: the connection was lost: the runtime has stopped or restarts"),
            "critui reconnects by itself; see systemctl status containerd (or crio)",
        ),
        Failure::Status(words) => (
            format!("{socket} refuses to say its version: {words}"),
            "Look into the runtime's log, or name another socket with -r",
        ),
    }
}

fn unopened(socket: &str, error: &io::Error) -> (String, &'static str) {
    match error.kind() {
        io::ErrorKind::NotFound => (
            format!("{socket} does not exist"),
            "Is the runtime running? Name its socket with -r, or runtime-endpoint in /etc/crictl.yaml",
        ),
        io::ErrorKind::PermissionDenied => (
            format!("{socket}: permission denied"),
            "Run critui as root (sudo), or as a member of the socket's group",
        ),
        // Our own words, which read well after the name.
        _ if error.get_ref().is_some() => (format!("{socket} {error}"), NAME_ONE),
        _ => (format!("{socket} cannot be opened: {error}"), NAME_ONE),
    }
}

fn within(failure: &Failure) -> String {
    match failure {
        Failure::Mute(_, waited) if !waited.is_zero() => format!(" within {waited:?}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"", Greeting::Silence)]
    #[case(b"HTTP/1.1 400 Bad Request", Greeting::Http1)]
    #[case(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x05", Greeting::Http2)]
    #[case::only_a_part(b"\x00\x00\x12\x04", Greeting::Other)]
    #[case::go_away_first(b"\x00\x00\x08\x07\x00\x00\x00\x00\x00", Greeting::Other)]
    #[case(b"SSH-2.0-OpenSSH", Greeting::Other)]
    fn greetings(#[case] bytes: &[u8], #[case] expected: Greeting) {
        assert_eq!(Greeting::of(bytes), expected);
    }

    fn errno(number: i32) -> Failure {
        Failure::Socket(io::Error::from_raw_os_error(number))
    }

    const WAITED: Duration = Duration::from_secs(2);

    /// What happened, a part of what is said about it, and of the advice.
    #[rstest]
    #[case(errno(2), "does not exist", "-r")]
    #[case(errno(13), "permission denied", "sudo")]
    #[case(errno(40), "cannot be opened: Too many levels", "-r")]
    #[case(
        Failure::Socket(io::Error::other("is a pipe, not a socket")),
        "s is a pipe",
        "-r"
    )]
    #[case(Failure::Stale, "connection refused", "Start the runtime")]
    #[case(Failure::Closed(Greeting::Http1), "podman", "cri-dockerd")]
    #[case(Failure::Mute(Greeting::Http1, WAITED), "podman", "cri-dockerd")]
    #[case(Failure::Closed(Greeting::Other), "does not speak gRPC", "-r")]
    #[case(Failure::Mute(Greeting::Other, WAITED), "does not speak gRPC", "-r")]
    #[case(Failure::NotGrpc, "does not speak gRPC", "-r")]
    #[case(Failure::Closed(Greeting::Silence), "without an answer", "starting")]
    #[case(
        Failure::Mute(Greeting::Silence, WAITED),
        "not answer within 2s",
        "not a gRPC"
    )]
    #[case(
        Failure::Mute(Greeting::Silence, Duration::ZERO),
        "not answer",
        "frozen"
    )]
    #[case(Failure::Mute(Greeting::Http2, WAITED), "speaks gRPC", "overloaded")]
    #[case(
        Failure::OldCri(Text::clean("containerd 1.5.9")),
        "containerd 1.5.9",
        "Upgrade"
    )]
    #[case(Failure::CriOff, "without the CRI", "disabled_plugins")]
    #[case(
        Failure::Starting(Text::clean("not yet")),
        "not ready: not yet",
        "keeps trying"
    )]
    #[case(Failure::Lost, "lost", "by itself")]
    #[case(Failure::Status(Text::clean("no way")), "no way", "log")]
    fn failures(#[case] failure: Failure, #[case] what: &str, #[case] advice: &str) {
        let problem = diagnose(&SocketPath::new("/run/s"), &failure);
        assert!(
            problem.what.as_str().starts_with("unix:///run/s"),
            "{problem:?}"
        );
        assert!(problem.what.as_str().contains(what), "{problem:?}");
        assert!(problem.advice.as_str().contains(advice), "{problem:?}");
    }
}
