//! How a runtime tells what is there: the world in the CRI's messages, with the quirks of the
//! profile.

use std::collections::{BTreeMap, HashMap};

use k8s_cri::v1;

use super::chance::digest;
use super::mounts::{host_mounts, kubelet_mounts};
use super::profile::{Family, Traits};
use super::scenario::{PodSpec, Qos};
use super::world::{Container, Image, Pod, State, World};

const SECOND: i64 = 1_000_000_000;

/// Says things the way one runtime does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Teller {
    pub traits: &'static Traits,
    /// Nanoseconds by which the runtime's clock is ahead of the machine's.
    pub skew: i64,
}

/// Fields of maps in list items, for [`super::item::Item`].
pub(super) const POD_MAPS: [u64; 2] = [5, 6];
/// The same for containers.
pub(super) const CONTAINER_MAPS: [u64; 2] = [8, 9];

impl Teller {
    fn is(&self, family: Family) -> bool {
        self.traits.family == family
    }

    /// A moment as the runtime tells it; 0 stays 0.
    pub(super) fn time(&self, at: i64) -> i64 {
        if at == 0 {
            0
        } else {
            at.saturating_add(self.skew)
        }
    }

    /// cri-dockerd's lists know whole seconds only.
    fn list_time(&self, at: i64) -> i64 {
        let at = self.time(at);
        if self.is(Family::CriDockerd) {
            at - at % SECOND
        } else {
            at
        }
    }

    pub(super) fn pod(&self, pod: &Pod) -> v1::PodSandbox {
        v1::PodSandbox {
            id: pod.id.to_string(),
            metadata: Some(pod_metadata(pod)),
            state: pod_state(pod),
            created_at: self.list_time(pod.created),
            labels: self.pod_labels(pod),
            annotations: self.pod_annotations(pod),
            runtime_handler: String::new(),
        }
    }

    pub(super) fn pod_status(&self, pod: &Pod) -> v1::PodSandboxStatus {
        let options = v1::NamespaceOption {
            network: if pod.spec.host_network { 2 } else { 0 },
            pid: if pod.spec.host_pid { 2 } else { 1 },
            ipc: 0,
            target_id: String::new(),
            userns_options: self.traits.userns.then(|| v1::UserNamespace {
                mode: 2,
                ..v1::UserNamespace::default()
            }),
        };
        v1::PodSandboxStatus {
            id: pod.id.to_string(),
            metadata: Some(pod_metadata(pod)),
            state: pod_state(pod),
            created_at: self.time(pod.created),
            network: Some(v1::PodSandboxNetworkStatus {
                ip: pod.ip.clone(),
                additional_ips: Vec::new(),
            }),
            linux: Some(v1::LinuxPodSandboxStatus {
                namespaces: Some(v1::Namespace {
                    options: Some(options),
                }),
            }),
            labels: self.pod_labels(pod),
            annotations: self.pod_annotations(pod),
            runtime_handler: String::new(),
        }
    }

    pub(super) fn pod_labels(&self, pod: &Pod) -> HashMap<String, String> {
        let mut labels = owned(&pod.spec.labels);
        labels.extend(kubelet_labels(pod));
        if self.is(Family::CriO) {
            labels.insert("io.kubernetes.container.name".into(), "POD".into());
        }
        labels
    }

    pub(super) fn pod_annotations(&self, pod: &Pod) -> HashMap<String, String> {
        let mut annotations = owned(&pod.spec.annotations);
        let source = if pod.spec.static_pod { "file" } else { "api" };
        annotations.insert("kubernetes.io/config.source".into(), source.into());
        annotations.insert(
            "kubernetes.io/config.seen".into(),
            super::clock::rfc3339(self.time(pod.created - 2 * SECOND)),
        );
        if pod.spec.static_pod {
            annotations.insert("kubernetes.io/config.hash".into(), pod.uid.to_string());
        }
        annotations
    }

