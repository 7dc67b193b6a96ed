//! Events on the screen: how many a minute, and each with its time, the newest first.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cx, body, crumbs};
use crate::format::{age, seconds_between};
use crate::model::events::{Event, EventsView, What};
use crate::model::{PageSeen, Seen, exit};
use crate::theme::Role;
use crate::widgets::text::{cut_end, cut_middle, width};

/// Minutes that the graph shows at most.
const MINUTES: u16 = 120;
/// Heights of a bar, none first.
const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// The same for terminals that have no such glyphs.
const PLAIN: [&str; 9] = [" ", ".", ":", "-", "=", "+", "*", "%", "#"];
/// Cells of the time and the word of an event.
const TIME: u16 = 10;
const WORD: u16 = 9;

/// Its title.
pub fn title(view: &EventsView) -> String {
    let whose = view.pod.as_ref().map(|(_, title)| format!(" of {title}"));
    let filter = view
        .filter
        .as_ref()
        .map(|sought| format!(" only {:?}", sought.line()));
    format!(
        "Events{}{}",
        whose.unwrap_or_default(),
        filter.unwrap_or_default()
    )
}

/// Draws the view.
pub fn draw(cx: &Cx, view: &EventsView, area: Rect, buffer: &mut Buffer, seen: &mut Seen) {
    body::titled(cx, area, buffer, &crumbs(cx, &title(view)), true);
    let inner = body::below_title(area);
    let history = cx.model.store.history();
    let shown: Vec<&Event> = view.shown(history).collect();
    let graphs = if inner.height > 8 { 3 } else { 0 };
    if graphs > 0 {
        let all = |_: &&&Event| true;
        let ended = |event: &&&Event| event.what == What::Ended;
        graph(
            cx,
            "all",
            shown.iter().filter(all).copied(),
            inner,
            buffer,
            Role::Accent,
        );
        let below = Rect {
            y: inner.y + 1,
            ..inner
        };
        graph(
            cx,
            "exits",
            shown.iter().filter(ended).copied(),
            below,
            buffer,
            Role::Warn,
        );
    }
    let lines = Rect {
        y: inner.y + graphs,
        height: inner.height - graphs,
        ..inner
    };
    seen.page = Some(PageSeen {
        lines: shown.len(),
        height: lines.height.into(),
    });
    if shown.is_empty() {
        let words = if history.total() == 0 {
            "nothing has changed since critui started; what changes is shown as it comes"
        } else {
            "nothing that is looked for; Esc shows more"
        };
        body::line(cx, lines, buffer, words, Role::Dim);
        return;
    }
    let cursor = view.place(history);
    let rows = shown.iter().enumerate().skip(view.top);
    for ((nth, event), y) in rows.zip(lines.y..lines.bottom()) {
        let at = Rect {
            y,
            height: 1,
            ..lines
        };
        row(cx, event, at, buffer);
        if nth == cursor {
            body::choose(cx, at, buffer);
        }
    }
}

fn row(cx: &Cx, event: &Event, area: Rect, buffer: &mut Buffer) {
    let more = cx.theme.glyphs().more;
    let seconds = seconds_between(event.at, cx.now());
    cx.shows_age(seconds);
    let (tail, bad) = match &event.ending {
        Some((code, reason)) => (ending(*code, reason.as_ref()), *code != Some(0)),
        None => (String::new(), false),
    };
    let role = match event.what {
        What::Ended if bad => Role::Bad,
        What::Lost => Role::Bad,
        What::Ended | What::Removed => Role::Dim,
        What::Started => Role::Good,
        What::Created | What::Pulled | What::Tagged => Role::Text,
    };
    let ago = format!("{} ago", age(seconds));
    let room = area.width.saturating_sub(TIME + WORD + 10);
    let tail_room = width(&tail).min(room / 2);
    let name = cut_middle(event.name.as_str(), room - tail_room, more);
    let mut x = area.x;
    let time = event.at.strftime("%H:%M:%S").to_string();
    let cells = [
        (time, Role::Dim, TIME),
        (event.what.word().to_owned(), role, WORD),
        (name.to_string(), Role::Text, width(&name) + 2),
        (
            cut_end(&tail, tail_room, more).into_owned(),
            role,
            tail_room,
        ),
    ];
    for (text, role, wide) in cells {
        let rest = Rect {
            x,
            width: area.right().saturating_sub(x),
            ..area
        };
        body::line(cx, rest, buffer, &text, role);
        x = x.saturating_add(wide).min(area.right());
    }
    let wide = width(&ago).min(area.width);
    let right = Rect {
        x: area.right() - wide,
        width: wide,
        ..area
    };
    if right.x > x {
        body::line(cx, right, buffer, &ago, Role::Dim);
    }
}

fn ending(code: Option<i32>, reason: Option<&crate::text::Text>) -> String {
    let reason = reason.map(crate::text::Text::as_str);
    let code = match code {
        Some(code) => {
            let meaning = exit::meaning(code);
            if meaning.is_empty() || reason.is_some() {
                format!("exit {code}")
            } else {
                format!("exit {code}, {meaning}")
            }
        }
        None => "exit unknown".to_owned(),
    };
    match reason {
        Some(reason) => format!("{code} {reason}"),
        None => code,
    }
}

/// How many a minute, the present one at the right.
fn graph<'a>(
    cx: &Cx,
    name: &str,
    events: impl Iterator<Item = &'a Event>,
    area: Rect,
    buffer: &mut Buffer,
    role: Role,
) {
    let label = 7;
    let minutes = area.width.saturating_sub(label + 22).min(MINUTES);
    let counts = counts(events, cx.now(), minutes.into());
    let most = counts.iter().copied().max().unwrap_or(0);
    let bars = if cx.theme.unicode() { BARS } else { PLAIN };
    body::line(cx, area, buffer, name, Role::Dim);
    let bar = |count: &usize| match (*count * 8).div_ceil(most.max(1)) {
        0 => bars[0],
        height => bars[height.min(8)],
    };
    let line: String = counts.iter().map(bar).collect();
    let at = Rect {
        x: area.x + label,
        width: minutes,
        ..area
    };
    body::line(cx, at, buffer, &line, role);
    let words = format!("  {minutes} min, most {most}");
    let rest = Rect {
        x: at.right(),
        width: area.right().saturating_sub(at.right()),
        ..area
    };
    body::line(cx, rest, buffer, &words, Role::Dim);
    if most > 0 {
        cx.shows_age(60);
    }
}

/// Events of each of the last minutes, the present one last.
fn counts<'a>(
    events: impl Iterator<Item = &'a Event>,
    now: Timestamp,
    minutes: usize,
) -> Vec<usize> {
    let mut counts = vec![0; minutes];
    let this = now.as_second().div_euclid(60);
    for event in events {
        let ago = this - event.at.as_second().div_euclid(60);
        let place = usize::try_from(ago.max(0))
            .ok()
            .and_then(|ago| minutes.checked_sub(ago + 1));
        if let Some(count) = place.and_then(|place| counts.get_mut(place)) {
            *count += 1;
        }
    }
    counts
}
