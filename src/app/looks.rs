//! The theme on the screen, and those that could be there.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use super::App;
use crate::config::look::Skin;
use crate::config::watch::Reload;
use crate::layout::Layout;
use crate::model::Msg;
use crate::text::Text;
use crate::theme::Theme;

/// Longest time for writing what is remembered.
const DEADLINE: Duration = Duration::from_secs(3);

/// Other looks than the present one.
#[derive(Debug, Default)]
pub struct Looks {
    /// Themes of the user's own.
    pub own: Vec<Skin>,
    /// The theme in effect while another one is shown.
    kept: Option<Theme>,
    /// Where columns and the like are remembered, or why nowhere.
    place: Option<Result<PathBuf, Text>>,
    /// One layout is written at a time, and of several the last.
    turn: Arc<Turn>,
}

/// Who may write.
#[derive(Debug, Default)]
struct Turn {
    now: Mutex<()>,
    last: AtomicU64,
}

impl Looks {
    /// The user's own themes can be chosen too, and `place` is where columns and the like are
    /// remembered, or why nowhere.
    pub fn new(own: Vec<Skin>, place: Result<PathBuf, Text>) -> Self {
        Self {
            own,
            kept: None,
            place: Some(place),
            turn: Arc::default(),
        }
    }

    /// The theme of this name, for the same terminal.
    fn named(&self, now: &Theme, name: &Text) -> Option<Theme> {
        let own = self.own.iter().find(|skin| skin.name == *name);
        let skin = own.cloned().or_else(|| Skin::named(name.as_str()))?;
        skin.theme(now.ability()).ok()
    }

    /// `theme` is in effect from now on.
    pub(super) fn set(&mut self, shown: &mut Theme, theme: Theme) {
        self.kept = None;
        *shown = theme;
    }

    /// The theme called `name` is in effect from now on.
    pub(super) fn choose(&mut self, shown: &mut Theme, name: &Text) {
        if let Some(theme) = self.named(shown, name) {
            self.set(shown, theme);
        }
    }

    /// Shows another theme, or again the one in effect.
    pub(super) fn preview(&mut self, shown: &mut Theme, name: Option<&Text>) {
        match name.and_then(|name| self.named(shown, name)) {
            Some(theme) => {
                let before = std::mem::replace(shown, theme);
                self.kept.get_or_insert(before);
            }
            None => {
                if let Some(kept) = self.kept.take() {
                    *shown = kept;
                }
            }
        }
    }
}

impl<S, I> App<S, I> {
    /// Takes over what the model does not hold of changed settings.
    pub(super) fn reload(&mut self, reload: Reload) -> Msg {
        let ability = self.theme.ability();
        match reload.theme.map(|theme| theme.theme(ability)) {
            Some(Ok(theme)) => self.looks.set(&mut self.theme, theme),
            // It was found good when it was read.
            Some(Err(error)) => tracing::debug!("theme: {error}"),
            None => {}
        }
        self.connection.refresh_every(reload.refresh);
        if !reload.changed.read_only.is_empty() {
            self.connection.forbid_events();
            self.inside.ask();
            self.inside.forwards.clear();
            self.grant = None;
        }
        Msg::Settings(reload.changed)
    }

    /// Remembers a layout for the next start, if this run may write; says what came of it if the
    /// columns have a `name`.
    pub(super) fn remember(&self, layout: Layout, name: &'static str, jobs: &mut JoinSet<Msg>) {
        let grant = self.grant.clone();
        let place = self.looks.place.clone();
        let turn = Arc::clone(&self.looks.turn);
        let mine = turn.last.fetch_add(1, Ordering::Relaxed) + 1;
        jobs.spawn(async move {
            let _now = turn.now.lock().await;
            if turn.last.load(Ordering::Relaxed) != mine {
                // A later one is on its way, and says what comes of it.
                return Msg::Copied(Text::clean(""));
            }
            let line = match (grant, place) {
                (None, _) => "for this run: read-only mode writes nothing".to_owned(),
                (_, None) => "for this run".to_owned(),
                (_, Some(Err(why))) => format!("for this run: {why}"),
                (Some(grant), Some(Ok(path))) => {
                    let write = spawn_blocking(move || layout.write(&path, &grant));
                    match timeout(DEADLINE, write).await {
                        Ok(Ok(Ok(()))) => "also for the next start".to_owned(),
                        Ok(Ok(Err(why))) => format!("for this run: {why}"),
                        _ => "for this run: the disk does not answer".to_owned(),
                    }
                }
            };
            let line = format!("columns: {name}, {line}");
            Msg::Copied(Text::clean(if name.is_empty() { "" } else { &line }))
        });
    }
}
