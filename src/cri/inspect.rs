//! The full status of one thing, with all that the runtime tells on request, as crictl lays it
//! out: `status`, and beside it what was verbose.

use std::collections::HashMap;

use jiff::Timestamp;
use k8s_cri::v1;
use k8s_cri::v1::image_service_client::ImageServiceClient;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::error::{CriError, Kind};
use super::gate::Gate;
use super::read::{LARGEST, Reader, gone, request, within};
use crate::access::WriteGrant;
use crate::domain::{ContainerId, PodId};
use crate::text::Text;
use crate::tree::{Key, Tree};

/// What can be asked about in full.
#[derive(Clone, Copy, Debug)]
pub enum Whole<'a> {
    /// A sandbox.
    Pod(&'a PodId),
    /// A container.
    Container(&'a ContainerId),
    /// An image, by id or name. One that is not there is [`Kind::NotFound`].
    Image(&'a str),
    /// The runtime: who it is, how it is, its configuration, its file systems. What it does not
    /// implement is left out.
    Runtime,
}

impl Reader {
    /// All about one thing, masked.
    pub async fn inspect(&self, what: Whole<'_>) -> Result<Tree, CriError> {
        let all = self.all(what).await?;
        // Beside the event loop: verbose answers can have megabytes.
        let built = tokio::task::spawn_blocking(move || Tree::of(&all)).await;
        Ok(built.unwrap_or_else(|_| Tree::of(&Value::Null)))
    }

    /// One value of it as it is, by the [`Tree::keys`] of its node; nothing if it is gone.
    pub async fn reveal(
        &self,
        what: Whole<'_>,
        keys: &[Key],
        grant: &WriteGrant,
    ) -> Result<Option<Text>, CriError> {
        Ok(Tree::revealed(&self.all(what).await?, keys, grant))
    }

    async fn all(&self, what: Whole<'_>) -> Result<Value, CriError> {
        match what {
            Whole::Pod(id) => {
                let answer = self.full_sandbox(id).await?;
                let status = answer.status;
                let status = status.ok_or_else(|| gone("PodSandboxStatus", id.as_str()))?;
                let state = status.state().as_str_name();
                Ok(with_state(laid_out(&status, answer.info), state))
            }
            Whole::Container(id) => {
                let answer = self.full_container(id).await?;
                let status = answer.status;
                let status = status.ok_or_else(|| gone("ContainerStatus", id.as_str()))?;
                let state = status.state().as_str_name();
                Ok(with_state(laid_out(&status, answer.info), state))
            }
            Whole::Image(image) => self.image_told(image).await,
            Whole::Runtime => self.runtime_told().await,
        }
    }

    async fn image_told(&self, image: &str) -> Result<Value, CriError> {
        const CALL: &str = "ImageStatus";
        let mut client = self.images_client(CALL)?;
        let asked = v1::ImageStatusRequest {
            image: Some(v1::ImageSpec {
                image: image.to_owned(),
                ..Default::default()
            }),
            verbose: true,
        };
        let answer = client.image_status(request(asked, self.deadline()));
        let answer = within(CALL, self.deadline(), answer).await?;
        let status = answer.image.ok_or_else(|| gone(CALL, image))?;
        Ok(Value::Object(laid_out(&status, answer.info)))
    }

    async fn runtime_told(&self) -> Result<Value, CriError> {
        const CALL: &str = "Status";
        let mut client = self.runtime(CALL)?;
        let asked = v1::StatusRequest { verbose: true };
        let answer = client.status(request(asked, self.deadline()));
        let answer = within(CALL, self.deadline(), answer).await?;
        let mut all = laid_out(&answer.status, answer.info);
        let mut add = |name: &str, part: Value| {
            all.insert(name.to_owned(), part);
        };
        add("runtimeHandlers", told(&answer.runtime_handlers));
        add("features", told(&answer.features));
        add("version", self.version_told().await?);
        if let Some(config) = implemented(self.runtime_config().await)? {
            add("runtimeConfig", config);
        }
        if let Some(systems) = implemented(self.file_systems().await)? {
            add("imageFilesystems", systems);
        }
        if let Some(metrics) = implemented(self.metrics().await)? {
            add("metrics", metrics);
        }
        Ok(Value::Object(all))
    }

    async fn version_told(&self) -> Result<Value, CriError> {
        const CALL: &str = "Version";
        let mut client = self.runtime(CALL)?;
        let answer = client.version(request(v1::VersionRequest::default(), self.deadline()));
        Ok(told(&within(CALL, self.deadline(), answer).await?))
    }

    async fn runtime_config(&self) -> Result<Value, CriError> {
        const CALL: &str = "RuntimeConfig";
        let mut client = self.runtime(CALL)?;
        let asked = request(v1::RuntimeConfigRequest {}, self.deadline());
        let answer = within(CALL, self.deadline(), client.runtime_config(asked)).await?;
        let driver = answer.linux.map(|linux| linux.cgroup_driver());
        let driver = match driver {
            Some(v1::CgroupDriver::Systemd) => "systemd",
            Some(v1::CgroupDriver::Cgroupfs) => "cgroupfs",
            None => "unknown",
        };
        Ok(json!({"cgroupDriver": driver}))
    }

    async fn file_systems(&self) -> Result<Value, CriError> {
        const CALL: &str = "ImageFsInfo";
        let mut client = self.images_client(CALL)?;
        let asked = request(v1::ImageFsInfoRequest {}, self.deadline());
        Ok(told(
            &within(CALL, self.deadline(), client.image_fs_info(asked)).await?,
        ))
    }

    async fn metrics(&self) -> Result<Value, CriError> {
        const CALL: &str = "ListMetricDescriptors";
        let mut client = self.runtime(CALL)?;
        let asked = request(v1::ListMetricDescriptorsRequest {}, self.deadline());
        let answer = within(CALL, self.deadline(), client.list_metric_descriptors(asked)).await?;
        Ok(told(&answer.descriptors))
    }

    pub(super) fn images_client(
        &self,
        call: &str,
    ) -> Result<ImageServiceClient<Gate<tonic::transport::Channel>>, CriError> {
        let client = ImageServiceClient::new(Gate::closed(self.image_line(call)?));
        Ok(client.max_decoding_message_size(LARGEST))
    }
}

/// Nothing for a call that this runtime does not know.
fn implemented(answer: Result<Value, CriError>) -> Result<Option<Value>, CriError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == Kind::Unimplemented => Ok(None),
        Err(error) => Err(error),
    }
}

