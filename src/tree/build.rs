//! From JSON to a tree. Secrets are masked here.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json_borrow::{ObjectAsVec, Value as Json};

use super::{DEEPEST, Key, MOST, Node, Tree, Value};
use crate::access::WriteGrant;
use crate::mask::{self, Guarded, Naming};
use crate::text::Text;

/// Names of lists that are command lines.
const COMMANDS: [&str; 6] = ["args", "command", "cmd", "entrypoint", "execargs", "exec"];
/// Names of lists whose texts are `NAME=VALUE`.
const ENVIRONMENTS: [&str; 3] = ["env", "envs", "environment"];
/// Names inside something secret that tell about it.
const ABOUT: [&str; 6] = ["name", "namespace", "type", "path", "kind", "username"];

/// What the place of a value says about it.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// Nothing more than this name.
    Under(&'a str, Naming),
    /// It is the value of a variable of this name.
    Variable(&'a str),
    /// It is an entry of an environment.
    Entry,
    /// All of it is secret.
    Secret,
}

struct Builder {
    nodes: Vec<Node>,
    /// Nothing is masked.
    open: bool,
    /// Names, once each: they repeat thousands of times.
    names: HashMap<String, (Text, Naming), foldhash::fast::RandomState>,
}

impl Tree {
    /// The tree of what was decoded.
    pub fn of(json: &serde_json::Value) -> Self {
        Self::built(&borrowed(json), false)
    }

    /// One value as it is, by the [`Tree::keys`] of its node; nothing if it is gone. Shows what
    /// is masked everywhere else, so it demands the grant.
    pub fn revealed(json: &serde_json::Value, keys: &[Key], _: &WriteGrant) -> Option<Text> {
        let tree = Self::built(&borrowed(json), true);
        let at = tree.at(keys)?;
        tree.shown(at).map(Text::whole)
    }

    fn built(json: &Json, open: bool) -> Self {
        let mut builder = Builder {
            nodes: Vec::new(),
            open,
            names: HashMap::default(),
        };
        builder.add(Key::Root, json, Place::Under("", Naming::Plain), 0, 0);
        Self {
            nodes: builder.nodes,
        }
    }
}

impl Builder {
    fn add(&mut self, key: Key, json: &Json, place: Place, depth: u16, parent: u32) {
        let at = self.nodes.len();
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        if at >= MOST || depth >= DEEPEST {
            let note = Guarded::open("… left out: too much of it".into());
            self.push(key, Value::Text(note), depth, parent);
            return;
        }
        match json {
            Json::Null => self.push(key, Value::Null, depth, parent),
            Json::Bool(yes) => self.push(key, Value::Bool(*yes), depth, parent),
            Json::Number(number) => {
                // As serde_json writes it: `1.0` and `1e300` stay that.
                let number = serde_json::Number::from(*number).to_string();
                let value = match self.masked(place, &number) {
                    masked @ Cow::Owned(_) => Value::Text(Guarded::new(&number, masked)),
                    Cow::Borrowed(_) => Value::Number(Text::clean(&number)),
                };
                self.push(key, value, depth, parent);
            }
            Json::Str(text) => {
                if let Some(inner) = nested(text, place) {
                    self.add(key, &inner, place, depth, parent);
                } else {
                    let value = Guarded::new(text, self.masked(place, text));
                    self.push(key, Value::Text(value), depth, parent);
                }
            }
            Json::Array(items) => {
                self.push(key, Value::List, depth, parent);
                self.items(items, place, depth + 1, index);
            }
            Json::Object(map) => {
                self.push(key, Value::Map, depth, parent);
                self.members(map, place, depth + 1, index);
            }
        }
        let end = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(at) {
            node.end = u32::try_from(end).unwrap_or(u32::MAX);
        }
    }

    fn push(&mut self, key: Key, value: Value, depth: u16, parent: u32) {
        let end = u32::try_from(self.nodes.len() + 1).unwrap_or(u32::MAX);
        self.nodes.push(Node {
            key,
            value,
            depth,
            parent,
            end,
        });
    }

    fn items(&mut self, items: &[Json], place: Place, depth: u16, parent: u32) {
        let is = |names: &[&str]| {
            matches!(place, Place::Under(name, _)
                if names.iter().any(|known| name.eq_ignore_ascii_case(known)))
        };
        if is(&COMMANDS) && !self.open && items.iter().all(Json::is_string) {
            let raw: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
            for (item, masked) in (0..).zip(raw.iter().zip(mask::args(&raw))) {
                let value = Guarded::new(masked.0, masked.1);
                self.push(Key::Item(item), Value::Text(value), depth, parent);
            }
            return;
        }
        let place = if is(&ENVIRONMENTS) {
            Place::Entry
        } else {
            place
        };
        for (item, json) in (0..).zip(items) {
            if self.nodes.len() > MOST {
                return;
            }
            self.add(Key::Item(item), json, place, depth, parent);
        }
    }

    fn members(&mut self, map: &ObjectAsVec<'_>, place: Place, depth: u16, parent: u32) {
        let text = |name: &str| map.get(name).and_then(Json::as_str);
        let variable = text("key").or_else(|| text("name"));
        for (name, json) in sorted(map, depth == 1) {
            if self.nodes.len() > MOST {
                return;
            }
            let (key, naming) = self.name(name);
            let is_branch = matches!(json, Json::Array(_) | Json::Object(_));
            let inside = match (place, variable) {
                (Place::Secret, _) if !ABOUT.contains(&name) => Place::Secret,
                (_, Some(variable)) if name == "value" => Place::Variable(variable),
                _ if is_branch && naming != Naming::Plain => Place::Secret,
                _ => Place::Under(name, naming),
            };
            let key = Key::Name(key);
            self.add(key, json, inside, depth, parent);
        }
    }

    fn masked<'a>(&self, place: Place, raw: &'a str) -> Cow<'a, str> {
        if self.open {
            Cow::Borrowed(raw)
        } else {
            masked(place, raw)
        }
    }

    fn name(&mut self, raw: &str) -> (Text, Naming) {
        if let Some(known) = self.names.get(raw) {
            return known.clone();
        }
        // A name can hold a secret too, in a map that somebody else has made.
        let name = (Text::clean(&mask::text(raw)), Naming::of(raw));
        self.names.insert(raw.to_owned(), name.clone());
        name
    }
}

