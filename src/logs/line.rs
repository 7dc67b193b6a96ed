//! One line of a log file, as a runtime wrote it: the CRI's format, docker's json-file, or
//! neither. Any bytes are a line; what is in no known format is its own content.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use memchr::memchr;

/// A header's time stamp is never longer: RFC 3339 with nanoseconds and an offset has 35.
const LONGEST_TIME: usize = 40;
static TIMES: DateTimeParser = DateTimeParser::new();

/// Where a line was written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Not told: the line is in no known format.
    Raw,
}

impl Stream {
    /// `stdout`, `stderr`, or `raw`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Raw => "raw",
        }
    }
}

/// One line of the file without its newline, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line<'a> {
    /// When it was written, in the runtime's words; empty for [`Stream::Raw`]. See [`instant`].
    pub time: &'a [u8],
    /// Where it was written.
    pub stream: Stream,
    /// The container's line goes on in the next one of this stream.
    pub partial: bool,
    /// What the container wrote.
    pub content: Cow<'a, [u8]>,
}

/// The beginning of a line in the CRI's format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// Length of the time stamp, which comes first.
    pub(super) time: usize,
    pub(super) stream: Stream,
    pub(super) partial: bool,
    /// Where the content begins.
    pub(super) content: usize,
}

/// Takes a line (without its newline) apart.
pub fn parse(line: &[u8]) -> Line<'_> {
    if let Some(header) = header(line) {
        return Line {
            time: &line[..header.time],
            stream: header.stream,
            partial: header.partial,
            content: Cow::Borrowed(&line[header.content..]),
        };
    }
    docker(line).unwrap_or(Line {
        time: b"",
        stream: Stream::Raw,
        partial: false,
        content: Cow::Borrowed(line),
    })
}

/// The instant that a line's time stamp names, whatever its offset.
pub fn instant(time: &[u8]) -> Option<Timestamp> {
    TIMES.parse_timestamp(time).ok()
}

/// `content` as a terminal in the container would have ended it: without a last `\r`.
pub fn without_return(content: &[u8]) -> &[u8] {
    content.strip_suffix(b"\r").unwrap_or(content)
}

/// `TIME STREAM TAG[:TAG...] CONTENT`.
pub(super) fn header(line: &[u8]) -> Option<Header> {
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    let time = memchr(b' ', &line[..line.len().min(LONGEST_TIME + 1)])?;
    if time < 20 || line[10] != b'T' {
        return None;
    }
    let rest = &line[time + 1..];
    let stream = match rest.get(..7)? {
        b"stdout " => Stream::Stdout,
        b"stderr " => Stream::Stderr,
        _ => return None,
    };
    let tags = &rest[7..];
    let partial = match tags.first()? {
        b'P' => true,
        b'F' => false,
        _ => return None,
    };
    let tags = match tags.get(1)? {
        b' ' => 1,
        b':' => memchr(b' ', tags)?,
        _ => return None,
    };
    Some(Header {
        time,
        stream,
        partial,
        content: time + 1 + 7 + tags + 1,
    })
}

/// What every line of docker's begins with.
pub(super) const DOCKER: &[u8] = b"{\"log\":\"";

#[derive(serde::Deserialize)]
struct Docker<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    stream: &'a str,
    time: &'a str,
}

