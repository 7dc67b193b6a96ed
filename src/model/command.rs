//! The one table of commands: dispatch, footer, help and the README's key table all come from
//! [`COMMANDS`]. The keys in it are the defaults: see [`Keymap`](crate::model::Keymap).

use crate::model::list::{Mark, Move};
use crate::model::{Effect, Model, Noun, Page, Panel, Seen, typing};

mod act;
mod enter;
mod events;
mod inspect;
mod logs;
mod run;
mod stats;
mod table;

pub(super) use logs::area;
pub use table::{keys_table, place};

use run::{
    back, copy, crictl, focus, go, help, id, marks, nothing_selected, open, push, sort, step,
    summary, widen,
};

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
    Noun::Deed,
    Noun::Node,
];
/// What has a container.
const ENTERED: &[Noun] = &[Noun::Pod, Noun::Container, Noun::Page, Noun::Inside];
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
    logs::COMMANDS,
    enter::COMMANDS,
    stats::COMMANDS,
    inspect::COMMANDS,
    events::COMMANDS,
    act::COMMANDS,
    GENERAL,
];

/// Those of the lists and of every view.
const GENERAL: &[Command] = &[
    command(
        "down",
        &["j", "Down"],
        ANYWHERE,
        "",
        "one row down",
        |m, s| go(m, s, Move::By(1)),
    ),
    command("up", &["k", "Up"], ANYWHERE, "", "one row up", |m, s| {
        go(m, s, Move::By(-1))
    }),
    command(
        "page-down",
        &["PgDn"],
        ANYWHERE,
        "",
        "one page down",
        |m, s| go(m, s, Move::HalfPages(2)),
    ),
    command("page-up", &["PgUp"], ANYWHERE, "", "one page up", |m, s| {
        go(m, s, Move::HalfPages(-2))
    }),
    command(
        "half-page-down",
        &["^d"],
        ANYWHERE,
        "",
        "half a page down",
        |m, s| go(m, s, Move::HalfPages(1)),
    ),
    command(
        "half-page-up",
        &["^u"],
        ANYWHERE,
        "",
        "half a page up",
        |m, s| go(m, s, Move::HalfPages(-1)),
    ),
    command(
        "first",
        &["g", "Home"],
        ANYWHERE,
        "",
        "to the first row",
        |m, s| go(m, s, Move::First),
    ),
    command(
        "last",
        &["G", "End"],
        ANYWHERE,
        "",
        "to the last row",
        |m, s| go(m, s, Move::Last),
    ),
    unless(
        command(
            "open",
            &["Enter"],
            LISTS,
            "open",
            "open: a pod's containers, else the summary",
            open,
        ),
        nothing_selected,
    ),
    unless(
        command(
            "summary",
            &["i", "d"],
            LISTS,
            "summary",
            "the facts on a full screen",
            summary,
        ),
        nothing_selected,
    ),
    command(
        "back",
        &["Esc"],
        ANYWHERE,
        "",
        "back; drops the filter; to the pods; to the top",
        back,
    ),
    command(
        "next-panel",
        &["Tab"],
        LISTS,
        "panel",
        "to the next panel",
        |m, _| step(m, true),
    ),
    command(
        "previous-panel",
        &["S-Tab"],
        LISTS,
        "",
        "to the panel before",
        |m, _| step(m, false),
    ),
    command("pods", &["1"], LISTS, "", "to the pods", |m, _| {
        focus(m, Panel::Pods)
    }),
    command(
        "containers",
        &["2"],
        LISTS,
        "",
        "to the containers",
        |m, _| focus(m, Panel::Containers),
    ),
    command("images", &["3"], LISTS, "", "to the images", |m, _| {
        focus(m, Panel::Images)
    }),
    command(
        "filter",
        &["/"],
        LISTS,
        "filter",
        "filter this list: fuzzy, !not, ~regex, ns: state: image: label:k=v; Tab for every list",
        |m, _| {
            typing::open_filter(m);
            vec![]
        },
    ),
    command(
        "only-trouble",
        &["!"],
        LISTS,
        "trouble",
        "only what is in trouble",
        |m, _| {
            let mut narrowing = m.home.narrowing.clone();
            narrowing.only_trouble = !narrowing.only_trouble;
            m.home.narrow(narrowing);
            vec![]
        },
    ),
    command(
        "widen",
        &["*"],
        LISTS,
        "all",
        "drop all narrowing; once more for the selected pod's containers alone",
        widen,
    ),
    command(
        "palette",
        &[":"],
        LISTS_AND_LOGS,
        "commands",
        "everything by name",
        |m, _| {
            typing::open_palette(m);
            vec![]
        },
    ),
    command(
        "mark",
        &["Space"],
        LISTS,
        "",
        "mark the row, or unmark it",
        |m, s| {
            m.home.mark(Mark::Toggle);
            go(m, s, Move::By(1))
        },
    ),
    command(
        "mark-range",
        &["^Space"],
        LISTS,
        "",
        "mark up to the nearest mark",
        |m, _| marks(m, Mark::Range),
    ),
    command(
        "mark-all",
        &[],
        LISTS,
        "",
        "mark all that is shown",
        |m, _| marks(m, Mark::All),
    ),
    command(
        "mark-invert",
        &[],
        LISTS,
        "",
        "mark what is not marked",
        |m, _| marks(m, Mark::Invert),
    ),
    command("mark-none", &[], LISTS, "", "unmark everything", |m, _| {
        marks(m, Mark::None)
    }),
    unless(
        command(
            "copy-id",
            &["c"],
            LISTS,
            "",
            "copy the id, or those of all marked",
            |m, _| copy(m, id, " "),
        ),
        nothing_selected,
    ),
    unless(
        command(
            "copy-crictl",
            &["C"],
            LISTS,
            "",
            "copy the same look as a crictl command",
            |m, _| copy(m, crictl, " && "),
        ),
        nothing_selected,
    ),
    command(
        "mouse",
        &["M"],
        LISTS,
        "",
        "mouse on: click, wheel, heads sort; or off",
        |m, _| {
            m.mouse = !m.mouse;
            vec![Effect::Mouse(m.mouse)]
        },
    ),
    command(
        "sort",
        &["o"],
        LISTS,
        "sort",
        "sort by the next column, then trouble first",
        sort,
    ),
    command("reverse", &["O"], LISTS, "", "reverse the order", |m, _| {
        let (sort, _) = m.home.sort_mut();
        sort.reverse = !sort.reverse;
        vec![]
    }),
    command(
        "refresh",
        &["R"],
        LISTS,
        "",
        "list now; while there is no runtime, try now",
        |_, _| vec![Effect::Refresh],
    ),
    command(
        "notices",
        &["N"],
        LISTS,
        "",
        "warnings of the start, and why read-only",
        |m, _| push(m, Page::Notices),
    ),
    command("help", &["?"], ANYWHERE, "help", "the keys", help),
    command(
        "redraw",
        &["^l"],
        ANYWHERE,
        "",
        "draw the whole screen anew",
        |_, _| vec![Effect::Repaint],
    ),
    command(
        "suspend",
        &["^z"],
        ANYWHERE,
        "",
        "stop until the shell's fg",
        |_, _| vec![Effect::Suspend],
    ),
    command(
        "back-or-quit",
        &["q"],
        ANYWHERE,
        "quit",
        "back one view; quits from home",
        |m, _| {
            if m.layers.pop().is_none() {
                run::quit(m);
            }
            vec![]
        },
    ),
    command(
        "quit",
        &["^c"],
        ANYWHERE,
        "",
        "quit from anywhere; asks once if something would end with it",
        |m, _| {
            run::quit(m);
            vec![]
        },
    ),
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
