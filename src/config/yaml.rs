//! YAML with positions: `serde_yaml` reads the values, `saphyr` says where their keys are.

use std::fmt;

use saphyr::{LoadableYamlNode as _, MarkedYaml, YamlData};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Largest configuration file, in bytes. Aliases can make a document a hundred times larger in
/// memory, so this is no more than people need.
pub const MAX_BYTES: u64 = 64 << 10;

/// A place in a file, both counted from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
}

/// What is wrong with a text, and where if that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where.
    pub place: Option<Place>,
    /// What.
    pub what: String,
}

impl Fault {
    /// A fault at a place.
    pub fn at(place: Option<Place>, what: impl Into<String>) -> Self {
        Self {
            place,
            what: what.into(),
        }
    }

    /// In the form of compilers: `file:line:column: what`.
    pub fn in_file(&self, file: &str) -> String {
        match self.place {
            Some(Place { line, column }) => format!("{file}:{line}:{column}: {}", self.what),
            None => format!("{file}: {}", self.what),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place {
            write!(f, "line {line} column {column}: ")?;
        }
        f.write_str(&self.what)
    }
}

impl From<serde_yaml::Error> for Fault {
    fn from(error: serde_yaml::Error) -> Self {
        let place = error.location().map(|at| Place {
            line: at.line(),
            column: at.column(),
        });
        let mut what = error.to_string();
        if let Some(Place { line, column }) = place {
            // The place is said once, in front.
            what = what.replace(&format!(" at line {line} column {column}"), "");
        }
        Self::at(place, what)
    }
}

/// The keys of a document's outermost mapping, and of the mappings right inside it, and where
/// they stand.
#[derive(Clone, Debug, Default)]
pub struct Places(Vec<(Option<String>, String, Place)>);

impl Places {
    /// Finds the keys of the first document. Call it on what `serde_yaml` has accepted, which
    /// guards against documents that explode. What is no mapping has no keys.
    pub fn of(text: &str) -> Self {
        let Ok(documents) = MarkedYaml::load_from_str(text) else {
            return Self::default();
        };
        let mut places = Self::default();
        if let Some(document) = documents.first() {
            for (key, value) in places.add(None, document) {
                places.add(Some(&key), value);
            }
        }
        places
    }

    fn add<'a, 'y>(
        &mut self,
        above: Option<&str>,
        node: &'a MarkedYaml<'y>,
    ) -> Vec<(String, &'a MarkedYaml<'y>)> {
        let YamlData::Mapping(mapping) = &node.data else {
            return Vec::new();
        };
        let mut inside = Vec::new();
        for (key, value) in mapping {
            let Some(name) = key.data.as_str() else {
                continue;
            };
            let place = Place {
                line: key.span.start.line(),
                column: key.span.start.col() + 1,
            };
            let above = above.map(str::to_owned);
            self.0.push((above, name.to_owned(), place));
            inside.push((name.to_owned(), value));
        }
        inside
    }

    /// Where `key` stands.
    pub fn get(&self, key: &str) -> Option<Place> {
        self.find(None, key)
    }

    /// Where `key` stands in the mapping of `above`.
    pub fn inside(&self, above: &str, key: &str) -> Option<Place> {
        self.find(Some(above), key)
    }

    fn find(&self, above: Option<&str>, key: &str) -> Option<Place> {
        let found =
            |(a, k, _): &&(Option<String>, String, Place)| a.as_deref() == above && k == key;
        self.0.iter().find(found).map(|(_, _, place)| *place)
    }
}

/// The outermost node of a document, with texts as they are written: the value of
/// `timeout: 010` is `"010"`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Raw {
    /// A mapping of texts to texts, in the order of the file. Keys may repeat.
    Pairs(Vec<(String, String)>),
    /// Nothing, or an explicit null.
    Empty,
    /// A sequence or a single value.
    Other,
}

