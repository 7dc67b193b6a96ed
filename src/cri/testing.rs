//! Peers for tests: servers on a real unix socket, on a thread and runtime of their own, so that
//! they can die, come back and hang without the client's help.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use http::{Request, Response};
use k8s_cri::v1;
use prost::Message;
use prost::bytes::{Buf as _, BufMut as _};
use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Code, Status};

use super::{Connection, SocketPath, Target, Timing, Update, Wanted};
use crate::host::open::HostRoot;

pub const VERSION: &str = "/runtime.v1.RuntimeService/Version";
pub const PODS: &str = "/runtime.v1.RuntimeService/ListPodSandbox";
pub const CONTAINERS: &str = "/runtime.v1.RuntimeService/ListContainers";
pub const IMAGES: &str = "/runtime.v1.ImageService/ListImages";

/// Long enough for any machine; reached only by a failure.
pub const LONG: Duration = Duration::from_secs(20);

/// What a peer does with a call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Sends these messages, then ends well.
    Messages(Vec<Vec<u8>>),
    /// Sends these messages, then nothing for ever.
    Open(Vec<Vec<u8>>),
    /// Fails.
    Fail(Code, &'static str),
    /// Never answers.
    Hang,
    /// Answers as a web server that knows HTTP/2, but not gRPC.
    Web(u16),
}

impl Answer {
    pub fn message(message: &impl Message) -> Self {
        Self::Messages(vec![message.encode_to_vec()])
    }
}

/// A gRPC server that answers each path as told, and records the paths it saw.
pub struct Peer {
    folder: TempDir,
    pub socket: PathBuf,
    script: Script,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<HashMap<&'static str, Answer>>>,
    seen: Arc<watch::Sender<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    frozen: Arc<watch::Sender<bool>>,
}

impl Peer {
    /// A runtime that answers `Version` and has nothing else.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("cri.sock");
        let mut peer = Self {
            folder,
            socket,
            script: Script::default(),
            stop: None,
            thread: None,
        };
        peer.answer(VERSION, version("containerd", "v2.1.0"));
        peer.answer(PODS, Answer::message(&pods(&[])));
        peer.answer(CONTAINERS, Answer::message(&containers(&[])));
        peer.answer(IMAGES, Answer::message(&v1::ListImagesResponse::default()));
        peer.revive();
        peer
    }

    pub fn answer(&self, path: &'static str, answer: Answer) {
        self.script.answers.lock().unwrap().insert(path, answer);
    }

    /// From now on every call gets `answer`.
    pub fn answer_all(&self, answer: &Answer) {
        for old in self.script.answers.lock().unwrap().values_mut() {
            *old = answer.clone();
        }
    }

    pub fn answers(&self) -> HashMap<&'static str, Answer> {
        self.script.answers.lock().unwrap().clone()
    }

    pub fn restore(&self, answers: HashMap<&'static str, Answer>) {
        *self.script.answers.lock().unwrap() = answers;
    }

    /// Stops answering, as by SIGSTOP, or goes on and answers what has piled up.
    pub fn freeze(&self, frozen: bool) {
        self.script.frozen.send_replace(frozen);
    }

    /// How often somebody has connected.
    pub fn connections(&self) -> usize {
        self.script.connections.load(Ordering::Relaxed)
    }

    pub fn seen(&self) -> Vec<String> {
        self.script.seen.borrow().clone()
    }

    pub fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| *seen == path).count()
    }

    /// Waits until `path` was called `times` times in all.
    pub async fn called(&self, path: &str, times: usize) {
        let mut seen = self.script.seen.subscribe();
        let count = |seen: &Vec<String>| seen.iter().filter(|seen| *seen == path).count();
        let called = seen.wait_for(|seen| count(seen) >= times);
        let waited = tokio::time::timeout(LONG, called).await;
        assert!(waited.is_ok(), "{path}: {} of {times}", self.count(path));
    }

    /// Dies as by SIGKILL: connections break, the socket file stays.
    pub fn kill(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// Comes back at the same path.
    pub fn revive(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
        let listener = StdListener::bind(&self.socket).unwrap();
        listener.set_nonblocking(true).unwrap();
        let (stop, stopped) = oneshot::channel();
        let script = self.script.clone();
        self.stop = Some(stop);
        self.thread = Some(std::thread::spawn(move || serve(listener, script, stopped)));
    }

    pub fn target(&self) -> Target {
        target(&self.socket)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn serve(listener: StdListener, script: Script, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async move {
        let connections = script.connections.clone();
        let incoming = UnixListenerStream::new(UnixListener::from_std(listener).unwrap());
        let incoming = incoming.inspect(move |_| {
            connections.fetch_add(1, Ordering::Relaxed);
        });
        let server = tonic::transport::Server::builder().serve_with_incoming(script, incoming);
        tokio::select! {
            _ = stopped => (),
            ended = server => ended.unwrap(),
        }
    });
}

impl tower::Service<Request<Body>> for Script {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let path = request.uri().path().to_owned();
        self.seen.send_modify(|seen| seen.push(path.clone()));
        let (answers, mut frozen) = (self.answers.clone(), self.frozen.subscribe());
        Box::pin(async move {
            frozen.wait_for(|frozen| !frozen).await.unwrap();
            let answer = answers.lock().unwrap().get(path.as_str()).cloned();
            if let Some(Answer::Web(status)) = answer {
                let page = Response::builder().status(status).body(Body::empty());
                return Ok(page.unwrap());
            }
            let mut grpc = tonic::server::Grpc::new(RawCodec);
            Ok(grpc.server_streaming(Say(answer), request).await)
        })
    }
}

