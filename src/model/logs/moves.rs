//! Moving in a view of logs.

use ratatui::layout::Size;

use super::LogView;
use crate::logs::viewer::To;
use crate::model::list::Move;

/// Cells that one key moves sideways.
const SIDEWAYS: usize = 16;
/// Farthest sideways: no line is kept longer.
const FARTHEST: usize = crate::logs::shown::KEEP;
/// Lines beyond the screen that are kept ready.
const MARGIN: usize = 20;

impl LogView {
    /// Moves the cursor. Going up ends following; going to the end begins it.
    pub fn go(&mut self, to: Move, size: Size) {
        let half = isize::try_from(size.height / 2).unwrap_or(1).max(1);
        match to {
            Move::First => self.ask(To::Start, false, size),
            Move::Last => self.ask(To::End, true, size),
            Move::By(lines) => self.moved(lines, size, false),
            Move::HalfPages(halves) => self.moved(halves * half, size, true),
            Move::To(row) => {
                self.place.cursor = row.min(self.items.len().saturating_sub(1));
                self.moved(0, size, false);
            }
        }
    }

    fn moved(&mut self, lines: isize, size: Size, pages: bool) {
        let above = self.place.above;
        let up = lines < 0;
        self.move_by(lines, size);
        if pages {
            self.place.above = above;
        }
        self.fit(size);
        if self.follows() && up && !self.is_waiting() {
            self.stay(size);
        }
        self.want_more(size);
    }

    /// Stops following: what is there stays where it is.
    pub fn stay(&mut self, size: Size) {
        if let Some(spot) = self.line().map(|line| line.spot.clone()) {
            self.ask(To::Around(spot), false, size);
        }
    }

    /// Asks for more lines when the cursor comes near an end that is not the log's.
    pub fn want_more(&mut self, size: Size) {
        if self.is_waiting() || self.follows() {
            return;
        }
        let margin = usize::from(size.height) + MARGIN;
        let (cursor, count) = (self.place.cursor, self.items.len());
        let above = !self.frame.from_start && cursor < margin;
        let below = !self.frame.to_end && count - cursor.min(count) < margin;
        let spot = self.line().map(|line| line.spot.clone());
        if let Some(spot) = spot.filter(|_| above || below) {
            let pending = self.pending;
            self.ask(To::Around(spot), false, size);
            self.pending = pending;
        }
    }

    /// Moves the cursor by lines of the screen.
    pub(super) fn move_by(&mut self, lines: isize, size: Size) {
        let mut left = lines.unsigned_abs();
        while left > 0 {
            let went = if lines > 0 {
                self.down(size)
            } else {
                self.up(size)
            };
            if went == 0 {
                // More may come: the rest of the way is gone then.
                let edge = if lines > 0 {
                    self.frame.to_end
                } else {
                    self.frame.from_start
                };
                let rest = isize::try_from(left).unwrap_or(0) * lines.signum();
                self.pending.lines = if edge { 0 } else { rest };
                return;
            }
            left = left.saturating_sub(went);
        }
    }

    /// One line down, within a tall item or to the next one; by how many lines.
    fn down(&mut self, size: Size) -> usize {
        let Some(item) = self.items.get(self.place.cursor) else {
            return 0;
        };
        let screen = isize::try_from(size.height).unwrap_or(1);
        let tall = signed(self.height_of(item, size));
        if self.place.above + tall > screen && tall > screen {
            self.place.above -= 1;
            return 1;
        }
        let Some(next) = self.items.get(self.place.cursor + 1) else {
            return 0;
        };
        let next = signed(self.height_of(next, size));
        self.place.cursor += 1;
        self.place.above = (self.place.above + tall).min((screen - next).max(0));
        usize::try_from(tall).unwrap_or(1)
    }

    fn up(&mut self, size: Size) -> usize {
        if self.place.above < 0 {
            self.place.above += 1;
            return 1;
        }
        let Some(before) = self.place.cursor.checked_sub(1) else {
            return 0;
        };
        let Some(item) = self.items.get(before) else {
            return 0;
        };
        let screen = isize::try_from(size.height).unwrap_or(1);
        let tall = signed(self.height_of(item, size));
        self.place.cursor = before;
        self.place.above = (self.place.above - tall).max((screen - tall).min(0));
        usize::try_from(tall).unwrap_or(1)
    }

    /// Fills the screen: no empty lines below the last one or above the first one while there
    /// are others to show. True if anything moved.
    pub fn fit(&mut self, size: Size) -> bool {
        let before = self.place;
        let screen = usize::from(size.height);
        let Some(item) = self.items.get(self.place.cursor) else {
            self.place.cursor = self.items.len().saturating_sub(1);
            return false;
        };
        let tall = self.height_of(item, size);
        let heights = |items: &mut dyn Iterator<Item = &super::Item>| {
            let mut sum = 0;
            for item in items {
                sum += self.height_of(item, size);
                if sum >= screen + tall {
                    break;
                }
            }
            signed(sum)
        };
        let below = heights(&mut self.items[self.place.cursor..].iter());
        let above = heights(&mut self.items[..self.place.cursor].iter().rev());
        let mut place = self.place.above;
        // The cursor's line is on the screen.
        if tall <= screen {
            place = place.clamp(0, signed(screen - tall));
        } else {
            place = place.clamp(signed(screen) - signed(tall), signed(screen) - 1);
        }
        place = place.max(signed(screen) - below).min(above);
        self.place.above = place;
        before != self.place
    }

    /// Moves sideways, by steps to the right.
    pub fn sideways(&mut self, steps: isize) {
        let by = signed(SIDEWAYS) * steps;
        let column = self.place.column.saturating_add_signed(by);
        self.place.column = column.min(FARTHEST);
    }
}

fn signed(count: usize) -> isize {
    isize::try_from(count).unwrap_or(isize::MAX / 4)
}
