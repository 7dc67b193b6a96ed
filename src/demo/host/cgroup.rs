//! cgroup files of the pods and their containers: what there is to tell, and version 2.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use super::super::node::Node;
use super::super::profile::Family;
use super::super::scenario::Cgroups;
use super::super::stats::{Usage, usage};
use super::super::tell::{cgroup_parent, cpu_quota, cpu_shares};
use super::super::world::{Container, Id, Pod, State, World};
use super::{Root, cgroup1};

pub(super) const BASE: &str = "/sys/fs/cgroup";
/// Files that differ from cgroup to cgroup, or move.
const OWN: [&str; 10] = [
    "cgroup.procs",
    "memory.current",
    "memory.peak",
    "memory.stat",
    "cpu.stat",
    "io.stat",
    "memory.usage_in_bytes",
    "memory.max_usage_in_bytes",
    "cpuacct.usage",
    "blkio.throttle.io_service_bytes_recursive",
];

/// One cgroup's numbers.
pub(super) struct Group {
    pub usage: Usage,
    pub peak: u64,
    pub memory_max: i64,
    pub cpu_quota: i64,
    pub shares: i64,
    pub pids: u32,
    pub oom_kills: u32,
    pub procs: String,
}

/// The pods of which there are containers, with these.
pub(super) fn pods(world: &World) -> Vec<(&Pod, Vec<&Container>)> {
    let mut all: BTreeMap<&Id, Vec<&Container>> = BTreeMap::new();
    for container in world.containers.values() {
        all.entry(&container.pod).or_default().push(container);
    }
    let pods = all.into_iter();
    pods.filter_map(|(id, containers)| Some((world.pods.get(id)?, containers)))
        .collect()
}

/// Writes the cgroups of a pod and of what runs in it.
pub(super) fn write(
    node: &Node,
    pod: &Pod,
    containers: &[&Container],
    root: &mut Root,
) -> io::Result<()> {
    write_containers(node, pod, containers, root)?;
    write_pod(node, pod, containers, root)
}

/// Writes the cgroups of what runs in a pod.
pub(super) fn write_containers(
    node: &Node,
    pod: &Pod,
    containers: &[&Container],
    root: &mut Root,
) -> io::Result<()> {
    let (at, version) = (node.stats_time(), node.story.cgroup);
    for container in containers.iter().filter(|c| c.state == State::Running) {
        let group = of_container(container, usage(container, at));
        let path = container_path(node, container, pod);
        group.write(version, &path, root)?;
        let proc = format!("/proc/{}", container.pid);
        root.write(&format!("{proc}/cgroup"), &lines(version, &path))?;
        let name = container.spec.command.first().map_or("app", String::as_str);
        let name = name.rsplit('/').next().unwrap_or(name);
        root.write(&format!("{proc}/comm"), &format!("{name}\n"))?;
    }
    Ok(())
}

/// Writes the cgroup of a pod alone.
pub(super) fn write_pod(
    node: &Node,
    pod: &Pod,
    containers: &[&Container],
    root: &mut Root,
) -> io::Result<()> {
    if !pod.ready {
        return Ok(());
    }
    let path = cgroup_parent(&pod.spec, &pod.uid);
    of_pod(containers, node.stats_time()).write(node.story.cgroup, &path, root)
}

/// Whether the pod's cgroup has been written before.
pub(super) fn is_written(pod: &Pod, node: &Node, root: &Root) -> bool {
    let path = cgroup_parent(&pod.spec, &pod.uid);
    root.has(&match node.story.cgroup {
        Cgroups::V1 => format!("{BASE}/memory{path}/memory.stat"),
        Cgroups::V2 => format!("{BASE}{path}/memory.stat"),
    })
}

/// Writes one file of a cgroup: most of them say the same in every one.
pub(super) fn write_file(root: &mut Root, folder: &str, name: &str, text: &str) -> io::Result<()> {
    let path = format!("{folder}/{name}");
    if OWN.contains(&name) {
        root.write(&path, text)
    } else {
        root.share(&path, text)
    }
}

/// `/proc/PID/cgroup` of a process in the cgroup `path`.
pub(super) fn lines(version: Cgroups, path: &str) -> String {
    match version {
        Cgroups::V1 => cgroup1::lines(path),
        Cgroups::V2 => format!("0::{path}\n"),
    }
}

/// Path of a container's cgroup below the mount point.
pub(super) fn container_path(node: &Node, container: &Container, pod: &Pod) -> String {
    let prefix = match node.traits.family {
        Family::Containerd => "cri-containerd",
        Family::CriO => "crio",
        Family::CriDockerd => "docker",
    };
    let parent = cgroup_parent(&pod.spec, &pod.uid);
    format!("{parent}/{prefix}-{}.scope", container.id)
}

