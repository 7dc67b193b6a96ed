//! Draws the README's picture: the real screen on the simulated node, as SVG.
//!
//! `cargo run --example picture` writes examples/screen.svg. Everything in it comes through the
//! real loop, from lists that were read over the node's socket; time stands still and the seed is
//! fixed, so it comes out the same each time.

#[path = "../tests/support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "../tests/support/typing.rs"]
mod typing;

use std::fmt::Write as _;
use std::path::Path;

use flow::Start;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Columns and rows of the terminal.
const SIZE: (u16, u16) = (120, 36);
/// Pixels of a cell and around them.
const CELL: (f32, f32) = (8.4, 19.0);
const FONT: f32 = 14.0;
const MARGIN: f32 = 16.0;
/// Where letters stand in a cell, from its top.
const BASE: f32 = 14.0;

const BACKGROUND: &str = "#0d1117";
const FOREGROUND: &str = "#d7dde4";
const FONTS: &str = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

fn main() -> std::io::Result<()> {
    let start = Start {
        size: SIZE,
        ..Start::default()
    };
    // The pod that ran out of memory, once its attempts and its status are there.
    let flow = flow::opened(&start)
        .types("jjjj")
        .sees("─ Pod shop/cache-0")
        .sees("redis #3    OOMKilled")
        .sees("ip ");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/screen.svg");
    std::fs::write(&path, svg(&flow.shown().buffer))?;
    println!("wrote {}", path.display());
    flow.quits("q");
    Ok(())
}

/// A buffer as a picture.
fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let width = f32::from(columns).mul_add(CELL.0, 2.0 * MARGIN);
    let height = f32::from(rows).mul_add(CELL.1, 2.0 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         font-family=\"{FONTS}\" font-size=\"{FONT}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n"
    );
    for y in 0..rows {
        let cells: Vec<&Cell> = (0..columns).map(|x| &buffer[(x, y)]).collect();
        backgrounds(&mut out, y, &cells);
        let mut from = 0;
        while from < cells.len() {
            let length = run(&cells[from..]);
            draw(&mut out, from, y, &cells[from..from + length]);
            from += length;
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Cells from the first on that are drawn as one: of one style, up to two spaces in a row.
fn run(cells: &[&Cell]) -> usize {
    let first = cells[0];
    let kind = |cell: &Cell| {
        (
            colours(cell),
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

fn is_rule(cell: &Cell) -> bool {
    cell.symbol() == "─"
}

/// Fills what is not as the background.
fn backgrounds(out: &mut String, y: u16, cells: &[&Cell]) {
    let mut from = 0;
    while from < cells.len() {
        let (_, back) = colours(cells[from]);
        let length = cells[from..]
            .iter()
            .take_while(|cell| colours(cell).1 == back)
            .count();
        if back != BACKGROUND {
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

/// One run: a rule as a line, letters as text in exactly the room of their cells, whatever font
/// there is.
fn draw(out: &mut String, from: usize, row: u16, cells: &[&Cell]) {
    let text: String = cells.iter().map(|cell| cell.symbol()).collect();
    if text.trim().is_empty() {
        return;
    }
    let ((x, y), width) = (corner(from, row), pixels(cells.len()));
    let (colour, _) = colours(cells[0]);
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
        let bold = if cells[0].modifier.contains(Modifier::BOLD) {
            " font-weight=\"bold\""
        } else {
            ""
        };
        writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" \
             lengthAdjust=\"spacingAndGlyphs\" fill=\"{colour}\"{bold}>{}</text>",
            y + BASE,
            escaped(&text)
        )
    };
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

/// Letters and ground of a cell.
fn colours(cell: &Cell) -> (&'static str, &'static str) {
    let letters = palette(cell.fg, FOREGROUND);
    let ground = palette(cell.bg, BACKGROUND);
    if cell.modifier.contains(Modifier::REVERSED) {
        (ground, letters)
    } else {
        (letters, ground)
    }
}

/// The sixteen colours of a terminal that is easy on the eyes.
fn palette(colour: Color, reset: &'static str) -> &'static str {
    match colour {
        Color::Black => BACKGROUND,
        Color::Red => "#ff7b72",
        Color::Green => "#56d364",
        Color::Yellow => "#e3b341",
        Color::Blue => "#79c0ff",
        Color::Magenta => "#d2a8ff",
        Color::Cyan => "#56d4dd",
        Color::DarkGray => "#7d8590",
        Color::Gray => "#b1bac4",
        Color::White => "#ffffff",
        _ => reset,
    }
}
