//! The cgroup files of containers: version 1 and 2, with either driver.
//!
//! A cgroup is believed to be a container's when its path names the container. It can vanish at
//! any moment, so each file may be missing by itself; what could not be read is not known.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::open::{HostRoot, Resolver};
use crate::domain::{ContainerId, Limits};
use crate::stats::cgroup::{Cgroup, Counters, Gauges, Look};
use crate::text::Text;

mod parse;

pub(super) use parse::pressure;
use parse::{field, first, io_v1, io_v2, limit, quota_v2};

/// Longest look at the cgroups of all containers that are asked for.
const DEADLINE: Duration = Duration::from_secs(2);
/// Largest file that is read.
const LARGEST: u64 = 256 << 10;
/// Where cgroups are mounted.
const MOUNT: &str = "/sys/fs/cgroup";

/// What the runtime says of where a container's cgroup is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The container.
    pub id: ContainerId,
    /// Its first process.
    pub pid: Option<u32>,
    /// `cgroupsPath` of its specification: a path, or `slice:prefix:name` with the systemd
    /// driver.
    pub path: Option<Text>,
}

/// Looks at the cgroups of all `claims` in one go, in their order. The error is a line for the
/// user: nothing could be looked at.
pub fn look(host: &HostRoot, claims: Vec<Claim>) -> Result<Vec<(ContainerId, Look)>, Text> {
    let looked = host.work(DEADLINE, move |files| {
        let version = version(files);
        let one = |claim: Claim| {
            let look = look_at(files, version, &claim);
            (claim.id, look)
        };
        Ok(claims.into_iter().map(one).collect())
    });
    looked.map_err(|error| Text::clean(&format!("{MOUNT} {error}")))
}

/// Which hierarchy the node has. Where both are mounted (hybrid), containers are in version 1.
fn version(files: &Resolver) -> u8 {
    let unified = Path::new(MOUNT).join("cgroup.controllers");
    if files.stat(&unified).is_ok() { 2 } else { 1 }
}

fn look_at(files: &Resolver, version: u8, claim: &Claim) -> Look {
    let Some(path) = place(files, claim) else {
        return Look::default();
    };
    let read = |path: &Path| {
        if version == 2 {
            read_v2(files, path)
        } else {
            read_v1(files, path)
        }
    };
    Look {
        own: read(&path),
        pod: path
            .parent()
            .filter(|parent| *parent != Path::new("/"))
            .and_then(read),
    }
}

/// Path of a container's cgroup below the mount: as its process says, else as its specification.
fn place(files: &Resolver, claim: &Claim) -> Option<PathBuf> {
    let of_process = claim.pid.and_then(|pid| {
        let text = text(
            files,
            &Path::new("/proc").join(pid.to_string()).join("cgroup"),
        )?;
        let mut paths = text.lines().filter_map(|line| line.splitn(3, ':').nth(2));
        paths.find_map(|path| checked(path, &claim.id))
    });
    of_process.or_else(|| {
        let path = claim.path.as_ref()?.as_str();
        let path = match path.split(':').collect::<Vec<_>>()[..] {
            [slice, prefix, name] => systemd(slice, prefix, name)?,
            _ => path.to_owned(),
        };
        checked(&path, &claim.id)
    })
}

/// An absolute path without a way up that names the container: with that in it, it is nobody
/// else's, even if the process is another's by now.
fn checked(path: &str, id: &ContainerId) -> Option<PathBuf> {
    let path = Path::new(path);
    let plain = path
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    let last = path.file_name()?.to_str()?;
    let named = id.as_str().len() >= 12 && last.contains(id.as_str());
    (path.is_absolute() && plain && named).then(|| path.to_owned())
}

/// What systemd makes of `slice:prefix:name`: a slice lies in those that its name begins with.
fn systemd(slice: &str, prefix: &str, name: &str) -> Option<String> {
    let bare = slice.strip_suffix(".slice")?;
    let mut path = String::new();
    for (end, _) in bare.match_indices('-').chain([(bare.len(), "")]) {
        path = format!("{path}/{}.slice", &bare[..end]);
    }
    Some(format!("{path}/{prefix}-{name}.scope"))
}

