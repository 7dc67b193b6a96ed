//! The journal: every change that was asked for, by whom, and what came of it, as lines of JSON.
//! Two records a change: one before it is begun, one with its outcome, both with its `id`. What
//! somebody types or sees in a container is never in it, nor is a secret.
//!
//! A record: `{time, id, pid, uid, user, login, ssh, tty, node, what, object, name, parameters,
//! crictl, outcome, detail}`; `outcome` is `asked`, `done` or `failed`. What is not known is
//! absent.

mod file;
mod kept;
mod origin;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::access::WriteGrant;
use crate::mask;
use crate::text::{Text, is_unsafe};

pub use kept::Kept;
pub use origin::Origin;

use file::File;

/// Where root's journal is.
pub const SYSTEM: &str = "/var/log/critui/journal.jsonl";
/// Where another user's is, below the folder of his state.
pub const USER: &str = "critui/journal.jsonl";
/// Longest time for one record.
const DEADLINE: Duration = Duration::from_secs(3);

/// Where records go.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The file; `None` when nobody knows where it could be.
    pub path: Option<PathBuf>,
    /// Root writes it, so nobody else may own or write the folders that lead to it.
    pub guarded: bool,
    /// Each record goes to the system's log as well.
    pub syslog: bool,
}

/// A change, as the journal keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// `stop container`, `exec`, ...
    pub what: &'static str,
    /// The runtime's id of what it is done to, or whatever names it.
    pub object: String,
    /// Its name for people.
    pub name: String,
    /// What else was asked for.
    pub parameters: Value,
    /// The same for crictl; empty if it has no such thing.
    pub crictl: String,
}

/// The journal of this run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Result<File, Text>,
    syslog: bool,
    node: Text,
    origin: Origin,
    began: i64,
    numbers: AtomicU64,
}

/// A change whose outcome is still to be kept.
#[derive(Debug)]
#[must_use]
pub struct Noted {
    journal: Journal,
    grant: Arc<WriteGrant>,
    entry: Entry,
    number: u64,
}

#[derive(Serialize)]
struct Record<'a> {
    time: String,
    id: String,
    pid: u32,
    #[serde(flatten)]
    origin: &'a Origin,
    node: &'a str,
    what: &'a str,
    object: String,
    name: String,
    parameters: Value,
    #[serde(skip_serializing_if = "String::is_empty")]
    crictl: String,
    outcome: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Journal {
    /// A journal at `place`, of a run on `node` by `origin`. Nothing is opened yet.
    pub fn new(place: Place, node: Text, origin: Origin) -> Self {
        let syslog = place.syslog;
        let nowhere = "no home folder and no XDG_STATE_HOME: name a file in the settings (journal)";
        let file = place.path.ok_or_else(|| Text::from(nowhere));
        Self(Arc::new(Inner {
            file: file.map(|path| File::new(path, place.guarded)),
            syslog,
            node,
            origin,
            began: Timestamp::now().as_second(),
            numbers: AtomicU64::new(0),
        }))
    }

    /// Whether a record could be kept now: where, or why not. Makes the file if it is not there,
    /// so it demands the grant.
    pub async fn check(&self, _: &WriteGrant) -> Result<Text, Text> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let file = inner.file.as_ref().map_err(Clone::clone)?;
            file.check()?;
            Ok(Text::clean(&file.path().to_string_lossy()))
        })
        .await
    }

    /// Keeps that `entry` was asked for; an error is a line for the user.
    pub async fn asked(&self, entry: Entry, grant: &Arc<WriteGrant>) -> (Noted, Result<(), Text>) {
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let noted = Noted {
            journal: self.clone(),
            grant: Arc::clone(grant),
            entry,
            number,
        };
        let kept = noted.keep("asked", "").await;
        (noted, kept)
    }

    /// The newest records, the newest first; those of one change are one.
    pub async fn read(&self) -> Result<Vec<Kept>, Text> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let file = inner.file.as_ref().map_err(Clone::clone)?;
            Ok(kept::of(&file.tail()?))
        })
        .await
    }

    /// The file, if there can be one.
    pub fn path(&self) -> Option<&Path> {
        self.0.file.as_ref().ok().map(File::path)
    }

    fn line(&self, entry: &Entry, number: u64, outcome: &str, detail: &str) -> String {
        let inner = &self.0;
        let pid = std::process::id();
        let masked = |text: &str| Text::clean(&mask::text(text)).to_string();
        let record = Record {
            time: format!("{:.3}", Timestamp::now()),
            id: format!("{:x}-{pid}-{number}", inner.began),
            pid,
            origin: &inner.origin,
            node: inner.node.as_str(),
            what: entry.what,
            object: masked(&entry.object),
            name: masked(&entry.name),
            parameters: masked_value(&entry.parameters),
            crictl: masked(&entry.crictl),
            outcome,
            detail: masked(detail),
        };
        let line = serde_json::to_string(&record).unwrap_or_default();
        escaped(&line) + "\n"
    }
}

