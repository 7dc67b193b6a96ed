//! The keys that a settings file may hold, and how their values are read.

use std::path::Path;
use std::time::Duration;

use serde_yaml::{Mapping, Value};

use super::look::{Bound, Skin};
use super::settings::{Settings, parse_refresh};
use super::value::{Source, Valued};
use super::yaml::{Fault, Place, Places, did_you_mean};
use crate::host::open::OpenError;
use crate::keys::{self, Key as KeyName};
use crate::model::Panel;
use crate::model::command::{COMMANDS, Command};
use crate::model::keymap::Binding;
use crate::model::sorting::{self, NoSort};
use crate::theme::THEMES;

/// One key of the files. A new setting is one more row of [`KEYS`].
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What a value looks like, after "expected".
    pub expects: &'static str,
    /// What it does, for the documentation.
    pub doc: &'static str,
    /// Takes the value; gives back what is wrong with it.
    pub(super) set: fn(&mut Draft, &Value, &Here<'_>) -> Vec<Fault>,
}

/// The name of the one key that is no matter of taste.
pub const READ_ONLY: &str = "read-only";
/// The folder of themes of one's own, beside the settings file.
pub(super) const THEMES_FOLDER: &str = "themes";
const KEYS_KEY: &str = "keys";
const SORT_KEY: &str = "sort";

/// Every key that a settings file may hold.
pub const KEYS: &[Key] = &[
    Key {
        name: READ_ONLY,
        expects: "true or false",
        doc: "Change nothing on the node; nothing turns this off again.",
        set: |draft, value, here| {
            draft.read_only = value.as_bool();
            here.unless(draft.read_only.is_some(), value)
        },
    },
    Key {
        name: "refresh",
        expects: "a duration from 250ms to 5m, such as 2s",
        doc: "Time between two looks at the runtime.",
        set: |draft, value, here| {
            let text = value.as_str();
            let refresh: Option<Duration> = text.and_then(|text| parse_refresh(text).ok());
            draft.settings.refresh = refresh.map(|refresh| here.valued(refresh, None));
            here.unless(refresh.is_some(), value)
        },
    },
    Key {
        name: "theme",
        expects: "the name of a theme, or the absolute path of a theme file",
        doc: "Colours and styles.",
        set: theme,
    },
    Key {
        name: KEYS_KEY,
        expects: "a mapping of commands to keys, such as sort: [s, F5]",
        doc: "Keys for a command in place of its own; [] takes them away.",
        set: bindings,
    },
    Key {
        name: SORT_KEY,
        expects: "a mapping of lists to columns, such as pods: age reversed",
        doc: "The order in which pods, containers and images begin.",
        set: sort,
    },
    Key {
        name: "logs",
        expects: "a mapping of options to values, such as wrap: true",
        doc: "How the view of logs begins.",
        set: super::logs::read,
    },
    Key {
        name: "journal",
        expects: "a mapping of options to values, such as syslog: true",
        doc: "Where changes of the node are kept.",
        set: super::journal::read,
    },
];

/// What one file says.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub settings: Settings,
    pub read_only: Option<bool>,
}

/// The key that is being read, and where.
pub(super) struct Here<'a> {
    /// The file, as messages name it.
    pub shown: &'a str,
    pub places: &'a Places,
    pub key: &'static Key,
    /// Reads a further file with the rights and the trust of this one.
    pub read: &'a dyn Fn(&Path) -> Result<String, String>,
}

impl Here<'_> {
    fn place(&self, inside: Option<&str>) -> Option<Place> {
        match inside {
            Some(name) => self.places.inside(self.key.name, name),
            None => self.places.get(self.key.name),
        }
    }

    fn source(&self, inside: Option<&str>) -> Source {
        Source::File {
            path: self.shown.into(),
            line: self.place(inside).map(|place| place.line),
        }
    }

    pub(super) fn valued<T>(&self, value: T, inside: Option<&str>) -> Valued<T> {
        Valued::new(value, self.source(inside))
    }

    fn fault(&self, inside: Option<&str>, what: &str) -> Fault {
        Fault::at(self.place(inside), format!("{}: {what}", self.key.name))
    }

    fn unless(&self, good: bool, found: &Value) -> Vec<Fault> {
        if good {
            return Vec::new();
        }
        let what = format!("expected {}, found {}", self.key.expects, scalar(found));
        vec![self.fault(None, &what)]
    }

    /// Reads each entry of a mapping.
    pub(super) fn each(
        &self,
        value: &Value,
        mut read: impl FnMut(&str, &Value) -> Result<(), String>,
    ) -> Vec<Fault> {
        let empty = Mapping::new();
        let pairs = match value {
            Value::Mapping(pairs) => pairs,
            // A mapping of which every line is commented out.
            Value::Null => &empty,
            other => return self.unless(false, other),
        };
        let read = pairs.iter().filter_map(|(name, value)| {
            let name = scalar(name);
            let what = read(&name, value).err()?;
            Some(self.fault(Some(&name), &what))
        });
        read.collect()
    }
}

