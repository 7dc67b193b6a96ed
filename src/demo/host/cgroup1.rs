//! The same in cgroup v1: a hierarchy for each controller, beside systemd's own.

use std::io;
use std::os::unix::fs::symlink;

use super::Root;
use super::cgroup::{BASE, Group, write_file};

/// The mounted hierarchies and the controllers of each, in the order in which a kernel lists them.
const HIERARCHIES: [(&str, &str); 10] = [
    ("12", "pids"),
    ("11", "memory"),
    ("10", "hugetlb"),
    ("9", "freezer"),
    ("8", "devices"),
    ("7", "cpuset"),
    ("6", "blkio"),
    ("5", "net_cls,net_prio"),
    ("4", "perf_event"),
    ("3", "cpu,cpuacct"),
];
/// Controllers that are also reached by their own names.
const ALIASES: [&str; 2] = ["cpu", "cpuacct"];
/// What a limit that is none reads as: the largest multiple of a page.
const UNLIMITED: i64 = i64::MAX / 4_096 * 4_096;

/// Makes what tells version 1 from version 2.
pub(super) fn begin(root: &mut Root) -> io::Result<()> {
    // Processes are in version 2 as well, where nothing is controlled.
    root.write(&format!("{BASE}/unified/cgroup.controllers"), "\n")?;
    root.write(&format!("{BASE}/cpu,cpuacct/cgroup.procs"), "1\n")?;
    for name in ALIASES {
        match symlink("cpu,cpuacct", root.at(&format!("{BASE}/{name}"))) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// `/proc/PID/cgroup` of a process in the cgroup `path`.
pub(super) fn lines(path: &str) -> String {
    let named = HIERARCHIES.map(|(number, controllers)| format!("{number}:{controllers}:{path}\n"));
    named.concat() + &format!("1:name=systemd:{path}\n0::{path}\n")
}

/// Writes a cgroup into the hierarchies of which anybody reads something.
pub(super) fn write(group: &Group, path: &str, root: &mut Root) -> io::Result<()> {
    let procs = |controllers: &str| (controllers.to_owned(), "cgroup.procs", group.procs.clone());
    let file = |controllers: &str, (name, text)| (controllers.to_owned(), name, text);
    let all = [procs("systemd"), procs("unified")]
        .into_iter()
        .chain(memory(group).map(|one| file("memory", one)))
        .chain(cpu(group).map(|one| file("cpu,cpuacct", one)))
        .chain(others(group).map(|(controllers, name, text)| (controllers.to_owned(), name, text)));
    for (controllers, name, text) in all {
        write_file(root, &format!("{BASE}/{controllers}{path}"), name, &text)?;
    }
    Ok(())
}

fn memory(group: &Group) -> [(&'static str, String); 8] {
    let limit = match group.memory_max {
        0 => UNLIMITED,
        limit => limit,
    };
    // A kill is counted in the cgroup of the process alone, and goes with it: the cgroup of the
    // pod knows of none.
    let oom = "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n";
    [
        ("cgroup.procs", group.procs.clone()),
        ("memory.limit_in_bytes", format!("{limit}\n")),
        (
            "memory.usage_in_bytes",
            format!("{}\n", group.usage.with_cache),
        ),
        ("memory.max_usage_in_bytes", format!("{}\n", group.peak)),
        ("memory.failcnt", "0\n".into()),
        ("memory.oom_control", oom.into()),
        ("memory.swappiness", "60\n".into()),
        ("memory.stat", memory_stat(group, limit)),
    ]
}

fn memory_stat(group: &Group, limit: i64) -> String {
    let usage = &group.usage;
    let inactive = usage.with_cache - usage.memory.min(usage.with_cache);
    let (anon, active) = (usage.memory * 7 / 8, usage.memory / 8);
    let cache = inactive + active;
    let one = |prefix: &str| {
        format!(
            "{prefix}cache {cache}\n{prefix}rss {anon}\n{prefix}mapped_file 0\n{prefix}swap 0\n\
             {prefix}pgfault {}\n{prefix}pgmajfault 0\n{prefix}inactive_anon 0\n\
             {prefix}active_anon {anon}\n{prefix}inactive_file {inactive}\n\
             {prefix}active_file {active}\n",
            usage.faults
        )
    };
    format!(
        "{}hierarchical_memory_limit {limit}\n{}",
        one(""),
        one("total_")
    )
}

fn cpu(group: &Group) -> [(&'static str, String); 6] {
    let quota = match group.cpu_quota {
        0 => -1,
        quota => quota,
    };
    let (periods, throttled, micros) = group.throttled();
    let nanos = micros * 1_000;
    let stat = format!("nr_periods {periods}\nnr_throttled {throttled}\nthrottled_time {nanos}\n");
    [
        ("cgroup.procs", group.procs.clone()),
        ("cpu.shares", format!("{}\n", group.shares.max(2))),
        ("cpu.cfs_period_us", "100000\n".into()),
        ("cpu.cfs_quota_us", format!("{quota}\n")),
        ("cpu.stat", stat),
        ("cpuacct.usage", format!("{}\n", group.usage.cpu)),
    ]
}

fn others(group: &Group) -> [(&'static str, &'static str, String); 4] {
    let (read, written) = group.transferred();
    let total = read + written;
    let io = format!(
        "254:0 Read {read}\n254:0 Write {written}\n254:0 Sync {total}\n254:0 Async 0\n\
         254:0 Discard 0\n254:0 Total {total}\nTotal {total}\n"
    );
    [
        ("pids", "cgroup.procs", group.procs.clone()),
        ("pids", "pids.current", format!("{}\n", group.pids)),
        ("pids", "pids.max", "4915\n".into()),
        ("blkio", "blkio.throttle.io_service_bytes_recursive", io),
    ]
}
