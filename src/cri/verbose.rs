//! What only the verbose status of a container tells: JSON, of another shape for each runtime.

use std::collections::HashMap;

use k8s_cri::v1;
use serde_json::Value;

use super::error::CriError;
use super::read::{Reader, request, within};
use crate::domain::{ContainerId, PodId};
use crate::text::Text;

/// Longest time between the making of a sandbox and the start of its process, which no status
/// tells: networks take their time. In nanoseconds.
const STARTS_WITHIN: i64 = 300_000_000_000;

/// The process of a container.
// Independent facts.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Process {
    /// Its id on the node, as the runtime last knew it: CRI-O keeps it after the end, when it may
    /// be another's. `None` if there is none or the runtime does not say.
    pub pid: Option<u32>,
    /// It has a terminal.
    pub tty: bool,
    /// Somebody reads its standard input.
    pub stdin: bool,
    /// Its standard input ends when the first who is attached leaves.
    pub stdin_once: bool,
    /// When its container was made, in nanoseconds since the epoch.
    pub created_at: i64,
    /// When it started, in nanoseconds since the epoch; 0 if it did not.
    pub started_at: i64,
    /// It runs, as the runtime says.
    pub running: bool,
}

impl Reader {
    /// The full status of a container.
    pub(super) async fn full_container(
        &self,
        id: &ContainerId,
    ) -> Result<v1::ContainerStatusResponse, CriError> {
        const CALL: &str = "ContainerStatus";
        let mut client = self.runtime(CALL)?;
        let asked = v1::ContainerStatusRequest {
            container_id: id.as_str().to_owned(),
            verbose: true,
        };
        let answer = client.container_status(request(asked, self.deadline()));
        within(CALL, self.deadline(), answer).await
    }

    /// The full status of a sandbox.
    pub(super) async fn full_sandbox(
        &self,
        id: &PodId,
    ) -> Result<v1::PodSandboxStatusResponse, CriError> {
        const CALL: &str = "PodSandboxStatus";
        let mut client = self.runtime(CALL)?;
        let asked = v1::PodSandboxStatusRequest {
            pod_sandbox_id: id.as_str().to_owned(),
            verbose: true,
        };
        let answer = client.pod_sandbox_status(request(asked, self.deadline()));
        within(CALL, self.deadline(), answer).await
    }

    /// What the runtime knows of a container's process.
    pub async fn process(&self, id: &ContainerId) -> Result<Process, CriError> {
        let answer = self.full_container(id).await?;
        let status = answer.status.unwrap_or_default();
        let mut process = process(&answer.info, &info(&answer.info));
        process.created_at = status.created_at;
        process.started_at = status.started_at;
        process.running = status.state == v1::ContainerState::ContainerRunning as i32;
        Ok(process)
    }

    /// What the runtime knows of a sandbox's own process, as of a container's. CRI-O has none for
    /// most pods.
    pub async fn sandbox_process(&self, id: &PodId) -> Result<Process, CriError> {
        let answer = self.full_sandbox(id).await?;
        let status = answer.status.unwrap_or_default();
        let mut process = process(&answer.info, &info(&answer.info));
        process.created_at = status.created_at;
        process.started_at = status.created_at + STARTS_WITHIN;
        process.running = status.state == v1::PodSandboxState::SandboxReady as i32;
        Ok(process)
    }

    /// Where a container's cgroup is.
    pub async fn cgroup_place(&self, id: &ContainerId) -> Result<Place, CriError> {
        Ok(place(&self.full_container(id).await?.info))
    }
}

/// What runtimes tell under `info`, where containerd and CRI-O put nearly everything.
pub(super) fn info(info: &HashMap<String, String>) -> Value {
    let text = info.get("info").map_or("", String::as_str);
    serde_json::from_str(text).unwrap_or_default()
}

/// Where a container's cgroup is, as the runtime says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Its first process; `None` if there is none or the runtime does not say.
    pub pid: Option<u32>,
    /// `cgroupsPath` of its specification: a path, or `slice:prefix:name`.
    pub path: Option<Text>,
}

fn place(info: &HashMap<String, String>) -> Place {
    let all = self::info(info);
    let path = all["runtimeSpec"]["linux"]["cgroupsPath"].as_str();
    Place {
        pid: process(info, &all).pid,
        path: path.and_then(|path| Text::clean(path).non_empty()),
    }
}

/// containerd puts everything under one key, `all`, CRI-O some of it beside.
fn process(info: &HashMap<String, String>, all: &Value) -> Process {
    let top = |key: &str| info.get(key).and_then(|text| text.parse().ok());
    let pid = all["pid"].as_u64().or_else(|| top("pid"));
    let annotations = &all["runtimeSpec"]["annotations"];
    let flag = |key: &str, annotation: &str| {
        let config = all["config"][key].as_bool();
        config.unwrap_or_else(|| annotations[annotation] == "true")
    };
    let process = &all["runtimeSpec"]["process"];
    Process {
        pid: pid
            .and_then(|pid| u32::try_from(pid).ok())
            .filter(|pid| *pid > 1),
        tty: flag("tty", "io.kubernetes.cri-o.TTY") || process["terminal"] == true,
        stdin: flag("stdin", "io.kubernetes.cri-o.Stdin"),
        stdin_once: flag("stdin_once", "io.kubernetes.cri-o.StdinOnce"),
        created_at: 0,
        started_at: 0,
        running: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn of(pid: Option<u32>, tty: bool, stdin: bool, stdin_once: bool) -> Process {
        Process {
            pid,
            tty,
            stdin,
            stdin_once,
            ..Process::default()
        }
    }

    #[rstest]
    #[case(
        r#"{"pid":4711,"config":{"tty":true,"stdin":true,"stdin_once":false}}"#,
        of(Some(4711), true, true, false)
    )]
    #[case(r#"{"pid":4711,"config":{}}"#, of(Some(4711), false, false, false))]
    #[case(
        r#"{"pid":4711,"runtimeSpec":{"process":{"terminal":true},"annotations":{"io.kubernetes.cri-o.Stdin":"true","io.kubernetes.cri-o.StdinOnce":"true"}}}"#,
        of(Some(4711), true, true, true)
    )]
    // Exited, and nonsense: no id is better than that of another.
    #[case(r#"{"pid":0}"#, of(None, false, false, false))]
    #[case(r#"{"pid":1}"#, of(None, false, false, false))]
    #[case(r#"{"pid":-4}"#, of(None, false, false, false))]
    #[case(r#"{"pid":99999999999}"#, of(None, false, false, false))]
    #[case("[", of(None, false, false, false))]
    #[case("", of(None, false, false, false))]
    fn runtimes(#[case] text: &str, #[case] expected: Process) {
        let info = HashMap::from([("info".to_owned(), text.to_owned())]);
        assert_eq!(process(&info, &super::info(&info)), expected);
    }

    #[test]
    fn a_pid_of_its_own() {
        let info = HashMap::from([("pid".to_owned(), "42".to_owned())]);
        assert_eq!(process(&info, &Value::Null).pid, Some(42));
    }
}
