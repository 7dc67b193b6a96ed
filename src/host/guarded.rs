//! What an audit looks at among the node's own files: who may read what, how the kubelet is set, the
//! kernel's security modules. Nothing here reads a secret.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kubelet::settings;
use super::open::{HostRoot, OpenError, Resolver};
use crate::audit::facts::{FileFact, HostFacts, Owned, Purpose, Seen};
use crate::audit::kubelet::{self, Key, Kubelet};
use crate::text::Text;

/// Longest look.
const DEADLINE: Duration = Duration::from_secs(5);
/// Names of a folder that are looked at.
const MOST: usize = 500;
/// Largest file that is read.
const LARGEST: u64 = 1 << 20;

/// Files that hold credentials or name them.
const KUBECONFIGS: [&str; 8] = [
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/super-admin.conf",
    "/etc/kubernetes/scheduler.conf",
    "/etc/kubernetes/controller-manager.conf",
    "/etc/kubernetes/kubelet.conf",
    "/var/lib/kubelet/kubeconfig",
    "/etc/rancher/k3s/k3s.yaml",
    "/etc/rancher/rke2/rke2.yaml",
];
const MANIFESTS: [&str; 2] = [
    "/etc/kubernetes/manifests",
    "/var/lib/rancher/rke2/agent/pod-manifests",
];
/// Folders with private keys (`*.key`).
const KEYS: [&str; 4] = [
    "/etc/kubernetes/pki",
    "/etc/kubernetes/pki/etcd",
    "/var/lib/rancher/rke2/server/tls",
    "/var/lib/rancher/k3s/server/tls",
];
/// The kubelet's own keys, with their certificates.
const KUBELET_KEYS: [&str; 2] = [
    "/var/lib/kubelet/pki/kubelet.key",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
];
const ETCD: [&str; 2] = ["/var/lib/etcd", "/var/lib/rancher/rke2/server/db/etcd"];

/// Looks at all of it; `socket` is the runtime's.
pub fn look(host: &HostRoot, socket: &Path) -> HostFacts {
    let socket = socket.to_owned();
    let looked = host.work(DEADLINE, move |files| Ok(facts(files, &socket)));
    looked.unwrap_or_else(|error| HostFacts {
        files: vec![],
        kubelet: Some(Err(Text::clean(&format!("the node's files: {error}")))),
    })
}

/// The security modules of the kernel that are on: those that containers are held by.
pub fn modules(host: &HostRoot) -> Seen<Vec<Text>> {
    let looked = host.work(DEADLINE, |files| Ok(security_modules(files)));
    let looked = looked.unwrap_or_else(|error| Err(Text::clean(&error.to_string())));
    looked.map_err(|why| Text::clean(&format!("which security modules are on: {why}")))
}

fn facts(files: &Resolver, socket: &Path) -> HostFacts {
    let mut paths: Vec<(PathBuf, Purpose)> = vec![(socket.to_owned(), Purpose::Socket)];
    let named = |list: &[&str], purpose: Purpose| -> Vec<(PathBuf, Purpose)> {
        list.iter().map(|path| (path.into(), purpose)).collect()
    };
    paths.extend(named(&KUBECONFIGS, Purpose::Kubeconfig));
    paths.extend(named(&settings::CONFIGS, Purpose::KubeletConfig));
    paths.extend(named(&KUBELET_KEYS, Purpose::Key));
    paths.extend(named(&ETCD, Purpose::Etcd));
    let kubelet = settings::look(files);
    let mut folders: Vec<String> = MANIFESTS.iter().map(|path| (*path).to_owned()).collect();
    if let Some(Ok(kubelet)) = &kubelet {
        paths.extend(named_by(kubelet));
        folders.extend(absolute(kubelet, &kubelet::MANIFESTS));
    }
    let mut found = Vec::new();
    for folder in KEYS {
        paths.extend(inside(files, folder, Purpose::Key, &mut found));
    }
    for folder in &folders {
        paths.extend(inside(files, folder, Purpose::Manifest, &mut found));
    }
    found.extend(
        paths
            .into_iter()
            .filter_map(|(path, purpose)| fact(files, &path, purpose)),
    );
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup_by(|a, b| a.path == b.path);
    HostFacts {
        files: found,
        kubelet,
    }
}

/// Files that the kubelet itself names.
fn named_by(kubelet: &Kubelet) -> Vec<(PathBuf, Purpose)> {
    let one = |key, purpose| absolute(kubelet, key).map(|path| (path.into(), purpose));
    let keys = [
        one(&kubelet::KUBECONFIG, Purpose::Kubeconfig),
        one(&kubelet::PRIVATE_KEY, Purpose::Key),
    ];
    let config = kubelet.files.iter();
    let config = config.map(|path| (path.as_str().into(), Purpose::KubeletConfig));
    keys.into_iter().flatten().chain(config).collect()
}

fn absolute(kubelet: &Kubelet, key: &Key) -> Option<String> {
    let path = kubelet.setting(key).value;
    let path = path.as_str().trim_end_matches('/');
    path.starts_with('/').then(|| path.to_owned())
}

