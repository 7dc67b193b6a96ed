//! The `info` of verbose calls, in the shape of each runtime.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::chance::digest;
use super::mounts::{host_mounts, kubelet_mounts};
use super::node::Node;
use super::profile::Family;
use super::tell::{
    Teller, cgroup_parent, container_annotations, container_labels, cpu_quota, cpu_shares,
    log_folder, oom_score,
};
use super::world::{Container, Image, Pod, State, World};

type Info = HashMap<String, String>;

fn one(key: &str, value: &Value) -> Info {
    HashMap::from([(key.to_owned(), value.to_string())])
}

/// containerd's values are JSON, but for one bare word.
pub(super) fn runtime(node: &Node) -> Info {
    let traits = node.traits;
    match traits.family {
        Family::CriDockerd => one(
            "config",
            &json!({"sandboxImage": "registry.k8s.io/pause:3.10"}),
        ),
        Family::CriO => one(
            "config",
            &json!({"sandboxImage": "registry.k8s.io/pause:3.10", "crio": {
                "CgroupManagerName": "systemd", "DefaultRuntime": "runc", "LogSizeMax": -1,
                "Root": "/var/lib/containers/storage", "RunRoot": "/run/containers/storage",
                "StreamIdleTimeout": "", "StreamPort": "0",
            }}),
        ),
        Family::Containerd => HashMap::from([
            ("config".into(), containerd_config().to_string()),
            ("cniconfig".into(), cni_config().to_string()),
            ("golang".into(), json!("go1.25.4").to_string()),
            ("lastCNILoadStatus".into(), "OK".into()),
            ("lastCNILoadStatus.default".into(), "OK".into()),
        ]),
    }
}

fn containerd_config() -> Value {
    json!({
        "containerd": {"defaultRuntimeName": "runc", "runtimes": {"runc": {
            "options": {"SystemdCgroup": true}, "runtimeType": "io.containerd.runc.v2",
            "sandboxer": "podsandbox", "snapshotter": "",
        }}},
        "containerdEndpoint": "/run/containerd/containerd.sock",
        "containerdRootDir": "/var/lib/containerd",
        "rootDir": "/var/lib/containerd/io.containerd.grpc.v1.cri",
        "stateDir": "/run/containerd/io.containerd.grpc.v1.cri",
        "maxContainerLogLineSize": 16384, "enableSelinux": false, "statsCollectPeriod": 10,
        "disableApparmor": false, "unsetSeccompProfile": "",
        "sandboxImage": "registry.k8s.io/pause:3.10",
    })
}

fn cni_config() -> Value {
    json!({
        "Networks": [
            {"Config": {"CNIVersion": "0.3.1", "Name": "cni-loopback"}, "IFName": "lo"},
            {"Config": {"CNIVersion": "1.0.0", "Name": "k8s-pod-network"}, "IFName": "eth0"},
        ],
        "PluginConfDir": "/etc/cni/net.d", "PluginDirs": ["/opt/cni/bin"],
        "PluginMaxConfNum": 1, "Prefix": "eth",
    })
}

pub(super) fn pod(teller: &Teller, pod: &Pod) -> Info {
    let traits = teller.traits;
    let spec = json!({
        "annotations": {"io.kubernetes.cri.container-type": "sandbox",
            "io.kubernetes.cri.sandbox-id": pod.id.as_ref()},
        "hostname": pod.spec.name,
        "linux": {"cgroupsPath": format!("{}:{}:{}", slice(pod), scope(traits.family), pod.id),
            "namespaces": pod_namespaces(pod)},
        "ociVersion": "1.2.1", "process": {"args": ["/pause"], "cwd": "/", "oomScoreAdj": -998},
        "root": {"path": "rootfs", "readonly": true},
    });
    match traits.family {
        Family::CriDockerd => Info::new(),
        Family::CriO => one("info", &json!({"runtimeSpec": spec})),
        Family::Containerd => {
            let mut info = json!({
                "pid": if pod.ready { pod.pid } else { 0 },
                "processStatus": if pod.ready { "running" } else { "deleted" },
                "netNamespaceClosed": !pod.ready, "image": "registry.k8s.io/pause:3.10",
                "snapshotKey": pod.id.as_ref(), "snapshotter": "overlayfs",
                "runtimeType": "io.containerd.runc.v2", "runtimeOptions": {"systemd_cgroup": true},
                "config": pod_config(teller, pod), "runtimeSpec": spec, "cniResult": cni(pod),
            });
            // 2.x tells more of it, 1.x has the handler here.
            if traits.v1alpha2 {
                info["runtimeHandler"] = json!("");
            } else {
                info["sandboxMetadata"] = sandbox_metadata(pod);
            }
            one("info", &info)
        }
    }
}

