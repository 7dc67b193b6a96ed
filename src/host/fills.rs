//! What fills the node's disks: logs of pods, their emptyDirs, the journal, files that were
//! deleted and are still open. Measured when somebody asks, with the least claim on the disks.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::open::{HostRoot, OpenError, Resolver, WalkLimits};
use crate::stats::node::{Fill, Fills, What};
use crate::text::Text;

/// Longest measuring: what is found by then is told.
const LONGEST: Duration = Duration::from_secs(20);
/// Longest wait for a disk that does not answer at all.
const HUNG: Duration = Duration::from_secs(30);
/// Pods, volumes of a pod, or processes looked at.
const MOST: usize = 8192;
/// Descriptors looked at of a process.
const MOST_OPEN: usize = 4096;
/// Longest name of a process that is read.
const NAME: u64 = 64;
const LOGS: &str = "/var/log";
const POD_LOGS: &str = "/var/log/pods";
const KUBELET: &str = "/var/lib/kubelet";
const JOURNAL: &str = "/var/log/journal";
/// The least of what others get; the priority of I/O follows.
const NICE: i32 = 19;

/// Measures until it is through, `stop` is set or 20 s are over. Blocks. The error is a line for
/// the user.
pub fn measure(host: &HostRoot, stop: Arc<AtomicBool>) -> Result<Fills, Text> {
    let work = move |files: &Resolver| {
        // Of this thread alone, which does nothing else.
        let _ = rustix::process::nice(NICE);
        let until = Instant::now() + LONGEST;
        Ok(all(files, &WalkLimits { stop: &stop, until }))
    };
    let measured = host.work_alone(HUNG, work);
    measured.map_err(|error| Text::clean(&format!("the node's files: {error}")))
}

fn all(files: &Resolver, limits: &WalkLimits) -> Fills {
    let mut found = Found {
        files,
        limits,
        fills: Fills::default(),
    };
    found.pod_logs();
    found.add(What::Journal, Path::new(JOURNAL));
    found.empty_dirs();
    found.deleted();
    let mut told = found.fills;
    told.all.sort_by_key(|fill| std::cmp::Reverse(fill.bytes));
    told.partial |= limits.over();
    told
}

struct Found<'a> {
    files: &'a Resolver,
    limits: &'a WalkLimits<'a>,
    fills: Fills,
}

impl Found<'_> {
    fn add(&mut self, what: What, path: &Path) {
        match self.files.usage(path, self.limits) {
            Ok(usage) => {
                self.fills.partial |= usage.partial;
                if usage.bytes > 0 {
                    self.fills.all.push(Fill {
                        what,
                        bytes: usage.bytes,
                        files: usage.files,
                    });
                }
            }
            Err(OpenError::Missing) => {}
            Err(error) => self.unseen(path, &error),
        }
    }

    fn unseen(&mut self, path: &Path, error: &OpenError) {
        self.fills.partial = true;
        let line = format!("{} {error}", path.display());
        self.fills.unseen.get_or_insert(Text::clean(&line));
    }

    /// The names in a folder, which may not be there.
    fn names(&mut self, path: &Path) -> Vec<String> {
        if self.limits.over() {
            return vec![];
        }
        match self.files.list_dir(path, MOST) {
            Ok(listing) => {
                self.fills.partial |= !listing.complete;
                let names = listing.names.into_iter();
                // The kubelet's names and numbers of processes are ASCII.
                names.filter_map(|name| name.into_string().ok()).collect()
            }
            Err(OpenError::Missing) => vec![],
            Err(error) => {
                self.unseen(path, &error);
                vec![]
            }
        }
    }

    fn pod_logs(&mut self) {
        for name in self.names(Path::new(POD_LOGS)) {
            // NAMESPACE_NAME_UID, and no name has the separator in it.
            let mut parts = name.split('_');
            let (Some(namespace), Some(pod)) = (parts.next(), parts.next()) else {
                continue;
            };
            let pod = Text::clean(&format!("{namespace}/{pod}"));
            self.add(What::Logs(pod), &Path::new(POD_LOGS).join(&name));
        }
    }

    fn empty_dirs(&mut self) {
        let pods = Path::new(KUBELET).join("pods");
        for uid in self.names(&pods) {
            let volumes = pods.join(&uid).join("volumes/kubernetes.io~empty-dir");
            for volume in self.names(&volumes) {
                let what = What::EmptyDir(Text::clean(&uid), Text::clean(&volume));
                self.add(what, &volumes.join(&volume));
            }
        }
    }

    /// Files that hold space on a disk though they have no name; each for the first process that
    /// has it open.
    fn deleted(&mut self) {
        let disks = [LOGS, KUBELET, "/", "/var/lib"].map(|path| {
            let space = self.files.space(Path::new(path));
            space.ok().map(|space| space.device)
        });
        let mut seen = HashSet::new();
        let mut held: HashMap<u32, Fill> = HashMap::new();
        for name in self.names(Path::new("/proc")) {
            let Ok(pid) = name.parse::<u32>() else {
                continue;
            };
            // It may have ended since.
            let open = self.files.deleted_of(pid, MOST_OPEN).unwrap_or_default();
            for file in open {
                let on_disk = disks.contains(&Some(file.device));
                if on_disk && file.bytes > 0 && seen.insert((file.device, file.inode)) {
                    let fill = held.entry(pid).or_insert_with(|| Fill {
                        what: What::Deleted(self.name_of(pid), pid),
                        bytes: 0,
                        files: 0,
                    });
                    fill.bytes = fill.bytes.saturating_add(file.bytes);
                    fill.files += 1;
                }
            }
        }
        self.fills.all.extend(held.into_values());
    }

    fn name_of(&self, pid: u32) -> Text {
        let path = Path::new("/proc").join(pid.to_string()).join("comm");
        let name = self.files.read(&path, NAME).unwrap_or_default();
        Text::clean(String::from_utf8_lossy(&name).trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_the_largest_first() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, kib: usize| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, vec![1; kib << 10]).unwrap();
        };
        write("var/log/pods/shop_cart-1_uid-1/app/0.log", 64);
        write("var/log/pods/shop_cart-1_uid-1/app/1.log", 64);
        write("var/log/journal/machine/system.journal", 1024);
        let volumes = "var/lib/kubelet/pods/uid-1/volumes";
        write(&format!("{volumes}/kubernetes.io~empty-dir/tmp/big"), 512);
        write(&format!("{volumes}/kubernetes.io~configmap/c/x"), 2048);
        let host = HostRoot::new(root.path()).unwrap();
        let fills = measure(&host, Arc::default()).unwrap();
        let what: Vec<_> = fills
            .all
            .iter()
            .map(|fill| (&fill.what, fill.files))
            .collect();
        assert_eq!(
            what,
            [
                (&What::Journal, 1),
                (&What::EmptyDir("uid-1".into(), "tmp".into()), 1),
                (&What::Logs("shop/cart-1".into()), 2),
            ]
        );
        assert!(!fills.partial, "{fills:?}");
        let stopped = measure(&host, Arc::new(AtomicBool::new(true))).unwrap();
        assert!(stopped.partial);
    }
}
