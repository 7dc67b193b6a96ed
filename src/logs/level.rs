//! How bad a line says it is, in the formats that most programs write: klog, logfmt, JSON, log4j
//! and its many likes. And which line looks like the cause of a crash.

use serde_json::{Map, Value};

/// How bad a line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// Step by step.
    Trace,
    /// For whoever wrote it.
    Debug,
    /// As it should be.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
    /// It ends.
    Fatal,
}

/// Words for a level, in any case.
const WORDS: [(&str, Level); 19] = [
    ("trace", Level::Trace),
    ("finest", Level::Trace),
    ("debug", Level::Debug),
    ("fine", Level::Debug),
    ("dbg", Level::Debug),
    ("info", Level::Info),
    ("information", Level::Info),
    ("notice", Level::Info),
    ("log", Level::Info),
    ("warn", Level::Warn),
    ("warning", Level::Warn),
    ("error", Level::Error),
    ("err", Level::Error),
    ("severe", Level::Error),
    ("fatal", Level::Fatal),
    ("critical", Level::Fatal),
    ("crit", Level::Fatal),
    ("panic", Level::Fatal),
    ("emerg", Level::Fatal),
];
/// Where JSON and logfmt say it.
const KEYS: [&str; 7] = [
    "level",
    "lvl",
    "severity",
    "log.level",
    "levelname",
    "loglevel",
    "severity_text",
];
/// How far into a line a level is looked for.
const HEAD: usize = 100;
/// What the first line of a crash's cause contains.
const CAUSES: [&str; 14] = [
    "panic:",
    "panicked at",
    "Traceback (most recent call last)",
    "FATAL",
    "fatal error",
    "Fatal error",
    "CRITICAL",
    "Exception",
    "Segmentation fault",
    "segfault",
    "Unhandled",
    "Uncaught",
    "OutOfMemory",
    "core dumped",
];

impl Level {
    /// Five letters or less.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// Of a line that is no JSON object.
    pub fn of_text(text: &str) -> Option<Self> {
        let head = start(text, HEAD);
        klog(head)
            .or_else(|| logfmt(text))
            .or_else(|| in_words(head))
    }

    /// Of a JSON object.
    pub fn of_object(object: &Map<String, Value>) -> Option<Self> {
        let told = KEYS.iter().find_map(|key| object.get(*key))?;
        match told {
            Value::String(word) => word_of(word),
            // As bunyan and pino count.
            Value::Number(number) => match number.as_u64()? {
                0..20 => Some(Self::Trace),
                20..30 => Some(Self::Debug),
                30..40 => Some(Self::Info),
                40..50 => Some(Self::Warn),
                50..60 => Some(Self::Error),
                _ => Some(Self::Fatal),
            },
            _ => None,
        }
    }
}

/// True if the level stands under this name in JSON.
pub fn is_level_key(key: &str) -> bool {
    KEYS.contains(&key)
}

/// True if a crash is likely to begin with this line.
pub fn looks_like_cause(text: &str) -> bool {
    CAUSES.iter().any(|cause| text.contains(cause)) || Level::of_text(text) == Some(Level::Fatal)
}

/// The first `most` bytes or a few less.
fn start(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn word_of(word: &str) -> Option<Level> {
    let known = |(name, _): &&(&str, Level)| name.eq_ignore_ascii_case(word.trim());
    WORDS.iter().find(known).map(|(_, level)| *level)
}

/// `E1120 10:00:00.123456 ...`
fn klog(text: &str) -> Option<Level> {
    let bytes = text.as_bytes();
    let digits = |from: usize, to: usize| {
        let part = bytes.get(from..to);
        part.is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    if !(digits(1, 5) && bytes.get(5) == Some(&b' ') && digits(6, 8) && bytes.get(8) == Some(&b':'))
    {
        return None;
    }
    match bytes[0] {
        b'I' => Some(Level::Info),
        b'W' => Some(Level::Warn),
        b'E' => Some(Level::Error),
        b'F' => Some(Level::Fatal),
        _ => None,
    }
}

/// `... level=warn ...`
fn logfmt(text: &str) -> Option<Level> {
    KEYS.iter().find_map(|key| {
        let starts = text.match_indices(key);
        let mut values = starts.filter_map(|(at, key)| {
            let fresh = at == 0 || text.as_bytes()[at - 1] == b' ';
            let value = text[at + key.len()..].strip_prefix('=')?;
            fresh.then_some(value.trim_start_matches('"'))
        });
        let value = values.next()?;
        word_of(value.split([' ', '"']).next()?)
    })
}

/// A word in capitals, or one in brackets: as log4j and nginx write it.
fn in_words(head: &str) -> Option<Level> {
    let mut words = head.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
    let capitals = words.find_map(|word| {
        let loud = word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        word_of(word).filter(|_| loud)
    });
    capitals.or_else(|| {
        let mut parts = head.split('[').skip(1);
        parts.find_map(|part| word_of(part.split_once(']')?.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("E1120 10:00:00.123456       1 main.go:3] boom", Some(Level::Error))]
    #[case("I1120 10:00:00.123456       1 main.go:3] ok", Some(Level::Info))]
    #[case("ts=2026 level=warn msg=\"an ERROR that is none\"", Some(Level::Warn))]
    #[case("lvl=\"dbug\" level=\"error\"", Some(Level::Error))]
    #[case(
        "2026-11-20 10:00:00,123 ERROR [main] c.s.Shop - no",
        Some(Level::Error)
    )]
    #[case("2026-11-20 10:00:00.1 UTC [1] FATAL:  no role", Some(Level::Fatal))]
    #[case(
        "2026/11/20 10:00:00 [error] 7#7: *1 open() failed",
        Some(Level::Error)
    )]
    #[case("WARNING:root:low", Some(Level::Warn))]
    #[case("GET /errors 200", None)]
    #[case("no information here", None)]
    #[case("sublevel=warn", None)]
    #[case("", None)]
    fn levels(#[case] line: &str, #[case] expected: Option<Level>) {
        assert_eq!(Level::of_text(line), expected);
    }

    #[rstest]
    #[case(r#"{"level":"warning"}"#, Some(Level::Warn))]
    #[case(r#"{"severity":"CRITICAL"}"#, Some(Level::Fatal))]
    #[case(r#"{"level":50}"#, Some(Level::Error))]
    #[case(r#"{"level":null}"#, None)]
    #[case("{}", None)]
    fn levels_of_objects(#[case] line: &str, #[case] expected: Option<Level>) {
        let object: Map<String, Value> = serde_json::from_str(line).unwrap();
        assert_eq!(Level::of_object(&object), expected);
    }

    #[rstest]
    #[case("panic: runtime error: index out of range", true)]
    #[case("Traceback (most recent call last):", true)]
    #[case("java.lang.NullPointerException: null", true)]
    #[case("F1120 10:00:00.123456 1 main.go:3] cannot listen", true)]
    #[case("connection refused", false)]
    fn causes(#[case] line: &str, #[case] expected: bool) {
        assert_eq!(looks_like_cause(line), expected);
    }
}
