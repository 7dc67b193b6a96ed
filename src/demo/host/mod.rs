//! The simulated node's own files, under a private root: logs, cgroups, the kernel's log, the
//! kubelet's files, `/proc`. They agree with what the runtime tells.

mod cgroup;
mod cgroup1;
mod configs;
mod kernel;
mod kubelet;
mod logs;
mod system;

use std::collections::{HashMap, HashSet};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use super::node::Node;
use super::world::{Container, Id, World};
use logs::Logs;

const SECOND: i64 = 1_000_000_000;
/// How often moving numbers are written anew.
const REFRESH: i64 = 5 * SECOND;
/// Log lines that are due within this time are written together.
const TOGETHER: i64 = SECOND / 5;
/// The same of a node whose files are made for what is asked about: looking at thousands of
/// containers takes a while.
const SPARSE_TOGETHER: i64 = SECOND;
/// On such a node the moving numbers of each container take so much longer to come round.
const SPARSE_REFRESH: i64 = SECOND / 250;

/// The files of one simulated node.
#[derive(Debug)]
pub(super) struct Host {
    root: Root,
    logs: Logs,
    kernel: kernel::Log,
    kubelet: kubelet::Log,
    /// When the moving numbers were last written.
    refreshed: Option<i64>,
    /// Of how many containers.
    of: usize,
}

/// The folder that stands for `/`.
#[derive(Debug)]
struct Root {
    folder: PathBuf,
    /// The node goes away: there is no use in writing more.
    stop: Arc<AtomicBool>,
    /// What was written where, as hashes: what did not change is not written again.
    written: HashMap<String, u64>,
    /// What many files have in common, by hash: it lies beside the root, with a name in it for
    /// each of them.
    shared: HashSet<u64>,
}