fn sandbox_metadata(pod: &Pod) -> Value {
    let spec = &pod.spec;
    let name = format!(
        "{}_{}_{}_{}",
        spec.name, spec.namespace, pod.uid, pod.attempt
    );
    json!({"Version": "v1", "Metadata": {
        "ID": pod.id.as_ref(), "Name": name, "IP": pod.ip, "AdditionalIPs": null,
        "NetNSPath": netns(pod), "RuntimeHandler": "", "ProcessLabel": "", "CNIResult": cni(pod),
    }})
}

fn slice(pod: &Pod) -> String {
    let parent = cgroup_parent(&pod.spec, &pod.uid);
    parent.rsplit('/').next().unwrap_or_default().to_owned()
}

fn scope(family: Family) -> &'static str {
    match family {
        Family::Containerd => "cri-containerd",
        Family::CriO => "crio",
        Family::CriDockerd => "docker",
    }
}

fn netns(pod: &Pod) -> String {
    format!("/var/run/netns/cni-{}", &digest(&pod.id)[..32])
}

fn pod_namespaces(pod: &Pod) -> Value {
    let mut all = vec![json!({"type": "ipc"}), json!({"type": "mount"})];
    if !pod.spec.host_pid {
        all.push(json!({"type": "pid"}));
    }
    if !pod.spec.host_network {
        all.push(json!({"type": "uts"}));
        all.push(json!({"type": "network", "path": netns(pod)}));
    }
    Value::Array(all)
}

fn pod_config(teller: &Teller, pod: &Pod) -> Value {
    let network = if pod.spec.host_network { 2 } else { 0 };
    let pid = if pod.spec.host_pid { 2 } else { 1 };
    json!({
        "metadata": {"name": pod.spec.name, "namespace": pod.spec.namespace,
            "uid": pod.uid.as_ref(), "attempt": pod.attempt},
        "hostname": pod.spec.name, "log_directory": log_folder(pod),
        "dns_config": {"servers": ["10.96.0.10"], "options": ["ndots:5"]},
        "labels": teller.pod_labels(pod), "annotations": teller.pod_annotations(pod),
        "linux": {"cgroup_parent": cgroup_parent(&pod.spec, &pod.uid),
            "security_context": {"namespace_options": {"network": network, "pid": pid}}},
    })
}

fn cni(pod: &Pod) -> Value {
    if pod.ip.is_empty() {
        return Value::Null;
    }
    json!({"Interfaces": {"eth0": {"IPConfigs": [{"IP": pod.ip, "Gateway": "10.244.3.1"}],
        "Mac": "02:64:bd:4a:1b:42", "Sandbox": netns(pod)}}})
}

pub(super) fn container(teller: &Teller, container: &Container, world: &World) -> Info {
    let Some(pod) = world.pods.get(&container.pod) else {
        return Info::new();
    };
    let spec = runtime_spec(teller, container, pod, world);
    let info = match teller.traits.family {
        Family::CriDockerd => json!({"sandboxID": pod.id.as_ref(), "pid": live_pid(container)}),
        // CRI-O keeps the pid after the exit.
        Family::CriO => json!({
            "sandboxID": pod.id.as_ref(), "pid": container.pid, "runtimeSpec": spec,
            "privileged": container.spec.privileged,
        }),
        Family::Containerd => json!({
            "sandboxID": pod.id.as_ref(), "pid": live_pid(container), "removing": false,
            "snapshotKey": container.id.as_ref(), "snapshotter": "overlayfs",
            "runtimeType": "io.containerd.runc.v2", "runtimeOptions": {"systemd_cgroup": true},
            "config": container_config(teller, container, pod, world), "runtimeSpec": spec,
        }),
    };
    one("info", &info)
}

fn live_pid(container: &Container) -> u32 {
    if container.state == State::Running {
        container.pid
    } else {
        0
    }
}

fn container_config(teller: &Teller, container: &Container, pod: &Pod, world: &World) -> Value {
    let spec = &container.spec;
    let image = world
        .image(&spec.image)
        .map(|image| teller.traits.image_id(&image.id));
    let envs: Vec<Value> = spec
        .env
        .iter()
        .filter_map(|entry| entry.split_once('='))
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    let mounts: Vec<Value> = kubelet_mounts(container, pod)
        .into_iter()
        .map(|(inside, outside)| json!({"container_path": inside, "host_path": outside}))
        .chain(host_mounts(container).map(|(inside, outside, read_only)| {
            let mut mount = json!({"container_path": inside, "host_path": outside});
            if read_only {
                mount["readonly"] = json!(true);
            }
            mount
        }))
        .collect();
    let mut config = json!({
        "metadata": {"name": spec.name, "attempt": container.attempt},
        "image": {"image": image, "user_specified_image": spec.image},
        "command": spec.command, "envs": envs, "mounts": mounts,
        "labels": container_labels(container, world),
        "annotations": container_annotations(container, world),
        "log_path": format!("{}/{}.log", spec.name, container.attempt),
        "linux": {"resources": {"cpu_period": 100_000, "cpu_shares": cpu_shares(container),
                "memory_limit_in_bytes": container.memory_limit(),
                "oom_score_adj": oom_score(container, world)},
            "security_context": {"privileged": spec.privileged,
                "namespace_options": {"pid": if pod.spec.host_pid { 2 } else { 1 }},
                "run_as_user": {}, "seccomp": {"profile_type": 1}}},
    });
    if spec.tty {
        config["tty"] = json!(true);
        config["stdin"] = json!(true);
    }
    config
}

