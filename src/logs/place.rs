//! Where the logs of a container are, and which files belong to which attempt.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::host::open::{FileId, Folder, HostRoot, Kind, OpenError};
use crate::text::Text;

/// Where the kubelet keeps the logs of pods.
pub const POD_LOGS: &str = "/var/log/pods";
/// Where docker keeps its containers, unless its configuration says otherwise.
const DOCKER: &str = "/var/lib/docker";
const DOCKER_CONFIG: &str = "/etc/docker/daemon.json";
/// Most names looked at in one folder.
const MOST: usize = 10_000;
/// How long the host's file system may take for one look.
const DEADLINE: Duration = Duration::from_secs(5);

/// Why there is no log. Reads well by itself: it names the path.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlaceError {
    /// A path cannot be opened.
    #[error("{path} {error}")]
    Open {
        /// The path on the node.
        path: Text,
        /// Why.
        error: OpenError,
    },
    /// A path that lies elsewhere than logs do.
    #[error("{0} is not below {POD_LOGS}: to read it all the same, run 'critui logs {0}'")]
    Outside(Text),
    /// A link that is not docker's.
    #[error("{0} is a symbolic link, and not one to a container's log of docker: not followed")]
    Link(Text),
    /// No log file there.
    #[error("{0} holds no log file (N.log)")]
    Empty(Text),
    /// There is only one attempt.
    #[error("{folder} holds the log of attempt {attempt} only: there is no previous one")]
    NoPrevious {
        /// The container's folder.
        folder: Text,
        /// The attempt that is there.
        attempt: u32,
    },
    /// A file cannot be read.
    #[error("{folder}: a log file cannot be read: {error}")]
    Read {
        /// The container's folder.
        folder: Text,
        /// Why.
        error: Text,
    },
}

fn open_error(path: &Path, error: OpenError) -> PlaceError {
    let path = Text::clean(&path.to_string_lossy());
    PlaceError::Open { path, error }
}

/// Where the logs of one container are.
#[derive(Clone, Debug)]
pub struct Place {
    folder: Arc<Folder>,
    /// The folder on the node, for messages.
    shown: PathBuf,
    names: Names,
    docker: Option<Arc<Folder>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Names {
    /// `N.log`, one for each attempt.
    Attempts,
    /// One file, of attempt 0.
    One(String),
}

/// Where one attempt writes.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) attempt: u32,
    folder: Arc<Folder>,
    shown: PathBuf,
    base: String,
}

/// A file of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) id: FileId,
    /// It is the one that is written to.
    pub(super) current: bool,
}

impl Place {
    /// From what `ContainerStatus.log_path` says. The path must lie below [`POD_LOGS`].
    pub fn of_log_path(host: &HostRoot, path: &Path) -> Result<Self, PlaceError> {
        let Ok(below) = path.strip_prefix(POD_LOGS) else {
            return Err(PlaceError::Outside(Text::clean(&path.to_string_lossy())));
        };
        let folder = below.parent().unwrap_or(Path::new(""));
        Self::below(host, Path::new(POD_LOGS), folder, names_of(path))
    }

    /// From the layout on disk: the folder of a container.
    pub fn of_container(
        host: &HostRoot,
        namespace: &str,
        pod: &str,
        uid: &str,
        container: &str,
    ) -> Result<Self, PlaceError> {
        let folder = PathBuf::from(format!("{namespace}_{pod}_{uid}")).join(container);
        Self::below(host, Path::new(POD_LOGS), &folder, Names::Attempts)
    }

    /// From a path that the user named: a log file, or the folder of a container. Links on the
    /// way to its folder are followed, because the user chose them.
    pub fn of_path(host: &HostRoot, path: &Path) -> Result<Self, PlaceError> {
        let looked = path.to_owned();
        let stat = host
            .work(DEADLINE, move |resolver| resolver.link_stat(&looked))
            .map_err(|error| open_error(path, error))?;
        match stat {
            (stat, _) if stat.kind == Kind::Folder => {
                Self::below(host, path, Path::new(""), Names::Attempts)
            }
            (_, Some(target)) if target.starts_with(POD_LOGS) => Self::of_log_path(host, &target),
            (_, Some(target))
                if host
                    .stat(path, DEADLINE)
                    .is_ok_and(|at| at.kind == Kind::File) =>
            {
                let parent = path.parent().unwrap_or(Path::new("/"));
                let target = parent.join(target);
                let folder = target.parent().unwrap_or(Path::new("/"));
                Self::below(host, folder, Path::new(""), names_of(&target))
            }
            _ => {
                let parent = path.parent().unwrap_or(Path::new("/"));
                let names = Names::One(file_name(path));
                Self::below(host, parent, Path::new(""), names)
            }
        }
    }