/// The state in a word.
fn with_state(mut all: Map<String, Value>, state: &str) -> Value {
    if let Some(Value::Object(status)) = all.get_mut("status") {
        status.insert("state".into(), state.into());
    }
    Value::Object(all)
}

/// `status`, and the verbose parts. What containerd and CRI-O put under one key is told as
/// `info`, as crictl does.
fn laid_out(status: &impl Serialize, info: HashMap<String, String>) -> Map<String, Value> {
    let mut all = Map::new();
    let mut rest = Map::new();
    let alone = info.len() == 1;
    for (name, text) in info {
        if alone && name == "info" && text.trim_start().starts_with('{') {
            // The tree parses it, and copies less.
            all.insert(name, Value::String(text));
            break;
        }
        let value = verbose(text);
        match value {
            Value::Object(members) if name == "info" => rest.extend(members),
            value => drop(rest.insert(name, value)),
        }
    }
    all.insert("status".into(), told(status));
    all.entry("info").or_insert(Value::Object(rest));
    all
}

/// Mostly JSON, but not always: containerd says `OK` too.
fn verbose(text: String) -> Value {
    let json = text.trim_start().starts_with(['{', '[', '"']);
    let parsed = json.then(|| serde_json::from_str(&text).ok()).flatten();
    parsed.unwrap_or(Value::String(text))
}

/// A message as JSON, with the names and the words that crictl uses.
fn told(message: &impl Serialize) -> Value {
    let value = serde_json::to_value(message).unwrap_or_default();
    renamed("", value)
}