    pub(super) fn container(&self, container: &Container, world: &World) -> v1::Container {
        let image = world.image(&container.spec.image);
        v1::Container {
            id: container.id.to_string(),
            pod_sandbox_id: container.pod.to_string(),
            metadata: Some(container_metadata(container)),
            image: Some(self.list_image(container, image)),
            image_ref: self.list_image_ref(image),
            state: self.list_state(container),
            created_at: self.list_time(container.created),
            labels: container_labels(container, world),
            annotations: container_annotations(container, world),
            image_id: self.filled_image_id(image),
        }
    }

    /// Under the kubelet a container is created with the image's id.
    fn list_image(&self, container: &Container, image: Option<&Image>) -> v1::ImageSpec {
        let user_specified = self.traits.images.user_specified;
        v1::ImageSpec {
            image: image.map_or_else(
                || container.spec.image.clone(),
                |image| self.traits.image_id(&image.id),
            ),
            user_specified_image: if user_specified {
                container.spec.image.clone()
            } else {
                String::new()
            },
            ..v1::ImageSpec::default()
        }
    }

    fn list_image_ref(&self, image: Option<&Image>) -> String {
        image.map_or_else(String::new, |image| match self.traits.family {
            Family::CriO => self.reference(image),
            _ => self.traits.image_id(&image.id),
        })
    }

    /// First digest, else the id.
    fn reference(&self, image: &Image) -> String {
        let digest = image.digests.first().cloned();
        digest.unwrap_or_else(|| self.traits.image_id(&image.id))
    }

    fn filled_image_id(&self, image: Option<&Image>) -> String {
        match image {
            Some(image) if self.traits.images.image_id => self.traits.image_id(&image.id),
            _ => String::new(),
        }
    }

    /// Docker's list calls what could not start created; its status knows better.
    fn list_state(&self, container: &Container) -> i32 {
        let never_started = container.started == 0;
        match container.state {
            State::Exited(_) if never_started && self.is(Family::CriDockerd) => 0,
            _ => container_state(container),
        }
    }

    pub(super) fn container_status(
        &self,
        container: &Container,
        world: &World,
    ) -> v1::ContainerStatus {
        let image = world.image(&container.spec.image);
        let (end, started) = self.end(container);
        v1::ContainerStatus {
            id: container.id.to_string(),
            metadata: Some(container_metadata(container)),
            state: container_state(container),
            created_at: self.time(container.created),
            started_at: self.time(started),
            finished_at: self.time(end.at),
            exit_code: end.exit,
            image: Some(v1::ImageSpec {
                image: first_tag(image).unwrap_or_else(|| container.spec.image.clone()),
                ..v1::ImageSpec::default()
            }),
            image_ref: self.status_image_ref(image),
            reason: end.reason.into(),
            message: end.message,
            labels: container_labels(container, world),
            annotations: container_annotations(container, world),
            mounts: self.mounts(container, world),
            log_path: log_path(container, world).unwrap_or_default(),
            resources: self.resources(container, world),
            image_id: self.filled_image_id(image),
            user: self.user(image),
        }
    }

    fn end(&self, container: &Container) -> (super::world::End, i64) {
        let none = super::world::End {
            at: 0,
            exit: 0,
            reason: "",
            message: String::new(),
        };
        let mut end = container.ended().cloned().unwrap_or(none);
        let mut started = container.started;
        if end.reason == "StartError" && self.is(Family::CriDockerd) {
            end.reason = "ContainerCannotRun";
            end.exit = 127;
            end.at = container.created;
            started = container.created;
            end.message = end.message.replace(
                "failed to create containerd task:",
                "failed to create task for container:",
            );
        }
        // containerd 1.x and Docker append the name of the error's code.
        let named = self.traits.v1alpha2 || self.is(Family::CriDockerd);
        if named && !end.message.is_empty() {
            end.message += ": unknown";
        }
        (end, started)
    }

    fn status_image_ref(&self, image: Option<&Image>) -> String {
        image.map_or_else(String::new, |image| {
            let reference = self.reference(image);
            if self.is(Family::CriDockerd) && !image.digests.is_empty() {
                format!("docker-pullable://{reference}")
            } else {
                reference
            }
        })
    }