fn theme(draft: &mut Draft, value: &Value, here: &Here<'_>) -> Vec<Fault> {
    let Some(text) = value.as_str() else {
        return here.unless(false, value);
    };
    let skin = match Skin::named(text) {
        Some(skin) => Ok(skin),
        None if Path::new(text).is_absolute() => (here.read)(Path::new(text))
            .and_then(|source| {
                Skin::parse(text.into(), &source).map_err(|what| format!(" is no theme: {what}"))
            })
            .map_err(|what| format!("{text}{what}")),
        None if text.contains('/') => Err(format!("{text} is not an absolute path")),
        None => own_theme(text, here),
    };
    match skin {
        Ok(skin) => {
            draft.settings.theme = Some(here.valued(skin, None));
            Vec::new()
        }
        Err(what) => vec![here.fault(None, &what)],
    }
}

/// A theme in the folder beside the settings file.
fn own_theme(name: &str, here: &Here<'_>) -> Result<Skin, String> {
    let path = Path::new(THEMES_FOLDER).join(format!("{name}.yaml"));
    match (here.read)(&path) {
        Ok(source) => Skin::parse(path, &source)
            .map(|skin| skin.called(name))
            .map_err(|what| format!("{name} is no theme: {what}")),
        Err(what) if what.trim() == OpenError::Missing.to_string() => {
            Err(no_such("theme", name, THEMES.map(|(name, _)| name)))
        }
        Err(what) => Err(format!("{name}{what}")),
    }
}

fn bindings(draft: &mut Draft, value: &Value, here: &Here<'_>) -> Vec<Fault> {
    here.each(value, |name, value| {
        let command = COMMANDS.iter().find(|command| command.name == name);
        let command = command.ok_or_else(|| {
            let names = COMMANDS.iter().map(|command| command.name);
            match did_you_mean(name, names) {
                Some(meant) => format!("{name} is no command: did you mean {meant}?"),
                None => {
                    format!("{name} is no command: 'critui settings --default' lists them all")
                }
            }
        })?;
        let keys = keys_of(command, value).map_err(|what| format!("{name}: {what}"))?;
        draft.settings.keys.push(Bound {
            binding: Binding { command, keys },
            source: here.source(Some(name)),
            column: here.place(Some(name)).map(|place| place.column),
        });
        Ok(())
    })
}

fn keys_of(command: &Command, value: &Value) -> Result<Vec<KeyName>, String> {
    let one = std::slice::from_ref(value);
    let values = value.as_sequence().map_or(one, Vec::as_slice);
    let mut keys = Vec::new();
    for value in values {
        let text = match value {
            Value::String(text) => text.clone(),
            // The keys 1, 2, 3.
            Value::Number(number) => number.to_string(),
            Value::Null => {
                return Err(
                    "expected a key or a list of keys, found nothing: [] takes the keys \
                            away, and some keys, as ~, need quotes"
                        .into(),
                );
            }
            other => {
                let found = scalar(other);
                return Err(format!("expected a key or a list of keys, found {found}"));
            }
        };
        let key = key(&text)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    if keys.is_empty() && command.name == "quit" {
        return Err("needs a key, else there may be no way out".into());
    }
    Ok(keys)
}

fn key(text: &str) -> Result<KeyName, String> {
    let key: KeyName = text.parse().map_err(|unknown| match keys::suggest(text) {
        Some(meant) => format!("{text:?} is not a key: did you mean {meant}?"),
        None => format!("{unknown}"),
    })?;
    match keys::arrives_as(key) {
        Some(other) => Err(format!("a terminal sends {other} for {key}: write {other}")),
        None => Ok(key),
    }
}

fn sort(draft: &mut Draft, value: &Value, here: &Here<'_>) -> Vec<Fault> {
    let name_of = |panel: &Panel| sorting::panel_name(*panel);
    here.each(value, |name, value| {
        let panel = Panel::ALL.into_iter().find(|panel| name_of(panel) == name);
        let lists = Panel::ALL.each_ref().map(name_of);
        let panel = panel.ok_or_else(|| no_such("list", name, lists))?;
        let text = value.as_str().ok_or_else(|| {
            let found = scalar(value);
            format!("{name}: expected a column, such as age or \"age reversed\", found {found}")
        })?;
        let order = sorting::parse(panel, text).map_err(|why| match why {
            NoSort::Suffix(suffix) => {
                format!("{name}: after the column only reversed, found {suffix}")
            }
            NoSort::Column(column) => {
                let names = sorting::names(panel);
                let what = no_such("column", &column, names.iter().map(String::as_str));
                format!("{name}: {what}")
            }
        })?;
        draft.settings.sort[panel.index()] = Some(here.valued(order, Some(name)));
        Ok(())
    })
}

/// That `name` is none of `names`, and which was meant or which there are.
pub(super) fn no_such<'a>(
    what: &str,
    name: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match did_you_mean(name, names.iter().copied()) {
        Some(meant) => format!("{name} is no {what}: did you mean {meant}?"),
        None => format!("{name} is no {what}: there are {}", names.join(", ")),
    }
}

