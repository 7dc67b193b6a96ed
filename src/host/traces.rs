//! What a container leaves on the node: its last word, the configuration that is mounted into its
//! pod, its process; and mounts whose source is not there.

use std::path::Path;
use std::time::Duration;

use super::open::{Folder, HostRoot, OpenError, Resolver};
use crate::mask;
use crate::text::Text;
use crate::triage::facts::{Config, OnDisk, ProcessState, Said, Seen};

/// Longest look at what one container left.
const DEADLINE: Duration = Duration::from_secs(2);
/// Where the kubelet keeps pods.
const PODS: &str = "/var/lib/kubelet/pods";
/// Mounts, volumes and keys that are looked at.
const MOST: usize = 256;
/// Longest last word: the kubelet reads no more either.
const LAST_WORD: u64 = 4096;
/// Largest file of `/proc` that is read.
const SMALL: u64 = 64 << 10;

/// What to look at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sought {
    /// Full id of the container.
    pub container: Text,
    /// Uid of its pod.
    pub uid: Text,
    /// Sources of its mounts.
    pub mounts: Vec<Text>,
    /// File with its last word.
    pub last_word: Option<Text>,
    /// Its first process, if it runs.
    pub pid: Option<u32>,
}

/// Looks at all of it. What cannot be seen is left out.
pub fn look(host: &HostRoot, sought: Sought) -> OnDisk {
    let looked = host.work(DEADLINE, move |files| {
        Ok(OnDisk {
            missing_mounts: missing(files, &sought.mounts),
            last_word: sought
                .last_word
                .as_ref()
                .and_then(|path| last_word(files, path)),
            configs: configs(files, sought.uid.as_str()),
            process: sought
                .pid
                .and_then(|pid| process(files, pid, sought.container.as_str())),
        })
    });
    looked.unwrap_or_default()
}

fn missing(files: &Resolver, mounts: &[Text]) -> Vec<Text> {
    let gone = |path: &&Text| {
        let path = Path::new(path.as_str());
        path.is_absolute() && files.stat(path) == Err(OpenError::Missing)
    };
    mounts.iter().take(MOST).filter(gone).cloned().collect()
}

fn last_word(files: &Resolver, path: &Text) -> Option<Text> {
    let bytes = files.tail(Path::new(path.as_str()), LAST_WORD).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Text::clean(&mask::text(text.trim())).non_empty()
}

/// A part of a path that leads nowhere else.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name != ".." && name != "." && !name.contains('/')
}

fn configs(files: &Resolver, uid: &str) -> Vec<Config> {
    if !is_plain(uid) {
        return vec![];
    }
    let kinds = ["configmap", "secret", "projected"];
    let found = kinds.iter().flat_map(|kind| {
        let folder = Path::new(PODS)
            .join(uid)
            .join(format!("volumes/kubernetes.io~{kind}"));
        let volumes = files.list_dir(&folder, MOST).map(|found| found.names);
        let volumes = volumes.unwrap_or_default().into_iter();
        volumes.map(move |volume| config(files, kind, &folder.join(volume)))
    });
    found.collect()
}

/// The kubelet writes a new folder and turns the link `..data` to it.
fn config(files: &Resolver, kind: &'static str, folder: &Path) -> Config {
    let names = files.list_dir(folder, MOST).map(|found| found.names);
    let names = names.unwrap_or_default().into_iter();
    let keys = names.filter_map(|name| {
        let name = Text::clean(&name.to_string_lossy());
        (!name.as_str().starts_with("..")).then_some(name)
    });
    let mut keys: Vec<Text> = keys.collect();
    keys.sort();
    let name = folder.file_name().unwrap_or_default();
    Config {
        kind,
        volume: Text::clean(&name.to_string_lossy()),
        changed_at: files.modified(&folder.join("..data")).ok(),
        keys,
        path: Text::clean(&folder.to_string_lossy()),
    }
}

/// What is configured for the pod of this uid: each key of its `ConfigMap`s line by line, and of
/// what may be secret the names of the keys alone. The error is a line for the user.
pub fn values(host: &HostRoot, uid: &str) -> Seen<Vec<Said>> {
    let uid = uid.to_owned();
    let looked = host.work(DEADLINE, move |files| {
        let all = configs(files, &uid);
        Ok(all.iter().flat_map(|one| lines_of(files, one)).collect())
    });
    looked.map_err(|error| Text::clean(&format!("{PODS} {error}")))
}

fn lines_of(files: &Resolver, config: &Config) -> Vec<Said> {
    let folder = files.folder(Path::new(config.path.as_str()));
    let mut lines = Vec::new();
    for key in config.keys.iter().take(MOST) {
        let source = Text::clean(&format!("{} {}: {key}", config.kind, config.volume));
        let mut add = |text: &str| {
            lines.push(Said {
                at: config.changed_at,
                source: source.clone(),
                text: Text::clean(text),
            });
        };
        // A projected volume may hold tokens and Secrets.
        if config.kind != "configmap" {
            add(mask::MASK);
            continue;
        }
        let read = folder.as_ref().map_err(Clone::clone);
        match read.and_then(|folder| value(folder, Path::new(key.as_str()))) {
            Ok(text) => mask::named(key.as_str(), &text).lines().for_each(add),
            Err(error) => add(&format!("{key} {error}")),
        }
    }
    lines
}

