//! A streaming server for tests that does as it is told.

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

/// What the server does, in this order.
#[derive(Clone, Debug)]
pub enum Act {
    /// Sends a binary message.
    Send(Vec<u8>),
    /// The same as a text message.
    Text(&'static str),
    /// The same in two fragments.
    Fragments(&'static [u8], &'static [u8]),
    /// A ping.
    Ping,
    /// A close frame.
    Close,
    /// Waits for a message and keeps it.
    Take,
    /// Sends back what it takes, until it has taken so many bytes.
    Echo(usize),
    /// Cuts the connection.
    Cut,
}

pub fn send(bytes: &[u8]) -> Act {
    Act::Send(bytes.to_vec())
}

/// Serves one connection; what it has taken.
pub async fn serve(acts: Vec<Act>) -> (String, JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/exec/token", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = upgraded(stream).await;
        act(&mut socket, acts).await
    });
    (url, served)
}

// The callback's type is tungstenite's.
#[allow(clippy::result_large_err, clippy::unnecessary_wraps)]
async fn upgraded(stream: TcpStream) -> WebSocketStream<TcpStream> {
    let agree = |request: &Request, mut response: Response| {
        let offered = &request.headers()["sec-websocket-protocol"];
        assert_eq!(offered, "v4.channel.k8s.io");
        assert!(request.headers().get("sec-websocket-extensions").is_none());
        let headers = response.headers_mut();
        headers.insert("sec-websocket-protocol", offered.clone());
        Ok(response)
    };
    tokio_tungstenite::accept_hdr_async(stream, agree)
        .await
        .unwrap()
}

async fn act(socket: &mut WebSocketStream<TcpStream>, acts: Vec<Act>) -> Vec<Vec<u8>> {
    let mut taken = Vec::new();
    for act in acts {
        let message = match act {
            Act::Send(bytes) => Message::binary(bytes),
            Act::Text(text) => Message::text(text),
            Act::Ping => Message::Ping(vec![1].into()),
            Act::Close => Message::Close(None),
            Act::Fragments(first, second) => {
                for (bytes, code, last) in [
                    (first, OpCode::Data(Data::Binary), false),
                    (second, OpCode::Data(Data::Continue), true),
                ] {
                    let frame = Frame::message(bytes.to_vec(), code, last);
                    let _ = socket.send(Message::Frame(frame)).await;
                }
                continue;
            }
            Act::Take => {
                while let Some(Ok(message)) = socket.next().await {
                    if message.is_binary() {
                        taken.push(message.into_data().to_vec());
                        break;
                    }
                }
                continue;
            }
            Act::Echo(mut left) => {
                while left > 0 {
                    let Some(Ok(message)) = socket.next().await else {
                        break;
                    };
                    if message.is_binary() {
                        left = left.saturating_sub(message.len());
                        let _ = socket.send(message).await;
                    }
                }
                continue;
            }
            Act::Cut => return taken,
        };
        // The client may have left.
        let _ = socket.send(message).await;
    }
    // The client closes; a goodbye is waited for, so that nothing sent is lost.
    while let Some(Ok(_)) = socket.next().await {}
    taken
}

/// Answers one HTTP request with `answer`, whatever it asks.
pub async fn answer(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/exec/token", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 2048];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(answer.as_bytes()).await;
    });
    url
}
