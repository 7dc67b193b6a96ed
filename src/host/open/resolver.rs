//! Resolving paths under the root, and what can be found there. Everything here blocks.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::space::Space;

pub use super::error::{Kind, OpenError};

/// Times a resolution is repeated when a rename elsewhere made the kernel give up (`EAGAIN`).
const RETRIES: usize = 32;
/// How regular files are opened. Non-blocking changes nothing for one, and keeps what is swapped
/// in between from blocking where /proc is missing.
pub(super) const FOR_READING: OFlags = OFlags::RDONLY
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// Who owns a file and who may do what with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits with setuid, setgid and sticky (`0o7777`).
    pub mode: u32,
}

impl From<&fs::Stat> for Stat {
    fn from(stat: &fs::Stat) -> Self {
        Self {
            kind: FileType::from_raw_mode(stat.st_mode).into(),
            uid: stat.st_uid,
            gid: stat.st_gid,
            mode: stat.st_mode & 0o7777,
        }
    }
}

/// The names in a folder, without `.` and `..`, in no order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listing {
    /// The names.
    pub names: Vec<OsString>,
    /// False when the folder holds more than was asked for.
    pub complete: bool,
}

/// How paths are resolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// By `openat2`, inside the root.
    Inside,
    /// By plain `open`, from `/`, where there is nothing to leave.
    Plain,
}

impl Way {
    fn probe(folder: &OwnedFd, is_slash: bool) -> Result<Self, OpenError> {
        let found = fs::openat2(
            folder,
            ".",
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        );
        Self::judge(found.err(), is_slash)
    }

    /// What the answer of the kernel to a first `openat2` means. Old kernels say `ENOSYS`,
    /// sandboxes (seccomp) also `EPERM`.
    fn judge(errno: Option<Errno>, is_slash: bool) -> Result<Self, OpenError> {
        match errno {
            None => Ok(Self::Inside),
            Some(Errno::NOSYS | Errno::PERM) if is_slash => Ok(Self::Plain),
            Some(Errno::NOSYS | Errno::PERM) => Err(OpenError::NoOpenat2),
            Some(errno) => Err(errno.into()),
        }
    }
}

/// The root's folder, for jobs of [`super::HostRoot::work`]: its methods block.
#[derive(Debug)]
pub struct Resolver {
    folder: OwnedFd,
    shown: PathBuf,
    way: Way,
    is_slash: bool,
    /// Of every file system of a simulated node.
    pub(super) simulated: Option<Space>,
}

impl Resolver {
    pub(in crate::host) fn new(root: &Path) -> Result<Self, OpenError> {
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let folder = fs::open(root, flags, Mode::empty())?;
        let is_slash = same(&expect(&folder, Kind::Folder)?, &fs::stat("/")?);
        Ok(Self {
            way: Way::probe(&folder, is_slash)?,
            shown: if is_slash { "/".into() } else { root.into() },
            folder,
            is_slash,
            simulated: None,
        })
    }

    pub(in crate::host) fn is_slash(&self) -> bool {
        self.is_slash
    }

    /// See [`super::HostRoot::read`].
    pub fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, OpenError> {
        read_all(self.open(path)?, limit)
    }

    /// See [`super::HostRoot::open`].
    pub fn open(&self, path: &Path) -> Result<File, OpenError> {
        self.open_with(path, OFlags::empty())
    }

