//! Loads the settings again when a file of theirs has changed.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use super::env::{Env, FILE_DEADLINE};
use super::look::{Look, Skin};
use super::{resolve, settings};
use crate::host::open::{HostRoot, Stamp};
use crate::model::Changed;
use crate::text::Text;

/// How often the files are looked at: a few system calls each time.
const EVERY: Duration = Duration::from_secs(2);
/// How long a changed file must stay as it is before it is read: half a file would count as a
/// broken one, and that makes the run read-only.
const STILL: Duration = Duration::from_millis(250);

/// Settings that have been loaded again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reload {
    /// The theme, if its setting or its file has changed: one chosen by hand stays.
    pub theme: Option<Skin>,
    /// Time between two looks at the runtime.
    pub refresh: Duration,
    /// The rest.
    pub changed: Changed,
}

/// What the settings were loaded with.
#[derive(Clone, Debug)]
pub struct Watcher {
    /// `--settings`.
    pub named: Option<PathBuf>,
    /// `--refresh`, which wins over files.
    pub refresh: Option<Duration>,
    /// The environment.
    pub env: Env,
    /// The host's root.
    pub host: HostRoot,
}

type Places = Vec<(HostRoot, PathBuf)>;

/// What the files look like from outside.
async fn stamps(places: Places, theme: Option<(HostRoot, PathBuf)>) -> Vec<Option<Stamp>> {
    let work = move || {
        let places = places.iter().chain(&theme);
        places
            .map(|(host, path)| host.stamp(path, FILE_DEADLINE))
            .collect()
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_default()
}

impl Watcher {
    /// Watches from now on; `look` is what is in effect. Call it inside a tokio runtime. It ends
    /// with the receiver.
    pub fn start(self, look: Look) -> mpsc::Receiver<Reload> {
        let (out, reloads) = mpsc::channel(1);
        tokio::spawn(async move {
            let closed = out.clone();
            tokio::select! {
                () = closed.closed() => (),
                () = self.watch(look, &out) => (),
            }
        });
        reloads
    }

    async fn watch(self, mut look: Look, out: &mpsc::Sender<Reload>) {
        let this = self.clone();
        let work = move || settings::places(this.named.as_deref(), &this.env, &this.host);
        let places: Places = tokio::task::spawn_blocking(work).await.unwrap_or_default();
        let stamps = |look: &Look| {
            let theme = look.theme.value.file.clone();
            stamps(
                places.clone(),
                theme.map(|theme| (self.env.own.clone(), theme)),
            )
        };
        let mut seen = stamps(&look).await;
        loop {
            tokio::time::sleep(EVERY).await;
            let now = stamps(&look).await;
            if now == seen {
                continue;
            }
            tokio::time::sleep(STILL).await;
            if stamps(&look).await != now {
                continue;
            }
            let Some((reload, next)) = self.load(&look).await else {
                continue;
            };
            // The theme's file may be another one now.
            let theme_moved = next.theme.value.file != look.theme.value.file;
            look = next;
            seen = if theme_moved {
                stamps(&look).await
            } else {
                now
            };
            if out.send(reload).await.is_err() {
                return;
            }
        }
    }

    async fn load(&self, before: &Look) -> Option<(Reload, Look)> {
        let this = self.clone();
        let work = move || settings::load(this.named.as_deref(), &this.env, &this.host);
        let mut loaded = tokio::task::spawn_blocking(work).await.ok()?;
        let in_files = resolve::in_files(loaded.settings.refresh.take());
        let look = loaded.settings.look();
        let (old, new) = (before.sorts(), look.sorts());
        let sorts = [0, 1, 2].map(|at| Some(new[at]).filter(|sort| *sort != old[at]));
        let reasons = loaded.reasons.iter();
        let logs = look.logs.look();
        let changed = Changed {
            logs: Some(logs)
                .filter(|logs| *logs != before.logs.look())
                .map(Box::new),
            keymap: look.keymap.clone(),
            sorts,
            read_only: reasons
                .map(|reason| Text::clean(&reason.to_string()))
                .collect(),
            problems: loaded.problems,
        };
        let reload = Reload {
            theme: Some(&look.theme.value)
                .filter(|theme| **theme != before.theme.value)
                .cloned(),
            refresh: self.refresh.unwrap_or(in_files.value),
            changed,
        };
        Some((reload, look))
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::SYSTEM;
    use super::super::testing::Node;
    use super::*;
    use crate::keys::Key;
    use crate::model::Noun;
    use tokio::time::{sleep, timeout};

    const USERS: &str = "/home/u/.config/critui/settings.yaml";

    /// Watches a node; returns when the first look has been taken.
    async fn watched(node: &Node, refresh: Option<Duration>) -> mpsc::Receiver<Reload> {
        let watcher = Watcher {
            named: None,
            refresh,
            env: node.env.clone(),
            host: node.host.clone(),
        };
        let look = settings::load(None, &node.env, &node.host).settings.look();
        let reloads = watcher.start(look);
        // The clock stands still while the files are looked at.
        sleep(EVERY / 2).await;
        reloads
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_changed_is_told_once() {
        let node = Node::new();
        node.write(SYSTEM, "theme: nord\nsort: {pods: age}\nrefresh: 5s\n");
        let mut reloads = watched(&node, None).await;
        node.write(USERS, "keys: {sort: F5}\nsort: {images: size}\n");
        let reload = reloads.recv().await.unwrap();
        assert_eq!(reload.theme, None);
        assert_eq!(reload.refresh, Duration::from_secs(5));
        let sorts = reload.changed.sorts.map(|sort| sort.is_some());
        assert_eq!(sorts, [false, false, true]);
        let key: Key = "F5".parse().unwrap();
        let found = reload.changed.keymap.find(key, Noun::Pod);
        assert_eq!(found.map(|command| command.name), Some("sort"));
        assert!(reload.changed.read_only.is_empty() && reload.changed.problems.is_empty());
        assert!(timeout(EVERY * 9, reloads.recv()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_theme_file_is_watched_as_well() {
        let node = Node::new();
        node.write("/mine.yaml", "text: { fg: red }");
        node.write(SYSTEM, "theme: /mine.yaml\n");
        let mut reloads = watched(&node, None).await;
        node.write("/mine.yaml", "text: { fg: blue, bold: true }");
        let theme = reloads.recv().await.unwrap().theme.unwrap();
        assert_eq!(theme.name.as_str(), "/mine.yaml");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flag_wins_over_a_changed_file_and_a_broken_one_is_read_only() {
        let node = Node::new();
        let second = Duration::from_secs(1);
        let mut reloads = watched(&node, Some(second)).await;
        node.write(USERS, "refresh: 5s\nraed-only: true\n");
        let reload = reloads.recv().await.unwrap();
        assert_eq!(reload.refresh, second);
        assert_eq!(reload.changed.read_only.len(), 1);
        assert_eq!(reload.changed.problems.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_being_written_is_not_read_yet() {
        let node = Node::new();
        let mut reloads = watched(&node, None).await;
        node.write(USERS, "raed-on");
        // Seen, and not still yet when the rest comes.
        sleep(EVERY / 2 + STILL / 2).await;
        node.write(USERS, "refresh: 5s\n");
        let reload = reloads.recv().await.unwrap();
        assert_eq!(reload.refresh, Duration::from_secs(5));
        assert!(reload.changed.read_only.is_empty());
    }
}
