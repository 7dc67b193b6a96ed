//! Statistics, decoded into as little as is used: the labels that every item repeats would cost
//! more than all its numbers.

use http::uri::PathAndQuery;
use prost::{DecodeError, Message};

use super::error::{CriError, Kind};
use super::fields::{Field, Fields, Read};
use super::gate::Gate;
use super::pieces::{self, Form};
use super::read::{LARGEST, Reader, call, grpc, ready, request, within};
use crate::domain::{ContainerId, PodId};
use crate::stats::{Cpu, Memory, Network, PodSample, Sample};

const CONTAINERS: &str = "/runtime.v1.RuntimeService/ListContainerStats";
const STREAMED: &str = "/runtime.v1.RuntimeService/StreamContainerStats";
const PODS: &str = "/runtime.v1.RuntimeService/ListPodSandboxStats";
const POD: &str = "/runtime.v1.RuntimeService/PodSandboxStats";
/// The loopback, which CRI-O takes for the default interface.
const LOOPBACK: &str = "lo";

/// What of the CRI's messages is used, field by field; the rest is skipped unread.
mod wire {
    use std::borrow::Cow;

    use prost::{DecodeError, Message};

    use crate::cri::fields::{Field, Fields};

    /// Asks for all. An absent filter makes containerd 1.6 look at stopped sandboxes too, and fail.
    #[derive(Clone, PartialEq, Message)]
    pub struct All {
        #[prost(message, optional, tag = "1")]
        pub filter: Option<Nothing>,
    }
    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct Nothing {}
    #[derive(Clone, PartialEq, Message)]
    pub struct One {
        #[prost(string, tag = "1")]
        pub id: String,
    }
    #[derive(Default)]
    pub struct Cpu {
        pub at: i64,
        pub total: Option<u64>,
        pub rate: Option<u64>,
    }
    #[derive(Default)]
    pub struct Memory {
        pub working_set: Option<u64>,
        pub available: Option<u64>,
        pub usage: Option<u64>,
        pub rss: Option<u64>,
    }
    #[derive(Default)]
    pub struct Layer {
        pub at: i64,
        pub used: Option<u64>,
    }
    #[derive(Default)]
    pub struct Network {
        pub at: i64,
        pub interfaces: Vec<Interface>,
    }
    #[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
    pub struct Interface {
        pub name: String,
        pub received: Option<u64>,
        pub sent: Option<u64>,
    }

    /// Folds the fields of a message into a value.
    fn fold<'a, T: Default>(
        message: &'a [u8],
        take: impl Fn(&mut T, u32, Field<'a>) -> Result<(), DecodeError>,
    ) -> Result<T, DecodeError> {
        let mut value = T::default();
        for field in Fields::of(message) {
            let (tag, field) = field?;
            take(&mut value, tag, field)?;
        }
        Ok(value)
    }