    /// cri-dockerd leaves out mounts, resources and the user.
    fn mounts(&self, container: &Container, world: &World) -> Vec<v1::Mount> {
        let Some(pod) = world.pods.get(&container.pod) else {
            return Vec::new();
        };
        if self.is(Family::CriDockerd) {
            return Vec::new();
        }
        let own = kubelet_mounts(container, pod).into_iter();
        own.map(|(inside, outside)| (inside, outside, false))
            .chain(host_mounts(container))
            .map(|(container_path, host_path, readonly)| v1::Mount {
                container_path,
                host_path,
                readonly,
                ..v1::Mount::default()
            })
            .collect()
    }

    fn resources(&self, container: &Container, world: &World) -> Option<v1::ContainerResources> {
        if self.is(Family::CriDockerd) {
            return None;
        }
        let limit = container.memory_limit();
        let crio = self.is(Family::CriO);
        let huge = ["2MB", "1GB"].map(|size| v1::HugepageLimit {
            page_size: size.into(),
            limit: 0,
        });
        let unified = [("memory.oom.group", "1"), ("memory.swap.max", "0")];
        Some(v1::ContainerResources {
            linux: Some(v1::LinuxContainerResources {
                cpu_period: 100_000,
                cpu_quota: cpu_quota(container),
                cpu_shares: cpu_shares(container),
                memory_limit_in_bytes: limit,
                memory_swap_limit_in_bytes: limit,
                oom_score_adj: oom_score(container, world),
                hugepage_limits: if crio { huge.to_vec() } else { Vec::new() },
                unified: if crio {
                    HashMap::new()
                } else {
                    unified.map(|(k, v)| (k.into(), v.into())).into()
                },
                ..v1::LinuxContainerResources::default()
            }),
            windows: None,
        })
    }

    fn user(&self, image: Option<&Image>) -> Option<v1::ContainerUser> {
        let uid = image?.spec.user.parse().unwrap_or(0);
        self.traits.users.then(|| v1::ContainerUser {
            linux: Some(v1::LinuxContainerUser {
                uid,
                gid: uid,
                supplemental_groups: vec![uid],
            }),
        })
    }

    pub(super) fn image(&self, image: &Image) -> v1::Image {
        let uid = image.spec.user.parse().ok();
        let factor = if self.traits.images.unpacked { 2 } else { 1 };
        v1::Image {
            id: self.traits.image_id(&image.id),
            repo_tags: image.tags.clone(),
            repo_digests: image.digests.clone(),
            size: image.spec.size.0 * factor,
            uid: uid.map(|value| v1::Int64Value { value }),
            username: if uid.is_some() {
                String::new()
            } else {
                image.spec.user.clone()
            },
            spec: None,
            pinned: image.spec.pinned && self.traits.images.pins,
        }
    }
}

fn first_tag(image: Option<&Image>) -> Option<String> {
    image?.tags.first().cloned()
}

