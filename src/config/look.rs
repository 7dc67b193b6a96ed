//! What the settings say about looks and keys: theme, keys, the order of the lists.

use std::path::PathBuf;
use std::sync::Arc;

use super::logs::LogSettings;
use super::value::{Source, Valued};
use super::yaml::Fault;
use crate::keys::Key;
use crate::model::command::{COMMANDS, Command};
use crate::model::keymap::{Binding, Clash, Keymap};
use crate::model::list::Sort;
use crate::model::sorting::Sorts;
use crate::text::Text;
use crate::theme::{self, Ability, Depth, Theme};

/// A theme that has been read and found good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skin {
    /// Its name, or the path of its file.
    pub name: Text,
    /// Its file, if it is none of the program's own.
    pub file: Option<PathBuf>,
    source: Arc<str>,
}

/// The richest terminal: in it every colour of a theme is looked at.
const RICHEST: Ability = Ability {
    depth: Depth::True,
    unicode: true,
};

impl Skin {
    /// The theme inside the program that is called `name`, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        let (name, source) = theme::built_in(name)?;
        Some(Self {
            name: name.into(),
            file: None,
            source: Arc::from(source),
        })
    }

    /// The theme that a file holds; else what is wrong with it.
    pub fn parse(file: PathBuf, source: &str) -> Result<Self, String> {
        Theme::parse(source, RICHEST)?;
        Ok(Self {
            name: Text::clean(&file.to_string_lossy()),
            file: Some(file),
            source: Arc::from(source),
        })
    }

    /// The same by another name.
    #[must_use]
    pub fn called(self, name: &str) -> Self {
        let name = Text::clean(name);
        Self { name, ..self }
    }

    /// The theme, fitted to a terminal.
    ///
    /// # Errors
    /// None: a source that is not good makes no skin.
    pub fn theme(&self, ability: Ability) -> Result<Theme, String> {
        Theme::parse(&self.source, ability)
    }
}

/// The keys of one command as a file has them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bound {
    /// Which keys for which command.
    pub binding: Binding,
    /// Where that is written.
    pub source: Source,
    /// Its column there, if it is known.
    pub column: Option<usize>,
}

/// Theme, keys and orders in effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// The theme.
    pub theme: Valued<Skin>,
    /// The order in which each list begins, by [`Panel::index`](crate::model::Panel::index).
    pub sort: [Valued<Sort>; 3],
    /// How the view of logs begins.
    pub logs: LogSettings,
    /// Which key means what.
    pub keymap: Keymap,
    /// The bindings that are in effect.
    pub bound: Vec<Bound>,
}

impl Look {
    /// Puts what is built in where nothing is said.
    pub fn new(
        theme: Option<Valued<Skin>>,
        sort: [Option<Valued<Sort>>; 3],
        logs: LogSettings,
        bound: Vec<Bound>,
    ) -> Self {
        let bindings: Vec<Binding> = bound.iter().map(|bound| bound.binding.clone()).collect();
        let built_in = || Skin {
            name: theme::THEMES[0].0.into(),
            file: None,
            source: Arc::from(theme::THEMES[0].1),
        };
        Self {
            theme: theme.unwrap_or_else(|| Valued::default_of(built_in())),
            sort: sort.map(|sort| sort.unwrap_or(Valued::default_of(Sort::default()))),
            logs,
            keymap: Keymap::new(&bindings).0,
            bound,
        }
    }

    /// The orders alone.
    pub fn sorts(&self) -> Sorts {
        self.sort.each_ref().map(|sort| sort.value)
    }

    /// Every command, its keys, and where they come from.
    pub fn keys(&self) -> impl Iterator<Item = (&'static Command, &[Key], &Source)> {
        COMMANDS.iter().map(|command| {
            let of = |bound: &&Bound| bound.binding.command.name == command.name;
            let source = self.bound.iter().rev().find(of).map(|bound| &bound.source);
            (
                command,
                self.keymap.keys_of(command),
                source.unwrap_or(&Source::Default),
            )
        })
    }
}

impl Default for Look {
    fn default() -> Self {
        Self::new(None, [None, None, None], LogSettings::default(), Vec::new())
    }
}

/// Takes out the bindings whose keys are taken, and says of each why, as one line.
pub fn settle(bound: &mut Vec<Bound>) -> Vec<String> {
    let bindings: Vec<Binding> = bound.iter().map(|bound| bound.binding.clone()).collect();
    let (_, clashes) = Keymap::new(&bindings);
    let lines = clashes.iter().map(|clash| line(clash, bound)).collect();
    let mut at = 0;
    bound.retain(|_| {
        at += 1;
        clashes.iter().all(|clash| clash.binding + 1 != at)
    });
    lines
}

fn line(clash: &Clash, bound: &[Bound]) -> String {
    let loser = &bound[clash.binding];
    let (key, taken_by) = (clash.key, clash.taken_by.name);
    let by = clash.by.map(|by| format!(" ({})", bound[by].source));
    let what = format!(
        "keys: {}: {key} is the key of {taken_by} already{}: give {taken_by} another key, or none \
         ({taken_by}: [])",
        loser.binding.command.name,
        by.unwrap_or_default(),
    );
    match (&loser.source, loser.column) {
        (
            Source::File {
                path,
                line: Some(line),
            },
            Some(column),
        ) => {
            let place = super::yaml::Place {
                line: *line,
                column,
            };
            Fault::at(Some(place), what).in_file(path.as_str())
        }
        (source, _) => format!("{source}: {what}"),
    }
}