fn docker(line: &[u8]) -> Option<Line<'_>> {
    if !line.starts_with(DOCKER) {
        return None;
    }
    let told: Docker<'_> = serde_json::from_slice(line).ok()?;
    let content = match told.log {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    let partial = content.last() != Some(&b'\n');
    Some(Line {
        time: told.time.as_bytes(),
        stream: match told.stream {
            "stdout" => Stream::Stdout,
            "stderr" => Stream::Stderr,
            _ => return None,
        },
        partial,
        content: match content {
            whole if partial => whole,
            Cow::Borrowed(whole) => Cow::Borrowed(&whole[..whole.len() - 1]),
            Cow::Owned(mut whole) => {
                whole.pop();
                Cow::Owned(whole)
            }
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const T: &str = "2026-11-20T10:00:00.123456789Z";

    #[rstest]
    #[case("stdout F hello", Stream::Stdout, false, "hello")]
    #[case("stderr P hello", Stream::Stderr, true, "hello")]
    #[case("stdout F ", Stream::Stdout, false, "")]
    #[case("stdout F  two  spaces ", Stream::Stdout, false, " two  spaces ")]
    #[case("stdout P:x:y more", Stream::Stdout, true, "more")]
    #[case("stderr F:P: x", Stream::Stderr, false, "x")]
    #[case("stdout F a\0b\rc", Stream::Stdout, false, "a\0b\rc")]
    fn cri(
        #[case] rest: &str,
        #[case] stream: Stream,
        #[case] partial: bool,
        #[case] content: &str,
    ) {
        let text = format!("{T} {rest}");
        let line = parse(text.as_bytes());
        assert_eq!(line.time, T.as_bytes());
        assert_eq!((line.stream, line.partial), (stream, partial));
        assert_eq!(line.content, content.as_bytes());
    }

    #[rstest]
    #[case(
        r#"{"log":"hello\n","stream":"stdout","time":"2026-11-20T10:00:00.5Z"}"#,
        Stream::Stdout,
        false,
        "hello"
    )]
    #[case(r#"{"log":"say \"hi\" \u003c\u0026\u003e\n","stream":"stderr","time":"2026-11-20T10:00:00.5Z"}"#, Stream::Stderr, false, "say \"hi\" <&>")]
    #[case(
        r#"{"log":"part","stream":"stdout","time":"2026-11-20T10:00:00.5Z"}"#,
        Stream::Stdout,
        true,
        "part"
    )]
    #[case(
        r#"{"log":"","stream":"stdout","attrs":{"tag":"a"},"time":"2026-11-20T10:00:00.5Z"}"#,
        Stream::Stdout,
        true,
        ""
    )]
    fn json_file(
        #[case] text: &str,
        #[case] stream: Stream,
        #[case] partial: bool,
        #[case] content: &str,
    ) {
        let line = parse(text.as_bytes());
        assert_eq!((line.stream, line.partial), (stream, partial));
        assert_eq!(line.content, content.as_bytes());
        assert_eq!(instant(line.time), "2026-11-20T10:00:00.5Z".parse().ok());
    }

    #[rstest]
    #[case("")]
    #[case("hello")]
    #[case("2026-11-20T10:00:00.123456789Z")]
    #[case("2026-11-20T10:00:00.123456789Z stdout")]
    #[case("2026-11-20T10:00:00.123456789Z stdout F")]
    #[case("2026-11-20T10:00:00.123456789Z stdout X hello")]
    #[case("2026-11-20T10:00:00.123456789Z stdfoo F hello")]
    #[case("2026-11-20T10:00:00.123456789Z stdout FP hello")]
    #[case("2026-11-20 10:00:00 stdout F hello")]
    #[case("{\"log\":\"cut")]
    #[case("{\"log\":\"x\\n\",\"stream\":\"other\",\"time\":\"\"}")]
    fn anything_else_is_its_own_content(#[case] text: &str) {
        let line = parse(text.as_bytes());
        assert_eq!((line.stream, line.partial), (Stream::Raw, false));
        assert_eq!((line.time, &*line.content), (&b""[..], text.as_bytes()));
    }

    #[rstest]
    #[case("2026-11-20T10:00:00.850972+00:00", "2026-11-20T10:00:00.850972Z")]
    #[case(
        "2026-11-20T12:00:00.000000001+02:00",
        "2026-11-20T10:00:00.000000001Z"
    )]
    #[case("2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z")]
    fn offsets_name_the_same_instant(#[case] time: &str, #[case] utc: &str) {
        assert_eq!(instant(time.as_bytes()), utc.parse().ok());
        assert_eq!(instant(b"not a time"), None);
    }
}
