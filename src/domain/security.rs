//! How things on a node are held, as far as their runtime tells: what an audit judges. No secret
//! is here, only the names of what holds one.

use jiff::Timestamp;

use super::Limits;
use crate::text::Text;

/// Capabilities that containers get where nobody asks for anything: containerd's list, which holds
/// CRI-O's.
pub const USUAL: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// How a container is held.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Security {
    /// It is privileged; `None` if the runtime does not say.
    pub privileged: Option<bool>,
    /// What its OCI specification says; `None` if the runtime tells none.
    pub spec: Option<Oci>,
    /// Capabilities that were asked for, where the runtime tells the request.
    pub added: Vec<Text>,
    /// What is mounted from the node, in the order of its status; `None` if that is not told.
    pub mounts: Option<Vec<Mount>>,
    /// What it may use; `None` if that is not told.
    pub limits: Option<Limits>,
    /// Its image, as it was asked for.
    pub image: Option<Text>,
}

/// What matters of an OCI runtime specification.
// Independent facts.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Oci {
    /// Its user, as the container sees it.
    pub uid: Option<u32>,
    /// Users of the container are others on the node.
    pub user_namespace: bool,
    /// A program in it cannot gain rights by setuid and the like.
    pub no_new_privileges: bool,
    /// All capabilities in any of its sets, sorted, without `CAP_`.
    pub capabilities: Vec<Text>,
    /// System calls are filtered.
    pub seccomp: bool,
    /// Its `AppArmor` profile.
    pub apparmor: Option<Text>,
    /// Its `SELinux` label.
    pub selinux: Option<Text>,
    /// It cannot write to its root file system.
    pub read_only_root: bool,
    /// Parts of `/proc` and `/sys` are hidden from it and others are read-only.
    pub masked: bool,
    /// Devices beside those that every container has, by path.
    pub devices: Vec<Text>,
    /// Variables of its environment that hold a secret: place in the list, and name.
    pub secrets: Vec<(usize, Text)>,
}

/// Something of the node that is mounted into a container.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mount {
    /// Where it is on the node.
    pub host_path: Text,
    /// Where it is in the container.
    pub path: Text,
    /// It cannot be written through this mount.
    pub read_only: bool,
    /// What the container mounts below it is mounted on the node too.
    pub bidirectional: bool,
}

/// How a pod is held.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PodSecurity {
    /// Which namespaces of the node it is in; `None` if that is not told.
    pub namespaces: Option<HostNamespaces>,
    /// Kernel parameters that it sets; `None` if that is not told.
    pub sysctls: Option<Vec<Text>>,
}

/// Namespaces of the node that a pod is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct HostNamespaces {
    /// Its network is the node's.
    pub network: bool,
    /// It sees all processes of the node.
    pub pid: bool,
    /// It shares memory and semaphores with processes of the node.
    pub ipc: bool,
}

/// What an image says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ImageSecurity {
    /// When it was built; `None` if it does not say, or says a time that cannot be.
    pub built_at: Option<Timestamp>,
    /// Variables that it sets and that hold a secret: place in the list, and name.
    pub secrets: Vec<(usize, Text)>,
    /// Steps of its history, by place, in which a secret stands that is no such variable.
    pub history: Vec<usize>,
}

/// How the runtime is configured. What it does not tell is `None`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuntimeSecurity {
    /// It puts no container under `AppArmor`.
    pub apparmor_off: Option<bool>,
    /// The default profile for system calls, where a pod asks for none: `unconfined`, or empty.
    pub seccomp_default: Option<Text>,
    /// The address of its streaming server.
    pub streaming: Option<Text>,
    /// That server speaks TLS.
    pub streaming_tls: Option<bool>,
    /// Registries whose certificates it does not verify, or that it speaks to without TLS.
    pub insecure_registries: Option<Vec<Text>>,
    /// Registries whose passwords stand in its configuration.
    pub credentials: Option<Vec<Text>>,
    /// What it warns of: features that go away.
    pub deprecations: Option<Text>,
}
