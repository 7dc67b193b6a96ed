//! The commands of the view of logs.

use jiff::SignedDuration;
use ratatui::layout::Size;

use super::{Command, command, unless};
use crate::logs::Stream;
use crate::logs::viewer::To;
use crate::model::list::Move;
use crate::model::logs::{LogView, Look};
use crate::model::prompt::LogLine;
use crate::model::{Effect, Layer, Model, Noun, Page, Seen, typing, update};

use super::run::go;
use crate::text::Text;

const LOGS: &[Noun] = &[Noun::Logs];
const HAVE_LOGS: &[Noun] = &[Noun::Pod, Noun::Container];

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
    of_view(
        "why",
        &["W"],
        "",
        "the facts about what writes this log",
        super::run::summary,
    ),
];

fn open(model: &mut Model, previous: bool) -> Vec<Effect> {
    let Some(subject) = model.subject() else {
        return vec![];
    };
    let look = Look {
        wrap: model.log_look.wrap,
        stamps: model.log_look.stamps,
        raw: model.log_look.raw,
        ..Look::default()
    };
    let Some(mut view) = LogView::open(model, &subject, look) else {
        update::say(model, "it has no logs");
        return vec![];
    };
    view.opens_previous = previous;
    model.layers.push(Layer {
        page: Page::Logs(Box::new(view)),
        scroll: 0,
    });
    vec![]
}

/// The area of the lines.
pub(in crate::model) fn area(seen: &Seen) -> Size {
    seen.log.unwrap_or(Size::new(80, 20))
}

fn on(model: &mut Model, change: impl FnOnce(&mut LogView)) -> Vec<Effect> {
    if let Some(view) = model.log_mut() {
        change(view);
    }
    vec![]
}

/// Changes how lines look, here and in the next view.
fn look(model: &mut Model, change: impl Fn(&mut Look)) -> Vec<Effect> {
    if let Some(view) = model.log_mut() {
        change(&mut view.look);
        view.place.column = 0;
        model.log_look = view_look(model);
    }
    vec![]
}

fn view_look(model: &Model) -> Look {
    let look = model.log().map(|view| view.look.clone());
    look.unwrap_or_default()
}

fn follow(model: &mut Model, seen: &Seen) -> Vec<Effect> {
    on(model, |view| {
        if view.follows() {
            view.stay(area(seen));
        } else {
            view.ask(To::End, true, area(seen));
        }
    })
}

fn stream(model: &mut Model, seen: &Seen) -> Vec<Effect> {
    on(model, |view| {
        view.look.stream = match view.look.stream {
            None => Some(Stream::Stderr),
            Some(Stream::Stderr) => Some(Stream::Stdout),
            Some(_) => None,
        };
        view.ask_again(area(seen));
    })
}

fn line(model: &mut Model, what: LogLine) -> Vec<Effect> {
    typing::open_log_line(model, what);
    vec![]
}

fn matched(model: &mut Model, seen: &Seen, back: bool) -> Vec<Effect> {
    let searching = model.log().is_some_and(|view| view.look.search.is_some());
    if !searching {
        update::say(model, "nothing is searched for yet: / begins");
        return vec![];
    }
    on(model, |view| view.seek(back, true, area(seen)))
}

fn attempt(model: &mut Model, seen: &Seen, older: bool) -> Vec<Effect> {
    on(model, |view| view.go_to_attempt(older, area(seen)))
}

fn since(
    model: &mut Model,
    seen: &Seen,
    minutes: Option<(i64, &'static str)>,
    to: To,
) -> Vec<Effect> {
    let now = model.clock.now;
    on(model, |view| {
        view.look.since = minutes.map(|(minutes, name)| {
            let ago = SignedDuration::from_mins(minutes);
            (now.checked_sub(ago).unwrap_or(now), name)
        });
        let follow = to == To::End;
        view.ask(to, follow, area(seen));
    })
}

fn save(model: &mut Model, _: &Seen) -> Vec<Effect> {
    if model.saving {
        return vec![Effect::StopSaving];
    }
    line(model, LogLine::Save)
}

fn copy(model: &mut Model, _: &Seen) -> Vec<Effect> {
    let chosen = model.log().map(LogView::chosen).unwrap_or_default();
    if chosen.is_empty() {
        update::say(model, "no line is here to copy");
        return vec![];
    }
    let lines: Vec<&str> = chosen.iter().map(Text::as_str).collect();
    vec![Effect::Copy(lines.join("\n"))]
}
