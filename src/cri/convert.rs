//! From the wire format to the domain's types. Total: whatever a runtime sends becomes
//! something that can be shown.

use std::collections::HashMap;

use jiff::Timestamp;
use k8s_cri::v1;
use tonic::transport::Channel;

use super::dial::Session;
use super::list::{Listed, Names};
use crate::domain::{
    Container, ContainerDetail, ContainerId, ContainerState, Image, ImageId, Labels, Limits, Pod,
    PodDetail, PodId, PodState, RuntimeVersion,
};
use crate::mask;
use crate::text::Text;

/// One condition of the runtime's `Status`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// `RuntimeReady`, `NetworkReady`, `ContainerdHasNoDeprecationWarnings`, ...
    pub kind: Text,
    /// It holds.
    pub holds: bool,
    /// One word: why it does not.
    pub reason: Option<Text>,
    /// The runtime's explanation.
    pub message: Option<Text>,
}

impl Listed for Pod {
    type Wire = v1::PodSandbox;
    const WHAT: &'static str = "pods";
    const UNARY: &'static str = "/runtime.v1.RuntimeService/ListPodSandbox";
    const STREAM: &'static str = "/runtime.v1.RuntimeService/StreamPodSandboxes";
    const NESTED: &'static [u32] = &[];

    fn line(session: &Session) -> &Channel {
        &session.runtime
    }

    fn convert(wire: v1::PodSandbox, names: &mut Names) -> Self {
        let metadata = wire.metadata.unwrap_or_default();
        Self {
            id: PodId::new(&wire.id),
            uid: Text::clean(&metadata.uid),
            name: Text::clean(&metadata.name),
            namespace: Text::clean(&metadata.namespace),
            attempt: metadata.attempt,
            state: pod_state(wire.state),
            created_at: time(wire.created_at),
            runtime_handler: text(&wire.runtime_handler),
            labels: labels(wire.labels, names),
            annotations: labels(wire.annotations, names),
        }
    }
}

impl Listed for Container {
    type Wire = v1::Container;
    const WHAT: &'static str = "containers";
    const UNARY: &'static str = "/runtime.v1.RuntimeService/ListContainers";
    const STREAM: &'static str = "/runtime.v1.RuntimeService/StreamContainers";
    /// `image`, which has annotations.
    const NESTED: &'static [u32] = &[4];

    fn line(session: &Session) -> &Channel {
        &session.runtime
    }

    fn convert(wire: v1::Container, names: &mut Names) -> Self {
        let metadata = wire.metadata.unwrap_or_default();
        let image = wire.image.unwrap_or_default().image;
        Self {
            id: ContainerId::new(&wire.id),
            pod_id: PodId::new(&wire.pod_sandbox_id),
            name: Text::clean(&metadata.name),
            attempt: metadata.attempt,
            state: container_state(wire.state),
            created_at: time(wire.created_at),
            image_id: ImageId::new(join_key(&wire.image_id, &wire.image_ref, &image)),
            image: Text::clean(&image),
            labels: labels(wire.labels, names),
            annotations: labels(wire.annotations, names),
        }
    }
}

impl Listed for Image {
    type Wire = v1::Image;
    const WHAT: &'static str = "images";
    const UNARY: &'static str = "/runtime.v1.ImageService/ListImages";
    const STREAM: &'static str = "/runtime.v1.ImageService/StreamImages";
    /// `spec`, which has annotations.
    const NESTED: &'static [u32] = &[7];

    fn line(session: &Session) -> &Channel {
        &session.image
    }

    fn convert(wire: v1::Image, _: &mut Names) -> Self {
        Self {
            id: ImageId::new(&wire.id),
            tags: sorted(&wire.repo_tags),
            digests: sorted(&wire.repo_digests),
            size: wire.size,
            pinned: wire.pinned,
        }
    }
}

