//! JSON as a flat list: what holds others stands before them. One allocation for a document of
//! megabytes, and texts stay where they are.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A part of a document.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Part<'a> {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'a, str>),
    /// The name of the value behind it, in a map.
    Name(Cow<'a, str>),
    /// A list: what it holds ends before this place.
    List(usize),
    /// A map: what it holds ends before this place.
    Map(usize),
}

/// A document: one value with all below it.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Flat<'a>(Vec<Part<'a>>);

impl<'a> Flat<'a> {
    /// Decodes a text. The error is serde_json's.
    pub fn decode(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Of what was decoded already.
    pub fn of(json: &'a serde_json::Value) -> Self {
        let mut flat = Self::default();
        flat.add(json);
        flat
    }

    fn add(&mut self, json: &'a serde_json::Value) {
        match json {
            serde_json::Value::Null => self.0.push(Part::Null),
            serde_json::Value::Bool(yes) => self.0.push(Part::Bool(*yes)),
            serde_json::Value::Number(number) => self.0.push(Part::Number(number.clone())),
            serde_json::Value::String(text) => self.0.push(Part::Text(text.into())),
            serde_json::Value::Array(items) => {
                let at = self.open();
                items.iter().for_each(|item| self.add(item));
                self.0[at] = Part::List(self.0.len());
            }
            serde_json::Value::Object(members) => {
                let at = self.open();
                for (name, value) in members {
                    self.0.push(Part::Name(name.into()));
                    self.add(value);
                }
                self.0[at] = Part::Map(self.0.len());
            }
        }
    }

    /// Holds a place.
    fn open(&mut self) -> usize {
        self.0.push(Part::Null);
        self.0.len() - 1
    }

    /// How many parts there are, names included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One part; the value of all stands at 0.
    pub fn at(&self, place: usize) -> &Part<'a> {
        self.0.get(place).unwrap_or(&Part::Null)
    }

    /// The place behind a value and all below it.
    pub fn end(&self, place: usize) -> usize {
        match self.at(place) {
            Part::List(end) | Part::Map(end) => *end,
            _ => place + 1,
        }
    }

    /// Where the items of the list at `place` stand.
    pub fn items(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        let (mut next, end) = (place + 1, self.end(place));
        std::iter::from_fn(move || {
            let item = Some(next).filter(|item| *item < end)?;
            next = self.end(item);
            Some(item)
        })
    }

    /// Where the names of the map at `place` stand; each value is behind its name.
    pub fn names(&self, place: usize) -> impl Iterator<Item = usize> + '_ {
        let (mut next, end) = (place + 1, self.end(place));
        std::iter::from_fn(move || {
            let name = Some(next).filter(|name| *name < end)?;
            next = self.end(name + 1);
            Some(name)
        })
    }

    /// The text that stands there, be it a name or a value.
    pub fn text(&self, place: usize) -> Option<&str> {
        match self.at(place) {
            Part::Text(text) | Part::Name(text) => Some(text),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Flat<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut flat = Self::default();
        Adds(&mut flat).deserialize(deserializer)?;
        Ok(flat)
    }
}

/// Adds one value.
struct Adds<'f, 'de>(&'f mut Flat<'de>);

impl<'de> Adds<'_, 'de> {
    fn push<E>(self, part: Part<'de>) -> Result<(), E> {
        self.0.0.push(part);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Adds<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Adds<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.push(Part::Null)
    }

    fn visit_bool<E>(self, yes: bool) -> Result<(), E> {
        self.push(Part::Bool(yes))
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.push(Part::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.push(Part::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        let number = Number::from_f64(number);
        self.push(number.map_or(Part::Null, Part::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.push(Part::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.push(Part::Text(Cow::Borrowed(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let at = self.0.open();
        while items.next_element_seed(Adds(self.0))?.is_some() {}
        self.0.0[at] = Part::List(self.0.len());
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let at = self.0.open();
        while members.next_key_seed(Names(self.0))?.is_some() {
            members.next_value_seed(Adds(self.0))?;
        }
        self.0.0[at] = Part::Map(self.0.len());
        Ok(())
    }
}

/// Adds the name of a member.
struct Names<'f, 'de>(&'f mut Flat<'de>);

impl<'de> DeserializeSeed<'de> for Names<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Names<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<(), E> {
        self.0.0.push(Part::Name(Cow::Owned(name.to_owned())));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<(), E> {
        self.0.0.push(Part::Name(Cow::Borrowed(name)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::any_json;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_items_are_found() {
        let text = r#"{"a":[1,[2,{}],"x"],"a":null,"b\n":-1.5}"#;
        let flat = Flat::decode(text).unwrap();
        let names: Vec<_> = flat.names(0).map(|at| flat.text(at).unwrap()).collect();
        assert_eq!(names, ["a", "a", "b\n"]);
        let items: Vec<_> = flat.items(2).map(|at| flat.at(at).clone()).collect();
        assert_eq!(
            items,
            [
                Part::Number(1.into()),
                Part::List(7),
                Part::Text("x".into())
            ]
        );
        assert_eq!((flat.len(), flat.end(0)), (12, 12));
        assert!(Flat::decode("{\"a\":}").is_err());
    }

    proptest! {
        #[test]
        fn a_text_is_decoded_to_what_it_was_made_of(json in any_json()) {
            let text = json.to_string();
            // What a text tells of a number may differ from the number.
            let again: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(Flat::decode(&text).unwrap(), Flat::of(&again));
        }
    }
}
