//! What is found at a path, and why it cannot be opened.

use std::fmt;
use std::io;
use std::time::Duration;

use rustix::fs::FileType;
use rustix::io::Errno;

/// Why something of the host could not be opened. Reads well after the path:
/// `format!("{path} {error}")`.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// Nothing is there.
    #[error("does not exist")]
    Missing,
    /// The kernel refused.
    #[error("cannot be opened: permission denied")]
    NotPermitted,
    /// It is there, but it is something else: found, wanted.
    #[error("is {0}, not {1}")]
    Wrong(Kind, Kind),
    /// The file is larger than the limit, in bytes.
    #[error("is larger than {0} bytes")]
    TooLarge(u64),
    /// The file system did not answer in time.
    #[error("did not answer within {} ms: its file system hangs", .0.as_millis())]
    Timeout(Duration),
    /// Too many earlier reads still hang.
    #[error("was not opened: too many reads of the host's files hang already")]
    Busy,
    /// The kernel has no `openat2`, or a sandbox forbids it.
    #[error(
        "cannot be used as the host's root: this needs the system call openat2 \
         (Linux 5.6, and no sandbox that forbids it)"
    )]
    NoOpenat2,
    /// `/proc` is not mounted, so what was found cannot be opened.
    #[error("cannot be opened safely: /proc is not mounted")]
    NoProc,
    /// Anything else, in the kernel's words.
    #[error("cannot be opened: {0}")]
    Other(Errno),
}

impl From<Errno> for OpenError {
    fn from(errno: Errno) -> Self {
        match errno {
            // A path through something that is no folder names nothing.
            Errno::NOENT | Errno::NOTDIR => Self::Missing,
            Errno::ACCESS | Errno::PERM => Self::NotPermitted,
            other => Self::Other(other),
        }
    }
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        let kind = match &error {
            OpenError::Missing => io::ErrorKind::NotFound,
            OpenError::NotPermitted => io::ErrorKind::PermissionDenied,
            OpenError::Wrong(..) => io::ErrorKind::InvalidInput,
            OpenError::TooLarge(_) => io::ErrorKind::FileTooLarge,
            OpenError::Timeout(_) | OpenError::Busy => io::ErrorKind::TimedOut,
            OpenError::NoOpenat2 | OpenError::NoProc => io::ErrorKind::Unsupported,
            OpenError::Other(errno) => io::Error::from(*errno).kind(),
        };
        Self::new(kind, error)
    }
}

/// What a path names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A unix socket.
    Socket,
    /// A symbolic link, only from [`super::Resolver::link_stat`].
    Link,
    /// A named pipe.
    Fifo,
    /// A character or block device.
    Device,
    /// None of these.
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a regular file",
            Self::Folder => "a folder",
            Self::Socket => "a socket",
            Self::Link => "a symbolic link",
            Self::Fifo => "a named pipe",
            Self::Device => "a device",
            Self::Other => "something unknown",
        })
    }
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Socket => Self::Socket,
            FileType::Symlink => Self::Link,
            FileType::Fifo => Self::Fifo,
            FileType::CharacterDevice | FileType::BlockDevice => Self::Device,
            FileType::Unknown => Self::Other,
        }
    }
}
