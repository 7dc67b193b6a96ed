//! Two ways to read what has no end: the kernel's log, and the end of a log file.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::resolver::{self, FOR_READING, Kind, OpenError, Resolver};

/// Where the kernel's log is.
const KMSG: &str = "/dev/kmsg";
/// Device number of the kernel's log.
const KMSG_DEVICE: (u32, u32) = (1, 11);
/// Longest record that the kernel gives.
const RECORD: usize = 8 << 10;
/// Records that are read at most: more than any kernel keeps.
const MOST: usize = 1 << 18;

impl Resolver {
    /// Hands each record of the kernel's log to `take`. It is the one device that is opened, and
    /// only if it is that; a plain file in its place is read as one.
    pub fn kernel_log(&self, mut take: impl FnMut(&str)) -> Result<(), OpenError> {
        let path = Path::new(KMSG);
        let found = self.resolve(path, OFlags::PATH)?;
        let stat = fs::fstat(&found)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::RegularFile {
            let bytes = self.tail(path, (RECORD * MOST) as u64 / 64)?;
            String::from_utf8_lossy(&bytes).lines().for_each(take);
            return Ok(());
        }
        let device = (fs::major(stat.st_rdev), fs::minor(stat.st_rdev));
        if kind != FileType::CharacterDevice || device != KMSG_DEVICE {
            return Err(OpenError::Wrong(kind.into(), Kind::File));
        }
        let log = fs::open(resolver::proc_path(&found), FOR_READING, Mode::empty())?;
        let mut record = vec![0; RECORD];
        for _ in 0..MOST {
            match rustix::io::read(&log, &mut record) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(count) => take(&String::from_utf8_lossy(&record[..count])),
                // Overwritten while it was read: the next one is there.
                Err(Errno::PIPE | Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// The last `most` bytes of a regular file, from the beginning of a line.
    pub fn tail(&self, path: &Path, most: u64) -> Result<Vec<u8>, OpenError> {
        let failed = |error: std::io::Error| resolver::from_std(&error);
        let mut file = self.open(path)?;
        let length = file.metadata().map_err(failed)?.len();
        let start = length.saturating_sub(most);
        file.seek(SeekFrom::Start(start)).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes).map_err(failed)?;
        if start > 0 {
            let line = bytes.iter().position(|byte| *byte == b'\n');
            bytes.drain(..line.map_or(bytes.len(), |at| at + 1));
        }
        Ok(bytes)
    }

    /// When what `path` names was last changed; of a link itself, not of what it leads to.
    pub fn modified(&self, path: &Path) -> Result<Timestamp, OpenError> {
        let stat = fs::fstat(self.resolve(path, OFlags::PATH | OFlags::NOFOLLOW)?)?;
        Timestamp::from_second(stat.st_mtime).map_err(|_| OpenError::Other(Errno::OVERFLOW))
    }
}

#[cfg(test)]
mod tests {
    use super::super::HostRoot;
    use super::*;
    use std::time::Duration;

    fn host() -> (tempfile::TempDir, HostRoot) {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("dev")).unwrap();
        std::fs::write(root.path().join("dev/kmsg"), "one\ntwo\nthree\n").unwrap();
        let host = HostRoot::new(root.path()).unwrap();
        (root, host)
    }

    #[test]
    fn a_file_stands_in_for_the_kernel() {
        let (_root, host) = host();
        let read = host.work(Duration::from_secs(20), |files| {
            let mut lines = Vec::new();
            files.kernel_log(|line| lines.push(line.to_owned()))?;
            Ok(lines)
        });
        assert_eq!(read.unwrap(), ["one", "two", "three"]);
    }

    #[test]
    fn the_end_begins_with_a_line() {
        let (_root, host) = host();
        let tail = |most| {
            let read = move |files: &Resolver| files.tail(Path::new("/dev/kmsg"), most);
            String::from_utf8(host.work(Duration::from_secs(20), read).unwrap()).unwrap()
        };
        assert_eq!(tail(100), "one\ntwo\nthree\n");
        assert_eq!(tail(8), "three\n");
        assert_eq!(tail(2), "");
    }

    #[test]
    fn another_device_is_not_read() {
        let (root, host) = host();
        std::fs::remove_file(root.path().join("dev/kmsg")).unwrap();
        std::os::unix::net::UnixListener::bind(root.path().join("dev/kmsg")).unwrap();
        let read = host.work(Duration::from_secs(20), |files| files.kernel_log(|_| ()));
        assert_eq!(
            read.unwrap_err(),
            OpenError::Wrong(Kind::Socket, Kind::File)
        );
    }
}
