//! The URL of the streaming server, and whether it may be followed: whoever answers at that
//! address sees everything that is typed, so it has to be this very node unless the user says
//! otherwise.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};

use super::StreamError;
use super::dial::Trust;

/// What an address without a port means to crictl.
const PORT: u16 = 10250;

/// Where the streaming server is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::cri) struct Address {
    /// TLS.
    pub secure: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Path and query.
    pub path: String,
}

/// Whose address it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whose {
    Loopback,
    ThisNode,
    /// The user allows it by name.
    Allowed,
    Foreign,
}

impl Address {
    /// Takes a URL apart. What is missing is filled in as the runtimes mean it: no scheme is
    /// `http`, no host and an unspecified one are this machine.
    pub fn parse(url: &str) -> Result<Self, StreamError> {
        let wrong = |what: &str| {
            StreamError::address(&format!(
                "the runtime names a streaming URL {what}: {url:?}"
            ))
        };
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "http" | "ws" | "" => false,
            "https" | "wss" => true,
            _ => return Err(wrong("that is neither http nor https")),
        };
        let at = rest.find('/').ok_or_else(|| wrong("without a path"))?;
        let (authority, path) = rest.split_at(at);
        let visible = |c: char| c.is_ascii_graphic();
        if !path.chars().all(visible) || path.contains('#') {
            return Err(wrong("with a path that is none"));
        }
        let (host, port) = split(authority).ok_or_else(|| wrong("with a host that is none"))?;
        Ok(Self {
            secure,
            host: local(host),
            port,
            path: path.to_owned(),
        })
    }

    /// Whether to go there; the error says why not and what to do.
    pub fn check(&self, trust: &Trust) -> Result<(), StreamError> {
        let whose = self.whose(trust);
        let refused = |why: &str| {
            StreamError::address(&format!(
                "not opened: the runtime's streaming server is at {}, {why}",
                self.authority()
            ))
        };
        match whose {
            Whose::Foreign => Err(refused(&format!(
                "which is not this node: if that is right, allow it with --stream-host {}",
                self.host
            ))),
            Whose::ThisNode | Whose::Allowed if self.secure && !trust.verifies() => Err(refused(
                "over TLS, whose certificate is trusted unseen only on loopback: name the \
                 authority that signed it with --stream-ca FILE",
            )),
            _ => Ok(()),
        }
    }

    /// It is loopback, so nobody else can be there.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback())
    }

    /// `127.0.0.1:1234` or `[::1]:1234`.
    pub fn authority(&self) -> String {
        match self.ip() {
            Some(IpAddr::V6(ip)) => format!("[{ip}]:{}", self.port),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    fn whose(&self, trust: &Trust) -> Whose {
        if self.is_loopback() {
            Whose::Loopback
        } else if self.ip().is_some_and(is_ours) {
            Whose::ThisNode
        } else if trust.allows(&self.host) {
            Whose::Allowed
        } else {
            Whose::Foreign
        }
    }
}

/// Host and port of `127.0.0.1:1`, `[::1]:1`, `name`, `:1` or nothing.
fn split(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (host, port.strip_prefix(':'))
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if !host.chars().all(named) {
        return None;
    }
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port != 0)?,
        None => PORT,
    };
    Some((host, port))
}

/// The loopback address for a host that says nothing.
fn local(host: &str) -> String {
    let unspecified = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
    match host {
        "" | "0.0.0.0" => Ipv4Addr::LOCALHOST.to_string(),
        _ if unspecified => "::1".to_owned(),
        _ => host.to_owned(),
    }
}

/// An address of this machine: only those can be bound.
fn is_ours(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn told(url: &str) -> String {
        match Address::parse(url) {
            Ok(address) => format!(
                "{}{}{}",
                if address.secure { "tls " } else { "" },
                address.authority(),
                address.path
            ),
            Err(error) => error.to_string(),
        }
    }

    #[rstest]
    #[case(
        "http://127.0.0.1:44849/exec/KWwrZzLx",
        "127.0.0.1:44849/exec/KWwrZzLx"
    )]
    #[case("https://[::1]:44121/exec/A?x=1", "tls [::1]:44121/exec/A?x=1")]
    #[case("HTTP://localhost:1/a", "localhost:1/a")]
    // Nothing, or nothing definite: this machine.
    #[case("/exec/A", "127.0.0.1:10250/exec/A")]
    #[case("http:///exec/A", "127.0.0.1:10250/exec/A")]
    #[case("http://:8080/exec/A", "127.0.0.1:8080/exec/A")]
    #[case("http://0.0.0.0:8080/exec/A", "127.0.0.1:8080/exec/A")]
    #[case("http://[::]:8080/exec/A", "[::1]:8080/exec/A")]
    #[case("http://10.0.0.1/exec/A", "10.0.0.1:10250/exec/A")]
    fn urls(#[case] url: &str, #[case] expected: &str) {
        assert_eq!(told(url), expected);
    }

    #[rstest]
    #[case("ftp://127.0.0.1:1/a", "neither http nor https")]
    #[case("http://127.0.0.1:1", "without a path")]
    #[case("", "without a path")]
    #[case("http://user:secret@127.0.0.1:1/a", "host that is none")]
    #[case("http://127.0.0.1:0/a", "host that is none")]
    #[case("http://127.0.0.1:99999/a", "host that is none")]
    #[case("http://127.0.0.1:x/a", "host that is none")]
    #[case("http://[::1/a", "host that is none")]
    #[case("http://[name]:1/a", "host that is none")]
    #[case("http://a b:1/a", "host that is none")]
    #[case("http://127.0.0.1:1/a b", "path that is none")]
    #[case("http://127.0.0.1:1/a\r\nX: y", "path that is none")]
    fn urls_that_are_none(#[case] url: &str, #[case] why: &str) {
        let line = told(url);
        assert!(line.contains(why), "{line}");
        assert!(!line.contains('\r'));
    }

    #[rstest]
    #[case("http://127.0.0.1:1/a", "")]
    #[case("https://127.9.9.9:1/a", "")]
    #[case("https://[::1]:1/a", "")]
    #[case("http://localhost:1/a", "")]
    // TEST-NET-1: nobody's.
    #[case("http://192.0.2.7:1/a", "--stream-host 192.0.2.7")]
    #[case("http://node.example:1/a", "--stream-host node.example")]
    #[case("http://localhost.example:1/a", "not this node")]
    fn only_this_node_is_trusted(#[case] url: &str, #[case] why: &str) {
        let checked = Address::parse(url).unwrap().check(&Trust::default());
        match checked {
            Ok(()) => assert_eq!(why, ""),
            Err(error) => {
                let line = error.to_string();
                assert!(!why.is_empty() && line.contains(why), "{line}");
            }
        }
    }

    #[test]
    fn who_is_allowed_by_name_still_has_to_prove_itself() {
        let trust = Trust::hosts(["192.0.2.7".to_owned()]);
        let check = |url: &str| Address::parse(url).unwrap().check(&trust);
        assert_eq!(check("http://192.0.2.7:1/a"), Ok(()));
        assert!(check("http://192.0.2.70:1/a").is_err());
        let line = check("https://192.0.2.7:1/a").unwrap_err().to_string();
        assert!(line.contains("--stream-ca"), "{line}");
    }
}
