//! Which file the kubelet makes a static pod from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_yaml::Value;

use super::open::HostRoot;

/// Where the kubelet's own configuration is.
const KUBELET: &str = "/var/lib/kubelet/config.yaml";
/// Folders that kubelets read which are configured elsewhere: kubeadm's, k3s', RKE2's.
const USUAL: [&str; 3] = [
    "/etc/kubernetes/manifests",
    "/var/lib/rancher/k3s/agent/pod-manifests",
    "/var/lib/rancher/rke2/agent/pod-manifests",
];
/// Longest wait for one file.
const DEADLINE: Duration = Duration::from_millis(500);
/// Files of a folder that are looked into.
const MOST: usize = 100;
/// Largest of them.
const LARGEST: u64 = 1 << 20;

/// The file that holds the pod of this name, if it is found. The kubelet adds the node's name to
/// what stands there.
pub fn of(host: &HostRoot, namespace: &str, pod: &str) -> Option<PathBuf> {
    let told = yaml(host, Path::new(KUBELET));
    let told = told.and_then(|config| config.get("staticPodPath")?.as_str().map(PathBuf::from));
    let folders = told.into_iter().chain(USUAL.into_iter().map(PathBuf::from));
    let files = folders.flat_map(|folder| {
        let listing = host.list_dir(&folder, MOST, DEADLINE);
        let names = listing.map(|listing| listing.names).unwrap_or_default();
        names.into_iter().map(move |name| folder.join(name))
    });
    let named = files.filter_map(|file| {
        let name = name_in(&yaml(host, &file)?, namespace)?;
        let rest = pod.strip_prefix(name.as_str())?;
        (rest.is_empty() || rest.starts_with('-')).then_some((name.len(), file))
    });
    // etcd-events is not etcd.
    let best = named.max_by_key(|(length, _)| *length);
    best.map(|(_, file)| file)
}

fn yaml(host: &HostRoot, file: &Path) -> Option<Value> {
    let bytes = host.read(file, LARGEST, DEADLINE).ok()?;
    serde_yaml::from_slice(&bytes).ok()
}

fn name_in(manifest: &Value, namespace: &str) -> Option<String> {
    if manifest.get("kind")?.as_str()? != "Pod" {
        return None;
    }
    let metadata = manifest.get("metadata")?;
    let said = metadata.get("namespace").and_then(Value::as_str);
    let name = metadata.get("name")?.as_str()?;
    (said.unwrap_or("default") == namespace && !name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("kube-system", "etcd-node-1", Some("/m/a.yaml"))]
    #[case("kube-system", "etcd-events-node-1", Some("/m/b.yaml"))]
    #[case("kube-system", "etcdx-node-1", None)]
    #[case("default", "etcd-node-1", None)]
    #[case("default", "web", Some("/m/c.yaml"))]
    fn files(#[case] namespace: &str, #[case] pod: &str, #[case] expected: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("var/lib/kubelet/config.yaml", "staticPodPath: /m\n");
        let pod_of =
            |name: &str| format!("kind: Pod\nmetadata: {{name: {name}, namespace: kube-system}}\n");
        write("m/a.yaml", &pod_of("etcd"));
        write("m/b.yaml", &pod_of("etcd-events"));
        write("m/c.yaml", "kind: Pod\nmetadata: {name: web}\n");
        write("m/d.yaml", "kind: [Pod\n");
        write("m/e.yaml", "kind: ConfigMap\nmetadata: {name: web}\n");
        let host = HostRoot::new(folder.path()).unwrap();
        let found = of(&host, namespace, pod);
        assert_eq!(found, expected.map(PathBuf::from));
    }
}
