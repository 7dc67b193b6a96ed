//! Statistics: counters that grow with time, in the shapes of each runtime. They are functions of
//! the clock, so nothing has to run to make them move.

// Every method is a function of one shape, for the table of them.
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps)]

use k8s_cri::v1;
use tonic::Status;

use super::chance::digest;
use super::item::List;
use super::node::Node;
use super::profile::{ExitedStats, Family};
use super::tell::{
    Teller, container_annotations, container_labels, container_metadata, pod_metadata,
};
use super::world::{Container, Id, Pod, State, World};

const SECOND: f64 = 1e9;
/// Length of a wave of load, seconds.
const WAVE: f64 = 47.0;

/// What a container uses at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// CPU time so far, nanoseconds.
    pub cpu: u64,
    /// CPU now, billionths of a core.
    pub rate: u64,
    /// Memory without the cache that can go, bytes.
    pub memory: u64,
    /// With it.
    pub with_cache: u64,
    pub faults: u64,
}

/// What `container` uses at `at`; nothing unless it runs.
// Counters far below 2^52: the conversions lose nothing that matters.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
pub(super) fn usage(container: &Container, at: i64) -> Usage {
    if container.state != State::Running {
        return Usage::default();
    }
    let uses = &container.spec.uses;
    let age = (at - container.started).max(0) as f64 / SECOND;
    let phase = f64::from(container.pid % 97);
    let turn = std::f64::consts::TAU / WAVE;
    let (sine, cosine) = (age * turn + phase).sin_cos();
    let load = f64::from(uses.cpu) * 1e6;
    let cpu = load * (age - 0.4 / turn * (cosine - phase.cos()));
    let full = uses.memory.0 as f64;
    let memory = match container.spec.life.runs {
        // What will be killed for its memory grows into its limit.
        Some(runs) if container.spec.life.oom => {
            full * (0.35 + 0.65 * (age * SECOND / runs.0 as f64).min(1.0))
        }
        _ => full * (1.0 + 0.05 * sine),
    };
    Usage {
        cpu: cpu.max(0.0) as u64,
        rate: (load * (1.0 + 0.4 * sine)) as u64,
        memory: memory as u64 / 4096 * 4096,
        with_cache: (memory * 1.08) as u64 / 4096 * 4096,
        faults: (age * 3.0) as u64 + 1_500,
    }
}

fn value(value: u64) -> Option<v1::UInt64Value> {
    Some(v1::UInt64Value { value })
}

/// Which call is answered: some numbers are missing in some.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ask {
    Single,
    List,
}

fn row(node: &Node, world: &World, container: &Container, ask: Ask) -> Option<v1::ContainerStats> {
    let teller = node.teller("ListContainerStats");
    let attributes = Some(v1::ContainerAttributes {
        id: container.id.to_string(),
        metadata: Some(container_metadata(container)),
        labels: container_labels(container, world),
        annotations: container_annotations(container, world),
    });
    let at = node.stats_time();
    let runs = container.state == State::Running;
    let (cpu, memory, layer) = match (runs, node.traits.stats.exited) {
        (false, ExitedStats::Omitted) => return None,
        (false, ExitedStats::LayerOnly) => (None, None, true),
        (false, ExitedStats::Zeros) => {
            let timestamp = teller.time(at);
            (
                Some(zero_cpu(timestamp)),
                Some(zero_memory(timestamp)),
                false,
            )
        }
        (true, _) => {
            let usage = usage(container, at);
            let limit = u64::try_from(container.memory_limit()).unwrap_or(0);
            let with_rate = ask == Ask::List || !node.traits.stats.single_without_nano_cores;
            (
                Some(cpu(&teller, usage, at, with_rate)),
                Some(memory(&teller, usage, limit, at)),
                true,
            )
        }
    };
    let swap = memory
        .as_ref()
        .filter(|_| node.traits.stats.bogus_swap)
        .map(|memory| v1::SwapUsage {
            timestamp: memory.timestamp,
            swap_available_bytes: memory.available_bytes,
            swap_usage_bytes: memory.working_set_bytes,
        });
    Some(v1::ContainerStats {
        attributes,
        cpu,
        memory,
        writable_layer: layer.then(|| writable_layer(&teller, container, at)),
        swap,
    })
}

