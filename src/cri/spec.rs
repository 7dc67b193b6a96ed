//! Pods and containers as crictl's own files describe them, JSON or YAML: read, checked, made.
//!
//! A file is held against a whole message, in which every part is there once. What it does not
//! have is unknown; what the file leaves out has the protocol's own default.

use k8s_cri::v1;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::act::quoted;
use crate::domain::PodId;

/// What is to be made, from which files.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// The pod.
    pub pod: Place,
    /// A container in it.
    pub container: Option<v1::ContainerConfig>,
    /// The container is started as well.
    pub starts: bool,
    /// The files, as they were named: that of the container first.
    pub files: Vec<String>,
    name: String,
}

/// Where a container goes.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// A pod that is there.
    There(PodId),
    /// A new one.
    New(Box<v1::PodSandboxConfig>),
}

impl Eq for Plan {}

/// What is wrong with a file: the path of the field, and what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The names that lead to it; empty for the whole file.
    pub field: Vec<String>,
    /// What is wrong.
    pub what: String,
}

fn wrong(field: &[String], what: impl Into<String>) -> Wrong {
    Wrong {
        field: field.to_vec(),
        what: what.into(),
    }
}

/// A pod as a file describes it.
pub fn pod(told: &Value) -> Result<v1::PodSandboxConfig, Wrong> {
    let config: v1::PodSandboxConfig = read(told, &whole_pod())?;
    let metadata = config.metadata.clone().unwrap_or_default();
    for (name, value) in [
        ("name", &metadata.name),
        ("namespace", &metadata.namespace),
        ("uid", &metadata.uid),
    ] {
        required("metadata", name, value)?;
    }
    Ok(config)
}

/// A container as a file describes it.
pub fn container(told: &Value) -> Result<v1::ContainerConfig, Wrong> {
    let mut config: v1::ContainerConfig = read(told, &whole_container())?;
    let metadata = config.metadata.clone().unwrap_or_default();
    required("metadata", "name", &metadata.name)?;
    let image = config.image.clone().unwrap_or_default();
    required("image", "image", &image.image)?;
    // Some runtimes take its absence badly.
    config.linux.get_or_insert_default();
    Ok(config)
}

fn required(above: &str, name: &str, value: &str) -> Result<(), Wrong> {
    if value.is_empty() {
        let field = [above.to_owned(), name.to_owned()];
        return Err(wrong(&field, "is missing, and needed"));
    }
    Ok(())
}

fn read<T: Serialize + DeserializeOwned>(told: &Value, whole: &T) -> Result<T, Wrong> {
    let whole = serde_json::to_value(whole).unwrap_or_default();
    if told.is_null() {
        return Err(wrong(&[], "expected a mapping, found nothing"));
    }
    let filled = fill(told, &whole, &mut Vec::new())?;
    serde_json::from_value(filled).map_err(|error| wrong(&[], error.to_string()))
}

/// `told` with everything that it leaves out.
fn fill(told: &Value, whole: &Value, field: &mut Vec<String>) -> Result<Value, Wrong> {
    let expected = |what: &str| {
        let found = match told {
            Value::Object(_) => "a mapping".to_owned(),
            Value::Array(_) => "a list".to_owned(),
            other => other.to_string(),
        };
        wrong(field, format!("expected {what}, found {found}"))
    };
    match (told, whole) {
        (Value::Null, Value::Object(names)) if !names.is_empty() => Ok(Value::Null),
        (Value::Null, whole) => Ok(absent(whole)),
        (Value::Object(told), Value::Object(whole)) if whole.is_empty() => texts(told, field),
        (Value::Object(told), Value::Object(whole)) => message(told, whole, field),
        (Value::Array(items), Value::Array(whole)) => {
            let one = whole.first().cloned().unwrap_or_default();
            let items = items.iter().enumerate().map(|(nth, item)| {
                field.push(nth.to_string());
                let filled = fill(item, &one, field);
                field.pop();
                filled
            });
            items.collect()
        }
        (Value::Number(number), Value::Number(_)) if number.is_f64() => {
            Err(expected("a whole number"))
        }
        (Value::String(_), Value::String(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_)) => Ok(told.clone()),
        (_, Value::Object(_)) => Err(expected("a mapping")),
        (_, Value::Array(_)) => Err(expected("a list")),
        (_, Value::String(_)) => Err(expected("a text (in quotes)")),
        (_, Value::Bool(_)) => Err(expected("true or false")),
        (_, Value::Number(_)) => Err(expected("a number")),
        (_, Value::Null) => Err(wrong(field, "is nothing that Linux nodes have")),
    }
}

