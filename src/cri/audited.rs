//! What an audit asks the runtime: how containers, pods, images and the runtime itself are held.
//! Only what matters of the verbose answers is decoded, and no value of a secret is kept.

mod told;

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_cri::v1;
use serde::de::IgnoredAny;
use serde_json::Value;

use self::told::{AboutImage, Amounts, Info, Spec, Step};
use super::convert;
use super::error::CriError;
use super::read::{Reader, gone, request, within};
use crate::domain::security::{
    HostNamespaces, ImageSecurity, Mount, Oci, PodSecurity, RuntimeSecurity, Security,
};
use crate::domain::{ContainerId, ImageId, Limits, PodId};
use crate::mask;
use crate::text::Text;

/// Items of one list that are looked at.
const MOST: usize = 1024;
/// Builds that are meant to come out the same each time carry the beginning of time as theirs.
const FIRST_YEAR: i64 = 946_684_800;

impl Reader {
    /// How a container is held.
    pub async fn container_security(&self, id: &ContainerId) -> Result<Security, CriError> {
        let answer = self.full_container(id).await?;
        let status = answer
            .status
            .ok_or_else(|| gone("ContainerStatus", id.as_str()))?;
        let info = answer.info.get("info").map(String::as_str);
        Ok(container(&status, info))
    }

    /// How a pod is held.
    pub async fn pod_security(&self, id: &PodId) -> Result<PodSecurity, CriError> {
        let answer = self.full_sandbox(id).await?;
        let status = answer
            .status
            .ok_or_else(|| gone("PodSandboxStatus", id.as_str()))?;
        let info = answer.info.get("info").map(String::as_str);
        Ok(pod(&status, info))
    }

    /// What an image says of itself; `None` if the runtime does not tell.
    pub async fn image_security(&self, id: &ImageId) -> Result<Option<ImageSecurity>, CriError> {
        const CALL: &str = "ImageStatus";
        let mut client = self.images_client(CALL)?;
        let asked = v1::ImageStatusRequest {
            image: Some(v1::ImageSpec {
                image: id.as_str().to_owned(),
                ..Default::default()
            }),
            verbose: true,
        };
        let answer = client.image_status(request(asked, self.deadline()));
        let answer = within(CALL, self.deadline(), answer).await?;
        answer.image.ok_or_else(|| gone(CALL, id.as_str()))?;
        Ok(image(answer.info.get("info").map(String::as_str)))
    }

    /// How the runtime is configured.
    pub async fn runtime_security(&self) -> Result<RuntimeSecurity, CriError> {
        const CALL: &str = "Status";
        let mut client = self.runtime(CALL)?;
        let asked = request(v1::StatusRequest { verbose: true }, self.deadline());
        let mut answer = within(CALL, self.deadline(), client.status(asked)).await?;
        let info = std::mem::take(&mut answer.info);
        let conditions = convert::conditions(answer);
        let config = info.get("config");
        let config = config.and_then(|text| serde_json::from_str(text).ok());
        let mut told = config.map_or_else(RuntimeSecurity::default, |config| runtime(&config));
        let no_warnings = conditions
            .into_iter()
            .find(|one| one.kind == "ContainerdHasNoDeprecationWarnings");
        told.deprecations = no_warnings.map(|one| {
            let words = one.message.or(one.reason).filter(|_| !one.holds);
            words.unwrap_or_else(|| if one.holds { "" } else { "yes" }.into())
        });
        Ok(told)
    }
}

fn container(status: &v1::ContainerStatus, info: Option<&str>) -> Security {
    let info: Info = info
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let config = info.config;
    let asks = config.is_some();
    let (image, linux) = config.map_or((None, None), |config| (config.image, config.linux));
    let context = linux.and_then(|linux| linux.security_context);
    let context = context.unwrap_or_default();
    // In the request what is not privileged says nothing.
    let privileged = info
        .privileged
        .or_else(|| asks.then(|| context.privileged.unwrap_or(false)));
    let added = context.capabilities.and_then(|all| all.add_capabilities);
    let named = image.and_then(|image| image.user_specified_image);
    let spec = info.runtime_spec;
    let annotations = spec.as_ref().and_then(|spec| spec.annotations.as_ref());
    let annotated = annotations.and_then(|all| {
        let keys = [
            "io.kubernetes.cri.image-name",
            "io.kubernetes.cri-o.ImageName",
        ];
        keys.iter().find_map(|key| all.get(*key)).cloned()
    });
    let image = named.filter(|name| !name.is_empty()).or(annotated);
    let image = image.and_then(|name| Text::clean(&mask::text(&name)).non_empty());
    // Without a specification nothing but a list with something in it says what is mounted.
    let mounts = (spec.is_some() || !status.mounts.is_empty()).then(|| mounts(status));
    Security {
        privileged,
        added: capabilities(added.into_iter().flatten()),
        mounts,
        limits: limits(status, spec.as_ref()),
        image,
        spec: spec.map(oci),
    }
}

