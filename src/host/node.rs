//! How the node itself fares, as its own files tell.

use std::path::Path;
use std::time::Duration;

use serde_yaml::Value;

use super::cgroup::pressure;
use super::open::{HostRoot, Resolver};
use crate::stats::node::{Disk, ImageGc, Least, NodeFiles, Threshold, listening, memory, ticks};
use crate::text::Text;

/// Longest look.
const DEADLINE: Duration = Duration::from_secs(2);
/// Largest file that is read.
const LARGEST: u64 = 1 << 20;
/// The kubelet's configuration, where kubeadm puts it.
const KUBELET: &str = "/var/lib/kubelet/config.yaml";
/// Where the kubelet evicts when nobody says anything else.
const DEFAULTS: [(&str, &str); 4] = [
    ("memory.available", "100Mi"),
    ("nodefs.available", "10%"),
    ("nodefs.inodesFree", "5%"),
    ("imagefs.available", "15%"),
];
/// What lies where, beside the images.
const PLACES: [(&str, &str); 3] = [
    ("kubelet", "/var/lib/kubelet"),
    ("logs", "/var/log"),
    ("root", "/"),
];

/// Looks at the node; images lie at `images`, as the runtime says. The error is a line for the
/// user.
pub fn look(host: &HostRoot, images: Vec<Text>) -> Result<NodeFiles, Text> {
    let looked = host.work(DEADLINE, move |files| Ok(look_at(files, &images)));
    looked.map_err(|error| Text::clean(&format!("the node's files: {error}")))
}