fn text(files: &Resolver, path: &Path) -> Option<String> {
    let bytes = files.read(path, LARGEST).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_v2(files: &Resolver, path: &Path) -> Option<Cgroup> {
    let folder = Path::new(MOUNT).join(path.strip_prefix("/").unwrap_or(path));
    let read = |name: &str| text(files, &folder.join(name));
    let number = |name: &str| read(name).and_then(|text| first(&text));
    // Without these two it is no cgroup, or it is just going.
    let cpu = read("cpu.stat");
    let current = number("memory.current");
    if cpu.is_none() && current.is_none() {
        return None;
    }
    let events = read("memory.events");
    let inactive = read("memory.stat").and_then(|text| field(&text, "inactive_file"));
    let (quota, period) = read("cpu.max").map_or((0, 0), |text| quota_v2(&text));
    let stat = |name: &str| cpu.as_deref().and_then(|text| field(text, name));
    let (read_bytes, written) = read("io.stat").map(|text| io_v2(&text)).unzip();
    let pressure = |name: &str| read(name).and_then(|text| pressure(&text));
    Some(Cgroup {
        version: 2,
        limits: Limits::of(
            read("memory.max").map_or(0, |text| limit(&text)),
            quota,
            period,
        ),
        counters: Counters {
            throttled: stat("throttled_usec").map(|micro| micro.saturating_mul(1000)),
            periods: stat("nr_periods").zip(stat("nr_throttled")),
            read: read_bytes,
            written,
            oom_kills: events.and_then(|text| field(&text, "oom_kill")),
        },
        gauges: Gauges {
            working_set: current.map(|used| used.saturating_sub(inactive.unwrap_or(0))),
            peak: number("memory.peak"),
            pids: number("pids.current"),
            pids_limit: number("pids.max"),
            pressure: ["cpu.pressure", "memory.pressure", "io.pressure"].map(pressure),
        },
    })
}

/// In version 1 each controller has a hierarchy of its own.
fn read_v1(files: &Resolver, path: &Path) -> Option<Cgroup> {
    let below = path.strip_prefix("/").unwrap_or(path);
    let read = |controllers: &[&str], name: &str| {
        let mut folders = controllers
            .iter()
            .map(|one| Path::new(MOUNT).join(one).join(below));
        folders.find_map(|folder| text(files, &folder.join(name)))
    };
    let cpu = |name: &str| read(&["cpu", "cpu,cpuacct", "cpuacct,cpu"], name);
    let memory = |name: &str| read(&["memory"], name);
    let number = |text: Option<String>| text.and_then(|text| first(&text));
    let used = number(memory("memory.usage_in_bytes"));
    let stat = cpu("cpu.stat");
    if used.is_none() && stat.is_none() {
        return None;
    }
    let of_stat = |name: &str| stat.as_deref().and_then(|text| field(text, name));
    let inactive = memory("memory.stat").and_then(|text| field(&text, "total_inactive_file"));
    let signed = |text: Option<String>| text.map_or(0, |text| limit(&text));
    let io = read(&["blkio"], "blkio.throttle.io_service_bytes_recursive");
    let (read_bytes, written) = io.and_then(|text| io_v1(&text)).unzip();
    Some(Cgroup {
        version: 1,
        limits: Limits::of(
            signed(memory("memory.limit_in_bytes")),
            signed(cpu("cpu.cfs_quota_us")),
            signed(cpu("cpu.cfs_period_us")),
        ),
        counters: Counters {
            throttled: of_stat("throttled_time"),
            periods: of_stat("nr_periods").zip(of_stat("nr_throttled")),
            read: read_bytes,
            written,
            oom_kills: memory("memory.oom_control").and_then(|text| field(&text, "oom_kill")),
        },
        gauges: Gauges {
            working_set: used.map(|used| used.saturating_sub(inactive.unwrap_or(0))),
            peak: number(memory("memory.max_usage_in_bytes")),
            pids: number(read(&["pids"], "pids.current")),
            pids_limit: number(read(&["pids"], "pids.max")),
            // Version 1 has none.
            pressure: [None; 3],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::cgroup::Pressure;
    use rstest::rstest;

    const ENDED: &str = "a373e57c0c0e873e9a17bd2d3b378ddf40f1193df863ed8b51958566872ae6f8";
    const THROTTLED: &str = "d5628ee187f60ed520753953a5fe906329cba51bd914c4ed2e01d513ace77f78";
    const V1: &str = "9cfc3b5665aab24b47108f520d32871db22ca9be293937c62fe2a8d0ef2a8d00";

    fn tree(name: &str) -> HostRoot {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/stats")
            .join(name);
        HostRoot::new(&path).unwrap()
    }

    fn claim(id: &str, pid: Option<u32>, path: Option<&str>) -> Claim {
        Claim {
            id: ContainerId::new(id),
            pid,
            path: path.map(Text::clean),
        }
    }

    fn one(host: &HostRoot, claim: Claim) -> Look {
        let id = claim.id.clone();
        let mut looks = look(host, vec![claim]).unwrap();
        let (of, look) = looks.pop().unwrap();
        assert_eq!((of, looks.len()), (id, 0));
        look
    }

    /// Files of a real node with cgroup v2 and the systemd driver.
    #[test]
    fn version_2_by_the_process() {
        let look = one(&tree("cgroup2"), claim(THROTTLED, Some(1462), None));
        let own = look.own.unwrap();
        let limits = Limits {
            memory: Some(16 << 20),
            cpu: Some(10_000),
        };
        assert_eq!((own.version, own.limits), (2, limits));
        assert_eq!(own.counters.throttled, Some(16_811_045_000));
        assert_eq!(own.counters.periods, Some((205, 178)));
        assert_eq!(own.counters.oom_kills, Some(0));
        // The file is there and empty: nothing was read or written.
        assert_eq!(
            (own.counters.read, own.counters.written),
            (Some(0), Some(0))
        );
        assert_eq!(own.gauges.peak, Some(8_425_472));
        assert_eq!(own.gauges.working_set, Some(454_656));
        assert_eq!(
            (own.gauges.pids, own.gauges.pids_limit),
            (Some(2), Some(2940))
        );
        let cpu = Pressure {
            some: 815,
            full: 815,
        };
        assert_eq!(own.gauges.pressure[0], Some(cpu));
        assert_eq!(look.pod.unwrap().version, 2);
    }

    #[test]
    fn version_2_by_the_systemd_drivers_path() {
        let path = format!(
            "kubepods-burstable-podf8fe52534bc2533a4d6e03f29bf432e6.slice:cri-containerd:{ENDED}"
        );
        let own = one(&tree("cgroup2"), claim(ENDED, None, Some(&path)))
            .own
            .unwrap();
        assert_eq!(own.limits, Limits::default());
        assert_eq!(own.counters.read, Some(1_589_248));
    }

    /// Files of a real node with cgroup v1 and the cgroupfs driver.
    #[test]
    fn version_1_by_the_cgroupfs_drivers_path() {
        let path = format!("/node/kubepods/pod4799bba3ae4a88db385541be6935e302/{V1}");
        let look = one(&tree("cgroup1"), claim(V1, None, Some(&path)));
        let own = look.own.unwrap();
        let limits = Limits {
            memory: Some(16 << 20),
            cpu: Some(10_000),
        };
        assert_eq!((own.version, own.limits), (1, limits));
        assert_eq!(own.counters.throttled, Some(13_534_788_113));
        assert_eq!(own.gauges.peak, Some(5_464_064));
        assert_eq!((own.gauges.pids, own.gauges.pids_limit), (Some(2), None));
        assert_eq!(own.counters.oom_kills, Some(0));
        // Nobody recorded these.
        assert_eq!((own.counters.read, own.gauges.pressure), (None, [None; 3]));
        assert!(look.pod.is_some());
    }

    #[rstest]
    #[case::gone_but_not_its_pod(
        claim(
            "000000000000aaaa",
            None,
            Some(
                "/kubepods.slice/kubepods-pode3730ce9ea1a177da54525d38aae9cf9.slice/cri-containerd-000000000000aaaa.scope"
            ),
        ),
        true
    )]
    #[case::the_process_is_anothers_by_now(claim("000000000000aaaa", Some(1462), None), false)]
    #[case::no_such_process(claim(THROTTLED, Some(4), None), false)]
    #[case::nothing_is_known(claim(THROTTLED, None, None), false)]
    #[case::a_way_up(claim(THROTTLED, None, Some(&format!("/../../etc/{THROTTLED}"))), false)]
    #[case::somebody_elses(claim(THROTTLED, None, Some("/kubepods.slice")), false)]
    #[case::no_id(claim("", None, Some("/kubepods.slice")), false)]
    fn what_cannot_be_looked_at_is_unknown(#[case] claim: Claim, #[case] pod: bool) {
        let look = one(&tree("cgroup2"), claim);
        assert_eq!((look.own, look.pod.is_some()), (None, pod));
    }

    #[test]
    fn a_root_without_cgroups() {
        let empty = tempfile::tempdir().unwrap();
        let host = HostRoot::new(empty.path()).unwrap();
        let look = one(
            &host,
            claim(THROTTLED, Some(1), Some(&format!("/x/{THROTTLED}"))),
        );
        assert_eq!(look, Look::default());
    }

    #[rstest]
    #[case(
        "kubepods-burstable-pod1_2.slice",
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/crio-x.scope"
    )]
    #[case("system.slice", "/system.slice/crio-x.scope")]
    fn slices_lie_in_slices(#[case] slice: &str, #[case] path: &str) {
        assert_eq!(systemd(slice, "crio", "x").as_deref(), Some(path));
        assert_eq!(systemd("kubepods", "crio", "x"), None);
    }
}
