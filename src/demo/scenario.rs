//! Scenarios: what the simulated node holds and what becomes of it, as data. The two small ones
//! are YAML files beside this one; `large` is generated in [`super::large`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::large;
use super::units::{Bytes, Nanos};

const SECOND: i64 = 1_000_000_000;

/// What a simulated node holds at the start, and the script of what happens.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// Its name on the command line.
    pub name: String,
    /// Host name of the node.
    pub node: String,
    /// Nothing ever changes and lists come in one order, so that the same call gives the same
    /// bytes.
    #[serde(default)]
    pub still: bool,
    /// Log files and cgroup files are made only for what is asked about: for thousands of
    /// containers they would take too long.
    #[serde(default)]
    pub sparse_host: bool,
    /// Which cgroups the node has, and a kernel and a distribution of that age.
    #[serde(default)]
    pub cgroup: Cgroups,
    /// How long the node has been up.
    pub uptime: Nanos,
    /// Images that are there; those of the containers come by themselves.
    #[serde(default)]
    pub images: Vec<ImageSpec>,
    /// The pods.
    pub pods: Vec<Arc<PodSpec>>,
}

/// Version of the cgroups of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Cgroups {
    /// A hierarchy for each controller.
    V1,
    /// One hierarchy.
    #[default]
    V2,
}

/// An image of the node.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageSpec {
    /// `host/name:tag`s of one image; empty for a dangling one.
    pub tags: Vec<String>,
    /// Bytes of the compressed content.
    pub size: Bytes,
    /// `USER` of the image, a number or a name.
    #[serde(default)]
    pub user: String,
    /// The runtime keeps it.
    #[serde(default)]
    pub pinned: bool,
}

/// A pod and the containers in it.
// Independent switches of a file format.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PodSpec {
    /// Pod name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// How long ago the sandbox was made.
    pub age: Nanos,
    /// The pod's own labels, without the kubelet's.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The pod's own annotations.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Quality of service: decides the cgroup.
    #[serde(default)]
    pub qos: Qos,
    /// Made by hand, without a cgroup parent, as `crictl runp` does: on containerd the statistics
    /// of all pods fail because of it.
    #[serde(default)]
    pub no_cgroup: bool,
    /// Comes from a manifest file.
    #[serde(default)]
    pub static_pod: bool,
    /// Uses the node's network.
    #[serde(default)]
    pub host_network: bool,
    /// Sees the node's processes.
    #[serde(default)]
    pub host_pid: bool,
    /// The sandbox has stopped: the pod is finished, or on its way out.
    #[serde(default)]
    pub stopped: bool,
    /// The pod is being deleted, with this grace.
    #[serde(default)]
    pub deleting: Option<Nanos>,
    /// The image that its first container waits for, which the registry does not have: there is no
    /// container then.
    #[serde(default)]
    pub waits_for: Option<String>,
    /// Volumes from `ConfigMap`s, with their keys.
    #[serde(default)]
    pub config_maps: BTreeMap<String, BTreeMap<String, String>>,
    /// Volumes from Secrets, with their keys.
    #[serde(default)]
    pub secrets: BTreeMap<String, BTreeMap<String, String>>,
    /// The containers, in the order in which the kubelet starts them.
    #[serde(default)]
    pub containers: Vec<Arc<ContainerSpec>>,
}

/// Quality of service of a pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Qos {
    /// Limits equal requests.
    Guaranteed,
    /// Some requests.
    Burstable,
    /// None.
    #[default]
    Besteffort,
}

/// A container of a pod.
#[derive(Clone, Debug, Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContainerSpec {
    /// Name within the pod.
    pub name: String,
    /// `host/name:tag`.
    pub image: String,
    /// Command line.
    #[serde(default)]
    pub command: Vec<String>,
    /// Environment, `NAME=value`.
    #[serde(default)]
    pub env: Vec<String>,
    /// What becomes of it.
    #[serde(default)]
    pub life: Life,
    /// What it uses and may use.
    #[serde(default)]
    pub uses: Uses,
    /// What it writes.
    #[serde(default)]
    pub log: Log,
    /// Host ports, as the kubelet's annotation has them (JSON).
    #[serde(default)]
    pub ports: Option<String>,
    /// What of the node is mounted into it: `HOST:CONTAINER`, or `HOST:CONTAINER:ro`.
    #[serde(default)]
    pub host_paths: Vec<String>,
    /// Runs privileged.
    #[serde(default)]
    pub privileged: bool,
    /// Has a terminal and an open standard input.
    #[serde(default)]
    pub tty: bool,
}

/// The script of a container.
#[derive(Clone, Debug, Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Life {
    /// How long each attempt runs; for ever if absent.
    #[serde(default)]
    pub runs: Option<Nanos>,
    /// Exit code at the end of each run.
    #[serde(default)]
    pub exit: i32,
    /// The kernel kills it for its memory at the end of each run.
    #[serde(default)]
    pub oom: bool,
    /// It never starts; what runc says.
    #[serde(default)]
    pub start_error: Option<String>,
    /// Whether the kubelet starts it again.
    #[serde(default)]
    pub restart: Restart,
    /// Number of restarts behind it when the story begins.
    #[serde(default)]
    pub restarts: u32,
    /// How long ago the attempt of that number was created; the pod's age if absent.
    #[serde(default)]
    pub since: Option<Nanos>,
    /// A fixed wait before the next attempt, in place of the kubelet's growing one.
    #[serde(default)]
    pub delay: Option<Nanos>,
    /// It does not listen to SIGTERM.
    #[serde(default)]
    pub ignores_term: bool,
}

