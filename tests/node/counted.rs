//! Read-only mode against a real runtime, behind a proxy that keeps the name of every call.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use critui::cri::gate::READS;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use tokio::net::UnixListener;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tower::ServiceExt as _;

use crate::CRITUI;
use crate::harness::node;
use crate::support::words::{UP, link_is};
use crate::support::{Program, Term, wait_until};

/// For what takes no time; generous, since the machine may be busy.
const SOON: Duration = Duration::from_secs(10);
/// Keys between two looks at the screen, and how many such bursts.
const BURST: usize = 20;
const BURSTS: usize = 150;

/// How often each call came.
type Calls = Arc<Mutex<BTreeMap<String, u64>>>;

/// Passes everything on to the runtime, on a thread of its own that ends with the tests.
fn proxy(socket: &Path, runtime: &Path) -> Calls {
    let calls = Calls::default();
    let (kept, socket) = (Arc::clone(&calls), socket.to_owned());
    let endpoint = Endpoint::from_shared(format!("unix://{}", runtime.display()));
    let endpoint = endpoint.expect("an endpoint");
    let (ready, listens) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a tokio runtime");
        tokio.block_on(async {
            let listener = UnixListener::bind(&socket).expect("a socket");
            let channel = endpoint.connect_lazy();
            ready.send(()).expect("somebody waits");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, channel.clone(), Arc::clone(&kept)));
            }
        });
    });
    listens.recv().expect("the proxy listens");
    calls
}

async fn serve(stream: tokio::net::UnixStream, channel: Channel, calls: Calls) {
    let answer = service_fn(move |request: http::Request<Incoming>| {
        let channel = channel.clone();
        let path = request.uri().path().to_owned();
        *lock(&calls).entry(path).or_default() += 1;
        async move {
            let answer = channel.oneshot(request.map(Body::new)).await;
            let broken = |error: tonic::transport::Error| {
                tonic::Status::unavailable(error.to_string()).into_http()
            };
            Ok::<_, Infallible>(answer.unwrap_or_else(broken))
        }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    // A client that goes away ends it.
    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
}

fn lock(calls: &Calls) -> std::sync::MutexGuard<'_, BTreeMap<String, u64>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All files below a folder, with what a change of them would change.
fn files(folder: &str) -> BTreeMap<PathBuf, (u64, i64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            // What goes in between is none of ours.
            let Ok(meta) = entry.metadata() else { continue };
            if meta.is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.path(), (meta.size(), meta.mtime_nsec()));
            }
        }
    }
    found
}

/// Keys as a terminal sends them; none that ends or suspends the program.
fn key() -> impl Strategy<Value = String> {
    let named = [
        "\r", "\x1b", "\t", "\x1b[A", "\x1b[B", "\x1b[5~", "\x1b[6~", "\x04", "\x0b", "\x13",
    ];
    let mouse = [
        "\x1b[<0;20;9M\x1b[<0;20;9m",
        "\x1b[<64;5;5M",
        "\x1b[<65;60;20M",
    ];
    prop_oneof![
        8 => prop::char::range(' ', '~')
            .prop_filter("it would quit", |key| *key != 'q')
            .prop_map(String::from),
        3 => prop::sample::select(named.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(mouse.to_vec()).prop_map(str::to_owned),
    ]
}

fn opened(socket: &Path, home: &Path) -> Term {
    let term = Program::new(CRITUI)
        .args([
            "--read-only".to_owned(),
            "-r".to_owned(),
            format!("unix://{}", socket.display()),
        ])
        .env("HOME", &home.to_string_lossy())
        .size(120, 40)
        .spawn();
    term.wait_for("the pods", SOON, |screen| {
        link_is(screen, UP) && screen.contents().contains("1 Pods 1/2")
    });
    term
}

#[test]
fn whatever_is_pressed_a_real_runtime_sees_reads() {
    let node = node();
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("home");
    fs::create_dir(&home).expect("a home");
    let socket = folder.path().join("counted.sock");
    let calls = proxy(&socket, &node.socket());
    let before = (files("/var/log/critui"), node.cri.containers().len());
    let mut term = opened(&socket, &home);
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..BURSTS {
        let keys = prop::collection::vec(key(), BURST);
        let keys = keys.new_tree(&mut runner).expect("keys").current().concat();
        if !term.runs() {
            // Something typed asked it to quit, which it may.
            term = opened(&socket, &home);
        }
        let written = term.written();
        term.keys(&keys);
        wait_until(Duration::from_millis(200), || term.written() > written);
    }
    drop(term);
    let seen = lock(&calls).clone();
    println!("{BURSTS} bursts of {BURST} keys: {seen:#?}");
    let changes: Vec<&String> = seen
        .keys()
        .filter(|path| !READS.contains(&path.as_str()))
        .collect();
    assert!(changes.is_empty(), "{changes:?}");
    // It was there, and it looked.
    assert!(seen.values().sum::<u64>() > 20, "{seen:?}");
    assert!(seen.contains_key("/runtime.v1.RuntimeService/ContainerStatus"));
    let after = (files("/var/log/critui"), node.cri.containers().len());
    assert_eq!(before, after);
    assert_eq!(files(&home.to_string_lossy()), BTreeMap::new());
}
