//! What the commands of the view of logs do.

use jiff::SignedDuration;
use ratatui::layout::Size;

use crate::local::Reads;
use crate::logs::Stream;
use crate::logs::viewer::To;
use crate::model::logs::{LogView, Look};
use crate::model::prompt::LogLine;
use crate::model::{Effect, Layer, Model, Page, Seen, typing, update};
use crate::text::Text;

pub(super) fn open(model: &mut Model, previous: bool) -> Vec<Effect> {
    let Some(subject) = model.subject() else {
        return vec![];
    };
    let look = Look {
        wrap: model.log_look.wrap,
        stamps: model.log_look.stamps,
        raw: model.log_look.raw,
        fields: model.log_look.fields.clone(),
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

pub(super) fn on(model: &mut Model, change: impl FnOnce(&mut LogView)) -> Vec<Effect> {
    if let Some(view) = model.log_mut() {
        change(view);
    }
    vec![]
}

/// Changes how lines look, here and in the next view.
pub(super) fn look(model: &mut Model, change: impl Fn(&mut Look)) -> Vec<Effect> {
    if let Some(view) = model.log_mut() {
        change(&mut view.look);
        view.place.column = 0;
        model.log_look = view_look(model);
    }
    vec![]
}

pub(super) fn view_look(model: &Model) -> Look {
    let look = model.log().map(|view| view.look.clone());
    look.unwrap_or_default()
}

pub(super) fn follow(model: &mut Model, seen: &Seen) -> Vec<Effect> {
    on(model, |view| {
        if view.follows() {
            view.stay(area(seen));
        } else {
            view.ask(To::End, true, area(seen));
        }
    })
}

pub(super) fn stream(model: &mut Model, seen: &Seen) -> Vec<Effect> {
    on(model, |view| {
        view.look.stream = match view.look.stream {
            None => Some(Stream::Stderr),
            Some(Stream::Stderr) => Some(Stream::Stdout),
            Some(_) => None,
        };
        view.ask_again(area(seen));
    })
}

pub(super) fn line(model: &mut Model, what: LogLine) -> Vec<Effect> {
    typing::open_log_line(model, what);
    vec![]
}

pub(super) fn matched(model: &mut Model, seen: &Seen, back: bool) -> Vec<Effect> {
    let searching = model.log().is_some_and(|view| view.look.search.is_some());
    if !searching {
        update::say(model, "nothing is searched for yet: / begins");
        return vec![];
    }
    on(model, |view| view.seek(back, true, area(seen)))
}

pub(super) fn to_mark(model: &mut Model, seen: &Seen, back: bool) -> Vec<Effect> {
    let view = model.log_mut();
    if !view.is_some_and(|view| view.go_to_mark(back, area(seen))) {
        update::say(model, "no line is marked: m marks one");
    }
    vec![]
}

pub(super) fn attempt(model: &mut Model, seen: &Seen, older: bool) -> Vec<Effect> {
    on(model, |view| view.go_to_attempt(older, area(seen)))
}

pub(super) fn since(
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

pub(super) fn save(model: &mut Model, _: &Seen) -> Vec<Effect> {
    if model.saving {
        return vec![Effect::StopSaving];
    }
    line(model, LogLine::Save)
}

pub(super) fn read(model: &mut Model, by: Reads) -> Vec<Effect> {
    let view = model.log();
    let read = view.map(|view| Effect::Read(Box::new(view.export()), by));
    read.into_iter().collect()
}

pub(super) fn copy(model: &mut Model, _: &Seen) -> Vec<Effect> {
    let chosen = model.log().map(LogView::chosen).unwrap_or_default();
    if chosen.is_empty() {
        update::say(model, "no line is here to copy");
        return vec![];
    }
    let lines: Vec<&str> = chosen.iter().map(Text::as_str).collect();
    vec![Effect::Copy(lines.join("\n"))]
}