/// A value in a message; what has an inside is named only.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(value) => value.clone(),
        Value::Sequence(_) => "a list".into(),
        Value::Mapping(_) => "a mapping".into(),
        Value::Tagged(_) => "a tagged value".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{self, Loaded, SYSTEM};
    use super::super::testing::Node;
    use super::*;
    use rstest::rstest;

    fn load(node: &Node, settings: &str) -> Loaded {
        node.write(SYSTEM, settings);
        settings::load(None, &node.env, &node.host)
    }

    /// The problems, with the node's folder cut out and the file's path shortened.
    fn problems(node: &Node, settings: &str) -> Vec<String> {
        let loaded = load(node, settings);
        assert_eq!(
            loaded.reasons,
            [],
            "looks and keys have no say in read-only"
        );
        let system = node.shown(SYSTEM);
        let cut = |line: &str| line.replace(&system, "S").replace(&node.shown(""), "/");
        loaded
            .problems
            .iter()
            .map(|line| cut(line.as_str()))
            .collect()
    }

    #[rstest]
    #[case("theme: nrod", "S:1:1: theme: nrod is no theme: did you mean nord?")]
    #[case(
        "theme: x",
        "S:1:1: theme: x is no theme: there are dark, light, high-contrast, colour-blind, monochrome, solarized-dark, gruvbox, nord"
    )]
    #[case(
        "theme: [nord]",
        "S:1:1: theme: expected the name of a theme, or the absolute path of a theme file, found a list"
    )]
    #[case(
        "theme:",
        "S:1:1: theme: expected the name of a theme, or the absolute path of a theme file, found nothing"
    )]
    #[case("theme: my/own", "S:1:1: theme: my/own is not an absolute path")]
    #[case("theme: /none", "S:1:1: theme: /none does not exist")]
    #[case("theme: /etc", "S:1:1: theme: /etc is a folder, not a regular file")]
    #[case(
        "\nkeys: j",
        "S:2:1: keys: expected a mapping of commands to keys, such as sort: [s, F5], found j"
    )]
    #[case(
        "keys:\n  srot: s",
        "S:2:3: keys: srot is no command: did you mean sort?"
    )]
    #[case(
        "keys:\n  xyzzy: s",
        "S:2:3: keys: xyzzy is no command: 'critui settings --default' lists them all"
    )]
    #[case(
        "keys: {sort: {a: b}}",
        "S:1:8: keys: sort: expected a key or a list of keys, found a mapping"
    )]
    #[case(
        "keys: {sort: [s, true]}",
        "S:1:8: keys: sort: expected a key or a list of keys, found true"
    )]
    #[case(
        "keys: {sort: ~}",
        "S:1:8: keys: sort: expected a key or a list of keys, found nothing: [] takes the keys away, and some keys, as ~, need quotes"
    )]
    #[case(
        "keys: {sort: Ctrl-s}",
        "S:1:8: keys: sort: \"Ctrl-s\" is not a key: did you mean ^s?"
    )]
    #[case(
        "keys: {sort: ''}",
        "S:1:8: keys: sort: \"\" is not a key: write a character, ^c for control, A- for alt, S-Tab, F1 to F12, one of Enter Esc Tab Space Backspace Delete Up Down Left Right Home End PgUp PgDn, or two keys with a space between"
    )]
    #[case(
        "keys: {sort: ^i}",
        "S:1:8: keys: sort: a terminal sends Tab for ^i: write Tab"
    )]
    #[case(
        "keys: {quit: []}",
        "S:1:8: keys: quit: needs a key, else there may be no way out"
    )]
    #[case(
        "keys: {sort: j}",
        "S:1:8: keys: sort: j is the key of down already: give down another key, or none (down: [])"
    )]
    #[case(
        "keys:\n  sort: F5\n  reverse: F5",
        "S:3:3: keys: reverse: F5 is the key of sort already (S:2): give sort another key, or none (sort: [])"
    )]
    #[case(
        "sort: age",
        "S:1:1: sort: expected a mapping of lists to columns, such as pods: age reversed, found age"
    )]
    #[case("sort: {pod: age}", "S:1:8: sort: pod is no list: did you mean pods?")]
    #[case(
        "sort: {7: age}",
        "S: sort: 7 is no list: there are pods, containers, images"
    )]
    #[case(
        "sort: {pods: agee}",
        "S:1:8: sort: pods: agee is no column: did you mean age?"
    )]
    #[case(
        "sort: {images: x}",
        "S:1:8: sort: images: x is no column: there are trouble, image, size, used-by, tags, image-id, digest"
    )]
    #[case(
        "sort: {pods: age upwards}",
        "S:1:8: sort: pods: after the column only reversed, found upwards"
    )]
    #[case(
        "sort: {pods: [age]}",
        "S:1:8: sort: pods: expected a column, such as age or \"age reversed\", found a list"
    )]
    fn mistakes(#[case] settings: &str, #[case] problem: &str) {
        assert_eq!(problems(&Node::new(), settings), [problem]);
    }

    #[rstest]
    #[case("txt: {}", "unknown variant `txt`, ")]
    #[case("text: { fg: mauve }", "text: \"mauve\" is not a colour: ")]
    #[case("text: { fgg: red }", "text: unknown field `fgg`, ")]
    #[case("[]", "invalid type: ")]
    fn mistakes_in_a_theme(#[case] theme: &str, #[case] what: &str) {
        let node = Node::new();
        node.write("/themes/mine.yaml", theme);
        let problems = problems(&node, "theme: /themes/mine.yaml\n");
        let start = format!("S:1:1: theme: /themes/mine.yaml is no theme: {what}");
        assert!(problems[0].starts_with(&start), "{problems:?}");
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn the_rest_takes_effect() {
        let text = "theme: nrod\nrefresh: 3s\nkeys: {srot: z, sort: [Z, Z, 7], up: []}\n\
                    sort: {pod: age, images: size reversed}\n";
        let loaded = load(&Node::new(), text);
        assert_eq!(loaded.problems.len(), 3, "{:?}", loaded.problems);
        assert_eq!(loaded.reasons, []);
        assert_eq!(
            loaded.settings.refresh.clone().unwrap().value,
            Duration::from_secs(3)
        );
        let look = loaded.settings.look();
        assert_eq!(look.theme.value.name.as_str(), "dark");
        let keys = |name| {
            let command = COMMANDS.iter().find(|command| command.name == name);
            look.keymap.shown(command.unwrap())
        };
        assert_eq!(
            (keys("sort"), keys("up"), keys("down")),
            ("Z 7".into(), String::new(), "j Down".into())
        );
        let orders = Panel::ALL.map(|p| sorting::print(p, look.sorts()[p.index()]));
        assert_eq!(orders, ["trouble", "trouble", "size reversed"]);
    }

    #[test]
    fn an_empty_mapping_is_none() {
        assert_eq!(
            load(&Node::new(), "keys:\n  # sort: s\nsort:\n"),
            Loaded::default()
        );
    }

    #[test]
    fn a_theme_of_ones_own() {
        let node = Node::new();
        node.write("/themes/mine.yaml", "text: { fg: red }");
        let loaded = load(&node, "theme: /themes/mine.yaml\n");
        assert_eq!(loaded.problems, [""; 0]);
        let theme = loaded.settings.theme.unwrap();
        assert_eq!(theme.value.name.as_str(), "/themes/mine.yaml");
        assert_eq!(
            theme.source.to_string(),
            format!("{}:1", node.shown(SYSTEM))
        );
    }

    #[test]
    fn of_two_files_the_later_wins_for_each_command_and_list() {
        let node = Node::new();
        node.write(
            "/home/u/.config/critui/settings.yaml",
            "keys: {sort: F6}\nsort: {pods: age}\n",
        );
        let system = "theme: light\nkeys: {sort: F5, up: F7}\nsort: {pods: ip, images: size}\n";
        let loaded = load(&node, system);
        assert_eq!(loaded.problems, [""; 0]);
        let look = loaded.settings.look();
        let key = |name| look.keymap.key_of(name).unwrap().to_string();
        assert_eq!((key("sort"), key("up")), ("F6".into(), "F7".into()));
        let orders = Panel::ALL.map(|p| sorting::print(p, look.sorts()[p.index()]));
        assert_eq!(orders, ["age", "trouble", "size"]);
        let shown = look
            .keys()
            .find(|(command, ..)| command.name == "sort")
            .unwrap();
        assert!(
            shown
                .2
                .to_string()
                .ends_with("/home/u/.config/critui/settings.yaml:1")
        );
    }
}
