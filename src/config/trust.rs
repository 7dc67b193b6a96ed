//! Who may write what root relies on. A configuration that somebody else can write may point
//! root's program at somebody else's server, so it is used only when the user names it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::env::FILE_DEADLINE;
use crate::host::open::{HostRoot, Kind, OpenError, Resolver, Stat};

/// Most links followed, as in the kernel.
const MAX_LINKS: usize = 40;

/// The users and groups that may write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guard {
    uids: Vec<u32>,
    gids: Vec<u32>,
}

impl Guard {
    /// Root alone.
    pub fn root() -> Self {
        Self {
            uids: vec![0],
            gids: vec![0],
        }
    }

    /// One more user and group.
    #[must_use]
    pub fn and(mut self, (uid, gid): (u32, u32)) -> Self {
        self.uids.push(uid);
        self.gids.push(gid);
        self
    }

    /// Why what `path` names should not be relied on: somebody else owns it or can write it, a
    /// link on the way, or a folder on the way. `None` when all is well.
    ///
    /// A socket that a group may write is fine, unlike a file: writing a socket is talking to
    /// the runtime (cri-dockerd's belongs to the group docker), only its owner and its folders
    /// decide who listens behind it.
    pub fn distrust(&self, host: &HostRoot, path: &Path) -> Result<Option<String>, OpenError> {
        let (guard, path) = (self.clone(), path.to_owned());
        host.work(FILE_DEADLINE, move |resolver| guard.walk(resolver, &path))
    }

    fn walk(&self, resolver: &Resolver, path: &Path) -> Result<Option<String>, OpenError> {
        let mut at = PathBuf::from("/");
        let mut rest = parts(path);
        let mut links = 0;
        let (root, _) = resolver.link_stat(&at)?;
        if let Some(why) = self.fault(root) {
            return Ok(Some(format!("its folder / {why}")));
        }
        while let Some(part) = rest.pop_front() {
            if part == ".." {
                at.pop();
                continue;
            }
            let here = at.join(&part);
            let (stat, target) = resolver.link_stat(&here)?;
            if let Some(why) = self.fault(stat) {
                let what = match stat.kind {
                    _ if rest.is_empty() && stat.kind != Kind::Link => String::new(),
                    kind => format!("{} {} ", role(kind), here.display()),
                };
                return Ok(Some(format!("{what}{why}")));
            }
            let Some(target) = target else {
                at = here;
                continue;
            };
            links += 1;
            if links > MAX_LINKS {
                return Err(OpenError::Other(rustix::io::Errno::LOOP));
            }
            if target.is_absolute() {
                at = "/".into();
            }
            for part in parts(&target).into_iter().rev() {
                rest.push_front(part);
            }
        }
        Ok(None)
    }

    /// What is wrong with one entry on the way. In a sticky folder nobody can replace what
    /// others own, and each entry's owner is looked at, so such a folder is fine.
    pub(super) fn fault(&self, stat: Stat) -> Option<String> {
        if !self.uids.contains(&stat.uid) {
            return Some(format!("belongs to user {}", stat.uid));
        }
        let sticky = stat.kind == Kind::Folder && stat.mode & 0o1000 != 0;
        if stat.kind == Kind::Link || sticky {
            return None;
        }
        if stat.mode & 0o002 != 0 {
            return Some("can be written by everyone".into());
        }
        let foreign = stat.mode & 0o020 != 0 && !self.gids.contains(&stat.gid);
        (foreign && stat.kind != Kind::Socket)
            .then(|| format!("can be written by group {}", stat.gid))
    }
}

