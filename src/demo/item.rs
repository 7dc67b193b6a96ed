//! Items of a list, encoded once. Five thousand containers make three megabytes: a reply is
//! spliced from what each item already is, and only what changed is encoded again. The bytes are
//! made while they are sent: no list is ever whole in memory.

use std::ops::Range;
use std::sync::Arc;

use prost::Message;

use super::chance::Chance;

/// One item of a list reply, encoded, with the places of its map entries: Go writes maps in
/// random order, so the same item comes in other bytes each time.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    bytes: Box<[u8]>,
    maps: Box<[Box<[Range<u32>]>]>,
}

impl Item {
    /// Encodes `message`, whose maps are the fields numbered `maps`.
    pub(super) fn new(message: &impl Message, maps: &[u64]) -> Self {
        let bytes = message.encode_to_vec().into_boxed_slice();
        let maps = entries(&bytes, maps);
        Self { bytes, maps }
    }

    /// Appends the item as an element of the repeated field 1, with the entries of its maps in
    /// random order if `chance` is there, and `extra` (encoded fields) behind it.
    pub(super) fn push(&self, out: &mut Vec<u8>, chance: Option<&mut Chance>, extra: &[u8]) {
        out.push(0x0a);
        prost::encoding::encode_varint((self.bytes.len() + extra.len()) as u64, out);
        match chance {
            None => out.extend_from_slice(&self.bytes),
            Some(chance) => self.push_shuffled(out, chance),
        }
        out.extend_from_slice(extra);
    }

    /// Turning the entries is enough to make orders differ, and cheaper than mixing them.
    fn push_shuffled(&self, out: &mut Vec<u8>, chance: &mut Chance) {
        let mut done = 0;
        for map in &self.maps {
            let (Some(first), Some(last)) = (map.first(), map.last()) else {
                continue;
            };
            out.extend_from_slice(&self.bytes[done..first.start as usize]);
            let turn = chance.below(map.len());
            for range in map[turn..].iter().chain(&map[..turn]) {
                out.extend_from_slice(&self.bytes[range.start as usize..range.end as usize]);
            }
            done = last.end as usize;
        }
        out.extend_from_slice(&self.bytes[done..]);
    }

    /// Size in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}

/// The reply to a list call: its items, and how they are to be written.
#[derive(Debug, Default)]
pub(super) struct List {
    items: std::vec::IntoIter<Arc<Item>>,
    chance: Option<Chance>,
    extra: Vec<u8>,
    /// What is encoded already.
    made: Vec<u8>,
}

impl List {
    /// The `items` in this order, with `extra` (encoded fields) behind each; the entries of their
    /// maps are in random order if `chance` is there.
    pub(super) fn new(items: Vec<Arc<Item>>, chance: Option<Chance>, extra: Vec<u8>) -> Self {
        Self {
            items: items.into_iter(),
            chance,
            extra,
            made: Vec::new(),
        }
    }

    /// An encoded reply.
    pub(super) fn made(made: Vec<u8>) -> Self {
        Self {
            made,
            ..Self::default()
        }
    }

    /// Bytes that are still to come.
    pub(super) fn size(&self) -> usize {
        let items = self.items.as_slice().iter().map(|item| {
            let length = item.len() + self.extra.len();
            1 + prost::encoding::encoded_len_varint(length as u64) + length
        });
        self.made.len() + items.sum::<usize>()
    }

    /// The next bytes, about `size` of them, whole items; `None` when there are no more.
    pub(super) fn part(&mut self, size: usize) -> Option<Vec<u8>> {
        if self.items.len() == 0 && self.made.is_empty() {
            return None;
        }
        let mut out = std::mem::take(&mut self.made);
        if self.items.len() > 0 {
            out.reserve(size + size / 8);
        }
        while out.len() < size
            && let Some(item) = self.items.next()
        {
            item.push(&mut out, self.chance.as_mut(), &self.extra);
        }
        Some(out)
    }
}

/// The ranges of the entries of each map field. They follow each other: prost writes fields in
/// the order of their numbers.
fn entries(bytes: &[u8], maps: &[u64]) -> Box<[Box<[Range<u32>]>]> {
    let mut found = vec![Vec::new(); maps.len()];
    let mut rest = bytes;
    let at = |rest: &[u8]| u32::try_from(bytes.len() - rest.len()).unwrap_or(u32::MAX);
    while !rest.is_empty() {
        let start = at(rest);
        let Some(field) = skip_field(&mut rest) else {
            break;
        };
        if let Some(index) = maps.iter().position(|map| *map == field) {
            found[index].push(start..at(rest));
        }
    }
    found.into_iter().map(Vec::into_boxed_slice).collect()
}

/// Skips one field and gives its number. The CRI uses varints and lengths only.
fn skip_field(rest: &mut &[u8]) -> Option<u64> {
    let key = prost::encoding::decode_varint(rest).ok()?;
    match key & 7 {
        0 => {
            prost::encoding::decode_varint(rest).ok()?;
        }
        2 => {
            let length = usize::try_from(prost::encoding::decode_varint(rest).ok()?).ok()?;
            *rest = rest.get(length..)?;
        }
        _ => return None,
    }
    Some(key >> 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_cri::v1::{ListPodSandboxResponse, PodSandbox};

    fn pod() -> PodSandbox {
        let map = |names: &[&str]| names.iter().map(|n| ((*n).into(), "v".into())).collect();
        PodSandbox {
            id: "abc".into(),
            labels: map(&["a", "b", "c"]),
            annotations: map(&["x", "y"]),
            runtime_handler: "runc".into(),
            ..PodSandbox::default()
        }
    }

    #[test]
    fn any_order_decodes_to_the_same_item() {
        let item = Item::new(&pod(), &[5, 6]);
        let mut chance = Chance::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..50 {
            let mut out = Vec::new();
            item.push(&mut out, Some(&mut chance), &[]);
            let reply = ListPodSandboxResponse::decode(out.as_slice()).expect("it decodes");
            assert_eq!(reply.items, [pod()]);
            seen.insert(out);
        }
        assert_eq!(seen.len(), 6, "three labels and two annotations, turned");
    }

    #[test]
    fn without_chance_the_bytes_stay() {
        let item = Item::new(&pod(), &[5, 6]);
        let (mut one, mut two) = (Vec::new(), Vec::new());
        item.push(&mut one, None, &[]);
        item.push(&mut two, None, &[]);
        assert_eq!(one, two);
    }
}