fn owned(map: &BTreeMap<String, String>) -> HashMap<String, String> {
    map.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn pod_state(pod: &Pod) -> i32 {
    i32::from(!pod.ready)
}

fn container_state(container: &Container) -> i32 {
    match container.state {
        State::Created => 0,
        State::Running => 1,
        State::Exited(_) => 2,
    }
}

pub(super) fn pod_metadata(pod: &Pod) -> v1::PodSandboxMetadata {
    v1::PodSandboxMetadata {
        name: pod.spec.name.clone(),
        uid: pod.uid.to_string(),
        namespace: pod.spec.namespace.clone(),
        attempt: pod.attempt,
    }
}

pub(super) fn container_metadata(container: &Container) -> v1::ContainerMetadata {
    v1::ContainerMetadata {
        name: container.spec.name.clone(),
        attempt: container.attempt,
    }
}

/// The three labels that the kubelet puts on everything of a pod.
fn kubelet_labels(pod: &Pod) -> [(String, String); 3] {
    [
        ("io.kubernetes.pod.name".into(), pod.spec.name.clone()),
        (
            "io.kubernetes.pod.namespace".into(),
            pod.spec.namespace.clone(),
        ),
        ("io.kubernetes.pod.uid".into(), pod.uid.to_string()),
    ]
}

pub(super) fn container_labels(container: &Container, world: &World) -> HashMap<String, String> {
    let pod = world.pods.get(&container.pod);
    let mut labels: HashMap<_, _> = pod.map(kubelet_labels).into_iter().flatten().collect();
    labels.insert(
        "io.kubernetes.container.name".into(),
        container.spec.name.clone(),
    );
    labels
}

pub(super) fn container_annotations(
    container: &Container,
    world: &World,
) -> HashMap<String, String> {
    let prefix = "io.kubernetes.container";
    let mut annotations = HashMap::from([
        (format!("{prefix}.hash"), hash(container)),
        (
            format!("{prefix}.restartCount"),
            container.attempt.to_string(),
        ),
        (
            format!("{prefix}.terminationMessagePath"),
            "/dev/termination-log".into(),
        ),
        (format!("{prefix}.terminationMessagePolicy"), "File".into()),
        (
            "io.kubernetes.pod.terminationGracePeriod".into(),
            "30".into(),
        ),
    ]);
    if let Some(ports) = &container.spec.ports {
        annotations.insert(format!("{prefix}.ports"), ports.clone());
    }
    let deleting = world
        .pods
        .get(&container.pod)
        .and_then(|pod| pod.spec.deleting);
    if let Some(grace) = deleting {
        annotations.insert(
            "io.kubernetes.pod.deletionGracePeriod".into(),
            (grace.0 / SECOND).to_string(),
        );
    }
    annotations
}

/// Eight digits that stand for the container's specification.
pub(super) fn hash(container: &Container) -> String {
    digest(&format!("{}{}", container.spec.name, container.spec.image))[..8].into()
}

/// Folder of a pod's logs.
pub(super) fn log_folder(pod: &Pod) -> String {
    format!(
        "/var/log/pods/{}_{}_{}",
        pod.spec.namespace, pod.spec.name, pod.uid
    )
}

/// Where a container's log is.
pub(super) fn log_path(container: &Container, world: &World) -> Option<String> {
    let pod = world.pods.get(&container.pod)?;
    let (name, attempt) = (&container.spec.name, container.attempt);
    Some(format!("{}/{name}/{attempt}.log", log_folder(pod)))
}

/// CPU shares of a request, as the kubelet computes them.
pub(super) fn cpu_shares(container: &Container) -> i64 {
    match container.limits {
        Some(limits) if limits.cpu_shares > 0 => limits.cpu_shares,
        _ => (i64::from(container.spec.uses.cpu_request) * 1024 / 1000).max(2),
    }
}

/// CPU quota in a period of 100 ms; 0 is none.
pub(super) fn cpu_quota(container: &Container) -> i64 {
    match container.limits {
        Some(limits) if limits.cpu_quota > 0 => limits.cpu_quota,
        _ => i64::from(container.spec.uses.cpu_limit) * 100,
    }
}

pub(super) fn oom_score(container: &Container, world: &World) -> i64 {
    match world.pods.get(&container.pod).map(|pod| pod.spec.qos) {
        Some(Qos::Guaranteed) => -997,
        Some(Qos::Burstable) => 994,
        _ => 1000,
    }
}

/// The pod's cgroup (systemd driver), as in the sandbox's `cgroup_parent`.
pub(super) fn cgroup_parent(spec: &PodSpec, uid: &str) -> String {
    if spec.no_cgroup {
        return String::new();
    }
    let uid = uid.replace('-', "_");
    match spec.qos {
        Qos::Guaranteed => format!("/kubepods.slice/kubepods-pod{uid}.slice"),
        Qos::Burstable => {
            format!("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid}.slice")
        }
        Qos::Besteffort => {
            format!("/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{uid}.slice")
        }
    }
}
