//! The columns of what a row uses.

use std::cmp::Ordering;

use super::{Cell, Column, column, right};
use crate::format::bytes;
use crate::model::rows::{ContainerRow, PodRow};
use crate::stats::load::{Live, Load};
use crate::theme::Role;

/// From here on a limit is near, in percent.
const NEAR: u32 = 80;
/// From here on it is as good as reached.
const REACHED: u32 = 95;
/// Levels of a trend, the first for nothing at all.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A row that uses something.
pub(super) trait Loaded {
    fn live(&self) -> &Live;

    fn load(&self) -> Load {
        self.live().get()
    }
}

impl Loaded for PodRow {
    fn live(&self) -> &Live {
        &self.load
    }
}

impl Loaded for ContainerRow {
    fn live(&self) -> &Live {
        &self.load
    }
}

const fn live<R>(column: Column<R>) -> Column<R> {
    Column {
        live: true,
        ..column
    }
}

/// CPU in thousandths of a core.
pub(super) const fn cpu<R: Loaded>(rank: u8) -> Column<R> {
    let cell = |row: &R, _| match row.load().cpu {
        Some(milli) => Cell::text(format!("{milli}m")),
        None => Cell::dim(""),
    };
    live(right(column("CPU", (5, 6), rank, cell, |a, b| {
        most(a, b, 0)
    })))
}

/// Working set.
pub(super) const fn memory<R: Loaded>(rank: u8) -> Column<R> {
    let cell = |row: &R, _| match row.load().memory {
        Some(count) => Cell::text(bytes(count)),
        None => Cell::dim(""),
    };
    live(right(column("MEM", (7, 8), rank, cell, |a, b| {
        most(a, b, 1)
    })))
}

/// Memory of its limit.
pub(super) const fn percent<R: Loaded>(rank: u8) -> Column<R> {
    let cell = |row: &R, _| match row.load().percent {
        Some(percent) if percent >= REACHED => Cell::new(format!("{percent}%"), Role::Bad),
        Some(percent) if percent >= NEAR => Cell::new(format!("{percent}%"), Role::Warn),
        Some(percent) => Cell::text(format!("{percent}%")),
        None => Cell::dim(""),
    };
    live(right(column("%LIMIT", (6, 6), rank, cell, |a, b| {
        most(a, b, 2)
    })))
}

/// CPU over the last minute.
pub(super) const fn trend<R: Loaded>(rank: u8) -> Column<R> {
    let cell = |row: &R, _| {
        let bar = |level: &Option<u8>| level.map_or(' ', |level| BARS[usize::from(level.min(8))]);
        Cell::new(
            row.live().trend().iter().map(bar).collect::<String>(),
            Role::Accent,
        )
    };
    Column {
        sparks: true,
        ..live(column("CPU 1 MIN", (10, 10), rank, cell, |a, b| {
            most(a, b, 0)
        }))
    }
}

/// What uses most comes first, what is not known last.
fn most<R: Loaded>(a: &R, b: &R, of: usize) -> Ordering {
    b.load().rank[of].cmp(&a.load().rank[of])
}
