//! The node itself: CPU, memory, pressure, disks, and what the kubelet makes of them.

use super::cgroup::Pressure;
use crate::text::Text;

/// Time that CPUs have spent, in ticks, of all cores together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ticks {
    /// Doing something.
    pub busy: u64,
    /// All of it.
    pub all: u64,
}

impl Ticks {
    /// Share of the time since `before` in which CPUs were busy, in tenths of a percent.
    pub fn busy_since(self, before: Self) -> Option<u64> {
        let all = self.all.checked_sub(before.all).filter(|all| *all > 0)?;
        let busy = self.busy.checked_sub(before.busy)?;
        Some((busy * 1000 / all).min(1000))
    }
}

/// Memory of the node in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NodeMemory {
    /// All of it.
    pub total: u64,
    /// What new work could get.
    pub available: u64,
    /// Swap, and what of it is free.
    pub swap: (u64, u64),
}

/// One file system that matters.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Disk {
    /// What lies on it: `images`, `logs`, `kubelet`, `root`.
    pub holds: Vec<&'static str>,
    /// Paths by which it was found.
    pub paths: Vec<Text>,
    /// Bytes.
    pub size: u64,
    /// Bytes left.
    pub available: u64,
    /// Inodes; 0 where there is no such number.
    pub inodes: u64,
    /// Inodes left.
    pub inodes_free: u64,
}

/// A line that the kubelet draws: below it, it evicts pods.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Threshold {
    /// `memory.available`, `nodefs.inodesFree`, ...
    pub signal: Text,
    /// Bytes or inodes, or tenths of a percent of all.
    pub least: Least,
    /// Nobody set it.
    pub default: bool,
}

/// How much must be left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Least {
    /// So many.
    Count(u64),
    /// Tenths of a percent of all.
    Share(u64),
}

impl Least {
    /// As the kubelet writes it: `100Mi`, `10%`, `7.5%`, `1.5Gi`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(share) = text.strip_suffix('%') {
            return Some(Self::Share(scaled(share, 10)?));
        }
        let units = [
            ("Ki", 1 << 10),
            ("Mi", 1 << 20),
            ("Gi", 1 << 30),
            ("Ti", 1 << 40),
            ("k", 1_000),
            ("M", 1_000_000),
            ("G", 1_000_000_000),
        ];
        let found = units
            .iter()
            .find_map(|(unit, by)| Some((text.strip_suffix(unit)?, *by)));
        let (number, by) = found.unwrap_or((text, 1));
        Some(Self::Count(scaled(number, by)?))
    }

    /// What must be left of `all`.
    pub fn of(self, all: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Share(share) => {
                let least = u128::from(all) * u128::from(share) / 1000;
                u64::try_from(least).unwrap_or(u64::MAX)
            }
        }
    }
}

/// A decimal number times `by`.
fn scaled(number: &str, by: u64) -> Option<u64> {
    let (whole, rest) = number
        .trim()
        .split_once('.')
        .unwrap_or((number.trim(), "0"));
    let digits = u32::try_from(rest.len())
        .ok()
        .filter(|digits| *digits < 9)?;
    let rest = rest.parse::<u64>().ok()?.checked_mul(by)? / 10_u64.pow(digits);
    whole
        .parse::<u64>()
        .ok()?
        .checked_mul(by)?
        .checked_add(rest)
}

/// Something that takes room on a disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fill {
    /// What it is.
    pub what: What,
    /// Bytes on the disk.
    pub bytes: u64,
    /// Files.
    pub files: u64,
}

/// What takes room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Logs of a pod, by `namespace/name`.
    Logs(Text),
    /// An emptyDir: uid of the pod, name of the volume.
    EmptyDir(Text, Text),
    /// The journal.
    Journal,
    /// Deleted files that a process still has open: its name and number.
    Deleted(Text, u32),
}

/// What was measured.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fills {
    /// The largest first.
    pub all: Vec<Fill>,
    /// There is more: the time was over, it was stopped, or not everything may be read.
    pub partial: bool,
    /// What could not be looked at, and why.
    pub unseen: Option<Text>,
}

/// When the kubelet removes images, in percent of the disk they lie on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImageGc {
    /// It begins above.
    pub high: u64,
    /// It ends below.
    pub low: u64,
}

impl Default for ImageGc {
    fn default() -> Self {
        Self { high: 85, low: 80 }
    }
}