/// `From` would look for each name of a map among all before it.
fn borrowed(json: &serde_json::Value) -> Json<'_> {
    match json {
        serde_json::Value::Array(items) => Json::Array(items.iter().map(borrowed).collect()),
        serde_json::Value::Object(map) => {
            let members = map.iter().map(|(name, json)| (&**name, borrowed(json)));
            Json::Object(members.collect())
        }
        leaf => Json::from(leaf),
    }
}

/// The members of a map by name; of two with one name the last counts. At the top, what matters
/// comes first, as crictl has it.
fn sorted<'a, 'b>(map: &'a ObjectAsVec<'b>, is_top: bool) -> Vec<(&'a str, &'a Json<'b>)> {
    let mut members: Vec<_> = map.iter().collect();
    members.reverse();
    members.sort_by_key(|(name, _)| (!(is_top && *name == "status"), *name));
    members.dedup_by_key(|(name, _)| *name);
    members
}

/// `raw` as it may be shown in its place.
fn masked<'a>(place: Place, raw: &'a str) -> Cow<'a, str> {
    match place {
        Place::Under(_, naming) => naming.mask(raw),
        Place::Variable(name) => mask::environment(name, raw),
        Place::Entry => mask::entry(raw),
        Place::Secret if raw.is_empty() => Cow::Borrowed(raw),
        Place::Secret => Cow::Owned(mask::MASK.to_owned()),
    }
}

