//! `critui top`: what uses how much, once or again and again, for people and for programs.
//!
//! The shape is stable: fields are added, never renamed or removed. What is not known is null,
//! never zero. CPU is in thousandths of a core, memory in bytes. `source` fields say where a
//! number comes from.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use crate::cli::Output;
use crate::cri::{CriError, Kind, Reader};
use crate::domain::{Container, ContainerId, ContainerState, IdMap, Limits, Pod, PodId};
use crate::stats::load::{memory_limit, percent, rounded};
use crate::stats::rate::Moment;
use crate::stats::{Meter, Meters, Networks, Source};
use crate::text::Text;

mod table;

/// Time between the two looks that make a rate.
pub const SECOND_LOOK: Duration = Duration::from_secs(1);
/// Statuses read at once, for the limits.
const AT_ONCE: usize = 8;

/// What `critui top` takes.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Top {
    /// Look again and again: as often as --refresh says, until ended
    #[arg(short, long)]
    pub watch: bool,
    /// What comes first
    #[arg(long, value_name = "WHAT", default_value = "cpu")]
    pub sort: Order,
    /// Pods, each the sum of its containers, with what goes through their networks
    #[arg(long)]
    pub pods: bool,
    /// Form of the output; with -w json is one document a line
    #[command(flatten)]
    pub output: Output,
}

/// What comes first.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// What uses most CPU
    #[default]
    Cpu,
    /// What uses most memory
    Memory,
}

/// One report.
#[derive(Serialize, Debug)]
pub struct Report {
    taken_at: String,
    containers: Vec<Row>,
    /// Empty unless pods were asked for.
    pods: Vec<PodRow>,
    /// What could not be asked.
    notes: Vec<Text>,
}

#[derive(Serialize, Clone, Debug)]
struct Row {
    namespace: Option<Text>,
    pod: Option<Text>,
    pod_id: PodId,
    name: Text,
    id: ContainerId,
    attempt: u32,
    #[serde(flatten)]
    usage: Usage,
    writable_layer_bytes: Option<u64>,
}

/// What something uses, of what it may use.
#[derive(Serialize, Clone, Copy, Debug, Default)]
struct Usage {
    cpu_millicores: Option<u64>,
    cpu_source: Option<Source>,
    cpu_limit_millicores: Option<u64>,
    cpu_percent_of_limit: Option<u32>,
    memory_working_set_bytes: Option<u64>,
    memory_rss_bytes: Option<u64>,
    memory_limit_bytes: Option<u64>,
    memory_limit_source: Option<Source>,
    memory_percent_of_limit: Option<u32>,
}

#[derive(Serialize, Debug)]
struct PodRow {
    namespace: Option<Text>,
    name: Option<Text>,
    id: PodId,
    containers: usize,
    #[serde(flatten)]
    usage: Usage,
    network_received_bytes_per_second: Option<u64>,
    network_sent_bytes_per_second: Option<u64>,
}

/// Takes reports, one after the other.
#[derive(Debug)]
pub struct Taker {
    reader: Reader,
    top: Top,
    meters: Meters,
    networks: Networks,
    limits: IdMap<ContainerId, Limits>,
    started: Instant,
}

impl Taker {
    /// Nothing looked at yet.
    pub fn new(reader: Reader, top: Top) -> Self {
        Self {
            reader,
            top,
            meters: Meters::default(),
            networks: Networks::default(),
            limits: IdMap::default(),
            started: Instant::now(),
        }
    }

    /// A first report: two looks with [`SECOND_LOOK`] in between.
    pub async fn first(&mut self) -> Result<Report, CriError> {
        let _ = self.look().await?;
        tokio::time::sleep(SECOND_LOOK).await;
        self.next().await
    }

    /// One more look.
    pub async fn next(&mut self) -> Result<Report, CriError> {
        let notes = self.look().await?;
        let (containers, pods) = tokio::try_join!(self.reader.containers(), self.reader.pods())?;
        let runs = |container: &&Arc<Container>| container.state == ContainerState::Running;
        let running: Vec<Arc<Container>> = containers.iter().filter(runs).cloned().collect();
        self.read_limits(&running).await?;
        let pods: IdMap<&PodId, &Pod> = pods.iter().map(|pod| (&pod.id, &**pod)).collect();
        let rows = running.iter().map(|container| self.row(container, &pods));
        let mut report = Report {
            taken_at: Timestamp::now().to_string(),
            containers: rows.collect(),
            pods: vec![],
            notes,
        };
        report.containers.sort_by_key(|row| self.key(&row.usage));
        if self.top.pods {
            report.pods = self.pods(&report.containers);
            report.pods.sort_by_key(|row| self.key(&row.usage));
        }
        Ok(report)
    }

    async fn look(&mut self) -> Result<Vec<Text>, CriError> {
        let samples = self.reader.stats().await?;
        let moment = self.moment();
        self.meters.take(&samples, moment);
        self.meters.forget(|_| false);
        if !self.top.pods {
            return Ok(vec![]);
        }
        Ok(match self.reader.pod_stats().await {
            Ok(pods) => {
                let moment = self.moment();
                for pod in pods {
                    if let Some(network) = pod.network {
                        self.networks.take(&pod.id, network, moment);
                    }
                }
                self.networks.forget(moment.uptime);
                vec![]
            }
            Err(error) if matches!(error.kind, Kind::Down | Kind::Timeout) => return Err(error),
            Err(error) => {
                let why = format!("no network numbers, pods are sums: {}", error.message);
                vec![Text::clean(&why)]
            }
        })
    }

