//! What is mounted into simulated containers.

use super::world::{Container, Pod};

/// Path in the container and on the host of what the kubelet mounts into every container.
pub(super) fn kubelet_mounts(container: &Container, pod: &Pod) -> Vec<(String, String)> {
    let base = format!("/var/lib/kubelet/pods/{}", pod.uid);
    let name = &container.spec.name;
    vec![
        ("/etc/hosts".into(), format!("{base}/etc-hosts")),
        (
            "/dev/termination-log".into(),
            format!("{base}/containers/{name}/{}", &container.id[..8]),
        ),
    ]
}

/// Path in the container and on the host of what a pod asks for, and whether it is read-only.
pub(super) fn host_mounts(container: &Container) -> impl Iterator<Item = (String, String, bool)> {
    container.spec.host_paths.iter().filter_map(|asked| {
        let (outside, inside) = asked.split_once(':')?;
        let read_only = inside.strip_suffix(":ro");
        let path = read_only.unwrap_or(inside);
        Some((path.to_owned(), outside.to_owned(), read_only.is_some()))
    })
}
