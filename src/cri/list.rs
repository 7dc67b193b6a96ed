//! Lists whose cost grows with what changed, not with what is there.
//!
//! A node tells its 5,000 containers every two seconds, and mostly nothing has changed. Each item
//! is hashed as it comes in and decoded only if no item of the list before had that hash; what is
//! told of a list is what came and what went.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::Arc;

use prost::encoding::{DecodeContext, WireType, decode_key, skip_field};
use prost::{DecodeError, Message};
use tonic::transport::Channel;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::dial::Session;
use super::fields::{short, take};
use crate::domain::Changes;
use crate::text::Text;

/// A type that comes in lists.
pub(super) trait Listed: Send + Sync + Sized + 'static {
    /// How it is sent.
    type Wire: Message + Default;
    /// Its name in messages: "containers".
    const WHAT: &'static str;
    /// Path of the call that lists all in one message.
    const UNARY: &'static str;
    /// Path of the newer call that sends them in batches.
    const STREAM: &'static str;
    /// Fields that are messages holding maps.
    const NESTED: &'static [u32];
    /// The line to who knows them.
    fn line(session: &Session) -> &Channel;
    /// Converts what was sent.
    fn convert(wire: Self::Wire, names: &mut Names) -> Self;
}

/// Label and annotation keys, kept once: a node repeats a few dozen of them thousands of times.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<Text>);

impl Names {
    /// Keys are few; anything beyond is not worth keeping.
    const MOST: usize = 1024;

    /// `raw`, cleaned and shared.
    pub fn get(&mut self, raw: &str) -> Text {
        if let Some(known) = self.0.get(raw) {
            return known.clone();
        }
        let text = Text::clean(raw);
        if self.0.len() < Self::MOST {
            self.0.insert(text.clone());
        }
        text
    }
}

/// Passes on a key that is a hash already, and seeded.
#[derive(Clone, Copy, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// What is remembered between two lists of one type.
#[derive(Debug)]
pub(super) struct Memory<T> {
    /// The items of the last list by the hash of their bytes.
    known: HashMap<u64, Known<T>, BuildHasherDefault<Hashed>>,
    names: Names,
    /// Random, so that nobody who chooses labels can make two items look alike.
    seed: u64,
    /// Counts the lists that were begun.
    round: u32,
    /// A list has been read to its end.
    listed: bool,
}

#[derive(Debug)]
struct Known<T> {
    item: Arc<T>,
    /// The last list that held it.
    round: u32,
}

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self {
            known: HashMap::default(),
            names: Names::default(),
            seed: RandomState::new().hash_one(0),
            round: 0,
            listed: false,
        }
    }
}

/// A list that is being read. Dropped before [`Round::end`] it has changed nothing.
#[derive(Debug)]
pub(super) struct Round<'a, T> {
    memory: &'a mut Memory<T>,
    /// Known items that it holds.
    seen: usize,
    /// Items that are not in the list before, and their hashes.
    fresh: Vec<(u64, Arc<T>)>,
    hashes: HashSet<u64, BuildHasherDefault<Hashed>>,
}

impl<T: Listed> Memory<T> {
    /// Begins to read a list.
    pub fn begin(&mut self) -> Round<'_, T> {
        self.round = self.round.wrapping_add(1);
        Round {
            memory: self,
            seen: 0,
            fresh: Vec::new(),
            hashes: HashSet::default(),
        }
    }
}

impl<T: Listed> Round<'_, T> {
    /// Takes one item; decodes it if it is not known yet.
    pub fn item(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        let hash = fingerprint(bytes, T::NESTED, self.memory.seed)?;
        if let Some(known) = self.memory.known.get_mut(&hash) {
            self.seen += usize::from(known.round != self.memory.round);
            known.round = self.memory.round;
        } else if self.hashes.insert(hash) {
            let item = T::convert(T::Wire::decode(bytes)?, &mut self.memory.names);
            self.fresh.push((hash, Arc::new(item)));
        }
        Ok(())
    }

    /// The list has been read: from now on it is the last one.
    pub fn end(self) -> Changes<T> {
        let Memory {
            known,
            round,
            listed,
            ..
        } = self.memory;
        let went = if self.seen == known.len() {
            Vec::new()
        } else {
            let gone = known.extract_if(|_, known| known.round != *round);
            gone.map(|(_, known)| known.item).collect()
        };
        let mut came = Vec::with_capacity(self.fresh.len());
        for (hash, item) in self.fresh {
            came.push(Arc::clone(&item));
            let round = *round;
            known.insert(hash, Known { item, round });
        }
        Changes {
            whole: !std::mem::replace(listed, true),
            came,
            went,
        }
    }
}

