//! A screen as a picture, in SVG.

use std::fmt::Write as _;

use critui::theme::{Ground, Theme, fit};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Pixels of a cell and around them.
const CELL: (f32, f32) = (8.4, 19.0);
const FONT: f32 = 14.0;
const MARGIN: f32 = 16.0;
/// Where letters stand in a cell, from its top.
const BASE: f32 = 14.0;

/// The backgrounds of terminals, and their letters: dark and light.
const PAPERS: [(&str, &str); 2] = [("#0d1117", "#d7dde4"), ("#ffffff", "#24292f")];
const FONTS: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

/// A buffer as a picture of a terminal for which the theme is.
pub fn svg(buffer: &Buffer, theme: &Theme) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let width = f32::from(columns).mul_add(CELL.0, 2.0 * MARGIN);
    let height = f32::from(rows).mul_add(CELL.1, 2.0 * MARGIN);
    let paper = Paper::of(theme);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"{FONTS}\" font-size=\"{FONT}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
        paper.ground
    );
    for y in 0..rows {
        let cells: Vec<&Cell> = (0..columns).map(|x| &buffer[(x, y)]).collect();
        paper.backgrounds(&mut out, y, &cells);
        let mut from = 0;
        while from < cells.len() {
            let length = paper.run(&cells[from..]);
            paper.draw(&mut out, from, y, &cells[from..from + length]);
            from += length;
        }
    }
    out.push_str("</svg>\n");
    out
}

/// What is drawn on.
struct Paper {
    ground: String,
    letters: String,
}

impl Paper {
    fn of(theme: &Theme) -> Self {
        let (ground, letters) = PAPERS[usize::from(theme.ground() == Ground::Light)];
        let ground = match theme.ground() {
            Ground::Own(color) => palette(color, ground),
            _ => ground.to_owned(),
        };
        Self {
            ground,
            letters: letters.to_owned(),
        }
    }

    /// Cells from the first on that are drawn as one: of one style, up to two spaces in a row.
    fn run(&self, cells: &[&Cell]) -> usize {
        let first = cells[0];
        let kind = |cell: &Cell| {
            (
                self.colours(cell),
                cell.modifier,
                is_rule(cell),
                cell.symbol() == "│",
            )
        };
        let same = cells
            .iter()
            .take_while(|cell| kind(cell) == kind(first))
            .count();
        let blank = |at: usize| cells[at].symbol() == " ";
        let gap = (1..same).find(|at| blank(*at) && (at + 1 == same || blank(at + 1)));
        let words = gap.unwrap_or(same);
        if blank(0) { 1 } else { words }
    }

    /// Fills what is not as the background.
    fn backgrounds(&self, out: &mut String, y: u16, cells: &[&Cell]) {
        let mut from = 0;
        while from < cells.len() {
            let (_, back) = self.colours(cells[from]);
            let length = cells[from..]
                .iter()
                .take_while(|cell| self.colours(cell).1 == back)
                .count();
            if back != self.ground {
                let (x, y) = corner(from, y);
                let width = pixels(length);
                // Writing to a String cannot fail.
                let _ = writeln!(
                    out,
                    "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{}\" fill=\"{back}\"/>",
                    CELL.1
                );
            }
            from += length;
        }
    }

    /// One run: a rule as a line, letters as text in exactly the room of their cells, whatever
    /// font there is.
    fn draw(&self, out: &mut String, from: usize, row: u16, cells: &[&Cell]) {
        let text: String = cells.iter().map(|cell| cell.symbol()).collect();
        if text.trim().is_empty() {
            return;
        }
        let ((x, y), width) = (corner(from, row), pixels(cells.len()));
        let (colour, _) = self.colours(cells[0]);
        let _ = if is_rule(cells[0]) {
            let middle = y + CELL.1 / 2.0;
            writeln!(
                out,
                "<path d=\"M{x:.1} {middle:.1}h{width:.1}\" stroke=\"{colour}\"/>"
            )
        } else if text == "│" {
            let middle = x + CELL.0 / 2.0;
            writeln!(
                out,
                "<path d=\"M{middle:.1} {y:.1}v{}\" stroke=\"{colour}\"/>",
                CELL.1
            )
        } else {
            let has = |modifier| cells[0].modifier.contains(modifier);
            let bold = if has(Modifier::BOLD) {
                " font-weight=\"bold\""
            } else {
                ""
            };
            let underlined = if has(Modifier::UNDERLINED) {
                " text-decoration=\"underline\""
            } else {
                ""
            };
            writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" \
                 lengthAdjust=\"spacingAndGlyphs\" fill=\"{colour}\"{bold}{underlined}>{}</text>",
                y + BASE,
                escaped(&text)
            )
        };
    }

    /// Letters and ground of a cell.
    fn colours(&self, cell: &Cell) -> (String, String) {
        let letters = palette(cell.fg, &self.letters);
        let ground = palette(cell.bg, &self.ground);
        if cell.modifier.contains(Modifier::REVERSED) {
            (ground, letters)
        } else {
            (letters, ground)
        }
    }
}

fn is_rule(cell: &Cell) -> bool {
    cell.symbol() == "─"
}

fn corner(column: usize, row: u16) -> (f32, f32) {
    (
        MARGIN + pixels(column),
        f32::from(row).mul_add(CELL.1, MARGIN),
    )
}

fn pixels(cells: usize) -> f32 {
    f32::from(u16::try_from(cells).unwrap_or(u16::MAX)) * CELL.0
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A colour as SVG writes it; `reset` for the terminal's own.
fn palette(colour: Color, reset: &str) -> String {
    match fit::rgb(colour) {
        Some((r, g, b)) => format!("#{r:02x}{g:02x}{b:02x}"),
        None => reset.to_owned(),
    }
}
