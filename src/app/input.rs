//! What the terminal sends, as messages.

use std::io;

use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEventKind};

use super::Due;
use crate::keys::Key;
use crate::model::{Mouse, Msg};

/// What an event of the terminal means. The end of the input is the end of the terminal.
pub(super) fn input(event: Option<&io::Result<Event>>) -> Due {
    match event {
        None | Some(Err(_)) => Due::Leave,
        Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => {
            Due::Message(Msg::Key(Key::from(*key)))
        }
        Some(Ok(Event::Resize(..))) => Due::Message(Msg::Redraw),
        Some(Ok(Event::Mouse(event))) => match mouse(event.kind) {
            Some(mouse) => Due::Message(Msg::Mouse(mouse, event.column, event.row)),
            None => Due::Nothing,
        },
        Some(Ok(_)) => Due::Nothing,
    }
}

fn mouse(kind: MouseEventKind) -> Option<Mouse> {
    match kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Mouse::Click),
        MouseEventKind::Drag(MouseButton::Left) => Some(Mouse::Drag),
        MouseEventKind::Up(MouseButton::Left) => Some(Mouse::Release),
        MouseEventKind::ScrollDown => Some(Mouse::Wheel(1)),
        MouseEventKind::ScrollUp => Some(Mouse::Wheel(-1)),
        _ => None,
    }
}