fn mounts(status: &v1::ContainerStatus) -> Vec<Mount> {
    let both = v1::MountPropagation::PropagationBidirectional as i32;
    let one = |mount: &v1::Mount| Mount {
        host_path: Text::clean(&mount.host_path),
        path: Text::clean(&mount.container_path),
        read_only: mount.readonly,
        bidirectional: mount.propagation == both,
    };
    status.mounts.iter().take(MOST).map(one).collect()
}

fn limits(status: &v1::ContainerStatus, spec: Option<&Spec>) -> Option<Limits> {
    let told = status.resources.as_ref().and_then(|all| all.linux.as_ref());
    let told = told.map(|linux| {
        Limits::of(
            linux.memory_limit_in_bytes,
            linux.cpu_quota,
            linux.cpu_period,
        )
    });
    let resources = spec.and_then(|spec| spec.linux.as_ref()?.resources.as_ref());
    let own = resources.map(|all| {
        let of = |part: &Option<Amounts>, which: fn(&Amounts) -> Option<i64>| {
            part.as_ref().and_then(which).unwrap_or(0)
        };
        Limits::of(
            of(&all.memory, |part| part.limit),
            of(&all.cpu, |part| part.quota),
            of(&all.cpu, |part| part.period),
        )
    });
    match (told, own) {
        (Some(told), Some(own)) => Some(Limits {
            memory: told.memory.or(own.memory),
            cpu: told.cpu.or(own.cpu),
        }),
        (told, own) => told.or(own),
    }
}

fn oci(spec: Spec) -> Oci {
    let process = spec.process.unwrap_or_default();
    let linux = spec.linux.unwrap_or_default();
    let sets = process.capabilities.into_iter().flatten();
    let all = sets.flat_map(|(_, set)| set.unwrap_or_default());
    let has = |list: Option<Vec<IgnoredAny>>| list.is_some_and(|list| !list.is_empty());
    let text = |raw: Option<String>| raw.and_then(|raw| Text::clean(&raw).non_empty());
    let devices = linux.devices.unwrap_or_default();
    Oci {
        uid: process.user.map(|user| user.uid.unwrap_or(0)),
        user_namespace: has(linux.uid_mappings),
        no_new_privileges: process.no_new_privileges.unwrap_or(false),
        capabilities: capabilities(all),
        seccomp: linux.seccomp.is_some(),
        apparmor: text(process.apparmor_profile),
        selinux: text(process.selinux_label),
        read_only_root: spec.root.and_then(|root| root.readonly).unwrap_or(false),
        masked: has(linux.masked_paths) && has(linux.readonly_paths),
        devices: devices
            .into_iter()
            .take(MOST)
            .filter_map(|device| Text::clean(&device.path?).non_empty())
            .collect(),
        secrets: secrets(&process.env.unwrap_or_default()),
    }
}

/// Sorted, each once, without `CAP_`.
fn capabilities(raw: impl Iterator<Item = String>) -> Vec<Text> {
    let bare = |name: String| {
        let name = name.to_ascii_uppercase();
        Text::clean(name.strip_prefix("CAP_").unwrap_or(&name))
    };
    let all: BTreeSet<Text> = raw.take(MOST).map(bare).collect();
    all.into_iter().collect()
}

/// Entries of an environment that hold a secret.
fn secrets(env: &[String]) -> Vec<(usize, Text)> {
    let masked = |(place, entry): (usize, &String)| {
        let (name, value) = entry.split_once('=')?;
        let secret = matches!(mask::environment(name, value), std::borrow::Cow::Owned(_));
        // A name that is a secret itself is none that can be told.
        secret.then(|| (place, Text::clean(&mask::text(name))))
    };
    env.iter()
        .take(MOST)
        .enumerate()
        .filter_map(masked)
        .collect()
}

