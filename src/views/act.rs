//! The question before a change, and the page of what was done.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};

use super::{Cx, body};
use crate::act::Act;
use crate::format::bytes;
use crate::journal::Kept;
use crate::model::PageSeen;
use crate::model::act::choose::Weight;
use crate::model::act::{Confirm, Deed, Stage};
use crate::text::Text;
use crate::theme::Role;
use crate::widgets::page::Doc;
use crate::widgets::text::{width, wrap};

/// Widest question.
const WIDEST: u16 = 96;
/// Lines of what crictl would be told.
const LONGEST: usize = 3;
/// Cells by which what belongs to a name is indented.
const INDENT: u16 = 2;

/// Draws a question over `area`.
pub fn question(cx: &Cx, confirm: &Confirm, area: Rect, buffer: &mut Buffer) {
    let box_width = area.width.saturating_sub(2).min(WIDEST);
    let room = box_width.saturating_sub(4);
    let above = styled(cx, confirm.lines(), room);
    let below = foot(cx, confirm, room);
    let few = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
    // Two rules, an empty line and the buttons.
    let fixed = few(below.len()).saturating_add(4);
    let height = few(above.len()).saturating_add(fixed).min(area.height);
    let outer = Rect {
        x: area.x + (area.width - box_width) / 2,
        y: area.y + (area.height - height) / 2,
        width: box_width,
        height,
    };
    frame(cx, confirm, outer, buffer);
    let inner = Rect {
        x: outer.x + 2,
        y: outer.y + 1,
        width: room,
        height: height.saturating_sub(fixed),
    };
    body::lines(inner, buffer, &above, confirm.scroll);
    let end = Rect {
        y: inner.bottom() + 1,
        height: few(below.len()).min(height.saturating_sub(3)),
        ..inner
    };
    body::lines(end, buffer, &below, 0);
    let row = Rect {
        y: outer.bottom().saturating_sub(2),
        height: 1,
        ..inner
    };
    buttons(
        cx,
        confirm,
        row,
        buffer,
        above.len() > usize::from(inner.height),
    );
}

/// An empty box with the question on its upper edge.
fn frame(cx: &Cx, confirm: &Confirm, outer: Rect, buffer: &mut Buffer) {
    Clear.render(outer, buffer);
    let bottom = Rect {
        y: outer.bottom().saturating_sub(1),
        height: 1,
        ..outer
    };
    let (dash, bar) = if cx.theme.unicode() {
        ("─", "│")
    } else {
        ("-", "|")
    };
    let style = cx.theme.style(Role::Focus);
    for x in outer.x..outer.right() {
        buffer.set_string(x, bottom.y, dash, style);
    }
    for y in outer.y + 1..bottom.y {
        buffer.set_string(outer.x, y, bar, style);
        buffer.set_string(outer.right() - 1, y, bar, style);
    }
    body::titled(cx, outer, buffer, &confirm.question, true);
}

/// What stays on the screen however long the rest is: the line for crictl, and where it is kept.
fn foot(cx: &Cx, confirm: &Confirm, room: u16) -> Vec<Line<'static>> {
    let mut lines = styled(cx, vec![(Weight::Crictl, confirm.crictl())], room);
    if lines.len() > LONGEST {
        lines.truncate(LONGEST - 1);
        let more = "... (C copies all of it)".to_owned();
        lines.extend(styled(cx, vec![(Weight::Crictl, more)], room));
    }
    lines.extend(styled(cx, vec![confirm.kept()], room));
    lines
}

fn styled(cx: &Cx, said: Vec<(Weight, String)>, room: u16) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for (weight, text) in said {
        let (role, indent) = match weight {
            Weight::Name => (Role::Accent, 0),
            Weight::Plain => (Role::Text, INDENT),
            Weight::Warn => (Role::Warn, INDENT),
            Weight::Bad => (Role::Bad, INDENT),
            Weight::Crictl => (Role::Dim, INDENT),
        };
        let text = Text::clean(&text);
        for part in wrap(text.as_str(), room.saturating_sub(indent).max(1)) {
            let line = format!("{:1$}{part}", "", usize::from(indent));
            lines.push(Line::styled(line, cx.theme.style(role)));
        }
    }
    lines
}

