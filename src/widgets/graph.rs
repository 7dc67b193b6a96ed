//! A graph over time: an area, a line over it, a limit, a strip of marks below, axes with units.
//! Braille where the terminal has it (two values and four steps to a cell), else ASCII.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::theme::{Role, Theme};
use crate::widgets::text::{cut_end, prefix, width};

/// Cells for the numbers of the vertical axis.
pub const AXIS: u16 = 9;
/// Dots of a braille cell from the bottom up, left and right.
const DOTS: [[u32; 4]; 2] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]];
/// The braille cell without dots.
const BRAILLE: u32 = 0x2800;
/// Less room than this between two labels of an axis reads badly.
const LABELS: u16 = 12;

/// Values that one cell of width shows: ask for so many.
pub fn values_in(theme: &Theme, area: Rect) -> usize {
    let cells = usize::from(area.width.saturating_sub(AXIS));
    if theme.unicode() { cells * 2 } else { cells }
}

/// What is drawn.
#[derive(Debug)]
pub struct Graph<'a> {
    /// The line above it.
    pub title: String,
    /// What the title means.
    pub role: Role,
    /// The area, from left to right; `None` is not known.
    pub area: Vec<Option<u32>>,
    /// A line in another colour.
    pub line: Vec<Option<u32>>,
    /// A limit, as a line across.
    pub limit: Option<u32>,
    /// The value at the top.
    pub top: u32,
    /// How a value is written at the axis.
    pub unit: fn(u32) -> String,
    /// Marks below: their name, one level from 0 to 3 for each value, and what they mean.
    pub strip: Option<(&'a str, Vec<u8>, Role)>,
    /// What stands at the left, in the middle and at the right of the horizontal axis.
    pub times: [String; 3],
    /// The value under the cursor, by its index.
    pub cursor: Option<usize>,
}

/// Where a graph is drawn and how.
struct Canvas<'a> {
    theme: &'a Theme,
    plot: Rect,
}

impl Graph<'_> {
    /// Draws it into `area`.
    pub fn draw(&self, theme: &Theme, area: Rect, buffer: &mut Buffer) {
        if area.height < 3 || area.width < AXIS + 4 {
            return;
        }
        let more = theme.glyphs().more;
        let title = cut_end(&self.title, area.width, more);
        buffer.set_string(area.x, area.y, title, theme.style(self.role));
        let below = 1 + u16::from(self.strip.is_some());
        let plot = Rect {
            x: area.x + AXIS,
            y: area.y + 1,
            width: area.width - AXIS,
            height: area.height - 1 - below,
        };
        let canvas = Canvas { theme, plot };
        if plot.height > 0 {
            self.vertical(&canvas, buffer);
            self.plot(&canvas, buffer);
        }
        if let Some((name, levels, role)) = &self.strip {
            strip(&canvas, (name, levels, *role), buffer);
        }
        self.horizontal(&canvas, area.bottom() - 1, buffer);
    }

    fn vertical(&self, canvas: &Canvas, buffer: &mut Buffer) {
        let Canvas { theme, plot } = canvas;
        let style = theme.style(Role::Dim);
        let bar = if theme.unicode() { "│" } else { "|" };
        for y in plot.y..plot.bottom() {
            buffer.set_string(plot.x - 1, y, bar, theme.style(Role::Border));
        }
        let mut label = |y: u16, value: u32| {
            let text = (self.unit)(value);
            let text = prefix(&text, AXIS - 2);
            let x = (plot.x - 2).saturating_sub(width(text));
            buffer.set_string(x, y, text, style);
        };
        label(plot.y, self.top);
        if plot.height >= 5 {
            label(plot.y + plot.height / 2, self.top / 2);
        }
        if plot.height >= 2 {
            label(plot.bottom() - 1, 0);
        }
    }

    fn plot(&self, canvas: &Canvas, buffer: &mut Buffer) {
        let Canvas { theme, plot } = canvas;
        let cursor = self
            .cursor
            .map(|at| if theme.unicode() { at / 2 } else { at });
        let limit = self.limit.filter(|limit| *limit <= self.top);
        let limit = limit.map(|limit| {
            let from_bottom = steps(limit, self.top, plot.height).max(1) - 1;
            plot.bottom() - 1 - from_bottom.min(plot.height - 1)
        });
        for cell in 0..plot.width {
            let under = cursor == Some(usize::from(cell));
            for y in plot.y..plot.bottom() {
                let x = plot.x + cell;
                let (symbol, role) = self.symbol(canvas, cell, plot.bottom() - 1 - y);
                let (symbol, role) = match symbol {
                    Some(symbol) => (symbol, role),
                    None if limit == Some(y) => {
                        (if theme.unicode() { '─' } else { '-' }, Role::Bad)
                    }
                    None if under => (if theme.unicode() { '│' } else { '|' }, Role::Focus),
                    None => continue,
                };
                let style = theme.style(if under { Role::Focus } else { role });
                buffer.set_string(x, y, symbol.to_string(), style);
            }
        }
    }

    /// What stands in a cell, counted from the left and from the bottom.
    fn symbol(&self, canvas: &Canvas, cell: u16, row: u16) -> (Option<char>, Role) {
        if !canvas.theme.unicode() {
            return self.ascii(canvas, cell, row);
        }
        let height = canvas.plot.height * 4;
        let (mut area, mut line) = (0, 0);
        for (side, dots) in DOTS.iter().enumerate() {
            let at = usize::from(cell) * 2 + side;
            let value = |series: &[Option<u32>]| series.get(at).copied().flatten();
            let filled = value(&self.area).map(|value| steps(value, self.top, height).max(1));
            let top = value(&self.line).map(|value| steps(value, self.top, height).max(1));
            for (nth, dot) in (row * 4..).zip(dots) {
                area |= if filled.is_some_and(|filled| nth < filled) {
                    *dot
                } else {
                    0
                };
                line |= if top == Some(nth + 1) { *dot } else { 0 };
            }
        }
        let role = if line > 0 { Role::Match } else { Role::Accent };
        let dots = (area | line > 0).then(|| char::from_u32(BRAILLE + (area | line)));
        (dots.flatten(), role)
    }

    fn ascii(&self, canvas: &Canvas, cell: u16, row: u16) -> (Option<char>, Role) {
        let value = |series: &[Option<u32>]| series.get(usize::from(cell)).copied().flatten();
        let height = canvas.plot.height * 2;
        let steps = |value| steps(value, self.top, height).max(1);
        if value(&self.line).is_some_and(|value| (steps(value) - 1) / 2 == row) {
            return (Some('o'), Role::Match);
        }
        let symbol = match value(&self.area).map_or(0, steps).saturating_sub(row * 2) {
            0 => None,
            1 => Some('.'),
            _ => Some('#'),
        };
        (symbol, Role::Accent)
    }

    fn horizontal(&self, canvas: &Canvas, y: u16, buffer: &mut Buffer) {
        let Canvas { theme, plot } = canvas;
        let style = theme.style(Role::Dim);
        let [left, middle, right] = &self.times;
        buffer.set_string(plot.x, y, prefix(left, plot.width), style);
        if plot.width >= LABELS * 3 {
            let x = plot.x + (plot.width - width(middle)) / 2;
            buffer.set_string(x, y, middle, style);
        }
        if plot.width >= LABELS * 2 {
            buffer.set_string(plot.right() - width(right).min(plot.width), y, right, style);
        }
    }
}

