//! The commands of the view of logs.

mod run;

use super::run::go;
use super::{Command, command, unless};
use crate::local::Reads;
use crate::logs::viewer::To;
use crate::model::list::Move;
use crate::model::logs::LogView;
use crate::model::prompt::LogLine;
use crate::model::{Effect, Model, Noun, Seen};

pub(in crate::model) use run::area;
use run::{
    attempt, copy, follow, line, look, matched, on, open, read, save, since, stream, to_mark,
};

const LOGS: &[Noun] = &[Noun::Logs];
const HAVE_LOGS: &[Noun] = &[Noun::Pod, Noun::Container, Noun::Inside];

/// A command of the view.
const fn of_view(
    name: &'static str,
    keys: &'static [&'static str],
    short: &'static str,
    doc: &'static str,
    run: fn(&mut Model, &Seen) -> Vec<Effect>,
) -> Command {
    command(name, keys, LOGS, short, doc, run)
}

/// All of them, in the order in which help shows them.
pub(super) const COMMANDS: &[Command] = &[
    unless(
        command(
            "logs",
            &["l"],
            HAVE_LOGS,
            "logs",
            "the logs, live: of a pod all containers by time",
            |m, _| open(m, false),
        ),
        super::run::nothing_selected,
    ),
    unless(
        command(
            "logs-previous",
            &["p"],
            HAVE_LOGS,
            "",
            "the logs at the end of the attempt before",
            |m, _| open(m, true),
        ),
        super::run::nothing_selected,
    ),
    of_view(
        "follow",
        &["f"],
        "follow",
        "go on with what comes, or stay here",
        follow,
    ),
    of_view(
        "search",
        &["/"],
        "search",
        "search: text, or ~ and a regular expression",
        |m, _| line(m, LogLine::Search),
    ),
    of_view("next-match", &["n"], "", "to the next match", |m, s| {
        matched(m, s, false)
    }),
    of_view(
        "previous-match",
        &["N"],
        "",
        "to the match before",
        |m, s| matched(m, s, true),
    ),
    of_view(
        "only",
        &["&"],
        "filter",
        "only matching lines of the whole log; empty: all lines again",
        |m, _| line(m, LogLine::Filter),
    ),
    of_view(
        "more-context",
        &["+"],
        "",
        "one more line around each that the filter finds",
        |m, s| on(m, |v| v.widen_context(1, area(s))),
    ),
    of_view(
        "less-context",
        &["-"],
        "",
        "one line less around each",
        |m, s| on(m, |v| v.widen_context(-1, area(s))),
    ),
    of_view(
        "wrap",
        &["w"],
        "wrap",
        "break long lines, or cut them",
        |m, _| look(m, |look| look.wrap = !look.wrap),
    ),
    of_view(
        "timestamps",
        &["t"],
        "times",
        "times: none, how long ago, local, UTC",
        |m, _| look(m, |look| look.stamps = look.stamps.next()),
    ),
    of_view(
        "stream",
        &["o"],
        "stream",
        "both streams, standard error, standard output",
        stream,
    ),
    of_view(
        "json",
        &["J"],
        "",
        "JSON in short, or as it was written",
        |m, _| look(m, |look| look.raw = !look.raw),
    ),
    of_view(
        "expand",
        &["Enter"],
        "",
        "the whole line, JSON over several lines",
        |m, s| on(m, |v| v.spread(area(s))),
    ),
    of_view("left", &["Left", "h"], "", "to the left", |m, _| {
        on(m, |v| v.sideways(-1))
    }),
    of_view("right", &["Right"], "", "to the right", |m, _| {
        on(m, |v| v.sideways(1))
    }),
    of_view(
        "page",
        &["Space"],
        "",
        "one page down, as in less",
        |m, s| go(m, s, Move::HalfPages(2)),
    ),
    of_view(
        "older-attempt",
        &["p"],
        "attempt",
        "to the end of the attempt before",
        |m, s| attempt(m, s, true),
    ),
    of_view(
        "newer-attempt",
        &["P"],
        "",
        "to the beginning of the next attempt",
        |m, s| attempt(m, s, false),
    ),
    of_view(
        "go-to",
        &["@"],
        "",
        "to a time (10:15, 15m ago), a line (1200) or a share (50%)",
        |m, _| line(m, LogLine::GoTo),
    ),
    of_view("tail", &["0"], "", "all lines, at the end", |m, s| {
        since(m, s, None, To::End)
    }),
    of_view("head", &["1"], "", "all lines, at the start", |m, s| {
        since(m, s, None, To::Start)
    }),
    of_view(
        "since-1m",
        &["2"],
        "",
        "lines of the last minute",
        |m, s| since(m, s, Some((1, "1m")), To::End),
    ),
    of_view(
        "since-5m",
        &["3"],
        "",
        "lines of the last 5 minutes",
        |m, s| since(m, s, Some((5, "5m")), To::End),
    ),
    of_view(
        "since-15m",
        &["4"],
        "",
        "lines of the last 15 minutes",
        |m, s| since(m, s, Some((15, "15m")), To::End),
    ),
    of_view(
        "since-30m",
        &["5"],
        "",
        "lines of the last 30 minutes",
        |m, s| since(m, s, Some((30, "30m")), To::End),
    ),
    of_view("since-1h", &["6"], "", "lines of the last hour", |m, s| {
        since(m, s, Some((60, "1h")), To::End)
    }),
    of_view(
        "mark-line",
        &["m"],
        "",
        "mark the line, or unmark it",
        |m, s| {
            on(m, LogView::mark);
            go(m, s, Move::By(1))
        },
    ),
    of_view("next-mark", &["]"], "", "to the next mark", |m, s| {
        to_mark(m, s, false)
    }),
    of_view("previous-mark", &["["], "", "to the mark before", |m, s| {
        to_mark(m, s, true)
    }),
    of_view(
        "fields",
        &["K"],
        "",
        "JSON in short with these fields only; empty: all of them",
        |m, _| line(m, LogLine::Fields),
    ),
    of_view(
        "copy-lines",
        &["c"],
        "",
        "copy the marked lines, or this one",
        copy,
    ),
    Command {
        changes: true,
        ..of_view(
            "save",
            &["^s"],
            "",
            "save what is shown to a new file; once more: stop saving",
            save,
        )
    },
    Command {
        changes: true,
        ..of_view(
            "pager",
            &["|"],
            "",
            "all that is shown, in $PAGER",
            |m, _| read(m, Reads::Pager),
        )
    },
    Command {
        changes: true,
        ..of_view(
            "editor",
            &["v"],
            "",
            "a copy of all that is shown, in $EDITOR",
            |m, _| read(m, Reads::Editor),
        )
    },
    of_view(
        "log-why",
        &["W"],
        "",
        "why what writes this log fares as it does",
        |m, _| crate::model::why::open(m),
    ),
];
