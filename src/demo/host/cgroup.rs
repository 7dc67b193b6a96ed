//! cgroup v2 files of the pods and their containers.

use std::fmt::Write as _;
use std::io;

use super::super::node::Node;
use super::super::profile::Family;
use super::super::stats::{Usage, usage};
use super::super::tell::{cgroup_parent, cpu_quota, cpu_shares};
use super::super::world::{Container, Pod, State, World};
use super::Root;

const BASE: &str = "/sys/fs/cgroup";

/// One cgroup's numbers.
struct Group {
    usage: Usage,
    peak: u64,
    memory_max: i64,
    cpu_quota: i64,
    shares: i64,
    pids: u32,
    oom_kills: u32,
    procs: String,
}

/// Writes the cgroups of what runs.
pub(super) fn write(
    node: &Node,
    world: &World,
    containers: &[&Container],
    root: &mut Root,
) -> io::Result<()> {
    let at = node.stats_time();
    for container in containers.iter().filter(|c| c.state == State::Running) {
        let Some(pod) = world.pods.get(&container.pod) else {
            continue;
        };
        let group = of_container(container, usage(container, at));
        let path = container_path(node, container, pod);
        group.write(&format!("{BASE}{path}"), root)?;
        let proc = format!("/proc/{}", container.pid);
        root.write(&format!("{proc}/cgroup"), &format!("0::{path}\n"))?;
        let name = container.spec.command.first().map_or("app", String::as_str);
        let name = name.rsplit('/').next().unwrap_or(name);
        root.write(&format!("{proc}/comm"), &format!("{name}\n"))?;
    }
    for pod in world.pods.values() {
        let own: Vec<&&Container> = containers.iter().filter(|c| c.pod == pod.id).collect();
        if pod.ready && !own.is_empty() {
            let path = format!("{BASE}{}", cgroup_parent(&pod.spec, &pod.uid));
            of_pod(&own, at).write(&path, root)?;
        }
    }
    Ok(())
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
    Group {
        usage,
        peak: usage.with_cache * 11 / 10,
        memory_max: container.memory_limit(),
        cpu_quota: cpu_quota(container),
        shares: cpu_shares(container),
        pids: container.spec.uses.pids,
        oom_kills: 0,
        procs: format!("{}\n", container.pid),
    }
}

/// The pod's cgroup remembers the kills of containers that are gone.
fn of_pod(own: &[&&Container], at: i64) -> Group {
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
    fn write(&self, path: &str, root: &mut Root) -> io::Result<()> {
        for (name, text) in self.files() {
            root.write(&format!("{path}/{name}"), &text)?;
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
        let (read, written) = (self.usage.cpu / 900, self.usage.cpu / 400);
        format!("254:0 rbytes={read} wbytes={written} rios=9 wios=9 dbytes=0 dios=0\n")
    }

    fn cpu_stat(&self) -> String {
        let micros = self.usage.cpu / 1_000;
        let mut out = format!(
            "usage_usec {micros}\nuser_usec {}\nsystem_usec {}\n",
            micros * 3 / 4,
            micros / 4
        );
        let periods = if self.cpu_quota > 0 {
            micros / 40_000
        } else {
            0
        };
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            "nr_periods {periods}\nnr_throttled {}\nthrottled_usec {}\n",
            periods / 50,
            periods * 800
        );
        out
    }
}
