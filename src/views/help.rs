//! Help, generated from the table of commands, and the notices.

use crate::model::command::{COMMANDS, Command, place};
use crate::model::help::Help;
use crate::model::{Keymap, Model};
use crate::text::Text;
use crate::theme::Role;
use crate::widgets::page::Doc;

/// The title of the page.
pub fn title(help: &Help) -> String {
    match help.sought.trim() {
        "" => "Help".to_owned(),
        sought => format!("Help: {}", Text::clean(sought)),
    }
}

/// The keys, as the user has them: those of the view from which help was asked for, then all
/// others; of all of them those that are looked for. What a run that is read-only refuses is said
/// to be refused.
pub fn doc(keymap: &Keymap, help: &Help, read_only: bool) -> Doc {
    let mut doc = Doc::default();
    let everywhere = |command: &Command| place(command) == "everywhere";
    let here = |command: &Command| command.on.contains(&help.noun) && !everywhere(command);
    let mut sections: Vec<(&str, Vec<&Command>)> = vec![("Here", vec![]), ("Everywhere", vec![])];
    for command in COMMANDS {
        let shown = keys(keymap, command);
        if !help.finds(&[&shown, command.name, command.doc]) {
            continue;
        }
        let title = if here(command) {
            "Here"
        } else {
            section(command)
        };
        match sections.iter_mut().find(|(known, _)| *known == title) {
            Some((_, commands)) => commands.push(command),
            None => sections.push((title, vec![command])),
        }
    }
    sections.retain(|(_, commands)| !commands.is_empty());
    if sections.is_empty() {
        doc.text(
            "nothing here has all of these words; Esc shows all keys",
            Role::Dim,
        );
    }
    for (title, commands) in sections {
        doc.title(title);
        for command in commands {
            let refused = read_only && command.changes;
            let keys = keys(keymap, command);
            if refused {
                let words = format!("refused, this run is read-only: {}", command.doc);
                doc.fact_as(keys, words, Role::Dim);
            } else {
                doc.fact(keys, command.doc);
            }
        }
    }
    if help.sought.trim().is_empty() {
        trouble(&mut doc);
    }
    doc
}

fn trouble(doc: &mut Doc) {
    doc.title("What is in trouble");
    for line in [
        "Rows in trouble come first: the newest attempt exited non-zero or never started, its \
         state is lost, a ready pod has had no container for a minute, or there was a restart in \
         the last ten minutes.",
        "Trouble ends after ten minutes of good running. What finished with exit 0 is none.",
        "The time of the next restart is an estimate: the kubelet waits 10 s, 20 s, 40 s ... up to \
         5 minutes.",
    ] {
        doc.text(line, Role::Text);
    }
}

/// The section of a command.
fn section(command: &Command) -> &'static str {
    match place(command) {
        "everywhere" => "Everywhere",
        "logs" => "In logs",
        "YAML" => "In YAML",
        "events" => "In events",
        "statistics" => "In statistics",
        "the node" => "On the page of the node",
        "why" => "On the page of why",
        "actions" => "On the page of actions",
        "columns" => "In the dialog of columns",
        "help" => "In this help",
        "audit" => "In the audit",
        "pages" => "On pages",
        "debugging" => "In a container from outside",
        "files" => "In files",
        "forwarded ports" => "In forwarded ports",
        _ => "In the lists",
    }
}

/// Its keys, else how it is called in the palette.
fn keys(keymap: &Keymap, command: &Command) -> String {
    match keymap.shown(command) {
        keys if keys.is_empty() => format!(":{}", command.name),
        keys => keys,
    }
}

/// What it means that the kernel holds it.
fn meaning(name: &str) -> &'static str {
    match name {
        "landlock" => {
            "no file but the terminal can be written, no program run but journalctl, no TCP \
             connection made but to the kubelet's health port"
        }
        "no-new-privs" => "no program could get more rights than this one",
        _ => "of root's rights only those to read files and to look at processes are left",
    }
}

/// Why read-only, and what was worth a warning.
pub fn notices(model: &Model) -> Doc {
    let mut doc = Doc::default();
    if model.node.read_only.is_empty() {
        doc.title("This run may change things")
            .text("no voice asks for read-only", Role::Text);
    } else {
        doc.title("Read-only, because");
        for reason in &model.node.read_only {
            doc.text(reason.as_str(), Role::Text);
        }
    }
    if let Some(kernel) = &model.node.kernel {
        doc.title("What the kernel refuses for this run");
        for name in &kernel.holds {
            doc.text(format!("{name}: {}", meaning(name)), Role::Good);
        }
        for why in &kernel.lacks {
            doc.text(format!("not held: {}", Text::clean(why)), Role::Warn);
        }
    }
    doc.title("Endpoint").text(
        format!("{} ({})", model.node.endpoint, model.node.endpoint_source),
        Role::Text,
    );
    doc.title("Notices");
    if model.node.notices.is_empty() {
        doc.text("none", Role::Dim);
    }
    for notice in model.node.notices.iter().rev() {
        doc.text(notice.as_str(), Role::Warn);
    }
    doc
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Noun;
    use crate::model::keymap::Binding;
    use crate::theme::{Ability, Depth, Theme};

    #[test]
    fn every_command_is_in_help_once_with_its_keys_or_its_name() {
        let ability = Ability {
            depth: Depth::None,
            unicode: false,
        };
        let theme = Theme::named("default", ability).unwrap();
        let unbound: Vec<Binding> = COMMANDS
            .iter()
            .filter(|command| command.name != "help")
            .map(|command| Binding {
                command,
                keys: vec![],
            })
            .collect();
        for keymap in [Keymap::default(), Keymap::new(&unbound).0] {
            let help = Help {
                noun: Noun::Logs,
                sought: String::new(),
            };
            let lines = doc(&keymap, &help, false).lines(&theme, 200);
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            for command in COMMANDS {
                let told = lines.iter().filter(|line| {
                    let fact = line.split_once("  ");
                    fact.is_some_and(|(_, doc)| doc.trim() == command.doc)
                });
                let told: Vec<&String> = told.collect();
                assert_eq!(told.len(), 1, "{}: {lines:#?}", command.name);
                assert!(told[0].contains(&keys(&keymap, command)), "{}", told[0]);
            }
        }
    }
}
