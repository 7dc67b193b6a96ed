//! What stands in the window: lines, and where an attempt follows another.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::logs::shown::{Line, LineId};

/// One thing in the window.
// Nearly all are lines.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A line.
    Line(Line),
    /// An attempt has ended, and another begins.
    Restart(Restart),
}

/// The place between two attempts of a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Restart {
    /// Whose.
    pub source: usize,
    /// The one that has ended.
    pub from: u32,
    /// The one that begins.
    pub to: u32,
    /// When its last line was written.
    pub last: Option<Timestamp>,
    /// When its first line was written.
    pub first: Option<Timestamp>,
}

impl Item {
    /// The line, if it is one.
    pub fn line(&self) -> Option<&Line> {
        match self {
            Self::Line(line) => Some(line),
            Self::Restart(_) => None,
        }
    }

    /// What names it: a restart is named after the attempt that begins.
    pub(super) fn id(&self) -> (LineId, bool) {
        match self {
            Self::Line(line) => (line.id, false),
            Self::Restart(restart) => {
                let at = crate::logs::Pos {
                    segment: restart.to as usize,
                    offset: 0,
                };
                let source = restart.source;
                (LineId { source, at }, true)
            }
        }
    }
}

/// The lines, and where an attempt follows another.
pub(super) fn items(lines: Vec<Line>) -> Vec<Item> {
    let mut items = Vec::with_capacity(lines.len());
    let mut before: BTreeMap<usize, (u32, Option<Timestamp>)> = BTreeMap::new();
    for line in lines {
        let source = line.id.source;
        let known = before.insert(source, (line.attempt, line.time));
        if let Some((from, last)) = known
            && from != line.attempt
        {
            items.push(Item::Restart(Restart {
                source,
                from,
                to: line.attempt,
                last,
                first: line.time,
            }));
        }
        items.push(Item::Line(line));
    }
    items
}