fn pod(status: &v1::PodSandboxStatus, info: Option<&str>) -> PodSecurity {
    let node = v1::NamespaceMode::Node as i32;
    let options = status.linux.as_ref();
    let options = options.and_then(|linux| linux.namespaces.as_ref()?.options.as_ref());
    let namespaces = options.map(|options| HostNamespaces {
        network: options.network == node,
        pid: options.pid == node,
        ipc: options.ipc == node,
    });
    let info: Option<Info> = info.and_then(|text| serde_json::from_str(text).ok());
    let sysctls = info.and_then(|info| {
        let asked = info.config.map(|config| {
            let linux = config.linux.unwrap_or_default();
            linux.sysctls.unwrap_or_default()
        });
        let linux = info.runtime_spec.and_then(|spec| spec.linux);
        let own = linux.map(|linux| linux.sysctl.unwrap_or_default());
        // The request says what the pod wants; the specification has what the runtime adds.
        let all = asked.or(own)?;
        Some(
            all.keys()
                .take(MOST)
                .map(|name| Text::clean(name))
                .collect(),
        )
    });
    PodSecurity {
        namespaces,
        sysctls,
    }
}

fn image(info: Option<&str>) -> Option<ImageSecurity> {
    let about: AboutImage = serde_json::from_str(info?).ok()?;
    let spec = about.image_spec?;
    let built = spec.created.and_then(|time| time.parse::<Timestamp>().ok());
    let env = spec.config.and_then(|config| config.env);
    Some(ImageSecurity {
        built_at: built.filter(|time| time.as_second() > FIRST_YEAR),
        secrets: secrets(&env.unwrap_or_default()),
        history: steps(&spec.history.unwrap_or_default()),
    })
}

/// Steps that hold a secret. What they set for the containers is in the environment too.
fn steps(history: &[Step]) -> Vec<usize> {
    let all = history.iter().take(MOST).enumerate();
    let holds = |(place, step): (usize, &Step)| {
        let words = step.created_by.as_deref().unwrap_or("");
        // As builders without BuildKit write it.
        let bare = words.trim_start_matches("/bin/sh -c #(nop)").trim_start();
        let secret = matches!(mask::text(words), std::borrow::Cow::Owned(_));
        (secret && !bare.starts_with("ENV ")).then_some(place)
    };
    all.filter_map(holds).collect()
}

/// containerd's keys stand at the top, CRI-O's below `crio`.
fn runtime(config: &Value) -> RuntimeSecurity {
    let crio = &config["crio"];
    if crio.is_object() {
        return of_crio(crio);
    }
    let text = |key: &str| config[key].as_str().map(Text::clean);
    let registry = config.get("registry").filter(|it| it.is_object());
    RuntimeSecurity {
        apparmor_off: config["disableApparmor"].as_bool(),
        seccomp_default: text("unsetSeccompProfile"),
        streaming: text("streamServerAddress"),
        streaming_tls: config["enableTLSStreaming"].as_bool(),
        insecure_registries: registry.map(insecure),
        credentials: registry.map(credentials),
        deprecations: None,
    }
}

