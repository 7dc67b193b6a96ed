//! Changes of the images.

use std::time::Duration;

use k8s_cri::v1;
use k8s_cri::v1::image_service_client::ImageServiceClient;
use tonic::transport::Channel;

use super::error::{CriError, Kind};
use super::gate::Gate;
use super::read::{LARGEST, Reader, request, within};
use super::write::Writer;
use crate::act::Login;
use crate::domain::ImageId;
use crate::text::Text;

/// Longest pull: a runtime gives up by itself when nothing moves.
const PULLING: Duration = Duration::from_secs(60 * 60);
/// Longest removal.
const REMOVING: Duration = Duration::from_secs(60);

impl Writer {
    /// Pulls an image. Files with credentials have been looked at before: [`Login::Found`] is none.
    pub(super) async fn pull(
        &self,
        reference: &str,
        login: &Login,
    ) -> Result<&'static str, CriError> {
        const CALL: &str = "PullImage";
        let auth = match login {
            Login::Typed(user, secret) => Some(v1::AuthConfig {
                username: user.clone(),
                password: secret.reveal().to_owned(),
                ..Default::default()
            }),
            Login::Found | Login::None => None,
        };
        let asked = v1::PullImageRequest {
            image: Some(v1::ImageSpec {
                image: reference.to_owned(),
                ..Default::default()
            }),
            auth,
            sandbox_config: None,
        };
        let mut client = self.images(CALL)?;
        let sent = Box::pin(client.pull_image(request(asked, PULLING)));
        within(CALL, PULLING, sent).await.map(|_| "")
    }

    /// Removes an image by its id, if wanted only while nobody uses it.
    pub(super) async fn remove_image(
        &self,
        id: &ImageId,
        unused: bool,
    ) -> Result<&'static str, CriError> {
        const CALL: &str = "RemoveImage";
        if unused {
            let containers = self.reader().containers().await?;
            let uses = containers.iter().any(|one| one.image_id.key() == id.key());
            if uses {
                let line = "a container was made from it meanwhile, so it stays";
                return Err(CriError::new(Kind::Refused, line));
            }
        }
        let asked = v1::RemoveImageRequest {
            image: Some(v1::ImageSpec {
                image: id.as_str().to_owned(),
                ..Default::default()
            }),
        };
        let mut client = self.images(CALL)?;
        let sent = client.remove_image(request(asked, REMOVING));
        match within(CALL, REMOVING, sent).await {
            Ok(_) => Ok(""),
            Err(error) if error.kind == Kind::NotFound => Ok(super::GONE),
            Err(error) => Err(error),
        }
    }

    fn images(&self, call: &str) -> Result<ImageServiceClient<Gate<Channel>>, CriError> {
        let client = ImageServiceClient::new(self.image_channel(call)?);
        Ok(client.max_decoding_message_size(LARGEST))
    }
}

impl Reader {
    /// The image of the sandboxes' own process, as the runtime's configuration names it. No list
    /// of containers shows who uses it.
    pub async fn sandbox_image(&self) -> Result<Option<Text>, CriError> {
        const CALL: &str = "Status";
        let mut client = self.runtime(CALL)?;
        let asked = request(v1::StatusRequest { verbose: true }, self.deadline());
        let answer = within(CALL, self.deadline(), client.status(asked)).await?;
        let config = answer.info.get("config");
        let config = config.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        let config = config.unwrap_or_default();
        let places = [
            &config["sandboxImage"],
            // containerd 2.x
            &config["pinnedImages"]["sandbox"],
            &config["imageConfig"]["pinnedImages"]["sandbox"],
        ];
        let named = places.into_iter().find_map(serde_json::Value::as_str);
        Ok(named.map(Text::clean).and_then(Text::non_empty))
    }
}