/// What `Version` answers.
pub fn version(wire: &v1::VersionResponse) -> RuntimeVersion {
    RuntimeVersion {
        name: Text::clean(&wire.runtime_name),
        version: Text::clean(&wire.runtime_version),
        api_version: Text::clean(&wire.runtime_api_version),
    }
}

/// What `Status` answers about readiness.
pub fn conditions(wire: v1::StatusResponse) -> Vec<Condition> {
    let conditions = wire.status.unwrap_or_default().conditions;
    let convert = |wire: v1::RuntimeCondition| Condition {
        kind: Text::clean(&wire.r#type),
        holds: wire.status,
        reason: text(&wire.reason),
        message: text(&mask::text(&wire.message)),
    };
    conditions.into_iter().map(convert).collect()
}

/// What `PodSandboxStatus` answers.
pub fn pod_detail(wire: v1::PodSandboxStatus) -> PodDetail {
    let network = wire.network.unwrap_or_default();
    let more = network.additional_ips.iter().map(|ip| ip.ip.as_str());
    let ips = std::iter::once(network.ip.as_str()).chain(more);
    let namespaces = wire.linux.and_then(|linux| linux.namespaces);
    let options = namespaces.and_then(|namespaces| namespaces.options);
    // An unset field means shared within the pod, so only the node's number counts.
    let node = |mode: fn(&v1::NamespaceOption) -> i32| {
        options.as_ref().map(mode) == Some(v1::NamespaceMode::Node as i32)
    };
    PodDetail {
        host_network: node(|options| options.network),
        host_pid: node(|options| options.pid),
        host_ipc: node(|options| options.ipc),
        ips: ips.filter_map(text).collect(),
    }
}

/// What `ContainerStatus` answers.
pub fn container_detail(wire: &v1::ContainerStatus) -> ContainerDetail {
    let exited = container_state(wire.state) == ContainerState::Exited;
    let image = wire.image.as_ref().map(|image| image.image.as_str());
    ContainerDetail {
        started_at: time(wire.started_at),
        finished_at: time(wire.finished_at),
        // CRI-O says -1 when it does not know.
        exit_code: Some(wire.exit_code).filter(|code| exited && *code != -1),
        reason: text(&wire.reason),
        message: text(&mask::text(&wire.message)),
        log_path: text(&wire.log_path),
        image: image.and_then(text),
        limits: limits(wire),
    }
}

fn limits(wire: &v1::ContainerStatus) -> Limits {
    let linux = wire.resources.as_ref().and_then(|all| all.linux.as_ref());
    linux.map_or_else(Limits::default, |linux| {
        Limits::of(
            linux.memory_limit_in_bytes,
            linux.cpu_quota,
            linux.cpu_period,
        )
    })
}

fn pod_state(number: i32) -> PodState {
    match v1::PodSandboxState::try_from(number) {
        Ok(v1::PodSandboxState::SandboxReady) => PodState::Ready,
        Ok(v1::PodSandboxState::SandboxNotready) => PodState::NotReady,
        Err(_) => PodState::Unknown,
    }
}

fn container_state(number: i32) -> ContainerState {
    match v1::ContainerState::try_from(number) {
        Ok(v1::ContainerState::ContainerCreated) => ContainerState::Created,
        Ok(v1::ContainerState::ContainerRunning) => ContainerState::Running,
        Ok(v1::ContainerState::ContainerExited) => ContainerState::Exited,
        Ok(v1::ContainerState::ContainerUnknown) | Err(_) => ContainerState::Unknown,
    }
}

/// Nanoseconds since 1970. Zero is unset; so is what lies before, which is Go's zero time.
fn time(nanoseconds: i64) -> Option<Timestamp> {
    if nanoseconds <= 0 {
        return None;
    }
    Timestamp::from_nanosecond(i128::from(nanoseconds)).ok()
}

fn text(raw: &str) -> Option<Text> {
    Text::clean(raw).non_empty()
}

fn sorted(raw: &[String]) -> Vec<Text> {
    let mut texts: Vec<_> = raw.iter().map(|raw| Text::clean(raw)).collect();
    texts.sort();
    texts
}

fn labels(raw: HashMap<String, String>, names: &mut Names) -> Labels {
    let clean = |(key, value): (String, String)| {
        let value = mask::named(&key, &value);
        (names.get(&key), Text::clean(&value))
    };
    let mut labels: Labels = raw.into_iter().map(clean).collect();
    // Two keys that differ only in what was cleaned are one; sorting by value too decides which.
    labels.sort();
    labels.dedup_by(|a, b| a.0 == b.0);
    labels
}

/// The image's id, from the fields that may hold it. Only newer runtimes fill `image_id`;
/// elsewhere the reference is the id, or a digest while the request names the id.
fn join_key<'a>(image_id: &'a str, image_ref: &'a str, requested: &'a str) -> &'a str {
    let candidates = [image_id, image_ref, requested];
    let found = candidates.into_iter().find(|candidate| is_id(candidate));
    let fallback = if image_id.is_empty() {
        image_ref
    } else {
        image_id
    };
    found.unwrap_or(fallback)
}

