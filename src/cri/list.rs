//! Lists whose cost grows with what changed, not with what is there.
//!
//! A node tells its 5,000 containers every two seconds, and mostly nothing has changed. The
//! decoder walks the raw message, hashes each item and decodes only those that it has not seen
//! in the list before; all others keep their `Arc`.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, skip_field};
use prost::{DecodeError, Message};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::fields::{short, take};
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

/// A list as it came.
#[derive(Debug)]
pub(super) struct Listing<T> {
    /// All items, in the runtime's order.
    pub items: Vec<Arc<T>>,
    /// Those that were not like this in the list before.
    pub fresh: Vec<Arc<T>>,
    /// Differs from that of every other list that is not the same.
    pub version: u64,
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

/// The items of the last list by the hash of their bytes.
type ByHash<T> = HashMap<u64, Arc<T>, BuildHasherDefault<Hashed>>;

/// The items of the last list.
#[derive(Debug)]
struct Known<T> {
    items: ByHash<T>,
    version: u64,
}

/// What is remembered between two lists of one type.
#[derive(Debug)]
pub(super) struct Memory<T> {
    known: Mutex<Arc<Known<T>>>,
    names: Arc<Mutex<Names>>,
    /// Random, so that nobody who chooses labels can make two items look alike.
    seed: u64,
}

impl<T: Listed> Memory<T> {
    /// Nothing listed yet; `names` and `seed` are shared by all lists.
    pub fn new(names: Arc<Mutex<Names>>, seed: u64) -> Self {
        Self {
            known: Mutex::new(Arc::new(Known {
                items: ByHash::default(),
                version: 0,
            })),
            names,
            seed,
        }
    }

    fn known(&self) -> Arc<Known<T>> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The codec for the next list call.
    pub fn codec(&self) -> ListCodec<T> {
        ListCodec {
            known: self.known(),
            names: self.names.clone(),
            seed: self.seed,
        }
    }

    /// Takes a whole list in: from now on it is the last one.
    pub fn learn(&self, batches: Vec<Batch<T>>) -> Listing<T> {
        let fresh = batches.iter().flat_map(|batch| &batch.fresh);
        let fresh: Vec<_> = fresh.cloned().collect();
        let count = batches.iter().map(|batch| batch.items.len()).sum();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = !fresh.is_empty() || count != known.items.len();
        let mut items = Vec::with_capacity(count);
        let room = if changed { count } else { 0 };
        let mut next = ByHash::with_capacity_and_hasher(room, BuildHasherDefault::default());
        for (hash, item) in batches.into_iter().flat_map(|batch| batch.items) {
            if changed {
                next.insert(hash, item.clone());
            }
            items.push(item);
        }
        if changed {
            let version = known.version + 1;
            *known = Arc::new(Known {
                items: next,
                version,
            });
        }
        let version = known.version;
        Listing {
            items,
            fresh,
            version,
        }
    }
}

/// The items of one message.
#[derive(Debug)]
pub(super) struct Batch<T> {
    items: Vec<(u64, Arc<T>)>,
    /// Items that are not in the last list.
    fresh: Vec<Arc<T>>,
}

/// Sends an empty filter, receives a [`Batch`].
#[derive(Debug)]
pub(super) struct ListCodec<T> {
    known: Arc<Known<T>>,
    names: Arc<Mutex<Names>>,
    seed: u64,
}

impl<T: Listed> Codec for ListCodec<T> {
    type Encode = ();
    type Decode = Batch<T>;
    type Encoder = ProstEncoder<()>;
    type Decoder = ListDecoder<T>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        ListDecoder {
            known: self.known.clone(),
            names: self.names.clone(),
            seed: self.seed,
            list: PhantomData,
        }
    }
}

/// Decodes what is not known yet.
#[derive(Debug)]
pub(super) struct ListDecoder<T> {
    known: Arc<Known<T>>,
    names: Arc<Mutex<Names>>,
    seed: u64,
    list: PhantomData<T>,
}