/// It tells neither its streaming server nor its registries.
fn of_crio(crio: &Value) -> RuntimeSecurity {
    let profile = crio["ApparmorProfile"].as_str();
    RuntimeSecurity {
        apparmor_off: profile.map(|profile| profile == "unconfined"),
        seccomp_default: crio["SeccompProfile"].as_str().map(Text::clean),
        ..RuntimeSecurity::default()
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn insecure(registry: &Value) -> Vec<Text> {
    let unverified = members(&registry["configs"]).filter(|(_, one)| {
        one["tls"]["insecure_skip_verify"] == true || one["tls"]["insecureSkipVerify"] == true
    });
    let plain = members(&registry["mirrors"]).filter(|(_, one)| {
        let endpoints = one["endpoint"].as_array();
        let plain = |url: &Value| url.as_str().is_some_and(|url| url.starts_with("http://"));
        endpoints.is_some_and(|all| all.iter().any(plain))
    });
    let all: BTreeSet<Text> = unverified
        .chain(plain)
        .map(|(name, _)| Text::clean(&mask::text(name)))
        .collect();
    all.into_iter().collect()
}

fn credentials(registry: &Value) -> Vec<Text> {
    let filled = |value: &Value| {
        let secret = |key: &str| value[key].as_str().is_some_and(|text| !text.is_empty());
        ["password", "auth", "identitytoken", "identityToken"]
            .iter()
            .any(|key| secret(key))
    };
    let of_configs = members(&registry["configs"]).filter(|(_, one)| filled(&one["auth"]));
    let of_auths = members(&registry["auths"]).filter(|(_, one)| filled(one));
    let all: BTreeSet<Text> = of_configs
        .chain(of_auths)
        .map(|(name, _)| Text::clean(&mask::text(name)))
        .collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    /// What a real runtime told of a container, as crictl prints it.
    fn captured(text: &str) -> (v1::ContainerStatus, String) {
        let all: Value = serde_json::from_str(text).unwrap();
        let status = &all["status"];
        let mounts = status["mounts"].as_array().cloned().unwrap_or_default();
        let mounts = mounts.iter().map(|mount| v1::Mount {
            host_path: mount["hostPath"].as_str().unwrap_or("").to_owned(),
            container_path: mount["containerPath"].as_str().unwrap_or("").to_owned(),
            readonly: mount["readonly"] == true,
            ..Default::default()
        });
        let memory = status["resources"]["linux"]["memoryLimitInBytes"].as_str();
        let linux = memory.map(|memory| v1::LinuxContainerResources {
            memory_limit_in_bytes: memory.parse().unwrap(),
            ..Default::default()
        });
        let status = v1::ContainerStatus {
            mounts: mounts.collect(),
            resources: linux.map(|linux| v1::ContainerResources {
                linux: Some(linux),
                ..Default::default()
            }),
            ..Default::default()
        };
        (status, all["info"].to_string())
    }

    const CONTAINERD_2: &str = include_str!("../../tests/fixtures/inspect/containerd-2.1.json");
    const CONTAINERD_1: &str = include_str!("../../tests/fixtures/inspect/containerd-1.7.json");
    const CRI_O: &str = include_str!("../../tests/fixtures/inspect/crio-1.37.json");
    const CRI_DOCKERD: &str = include_str!("../../tests/fixtures/inspect/cri-dockerd.json");

    #[rstest]
    #[case::containerd_2(CONTAINERD_2, true, 14, 2, &["DB_PASSWORD"])]
    #[case::containerd_1(CONTAINERD_1, false, 14, 0, &[])]
    #[case::cri_o(CRI_O, true, 9, 2, &["DB_PASSWORD"])]
    fn what_real_runtimes_tell(
        #[case] text: &str,
        #[case] masked: bool,
        #[case] capabilities: usize,
        #[case] mounts: usize,
        #[case] secrets: &[&str],
    ) {
        let (status, info) = captured(text);
        let told = container(&status, Some(&info));
        assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
        assert_eq!(told.privileged, Some(false));
        assert_eq!(told.image, Some("localhost/busybox:test".into()));
        assert_eq!(told.limits.unwrap().memory, Some(64 << 20));
        assert_eq!(told.mounts.unwrap().len(), mounts);
        let spec = told.spec.unwrap();
        assert_eq!((spec.uid, spec.masked), (Some(0), masked));
        assert_eq!(spec.capabilities.len(), capabilities);
        assert!(!spec.seccomp && !spec.no_new_privileges && !spec.read_only_root);
        let names: Vec<&str> = spec.secrets.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, secrets);
    }

    #[test]
    fn what_is_not_told_is_not_known() {
        let (status, info) = captured(CRI_DOCKERD);
        let told = container(&status, Some(&info));
        assert_eq!(told, Security::default());
        let status = v1::ContainerStatus::default();
        assert_eq!(container(&status, None), Security::default());
        assert_eq!(container(&status, Some("[")), Security::default());
    }

    #[test]
    fn a_hardened_and_a_privileged_one() {
        let info = json!({"config": {"linux": {"security_context": {
                "privileged": true, "capabilities": {"add_capabilities": ["net_raw"]}}}},
            "runtimeSpec": {
                "process": {"user": {"uid": 10001}, "noNewPrivileges": true,
                    "capabilities": {"bounding": null, "effective": ["CAP_CHOWN"]},
                    "apparmorProfile": "x", "selinuxLabel": "a:b:c"},
                "root": {"readonly": true},
                "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}, "uidMappings": [{}],
                    "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"],
                    "devices": [{"path": "/dev/fuse", "type": "c"}], "namespaces": null}}});
        let told = container(&v1::ContainerStatus::default(), Some(&info.to_string()));
        assert_eq!(
            (told.privileged, told.added),
            (Some(true), vec!["NET_RAW".into()])
        );
        let spec = told.spec.unwrap();
        let expected = Oci {
            uid: Some(10001),
            user_namespace: true,
            no_new_privileges: true,
            capabilities: vec!["CHOWN".into()],
            seccomp: true,
            apparmor: Some("x".into()),
            selinux: Some("a:b:c".into()),
            read_only_root: true,
            masked: true,
            devices: vec!["/dev/fuse".into()],
            secrets: vec![],
        };
        assert_eq!(spec, expected);
    }

    #[rstest]
    // containerd tells the request, CRI-O the specification alone.
    #[case(json!({"config": {"linux": {"sysctls": {"kernel.msgmax": "1"}}},
        "runtimeSpec": {"linux": {"sysctl": {"net.x": "1"}}}}), Some(&["kernel.msgmax"][..]))]
    #[case(json!({"runtimeSpec": {"linux": {"sysctl": {"kernel.msgmax": "1"}}}}), Some(&["kernel.msgmax"][..]))]
    #[case(json!({"runtimeSpec": {"linux": {}}}), Some(&[][..]))]
    #[case(json!({"config": {}}), Some(&[][..]))]
    #[case(json!({}), None)]
    fn kernel_parameters(#[case] info: Value, #[case] expected: Option<&[&str]>) {
        let told = pod(&v1::PodSandboxStatus::default(), Some(&info.to_string()));
        let names = told
            .sysctls
            .map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
        let expected = expected.map(|all| all.iter().map(ToString::to_string).collect());
        assert_eq!((names, told.namespaces), (expected, None));
    }

    #[test]
    fn images() {
        let info = json!({"imageSpec": {"created": "2026-01-01T00:00:00Z",
            "config": {"Env": ["PATH=/bin", "API_TOKEN=hunter2"]}, "history": [
                {"created_by": "COPY app /app # buildkit"},
                {"created_by": "RUN |1 GIT_TOKEN=hunter2 /bin/sh -c make # buildkit"},
                {"created_by": "ENV API_TOKEN=hunter2"},
                {"created_by": "/bin/sh -c #(nop)  ENV API_TOKEN=hunter2"},
                {"created_by": "RUN /bin/sh -c curl https://me:hunter2@git.test/"},
                {"empty_layer": true}]}});
        let told = image(Some(&info.to_string())).unwrap();
        assert_eq!(told.history, [1, 4]);
        assert!(told.built_at.is_some());
        assert_eq!(told.secrets, [(1, "API_TOKEN".into())]);
        let first = json!({"imageSpec": {"created": "1970-01-01T00:00:01Z"}});
        assert_eq!(
            image(Some(&first.to_string())).unwrap(),
            ImageSecurity::default()
        );
        assert_eq!((image(Some("{}")), image(None)), (None, None));
    }

    #[test]
    fn configurations() {
        let containerd = json!({"disableApparmor": true, "unsetSeccompProfile": "",
            "streamServerAddress": "0.0.0.0", "enableTLSStreaming": false,
            "registry": {"auths": null,
                "configs": {"a": {"auth": {"password": "hunter2"}},
                    "b": {"tls": {"insecure_skip_verify": true}}},
                "mirrors": {"c": {"endpoint": ["http://c:5000"]}, "d": {"endpoint": ["https://d"]}}}});
        let told = runtime(&containerd);
        assert!(!format!("{told:?}").contains("hunter2"));
        assert_eq!(told.credentials, Some(vec!["a".into()]));
        assert_eq!(told.insecure_registries, Some(vec!["b".into(), "c".into()]));
        assert_eq!(
            (told.apparmor_off, told.streaming),
            (Some(true), Some("0.0.0.0".into()))
        );
        // As CRI-O 1.37 told it.
        let crio = json!({"sandboxImage": "localhost/pause:test", "crio": {
            "ApparmorProfile": "unconfined", "SeccompProfile": "", "SELinux": false}});
        let told = runtime(&crio);
        assert_eq!(
            (told.apparmor_off, told.seccomp_default),
            (Some(true), Some("".into()))
        );
        assert_eq!((told.streaming, told.insecure_registries), (None, None));
    }
}
