//! What is known of the node.

use jiff::Timestamp;

use super::Seen;
use crate::stats::node::NodeFiles;
use crate::text::Text;

/// What is known of the node.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeFacts {
    /// When it was gathered.
    pub now: Timestamp,
    /// Memory, disks, pressure, ports; or why they are not known.
    pub files: Seen<NodeFiles>,
    /// The runtime's conditions: name, whether it is so, reason and message. An error: it does not
    /// answer.
    pub conditions: Seen<Vec<Condition>>,
    /// Slowest calls: name and how long all but a hundredth of them took, in milliseconds.
    pub slow_calls: Vec<(Text, u64)>,
    /// The kubelet.
    pub kubelet: Kubelet,
    /// Address ranges of host-local and how full they are.
    pub ranges: Vec<AddressRange>,
    /// Files with network configuration in `/etc/cni/net.d`.
    pub networks: Seen<usize>,
    /// Manifests of static pods, and how their pods stand.
    pub manifests: Seen<Vec<Manifest>>,
    /// Certificates and when they end.
    pub certificates: Vec<Certificate>,
    /// The newest time that the runtime has told.
    pub newest: Option<Timestamp>,
    /// Folders of pods that have mounts but no sandbox: uid and a mount.
    pub ghosts: Vec<(Text, Text)>,
}

/// A condition of the runtime.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// `RuntimeReady`, `NetworkReady`, ...
    pub name: Text,
    /// It is so.
    pub ok: bool,
    /// Why not: reason and message.
    pub why: Text,
}

/// The kubelet.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kubelet {
    /// The node is meant to have one: its configuration is there.
    pub expected: bool,
    /// Its process runs; `None` if processes cannot be seen.
    pub process: Option<bool>,
    /// What its health port says; `None` if it was not asked.
    pub health: Option<Seen<()>>,
}

/// Addresses that host-local hands out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressRange {
    /// Name of the network.
    pub network: Text,
    /// Folder that holds one file for each address.
    pub path: Text,
    /// Addresses there are.
    pub size: u64,
    /// Addresses handed out.
    pub used: u64,
    /// Those of them whose sandbox is no more.
    pub leaked: u64,
}

/// A manifest of a static pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Its path.
    pub path: Text,
    /// Name of its pod, without the node's; `None`: it cannot be read.
    pub pod: Option<Text>,
    /// A container of it runs.
    pub running: bool,
    /// There is a sandbox.
    pub sandbox: bool,
    /// When the file was last changed.
    pub changed_at: Option<Timestamp>,
}

/// A certificate of the node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// Its file.
    pub path: Text,
    /// When it ends.
    pub ends_at: Timestamp,
}