struct Say(Option<Answer>);

impl tower::Service<tonic::Request<()>> for Say {
    type Response = tonic::Response<BoxStream<'static, Result<Vec<u8>, Status>>>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: tonic::Request<()>) -> Self::Future {
        let answer = self.0.clone();
        Box::pin(async move {
            let stream = |messages: Vec<Vec<u8>>| stream::iter(messages.into_iter().map(Ok));
            let stream = match answer {
                None | Some(Answer::Web(_)) => {
                    return Err(Status::unimplemented("unknown service"));
                }
                Some(Answer::Fail(code, text)) => return Err(Status::new(code, text)),
                Some(Answer::Hang) => std::future::pending().await,
                Some(Answer::Messages(messages)) => stream(messages).boxed(),
                Some(Answer::Open(messages)) => stream(messages).chain(stream::pending()).boxed(),
            };
            Ok(tonic::Response::new(stream))
        })
    }
}

/// Sends bytes as they are; ignores what is asked.
struct RawCodec;

impl Codec for RawCodec {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for RawCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, dst: &mut EncodeBuf<'_>) -> Result<(), Status> {
        dst.put_slice(&item);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        src.advance(src.remaining());
        Ok(Some(()))
    }
}

pub fn version(name: &str, version: &str) -> Answer {
    Answer::message(&v1::VersionResponse {
        version: "0.1.0".into(),
        runtime_name: name.into(),
        runtime_version: version.into(),
        runtime_api_version: "v1".into(),
    })
}

pub fn pods(ids: &[&str]) -> v1::ListPodSandboxResponse {
    let pod = |id: &&str| v1::PodSandbox {
        id: (*id).to_owned(),
        labels: (0..8)
            .map(|n| (format!("key-{n}"), format!("{id}-{n}")))
            .collect(),
        ..Default::default()
    };
    let items = ids.iter().map(pod).collect();
    v1::ListPodSandboxResponse { items }
}

/// Containers of (id, image id).
pub fn containers(ids: &[(&str, &str)]) -> v1::ListContainersResponse {
    let container = |(id, image): &(&str, &str)| v1::Container {
        id: (*id).to_owned(),
        image_ref: (*image).to_owned(),
        ..Default::default()
    };
    let containers = ids.iter().map(container).collect();
    v1::ListContainersResponse { containers }
}

pub fn target(socket: &Path) -> Target {
    let socket = SocketPath::new(socket);
    Target {
        runtime: socket.clone(),
        image: socket,
        host: HostRoot::new(Path::new("/")).unwrap(),
    }
}

/// Short waits, so that tests of waiting are quick.
pub fn quick() -> Timing {
    Timing {
        deadline: Duration::from_millis(500),
        refresh: Duration::from_millis(20),
        ..Timing::default()
    }
}

/// Waits long for answers, lists often.
pub fn patient() -> Timing {
    Timing {
        deadline: LONG,
        ..quick()
    }
}

/// A connection and what it said.
pub struct Listener {
    pub connection: Connection,
    pub updates: mpsc::Receiver<Update>,
}

impl Listener {
    pub fn start(target: Target, timing: Timing, wanted: Wanted) -> Self {
        let (out, updates) = mpsc::channel(64);
        let connection = Connection::start(target, timing, None, out);
        connection.want(wanted);
        Self {
            connection,
            updates,
        }
    }

    /// The next update for which `pick` has a value.
    pub async fn next<T>(&mut self, pick: impl Fn(&Update) -> Option<T>) -> T {
        let mut heard = Vec::new();
        let picked = async {
            loop {
                let update = self.updates.recv().await.expect("the connection lives");
                if let Some(found) = pick(&update) {
                    return found;
                }
                heard.push(update);
            }
        };
        let picked = tokio::time::timeout(LONG, picked).await;
        picked.unwrap_or_else(|_| panic!("not heard, but {heard:?}"))
    }
}

/// A server of another kind: sends `hello` to whoever has sent something, then hangs up or,
/// with `stay`, says no more.
pub fn stranger(socket: &Path, hello: &'static [u8], stay: bool) {
    let listener = StdListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(hello);
            if stay {
                open.push(stream);
            }
        }
    });
}
