//! The simulated node's own files, under a private root: logs, cgroups, the kernel's log, the
//! kubelet's files, `/proc`. They agree with what the runtime tells.

mod cgroup;
mod configs;
mod kernel;
mod kubelet;
mod logs;
mod system;

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use super::node::Node;
use super::world::{Container, Id};
use logs::Logs;

const SECOND: i64 = 1_000_000_000;
/// How often moving numbers are written anew.
const REFRESH: i64 = 5 * SECOND;
/// Log lines that are due within this time are written together.
const TOGETHER: i64 = SECOND / 5;

/// The files of one simulated node.
#[derive(Debug)]
pub(super) struct Host {
    root: Root,
    logs: Logs,
    kernel: kernel::Log,
    kubelet: kubelet::Log,
    /// When the moving numbers were last written.
    refreshed: Option<i64>,
}

/// The folder that stands for `/`.
#[derive(Debug)]
struct Root {
    folder: PathBuf,
    /// The node goes away: there is no use in writing more.
    stop: Arc<AtomicBool>,
    /// What was written where, as hashes: what did not change is not written again.
    written: HashMap<String, u64>,
}

impl Root {
    /// `path` of the node, inside the folder.
    fn at(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_start_matches('/'))
    }

    fn write(&mut self, path: &str, text: &str) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let hash = xxh3_64(text.as_bytes());
        if self.written.insert(path.to_owned(), hash) == Some(hash) {
            return Ok(());
        }
        let path = self.at(path);
        match overwrite(&path, text) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_parent(&path)?;
                overwrite(&path, text)
            }
            other => other,
        }
    }
}

/// Writes in place: cutting a file to nothing first makes ext4 write it to the disk at once.
fn overwrite(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

impl Host {
    /// Files of `node` under `root`; nothing is written yet.
    pub(super) fn new(node: &Node, root: &Path) -> Self {
        Self {
            root: Root {
                folder: root.to_owned(),
                stop: Arc::clone(&node.files.stop),
                written: HashMap::new(),
            },
            logs: Logs::new(root.to_owned(), node.traits.logs),
            kernel: kernel::Log::new(node.story.boot),
            kubelet: kubelet::Log::default(),
            refreshed: None,
        }
    }

    /// Brings the files up to date. The node is not held up meanwhile.
    pub(super) fn keep(&mut self, node: &Node) -> io::Result<()> {
        let world = node.snapshot();
        let now = node.clock.now();
        let containers: Vec<&Container> = world.containers.values().collect();
        self.logs.keep(&containers, &world, now)?;
        if self.refreshed.is_none() {
            system::write_still(node, &world, &mut self.root)?;
            self.kernel.begin(&self.root, &world)?;
            kubelet::Log::begin(&self.root, &world, now)?;
        }
        self.kernel.keep(&self.root, &containers, &world)?;
        self.kernel.forget(&world);
        self.kubelet.keep(&self.root, &containers, &world)?;
        let due = |last| !node.story.still && now - last >= REFRESH;
        if self.refreshed.is_none_or(due) {
            system::write_moving(node, &world, &mut self.root)?;
            cgroup::write(node, &world, &containers, &mut self.root)?;
            self.refreshed = Some(now);
        }
        Ok(())
    }

    /// Makes the files of one more container: those of all others are as they should be.
    pub(super) fn add(&mut self, node: &Node, id: &Id) -> io::Result<()> {
        if self.refreshed.is_none() {
            return self.keep(node);
        }
        let world = node.world().part(|container| container.id == *id);
        let containers: Vec<&Container> = world.containers.values().collect();
        self.logs.write(&containers, &world, node.clock.now())?;
        self.kernel.keep(&self.root, &containers, &world)?;
        cgroup::write(node, &world, &containers, &mut self.root)
    }

    /// When something has to be written next; `None`: not before something happens.
    fn next(&self, node: &Node) -> Option<i64> {
        let now = node.clock.now();
        let change = node.world().next_change();
        let line = self.logs.next(now);
        let refreshed = self.refreshed.filter(|_| !node.story.still);
        let refresh = refreshed.map(|last| last + REFRESH);
        let next = [change, line, refresh].into_iter().flatten().min();
        next.map(|at| at.max(now + TOGETHER))
    }

    /// Opens a log anew, as the kubelet asks for after it has renamed the file.
    pub(super) fn reopen(&mut self, id: &Id) -> io::Result<()> {
        self.logs.reopen(id)
    }
}

/// Keeps the files up to date for as long as it is polled. Where nothing happens by itself it
/// sleeps until something is done to the node.
pub(super) async fn keep(node: Arc<Node>) {
    loop {
        let next = node.with_host(|host| {
            // A full disk stops the files, not the server.
            let _ = host.keep(&node);
            host.next(&node)
        });
        let wait = async {
            match next.flatten() {
                Some(at) => node.clock.until(at).await,
                None => std::future::pending().await,
            }
        };
        node.files.written.send_replace(true);
        tokio::select! {
            () = wait => {}
            () = node.changed.notified() => {}
        }
    }
}
