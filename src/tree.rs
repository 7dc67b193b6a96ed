//! What a runtime tells of one thing in full, as a tree: masked, safe to show, JSON texts inside
//! of it parsed. Flat in memory, parents before their children, so that walking, searching and
//! folding large ones costs next to nothing.

mod build;
mod differ;
mod flat;
mod write;

use std::fmt::Write as _;

use crate::mask::Guarded;
use crate::text::Text;

pub use differ::{Difference, differences};

/// Most nodes of a tree; what lies beyond is left out and said to be.
pub const MOST: usize = 400_000;
/// Deepest nesting.
const DEEPEST: u16 = 200;

/// A tree. There is always a root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
}

/// One node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Where it is in its parent.
    pub key: Key,
    /// What it holds.
    pub value: Value,
    /// How many parents it has.
    pub depth: u16,
    parent: u32,
    /// Index of the first node behind it and all below it.
    end: u32,
}

/// The place of a node in its parent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// It has none.
    Root,
    /// Under a name in a map.
    Name(Text),
    /// In a list, from 0.
    Item(u32),
}

/// What a node holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number, as it was written.
    Number(Text),
    /// A text.
    Text(Guarded),
    /// A list.
    List,
    /// A map; its names are sorted, but for the root's status, which is first.
    Map,
}

impl Tree {
    /// All nodes, the root first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The index behind a node and all below it.
    pub fn end(&self, at: usize) -> usize {
        self.nodes.get(at).map_or(at + 1, |node| node.end as usize)
    }

    /// The node above.
    pub fn parent(&self, at: usize) -> Option<usize> {
        let node = self.nodes.get(at).filter(|_| at > 0)?;
        Some(node.parent as usize)
    }

    /// The nodes right below.
    pub fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.end(at);
        let mut next = at + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let child = next;
                next = self.end(child);
                child
            })
        })
    }

    /// The node under a name in a map.
    pub fn child(&self, at: usize, name: &str) -> Option<usize> {
        self.children(at)
            .find(|child| matches!(&self.nodes[*child].key, Key::Name(key) if key == name))
    }

    /// The node at the end of a path of names from the root.
    pub fn find(&self, path: &[&str]) -> Option<usize> {
        path.iter().try_fold(0, |at, name| self.child(at, name))
    }

    /// True if a node holds a text of which something is masked.
    pub fn is_masked(&self, at: usize) -> bool {
        let node = self.nodes.get(at);
        node.is_some_and(|node| matches!(&node.value, Value::Text(text) if text.is_masked()))
    }

    /// What a node holds, as text; nothing for lists, maps and null.
    pub fn shown(&self, at: usize) -> Option<&str> {
        match &self.nodes.get(at)?.value {
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Number(text) => Some(text.as_str()),
            Value::Text(text) => Some(text.text.as_str()),
            Value::Null | Value::List | Value::Map => None,
        }
    }

    /// The text at the end of a path, if there is one and it is not empty.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        let text = self.shown(self.find(path)?)?;
        (!text.is_empty()).then_some(text)
    }

    /// The number at the end of a path.
    pub fn number(&self, path: &[&str]) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    /// The texts of the list at the end of a path.
    pub fn texts(&self, path: &[&str]) -> Vec<&str> {
        let Some(at) = self.find(path) else {
            return vec![];
        };
        self.children(at)
            .filter_map(|child| self.shown(child))
            .collect()
    }

    /// True for a list or map.
    pub fn is_branch(&self, at: usize) -> bool {
        let node = self.nodes.get(at);
        node.is_some_and(|node| matches!(node.value, Value::List | Value::Map))
    }

    /// The keys that lead to a node from the root.
    pub fn keys(&self, at: usize) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut next = Some(at);
        while let Some(at) = next {
            keys.extend(self.nodes.get(at).map(|node| node.key.clone()));
            next = self.parent(at);
        }
        keys.reverse();
        keys
    }

    /// The node that [`Tree::keys`] lead to.
    fn at(&self, keys: &[Key]) -> Option<usize> {
        let below = keys.get(1..)?;
        below.iter().try_fold(0, |at, key| {
            self.children(at)
                .find(|child| self.nodes[*child].key == *key)
        })
    }

    /// The path of a node, as jq writes it: `.info.config.envs[0].value`.
    pub fn path(&self, at: usize) -> String {
        path(&self.keys(at))
    }
}

/// Keys from the root as a path, as jq writes it.
pub fn path(keys: &[Key]) -> String {
    let mut path = String::new();
    for key in keys {
        // Writing to a String cannot fail.
        let _ = match key {
            Key::Root => Ok(()),
            Key::Item(place) => write!(path, "[{place}]"),
            Key::Name(name) if is_plain(name.as_str()) => write!(path, ".{name}"),
            Key::Name(name) => write!(path, "[{:?}]", name.as_str()),
        };
    }
    if path.is_empty() {
        path.push('.');
    }
    path
}

/// A name that a path needs no quotes for.
fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn paths_and_values() {
        let tree = Tree::of(&json!({
            "a": {"b-c": [1, {"x": "y"}], "n": null}, "t": true, "e": "",
        }));
        let at = tree.find(&["a", "b-c"]).unwrap();
        let items: Vec<String> = tree.children(at).map(|at| tree.path(at)).collect();
        assert_eq!(items, [".a[\"b-c\"][0]", ".a[\"b-c\"][1]"]);
        assert_eq!(tree.path(0), ".");
        assert_eq!(tree.text(&["t"]), Some("true"));
        assert_eq!(tree.text(&["e"]), None);
        assert_eq!(tree.texts(&["a", "b-c"]), ["1"]);
        assert_eq!(tree.find(&["a", "nothing"]), None);
        assert_eq!(tree.parent(at), tree.find(&["a"]));
        assert_eq!(tree.end(0), tree.nodes().len());
    }

    pub(super) fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i64>().prop_map(serde_json::Value::from),
            any::<f64>().prop_map(serde_json::Value::from),
            any::<String>().prop_map(serde_json::Value::from),
            Just(serde_json::Value::from("{\"token\":[1,{\"a\":\"b\"}]}")),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            let name = prop_oneof!["(env|args|password|value|key|name|a|b)", any::<String>()];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
                prop::collection::btree_map(name, inner, 0..5)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// Whatever a runtime says: it becomes a tree that can be walked, shown and written.
        #[test]
        fn any_json_is_a_tree(json in any_json(), other in any_json()) {
            let (tree, other) = (Tree::of(&json), Tree::of(&other));
            for at in 0..tree.nodes().len() {
                let end = tree.end(at);
                prop_assert!(end > at && end <= tree.nodes().len());
                let above = tree.parent(at).is_none_or(|parent| {
                    tree.children(parent).any(|child| child == at)
                });
                prop_assert!(above);
                let shown = tree.shown(at).unwrap_or("");
                prop_assert!(!shown.chars().any(crate::text::is_unsafe));
                prop_assert!(!tree.path(at).is_empty());
            }
            prop_assert!(differences(&tree, &tree).is_empty());
            let _ = differences(&tree, &other);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&tree.json(0)).is_ok());
            prop_assert!(!tree.yaml(0).is_empty());
        }
    }
}
