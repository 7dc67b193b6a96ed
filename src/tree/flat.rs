//! JSON as a flat list: what holds others stands before them. A document of megabytes takes a few
//! large allocations, and its texts stay where they are.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A value in a document.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Json<'f> {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(&'f Number),
    /// A text.
    Text(&'f str),
    /// A list.
    List,
    /// A map.
    Map,
}

/// A value or a name. Small: a document has a hundred thousand.
#[derive(Clone, Copy, Debug)]
enum Part {
    Null,
    Bool(bool),
    Number(u32),
    Text(Span),
    /// Stands before its value.
    Name(Span),
    /// What it holds ends before this place.
    List(u32),
    /// What it holds ends before this place.
    Map(u32),
}

/// Where a text is.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// In the source, or among the others.
    at: u32,
    /// In bytes; `OTHER` if it does not stand in the source.
    length: u32,
}

/// Marks a text that has escapes, or has no source.
const OTHER: u32 = u32::MAX;

/// A document: one value with all below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Flat<'a> {
    source: &'a str,
    parts: Vec<Part>,
    others: Vec<Cow<'a, str>>,
    numbers: Vec<Number>,
}

/// All numbers fit: messages end long before 4 GiB.
fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(OTHER - 1)
}

impl<'a> Flat<'a> {
    /// Decodes a text. The error is that of `serde_json`.
    pub fn decode(source: &'a str) -> serde_json::Result<Self> {
        let mut flat = Self {
            source,
            ..Self::default()
        };
        let mut json = serde_json::Deserializer::from_str(source);
        Adds(&mut flat).deserialize(&mut json)?;
        json.end()?;
        Ok(flat)
    }

    /// Of what was decoded already.
    pub fn of(json: &'a serde_json::Value) -> Self {
        let mut flat = Self::default();
        flat.add(json);
        flat
    }

    fn add(&mut self, json: &'a serde_json::Value) {
        match json {
            serde_json::Value::Null => self.parts.push(Part::Null),
            serde_json::Value::Bool(yes) => self.parts.push(Part::Bool(*yes)),
            serde_json::Value::Number(number) => self.number(number.clone()),
            serde_json::Value::String(text) => {
                let text = self.other(text.into());
                self.parts.push(Part::Text(text));
            }
            serde_json::Value::Array(items) => {
                let at = self.open();
                for item in items {
                    self.add(item);
                }
                self.parts[at] = Part::List(short(self.len()));
            }
            serde_json::Value::Object(members) => {
                let at = self.open();
                for (name, value) in members {
                    let name = self.other(name.into());
                    self.parts.push(Part::Name(name));
                    self.add(value);
                }
                self.parts[at] = Part::Map(short(self.len()));
            }
        }
    }

    fn number(&mut self, number: Number) {
        self.parts.push(Part::Number(short(self.numbers.len())));
        self.numbers.push(number);
    }

    fn other(&mut self, text: Cow<'a, str>) -> Span {
        let at = short(self.others.len());
        self.others.push(text);
        Span { at, length: OTHER }
    }

    /// A text in the source.
    fn here(&mut self, text: &'a str) -> Span {
        let begin = self.source.as_ptr().addr();
        let at = text.as_ptr().addr().wrapping_sub(begin);
        if at <= self.source.len() {
            let (at, length) = (short(at), short(text.len()));
            Span { at, length }
        } else {
            self.other(text.into())
        }
    }

    /// Holds a place.
    fn open(&mut self) -> usize {
        self.parts.push(Part::Null);
        self.parts.len() - 1
    }

    /// How many parts there are, names included.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// What stands at a place; the value of all stands at 0.
    pub fn at(&self, place: usize) -> Json<'_> {
        match self.parts.get(place) {
            None | Some(Part::Null) => Json::Null,
            Some(Part::Bool(yes)) => Json::Bool(*yes),
            Some(Part::Number(at)) => {
                let number = self.numbers.get(*at as usize);
                number.map_or(Json::Null, Json::Number)
            }
            Some(Part::Text(span) | Part::Name(span)) => Json::Text(self.cut(*span)),
            Some(Part::List(_)) => Json::List,
            Some(Part::Map(_)) => Json::Map,
        }
    }

    fn cut(&self, span: Span) -> &str {
        let at = span.at as usize;
        let found = match span.length {
            OTHER => self.others.get(at).map(|text| &**text),
            length => self.source.get(at..at + length as usize),
        };
        found.unwrap_or("")
    }

    /// The place behind a value and all below it.
    pub fn end(&self, place: usize) -> usize {
        match self.parts.get(place) {
            Some(Part::List(end) | Part::Map(end)) => *end as usize,
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
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Adds one value.
struct Adds<'f, 'de>(&'f mut Flat<'de>);

impl Adds<'_, '_> {
    fn push(self, part: Part) {
        self.0.parts.push(part);
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
        self.push(Part::Null);
        Ok(())
    }

    fn visit_bool<E>(self, yes: bool) -> Result<(), E> {
        self.push(Part::Bool(yes));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.number(number.into());
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.number(number.into());
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        match Number::from_f64(number) {
            Some(number) => self.0.number(number),
            None => self.push(Part::Null),
        }
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let text = self.0.other(Cow::Owned(text.to_owned()));
        self.push(Part::Text(text));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        let text = self.0.here(text);
        self.push(Part::Text(text));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let at = self.0.open();
        while items.next_element_seed(Adds(self.0))?.is_some() {}
        self.0.parts[at] = Part::List(short(self.0.len()));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let at = self.0.open();
        while members.next_key_seed(Names(self.0))?.is_some() {
            members.next_value_seed(Adds(self.0))?;
        }
        self.0.parts[at] = Part::Map(short(self.0.len()));
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
        let name = self.0.other(Cow::Owned(name.to_owned()));
        self.0.parts.push(Part::Name(name));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<(), E> {
        let name = self.0.here(name);
        self.0.parts.push(Part::Name(name));
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
        let items: Vec<_> = flat.items(2).map(|at| flat.at(at)).collect();
        let one = Number::from(1);
        assert_eq!(items, [Json::Number(&one), Json::List, Json::Text("x")]);
        assert_eq!((flat.len(), flat.end(0)), (12, 12));
        assert!(Flat::decode("{\"a\":}").is_err());
    }

    proptest! {
        #[test]
        fn a_text_is_decoded_to_what_it_was_made_of(json in any_json()) {
            let text = json.to_string();
            // What a text tells of a number may differ from the number.
            let again: serde_json::Value = serde_json::from_str(&text).unwrap();
            let (decoded, made) = (Flat::decode(&text).unwrap(), Flat::of(&again));
            prop_assert_eq!(decoded.len(), made.len());
            for place in 0..made.len() {
                prop_assert_eq!(decoded.at(place), made.at(place));
                prop_assert_eq!(decoded.end(place), made.end(place));
            }
        }
    }
}
