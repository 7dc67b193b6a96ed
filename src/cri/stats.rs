//! Statistics, decoded into as little as is used: the labels that every item repeats would cost
//! more than all its numbers.

use std::time::Duration;

use http::uri::PathAndQuery;
use prost::{DecodeError, Message};
use tokio_stream::StreamExt;
use tonic::Response;
use tonic_prost::ProstCodec;

use super::error::{CriError, Kind};
use super::read::{Reader, call, grpc, ready, request, within};
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
    use prost::Message;

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
    #[derive(Clone, PartialEq, Message)]
    pub struct Containers {
        #[prost(message, repeated, tag = "1")]
        pub stats: Vec<Container>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub struct Container {
        #[prost(message, optional, tag = "1")]
        pub attributes: Option<One>,
        #[prost(message, optional, tag = "2")]
        pub cpu: Option<Cpu>,
        #[prost(message, optional, tag = "3")]
        pub memory: Option<Memory>,
        #[prost(message, optional, tag = "4")]
        pub layer: Option<Layer>,
    }
    /// A number that can be absent.
    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct Number {
        #[prost(uint64, tag = "1")]
        pub value: u64,
    }
    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct Cpu {
        #[prost(int64, tag = "1")]
        pub at: i64,
        #[prost(message, optional, tag = "2")]
        pub total: Option<Number>,
        #[prost(message, optional, tag = "3")]
        pub rate: Option<Number>,
    }
    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct Memory {
        #[prost(message, optional, tag = "2")]
        pub working_set: Option<Number>,
        #[prost(message, optional, tag = "3")]
        pub available: Option<Number>,
        #[prost(message, optional, tag = "4")]
        pub usage: Option<Number>,
        #[prost(message, optional, tag = "5")]
        pub rss: Option<Number>,
    }
    #[derive(Clone, Copy, PartialEq, Message)]
    pub struct Layer {
        #[prost(int64, tag = "1")]
        pub at: i64,
        #[prost(message, optional, tag = "3")]
        pub used: Option<Number>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub struct Pods {
        #[prost(message, repeated, tag = "1")]
        pub stats: Vec<Pod>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub struct OnePod {
        #[prost(message, optional, tag = "1")]
        pub stats: Option<Pod>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub struct Pod {
        #[prost(message, optional, tag = "1")]
        pub attributes: Option<One>,
        #[prost(message, optional, tag = "2")]
        pub linux: Option<Linux>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub struct Linux {
        #[prost(message, optional, tag = "1")]
        pub cpu: Option<Cpu>,
        #[prost(message, optional, tag = "2")]
        pub memory: Option<Memory>,
        #[prost(message, optional, tag = "3")]
        pub network: Option<Network>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub struct Network {
        #[prost(int64, tag = "1")]
        pub at: i64,
        #[prost(message, optional, tag = "2")]
        pub default: Option<Interface>,
        #[prost(message, repeated, tag = "3")]
        pub others: Vec<Interface>,
    }
    #[derive(Clone, PartialEq, Message)]
    pub struct Interface {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(message, optional, tag = "2")]
        pub received: Option<Number>,
        #[prost(message, optional, tag = "4")]
        pub sent: Option<Number>,
    }
}

impl Reader {
    /// The statistics of all containers, in the runtime's order. Ended ones are left out or come
    /// without numbers, as the runtime has it.
    pub async fn stats(&self) -> Result<Vec<Sample>, CriError> {
        match self.ask::<wire::Containers>(CONTAINERS, all()).await {
            Err(error) if error.kind == Kind::TooLarge => self.streamed_stats().await,
            answer => Ok(samples(answer?)),
        }
    }

    /// The statistics of all ready pods. One sandbox without a cgroup parent makes containerd
    /// fail the whole call: then sum up the containers, or ask for single pods.
    pub async fn pod_stats(&self) -> Result<Vec<PodSample>, CriError> {
        let answer: wire::Pods = self.ask(PODS, all()).await?;
        Ok(answer.stats.into_iter().filter_map(pod).collect())
    }

    /// The statistics of one pod.
    pub async fn pod_stats_of(&self, id: &PodId) -> Result<PodSample, CriError> {
        let one = wire::One {
            id: id.as_str().to_owned(),
        };
        let answer: wire::OnePod = self.ask(POD, one).await?;
        answer.stats.and_then(pod).ok_or_else(|| {
            let message = format!("{}: {} not found", call(POD), id.short());
            CriError::new(Kind::NotFound, message)
        })
    }

    async fn ask<T: Message + Default + 'static>(
        &self,
        path: &'static str,
        asked: impl Message + 'static,
    ) -> Result<T, CriError> {
        let mut client = grpc(self.runtime_line(call(path))?);
        let answer = Box::pin(async {
            ready(&mut client).await?;
            let path = PathAndQuery::from_static(path);
            let asked = request(asked, self.deadline());
            client.unary(asked, path, ProstCodec::default()).await
        });
        within(call(path), self.deadline(), answer).await
    }

    /// In batches, as only the newest runtimes can.
    async fn streamed_stats(&self) -> Result<Vec<Sample>, CriError> {
        let mut client = grpc(self.runtime_line(call(STREAMED))?);
        let deadline: Duration = self.deadline();
        let answer = Box::pin(async {
            ready(&mut client).await?;
            let path = PathAndQuery::from_static(STREAMED);
            let codec = ProstCodec::<_, wire::Containers>::default();
            let answer = client.server_streaming(request(all(), deadline), path, codec);
            let mut stream = answer.await?.into_inner();
            let mut found = Vec::new();
            while let Some(batch) = stream.next().await {
                found.extend(samples(batch?));
            }
            Ok(Response::new(found))
        });
        within(call(STREAMED), deadline, answer).await
    }
}

/// What a reply of `ListContainerStats` tells, as it was sent.
pub fn samples_of(reply: &[u8]) -> Result<Vec<Sample>, DecodeError> {
    Ok(samples(wire::Containers::decode(reply)?))
}

fn all() -> wire::All {
    wire::All {
        filter: Some(wire::Nothing {}),
    }
}

fn samples(answer: wire::Containers) -> Vec<Sample> {
    answer.stats.into_iter().filter_map(sample).collect()
}

/// What carries no id is nobody's.
fn sample(wire: wire::Container) -> Option<Sample> {
    let id = wire.attributes?.id;
    let cpu = wire.cpu.and_then(cpu);
    let memory = wire.memory.and_then(memory);
    // The collector has not come by yet when it was never measured.
    let layer = wire.layer.filter(|layer| layer.at > 0);
    Some(Sample {
        id: ContainerId::new(&id),
        cpu,
        memory,
        layer: layer.and_then(|layer| value(layer.used)),
    })
}

/// What runs has used some: zero is what cri-dockerd says of what has ended.
fn cpu(wire: wire::Cpu) -> Option<Cpu> {
    let total = value(wire.total).filter(|total| *total > 0);
    let rate = value(wire.rate).filter(|rate| *rate > 0);
    (total.is_some() || rate.is_some()).then_some(Cpu {
        at: wire.at,
        total,
        rate,
    })
}

/// A process without memory there is not; see [`cpu`].
fn memory(wire: wire::Memory) -> Option<Memory> {
    let working_set = value(wire.working_set);
    let usage = value(wire.usage);
    let some = [working_set, usage].into_iter().flatten();
    some.max().filter(|bytes| *bytes > 0)?;
    Some(Memory {
        working_set,
        rss: value(wire.rss),
        usage,
        // Zero is containerd's way to say that there is no limit.
        available: value(wire.available).filter(|bytes| *bytes > 0),
    })
}

fn pod(wire: wire::Pod) -> Option<PodSample> {
    let id = wire.attributes?.id;
    let linux = wire.linux.unwrap_or_default();
    Some(PodSample {
        id: PodId::new(&id),
        cpu: linux.cpu.and_then(cpu),
        memory: linux.memory.and_then(memory),
        network: linux.network.and_then(|wire| network(&wire)),
    })
}

/// All interfaces but the loopback, each once: containerd 2.4 repeats the default one.
fn network(wire: &wire::Network) -> Option<Network> {
    let mut interfaces: Vec<&wire::Interface> = wire.others.iter().collect();
    interfaces.extend(&wire.default);
    interfaces.retain(|interface| interface.name != LOOPBACK);
    interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    interfaces.dedup_by(|a, b| a.name == b.name);
    let sum = |of: fn(&wire::Interface) -> Option<wire::Number>| {
        let numbers = interfaces
            .iter()
            .filter_map(|interface| value(of(interface)));
        numbers.fold(0_u64, u64::saturating_add)
    };
    (!interfaces.is_empty()).then(|| Network {
        at: wire.at,
        received: sum(|interface| interface.received),
        sent: sum(|interface| interface.sent),
    })
}

fn value(number: Option<wire::Number>) -> Option<u64> {
    number.map(|number| number.value)
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
        samples(wire::Containers::decode(bytes.as_slice()).unwrap())
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
        let pods = wire::Pods::decode(bytes.as_slice()).unwrap();
        let found = pod(pods.stats.into_iter().next().unwrap()).unwrap();
        let network = found
            .network
            .map(|network| (network.received, network.sent));
        assert_eq!((found.id.as_str(), network), ("p", expected));
    }
}
