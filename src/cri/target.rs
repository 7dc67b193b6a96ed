//! Where the runtime is, and how long to wait for it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::host::open::{HostRoot, SocketHandle};
use crate::text::Text;

/// Opens a socket under the host's root, or says why it may not be used.
type Opener = Arc<dyn Fn(&HostRoot) -> io::Result<SocketHandle> + Send + Sync>;

/// A unix socket: where it is, how it is shown, and how it is opened.
#[derive(Clone)]
pub struct SocketPath {
    path: PathBuf,
    shown: Text,
    opener: Opener,
}

impl PartialEq for SocketPath {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl fmt::Debug for SocketPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown.as_str())
    }
}

impl SocketPath {
    /// The socket at the absolute `path`, as the host sees it (without the host root).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let resolved = path.clone();
        Self::opened_by(path, move |host| host.socket(&resolved))
    }

    /// The socket at `path`, opened by `opener`, which may refuse: it is asked at each attempt to
    /// connect.
    pub fn opened_by(
        path: impl Into<PathBuf>,
        opener: impl Fn(&HostRoot) -> io::Result<SocketHandle> + Send + Sync + 'static,
    ) -> Self {
        let path = path.into();
        let shown = Text::from(format!("unix://{}", path.display()));
        Self {
            path,
            shown,
            opener: Arc::new(opener),
        }
    }

    /// Resolves the socket; connect to the handle's path while it lives.
    pub fn open(&self, host: &HostRoot) -> io::Result<SocketHandle> {
        (self.opener)(host)
    }

    /// The absolute path, as the host sees it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `unix:///run/containerd/containerd.sock`
    pub fn shown(&self) -> &Text {
        &self.shown
    }
}

/// Where the runtime's services are.
#[derive(Clone, Debug)]
pub struct Target {
    /// Socket of the runtime service.
    pub runtime: SocketPath,
    /// Socket of the image service: mostly the same.
    pub image: SocketPath,
    /// The root under which both are found.
    pub host: HostRoot,
}

/// How long to wait, how often to look, and what time it is.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// Longest wait for any one call (`--timeout`).
    pub deadline: Duration,
    /// Time between two lists when nothing happens (`--refresh`).
    pub refresh: Duration,
    /// The wall clock, for what is shown; waiting is measured by tokio's clock.
    pub clock: fn() -> Timestamp,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            refresh: Duration::from_secs(2),
            clock: Timestamp::now,
        }
    }
}
