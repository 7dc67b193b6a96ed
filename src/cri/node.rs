//! What the runtime says of itself and of where it keeps images.

use k8s_cri::v1;
use k8s_cri::v1::image_service_client::ImageServiceClient;
use serde_json::Value;

use super::convert::{self, Condition};
use super::error::CriError;
use super::gate::Gate;
use super::read::{Reader, request, within};
use crate::text::Text;

/// The runtime's idea of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Health {
    /// Whether it is ready, and its network.
    pub conditions: Vec<Condition>,
    /// Networks that it has read the configuration of.
    pub networks: Vec<Text>,
    /// What it said when it read that last; `None` if it says nothing.
    pub cni: Option<Text>,
    /// Its cgroup driver is systemd, if it says so.
    pub systemd: Option<bool>,
}

impl Reader {
    /// The runtime's conditions and the state of its network plugins.
    pub async fn health(&self) -> Result<Health, CriError> {
        const CALL: &str = "Status";
        let mut client = self.runtime(CALL)?;
        let asked = request(v1::StatusRequest { verbose: true }, self.deadline());
        let mut answer = within(CALL, self.deadline(), client.status(asked)).await?;
        let info = std::mem::take(&mut answer.info);
        let mut health = health(|key| info.get(key).map(String::as_str));
        health.conditions = convert::conditions(answer);
        Ok(health)
    }

    /// Where images are kept.
    pub async fn image_places(&self) -> Result<Vec<Text>, CriError> {
        const CALL: &str = "ImageFsInfo";
        let channel = self.channel(CALL, |session| &session.image)?;
        let mut client = ImageServiceClient::new(Gate::closed(channel));
        let asked = request(v1::ImageFsInfoRequest {}, self.deadline());
        let answer = within(CALL, self.deadline(), client.image_fs_info(asked)).await?;
        let all = answer
            .image_filesystems
            .into_iter()
            .chain(answer.container_filesystems);
        let places = all.filter_map(|one| Text::clean(&one.fs_id?.mountpoint).non_empty());
        Ok(places.collect())
    }
}

fn health<'a>(info: impl Fn(&str) -> Option<&'a str>) -> Health {
    let json = |key: &str| info(key).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let networks = json("cniconfig").map_or_else(Vec::new, |config| {
        let networks = config["Networks"].as_array().cloned().unwrap_or_default();
        let names = networks
            .iter()
            .filter_map(|one| one["Config"]["Name"].as_str());
        names.map(Text::clean).collect()
    });
    let driver = json("config").and_then(|config| {
        let options = &config["containerd"]["runtimes"]["runc"]["options"];
        options["SystemdCgroup"]
            .as_bool()
            .or_else(|| config["systemdCgroup"].as_bool())
    });
    Health {
        conditions: vec![],
        networks,
        cni: info("lastCNILoadStatus").and_then(|text| Text::clean(text).non_empty()),
        systemd: driver,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_containerd() {
        let info = |key: &str| match key {
            "cniconfig" => Some(
                r#"{"Networks":[{"Config":{"Name":"cni-loopback"}},{"Config":{"Name":"kube"}}]}"#,
            ),
            "lastCNILoadStatus" => {
                Some("cni config load failed: no network config found\u{1b}[31m")
            }
            "config" => {
                Some(r#"{"containerd":{"runtimes":{"runc":{"options":{"SystemdCgroup":true}}}}}"#)
            }
            _ => None,
        };
        let health = health(info);
        assert_eq!(health.networks, ["cni-loopback", "kube"]);
        assert!(!health.cni.unwrap().as_str().contains('\u{1b}'));
        assert_eq!(health.systemd, Some(true));
    }

    #[test]
    fn of_one_that_says_nothing() {
        assert_eq!(health(|_| None), Health::default());
        assert_eq!(health(|_| Some("[")).networks, Vec::<Text>::new());
    }
}
