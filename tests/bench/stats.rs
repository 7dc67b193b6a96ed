//! What statistics cost: a round of 5,000 containers beside decoding the same reply, and an hour
//! of their history in memory. Started by `tests/bench/demo`; prints, and fails only when it is
//! beyond all measure.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use critui::cri::samples_of;
use critui::domain::{Changes, Container, ContainerId, ContainerState, ImageId, Limits, PodId};
use critui::model::Store;
use critui::stats::rate::Moment;
use critui::stats::{Load, Meters};
use jiff::{SignedDuration, Timestamp};
use k8s_cri::v1;
use prost::Message as _;

const CONTAINERS: usize = 5000;
const RUNS: usize = 15;

// As the messages have it.
#[allow(clippy::unnecessary_wraps)]
fn value(value: u64) -> Option<v1::UInt64Value> {
    Some(v1::UInt64Value { value })
}

fn id(nth: usize) -> String {
    format!("{nth:064x}")
}

/// A reply as containerd sends it under a kubelet.
fn reply(second: u64) -> Vec<u8> {
    let at = i64::try_from(second).unwrap_or(0) * 1_000_000_000 + 1;
    let strings = |pairs: &[(&str, &str)]| {
        let owned = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        owned.collect()
    };
    let item = |nth: usize| {
        let busy = u64::try_from(nth).unwrap_or(0) % 400 * 1_000_000;
        v1::ContainerStats {
            attributes: Some(v1::ContainerAttributes {
                id: id(nth),
                metadata: Some(v1::ContainerMetadata {
                    name: "app".into(),
                    attempt: 0,
                }),
                labels: strings(&[
                    ("io.kubernetes.container.name", "app"),
                    ("io.kubernetes.pod.name", "payments-6c4d8b7f95-9xvkz"),
                    ("io.kubernetes.pod.namespace", "shop"),
                    (
                        "io.kubernetes.pod.uid",
                        "7f1c2f0e-5f0a-4e1a-9d61-1d4f6e5b7a90",
                    ),
                ]),
                annotations: strings(&[
                    ("io.kubernetes.container.hash", "c3a1529d"),
                    ("io.kubernetes.container.restartCount", "0"),
                    (
                        "io.kubernetes.container.terminationMessagePath",
                        "/dev/termination-log",
                    ),
                    ("io.kubernetes.container.terminationMessagePolicy", "File"),
                    ("io.kubernetes.pod.terminationGracePeriod", "30"),
                ]),
            }),
            cpu: Some(v1::CpuUsage {
                timestamp: at,
                usage_core_nano_seconds: value(1 + second * busy),
                usage_nano_cores: value(busy),
            }),
            memory: Some(v1::MemoryUsage {
                timestamp: at,
                working_set_bytes: value((50 << 20) + second * 4096),
                available_bytes: value(78 << 20),
                usage_bytes: value(60 << 20),
                rss_bytes: value(40 << 20),
                page_faults: value(1562),
                major_page_faults: value(0),
            }),
            writable_layer: Some(v1::FilesystemUsage {
                timestamp: at,
                fs_id: Some(v1::FilesystemIdentifier {
                    mountpoint: "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs".into(),
                }),
                used_bytes: value(8192),
                inodes_used: value(5),
            }),
            swap: None,
        }
    };
    let stats = (0..CONTAINERS).map(item).collect();
    v1::ListContainerStatsResponse { stats }.encode_to_vec()
}

fn store() -> Store {
    let container = |nth: usize| {
        Arc::new(Container {
            id: ContainerId::new(&id(nth)),
            pod_id: PodId::new(&id(nth / 2)),
            name: "app".into(),
            attempt: 0,
            state: ContainerState::Running,
            created_at: None,
            image: "i".into(),
            image_id: ImageId::new("i"),
            labels: vec![],
            annotations: vec![],
        })
    };
    let mut store = Store::default();
    let all: Vec<_> = (0..CONTAINERS).map(container).collect();
    store.set_containers(&Changes::all(all), Timestamp::UNIX_EPOCH);
    store
}

fn moment(second: u64) -> Moment {
    let wall = SignedDuration::from_secs(i64::try_from(second).unwrap_or(0));
    Moment {
        now: Timestamp::UNIX_EPOCH + wall,
        uptime: Duration::from_secs(second),
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// Memory of this process in KiB.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or(0)
}

#[test]
// Numbers to be read by people.
#[allow(clippy::cast_precision_loss)]
fn statistics() {
    let (mut meters, mut store) = (Meters::default(), store());
    let (mut decoding, mut round, mut ours) = (vec![], vec![], vec![]);
    for nth in 0..RUNS {
        let second = u64::try_from(nth).unwrap_or(0) * 2;
        let bytes = reply(second);
        let start = Instant::now();
        let decoded = v1::ListContainerStatsResponse::decode(bytes.as_slice()).expect("a reply");
        decoding.push(start.elapsed());
        drop(decoded);
        let start = Instant::now();
        let samples = samples_of(&bytes).expect("a reply");
        ours.push(start.elapsed());
        let moment = moment(second);
        meters.take(&samples, moment);
        store.set_loads(|row| {
            let meter = meters.get(&row.container.id);
            meter.map_or_else(Load::default, |meter| {
                Load::of(meter, Limits::default(), Some(row.load.get()))
            })
        });
        round.push(start.elapsed());
    }
    let (decoding, ours, round) = (median(decoding), median(ours), median(round));
    println!(
        "statistics of {CONTAINERS}: decoding the whole reply {decoding:.1} ms, what is used of it \
         {ours:.1} ms, the whole round {round:.1} ms: {:.2} of decoding (at most 1.5)",
        round / decoding
    );
    assert!(round < decoding * 5.0, "{round} of {decoding}");
    let samples = samples_of(&reply(1)).expect("a reply");
    let before = resident();
    let mut meters = Meters::default();
    for second in (0..4000).step_by(2) {
        meters.take(&samples, moment(second));
    }
    let history = resident().saturating_sub(before) as f64 / 1024.0;
    println!("an hour of history of {CONTAINERS}: {history:.1} MiB (under 40)");
    assert!(meters.len() == CONTAINERS && history < 80.0, "{history}");
}
