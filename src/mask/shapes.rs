//! What a secret looks like, and how one is given a name inside a text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::names::{can_be_secret, is_secret};
use super::pairs::Pairs;

/// Secrets that can be known by themselves. A group is the part that is masked, else all is.
const SECRETS: [&str; 18] = [
    // JSON Web Tokens.
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?",
    // Private keys, also when the end was cut off.
    r"(?s:-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$))",
    r"AGE-SECRET-KEY-1[A-Z0-9]+",
    // Clouds and services.
    r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b",
    r"AIza[A-Za-z0-9_-]{30,}",
    r"ya29\.[A-Za-z0-9_-]{10,}",
    r"gh[pousr]_[A-Za-z0-9]{20,}",
    r"github_pat_[A-Za-z0-9_]{20,}",
    r"glpat-[A-Za-z0-9_-]{16,}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"hooks\.slack\.com/services/(?P<hook>[A-Za-z0-9/_-]+)",
    r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}",
    r"\bsk-[A-Za-z0-9_-]{20,}",
    r"npm_[A-Za-z0-9]{30,}",
    r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}",
    r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"dop_v1_[a-f0-9]{20,}",
    // What stands behind the name of a scheme of HTTP.
    r"\b(?i:bearer|basic) +(?P<http>[A-Za-z0-9._~+/=-]{8,})",
];
static SHAPES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    // They are constant and tested; without them names still count.
    Regex::new(&SECRETS.join("|")).ok()
});

/// The password of a URL, or a token where the user stands. Apart from the others: most texts
/// have no `@`, and many have a `://`.
static URLS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let shapes = [
        r#"://[^\s/?#:@"']*:(?P<url>[^\s"'@]+)@"#,
        r"://(?P<user>[^\s/:@]{20,})@",
    ];
    Regex::new(&shapes.join("|")).ok()
});

/// Two neighbours of which each text that one of [`SHAPES`] matches has some, the rarest of theirs.
static HINTS: Pairs = Pairs::of(&[
    b"yJ", b"--", b"Y-", b"KI", b"SI", b"BI", b"CC", b"Iz", b"ya", b"gh", b"b_", b"lp", b"xo",
    b"k.", b"k_", b"k-", b"pm", b"hv", b"G.", b"p_", b"r ", b"R ", b"c ", b"C ",
]);
/// Length of the shortest text that one of [`SHAPES`] matches.
const SHORTEST: usize = 14;

/// What one pass over a text tells. Most texts have nothing of what could be searched for.
// Independent facts.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Glance {
    /// One of [`SHAPES`] may match.
    hint: bool,
    /// There is an `@`.
    at: bool,
    /// There is a `=` or `:`.
    assigns: bool,
    /// A word begins with `-`.
    flag: bool,
}

impl Glance {
    fn at(raw: &[u8]) -> Self {
        let mut seen = Self::default();
        let mut before = b' ';
        for &byte in raw {
            seen.hint |= HINTS.has(before, byte);
            seen.at |= byte == b'@';
            seen.assigns |= byte == b'=' || byte == b':';
            seen.flag |= byte == b'-' && before.is_ascii_whitespace();
            before = byte;
        }
        seen.hint &= raw.len() >= SHORTEST;
        seen
    }
}

/// The parts of a text that are secret.
pub(super) fn in_text(raw: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let seen = Glance::at(raw.as_bytes());
    if seen.hint {
        shaped(raw, &SHAPES, &mut found);
    }
    if seen.at {
        shaped(raw, &URLS, &mut found);
    }
    if seen.assigns {
        assigned(raw, &mut found);
    }
    if seen.flag {
        flagged(raw, &mut found);
    }
    found
}

/// What one of `shapes` matches, or the group in it that is secret.
fn shaped(raw: &str, shapes: &LazyLock<Option<Regex>>, found: &mut Vec<Range<usize>>) {
    // Most texts hold nothing, and to find that out takes no groups.
    let Some(shapes) = shapes.as_ref().filter(|shapes| shapes.is_match(raw)) else {
        return;
    };
    for captures in shapes.captures_iter(raw) {
        let groups = captures.iter().skip(1);
        let Some(part) = groups.flatten().next().or_else(|| captures.get(0)) else {
            continue;
        };
        let is_url = captures.name("url").is_some();
        let is_mask = part.as_str() == super::MASK;
        let shown = is_mask || (is_url && is_port(part.as_str()));
        if !shown {
            found.push(part.range());
        }
    }
}

/// `5000/app`, of a registry, not a password.
fn is_port(text: &str) -> bool {
    let number = text.split_once('/').map_or("", |(number, _)| number);
    !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn quoting(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'\\')
}

/// `NAME=VALUE`, `NAME: VALUE` and `"NAME": "VALUE"`.
fn assigned(raw: &str, found: &mut Vec<Range<usize>>) {
    let bytes = raw.as_bytes();
    for at in memchr::memchr2_iter(b'=', b':', bytes) {
        let mut end = at;
        while end > 0 && (quoting(bytes[end - 1]) || (bytes[end - 1] == b' ' && bytes[at] == b':'))
        {
            end -= 1;
        }
        let mut start = end;
        while start > 0 && in_name(bytes[start - 1]) {
            start -= 1;
        }
        let name = &raw[start..end];
        if name.is_empty() || !is_secret(name) {
            continue;
        }
        let value = value(raw, at);
        let shown = &raw[value.clone()];
        let quoted = end < at;
        if can_be_secret(shown) && (bytes[at] == b'=' || quoted || is_likely(name, shown)) {
            found.push(value);
        }
    }
}

