//! The journal's file: appended to by one write a record, readable by its owner alone, rotated by
//! size, never through a link that somebody else has laid.

use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, FlockOperation, Mode, OFlags, Stat};

use crate::config::trust::Guard;
use crate::host::open::HostRoot;
use crate::text::Text;

/// A file that would grow beyond it makes room for a new one.
const LARGEST: u64 = 10 << 20;
/// Older files that are kept: `.1` is the newest of them.
const OLDER: u32 = 4;
/// What is read of it for the screen.
const TAIL: u64 = 1 << 20;
/// Less room on its disk than this is no room.
const ROOM: u64 = 64 << 10;
/// Facility authpriv, level notice.
const PRIORITY: u8 = 10 * 8 + 5;

/// Where the journal is.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    guarded: bool,
    largest: u64,
}

impl File {
    pub fn new(path: PathBuf, guarded: bool) -> Self {
        Self {
            path,
            guarded,
            largest: LARGEST,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a record could be appended now.
    pub fn check(&self) -> Result<(), Text> {
        let (folder, name) = self.folder()?;
        self.open(&folder, name)?;
        let room = rustix::fs::fstatvfs(&folder).map_err(|error| self.wrong(&error))?;
        if room.f_bavail.saturating_mul(room.f_frsize) < ROOM {
            return Err(self.wrong(&"its disk is full"));
        }
        Ok(())
    }

    /// Appends a record, which ends with a newline.
    pub fn append(&self, line: &str) -> Result<(), Text> {
        let (folder, name) = self.folder()?;
        // One writer at a time: a record that is being written looks like one that was cut short,
        // and two that find the file full must not both make room. It goes with the descriptor.
        rustix::fs::flock(folder.as_fd(), FlockOperation::LockExclusive)
            .map_err(|error| self.wrong(&error))?;
        let (mut file, mut stat) = self.open(&folder, name)?;
        if self.is_full(&stat, line) {
            self.rotate(&folder, name)?;
            (file, stat) = self.open(&folder, name)?;
        }
        // What a full disk has cut short must not swallow the next record.
        let broken = stat.st_size > 0 && !ends_with_newline(&self.path, &stat);
        let record = if broken {
            format!("\n{line}")
        } else {
            line.to_owned()
        };
        match rustix::io::write(&file, record.as_bytes()) {
            Ok(written) if written == record.len() => Ok(()),
            Ok(_) => Err(self.wrong(&"its disk is full")),
            Err(error) => Err(self.wrong(&error)),
        }
    }

    /// Its newest part, and if that is short also that of the file before.
    pub fn tail(&self) -> Result<String, Text> {
        let newest = tail(&self.path);
        let newest = match newest {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            newest => newest.map_err(|error| self.wrong(&error))?,
        };
        let before = tail(&older(&self.path, 1)).unwrap_or_default();
        Ok(before + &newest)
    }

    fn wrong(&self, why: &dyn std::fmt::Display) -> Text {
        Text::clean(&format!("{}: {why}", self.path.display()))
    }

    fn is_full(&self, stat: &Stat, line: &str) -> bool {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        size > 0 && size + line.len() as u64 > self.largest
    }

    /// Its folder, made if that is missing, and its name in there.
    fn folder(&self) -> Result<(OwnedFd, &Path), Text> {
        let (Some(parent), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Err(self.wrong(&"is no file"));
        };
        let made = fs::DirBuilder::new()
            .recursive(!self.guarded)
            .mode(0o700)
            .create(parent);
        match made {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(self.wrong(&format!("its folder cannot be made: {error}")));
            }
            _ => {}
        }
        if self.guarded {
            self.trusts(parent)?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = rustix::fs::open(parent, flags, Mode::empty())
            .map_err(|error| self.wrong(&format!("its folder: {error}")))?;
        let stat = rustix::fs::fstat(&folder).map_err(|error| self.wrong(&error))?;
        if stat.st_uid != me() {
            let whose = format!("its folder belongs to user {}", stat.st_uid);
            return Err(self.wrong(&whose));
        }
        if self.guarded && stat.st_mode & 0o022 != 0 {
            return Err(self.wrong(&"others can write its folder"));
        }
        Ok((folder, Path::new(name)))
    }

    fn trusts(&self, parent: &Path) -> Result<(), Text> {
        let own = HostRoot::new(Path::new("/")).map_err(|error| self.wrong(&error))?;
        match Guard::root().distrust(&own, parent) {
            Ok(None) => Ok(()),
            Ok(Some(why)) => Err(self.wrong(&format!("its folder {why}"))),
            Err(error) => Err(self.wrong(&format!("its folder {error}"))),
        }
    }

    fn open(&self, folder: &OwnedFd, name: &Path) -> Result<(OwnedFd, Stat), Text> {
        let flags = OFlags::WRONLY
            | OFlags::APPEND
            | OFlags::CREATE
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = rustix::fs::openat(folder, name, flags, mode).map_err(|error| match error {
            rustix::io::Errno::LOOP => self.wrong(&"is a link, which is not followed"),
            error => self.wrong(&error),
        })?;
        let stat = rustix::fs::fstat(&file).map_err(|error| self.wrong(&error))?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind != FileType::RegularFile || stat.st_nlink > 1 {
            return Err(self.wrong(&"is no plain file with one name"));
        }
        if stat.st_uid != me() {
            return Err(self.wrong(&format!("belongs to user {}", stat.st_uid)));
        }
        if stat.st_mode & 0o077 != 0 {
            rustix::fs::fchmod(&file, mode).map_err(|error| self.wrong(&error))?;
        }
        Ok((file, stat))
    }

    /// Makes room.
    fn rotate(&self, folder: &OwnedFd, name: &Path) -> Result<(), Text> {
        let wrong = |error| self.wrong(&format!("could not be rotated: {error}"));
        for nth in (0..OLDER).rev() {
            let from = if nth == 0 {
                name.to_owned()
            } else {
                older(name, nth)
            };
            match rustix::fs::renameat(folder, &from, folder, older(name, nth + 1)) {
                Ok(()) | Err(rustix::io::Errno::NOENT) => {}
                Err(error) => return Err(wrong(error)),
            }
        }
        Ok(())
    }
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn older(path: &Path, nth: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{nth}"));
    name.into()
}

/// Whether the file that was looked at ends with a whole record. In doubt it does.
fn ends_with_newline(path: &Path, stat: &Stat) -> bool {
    let last = || {
        let mut file = fs::File::open(path)?;
        let mut byte = [b'\n'];
        let end = u64::try_from(stat.st_size).unwrap_or(1).saturating_sub(1);
        file.seek(SeekFrom::Start(end))?;
        file.read_exact(&mut byte)?;
        io::Result::Ok(byte == *b"\n")
    };
    last().unwrap_or(true)
}

/// The end of a file, from the beginning of a line on.
fn tail(path: &Path) -> io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("is no plain file"));
    }
    let start = metadata.len().saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if start == 0 {
        return Ok(text);
    }
    Ok(text
        .split_once('\n')
        .map_or("", |(_, rest)| rest)
        .to_owned())
}

