//! Where the runtime is, and how long to wait for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::host::open::HostRoot;
use crate::text::Text;

/// A unix socket: where it is, and how it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SocketPath {
    path: PathBuf,
    shown: Text,
}

impl SocketPath {
    /// The socket at the absolute `path`, as the host sees it (without the host root).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let shown = Text::from(format!("unix://{}", path.display()));
        Self { path, shown }
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
