//! The fields of a protobuf message, one after the other, without decoding what nobody asks for.

use std::marker::PhantomData;

use prost::bytes::Buf;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field<'a> {
    /// A varint: a number, a yes or no.
    Number(u64),
    /// A text, bytes or a message.
    Bytes(&'a [u8]),
    /// Fixed width or a group, which the CRI has nowhere.
    Other,
}

/// Walks over the fields of a message, with their tags. Ends with the first error.
#[derive(Debug)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// Of an encoded message.
    pub fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    fn slow(&mut self) -> Result<(u32, Field<'a>), DecodeError> {
        let (tag, wire_type) = decode_key(&mut self.0)?;
        let field = match wire_type {
            WireType::Varint => Field::Number(decode_varint(&mut self.0)?),
            WireType::LengthDelimited => Field::Bytes(take(&mut self.0)?),
            other => {
                skip_field(other, tag, &mut self.0, DecodeContext::default())?;
                Field::Other
            }
        };
        Ok((tag, field))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Field<'a>), DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        if let Some((tag, record)) = short(self.0) {
            self.0 = &self.0[record.len()..];
            return Some(Ok((tag, Field::Bytes(&record[2..]))));
        }
        let field = self.slow();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// The tag and all bytes of a length-delimited field whose tag and length take a byte each: most
/// fields of most items are like that, and this is several times as fast as the general way.
#[inline]
pub(super) fn short(message: &[u8]) -> Option<(u32, &[u8])> {
    /// Marks a length-delimited field in its lowest three bits; the highest bit says that more
    /// bytes follow.
    const DELIMITED: u8 = 2;
    let (&key, &length) = (message.first()?, message.get(1)?);
    let plain = key & 0x87 == DELIMITED && key >= 8 && length < 0x80;
    let record = message.get(..2 + usize::from(length))?;
    plain.then_some((u32::from(key >> 3), record))
}

/// The bytes of a length-delimited field.
#[inline]
pub(super) fn take<'a>(raw: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let length = usize::try_from(decode_varint(raw)?).unwrap_or(usize::MAX);
    let Some((bytes, rest)) = raw.split_at_checked(length) else {
        // prost's own errors cannot be made outside of it: let it fail on the same bytes.
        let mut short: &[u8] = &[];
        return decode_varint(&mut short).map(|_| short);
    };
    *raw = rest;
    Ok(bytes)
}

/// Sends a message as it is, and reads the answer with a function of ours.
#[derive(Debug)]
pub(super) struct Read<E, T> {
    read: fn(&[u8]) -> Result<T, DecodeError>,
    sent: PhantomData<fn(E)>,
}

impl<E, T> Read<E, T> {
    /// Answers are read by this.
    pub fn by(read: fn(&[u8]) -> Result<T, DecodeError>) -> Self {
        let sent = PhantomData;
        Self { read, sent }
    }
}

impl<E: Message + 'static, T: Send + 'static> Codec for Read<E, T> {
    type Encode = E;
    type Decode = T;
    type Encoder = ProstEncoder<E>;
    type Decoder = Reading<T>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        Reading(self.read)
    }
}

/// Reads one answer.
#[derive(Debug)]
pub(super) struct Reading<T>(fn(&[u8]) -> Result<T, DecodeError>);

impl<T> Decoder for Reading<T> {
    type Item = T;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<T>, Status> {
        // Taken out of tonic's buffer without copying.
        let raw = src.copy_to_bytes(src.remaining());
        let told = (self.0)(&raw);
        told.map(Some)
            .map_err(|error| Status::internal(format!("it cannot be decoded: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use prost::encoding::{encode_key, encode_varint};

    fn field(tag: u32, bytes: &[u8]) -> Vec<u8> {
        let mut raw = Vec::new();
        encode_key(tag, WireType::LengthDelimited, &mut raw);
        encode_varint(bytes.len() as u64, &mut raw);
        raw.extend(bytes);
        raw
    }

    fn number(tag: u32, value: u64) -> Vec<u8> {
        let mut raw = Vec::new();
        encode_key(tag, WireType::Varint, &mut raw);
        encode_varint(value, &mut raw);
        raw
    }

    #[test]
    fn short_fields_are_seen_and_no_others() {
        let raw = field(3, b"abc");
        assert_eq!(short(&[&raw[..], b"rest"].concat()), Some((3, &raw[..])));
        assert_eq!(short(&field(15, &[0; 127])).map(|(tag, _)| tag), Some(15));
        assert_eq!(short(&field(16, b"abc")), None);
        assert_eq!(short(&field(3, &[0; 128])), None);
        assert_eq!(short(&raw[..4]), None);
        assert_eq!(short(&number(3, 2)), None);
        // There is no tag 0.
        assert_eq!(short(&[2, 0]), None);
    }

    #[test]
    fn fields_in_their_order() {
        let long = [7; 300];
        let mut raw = [field(1, b"a"), number(2, u64::MAX), field(200, &long)].concat();
        encode_key(3, WireType::SixtyFourBit, &mut raw);
        raw.extend([0; 8]);
        let found: Result<Vec<_>, _> = Fields::of(&raw).collect();
        let expected = [
            (1, Field::Bytes(b"a")),
            (2, Field::Number(u64::MAX)),
            (200, Field::Bytes(&long)),
            (3, Field::Other),
        ];
        assert_eq!(found.unwrap(), expected);
        let cut: Vec<_> = Fields::of(&raw[..raw.len() - 1]).collect();
        assert!(cut.len() == 4 && cut[3].is_err());
    }

    proptest! {
        #[test]
        fn bytes_never_panic(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Fields::of(&raw).count() <= raw.len());
        }
    }
}
