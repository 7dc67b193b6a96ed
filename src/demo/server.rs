//! The server: a unix socket, HTTP/2, one task a connection, so that a restart of the runtime can
//! cut every connection off at once.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::Status;

use super::node::Node;
use super::streaming;
use super::wire::{Body, response, unframed};

/// HTTP/2 windows: a list of megabytes should not wait for the client's acknowledgements.
const WINDOW: u32 = 1 << 20;

/// Whether the runtime is up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Power {
    /// With the number of the start: another number is a restart.
    Up(u32),
    Down,
    /// For good.
    Off,
}

/// Serves until the power goes off, with no socket while it is down.
pub(super) async fn serve(
    node: Arc<Node>,
    socket: PathBuf,
    first: UnixListener,
    mut power: watch::Receiver<Power>,
) {
    let mut listener = Some(first);
    loop {
        let now = *power.borrow_and_update();
        match now {
            Power::Off => break,
            Power::Down => {
                if listener.take().is_some() {
                    // It may be gone already.
                    let _ = std::fs::remove_file(&socket);
                }
                if power.changed().await.is_err() {
                    break;
                }
            }
            Power::Up(_) => {
                let listening = listener.take().map_or_else(|| listen(&socket), Ok);
                let Ok(listening) = listening else { break };
                listener = Some(listening);
                if let Some(listening) = &listener {
                    accept(&node, listening, &mut power).await;
                }
            }
        }
    }
    let _ = std::fs::remove_file(&socket);
}

/// Binds the socket.
pub(super) fn listen(socket: &Path) -> io::Result<UnixListener> {
    UnixListener::bind(socket).map_err(|error| {
        let text = format!("cannot listen on {}: {error}", socket.display());
        io::Error::new(error.kind(), text)
    })
}

/// Accepts connections until the power changes; then all of them end.
async fn accept(node: &Arc<Node>, listener: &UnixListener, power: &mut watch::Receiver<Power>) {
    let now = *power.borrow();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            changed = power.changed() => {
                if changed.is_err() || *power.borrow() != now {
                    return;
                }
            }
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(Arc::clone(node), stream));
                }
            }
            stream = node.streams.accept() => {
                connections.spawn(streaming::serve(Arc::clone(node), stream));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(node: Arc<Node>, stream: UnixStream) {
    let service = service_fn(move |request| {
        let node = Arc::clone(&node);
        async move { Ok::<_, Infallible>(call(node, request).await) }
    });
    // A client that goes away in the middle of a call is nothing to report.
    let _ = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(4 << 20)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn call(node: Arc<Node>, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return response(Err(Status::cancelled(error.to_string()))),
    };
    let result = match unframed(&body) {
        Ok(message) => node.answer(&path, message).await,
        Err(status) => Err(status),
    };
    response(result)
}
