//! The simulated node's own files, under a private root: logs, cgroups, the kernel's log, the
//! kubelet's files, `/proc`. They agree with what the runtime tells.

mod cgroup;
mod kernel;
mod logs;
mod system;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
    /// Containers whose files are kept; all of them unless the host is sparse.
    asked: Option<BTreeSet<Id>>,
    /// When the moving numbers were last written.
    refreshed: Option<i64>,
}

/// The folder that stands for `/`.
#[derive(Clone, Debug)]
struct Root(PathBuf);

impl Root {
    /// `path` of the node, inside the folder.
    fn at(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, text: &str) -> io::Result<()> {
        let path = self.at(path);
        match fs::write(&path, text) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_parent(&path)?;
                fs::write(&path, text)
            }
            other => other,
        }
    }
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

impl Host {
    /// Makes the files as they are at the start.
    pub(super) fn new(node: &Node, root: &Path, sparse: bool) -> io::Result<Self> {
        let root = Root(root.to_owned());
        let world = node.world();
        system::write_still(node, &world, &root)?;
        let mut host = Self {
            logs: Logs::new(root.clone(), node.traits.logs),
            kernel: kernel::Log::new(&root, node.boot, &world)?,
            root,
            asked: sparse.then(BTreeSet::new),
            refreshed: None,
        };
        drop(world);
        host.keep(node)?;
        Ok(host)
    }

    /// Brings the files up to date.
    pub(super) fn keep(&mut self, node: &Node) -> io::Result<()> {
        let world = node.world();
        let now = node.clock.now();
        let kept = |container: &&Container| {
            let asked = self.asked.as_ref();
            asked.is_none_or(|asked| asked.contains(&container.id))
        };
        let containers: Vec<&Container> = world.containers.values().filter(kept).collect();
        self.logs.keep(&containers, &world, now)?;
        self.kernel.keep(&self.root, &containers, &world)?;
        let due = |last| !node.still && now - last >= REFRESH;
        if self.refreshed.is_none_or(due) {
            self.refreshed = Some(now);
            system::write_moving(node, &world, &self.root)?;
            cgroup::write(node, &world, &containers, &self.root)?;
        }
        Ok(())
    }

    /// When something has to be written next; `None`: not before something happens.
    fn next(&self, node: &Node) -> Option<i64> {
        let now = node.clock.now();
        let change = node.world().next_change();
        let line = self.logs.next(now);
        let refresh = self
            .refreshed
            .filter(|_| !node.still)
            .map(|last| last + REFRESH);
        let next = [change, line, refresh].into_iter().flatten().min();
        next.map(|at| at.max(now + TOGETHER))
    }

    /// Makes the files of a container of a sparse host, when it is asked about.
    pub(super) fn ensure(&mut self, node: &Node, id: &Id) {
        let asked = self.asked.as_mut();
        if asked.is_some_and(|asked| asked.insert(Id::clone(id))) {
            // A full disk stops the files, not the server.
            let _ = self.keep(node);
        }
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
        tokio::select! {
            () = wait => {}
            () = node.changed.notified() => {}
        }
    }
}