fn runtime_spec(teller: &Teller, container: &Container, pod: &Pod, world: &World) -> Value {
    let family = teller.traits.family;
    let limit = container.memory_limit();
    let memory = if limit > 0 {
        json!({"limit": limit, "swap": limit})
    } else {
        json!({})
    };
    let image = world.image(&container.spec.image);
    let uid: u32 = image
        .and_then(|image| image.spec.user.parse().ok())
        .unwrap_or(0);
    let mut cpu = json!({"period": 100_000, "shares": cpu_shares(container)});
    if cpu_quota(container) > 0 {
        cpu["quota"] = json!(cpu_quota(container));
    }
    json!({
        "annotations": spec_annotations(teller, container, pod, world),
        "linux": {
            "cgroupsPath": format!("{}:{}:{}", slice(pod), scope(family), container.id),
            "namespaces": pod_namespaces(pod), "resources": {"cpu": cpu, "memory": memory},
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc",
            "options": ["nosuid", "noexec", "nodev"]}],
        "ociVersion": "1.2.1",
        "process": {"args": container.spec.command, "cwd": "/", "env": container.spec.env,
            "capabilities": capabilities(container.spec.privileged),
            "oomScoreAdj": oom_score(container, world), "user": {"uid": uid, "gid": uid}},
        "root": {"path": match family {
            Family::CriO => format!("/var/lib/containers/storage/overlay/{}/merged", digest(&container.id)),
            _ => "rootfs".into(),
        }},
    })
}

fn capabilities(privileged: bool) -> Value {
    let mut all = vec![
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_FOWNER",
        "CAP_KILL",
        "CAP_NET_BIND_SERVICE",
        "CAP_SETGID",
        "CAP_SETUID",
    ];
    if privileged {
        all.extend([
            "CAP_SYS_ADMIN",
            "CAP_NET_ADMIN",
            "CAP_SYS_PTRACE",
            "CAP_SYS_MODULE",
        ]);
    }
    json!({"bounding": all, "effective": all, "permitted": all})
}

fn spec_annotations(teller: &Teller, container: &Container, pod: &Pod, world: &World) -> Value {
    let spec = &container.spec;
    if teller.traits.family != Family::CriO {
        return json!({
            "io.kubernetes.cri.container-name": spec.name,
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.image-name": spec.image,
            "io.kubernetes.cri.sandbox-id": pod.id.as_ref(),
            "io.kubernetes.cri.sandbox-name": pod.spec.name,
            "io.kubernetes.cri.sandbox-namespace": pod.spec.namespace,
            "io.kubernetes.cri.sandbox-uid": pod.uid.as_ref(),
        });
    }
    let log = super::tell::log_path(container, world);
    json!({
        "io.container.manager": "cri-o", "io.kubernetes.cri-o.ContainerType": "container",
        "io.kubernetes.cri-o.ContainerID": container.id.as_ref(),
        "io.kubernetes.cri-o.ImageName": spec.image, "io.kubernetes.cri-o.IP.0": pod.ip,
        "io.kubernetes.cri-o.LogPath": log,
        "io.kubernetes.cri-o.MountPoint":
            format!("/var/lib/containers/storage/overlay/{}/merged", digest(&container.id)),
        "io.kubernetes.cri-o.SandboxID": pod.id.as_ref(),
        "io.kubernetes.cri-o.Stdin": spec.tty.to_string(),
        "io.kubernetes.cri-o.TTY": spec.tty.to_string(),
    })
}

pub(super) fn image(teller: &Teller, image: &Image) -> Info {
    let spec = json!({
        "created": "2026-01-01T00:00:00Z", "architecture": "amd64", "os": "linux",
        "config": {"User": image.spec.user, "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
            "Cmd": ["/bin/sh"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", digest(&image.id))]},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "COPY / /"}],
    });
    match teller.traits.family {
        Family::Containerd => one(
            "info",
            &json!({"chainID": format!("sha256:{}", digest(&image.id)), "imageSpec": spec}),
        ),
        _ => one("info", &json!({"imageSpec": spec})),
    }
}
