//! Replies as HTTP/2 carries them: gRPC's length-prefixed messages and its trailers.

use std::convert::Infallible;

use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Frame};
use prost::Message;
use tonic::Status;

use super::item::List;

/// Body of a reply.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// What a method answers: encoded messages.
pub(super) enum Reply {
    One(Vec<u8>),
    /// One message, made while it is sent.
    List(List),
    Many(BoxStream<'static, Vec<u8>>),
}

/// Prefix of a gRPC message: no compression, length.
const PREFIX: usize = 5;

/// Bytes of a list that are made at once: few enough to stay in the processor's cache.
const PART: usize = 128 << 10;

fn prefix(length: usize) -> [u8; PREFIX] {
    let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [0, length[0], length[1], length[2], length[3]]
}

fn framed(message: &[u8]) -> Bytes {
    [&prefix(message.len()), message].concat().into()
}

/// The message in the body of a unary request.
pub(super) fn unframed(body: &Bytes) -> Result<Bytes, Status> {
    let prefix = body
        .get(..PREFIX)
        .ok_or_else(|| Status::internal("no message in the request"))?;
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
    if prefix[0] != 0 || body.len() - PREFIX != length {
        return Err(Status::internal(
            "the request is not one uncompressed message",
        ));
    }
    Ok(body.slice(PREFIX..))
}

pub(super) fn decode<M: Message + Default>(message: &[u8]) -> Result<M, Status> {
    M::decode(message)
        .map_err(|error| Status::internal(format!("grpc: error unmarshalling request: {error}")))
}

fn ok_trailers() -> HeaderMap {
    HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )])
}

/// The HTTP response that carries `result`.
pub(super) fn response(result: Result<Reply, Status>) -> Response<Body> {
    let body = match result {
        Err(status) => return status.into_http::<()>().map(|()| empty()),
        Ok(Reply::One(message)) => Full::new(framed(&message))
            .with_trailers(async { Some(Ok(ok_trailers())) })
            .boxed_unsync(),
        Ok(Reply::List(mut list)) => {
            let start = Bytes::copy_from_slice(&prefix(list.size()));
            let parts = std::iter::from_fn(move || list.part(PART).map(Bytes::from));
            streamed(stream::iter(std::iter::once(start).chain(parts)))
        }
        Ok(Reply::Many(messages)) => streamed(messages.map(|message| framed(&message))),
    };
    let mut response = Response::new(body);
    let grpc = HeaderValue::from_static("application/grpc");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, grpc);
    response
}

fn streamed(data: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    let end = stream::once(async { Frame::trailers(ok_trailers()) });
    StreamBody::new(data.map(Frame::data).chain(end).map(Ok)).boxed_unsync()
}

fn empty() -> Body {
    Full::new(Bytes::new()).boxed_unsync()
}
