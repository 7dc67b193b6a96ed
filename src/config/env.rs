//! What the process was started with, as a value: tests make their own.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::trust::Guard;
use crate::host::open::{HostRoot, OpenError};

/// How long a configuration file may take.
pub const FILE_DEADLINE: Duration = Duration::from_secs(2);

/// Every variable that is read.
const NAMES: [&str; 9] = [
    "CONTAINER_RUNTIME_ENDPOINT",
    "CRITUI_READ_ONLY",
    "CRI_CONFIG_FILE",
    "HOME",
    "IMAGE_SERVICE_ENDPOINT",
    "SUDO_GID",
    "SUDO_UID",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
];

/// The environment of the process.
#[derive(Clone, Debug)]
pub struct Env {
    /// The variables that are set, also to nothing.
    pub vars: BTreeMap<String, OsString>,
    /// Effective user id.
    pub uid: u32,
    /// Who may write what this process relies on; `None` when it is not root, because then
    /// there is nothing to lose.
    pub guard: Option<Guard>,
    /// Current folder, absolute.
    pub cwd: PathBuf,
    /// The file system of the program itself: where its settings are, whatever `--host-root`
    /// says.
    pub own: HostRoot,
}

impl Env {
    /// The real one. Fails when `/` cannot be opened.
    pub fn of_process() -> io::Result<Self> {
        let vars = NAMES
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), std::env::var_os(name)?)));
        let uid = rustix::process::geteuid();
        Ok(Self {
            vars: vars.collect(),
            uid: uid.as_raw(),
            guard: uid.is_root().then(Guard::root),
            // A deleted current folder is no reason to stop: only relative names need it.
            cwd: std::env::current_dir().unwrap_or_else(|_| "/".into()),
            own: HostRoot::new(Path::new("/"))?,
        })
    }

    /// A variable, also when it is set to nothing.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.vars.get(name).map(OsString::as_os_str)
    }

    /// A variable that names a folder; relative ones do not count.
    fn folder(&self, name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(self.get(name)?);
        path.is_absolute().then_some(path)
    }

    /// Under sudo, the user who called it: user and group.
    pub fn sudo_user(&self) -> Option<(u32, u32)> {
        let number = |name| self.get(name)?.to_str()?.parse().ok();
        let uid = number("SUDO_UID").filter(|uid| *uid != 0 && self.uid == 0)?;
        Some((uid, number("SUDO_GID").unwrap_or(uid)))
    }

    /// The folder of the user's configuration: `$XDG_CONFIG_HOME`, else `.config` in `$HOME`,
    /// else in the home that `/etc/passwd` names. No name service is asked.
    pub fn config_home(&self) -> Result<Option<PathBuf>, OpenError> {
        if let Some(folder) = self.folder("XDG_CONFIG_HOME") {
            return Ok(Some(folder));
        }
        let home = match self.folder("HOME") {
            Some(home) => Some(home),
            None => self.home_of(self.uid)?,
        };
        Ok(home.map(|home| home.join(".config")))
    }

    /// The folder of the user's state: `$XDG_STATE_HOME`, else `.local/state` in `$HOME`.
    pub fn state_home(&self) -> Option<PathBuf> {
        let home = || Some(self.folder("HOME")?.join(".local/state"));
        self.folder("XDG_STATE_HOME").or_else(home)
    }

    /// The home of a user as `/etc/passwd` says, read directly; `None` when it is not there.
    pub fn home_of(&self, uid: u32) -> Result<Option<PathBuf>, OpenError> {
        match self
            .own
            .read(Path::new("/etc/passwd"), 16 << 20, FILE_DEADLINE)
        {
            Ok(passwd) => Ok(home_in(&passwd, uid)),
            Err(OpenError::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn home_in(passwd: &[u8], uid: u32) -> Option<PathBuf> {
    String::from_utf8_lossy(passwd).lines().find_map(|line| {
        let mut fields = line.split(':').skip(2);
        let found: u32 = fields.next()?.parse().ok()?;
        let home = fields.nth(2).filter(|home| home.starts_with('/'))?;
        (found == uid).then(|| home.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, Some("/root"))]
    #[case(1000, Some("/home/a"))]
    #[case(1001, None)]
    #[case(7, None)]
    fn homes(#[case] uid: u32, #[case] expected: Option<&str>) {
        let passwd = b"root:x:0:0:root:/root:/bin/bash\nbroken\n+::::::\nnohome:x:7:7::\n\
            a:x:1000:1000:A,\xff:/home/a:/bin/sh\nlater:x:1000:1:::\n";
        assert_eq!(home_in(passwd, uid), expected.map(PathBuf::from));
    }

    fn env(uid: u32, vars: &[(&str, &str)]) -> (tempfile::TempDir, Env) {
        let folder = tempfile::tempdir().unwrap();
        let vars = vars.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        let env = Env {
            vars: vars.collect(),
            uid,
            guard: None,
            cwd: "/".into(),
            own: HostRoot::new(folder.path()).unwrap(),
        };
        (folder, env)
    }

    #[rstest]
    #[case(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")], Some("/x"))]
    #[case(&[("XDG_CONFIG_HOME", "x"), ("HOME", "/h")], Some("/h/.config"))]
    #[case(&[("HOME", "")], Some("/home/b/.config"))]
    #[case(&[], Some("/home/b/.config"))]
    fn config_homes(#[case] vars: &[(&str, &str)], #[case] expected: Option<&str>) {
        let (folder, env) = env(5, vars);
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        std::fs::write(folder.path().join("etc/passwd"), "b:x:5:5::/home/b:\n").unwrap();
        assert_eq!(env.config_home(), Ok(expected.map(PathBuf::from)));
    }

    #[test]
    fn without_passwd_there_is_no_home() {
        assert_eq!(env(5, &[]).1.config_home(), Ok(None));
    }

    #[rstest]
    #[case(0, &[("SUDO_UID", "1000"), ("SUDO_GID", "100")], Some((1000, 100)))]
    #[case(0, &[("SUDO_UID", "1000")], Some((1000, 1000)))]
    #[case(0, &[("SUDO_UID", "0")], None)]
    #[case(0, &[("SUDO_UID", "x")], None)]
    #[case(1000, &[("SUDO_UID", "1000")], None)]
    fn sudo(#[case] uid: u32, #[case] vars: &[(&str, &str)], #[case] expected: Option<(u32, u32)>) {
        assert_eq!(env(uid, vars).1.sudo_user(), expected);
    }
}
