//! From JSON to a tree. Secrets are masked here.

use std::borrow::Cow;
use std::collections::HashMap;

use super::flat::{Flat, Json};
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
/// A list of so many parts is worth a second thread.
const LONG: usize = 10_000;

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
    /// Most of them.
    most: usize,
    /// Nothing is masked.
    open: bool,
    /// Another thread is at work on the same document: two are enough on somebody's node.
    shared: bool,
    /// Names, once each: they repeat thousands of times.
    names: HashMap<String, (Text, Naming), foldhash::fast::RandomState>,
    /// Where the names of the maps around here stand, in their order.
    order: Vec<usize>,
}

impl Tree {
    /// The tree of what was decoded.
    pub fn of(json: &serde_json::Value) -> Self {
        Self::built(&Flat::of(json), false)
    }

    /// One value as it is, by the [`Tree::keys`] of its node; nothing if it is gone. Shows what
    /// is masked everywhere else, so it demands the grant.
    pub fn revealed(json: &serde_json::Value, keys: &[Key], _: &WriteGrant) -> Option<Text> {
        let tree = Self::built(&Flat::of(json), true);
        let at = tree.at(keys)?;
        tree.shown(at).map(Text::whole)
    }

    fn built(json: &Flat, open: bool) -> Self {
        let mut builder = Builder::new(MOST, open);
        let place = Place::Under("", Naming::Plain);
        builder.add(Key::Root, (json, 0), place, 0, 0);
        Self {
            nodes: builder.nodes,
        }
    }
}

/// A document, and where in it a value stands.
type At<'a> = (&'a Flat<'a>, usize);

impl Builder {
    fn new(most: usize, open: bool) -> Self {
        Self {
            nodes: Vec::new(),
            most,
            open,
            shared: false,
            names: HashMap::default(),
            order: Vec::new(),
        }
    }

