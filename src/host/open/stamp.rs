//! Noticing from outside that a file has changed.

use std::path::Path;

use rustix::fs::{self, OFlags};

use super::resolver::{OpenError, Resolver};

/// What tells one state of a file from the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    file: (u64, u64),
    size: i64,
    modified: (i64, u64),
    changed: (i64, u64),
}

impl Resolver {
    /// See [`super::HostRoot::stamp`].
    pub(super) fn stamp(&self, path: &Path) -> Result<Stamp, OpenError> {
        let stat = fs::fstat(self.resolve(path, OFlags::PATH)?)?;
        Ok(Stamp {
            file: (stat.st_dev, stat.st_ino),
            size: stat.st_size,
            modified: (stat.st_mtime, stat.st_mtime_nsec),
            // Owner and mode count as well: they decide about trust.
            changed: (stat.st_ctime, stat.st_ctime_nsec),
        })
    }
}