/// What the node's own files tell.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeFiles {
    /// CPU time so far.
    pub ticks: Option<Ticks>,
    /// Cores.
    pub cores: usize,
    /// Memory.
    pub memory: Option<NodeMemory>,
    /// Tasks that run or wait, averages over 1, 5 and 15 minutes.
    pub load: Option<Text>,
    /// Seconds since the boot.
    pub uptime: Option<u64>,
    /// Waiting for CPU, memory and I/O.
    pub pressure: [Option<Pressure>; 3],
    /// File systems.
    pub disks: Vec<Disk>,
    /// Where the kubelet evicts, or why that is not known.
    pub thresholds: Vec<Threshold>,
    /// Why the kubelet's thresholds are not known.
    pub no_thresholds: Option<Text>,
    /// When the kubelet removes images, if its configuration could be read.
    pub image_gc: Option<ImageGc>,
    /// TCP ports that something listens on in the node's network.
    pub ports: Vec<u16>,
}

/// CPU time in `/proc/stat`, and how many cores there are.
pub fn ticks(stat: &str) -> (Option<Ticks>, usize) {
    let cores = stat.lines().filter(|line| {
        let rest = line.strip_prefix("cpu");
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let cores = cores.count();
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "));
    let numbers: Option<Vec<u64>> = line.map(|line| {
        line.split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect()
    });
    // user nice system idle iowait irq softirq steal; guests are in user already.
    let ticks = numbers.filter(|numbers| numbers.len() >= 5).map(|numbers| {
        let all = numbers
            .iter()
            .take(8)
            .fold(0, |sum: u64, n| sum.saturating_add(*n));
        let idle = numbers[3].saturating_add(numbers[4]);
        Ticks {
            busy: all.saturating_sub(idle),
            all,
        }
    });
    (ticks, cores)
}

/// Memory in `/proc/meminfo`.
pub fn memory(meminfo: &str) -> Option<NodeMemory> {
    let value = |name: &str| -> Option<u64> {
        let mut lines = meminfo.lines();
        let text = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let kib: u64 = text.trim().trim_end_matches("kB").trim().parse().ok()?;
        kib.checked_mul(1024)
    };
    Some(NodeMemory {
        total: value("MemTotal").filter(|total| *total > 0)?,
        available: value("MemAvailable")?,
        swap: (
            value("SwapTotal").unwrap_or(0),
            value("SwapFree").unwrap_or(0),
        ),
    })
}

/// Ports that something listens on, in a table of `/proc/PID/net`.
pub fn listening(table: &str) -> Vec<u16> {
    const LISTEN: &str = "0A";
    let port = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (_, port) = words.get(1)?.rsplit_once(':')?;
        (*words.get(3)? == LISTEN).then_some(())?;
        u16::from_str_radix(port, 16).ok()
    };
    let mut ports: Vec<u16> = table.lines().skip(1).filter_map(port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("100Mi", Some(Least::Count(100 << 20)))]
    #[case("1.5Gi", Some(Least::Count(3 << 29)))]
    #[case("5000", Some(Least::Count(5000)))]
    #[case("10%", Some(Least::Share(100)))]
    #[case(" 7.5% ", Some(Least::Share(75)))]
    #[case("1G", Some(Least::Count(1_000_000_000)))]
    #[case("ten", None)]
    #[case("", None)]
    #[case("99999999999999999999Ti", None)]
    fn thresholds(#[case] text: &str, #[case] expected: Option<Least>) {
        assert_eq!(Least::parse(text), expected);
    }

    #[test]
    fn cpu() {
        let stat = "cpu  10 0 10 70 10 0 0 0 5 5\ncpu0 1 1\ncpu1 1 1\nintr 1\ncpufreq 3\n";
        let (before, cores) = ticks(stat);
        let before = before.unwrap();
        assert_eq!((before.busy, before.all, cores), (20, 100, 2));
        let after = Ticks { busy: 70, all: 200 };
        assert_eq!(after.busy_since(before), Some(500));
        assert_eq!(before.busy_since(after), None);
        assert_eq!(before.busy_since(before), None);
        assert_eq!(ticks("garbage"), (None, 0));
    }

    #[test]
    fn memory_of_the_node() {
        let text = "MemTotal: 1000 kB\nMemAvailable: 50 kB\nSwapTotal: 8 kB\nSwapFree: 4 kB\n";
        let found = memory(text).unwrap();
        assert_eq!((found.total, found.available), (1_024_000, 51_200));
        assert_eq!(found.swap, (8192, 4096));
        assert_eq!(memory("MemTotal: 0 kB\nMemAvailable: 1 kB\n"), None);
    }

    #[test]
    fn ports() {
        let table = "  sl  local_address rem_address   st\n   0: 0100007F:192B 00000000:0000 0A 0\n   1: 0100007F:0050 0100007F:1 01 0\n   2: 00000000000000000000000000000000:192B 0:0 0A\n garbage\n";
        assert_eq!(listening(table), [6443]);
    }
}
