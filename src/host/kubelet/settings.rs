//! How the kubelet is set: its command line, and the files that it names or that are where
//! installers put them.

use std::collections::BTreeMap;
use std::path::Path;

use serde_yaml::Value;

use super::super::open::{OpenError, Resolver};
use super::process;
use crate::audit::facts::Seen;
use crate::audit::kubelet::{CONFIG, CONFIG_FOLDER, Flags, KEYS, Kubelet, plain};
use crate::text::Text;

/// Its configuration, by kubeadm, on GKE, on EKS.
pub(in crate::host) const CONFIGS: [&str; 4] = [
    "/var/lib/kubelet/config.yaml",
    "/home/kubernetes/kubelet-config.yaml",
    "/etc/kubernetes/kubelet/config.json",
    "/etc/kubernetes/kubelet/kubelet-config.json",
];
/// Largest file that is read.
const LARGEST: u64 = 1 << 20;
/// Parts that are laid over the configuration.
const MOST: usize = 100;

/// `None` if there is no kubelet: no process, and no configuration.
pub(in crate::host) fn look(files: &Resolver) -> Option<Seen<Kubelet>> {
    let flags = process::command(files);
    let seen = match &flags {
        Some(Ok((_, flags))) => Some(flags),
        _ => None,
    };
    let read = match seen {
        Some(flags) => named(files, flags),
        None => usual(files),
    };
    let (paths, config) = match read {
        Ok(read) => read,
        Err(why) => return Some(Err(why)),
    };
    if paths.is_empty() {
        match &flags {
            None => return None,
            // Nothing shows that there is one.
            Some(Err(_)) if !is_there(files) => return None,
            Some(Err(why)) => return Some(Err(why.clone())),
            Some(Ok(_)) => {}
        }
    }
    Some(Ok(Kubelet {
        files: paths,
        told: config,
        flags,
    }))
}

/// Something shows that a kubelet runs, though not how it is set.
fn is_there(files: &Resolver) -> bool {
    let found = process::find(files);
    found.is_ok_and(|found| !found.kubelets.is_empty())
}

type Read = (Vec<Text>, BTreeMap<&'static str, (Text, Text)>);

/// The files that its command line names.
fn named(files: &Resolver, flags: &Flags) -> Seen<Read> {
    let mut paths: Vec<Text> = flags.get(CONFIG.flag).into_iter().cloned().collect();
    paths.retain(|path| !path.is_empty());
    if let Some(folder) = flags.get(CONFIG_FOLDER.flag).filter(|one| !one.is_empty()) {
        paths.extend(parts(files, folder)?);
    }
    let mut config = BTreeMap::new();
    for path in &paths {
        config.extend(settings(files, path)?);
    }
    Ok((paths, config))
}

/// The parts in a folder, in the order in which they are laid over.
fn parts(files: &Resolver, folder: &Text) -> Seen<Vec<Text>> {
    let listing = files.list_dir(Path::new(folder.as_str()), MOST);
    let listing = listing.map_err(|error| Text::clean(&format!("{folder} {error}")))?;
    let mut names = listing.names;
    names.sort();
    let paths = names
        .iter()
        .map(|name| Path::new(folder.as_str()).join(name));
    let paths = paths.filter(|path| path.extension().is_some_and(|end| end == "conf"));
    Ok(paths
        .map(|path| Text::clean(&path.to_string_lossy()))
        .collect())
}

/// The first configuration that is where installers put it.
fn usual(files: &Resolver) -> Seen<Read> {
    for path in CONFIGS {
        if matches!(files.stat(Path::new(path)), Err(OpenError::Missing)) {
            continue;
        }
        let path = Text::from(path);
        return Ok((vec![path.clone()], settings(files, &path)?));
    }
    Ok(Read::default())
}

fn settings(files: &Resolver, path: &Text) -> Seen<BTreeMap<&'static str, (Text, Text)>> {
    let said = |why: &str| Text::clean(&format!("{path} {why}"));
    let bytes = files.read(Path::new(path.as_str()), LARGEST);
    let bytes = bytes.map_err(|error| said(&error.to_string()))?;
    // The parser's words may quote what it read.
    let config: Value =
        serde_yaml::from_slice(&bytes).map_err(|_| said("is neither YAML nor JSON"))?;
    if !config.is_mapping() {
        return Err(said("is no configuration of a kubelet"));
    }
    let keys = KEYS.iter().filter(|key| !key.path.is_empty());
    let values = keys.filter_map(|key| {
        let mut parts = key.path.split('.');
        let value = parts.try_fold(&config, |value, part| value.get(part))?;
        Some((key.path, (plain(key, &scalar(value)?), path.clone())))
    });
    Ok(values.collect())
}

