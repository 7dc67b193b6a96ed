//! When the certificates of the node end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::open::{HostRoot, Resolver};
use crate::text::Text;
use crate::triage::facts::Certificate;

/// Longest look.
const DEADLINE: Duration = Duration::from_secs(2);
/// Folders with certificates (`*.crt`).
const FOLDERS: [&str; 4] = [
    "/etc/kubernetes/pki",
    "/etc/kubernetes/pki/etcd",
    "/var/lib/rancher/rke2/server/tls",
    "/var/lib/rancher/k3s/server/tls",
];
/// The kubelet's own, by which it speaks to the API server. It serves with one that it renews by
/// itself and that nobody verifies, which is left out.
const KUBELET: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";
/// Files that are read, and the largest of them.
const MOST: usize = 100;
const LARGEST: u64 = 256 << 10;

/// Reads them; what is no certificate is left out.
pub fn read(host: &HostRoot) -> Vec<Certificate> {
    let looked = host.work(DEADLINE, |files| Ok(look(files)));
    looked.unwrap_or_default()
}

fn look(files: &Resolver) -> Vec<Certificate> {
    let mut paths = vec![PathBuf::from(KUBELET)];
    for folder in FOLDERS {
        let listing = files
            .list_dir(Path::new(folder), MOST)
            .map(|found| found.names);
        let names = listing.unwrap_or_default();
        let names = names.iter().map(Path::new);
        let certificates = names.filter(|name| name.extension().is_some_and(|end| end == "crt"));
        paths.extend(certificates.map(|name| Path::new(folder).join(name)));
    }
    paths.sort();
    let one = |path: PathBuf| {
        let bytes = files.read(&path, LARGEST).ok()?;
        let ends_at = pem(&String::from_utf8_lossy(&bytes)).and_then(|der| end(&der))?;
        let path = Text::clean(&path.to_string_lossy());
        Some(Certificate { path, ends_at })
    };
    paths.into_iter().take(MOST).filter_map(one).collect()
}

/// The first certificate of a PEM file, which is the one that is used.
fn pem(text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).ok()
}

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, the version.
const VERSION: u8 = 0xa0;

/// One element of DER: its tag, its content, and what comes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let bytes = rest.get(..count)?;
        let length = bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        (length, &rest[count..])
    };
    Some((*tag, rest.get(..length)?, &rest[length..]))
}

fn sequence(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == SEQUENCE).then_some((content, rest))
}

/// `notAfter` of a certificate (RFC 5280): version, serial, signature, issuer, then validity.
fn end(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = sequence(der)?;
    let (mut part, _) = sequence(certificate)?;
    if part.first() == Some(&VERSION) {
        part = element(part)?.2;
    }
    for _ in ["serial", "signature", "issuer"] {
        part = element(part)?.2;
    }
    let (validity, _) = sequence(part)?;
    let (_, _, rest) = element(validity)?;
    let (tag, time, _) = element(rest)?;
    let time = std::str::from_utf8(time).ok()?.strip_suffix('Z')?;
    let time = match tag {
        // Two digits of the year: from 50 on it was the last century.
        UTC_TIME => format!("{}{time}", if time.get(..2)? >= "50" { "19" } else { "20" }),
        GENERALIZED_TIME => time.to_owned(),
        _ => return None,
    };
    let time = DateTime::strptime("%Y%m%d%H%M%S", &time).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut out = vec![tag];
        if length < 0x80 {
            out.push(u8::try_from(length).unwrap());
        } else {
            out.extend([
                0x82,
                u8::try_from(length >> 8).unwrap(),
                u8::try_from(length & 0xff).unwrap(),
            ]);
        }
        out.extend(content);
        out
    }

    fn certificate(tag: u8, ends: &str, version: bool) -> Vec<u8> {
        let validity = [der(UTC_TIME, b"250101000000Z"), der(tag, ends.as_bytes())].concat();
        let mut parts = if version {
            der(VERSION, &der(2, &[2]))
        } else {
            vec![]
        };
        parts.extend(der(2, &[1]));
        parts.extend(der(SEQUENCE, &[0; 200]));
        parts.extend(der(SEQUENCE, &[]));
        parts.extend(der(SEQUENCE, &validity));
        der(SEQUENCE, &der(SEQUENCE, &parts))
    }

    #[test]
    fn ends_in_both_forms() {
        let shown = |der: Vec<u8>| end(&der).map(|at| at.to_string());
        let expected = Some("2027-03-04T05:06:07Z".to_owned());
        assert_eq!(
            shown(certificate(UTC_TIME, "270304050607Z", true)),
            expected
        );
        assert_eq!(
            shown(certificate(UTC_TIME, "270304050607Z", false)),
            expected
        );
        assert_eq!(
            shown(certificate(GENERALIZED_TIME, "20270304050607Z", true)),
            expected
        );
        assert_eq!(shown(certificate(UTC_TIME, "27030405060", true)), None);
    }

    #[test]
    fn files_of_a_node() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("etc/kubernetes/pki");
        std::fs::create_dir_all(&folder).unwrap();
        let body = STANDARD.encode(certificate(UTC_TIME, "270304050607Z", true));
        let text = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        std::fs::write(folder.join("apiserver.crt"), &text).unwrap();
        std::fs::write(folder.join("apiserver.key"), &text).unwrap();
        std::fs::write(folder.join("broken.crt"), "x").unwrap();
        let found = read(&HostRoot::new(root.path()).unwrap());
        let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
        assert_eq!(paths, ["/etc/kubernetes/pki/apiserver.crt"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let _ = end(&bytes);
        }
    }
}
