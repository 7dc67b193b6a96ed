//! Colours that a container wrote (SGR sequences, `ESC [ ... m`), taken out of its lines and kept
//! beside them. Every other escape sequence stays in the text, where the sanitiser makes it
//! visible and harmless.

use std::ops::Range;

use crate::text::{Text, sanitise};

/// Most painted pieces of one line; after that it goes on in the last paint.
const MOST: usize = 256;
/// Most parameters of one sequence.
const PARAMETERS: usize = 32;
/// What a tab is shown as: stack traces keep their shape.
const TAB: &str = "    ";

/// How a piece of text is to look.
// Each is an attribute of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Paint {
    /// Of the characters.
    pub fg: Option<Ink>,
    /// Behind them.
    pub bg: Option<Ink>,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Italic.
    pub italic: bool,
    /// Underlined.
    pub underlined: bool,
    /// Foreground and background swapped.
    pub reversed: bool,
}

/// A colour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// One of the 256 of a terminal; the first sixteen are its own.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// Pieces of a text that are painted: bytes of it, ascending.
pub type Paints = Vec<(Range<usize>, Paint)>;

/// What a line shows, safe, and how its pieces are painted.
pub fn painted(content: &[u8]) -> (Text, Paints) {
    let content = String::from_utf8_lossy(content);
    if !content.contains('\x1b') {
        return (Text::clean(&untabbed(&content)), Vec::new());
    }
    let (mut out, mut paints) = (String::new(), Paints::new());
    let mut paint = Paint::default();
    let mut rest = &*content;
    loop {
        let (piece, sequence, next) = split(rest);
        let start = out.len();
        out.push_str(&sanitise(&untabbed(piece)));
        if paint != Paint::default() && out.len() > start {
            paints.push((start..out.len(), paint));
        }
        let Some(sequence) = sequence else { break };
        if paints.len() < MOST {
            paint.apply(sequence);
        }
        rest = next;
    }
    let text = Text::clean(&out);
    // A text that is too long was cut.
    let length = text.as_str().len();
    paints.retain(|(at, _)| at.end <= length && text.as_str().is_char_boundary(at.end));
    (text, paints)
}

fn untabbed(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\t') {
        text.replace('\t', TAB).into()
    } else {
        text.into()
    }
}

/// What stands before the next SGR sequence, its parameters, and what follows it.
fn split(text: &str) -> (&str, Option<&str>, &str) {
    for (start, _) in text.match_indices("\x1b[") {
        let parameters = &text[start + 2..];
        let end = parameters.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'));
        if let Some(end) = end
            && parameters[end..].starts_with('m')
        {
            return (
                &text[..start],
                Some(&parameters[..end]),
                &parameters[end + 1..],
            );
        }
    }
    (text, None, "")
}

impl Paint {
    /// Takes the parameters of one sequence. What is not known changes nothing.
    fn apply(&mut self, parameters: &str) {
        let mut codes = parameters
            .split([';', ':'])
            .take(PARAMETERS)
            .map(|code| code.parse().unwrap_or(0_u16));
        while let Some(code) = codes.next() {
            match code {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underlined = true,
                7 => self.reversed = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underlined = false,
                27 => self.reversed = false,
                30..=37 => self.fg = Some(Ink::of(code - 30)),
                38 => self.fg = extended(&mut codes).or(self.fg),
                39 => self.fg = None,
                40..=47 => self.bg = Some(Ink::of(code - 40)),
                48 => self.bg = extended(&mut codes).or(self.bg),
                49 => self.bg = None,
                90..=97 => self.fg = Some(Ink::of(code - 90 + 8)),
                100..=107 => self.bg = Some(Ink::of(code - 100 + 8)),
                _ => {}
            }
        }
    }
}

impl Ink {
    fn of(index: u16) -> Self {
        Self::Indexed(u8::try_from(index).unwrap_or(u8::MAX))
    }
}

/// `5;N` or `2;R;G;B`.
fn extended(codes: &mut impl Iterator<Item = u16>) -> Option<Ink> {
    let mut byte = || u8::try_from(codes.next()?).ok();
    match byte()? {
        5 => Some(Ink::Indexed(byte()?)),
        2 => Some(Ink::Rgb(byte()?, byte()?, byte()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn fg(index: u8) -> Paint {
        Paint {
            fg: Some(Ink::Indexed(index)),
            ..Paint::default()
        }
    }

    #[rstest]
    #[case("plain", "plain", vec![])]
    #[case("a \x1b[31mred\x1b[0m b", "a red b", vec![(2..5, fg(1))])]
    #[case("\x1b[38;5;200mx\x1b[m", "x", vec![(0..1, fg(200))])]
    #[case("\x1b[38;2;1;2;3mx", "x", vec![(0..1, Paint { fg: Some(Ink::Rgb(1, 2, 3)), ..Paint::default() })])]
    #[case("\x1b[1;94mx\x1b[22my", "xy", vec![(0..1, Paint { bold: true, ..fg(12) }), (1..2, fg(12))])]
    #[case("\x1b[2Jx\x1b[31my", "\\x1b[2Jxy", vec![(8..9, fg(1))])]
    #[case("\x1b]0;title\x07x", "\\x1b]0;title\\x07x", vec![])]
    #[case("\x1b[31", "\\x1b[31", vec![])]
    #[case("\x1b[999mx", "x", vec![])]
    #[case("\x1b[38;9mx", "x", vec![])]
    #[case("\ta", "    a", vec![])]
    fn colours_are_kept_and_all_else_is_shown(
        #[case] raw: &str,
        #[case] text: &str,
        #[case] paints: Paints,
    ) {
        assert_eq!(painted(raw.as_bytes()), (Text::clean(text), paints));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_safe_and_painted_within_itself(
            raw in proptest::collection::vec(
                prop_oneof![any::<u8>(), proptest::sample::select(b"\x1b[;0123m\t".to_vec())], 0..400)
        ) {
            let (text, paints) = painted(&raw);
            prop_assert!(!text.as_str().chars().any(crate::text::is_unsafe));
            let mut before = 0;
            for (at, _) in paints {
                prop_assert!(at.start >= before && text.as_str().get(at.clone()).is_some());
                before = at.end;
            }
        }
    }
}
