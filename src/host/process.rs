//! The processes of a container, and what they listen on, as `/proc` tells.
//!
//! A runtime names a process by its number, and a number can be another process's by now: CRI-O
//! keeps it after the end. So it is held by a pidfd first, and then looked at: its cgroup must
//! name the container, and it must have started when the container did.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::open::{HostRoot, OpenError, Resolver};
use crate::domain::{Inside, Listener, Process};
use crate::text::Text;

mod parse;

/// Longest look at all processes of the node.
const DEADLINE: Duration = Duration::from_secs(3);
/// Processes that are looked at.
const MOST: usize = 1 << 16;
/// Largest file of `/proc` that is read.
const LARGEST: u64 = 4 << 20;
/// How far the clocks of the runtime and of the kernel may lie apart, in seconds.
const SLACK: i64 = 10;

/// Under another root than `/`.
pub const ELSEWHERE: &str = "its processes are not among those that critui sees: run it on the node \
                         itself, or with the node's process ids (hostPID)";

/// What the runtime says of a container's first process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Its number.
    pub pid: u32,
    /// Full id of the container.
    pub container: Text,
    /// When the container was made, in seconds since the epoch.
    pub created: i64,
    /// When it was started.
    pub started: i64,
}

/// A process that is what the runtime says it is. Its number stays its own for as long as this
/// lives and [`Held::lives`].
#[derive(Debug)]
pub struct Held {
    pidfd: OwnedFd,
    /// Its number.
    pub pid: u32,
}

impl Held {
    pub(super) fn new(pidfd: OwnedFd, pid: u32) -> Self {
        Self { pidfd, pid }
    }

    /// It has not ended.
    pub fn lives(&self) -> bool {
        let mut fds = [PollFd::from_borrowed_fd(self.pidfd.as_fd(), PollFlags::IN)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // A pidfd can be read from once its process has ended.
        matches!(poll(&mut fds, Some(&now)), Ok(0))
    }
}

/// Takes hold of the process of `claim`; the error is a line that says why it is not.
fn hold(proc: &Resolver, claim: &Claim) -> Result<Held, Text> {
    let pid = i32::try_from(claim.pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| Text::from("the runtime names no process"))?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())
        .map_err(|error| Text::clean(&format!("process {} is gone: {error}", claim.pid)))?;
    let held = Held::new(pidfd, claim.pid);
    let other = |what: &str| {
        Text::clean(&format!(
            "process {} is not the container's any more: {what}",
            claim.pid
        ))
    };
    if !member(proc, &folder(claim.pid), claim.container.as_str()) {
        return Err(other("its cgroup does not name the container"));
    }
    let stat = read(proc, &folder(claim.pid).join("stat"));
    let boot = parse::boot_time(&read(proc, Path::new("/proc/stat")));
    let began = boot.zip(parse::start_ticks(&stat));
    let began = began.map(|(boot, ticks)| boot + ticks / parse::TICKS);
    let fits =
        began.is_some_and(|began| began >= claim.created - SLACK && began <= claim.started + SLACK);
    if !fits {
        return Err(other("it did not start when the container did"));
    }
    if held.lives() {
        Ok(held)
    } else {
        Err(other("it has just ended"))
    }
}

/// Looks at a container. The error is a line for the user.
pub fn look(host: &HostRoot, claim: &Claim) -> Result<Inside, Text> {
    if !host.is_slash() && !same_processes(host, claim) {
        return Err(ELSEWHERE.into());
    }
    let claim = claim.clone();
    let looked = host.work(DEADLINE, move |proc| {
        Ok(hold(proc, &claim).and_then(|held| {
            let inside = inside(proc, &claim);
            if held.lives() {
                Ok(inside)
            } else {
                Err("it ended while it was looked at".into())
            }
        }))
    });
    match looked {
        Ok(looked) => looked,
        Err(error @ OpenError::Timeout(_)) => Err(Text::clean(&format!("/proc {error}"))),
        Err(error) => Err(Text::clean(&error.to_string())),
    }
}

/// Whether what started the process of a container is gone, so that the init of its namespace has
/// adopted it. In doubt it is not.
pub fn is_orphan(host: &HostRoot, claim: &Claim) -> bool {
    let pid = claim.pid;
    let stat = host.work(DEADLINE, move |proc| {
        Ok(read(proc, &folder(pid).join("stat")))
    });
    stat.is_ok_and(|stat| parse::parent(&stat) == Some(1))
}

/// Magic links of a container's process (`root`, `ns/net`, `ns/pid`), opened while it was held.
/// The error is a line for the user.
pub fn links(
    host: &HostRoot,
    claim: &Claim,
    names: &'static [&'static str],
) -> Result<Vec<OwnedFd>, Text> {
    if !host.is_slash() && !same_processes(host, claim) {
        return Err(ELSEWHERE.into());
    }
    let claim = claim.clone();
    let opened = host.work(DEADLINE, move |proc| {
        let held = match hold(proc, &claim) {
            Ok(held) => held,
            Err(why) => return Ok(Err(why)),
        };
        let links: Result<Vec<_>, _> = names
            .iter()
            .map(|name| proc.magic(claim.pid, name))
            .collect();
        // While it lives its number is its own, so these are its links.
        let links = if held.lives() {
            links.map_err(|error| Text::clean(&format!("process {}: {error}", claim.pid)))
        } else {
            Err("it has just ended".into())
        };
        Ok(links)
    });
    opened.unwrap_or_else(|error| Err(Text::clean(&format!("/proc {error}"))))
}

