//! A list call whose answer is read while it comes in.
//!
//! tonic gathers a message before anybody can decode it: on a large node that is 4 MiB in one
//! piece, put together anew for each list. Here the items are taken out of the pieces as HTTP/2
//! delivers them, and only one that lies across two pieces is put together.

use http::header::{CONTENT_TYPE, TE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version};
use http_body_util::{BodyExt, Full};
use prost::bytes::Bytes;
use prost::encoding::{WireType, decode_key, decode_varint};
use prost::{DecodeError, Message};
use tonic::body::Body;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tower::ServiceExt;

use super::gate::Gate;

/// What precedes a message: whether it is compressed, and its length.
const PREFIX: usize = 5;
/// The field that holds the items, in every list of the CRI.
const ITEMS: u32 = 1;

/// How a list comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// All in one message, as every runtime can.
    Whole(&'static str),
    /// In any number of messages, as only the newest can.
    Batches(&'static str),
}

impl Form {
    /// The path of the call.
    pub fn path(self) -> &'static str {
        match self {
            Self::Whole(path) | Self::Batches(path) => path,
        }
    }
}

/// Asks for a list, and gives each of its items to `item`, in the order in which they come. All
/// together may take `largest` bytes.
pub(super) async fn list(
    gate: Gate<Channel>,
    form: Form,
    asked: Request<impl Message>,
    largest: usize,
    item: impl FnMut(&[u8]) -> Result<(), DecodeError>,
) -> Result<Response<()>, Status> {
    let answer = gate.oneshot(to_send(form.path(), asked)).await;
    let (head, mut body) = answer
        .map_err(|error| Status::from_error(error.into()))?
        .into_parts();
    let mut pieces = Pieces::new(form, largest, item);
    let mut end = ended(&head.headers)?;
    if end.is_none() && head.status != StatusCode::OK {
        return Err(no_grpc(head.status));
    }
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(data) => pieces.take(&data)?,
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_default();
                end = ended(&trailers)?.or(end);
            }
        }
    }
    end.ok_or_else(|| Status::internal("the answer has no end: it lacks a grpc-status"))?;
    pieces.end()?;
    Ok(Response::new(()))
}

/// A call as tonic would send it.
fn to_send(path: &'static str, asked: Request<impl Message>) -> http::Request<Body> {
    let (metadata, _, message) = asked.into_parts();
    let mut raw = vec![0; PREFIX];
    message.encode_raw(&mut raw);
    // What is asked takes a few bytes.
    let length = u32::try_from(raw.len() - PREFIX).unwrap_or(0);
    raw[1..PREFIX].copy_from_slice(&length.to_be_bytes());
    let mut request = http::Request::new(Body::new(Full::new(Bytes::from(raw))));
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = Uri::from(PathAndQuery::from_static(path));
    let headers = request.headers_mut();
    *headers = metadata.into_headers();
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    request
}

/// Whether these headers end an answer, and not with an error.
fn ended(headers: &HeaderMap) -> Result<Option<()>, Status> {
    let mut headers = headers.clone();
    // tonic panics when these are not base64.
    headers.remove("grpc-status-details-bin");
    match Status::from_header_map(&headers) {
        Some(status) if status.code() != Code::Ok => Err(status),
        status => Ok(status.map(|_| ())),
    }
}

/// What answers is no gRPC server, but something before it: its words, as gRPC maps them.
fn no_grpc(status: StatusCode) -> Status {
    let code = match status.as_u16() {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    };
    Status::new(code, format!("no gRPC, but HTTP status {status}"))
}

/// Takes the items out of messages that come in pieces.
struct Pieces<F> {
    form: Form,
    item: F,
    /// Bytes that may still come.
    room: usize,
    /// What is left of the message; a prefix comes next when nothing is.
    left: usize,
    messages: usize,
    /// The beginning of what lies across two pieces.
    part: Vec<u8>,
}

impl<F: FnMut(&[u8]) -> Result<(), DecodeError>> Pieces<F> {
    fn new(form: Form, largest: usize, item: F) -> Self {
        Self {
            form,
            item,
            room: largest,
            left: 0,
            messages: 0,
            part: Vec::new(),
        }
    }

    fn take(&mut self, mut data: &[u8]) -> Result<(), Status> {
        while !(data.is_empty() && self.part.is_empty()) {
            if self.part.is_empty() {
                match self.unit(data)? {
                    Unit::Whole(used) => data = &data[used..],
                    Unit::Cut(_) => {
                        self.part.extend(data);
                        return Ok(());
                    }
                }
                continue;
            }
            let part = std::mem::take(&mut self.part);
            let unit = self.unit(&part)?;
            self.part = part;
            match unit {
                Unit::Whole(_) => self.part.clear(),
                Unit::Cut(_) if data.is_empty() => return Ok(()),
                Unit::Cut(whole) => {
                    let lacks = whole - self.part.len();
                    let (more, rest) = data.split_at(lacks.min(data.len()));
                    self.part.extend(more);
                    data = rest;
                }
            }
        }
        Ok(())
    }

