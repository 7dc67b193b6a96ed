//! File notifications that say that something has changed: a list two seconds early. They are
//! hints only. Where they fail, polling alone finds everything.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use inotify::{Inotify, WatchMask};
use tokio::sync::Notify;
use tokio_stream::StreamExt;

use super::target::Target;

/// Folders that gain and lose entries with pods and containers.
const FOLDERS: &[&str] = &[
    // The kubelet: one folder a pod.
    "/var/log/pods",
    // containerd: one folder for each running task, one for each sandbox.
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io",
    "/run/containerd/io.containerd.grpc.v1.cri/sandboxes",
    // CRI-O: one folder a container, one file for each that has exited.
    "/run/containers/storage/overlay-containers",
    "/run/crio/exits",
];

/// containerd's state lies beside its socket, also where k3s or a test puts it.
const BESIDE_SOCKET: &[&str] = &[
    "io.containerd.runtime.v2.task/k8s.io",
    "io.containerd.grpc.v1.cri/sandboxes",
];

/// When to begin: the first lists are under way, and there is nothing they could miss yet.
const AFTER: Duration = Duration::from_millis(300);

/// Pokes `hint` whenever something appears or goes; never ends.
pub(super) async fn follow(target: &Target, hint: &Notify) -> Infallible {
    tokio::time::sleep(AFTER).await;
    let folders = folders(target.runtime.path());
    let folders = folders.iter().map(|path| target.host.outside(path));
    let folders: Vec<_> = folders.collect();
    // Looking for the folders may block on a file system that hangs.
    let watching = tokio::task::spawn_blocking(move || watch(&folders)).await;
    if let Ok(Some(inotify)) = watching
        && let Ok(mut events) = inotify.into_event_stream([0; 1024])
    {
        while let Some(Ok(_)) = events.next().await {
            hint.notify_one();
        }
    }
    std::future::pending().await
}

fn folders(socket: &Path) -> Vec<PathBuf> {
    let beside = socket.parent().into_iter().flat_map(|parent| {
        let folder = |name: &&str| parent.join(name);
        BESIDE_SOCKET.iter().map(folder)
    });
    let mut folders: Vec<_> = FOLDERS.iter().map(PathBuf::from).chain(beside).collect();
    folders.sort();
    folders.dedup();
    folders
}

/// Watches those of `folders` that exist; `None` if there are none.
fn watch(folders: &[PathBuf]) -> Option<Inotify> {
    let inotify = Inotify::init().ok()?;
    let mask = WatchMask::CREATE | WatchMask::DELETE | WatchMask::MOVE | WatchMask::ONLYDIR;
    let mut watches = inotify.watches();
    let added = folders
        .iter()
        .filter(|path| watches.add(path, mask).is_ok());
    (added.count() > 0).then_some(inotify)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cri::{SocketPath, Target};
    use crate::host::open::HostRoot;

    #[test]
    fn the_state_beside_the_socket_is_watched_once() {
        let k3s = folders(Path::new("/run/k3s/containerd/containerd.sock"));
        let task = "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io";
        assert!(k3s.contains(&PathBuf::from(task)));
        let standard = folders(Path::new("/run/containerd/containerd.sock"));
        assert_eq!(standard.len(), FOLDERS.len());
    }

    #[tokio::test]
    async fn a_new_pod_folder_is_a_hint() {
        let root = tempfile::tempdir().unwrap();
        let logs = root.path().join("var/log/pods");
        std::fs::create_dir_all(&logs).unwrap();
        let socket = SocketPath::new("/run/containerd/containerd.sock");
        let target = Target {
            runtime: socket.clone(),
            image: socket,
            host: HostRoot::new(root.path()).unwrap(),
        };
        let hint = Notify::new();
        let heard = async {
            // The watch may not stand yet when the first folder is made.
            for n in 0_u32.. {
                std::fs::create_dir(logs.join(n.to_string())).unwrap();
                let soon = std::time::Duration::from_millis(20);
                if tokio::time::timeout(soon, hint.notified()).await.is_ok() {
                    return;
                }
            }
        };
        let within = std::time::Duration::from_secs(20);
        tokio::select! {
            never = follow(&target, &hint) => match never {},
            heard = tokio::time::timeout(within, heard) => heard.unwrap(),
        }
    }
}