/// A pidfd is of critui's own process ids, and `/proc` under another root may be of others.
fn same_processes(host: &HostRoot, claim: &Claim) -> bool {
    let stat = |root: &HostRoot| {
        let path = folder(claim.pid).join("stat");
        let bytes = root.read(&path, LARGEST, DEADLINE).ok()?;
        parse::start_ticks(&String::from_utf8_lossy(&bytes))
    };
    let own = HostRoot::new(Path::new("/")).ok();
    let own = own.and_then(|own| stat(&own));
    own.is_some() && own == stat(host)
}

fn inside(proc: &Resolver, claim: &Claim) -> Inside {
    let names = proc.list_dir(Path::new("/proc"), MOST);
    let names = names.map(|listing| listing.names).unwrap_or_default();
    let pids = names
        .iter()
        .filter_map(|name| name.to_str()?.parse::<u32>().ok());
    let mut processes: Vec<Process> = pids
        .filter(|pid| member(proc, &folder(*pid), claim.container.as_str()))
        .filter_map(|pid| row(proc, pid))
        .collect();
    processes.sort_by_key(|row| (row.pid != claim.pid, row.inner, row.pid));
    let net = folder(claim.pid).join("net");
    let mut listeners: Vec<Listener> = ["tcp", "tcp6", "udp", "udp6"]
        .into_iter()
        .flat_map(|table| parse::listeners(table, &read(proc, &net.join(table))))
        .collect();
    listeners.sort();
    listeners.dedup();
    Inside {
        processes,
        listeners,
    }
}

/// When a process was started, in ticks since the boot; `None` if there is none.
pub(super) fn start_of(proc: &Resolver, pid: u32) -> Option<i64> {
    parse::start_ticks(&read(proc, &folder(pid).join("stat")))
}

fn folder(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

fn read(proc: &Resolver, path: &Path) -> String {
    let bytes = proc.read(path, LARGEST).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A process of the container: the last part of its cgroup, or one above, carries the id.
fn member(proc: &Resolver, process: &Path, container: &str) -> bool {
    container.len() >= 12 && read(proc, &process.join("cgroup")).contains(container)
}

fn row(proc: &Resolver, pid: u32) -> Option<Process> {
    let folder = folder(pid);
    let status = read(proc, &folder.join("status"));
    let command = read(proc, &folder.join("cmdline"));
    parse::row(pid, &status, &command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slash() -> Resolver {
        // The very `/proc` of this test.
        Resolver::new(Path::new("/")).unwrap()
    }

    fn own() -> (u32, i64, Text) {
        let pid = std::process::id();
        let proc = slash();
        let stat = read(&proc, &folder(pid).join("stat"));
        let boot = parse::boot_time(&read(&proc, Path::new("/proc/stat"))).unwrap();
        let began = boot + parse::start_ticks(&stat).unwrap() / parse::TICKS;
        // Whatever the cgroup of this process is called.
        let cgroup = read(&proc, &folder(pid).join("cgroup"));
        (
            pid,
            began,
            Text::clean(cgroup.lines().next().unwrap_or_default()),
        )
    }

    fn claim(started: i64, container: &Text) -> Claim {
        Claim {
            pid: std::process::id(),
            container: container.clone(),
            created: started,
            started,
        }
    }

    #[test]
    fn only_what_fits_is_held() {
        let (pid, began, cgroup) = own();
        if cgroup.as_str().len() >= 12 {
            let held = hold(&slash(), &claim(began, &cgroup)).unwrap();
            assert_eq!(held.pid, pid);
            assert!(held.lives());
            let line = hold(&slash(), &claim(began - 100, &cgroup)).unwrap_err();
            assert!(line.as_str().contains("did not start when"), "{line}");
            let line = hold(&slash(), &claim(began + 100, &cgroup)).unwrap_err();
            assert!(line.as_str().contains("did not start when"), "{line}");
        }
        let other = Text::from("c".repeat(64));
        let line = hold(&slash(), &claim(began, &other)).unwrap_err();
        assert!(line.as_str().contains("cgroup does not name"), "{line}");
        // An empty id would be everybody's.
        let line = hold(&slash(), &claim(began, &Text::default())).unwrap_err();
        assert!(line.as_str().contains("cgroup does not name"), "{line}");
    }

    #[test]
    fn links_are_those_of_the_process() {
        let (_, began, cgroup) = own();
        let host = HostRoot::new(Path::new("/")).unwrap();
        let names: &[&str] = &["ns/net", "root"];
        if cgroup.as_str().len() >= 12 {
            let links = links(&host, &claim(began, &cgroup), names).unwrap();
            let ino = |fd: &OwnedFd| rustix::fs::fstat(fd).unwrap().st_ino;
            let net = std::fs::File::open("/proc/self/ns/net").unwrap();
            assert_eq!(ino(&links[0]), rustix::fs::fstat(&net).unwrap().st_ino);
            assert_eq!(ino(&links[1]), rustix::fs::stat("/").unwrap().st_ino);
        }
        let other = claim(began, &Text::from("c".repeat(64)));
        let line = super::links(&host, &other, names).unwrap_err();
        assert!(line.as_str().contains("cgroup does not name"), "{line}");
    }

    #[test]
    fn what_is_gone_is_not_held() {
        let mut child = std::process::Command::new("/bin/true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        let claim = Claim {
            pid,
            ..claim(0, &Text::from("c".repeat(64)))
        };
        assert!(hold(&slash(), &claim).is_err());
        let nothing = Claim { pid: 0, ..claim };
        let line = hold(&slash(), &nothing).unwrap_err();
        assert_eq!(line.as_str(), "the runtime names no process");
    }
}
