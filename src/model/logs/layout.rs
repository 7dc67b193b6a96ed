//! How many lines of the screen an item takes. Drawing and moving both go by it.

use std::borrow::Cow;

use ratatui::layout::Size;

use super::{Item, LogView, Look, Stamps};
use crate::logs::shown::{Line, spread};
use crate::text::Text;
use crate::widgets::text::{width, wrap};

/// Cells for a mark and the stream.
const GUTTER: u16 = 3;
/// Most cells of a container's name.
const NAME: u16 = 20;
/// Least cells for the text, whatever stands before it.
const LEAST: u16 = 10;

/// Cells before the text of each line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Columns {
    /// Mark and stream.
    pub gutter: u16,
    /// Time; none if 0.
    pub time: u16,
    /// Container's name; none if 0.
    pub name: u16,
}

impl Columns {
    /// Of a view.
    pub fn of(view: &LogView) -> Self {
        let time = match view.look.stamps {
            Stamps::Off => 0,
            Stamps::Relative => 7,
            Stamps::Local | Stamps::Utc => 19,
        };
        let names = view.frame.names.iter().map(|name| width(name.as_str()));
        let name = names.max().unwrap_or(0).min(NAME) + 1;
        let several = view.frame.names.len() > 1;
        Self {
            gutter: GUTTER,
            time,
            name: if several { name } else { 0 },
        }
    }

    /// Cells before the text.
    pub fn before_text(self) -> u16 {
        self.gutter + self.time + self.name
    }

    /// Cells for the text.
    pub fn text(self, size: Size) -> u16 {
        size.width.saturating_sub(self.before_text()).max(LEAST)
    }
}

/// What a line says: in short if it is JSON and that is wanted.
pub fn words<'a>(line: &'a Line, look: &Look) -> Cow<'a, str> {
    let short = line.short.as_ref().filter(|_| !look.raw);
    let said = match (short, line.level) {
        (Some(short), Some(level)) => Cow::Owned(format!("{:5} {short}", level.name())),
        (Some(short), None) => Cow::Owned(format!("      {short}")),
        (None, _) => Cow::Borrowed(line.text.as_str()),
    };
    match line.omitted {
        0 => said,
        omitted => Cow::Owned(format!("{said} (+{omitted} bytes)")),
    }
}

impl LogView {
    /// The line in full: JSON over several lines, anything else broken to the width.
    pub fn in_full(&self, line: &Line, room: u16) -> Vec<Text> {
        let parts = spread(line.text.as_str()).unwrap_or_else(|| vec![line.text.clone()]);
        let mut lines = Vec::new();
        for part in parts {
            lines.extend(wrap(part.as_str(), room).into_iter().map(Text::clean));
        }
        if line.omitted > 0 {
            lines.push(Text::clean(&format!("(+{} bytes)", line.omitted)));
        }
        lines
    }

    /// Lines of the screen that an item takes, at least one.
    pub fn height_of(&self, item: &Item, size: Size) -> usize {
        let Item::Line(line) = item else { return 1 };
        let room = Columns::of(self).text(size);
        if self.spread == Some(line.id) {
            return self.in_full(line, room).len().max(1);
        }
        if !self.look.wrap {
            return 1;
        }
        wrap(&words(line, &self.look), room).len()
    }
}
