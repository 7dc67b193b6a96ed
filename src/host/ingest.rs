//! How much of an image has come in: containerd writes what it downloads below its own folder
//! until a layer is whole.

use std::path::Path;
use std::time::Duration;

use super::open::HostRoot;
use crate::text::Text;

/// Below containerd's folder, beside those of its snapshots.
const INGEST: &str = "io.containerd.content.v1.content/ingest";
/// Longest wait for one file.
const DEADLINE: Duration = Duration::from_millis(500);
/// Downloads that are looked at.
const MOST: usize = 200;

/// Bytes of layers that are being downloaded, for a runtime that keeps images at `places`; `None`
/// where that cannot be seen.
pub fn coming(host: &HostRoot, places: &[Text]) -> Option<u64> {
    places.iter().find_map(|place| {
        let folder = Path::new(place.as_str()).parent()?.join(INGEST);
        let listing = host.list_dir(&folder, MOST, DEADLINE).ok()?;
        let sizes = listing.names.iter().filter_map(|name| {
            let file = host.open(&folder.join(name).join("data"), DEADLINE).ok()?;
            Some(file.metadata().ok()?.len())
        });
        Some(sizes.sum())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_is_added_up() {
        let folder = tempfile::tempdir().unwrap();
        let ingest = folder.path().join("var/lib/containerd").join(INGEST);
        for (name, size) in [("a", 10), ("b", 32)] {
            std::fs::create_dir_all(ingest.join(name)).unwrap();
            std::fs::write(ingest.join(name).join("data"), vec![0; size]).unwrap();
        }
        std::fs::create_dir_all(ingest.join("c")).unwrap();
        let host = HostRoot::new(folder.path()).unwrap();
        let at = |place: &str| coming(&host, &[Text::from(place)]);
        let snapshots = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs";
        assert_eq!(at(snapshots), Some(42));
        assert_eq!(at("/var/lib/containers/storage/overlay-images"), None);
    }
}
