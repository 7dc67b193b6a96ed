//! The node's own files: what it is, how the kubelet is configured, how it fares.

use std::io;

use super::super::mounts::kubelet_mounts;
use super::super::node::Node;
use super::super::scenario::Cgroups;
use super::super::stats::usage;
use super::super::tell::log_folder;
use super::super::world::{Pod, State, World};
use super::cgroup::{container_path, lines};
use super::{Root, SECOND, cgroup1, configs};

/// Memory of the node, kB.
const MEMORY: u64 = 8_010_248;

/// A distribution and its kernel.
#[derive(Debug)]
pub(super) struct Age {
    os: &'static str,
    pub release: &'static str,
    pub version: &'static str,
}

/// With cgroup v2.
static NEW: Age = Age {
    os: "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\nID=debian\n",
    release: "6.12.57+deb13-amd64",
    version: "6.12.57+deb13-amd64 (debian-kernel@lists.debian.org) (x86_64-linux-gnu-gcc-14) #1 SMP PREEMPT_DYNAMIC",
};
/// With cgroup v1.
static OLD: Age = Age {
    os: "PRETTY_NAME=\"Ubuntu 20.04.6 LTS\"\nNAME=\"Ubuntu\"\nVERSION_ID=\"20.04\"\nID=ubuntu\nID_LIKE=debian\n",
    release: "5.4.0-216-generic",
    version: "5.4.0-216-generic (buildd@lcy02-amd64-078) (gcc version 9.4.0 (Ubuntu 9.4.0-1ubuntu1~20.04.2)) #236-Ubuntu SMP",
};

/// What the node runs on.
pub(super) fn age(node: &Node) -> &'static Age {
    match node.story.cgroup {
        Cgroups::V1 => &OLD,
        Cgroups::V2 => &NEW,
    }
}

/// The kubelet's command line: the flags are kubeadm's, but for the last one, which was put into
/// its drop-in once and has been forgotten.
const KUBELET: &str = "/usr/bin/kubelet\0--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf\0--kubeconfig=/etc/kubernetes/kubelet.conf\0--config=/var/lib/kubelet/config.yaml\0--read-only-port=10255\0";

/// Writes what names the node.
pub(super) fn write_name(node: &Node, root: &mut Root) -> io::Result<()> {
    root.write("/etc/hostname", &format!("{}\n", node.story.name))
}

/// Writes what stays as it is.
pub(super) fn write_still(node: &Node, world: &World, root: &mut Root) -> io::Result<()> {
    let name = &node.story.name;
    write_name(node, root)?;
    let age = age(node);
    root.write("/etc/os-release", age.os)?;
    let version = format!("Linux version {}\n", age.version);
    root.write("/proc/version", &version)?;
    root.write("/proc/sys/kernel/hostname", &format!("{name}\n"))?;
    root.write("/proc/sys/kernel/osrelease", &format!("{}\n", age.release))?;
    match node.story.cgroup {
        Cgroups::V1 => cgroup1::begin(root)?,
        Cgroups::V2 => root.write(
            "/sys/fs/cgroup/cgroup.controllers",
            "cpuset cpu io memory hugetlb pids\n",
        )?,
    }
    // Neither AppArmor nor SELinux: as Debian without its apparmor package.
    let modules = "capability,landlock,yama,bpf";
    root.write("/sys/kernel/security/lsm", modules)?;
    root.write("/var/lib/kubelet/config.yaml", &kubelet_config(node))?;
    root.write("/etc/crictl.yaml", &crictl_config(node))?;
    // Only the node itself sees threads of the kernel.
    for (pid, name) in [(1, "systemd"), (2, "kthreadd"), (812, "kubelet")] {
        root.write(&format!("/proc/{pid}/comm"), &format!("{name}\n"))?;
    }
    root.write("/proc/812/cmdline", KUBELET)?;
    for folder in ["/var/log/containers", "/etc/kubernetes/manifests"] {
        std::fs::create_dir_all(root.at(folder))?;
    }
    if node.story.sparse {
        return Ok(());
    }
    for pod in world.pods.values() {
        std::fs::create_dir_all(root.at(&log_folder(pod)))?;
        configs::write(root, pod)?;
        if pod.spec.static_pod {
            let path = format!("/etc/kubernetes/manifests/{}.yaml", pod.spec.name);
            root.write(&path, &manifest(pod))?;
        }
    }
    for container in world.containers.values() {
        let Some(pod) = world.pods.get(&container.pod) else {
            continue;
        };
        for (_, path) in kubelet_mounts(container, pod) {
            root.write(&path, "")?;
        }
    }
    Ok(())
}