/// The value of a key: a file behind the link `..data`.
fn value(folder: &Folder, key: &Path) -> Result<String, OpenError> {
    let data = Path::new("..data");
    let path = match folder.link_target(data) {
        Ok(Some(target)) => target.join(key),
        _ => key.to_owned(),
    };
    let bytes = folder.read(&path, SMALL)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// How the process stands, if it is the container's: its cgroup must name it.
fn process(files: &Resolver, pid: u32, container: &str) -> Option<ProcessState> {
    let folder = Path::new("/proc").join(pid.to_string());
    let read = |name: &str| {
        let bytes = files.read(&folder.join(name), SMALL)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let stat: String = match read("stat") {
        Ok(stat) => stat,
        Err(OpenError::Missing) => return Some(ProcessState::Gone(pid)),
        Err(_) => return None,
    };
    if !read("cgroup").ok()?.contains(container) {
        return Some(ProcessState::Gone(pid));
    }
    // The name may hold anything, also brackets.
    let state = stat.rsplit_once(") ")?.1.chars().next()?;
    let waits = read("wchan").unwrap_or_default();
    Some(ProcessState::There(pid, state, Text::clean(waits.trim())))
}

#[cfg(test)]
mod tests {
    use super::super::testing::with;
    use super::*;

    const ID: &str = "0123456789abcdef";

    fn sought() -> Sought {
        Sought {
            container: ID.into(),
            uid: "u-1".into(),
            mounts: vec!["/srv/here".into(), "/srv/gone".into(), "relative".into()],
            last_word: Some("/last".into()),
            pid: Some(42),
        }
    }

    #[test]
    fn what_is_there_and_what_is_not() {
        let volumes = "var/lib/kubelet/pods/u-1/volumes";
        let key = format!("{volumes}/kubernetes.io~configmap/settings/app.yaml");
        let data = format!("{volumes}/kubernetes.io~configmap/settings/..data");
        let (_root, host) = with(&[
            ("srv/here/x", ""),
            ("last", "bye\n"),
            (&key, "a: 1"),
            (&data, ""),
            ("proc/42/stat", "42 (my) app) D 1 2"),
            ("proc/42/cgroup", "0::/kubepods/0123456789abcdef"),
            ("proc/42/wchan", "nfs_wait"),
        ]);
        let found = look(&host, sought());
        assert_eq!(found.missing_mounts, ["/srv/gone"]);
        assert_eq!(found.last_word, Some("bye".into()));
        assert_eq!(
            found.process,
            Some(ProcessState::There(42, 'D', "nfs_wait".into()))
        );
        let [config] = &found.configs[..] else {
            panic!("{found:?}")
        };
        assert_eq!((config.kind, config.keys.len()), ("configmap", 1));
        assert!(config.changed_at.is_some());
    }

    #[test]
    fn config_maps_are_shown_and_secrets_are_not() {
        let volumes = "var/lib/kubelet/pods/u-1/volumes/kubernetes.io~";
        let (root, host) = with(&[
            (
                &format!("{volumes}configmap/settings/..1/app.yaml"),
                "a: 1\nurl: postgres://api:hunter2@db/x\n",
            ),
            (
                &format!("{volumes}configmap/settings/..1/password"),
                "hunter2",
            ),
            (&format!("{volumes}secret/db/user"), "hunter2"),
            (&format!("{volumes}projected/api/token"), "hunter2"),
            ("etc/shadow", "hunter2"),
        ]);
        let link = |at: &str, to: &str| {
            let at = root
                .path()
                .join(format!("{volumes}configmap/settings/{at}"));
            std::os::unix::fs::symlink(to, at).unwrap();
        };
        link("..data", "..1");
        link("app.yaml", "..data/app.yaml");
        link("password", "..data/password");
        // Neither the kubelet nor anybody else may lead out of the volume.
        link("out", "/etc/shadow");
        link("..1/out", "../../../../../../../../../../../etc/shadow");
        let lines: Vec<String> = values(&host, "u-1")
            .unwrap()
            .iter()
            .map(|line| format!("{}: {}", line.source, line.text))
            .collect();
        assert_eq!(
            lines,
            [
                "configmap settings: app.yaml: a: 1",
                "configmap settings: app.yaml: url: postgres://api:<masked>@db/x",
                "configmap settings: out: out is a symbolic link, not a regular file",
                "configmap settings: password: <masked>",
                "secret db: user: <masked>",
                "projected api: token: <masked>",
            ]
        );
        assert_eq!(values(&host, "../u-1").unwrap(), []);
    }

    #[test]
    fn a_number_that_is_anothers_by_now() {
        let (_root, host) = with(&[
            ("proc/42/stat", "42 (x) S 1 2"),
            ("proc/42/cgroup", "0::/other"),
        ]);
        assert_eq!(look(&host, sought()).process, Some(ProcessState::Gone(42)));
    }

    #[test]
    fn a_way_up_is_no_uid() {
        let (_root, host) = with(&[("x", "")]);
        let found = look(
            &host,
            Sought {
                uid: "..".into(),
                ..sought()
            },
        );
        assert_eq!(found.configs, vec![]);
    }
}
