//! The commands about columns and other comforts, in the lists and in their own pages.

use super::{Command, LISTS, command};
use crate::model::arranging::{self, Change, change};
use crate::model::{Effect, Model, Noun, Seen, help, typing};

const DIALOG: &[Noun] = &[Noun::Columns];

/// A command of the dialog.
const fn of_dialog(
    name: &'static str,
    keys: &'static [&'static str],
    short: &'static str,
    doc: &'static str,
    run: fn(&mut Model, &Seen) -> Vec<Effect>,
) -> Command {
    command(name, keys, DIALOG, short, doc, run)
}

/// All of them, in the order in which help shows them.
pub(super) const COMMANDS: &[Command] = &[
    command(
        "columns",
        &["z c", "|"],
        LISTS,
        "",
        "which columns this list shows, in which order, how wide",
        arranging::open,
    ),
    command(
        "presets",
        &["z p"],
        LISTS,
        "",
        "columns: the next preset",
        arranging::next_preset,
    ),
    command(
        "columns-right",
        &["Right"],
        LISTS,
        "",
        "columns that do not fit: to the right; the name stays",
        |m, s| arranging::scroll(m, s, true),
    ),
    command(
        "columns-left",
        &["Left"],
        LISTS,
        "",
        "columns: to the left again",
        |m, s| arranging::scroll(m, s, false),
    ),
    command(
        "themes",
        &["z t"],
        LISTS,
        "",
        "the themes, each shown as it is gone over",
        |m, _| typing::open_themes(m),
    ),
    command(
        "split-right",
        &["z >"],
        LISTS,
        "",
        "more room for the lists, less for the preview",
        |m, _| arranging::split(m, 5),
    ),
    command(
        "split-left",
        &["z <"],
        LISTS,
        "",
        "less room for the lists, more for the preview",
        |m, _| arranging::split(m, -5),
    ),
    of_dialog(
        "columns-keep",
        &["Enter"],
        "keep",
        "keep these columns, also for the next start; Esc leaves all as it was",
        arranging::keep,
    ),
    of_dialog(
        "column-show",
        &["Space"],
        "show",
        "show the column, or not",
        |m, s| change(m, s, Change::Toggle),
    ),
    of_dialog(
        "column-down",
        &["J", "S-Down"],
        "down",
        "the column further to the right",
        |m, s| change(m, s, Change::Shift(1)),
    ),
    of_dialog(
        "column-up",
        &["K", "S-Up"],
        "up",
        "the column further to the left",
        |m, s| change(m, s, Change::Shift(-1)),
    ),
    of_dialog(
        "column-wider",
        &["+", "=", "Right"],
        "wider",
        "the column wider",
        |m, s| change(m, s, Change::Resize(Some(1))),
    ),
    of_dialog(
        "column-narrower",
        &["-", "Left"],
        "narrower",
        "the column narrower",
        |m, s| change(m, s, Change::Resize(Some(-1))),
    ),
    of_dialog(
        "column-fit",
        &["0"],
        "fit",
        "the column as wide as what it holds",
        |m, s| change(m, s, Change::Resize(None)),
    ),
    of_dialog("preset", &["p"], "preset", "the next preset", |m, s| {
        change(m, s, Change::Preset)
    }),
    command(
        "help-search",
        &["/"],
        &[Noun::Help],
        "search",
        "only keys that have these words in their name or text",
        |m, _| help::search(m),
    ),
];