/// The files in a folder that matter. One that cannot be listed is told as such.
fn inside(
    files: &Resolver,
    folder: &str,
    purpose: Purpose,
    unseen: &mut Vec<FileFact>,
) -> Vec<(PathBuf, Purpose)> {
    let names = match files.list_dir(Path::new(folder), MOST) {
        Ok(listing) => listing.names,
        Err(OpenError::Missing) => return vec![],
        Err(error) => {
            unseen.push(FileFact {
                path: folder.into(),
                purpose,
                stat: Err(Text::clean(&error.to_string())),
            });
            return vec![];
        }
    };
    let matters = |name: &&std::ffi::OsString| {
        let path = Path::new(name);
        let hidden = name.to_string_lossy().starts_with('.');
        match purpose {
            Purpose::Key => path.extension().is_some_and(|end| end == "key"),
            _ => !hidden,
        }
    };
    let names = names.iter().filter(matters);
    names
        .map(|name| (Path::new(folder).join(name), purpose))
        .collect()
}

/// `None` if it is not there.
fn fact(files: &Resolver, path: &Path, purpose: Purpose) -> Option<FileFact> {
    let stat = match files.stat(path) {
        Err(OpenError::Missing) => return None,
        Err(error) => Err(Text::clean(&error.to_string())),
        Ok(stat) => Ok(Owned {
            uid: stat.uid,
            gid: stat.gid,
            mode: stat.mode,
        }),
    };
    Some(FileFact {
        path: Text::clean(&path.to_string_lossy()),
        purpose,
        stat,
    })
}

/// The kernel's list, or what else shows whether one is on where that cannot be seen.
fn security_modules(files: &Resolver) -> Seen<Vec<Text>> {
    let list = Path::new("/sys/kernel/security/lsm");
    if let Ok(bytes) = files.read(list, LARGEST) {
        let names = String::from_utf8_lossy(&bytes).trim().to_owned();
        return Ok(names.split(',').map(Text::clean).collect());
    }
    let folder = files.list_dir(Path::new("/sys/module"), 1);
    if let Err(error) = folder {
        return Err(Text::clean(&format!("/sys/module {error}")));
    }
    let mut on = Vec::new();
    let enabled = files.read(Path::new("/sys/module/apparmor/parameters/enabled"), 64);
    match enabled {
        Ok(word) if word.starts_with(b"Y") => on.push("apparmor".into()),
        Ok(_) | Err(OpenError::Missing) => {}
        Err(error) => return Err(Text::clean(&format!("/sys/module/apparmor {error}"))),
    }
    match files.stat(Path::new("/sys/fs/selinux/enforce")) {
        Ok(_) => on.push("selinux".into()),
        Err(OpenError::Missing) => {}
        Err(error) => return Err(Text::clean(&format!("/sys/fs/selinux {error}"))),
    }
    Ok(on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    fn root(files: &[(&str, &str, u32)]) -> (tempfile::TempDir, HostRoot) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text, mode) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        let host = HostRoot::new(folder.path()).unwrap();
        (folder, host)
    }

    #[test]
    fn modes_of_what_is_there() {
        let (_folder, host) = root(&[
            ("etc/kubernetes/pki/ca.key", "x", 0o644),
            ("etc/kubernetes/pki/ca.crt", "x", 0o644),
            ("etc/kubernetes/admin.conf", "x", 0o600),
            ("etc/kubernetes/manifests/etcd.yaml", "x", 0o640),
            ("etc/kubernetes/manifests/.etcd.swp", "x", 0o640),
        ]);
        let facts = look(&host, Path::new("/run/none.sock"));
        let told: Vec<(&str, Purpose, u32)> = facts
            .files
            .iter()
            .map(|file| {
                let mode = file.stat.as_ref().unwrap().mode;
                (file.path.as_str(), file.purpose, mode)
            })
            .collect();
        assert_eq!(
            told,
            [
                ("/etc/kubernetes/admin.conf", Purpose::Kubeconfig, 0o600),
                (
                    "/etc/kubernetes/manifests/etcd.yaml",
                    Purpose::Manifest,
                    0o640
                ),
                ("/etc/kubernetes/pki/ca.key", Purpose::Key, 0o644),
            ]
        );
        assert_eq!(facts.kubelet, None);
    }

    #[test]
    fn security_modules_are_found_or_unknown() {
        let (_folder, host) = root(&[("sys/kernel/security/lsm", "capability,apparmor\n", 0o444)]);
        assert_eq!(modules(&host).unwrap(), ["capability", "apparmor"]);
        let (_folder, host) = root(&[("sys/module/apparmor/parameters/enabled", "Y\n", 0o444)]);
        assert_eq!(modules(&host).unwrap(), ["apparmor"]);
        let (_folder, host) = root(&[("sys/module/x/y", "", 0o444)]);
        assert!(modules(&host).unwrap().is_empty());
        let (_folder, host) = root(&[]);
        assert!(modules(&host).is_err());
    }
}