/// Names in camel case, numbers that mean a time or a word as that.
fn renamed(name: &str, value: Value) -> Value {
    match value {
        // The user's own names stay as they are.
        Value::Object(map) if matches!(name, "labels" | "annotations" | "unified") => {
            Value::Object(map)
        }
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(name, value)| (camel(&name), renamed(&name, value)))
                .collect(),
        ),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| renamed(name, item)).collect())
        }
        Value::Number(number) => worded(name, number.as_i64()).unwrap_or(Value::Number(number)),
        value => value,
    }
}

fn worded(name: &str, number: Option<i64>) -> Option<Value> {
    let number = number?;
    let words: &[&str] = match name {
        "created_at" | "started_at" | "finished_at" | "timestamp" => {
            let time = Timestamp::from_nanosecond(number.into());
            let told = time
                .ok()
                .filter(|_| number > 0)
                .map(|time| time.to_string());
            return Some(told.map_or(Value::Null, Value::String));
        }
        "propagation" => &[
            "PROPAGATION_PRIVATE",
            "PROPAGATION_HOST_TO_CONTAINER",
            "PROPAGATION_BIDIRECTIONAL",
        ],
        "network" | "pid" | "ipc" | "mode" => &["POD", "CONTAINER", "NODE", "TARGET"],
        _ => return None,
    };
    let word = usize::try_from(number).ok().and_then(|at| words.get(at))?;
    Some(Value::from(*word))
}

fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.trim_start_matches("r#").chars() {
        if c == '_' {
            upper = !out.is_empty();
        } else if std::mem::take(&mut upper) {
            out.push(c.to_ascii_uppercase());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("OK", json!("OK"))]
    #[case("\"go1.25\"", json!("go1.25"))]
    #[case("{\"a\":1}", json!({"a": 1}))]
    #[case("{broken", json!("{broken"))]
    #[case("", json!(""))]
    fn verbose_values(#[case] text: &str, #[case] expected: Value) {
        assert_eq!(verbose(text.to_owned()), expected);
    }

    #[test]
    fn as_crictl_lays_it_out() {
        let status = v1::ContainerStatus {
            id: "c".into(),
            created_at: 1_795_205_093_725_453_161,
            labels: HashMap::from([("a_b".to_owned(), "c".to_owned())]),
            mounts: vec![v1::Mount {
                container_path: "/x".into(),
                propagation: 1,
                ..Default::default()
            }],
            ..Default::default()
        };
        let info = HashMap::from([
            ("info".to_owned(), "{\"pid\":4}".to_owned()),
            ("word".to_owned(), "OK".to_owned()),
        ]);
        let tree = Tree::of(&Value::Object(laid_out(&status, info)));
        assert_eq!(
            tree.text(&["status", "createdAt"]),
            Some("2026-11-20T20:04:53.725453161Z")
        );
        assert_eq!(
            tree.find(&["status", "startedAt"])
                .and_then(|at| tree.shown(at)),
            None
        );
        assert_eq!(tree.text(&["status", "labels", "a_b"]), Some("c"));
        let mounts = tree.find(&["status", "mounts"]).unwrap();
        let mount = tree.children(mounts).next().unwrap();
        let propagation = tree.child(mount, "propagation").unwrap();
        assert_eq!(
            tree.shown(propagation),
            Some("PROPAGATION_HOST_TO_CONTAINER")
        );
        assert_eq!(tree.text(&["info", "pid"]), Some("4"));
        assert_eq!(tree.text(&["info", "word"]), Some("OK"));
        for (told, pid) in [
            ("{\"pid\":4}", Some("4")),
            ("{\"pid\":", None),
            ("OK", None),
        ] {
            let info = HashMap::from([("info".to_owned(), told.to_owned())]);
            let tree = Tree::of(&Value::Object(laid_out(&status, info)));
            assert_eq!(tree.text(&["info", "pid"]), pid, "{told}");
        }
    }
}
