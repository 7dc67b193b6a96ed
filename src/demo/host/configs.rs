//! What the kubelet puts into the volumes of pods from `ConfigMap`s and Secrets: a folder of the
//! time, a link `..data` to it, and a link for each key.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use super::super::world::Pod;
use super::{Root, SECOND};

/// Name of the folder that holds the keys.
const DATA: &str = "..2026_11_20_09_00_00.1";

/// Writes the volumes of `pod`.
pub(super) fn write(root: &mut Root, pod: &Pod) -> io::Result<()> {
    let all = [
        ("configmap", &pod.spec.config_maps),
        ("secret", &pod.spec.secrets),
    ];
    for (kind, volumes) in all {
        for (volume, keys) in volumes {
            let folder = format!(
                "/var/lib/kubelet/pods/{}/volumes/kubernetes.io~{kind}/{volume}",
                pod.uid
            );
            for (key, value) in keys {
                root.write(&format!("{folder}/{DATA}/{key}"), value)?;
            }
            link(&root.at(&folder), keys.keys(), pod.created)?;
        }
    }
    Ok(())
}

fn link<'a>(folder: &Path, keys: impl Iterator<Item = &'a String>, at: i64) -> io::Result<()> {
    if fs::symlink_metadata(folder.join("..data")).is_ok() {
        return Ok(());
    }
    symlink(DATA, folder.join("..data"))?;
    for key in keys {
        symlink(format!("..data/{key}"), folder.join(key))?;
    }
    let at = Timespec {
        tv_sec: at / SECOND,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: at,
        last_modification: at,
    };
    let data = folder.join("..data");
    Ok(utimensat(CWD, &data, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}
