//! A table: which columns there is room for, and drawing them.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::theme::{Role, Theme};
use crate::widgets::text::{cut_end, cut_middle, width};

/// Cells between two columns.
pub const GAP: u16 = 2;
/// Columns up to this rank come before any wish of another.
const ESSENTIAL: u8 = 2;

/// A column as the layout sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// Least width.
    pub least: u16,
    /// Wanted width.
    pub want: u16,
    /// 0 stays to the last.
    pub rank: u8,
}

/// Widths of the columns in a line of `room` cells; `None` for those left out.
///
/// First the essential ones, then the first-ranked grow to what they want, then the others come
/// in by rank, each with what it wants, so that a rare column never cuts one that counts more;
/// at last all grow.
pub fn fit(slots: &[Slot], room: u16) -> Vec<Option<u16>> {
    let mut widths: Vec<Option<u16>> = vec![None; slots.len()];
    let mut by_rank: Vec<usize> = (0..slots.len()).collect();
    by_rank.sort_by_key(|place| slots[*place].rank);
    let mut left = room;
    let admit = |widths: &mut Vec<Option<u16>>, left: &mut u16, place: usize| {
        let gap = if widths.iter().any(Option::is_some) {
            GAP
        } else {
            0
        };
        let least = slots[place].least;
        if *left >= least + gap {
            widths[place] = Some(least);
            *left -= least + gap;
        }
    };
    let grow = |widths: &mut Vec<Option<u16>>, left: &mut u16, place: usize| {
        if let Some(width) = &mut widths[place] {
            let more = slots[place].want.saturating_sub(*width).min(*left);
            *width += more;
            *left -= more;
        }
    };
    for &place in by_rank
        .iter()
        .filter(|place| slots[**place].rank <= ESSENTIAL)
    {
        admit(&mut widths, &mut left, place);
    }
    for &place in by_rank.iter().filter(|place| slots[**place].rank == 0) {
        grow(&mut widths, &mut left, place);
    }
    for &place in by_rank
        .iter()
        .filter(|place| slots[**place].rank > ESSENTIAL)
    {
        admit(&mut widths, &mut left, place);
        grow(&mut widths, &mut left, place);
    }
    for &place in &by_rank {
        grow(&mut widths, &mut left, place);
    }
    widths
}

/// One cell, ready to be drawn.
#[derive(Debug)]
pub struct Cell<'a> {
    /// Text.
    pub text: Cow<'a, str>,
    /// Meaning.
    pub role: Role,
    /// Aligned to the right.
    pub right: bool,
    /// Cut in its middle, not at its end.
    pub middle: bool,
}

/// Draws one row of cells, each in its width, and paints it as selected if it is. `matched` names
/// the parts of a text, in bytes, that a filter has found.
///
/// Each cell's style covers the blanks up to the next: a change of style costs a dozen bytes on
/// the line, and blanks look the same in any colour.
pub fn draw_row<'a>(
    buffer: &mut Buffer,
    area: Rect,
    theme: &Theme,
    cells: impl Iterator<Item = (u16, Cell<'a>)>,
    selected: bool,
    matched: &dyn Fn(&str) -> Vec<Range<usize>>,
) {
    let mut x = area.x;
    let more = theme.glyphs().more;
    for (room, cell) in cells {
        let text = if cell.middle {
            cut_middle(&cell.text, room, more)
        } else {
            cut_end(&cell.text, room, more)
        };
        let shift = if cell.right { room - width(&text) } else { 0 };
        // A selected row has one style all over: it is the row that counts.
        let role = if selected { Role::Selected } else { cell.role };
        let style = theme.style(role);
        let span = Rect {
            x,
            width: room + GAP,
            height: 1,
            ..area
        };
        buffer.set_style(span.intersection(area), style);
        buffer.set_stringn(x + shift, area.y, &text, room.into(), style);
        for range in matched(&text) {
            let from = x + shift + text.get(..range.start).map_or(0, width);
            let wide = text.get(range).map_or(0, width);
            let span = Rect {
                x: from,
                width: wide,
                height: 1,
                ..area
            };
            buffer.set_style(span.intersection(area), theme.style(Role::Match));
        }
        x = x.saturating_add(room + GAP);
    }
    if selected {
        // The row ends with its last column, not with the gap behind it.
        let end = x.saturating_sub(GAP).min(area.right());
        let behind = Rect {
            x: end,
            width: GAP,
            height: 1,
            ..area
        };
        buffer.set_style(behind.intersection(area), Style::reset());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLOTS: [Slot; 4] = [
        Slot {
            least: 10,
            want: 30,
            rank: 0,
        },
        Slot {
            least: 6,
            want: 12,
            rank: 3,
        },
        Slot {
            least: 5,
            want: 5,
            rank: 2,
        },
        Slot {
            least: 8,
            want: 15,
            rank: 7,
        },
    ];

    #[test]
    fn names_come_before_rare_columns() {
        assert_eq!(fit(&SLOTS, 20), [Some(13), None, Some(5), None]);
        assert_eq!(fit(&SLOTS, 48), [Some(30), Some(9), Some(5), None]);
        assert_eq!(fit(&SLOTS, 99), [Some(30), Some(12), Some(5), Some(15)]);
        assert_eq!(fit(&SLOTS, 9), [None, None, Some(5), None]);
        assert_eq!(fit(&SLOTS, 57), [Some(30), Some(12), Some(5), None]);
    }

    proptest! {
        #[test]
        fn columns_never_exceed_the_room(
            slots in proptest::collection::vec((0u16..30, 0u16..60, 0u8..9), 0..12),
            room in 0u16..300,
        ) {
            let slots: Vec<Slot> = slots
                .into_iter()
                .map(|(least, want, rank)| Slot { least, want, rank })
                .collect();
            let widths: Vec<u16> = fit(&slots, room).into_iter().flatten().collect();
            let gaps = GAP * u16::try_from(widths.len().saturating_sub(1)).unwrap();
            prop_assert!(widths.iter().sum::<u16>() + gaps <= room);
        }
    }
}
