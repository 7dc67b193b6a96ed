//! The table as a whole: put together, and as Markdown.

use super::{ANYWHERE, COMMANDS, Command, ENTERED, LISTS_AND_LOGS};
use crate::model::Noun;

/// One table of two.
pub(super) const fn join<const A: usize, const B: usize, const ALL: usize>(
    first: [Command; A],
    second: [Command; B],
) -> [Command; ALL] {
    let mut all = [second[0]; ALL];
    let mut at = 0;
    while at < ALL {
        all[at] = if at < A { first[at] } else { second[at - A] };
        at += 1;
    }
    all
}

/// The table of keys in Markdown, for the README and for `critui keys`.
pub fn keys_table() -> String {
    let row = |command: &Command| {
        let keys: Vec<String> = command.keys.iter().map(|key| format!("`{key}`")).collect();
        let place = match command.on {
            ANYWHERE => "everywhere",
            ENTERED => "pods, containers",
            [Noun::Logs] => "logs",
            [Noun::Tree] => "YAML",
            [Noun::Events] => "events",
            [Noun::Page] => "pages",
            [
                Noun::Pod,
                Noun::Container,
                Noun::Image,
                Noun::Page,
                Noun::Tree,
            ] => "lists, pages, YAML",
            [Noun::Forward] => "forwarded ports",
            LISTS_AND_LOGS => "lists, logs",
            _ => "lists",
        };
        format!("| {} | {} | {place} |\n", keys.join(" "), command.doc)
    };
    let of_view =
        |command: &&Command| matches!(command.on, [Noun::Logs | Noun::Tree | Noun::Events]);
    let general = COMMANDS.iter().filter(|command| !of_view(command));
    let rows: String = general
        .chain(COMMANDS.iter().filter(of_view))
        .map(row)
        .collect();
    format!("| keys | what | where |\n|---|---|---|\n{rows}")
}
