//! Network configuration, and the addresses that the plugin `host-local` has handed out.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::open::{HostRoot, Resolver};
use crate::domain::IdSet;
use crate::text::Text;
use crate::triage::facts::{AddressRange, Seen};

/// Longest look.
const DEADLINE: Duration = Duration::from_secs(2);
/// Where runtimes look for network configuration.
const CONFIGS: &str = "/etc/cni/net.d";
/// Where host-local keeps a file for each address.
const NETWORKS: &str = "/var/lib/cni/networks";
/// Files that are looked at in a folder.
const MOST: usize = 70_000;
/// Largest configuration that is read.
const LARGEST: u64 = 1 << 20;

/// How many configurations there are, and how full each range of addresses is. `live` holds the
/// ids of all sandboxes and containers.
pub(crate) fn look(host: &HostRoot, live: IdSet<String>) -> (Seen<usize>, Vec<AddressRange>) {
    let looked = host.work(DEADLINE, move |files| {
        let configs = configs(files);
        let ranges = match &configs {
            Ok(configs) => configs
                .iter()
                .filter_map(|one| range(files, one, &live))
                .collect(),
            Err(_) => vec![],
        };
        Ok((configs.map(|configs| configs.len()), ranges))
    });
    looked.unwrap_or_else(|error| (Err(Text::clean(&format!("{CONFIGS} {error}"))), vec![]))
}

fn configs(files: &Resolver) -> Seen<Vec<Value>> {
    let listing = files.list_dir(Path::new(CONFIGS), 1000);
    let listing = listing.map_err(|error| Text::clean(&format!("{CONFIGS} {error}")))?;
    let names = listing.names.iter().map(Path::new);
    let ends = |name: &&Path| {
        let end = name.extension().and_then(|end| end.to_str());
        matches!(end, Some("conf" | "conflist" | "json"))
    };
    let read = |name: &Path| {
        let bytes = files.read(&Path::new(CONFIGS).join(name), LARGEST).ok()?;
        serde_json::from_slice(&bytes).ok()
    };
    Ok(names.filter(ends).filter_map(read).collect())
}

/// The range of a network with one plugin that uses host-local.
fn range(files: &Resolver, config: &Value, live: &IdSet<String>) -> Option<AddressRange> {
    let name = config["name"]
        .as_str()
        .filter(|name| !name.contains('/') && *name != "..")?;
    let plugins = config["plugins"].as_array();
    let mut plugins = plugins
        .map_or(std::slice::from_ref(config), Vec::as_slice)
        .iter();
    let ipam = plugins.find_map(|plugin| {
        let ipam = &plugin["ipam"];
        (ipam["type"] == "host-local").then_some(ipam)
    })?;
    let size = size(ipam)?;
    let path = Path::new(NETWORKS).join(name);
    let listing = files.list_dir(&path, MOST).ok()?;
    let handed = listing.names.iter().filter_map(|name| name.to_str());
    let handed = handed.filter(|name| name.parse::<std::net::Ipv4Addr>().is_ok());
    let handed: Vec<&str> = handed.collect();
    let is_leaked = |address: &&&str| {
        let bytes = files.read(&path.join(address), 4096).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let id = text.lines().next().unwrap_or_default().trim();
        !id.is_empty() && !live.contains(id)
    };
    let used = handed.len() as u64;
    // Each is a file to read: only where it matters.
    let leaked = if used >= size {
        handed.iter().filter(is_leaked).count() as u64
    } else {
        0
    };
    Some(AddressRange {
        network: Text::clean(name),
        path: Text::clean(&path.to_string_lossy()),
        size,
        used,
        leaked,
    })
}

/// Addresses of the first range, of version 4: without those of the network, the gateway and the
/// broadcast, unless it says where it begins and ends.
fn size(ipam: &Value) -> Option<u64> {
    let range = ipam["ranges"]
        .get(0)
        .and_then(|set| set.get(0))
        .unwrap_or(ipam);
    let address = |key: &str| range[key].as_str()?.parse::<std::net::Ipv4Addr>().ok();
    if let (Some(start), Some(end)) = (address("rangeStart"), address("rangeEnd")) {
        return Some(u64::from(u32::from(end).checked_sub(u32::from(start))?) + 1);
    }
    let (_, bits) = range["subnet"].as_str()?.split_once('/')?;
    let bits: u32 = bits.parse().ok().filter(|bits| (1..=30).contains(bits))?;
    Some((1_u64 << (32 - bits)) - 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({"subnet": "10.1.0.0/24"}), Some(253))]
    #[case(json!({"ranges": [[{"subnet": "10.1.0.0/29"}]]}), Some(5))]
    #[case(json!({"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.10", "rangeEnd": "10.1.0.12"}), Some(3))]
    #[case(json!({"subnet": "10.1.0.0"}), None)]
    #[case(json!({"subnet": "10.1.0.0/32"}), None)]
    #[case(json!({}), None)]
    fn sizes(#[case] ipam: Value, #[case] expected: Option<u64>) {
        assert_eq!(size(&ipam), expected);
    }

    #[test]
    fn a_range_that_is_full_of_what_is_gone() {
        let root = tempfile::tempdir().unwrap();
        let configs = root.path().join("etc/cni/net.d");
        let folder = root.path().join("var/lib/cni/networks/pods");
        std::fs::create_dir_all(&configs).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        let ipam = json!({"type": "host-local", "subnet": "10.1.0.0/30"});
        let config = json!({"name": "pods", "plugins": [{"type": "bridge", "ipam": ipam}]});
        std::fs::write(configs.join("10-pods.conflist"), config.to_string()).unwrap();
        std::fs::write(configs.join("README"), "").unwrap();
        std::fs::write(folder.join("10.1.0.2"), "gone\r\neth0").unwrap();
        std::fs::write(folder.join("last_reserved_ip.0"), "10.1.0.2").unwrap();
        let host = HostRoot::new(root.path()).unwrap();
        let (count, ranges) = look(&host, IdSet::from_iter(["here".to_owned()]));
        assert_eq!(count, Ok(1));
        let [range] = &ranges[..] else {
            panic!("{ranges:?}")
        };
        assert_eq!((range.size, range.used, range.leaked), (1, 1, 1));
    }
}
