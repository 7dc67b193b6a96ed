//! What is known when an audit judges: plain data, gathered elsewhere. What could not be looked at
//! says why, and is never taken for good.

use std::sync::Arc;

use jiff::Timestamp;

use super::finding::Subject;
use super::kubelet::Kubelet;
use crate::domain::RuntimeVersion;
use crate::domain::security::{
    HostNamespaces, ImageSecurity, Mount, Oci, PodSecurity, RuntimeSecurity, Security,
};
use crate::text::Text;

/// What was seen, or a line that says why nothing could be.
pub type Seen<T> = Result<T, Text>;

/// Everything about a node.
#[derive(Clone, PartialEq, Debug)]
pub struct Facts {
    /// Its pods.
    pub pods: Vec<PodFacts>,
    /// The containers in them.
    pub containers: Vec<ContainerFacts>,
    /// Its images.
    pub images: Vec<ImageFacts>,
    /// Its runtime.
    pub runtime: RuntimeFacts,
    /// Its own files.
    pub host: HostFacts,
}

/// What is the same for every container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// Security modules that are on in the kernel.
    pub modules: Seen<Vec<Text>>,
    /// Registries that images may come from; empty if nobody said.
    pub registries: Vec<String>,
}

/// What is known of a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContainerFacts {
    /// Which.
    pub subject: Subject,
    /// Uid of its pod.
    pub uid: Text,
    /// How it is held.
    pub told: Seen<Security>,
    /// Ports of the node that lead to it.
    pub host_ports: Vec<u16>,
    /// The image that its tag leads to now, where that is another one than it runs.
    pub moved_to: Option<Text>,
    /// What is the same for every container.
    pub context: Arc<Context>,
}

/// What the runtime answers when asked about a container in full.
pub const CONTAINER_STATUS: &str = "ContainerStatus";

impl ContainerFacts {
    /// How it is held, or why that is not known.
    pub fn security(&self) -> Seen<&Security> {
        self.told.as_ref().map_err(Text::clone)
    }

    /// What its specification says, or why that is not known.
    pub fn spec(&self) -> Seen<&Oci> {
        let spec = self.security()?.spec.as_ref();
        spec.ok_or_else(|| "the runtime tells no OCI specification".into())
    }

    /// It is known to be privileged: much else follows from that and needs no words of its own.
    pub fn is_privileged(&self) -> bool {
        self.told
            .as_ref()
            .is_ok_and(|told| told.privileged == Some(true))
    }

    /// What is mounted from the node by a `hostPath` volume, with the place in its status. What the
    /// kubelet mounts lies in the pod's own folder.
    pub fn host_mounts(&self) -> Seen<Vec<(usize, &Mount)>> {
        let mounts = self.security()?.mounts.as_ref();
        let mounts = mounts.ok_or_else(|| Text::from("the runtime tells no mounts"))?;
        let own = format!("/pods/{}/", self.uid);
        let is_own = |mount: &Mount| {
            let path = mount.host_path.as_str();
            let rest = path.split_once(&own).map(|(_, rest)| rest);
            let kinds = [
                "volumes/",
                "volume-subpaths/",
                "containers/",
                "etc-hosts",
                "plugins/",
            ];
            !self.uid.is_empty()
                && rest.is_some_and(|rest| kinds.iter().any(|kind| rest.starts_with(kind)))
        };
        let mounts = mounts.iter().enumerate();
        Ok(mounts
            .filter(|(_, mount)| !is_own(mount) && !mount.host_path.is_empty())
            .collect())
    }
}

/// What is known of a pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PodFacts {
    /// Which.
    pub subject: Subject,
    /// How it is held.
    pub told: Seen<PodSecurity>,
    /// A kubelet made it.
    pub managed: bool,
}

impl PodFacts {
    /// Which namespaces of the node it is in, or why that is not known.
    pub fn namespaces(&self) -> Seen<HostNamespaces> {
        let told = self.told.as_ref().map_err(Text::clone)?;
        told.namespaces
            .ok_or_else(|| "the runtime tells no namespaces".into())
    }
}

/// What is known of an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageFacts {
    /// Which.
    pub subject: Subject,
    /// When that was looked at.
    pub now: Timestamp,
    /// What it says of itself.
    pub told: Seen<ImageSecurity>,
    /// A container was made from it, or the runtime keeps it.
    pub needed: bool,
    /// A name leads to it.
    pub named: bool,
}

/// What is known of the runtime.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuntimeFacts {
    /// Who it is.
    pub version: RuntimeVersion,
    /// How it is configured.
    pub told: Seen<RuntimeSecurity>,
    /// What is the same for every container.
    pub context: Arc<Context>,
}

/// What the node's own files say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HostFacts {
    /// Files that are there, or that could not be looked at, by path.
    pub files: Vec<FileFact>,
    /// How the kubelet is set; `None` where there is none.
    pub kubelet: Option<Seen<Kubelet>>,
}

/// A file that only some may read or write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileFact {
    /// Its path on the node.
    pub path: Text,
    /// What it is for.
    pub purpose: Purpose,
    /// Its owner, group and permission bits.
    pub stat: Seen<Owned>,
}

/// Who may do what with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Owned {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
}

/// What a file is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// The runtime's socket.
    Socket,
    /// The manifest of a static pod.
    Manifest,
    /// A private key.
    Key,
    /// A configuration that holds or names credentials.
    Kubeconfig,
    /// The kubelet's configuration.
    KubeletConfig,
    /// The folder of etcd.
    Etcd,
}
