//! The commands of the lists and of every view.

use super::run::{
    self, back, copy, crictl, focus, go, help, id, marks, nothing_selected, open, push, sort, step,
    summary, widen,
};
use super::{ANYWHERE, Command, LISTS, LISTS_AND_LOGS, command, unless};
use crate::model::list::{Mark, Move};
use crate::model::{Effect, Page, Panel, typing};

/// Those of the lists and of every view.
pub(super) const COMMANDS: &[Command] = &[
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
        "mouse on: click selects, once more opens, wheel, heads sort, drag the split; or off",
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