fn of_container(container: &Container, usage: Usage) -> Group {
    let peak = usage.with_cache * 11 / 10;
    let limit = u64::try_from(container.memory_limit()).unwrap_or(0);
    Group {
        usage,
        // The kernel lets nobody beyond the limit.
        peak: if limit > 0 { peak.min(limit) } else { peak },
        memory_max: container.memory_limit(),
        cpu_quota: cpu_quota(container),
        shares: cpu_shares(container),
        pids: container.spec.uses.pids,
        oom_kills: 0,
        procs: format!("{}\n", container.pid),
    }
}

/// The pod's cgroup remembers the kills of containers that are gone.
fn of_pod(own: &[&Container], at: i64) -> Group {
    let mut group = Group {
        usage: Usage::default(),
        peak: 0,
        memory_max: 0,
        cpu_quota: 0,
        shares: 0,
        pids: 1,
        oom_kills: 0,
        procs: String::new(),
    };
    for container in own {
        let one = of_container(container, usage(container, at));
        group.usage.cpu += one.usage.cpu;
        group.usage.memory += one.usage.memory;
        group.usage.with_cache += one.usage.with_cache;
        group.usage.faults += one.usage.faults;
        group.peak += one.peak;
        group.shares += one.shares;
        if container.spec.life.oom {
            let over = u32::from(container.ended().is_some());
            group.oom_kills = group.oom_kills.max(container.attempt + over);
        }
        if container.state == State::Running {
            group.pids += one.pids;
        }
    }
    group
}

impl Group {
    fn write(&self, version: Cgroups, path: &str, root: &mut Root) -> io::Result<()> {
        if version == Cgroups::V1 {
            return cgroup1::write(self, path, root);
        }
        for (name, text) in self.files() {
            write_file(root, &format!("{BASE}{path}"), name, &text)?;
        }
        Ok(())
    }

    fn files(&self) -> Vec<(&'static str, String)> {
        let max = |value: i64| match value {
            0 => "max\n".to_owned(),
            value => format!("{value}\n"),
        };
        let quota = match self.cpu_quota {
            0 => "max 100000\n".to_owned(),
            quota => format!("{quota} 100000\n"),
        };
        // The kubelet's own conversion of shares to a weight.
        let weight = 1 + (self.shares.max(2) - 2) * 9_999 / 262_142;
        let kills = self.oom_kills;
        let events = format!(
            "low 0\nhigh 0\nmax {}\noom {kills}\noom_kill {kills}\noom_group_kill 0\n",
            kills * 31
        );
        let pressure = "some avg10=0.00 avg60=0.00 avg300=0.00 total=38171\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=16171\n";
        vec![
            ("cgroup.procs", self.procs.clone()),
            ("cgroup.events", "populated 1\nfrozen 0\n".into()),
            ("memory.max", max(self.memory_max)),
            ("memory.high", "max\n".into()),
            ("memory.current", format!("{}\n", self.usage.with_cache)),
            ("memory.peak", format!("{}\n", self.peak)),
            ("memory.events", events),
            ("memory.stat", self.memory_stat()),
            ("memory.swap.current", "0\n".into()),
            ("memory.swap.max", "0\n".into()),
            ("memory.pressure", pressure.into()),
            ("cpu.max", quota),
            ("cpu.weight", format!("{weight}\n")),
            ("cpu.stat", self.cpu_stat()),
            ("cpu.pressure", pressure.into()),
            ("io.pressure", pressure.into()),
            ("io.stat", self.io_stat()),
            ("pids.current", format!("{}\n", self.pids)),
            ("pids.max", "4915\n".into()),
        ]
    }

    fn memory_stat(&self) -> String {
        let Usage {
            memory,
            with_cache,
            faults,
            ..
        } = self.usage;
        let file = with_cache - memory.min(with_cache);
        format!(
            "anon {}\nfile {}\nkernel 188416\ninactive_anon 0\nactive_anon {}\ninactive_file {file}\nactive_file {}\npgfault {faults}\npgmajfault 0\n",
            memory * 7 / 8,
            file + memory / 8,
            memory * 7 / 8,
            memory / 8,
        )
    }

    fn io_stat(&self) -> String {
        let (read, written) = self.transferred();
        format!("254:0 rbytes={read} wbytes={written} rios=9 wios=9 dbytes=0 dios=0\n")
    }

    fn cpu_stat(&self) -> String {
        let micros = self.usage.cpu / 1_000;
        let mut out = format!(
            "usage_usec {micros}\nuser_usec {}\nsystem_usec {}\n",
            micros * 3 / 4,
            micros / 4
        );
        let (periods, throttled, time) = self.throttled();
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "nr_periods {periods}\nnr_throttled {throttled}\nthrottled_usec {time}\n"
        );
        out
    }

    /// Periods under a quota, those in which it was used up, and the time waited in microseconds.
    pub(super) fn throttled(&self) -> (u64, u64, u64) {
        let periods = match self.cpu_quota {
            0 => 0,
            _ => self.usage.cpu / 40_000_000,
        };
        (periods, periods / 50, periods * 800)
    }

    /// Bytes read and written so far.
    pub(super) fn transferred(&self) -> (u64, u64) {
        (self.usage.cpu / 900, self.usage.cpu / 400)
    }
}