    /// Nothing more comes.
    fn end(&self) -> Result<(), Status> {
        let enough = self.messages > 0 || matches!(self.form, Form::Batches(_));
        let whole = self.part.is_empty() && self.left == 0 && enough;
        whole.then_some(()).ok_or_else(broken)
    }

    /// Takes what `bytes` begin with.
    fn unit(&mut self, bytes: &[u8]) -> Result<Unit, Status> {
        if self.left == 0 {
            return self.prefix(bytes);
        }
        let within = &bytes[..bytes.len().min(self.left)];
        let unit = match field(within)? {
            Field::Whole(item, used) => {
                if let Some(item) = item {
                    (self.item)(item).map_err(|error| malformed(&error))?;
                }
                self.left -= used;
                Unit::Whole(used)
            }
            Field::Cut(whole) => Unit::Cut(whole),
        };
        match unit {
            Unit::Cut(whole) if whole > self.left => Err(broken()),
            unit => Ok(unit),
        }
    }

    fn prefix(&mut self, bytes: &[u8]) -> Result<Unit, Status> {
        let Some(&[compressed, ref length @ ..]) = bytes.first_chunk::<PREFIX>() else {
            return Ok(Unit::Cut(PREFIX));
        };
        if compressed != 0 {
            return Err(Status::internal("it is compressed, which nobody asked for"));
        }
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if self.messages > 0 && matches!(self.form, Form::Whole(_)) {
            return Err(Status::internal("it has more than one message"));
        }
        let Some(room) = self.room.checked_sub(length) else {
            return Err(Status::out_of_range(format!(
                "the list is too large: {length} bytes come where {} may",
                self.room
            )));
        };
        self.room = room;
        self.left = length;
        self.messages += 1;
        Ok(Unit::Whole(PREFIX))
    }
}

/// What some bytes begin with.
enum Unit {
    /// All of it is there: so many bytes.
    Whole(usize),
    /// Not all is there: it takes so many bytes, or more.
    Cut(usize),
}

/// The field that some bytes begin with.
enum Field<'a> {
    /// An item, or something else, and how many bytes it takes.
    Whole(Option<&'a [u8]>, usize),
    /// See [`Unit::Cut`].
    Cut(usize),
}

fn field(bytes: &[u8]) -> Result<Field<'_>, Status> {
    let Some(key) = varint(bytes)? else {
        return Ok(Field::Cut(bytes.len() + 1));
    };
    let (tag, wire_type) = decode_key(&mut &bytes[..key]).map_err(|error| malformed(&error))?;
    let rest = &bytes[key..];
    let (start, length) = match wire_type {
        WireType::SixtyFourBit => (key, 8),
        WireType::ThirtyTwoBit => (key, 4),
        WireType::Varint | WireType::LengthDelimited => {
            let Some(number) = varint(rest)? else {
                return Ok(Field::Cut(bytes.len() + 1));
            };
            let start = key + number;
            if wire_type == WireType::Varint {
                (start, 0)
            } else {
                let length = decode_varint(&mut &rest[..number]);
                let length = length.map_err(|error| malformed(&error))?;
                (start, usize::try_from(length).unwrap_or(usize::MAX))
            }
        }
        WireType::StartGroup | WireType::EndGroup => {
            return Err(Status::internal("it holds a group, which proto3 has not"));
        }
    };
    let end = start.saturating_add(length);
    let Some(content) = bytes.get(start..end) else {
        return Ok(Field::Cut(end));
    };
    let item = tag == ITEMS && wire_type == WireType::LengthDelimited;
    Ok(Field::Whole(item.then_some(content), end))
}

/// How many bytes the number takes that some bytes begin with; `None` if it goes on.
fn varint(bytes: &[u8]) -> Result<Option<usize>, Status> {
    /// Enough for 64 bits.
    const LONGEST: usize = 10;
    let number = &bytes[..bytes.len().min(LONGEST)];
    match number.iter().position(|byte| *byte < 0x80) {
        Some(last) => Ok(Some(last + 1)),
        None if number.len() < LONGEST => Ok(None),
        None => Err(Status::internal("it cannot be decoded: invalid varint")),
    }
}

fn malformed(error: &DecodeError) -> Status {
    Status::internal(format!("it cannot be decoded: {error}"))
}

