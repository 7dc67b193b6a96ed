//! What the settings say about the journal.

use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::env::Env;
use super::schema::{Draft, Here, no_such, scalar};
use super::value::Valued;
use super::yaml::Fault;
use crate::host::open::HostRoot;
use crate::journal::{Place, SYSTEM, USER};

/// The names inside the key.
const NAMES: [&str; 2] = ["path", "syslog"];

/// Where the journal is, as far as it is said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JournalSettings {
    /// The file.
    pub path: Option<Valued<PathBuf>>,
    /// Each record goes to the system's log as well.
    pub syslog: Option<Valued<bool>>,
}

impl JournalSettings {
    /// What `later` says replaces what is here.
    pub(super) fn add(&mut self, later: Self) {
        self.path = later.path.or(self.path.take());
        self.syslog = later.syslog.or(self.syslog.take());
    }

    /// Where records go: the file that is named; root's on the node; else in the user's folder of
    /// states. A simulated node has its own.
    pub fn place(&self, env: &Env, host: &HostRoot, simulated: bool) -> Place {
        let root = env.uid == 0;
        let named = self.path.as_ref().map(|path| path.value.clone());
        let path = match named {
            _ if simulated => Some(host.outside(Path::new(SYSTEM))),
            Some(path) => Some(path),
            None if root => Some(host.outside(Path::new(SYSTEM))),
            None => env.state_home().map(|folder| folder.join(USER)),
        };
        Place {
            path,
            guarded: root && !simulated,
            syslog: self.syslog.as_ref().is_some_and(|on| on.value) && !simulated,
        }
    }
}

/// Reads the key.
pub(super) fn read(draft: &mut Draft, value: &Value, here: &Here<'_>) -> Vec<Fault> {
    here.each(value, |name, value| {
        let journal = &mut draft.settings.journal;
        let found = scalar(value);
        match name {
            "path" => {
                let path = value.as_str().map(PathBuf::from);
                let path = path.filter(|path| path.is_absolute());
                let path =
                    path.ok_or_else(|| format!("path: expected an absolute path, found {found}"))?;
                journal.path = Some(here.valued(path, Some(name)));
            }
            "syslog" => {
                let on = value.as_bool();
                let on =
                    on.ok_or_else(|| format!("syslog: expected true or false, found {found}"))?;
                journal.syslog = Some(here.valued(on, Some(name)));
            }
            _ => return Err(no_such("option", name, NAMES)),
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Node;
    use super::super::value::Source;
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, None, false, "/host/var/log/critui/journal.jsonl", true)]
    #[case(0, Some("/x/j"), false, "/x/j", true)]
    #[case(0, Some("/x/j"), true, "/host/var/log/critui/journal.jsonl", false)]
    #[case(1000, None, false, "/state/critui/journal.jsonl", false)]
    #[case(1000, Some("/x/j"), false, "/x/j", false)]
    fn places(
        #[case] uid: u32,
        #[case] named: Option<&str>,
        #[case] simulated: bool,
        #[case] expected: &str,
        #[case] guarded: bool,
    ) {
        let node = Node::new();
        let mut env = node.env.clone();
        env.uid = uid;
        env.vars.insert("XDG_STATE_HOME".into(), "/state".into());
        let settings = JournalSettings {
            path: named.map(|path| Valued::new(path.into(), Source::Default)),
            syslog: None,
        };
        let folder = tempfile::tempdir().unwrap();
        let host = HostRoot::new(folder.path()).unwrap();
        let place = settings.place(&env, &host, simulated);
        let shown = place.path.unwrap();
        let shown = match shown.strip_prefix(folder.path()) {
            Ok(inside) => Path::new("/host").join(inside),
            Err(_) => shown,
        };
        assert_eq!(
            (shown.to_str().unwrap(), place.guarded),
            (expected, guarded)
        );
    }
}