/// Where the value of an assignment at `at` lies.
fn value(raw: &str, at: usize) -> Range<usize> {
    let bytes = raw.as_bytes();
    let mut start = at + 1;
    while start < bytes.len() && bytes[start] == b' ' && bytes[at] == b':' {
        start += 1;
    }
    let opened = start;
    while start < bytes.len() && bytes[start] == b'\\' {
        start += 1;
    }
    let quote = bytes
        .get(start)
        .copied()
        .filter(|b| matches!(b, b'"' | b'\''));
    let Some(quote) = quote else {
        let stops: &[u8] = if bytes[at] == b'=' {
            b"&;\"'\\"
        } else {
            b",;&\"'\\)]}"
        };
        let ends = |b: &u8| b.is_ascii_whitespace() || stops.contains(b);
        let length = bytes[opened..].iter().position(ends);
        return opened..length.map_or(bytes.len(), |length| opened + length);
    };
    // As many backslashes before the closing quote as before the opening one.
    let depth = start - opened;
    let begin = start + 1;
    let mut slashes = 0;
    for (place, byte) in bytes.iter().enumerate().skip(begin) {
        match *byte {
            b'\\' => slashes += 1,
            byte if byte == quote && slashes <= depth => return begin..place - slashes,
            _ => slashes = 0,
        }
        if *byte == quote {
            slashes = 0;
        }
    }
    begin..bytes.len()
}

/// Behind a name and a colon there may be a sentence: `invalid token: unexpected EOF`.
fn is_likely(name: &str, value: &str) -> bool {
    let has = |test: fn(&u8) -> bool| value.as_bytes().iter().any(test);
    let (letter, digit) = (has(u8::is_ascii_alphabetic), has(u8::is_ascii_digit));
    let odd = value.bytes().any(|b| !b.is_ascii_alphanumeric());
    let small = name.to_ascii_lowercase();
    let is_password = small.contains("pass") || small.contains("secret") || small.contains("pwd");
    let scheme = ["bearer", "basic"].contains(&&*value.to_ascii_lowercase());
    if is_password {
        return digit || odd || value.bytes().any(|b| b.is_ascii_uppercase());
    }
    !scheme && letter && digit && value.len() >= 8 && !value.contains("://")
}

/// `--password VALUE`.
fn flagged(raw: &str, found: &mut Vec<Range<usize>>) {
    let mut words = words(raw).peekable();
    let mut program = "";
    let mut begins = true;
    while let Some(range) = words.next() {
        let word = &raw[range];
        if std::mem::replace(&mut begins, word.ends_with([';', '|', '&'])) {
            program = word;
        }
        if !word.starts_with('-') {
            continue;
        }
        if let Some(flag) = super::names::glued(program, word) {
            let end = word.as_ptr() as usize - raw.as_ptr() as usize;
            found.push(end + flag.len()..end + word.len());
        }
        let Some(next) = words.peek() else { break };
        let value = raw[next.clone()].trim_end_matches([';', ',', '"', '\'']);
        let quoted = value.trim_start_matches(['"', '\'']);
        let start = next.start + value.len() - quoted.len();
        if super::names::is_secret_flag(program, word)
            && !quoted.starts_with('-')
            && can_be_secret(quoted)
        {
            found.push(start..start + quoted.len());
        }
    }
}

/// Where the words of a text lie.
fn words(raw: &str) -> impl Iterator<Item = Range<usize>> {
    let start = raw.as_ptr() as usize;
    raw.split_ascii_whitespace().map(move |word| {
        let at = word.as_ptr() as usize - start;
        at..at + word.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::string::string_regex;

    /// Texts that a shape matches.
    fn secret(shape: &str) -> impl Strategy<Value = String> + use<> {
        let bare = shape.replace(r"\b", "").replace("(?s:", "(?:");
        let bare = bare.replace("|$", "").replace(".*?", "[^-]{0,20}");
        let bare = bare.replace("(?P<hook>", "(?:").replace("(?P<http>", "(?:");
        string_regex(&bare).unwrap()
    }

    proptest! {
        /// No secret is missed because a text was not looked at.
        #[test]
        fn each_shape_is_seen_at_a_glance(
            (shape, text) in (0..SECRETS.len()).prop_flat_map(|at| (Just(at), secret(SECRETS[at]))),
            around in "[ -~]{0,10}",
        ) {
            let text = format!("{around} {text} {around}");
            let shape = Regex::new(SECRETS[shape]).unwrap();
            prop_assert!(shape.is_match(&text), "{text}");
            prop_assert!(Glance::at(text.as_bytes()).hint, "{text}");
        }

        /// What a glance does not see is not there.
        #[test]
        fn a_glance_misses_nothing(text in any::<String>()) {
            let seen = Glance::at(text.as_bytes());
            let shapes = SHAPES.as_ref().unwrap();
            prop_assert!(seen.hint || !shapes.is_match(&text));
            let found = |look: fn(&str, &mut Vec<Range<usize>>)| {
                let mut found = Vec::new();
                look(&text, &mut found);
                !found.is_empty()
            };
            prop_assert!(seen.assigns || !found(assigned));
            prop_assert!(seen.flag || !found(flagged));
            prop_assert_eq!(seen.at, text.contains('@'));
        }
    }
}
