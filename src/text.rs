//! The one sanitiser. Names, labels, messages and log lines come from workloads that nobody
//! vouches for: they may hold escape sequences, bidirectional controls, invalid UTF-8 and
//! megabytes without a newline. Everything that a view, a report or the clipboard can see is a
//! [`Text`], and a `Text` cannot be made without passing through here.

use std::borrow::{Borrow, Cow};
use std::fmt::{self, Write as _};

use smol_str::SmolStr;
use unicode_width::UnicodeWidthChar;

/// Longest `Text`, in bytes of the source. What is cut is counted in the text itself.
pub const MAX_BYTES: usize = 16 * 1024;
/// Zero-width characters (combining marks) kept after one base character.
const MAX_MARKS: usize = 4;

/// One line of text that is safe to show: no control, bidi or invisible character, at most
/// [`MAX_BYTES`] and a note. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(SmolStr);

impl Text {
    /// Sanitises `raw`. Newlines and tabs become spaces; every other character that a terminal
    /// would act on, or that a reader could not see, becomes its escape (`\x1b`, `\u{202e}`).
    pub fn clean(raw: &str) -> Self {
        Self(SmolStr::new(sanitise(raw)))
    }

    /// The same, however long it is: for what is kept whole to be exported.
    pub fn whole(raw: &str) -> Self {
        Self(SmolStr::new(sanitise_up_to(raw, usize::MAX)))
    }

    /// Sanitises bytes; what is not UTF-8 becomes U+FFFD.
    pub fn clean_bytes(raw: &[u8]) -> Self {
        Self::clean(&String::from_utf8_lossy(
            &raw[..raw.len().min(MAX_BYTES + 4)],
        ))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `None` for an empty text: the CRI sends empty strings for what is absent.
    pub fn non_empty(self) -> Option<Self> {
        (!self.is_empty()).then_some(self)
    }
}

impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<&str> for Text {
    fn from(raw: &str) -> Self {
        Self::clean(raw)
    }
}

impl From<String> for Text {
    fn from(raw: String) -> Self {
        Self::clean(&raw)
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

/// What [`Text::clean`] does, borrowed when there is nothing to do.
pub fn sanitise(raw: &str) -> Cow<'_, str> {
    sanitise_up_to(raw, MAX_BYTES)
}

fn sanitise_up_to(raw: &str, most: usize) -> Cow<'_, str> {
    if raw.len() <= most && raw.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len().min(most) + 16);
    let mut marks = 0;
    for (at, c) in raw.char_indices() {
        if at >= most {
            // Writing to a String cannot fail.
            let _ = write!(out, "… (+{} bytes)", raw.len() - at);
            break;
        }
        push_safe(&mut out, c, &mut marks);
    }
    Cow::Owned(out)
}

fn push_safe(out: &mut String, c: char, marks: &mut usize) {
    match c {
        '\n' | '\r' | '\t' => {
            if !out.ends_with(' ') {
                out.push(' ');
            }
            *marks = 0;
        }
        _ if is_unsafe(c) => {
            let _ = if u32::from(c) < 0x100 {
                write!(out, "\\x{:02x}", u32::from(c))
            } else {
                write!(out, "\\u{{{:x}}}", u32::from(c))
            };
            *marks = 0;
        }
        _ if c.width() == Some(0) => {
            *marks += 1;
            if *marks <= MAX_MARKS && !out.is_empty() {
                out.push(c);
            }
        }
        _ => {
            *marks = 0;
            out.push(c);
        }
    }
}

/// True for what a terminal acts on or a reader cannot see: controls, bidirectional and other
/// format characters, line separators, tags, private use.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("plain-name_1.2", "plain-name_1.2")]
    #[case("", "")]
    #[case("a\nb\tc\r\nd", "a b c d")]
    #[case("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m")]
    #[case("\x1b]0;title\x07", "\\x1b]0;title\\x07")]
    #[case("abc\u{202e}cba", "abc\\u{202e}cba")]
    #[case("zero\u{200b}width", "zero\\u{200b}width")]
    #[case("c1\u{9b}31m", "c1\\x9b31m")]
    #[case("Grüße 日本 🦀", "Grüße 日本 🦀")]
    #[case("e\u{301}", "e\u{301}")]
    #[case("\u{301}e", "e")]
    fn cleans(#[case] raw: &str, #[case] expected: &str) {
        assert_eq!(Text::clean(raw), expected);
    }

    #[test]
    fn piles_of_marks_are_cut() {
        let raw = format!("a{}", "\u{301}".repeat(500));
        assert_eq!(Text::clean(&raw).as_str().chars().count(), 1 + MAX_MARKS);
    }

    #[test]
    fn a_megabyte_is_cut_and_counted() {
        let text = Text::clean(&"x".repeat(1 << 20));
        assert!(text.as_str().len() < MAX_BYTES + 32);
        assert!(text.as_str().ends_with("… (+1032192 bytes)"), "{text}");
    }

    #[test]
    fn bytes_that_are_no_utf8_are_replaced() {
        assert_eq!(Text::clean_bytes(b"ok\xff\xfe!"), "ok\u{fffd}\u{fffd}!");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_survives(raw in any::<String>()) {
            let text = Text::clean(&raw);
            prop_assert!(!text.as_str().chars().any(is_unsafe), "{:?}", text);
        }

        #[test]
        fn cleaning_twice_changes_nothing(raw in any::<String>()) {
            let once = Text::clean(&raw);
            prop_assert_eq!(Text::clean(once.as_str()), once);
        }
    }
}
