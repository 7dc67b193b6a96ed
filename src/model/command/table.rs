//! The table as a whole: put together, and as Markdown.

use super::{ANYWHERE, COMMANDS, Command, ENTERED, LISTS_AND_LOGS};
use crate::model::Noun;

/// Commands in all tables.
pub(super) const fn length(tables: &[&[Command]]) -> usize {
    let (mut sum, mut at) = (0, 0);
    while at < tables.len() {
        sum += tables[at].len();
        at += 1;
    }
    sum
}

/// One table of several; none of them is empty.
pub(super) const fn join<const ALL: usize>(tables: &[&[Command]]) -> [Command; ALL] {
    let mut all = [tables[0][0]; ALL];
    let (mut at, mut table, mut row) = (0, 0, 0);
    while at < ALL {
        if row == tables[table].len() {
            (table, row) = (table + 1, 0);
        }
        all[at] = tables[table][row];
        at += 1;
        row += 1;
    }
    all
}

/// Where a command can be used, in words.
pub fn place(command: &Command) -> &'static str {
    match command.on {
        ANYWHERE => "everywhere",
        ENTERED
        | [Noun::Pod, Noun::Container]
        | [Noun::Pod, Noun::Container, Noun::Why]
        | [Noun::Pod, Noun::Container, Noun::Page, ..] => "pods, containers",
        [Noun::Logs] => "logs",
        [Noun::Tree] => "YAML",
        [Noun::Events] => "events",
        [Noun::Page] | [Noun::Page, Noun::Why] => "pages",
        [
            Noun::Pod,
            Noun::Container,
            Noun::Image,
            Noun::Page,
            Noun::Tree,
            Noun::Why,
        ] => "lists, pages, YAML",
        [Noun::Forward] => "forwarded ports",
        [Noun::Inside] => "debugging",
        [Noun::File] => "files",
        [Noun::Stats] => "statistics",
        [Noun::Node] => "the node",
        [Noun::Why] => "why",
        [Noun::Audit, ..] => "audit",
        [Noun::Pod, .., Noun::Tree] if command.name == "audit" => "lists, pages, YAML",
        [Noun::Lines] => "node log, configuration",
        [Noun::Deed] => "actions",
        [Noun::Columns] => "columns",
        [Noun::Help] => "help",
        LISTS_AND_LOGS => "lists, logs",
        _ => "lists",
    }
}

/// The table of keys in Markdown, for the README and for `critui keys`.
pub fn keys_table() -> String {
    let row = |command: &Command| {
        let keys: Vec<String> = command.keys.iter().map(|key| format!("`{key}`")).collect();
        let place = place(command);
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
