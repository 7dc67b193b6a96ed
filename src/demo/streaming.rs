//! The streaming server: exec, attach and port-forward over WebSocket, as containerd serves them.
//! A URL is good once; a command outlives its client; there is no end of stdin.

mod shell;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::StatusCode;
use k8s_cri::v1;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex as Turns, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tonic::Status;

use super::node::Node;
use super::scenario::ContainerSpec;
use super::world::State;
use shell::Shell;

pub(super) use shell::has_shell;

const PROTOCOL: &str = "v4.channel.k8s.io";
/// Longest wait for a client to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// Ports on which something listens in every pod, speaking HTTP.
const WEB: [u16; 3] = [80, 8080, 9090];
/// The port of the echo service.
const ECHO: u16 = 7;

/// The streaming server's state.
#[derive(Debug, Default)]
pub(super) struct Streams {
    listener: OnceLock<(SocketAddr, Turns<TcpListener>)>,
    tokens: Mutex<(u64, HashMap<String, What>)>,
    /// Shells that run, by their process ids, and what hangs them up.
    shells: Mutex<HashMap<u32, watch::Sender<bool>>>,
}

/// What a URL is for.
#[derive(Debug)]
enum What {
    Exec(Arc<ContainerSpec>, v1::ExecRequest),
    Attach(v1::AttachRequest),
    Forward(Vec<i32>),
}

type Socket = WebSocketStream<TcpStream>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    /// Listens on loopback; inside a tokio runtime. Without it, streams are refused.
    pub(super) fn listen(&self) -> std::io::Result<()> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        // It is called once.
        let _ = self.listener.set((address, Turns::new(listener)));
        Ok(())
    }

    /// The next client.
    pub(super) async fn accept(&self) -> TcpStream {
        let Some((_, listener)) = self.listener.get() else {
            return std::future::pending().await;
        };
        loop {
            if let Ok((stream, _)) = listener.lock().await.accept().await {
                return stream;
            }
        }
    }

    fn url(&self, kind: &str, what: What) -> Result<String, Status> {
        let Some((address, _)) = self.listener.get() else {
            return Err(Status::unknown("the streaming server does not listen"));
        };
        let mut tokens = lock(&self.tokens);
        tokens.0 += 1;
        let token = super::chance::digest(&format!("token {}", tokens.0))[..8].to_owned();
        let url = format!("http://{address}/{kind}/{token}");
        tokens.1.insert(format!("/{kind}/{token}"), what);
        Ok(url)
    }

    /// Hangs up the shell whose process has this id.
    pub(super) fn hang_up(&self, pid: u32) -> bool {
        let shells = lock(&self.shells);
        shells
            .get(&pid)
            .is_some_and(|shell| shell.send(true).is_ok())
    }
}

/// A running container.
fn running(node: &Node, method: &str, id: &str) -> Result<Arc<ContainerSpec>, Status> {
    let world = node.world();
    let id = node.container_id(&world, method, id)?;
    let container = &world.containers[&id];
    if container.state != State::Running {
        let state = super::change::in_state(container);
        return Err(Status::unknown(format!("container is in {state} state")));
    }
    Ok(Arc::clone(&container.spec))
}

pub(super) fn exec(node: &Node, request: v1::ExecRequest) -> Result<v1::ExecResponse, Status> {
    if request.tty && request.stderr {
        return Err(Status::invalid_argument(
            "tty and stderr cannot both be true",
        ));
    }
    let spec = running(node, "Exec", &request.container_id)?;
    let url = node.streams.url("exec", What::Exec(spec, request))?;
    Ok(v1::ExecResponse { url })
}

pub(super) fn attach(
    node: &Node,
    request: v1::AttachRequest,
) -> Result<v1::AttachResponse, Status> {
    running(node, "Attach", &request.container_id)?;
    let url = node.streams.url("attach", What::Attach(request))?;
    Ok(v1::AttachResponse { url })
}

pub(super) fn port_forward(
    node: &Node,
    request: v1::PortForwardRequest,
) -> Result<v1::PortForwardResponse, Status> {
    let world = node.world();
    let id = node.pod_id(&world, "PortForward", &request.pod_sandbox_id)?;
    if !world.pods[&id].ready {
        return Err(Status::unknown("sandbox container is not running"));
    }
    drop(world);
    let url = node
        .streams
        .url("portforward", What::Forward(request.port))?;
    Ok(v1::PortForwardResponse { url })
}

/// Serves one client.
pub(super) async fn serve(node: Arc<Node>, stream: TcpStream) {
    let mut what = None;
    // The callback's type is tungstenite's.
    #[allow(clippy::result_large_err)]
    let agree = |request: &Request, mut response: Response| {
        let offered = request.headers().get_all("sec-websocket-protocol");
        let mut offered = offered.iter().filter_map(|value| value.to_str().ok());
        if !offered.any(|list| list.split(',').any(|one| one.trim() == PROTOCOL)) {
            return Err(refusal(StatusCode::FORBIDDEN, "403 Forbidden"));
        }
        what = lock(&node.streams.tokens).1.remove(request.uri().path());
        if what.is_none() {
            return Err(refusal(StatusCode::NOT_FOUND, "404 page not found"));
        }
        let agreed = http::HeaderValue::from_static(PROTOCOL);
        response
            .headers_mut()
            .insert("sec-websocket-protocol", agreed);
        Ok(response)
    };
    let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, agree).await else {
        return;
    };
    match what {
        Some(What::Exec(spec, request)) => exec_session(&node, socket, spec, request).await,
        Some(What::Attach(request)) => attached(socket, &request).await,
        Some(What::Forward(ports)) => forward(socket, &ports).await,
        None => {}
    }
}

