//! A folder of the host that is held open, and what lies strictly below it: no `..` and no
//! symbolic link on the way, for folders into which workloads may write. Everything here blocks.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;

use super::resolver::{self, Kind, Listing, OpenError, Resolver};

/// A folder that stays the same one, whatever is renamed around it.
#[derive(Debug)]
pub struct Folder(OwnedFd);

/// What identifies a file as long as somebody holds it open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Of an open file.
    pub fn of(file: &File) -> Result<Self, OpenError> {
        Ok(Self::from(&fs::fstat(file)?))
    }
}

impl From<&fs::Stat> for FileId {
    fn from(stat: &fs::Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
        }
    }
}

/// What a path below a folder is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::host) struct Meta {
    pub kind: Kind,
    pub size: u64,
    pub mode: u32,
    pub uid: u32,
    /// Where a link points.
    pub target: Option<PathBuf>,
    /// In a layer of an overlay: it hides what lies below, and is not there itself.
    pub whiteout: bool,
    /// In a layer of an overlay: nothing below shines through.
    pub opaque: bool,
}

impl Resolver {
    /// Opens the folder that `path` names, links followed, inside the root.
    pub fn folder(&self, path: &Path) -> Result<Folder, OpenError> {
        let found = self.resolve(path, OFlags::PATH)?;
        resolver::expect(&found, Kind::Folder)?;
        Ok(Folder(found))
    }
}

impl Folder {
    /// A folder that was opened by its process.
    pub(in crate::host) fn of_process(folder: OwnedFd) -> Self {
        Self(folder)
    }

    /// The folder at `path` below.
    pub fn folder(&self, path: &Path) -> Result<Self, OpenError> {
        let found = self.walk(path)?;
        resolver::expect(&found, Kind::Folder)?;
        Ok(Self(found))
    }

    /// Opens the regular file at `path` below for reading; never blocks on a named pipe.
    pub fn open(&self, path: &Path) -> Result<File, OpenError> {
        let found = self.walk(path)?;
        let stat = resolver::expect(&found, Kind::File)?;
        match fs::open(
            resolver::proc_path(&found),
            resolver::FOR_READING,
            Mode::empty(),
        ) {
            Ok(file) => Ok(file.into()),
            Err(Errno::NOENT | Errno::NOTDIR) => self.open_again(path, &stat),
            Err(errno) => Err(errno.into()),
        }
    }

    /// At most `limit` bytes of the regular file at `path` below.
    pub fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, OpenError> {
        let mut bytes = Vec::new();
        let read = self.open(path)?.take(limit).read_to_end(&mut bytes);
        read.map_err(|error| resolver::from_std(&error))?;
        Ok(bytes)
    }

    /// Which file is at `path` below now; `None` for a link.
    pub fn id(&self, path: &Path) -> Result<Option<FileId>, OpenError> {
        let stat = fs::fstat(self.walk(path)?)?;
        let kind = Kind::from(fs::FileType::from_raw_mode(stat.st_mode));
        Ok((kind != Kind::Link).then(|| FileId::from(&stat)))
    }

    /// Where the link at `path` below points; `None` if it is no link.
    pub fn link_target(&self, path: &Path) -> Result<Option<PathBuf>, OpenError> {
        resolver::link_target(&self.walk(path)?)
    }

    /// What is at `path` below, a link not followed.
    pub(in crate::host) fn meta(&self, path: &Path) -> Result<Meta, OpenError> {
        let found = self.walk(path)?;
        let stat = fs::fstat(&found)?;
        let kind = Kind::from(fs::FileType::from_raw_mode(stat.st_mode));
        let opaque = kind == Kind::Folder && {
            let mut value = [0; 1];
            let path = resolver::proc_path(&found);
            // Only root may ask, and only overlays answer.
            fs::getxattr(&path, "trusted.overlay.opaque", &mut value).is_ok_and(|_| value == *b"y")
        };
        Ok(Meta {
            kind,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mode: stat.st_mode & 0o7777,
            uid: stat.st_uid,
            target: match kind {
                Kind::Link => resolver::link_target(&found)?,
                _ => None,
            },
            whiteout: kind == Kind::Device && stat.st_rdev == 0,
            opaque,
        })
    }

    /// Up to `most` names in it.
    pub fn list(&self, most: usize) -> Result<Listing, OpenError> {
        resolver::list(&self.0, most)
    }

