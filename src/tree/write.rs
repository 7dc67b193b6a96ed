//! A tree as YAML and JSON.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{Key, Tree, Value};

/// A node with all below it.
struct Branch<'a>(&'a Tree, usize);

impl Serialize for Branch<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(tree, at) = *self;
        match &tree.nodes[at].value {
            Value::Null => to.serialize_unit(),
            Value::Bool(yes) => to.serialize_bool(*yes),
            Value::Number(number) => {
                // As it was: integers of 64 bits stay what they are.
                match number.as_str().parse::<serde_json::Number>() {
                    Ok(number) => number.serialize(to),
                    Err(_) => to.serialize_unit(),
                }
            }
            Value::Text(text) => to.serialize_str(text.text.as_str()),
            Value::List => {
                let mut list = to.serialize_seq(None)?;
                for child in tree.children(at) {
                    list.serialize_element(&Branch(tree, child))?;
                }
                list.end()
            }
            Value::Map => {
                let mut map = to.serialize_map(None)?;
                for child in tree.children(at) {
                    if let Key::Name(name) = &tree.nodes[child].key {
                        map.serialize_entry(name, &Branch(tree, child))?;
                    }
                }
                map.end()
            }
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Branch(self, 0).serialize(to)
    }
}

impl Tree {
    /// A node and all below it as YAML, with a newline at its end.
    pub fn yaml(&self, at: usize) -> String {
        let written = self.nodes.get(at).map(|_| Branch(self, at));
        // Texts, numbers and maps by text are all that there is, and those YAML can take.
        serde_yaml::to_string(&written).unwrap_or_default()
    }

    /// The same as JSON over several lines.
    pub fn json(&self, at: usize) -> String {
        let written = self.nodes.get(at).map(|_| Branch(self, at));
        serde_json::to_string_pretty(&written).unwrap_or_default()
    }
}