fn zero_cpu(timestamp: i64) -> v1::CpuUsage {
    v1::CpuUsage {
        timestamp,
        usage_core_nano_seconds: value(0),
        usage_nano_cores: None,
    }
}

fn zero_memory(timestamp: i64) -> v1::MemoryUsage {
    v1::MemoryUsage {
        timestamp,
        working_set_bytes: value(0),
        ..v1::MemoryUsage::default()
    }
}

fn cpu(teller: &Teller, usage: Usage, at: i64, with_rate: bool) -> v1::CpuUsage {
    let docker = teller.traits.family == Family::CriDockerd;
    v1::CpuUsage {
        timestamp: teller.time(at),
        usage_core_nano_seconds: value(usage.cpu),
        usage_nano_cores: if with_rate && !docker {
            value(usage.rate)
        } else {
            None
        },
    }
}

fn memory(teller: &Teller, usage: Usage, limit: u64, at: i64) -> v1::MemoryUsage {
    let stats = &teller.traits.stats;
    let mut memory = v1::MemoryUsage {
        timestamp: teller.time(at),
        working_set_bytes: value(usage.memory),
        ..v1::MemoryUsage::default()
    };
    if stats.detailed {
        let left = limit.saturating_sub(usage.memory);
        memory.available_bytes = match limit {
            0 => stats.unlimited.and_then(value),
            _ => value(left),
        };
        memory.usage_bytes = value(usage.with_cache);
        memory.rss_bytes = value(usage.memory * 7 / 8);
        let crio = teller.traits.family == Family::CriO;
        memory.page_faults = value(if crio { 0 } else { usage.faults });
        memory.major_page_faults = value(0);
    }
    memory
}

fn writable_layer(teller: &Teller, container: &Container, at: i64) -> v1::FilesystemUsage {
    const COLLECTED: i64 = 10_000_000_000;
    let mountpoint = match teller.traits.family {
        Family::CriO => format!(
            "{}/{}/merged",
            teller.traits.stats.mountpoint,
            digest(&container.id)
        ),
        _ => teller.traits.stats.mountpoint.into(),
    };
    let docker = teller.traits.family == Family::CriDockerd;
    v1::FilesystemUsage {
        // The collector comes by every ten seconds.
        timestamp: teller.time(at - at % COLLECTED),
        fs_id: Some(v1::FilesystemIdentifier { mountpoint }),
        used_bytes: value(8_192 + u64::from(container.pid) % 7 * 4_096),
        inodes_used: if docker {
            None
        } else {
            value(5 + u64::from(container.pid) % 9)
        },
    }
}

pub(super) fn list_containers(
    node: &Node,
    request: v1::ListContainerStatsRequest,
) -> Result<List, Status> {
    let mut world = node.world();
    let filter = request.filter.unwrap_or_default();
    let mut ids: Vec<Id> = world
        .containers
        .values()
        .filter(|container| container.id.starts_with(&filter.id))
        .filter(|container| container.pod.starts_with(&filter.pod_sandbox_id))
        .map(|container| Id::clone(&container.id))
        .collect();
    if !node.story.still {
        world.chance.shuffle(&mut ids);
    }
    let rows = ids
        .iter()
        .filter_map(|id| row(node, &world, &world.containers[id], Ask::List));
    let rows = rows.filter(|row| {
        let labels = row.attributes.as_ref().map(|attributes| &attributes.labels);
        let has = |(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value);
        filter.label_selector.iter().all(has)
    });
    let stats = rows.collect();
    let reply = v1::ListContainerStatsResponse { stats };
    Ok(List::made(node.encode("ListContainerStats", reply)))
}

pub(super) fn container(
    node: &Node,
    request: v1::ContainerStatsRequest,
) -> Result<v1::ContainerStatsResponse, Status> {
    let world = node.world();
    let id = node.container_id(&world, "ContainerStats", &request.container_id)?;
    let container = &world.containers[&id];
    let containerd = node.traits.family == Family::Containerd;
    if containerd && container.state != State::Running {
        return Err(Status::unknown("unexpected metrics response: []"));
    }
    Ok(v1::ContainerStatsResponse {
        stats: row(node, &world, container, Ask::Single),
    })
}

