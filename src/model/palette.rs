//! The palette: everything that can be asked for, by fuzzy name.

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;

use crate::domain::PodId;
use crate::format::bytes;
use crate::model::command::{COMMANDS, Command};
use crate::model::visit::{Errand, Visit};
use crate::model::{Model, Noun};
use crate::text::Text;
use crate::theme::THEMES;

/// Choices shown at most.
pub const SHOWN: usize = 10;

/// An open palette.
#[derive(Debug)]
pub struct Palette {
    entries: Vec<Entry>,
    /// Places in `entries` of what matches, the best first.
    found: Vec<usize>,
    chosen: usize,
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
    Theme(&'static str),
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
        entries.extend(THEMES.iter().map(|(name, _)| of_theme(name)));
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

    /// The images that a debug container could be made from: with a name, the smallest first.
    pub fn images(model: &Model, visit: &Visit, runs: bool) -> Self {
        let mut images: Vec<_> = model.store.image_rows().collect();
        images.sort_by_key(|row| row.image.size);
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
            title,
        };
        palette.find("");
        palette
    }

    /// Finds what matches `typed`.
    pub fn find(&mut self, typed: &str) {
        let matcher = SkimMatcherV2::default().smart_case();
        let typed = typed.trim();
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

fn of_theme(name: &'static str) -> Entry {
    Entry {
        name: format!("theme {name}"),
        key: String::new(),
        doc: "change the colours".to_owned(),
        refused: None,
        action: Action::Theme(name),
    }
}