fn buttons(cx: &Cx, confirm: &Confirm, area: Rect, buffer: &mut Buffer, hidden: bool) {
    let pressed = |on: bool| if on { Role::Selected } else { Role::Text };
    let ready = confirm.refused().is_none();
    let does = match (ready, confirm.yes) {
        (false, _) => Role::Dim,
        (true, yes) => pressed(yes),
    };
    let mut x = area.x;
    let mut put = |text: &str, role: Role| {
        let rest = Rect {
            x,
            width: area.right().saturating_sub(x),
            ..area
        };
        x += body::line(cx, rest, buffer, text, role) + 2;
    };
    put("[ Cancel ]", pressed(!confirm.yes));
    put(&format!("[ {} ]", confirm.word), does);
    if let Some(why) = confirm.refused() {
        put(why, Role::Warn);
    } else if hidden {
        put("j and k: more of this", Role::Dim);
    }
}

/// Draws the keys of a question.
pub fn keys(cx: &Cx, confirm: &Confirm, area: Rect, buffer: &mut Buffer) {
    let word = confirm.word.to_lowercase();
    let keys = [
        ("y", word.as_str()),
        ("n", "cancel"),
        ("Tab", "the other button"),
        ("Enter", "press it"),
        ("C", "copy for crictl"),
    ];
    let mut x = area.x;
    for (key, text) in keys {
        for (part, role, gap) in [(key, Role::Key, 1), (text, Role::Text, 2)] {
            let rest = Rect {
                x,
                width: area.right().saturating_sub(x),
                ..area
            };
            x += body::line(cx, rest, buffer, part, role) + gap;
        }
    }
}

/// What is under way, for the footer; empty when nothing is.
pub fn under_way(cx: &Cx) -> String {
    let deeds = &cx.model.deeds;
    let Some(first) = deeds.open().next() else {
        return String::new();
    };
    cx.wake_in(1);
    let tally = deeds.tally(first.batch);
    let left = first.left(cx.model.clock.uptime);
    let left = left.map_or_else(String::new, |left| match left {
        0 => ", its time is up".to_owned(),
        left => format!(", SIGKILL in {left}s"),
    });
    let doing = first.act.doing();
    if deeds.open().count() == 1 {
        let coming = coming(cx, first);
        return format!("{doing} {}{left}{coming}", first.title);
    }
    let all = tally.waiting + tally.running + tally.done + tally.failed + tally.cancelled;
    let (done, failed) = (tally.done, tally.failed);
    format!("{doing} {all}: {done} done, {failed} failed{left}")
}

/// Draws why the one under the cursor failed, in full, at the bottom; the area that is left.
fn reason(cx: &Cx, area: Rect, buffer: &mut Buffer) -> Rect {
    let Some(Stage::Failed(why)) = cx.model.deeds.chosen().map(|deed| &deed.stage) else {
        return area;
    };
    let said = vec![(Weight::Bad, why.to_string())];
    let lines = styled(cx, said, area.width);
    let most = usize::from(area.height / 3);
    let height = u16::try_from(lines.len().min(most)).unwrap_or(0);
    let below = Rect {
        y: area.bottom() - height,
        height,
        ..area
    };
    body::lines(below, buffer, &lines, 0);
    Rect {
        height: area.height - height,
        ..area
    }
}