fn message(
    told: &Map<String, Value>,
    whole: &Map<String, Value>,
    field: &mut Vec<String>,
) -> Result<Value, Wrong> {
    if let Some(unknown) = told.keys().find(|name| !whole.contains_key(*name)) {
        let near = whole.keys().max_by(|a, b| {
            let likeness = |name: &str| strsim::jaro_winkler(name, unknown);
            likeness(a).total_cmp(&likeness(b))
        });
        let near = near.map_or("", String::as_str);
        field.push(unknown.clone());
        return Err(wrong(field, format!("is no field; {near} is near")));
    }
    let mut filled = Map::new();
    for (name, whole) in whole {
        let value = match told.get(name) {
            None => absent(whole),
            Some(told) => {
                field.push(name.clone());
                let value = fill(told, whole, field)?;
                field.pop();
                value
            }
        };
        filled.insert(name.clone(), value);
    }
    Ok(Value::Object(filled))
}

/// A mapping of texts to texts: labels, annotations.
fn texts(told: &Map<String, Value>, field: &mut Vec<String>) -> Result<Value, Wrong> {
    for (name, value) in told {
        if !value.is_string() {
            field.push(name.clone());
            return Err(wrong(
                field,
                format!("expected a text (in quotes), found {value}"),
            ));
        }
    }
    Ok(Value::Object(told.clone()))
}

/// What stands for something that is left out.
fn absent(whole: &Value) -> Value {
    match whole {
        // A message is not there; a mapping of texts is empty.
        Value::Object(fields) if !fields.is_empty() => Value::Null,
        Value::Array(_) => Value::Array(vec![]),
        Value::String(_) => Value::String(String::new()),
        Value::Bool(_) => Value::Bool(false),
        Value::Number(_) => Value::Number(0.into()),
        other => other.clone(),
    }
}

