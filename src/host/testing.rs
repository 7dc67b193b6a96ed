//! Roots for tests.

use std::fs;

use super::open::HostRoot;

/// A root with these files, and what keeps it there.
pub(in crate::host) fn with(files: &[(&str, &str)]) -> (tempfile::TempDir, HostRoot) {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let host = HostRoot::new(root.path()).unwrap();
    (root, host)
}