/// A hash that does not depend on the order of the fields: Go shuffles the entries of a map each
/// time it sends one. Fields named in `nested` hold maps themselves.
fn fingerprint(mut message: &[u8], nested: &[u32], seed: u64) -> Result<u64, DecodeError> {
    let mut sum = 0_u64;
    while !message.is_empty() {
        let start = message;
        if let Some((tag, record)) = short(message)
            && !nested.contains(&tag)
        {
            sum = sum.wrapping_add(xxh3_64_with_seed(record, seed));
            message = &message[record.len()..];
            continue;
        }
        let (tag, wire_type) = decode_key(&mut message)?;
        let record = if wire_type == WireType::LengthDelimited && nested.contains(&tag) {
            let inner = fingerprint(take(&mut message)?, &[], seed)?;
            let mut record = [0; 12];
            record[..4].copy_from_slice(&tag.to_le_bytes());
            record[4..].copy_from_slice(&inner.to_le_bytes());
            xxh3_64_with_seed(&record, seed)
        } else {
            skip_field(wire_type, tag, &mut message, DecodeContext::default())?;
            xxh3_64_with_seed(&start[..start.len() - message.len()], seed)
        };
        sum = sum.wrapping_add(record);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Container, Image, Pod};
    use k8s_cri::v1;
    use proptest::prelude::*;
    use prost::encoding::{encode_key, encode_varint};

    fn memory<T: Listed>() -> Memory<T> {
        Memory::default()
    }

    fn list<T: Listed>(memory: &mut Memory<T>, items: &[Vec<u8>]) -> Changes<T> {
        let mut round = memory.begin();
        for item in items {
            round.item(item).unwrap();
        }
        round.end()
    }

    /// Appends a length-delimited field.
    fn field(tag: u32, bytes: &[u8], out: &mut Vec<u8>) {
        encode_key(tag, WireType::LengthDelimited, out);
        encode_varint(bytes.len() as u64, out);
        out.extend(bytes);
    }

    fn entry(key: &str, value: &str) -> Vec<u8> {
        let mut entry = Vec::new();
        field(1, key.as_bytes(), &mut entry);
        field(2, value.as_bytes(), &mut entry);
        entry
    }

    /// A container whose map entries come in the given order.
    fn shuffled(order: &[usize]) -> Vec<u8> {
        let mut spec = Vec::new();
        field(1, b"sha256:12", &mut spec);
        let mut item = Vec::new();
        field(1, b"id", &mut item);
        for n in order {
            field(8, &entry(&format!("label-{n}"), "v"), &mut item);
            field(2, &entry(&format!("note-{n}"), "v"), &mut spec);
        }
        field(4, &spec, &mut item);
        item
    }

    #[test]
    fn the_order_of_map_entries_is_no_change() {
        let mut memory = memory::<Container>();
        let first = list(&mut memory, &[shuffled(&[0, 1, 2, 3])]);
        assert!(first.whole);
        assert_eq!(first.came[0].labels.len(), 4);
        let second = list(&mut memory, &[shuffled(&[3, 1, 0, 2])]);
        assert!(second.is_empty(), "{second:?}");
    }

    #[test]
    fn a_changed_value_is_a_change() {
        let mut memory = memory::<Container>();
        let first = list(&mut memory, &[shuffled(&[0, 1])]);
        let second = list(&mut memory, &[shuffled(&[0, 2])]);
        assert_eq!((second.came.len(), second.whole), (1, false));
        assert!(Arc::ptr_eq(&first.came[0], &second.went[0]));
    }

    fn images(ids: &[&str]) -> Vec<Vec<u8>> {
        let image = |id: &&str| v1::Image {
            id: (*id).to_owned(),
            ..Default::default()
        };
        ids.iter().map(|id| image(id).encode_to_vec()).collect()
    }

    fn ids(images: &[Arc<Image>]) -> Vec<&str> {
        let mut ids: Vec<_> = images.iter().map(|image| image.id.as_str()).collect();
        ids.sort_unstable();
        ids
    }

    /// The ids that came and those that went.
    fn told(changes: &Changes<Image>) -> (Vec<&str>, Vec<&str>) {
        (ids(&changes.came), ids(&changes.went))
    }

    type Told<'a> = (&'a [&'a str], &'a [&'a str], &'a [&'a str]);

    #[test]
    fn what_came_and_what_went() {
        let mut memory = memory::<Image>();
        let lists: [Told; 6] = [
            (&["a", "b"], &["a", "b"], &[]),
            (&["b", "a"], &[], &[]),
            (&["a", "c", "c"], &["c"], &["b"]),
            (&["c", "c", "a"], &[], &[]),
            (&[], &[], &["a", "c"]),
            (&["b"], &["b"], &[]),
        ];
        for (ids, came, went) in lists {
            let changes = list(&mut memory, &images(ids));
            assert_eq!(told(&changes), (came.to_vec(), went.to_vec()), "{ids:?}");
        }
    }

    #[test]
    fn a_list_that_broke_off_changes_nothing() {
        let mut memory = memory::<Image>();
        list(&mut memory, &images(&["a", "b"]));
        let mut broken = memory.begin();
        for item in images(&["a", "c"]) {
            broken.item(&item).unwrap();
        }
        drop(broken);
        let after = list(&mut memory, &images(&["b", "c"]));
        assert_eq!(told(&after), (vec!["c"], vec!["a"]));
    }

    #[test]
    fn an_empty_node_is_told_once() {
        let mut memory = memory::<Image>();
        let first = list(&mut memory, &[]);
        assert!(first.whole && !first.is_empty());
        assert!(list(&mut memory, &[]).is_empty());
    }

    #[test]
    fn keys_are_kept_once_and_cleaned() {
        let mut names = Names::default();
        let name = "io.kubernetes.container.terminationMessagePolicy";
        let (a, b) = (names.get(name), names.get(name));
        assert!(std::ptr::eq(a.as_str(), b.as_str()));
        assert!(!names.get("\x1b[31m").as_str().contains('\x1b'));
        for n in 0..2 * Names::MOST {
            names.get(&n.to_string());
        }
        assert_eq!(names.0.len(), Names::MOST);
    }

    proptest! {
        #[test]
        fn bytes_never_panic(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = memory::<Pod>().begin().item(&raw);
            let _ = memory::<Container>().begin().item(&raw);
            let _ = memory::<Image>().begin().item(&raw);
        }

        #[test]
        fn cut_items_never_panic(cut in 0_usize..120) {
            let raw = shuffled(&[0, 1, 2]);
            let _ = memory::<Container>().begin().item(&raw[..cut.min(raw.len())]);
        }

        /// Whoever takes the changes as they come has the same as who reads the whole list.
        #[test]
        fn changes_add_up(lists in prop::collection::vec(
            prop::collection::vec((0_u8..6, 0_u64..3), 0..8), 1..8)
        ) {
            let mut memory = memory::<Image>();
            let mut have: Vec<Arc<Image>> = Vec::new();
            for list in lists {
                let wire = |(id, size): (u8, u64)| v1::Image {
                    id: id.to_string(),
                    size,
                    ..Default::default()
                };
                let items: Vec<_> = list.iter().map(|one| wire(*one).encode_to_vec()).collect();
                let changes = self::list(&mut memory, &items);
                have.retain(|one| !changes.went.iter().any(|gone| Arc::ptr_eq(one, gone)));
                have.extend(changes.came);
                let mut have: Vec<_> = have.iter().map(|i| (i.id.as_str().to_owned(), i.size)).collect();
                let mut all: Vec<_> = list.iter().map(|(id, size)| (id.to_string(), *size)).collect();
                have.sort_unstable();
                all.sort_unstable();
                all.dedup();
                prop_assert_eq!(have, all);
            }
        }
    }
}