    fn below(
        host: &HostRoot,
        root: &Path,
        folder: &Path,
        names: Names,
    ) -> Result<Self, PlaceError> {
        let shown: PathBuf = root.components().chain(folder.components()).collect();
        let (top, rest) = (root.to_owned(), folder.to_owned());
        let opened = host.work(DEADLINE, move |resolver| {
            resolver.folder(&top)?.folder(&rest)
        });
        Ok(Self {
            folder: Arc::new(opened.map_err(|error| open_error(&shown, error))?),
            shown,
            names,
            docker: docker(host),
        })
    }

    /// The folder, for messages.
    pub fn shown(&self) -> &Path {
        &self.shown
    }

    /// What to hand to inotify to hear of changes; valid as long as this value lives.
    pub(super) fn watch_paths(&self) -> Vec<PathBuf> {
        vec![self.folder.watch_path()]
    }

    /// The attempts that have files, oldest first.
    pub fn attempts(&self) -> Result<Vec<u32>, PlaceError> {
        match &self.names {
            Names::One(_) => Ok(vec![0]),
            Names::Attempts => {
                let listing = self.folder.list(MOST);
                let names = listing
                    .map_err(|error| open_error(&self.shown, error))?
                    .names;
                let mut found: Vec<u32> = names
                    .iter()
                    .filter_map(|name| attempt_of(name.to_str()?))
                    .collect();
                found.sort_unstable();
                found.dedup();
                Ok(found)
            }
        }
    }

    /// Where `attempt` writes.
    pub(super) fn home(&self, attempt: u32) -> Result<Home, PlaceError> {
        let base = match &self.names {
            Names::Attempts => format!("{attempt}.log"),
            Names::One(name) => name.clone(),
        };
        let failed = |error| open_error(&self.shown.join(&base), error);
        let target = match self.folder.link_target(Path::new(&base)) {
            Ok(target) => target,
            // Rotated, and not made again yet.
            Err(OpenError::Missing) => None,
            Err(error) => return Err(failed(error)),
        };
        let Some(target) = target else {
            return Ok(Home {
                attempt,
                folder: Arc::clone(&self.folder),
                shown: self.shown.clone(),
                base,
            });
        };
        let link = || PlaceError::Link(Text::clean(&self.shown.join(&base).to_string_lossy()));
        let docker = self.docker.as_ref().ok_or_else(link)?;
        let id = docker_id(&target).ok_or_else(link)?;
        let folder = docker.folder(&Path::new("containers").join(id));
        Ok(Home {
            attempt,
            folder: Arc::new(folder.map_err(failed)?),
            shown: target.parent().unwrap_or(Path::new("/")).to_owned(),
            base: format!("{id}-json.log"),
        })
    }
}

impl Home {
    /// Its files, oldest first; the current one is last.
    pub(super) fn files(&self) -> Result<Vec<Found>, OpenError> {
        let names = self.folder.list(MOST)?.names;
        let mut rotated: Vec<(Age, String)> = names
            .iter()
            .filter_map(|name| {
                let name = name.to_str()?;
                Some((age(name.strip_prefix(&self.base)?)?, name.to_owned()))
            })
            .collect();
        rotated.sort();
        rotated.dedup_by(|later, first| later.0 == first.0);
        let mut files = Vec::new();
        for name in rotated.into_iter().map(|(_, name)| name) {
            // What goes away in between is gone.
            if let Ok(Some(id)) = self.folder.id(Path::new(&name)) {
                let current = false;
                files.push(Found { name, id, current });
            }
        }
        if let Ok(Some(id)) = self.folder.id(Path::new(&self.base)) {
            files.push(Found {
                name: self.base.clone(),
                id,
                current: true,
            });
        }
        Ok(files)
    }

    pub(super) fn open(&self, name: &str) -> Result<File, OpenError> {
        self.folder.open(Path::new(name))
    }

    /// `error` about the file `name` of it.
    pub(super) fn failed(&self, name: &str, error: OpenError) -> PlaceError {
        open_error(&self.shown.join(name), error)
    }
}

/// Order of rotated files, oldest first: numbers count backwards (logrotate, docker), stamps
/// forwards (the kubelet).
type Age = (i64, String);

/// From what follows the name of the current file; `None` if it is no rotated one.
fn age(suffix: &str) -> Option<Age> {
    let suffix = suffix.strip_prefix('.')?;
    let suffix = suffix.strip_suffix(".gz").unwrap_or(suffix);
    match suffix.parse::<u32>() {
        Ok(number) if suffix.len() < 6 => Some((-i64::from(number), String::new())),
        _ => {
            let stamp = suffix.bytes().all(|b| b.is_ascii_digit() || b == b'-');
            (stamp && !suffix.is_empty()).then(|| (0, suffix.to_owned()))
        }
    }
}