fn is_id(text: &str) -> bool {
    let bare = text.strip_prefix("sha256:").unwrap_or(text);
    bare.len() == 64 && bare.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use prost::Message;
    use rstest::rstest;

    #[rstest]
    #[case::unset(0, None)]
    #[case::go_zero_time(-6_795_364_578_871_345_152, None)]
    #[case::least(i64::MIN, None)]
    #[case::first(1, Some("1970-01-01T00:00:00.000000001Z"))]
    #[case::real(1_795_205_093_725_453_161, Some("2026-11-20T20:04:53.725453161Z"))]
    #[case::last(i64::MAX, Some("2262-04-11T23:47:16.854775807Z"))]
    fn times(#[case] nanoseconds: i64, #[case] expected: Option<&str>) {
        let shown = time(nanoseconds).map(|time| time.to_string());
        assert_eq!(shown.as_deref(), expected);
    }

    const EXITED: i32 = v1::ContainerState::ContainerExited as i32;
    const RUNNING: i32 = v1::ContainerState::ContainerRunning as i32;

    #[rstest]
    #[case::exited(EXITED, 137, Some(137))]
    #[case::exited_well(EXITED, 0, Some(0))]
    #[case::unknown_code(EXITED, -1, None)]
    #[case::runs(RUNNING, 0, None)]
    #[case::unknown_state(77, 0, None)]
    fn exit_codes(#[case] state: i32, #[case] exit_code: i32, #[case] expected: Option<i32>) {
        let status = v1::ContainerStatus {
            state,
            exit_code,
            ..Default::default()
        };
        assert_eq!(container_detail(&status).exit_code, expected);
    }

    const HEX: &str = "dd1ddd707fbf43ce73041c28ab6522c7f26c49a498c7e80fd989b3e00e2ff3a6";

    #[rstest]
    #[case::newer("sha256:dd", "registry/x@sha256:ee", "x", "sha256:dd")]
    #[case::containerd("", &format!("sha256:{HEX}"), "localhost/busybox:test", &format!("sha256:{HEX}"))]
    #[case::crio("", "registry/x@sha256:ee", HEX, HEX)]
    #[case::docker("", "docker-pullable://x@sha256:ee", &format!("sha256:{HEX}"), &format!("sha256:{HEX}"))]
    #[case::nothing_is_an_id("", "some-ref", "busybox", "some-ref")]
    #[case::nothing("", "", "", "")]
    fn join_keys(
        #[case] image_id: &str,
        #[case] image_ref: &str,
        #[case] requested: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(join_key(image_id, image_ref, requested), expected);
    }

    #[test]
    fn labels_are_sorted_and_unique() {
        let raw = [("b", "1"), ("a", "2"), ("a\x07", "3"), ("a\\x07", "4")];
        let raw = raw.map(|(k, v)| (k.to_owned(), v.to_owned()));
        let labels = labels(HashMap::from(raw), &mut Names::default());
        let keys: Vec<_> = labels.iter().map(|(key, _)| key.as_str()).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
        assert_eq!(crate::domain::label(&labels, "b").unwrap().as_str(), "1");
    }

    #[test]
    fn the_primary_address_is_first() {
        let ip = |ip: &str| v1::PodIp { ip: ip.into() };
        let network = v1::PodSandboxNetworkStatus {
            ip: "10.0.0.2".into(),
            additional_ips: vec![ip("fd00::2"), ip("")],
        };
        let status = v1::PodSandboxStatus {
            network: Some(network),
            ..Default::default()
        };
        let ips = pod_detail(status).ips;
        assert_eq!(ips, [Text::clean("10.0.0.2"), Text::clean("fd00::2")]);
    }

    #[test]
    fn namespaces_of_the_node_and_an_absent_field() {
        let options = v1::NamespaceOption {
            network: v1::NamespaceMode::Node as i32,
            pid: v1::NamespaceMode::Container as i32,
            ipc: v1::NamespaceMode::Node as i32,
            ..Default::default()
        };
        let namespaces = v1::Namespace {
            options: Some(options),
        };
        let linux = v1::LinuxPodSandboxStatus {
            namespaces: Some(namespaces),
        };
        let status = v1::PodSandboxStatus {
            linux: Some(linux),
            ..Default::default()
        };
        let detail = pod_detail(status);
        let found = (detail.host_network, detail.host_pid, detail.host_ipc);
        assert_eq!(found, (true, false, true));
        let nothing = pod_detail(v1::PodSandboxStatus::default());
        assert_eq!(nothing, PodDetail::default());
    }

    fn clean(texts: &[&str]) -> bool {
        let unsafe_char = |c| crate::text::is_unsafe(c);
        !texts.iter().any(|text| text.chars().any(unsafe_char))
    }

    proptest! {
        /// Whatever the fields hold, and whatever of it decodes, converts.
        #[test]
        fn every_container_converts(
            text in any::<String>(),
            number in any::<i64>(),
            state in any::<i32>(),
            attempt in any::<u32>(),
        ) {
            let wire = v1::Container {
                id: text.clone(),
                pod_sandbox_id: text.clone(),
                metadata: Some(v1::ContainerMetadata { name: text.clone(), attempt }),
                state,
                created_at: number,
                image_ref: text.clone(),
                labels: [(text.clone(), text.clone())].into(),
                ..Default::default()
            };
            let container = Container::convert(wire, &mut Names::default());
            let (key, value) = &container.labels[0];
            let texts = [container.name.as_str(), container.id.as_str(), key.as_str(), value.as_str()];
            prop_assert!(clean(&texts));
            let status = v1::ContainerStatus {
                started_at: number,
                finished_at: number.wrapping_neg(),
                exit_code: state,
                state,
                reason: text.clone(),
                message: text,
                ..Default::default()
            };
            let detail = container_detail(&status);
            prop_assert!(detail.message.is_none_or(|message| clean(&[message.as_str()])));
        }

        #[test]
        fn all_bytes_that_decode_convert(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let names = &mut Names::default();
            let raw = bytes.as_slice();
            let _ = v1::PodSandbox::decode(raw).map(|wire| Pod::convert(wire, names));
            let _ = v1::Container::decode(raw).map(|wire| Container::convert(wire, names));
            let _ = v1::Image::decode(raw).map(|wire| Image::convert(wire, names));
            let _ = v1::PodSandboxStatus::decode(raw).map(pod_detail);
            let _ = v1::ContainerStatus::decode(raw).map(|wire| container_detail(&wire));
            let _ = v1::StatusResponse::decode(raw).map(conditions);
            let _ = v1::VersionResponse::decode(raw).map(|wire| version(&wire));
        }
    }
}
