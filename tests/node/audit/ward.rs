//! Pods and containers for an audit, and one that is held as hard as they can be.

use k8s_cri::v1 as cri;

use crate::harness::Node;
use crate::pods::{Recipe, container};

/// What a kubelet hides and protects by default.
const MASKED: [&str; 3] = ["/proc/acpi", "/proc/kcore", "/proc/keys"];
const READ_ONLY: [&str; 3] = ["/proc/bus", "/proc/fs", "/proc/sys"];

/// Id and configuration.
pub type Sandbox = (String, cri::PodSandboxConfig);

/// Pods and containers that are gone afterwards.
pub struct Ward<'a> {
    node: &'a Node,
    sandboxes: Vec<String>,
    containers: Vec<String>,
}

impl<'a> Ward<'a> {
    /// An empty one.
    pub fn new(node: &'a Node) -> Self {
        Self {
            node,
            sandboxes: vec![],
            containers: vec![],
        }
    }

    /// A pod as a kubelet makes it, but for `change`.
    pub fn sandbox(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut cri::PodSandboxConfig),
    ) -> Sandbox {
        let mut config = self.node.pods.get("web-8").config.clone();
        let uid = format!("a0d17000-0000-4000-8000-{:012}", self.sandboxes.len());
        let metadata = config.metadata.as_mut().expect("metadata");
        (metadata.name, metadata.uid) = (name.to_owned(), uid.clone());
        config
            .labels
            .insert("io.kubernetes.pod.name".into(), name.to_owned());
        config.labels.insert("io.kubernetes.pod.uid".into(), uid);
        change(&mut config);
        let id = self.node.cri.run_sandbox(&config);
        self.sandboxes.push(id.clone());
        (id, config)
    }

    /// A container that runs.
    pub fn container(
        &mut self,
        (pod, sandbox): &Sandbox,
        name: &str,
        change: impl FnOnce(&mut cri::ContainerConfig),
    ) {
        let mut config = container(sandbox, name, 0, Recipe::Sleep);
        change(&mut config);
        let id = self.node.cri.create(pod, config, sandbox);
        self.containers.push(id.clone());
        let started = self.node.cri.start(&id);
        assert!(started.is_ok(), "{name}: {started:?}");
    }
}

impl Drop for Ward<'_> {
    fn drop(&mut self) {
        for id in &self.containers {
            self.node.cri.remove(id);
        }
        for id in &self.sandboxes {
            self.node.cri.stop_sandbox(id);
            self.node.cri.remove_sandbox(id);
        }
    }
}

/// What a container may do.
pub fn context(config: &mut cri::ContainerConfig) -> &mut cri::LinuxContainerSecurityContext {
    let linux = config.linux.get_or_insert_default();
    linux.security_context.get_or_insert_default()
}

/// What a container may use.
pub fn resources(config: &mut cri::ContainerConfig) -> &mut cri::LinuxContainerResources {
    let linux = config.linux.get_or_insert_default();
    linux.resources.get_or_insert_default()
}

/// Owned ones.
pub fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// As the level restricted wants it, and everything else that there is a check for.
pub fn hold(config: &mut cri::ContainerConfig) {
    let image = format!("registry.critui.test/app@sha256:{}", "0".repeat(64));
    config
        .image
        .as_mut()
        .expect("an image")
        .user_specified_image = image;
    let context = context(config);
    context.run_as_user = Some(cri::Int64Value { value: 10001 });
    context.no_new_privs = true;
    context.readonly_rootfs = true;
    context.masked_paths = texts(&MASKED);
    context.readonly_paths = texts(&READ_ONLY);
    context.seccomp = Some(cri::SecurityProfile::default());
    context.capabilities = Some(cri::Capability {
        drop_capabilities: texts(&["ALL"]),
        ..Default::default()
    });
    let resources = resources(config);
    resources.memory_limit_in_bytes = 64 << 20;
    (resources.cpu_quota, resources.cpu_period) = (50_000, 100_000);
}
