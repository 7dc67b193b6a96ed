//! The kubelet's process, and its command line.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, geteuid, pidfd_open};

use super::super::open::{OpenError, Resolver};
use super::super::process::{Held, start_of};
use crate::audit::kubelet::{Flags, flags};
use crate::text::Text;
use crate::triage::facts::Seen;

/// Processes that are or hold a kubelet.
const NAMES: [&str; 7] = [
    KUBELET,
    "k3s",
    "k3s-server",
    "k3s-agent",
    "rke2",
    "k0s",
    "kubelite",
];
/// The one that is nothing else. RKE2 and k0s start it too.
pub(super) const KUBELET: &str = "kubelet";
/// Processes looked at.
const MOST: usize = 1 << 16;
/// Largest command line that is read.
const LARGEST: u64 = 1 << 20;

/// What there is of it.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Number and name of each process that is one or holds one.
    pub(super) kubelets: Vec<(u32, String)>,
    /// The processes that were seen are the node's own.
    pub(super) all: bool,
}

/// Looks at all processes.
pub(super) fn find(files: &Resolver) -> Result<Found, OpenError> {
    let listing = files.list_dir(Path::new("/proc"), MOST)?;
    let pids = listing
        .names
        .iter()
        .filter_map(|name| name.to_str()?.parse::<u32>().ok());
    let mut found = Found::default();
    let mut seen = 0;
    for pid in pids {
        let Some(name) = name_of(files, pid) else {
            continue;
        };
        seen += 1;
        if NAMES.contains(&name.as_str()) {
            found.kubelets.push((pid, name));
        }
    }
    found.kubelets.sort();
    // The kernel's own threads are seen by the node only.
    found.all = seen > 1 && name_of(files, 2).is_some_and(|name| name == "kthreadd");
    Ok(found)
}

fn folder(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

fn name_of(files: &Resolver, pid: u32) -> Option<String> {
    let comm = files.read(&folder(pid).join("comm"), 64).ok()?;
    Some(String::from_utf8_lossy(&comm).trim().to_owned())
}

/// Its command line, as a path and what stands there; `None` if it does not run. The error says why
/// that is not known.
pub(super) fn command(files: &Resolver) -> Option<Seen<(Text, Flags)>> {
    let why = |why: &str| Some(Err(Text::clean(&format!("the kubelet's flags: {why}"))));
    let mut found = match find(files) {
        Ok(found) => found,
        Err(error) => return why(&format!("/proc {error}")),
    };
    // A pod may run a kubelet of its own, which is not the node's, and anybody can call a process so.
    found
        .kubelets
        .retain(|(pid, _)| !is_in_pod(files, *pid) && is_trusted(files, *pid));
    let mut own = found.kubelets.iter().filter(|(_, name)| name == KUBELET);
    match (own.next(), own.next()) {
        (Some((pid, _)), None) => match read(files, *pid) {
            Ok(seen) => Some(Ok(seen)),
            Err(error) => why(&error),
        },
        (Some((one, _)), Some((other, _))) => why(&format!(
            "several processes are called so ({one}, {other}), and which is the node's is not known"
        )),
        (None, _) => match found.kubelets.first() {
            Some((pid, name)) => why(&format!(
                "it is part of {name} (process {pid}), which sets it in its own way"
            )),
            None if found.all => None,
            None => why(
                "the node's processes are not among those that critui sees: run it on the node \
                 itself, or with the node's process ids (hostPID)",
            ),
        },
    }
}

fn is_in_pod(files: &Resolver, pid: u32) -> bool {
    let cgroup = files.read(&folder(pid).join("cgroup"), LARGEST);
    cgroup.is_ok_and(|text| String::from_utf8_lossy(&text).contains("kubepods"))
}

/// It is root's, or of who asks. Below another root files may be anybody's.
fn is_trusted(files: &Resolver, pid: u32) -> bool {
    let owner = files.stat(&folder(pid)).map(|stat| stat.uid);
    !files.is_slash() || owner.is_ok_and(|uid| uid == 0 || uid == geteuid().as_raw())
}

/// What is read is of one and the same process from the first to the last.
fn read(files: &Resolver, pid: u32) -> Result<(Text, Flags), String> {
    let ended = || format!("process {pid} has just ended");
    // Numbers below another root need not be those that the kernel tells this process.
    let held = files.is_slash().then(|| hold(pid)).transpose()?;
    let start = start_of(files, pid);
    let path = folder(pid).join("cmdline");
    let bytes = files.read(&path, LARGEST);
    let bytes = bytes.map_err(|error| format!("{} {error}", path.display()))?;
    let same = name_of(files, pid).is_some_and(|name| name == KUBELET);
    let lives = held.is_none_or(|held| held.lives());
    if !lives || !same || start != start_of(files, pid) {
        return Err(ended());
    }
    let line = String::from_utf8_lossy(&bytes);
    let args: Vec<&str> = line.trim_end_matches('\0').split('\0').collect();
    let path = Text::clean(&path.to_string_lossy());
    Ok((path, flags(&args)))
}

fn hold(pid: u32) -> Result<Held, String> {
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let raw = raw.ok_or_else(|| format!("{pid} is no process"))?;
    let pidfd = pidfd_open(raw, PidfdFlags::empty());
    let pidfd = pidfd.map_err(|error| format!("process {pid} is gone: {error}"))?;
    Ok(Held::new(pidfd, pid))
}
