//! The one place that opens paths of the host.
//!
//! Every path is resolved under one root with `openat2`: links cannot leave the root and magic
//! links (`/proc/PID/root`) are refused. What a path names is looked at (`O_PATH`, `fstat`)
//! before it is opened, so a FIFO or a device never blocks or acts, and only regular files are
//! read. Everything runs on a thread of its own with a deadline: a dead NFS server or a stuck
//! FUSE mount costs that thread, not the program.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use rustix::io::Errno;

mod resolver;

pub use resolver::{Kind, Listing, OpenError, Resolver, SocketHandle, Stat};

/// How long [`HostRoot::socket`] waits for the file system.
const SOCKET_DEADLINE: Duration = Duration::from_secs(1);
/// Most threads that may hang in the kernel at once before further work is refused.
const MAX_WORKERS: usize = 64;
/// The root under which the host's files and sockets are found: `/`, or `--host-root DIR`.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct HostRoot {
    resolver: Arc<Resolver>,
    workers: Arc<AtomicUsize>,
}

impl HostRoot {
    /// Opens `root`. Fails when it is no folder, or when it is not `/` and the kernel lacks
    /// `openat2`: without it nothing keeps links inside.
    pub fn new(root: &Path) -> io::Result<Self> {
        Ok(Self {
            resolver: Arc::new(Resolver::new(root)?),
            workers: Arc::default(),
        })
    }

    /// True for `/` itself.
    pub fn is_slash(&self) -> bool {
        self.resolver.is_slash()
    }

    /// Where `path` is for somebody outside the root: `/host/etc/crictl.yaml`. For messages.
    pub fn outside(&self, path: &Path) -> PathBuf {
        self.resolver.outside(path)
    }

    /// Reads a regular file of at most `limit` bytes.
    pub fn read(&self, path: &Path, limit: u64, deadline: Duration) -> Result<Vec<u8>, OpenError> {
        let path = path.to_owned();
        self.work(deadline, move |resolver| resolver.read(&path, limit))
    }

    /// Opens a regular file for reading. Reading it may block for as long as its file system
    /// likes: do it on a thread that may.
    pub fn open(&self, path: &Path, deadline: Duration) -> Result<File, OpenError> {
        let path = path.to_owned();
        self.work(deadline, move |resolver| resolver.open(&path))
    }

    /// Owner, mode and kind of what `path` names, links followed.
    pub fn stat(&self, path: &Path, deadline: Duration) -> Result<Stat, OpenError> {
        let path = path.to_owned();
        self.work(deadline, move |resolver| resolver.stat(&path))
    }

    /// Up to `most` names in a folder.
    pub fn list_dir(
        &self,
        path: &Path,
        most: usize,
        deadline: Duration,
    ) -> Result<Listing, OpenError> {
        let path = path.to_owned();
        self.work(deadline, move |resolver| resolver.list_dir(&path, most))
    }

    /// Resolves a unix socket under the root. Connect to [`SocketHandle::path`]. The error
    /// carries an [`OpenError`]; its kind is `NotFound`, `PermissionDenied`, `InvalidInput`
    /// for what is no socket, `TimedOut` or `Unsupported`.
    pub fn socket(&self, path: &Path) -> io::Result<SocketHandle> {
        let path = path.to_owned();
        Ok(self.work(SOCKET_DEADLINE, move |resolver| resolver.socket(&path))?)
    }

    /// Runs `job` on a thread of its own and waits for it at most `deadline`. For several looks
    /// that belong together; the methods above are for one.
    pub fn work<T: Send + 'static>(
        &self,
        deadline: Duration,
        job: impl FnOnce(&Resolver) -> Result<T, OpenError> + Send + 'static,
    ) -> Result<T, OpenError> {
        let slot = Slot::take(&self.workers)?;
        let resolver = Arc::clone(&self.resolver);
        let (done, result) = mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("host-file".into())
            .spawn(move || {
                let answer = job(&resolver);
                drop(slot);
                // Nobody listens after the deadline.
                let _ = done.send(answer);
            })
            .map_err(|_| OpenError::Busy)?;
        match result.recv_timeout(deadline) {
            Ok(answer) => answer,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(OpenError::Timeout(deadline)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(OpenError::Other(Errno::IO)),
        }
    }
}