impl<T: Listed> Decoder for ListDecoder<T> {
    type Item = Batch<T>;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        // Taken out of tonic's buffer without copying, so that it is freed when this returns.
        let raw = src.copy_to_bytes(src.remaining());
        let batch = self.batch(&raw);
        batch
            .map(Some)
            .map_err(|error| Status::internal(format!("{} cannot be decoded: {error}", T::WHAT)))
    }
}

impl<T: Listed> ListDecoder<T> {
    fn batch(&self, mut raw: &[u8]) -> Result<Batch<T>, DecodeError> {
        /// The field that holds the items, in every list of the CRI.
        const ITEMS: u32 = 1;
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let mut items = Vec::with_capacity(self.known.items.len());
        let mut fresh = Vec::new();
        while !raw.is_empty() {
            let (tag, wire_type) = decode_key(&mut raw)?;
            if tag != ITEMS || wire_type != WireType::LengthDelimited {
                skip_field(wire_type, tag, &mut raw, DecodeContext::default())?;
                continue;
            }
            let bytes = take(&mut raw)?;
            let hash = fingerprint(bytes, T::NESTED, self.seed)?;
            let item = if let Some(known) = self.known.items.get(&hash) {
                known.clone()
            } else {
                let item = Arc::new(T::convert(T::Wire::decode(bytes)?, &mut names));
                fresh.push(Arc::clone(&item));
                item
            };
            items.push((hash, item));
        }
        Ok(Batch { items, fresh })
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

    const SEED: u64 = 7;

    fn memory<T: Listed>() -> Memory<T> {
        Memory::new(Arc::default(), SEED)
    }

    fn list<T: Listed>(memory: &Memory<T>, raw: &[u8]) -> Result<Listing<T>, DecodeError> {
        let batch = memory.codec().decoder().batch(raw)?;
        Ok(memory.learn(vec![batch]))
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

    /// A list of one container whose map entries come in the given order.
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
        let mut list = Vec::new();
        field(1, &item, &mut list);
        list
    }

    #[test]
    fn the_order_of_map_entries_is_no_change() {
        let memory = memory::<Container>();
        let first = list(&memory, &shuffled(&[0, 1, 2, 3])).unwrap();
        let second = list(&memory, &shuffled(&[3, 1, 0, 2])).unwrap();
        assert_eq!(first.version, second.version);
        assert!(Arc::ptr_eq(&first.items[0], &second.items[0]));
        assert_eq!(first.items[0].labels.len(), 4);
    }

    #[test]
    fn a_changed_value_is_a_change() {
        let memory = memory::<Container>();
        let first = list(&memory, &shuffled(&[0, 1])).unwrap();
        let second = list(&memory, &shuffled(&[0, 2])).unwrap();
        assert_ne!(first.version, second.version);
        assert!(!Arc::ptr_eq(&first.items[0], &second.items[0]));
    }

    #[test]
    fn what_vanishes_is_a_change_and_is_forgotten() {
        let memory = memory::<Image>();
        let images = |ids: &[&str]| {
            let image = |id: &&str| v1::Image {
                id: (*id).to_owned(),
                ..Default::default()
            };
            let images = ids.iter().map(image).collect();
            v1::ListImagesResponse { images }.encode_to_vec()
        };
        let lists: [&[&str]; 5] = [&["a", "b"], &["a"], &["a"], &[], &[]];
        let versions = lists.map(|ids| list(&memory, &images(ids)).unwrap().version);
        assert_eq!(versions, [1, 2, 2, 3, 3]);
        assert!(memory.known().items.is_empty());
    }

    #[test]
    fn fields_of_a_newer_cri_are_skipped() {
        let mut raw = shuffled(&[0]);
        field(99, b"new", &mut raw);
        encode_key(98, WireType::Varint, &mut raw);
        encode_varint(5, &mut raw);
        assert_eq!(list(&memory::<Container>(), &raw).unwrap().items.len(), 1);
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
            let _ = list(&memory::<Pod>(), &raw);
            let _ = list(&memory::<Container>(), &raw);
            let _ = list(&memory::<Image>(), &raw);
        }

        #[test]
        fn cut_messages_never_panic(cut in 0_usize..120) {
            let raw = shuffled(&[0, 1, 2]);
            let _ = list(&memory::<Container>(), &raw[..cut.min(raw.len())]);
        }
    }
}
