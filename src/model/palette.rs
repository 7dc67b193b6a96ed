//! The palette: everything that can be asked for, by fuzzy name.

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;

use crate::domain::PodId;
use crate::format::bytes;
use crate::model::command::{COMMANDS, Command};
use crate::model::visit::{Errand, Visit};
use crate::model::{Effect, Model, Noun};
use crate::text::Text;
use crate::theme::THEMES;

/// Choices shown at most.
pub const SHOWN: usize = 10;

/// In the names of images that are made for looking around.
const TOOLS: [&str; 5] = ["debug", "toolbox", "netshoot", "busybox", "alpine"];

/// An open palette.
#[derive(Debug)]
pub struct Palette {
    entries: Vec<Entry>,
    /// Places in `entries` of what matches, the best first.
    found: Vec<usize>,
    chosen: usize,
    /// A theme is shown as it would look.
    pub previews: bool,
    /// What is chosen from.
    pub title: &'static str,
}

/// Something that can be asked for.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What is typed.
    pub name: String,
    /// Its key, if it has one.
    pub key: String,
    /// One line about it.
    pub doc: String,
    /// Why it cannot run now.
    pub refused: Option<&'static str>,
    /// What it does.
    pub action: Action,
}

/// What an entry does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Runs a command.
    Run(&'static Command),
    /// Shows one namespace.
    Namespace(Text),
    /// Selects a pod.
    Pod(PodId),
    /// Changes the colours.
    Theme(Text),
    /// Goes into a container.
    Visit(Box<Visit>),
}

impl Palette {
    /// All that can be asked for now.
    pub fn open(model: &Model) -> Self {
        let mut entries: Vec<Entry> = COMMANDS
            .iter()
            .filter_map(|c| of_command(model, c))
            .collect();
        let mut names: Vec<Text> = model
            .store
            .pod_rows()
            .map(|row| row.pod.namespace.clone())
            .collect();
        names.sort();
        names.dedup();
        entries.extend(names.into_iter().map(of_namespace));
        let built_in = THEMES.iter().map(|(name, _)| Text::from(*name));
        let own = model.comfort.own_themes.iter().cloned();
        entries.extend(built_in.chain(own).map(of_theme));
        let mut pods: Vec<Entry> = model
            .store
            .pod_rows()
            .filter(|row| !row.superseded)
            .map(|row| Entry {
                name: format!("go {}/{}", row.pod.namespace, row.pod.name),
                key: String::new(),
                doc: "select this pod".to_owned(),
                refused: None,
                action: Action::Pod(row.pod.id.clone()),
            })
            .collect();
        pods.sort_by(|a, b| a.name.cmp(&b.name));
        entries.extend(pods);
        Self::of(entries, "Commands")
    }

    /// The images that a debug container could be made from: with a name, those made for
    /// it first, then the smallest.
    pub fn images(model: &Model, visit: &Visit, runs: bool) -> Self {
        let mut images: Vec<_> = model.store.image_rows().collect();
        images.sort_by_key(|row| {
            let name = row.image.tags.first().map_or("", Text::as_str);
            let made_for_it = TOOLS.iter().any(|tool| name.contains(tool));
            // It has no shell.
            (name.contains("pause"), !made_for_it, row.image.size)
        });
        let entries = images.into_iter().filter_map(|row| {
            let name = row.image.tags.first()?;
            let mut visit = visit.clone();
            visit.errand = Errand::Debug(name.to_string(), runs);
            Some(Entry {
                name: name.to_string(),
                key: String::new(),
                doc: bytes(row.image.size),
                refused: None,
                action: Action::Visit(Box::new(visit)),
            })
        });
        Self::of(entries.collect(), "Image of the debug container")
    }

    fn of(entries: Vec<Entry>, title: &'static str) -> Self {
        let mut palette = Self {
            entries,
            found: vec![],
            chosen: 0,
            previews: false,
            title,
        };
        palette.find("");
        palette
    }

    /// Finds what matches `typed`.
    pub fn find(&mut self, typed: &str) {
        let matcher = SkimMatcherV2::default().smart_case();
        let typed = typed.trim_start();
        let score = |entry: &Entry| {
            let by_name = matcher
                .fuzzy_match(&entry.name, typed)
                .map(|score| score * 2);
            by_name.max(matcher.fuzzy_match(&entry.doc, typed))
        };
        let mut found: Vec<(i64, usize)> = (0..self.entries.len())
            .filter_map(|place| Some((score(&self.entries[place])?, place)))
            .collect();
        found.sort_by_key(|(score, place)| (-score, *place));
        self.found = found.into_iter().map(|(_, place)| place).collect();
        self.chosen = 0;
    }

    /// Moves the choice.
    pub fn choose(&mut self, by: isize) {
        let last = self.found.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(by).min(last);
    }

    /// The choice.
    pub fn chosen(&self) -> Option<&Entry> {
        self.found
            .get(self.chosen)
            .map(|place| &self.entries[*place])
    }

    /// Shows how the chosen theme would look, or no longer how another would.
    pub fn preview(&mut self) -> Vec<Effect> {
        let theme = match self.chosen().map(|entry| &entry.action) {
            Some(Action::Theme(name)) => Some(name.clone()),
            _ => None,
        };
        let changes = self.previews || theme.is_some();
        self.previews = theme.is_some();
        changes
            .then_some(Effect::Preview(theme))
            .into_iter()
            .collect()
    }

    /// Matches around the choice, and whether each is the choice; how many there are.
    pub fn shown(&self) -> (impl Iterator<Item = (&Entry, bool)>, usize) {
        let first = (self.chosen + 1).saturating_sub(SHOWN);
        let shown = self.found.iter().enumerate().skip(first).take(SHOWN);
        let entries = shown.map(|(place, entry)| (&self.entries[*entry], place == self.chosen));
        (entries, self.found.len())
    }

    /// The name that is most like `typed`, for what matches nothing.
    pub fn nearest(&self, typed: &str) -> Option<&str> {
        let likeness = |entry: &Entry| strsim::jaro_winkler(&entry.name, typed);
        let nearer = |a: &&Entry, b: &&Entry| likeness(a).total_cmp(&likeness(b));
        let nearest = self.entries.iter().max_by(nearer);
        nearest.map(|entry| entry.name.as_str())
    }
}

fn of_command(model: &Model, command: &'static Command) -> Option<Entry> {
    let noun = model.noun();
    let key = model.keymap.shown(command);
    // Movements are quicker by hand than by name.
    let moves = !key.is_empty()
        && command.on.contains(&Noun::Page)
        && command.short.is_empty()
        && command.doc.contains(" row");
    if moves || !command.on.contains(&noun) {
        return None;
    }
    Some(Entry {
        name: command.name.to_owned(),
        key,
        doc: command.doc.to_owned(),
        refused: command.refused(model),
        action: Action::Run(command),
    })
}

fn of_namespace(name: Text) -> Entry {
    Entry {
        name: format!("namespace {name}"),
        key: String::new(),
        doc: "show this namespace alone".to_owned(),
        refused: None,
        action: Action::Namespace(name),
    }
}

fn of_theme(name: Text) -> Entry {
    Entry {
        name: format!("theme {name}"),
        key: String::new(),
        doc: "change the colours for this run".to_owned(),
        refused: None,
        action: Action::Theme(name),
    }
}
