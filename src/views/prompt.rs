//! The line in which one types, and the choices of the palette above it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cx, body};
use crate::model::act::typed::ActLine;
use crate::model::palette::{Entry, Palette, SHOWN};
use crate::model::prompt::{LogLine, Prompt, Purpose, ViewLine};
use crate::model::{Home, Panel};
use crate::text::Text;
use crate::theme::Role;
use crate::widgets::text::{cut_end, prefix, width};

/// Draws the line.
pub fn draw(cx: &Cx, prompt: &Prompt, area: Rect, buffer: &mut Buffer) {
    let (sign, hint) = match &prompt.purpose {
        Purpose::Filter(_) => ("/", filter_hint(&cx.model.home)),
        Purpose::Palette(palette) => (":", palette_hint(palette)),
        Purpose::Logs(what) => logs_hint(*what),
        Purpose::View(ViewLine::Tree) => {
            ("/", "text or ~regex  Enter search  Esc close".to_owned())
        }
        Purpose::View(ViewLine::Help) => ("/", "words  Enter keep  Esc all keys again".to_owned()),
        Purpose::View(ViewLine::Events | ViewLine::Audit | ViewLine::Lines) => (
            "/",
            "text or ~regex  Enter show these  Esc close".to_owned(),
        ),
        Purpose::Forward(asked, _) => (
            "LOCAL:REMOTE ",
            format!("into {}  Enter open  Esc close", asked.title),
        ),
        Purpose::RunInAll(visits) => (
            "$",
            format!(
                "in {} marked containers  Enter run  Esc close",
                visits.len()
            ),
        ),
        Purpose::CopyOut(_) => (
            "copy to ",
            "a new file of this node  Enter copy  Esc close".to_owned(),
        ),
        Purpose::Act(line) => act_hint(line),
        Purpose::Run(visit) => ("$", format!("in {}  Enter run  Esc close", visit.title)),
    };
    // A paste may hold anything; what is typed is shown like what the node says.
    let hidden = matches!(prompt.purpose, Purpose::Act(ActLine::Password(..)));
    let line = if hidden {
        "*".repeat(prompt.text().chars().count())
    } else {
        prompt.text().to_owned()
    };
    let typed = Text::clean(&line);
    let before: String = line.chars().take(prompt.cursor()).collect();
    let at = width(Text::clean(&before).as_str());
    let (hint, role) = match &prompt.error {
        Some(error) => (error.clone(), Role::Bad),
        None => (hint, Role::Dim),
    };
    let hint = cut_end(&hint, area.width / 2, cx.theme.glyphs().more);
    let room = area.width.saturating_sub(width(&hint) + 4);
    // The end of a long line is what is being typed.
    let hidden = at.saturating_sub(room.saturating_sub(1));
    let shown = &typed.as_str()[prefix(typed.as_str(), hidden).len()..];
    let rest = |x: u16| Rect {
        x,
        width: area.right().saturating_sub(x),
        ..area
    };
    let x = area.x + body::line(cx, area, buffer, sign, Role::Key);
    body::line(
        cx,
        Rect {
            width: room,
            ..rest(x)
        },
        buffer,
        shown,
        Role::Text,
    );
    let cursor = Rect {
        x: x + at - hidden,
        y: area.y,
        width: 1,
        height: 1,
    };
    buffer.set_style(cursor.intersection(area), cx.theme.style(Role::Selected));
    let x = area.right().saturating_sub(width(&hint));
    body::line(cx, rest(x), buffer, &hint, role);
}

fn act_hint(line: &ActLine) -> (&'static str, String) {
    let (sign, hint) = match line {
        ActLine::Pull(_) => ("pull ", "REFERENCE [as USER]  Tab completes".to_owned()),
        ActLine::Password(_, user) => {
            let hint = format!("of {}, never shown or kept", Text::clean(user));
            ("password ", hint)
        }
        ActLine::Limits(_) => ("limits ", "memory=SIZE cpu=CORES".to_owned()),
        ActLine::Checkpoint(..) => ("checkpoint to ", "a new file".to_owned()),
        ActLine::Files(wanted) => ("files ", wanted.hint().to_owned()),
    };
    (sign, format!("{hint}  Enter look first  Esc close"))
}

fn filter_hint(home: &Home) -> String {
    let (shown, all) = match home.focus {
        Panel::Pods => (home.pods.rows().len(), home.pods.all),
        Panel::Containers => (home.containers.rows().len(), home.containers.all),
        Panel::Images => (home.images.rows().len(), home.images.all),
    };
    format!("{shown} of {all}  Enter keep  Esc drop  Tab every list")
}

fn logs_hint(what: LogLine) -> (&'static str, String) {
    let (sign, hint) = match what {
        LogLine::Search => ("/", "text or ~regex  Enter search  Esc close"),
        LogLine::Filter => ("&", "text or ~regex  Enter show these  Esc close"),
        LogLine::Fields => (
            "fields ",
            "msg, http.status  Enter show these, none: all  Esc close",
        ),
        LogLine::Save => ("save to ", "a new file  Enter save  Esc close"),
        LogLine::GoTo => ("@", "10:15, 15m, 1200 or 50%  Enter go  Esc close"),
    };
    (sign, hint.to_owned())
}

fn palette_hint(palette: &Palette) -> String {
    let (_, found) = palette.shown();
    format!("{found} found  Enter run  Tab complete  Esc close")
}

/// Draws the choices of the palette over the end of `area`.
pub fn choices(cx: &Cx, prompt: &Prompt, area: Rect, buffer: &mut Buffer) {
    let Purpose::Palette(palette) = &prompt.purpose else {
        return;
    };
    let (entries, found) = palette.shown();
    let lines = u16::try_from(found.min(SHOWN)).unwrap_or(0) + 1;
    let height = lines.min(area.height);
    let over = Rect {
        y: area.bottom() - height,
        height,
        ..area
    };
    for y in over.y..over.bottom() {
        for x in over.x..over.right() {
            buffer[(x, y)].reset();
        }
    }
    body::titled(cx, over, buffer, palette.title, true);
    for ((entry, chosen), y) in entries.zip(over.y + 1..over.bottom()) {
        choice(
            cx,
            entry,
            chosen,
            Rect {
                y,
                height: 1,
                ..over
            },
            buffer,
        );
    }
}

fn choice(cx: &Cx, entry: &Entry, chosen: bool, line: Rect, buffer: &mut Buffer) {
    let pick = |role| body::pick(cx, chosen, role);
    let dead = entry.refused.is_some();
    let names = (line.width / 2).min(44);
    let rest = |x: u16| Rect {
        x: line.x + x,
        width: line.width.saturating_sub(x),
        ..line
    };
    let name = if dead { Role::Dim } else { Role::Accent };
    body::line(
        cx,
        Rect {
            width: names,
            ..rest(1)
        },
        buffer,
        &entry.name,
        pick(name),
    );
    body::line(
        cx,
        Rect {
            width: 10,
            ..rest(names + 2)
        },
        buffer,
        &entry.key,
        pick(Role::Key),
    );
    if chosen {
        body::mark(cx, rest(1), buffer);
    }
    let doc = entry
        .refused
        .map_or_else(|| entry.doc.clone(), |why| format!("not now: {why}"));
    body::line(cx, rest(names + 13), buffer, &doc, pick(Role::Dim));
}
