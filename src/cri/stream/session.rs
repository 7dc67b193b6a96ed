//! One command in a container, or one container attached to.

use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use prost::bytes::Bytes;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error};

use super::dial::Socket;
use super::frame::{Channel, Size, decode, encode};
use super::status::{self, Ending};
use super::{StreamError, frame};

/// Longest wait for the goodbye to be sent.
const GOODBYE: Duration = Duration::from_millis(500);

/// An open session. Its halves can be used at the same time: a server that does not take what is
/// typed still says what it has to say.
#[derive(Debug)]
pub struct Session {
    /// To the command.
    pub input: Input,
    /// From the command.
    pub output: Output,
}

/// What comes from the command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// The server is ready; the command may not have started yet.
    Open,
    /// Standard output, or what a terminal shows.
    Stdout(Bytes),
    /// Standard error.
    Stderr(Bytes),
    /// It has ended. Nothing comes after this.
    Ended(Ending),
}

/// The half that goes to the command.
#[derive(Debug)]
pub struct Input {
    sink: SplitSink<Socket, Message>,
}

/// The half that comes from the command.
#[derive(Debug)]
pub struct Output {
    stream: SplitStream<Socket>,
    ended: bool,
}

impl Session {
    pub(in crate::cri) fn new(socket: Socket) -> Self {
        let (sink, stream) = socket.split();
        Self {
            input: Input { sink },
            output: Output {
                stream,
                ended: false,
            },
        }
    }
}

impl Input {
    /// Sends to the command's standard input, and waits until it has left. Never send what nobody
    /// reads: the server would do nothing else any more. An empty slice keeps an idle session
    /// from being cut off.
    pub async fn stdin(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.send(encode(Channel::Stdin, bytes)).await
    }

    /// Sets the size of the command's terminal.
    pub async fn resize(&mut self, size: Size) -> Result<(), StreamError> {
        match size.message() {
            Some(message) => self.send(message).await,
            None => Ok(()),
        }
    }

    /// Closes the connection. That does not end a command with a terminal.
    pub async fn close(&mut self) {
        // The other side may be gone, or deaf.
        let _ = timeout(GOODBYE, self.sink.close()).await;
    }

    async fn send(&mut self, message: Vec<u8>) -> Result<(), StreamError> {
        let sent = self.sink.send(Message::binary(message)).await;
        sent.map_err(|error| broken(&error))
    }
}

impl Output {
    /// What comes next. Ends with [`Event::Ended`] or an error; then it is over.
    pub async fn next(&mut self) -> Result<Event, StreamError> {
        loop {
            if self.ended {
                return Err(StreamError::lost("it is over"));
            }
            let message = match self.stream.next().await {
                Some(Ok(Message::Binary(bytes))) => bytes,
                // No runtime sends them, but they mean the same.
                Some(Ok(Message::Text(text))) => text.into(),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(_))) | None => {
                    self.ended = true;
                    return Err(StreamError::lost(
                        "the streaming server closed without saying how the command ended",
                    ));
                }
                Some(Err(error)) => {
                    self.ended = true;
                    return Err(broken(&error));
                }
            };
            if let Some(event) = self.event(&message) {
                return Ok(event);
            }
        }
    }

    fn event(&mut self, message: &Bytes) -> Option<Event> {
        let (channel, payload) = decode(message)?;
        // The payload as a part of the message: nothing is copied.
        let bytes = message.slice_ref(payload);
        match channel {
            Channel::Stdout | Channel::Stderr if bytes.is_empty() => Some(Event::Open),
            Channel::Stdout => Some(Event::Stdout(bytes)),
            Channel::Stderr => Some(Event::Stderr(bytes)),
            Channel::Status => {
                self.ended = true;
                Some(Event::Ended(status::decode(payload)))
            }
            frame::Channel::Stdin | frame::Channel::Resize => None,
        }
    }
}

/// A broken connection in words.
pub(super) fn broken(error: &Error) -> StreamError {
    let line = match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => format!(
            "the streaming server sent a message of {size} bytes where {max_size} are the most"
        ),
        Error::Protocol(error) => format!("the streaming server broke the protocol: {error}"),
        Error::ConnectionClosed | Error::AlreadyClosed => {
            "the connection to the streaming server is closed".to_owned()
        }
        other => format!("the connection to the streaming server was lost: {other}"),
    };
    StreamError::lost(&line)
}
