//! The worst pressure on the node, for one word in the header: memory, disk, CPU.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::host::open::{HostRoot, Resolver};
use crate::text::Text;

const DEADLINE: Duration = Duration::from_secs(2);
/// A file of /proc longer than this is not one that we know.
const LIMIT: u64 = 64 * 1024;
/// From here on memory and disks are worth a word. The kubelet's own thresholds lie above.
const FULL_PERCENT: u64 = 85;
/// From here on tasks waiting for a CPU are worth a word, in percent of the last minute.
const WAITING_PERCENT: u64 = 30;
/// Shown in steps, so that an idle screen does not flicker between two numbers.
const STEP: u64 = 5;
/// Where full disks hurt: images, pods' volumes, logs.
const DISKS: [&str; 5] = [
    "/var/lib/kubelet",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/log",
    "/",
];

/// Measures the pressure below one root.
#[derive(Clone, Debug)]
pub struct Gauge {
    host: HostRoot,
}

impl Gauge {
    /// A gauge for the node whose files are below `host`.
    pub fn new(host: HostRoot) -> Self {
        Self { host }
    }

    /// Where the node's files are.
    pub fn host(&self) -> &HostRoot {
        &self.host
    }

    /// The worst pressure in words (`memory 95%`), `None` when there is none worth a word or
    /// nothing can be measured.
    pub async fn worst(&self) -> Option<Text> {
        let host = self.host.clone();
        let look = move || {
            host.work(DEADLINE, |resolver| Ok(worst(resolver)))
                .ok()
                .flatten()
        };
        tokio::task::spawn_blocking(look).await.ok().flatten()
    }
}

fn worst(resolver: &Resolver) -> Option<Text> {
    let read = |path: &str| {
        let bytes = resolver.read(Path::new(path), LIMIT).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let memory = read("/proc/meminfo").and_then(|text| memory_percent(&text));
    let cpu = read("/proc/pressure/cpu").and_then(|text| waiting_percent(&text));
    let disk = DISKS
        .iter()
        .filter_map(|path| Some((resolver.used_percent(&PathBuf::from(path)).ok()?, path)))
        .max_by_key(|(percent, _)| *percent);
    let full = [
        memory.map(|percent| (percent, "memory".to_owned())),
        disk.map(|(percent, path)| (percent, format!("disk {path}"))),
    ];
    let full = full
        .into_iter()
        .flatten()
        .filter(|(percent, _)| *percent >= FULL_PERCENT);
    if let Some((percent, what)) = full.max_by_key(|(percent, _)| *percent) {
        return Some(Text::clean(&format!(
            "{what} {}% full",
            percent / STEP * STEP
        )));
    }
    let cpu = cpu.filter(|percent| *percent >= WAITING_PERCENT)?;
    Some(Text::clean(&format!(
        "CPU: tasks wait {}% of the time",
        cpu / STEP * STEP
    )))
}

/// Memory that is not available for new work, in percent.
fn memory_percent(meminfo: &str) -> Option<u64> {
    let value = |name: &str| -> Option<u64> {
        let line = meminfo
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    };
    let total = value("MemTotal").filter(|total| *total > 0)?;
    let available = value("MemAvailable")?;
    Some(total.saturating_sub(available).saturating_mul(100) / total)
}

/// Share of the last minute in which some task waited for a CPU.
fn waiting_percent(psi: &str) -> Option<u64> {
    let some = psi.lines().find_map(|line| line.strip_prefix("some "))?;
    let average = some
        .split(' ')
        .find_map(|field| field.strip_prefix("avg60="))?;
    average.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 50 kB\n", Some(95))]
    #[case("MemTotal: 0 kB\nMemAvailable: 50 kB\n", None)]
    #[case("MemTotal: many\n", None)]
    #[case("", None)]
    fn memory(#[case] meminfo: &str, #[case] percent: Option<u64>) {
        assert_eq!(memory_percent(meminfo), percent);
    }

    #[rstest]
    #[case(
        "some avg10=1.00 avg60=42.51 avg300=3.00 total=1\nfull avg10=0 avg60=0\n",
        Some(42)
    )]
    #[case("full avg10=0.00 avg60=9.00\n", None)]
    #[case("garbage", None)]
    fn waiting(#[case] psi: &str, #[case] percent: Option<u64>) {
        assert_eq!(waiting_percent(psi), percent);
    }

    #[tokio::test]
    async fn a_full_memory_is_named_and_an_empty_root_is_not() {
        let root = tempfile::tempdir().unwrap();
        let gauge = Gauge::new(HostRoot::new(root.path()).unwrap());
        std::fs::create_dir_all(root.path().join("proc")).unwrap();
        let meminfo = "MemTotal: 1000 kB\nMemAvailable: 2 kB\n";
        std::fs::write(root.path().join("proc/meminfo"), meminfo).unwrap();
        assert_eq!(gauge.worst().await.unwrap(), "memory 95% full");
    }
}