impl Raw {
    /// Reads the first document of `text`, which is what Go's library does.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        match serde_yaml::Deserializer::from_str(text).next() {
            Some(document) => Ok(Self::deserialize(document)?),
            None => Ok(Self::Empty),
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of keys to plain values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Raw::Pairs(pairs))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Raw::Other)
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Empty)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Empty)
    }

    fn visit_str<E>(self, _: &str) -> Result<Raw, E> {
        Ok(Raw::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Other)
    }
}

/// The known name that somebody who wrote `unknown` may have meant.
pub fn did_you_mean<'a>(
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let unknown = unknown.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&unknown, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn keys_have_places() {
        let places = Places::of("# comment\nfirst: 1\n\n'second': {third: 3}\n? fourth\n: 4\n");
        let at = |line, column| Some(Place { line, column });
        assert_eq!(places.get("first"), at(2, 1));
        assert_eq!(places.get("second"), at(4, 1));
        assert_eq!(places.get("third"), None);
        assert_eq!(places.inside("second", "third"), at(4, 12));
        assert_eq!(places.get("fourth"), at(5, 3));
    }

    #[test]
    fn values_stay_as_written() {
        let text = "a: 010\nb: \"7\"\nc:\nd: ~\ne: yes\na: 0x1F\n---\nsecond: document\n";
        let pairs = [
            ("a", "010"),
            ("b", "7"),
            ("c", ""),
            ("d", "~"),
            ("e", "yes"),
            ("a", "0x1F"),
        ];
        let pairs = pairs.map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(Raw::parse(text), Ok(Raw::Pairs(pairs.into())));
    }

    #[rstest]
    #[case("", Raw::Empty)]
    #[case("# nothing\n", Raw::Empty)]
    #[case("---\n", Raw::Empty)]
    #[case("~", Raw::Empty)]
    #[case("- a\n- b: [c]\n", Raw::Other)]
    #[case("text", Raw::Other)]
    #[case("17", Raw::Other)]
    #[case("-1.5", Raw::Other)]
    #[case("true", Raw::Other)]
    #[case("{}", Raw::Pairs(vec![]))]
    fn what_is_no_mapping(#[case] text: &str, #[case] expected: Raw) {
        assert_eq!(Raw::parse(text), Ok(expected));
    }

    #[rstest]
    #[case(
        "a: 1\nb: [\n",
        "/etc/x:2:4: b: invalid type: sequence, expected a string"
    )]
    #[case("a: 1\n\tb: 2\n", "/etc/x:2:1: ")]
    #[case("a: 'x\n", "/etc/x:")]
    fn faults_name_their_place_once(#[case] text: &str, #[case] start: &str) {
        let fault = Raw::parse(text).unwrap_err().in_file("/etc/x");
        assert!(fault.starts_with(start), "{fault}");
        assert!(fault.matches("line").count() < 2, "{fault}");
    }

    #[test]
    fn documents_that_explode_are_refused() {
        let mut bomb = vec!["a: &a [x, x, x, x, x, x, x, x, x]".to_owned()];
        for (now, before) in ["b", "c", "d", "e", "f", "g", "h", "i"].iter().zip('a'..) {
            let refs = vec![format!("*{before}"); 9].join(", ");
            bomb.push(format!("{now}: &{now} [{refs}]"));
        }
        let bomb = bomb.join("\n");
        assert!(serde_yaml::from_str::<serde_yaml::Value>(&bomb).is_err());
        assert!(Raw::parse(&bomb).is_err());
    }

    #[rstest]
    #[case("runtime_endpoint", Some("runtime-endpoint"))]
    #[case("Timeout", Some("timeout"))]
    #[case("timout", Some("timeout"))]
    #[case("colour", None)]
    #[case("", None)]
    fn suggestions(#[case] unknown: &str, #[case] expected: Option<&str>) {
        let known = ["runtime-endpoint", "image-endpoint", "timeout", "debug"];
        assert_eq!(did_you_mean(unknown, known), expected);
    }
}