/// One value, or several with commas.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Sequence(all) => {
            let all: Option<Vec<String>> = all.iter().map(scalar).collect();
            Some(all?.join(","))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::with;
    use super::*;
    use crate::audit::kubelet as keys;
    use rstest::rstest;
    use std::time::Duration;

    type Looked = Option<Seen<Kubelet>>;

    fn looked(all: &[(&str, &str)]) -> Looked {
        let (_root, host) = with(all);
        let soon = Duration::from_secs(20);
        host.work(soon, |files| Ok(look(files))).unwrap()
    }

    const NODE: (&str, &str) = ("proc/2/comm", "kthreadd\n");
    const INIT: (&str, &str) = ("proc/1/comm", "systemd\n");
    const COMM: (&str, &str) = ("proc/812/comm", "kubelet\n");
    const YAML: (&str, &str) = (
        "var/lib/kubelet/config.yaml",
        "authentication: {anonymous: {enabled: true}, x509: {clientCAFile: /ca}}\n\
         readOnlyPort: 10255\npodPidsLimit: -1\ntlsCipherSuites: [A, B]\n",
    );

    fn line(looked: Looked, key: &keys::Key) -> String {
        let setting = looked.unwrap().unwrap().setting(key);
        format!("{} in {}", setting.words, setting.evidence.source)
    }

    #[test]
    fn where_there_is_none() {
        assert_eq!(looked(&[NODE, INIT]), None);
        // Whether there is one cannot be seen, and nothing shows that there is.
        assert_eq!(looked(&[]), None);
    }

    #[test]
    fn one_that_does_not_run_is_set_by_its_file() {
        let found = || looked(&[NODE, INIT, YAML]);
        assert_eq!(found().unwrap().unwrap().flags, None);
        let file = "/var/lib/kubelet/config.yaml";
        for (key, expected) in [
            (
                &keys::ANONYMOUS,
                "authentication.anonymous.enabled: true in",
            ),
            (&keys::CLIENT_CA, "authentication.x509.clientCAFile: /ca in"),
            (&keys::READ_ONLY_PORT, "readOnlyPort: 10255 in"),
            (&keys::PIDS, "podPidsLimit: -1 in"),
            (&keys::CIPHERS, "tlsCipherSuites: A,B in"),
            (
                &keys::AUTHORIZATION,
                "authorization.mode: Webhook by default in",
            ),
        ] {
            assert_eq!(line(found(), key), format!("{expected} {file}"));
        }
    }

    #[test]
    fn json_is_read_where_eks_puts_it() {
        let json = ("etc/kubernetes/kubelet/config.json", "{\"podPidsLimit\":5}");
        let told = line(looked(&[NODE, INIT, json]), &keys::PIDS);
        assert_eq!(
            told,
            "podPidsLimit: 5 in /etc/kubernetes/kubelet/config.json"
        );
    }

    #[test]
    fn flags_win_over_the_file_that_they_name() {
        let command = (
            "proc/812/cmdline",
            "/usr/bin/kubelet\0--config=/etc/k.yaml\0--read-only-port\x000\0--pod-max-pids=7\0",
        );
        let config = ("etc/k.yaml", "readOnlyPort: 10255\nseccompDefault: true\n");
        // The one at the usual place is not read.
        let found = || looked(&[NODE, INIT, COMM, command, config, YAML]);
        assert_eq!(found().unwrap().unwrap().files, ["/etc/k.yaml"]);
        let flags = "in /proc/812/cmdline";
        assert_eq!(
            line(found(), &keys::READ_ONLY_PORT),
            format!("--read-only-port=0 {flags}")
        );
        assert_eq!(
            line(found(), &keys::PIDS),
            format!("--pod-max-pids=7 {flags}")
        );
        assert_eq!(
            line(found(), &keys::SECCOMP),
            "seccompDefault: true in /etc/k.yaml"
        );
        assert_eq!(
            line(found(), &keys::ANONYMOUS),
            "authentication.anonymous.enabled: false by default in /etc/k.yaml"
        );
    }

    #[test]
    fn without_a_file_the_defaults_are_laxer() {
        let command = ("proc/812/cmdline", "kubelet\0--v=2\0");
        let told = line(looked(&[NODE, INIT, COMM, command, YAML]), &keys::ANONYMOUS);
        assert_eq!(
            told,
            "authentication.anonymous.enabled: true by default, it has no configuration file \
             in /proc/812/cmdline"
        );
    }

    #[test]
    fn parts_are_laid_over_in_order() {
        let command = (
            "proc/812/cmdline",
            "kubelet\0--config=/a/k.yaml\0--config-dir=/a/d\0",
        );
        let all = [
            NODE,
            INIT,
            COMM,
            command,
            ("a/k.yaml", "podPidsLimit: 1\nreadOnlyPort: 1\n"),
            ("a/d/20.conf", "podPidsLimit: 3\n"),
            ("a/d/10.conf", "podPidsLimit: 2\n"),
            ("a/d/30.txt", "podPidsLimit: 4\n"),
        ];
        assert_eq!(
            line(looked(&all), &keys::PIDS),
            "podPidsLimit: 3 in /a/d/20.conf"
        );
        let port = line(looked(&all), &keys::READ_ONLY_PORT);
        assert_eq!(port, "readOnlyPort: 1 in /a/k.yaml");
    }

    #[rstest]
    #[case::not_the_nodes_processes(&[INIT, YAML], "the node's processes are not among")]
    #[case::two(
        &[NODE, INIT, COMM, ("proc/9/comm", "kubelet"), YAML],
        "the kubelet's flags: several processes are called so (9, 812)"
    )]
    #[case::inside_another(
        &[NODE, INIT, ("proc/9/comm", "k3s-server"), YAML],
        "the kubelet's flags: it is part of k3s-server (process 9)"
    )]
    #[case::no_command_line(
        &[NODE, INIT, COMM, YAML],
        "the kubelet's flags: /proc/812/cmdline does not exist"
    )]
    fn flags_that_are_not_seen(#[case] files: &[(&str, &str)], #[case] expected: &str) {
        let found = looked(files).unwrap().unwrap();
        let why = found.flags_unseen().unwrap();
        assert!(why.as_str().contains(expected), "{why}");
    }

    #[test]
    fn one_of_a_pod_is_not_the_nodes() {
        let pod = [
            ("proc/9/comm", "kubelet\n"),
            ("proc/9/cgroup", "0::/kubepods.slice/kubepods-x/cri-y\n"),
            ("proc/9/cmdline", "kubelet\0--read-only-port=1\0"),
        ];
        let command = ("proc/812/cmdline", "kubelet\0--read-only-port=2\0");
        let all = [&[NODE, INIT, COMM, command][..], &pod].concat();
        let told = line(looked(&all), &keys::READ_ONLY_PORT);
        assert_eq!(told, "--read-only-port=2 in /proc/812/cmdline");
        assert_eq!(looked(&[&[NODE, INIT][..], &pod].concat()), None);
    }

    #[test]
    fn a_kubelet_whose_settings_are_nowhere_to_be_seen_is_unknown() {
        let why = looked(&[NODE, INIT, ("proc/9/comm", "k3s-server")]);
        let why = why.unwrap().unwrap_err();
        assert!(why.as_str().contains("part of k3s-server"), "{why}");
    }

    #[test]
    fn what_is_no_configuration_is_unknown_and_not_quoted() {
        let why = looked(&[(YAML.0, "token: [hunter2")]).unwrap().unwrap_err();
        assert_eq!(why, "/var/lib/kubelet/config.yaml is neither YAML nor JSON");
        let command = ("proc/812/cmdline", "kubelet\0--config=/none\0");
        let why = looked(&[NODE, INIT, COMM, command]).unwrap().unwrap_err();
        assert_eq!(why, "/none does not exist");
    }
}