    fn add(&mut self, key: Key, json: At, place: Place, depth: u16, parent: u32) {
        let at = self.nodes.len();
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        if at >= self.most || depth >= DEEPEST {
            let note = Guarded::open("… left out: too much of it".into());
            self.push(key, Value::Text(note), depth, parent);
            return;
        }
        match json.0.at(json.1) {
            Json::Null => self.push(key, Value::Null, depth, parent),
            Json::Bool(yes) => self.push(key, Value::Bool(yes), depth, parent),
            Json::Number(number) => {
                let number = number.to_string();
                let value = match self.masked(place, &number) {
                    masked @ Cow::Owned(_) => Value::Text(Guarded::new(&number, masked)),
                    Cow::Borrowed(_) => Value::Number(Text::clean(&number)),
                };
                self.push(key, value, depth, parent);
            }
            Json::Text(text) => {
                if let Some(inner) = nested(text, place) {
                    self.nodes.reserve(inner.len() / 2);
                    self.add(key, (&inner, 0), place, depth, parent);
                } else {
                    let value = Guarded::new(text, self.masked(place, text));
                    self.push(key, Value::Text(value), depth, parent);
                }
            }
            Json::List => {
                self.push(key, Value::List, depth, parent);
                self.items(json, place, depth + 1, index);
            }
            Json::Map => {
                self.push(key, Value::Map, depth, parent);
                self.members(json, place, depth + 1, index);
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

    fn items(&mut self, list: At, place: Place, depth: u16, parent: u32) {
        let is = |names: &[&str]| {
            matches!(place, Place::Under(name, _)
                if names.iter().any(|known| name.eq_ignore_ascii_case(known)))
        };
        let (json, at) = list;
        if is(&COMMANDS) && !self.open {
            let raw: Option<Vec<&str>> = json.items(at).map(|item| json.text(item)).collect();
            if let Some(raw) = raw {
                for (item, masked) in (0..).zip(raw.iter().zip(mask::args(&raw))) {
                    let value = Guarded::new(masked.0, masked.1);
                    self.push(Key::Item(item), Value::Text(value), depth, parent);
                }
                return;
            }
        }
        let place = if is(&ENVIRONMENTS) {
            Place::Entry
        } else {
            place
        };
        let items = (0..).zip(json.items(at));
        if self.shared || json.end(at) - at < LONG {
            self.some_items(json, items, place, depth, parent);
            return;
        }
        let items: Vec<(u32, usize)> = items.collect();
        // A little more here: what the other builds is copied.
        let middle = at + (json.end(at) - at) / 20 * 11;
        let half = items.partition_point(|(_, item)| *item < middle);
        let (first, second) = items.split_at(half);
        let second = || second.iter().copied();
        // Half of the room each.
        let room = self.most.saturating_sub(self.nodes.len()) / 2;
        let mut other = Self::new(room, self.open);
        (self.shared, other.shared) = (true, true);
        self.most -= room;
        let is_helped = std::thread::scope(|scope| {
            let work = || other.some_items(json, second(), place, depth, u32::MAX);
            let thread = std::thread::Builder::new().spawn_scoped(scope, work);
            self.some_items(json, first.iter().copied(), place, depth, parent);
            thread.is_ok()
        });
        self.shared = false;
        self.most += room;
        self.append(other.nodes, parent);
        if !is_helped {
            self.some_items(json, second(), place, depth, parent);
        }
    }

    /// Some of the items of a list, with their places in it.
    fn some_items(
        &mut self,
        json: &Flat,
        items: impl Iterator<Item = (u32, usize)>,
        place: Place,
        depth: u16,
        parent: u32,
    ) {
        for (item, at) in items {
            if self.nodes.len() > self.most {
                return;
            }
            self.add(Key::Item(item), (json, at), place, depth, parent);
        }
    }

    /// Takes over what was built apart, under `parent`.
    fn append(&mut self, nodes: Vec<Node>, parent: u32) {
        let before = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.extend(nodes.into_iter().map(|mut node| {
            node.end = node.end.saturating_add(before);
            node.parent = match node.parent {
                u32::MAX => parent,
                inner => inner.saturating_add(before),
            };
            node
        }));
    }

    fn members(&mut self, map: At, place: Place, depth: u16, parent: u32) {
        let (json, at) = map;
        let begin = self.order.len();
        self.sort(map, depth == 1);
        let named = |name: usize| json.text(name).unwrap_or("");
        let text = |wanted: &str| {
            let mut found = json.names(at).filter(|name| named(*name) == wanted);
            found.find_map(|name| json.text(name + 1))
        };
        let variable = text("key").or_else(|| text("name"));
        for next in begin..self.order.len() {
            if self.nodes.len() > self.most {
                break;
            }
            let at = self.order[next];
            let name = named(at);
            let (key, naming) = self.name(name);
            let is_branch = matches!(json.at(at + 1), Json::List | Json::Map);
            let inside = match (place, variable) {
                (Place::Secret, _) if !ABOUT.contains(&name) => Place::Secret,
                (_, Some(variable)) if name == "value" => Place::Variable(variable),
                _ if is_branch && naming != Naming::Plain => Place::Secret,
                _ => Place::Under(name, naming),
            };
            self.add(Key::Name(key), (json, at + 1), inside, depth, parent);
        }
        self.order.truncate(begin);
    }

    /// Puts the names of a map on the order, sorted; of two that are the same the last counts. At
    /// the top, what matters comes first, as crictl has it.
    fn sort(&mut self, map: At, is_top: bool) {
        let (json, at) = map;
        let begin = self.order.len();
        self.order.extend(json.names(at));
        let key = |name: &usize| {
            let name = json.text(*name).unwrap_or("");
            (!(is_top && name == "status"), name)
        };
        let own = &mut self.order[begin..];
        if own.is_sorted_by(|a, b| key(a) < key(b)) {
            return;
        }
        own.reverse();
        own.sort_by(|a, b| key(a).cmp(&key(b)));
        if own.windows(2).any(|two| key(&two[0]) == key(&two[1])) {
            let mut own = self.order.split_off(begin);
            own.dedup_by(|a, b| key(a) == key(b));
            self.order.extend(own);
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
fn nested<'a>(text: &'a str, place: Place) -> Option<Flat<'a>> {
    let text = text.trim_ascii();
    let (first, last) = (text.bytes().next()?, text.bytes().next_back()?);
    if !matches!((first, last), (b'{', b'}') | (b'[', b']')) {
        return None;
    }
    // What is masked as a whole stays so.
    if masked(place, text) == mask::MASK {
        return None;
    }
    Flat::decode(text).ok()
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
    fn a_long_list_is_whole_and_in_order() {
        let item = |n: usize| json!({"key": format!("K{n}"), "value": [n, {"token": "hunter2"}]});
        let items: Vec<_> = (0..LONG).map(item).collect();
        // Long lists in a long one, and as JSON in a text.
        let text = json!(items).to_string();
        let json = json!({"before": 1, "list": [items, items], "more": {"a": [items[0]]}});
        assert_eq!(Tree::of(&json!({"text": text})).nodes().len(), 2 + 6 * LONG);
        let tree = Tree::of(&json);
        let told: serde_json::Value = serde_json::from_str(&tree.json(0)).unwrap();
        let masked = json.to_string().replace("hunter2", mask::MASK);
        assert_eq!(
            told,
            serde_json::from_str::<serde_json::Value>(&masked).unwrap()
        );
        for at in 1..tree.nodes().len() {
            let parent = tree.parent(at).unwrap();
            assert!(parent < at && at < tree.end(at) && tree.end(at) <= tree.end(parent));
            assert_eq!(tree.nodes()[at].depth, tree.nodes()[parent].depth + 1);
        }
        assert_eq!(
            tree.path(tree.nodes().len() - 1),
            ".more.a[0].value[1].token"
        );
    }

    #[test]
    fn too_much_is_cut() {
        for json in [json!(vec![0; MOST + 5]), json!([vec![[0]; MOST], 1])] {
            let tree = Tree::of(&json);
            let count = tree.nodes().len();
            assert!((MOST / 2..=MOST + 4).contains(&count), "{count}");
            let last = tree
                .nodes()
                .iter()
                .rev()
                .find_map(|node| match &node.value {
                    Value::Text(text) => Some(text.text.as_str()),
                    _ => None,
                });
            assert!(last.is_some_and(|text| text.contains("left out")));
        }
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