/// One of the [`MAX_WORKERS`], given back when dropped.
struct Slot(Arc<AtomicUsize>);

impl Slot {
    fn take(workers: &Arc<AtomicUsize>) -> Result<Self, OpenError> {
        let slot = Self(Arc::clone(workers));
        if workers.fetch_add(1, Ordering::Relaxed) < MAX_WORKERS {
            Ok(slot)
        } else {
            Err(OpenError::Busy)
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

<<<<<<< HEAD
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

/// The root's folder, for jobs of [`HostRoot::work`]: its methods block.
#[derive(Debug)]
pub struct Resolver {
    folder: OwnedFd,
    shown: PathBuf,
    way: Way,
    is_slash: bool,
}

impl Resolver {
    /// See [`HostRoot::read`].
    pub fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, OpenError> {
        let mut bytes = Vec::new();
        self.open(path)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| from_std(&error))?;
        if bytes.len() as u64 > limit {
            return Err(OpenError::TooLarge(limit));
        }
        Ok(bytes)
    }

    /// See [`HostRoot::open`].
    pub fn open(&self, path: &Path) -> Result<File, OpenError> {
        let found = self.resolve(path, OFlags::PATH)?;
        let stat = expect(&found, Kind::File)?;
        // Non-blocking changes nothing for a regular file, and keeps what is swapped in
        // between from blocking where /proc is missing.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        match fs::open(proc_path(&found), flags, Mode::empty()) {
            Ok(file) => Ok(file.into()),
            Err(Errno::NOENT | Errno::NOTDIR) if self.is_slash => {
                let file = self.resolve(path, flags)?;
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

    /// See [`HostRoot::stat`].
    pub fn stat(&self, path: &Path) -> Result<Stat, OpenError> {
        Ok((&fs::fstat(self.resolve(path, OFlags::PATH)?)?).into())
    }

    /// As [`Resolver::stat`], but of a link itself, with what it points to.
    pub fn link_stat(&self, path: &Path) -> Result<(Stat, Option<PathBuf>), OpenError> {
        let found = self.resolve(path, OFlags::PATH | OFlags::NOFOLLOW)?;
        let stat = Stat::from(&fs::fstat(&found)?);
        let target = if stat.kind == Kind::Link {
            let raw = fs::readlinkat(&found, "", Vec::new())?;
            Some(OsString::from_vec(raw.into_bytes()).into())
        } else {
            None
        };
        Ok((stat, target))
    }

    /// See [`HostRoot::list_dir`].
    pub fn list_dir(&self, path: &Path, most: usize) -> Result<Listing, OpenError> {
        let found = self.resolve(path, OFlags::PATH)?;
        expect(&found, Kind::Folder)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = fs::openat(&found, ".", flags, Mode::empty())?;
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

    /// Share of the file system that holds `path` which is in use, in percent, as `df` counts
    /// it: of what others than root can use.
    pub fn used_percent(&self, path: &Path) -> Result<u64, OpenError> {
        let space = fs::fstatvfs(self.resolve(path, OFlags::PATH)?)?;
        let used = space.f_blocks.saturating_sub(space.f_bfree);
        let usable = used.saturating_add(space.f_bavail).max(1);
        Ok(used.saturating_mul(100).div_ceil(usable))
    }

    /// See [`HostRoot::socket`].
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

    fn outside(&self, path: &Path) -> PathBuf {
        self.shown.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn resolve(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, OpenError> {
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

fn proc_path(found: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", found.as_raw_fd()).into()
}

fn expect(found: &OwnedFd, wanted: Kind) -> Result<fs::Stat, OpenError> {
    let stat = fs::fstat(found)?;
    let kind = FileType::from_raw_mode(stat.st_mode).into();
    if kind == wanted {
        Ok(stat)
    } else {
        Err(OpenError::Wrong(kind, wanted))
    }
}

fn same(a: &fs::Stat, b: &fs::Stat) -> bool {
    (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino)
}

fn from_std(error: &io::Error) -> OpenError {
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

=======
>>>>>>> 07751fa (Opening host paths in two files; discovery hands on what the probe made)
#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{self, FileType, Mode};
    use std::fs as std_fs;
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::symlink;
    use std::os::unix::net::{UnixListener, UnixStream};
    use tempfile::TempDir;

    const SOON: Duration = Duration::from_secs(20);

    fn root() -> (TempDir, HostRoot) {
        let folder = tempfile::tempdir().unwrap();
        let root = HostRoot::new(folder.path()).unwrap();
        (folder, root)
    }

    fn read(root: &HostRoot, path: &str) -> Result<Vec<u8>, OpenError> {
        root.read(Path::new(path), 64, SOON)
    }

    #[test]
    fn reads_inside_the_root_with_and_without_a_slash() {
        let (folder, root) = root();
        std_fs::create_dir(folder.path().join("etc")).unwrap();
        std_fs::write(folder.path().join("etc/a"), "hello").unwrap();
        assert_eq!(read(&root, "/etc/a").unwrap(), b"hello");
        assert_eq!(read(&root, "etc/a").unwrap(), b"hello");
        assert_eq!(read(&root, "/../../etc/a").unwrap(), b"hello");
        assert_eq!(
            root.outside(Path::new("/etc/a")),
            folder.path().join("etc/a")
        );
    }

    #[test]
    fn absolute_links_stay_inside() {
        let (folder, root) = root();
        std_fs::write(folder.path().join("passwd"), "ours").unwrap();
        symlink("/passwd", folder.path().join("absolute")).unwrap();
        symlink("/etc/passwd", folder.path().join("missing-inside")).unwrap();
        symlink("../../../../passwd", folder.path().join("dots")).unwrap();
        assert_eq!(read(&root, "/absolute").unwrap(), b"ours");
        assert_eq!(read(&root, "/dots").unwrap(), b"ours");
        assert_eq!(read(&root, "/missing-inside"), Err(OpenError::Missing));
    }

    #[test]
    fn only_regular_files_are_read() {
        let (folder, root) = root();
        let fifo = folder.path().join("fifo");
        fs::mknodat(
            fs::CWD,
            &fifo,
            FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let _socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        for (path, kind) in [
            ("/fifo", Kind::Fifo),
            ("/", Kind::Folder),
            ("/socket", Kind::Socket),
        ] {
            assert_eq!(read(&root, path), Err(OpenError::Wrong(kind, Kind::File)));
        }
        let slash = HostRoot::new(Path::new("/")).unwrap();
        assert_eq!(
            read(&slash, "/dev/null"),
            Err(OpenError::Wrong(Kind::Device, Kind::File))
        );
        assert_eq!(
            read(&slash, "/dev/null").unwrap_err().to_string(),
            "is a device, not a regular file"
        );
    }

    #[test]
    fn magic_links_are_refused() {
        let slash = HostRoot::new(Path::new("/")).unwrap();
        assert!(slash.is_slash());
        let found = read(&slash, "/proc/self/root/etc/passwd");
        assert_eq!(found, Err(OpenError::Other(Errno::LOOP)));
        let itself = slash.read(Path::new("/proc/self/status"), 1 << 20, SOON);
        assert!(itself.unwrap().starts_with(b"Name:"));
    }

    #[test]
    fn the_limit_is_exact() {
        let (folder, root) = root();
        std_fs::write(folder.path().join("fits"), [0; 64]).unwrap();
        std_fs::write(folder.path().join("not"), [0; 65]).unwrap();
        assert_eq!(read(&root, "fits").unwrap().len(), 64);
        assert_eq!(read(&root, "not"), Err(OpenError::TooLarge(64)));
    }

    #[test]
    fn what_hangs_is_given_up() {
        let (_folder, root) = root();
        let (release, held) = mpsc::channel::<()>();
        let deadline = Duration::from_millis(1);
        let stuck = root.work(deadline, move |_| {
            let _ = held.recv();
            Ok(())
        });
        assert_eq!(stuck, Err(OpenError::Timeout(deadline)));
        drop(release);
    }

    #[test]
    fn hanging_reads_do_not_pile_up() {
        let (_folder, root) = root();
        root.workers.store(MAX_WORKERS, Ordering::Relaxed);
        assert_eq!(read(&root, "/x"), Err(OpenError::Busy));
        assert_eq!(root.workers.load(Ordering::Relaxed), MAX_WORKERS);
    }

    #[test]
    fn sockets_connect_through_links_inside_the_root() {
        let (folder, root) = root();
        std_fs::create_dir(folder.path().join("run")).unwrap();
        let listener = UnixListener::bind(folder.path().join("run/real.sock")).unwrap();
        symlink("/run/real.sock", folder.path().join("link.sock")).unwrap();
        let handle = root.socket(Path::new("/link.sock")).unwrap();
        assert!(handle.path().starts_with("/proc/self/fd"));
        let mut client = UnixStream::connect(handle.path()).unwrap();
        client.write_all(b"x").unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let mut byte = [0];
        server.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b"x");
    }

    #[test]
    fn what_is_no_socket_is_said() {
        let (folder, root) = root();
        std_fs::write(folder.path().join("plain"), "").unwrap();
        for (path, kind, text) in [
            (
                "/plain",
                io::ErrorKind::InvalidInput,
                "is a regular file, not a socket",
            ),
            (
                "/",
                io::ErrorKind::InvalidInput,
                "is a folder, not a socket",
            ),
            ("/none", io::ErrorKind::NotFound, "does not exist"),
        ] {
            let error = root.socket(Path::new(path)).unwrap_err();
            assert_eq!((error.kind(), error.to_string().as_str()), (kind, text));
        }
    }

    #[test]
    fn folders_are_listed_up_to_a_bound() {
        let (folder, root) = root();
        for name in ["a", "b", "c"] {
            std_fs::write(folder.path().join(name), "").unwrap();
        }
        let mut all = root.list_dir(Path::new("/"), 3, SOON).unwrap();
        all.names.sort();
        assert_eq!(all.names, ["a", "b", "c"]);
        assert!(all.complete);
        let some = root.list_dir(Path::new("/"), 2, SOON).unwrap();
        assert_eq!((some.names.len(), some.complete), (2, false));
        let file = root.list_dir(Path::new("/a"), 2, SOON);
        assert_eq!(file, Err(OpenError::Wrong(Kind::File, Kind::Folder)));
    }

    #[test]
    fn links_are_seen_as_links_when_asked() {
        let (folder, root) = root();
        symlink("/there", folder.path().join("link")).unwrap();
        let (stat, target) = root
            .work(SOON, |resolver| resolver.link_stat(Path::new("/link")))
            .unwrap();
        assert_eq!(stat.kind, Kind::Link);
        assert_eq!(target, Some("/there".into()));
    }

    #[test]
    fn a_root_must_be_a_folder() {
        let (folder, _) = root();
        std_fs::write(folder.path().join("file"), "").unwrap();
        let file = HostRoot::new(&folder.path().join("file")).unwrap_err();
        assert_eq!(file.to_string(), "is a regular file, not a folder");
        let none = HostRoot::new(&folder.path().join("none")).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
    }
}
