//! What the end-to-end tests look for on the screen and in reports, in one place.

use std::collections::BTreeSet;

use vt100::Screen;

/// Link state in the header: the runtime answers.
pub const UP: &[&str] = &["up"];
/// Link state in the header: it does not.
pub const LOST: &[&str] = &["down", "not answering"];
/// On every help screen.
pub const HELP: &str = "Help";
/// States of a pod in reports.
pub const READY: &str = "Ready";
/// States of a pod in reports.
pub const NOT_READY: &str = "NotReady";

/// The header: the first line.
pub fn header(screen: &Screen) -> String {
    row(screen, 0)
}

/// True when the header shows one of `states` as words of their own.
pub fn link_is(screen: &Screen, states: &[&str]) -> bool {
    let header = format!(" {} ", words(&header(screen)).join(" "));
    states
        .iter()
        .any(|state| header.contains(&format!(" {state} ")))
}

/// The text of one row.
pub fn row(screen: &Screen, row: u16) -> String {
    let columns = screen.size().1.get();
    screen
        .rows(0, columns)
        .nth(usize::from(row))
        .unwrap_or_default()
}

/// The words of the rows that are highlighted, header and footer left out: in them the selection
/// is to be found.
pub fn selected(screen: &Screen) -> BTreeSet<String> {
    let (rows, columns) = (screen.size().0.get(), screen.size().1.get());
    let highlighted = |row: &u16| {
        (0..columns)
            .filter_map(|column| screen.cell(*row, column))
            .any(|cell| cell.inverse() || cell.bgcolor() != vt100::Color::Default)
    };
    (1..rows.saturating_sub(1))
        .filter(highlighted)
        .flat_map(|at| words(&row(screen, at)))
        .collect()
}

/// The names of `known` that the selection's rows hold.
pub fn selected_of<'a>(screen: &Screen, known: &[&'a str]) -> BTreeSet<&'a str> {
    let words = selected(screen);
    known
        .iter()
        .copied()
        .filter(|name| words.contains(*name))
        .collect()
}

/// True when `word` stands on the screen as a word of its own.
pub fn shows(screen: &Screen, word: &str) -> bool {
    words(&screen.contents()).iter().any(|found| found == word)
}

/// Words: letters, digits and what names are made of.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
