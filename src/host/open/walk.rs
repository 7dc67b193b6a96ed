//! How much lies below a folder: no link is followed, no other file system entered, and nothing
//! is opened but folders. Blocks for as long as it is let.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rustix::fs::{self, AtFlags, Dir, DirEntry, FileType, Mode, OFlags, Stat};

use super::resolver::{self, OpenError, Resolver};

/// Deepest folder that is looked into; each holds a descriptor.
const DEEPEST: usize = 64;
/// What a block of `st_blocks` has.
const BLOCK: u64 = 512;
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// When a walk ends before its end.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Somebody wants it to.
    pub stop: &'a AtomicBool,
    /// The time is over.
    pub until: Instant,
}

impl Limits<'_> {
    /// True when it is to end.
    pub fn over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || Instant::now() >= self.until
    }
}

/// What lies below a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Its file system.
    pub device: u64,
    /// Bytes on the disk, files with several names once.
    pub bytes: u64,
    /// Files.
    pub files: u64,
    /// Something was left out: too deep, not to be read, or the walk ended early.
    pub partial: bool,
}

/// A file that no name leads to any more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Deleted {
    /// Its file system.
    pub device: u64,
    /// What tells it from others there.
    pub inode: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

impl Resolver {
    /// What lies below `path`; only links on the way to it are followed.
    pub fn usage(&self, path: &Path, limits: &Limits) -> Result<Usage, OpenError> {
        let found = self.resolve(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut walk = Walk {
            usage: Usage {
                device: fs::fstat(&found)?.st_dev,
                ..Usage::default()
            },
            linked: HashSet::new(),
        };
        let mut open = vec![Dir::new(found)?];
        while let Some(folder) = open.last_mut() {
            if limits.over() {
                walk.usage.partial = true;
                break;
            }
            let Some(entry) = folder.read() else {
                open.pop();
                continue;
            };
            let below = entry
                .map_err(OpenError::from)
                .and_then(|entry| walk.take(folder, &entry));
            match below {
                Ok(Some(below)) if open.len() < DEEPEST => open.push(Dir::new(below)?),
                Ok(None) | Err(OpenError::Missing) => {}
                Ok(Some(_)) | Err(_) => walk.usage.partial = true,
            }
        }
        Ok(walk.usage)
    }

    /// Files that a process holds open though they were deleted, `most` descriptors looked at.
    pub fn deleted_of(&self, process: u32, most: usize) -> Result<Vec<Deleted>, OpenError> {
        let path = Path::new("/proc").join(process.to_string()).join("fd");
        let folder = self.resolve(&path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let names = resolver::list(&folder, most)?.names;
        // The link is a magic one: this looks at the file and opens nothing.
        let stats = names
            .iter()
            .filter_map(|name| fs::statat(&folder, name.as_os_str(), AtFlags::empty()).ok());
        let deleted = stats.filter(|stat| stat.st_nlink == 0 && is(stat, FileType::RegularFile));
        Ok(deleted
            .map(|stat| Deleted {
                device: stat.st_dev,
                inode: stat.st_ino,
                bytes: bytes(&stat),
            })
            .collect())
    }
}

struct Walk {
    usage: Usage,
    /// Files with several names that have been counted.
    linked: HashSet<u64>,
}

impl Walk {
    /// Counts an entry; the folder to go on in, if it is one.
    fn take(&mut self, folder: &Dir, entry: &DirEntry) -> Result<Option<OwnedFd>, OpenError> {
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            return Ok(None);
        }
        let stat = fs::statat(folder.fd()?, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if stat.st_dev != self.usage.device {
            return Ok(None);
        }
        let folds = is(&stat, FileType::Directory);
        if folds || stat.st_nlink < 2 || self.linked.insert(stat.st_ino) {
            self.usage.bytes = self.usage.bytes.saturating_add(bytes(&stat));
            self.usage.files += u64::from(!folds);
        }
        if !folds {
            return Ok(None);
        }
        let below = fs::openat(folder.fd()?, name, FOLDER, Mode::empty())?;
        // Something may have been mounted there since.
        let same = fs::fstat(&below)?.st_dev == self.usage.device;
        Ok(same.then_some(below))
    }
}

fn is(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
}

fn bytes(stat: &Stat) -> u64 {
    u64::try_from(stat.st_blocks)
        .unwrap_or(0)
        .saturating_mul(BLOCK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::open::HostRoot;
    use std::io::Write as _;
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    const SOON: Duration = Duration::from_secs(20);

    fn usage(host: &HostRoot, stopped: bool) -> Usage {
        let work = move |files: &Resolver| {
            let stop = AtomicBool::new(stopped);
            let until = Instant::now() + SOON;
            let limits = Limits { stop: &stop, until };
            files.usage(Path::new("/top"), &limits)
        };
        host.work(SOON, work).unwrap()
    }

    #[test]
    fn links_lead_nowhere_and_count_once() {
        let root = tempfile::tempdir().unwrap();
        let top = root.path().join("top");
        std::fs::create_dir_all(top.join("a/b")).unwrap();
        std::fs::write(root.path().join("outside"), vec![1; 4 << 20]).unwrap();
        std::fs::write(top.join("a/b/file"), vec![1; 1 << 20]).unwrap();
        std::fs::hard_link(top.join("a/b/file"), top.join("again")).unwrap();
        symlink("../outside", top.join("link")).unwrap();
        symlink("..", top.join("a/up")).unwrap();
        let host = HostRoot::new(root.path()).unwrap();
        let usage = usage(&host, false);
        assert!(!usage.partial);
        assert_eq!(usage.files, 3);
        assert!((1 << 20..2 << 20).contains(&usage.bytes), "{usage:?}");
    }

    #[test]
    fn what_is_stopped_says_so() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("top/a")).unwrap();
        let host = HostRoot::new(root.path()).unwrap();
        assert!(usage(&host, true).partial);
    }

    #[test]
    fn deleted_files_of_this_very_process() {
        let host = HostRoot::new(Path::new("/")).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![1; 1 << 16]).unwrap();
        file.sync_all().unwrap();
        let stat = fs::fstat(&file).unwrap();
        let own = std::process::id();
        let found = host.work(SOON, move |files| files.deleted_of(own, 4096));
        let found = found.unwrap();
        let it = found
            .iter()
            .find(|one| (one.device, one.inode) == (stat.st_dev, stat.st_ino));
        assert!(it.expect("it is found").bytes >= 1 << 16);
    }
}
