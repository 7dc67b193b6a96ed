//! What differs between two trees.

use super::{Key, Tree, Value};
use crate::mask::Guarded;
use crate::text::Text;

/// Names by which the items of a list are known, so that one more in the middle is one more, and
/// not all others changed.
const KNOWN_BY: [&str; 6] = [
    "key",
    "container_path",
    "containerPath",
    "destination",
    "name",
    "type",
];

/// One place where they differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Where, as jq writes it.
    pub path: String,
    /// What the innermost item of a list around it is known by: the name of a variable, a folder.
    pub of: Option<Text>,
    /// What was there; nothing if there was none.
    pub before: Option<Guarded>,
    /// What is there; nothing if there is none.
    pub after: Option<Guarded>,
}

/// Everything in which `after` differs from `before`, in order.
pub fn differences(before: &Tree, after: &Tree) -> Vec<Difference> {
    let mut found = Vec::new();
    let differ = Differ { before, after };
    differ.nodes(0, 0, None, &mut found);
    found
}

struct Differ<'a> {
    before: &'a Tree,
    after: &'a Tree,
}

impl Differ<'_> {
    fn nodes(&self, before: usize, after: usize, of: Option<&Text>, found: &mut Vec<Difference>) {
        let (old, new) = (&self.before.nodes[before], &self.after.nodes[after]);
        match (&old.value, &new.value) {
            (Value::Map, Value::Map) => self.pairs((before, after), name, of, found),
            (Value::List, Value::List) => self.pairs((before, after), item, of, found),
            (one, other) if one == other => {}
            _ => found.push(Difference {
                path: self.after.path(after),
                of: of.cloned(),
                before: Some(shown(self.before, before)),
                after: Some(shown(self.after, after)),
            }),
        }
    }

    /// Compares what is called the same on both sides.
    fn pairs(
        &self,
        (before, after): (usize, usize),
        called: fn(&Tree, usize) -> Option<String>,
        of: Option<&Text>,
        found: &mut Vec<Difference>,
    ) {
        let mut left: Vec<(Option<String>, usize)> = self
            .before
            .children(before)
            .map(|child| (called(self.before, child), child))
            .collect();
        let mut place = 0;
        for child in self.after.children(after) {
            let name = called(self.after, child);
            // Mostly both sides have the same order.
            let near = left.get(place).is_some_and(|(known, _)| *known == name);
            let at = if near {
                Some(place)
            } else {
                left.iter().position(|(known, _)| *known == name)
            };
            match at {
                Some(at) => {
                    let (_, old) = left.remove(at);
                    place = at;
                    let known = known_by(self.after, child);
                    self.nodes(old, child, known.as_ref().or(of), found);
                }
                None => found.push(Difference {
                    path: self.after.path(child),
                    of: of.cloned(),
                    before: None,
                    after: Some(shown(self.after, child)),
                }),
            }
        }
        found.extend(left.into_iter().map(|(_, old)| Difference {
            path: self.before.path(old),
            of: of.cloned(),
            before: Some(shown(self.before, old)),
            after: None,
        }));
    }
}

fn name(tree: &Tree, at: usize) -> Option<String> {
    match &tree.nodes[at].key {
        Key::Name(name) => Some(name.as_str().to_owned()),
        _ => None,
    }
}

/// What an item of a list that is a map is known by.
fn known_by(tree: &Tree, at: usize) -> Option<Text> {
    let node = &tree.nodes[at];
    let named = || {
        KNOWN_BY
            .iter()
            .find_map(|name| tree.shown(tree.child(at, name)?))
    };
    let is_item = matches!((&node.key, &node.value), (Key::Item(_), Value::Map));
    is_item.then(named).flatten().map(Text::clean)
}

/// What an item of a list is known by: a name in it, the name of its variable, else its place.
fn item(tree: &Tree, at: usize) -> Option<String> {
    let node = &tree.nodes[at];
    if let Value::Map = node.value {
        let named = KNOWN_BY.iter().find_map(|name| {
            let text = tree.shown(tree.child(at, name)?)?;
            Some(format!("{name}={text}"))
        });
        return named.or_else(|| place(&node.key));
    }
    let above = tree.parent(at).map(|above| &tree.nodes[above].key);
    let variables =
        matches!(above, Some(Key::Name(name)) if name.as_str().eq_ignore_ascii_case("env"));
    let text = tree.shown(at).filter(|_| variables);
    match text.and_then(|text| text.split_once('=')) {
        Some((name, _)) => Some(name.to_owned()),
        None => place(&node.key),
    }
}

fn place(key: &Key) -> Option<String> {
    match key {
        Key::Item(place) => Some(place.to_string()),
        _ => None,
    }
}

/// A value in one line.
fn shown(tree: &Tree, at: usize) -> Guarded {
    match &tree.nodes[at].value {
        Value::Text(text) => text.clone(),
        Value::Null => Guarded::open("null".into()),
        Value::List | Value::Map => {
            let json = tree.json(at);
            let words: Vec<&str> = json.split_whitespace().collect();
            Guarded::open(Text::clean(&words.join(" ")))
        }
        _ => Guarded::open(Text::clean(tree.shown(at).unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn told(before: &Json, after: &Json) -> Vec<String> {
        let found = differences(&Tree::of(before), &Tree::of(after));
        let side =
            |side: Option<Guarded>| side.map_or("-".to_owned(), |value| value.text.to_string());
        let line = |d: Difference| format!("{} {} > {}", d.path, side(d.before), side(d.after));
        found.into_iter().map(line).collect()
    }

    #[test]
    fn what_changed() {
        let before = json!({"envs": [{"key": "A", "value": "1"}, {"key": "TOKEN", "value": "x"}],
            "image": "a", "same": [1, 2], "env": ["A=1", "PASSWORD=x"], "gone": {"k": 1}});
        let after = json!({"envs": [{"key": "NEW", "value": "0"}, {"key": "A", "value": "2"},
            {"key": "TOKEN", "value": "y"}], "image": "b", "same": [1, 2], "env": ["B=1", "A=1", "PASSWORD=y"]});
        assert_eq!(
            told(&before, &after),
            [
                ".env[0] - > B=1",
                ".env[2] PASSWORD=<masked> > PASSWORD=<masked>",
                ".envs[0] - > { \"key\": \"NEW\", \"value\": \"0\" }",
                ".envs[1].value 1 > 2",
                ".envs[2].value <masked> > <masked>",
                ".image a > b",
                ".gone { \"k\": 1 } > -",
            ]
        );
    }

    #[test]
    fn kinds_that_differ() {
        assert_eq!(told(&json!({"a": 1}), &json!({"a": [1]})), [".a 1 > [ 1 ]"]);
        assert_eq!(told(&json!("x"), &json!(null)), [". x > null"]);
    }
}