/// Draws the page of changes.
pub fn deeds(cx: &Cx, area: Rect, buffer: &mut Buffer) -> PageSeen {
    let area = reason(cx, area, buffer);
    let deeds = &cx.model.deeds;
    let row = |nth: usize| Rect {
        y: area.y
            + u16::try_from(nth)
                .unwrap_or(u16::MAX)
                .min(area.height.saturating_sub(1)),
        height: 1.min(area.height),
        ..area
    };
    let room = usize::from(area.height.saturating_sub(1)).max(1);
    if deeds.list.is_empty() {
        body::line(
            cx,
            row(0),
            buffer,
            "nothing was changed in this run",
            Role::Dim,
        );
        return PageSeen {
            lines: 1,
            height: room,
        };
    }
    let names = deeds.list.iter().map(|deed| width(deed.title.as_str()));
    let names = names.max().unwrap_or(0).min(area.width / 2);
    let head = format!("{:17}  {:2$}  OUTCOME", "ACTION", "OF", usize::from(names));
    body::line(cx, row(0), buffer, &head, Role::Head);
    let first = (deeds.cursor + 1).saturating_sub(room);
    for (nth, deed) in deeds.list.iter().rev().skip(first).take(room).enumerate() {
        let (outcome, role) = outcome(cx, deed);
        let more = cx.theme.glyphs().more;
        let title = crate::widgets::text::cut_middle(deed.title.as_str(), names, more);
        let gap = usize::from(names.saturating_sub(width(&title)));
        let line = format!("{:17}  {title}{:gap$}  {outcome}", deed.act.what(), "");
        let chosen = first + nth == deeds.cursor;
        let role = body::pick(cx, chosen, role);
        body::line(cx, row(nth + 1), buffer, &line, role);
        if chosen {
            body::mark(cx, row(nth + 1), buffer);
        }
    }
    PageSeen {
        lines: deeds.list.len(),
        height: room,
    }
}

fn outcome(cx: &Cx, deed: &Deed) -> (String, Role) {
    let now = cx.model.clock.uptime;
    match &deed.stage {
        Stage::Waiting => ("waits".to_owned(), Role::Dim),
        Stage::Running(since) => {
            cx.wake_in(1);
            let seconds = now.saturating_sub(*since).as_secs();
            let line = match deed.left(now) {
                Some(0) => format!(
                    "its time was up after {}s; goes on",
                    deed.act.grace().unwrap_or(0)
                ),
                Some(left) => format!("{} for {seconds}s, SIGKILL in {left}s", deed.act.doing()),
                None => format!("{} for {seconds}s{}", deed.act.doing(), coming(cx, deed)),
            };
            (line, Role::Warn)
        }
        Stage::Done(took, word) if word.is_empty() => {
            (format!("done after {}s", took.as_secs()), Role::Good)
        }
        Stage::Done(_, word) => (format!("done: {word}"), Role::Good),
        Stage::Failed(why) => (format!("failed: {why}"), Role::Bad),
        Stage::Cancelled => ("was not begun".to_owned(), Role::Dim),
    }
}

/// What of a pull can be seen.
fn coming(cx: &Cx, deed: &Deed) -> String {
    let pulls = matches!(deed.act, Act::Pull { .. });
    let coming = cx.model.deeds.coming.filter(|bytes| pulls && *bytes > 0);
    coming.map_or_else(String::new, |count| {
        format!(", {} on its way in", bytes(count))
    })
}

/// The page of the journal.
pub fn journal(read: Option<&Result<Vec<Kept>, Text>>) -> Doc {
    let mut doc = Doc::default();
    match read {
        None => {
            doc.text("reading", Role::Dim);
        }
        Some(Err(why)) => {
            doc.text(why.as_str(), Role::Bad);
        }
        Some(Ok(kept)) if kept.is_empty() => {
            doc.text(
                "the journal is empty: nothing was changed with critui here",
                Role::Dim,
            );
        }
        Some(Ok(kept)) => {
            for one in kept {
                let role = match one.outcome.as_str() {
                    "done" => Role::Good,
                    "failed" => Role::Bad,
                    _ => Role::Warn,
                };
                doc.fact_as(one.when.as_str(), one.line(), role);
            }
        }
    }
    doc
}