fn pod_row(node: &Node, world: &World, pod: &Pod, own: &[&Container]) -> v1::PodSandboxStats {
    let teller = node.teller("ListPodSandboxStats");
    let at = node.stats_time();
    let total =
        own.iter()
            .map(|container| usage(container, at))
            .fold(Usage::default(), |sum, one| Usage {
                cpu: sum.cpu + one.cpu,
                rate: sum.rate + one.rate,
                memory: sum.memory + one.memory,
                with_cache: sum.with_cache + one.with_cache,
                faults: sum.faults + one.faults,
            });
    let totals = node.traits.stats.pod_totals;
    let pids: u32 = own
        .iter()
        .filter(|container| container.state == State::Running)
        .map(|container| container.spec.uses.pids)
        .sum();
    v1::PodSandboxStats {
        attributes: Some(v1::PodSandboxAttributes {
            id: pod.id.to_string(),
            metadata: Some(pod_metadata(pod)),
            labels: teller.pod_labels(pod),
            annotations: teller.pod_annotations(pod),
        }),
        linux: Some(v1::LinuxPodSandboxStats {
            cpu: totals.then(|| cpu(&teller, total, at, false)),
            memory: totals.then(|| memory(&teller, total, pod_limit(own), at)),
            network: (!pod.spec.host_network).then(|| network(node, pod, total)),
            process: totals.then(|| v1::ProcessUsage {
                timestamp: teller.time(at),
                process_count: value(u64::from(pids) + 1),
            }),
            containers: own
                .iter()
                .filter_map(|container| row(node, world, container, Ask::List))
                .collect(),
        }),
        windows: None,
    }
}

/// A pod is limited if each of its containers is.
fn pod_limit(own: &[&Container]) -> u64 {
    let limits = own
        .iter()
        .map(|container| u64::try_from(container.memory_limit()).unwrap_or(0));
    if limits.clone().any(|limit| limit == 0) {
        0
    } else {
        limits.sum()
    }
}

/// CRI-O takes `lo` for the default interface.
fn network(node: &Node, pod: &Pod, total: Usage) -> v1::NetworkUsage {
    let scale = u64::from(pod.pid % 50) + 1;
    let eth0 = interface(
        "eth0",
        total.cpu / 50_000 * scale + 9_000,
        total.cpu / 90_000 * scale + 800,
    );
    let (default, others) = match node.traits.family {
        Family::CriO => (interface("lo", 0, 0), vec![eth0]),
        _ => (eth0, Vec::new()),
    };
    v1::NetworkUsage {
        timestamp: 0,
        default_interface: Some(default),
        interfaces: others,
    }
}

fn interface(name: &str, received: u64, sent: u64) -> v1::NetworkInterfaceUsage {
    v1::NetworkInterfaceUsage {
        name: name.into(),
        rx_bytes: value(received),
        rx_errors: value(0),
        tx_bytes: value(sent),
        tx_errors: value(0),
    }
}

/// Only ready sandboxes have a row.
pub(super) fn list_pods(
    node: &Node,
    request: v1::ListPodSandboxStatsRequest,
) -> Result<List, Status> {
    let (mut world, filter) = (node.world(), request.filter.unwrap_or_default());
    let mut by_pod = std::collections::BTreeMap::<Id, Vec<Id>>::new();
    for container in world.containers.values() {
        let entry = by_pod.entry(Id::clone(&container.pod)).or_default();
        entry.push(Id::clone(&container.id));
    }
    let mut pods: Vec<Id> = world
        .pods
        .values()
        .filter(|pod| pod.ready && pod.id.starts_with(&filter.id))
        .map(|pod| Id::clone(&pod.id))
        .collect();
    if !node.story.still {
        world.chance.shuffle(&mut pods);
    }
    pods.iter()
        .try_for_each(|id| node.has_cgroup(&world.pods[id]))?;
    let rows = pods.iter().map(|id| {
        let own: Vec<&Container> = by_pod
            .get(id)
            .into_iter()
            .flatten()
            .map(|id| &world.containers[id])
            .collect();
        pod_row(node, &world, &world.pods[id], &own)
    });
    let stats = rows.collect();
    let reply = v1::ListPodSandboxStatsResponse { stats };
    Ok(List::made(node.encode("ListPodSandboxStats", reply)))
}