fn look_at(files: &Resolver, images: &[Text]) -> NodeFiles {
    let read = |path: &str| {
        let bytes = files.read(Path::new(path), LARGEST).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (ticks, cores) = read("/proc/stat").map_or((None, 0), |text| ticks(&text));
    let load = read("/proc/loadavg").map(|text| {
        let averages: Vec<&str> = text.split_whitespace().take(3).collect();
        Text::clean(&averages.join(" "))
    });
    let uptime = read("/proc/uptime").and_then(|text| text.split('.').next()?.parse().ok());
    let (thresholds, image_gc, no_thresholds) = match configuration(files) {
        Ok(config) => (thresholds(&config), Some(image_gc(&config)), None),
        Err(why) => (vec![], None, Some(why)),
    };
    // Process 1 has the node's network, which critui's own may not be.
    let tables = ["/proc/1/net/tcp", "/proc/1/net/tcp6"];
    let ports = tables.iter().filter_map(|path| read(path));
    NodeFiles {
        ticks,
        cores,
        memory: read("/proc/meminfo").and_then(|text| memory(&text)),
        load,
        uptime,
        pressure: ["cpu", "memory", "io"]
            .map(|what| read(&format!("/proc/pressure/{what}")).and_then(|text| pressure(&text))),
        disks: disks(files, images),
        thresholds,
        no_thresholds,
        image_gc,
        ports: ports.flat_map(|table| listening(&table)).collect(),
    }
}

/// The file systems that matter, each once.
fn disks(files: &Resolver, images: &[Text]) -> Vec<Disk> {
    let images = images.iter().map(|path| ("images", path.as_str()));
    let mut disks: Vec<(u64, Disk)> = Vec::new();
    for (what, path) in images.chain(PLACES) {
        let Ok(space) = files.space(Path::new(path)) else {
            continue;
        };
        let place = disks.iter().position(|(device, _)| *device == space.device);
        let place = place.unwrap_or_else(|| {
            let disk = Disk {
                size: space.size,
                available: space.available,
                inodes: space.inodes,
                inodes_free: space.inodes_free,
                ..Disk::default()
            };
            disks.push((space.device, disk));
            disks.len() - 1
        });
        let disk = &mut disks[place].1;
        if !disk.holds.contains(&what) {
            disk.holds.push(what);
        }
        disk.paths.push(Text::clean(path));
    }
    disks.into_iter().map(|(_, disk)| disk).collect()
}

/// The kubelet's configuration.
fn configuration(files: &Resolver) -> Result<Value, Text> {
    let bytes = files
        .read(Path::new(KUBELET), LARGEST)
        .map_err(|error| Text::clean(&format!("{KUBELET} {error}")))?;
    serde_yaml::from_slice(&bytes).map_err(|error| Text::clean(&format!("{KUBELET}: {error}")))
}

/// When it removes images.
fn image_gc(config: &Value) -> ImageGc {
    let percent = |name: &str| config.get(name).and_then(Value::as_u64);
    let default = ImageGc::default();
    ImageGc {
        high: percent("imageGCHighThresholdPercent").unwrap_or(default.high),
        low: percent("imageGCLowThresholdPercent").unwrap_or(default.low),
    }
}

/// Where the kubelet evicts: what its configuration says, else what it has built in.
fn thresholds(config: &Value) -> Vec<Threshold> {
    let set = config.get("evictionHard").and_then(Value::as_mapping);
    let threshold = |signal: &str, value: &str, default| {
        Some(Threshold {
            signal: Text::clean(signal),
            least: Least::parse(value)?,
            default,
        })
    };
    // Setting one replaces all that are built in.
    let Some(set) = set else {
        let all = DEFAULTS
            .iter()
            .filter_map(|(signal, value)| threshold(signal, value, true));
        return all.collect();
    };
    let all = set
        .iter()
        .filter_map(|(signal, value)| threshold(signal.as_str()?, value.as_str()?, false));
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::with;
    use super::*;

    #[test]
    fn everything_is_there() {
        let (_root, host) = with(&[
            ("proc/stat", "cpu 1 1 1 1 1 1 1 1\ncpu0 1\n"),
            ("proc/meminfo", "MemTotal: 10 kB\nMemAvailable: 5 kB\n"),
            ("proc/loadavg", "0.50 0.40 0.30 1/2 3\n"),
            ("proc/uptime", "123.45 6.7\n"),
            (
                "proc/pressure/cpu",
                "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\n",
            ),
            (
                "proc/1/net/tcp",
                "head\n 0: 0100007F:192B 00000000:0000 0A 0\n",
            ),
            ("var/log/x", ""),
            (
                "var/lib/kubelet/config.yaml",
                "evictionHard: {memory.available: 200Mi, odd: x}\nimageGCHighThresholdPercent: 70\n",
            ),
        ]);
        let found = look(&host, vec!["/var/log".into(), "/missing".into()]).unwrap();
        assert_eq!((found.cores, found.uptime), (1, Some(123)));
        assert_eq!(found.load.unwrap(), "0.50 0.40 0.30");
        assert_eq!(found.pressure[0].unwrap().some, 150);
        assert_eq!(found.ports, [6443]);
        // One file system, whatever lies on it.
        assert_eq!(found.disks.len(), 1);
        assert_eq!(found.disks[0].holds, ["images", "kubelet", "logs", "root"]);
        let expected = Threshold {
            signal: "memory.available".into(),
            least: Least::Count(200 << 20),
            default: false,
        };
        assert_eq!(found.thresholds, [expected]);
        assert_eq!(found.image_gc, Some(ImageGc { high: 70, low: 80 }));
    }

    #[test]
    fn nothing_is_there() {
        let (_root, host) = with(&[]);
        let found = look(&host, vec![]).unwrap();
        assert_eq!((found.ticks, found.memory, found.load), (None, None, None));
        assert_eq!(found.disks.len(), 1);
        let why = found.no_thresholds.unwrap();
        assert_eq!(why, "/var/lib/kubelet/config.yaml does not exist");
    }

    #[test]
    fn what_the_kubelet_has_built_in() {
        let (_root, host) = with(&[(
            "var/lib/kubelet/config.yaml",
            "kind: KubeletConfiguration\n",
        )]);
        let found = look(&host, vec![]).unwrap().thresholds;
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|threshold| threshold.default));
    }

    #[test]
    fn a_broken_configuration_is_told() {
        let (_root, host) = with(&[("var/lib/kubelet/config.yaml", "a: [\n")]);
        let why = look(&host, vec![]).unwrap().no_thresholds.unwrap();
        assert!(
            why.as_str().starts_with("/var/lib/kubelet/config.yaml: "),
            "{why}"
        );
    }
}