    /// A path that names this very folder while it is held: for inotify.
    pub fn watch_path(&self) -> PathBuf {
        resolver::proc_path(&self.0)
    }

    /// Where /proc is missing.
    fn open_again(&self, path: &Path, stat: &fs::Stat) -> Result<File, OpenError> {
        let (parent, name) = (path.parent(), path.file_name());
        let parent = self.walk(parent.unwrap_or(Path::new("")))?;
        let flags = resolver::FOR_READING | OFlags::NOFOLLOW;
        let file = fs::openat(&parent, name.unwrap_or_default(), flags, Mode::empty())?;
        if resolver::same(&fs::fstat(&file)?, stat) {
            Ok(file.into())
        } else {
            Err(OpenError::NoProc)
        }
    }

    /// Component by component, which is what `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS` does and
    /// works on every kernel. The last component may be a link, which is then held itself.
    fn walk(&self, path: &Path) -> Result<OwnedFd, OpenError> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut at = self.0.try_clone().map_err(|e| resolver::from_std(&e))?;
        for component in path.components() {
            let name = match component {
                Component::Normal(name) => name,
                Component::CurDir => continue,
                _ => return Err(OpenError::Other(Errno::XDEV)),
            };
            let found = fs::fstat(&at)?;
            if Kind::from(fs::FileType::from_raw_mode(found.st_mode)) == Kind::Link {
                return Err(OpenError::Wrong(Kind::Link, Kind::Folder));
            }
            at = fs::openat(&at, name, flags, Mode::empty())?;
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::open::HostRoot;
    use std::os::unix::fs::symlink;
    use std::time::Duration;
    use tempfile::TempDir;

    fn folder() -> (TempDir, Folder) {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(temp.path().join("top/a/b")).unwrap();
        std::fs::write(temp.path().join("top/a/b/file"), "hello").unwrap();
        std::fs::write(temp.path().join("secret"), "no").unwrap();
        symlink("a/b/file", temp.path().join("top/link")).unwrap();
        symlink("a", temp.path().join("top/linked-folder")).unwrap();
        symlink("../secret", temp.path().join("top/out")).unwrap();
        let root = HostRoot::new(temp.path()).unwrap();
        let open = |resolver: &Resolver| resolver.folder(Path::new("/top"));
        let folder = root.work(Duration::from_secs(20), open).unwrap();
        (temp, folder)
    }

    #[test]
    fn what_lies_below_is_opened() {
        let (_temp, folder) = folder();
        let mut text = String::new();
        let mut file = folder.open(Path::new("a/b/file")).unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        let below = folder.folder(Path::new("a/b")).unwrap();
        assert_eq!(below.list(9).unwrap().names, ["file"]);
        let id = FileId::of(&file).unwrap();
        assert_eq!(below.id(Path::new("file")).unwrap(), Some(id));
    }

    #[test]
    fn links_and_dots_are_refused() {
        let (_temp, folder) = folder();
        let link = OpenError::Wrong(Kind::Link, Kind::File);
        assert_eq!(folder.open(Path::new("link")).unwrap_err(), link);
        assert_eq!(folder.open(Path::new("out")).unwrap_err(), link);
        let through = folder.open(Path::new("linked-folder/b/file"));
        let link = OpenError::Wrong(Kind::Link, Kind::Folder);
        assert_eq!(through.unwrap_err(), link);
        let dots = OpenError::Other(Errno::XDEV);
        assert_eq!(folder.open(Path::new("../secret")).unwrap_err(), dots);
        assert_eq!(folder.open(Path::new("/secret")).unwrap_err(), dots);
        assert_eq!(folder.id(Path::new("out")).unwrap(), None);
        let target = folder.link_target(Path::new("out")).unwrap();
        assert_eq!(target, Some("../secret".into()));
    }

    #[test]
    fn a_named_pipe_does_not_block() {
        let (temp, folder) = folder();
        let mode = Mode::from_raw_mode(0o600);
        let fifo = temp.path().join("top/fifo");
        fs::mknodat(fs::CWD, &fifo, fs::FileType::Fifo, mode, 0).unwrap();
        let found = folder.open(Path::new("fifo")).unwrap_err();
        assert_eq!(found, OpenError::Wrong(Kind::Fifo, Kind::File));
    }
}