fn namespaces() -> v1::NamespaceOption {
    v1::NamespaceOption {
        userns_options: Some(v1::UserNamespace {
            uids: vec![v1::IdMapping::default()],
            gids: vec![v1::IdMapping::default()],
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn whole_resources() -> v1::LinuxContainerResources {
    v1::LinuxContainerResources {
        hugepage_limits: vec![v1::HugepageLimit::default()],
        ..Default::default()
    }
}

fn whole_pod() -> v1::PodSandboxConfig {
    v1::PodSandboxConfig {
        metadata: Some(v1::PodSandboxMetadata::default()),
        dns_config: Some(v1::DnsConfig {
            servers: vec![String::new()],
            searches: vec![String::new()],
            options: vec![String::new()],
        }),
        port_mappings: vec![v1::PortMapping::default()],
        linux: Some(v1::LinuxPodSandboxConfig {
            security_context: Some(v1::LinuxSandboxSecurityContext {
                namespace_options: Some(namespaces()),
                selinux_options: Some(v1::SeLinuxOption::default()),
                run_as_user: Some(v1::Int64Value::default()),
                run_as_group: Some(v1::Int64Value::default()),
                supplemental_groups: vec![0],
                seccomp: Some(v1::SecurityProfile::default()),
                apparmor: Some(v1::SecurityProfile::default()),
                ..Default::default()
            }),
            overhead: Some(whole_resources()),
            resources: Some(whole_resources()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn whole_container() -> v1::ContainerConfig {
    v1::ContainerConfig {
        metadata: Some(v1::ContainerMetadata::default()),
        image: Some(v1::ImageSpec::default()),
        command: vec![String::new()],
        args: vec![String::new()],
        envs: vec![v1::KeyValue::default()],
        mounts: vec![v1::Mount {
            uid_mappings: vec![v1::IdMapping::default()],
            gid_mappings: vec![v1::IdMapping::default()],
            ..Default::default()
        }],
        devices: vec![v1::Device::default()],
        cdi_devices: vec![v1::CdiDevice::default()],
        linux: Some(v1::LinuxContainerConfig {
            resources: Some(whole_resources()),
            security_context: Some(v1::LinuxContainerSecurityContext {
                capabilities: Some(v1::Capability {
                    add_capabilities: vec![String::new()],
                    drop_capabilities: vec![String::new()],
                    add_ambient_capabilities: vec![String::new()],
                }),
                namespace_options: Some(namespaces()),
                selinux_options: Some(v1::SeLinuxOption::default()),
                run_as_user: Some(v1::Int64Value::default()),
                run_as_group: Some(v1::Int64Value::default()),
                supplemental_groups: vec![0],
                masked_paths: vec![String::new()],
                readonly_paths: vec![String::new()],
                seccomp: Some(v1::SecurityProfile::default()),
                apparmor: Some(v1::SecurityProfile::default()),
                ..Default::default()
            }),
        }),
        ..Default::default()
    }
}

impl Plan {
    /// What the files say.
    pub fn new(
        pod: Place,
        container: Option<v1::ContainerConfig>,
        starts: bool,
        files: Vec<String>,
    ) -> Self {
        let of_pod = match &pod {
            Place::New(config) => {
                let metadata = config.metadata.clone().unwrap_or_default();
                format!("{}/{}", metadata.namespace, metadata.name)
            }
            Place::There(id) => id.short().to_owned(),
        };
        let of_container = container.as_ref().and_then(|one| one.metadata.as_ref());
        let name = match of_container {
            Some(metadata) => format!("{of_pod}/{}", metadata.name),
            None => of_pod,
        };
        Self {
            pod,
            container,
            starts,
            files,
            name,
        }
    }

    /// `namespace/pod/container`, as far as it is to be made.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The image of its container.
    pub fn image(&self) -> Option<&str> {
        let image = self.container.as_ref()?.image.as_ref()?;
        Some(&image.image)
    }

    /// In the words of the journal.
    pub fn what(&self) -> &'static str {
        match (&self.pod, &self.container, self.starts) {
            (Place::New(_), None, _) => "run pod",
            (Place::New(_), Some(_), _) => "run pod and container",
            (Place::There(_), _, true) => "run container",
            (Place::There(_), _, false) => "create container",
        }
    }

    /// The same for crictl, which wants the file of the pod for a container in one too.
    pub fn crictl(&self) -> String {
        let files: Vec<String> = self.files.iter().map(|file| quoted(file)).collect();
        let files = files.join(" ");
        match (&self.pod, &self.container, self.starts) {
            (Place::New(_), None, _) => format!("crictl runp {files}"),
            (Place::New(_), Some(_), _) => format!("crictl run {files}"),
            (Place::There(id), _, starts) => {
                let made = format!("crictl create {} {files} POD-FILE", id.short());
                if starts {
                    format!("crictl start $({made})")
                } else {
                    made
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[test]
    fn what_is_left_out_has_its_default() {
        let told = json!({
            "metadata": {"name": "p", "namespace": "n", "uid": "u"},
            "labels": {"a": "b"},
            "linux": {"security_context": {"namespace_options": {"network": 2}}},
        });
        let config = pod(&told).unwrap();
        let linux = config.linux.unwrap();
        let context = linux.security_context.unwrap();
        assert_eq!(context.namespace_options.unwrap().network, 2);
        assert_eq!((linux.overhead, config.dns_config), (None, None));
        assert_eq!(config.labels["a"], "b");
        assert!(config.port_mappings.is_empty());
        let told = json!({
            "metadata": {"name": "c"},
            "image": {"image": "busybox"},
            "command": ["sleep", "9"],
            "envs": [{"key": "A", "value": "b"}],
            "linux": {"resources": {"memory_limit_in_bytes": 1_048_576}},
        });
        let config = container(&told).unwrap();
        assert_eq!(config.command, ["sleep", "9"]);
        let linux = config.linux.unwrap();
        assert_eq!(linux.resources.unwrap().memory_limit_in_bytes, 1 << 20);
        assert_eq!(linux.security_context, None);
    }

    #[rstest]
    #[case(json!({"metadata": {"name": "p", "namespace": "n"}}), "metadata.uid", "is missing, and needed")]
    #[case(json!({}), "metadata.name", "is missing, and needed")]
    #[case(json!({"metadata": {"nam": "p"}}), "metadata.nam", "is no field; name is near")]
    #[case(json!({"metadata": []}), "metadata", "expected a mapping, found a list")]
    #[case(json!({"metadata": {"name": 7}}), "metadata.name", "expected a text (in quotes), found 7")]
    #[case(json!({"labels": {"a": 1}}), "labels.a", "expected a text")]
    #[case(json!({"port_mappings": [{"host_port": "80"}]}), "port_mappings.0.host_port", "expected a number")]
    #[case(json!({"windows": {}}), "windows", "is nothing that Linux nodes have")]
    #[case(json!([]), "", "expected a mapping, found a list")]
    fn mistakes_name_their_field(#[case] told: Value, #[case] field: &str, #[case] what: &str) {
        let wrong = pod(&told).unwrap_err();
        assert_eq!(wrong.field.join("."), field);
        assert!(wrong.what.contains(what), "{}", wrong.what);
    }

    #[test]
    fn numbers_that_do_not_fit_are_mistakes() {
        let told = json!({"metadata": {"name": "p", "namespace": "n", "uid": "u", "attempt": -1}});
        assert!(pod(&told).is_err());
    }
}