fn role(kind: Kind) -> &'static str {
    if kind == Kind::Link {
        "the link"
    } else {
        "its folder"
    }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use tempfile::TempDir;

    /// A guard that trusts whoever runs the tests.
    fn me() -> Guard {
        Guard {
            uids: vec![0, rustix::process::geteuid().as_raw()],
            gids: vec![0],
        }
    }

    fn host() -> (TempDir, HostRoot) {
        let folder = tempfile::tempdir().unwrap();
        for path in ["etc", "open", "tmp"] {
            fs::create_dir(folder.path().join(path)).unwrap();
            fs::write(folder.path().join(path).join("file"), "").unwrap();
            chmod(&folder, &format!("{path}/file"), 0o644);
            chmod(&folder, path, 0o755);
        }
        let host = HostRoot::new(folder.path()).unwrap();
        (folder, host)
    }

    fn chmod(folder: &TempDir, path: &str, mode: u32) {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.path().join(path), mode).unwrap();
    }

    fn distrust(host: &HostRoot, path: &str) -> Option<String> {
        me().distrust(host, Path::new(path)).unwrap()
    }

    #[test]
    fn what_only_root_writes_is_trusted() {
        let (folder, host) = host();
        symlink("/etc/file", folder.path().join("tmp/link")).unwrap();
        assert_eq!(distrust(&host, "/etc/file"), None);
        assert_eq!(distrust(&host, "/tmp/../tmp/link"), None);
    }

    #[test]
    fn what_everyone_writes_is_not() {
        let (folder, host) = host();
        chmod(&folder, "etc/file", 0o646);
        let why = Some("can be written by everyone".to_owned());
        assert_eq!(distrust(&host, "/etc/file"), why);
    }

    #[test]
    fn folders_on_the_way_count_also_behind_links() {
        let (folder, host) = host();
        chmod(&folder, "open", 0o757);
        symlink("../open/file", folder.path().join("etc/link")).unwrap();
        let why = Some("its folder /open can be written by everyone".to_owned());
        assert_eq!(distrust(&host, "/open/file"), why);
        assert_eq!(distrust(&host, "/etc/link"), why);
    }

    #[test]
    fn sticky_folders_protect_what_root_owns() {
        let (folder, host) = host();
        chmod(&folder, "tmp", 0o1777);
        assert_eq!(distrust(&host, "/tmp/file"), None);
    }

    #[test]
    fn the_folder_that_is_the_root_counts() {
        let (folder, host) = host();
        chmod(&folder, "", 0o777);
        let why = Some("its folder / can be written by everyone".to_owned());
        assert_eq!(distrust(&host, "/etc/file"), why);
    }

    #[test]
    fn links_in_a_circle_end() {
        let (folder, host) = host();
        symlink("/etc/b", folder.path().join("etc/a")).unwrap();
        symlink("/etc/a", folder.path().join("etc/b")).unwrap();
        let error = me().distrust(&host, Path::new("/etc/a")).unwrap_err();
        assert_eq!(error, OpenError::Other(rustix::io::Errno::LOOP));
    }

    #[test]
    fn what_is_missing_is_missing() {
        let (_folder, host) = host();
        let none = me().distrust(&host, Path::new("/etc/none"));
        assert_eq!(none, Err(OpenError::Missing));
    }

    #[test]
    fn sockets_of_a_group_are_fine() {
        let (folder, host) = host();
        let _socket = UnixListener::bind(folder.path().join("etc/s")).unwrap();
        chmod(&folder, "etc/s", 0o660);
        assert_eq!(distrust(&host, "/etc/s"), None);
        chmod(&folder, "etc/s", 0o666);
        assert!(distrust(&host, "/etc/s").is_some());
    }

    #[rstest]
    #[case(Kind::File, 0, 0, 0o664, None)]
    #[case(Kind::File, 0, 50, 0o644, None)]
    #[case(Kind::File, 0, 50, 0o664, Some("can be written by group 50"))]
    #[case(Kind::File, 1000, 0, 0o644, Some("belongs to user 1000"))]
    #[case(Kind::File, 1000, 0, 0o400, Some("belongs to user 1000"))]
    #[case(Kind::File, 0, 0, 0o1646, Some("can be written by everyone"))]
    #[case(Kind::Folder, 0, 50, 0o775, Some("can be written by group 50"))]
    #[case(Kind::Folder, 0, 0, 0o1777, None)]
    #[case(Kind::Folder, 9, 0, 0o1777, Some("belongs to user 9"))]
    #[case(Kind::Link, 0, 0, 0o777, None)]
    #[case(Kind::Link, 9, 0, 0o777, Some("belongs to user 9"))]
    #[case(Kind::Socket, 0, 50, 0o660, None)]
    #[case(Kind::Socket, 9, 0, 0o660, Some("belongs to user 9"))]
    fn faults(
        #[case] kind: Kind,
        #[case] uid: u32,
        #[case] gid: u32,
        #[case] mode: u32,
        #[case] expected: Option<&str>,
    ) {
        let stat = Stat {
            kind,
            uid,
            gid,
            mode,
        };
        assert_eq!(Guard::root().fault(stat).as_deref(), expected);
    }

    #[test]
    fn a_further_user_may_write_his_own() {
        let stat = Stat {
            kind: Kind::File,
            uid: 9,
            gid: 8,
            mode: 0o664,
        };
        assert_eq!(Guard::root().and((9, 8)).fault(stat), None);
    }
}
