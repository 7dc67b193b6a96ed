//! The terminal while something in a container has it: bytes in, bytes out, its size.

use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use prost::bytes::Bytes;
use rustix::stdio::stdout;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::keyboard::Raw;
use super::size;
use crate::cri::stream::Size;

/// Pieces on their way between the terminal and the container: few, so that a terminal that takes
/// nothing stops what produces it.
const PIECES: usize = 16;

/// A terminal that was lent. Whoever has it gives it back by dropping it.
#[derive(Debug)]
pub struct Console {
    /// What is typed; ends when the terminal is gone.
    pub typed: mpsc::Receiver<Vec<u8>>,
    /// What is shown; fails when the terminal is gone.
    pub shown: mpsc::Sender<Bytes>,
    /// Its size.
    pub size: watch::Receiver<Size>,
}

/// What a lent terminal waits for.
#[derive(Debug)]
pub(super) struct Lent {
    written: Receiver<()>,
}

impl Lent {
    /// Waits until all that was shown has been written, not for ever.
    pub fn back(self, patience: Duration) {
        // The thread that writes ends, and its end closes this.
        let _ = self.written.recv_timeout(patience);
    }
}

/// Lends the terminal, which is in raw mode: `first` is shown first and `last` last.
pub(super) fn lend(first: Vec<u8>, last: &'static [u8]) -> io::Result<(Console, Lent)> {
    let mut keys = Raw::open()?;
    let mut winch = signal(SignalKind::window_change())?;
    let mut out = File::from(rustix::io::dup(stdout())?);
    let (typing, typed) = mpsc::channel(PIECES);
    let (shown, mut showing) = mpsc::channel::<Bytes>(PIECES);
    let (sizing, size_seen) = watch::channel(now());
    tokio::spawn(async move {
        loop {
            // A byte is read only when there is room for it and somebody is there to take it.
            let Ok(room) = typing.reserve().await else {
                return;
            };
            let read = tokio::select! {
                biased;
                () = typing.closed() => return,
                _ = winch.recv() => {
                    sizing.send_replace(now());
                    continue;
                }
                read = poll_fn(|cx| keys.poll_read(cx)) => read,
            };
            match read {
                Ok(bytes) if !bytes.is_empty() => room.send(bytes),
                _ => return,
            }
        }
    });
    let (writing, written) = sync_channel(0);
    let write = move || {
        let _writing: std::sync::mpsc::SyncSender<()> = writing;
        let mut good = out.write_all(&first).is_ok();
        while let Some(bytes) = showing.blocking_recv().filter(|_| good) {
            good = out.write_all(&bytes).is_ok();
        }
        // A terminal that is gone needs no goodbye.
        let _ = out.write_all(last);
    };
    std::thread::Builder::new()
        .name("console".to_owned())
        .spawn(write)?;
    let console = Console {
        typed,
        shown,
        size: size_seen,
    };
    Ok((console, Lent { written }))
}

fn now() -> Size {
    let size = size();
    Size {
        columns: size.width,
        rows: size.height,
    }
}
