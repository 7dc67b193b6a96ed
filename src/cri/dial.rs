//! Making a connection, and noticing at once when it is gone.
//!
//! The socket is connected here and handed to tonic, which uses it once: tonic's own silent
//! reconnecting would hide from the user that the runtime was away.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tonic::transport::{Channel, Endpoint, Uri};

use super::diagnose::{Failure, Greeting};
use super::target::{SocketPath, Target};
use crate::host::open::HostRoot;

/// HTTP/2 flow control: enough for a list of 500 pods in one go, small enough that a list of
/// 5 MiB never sits in memory twice.
const STREAM_WINDOW: u32 = 512 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Read from the socket at once: hyper asks for 8 KiB at a time, a system call each.
const READ: usize = 128 << 10;
/// Requests queued inside tonic. Few are ever under way at once, and the default of 1024 is
/// allocated in advance.
const QUEUE: usize = 32;

/// Both services of one runtime, connected.
#[derive(Debug)]
pub(super) struct Session {
    /// The runtime service.
    pub runtime: Channel,
    /// The image service: the same channel unless it has a socket of its own.
    pub image: Channel,
}

/// Tells when a connection of a session is gone, and what its peer sounded like.
#[derive(Debug)]
pub(super) struct Watch {
    lost: Vec<oneshot::Receiver<()>>,
    peer: Peer,
}

impl Watch {
    /// Waits until one of the connections is closed by the other side or breaks.
    pub async fn lost(&mut self) {
        // A sender that is dropped has seen its connection go as well.
        let _ = futures_util::future::select_all(&mut self.lost).await;
    }

    /// What the runtime's socket has said first.
    pub fn greeting(&self) -> Greeting {
        self.peer.greeting()
    }
}

/// Connects to both services of `target`.
pub(super) async fn dial(
    target: &Target,
    deadline: Duration,
) -> Result<(Session, Watch), (SocketPath, Failure)> {
    let (runtime, mut watch) = line(&target.host, &target.runtime, deadline).await?;
    if target.image == target.runtime {
        let image = runtime.clone();
        return Ok((Session { runtime, image }, watch));
    }
    let (image, other) = line(&target.host, &target.image, deadline).await?;
    watch.lost.extend(other.lost);
    Ok((Session { runtime, image }, watch))
}

async fn line(
    host: &HostRoot,
    socket: &SocketPath,
    deadline: Duration,
) -> Result<(Channel, Watch), (SocketPath, Failure)> {
    let connected = tokio::time::timeout(deadline, channel(host, socket)).await;
    connected
        .unwrap_or(Err(Failure::Mute(Greeting::Silence, deadline)))
        .map_err(|failure| (socket.clone(), failure))
}

async fn channel(host: &HostRoot, socket: &SocketPath) -> Result<(Channel, Watch), Failure> {
    let stream = connect(host, socket).await?;
    let peer = Peer::default();
    let (gone, lost) = oneshot::channel();
    let mut wire = Some(TokioIo::new(Wire {
        stream: BufReader::with_capacity(READ, stream),
        peer: peer.clone(),
        gone: Some(gone),
    }));
    let once = tower::service_fn(move |_: Uri| {
        let wire = wire.take();
        async { wire.ok_or_else(|| io::Error::other("the connection was lost")) }
    });
    let channel = Endpoint::from_static("http://localhost")
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .buffer_size(QUEUE)
        // No HTTP/2 keepalive: Go's servers close a connection that pings more often than every
        // five minutes. A frozen runtime shows by its unanswered calls, a dead one by its socket.
        .connect_with_connector(once)
        .await
        .map_err(|_| Failure::Closed(peer.greeting()))?;
    let lost = vec![lost];
    Ok((channel, Watch { lost, peer }))
}

async fn connect(host: &HostRoot, socket: &SocketPath) -> Result<UnixStream, Failure> {
    let (host, socket) = (host.clone(), socket.clone());
    // Looking for the socket may block on a file system that hangs.
    let found = tokio::task::spawn_blocking(move || socket.open(&host)).await;
    // The handle keeps the resolved socket alive until it is connected.
    let handle = found
        .unwrap_or_else(|panic| Err(io::Error::other(panic)))
        .map_err(Failure::Socket)?;
    let connected = UnixStream::connect(handle.path()).await;
    connected.map_err(|error| match error.kind() {
        // A full queue of a process that accepts nothing.
        io::ErrorKind::WouldBlock => Failure::Mute(Greeting::Silence, Duration::ZERO),
        io::ErrorKind::ConnectionRefused => Failure::Stale,
        _ => Failure::Socket(error),
    })
}

/// The first bytes a peer has sent: they tell an HTTP/2 server from everything else.
#[derive(Clone, Debug, Default)]
struct Peer(Arc<Mutex<Vec<u8>>>);

impl Peer {
    /// Enough for the header of HTTP/2's first frame.
    const ENOUGH: usize = 16;

    fn hear(&self, bytes: &[u8]) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = Self::ENOUGH.saturating_sub(heard.len());
        heard.extend(&bytes[..missing.min(bytes.len())]);
    }

    fn greeting(&self) -> Greeting {
        Greeting::of(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The connected socket, as tonic gets it.
struct Wire {
    stream: BufReader<UnixStream>,
    peer: Peer,
    /// Dropped with the wire, or used at the end of the stream, whichever is first.
    gone: Option<oneshot::Sender<()>>,
}

impl Drop for Wire {
    /// A peer that answers and hangs up may make a write fail before its answer is read.
    fn drop(&mut self) {
        self.peer.hear(self.stream.buffer());
        let mut rest = [0; Peer::ENOUGH];
        if let Ok((_, length)) = recv(self.stream.get_ref(), &mut rest, RecvFlags::DONTWAIT) {
            self.peer.hear(&rest[..length.min(Peer::ENOUGH)]);
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let Poll::Ready(result) = &polled {
            let read = &buf.filled()[before..];
            let ended = read.is_empty() && buf.remaining() > 0;
            if result.is_err() || ended {
                self.gone = None;
            } else {
                self.peer.hear(read);
            }
        }
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