/// The JSON that a text is, if it is a map or list.
fn nested<'a>(text: &'a str, place: Place) -> Option<Json<'a>> {
    let text = text.trim_ascii();
    let (first, last) = (text.bytes().next()?, text.bytes().next_back()?);
    if !matches!((first, last), (b'{', b'}') | (b'[', b']')) {
        return None;
    }
    // What is masked as a whole stays so.
    if masked(place, text) == mask::MASK {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use serde_json::json;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let tree = Tree::of(&json!({
            "envs": [{"key": "DB_PASSWORD", "value": "hunter2"}, {"key": "A", "value": "b"}],
            "process": {"args": ["app", "--password", "hunter2"], "env": ["API_KEY=hunter2", "A=b"]},
            "registry": {"configs": {"x": {"auth": {"username": "me", "password": "hunter2",
                "auth": "aHVudGVyMg=="}, "identitytoken": "hunter2"}}, "auth": "aHVudGVyMg=="},
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"x\":\"hunter2\"}",
                "other": "{\"password\":\"hunter2\",\"pin\":{\"secret\":[7777]}}",
            },
            "history": [{"created_by": "/bin/sh -c #(nop) ENV PW=hunter2"}],
            "headers": {"Authorization": ["Bearer hunter2hunter2"]},
        }));
        let text = tree.json(0);
        for secret in ["hunter2", "aHVudGVyMg", "7777"] {
            assert!(!text.contains(secret), "{text}");
        }
        let plain = ["DB_PASSWORD", "\"me\"", "\"A=b\"", "--password", "\"b\""];
        for shown in plain {
            assert!(text.contains(shown), "{shown} in {text}");
        }
    }

    #[test]
    fn one_value_is_revealed_by_its_place() {
        let json = json!({
            "envs": [{"key": "A", "value": "b"}, {"key": "DB_PASSWORD", "value": "hunter2"}],
            "args": ["app", "--password", "hunter2"],
            "annotations": {"last-applied-configuration": "{\"x\":\"hunter2\"}"},
            "other": "{\"password\":7777}",
        });
        let tree = Tree::of(&json);
        let grant = Access::decide(vec![]);
        let grant = grant.grant().expect("a grant");
        let masked = (0..tree.nodes().len()).filter(|at| tree.is_masked(*at));
        let revealed = |at| Tree::revealed(&json, &tree.keys(at), grant).expect("a value");
        let revealed: Vec<String> = masked.map(|at| revealed(at).to_string()).collect();
        assert_eq!(
            revealed,
            ["{\"x\":\"hunter2\"}", "hunter2", "hunter2", "7777"]
        );
        let gone = [Key::Root, Key::Name("nothing".into())];
        assert_eq!(Tree::revealed(&json, &gone, grant), None);
    }

    #[test]
    fn json_in_texts_is_parsed() {
        let tree = Tree::of(&json!({"a": "{\"b\":[\"{\\\"c\\\":1}\"]}", "d": "{no}", "e": "[]"}));
        assert_eq!(tree.yaml(0), "a:\n  b:\n  - c: 1\nd: '{no}'\ne: []\n");
        let odd = Tree::of(&json!("\n {\"b\": 1, \"a\": 1.0, \"b\": 1e300} "));
        assert_eq!(
            odd.json(0).replace(char::is_whitespace, ""),
            "{\"a\":1.0,\"b\":1e+300}"
        );
    }

    #[test]
    fn long_texts_are_exported_whole() {
        let bundle = "MIIBszCCAVmgAwIBAgIUQ ".repeat(2_000);
        let tree = Tree::of(&json!({"envs": [{"key": "CA_BUNDLE", "value": bundle}]}));
        let told: serde_json::Value = serde_json::from_str(&tree.json(0)).unwrap();
        assert_eq!(told["envs"][0]["value"], bundle);
    }

    #[test]
    fn too_deep_is_cut() {
        let mut json = json!("x");
        for _ in 0..500 {
            json = json!([json]);
        }
        let tree = Tree::of(&json);
        assert!(tree.nodes().len() <= usize::from(DEEPEST) + 1);
    }
}