impl Noted {
    /// Keeps what came of it.
    pub async fn ended(self, came: Result<&str, &str>) -> Result<(), Text> {
        match came {
            Ok(word) => self.keep("done", word).await,
            Err(why) => self.keep("failed", why).await,
        }
    }

    async fn keep(&self, outcome: &str, detail: &str) -> Result<(), Text> {
        let line = self.journal.line(&self.entry, self.number, outcome, detail);
        let (inner, grant) = (Arc::clone(&self.journal.0), Arc::clone(&self.grant));
        blocking(move || {
            let _: &WriteGrant = &grant;
            let file = inner.file.as_ref().map_err(Clone::clone)?;
            file.append(&line)?;
            if inner.syslog {
                file::syslog(line.trim_end())?;
            }
            Ok(())
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Text> + Send + 'static,
) -> Result<T, Text> {
    match timeout(DEADLINE, spawn_blocking(work)).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => Err(Text::clean(&error.to_string())),
        Err(_) => Err("the journal's disk did not answer within 3s".into()),
    }
}

/// Strings of any depth, without secrets.
fn masked_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(mask::text(text).into_owned()),
        Value::Array(items) => items.iter().map(masked_value).collect(),
        Value::Object(fields) => {
            let masked = fields.iter().map(|(name, value)| {
                let value = match value {
                    Value::String(text) => Value::String(mask::named(name, text).into_owned()),
                    other => masked_value(other),
                };
                (name.clone(), value)
            });
            Value::Object(masked.collect())
        }
        other => other.clone(),
    }
}

/// JSON whose every character can be looked at in a terminal.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use serde_json::json;

    fn grant() -> Arc<WriteGrant> {
        Arc::clone(Access::decide(vec![]).grant().unwrap())
    }

    fn journal(path: &Path) -> Journal {
        let place = Place {
            path: Some(path.to_owned()),
            ..Place::default()
        };
        let origin = Origin {
            uid: 0,
            login: Some("alice".to_owned()),
            ..Origin::default()
        };
        Journal::new(place, "worker-3".into(), origin)
    }

    fn entry() -> Entry {
        Entry {
            what: "stop container",
            object: "abc".to_owned(),
            name: "shop/web\u{9b}31m\nx/app".to_owned(),
            parameters: json!({"grace_seconds": 30, "password": "hunter2", "line": "PGPASSWORD=abc psql"}),
            crictl: "crictl stop abc".to_owned(),
        }
    }

    fn records(path: &Path) -> Vec<Value> {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.chars().all(|c| c == '\n' || !is_unsafe(c)), "{text:?}");
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[tokio::test]
    async fn a_change_is_two_records_without_secrets_or_control_characters() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/critui/journal.jsonl");
        let journal = journal(&path);
        let (noted, kept) = journal.asked(entry(), &grant()).await;
        kept.unwrap();
        noted
            .ended(Err("\x1b[2Jtoken=ghp_abcdefghijklmnopqrstuvwxyz0123456789"))
            .await
            .unwrap();
        let records = records(&path);
        let outcomes: Vec<&str> = records
            .iter()
            .map(|one| one["outcome"].as_str().unwrap())
            .collect();
        assert_eq!(outcomes, ["asked", "failed"]);
        assert_eq!(records[0]["id"], records[1]["id"]);
        assert_eq!(records[0]["login"], "alice");
        assert_eq!(records[0]["parameters"]["grace_seconds"], 30);
        let all = format!("{records:?}");
        for secret in ["hunter2", "abc psql", "ghp_"] {
            assert!(!all.contains(secret), "{all}");
        }
        let kept = journal.read().await.unwrap();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].outcome, *"failed");
    }

    #[tokio::test]
    async fn a_journal_that_cannot_be_written_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file/journal.jsonl");
        std::fs::write(folder.path().join("file"), "").unwrap();
        let journal = journal(&path);
        let why = journal.check(&grant()).await.unwrap_err();
        assert!(why.as_str().contains("file"), "{why}");
        let (_, kept) = journal.asked(entry(), &grant()).await;
        assert!(kept.is_err());
        let nowhere = Journal::new(Place::default(), "n".into(), Origin::default());
        let why = nowhere.check(&grant()).await.unwrap_err();
        assert!(why.as_str().contains("XDG_STATE_HOME"), "{why}");
    }

    #[test]
    fn what_no_terminal_should_see_is_written_as_json_has_it() {
        assert_eq!(escaped("a\u{202e}\u{9b}b"), "a\\u202e\\u009bb");
        assert_eq!(escaped("\u{e0041}"), "\\udb40\\udc41");
    }
}