fn broken() -> Status {
    Status::internal("it cannot be decoded: a message breaks off")
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_cri::v1::{Image, ListImagesResponse};
    use proptest::prelude::*;
    use prost::encoding::encode_key;
    use rstest::rstest;

    const LARGEST: usize = 1 << 20;

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap();
        [&[0], &length.to_be_bytes()[..], message].concat()
    }

    fn images(sizes: &[usize]) -> Vec<u8> {
        let image = |size: &usize| Image {
            id: "x".repeat(*size),
            ..Default::default()
        };
        let images = sizes.iter().map(image).collect();
        ListImagesResponse { images }.encode_to_vec()
    }

    const BATCHES: Form = Form::Batches("/");
    const WHOLE: Form = Form::Whole("/");

    /// The items in these pieces, by their lengths.
    fn items<'a>(
        form: Form,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<usize>, Status> {
        let mut items = Vec::new();
        let mut taking = Pieces::new(form, LARGEST, |item: &[u8]| {
            items.push(Image::decode(item)?.id.len());
            Ok(())
        });
        for piece in pieces {
            taking.take(piece)?;
        }
        taking.end()?;
        Ok(items)
    }

    #[test]
    fn fields_of_a_newer_cri_are_passed_over() {
        let mut message = images(&[1]);
        encode_key(99, WireType::LengthDelimited, &mut message);
        message.extend([3, 1, 2, 3]);
        encode_key(1, WireType::Varint, &mut message);
        message.extend([0x80, 5]);
        encode_key(98, WireType::SixtyFourBit, &mut message);
        message.extend([0; 8]);
        encode_key(97, WireType::ThirtyTwoBit, &mut message);
        message.extend([0; 4]);
        message.extend(images(&[2]));
        let raw = framed(&message);
        for size in 1..raw.len() {
            assert_eq!(items(WHOLE, raw.chunks(size)).unwrap(), [1, 2], "{size}");
        }
    }

    #[rstest]
    #[case::nothing(vec![], "breaks off")]
    #[case::half_a_prefix(vec![0, 0], "breaks off")]
    #[case::two_messages(framed(&images(&[3])).repeat(2), "more than one")]
    #[case::half_a_message(framed(&images(&[300]))[..200].to_vec(), "breaks off")]
    #[case::longer_than_its_message(framed(&[0x0a, 0x7f, 1]), "breaks off")]
    #[case::no_end_of_a_number(framed(&[0xff; 12]), "invalid varint")]
    #[case::no_such_tag(framed(&[0x02, 0]), "invalid tag")]
    #[case::a_group(framed(&[0x0b]), "group")]
    #[case::compressed(vec![1, 0, 0, 0, 0], "compressed")]
    #[case::no_item(framed(&[0x0a, 2, 0x0a, 7]), "decode")]
    fn what_cannot_be_read_is_an_error(#[case] raw: Vec<u8>, #[case] says: &str) {
        for size in [1, 2, 7, 1 << 20] {
            let error = items(WHOLE, raw.chunks(size)).unwrap_err();
            assert_eq!(error.code(), Code::Internal);
            assert!(error.message().contains(says), "{error}");
        }
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let length = u32::try_from(LARGEST + 1).unwrap().to_be_bytes();
        let prefix = [&[0], &length[..]].concat();
        // Nor what is too large only together.
        let half = framed(&images(&[LARGEST / 2]));
        let both = half.repeat(2);
        for raw in [&prefix, &both] {
            let error = items(BATCHES, [&raw[..]]).unwrap_err();
            assert_eq!(error.code(), Code::OutOfRange);
            assert!(error.message().contains("too large"), "{error}");
        }
        assert_eq!(items(BATCHES, [&half[..]]).unwrap(), [LARGEST / 2]);
    }

    #[test]
    fn no_batch_is_an_empty_list() {
        assert!(items(BATCHES, []).unwrap().is_empty());
        let half = framed(&images(&[3]));
        assert!(items(BATCHES, [&half[..], &[0, 0]]).is_err());
    }

    #[rstest]
    #[case(503, Code::Unavailable)]
    #[case(404, Code::Unimplemented)]
    #[case(403, Code::PermissionDenied)]
    #[case(418, Code::Unknown)]
    fn what_is_no_grpc_is_mapped(#[case] status: u16, #[case] code: Code) {
        assert_eq!(no_grpc(StatusCode::from_u16(status).unwrap()).code(), code);
    }

    #[test]
    fn an_end_that_is_no_base64_is_an_end() {
        let mut headers = HeaderMap::new();
        assert!(ended(&headers).unwrap().is_none());
        headers.insert("grpc-status-details-bin", HeaderValue::from_static("?"));
        headers.insert("grpc-status", HeaderValue::from_static("0"));
        assert!(ended(&headers).unwrap().is_some());
        headers.insert("grpc-status", HeaderValue::from_static("5"));
        assert_eq!(ended(&headers).unwrap_err().code(), Code::NotFound);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            messages in prop::collection::vec(prop::collection::vec(0_usize..400, 0..6), 1..4),
            cuts in prop::collection::vec(1_usize..300, 1..20),
        ) {
            let raw: Vec<u8> = messages.iter().flat_map(|sizes| framed(&images(sizes))).collect();
            let (mut rest, mut pieces) = (&raw[..], Vec::new());
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(items(BATCHES, pieces).unwrap(), messages.concat());
        }

        #[test]
        fn bytes_never_panic(raw in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200) {
            let _ = items(BATCHES, framed(&raw).chunks(cut + 1));
            let _ = items(WHOLE, raw.chunks(cut + 1));
        }
    }
}