fn kubelet_config(node: &Node) -> String {
    format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
containerLogMaxFiles: 5
containerLogMaxSize: 1Mi
containerRuntimeEndpoint: unix:///{}
evictionHard: {{memory.available: 100Mi, nodefs.available: 10%, imagefs.available: 15%}}
maxPods: 110
staticPodPath: /etc/kubernetes/manifests
authentication: {{anonymous: {{enabled: false}}, webhook: {{enabled: true}}, x509: {{clientCAFile: /etc/kubernetes/pki/ca.crt}}}}
authorization: {{mode: Webhook}}
rotateCertificates: true
",
        node.traits.socket
    )
}

fn crictl_config(node: &Node) -> String {
    format!(
        "runtime-endpoint: unix:///{}\ntimeout: 2\n",
        node.traits.socket
    )
}

fn manifest(pod: &Pod) -> String {
    use std::fmt::Write as _;
    let spec = &pod.spec;
    let mut out = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n  namespace: {}\nspec:\n  hostNetwork: {}\n  containers:\n",
        spec.name.trim_end_matches("-worker-3"),
        spec.namespace,
        spec.host_network
    );
    for container in &spec.containers {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "  - name: {}\n    image: {}",
            container.name, container.image
        );
    }
    out
}

/// Writes what moves.
pub(super) fn write_moving(node: &Node, world: &World, root: &mut Root) -> io::Result<()> {
    let at = node.stats_time();
    let up = (at - node.story.boot) / SECOND;
    let (mut memory, mut cpu) = (900_u64 << 20, 0);
    for container in world.containers.values() {
        let used = usage(container, at);
        memory += used.with_cache;
        cpu += used.rate;
    }
    if !node.story.sparse {
        write_processes(node, world, root)?;
    }
    root.write("/proc/uptime", &format!("{up}.00 {up}.00\n"))?;
    root.write("/proc/meminfo", &meminfo(memory / 1024))?;
    root.write(
        "/proc/stat",
        &stat(up.unsigned_abs(), cpu, node.story.boot / SECOND),
    )?;
    let load = cpu / 10_000_000;
    let load = format!("{}.{:02}", load / 100, load % 100);
    root.write(
        "/proc/loadavg",
        &format!("{load} {load} {load} 2/861 91734\n"),
    )?;
    for (name, some, full) in [("cpu", 3_12, 0), ("memory", 41, 12), ("io", 88, 51)] {
        root.write(&format!("/proc/pressure/{name}"), &pressure(some, full, up))?;
    }
    Ok(())
}

/// The first process of each container that runs.
fn write_processes(node: &Node, world: &World, root: &mut Root) -> io::Result<()> {
    for container in world.containers.values() {
        let pod = world.pods.get(&container.pod);
        let Some(pod) = pod.filter(|_| container.state == State::Running) else {
            continue;
        };
        let (pid, path) = (container.pid, container_path(node, container, pod));
        let command = container.spec.command.first().map_or("app", String::as_str);
        let name = command.rsplit('/').next().unwrap_or(command);
        root.write(&format!("/proc/{pid}/comm"), &format!("{name}\n"))?;
        root.write(
            &format!("/proc/{pid}/stat"),
            &format!("{pid} ({name}) S 1 {pid} {pid} 0 -1 4194560\n"),
        )?;
        let lines = lines(node.story.cgroup, &path);
        root.write(&format!("/proc/{pid}/cgroup"), &lines)?;
        root.write(&format!("/proc/{pid}/wchan"), "do_epoll_wait")?;
    }
    Ok(())
}

/// Shares in hundredths of a percent.
fn pressure(some: i64, full: i64, up: i64) -> String {
    let line = |kind: &str, share: i64| {
        let (whole, rest) = (share / 100, share % 100);
        let total = share * up * 100;
        format!(
            "{kind} avg10={whole}.{rest:02} avg60={whole}.{rest:02} avg300={whole}.{rest:02} total={total}\n"
        )
    };
    line("some", some) + &line("full", full)
}

fn meminfo(used: u64) -> String {
    let cached = 1_900_000;
    let free = MEMORY.saturating_sub(used + cached);
    format!(
        "MemTotal:        {MEMORY} kB
MemFree:         {free} kB
MemAvailable:    {} kB
Buffers:          186364 kB
Cached:          {cached} kB
SwapCached:            0 kB
SwapTotal:             0 kB
SwapFree:              0 kB
AnonPages:       {used} kB
",
        free + cached * 8 / 10
    )
}

/// Two cores, in ticks of a hundredth of a second.
fn stat(up: u64, rate: u64, boot: i64) -> String {
    let busy = up * (rate / 10_000_000);
    let idle = (up * 200).saturating_sub(busy);
    let line = |name: &str, share: u64| {
        format!(
            "{name} {} 0 {} {} 97 0 221 0 0 0\n",
            busy * 2 / 3 / share,
            busy / 3 / share,
            idle / share
        )
    };
    line("cpu ", 1)
        + &line("cpu0", 2)
        + &line("cpu1", 2)
        + &format!("btime {boot}\nprocesses 91734\n")
}
