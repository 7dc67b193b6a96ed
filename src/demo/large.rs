//! The large scenario, generated: hundreds of pods, thousands of containers, a known share of
//! which changes each second.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chance::Chance;
use super::scenario::{Cgroups, ContainerSpec, ImageSpec, Life, Log, PodSpec, Qos, Scenario, Uses};
use super::units::{Bytes, Nanos};

const MILLI: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MILLI;
const DAY: i64 = 86_400 * SECOND;
/// The containers of each ninth pod end and start again in this time: two changes in 20 s by a
/// tenth of what is listed are 1 % changing each second.
const CYCLE: i64 = 20 * SECOND;
const CHURNING: usize = 9;

/// How large the large node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Pods.
    pub pods: usize,
    /// Containers in each pod; those that restart are listed with the attempt before.
    pub containers_per_pod: usize,
    /// Images.
    pub images: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            pods: 500,
            containers_per_pod: 9,
            images: 800,
        }
    }
}

/// A node of this size.
pub fn scenario(size: &Size) -> Scenario {
    let mut chance = Chance::new(42);
    let images: Vec<ImageSpec> = (0..size.images).map(|n| image(n, &mut chance)).collect();
    let pods = (0..size.pods)
        .map(|n| Arc::new(pod(n, size, &images, &mut chance)))
        .collect();
    Scenario {
        name: "large".into(),
        node: "worker-large".into(),
        still: false,
        sparse_host: true,
        cgroup: Cgroups::default(),
        uptime: Nanos(90 * DAY),
        images,
        pods,
    }
}

fn image(n: usize, chance: &mut Chance) -> ImageSpec {
    ImageSpec {
        tags: vec![format!(
            "registry.example.com/team-{:02}/service-{n:03}:v1.{}.0",
            n % 40,
            n % 17
        )],
        size: Bytes(8_000_000 + chance.next() % 400_000_000),
        user: if n.is_multiple_of(3) {
            String::new()
        } else {
            "65532".into()
        },
        pinned: n == 0,
    }
}

fn pod(n: usize, size: &Size, images: &[ImageSpec], chance: &mut Chance) -> PodSpec {
    let app = format!("service-{:03}", n / 4);
    let hash = chance.hex(10);
    let containers = (0..size.containers_per_pod)
        .map(|c| {
            let churns = n.is_multiple_of(CHURNING);
            Arc::new(container(n * size.containers_per_pod + c, churns, images))
        })
        .collect();
    PodSpec {
        name: format!("{app}-{hash}-{}", chance.hex(5)),
        namespace: format!("team-{:02}", n % 40),
        age: Nanos(DAY + i64::try_from(n).unwrap_or(0) * 3_600 * SECOND / 7),
        labels: BTreeMap::from([
            ("app.kubernetes.io/name".into(), app),
            (
                "app.kubernetes.io/part-of".into(),
                format!("team-{:02}", n % 40),
            ),
            ("pod-template-hash".into(), hash),
        ]),
        qos: Qos::Burstable,
        containers,
        ..PodSpec::default()
    }
}

fn container(n: usize, churns: bool, images: &[ImageSpec]) -> ContainerSpec {
    let delay = SECOND;
    let phase = i64::try_from(n).unwrap_or(0) * 7_919 % (CYCLE / MILLI) * MILLI;
    let life = if churns {
        Life {
            runs: Some(Nanos(CYCLE - delay)),
            delay: Some(Nanos(delay)),
            restarts: 100,
            since: Some(Nanos(phase)),
            ..Life::default()
        }
    } else {
        Life::default()
    };
    let image = n
        .checked_rem(images.len())
        .and_then(|at| images[at].tags.first());
    ContainerSpec {
        name: format!("c{}", n % 100),
        image: image.cloned().unwrap_or_default(),
        command: vec!["/server".into(), format!("--shard={n}")],
        life,
        uses: Uses {
            cpu: u32::try_from(n % 90).unwrap_or(0),
            cpu_request: 50,
            memory: Bytes(((n as u64 % 60) + 4) << 20),
            memory_limit: Bytes(128 << 20),
            ..Uses::default()
        },
        log: Log {
            first: vec!["serving on :8080".into()],
            ..Log::default()
        },
        ..ContainerSpec::default()
    }
}