fn strip(canvas: &Canvas, strip: (&str, &[u8], Role), buffer: &mut Buffer) {
    let Canvas { theme, plot } = canvas;
    let (name, levels, role) = strip;
    let y = plot.bottom();
    let name = prefix(name, AXIS - 1);
    let x = (plot.x - 1).saturating_sub(width(name));
    buffer.set_string(x, y, name, theme.style(Role::Dim));
    let symbols = if theme.unicode() {
        [' ', '░', '▒', '▓']
    } else {
        [' ', '.', ':', '#']
    };
    let wide = if theme.unicode() { 2 } else { 1 };
    for (levels, x) in levels.chunks(wide).zip(plot.x..plot.right()) {
        let level = levels.iter().max().copied().unwrap_or(0);
        let symbol = symbols[usize::from(level.min(3))];
        buffer.set_string(x, y, symbol.to_string(), theme.style(role));
    }
}

/// `value` of `top` in `height` steps, rounded up.
fn steps(value: u32, top: u32, height: u16) -> u16 {
    let steps = (u64::from(value) * u64::from(height)).div_ceil(u64::from(top.max(1)));
    u16::try_from(steps).unwrap_or(u16::MAX).min(height)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::{Ability, Depth};

    fn theme(unicode: bool) -> Theme {
        let ability = Ability {
            depth: Depth::None,
            unicode,
        };
        Theme::named("default", ability).unwrap()
    }

    fn drawn(graph: &Graph, unicode: bool, width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        graph.draw(&theme(unicode), area, &mut buffer);
        let cells = buffer.content.chunks(width.into());
        let line = |cells: &[ratatui::buffer::Cell]| {
            let line: String = cells.iter().map(ratatui::buffer::Cell::symbol).collect();
            line.trim_end().to_owned()
        };
        cells.map(line).collect()
    }

    fn graph() -> Graph<'static> {
        Graph {
            title: "CPU".into(),
            role: Role::Title,
            area: vec![None, Some(0), Some(50), Some(100), None, Some(75)],
            line: vec![],
            limit: Some(100),
            top: 100,
            unit: |value| format!("{value}m"),
            strip: None,
            times: ["1m ago".into(), String::new(), "now".into()],
            cursor: None,
        }
    }

    #[test]
    fn in_ascii() {
        let lines = drawn(&graph(), false, 15, 6);
        let expected = [
            "CPU",
            "   100m |---#--",
            "        |   #.",
            "        |  ## #".trim_end(),
            "     0m | .## #",
            "         1m ago",
        ];
        // The third value fills half, the last three quarters.
        assert_eq!(lines[0], expected[0]);
        assert_eq!(lines[1], expected[1]);
        assert_eq!(lines[4], expected[4]);
        assert_eq!(lines[5], expected[5]);
        assert_eq!(lines[2], "        |   # #");
        assert_eq!(lines[3], "        |  ## #");
    }

    #[test]
    fn in_braille_unknown_is_empty_and_zero_is_a_dot() {
        let mut graph = graph();
        graph.area = vec![None, None, Some(0), Some(100)];
        graph.limit = None;
        let lines = drawn(&graph, true, 13, 4);
        assert_eq!(lines[1], "   100m │ ⢸");
        assert_eq!(lines[2], "     0m │ ⣸");
    }

    #[test]
    fn marks_below() {
        let mut graph = graph();
        graph.strip = Some(("OOM", vec![0, 3, 0, 0, 1, 0], Role::Bad));
        let lines = drawn(&graph, false, 15, 7);
        assert_eq!(lines[5], "     OOM  #  .");
    }

    #[test]
    fn no_size_and_no_value_breaks_it() {
        let mut graph = graph();
        graph.area = vec![Some(u32::MAX); 500];
        graph.line = vec![Some(u32::MAX); 3];
        graph.cursor = Some(usize::MAX);
        for top in [0, 1, u32::MAX] {
            graph.top = top;
            for width in 1..40 {
                for height in 1..9 {
                    drawn(&graph, true, width, height);
                    drawn(&graph, false, width, height);
                }
            }
        }
    }
}
