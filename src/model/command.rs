//! The one table of commands: dispatch, footer, help and the README's key table all come from
//! [`COMMANDS`]. The keys in it are the defaults: see [`Keymap`](crate::model::Keymap).

use crate::model::{Effect, Model, Noun, Seen};

mod act;
mod audit;
mod columns;
mod enter;
mod events;
mod general;
mod inspect;
mod logs;
mod run;
mod stats;
mod table;
mod why;

pub(super) use logs::area;
pub(super) use run::{go, open, push};
pub use table::{keys_table, place};

/// Every list, and pages of text.
const ANYWHERE: &[Noun] = &[
    Noun::Pod,
    Noun::Container,
    Noun::Image,
    Noun::Page,
    Noun::Logs,
    Noun::Forward,
    Noun::Tree,
    Noun::Events,
    Noun::Inside,
    Noun::File,
    Noun::Stats,
    Noun::Node,
    Noun::Why,
    Noun::Audit,
    Noun::Finding,
    Noun::Lines,
    Noun::Deed,
    Noun::Columns,
    Noun::Help,
];
/// What has a container.
const ENTERED: &[Noun] = &[
    Noun::Pod,
    Noun::Container,
    Noun::Page,
    Noun::Inside,
    Noun::Why,
];
const LISTS: &[Noun] = &[Noun::Pod, Noun::Container, Noun::Image];
const LISTS_AND_LOGS: &[Noun] = &[Noun::Pod, Noun::Container, Noun::Image, Noun::Logs];

/// Something the user can ask for.
#[derive(Clone, Copy)]
pub struct Command {
    /// Its name, as a keymap file and the palette know it.
    pub name: &'static str,
    /// Its keys unless the user has others; see [`Key`](crate::keys::Key) for the notation.
    pub keys: &'static [&'static str],
    /// What it can be about.
    pub on: &'static [Noun],
    /// A word for the footer; empty keeps it out of there.
    pub short: &'static str,
    /// One line for help.
    pub doc: &'static str,
    /// It changes the node, runs a program or writes a file, so it needs the write grant. This is for the screen: the lock is the grant itself.
    pub changes: bool,
    /// Why it cannot run now, read-only mode apart: see [`Command::refused`].
    pub refuse: fn(&Model) -> Option<&'static str>,
    /// Runs it.
    pub run: fn(&mut Model, &Seen) -> Vec<Effect>,
}

impl Command {
    /// Why it cannot run now.
    pub fn refused(&self, model: &Model) -> Option<&'static str> {
        let locked = self.changes && !model.node.read_only.is_empty();
        let locked = locked.then_some("this run is read-only, the notices say why");
        locked.or_else(|| (self.refuse)(model))
    }
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn command(
    name: &'static str,
    keys: &'static [&'static str],
    on: &'static [Noun],
    short: &'static str,
    doc: &'static str,
    run: fn(&mut Model, &Seen) -> Vec<Effect>,
) -> Command {
    Command {
        name,
        keys,
        on,
        short,
        doc,
        changes: false,
        refuse: |_| None,
        run,
    }
}

const fn changes(command: Command) -> Command {
    Command {
        changes: true,
        ..command
    }
}

const fn unless(command: Command, refuse: fn(&Model) -> Option<&'static str>) -> Command {
    Command { refuse, ..command }
}

/// All commands, in the order in which help shows them.
pub static COMMANDS: &[Command] = &table::join::<{ table::length(TABLES) }>(TABLES);
const TABLES: &[&[Command]] = &[
    why::COMMANDS,
    logs::COMMANDS,
    enter::COMMANDS,
    stats::COMMANDS,
    inspect::COMMANDS,
    events::COMMANDS,
    audit::COMMANDS,
    act::COMMANDS,
    columns::COMMANDS,
    general::COMMANDS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Key;
    use std::collections::HashSet;

    #[test]
    fn every_key_is_a_key_and_means_one_thing_to_a_noun() {
        for noun in ANYWHERE {
            let mut seen = HashSet::new();
            for command in COMMANDS.iter().filter(|command| command.on.contains(noun)) {
                for key in command.keys {
                    assert_eq!(key.parse::<Key>().unwrap().to_string(), *key);
                    assert!(seen.insert(key), "{key} means two things on {noun:?}");
                }
            }
        }
    }

    #[test]
    fn every_command_has_a_name_of_its_own_and_a_doc() {
        let names: HashSet<_> = COMMANDS.iter().map(|command| command.name).collect();
        assert_eq!(names.len(), COMMANDS.len());
        assert!(COMMANDS.iter().all(|command| !command.doc.is_empty()));
        // What is in the footer needs a key to be shown there.
        assert!(
            COMMANDS
                .iter()
                .all(|c| c.short.is_empty() || !c.keys.is_empty())
        );
    }
}
