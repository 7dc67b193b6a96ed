//! What the terminal sends, as messages; and what it is to keep for the user.

use std::io;

use crossterm::event::{Event, KeyEventKind, MouseButton, MouseEventKind};

use tokio::task::JoinSet;

use super::{App, Due};
use crate::clipboard;
use crate::keys::Key;
use crate::model::{Mouse, Msg};
use crate::terminal::{Keys, Surface};
use crate::text::Text;

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
        MouseEventKind::ScrollDown => Some(Mouse::Wheel(1)),
        MouseEventKind::ScrollUp => Some(Mouse::Wheel(-1)),
        _ => None,
    }
}

impl<S: Surface, I: Keys> App<S, I> {
    /// Hands a text to the terminal's clipboard, and says so.
    pub(super) fn copy(&mut self, text: &str, jobs: &mut JoinSet<Msg>) -> io::Result<()> {
        let line = match clipboard::copy(text, self.clipboard) {
            Ok(sequence) => {
                self.surface.raw(&sequence)?;
                let count = text.chars().count();
                format!("copied {count} characters, if the terminal takes them")
            }
            Err(why) => why,
        };
        jobs.spawn(async move { Msg::Copied(Text::clean(&line)) });
        Ok(())
    }
}
