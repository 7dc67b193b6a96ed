//! What is typed, read in the loop itself: a byte is taken from the terminal only when somebody
//! waits for it, and what has been taken and not used can be handed on.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crossterm::event::Event;
use futures_util::Stream;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::decode::decode;

/// Bytes read at once.
const CHUNK: usize = 4096;

/// Where keys come from. The real one is [`Keyboard`]; tests type by themselves.
pub trait Keys: Stream<Item = io::Result<Event>> + Unpin {
    /// Takes what was read and means no key yet, for whoever has the terminal next.
    fn take_unread(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Gives back what was read by somebody else and not used.
    fn put_back(&mut self, _bytes: &[u8]) {}
}

/// Standard input as a terminal.
#[derive(Debug)]
pub struct Keyboard {
    terminal: Raw,
    unread: Vec<u8>,
}

impl Keyboard {
    /// Reads standard input from now on; inside a tokio runtime.
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            terminal: Raw::open()?,
            unread: Vec::new(),
        })
    }
}

impl Keys for Keyboard {
    fn take_unread(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unread)
    }

    fn put_back(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }
}

impl Stream for Keyboard {
    type Item = io::Result<Event>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            while let Some((event, used)) = decode(&self.unread) {
                self.unread.drain(..used);
                if let Some(event) = event {
                    return Poll::Ready(Some(Ok(event)));
                }
            }
            match ready!(self.terminal.poll_read(cx)) {
                Ok(bytes) if bytes.is_empty() => return Poll::Ready(None),
                Ok(bytes) => self.unread.extend_from_slice(&bytes),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// Standard input, in bytes. It stays blocking: other programs hold the same terminal.
#[derive(Debug)]
pub(super) struct Raw {
    input: AsyncFd<OwnedFd>,
}

impl Raw {
    pub fn open() -> io::Result<Self> {
        let input = rustix::io::dup(rustix::stdio::stdin())?;
        // Deprecated for what may close its descriptor too early; an owned one does not.
        #[allow(deprecated)]
        let input = AsyncFd::with_interest(input, Interest::READABLE)?;
        Ok(Self { input })
    }

    /// What has been typed; empty at the end of the terminal.
    pub fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        loop {
            let mut guard = ready!(self.input.poll_read_ready(cx))?;
            // The readiness may be an old one: somebody else may have read since.
            if !readable(guard.get_inner())? {
                guard.clear_ready();
                continue;
            }
            let mut chunk = vec![0; CHUNK];
            return match rustix::io::read(guard.get_inner(), &mut chunk) {
                Ok(count) => {
                    chunk.truncate(count);
                    Poll::Ready(Ok(chunk))
                }
                Err(Errno::INTR | Errno::AGAIN) => continue,
                // A terminal that has hung up.
                Err(Errno::IO) => Poll::Ready(Ok(Vec::new())),
                Err(error) => Poll::Ready(Err(error.into())),
            };
        }
    }
}

/// A read would not block.
fn readable(fd: &OwnedFd) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    match poll(&mut fds, Some(&now)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