pub(super) fn pod(
    node: &Node,
    request: v1::PodSandboxStatsRequest,
) -> Result<v1::PodSandboxStatsResponse, Status> {
    let world = node.world();
    let id = node.pod_id(&world, "PodSandboxStats", &request.pod_sandbox_id)?;
    let pod = &world.pods[&id];
    if !pod.ready {
        return Err(Status::unknown(format!(
            "failed to get pod sandbox stats since sandbox container {:?} is not in ready state",
            pod.id
        )));
    }
    node.has_cgroup(pod)?;
    let own = world.containers_of(&id);
    let own: Vec<&Container> = own.iter().map(|id| &world.containers[id]).collect();
    Ok(v1::PodSandboxStatsResponse {
        stats: Some(pod_row(node, &world, pod, &own)),
    })
}

pub(super) fn metric_descriptors(
    _: &Node,
    _: v1::ListMetricDescriptorsRequest,
) -> Result<v1::ListMetricDescriptorsResponse, Status> {
    let descriptor = |name: &str, help: &str| v1::MetricDescriptor {
        name: name.into(),
        help: help.into(),
        label_keys: vec!["id".into(), "name".into()],
    };
    Ok(v1::ListMetricDescriptorsResponse {
        descriptors: vec![
            descriptor(
                "container_cpu_usage_seconds_total",
                "Cumulative cpu time consumed.",
            ),
            descriptor(
                "container_memory_working_set_bytes",
                "Current working set in bytes.",
            ),
        ],
    })
}

pub(super) fn pod_metrics(
    node: &Node,
    _: v1::ListPodSandboxMetricsRequest,
) -> Result<v1::ListPodSandboxMetricsResponse, Status> {
    let world = node.world();
    let teller = node.teller("ListPodSandboxMetrics");
    let at = node.stats_time();
    let metrics = |container: &&Container| v1::ContainerMetrics {
        container_id: container.id.to_string(),
        metrics: vec![v1::Metric {
            name: "container_memory_working_set_bytes".into(),
            timestamp: teller.time(at),
            metric_type: 1,
            label_values: vec![container.id.to_string(), container.spec.name.clone()],
            value: value(usage(container, at).memory),
        }],
    };
    let pods = world.pods.values().filter(|pod| pod.ready).map(|pod| {
        let own = world
            .containers
            .values()
            .filter(|container| container.pod == pod.id);
        v1::PodSandboxMetrics {
            pod_sandbox_id: pod.id.to_string(),
            metrics: Vec::new(),
            container_metrics: own.map(|container| metrics(&container)).collect(),
        }
    });
    Ok(v1::ListPodSandboxMetricsResponse {
        pod_metrics: pods.collect(),
    })
}

pub(super) fn image_fs(
    node: &Node,
    _: v1::ImageFsInfoRequest,
) -> Result<v1::ImageFsInfoResponse, Status> {
    let world = node.world();
    let teller = node.teller("ImageFsInfo");
    let used: u64 = world
        .images
        .values()
        .map(|image| image.spec.size.0 * 2)
        .sum();
    let mountpoint = match node.traits.family {
        Family::CriO => "/var/lib/containers/storage/overlay-images",
        _ => node.traits.stats.mountpoint,
    };
    let system = |inodes| v1::FilesystemUsage {
        timestamp: teller.time(node.stats_time()),
        fs_id: Some(v1::FilesystemIdentifier {
            mountpoint: mountpoint.into(),
        }),
        used_bytes: value(used),
        inodes_used: inodes,
    };
    Ok(v1::ImageFsInfoResponse {
        image_filesystems: vec![system(value(used / 9_000))],
        container_filesystems: match node.traits.family {
            Family::Containerd => Vec::new(),
            Family::CriO => vec![system(value(used / 9_000))],
            Family::CriDockerd => vec![system(None)],
        },
    })
}
