//! One TCP connection into a pod.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use prost::bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::dial::Socket;
use super::session::broken;
use super::{StreamError, told};

/// Read from the local side at once.
const CHUNK: usize = 32 << 10;
/// The local side has said all it has to say, or is gone: these cannot be told apart, and the
/// pod cannot be told either. What does not answer within this time is given up.
const LINGER: Duration = Duration::from_secs(30);

/// Bytes that went through.
#[derive(Debug, Default)]
pub struct Counted {
    /// Into the pod.
    pub sent: AtomicU64,
    /// Out of the pod.
    pub received: AtomicU64,
}

/// A connection to one port of a pod, dialled by the runtime.
#[derive(Debug)]
pub struct Tunnel {
    sink: SplitSink<Socket, Message>,
    from: From,
}

/// The half that comes from the pod.
#[derive(Debug)]
struct From {
    stream: SplitStream<Socket>,
    /// Each of the two channels first repeats the port.
    greeted: [bool; 2],
}

impl Tunnel {
    pub(in crate::cri) fn new(socket: Socket) -> Self {
        let (sink, stream) = socket.split();
        let from = From {
            stream,
            greeted: [false; 2],
        };
        Self { sink, from }
    }

    /// Carries bytes both ways until one side ends. `Err` says why the pod's side failed; what the
    /// local side does is its own business.
    pub async fn carry<S>(self, local: S, counted: &Counted) -> Result<(), StreamError>
    where
        S: AsyncRead + AsyncWrite,
    {
        let Self { mut sink, mut from } = self;
        let (mut read, mut write) = tokio::io::split(local);
        let out = async {
            let mut chunk = vec![0; CHUNK];
            // Byte 0 is the data channel of the first port.
            chunk[0] = 0;
            loop {
                let count = read.read(&mut chunk[1..]).await.unwrap_or(0);
                if count == 0 {
                    return Ok(());
                }
                let message = Message::binary(chunk[..=count].to_vec());
                sink.send(message).await.map_err(|error| broken(&error))?;
                counted.sent.fetch_add(count as u64, Ordering::Relaxed);
            }
        };
        let back = async {
            while let Some(bytes) = from.next().await? {
                if write.write_all(&bytes).await.is_err() {
                    break;
                }
                let count = bytes.len() as u64;
                counted.received.fetch_add(count, Ordering::Relaxed);
            }
            Ok(())
        };
        let result = both(out, back, counted).await;
        let _: io::Result<()> = write.shutdown().await;
        let _ = timeout(Duration::from_millis(500), sink.close()).await;
        result
    }
}

/// Runs both ways. The pod's end is the end; after the local one the pod may go on for as long as
/// something comes.
async fn both(
    out: impl Future<Output = Result<(), StreamError>>,
    back: impl Future<Output = Result<(), StreamError>>,
    counted: &Counted,
) -> Result<(), StreamError> {
    let mut back = std::pin::pin!(back);
    tokio::select! {
        result = &mut back => return result,
        result = out => result?,
    }
    loop {
        let before = counted.received.load(Ordering::Relaxed);
        match timeout(LINGER, &mut back).await {
            Ok(result) => return result,
            Err(_) if counted.received.load(Ordering::Relaxed) == before => return Ok(()),
            Err(_) => {}
        }
    }
}

impl From {
    /// The next bytes of the pod; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, StreamError> {
        loop {
            let message = match self.stream.next().await {
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Text(text))) => text.into(),
                Some(Ok(Message::Close(_))) | None => return Ok(None),
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(broken(&error)),
            };
            if let Some(bytes) = self.data(&message)? {
                return Ok(Some(bytes));
            }
        }
    }

    /// What a message carries, unless it only repeats the port.
    fn data(&mut self, message: &Bytes) -> Result<Option<Bytes>, StreamError> {
        let Some(channel @ 0..=1) = message.first().copied().map(usize::from) else {
            return Ok(None);
        };
        let mut payload = message.slice(1..);
        if !std::mem::replace(&mut self.greeted[channel], true) {
            payload = payload.slice(2.min(payload.len())..);
        }
        if payload.is_empty() {
            return Ok(None);
        }
        if channel == 1 {
            let words = told(String::from_utf8_lossy(&payload).trim());
            return Err(StreamError::Server(words));
        }
        Ok(Some(payload))
    }
}
