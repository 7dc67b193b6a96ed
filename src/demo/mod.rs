//! The simulated node: a faithful CRI v1 server inside the program, with a story. Someone without
//! a node sees the real program on it (`--demo`), other clients too (`critui demo-node`), and it
//! is the tests' peer: it plays every runtime's quirks, any size and any fault.
//!
//! The client reaches it like any runtime, over a unix socket; nothing else of the program knows
//! about it. It lives in a private folder, needs no root, and never touches the host.

mod chance;
mod change;
mod clock;
mod events;
mod exec;
mod faults;
mod folder;
mod host;
mod hostile;
mod item;
mod large;
mod lists;
mod methods;
mod mounts;
mod node;
mod profile;
mod scenario;
mod server;
mod stats;
mod status;
mod streaming;
mod tell;
mod units;
mod verbose;
mod wire;
mod world;

#[cfg(test)]
mod shapes_tests;
#[cfg(test)]
mod stall_tests;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub use clock::Clock;
pub use faults::{Fault, FaultKind};
pub use large::Size;
pub use node::Call;
pub use profile::Profile;
pub use scenario::{
    Cgroups, ContainerSpec, ImageSpec, Life, Log, NAMES, PodSpec, Qos, Restart, Scenario, Uses,
};
pub use units::{Bytes, Nanos};

use crate::host::open::{HostRoot, Space};
use host::Host;
use node::Node;
use server::Power;

/// The file systems of a simulated node.
const DISK: Space = Space {
    device: 1,
    size: 210 << 30,
    available: 79 << 30,
    inodes: 14_000_000,
    inodes_free: 12_600_000,
};

/// How to run a scenario.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which runtime to play.
    pub profile: Profile,
    /// What goes wrong from the start.
    pub faults: Vec<Fault>,
    /// Seed of everything random: ids, orders, pids.
    pub seed: u64,
    /// Where time comes from.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            faults: Vec::new(),
            seed: 0x5eed,
            clock: Clock::real(),
        }
    }
}

/// A running simulated node. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub struct DemoNode {
    node: Arc<Node>,
    socket: PathBuf,
    host: PathBuf,
    power: watch::Sender<Power>,
    threads: Vec<JoinHandle<()>>,
    /// Removed after the threads have ended.
    _folder: TempDir,
}

impl DemoNode {
    /// Starts a server for `scenario` on a thread of its own, and returns when its socket listens.
    /// The error is one line that names the folder or socket.
    pub fn start(scenario: &Scenario, options: Options) -> io::Result<Self> {
        let folder = folder::make()?;
        let host = folder.path().join("host");
        let socket = host.join(options.profile.traits().socket);
        Self::at(scenario, options, folder, host, socket)
    }