/// Restart policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Always.
    #[default]
    Always,
    /// After an exit code other than 0.
    OnFailure,
    /// Never.
    Never,
}

/// Use of resources.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Uses {
    /// Thousandths of a core that it takes.
    pub cpu: u32,
    /// Thousandths of a core that it asks for; 0 is none.
    pub cpu_request: u32,
    /// Thousandths of a core that it may take at most; 0 is no limit.
    pub cpu_limit: u32,
    /// Bytes of memory that it holds.
    pub memory: Bytes,
    /// Bytes that it may hold at most; 0 is no limit.
    pub memory_limit: Bytes,
    /// Processes.
    pub pids: u32,
}

impl Default for Uses {
    fn default() -> Self {
        Self {
            cpu: 2,
            cpu_request: 0,
            cpu_limit: 0,
            memory: Bytes(12 << 20),
            memory_limit: Bytes(0),
            pids: 3,
        }
    }
}

/// What a container writes. A line that begins with `2>` goes to standard error; `{n}` is the
/// number of the line, `{ms}` and `{id}` are something random.
#[derive(Clone, Debug, Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Log {
    /// At the start of each attempt.
    pub first: Vec<String>,
    /// Again and again.
    pub lines: Vec<String>,
    /// Time from one of `lines` to the next.
    pub every: Option<Nanos>,
    /// At the end of each attempt.
    pub last: Vec<String>,
}

/// Names of the scenarios, in the order in which they are offered.
pub const NAMES: [&str; 3] = ["node", "large", "calm"];
/// What may follow a name.
const SETTINGS: [&str; 2] = ["cgroup=v1", "cgroup=v2"];

impl Scenario {
    /// The scenario called `name`, told differently by what follows it after commas:
    /// `node,cgroup=v1`. The error is one line that lists what there is.
    pub fn named(name: &str) -> Result<Self, String> {
        let (name, rest) = name.split_once(',').unwrap_or((name, ""));
        let mut scenario = Self::plain(name)?;
        for setting in rest.split(',').filter(|setting| !setting.is_empty()) {
            scenario.cgroup = match setting {
                "cgroup=v1" => Cgroups::V1,
                "cgroup=v2" => Cgroups::V2,
                _ => {
                    return Err(format!(
                        "a demo scenario has no {setting:?}: there are {}",
                        SETTINGS.join(", ")
                    ));
                }
            };
        }
        Ok(scenario)
    }

    fn plain(name: &str) -> Result<Self, String> {
        match name {
            "node" => Self::parse(include_str!("scenarios/node.yaml")),
            "calm" => Self::parse(include_str!("scenarios/calm.yaml")),
            "large" => Ok(large::scenario(&large::Size::default())),
            _ => Err(format!(
                "there is no demo scenario {name:?}: choose one of {}",
                NAMES.join(", ")
            )),
        }
    }

    /// Reads a scenario from YAML. The error names what is wrong and where.
    pub fn parse(yaml: &str) -> Result<Self, String> {
        serde_yaml::from_str(yaml).map_err(|error| format!("demo scenario: {error}"))
    }
}

impl Life {
    /// How long the kubelet waits after the end of `attempt` before it starts the next: at once
    /// after the first, then 10 s, doubled each time, 5 minutes at most.
    pub(super) fn back_off(attempt: u32) -> i64 {
        match attempt {
            0 => SECOND,
            n => ((10 * SECOND) << (n - 1).min(5)).min(300 * SECOND),
        }
    }

    /// The wait between the end of `attempt` and the start of the next.
    pub(super) fn delay_after(&self, attempt: u32) -> i64 {
        self.delay
            .map_or_else(|| Self::back_off(attempt), |delay| delay.0)
    }

    /// Exit code at the end of a run.
    pub(super) fn exit_code(&self) -> i32 {
        if self.oom { 137 } else { self.exit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("node", 14)]
    #[case("calm", 3)]
    #[case("large", 500)]
    fn the_scenarios_can_be_read(#[case] name: &str, #[case] at_least: usize) {
        let scenario = Scenario::named(name).expect("a scenario of this name");
        assert_eq!(scenario.name, name);
        assert!(scenario.pods.len() >= at_least, "{}", scenario.pods.len());
    }

    #[test]
    fn an_unknown_name_gets_the_list() {
        let error = Scenario::named("nope").expect_err("there is no such scenario");
        assert_eq!(
            error,
            "there is no demo scenario \"nope\": choose one of node, large, calm"
        );
    }

    #[rstest]
    #[case("node", Cgroups::V2)]
    #[case("node,cgroup=v1", Cgroups::V1)]
    #[case("large,cgroup=v2", Cgroups::V2)]
    fn a_setting_follows_the_name(#[case] name: &str, #[case] expected: Cgroups) {
        let scenario = Scenario::named(name).expect("a scenario of this name");
        assert_eq!(scenario.cgroup, expected);
    }

    #[rstest]
    #[case("calm,cgroup=v3", "\"cgroup=v3\"")]
    #[case("calm,cgroup=v1,what", "\"what\"")]
    fn an_unknown_setting_gets_the_list(#[case] name: &str, #[case] what: &str) {
        let error = Scenario::named(name).expect_err("there is no such setting");
        let list = "there are cgroup=v1, cgroup=v2";
        assert_eq!(error, format!("a demo scenario has no {what}: {list}"));
    }

    #[rstest]
    #[case(0, 1)]
    #[case(1, 10)]
    #[case(2, 20)]
    #[case(5, 160)]
    #[case(6, 300)]
    #[case(60, 300)]
    fn the_kubelet_backs_off(#[case] attempt: u32, #[case] seconds: i64) {
        assert_eq!(Life::back_off(attempt), seconds * SECOND);
    }
}