/// Hands a record to the system's log.
pub(super) fn syslog(line: &str) -> Result<(), Text> {
    let sent = UnixDatagram::unbound().and_then(|socket| {
        socket.set_nonblocking(true)?;
        let message = format!("<{PRIORITY}>critui[{}]: {line}", std::process::id());
        socket.send_to(message.as_bytes(), "/dev/log")
    });
    sent.map(drop)
        .map_err(|error| Text::clean(&format!("/dev/log took no record: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    fn file(folder: &tempfile::TempDir, largest: u64) -> File {
        File {
            path: folder.path().join("log/journal.jsonl"),
            guarded: false,
            largest,
        }
    }

    #[test]
    fn it_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder, 1000);
        file.append("{}\n").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(mode(file.path().parent().unwrap()), 0o700);
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o666)).unwrap();
        file.append("{}\n").unwrap();
        assert_eq!(mode(file.path()), 0o600);
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "{}\n{}\n");
    }

    #[test]
    fn no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder, 1000);
        fs::create_dir(folder.path().join("log")).unwrap();
        fs::write(folder.path().join("victim"), "old").unwrap();
        symlink("../victim", file.path()).unwrap();
        let why = file.append("{}\n").unwrap_err();
        assert!(why.as_str().contains("is a link"), "{why}");
        fs::remove_file(file.path()).unwrap();
        fs::hard_link(folder.path().join("victim"), file.path()).unwrap();
        let why = file.append("{}\n").unwrap_err();
        assert!(why.as_str().contains("one name"), "{why}");
        assert_eq!(fs::read(folder.path().join("victim")).unwrap(), b"old");
    }

    #[test]
    fn a_folder_that_others_can_write_is_not_for_root() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = file(&folder, 1000);
        file.guarded = true;
        fs::create_dir(folder.path().join("log")).unwrap();
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(folder.path().join("log"), open).unwrap();
        let why = file.append("{}\n").unwrap_err();
        assert!(why.as_str().contains("its folder"), "{why}");
    }

    #[test]
    fn many_at_once_part_no_records() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder, 1 << 30);
        let line = format!("{{\"x\":\"{}\"}}\n", "y".repeat(9000));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..100).for_each(|_| file.append(&line).unwrap()));
            }
        });
        assert_eq!(fs::read_to_string(file.path()).unwrap(), line.repeat(800));
    }

    #[test]
    fn it_is_rotated_by_size() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder, 10);
        for nth in 1..=8 {
            file.append(&format!("{{\"n\":{nth}}}\n")).unwrap();
        }
        let read = |nth| fs::read_to_string(older(file.path(), nth)).unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "{\"n\":8}\n");
        assert_eq!([read(1), read(4)], ["{\"n\":7}\n", "{\"n\":4}\n"]);
        assert!(!older(file.path(), 5).exists());
        assert_eq!(file.tail().unwrap(), "{\"n\":7}\n{\"n\":8}\n");
    }

    #[test]
    fn what_was_cut_short_does_not_swallow_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(&folder, 1000);
        file.append("{\"n\":1").unwrap();
        file.append("{\"n\":2}\n").unwrap();
        assert_eq!(file.tail().unwrap(), "{\"n\":1\n{\"n\":2}\n");
    }

    #[test]
    fn one_that_is_not_there_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(file(&folder, 10).tail().unwrap(), "");
    }
}
