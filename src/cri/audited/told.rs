//! The parts of verbose answers that matter to an audit. Everything may be missing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The part of a verbose answer about a container that matters. Go writes empty lists as `null`.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Info {
    pub(super) privileged: Option<bool>,
    pub(super) runtime_spec: Option<Spec>,
    pub(super) config: Option<Asked>,
}

/// The request that containerd kept; what was zero in it is left out.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) image: Option<AskedImage>,
    pub(super) linux: Option<AskedLinux>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AskedImage {
    pub(super) user_specified_image: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AskedLinux {
    pub(super) security_context: Option<Context>,
    pub(super) sysctls: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Context {
    pub(super) privileged: Option<bool>,
    pub(super) capabilities: Option<AskedCapabilities>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AskedCapabilities {
    pub(super) add_capabilities: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Spec {
    pub(super) process: Option<Process>,
    pub(super) root: Option<Root>,
    pub(super) linux: Option<Linux>,
    pub(super) annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Process {
    pub(super) user: Option<User>,
    pub(super) env: Option<Vec<String>>,
    pub(super) capabilities: Option<BTreeMap<String, Option<Vec<String>>>>,
    pub(super) no_new_privileges: Option<bool>,
    pub(super) apparmor_profile: Option<String>,
    pub(super) selinux_label: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct User {
    pub(super) uid: Option<u32>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Root {
    pub(super) readonly: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Linux {
    pub(super) uid_mappings: Option<Vec<IgnoredAny>>,
    pub(super) seccomp: Option<IgnoredAny>,
    pub(super) masked_paths: Option<Vec<IgnoredAny>>,
    pub(super) readonly_paths: Option<Vec<IgnoredAny>>,
    pub(super) devices: Option<Vec<Device>>,
    pub(super) resources: Option<Resources>,
    pub(super) sysctl: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Device {
    pub(super) path: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Resources {
    pub(super) memory: Option<Amounts>,
    pub(super) cpu: Option<Amounts>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Amounts {
    pub(super) limit: Option<i64>,
    pub(super) quota: Option<i64>,
    pub(super) period: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AboutImage {
    pub(super) image_spec: Option<ImageSpec>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ImageSpec {
    pub(super) created: Option<String>,
    pub(super) config: Option<ImageConfig>,
    pub(super) history: Option<Vec<Step>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Step {
    pub(super) created_by: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct ImageConfig {
    pub(super) env: Option<Vec<String>>,
}
