//! The one place that opens paths of the host.

use std::io;
use std::path::{Path, PathBuf};

/// The root under which the host's files and sockets are found: `/`, or `--host-root DIR`.
#[derive(Clone, Debug)]
pub struct HostRoot {
    root: PathBuf,
}

impl HostRoot {
    /// Opens `root`.
    pub fn new(root: &Path) -> io::Result<Self> {
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Where `path` is for somebody outside the root: `/host/etc/crictl.yaml`. For messages.
    pub fn outside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Resolves a unix socket under the root. Connect to [`SocketHandle::path`].
    pub fn socket(&self, path: &Path) -> io::Result<SocketHandle> {
        Ok(SocketHandle {
            path: self.outside(path),
        })
    }
}

/// A resolved socket; the path is valid as long as this value lives.
#[derive(Debug)]
pub struct SocketHandle {
    path: PathBuf,
}

impl SocketHandle {
    /// What to hand to `connect`.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
