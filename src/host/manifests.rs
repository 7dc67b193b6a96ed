//! Manifests of static pods.

use std::path::Path;
use std::time::Duration;

use serde_yaml::Value;

use super::open::{HostRoot, Resolver};
use crate::text::Text;
use crate::triage::facts::{Manifest, Seen};

/// Longest look.
const DEADLINE: Duration = Duration::from_secs(2);
/// Where kubeadm and rke2 put them.
const FOLDERS: [&str; 2] = [
    "/etc/kubernetes/manifests",
    "/var/lib/rancher/rke2/agent/pod-manifests",
];
/// Manifests that are read, and the largest of them.
const MOST: usize = 100;
const LARGEST: u64 = 1 << 20;

/// Reads them; whether their pods run is not known here. The error is a line for the user.
pub fn read(host: &HostRoot) -> Seen<Vec<Manifest>> {
    let looked = host.work(DEADLINE, |files| Ok(look(files)));
    looked.map_err(|error| Text::clean(&format!("{} {error}", FOLDERS[0])))
}

fn look(files: &Resolver) -> Vec<Manifest> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        let Ok(listing) = files.list_dir(Path::new(folder), MOST) else {
            continue;
        };
        let names = listing.names.iter().filter_map(|name| name.to_str());
        // The kubelet leaves out what is hidden.
        for name in names.filter(|name| !name.starts_with('.')) {
            let path = Path::new(folder).join(name);
            let Ok(bytes) = files.read(&path, LARGEST) else {
                continue;
            };
            found.push(Manifest {
                pod: pod(&bytes),
                running: false,
                sandbox: false,
                changed_at: files.modified(&path).ok(),
                path: Text::clean(&path.to_string_lossy()),
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn pod(bytes: &[u8]) -> Option<Text> {
    let value: Value = serde_yaml::from_slice(bytes).ok()?;
    let is_pod = value.get("kind").and_then(Value::as_str) == Some("Pod");
    let name = value.get("metadata")?.get("name")?.as_str()?;
    is_pod.then(|| Text::clean(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_pods() {
        assert_eq!(
            pod(b"kind: Pod\nmetadata: {name: etcd}\n"),
            Some("etcd".into())
        );
        assert_eq!(pod(b"kind: Deployment\nmetadata: {name: x}\n"), None);
        assert_eq!(pod(b"kind: Pod\n"), None);
        assert_eq!(pod(b"a: ["), None);
    }

    #[test]
    fn hidden_files_are_no_manifests() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("etc/kubernetes/manifests");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(".etcd.yaml.swp"), "x").unwrap();
        std::fs::write(
            folder.join("etcd.yaml"),
            "kind: Pod\nmetadata: {name: etcd}\n",
        )
        .unwrap();
        let found = read(&HostRoot::new(root.path()).unwrap()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "/etc/kubernetes/manifests/etcd.yaml");
        assert_eq!(found[0].pod, Some("etcd".into()));
    }
}
