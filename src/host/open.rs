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
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rustix::io::Errno;

mod error;
mod folder;
mod records;
mod resolver;
mod space;
mod stamp;
mod user;
mod walk;
mod workers;

pub use folder::{FileId, Folder};
pub use resolver::{Kind, Listing, OpenError, Resolver, SocketHandle, Stat};
pub use space::Space;
pub use stamp::Stamp;
pub use walk::{Deleted, Limits as WalkLimits, Usage};

use workers::Workers;

/// How long [`HostRoot::socket`] waits for the file system.
const SOCKET_DEADLINE: Duration = Duration::from_secs(1);
/// The root under which the host's files and sockets are found: `/`, or `--host-root DIR`.
/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct HostRoot {
    resolver: Arc<Resolver>,
    workers: Arc<Workers>,
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

    /// The root of a simulated node, all of whose file systems are as full as this: those of the
    /// machine that it is simulated on are no part of its story.
    pub fn simulated(root: &Path, space: Space) -> io::Result<Self> {
        let mut resolver = Resolver::new(root)?;
        resolver.simulated = Some(space);
        Ok(Self {
            resolver: Arc::new(resolver),
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

    /// Reads a regular file of at most `limit` bytes as the user and group `who`, so that it
    /// yields nothing that this user could not read himself. The path's last part must be no
    /// link. Owner and mode are those of the file that was read. Only root can be somebody else.
    pub fn read_as(
        &self,
        who: (u32, u32),
        path: &Path,
        limit: u64,
        deadline: Duration,
    ) -> Result<(Stat, Vec<u8>), OpenError> {
        let path = path.to_owned();
        let start = |job| self.workers.run_alone(job);
        self.wait(start, deadline, move |resolver| {
            // On Linux a user is a property of the thread, and this one does nothing else.
            user::become_user(who)?;
            resolver.read_unlinked(&path, limit)
        })
    }

    /// What tells a file from what will be there when it has been changed; `None` when nothing
    /// is there or nothing can be said.
    pub fn stamp(&self, path: &Path, deadline: Duration) -> Option<Stamp> {
        let path = path.to_owned();
        self.work(deadline, move |resolver| resolver.stamp(&path))
            .ok()
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
        self.wait(|job| self.workers.run(job), deadline, job)
    }

    /// The same on a thread that does nothing else, before or after.
    pub fn work_alone<T: Send + 'static>(
        &self,
        deadline: Duration,
        job: impl FnOnce(&Resolver) -> Result<T, OpenError> + Send + 'static,
    ) -> Result<T, OpenError> {
        self.wait(|job| self.workers.run_alone(job), deadline, job)
    }

    fn wait<T: Send + 'static>(
        &self,
        start: impl FnOnce(Box<dyn FnOnce() + Send>) -> Result<(), OpenError>,
        deadline: Duration,
        job: impl FnOnce(&Resolver) -> Result<T, OpenError> + Send + 'static,
    ) -> Result<T, OpenError> {
        let resolver = Arc::clone(&self.resolver);
        let (done, result) = mpsc::sync_channel(1);
        start(Box::new(move || {
            // Nobody listens after the deadline.
            let _ = done.send(job(&resolver));
        }))?;
        match result.recv_timeout(deadline) {
            Ok(answer) => answer,
            Err(mpsc::RecvTimeoutError::Timeout) => Err(OpenError::Timeout(deadline)),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(OpenError::Other(Errno::IO)),
        }
    }
}

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
    fn a_file_is_read_as_its_owner_and_never_through_a_link() {
        let (folder, root) = root();
        let me = (
            rustix::process::geteuid().as_raw(),
            rustix::process::getegid().as_raw(),
        );
        std_fs::write(folder.path().join("mine"), "hello").unwrap();
        symlink("mine", folder.path().join("link")).unwrap();
        let (stat, bytes) = root.read_as(me, Path::new("/mine"), 64, SOON).unwrap();
        assert_eq!((stat.uid, &bytes[..]), (me.0, &b"hello"[..]));
        let link = root.read_as(me, Path::new("/link"), 64, SOON);
        assert_eq!(link, Err(OpenError::Wrong(Kind::Link, Kind::File)));
    }

    /// Needs root, as the program does to be somebody else; others see that it is refused.
    #[test]
    fn as_somebody_else_only_his_files_can_be_read() {
        let (folder, root) = root();
        let mode = |path: &Path, mode| {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            std_fs::set_permissions(path, mode).unwrap();
        };
        mode(folder.path(), 0o755);
        for (name, bits) in [("secret", 0o600), ("public", 0o644)] {
            std_fs::write(folder.path().join(name), "text").unwrap();
            mode(&folder.path().join(name), bits);
        }
        let read = |name| root.read_as((4242, 4243), Path::new(name), 64, SOON);
        assert_eq!(read("/secret").unwrap_err(), OpenError::NotPermitted);
        if rustix::process::geteuid().is_root() {
            assert_eq!(read("/public").unwrap().1, b"text");
        }
        // The thread that was somebody else is gone: this one is not.
        assert_eq!(root.read(Path::new("/secret"), 64, SOON).unwrap(), b"text");
    }

    #[test]
    fn a_stamp_changes_with_the_file() {
        let (folder, root) = root();
        let stamp = || root.stamp(Path::new("/a"), SOON);
        assert_eq!(stamp(), None);
        std_fs::write(folder.path().join("a"), "one").unwrap();
        let first = stamp();
        assert_eq!(stamp(), first);
        std_fs::write(folder.path().join("b"), "one").unwrap();
        std_fs::rename(folder.path().join("b"), folder.path().join("a")).unwrap();
        assert!(first.is_some() && stamp() != first);
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