    fn moment(&self) -> Moment {
        Moment {
            now: Timestamp::now(),
            uptime: self.started.elapsed(),
        }
    }

    /// Reads the limits that are not known yet.
    async fn read_limits(&mut self, running: &[Arc<Container>]) -> Result<(), CriError> {
        let unknown = running.iter().filter(|c| !self.limits.contains_key(&c.id));
        let ids: Vec<ContainerId> = unknown.map(|container| container.id.clone()).collect();
        let reader = &self.reader;
        let read = |id: ContainerId| async move {
            match reader.container_detail(&id).await {
                Ok(detail) => Ok(Some((id, detail.limits))),
                Err(error) if error.kind == Kind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        let mut answers = std::pin::pin!(stream::iter(ids).map(read).buffer_unordered(AT_ONCE));
        let mut found = Vec::new();
        while let Some(answer) = answers.next().await {
            found.extend(answer?);
        }
        self.limits.extend(found);
        Ok(())
    }

    fn row(&self, container: &Container, pods: &IdMap<&PodId, &Pod>) -> Row {
        let pod = pods.get(&container.pod_id);
        let limits = self.limits.get(&container.id).copied().unwrap_or_default();
        let meter = self.meters.get(&container.id);
        Row {
            namespace: pod.map(|pod| pod.namespace.clone()),
            pod: pod.map(|pod| pod.name.clone()),
            pod_id: container.pod_id.clone(),
            name: container.name.clone(),
            id: container.id.clone(),
            attempt: container.attempt,
            usage: meter.map_or_else(Usage::default, |meter| Usage::of(meter, limits)),
            writable_layer_bytes: meter.and_then(|meter| meter.layer),
        }
    }

    fn pods(&self, rows: &[Row]) -> Vec<PodRow> {
        let mut pods: Vec<PodRow> = Vec::new();
        let mut places: IdMap<&PodId, usize> = IdMap::default();
        for row in rows {
            let place = *places.entry(&row.pod_id).or_insert_with(|| {
                let network = self
                    .networks
                    .get(&row.pod_id)
                    .and_then(|traffic| traffic.rate);
                pods.push(PodRow {
                    namespace: row.namespace.clone(),
                    name: row.pod.clone(),
                    id: row.pod_id.clone(),
                    containers: 0,
                    usage: Usage::nothing(),
                    network_received_bytes_per_second: network.map(|(received, _)| received),
                    network_sent_bytes_per_second: network.map(|(_, sent)| sent),
                });
                pods.len() - 1
            });
            pods[place].containers += 1;
            pods[place].usage.add(&row.usage);
        }
        for pod in &mut pods {
            pod.usage.share();
        }
        pods
    }

    fn key(&self, usage: &Usage) -> Reverse<(Option<u64>, Option<u64>)> {
        let (cpu, memory) = (usage.cpu_millicores, usage.memory_working_set_bytes);
        Reverse(match self.top.sort {
            Order::Cpu => (cpu, memory),
            Order::Memory => (memory, cpu),
        })
    }
}

impl Usage {
    fn of(meter: &Meter, limits: Limits) -> Self {
        let limit = memory_limit(meter, limits);
        let mut usage = Self {
            cpu_millicores: meter.cpu.map(|cpu| rounded(cpu.value)),
            cpu_source: meter.cpu.map(|cpu| cpu.source),
            cpu_limit_millicores: limits.cpu.map(rounded),
            memory_working_set_bytes: meter.working_set(),
            memory_rss_bytes: meter.memory.and_then(|memory| memory.rss),
            memory_limit_bytes: limit.map(|limit| limit.value),
            memory_limit_source: limit.map(|limit| limit.source),
            ..Self::default()
        };
        usage.share();
        usage
    }

    /// Of a pod, before its containers are added: limited until one is not.
    fn nothing() -> Self {
        Self {
            cpu_limit_millicores: Some(0),
            memory_limit_bytes: Some(0),
            memory_limit_source: Some(Source::Sum),
            ..Self::default()
        }
    }

    fn add(&mut self, other: &Self) {
        let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        let both = |a: Option<u64>, b: Option<u64>| Some(a?.saturating_add(b?));
        self.cpu_millicores = sum(self.cpu_millicores, other.cpu_millicores);
        self.cpu_source = self.cpu_millicores.map(|_| Source::Sum);
        self.memory_working_set_bytes = sum(
            self.memory_working_set_bytes,
            other.memory_working_set_bytes,
        );
        self.memory_rss_bytes = sum(self.memory_rss_bytes, other.memory_rss_bytes);
        self.cpu_limit_millicores = both(self.cpu_limit_millicores, other.cpu_limit_millicores);
        self.memory_limit_bytes = both(self.memory_limit_bytes, other.memory_limit_bytes);
        self.memory_limit_source = self.memory_limit_bytes.map(|_| Source::Sum);
    }

    fn share(&mut self) {
        let share = |used: Option<u64>, limit: Option<u64>| Some(percent(used?, limit?));
        self.cpu_percent_of_limit = share(self.cpu_millicores, self.cpu_limit_millicores);
        self.memory_percent_of_limit =
            share(self.memory_working_set_bytes, self.memory_limit_bytes);
    }
}
