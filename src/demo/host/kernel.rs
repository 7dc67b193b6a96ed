//! The kernel's log: the boot, and each kill for memory. A plain file stands in for `/dev/kmsg`,
//! beside the text that a syslog daemon writes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};

use jiff::Timestamp;

use super::super::tell::cgroup_parent;
use super::super::world::{Container, Id, World};
use super::system::Age;
use super::{Root, SECOND, make_parent};

/// Kills before the story begins that the log still has.
const REMEMBERED: u32 = 4;

/// What the kernel has logged so far.
#[derive(Debug)]
pub(super) struct Log {
    boot: i64,
    age: &'static Age,
    sequence: u64,
    reported: BTreeSet<Id>,
}

impl Log {
    pub(super) fn new(boot: i64, age: &'static Age) -> Self {
        Self {
            boot,
            age,
            sequence: 0,
            reported: BTreeSet::new(),
        }
    }

    /// Writes the boot and the kills of the past.
    pub(super) fn begin(&mut self, root: &Root, world: &World) -> io::Result<()> {
        let boot = self.boot;
        let release = self.age.release;
        let boots = [
            format!("Linux version {}", self.age.version),
            format!(
                "Command line: BOOT_IMAGE=/boot/vmlinuz-{release} root=/dev/vda1 ro console=ttyS0"
            ),
            "systemd[1]: Detected virtualization kvm.".to_owned(),
        ];
        let lines = (0..)
            .zip(boots)
            .map(|(nth, text)| (boot + nth * SECOND / 9, 6, text));
        let mut lines: Vec<(i64, u8, String)> = lines.collect();
        for container in world.containers.values().filter(|c| c.spec.life.oom) {
            lines.extend(past_kills(container, world));
        }
        lines.sort_by_key(|line| line.0);
        self.append(root, &lines)
    }

    /// Reports what was killed for its memory since the last time.
    pub(super) fn keep(
        &mut self,
        root: &Root,
        containers: &[&Container],
        world: &World,
    ) -> io::Result<()> {
        let mut lines = Vec::new();
        for container in containers {
            let killed = container.ended().filter(|end| end.reason == "OOMKilled");
            if let Some(end) = killed
                && self.reported.insert(Id::clone(&container.id))
            {
                lines.extend(report(container, world, end.at));
            }
        }
        self.append(root, &lines)
    }

    /// Forgets what is gone: `world` is all there is.
    pub(super) fn forget(&mut self, world: &World) {
        self.reported.retain(|id| world.containers.contains_key(id));
    }

    fn append(&mut self, root: &Root, lines: &[(i64, u8, String)]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let (mut records, mut text) = (String::new(), String::new());
        for (at, priority, line) in lines {
            let micros = (at - self.boot).max(0) / 1_000;
            let when = Timestamp::from_nanosecond(i128::from(*at)).unwrap_or_default();
            // Writing to a String cannot fail.
            let _ = writeln!(records, "{priority},{},{micros},-;{line}", self.sequence);
            let _ = writeln!(
                text,
                "{when:.6} worker kernel: [{:5}.{:06}] {line}",
                micros / 1_000_000,
                micros % 1_000_000
            );
            self.sequence += 1;
        }
        for (path, content) in [("/dev/kmsg", records), ("/var/log/kern.log", text)] {
            let path = root.at(path);
            make_parent(&path)?;
            let mut file = OpenOptions::new().append(true).create(true).open(path)?;
            file.write_all(content.as_bytes())?;
        }
        Ok(())
    }
}

/// Reports of the kills before the attempts that are still there.
fn past_kills(container: &Container, world: &World) -> Vec<(i64, u8, String)> {
    let life = &container.spec.life;
    let runs = life.runs.map_or(0, |runs| runs.0);
    let oldest = world
        .containers
        .values()
        .filter(|other| other.pod == container.pod && other.spec.name == container.spec.name)
        .all(|other| container.attempt <= other.attempt);
    let mut lines = Vec::new();
    let mut created = container.created;
    for back in 1..=container.attempt.min(REMEMBERED) * u32::from(oldest) {
        let killed = created - life.delay_after(container.attempt - back);
        lines.extend(report(container, world, killed));
        created = killed - runs;
    }
    lines
}

/// The lines of one report that tools look for.
fn report(container: &Container, world: &World, at: i64) -> Vec<(i64, u8, String)> {
    let Some(pod) = world.pods.get(&container.pod) else {
        return Vec::new();
    };
    let command = container.spec.command.first().map_or("app", String::as_str);
    let limit = container.memory_limit() / 1024;
    let (id, pid) = (&container.id, container.pid);
    let parent = cgroup_parent(&pod.spec, &pod.uid);
    let lines = [
        (
            4,
            format!(
                "{command} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=994"
            ),
        ),
        (
            6,
            format!("memory: usage {limit}kB, limit {limit}kB, failcnt 464"),
        ),
        (
            6,
            format!(
                "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=cri-containerd-{id}.scope,mems_allowed=0,oom_memcg={parent}/cri-containerd-{id}.scope,task_memcg={parent}/cri-containerd-{id}.scope,task={command},pid={pid},uid=0"
            ),
        ),
        (
            3,
            format!(
                "Memory cgroup out of memory: Killed process {pid} ({command}) total-vm:{}kB, anon-rss:{}kB, file-rss:1264kB, shmem-rss:0kB, UID:0 pgtables:176kB oom_score_adj:994",
                limit * 2,
                limit - limit / 16
            ),
        ),
    ];
    lines
        .into_iter()
        .map(|(priority, line)| (at - SECOND / 500, priority, line))
        .collect()
}