    /// The messages in the field with this tag.
    pub fn all(message: &[u8], of: u32) -> impl Iterator<Item = Result<&[u8], DecodeError>> {
        Fields::of(message).filter_map(move |field| match field {
            Ok((tag, Field::Bytes(bytes))) if tag == of => Some(Ok(bytes)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    /// The text in the first field.
    pub fn id(message: &[u8]) -> Result<Option<Cow<'_, str>>, DecodeError> {
        let first = all(message, 1).next().transpose()?;
        Ok(first.map(String::from_utf8_lossy))
    }

    /// A number that can be absent.
    fn number(message: &[u8]) -> Result<Option<u64>, DecodeError> {
        fold(message, |value: &mut u64, tag, field| {
            if let (1, Field::Number(number)) = (tag, field) {
                *value = number;
            }
            Ok(())
        })
        .map(Some)
    }

    pub fn cpu(message: &[u8]) -> Result<Cpu, DecodeError> {
        fold(message, |cpu: &mut Cpu, tag, field| {
            match (tag, field) {
                (1, Field::Number(at)) => cpu.at = at.cast_signed(),
                (2, Field::Bytes(bytes)) => cpu.total = number(bytes)?,
                (3, Field::Bytes(bytes)) => cpu.rate = number(bytes)?,
                _ => {}
            }
            Ok(())
        })
    }

    pub fn memory(message: &[u8]) -> Result<Memory, DecodeError> {
        fold(message, |memory: &mut Memory, tag, field| {
            let Field::Bytes(bytes) = field else {
                return Ok(());
            };
            match tag {
                2 => memory.working_set = number(bytes)?,
                3 => memory.available = number(bytes)?,
                4 => memory.usage = number(bytes)?,
                5 => memory.rss = number(bytes)?,
                _ => {}
            }
            Ok(())
        })
    }

    pub fn layer(message: &[u8]) -> Result<Layer, DecodeError> {
        fold(message, |layer: &mut Layer, tag, field| {
            match (tag, field) {
                (1, Field::Number(at)) => layer.at = at.cast_signed(),
                (3, Field::Bytes(bytes)) => layer.used = number(bytes)?,
                _ => {}
            }
            Ok(())
        })
    }

    pub fn network(message: &[u8]) -> Result<Network, DecodeError> {
        fold(message, |network: &mut Network, tag, field| {
            match (tag, field) {
                (1, Field::Number(at)) => network.at = at.cast_signed(),
                // The default one, and all others.
                (2 | 3, Field::Bytes(bytes)) => network.interfaces.push(interface(bytes)?),
                _ => {}
            }
            Ok(())
        })
    }

    fn interface(message: &[u8]) -> Result<Interface, DecodeError> {
        fold(message, |interface: &mut Interface, tag, field| {
            let Field::Bytes(bytes) = field else {
                return Ok(());
            };
            match tag {
                1 => interface.name = String::from_utf8_lossy(bytes).into_owned(),
                2 => interface.received = number(bytes)?,
                4 => interface.sent = number(bytes)?,
                _ => {}
            }
            Ok(())
        })
    }
}

impl Reader {
    /// The statistics of all containers, in the runtime's order. Ended ones are left out or come
    /// without numbers, as the runtime has it.
    pub async fn stats(&self) -> Result<Vec<Sample>, CriError> {
        match self.samples(Form::Whole(CONTAINERS)).await {
            Err(error) if error.kind == Kind::TooLarge => {
                self.samples(Form::Batches(STREAMED)).await
            }
            answer => answer,
        }
    }

    async fn samples(&self, form: Form) -> Result<Vec<Sample>, CriError> {
        let call = call(form.path());
        let gate = Gate::closed(self.runtime_line(call)?);
        let asked = request(all(), self.deadline());
        let mut samples = Vec::new();
        let item = |bytes: &[u8]| sample(bytes).map(|told| samples.extend(told));
        let answer = Box::pin(pieces::list(gate, form, asked, LARGEST, item));
        within(call, self.deadline(), answer).await?;
        Ok(samples)
    }

    /// The statistics of all ready pods. One sandbox without a cgroup parent makes containerd
    /// fail the whole call: then sum up the containers, or ask for single pods.
    pub async fn pod_stats(&self) -> Result<Vec<PodSample>, CriError> {
        self.ask(PODS, all(), pods).await
    }

    /// The statistics of one pod.
    pub async fn pod_stats_of(&self, id: &PodId) -> Result<PodSample, CriError> {
        let one = wire::One {
            id: id.as_str().to_owned(),
        };
        // The answer holds it where a list holds its items.
        let answer = self.ask(POD, one, pods).await?;
        answer.into_iter().next().ok_or_else(|| {
            let message = format!("{}: {} not found", call(POD), id.short());
            CriError::new(Kind::NotFound, message)
        })
    }

    async fn ask<T: Send + Sync + 'static>(
        &self,
        path: &'static str,
        asked: impl Message + 'static,
        read: fn(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<T, CriError> {
        let mut client = grpc(self.runtime_line(call(path))?);
        let answer = Box::pin(async {
            ready(&mut client).await?;
            let path = PathAndQuery::from_static(path);
            let asked = request(asked, self.deadline());
            client.unary(asked, path, Read::by(read)).await
        });
        within(call(path), self.deadline(), answer).await
    }
}

fn all() -> wire::All {
    wire::All {
        filter: Some(wire::Nothing {}),
    }
}

/// What a reply of `ListContainerStats` tells, as it was sent. What carries no id is nobody's.
pub fn samples_of(reply: &[u8]) -> Result<Vec<Sample>, DecodeError> {
    let all = wire::all(reply, 1).map(|item| sample(item?));
    all.filter_map(Result::transpose).collect()
}

fn sample(message: &[u8]) -> Result<Option<Sample>, DecodeError> {
    let mut id = None;
    let mut told = Sample::default();
    for field in Fields::of(message) {
        match field? {
            (1, Field::Bytes(bytes)) => id = wire::id(bytes)?,
            (2, Field::Bytes(bytes)) => told.cpu = cpu(&wire::cpu(bytes)?),
            (3, Field::Bytes(bytes)) => told.memory = memory(&wire::memory(bytes)?),
            (4, Field::Bytes(bytes)) => {
                // The collector has not come by yet when it was never measured.
                let layer = Some(wire::layer(bytes)?).filter(|layer| layer.at > 0);
                told.layer = layer.and_then(|layer| layer.used);
            }
            _ => {}
        }
    }
    let id = id.map(|id| ContainerId::new(&id));
    Ok(id.map(|id| Sample { id, ..told }))
}

/// What runs has used some: zero is what cri-dockerd says of what has ended.
fn cpu(wire: &wire::Cpu) -> Option<Cpu> {
    let total = wire.total.filter(|total| *total > 0);
    let rate = wire.rate.filter(|rate| *rate > 0);
    (total.is_some() || rate.is_some()).then_some(Cpu {
        at: wire.at,
        total,
        rate,
    })
}

/// A process without memory there is not; see [`cpu`].
fn memory(wire: &wire::Memory) -> Option<Memory> {
    let some = [wire.working_set, wire.usage].into_iter().flatten();
    some.max().filter(|bytes| *bytes > 0)?;
    Some(Memory {
        working_set: wire.working_set,
        rss: wire.rss,
        usage: wire.usage,
        // Zero is containerd's way to say that there is no limit.
        available: wire.available.filter(|bytes| *bytes > 0),
    })
}

fn pods(reply: &[u8]) -> Result<Vec<PodSample>, DecodeError> {
    let all = wire::all(reply, 1).map(|item| pod(item?));
    all.filter_map(Result::transpose).collect()
}

fn pod(message: &[u8]) -> Result<Option<PodSample>, DecodeError> {
    let mut id = None;
    let mut told = PodSample::default();
    for field in Fields::of(message) {
        match field? {
            (1, Field::Bytes(bytes)) => id = wire::id(bytes)?,
            (2, Field::Bytes(linux)) => told = linux_pod(linux)?,
            _ => {}
        }
    }
    let id = id.map(|id| PodId::new(&id));
    Ok(id.map(|id| PodSample { id, ..told }))
}

fn linux_pod(message: &[u8]) -> Result<PodSample, DecodeError> {
    let mut told = PodSample::default();
    for field in Fields::of(message) {
        match field? {
            (1, Field::Bytes(bytes)) => told.cpu = cpu(&wire::cpu(bytes)?),
            (2, Field::Bytes(bytes)) => told.memory = memory(&wire::memory(bytes)?),
            (3, Field::Bytes(bytes)) => told.network = network(wire::network(bytes)?),
            _ => {}
        }
    }
    Ok(told)
}

/// All interfaces but the loopback, each once: containerd 2.4 repeats the default one.
fn network(wire: wire::Network) -> Option<Network> {
    let mut interfaces = wire.interfaces;
    interfaces.retain(|interface| interface.name != LOOPBACK);
    interfaces.sort();
    interfaces.dedup_by(|a, b| a.name == b.name);
    let sum = |of: fn(&wire::Interface) -> Option<u64>| {
        let numbers = interfaces.iter().filter_map(of);
        numbers.fold(0_u64, u64::saturating_add)
    };
    (!interfaces.is_empty()).then(|| Network {
        at: wire.at,
        received: sum(|interface| interface.received),
        sent: sum(|interface| interface.sent),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_cri::v1;
    use rstest::rstest;
    use serde_json::Value;

    /// What a runtime would have sent for what crictl printed of it.
    fn reply(json: &str) -> v1::ListContainerStatsResponse {
        let all: Value = serde_json::from_str(json).unwrap();
        let number = |value: &Value| {
            let text = value["value"].as_str()?;
            Some(v1::UInt64Value {
                value: text.parse().unwrap(),
            })
        };
        let time = |value: &Value| value["timestamp"].as_str().unwrap().parse().unwrap();
        let there = |value: &Value| value.is_object().then(|| value.clone());
        let item = |item: &Value| v1::ContainerStats {
            attributes: Some(v1::ContainerAttributes {
                id: item["attributes"]["id"].as_str().unwrap().to_owned(),
                labels: [("io.kubernetes.pod.name".to_owned(), "p".to_owned())].into(),
                ..v1::ContainerAttributes::default()
            }),
            cpu: there(&item["cpu"]).map(|cpu| v1::CpuUsage {
                timestamp: time(&cpu),
                usage_core_nano_seconds: number(&cpu["usageCoreNanoSeconds"]),
                usage_nano_cores: number(&cpu["usageNanoCores"]),
            }),
            memory: there(&item["memory"]).map(|memory| v1::MemoryUsage {
                timestamp: time(&memory),
                working_set_bytes: number(&memory["workingSetBytes"]),
                available_bytes: number(&memory["availableBytes"]),
                usage_bytes: number(&memory["usageBytes"]),
                rss_bytes: number(&memory["rssBytes"]),
                page_faults: number(&memory["pageFaults"]),
                major_page_faults: number(&memory["majorPageFaults"]),
            }),
            writable_layer: there(&item["writableLayer"]).map(|layer| v1::FilesystemUsage {
                timestamp: time(&layer),
                fs_id: None,
                used_bytes: number(&layer["usedBytes"]),
                inodes_used: number(&layer["inodesUsed"]),
            }),
            swap: None,
        };
        let stats = all["stats"].as_array().unwrap();
        v1::ListContainerStatsResponse {
            stats: stats.iter().map(item).collect(),
        }
    }

    fn decoded(reply: &impl Message) -> Vec<Sample> {
        let bytes = reply.encode_to_vec();
        samples_of(&bytes).unwrap()
    }

    fn one(samples: &[Sample], id: &str) -> Sample {
        let mut samples = samples.iter();
        let found = samples.find(|sample| sample.id.as_str().starts_with(id));
        found.unwrap().clone()
    }

    #[test]
    fn containerd_on_cgroup_v2() {
        let samples = decoded(&reply(include_str!(
            "../../tests/stats/containerd-2.1.json"
        )));
        assert_eq!(samples.len(), 2);
        let ended = one(&samples, "07dbbec679b6");
        assert_eq!(
            (ended.cpu, ended.memory, ended.layer),
            (None, None, Some(8192))
        );
        let runs = one(&samples, "fc9220e6ff65");
        let cpu = runs.cpu.unwrap();
        assert_eq!((cpu.total, cpu.rate), (Some(1_435_555_000), None));
        let memory = runs.memory.unwrap();
        // Zero available is no limit.
        assert_eq!(
            (memory.working_set, memory.available),
            (Some(368_640), None)
        );
    }

    #[test]
    fn containerd_1_6_whose_collector_has_not_come_by() {
        let samples = decoded(&reply(include_str!(
            "../../tests/stats/containerd-1.6.json"
        )));
        let web = one(&samples, "53d24909425");
        assert_eq!(web.layer, None);
        assert_eq!(web.memory.unwrap().available, Some(66_650_112));
        let crashed = one(&samples, "e73451b3c5");
        assert_eq!(
            (crashed.cpu, crashed.memory, crashed.layer),
            (None, None, None)
        );
    }

    #[test]
    fn crio() {
        let samples = decoded(&reply(include_str!("../../tests/stats/crio-1.37.json")));
        let json = one(&samples, "2f329e0b5404");
        assert_eq!(json.cpu.unwrap().total, Some(375_742_269));
        assert!(json.memory.unwrap().available.unwrap() > crate::domain::NO_LIMIT);
    }

    #[test]
    fn cri_dockerd_says_zero_of_what_has_ended() {
        let samples = decoded(&reply(include_str!("../../tests/stats/cri-dockerd.json")));
        let bad = one(&samples, "01af5a115e12");
        assert_eq!((bad.cpu, bad.memory, bad.layer), (None, None, None));
        assert!(samples.iter().any(|sample| sample.cpu.is_some()));
    }

    #[test]
    fn null_fields_are_unknown() {
        let item = v1::ContainerStats {
            attributes: Some(v1::ContainerAttributes {
                id: "a".into(),
                ..v1::ContainerAttributes::default()
            }),
            cpu: Some(v1::CpuUsage::default()),
            memory: Some(v1::MemoryUsage::default()),
            writable_layer: Some(v1::FilesystemUsage::default()),
            swap: None,
        };
        let nobody = v1::ContainerStats::default();
        let reply = v1::ListContainerStatsResponse {
            stats: vec![item, nobody],
        };
        let empty = Sample {
            id: ContainerId::new("a"),
            cpu: None,
            memory: None,
            layer: None,
        };
        assert_eq!(decoded(&reply), [empty]);
    }

    fn interface(name: &str, received: u64, sent: u64) -> v1::NetworkInterfaceUsage {
        let value = |value| Some(v1::UInt64Value { value });
        v1::NetworkInterfaceUsage {
            name: name.into(),
            rx_bytes: value(received),
            rx_errors: value(77),
            tx_bytes: value(sent),
            tx_errors: value(88),
        }
    }

    #[rstest]
    #[case::containerd(Some(interface("eth0", 5, 7)), vec![], Some((5, 7)))]
    #[case::containerd_2_4(Some(interface("eth0", 5, 7)), vec![interface("eth0", 5, 7)], Some((5, 7)))]
    #[case::crio(Some(interface("lo", 1, 1)), vec![interface("eth0", 5, 7)], Some((5, 7)))]
    #[case::two(Some(interface("eth0", 5, 7)), vec![interface("net1", 10, 20)], Some((15, 27)))]
    #[case::host_network(None, vec![], None)]
    fn networks(
        #[case] default: Option<v1::NetworkInterfaceUsage>,
        #[case] others: Vec<v1::NetworkInterfaceUsage>,
        #[case] expected: Option<(u64, u64)>,
    ) {
        let stats = v1::PodSandboxStats {
            attributes: Some(v1::PodSandboxAttributes {
                id: "p".into(),
                ..v1::PodSandboxAttributes::default()
            }),
            linux: Some(v1::LinuxPodSandboxStats {
                network: Some(v1::NetworkUsage {
                    timestamp: 3,
                    default_interface: default,
                    interfaces: others,
                }),
                ..v1::LinuxPodSandboxStats::default()
            }),
            windows: None,
        };
        let bytes = v1::ListPodSandboxStatsResponse { stats: vec![stats] }.encode_to_vec();
        let found = pods(&bytes).unwrap().remove(0);
        let network = found
            .network
            .map(|network| (network.received, network.sent));
        assert_eq!((found.id.as_str(), network), ("p", expected));
    }
}