impl Root {
    /// `path` of the node, inside the folder.
    fn at(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_start_matches('/'))
    }

    /// Whether `path` has been written.
    fn has(&self, path: &str) -> bool {
        self.written.contains_key(path)
    }

    /// Notes that `text` is to be at `path`: its hash, and whether there was another; `None` if
    /// it is there already.
    fn note(&mut self, path: &str, text: &str) -> io::Result<Option<(u64, bool)>> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let hash = xxh3_64(text.as_bytes());
        let before = match self.written.get_mut(path) {
            Some(before) => Some(std::mem::replace(before, hash)),
            None => self.written.insert(path.to_owned(), hash),
        };
        Ok((before != Some(hash)).then_some((hash, before.is_some())))
    }

    fn write(&mut self, path: &str, text: &str) -> io::Result<()> {
        if self.note(path, text)?.is_none() {
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

    /// Writes what many files say word for word: one file with many names, which is neither
    /// written nor stored more than once. A path that is shared once is never written.
    fn share(&mut self, path: &str, text: &str) -> io::Result<()> {
        let Some((hash, replaces)) = self.note(path, text)? else {
            return Ok(());
        };
        let (store, path) = (self.folder.with_file_name("shared"), self.at(path));
        if replaces {
            fs::remove_file(&path)?;
        }
        let one = store.join(format!("{hash:x}"));
        if self.shared.insert(hash) {
            fs::create_dir_all(&store)?;
            overwrite(&one, text)?;
        }
        let named = match fs::hard_link(&one, &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_parent(&path)?;
                fs::hard_link(&one, &path)
            }
            other => other,
        };
        // A file may have so many names and no more, or only one.
        named.or_else(|_| overwrite(&path, text))
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
    /// Files of `node` under `root`. What names the node is there at once, for whoever looks
    /// before the first of them is written; the others are not written yet.
    pub(super) fn new(node: &Node, root: &Path) -> io::Result<Self> {
        let mut root_files = Root {
            folder: root.to_owned(),
            stop: Arc::clone(&node.files.stop),
            written: HashMap::new(),
            shared: HashSet::new(),
        };
        system::write_name(node, &mut root_files)?;
        Ok(Self {
            root: root_files,
            logs: Logs::new(root.to_owned(), node.traits.logs),
            kernel: kernel::Log::new(node.story.boot, system::age(node)),
            kubelet: kubelet::Log::default(),
            refreshed: None,
            of: 0,
        })
    }

    /// Brings the files up to date. The node is not held up meanwhile.
    fn keep(&mut self, node: &Node) -> io::Result<()> {
        if let Some(world) = self.keep_quick(node)? {
            for (pod, containers) in cgroup::pods(&world) {
                cgroup::write(node, pod, &containers, &mut self.root)?;
            }
        }
        Ok(())
    }

    /// Brings all up to date but the cgroups: gives the world that they are to be those of, if
    /// they are due.
    fn keep_quick(&mut self, node: &Node) -> io::Result<Option<World>> {
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
        let every = refresh(node, containers.len());
        let due = |last| !node.story.still && now - last >= every;
        if !self.refreshed.is_none_or(due) {
            return Ok(None);
        }
        system::write_moving(node, &world, &mut self.root)?;
        self.refreshed = Some(now);
        self.of = containers.len();
        Ok(Some(world))
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
        for (pod, containers) in cgroup::pods(&world) {
            cgroup::write_containers(node, pod, &containers, &mut self.root)?;
            if !cgroup::is_written(pod, node, &self.root) {
                cgroup::write_pod(node, pod, &containers, &mut self.root)?;
            }
        }
        Ok(())
    }

    /// When something has to be written next; `None`: not before something happens.
    fn next(&self, node: &Node) -> Option<i64> {
        let now = node.clock.now();
        let change = node.world().next_change();
        let line = self.logs.next(now);
        let refreshed = self.refreshed.filter(|_| !node.story.still);
        let refresh = refreshed.map(|last| last + refresh(node, self.of));
        let next = [change, line, refresh].into_iter().flatten().min();
        let together = if node.story.sparse {
            SPARSE_TOGETHER
        } else {
            TOGETHER
        };
        next.map(|at| at.max(now + together))
    }

    /// Opens a log anew, as the kubelet asks for after it has renamed the file.
    pub(super) fn reopen(&mut self, id: &Id) -> io::Result<()> {
        self.logs.reopen(id)
    }
}

/// How often the moving numbers of so many containers are written.
fn refresh(node: &Node, containers: usize) -> i64 {
    if !node.story.sparse {
        return REFRESH;
    }
    REFRESH.max(i64::try_from(containers).unwrap_or(i64::MAX) * SPARSE_REFRESH)
}

/// Keeps the files up to date for as long as it is polled. Where nothing happens by itself it
/// sleeps until something is done to the node.
pub(super) async fn keep(node: Arc<Node>) {
    loop {
        // A full disk stops the files, not the server.
        let due = node.with_host(|host| host.keep_quick(&node));
        if let Some(Ok(Some(world))) = due {
            for (pod, containers) in cgroup::pods(&world) {
                // One pod at a time: calls that need a file made wait for no more than that.
                let _ =
                    node.with_host(|host| cgroup::write(&node, pod, &containers, &mut host.root));
                std::thread::yield_now();
            }
        }
        let next = node.with_host(|host| host.next(&node));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_changes_for_one_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut root = Root {
            folder: folder.path().join("host"),
            stop: Arc::default(),
            written: HashMap::new(),
            shared: HashSet::new(),
        };
        let read = |root: &Root, path: &str| fs::read_to_string(root.at(path)).expect("a file");
        for path in ["/a/limit", "/b/limit"] {
            root.share(path, "max\n").expect("it is written");
        }
        root.share("/a/limit", "16\n").expect("it is written");
        root.share("/c/limit", "max\n").expect("it is written");
        let found = ["/a/limit", "/b/limit", "/c/limit"].map(|path| read(&root, path));
        assert_eq!(found, ["16\n", "max\n", "max\n"]);
        let names = |path: &str| {
            let file = fs::metadata(root.at(path)).expect("a file");
            std::os::unix::fs::MetadataExt::nlink(&file)
        };
        assert_eq!((names("/a/limit"), names("/b/limit")), (2, 3));
    }
}