    fn at(
        scenario: &Scenario,
        options: Options,
        folder: TempDir,
        host: PathBuf,
        socket: PathBuf,
    ) -> io::Result<Self> {
        std::fs::create_dir_all(&host)?;
        if let Some(parent) = socket.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let traits = options.profile.traits();
        let node = Arc::new(Node::new(scenario, traits, options.clock, options.seed));
        node.set_faults(options.faults);
        node.set_host(Host::new(&node, &host)?);
        let (power, watching) = watch::channel(Power::Up(0));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            if let Err(error) = node.streams.listen() {
                // Everything else works where there is no loopback.
                tracing::debug!("the simulated node streams nothing: {error}");
            }
            server::listen(&socket)?
        };
        let server = spawn("demo-node", runtime, {
            server::serve(
                Arc::clone(&node),
                socket.clone(),
                listener,
                watching.clone(),
            )
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let files = spawn(
            "demo-files",
            runtime,
            until_off(Arc::clone(&node), watching),
        )?;
        Ok(Self {
            node,
            socket,
            host,
            power,
            threads: vec![server, files],
            _folder: folder,
        })
    }

    /// The socket that clients connect to.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The folder that stands for the node's root: its logs, cgroups, kubelet files, and the
    /// socket at its usual place.
    pub fn host_root(&self) -> &Path {
        &self.host
    }

    /// The same, to look into: with file systems that are as full as the story has them.
    pub fn host(&self) -> io::Result<HostRoot> {
        HostRoot::simulated(&self.host, DISK)
    }

    /// Waits until the files under [`DemoNode::host_root`] have been written: this goes on behind
    /// a node that answers already.
    pub async fn files_written(&self) {
        // The sender lives in the node, so this ends only by the files being there.
        let _ = self
            .node
            .files
            .written
            .subscribe()
            .wait_for(|done| *done)
            .await;
    }

    /// Waits until so many subscribers get every event (containerd 2.x).
    pub async fn subscribed(&self, wanted: usize) {
        self.node.hub.subscribed(wanted).await;
    }

    /// A subscriber that does not read holds up every call that has an event to tell
    /// (containerd 2.x).
    pub fn is_stalled(&self) -> bool {
        self.node.hub.stalled()
    }

    /// Waits until a subscriber holds the runtime up.
    pub async fn stalls(&self) {
        self.node.hub.stalls().await;
    }

    /// Every RPC received so far (of very many, the newest).
    pub fn recording(&self) -> Vec<Call> {
        self.node.calls()
    }

    /// Replaces the faults.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.node.set_faults(faults);
    }

    /// The clock that the node runs on.
    pub fn clock(&self) -> &Clock {
        &self.node.clock
    }

    /// Moves a manual clock forward.
    pub fn advance(&self, by: Duration) {
        self.node.clock.advance(by);
    }

    /// Takes the runtime down: every connection is cut, the socket goes. Containers live on.
    pub fn stop(&self) {
        self.power.send_replace(Power::Down);
    }

    /// Brings the runtime back after [`DemoNode::stop`].
    pub fn resume(&self) {
        self.restart();
    }

    /// Cuts every connection off, as a runtime does that is started again. Containers live on.
    pub fn restart(&self) {
        self.power.send_modify(|power| {
            *power = match *power {
                Power::Up(nth) => Power::Up(nth.wrapping_add(1)),
                Power::Down | Power::Off => Power::Up(0),
            };
        });
    }
}

impl Drop for DemoNode {
    fn drop(&mut self) {
        self.node.files.stop.store(true, Ordering::Relaxed);
        self.power.send_replace(Power::Off);
        for thread in self.threads.drain(..) {
            // If it panicked there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

/// Runs `future` on a thread of its own: the client's loop is measured apart from the server, and
/// the server from the disk.
fn spawn(
    name: &str,
    runtime: Runtime,
    future: impl Future<Output = ()> + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    let thread = std::thread::Builder::new().name(name.into());
    thread.spawn(move || runtime.block_on(future))
}

/// Keeps the host's files until the power goes off.
async fn until_off(node: Arc<Node>, mut power: watch::Receiver<Power>) {
    tokio::select! {
        // An error means that the node is gone, too.
        _ = power.wait_for(|power| *power == Power::Off) => {}
        () = host::keep(node) => {}
    }
}

/// Runs a simulated node at `socket` until SIGINT, SIGTERM or SIGHUP; `ready` is called once it
/// listens. The error is one line that names the socket. Needs a tokio runtime with I/O and time.
pub async fn serve_alone(
    socket: &Path,
    scenario: &Scenario,
    options: Options,
    ready: impl FnOnce(&DemoNode),
) -> io::Result<()> {
    let mut signals = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ]
    .map(signal)
    .into_iter()
    .collect::<io::Result<Vec<_>>>()?;
    let folder = folder::make()?;
    let host = folder.path().join("host");
    let demo = DemoNode::at(scenario, options, folder, host, socket.to_owned())?;
    ready(&demo);
    let waits = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures_util::future::select_all(waits).await;
    Ok(())
}
