//! How full file systems are.

use std::path::Path;

use rustix::fs::{self, OFlags};

use super::resolver::{OpenError, Resolver};

/// One file system, as `df` counts it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    /// The device, which tells one file system from another.
    pub device: u64,
    /// Bytes that others than root can use, in use or not.
    pub size: u64,
    /// Bytes of them that are left.
    pub available: u64,
    /// Inodes; 0 where there is no such number.
    pub inodes: u64,
    /// Inodes that are left.
    pub inodes_free: u64,
}

impl Resolver {
    /// The file system that holds `path`.
    pub fn space(&self, path: &Path) -> Result<Space, OpenError> {
        let found = self.resolve(path, OFlags::PATH)?;
        if let Some(space) = self.simulated {
            return Ok(space);
        }
        let space = fs::fstatvfs(&found)?;
        let block = space.f_frsize.max(1);
        let used = space.f_blocks.saturating_sub(space.f_bfree);
        Ok(Space {
            device: fs::fstat(&found)?.st_dev,
            size: used.saturating_add(space.f_bavail).saturating_mul(block),
            available: space.f_bavail.saturating_mul(block),
            inodes: space.f_files,
            inodes_free: space.f_favail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::open::HostRoot;
    use std::time::Duration;

    #[test]
    fn of_a_folder_and_of_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let host = HostRoot::new(folder.path()).unwrap();
        let look = |path: &'static str| {
            host.work(Duration::from_secs(5), move |files| {
                files.space(Path::new(path))
            })
        };
        let space = look("/").unwrap();
        assert!(space.size > 0 && space.available <= space.size);
        assert!(space.inodes_free <= space.inodes);
        assert_eq!(look("/missing"), Err(OpenError::Missing));
    }
}
