//! `critui settings --default`: a settings file that says what is so without it.

use std::fmt::Write as _;

use super::logs::{self, LogSettings};
use super::schema::{KEYS, Key};
use super::settings::SYSTEM;
use crate::journal;
use crate::model::command::COMMANDS;
use crate::model::{Panel, sorting};
use crate::theme::THEMES;

/// Longest line of prose.
const WIDTH: usize = 100;

/// The file. Every value in it is the default, and is commented out: without the `#` in front of
/// them, lines that do not begin with `# ` and a letter are YAML.
pub fn text() -> String {
    let mut text = format!(
        "\
# Settings of critui: {SYSTEM} for everybody,
# ~/.config/critui/settings.yaml for one user, which wins. Lines without a space after the # hold
# the defaults: take the # away to change one.
"
    );
    for key in KEYS {
        let expected = format!("Expected: {}.", key.expects);
        text.push('\n');
        for line in [key.doc.to_owned(), expected]
            .into_iter()
            .chain(choices(key))
        {
            prose(&mut text, &line);
        }
        for line in value(key.name) {
            let _ = writeln!(text, "#{line}");
        }
    }
    text
}

/// Lines of at most [`WIDTH`] characters.
fn prose(text: &mut String, paragraph: &str) {
    let mut line = String::from("#");
    for word in paragraph.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = String::from("#");
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(text, "{line}");
}

fn choices(key: &Key) -> Vec<String> {
    match key.name {
        "theme" => vec![format!(
            "Themes: {}.",
            THEMES.map(|(name, _)| name).join(", ")
        )],
        "keys" => vec![
            "A key is a character, ^c for control, A-x for alt, S-Tab, F1 to F12, or one of Enter \
             Esc Tab Space Backspace Delete Up Down Left Right Home End PgUp PgDn; quotes never \
             hurt."
                .into(),
        ],
        "sort" => Panel::ALL
            .map(|panel| {
                let names = sorting::names(panel).join(", ");
                format!("Of {}: {names}.", sorting::panel_name(panel))
            })
            .into(),
        "journal" => vec![
            "Of path: an absolute path. Without it root's journal is there, and another user's in his".into(),
            "~/.local/state/critui. Of syslog: true, false.".into(),
        ],
        "logs" => vec![
            "Of wrap: true, false. Of timestamps: off, relative, local, utc. Of json: short, raw."
                .into(),
            "Of fields: names of JSON fields to show, as in [msg, http.status]; []: all.".into(),
        ],
        _ => Vec::new(),
    }
}

/// A key and its default value, a line each.
fn value(name: &str) -> Vec<String> {
    match name {
        "read-only" => vec!["read-only: false".into()],
        "refresh" => vec!["refresh: 2s".into()],
        "theme" => vec![format!("theme: {}", THEMES[0].0)],
        "sort" => {
            let line = |panel| format!("  {}: {}", sorting::panel_name(panel), sorting::TROUBLE);
            let lines = Panel::ALL.map(line);
            std::iter::once("sort:".into()).chain(lines).collect()
        }
        "logs" => {
            let options = logs::options(&LogSettings::default());
            let lines = options.map(|(name, value)| format!("  {name}: {}", value.value));
            std::iter::once("logs:".into()).chain(lines).collect()
        }
        "journal" => vec![
            "journal:".into(),
            format!("  path: {}", journal::SYSTEM),
            "  syslog: false".into(),
        ],
        _ => std::iter::once("keys:".to_owned())
            .chain(commands())
            .collect(),
    }
}

fn commands() -> impl Iterator<Item = String> {
    let entry = |command: &crate::model::command::Command| {
        let keys: Vec<String> = command.keys.iter().map(|key| quoted(key)).collect();
        format!("  {}: [{}]", command.name, keys.join(", "))
    };
    let width = COMMANDS.iter().map(|command| entry(command).len()).max();
    let width = width.unwrap_or(0);
    COMMANDS.iter().map(move |command| {
        let line = entry(command);
        format!("{line:width$}  # {}", command.doc)
    })
}

/// A key in quotes that YAML takes as they are.
fn quoted(key: &str) -> String {
    format!("'{}'", key.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::super::settings::{self, Loaded};
    use super::super::testing::Node;
    use super::*;
    use crate::config::look::Look;
    use crate::text::Text;
    use std::time::Duration;

    fn load(text: &str) -> Loaded {
        let node = Node::new();
        node.write(SYSTEM, text);
        settings::load(None, &node.env, &node.host)
    }

    /// The file with its values in effect.
    fn uncommented() -> String {
        let prose = |line: &&str| line.starts_with("# ") && !line.starts_with("#  ");
        let text = text();
        let values = text.lines().filter(|line| !prose(line));
        let values = values.map(|line| line.trim_start_matches('#'));
        values.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn it_loads_back_and_says_nothing() {
        assert_eq!(load(&text()), Loaded::default());
    }

    #[test]
    fn its_values_load_back_and_are_the_defaults() {
        let text = uncommented();
        for key in KEYS {
            assert!(text.contains(&format!("{}:", key.name)), "{}", key.name);
        }
        let loaded = load(&text);
        assert_eq!(loaded.problems, Vec::<Text>::new(), "{text}");
        assert!(loaded.reasons.is_empty());
        let refresh = loaded
            .settings
            .refresh
            .as_ref()
            .map(|refresh| refresh.value);
        assert_eq!(refresh, Some(Duration::from_secs(2)));
        assert_eq!(loaded.settings.keys.len(), COMMANDS.len());
        let (look, built_in) = (loaded.settings.look(), Look::default());
        assert_eq!(look.keymap, built_in.keymap);
        assert_eq!(look.sorts(), built_in.sorts());
        assert_eq!(look.logs.look(), built_in.logs.look());
        assert_eq!(look.theme.value, built_in.theme.value);
    }

    #[test]
    fn it_names_every_choice() {
        let text = text();
        for (name, _) in THEMES {
            assert!(text.contains(name), "{name}");
        }
        for name in Panel::ALL.into_iter().flat_map(sorting::names) {
            assert!(text.contains(&name), "{name}");
        }
    }

    #[test]
    fn it_fits_a_terminal() {
        for line in text().lines() {
            assert!(line.starts_with("#  ") || line.len() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(quoted("'"), "''''");
    }
}