    pub(super) fn open_with(&self, path: &Path, how: OFlags) -> Result<File, OpenError> {
        let found = self.resolve(path, OFlags::PATH | how)?;
        let stat = expect(&found, Kind::File)?;
        match fs::open(proc_path(&found), FOR_READING, Mode::empty()) {
            Ok(file) => Ok(file.into()),
            Err(Errno::NOENT | Errno::NOTDIR) if self.is_slash => {
                let file = self.resolve(path, FOR_READING | how)?;
                if same(&fs::fstat(&file)?, &stat) {
                    Ok(file.into())
                } else {
                    Err(OpenError::NoProc)
                }
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Err(OpenError::NoProc),
            Err(errno) => Err(errno.into()),
        }
    }

    /// See [`super::HostRoot::stat`].
    pub fn stat(&self, path: &Path) -> Result<Stat, OpenError> {
        Ok((&fs::fstat(self.resolve(path, OFlags::PATH)?)?).into())
    }

    /// As [`Resolver::stat`], but of a link itself, with what it points to.
    pub fn link_stat(&self, path: &Path) -> Result<(Stat, Option<PathBuf>), OpenError> {
        let found = self.resolve(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        let stat = Stat::from(&fs::fstat(&found)?);
        Ok((stat, link_target(&found)?))
    }

    /// See [`super::HostRoot::list_dir`].
    pub fn list_dir(&self, path: &Path, most: usize) -> Result<Listing, OpenError> {
        list(&self.resolve(path, OFlags::PATH)?, most)
    }

    /// Share of the file system that holds `path` which is in use, in percent, as `df` counts
    /// it: of what others than root can use.
    pub fn used_percent(&self, path: &Path) -> Result<u64, OpenError> {
        let space = self.space(path)?;
        let used = u128::from(space.size.saturating_sub(space.available));
        let percent = (used * 100).div_ceil(u128::from(space.size.max(1)));
        Ok(u64::try_from(percent).unwrap_or(100))
    }

    /// See [`super::HostRoot::socket`].
    pub fn socket(&self, path: &Path) -> Result<SocketHandle, OpenError> {
        let found = self.resolve(path, OFlags::PATH)?;
        expect(&found, Kind::Socket)?;
        let short = proc_path(&found);
        let path = if fs::statat(fs::CWD, &short, AtFlags::empty()).is_ok() {
            short
        } else if self.is_slash {
            path.to_owned()
        } else {
            return Err(OpenError::NoProc);
        };
        Ok(SocketHandle {
            path,
            _socket: found,
        })
    }

    /// What a magic link of a process leads to (`root`, `ns/net`), which no path does. Whoever asks
    /// knows whose process it is, and holds it.
    pub(in crate::host) fn magic(&self, process: u32, name: &str) -> Result<OwnedFd, OpenError> {
        let folder = Path::new("/proc").join(process.to_string());
        let folder = self.resolve(&folder, OFlags::PATH | OFlags::DIRECTORY)?;
        let flags = match name {
            "root" => OFlags::PATH | OFlags::DIRECTORY,
            _ => OFlags::RDONLY,
        };
        Ok(fs::openat(
            &folder,
            name,
            flags | OFlags::CLOEXEC,
            Mode::empty(),
        )?)
    }

    pub(super) fn outside(&self, path: &Path) -> PathBuf {
        self.shown.join(path.strip_prefix("/").unwrap_or(path))
    }

    pub(super) fn resolve(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, OpenError> {
        let flags = flags | OFlags::CLOEXEC;
        if self.way == Way::Plain {
            return Ok(fs::openat(&self.folder, path, flags, Mode::empty())?);
        }
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        for _ in 1..RETRIES {
            match fs::openat2(&self.folder, path, flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                answer => return Ok(answer?),
            }
        }
        Err(OpenError::Other(Errno::AGAIN))
    }
}

/// Up to `most` names in an open folder.
pub(super) fn list(found: &OwnedFd, most: usize) -> Result<Listing, OpenError> {
    expect(found, Kind::Folder)?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = fs::openat(found, ".", flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in Dir::read_from(folder.as_fd())? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        if names.len() == most {
            return Ok(Listing {
                names,
                complete: false,
            });
        }
        names.push(OsString::from_vec(name.to_vec()));
    }
    Ok(Listing {
        names,
        complete: true,
    })
}

/// Where an open link points; `None` if it is no link.
pub(super) fn link_target(found: &OwnedFd) -> Result<Option<PathBuf>, OpenError> {
    let stat = fs::fstat(found)?;
    if Kind::from(FileType::from_raw_mode(stat.st_mode)) != Kind::Link {
        return Ok(None);
    }
    let raw = fs::readlinkat(found, "", Vec::new())?;
    Ok(Some(OsString::from_vec(raw.into_bytes()).into()))
}

pub(super) fn read_all(file: File, limit: u64) -> Result<Vec<u8>, OpenError> {
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| from_std(&error))?;
    if bytes.len() as u64 > limit {
        return Err(OpenError::TooLarge(limit));
    }
    Ok(bytes)
}

pub(super) fn proc_path(found: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", found.as_raw_fd()).into()
}

pub(super) fn expect(found: &OwnedFd, wanted: Kind) -> Result<fs::Stat, OpenError> {
    let stat = fs::fstat(found)?;
    let kind = FileType::from_raw_mode(stat.st_mode).into();
    if kind == wanted {
        Ok(stat)
    } else {
        Err(OpenError::Wrong(kind, wanted))
    }
}

pub(super) fn same(a: &fs::Stat, b: &fs::Stat) -> bool {
    (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
}

pub(super) fn from_std(error: &io::Error) -> OpenError {
    Errno::from_io_error(error).map_or(OpenError::Other(Errno::IO), OpenError::from)
}

/// A resolved socket; the path is valid as long as this value lives.
#[derive(Debug)]
pub struct SocketHandle {
    path: PathBuf,
    /// Keeps `path` naming this very socket.
    _socket: OwnedFd,
}

impl SocketHandle {
    /// What to hand to `connect`.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_openat2_only_slash_works() {
        for errno in [Errno::NOSYS, Errno::PERM] {
            assert_eq!(Way::judge(Some(errno), true), Ok(Way::Plain));
            assert_eq!(Way::judge(Some(errno), false), Err(OpenError::NoOpenat2));
        }
        assert_eq!(Way::judge(None, false), Ok(Way::Inside));
    }

    #[test]
    fn the_plain_way_checks_the_same() {
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let plain = Resolver {
            folder: fs::open("/", flags, Mode::empty()).unwrap(),
            shown: "/".into(),
            way: Way::Plain,
            is_slash: true,
            simulated: None,
        };
        let device = plain.read(Path::new("/dev/null"), 1);
        assert_eq!(device, Err(OpenError::Wrong(Kind::Device, Kind::File)));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "hello").unwrap();
        assert_eq!(plain.read(&folder.path().join("a"), 9).unwrap(), b"hello");
    }
}
