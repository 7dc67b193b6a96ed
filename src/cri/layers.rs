//! Where the files of a container are that has ended: the layers of its snapshot, as containerd's
//! own service tells on the same socket. It lives until the container is removed.

use std::path::PathBuf;

use tonic::Request;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::MetadataValue;
use tonic_prost::ProstCodec;

use super::error::{CriError, Kind};
use super::read::{request, within};
use super::verbose::info;
use super::write::Writer;
use crate::domain::ContainerId;

const MOUNTS: &str = "/containerd.services.snapshots.v1.Snapshots/Mounts";
/// Where containerd keeps what belongs to Kubernetes.
const NAMESPACE: (&str, &str) = ("containerd-namespace", "k8s.io");

/// containerd's `MountsRequest`.
#[derive(Clone, PartialEq, prost::Message)]
struct MountsRequest {
    #[prost(string, tag = "1")]
    snapshotter: String,
    #[prost(string, tag = "2")]
    key: String,
}

/// containerd's `MountsResponse`.
#[derive(Clone, PartialEq, prost::Message)]
struct MountsResponse {
    #[prost(message, repeated, tag = "1")]
    mounts: Vec<Mount>,
}

/// containerd's `types.Mount`.
#[derive(Clone, PartialEq, prost::Message)]
struct Mount {
    #[prost(string, tag = "1")]
    kind: String,
    #[prost(string, tag = "2")]
    source: String,
    #[prost(string, repeated, tag = "4")]
    options: Vec<String>,
}

impl Writer {
    /// The folders of a container's layers, the uppermost first. An error says why there are none,
    /// also for runtimes other than containerd.
    pub async fn layers(&self, id: &ContainerId) -> Result<Vec<PathBuf>, CriError> {
        let info = info(&self.reader().full_container(id).await?.info);
        let told = |key: &str| info[key].as_str().unwrap_or_default().to_owned();
        let asked = MountsRequest {
            snapshotter: told("snapshotter"),
            key: told("snapshotKey"),
        };
        if asked.key.is_empty() {
            let why = "the runtime does not tell where the files of an ended container are";
            return Err(CriError::new(Kind::Unimplemented, why.to_owned()));
        }
        let mounts = self.mounts(asked).await?;
        let layers = layers(&mounts);
        if layers.is_empty() {
            let why = format!("{MOUNTS}: no layers that are folders: {mounts:?}");
            return Err(CriError::new(Kind::Unimplemented, why));
        }
        Ok(layers)
    }

    async fn mounts(&self, asked: MountsRequest) -> Result<Vec<Mount>, CriError> {
        const CALL: &str = "Mounts";
        let deadline = self.reader().deadline();
        let mut client = tonic::client::Grpc::new(self.channel(CALL)?);
        let ready = within(CALL, deadline, async {
            let ready = client.ready().await;
            ready
                .map(tonic::Response::new)
                .map_err(|error| tonic::Status::from_error(error.into()))
        });
        ready.await?;
        let mut asked: Request<MountsRequest> = request(asked, deadline);
        let namespace = MetadataValue::from_static(NAMESPACE.1);
        asked.metadata_mut().insert(NAMESPACE.0, namespace);
        let path = PathAndQuery::from_static(MOUNTS);
        let codec = ProstCodec::<MountsRequest, MountsResponse>::default();
        let answer: MountsResponse =
            within(CALL, deadline, client.unary(asked, path, codec)).await?;
        Ok(answer.mounts)
    }
}

/// Of an overlay, or of a single folder that is bound.
fn layers(mounts: &[Mount]) -> Vec<PathBuf> {
    let Some(mount) = mounts.first() else {
        return Vec::new();
    };
    if mount.kind != "overlay" {
        return match mount.kind.as_str() {
            "bind" => vec![PathBuf::from(&mount.source)],
            _ => Vec::new(),
        };
    }
    let option = |name: &str| {
        let mut options = mount.options.iter();
        options.find_map(|option| option.strip_prefix(name))
    };
    let upper = option("upperdir=").into_iter();
    let lower = option("lowerdir=")
        .into_iter()
        .flat_map(|all| all.split(':'));
    upper.chain(lower).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(kind: &str, source: &str, options: &[&str]) -> Mount {
        Mount {
            kind: kind.to_owned(),
            source: source.to_owned(),
            options: options.iter().map(|&option| option.to_owned()).collect(),
        }
    }

    #[test]
    fn the_uppermost_comes_first() {
        let overlay = mount(
            "overlay",
            "overlay",
            &[
                "index=off",
                "workdir=/s/3/work",
                "upperdir=/s/3/fs",
                "lowerdir=/s/2/fs:/s/1/fs",
            ],
        );
        let expected: Vec<PathBuf> = ["/s/3/fs", "/s/2/fs", "/s/1/fs"].map(PathBuf::from).into();
        assert_eq!(layers(&[overlay]), expected);
        let bind = mount("bind", "/s/1/fs", &["rw", "rbind"]);
        assert_eq!(layers(&[bind]), [PathBuf::from("/s/1/fs")]);
        assert!(layers(&[mount("ext4", "/dev/mapper/x", &[])]).is_empty());
        assert!(layers(&[]).is_empty());
    }
}
