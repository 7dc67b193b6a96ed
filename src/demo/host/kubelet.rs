//! The kubelet's log: images that cannot be pulled, containers that are to end, restarts that wait.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};

use jiff::Timestamp;

use super::super::world::{Container, Id, Pod, World};
use super::{Root, SECOND, make_parent};

/// Where it writes.
const PATH: &str = "/var/log/kubelet.log";
/// How often it has tried to pull before the story begins, and the time between.
const TRIES: i64 = 3;
const BETWEEN: i64 = 150 * SECOND;

/// What has been logged so far.
#[derive(Debug, Default)]
pub(super) struct Log {
    told: BTreeSet<Id>,
}

impl Log {
    /// Writes what happened before the story begins.
    pub(super) fn begin(root: &Root, world: &World, now: i64) -> io::Result<()> {
        let mut lines = vec![(now - 600 * SECOND, started())];
        for pod in world.pods.values() {
            lines.extend(pulls(pod, now));
            lines.extend(endings(pod, world, now));
        }
        lines.sort_by_key(|line| line.0);
        append(root, &lines)
    }

    /// Writes of what has ended since the last time that it is started again later.
    pub(super) fn keep(
        &mut self,
        root: &Root,
        containers: &[&Container],
        world: &World,
    ) -> io::Result<()> {
        let mut lines = Vec::new();
        for container in containers {
            let Some(end) = container.ended().filter(|_| container.attempt > 0) else {
                continue;
            };
            if !self.told.insert(Id::clone(&container.id)) {
                continue;
            }
            if let Some(pod) = world.pods.get(&container.pod) {
                lines.push((end.at + SECOND / 2, back_off(container, pod)));
            }
        }
        self.told.retain(|id| world.containers.contains_key(id));
        lines.sort_by_key(|line| line.0);
        append(root, &lines)
    }
}

fn append(root: &Root, lines: &[(i64, String)]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for (at, line) in lines {
        let when = Timestamp::from_nanosecond(i128::from(*at)).unwrap_or_default();
        // Writing to a String cannot fail.
        let (level, rest) = line.split_at(1);
        let klog = when.strftime("%m%d %H:%M:%S%.6f");
        let _ = writeln!(text, "{when:.6} worker kubelet[812]: {level}{klog} {rest}");
    }
    let path = root.at(PATH);
    make_parent(&path)?;
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn started() -> String {
    "I 812 kubelet.go:2344] \"Starting kubelet main sync loop\"".to_owned()
}

fn of_pod(pod: &Pod) -> String {
    let spec = &pod.spec;
    format!(
        "pod=\"{}/{}\" podUID=\"{}\"",
        spec.namespace, spec.name, pod.uid
    )
}

fn pulls(pod: &Pod, now: i64) -> Vec<(i64, String)> {
    let Some(image) = &pod.spec.waits_for else {
        return vec![];
    };
    let name = pod.spec.labels.get("app").map_or("app", String::as_str);
    let failed = format!(
        "E 812 pod_workers.go:1324] \"Error syncing pod, skipping\" err=\"failed to \\\"StartContainer\\\" for \\\"{name}\\\" with ErrImagePull: \\\"rpc error: code = NotFound desc = failed to pull and unpack image \\\\\\\"{image}\\\\\\\": failed to resolve reference \\\\\\\"{image}\\\\\\\": {image}: not found\\\"\" {}",
        of_pod(pod)
    );
    let times = (0..TRIES).map(|nth| now - nth * BETWEEN - 20 * SECOND);
    times
        .filter(|at| *at > pod.created)
        .map(|at| (at, failed.clone()))
        .collect()
}

fn endings(pod: &Pod, world: &World, now: i64) -> Vec<(i64, String)> {
    let Some(grace) = pod.spec.deleting else {
        return vec![];
    };
    let own = world.containers.values().filter(|one| one.pod == pod.id);
    let line = |one: &Container| {
        let (name, id, grace) = (&one.spec.name, &one.id, grace.0 / SECOND);
        format!(
            "I 812 kuberuntime_container.go:864] \"Killing container with a grace period\" {} containerName=\"{name}\" containerID=\"containerd://{id}\" gracePeriod={grace}",
            of_pod(pod)
        )
    };
    own.filter(|one| one.ended().is_none())
        .map(|one| (now - 11 * 60 * SECOND, line(one)))
        .collect()
}

fn back_off(container: &Container, pod: &Pod) -> String {
    let name = &container.spec.name;
    format!(
        "E 812 pod_workers.go:1324] \"Error syncing pod, skipping\" err=\"failed to \\\"StartContainer\\\" for \\\"{name}\\\" with CrashLoopBackOff: \\\"back-off restarting failed container={name} pod={}_{}({})\\\"\" {}",
        pod.spec.name,
        pod.spec.namespace,
        pod.uid,
        of_pod(pod)
    )
}