fn refusal(status: StatusCode, text: &str) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(text.to_owned()));
    *response.status_mut() = status;
    response
}

/// Sends; a client that has gone is nothing to report.
async fn send(socket: &mut Socket, channel: u8, payload: &[u8]) {
    let message = [&[channel], payload].concat();
    let _ = socket.send(Message::binary(message)).await;
}

/// Closes as the runtimes do: with the code of a normal end.
async fn close(socket: &mut Socket) {
    let frame = CloseFrame {
        code: CloseCode::Normal,
        reason: Utf8Bytes::default(),
    };
    // A client that has gone is nothing to report.
    let _ = socket.close(Some(frame)).await;
}

/// The end: how, and goodbye.
async fn end(mut socket: Socket, status: serde_json::Value) {
    send(&mut socket, 3, status.to_string().as_bytes()).await;
    close(&mut socket).await;
    let _ = tokio::time::timeout(GOODBYE, async { while socket.next().await.is_some() {} }).await;
}

fn exit(code: i32) -> serde_json::Value {
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit code {code}"),
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

async fn exec_session(
    node: &Node,
    mut socket: Socket,
    spec: Arc<ContainerSpec>,
    request: v1::ExecRequest,
) {
    send(&mut socket, 1, b"").await;
    let pid = {
        let mut tokens = lock(&node.streams.tokens);
        tokens.0 += 1;
        u32::try_from(tokens.0)
            .unwrap_or(u32::MAX)
            .saturating_add(20)
    };
    let Some(mut shell) = Shell::start(spec, &request.cmd, request.tty, pid) else {
        let command = request.cmd.first().cloned().unwrap_or_default();
        let words = super::exec::no_command(&command);
        let failed =
            format!("Internal error occurred: error executing command in container: {words}");
        let status = json!({"metadata": {}, "status": "Failure", "message": failed,
            "reason": "InternalError", "code": 500});
        return end(socket, status).await;
    };
    let (hang_up, mut ended) = watch::channel(false);
    lock(&node.streams.shells).insert(pid, hang_up);
    loop {
        let output = shell.take_output();
        if !output.is_empty() {
            send(&mut socket, 1, &output).await;
        }
        if let Some(code) = shell.ended() {
            end(socket, exit(code)).await;
            break;
        }
        tokio::select! {
            message = socket.next() => match message {
                Some(Ok(message)) => shell.hear(&message.into_data()),
                // Its command lives on, here as there: nobody will ever hear of it again.
                _ => return,
            },
            _ = ended.changed() => shell.hang_up(),
        }
    }
    lock(&node.streams.shells).remove(&pid);
}

/// Writes a line now and then.
async fn attached(mut socket: Socket, request: &v1::AttachRequest) {
    send(&mut socket, 1, b"").await;
    let end = if request.tty { "\r\n" } else { "\n" };
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let mut count = 0_u32;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                count += 1;
                let line = format!("request {count} served in {}ms{end}", count * 7 % 40 + 1);
                send(&mut socket, 1, line.as_bytes()).await;
            }
            message = socket.next() => match message {
                Some(Ok(message)) => {
                    let data = message.into_data();
                    if request.tty && data.first() == Some(&0) {
                        send(&mut socket, 1, &data[1..]).await;
                    }
                }
                _ => return,
            },
        }
    }
}

/// One connection into a pod.
async fn forward(mut socket: Socket, ports: &[i32]) {
    let Some(port) = ports.first().and_then(|port| u16::try_from(*port).ok()) else {
        close(&mut socket).await;
        return;
    };
    for channel in [0, 1] {
        send(&mut socket, channel, &port.to_le_bytes()).await;
    }
    if port != ECHO && !WEB.contains(&port) {
        let words = format!(
            "error forwarding port {port} to pod: failed to connect to localhost:{port} inside \
             namespace: connection refused"
        );
        send(&mut socket, 1, words.as_bytes()).await;
        close(&mut socket).await;
        return;
    }
    while let Some(Ok(message)) = socket.next().await {
        let data = message.into_data();
        let Some(bytes) = data.strip_prefix(b"\0") else {
            continue;
        };
        if port == ECHO {
            send(&mut socket, 0, bytes).await;
        } else if bytes.windows(4).any(|window| window == b"\r\n\r\n") {
            let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 25\r\n\
                          Connection: close\r\n\r\nfrom the simulated node.\n";
            send(&mut socket, 0, answer.as_bytes()).await;
            close(&mut socket).await;
            return;
        }
    }
}
