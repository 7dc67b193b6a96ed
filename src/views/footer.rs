//! The footer: what the keys do to what is selected. Those that cannot run now are dimmed; the
//! reason comes when they are pressed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cx, act, body, prompt};
use crate::keys::Key;
use crate::model::Noun;
use crate::model::command::{COMMANDS, Command};
use crate::theme::Role;
use crate::widgets::text::width;

/// Draws the footer, or the toast in its place.
pub fn draw(cx: &Cx, area: Rect, buffer: &mut Buffer) {
    if let Some(open) = &cx.model.prompt {
        prompt::draw(cx, open, area, buffer);
        return;
    }
    if let (Some(open), None) = (&cx.model.confirm, &cx.model.toast) {
        act::keys(cx, open, area, buffer);
        return;
    }
    if let Some(first) = cx.model.comfort.pending {
        pending(cx, first, area, buffer);
        return;
    }
    if let Some(toast) = &cx.model.toast {
        body::line(cx, area, buffer, toast.text.as_str(), Role::Warn);
        return;
    }
    let mut area = area;
    let doing = act::under_way(cx);
    if !doing.is_empty() && cx.model.noun() != Noun::Deed {
        let half = Rect {
            width: area.width * 2 / 3,
            ..area
        };
        let used = body::line(cx, half, buffer, &doing, Role::Warn) + 2;
        area.x += used;
        area.width = area.width.saturating_sub(used);
    }
    let noun = cx.model.noun();
    let back = !cx.model.layers.is_empty();
    let mut shown: Vec<(&Command, String, &str)> = COMMANDS
        .iter()
        .filter(|c| !c.short.is_empty() && c.on.contains(&noun))
        .filter_map(|command| {
            let key = cx.model.keymap.keys_of(command).first()?.to_string();
            let leaves = back && command.name == "back-or-quit";
            Some((command, key, if leaves { "back" } else { command.short }))
        })
        .collect();
    // The last two, help and quit, are there whatever the width.
    let cost = |(_, key, short): &(&Command, String, &str)| width(key) + width(short) + 3;
    while shown.len() > 2 && shown.iter().map(cost).sum::<u16>() > area.width {
        shown.remove(shown.len() - 3);
    }
    let mut x = area.x;
    for (command, key_name, short) in shown {
        let dead = command.refused(cx.model).is_some();
        let (key, text) = if dead {
            (Role::Dim, Role::Text)
        } else {
            (Role::Key, Role::Text)
        };
        let rest = |x| Rect {
            x,
            width: area.right().saturating_sub(x),
            ..area
        };
        x += body::line(cx, rest(x), buffer, &key_name, key) + 1;
        x += body::line(cx, rest(x), buffer, short, text) + 2;
    }
}

/// The keys that may follow the first one of a sequence.
fn pending(cx: &Cx, first: Key, area: Rect, buffer: &mut Buffer) {
    let rest = |x: u16| Rect {
        x,
        width: area.right().saturating_sub(x),
        ..area
    };
    let begun = format!("{first} {}", cx.theme.glyphs().more);
    let mut x = area.x + body::line(cx, area, buffer, &begun, Role::Focus) + 2;
    let next = cx.model.keymap.begun(first, cx.model.noun());
    let next = next.iter().map(|(key, command)| (*key, command.name));
    for (key, name) in next.chain([(Key::ESC, "back")]) {
        x += body::line(cx, rest(x), buffer, &key.to_string(), Role::Key) + 1;
        x += body::line(cx, rest(x), buffer, name, Role::Text) + 2;
    }
}

/// What somebody needs who sees this for the first time.
pub fn hint(cx: &Cx, area: Rect, buffer: &mut Buffer) {
    let key = |name: &str| cx.model.keymap.key_of(name).map(|key| key.to_string());
    let parts = [
        ("help", "keys"),
        ("palette", "all by name"),
        ("why", "why"),
        ("mouse", "mouse"),
        ("back-or-quit", "quits"),
    ];
    let parts = parts
        .iter()
        .filter_map(|(name, what)| Some(format!("{} {what}", key(name)?)));
    let parts: Vec<String> = parts.collect();
    let line = format!("First time here? {}", parts.join(", "));
    body::line(cx, area, buffer, &line, Role::Accent);
}
