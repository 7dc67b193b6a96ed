//! A line as it is shown: safe, with its colours and its level, and a short form if it is JSON.
//! Made where lines are read, so that drawing has nothing to parse.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::level::{Level, is_level_key};
use super::line::{Stream, without_return};
use super::page::Row;
use super::scan::Pos;
use crate::paint::{Paints, painted};
use crate::text::Text;

/// Bytes of a line that are kept for showing; the rest is counted.
pub const KEEP: usize = 12 << 10;
/// Where JSON logs say what happened.
const MESSAGES: [&str; 5] = ["msg", "message", "log", "event", "body"];
/// What the time column says already.
const TIMES: [&str; 6] = ["time", "ts", "timestamp", "@timestamp", "t", "date"];

/// Names of fields of JSON objects; a dot leads into an object within.
pub type Fields = Arc<[String]>;

/// A place between two lines of several logs at once: one position for each.
pub type Spot = Arc<[Pos]>;

/// What names a line for good: whose log, and where in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LineId {
    /// Which of the logs that are shown together.
    pub source: usize,
    /// Where it stands; see [`Row::at`].
    pub at: Pos,
}

/// A line, ready to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Which one.
    pub id: LineId,
    /// The place before it.
    pub spot: Spot,
    /// The place after it, in its own log.
    pub end: Pos,
    /// When it was written.
    pub time: Option<Timestamp>,
    /// Where it was written.
    pub stream: Stream,
    /// By which attempt.
    pub attempt: u32,
    /// How bad it says it is.
    pub level: Option<Level>,
    /// What it says.
    pub text: Text,
    /// Its own colours.
    pub paints: Paints,
    /// The short form of a JSON object.
    pub short: Option<Text>,
    /// Bytes of it that are not here.
    pub omitted: usize,
    /// More of it may come.
    pub open: bool,
    /// A filter found it; it is not there as a neighbour only.
    pub matched: bool,
}

impl Line {
    /// Of a row, with the place before it.
    pub fn new(source: usize, row: &Row, spot: Spot, attempt: u32, matched: bool) -> Self {
        let content = without_return(&row.content);
        let (text, paints) = painted(content);
        let object = object(content);
        let level = match &object {
            Some(object) => Level::of_object(object),
            None => Level::of_text(text.as_str()),
        };
        Self {
            id: LineId { source, at: row.at },
            spot,
            end: row.end,
            time: row.instant(),
            stream: row.stream,
            attempt,
            level,
            short: object.map(|object| short(&object)),
            text,
            paints,
            omitted: row.omitted,
            open: row.open,
            matched,
        }
    }
}

impl Line {
    /// Shows only some fields of a JSON object.
    pub fn choose(&mut self, fields: &[String]) {
        if self.short.is_some()
            && let Some(object) = object(self.text.as_str().as_bytes())
        {
            self.short = Some(chosen(&object, fields));
        }
    }
}

/// The fields that it has of these.
fn chosen(object: &Map<String, Value>, fields: &[String]) -> Text {
    let mut out = String::new();
    for field in fields {
        let Some(value) = at(object, field) else {
            continue;
        };
        out.push_str(if out.is_empty() { "" } else { "  " });
        if !MESSAGES.contains(&field.as_str()) {
            out.push_str(field);
            out.push('=');
        }
        push(&mut out, value);
    }
    Text::clean(&out)
}

/// The value of a field: of that very name, else along its dots.
fn at<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    object.get(field).or_else(|| {
        let (first, rest) = field.split_once('.')?;
        at(object.get(first)?.as_object()?, rest)
    })
}

fn object(content: &[u8]) -> Option<Map<String, Value>> {
    let likely = content.starts_with(b"{") && content.trim_ascii_end().ends_with(b"}");
    let object = likely.then(|| serde_json::from_slice(content).ok());
    object.flatten()
}

/// The message, then `name=value` for the rest but time and level.
fn short(object: &Map<String, Value>) -> Text {
    let message = MESSAGES.iter().find(|key| object.contains_key(**key));
    let mut out = String::new();
    if let Some(message) = message.and_then(|key| object.get(*key)) {
        push(&mut out, message);
    }
    for (key, value) in object {
        let told = Some(&key.as_str()) == message || TIMES.contains(&key.as_str());
        if told || is_level_key(key) {
            continue;
        }
        // Writing to a String cannot fail.
        let _ = write!(out, "{}{key}=", if out.is_empty() { "" } else { "  " });
        push(&mut out, value);
    }
    Text::clean(&out)
}

fn push(out: &mut String, value: &Value) {
    let _ = match value {
        Value::String(text) => write!(out, "{text}"),
        other => write!(out, "{other}"),
    };
}

/// The lines of a JSON object, indented; `None` if the text is none.
pub fn spread(text: &str) -> Option<Vec<Text>> {
    let object = object(text.as_bytes())?;
    let spread = serde_json::to_string_pretty(&object).ok()?;
    Some(spread.lines().map(Text::clean).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        r#"{"ts":"x","level":"info","msg":"done","n":7,"who":{"a":1}}"#,
        "done  n=7  who={\"a\":1}"
    )]
    #[case(r#"{"n":7}"#, "n=7")]
    #[case(r#"{"msg":"\u001b[2Jgone"}"#, "\\x1b[2Jgone")]
    fn json_in_short(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(short(&object(line.as_bytes()).unwrap()), expected);
    }

    #[rstest]
    #[case("msg,n", "done  n=7")]
    #[case("who.a, n,none", "who.a=1  n=7")]
    #[case("a.b", "a.b=dotted")]
    #[case("none", "")]
    fn chosen_fields(#[case] fields: &str, #[case] expected: &str) {
        let line = r#"{"msg":"done","n":7,"who":{"a":1},"a.b":"dotted"}"#;
        let fields: Vec<String> = fields.split(',').map(|name| name.trim().into()).collect();
        assert_eq!(chosen(&object(line.as_bytes()).unwrap(), &fields), expected);
    }

    #[rstest]
    #[case("plain")]
    #[case("{cut")]
    #[case("{not json}")]
    #[case("[1,2]")]
    fn what_is_no_object_has_no_short_form(#[case] line: &str) {
        assert_eq!(object(line.as_bytes()), None);
        assert_eq!(spread(line), None);
    }

    #[test]
    fn an_object_is_spread_over_lines() {
        let lines = spread(r#"{"a":{"b":1}}"#).unwrap();
        assert_eq!(lines, ["{", "  \"a\": {", "    \"b\": 1", "  }", "}"]);
    }
}
