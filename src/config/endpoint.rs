//! Endpoints: how they are written, and opening them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::trust::Guard;
use crate::host::open::{HostRoot, OpenError, SocketHandle};
use crate::text::Text;

/// What to do about a socket that is not trusted.
pub const USE_ANYWAY: &str = "name it with a flag, such as --runtime-endpoint, to use it anyway";

/// A unix socket under the host's root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    path: PathBuf,
    /// Who may own and write the socket and its folders; `None` when the user named it with a
    /// flag, or is not root.
    guard: Option<Guard>,
}

impl Endpoint {
    /// A socket that is connected only as long as nobody but `guard`'s users can replace it.
    pub fn new(path: PathBuf, guard: Option<Guard>) -> Self {
        Self { path, guard }
    }

    /// Where the socket is, absolute, as the host sees it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Resolves the socket; connect to the handle's path while it lives. The guard is asked each
    /// time, because a runtime that restarts makes a new socket. Errors as of
    /// [`HostRoot::socket`]; distrust is `PermissionDenied` with a text that says why. Blocks
    /// while the file system does, three seconds at most.
    pub fn open(&self, host: &HostRoot) -> io::Result<SocketHandle> {
        if let Some(why) = self.distrust(host)? {
            let line = format!("{why}; {USE_ANYWAY}");
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, line));
        }
        host.socket(&self.path)
    }

    /// Why the guard refuses the socket that is there now.
    pub fn distrust(&self, host: &HostRoot) -> Result<Option<String>, OpenError> {
        match &self.guard {
            Some(guard) => guard.distrust(host, &self.path),
            None => Ok(None),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = format!("unix://{}", self.path.display());
        f.pad(Text::clean(&url).as_str())
    }
}

/// The path in an endpoint as crictl takes it: `unix:///path`, `unix:/path`, the scheme in any
/// case, or just `/path`. The error says what to write instead.
pub fn parse(text: &str) -> Result<PathBuf, String> {
    let path = match text.split_once(':') {
        _ if text.starts_with('/') => text,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("unix") => unix_path(rest)?,
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("tcp") => {
            return Err(format!(
                "only support unix socket endpoint: write unix:///PATH instead of {text:?}"
            ));
        }
        Some((scheme, rest)) if rest.starts_with("//") => {
            return Err(format!(
                "protocol {scheme:?} not supported: write unix:///PATH instead of {text:?}"
            ));
        }
        _ => {
            return Err(format!(
                "{text:?} has no scheme and is no absolute path: write unix:///PATH"
            ));
        }
    };
    if path.trim_matches('/').is_empty() {
        return Err(format!("{text:?} names no socket: write unix:///PATH"));
    }
    if path.contains('\0') {
        return Err(format!("{text:?} holds a NUL character"));
    }
    Ok(path.into())
}

fn unix_path(rest: &str) -> Result<&str, String> {
    let relative = |path: &str| {
        Err(format!(
            "\"unix:{rest}\" names no absolute path: write unix:///{}",
            path.trim_start_matches('/')
        ))
    };
    match rest.strip_prefix("//") {
        Some(path) if path.is_empty() || path.starts_with('/') => Ok(path),
        Some(path) => relative(path),
        None if rest.is_empty() || rest.starts_with('/') => Ok(rest),
        None => relative(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("unix:///run/containerd/containerd.sock")]
    #[case("unix:/run/containerd/containerd.sock")]
    #[case("UNIX:///run/containerd/containerd.sock")]
    #[case("/run/containerd/containerd.sock")]
    fn forms(#[case] text: &str) {
        assert_eq!(parse(text), Ok("/run/containerd/containerd.sock".into()));
    }

    #[test]
    fn a_colon_in_a_path_is_no_scheme() {
        assert_eq!(parse("/run/a:b.sock"), Ok("/run/a:b.sock".into()));
        assert_eq!(parse("unix:///run/a:b.sock"), Ok("/run/a:b.sock".into()));
    }

    #[rstest]
    #[case(
        "unix://run/x.sock",
        "\"unix://run/x.sock\" names no absolute path: write unix:///run/x.sock"
    )]
    #[case(
        "unix:run/x.sock",
        "\"unix:run/x.sock\" names no absolute path: write unix:///run/x.sock"
    )]
    #[case("unix://", "\"unix://\" names no socket: write unix:///PATH")]
    #[case("unix:", "\"unix:\" names no socket: write unix:///PATH")]
    #[case("/", "\"/\" names no socket: write unix:///PATH")]
    #[case(
        "tcp://1.2.3.4:5",
        "only support unix socket endpoint: write unix:///PATH instead of \"tcp://1.2.3.4:5\""
    )]
    #[case(
        "http://x",
        "protocol \"http\" not supported: write unix:///PATH instead of \"http://x\""
    )]
    #[case(
        "npipe:////./pipe/x",
        "protocol \"npipe\" not supported: write unix:///PATH instead of \"npipe:////./pipe/x\""
    )]
    #[case(
        "run/x.sock",
        "\"run/x.sock\" has no scheme and is no absolute path: write unix:///PATH"
    )]
    #[case(
        "containerd:5000",
        "\"containerd:5000\" has no scheme and is no absolute path: write unix:///PATH"
    )]
    #[case("", "\"\" has no scheme and is no absolute path: write unix:///PATH")]
    #[case("/a\0b", "\"/a\\0b\" holds a NUL character")]
    fn no_endpoints(#[case] text: &str, #[case] error: &str) {
        assert_eq!(parse(text), Err(error.to_owned()));
    }

    #[test]
    fn endpoints_show_no_escape_sequence() {
        let endpoint = Endpoint::new("/run/\x1b[2J".into(), None);
        assert_eq!(endpoint.to_string(), "unix:///run/\\x1b[2J");
    }
}