/// The attempt that a file of the pod log layout belongs to.
fn attempt_of(name: &str) -> Option<u32> {
    let (number, rest) = name.split_once(".log")?;
    if !rest.is_empty() {
        age(rest)?;
    }
    number.parse().ok()
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn names_of(path: &Path) -> Names {
    let name = file_name(path);
    if attempt_of(&name).is_some() {
        Names::Attempts
    } else {
        Names::One(name)
    }
}

/// Docker's folder, if there is one.
fn docker(host: &HostRoot) -> Option<Arc<Folder>> {
    let config = host.read(Path::new(DOCKER_CONFIG), 1 << 20, DEADLINE);
    let config = config.ok().and_then(|bytes| {
        let config: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        Some(PathBuf::from(config.get("data-root")?.as_str()?))
    });
    let root = config.unwrap_or_else(|| DOCKER.into());
    let open = host.work(DEADLINE, move |resolver| resolver.folder(&root));
    open.ok().map(Arc::new)
}

/// The id in `.../containers/ID/ID-json.log`.
fn docker_id(target: &Path) -> Option<&str> {
    let name = target.file_name()?.to_str()?;
    let id = name.strip_suffix("-json.log")?;
    let folder = target.parent()?;
    let is_id = id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit());
    let inside = folder.file_name()? == id && folder.parent()?.file_name()? == "containers";
    (is_id && inside && target.is_absolute()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::fs;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    const POD: &str = "var/log/pods/shop_web_uid1/nginx";

    fn node() -> (TempDir, HostRoot) {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir_all(temp.path().join(POD)).unwrap();
        let host = HostRoot::new(temp.path()).unwrap();
        (temp, host)
    }

    fn place(host: &HostRoot) -> Place {
        Place::of_container(host, "shop", "web", "uid1", "nginx").unwrap()
    }

    #[rstest]
    #[case(&["0.log.20261120-101112", "0.log.20261120-101010.gz", "0.log.20261120-101212.tmp", "0.log"],
           &["0.log.20261120-101010.gz", "0.log.20261120-101112", "0.log"])]
    #[case(&["0.log.1", "0.log.2.gz", "0.log.10.gz", "0.log"], &["0.log.10.gz", "0.log.2.gz", "0.log.1", "0.log"])]
    #[case(&["0.log.20261120-101112", "0.log.20261120-101112.gz"], &["0.log.20261120-101112"])]
    #[case(&["1.log", "0.log.bak", "0.log.gz.tmp"], &[])]
    fn rotated_files_are_ordered(#[case] names: &[&str], #[case] expected: &[&str]) {
        let (temp, host) = node();
        for name in names {
            fs::write(temp.path().join(POD).join(name), "").unwrap();
        }
        let files = place(&host).home(0).unwrap().files().unwrap();
        let found: Vec<&str> = files.iter().map(|file| &*file.name).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn attempts_are_found_also_by_their_rotated_files() {
        let (temp, host) = node();
        for name in ["3.log", "2.log.20261120-101112.gz", "x.log", "10.log"] {
            fs::write(temp.path().join(POD).join(name), "").unwrap();
        }
        assert_eq!(place(&host).attempts().unwrap(), [2, 3, 10]);
    }

    #[test]
    fn links_are_refused_but_for_dockers() {
        let (temp, host) = node();
        let id = "ab".repeat(32);
        let docker = temp.path().join("var/lib/docker/containers").join(&id);
        fs::create_dir_all(&docker).unwrap();
        let log = format!("{id}-json.log");
        fs::write(docker.join(&log), "x").unwrap();
        fs::write(docker.join(format!("{log}.1")), "y").unwrap();
        let folder = temp.path().join(POD);
        let target = format!("/var/lib/docker/containers/{id}/{log}");
        symlink(target, folder.join("0.log")).unwrap();
        symlink("/etc/shadow", folder.join("1.log")).unwrap();
        let place = Place::of_container(&host, "shop", "web", "uid1", "nginx").unwrap();
        let files = place.home(0).unwrap().files().unwrap();
        let names: Vec<&str> = files.iter().map(|file| &*file.name).collect();
        assert_eq!(names, [&*format!("{log}.1"), &*log]);
        let refused = place.home(1).unwrap_err().to_string();
        assert!(refused.contains("1.log is a symbolic link"), "{refused}");
    }

    #[test]
    fn paths_elsewhere_are_refused() {
        let (temp, host) = node();
        let outside = Place::of_log_path(&host, Path::new("/etc/shadow")).unwrap_err();
        assert!(outside.to_string().contains("is not below /var/log/pods"));
        symlink("/etc", temp.path().join("var/log/pods/evil")).unwrap();
        let through = Place::of_log_path(&host, Path::new("/var/log/pods/evil/0.log"));
        assert!(through.unwrap_err().to_string().contains("symbolic link"));
        let dots = Place::of_log_path(&host, Path::new("/var/log/pods/../../etc/0.log"));
        assert!(dots.is_err());
    }
}
