//! A node made of files, for tests.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::env::Env;
use super::trust::Guard;
use crate::host::open::HostRoot;

/// A folder that plays the root of a node, and an ordinary user on it.
pub struct Node {
    folder: TempDir,
    /// The root.
    pub host: HostRoot,
    /// The user: 1000, at home in `/home/u`, now in `/work`.
    pub env: Env,
}

impl Node {
    /// An empty node.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = HostRoot::new(folder.path()).unwrap();
        let env = Env {
            vars: [("HOME".into(), "/home/u".into())].into(),
            uid: 1000,
            guard: None,
            cwd: "/work".into(),
            own: host.clone(),
        };
        Self { folder, host, env }
    }

    /// Where a path of the node really is.
    pub fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    /// The same as messages name it.
    pub fn shown(&self, path: &str) -> String {
        self.at(path).to_string_lossy().into_owned()
    }

    /// Writes a file and the folders above it, for their owner alone to write.
    pub fn write(&self, path: &str, text: &str) {
        self.write_bytes(path, text.as_bytes());
    }

    /// As [`Node::write`].
    pub fn write_bytes(&self, path: &str, bytes: &[u8]) {
        let parents: Vec<_> = Path::new(path).ancestors().skip(1).collect();
        for parent in parents.into_iter().rev() {
            let parent = parent.to_str().unwrap();
            fs::create_dir_all(self.at(parent)).unwrap();
            self.chmod(parent, 0o755);
        }
        fs::write(self.at(path), bytes).unwrap();
        self.chmod(path, 0o644);
    }

    /// Sets the permission bits.
    pub fn chmod(&self, path: &str, mode: u32) {
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Gives a file to a user.
    pub fn give(&self, path: &str, uid: u32) {
        std::os::unix::fs::chown(self.at(path), Some(uid), None).unwrap();
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.vars.insert(name.into(), value.into());
    }

    /// The same node seen by root. Whoever runs the tests owns its files and counts as root.
    pub fn as_root() -> Self {
        let mut node = Self::new();
        let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
        node.env.uid = 0;
        node.env.guard = Some(Guard::root().and((uid.as_raw(), gid.as_raw())));
        node
    }
}
