//! Images made on the spot from a static busybox, as OCI archives: the suite needs no registry.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The image of the sandbox's own process.
pub const PAUSE: &str = "critui.test/pause:1";
/// The image of every container, under two tags.
pub const APP: &str = "critui.test/app:1";
/// The second tag of [`APP`].
pub const APP_LATEST: &str = "critui.test/app:latest";
/// An image that no container uses.
pub const UNUSED: &str = "critui.test/unused:1";

/// What an image is made from. Its file system is always busybox's.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// Its names.
    pub tags: &'a [&'a str],
    /// Its entry point.
    pub entrypoint: &'a [&'a str],
    /// Its environment.
    pub env: &'a [&'a str],
    /// As whom it runs; empty for root.
    pub user: &'a str,
    /// When it was built.
    pub created: &'a str,
    /// How it was built.
    pub step: &'a str,
}

impl<'a> Build<'a> {
    /// The usual one.
    pub fn new(tags: &'a [&'a str], entrypoint: &'a [&'a str]) -> Self {
        Self {
            tags,
            entrypoint,
            env: &["PATH=/bin"],
            user: "",
            created: "2024-01-01T00:00:00Z",
            step: "critui's tests",
        }
    }
}

/// Writes an OCI archive with one image.
pub fn write(archive: &Path, busybox: &Path, build: &Build) -> io::Result<()> {
    let tags = build.tags;
    let layer = layer(busybox)?;
    let config = json!({
        "created": build.created,
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "Entrypoint": build.entrypoint,
            "Env": build.env,
            "User": build.user,
            "WorkingDir": "/",
            "Labels": {"critui.test": tags[0]},
        },
        "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        "history": [{"created": build.created, "created_by": build.step}],
    })
    .to_string()
    .into_bytes();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
    })
    .to_string()
    .into_bytes();
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": tags.iter().map(|tag| {
            let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", &manifest);
            entry["annotations"] = json!({"io.containerd.image.name": tag});
            entry["platform"] = json!({"os": "linux", "architecture": architecture()});
            entry
        }).collect::<Vec<_>>(),
    });
    let mut out = tar::Builder::new(File::create(archive)?);
    add(
        &mut out,
        "oci-layout",
        br#"{"imageLayoutVersion":"1.0.0"}"#,
        0o644,
    )?;
    add(&mut out, "index.json", index.to_string().as_bytes(), 0o644)?;
    for blob in [&layer, &config, &manifest] {
        let path = format!("blobs/{}", digest(blob).replace(':', "/"));
        add(&mut out, &path, blob, 0o644)?;
    }
    out.into_inner()?.flush()
}

/// A file system with busybox and a link for each thing that it can be.
fn layer(busybox: &Path) -> io::Result<Vec<u8>> {
    let applets = Command::new(busybox).arg("--list").output()?.stdout;
    let mut out = tar::Builder::new(Vec::new());
    add(&mut out, "bin/busybox", &std::fs::read(busybox)?, 0o755)?;
    for applet in String::from_utf8_lossy(&applets).lines() {
        if applet == "busybox" {
            continue;
        }
        let mut header = header(0, 0o777);
        header.set_entry_type(tar::EntryType::Symlink);
        out.append_link(&mut header, format!("bin/{applet}"), "busybox")?;
    }
    add(
        &mut out,
        "etc/passwd",
        b"root:x:0:0:root:/root:/bin/sh\n",
        0o644,
    )?;
    out.into_inner()
}

fn add<W: io::Write>(
    out: &mut tar::Builder<W>,
    path: &str,
    data: &[u8],
    mode: u32,
) -> io::Result<()> {
    out.append_data(&mut header(data.len() as u64, mode), path, data)
}

fn header(size: u64, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": digest(blob), "size": blob.len()})
}

fn digest(blob: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(blob)
        .iter()
        .fold("sha256:".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The architecture's name in image manifests.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
