//! The checks: each a rule and a pure function of facts. An error of a check is a line that says
//! why it is not known whether it is so.

mod capabilities;
mod confinement;
mod devices;
mod environment;
mod files;
mod image_itself;
mod image_used;
mod kubelet;
mod limits;
mod mounts;
mod namespaces;
mod network;
mod privileged;
mod runtime;
mod unmanaged;
mod user;

use super::facts::{ContainerFacts, HostFacts, ImageFacts, PodFacts, RuntimeFacts, Seen};
use super::finding::{Opinion, Rule};

/// A check of some facts.
#[derive(Debug)]
pub struct Check<F: 'static> {
    /// What it is.
    pub rule: Rule,
    /// What it says of some facts: nothing if all is well, an error if that is not known.
    pub judge: fn(&F) -> Seen<Vec<Opinion>>,
}

/// About a container.
pub static CONTAINER: [&Check<ContainerFacts>; 24] = [
    &privileged::PRIVILEGED,
    &mounts::RUNTIME_SOCKET,
    &mounts::HOST_PATH,
    &mounts::PROPAGATION,
    &capabilities::ADDED,
    &capabilities::KEPT,
    &confinement::SECCOMP,
    &confinement::APPARMOR,
    &confinement::SELINUX,
    &confinement::PROC,
    &devices::DEVICE,
    &user::ROOT,
    &user::ESCALATION,
    &user::WRITABLE_ROOT,
    &mounts::TOKEN,
    &environment::SECRET,
    &network::HOST_PORT,
    &limits::MEMORY,
    &limits::CPU,
    &image_used::LATEST,
    &image_used::MUTABLE,
    &image_used::MOVED,
    &image_used::UNQUALIFIED,
    &image_used::UNEXPECTED,
];

/// About a pod.
pub static POD: [&Check<PodFacts>; 5] = [
    &namespaces::PID,
    &namespaces::IPC,
    &namespaces::NETWORK,
    &network::SYSCTL,
    &unmanaged::UNMANAGED,
];

/// About an image.
pub static IMAGE: [&Check<ImageFacts>; 4] = [
    &image_itself::SECRET,
    &image_itself::OLD,
    &image_itself::DANGLING,
    &image_itself::UNUSED,
];

/// About the runtime.
pub static RUNTIME: [&Check<RuntimeFacts>; 7] = [
    &runtime::STREAMING,
    &runtime::INSECURE_REGISTRY,
    &runtime::CREDENTIALS,
    &runtime::APPARMOR,
    &runtime::SECCOMP,
    &runtime::OUTDATED,
    &runtime::DEPRECATED,
];

/// About the node.
pub static HOST: [&Check<HostFacts>; 19] = [
    &files::SOCKET,
    &files::KEY,
    &files::KUBECONFIG,
    &files::MANIFEST,
    &files::KUBELET_CONFIG,
    &files::ETCD,
    &files::OWNER,
    &kubelet::ANONYMOUS,
    &kubelet::ALWAYS_ALLOW,
    &kubelet::READ_ONLY_PORT,
    &kubelet::CLIENT_CA,
    &kubelet::IDLE,
    &kubelet::PIDS,
    &kubelet::SECCOMP,
    &kubelet::ROTATION,
    &kubelet::SERVER_CERTIFICATE,
    &kubelet::CIPHERS,
    &kubelet::FIREWALL,
    &kubelet::HOSTNAME,
];

/// All rules, in the order in which a table shows them.
pub fn rules() -> Vec<&'static Rule> {
    fn of<F>(checks: &'static [&'static Check<F>]) -> impl Iterator<Item = &'static Rule> {
        checks.iter().map(|check| &check.rule)
    }
    of(&CONTAINER)
        .chain(of(&POD))
        .chain(of(&IMAGE))
        .chain(of(&RUNTIME))
        .chain(of(&HOST))
        .collect()
}
