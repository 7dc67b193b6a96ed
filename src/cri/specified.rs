//! Status and specification of a container in one verbose answer.

use k8s_cri::v1;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::convert;
use super::error::CriError;
use super::read::{Reader, gone};
use super::verbose::info;
use crate::domain::{ContainerDetail, ContainerId, Limits, Spec};
use crate::mask;
use crate::text::Text;

/// Mounts and variables that are looked at.
const MOST: usize = 512;
/// What is mounted for the last word of a container, unless its pod says otherwise.
const LAST_WORD: &str = "/dev/termination-log";
/// Variables that hold flags of a language's runtime.
const FLAGS: [&str; 5] = [
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS",
    "JAVA_OPTS",
    "NODE_OPTIONS",
];
/// Flags that set a heap, which are shown with their values.
const HEAPS: [&str; 4] = [
    "-Xmx",
    "-XX:MaxRAMPercentage=",
    "-XX:MaxRAM=",
    "--max-old-space-size=",
];

impl Reader {
    /// The status of a container and what it was made from, in one call.
    pub async fn container_spec(
        &self,
        id: &ContainerId,
    ) -> Result<(ContainerDetail, Spec), CriError> {
        let answer = self.full_container(id).await?;
        let status = answer
            .status
            .ok_or_else(|| gone("ContainerStatus", id.as_str()))?;
        let detail = convert::container_detail(&status);
        let spec = spec(&status, &detail, &info(&answer.info));
        Ok((detail, spec))
    }
}

fn spec(status: &v1::ContainerStatus, detail: &ContainerDetail, all: &Value) -> Spec {
    let oci = &all["runtimeSpec"];
    let process = &oci["process"];
    let args = strings(&process["args"]);
    let env = strings(&process["env"]);
    let image = [
        &all["config"]["image"]["user_specified_image"],
        &oci["annotations"]["io.kubernetes.cri.image-name"],
        &oci["annotations"]["io.kubernetes.cri-o.ImageName"],
    ];
    let image = image.iter().find_map(|value| value.as_str());
    let last_word = status
        .annotations
        .get("io.kubernetes.container.terminationMessagePath");
    let last_word = last_word.map_or(LAST_WORD, String::as_str);
    let mounts = status.mounts.iter().take(MOST);
    let (own, others): (Vec<_>, Vec<_>) =
        mounts.partition(|mount| mount.container_path == last_word);
    Spec {
        heap: heap(&args, &env),
        args: mask::args(&args)
            .iter()
            .map(|arg| Text::clean(arg))
            .collect(),
        env: env.iter().copied().filter_map(variable).collect(),
        limits: limits(detail, &oci["linux"]["resources"]),
        image: image.map_or_else(|| detail.image.clone().unwrap_or_default(), Text::clean),
        mounts: others
            .into_iter()
            .map(|mount| {
                (
                    Text::clean(&mount.host_path),
                    Text::clean(&mount.container_path),
                )
            })
            .collect(),
        last_word: own.first().map(|mount| Text::clean(&mount.host_path)),
        pid: pid(all),
        cgroup: oci["linux"]["cgroupsPath"]
            .as_str()
            .and_then(|path| Text::clean(path).non_empty()),
    }
}

fn pid(all: &Value) -> Option<u32> {
    let pid = all["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
    pid.filter(|pid| *pid > 1)
}

fn strings(value: &Value) -> Vec<&str> {
    let items = value.as_array().map_or(&[][..], Vec::as_slice);
    items.iter().take(MOST).filter_map(Value::as_str).collect()
}

fn variable(entry: &str) -> Option<(Text, u64)> {
    let (name, value) = entry.split_once('=')?;
    Some((Text::clean(name), xxh3_64(value.as_bytes())))
}

/// What the status says, else the specification.
fn limits(detail: &ContainerDetail, resources: &Value) -> Limits {
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let (memory, cpu) = (&resources["memory"], &resources["cpu"]);
    let own = Limits::of(
        number(&memory["limit"]),
        number(&cpu["quota"]),
        number(&cpu["period"]),
    );
    Limits {
        memory: detail.limits.memory.or(own.memory),
        cpu: detail.limits.cpu.or(own.cpu),
    }
}

/// Settings of heaps, on the command line and in the variables that runtimes of languages read.
fn heap(args: &[&str], env: &[&str]) -> Vec<(Text, Text)> {
    let from_env = env.iter().filter_map(|entry| entry.split_once('='));
    let flags = from_env.clone().filter(|(name, _)| FLAGS.contains(name));
    let flags = flags.flat_map(|(_, value)| value.split_whitespace());
    let flags = args.iter().copied().chain(flags);
    let mut found: Vec<(Text, Text)> = flags
        .filter_map(|flag| {
            let name = HEAPS.iter().find(|name| flag.starts_with(**name))?;
            let value = &flag[name.len()..];
            Some((Text::clean(name.trim_end_matches('=')), Text::clean(value)))
        })
        .collect();
    let limits = from_env.filter(|(name, _)| *name == "GOMEMLIMIT");
    found.extend(limits.map(|(name, value)| (Text::clean(name), Text::clean(value))));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_heap_is_shown_of_an_environment() {
        let all = json!({"pid": 42, "runtimeSpec": {
            "process": {
                "args": ["java", "-Xmx512m", "-jar", "a.jar", "--password", "hunter2"],
                "env": ["JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75 -Dsecret=hunter2", "DB_PASSWORD=hunter2", "GOMEMLIMIT=1GiB"],
            },
            "linux": {"cgroupsPath": "/kubepods/x", "resources": {"memory": {"limit": 67_108_864}}},
        }});
        let status = v1::ContainerStatus {
            mounts: vec![
                v1::Mount {
                    container_path: "/dev/termination-log".into(),
                    host_path: "/var/lib/kubelet/t".into(),
                    ..Default::default()
                },
                v1::Mount {
                    container_path: "/data".into(),
                    host_path: "/srv".into(),
                    ..Default::default()
                },
            ],
            ..Default::default()
        };
        let spec = spec(&status, &ContainerDetail::default(), &all);
        let heap: Vec<(&str, &str)> = spec
            .heap
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            heap,
            [
                ("-Xmx", "512m"),
                ("-XX:MaxRAMPercentage", "75"),
                ("GOMEMLIMIT", "1GiB")
            ]
        );
        assert!(!format!("{spec:?}").contains("hunter2"), "{spec:?}");
        assert_eq!(spec.limits.memory, Some(64 << 20));
        assert_eq!(spec.mounts, [("/srv".into(), "/data".into())]);
        assert_eq!(spec.last_word, Some("/var/lib/kubelet/t".into()));
        assert_eq!((spec.pid, spec.env.len()), (Some(42), 3));
    }

    #[test]
    fn a_runtime_that_says_nothing() {
        let spec = spec(
            &v1::ContainerStatus::default(),
            &ContainerDetail::default(),
            &Value::Null,
        );
        assert_eq!(spec, Spec::default());
    }
}
