//! Pods that are gone but for something that is still mounted in their folder.

use std::path::Path;
use std::time::Duration;

use super::open::HostRoot;
use crate::domain::IdSet;
use crate::text::Text;

/// Longest look.
const DEADLINE: Duration = Duration::from_secs(2);
/// Where the kubelet keeps pods.
const PODS: &str = "/var/lib/kubelet/pods/";
/// The node's mounts, which critui's own may not be.
const MOUNTS: &str = "/proc/1/mountinfo";
/// Largest table of mounts that is read.
const LARGEST: u64 = 16 << 20;
/// Mounts that are told.
const MOST: usize = 100;

/// Uid and mount of each pod that has something mounted but is not among `uids`.
pub(crate) fn look(host: &HostRoot, uids: IdSet<String>) -> Vec<(Text, Text)> {
    let looked = host.work(DEADLINE, move |files| {
        let bytes = files.read(Path::new(MOUNTS), LARGEST)?;
        Ok(of(&String::from_utf8_lossy(&bytes), &uids))
    });
    looked.unwrap_or_default()
}

fn of(table: &str, uids: &IdSet<String>) -> Vec<(Text, Text)> {
    let mounts = table.lines().filter_map(|line| line.split(' ').nth(4));
    let ghosts = mounts.filter_map(|mount| {
        let uid = mount.strip_prefix(PODS)?.split('/').next()?;
        (!uids.contains(uid)).then(|| (Text::clean(uid), Text::clean(mount)))
    });
    ghosts.take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_without_a_pod() {
        let table = "1 2 0:3 / /var/lib/kubelet/pods/a/volumes/x rw - tmpfs tmpfs rw\n\
                     1 2 0:3 / /var/lib/kubelet/pods/b/volumes/y rw - nfs4 s:/e rw\n\
                     1 2 0:3 / /var rw - ext4 /dev/sda rw\nshort\n";
        let found = of(table, &IdSet::from_iter(["a".to_owned()]));
        assert_eq!(
            found,
            [("b".into(), "/var/lib/kubelet/pods/b/volumes/y".into())]
        );
    }
}
