//! Texts that fit.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cells that a text takes on the screen.
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// True if `text` needs no more than `room` cells. Of long texts the length says it: a cell holds
/// one character and the few marks that the sanitiser leaves on it.
fn fits(text: &str, room: u16) -> bool {
    const MOST_IN_A_CELL: usize = 32;
    text.len() <= MOST_IN_A_CELL * usize::from(room) && width(text) <= room
}

/// `text` in at most `room` cells, with `more` where its end was cut.
pub fn cut_end<'a>(text: &'a str, room: u16, more: &str) -> Cow<'a, str> {
    if fits(text, room) {
        return Cow::Borrowed(text);
    }
    let Some(left) = room.checked_sub(width(more)) else {
        return Cow::Borrowed("");
    };
    Cow::Owned(format!("{}{more}", prefix(text, left)))
}

/// `text` in at most `room` cells, with `more` where its middle was cut: the start says what
/// it is, the end which one.
pub fn cut_middle<'a>(text: &'a str, room: u16, more: &str) -> Cow<'a, str> {
    if fits(text, room) {
        return Cow::Borrowed(text);
    }
    let left = room.saturating_sub(width(more));
    if left < 4 {
        return cut_end(text, room, more);
    }
    let tail = suffix(text, left / 2);
    let head = prefix(text, left - width(tail));
    Cow::Owned(format!("{head}{more}{tail}"))
}

/// The longest start of `text` that fits.
pub fn prefix(text: &str, room: u16) -> &str {
    let mut used = 0;
    let too_far = |(_, c): &(usize, char)| {
        used += c.width().unwrap_or(0);
        used > usize::from(room)
    };
    let cut = text
        .char_indices()
        .find(too_far)
        .map_or(text.len(), |(at, _)| at);
    let mut kept = &text[..cut];
    // Characters side by side can be wider than each alone (an emoji's variation selector).
    while width(kept) > room {
        let last = kept.char_indices().next_back().map_or(0, |(at, _)| at);
        kept = &kept[..last];
    }
    kept
}

fn suffix(text: &str, room: u16) -> &str {
    let mut used = 0;
    let mut kept = text;
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > usize::from(room) {
            kept = &text[at + c.len_utf8()..];
            break;
        }
    }
    while width(kept) > room {
        let first = kept.chars().next().map_or(0, char::len_utf8);
        kept = &kept[first..];
    }
    // A mark belongs to the character before it.
    kept.trim_start_matches(|c: char| c.width() == Some(0))
}

/// Breaks `text` into lines of at most `room` cells, at a space where there is one in the last
/// third.
pub fn wrap(text: &str, room: u16) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while room > 0 && !fits(rest, room) {
        let line = prefix(rest, room);
        let cut = match line.rfind(' ') {
            Some(space) if space * 3 > line.len() * 2 => space + 1,
            _ => line.len(),
        };
        // A character wider than the room still has to go somewhere.
        let cut = cut.max(rest.chars().next().map_or(1, char::len_utf8));
        lines.push(rest[..cut].trim_end());
        rest = &rest[cut..];
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("coredns", 7, "coredns")]
    #[case("coredns-abc", 7, "coredn…")]
    #[case("日本語", 5, "日本…")]
    #[case("日本語", 4, "日…")]
    #[case("☺\u{fe0f}☺\u{fe0f}☺\u{fe0f}", 5, "☺\u{fe0f}☺\u{fe0f}…")]
    #[case("☺\u{fe0f}☺\u{fe0f}☺\u{fe0f}", 4, "☺\u{fe0f}☺…")]
    #[case("ab", 0, "")]
    #[case("\u{1e000}🫎", 0, "")]
    fn ends(#[case] text: &str, #[case] room: u16, #[case] expected: &str) {
        assert_eq!(cut_end(text, room, "…"), expected);
    }

    #[rstest]
    #[case("checkout-7d9f-x2x4l", 19, "checkout-7d9f-x2x4l")]
    #[case("checkout-7d9f-x2x4l", 13, "checko…-x2x4l")]
    #[case("checkout", 3, "ch…")]
    #[case("x☺\u{fe0f}☺\u{fe0f}☺\u{fe0f}☺\u{fe0f}", 6, "x☺\u{fe0f}…☺\u{fe0f}")]
    fn middles(#[case] text: &str, #[case] room: u16, #[case] expected: &str) {
        assert_eq!(cut_middle(text, room, "…"), expected);
    }

    #[rstest]
    #[case("one two three", 8, &["one two", "three"])]
    #[case("abcdefgh", 3, &["abc", "def", "gh"])]
    #[case("日本", 1, &["日", "本", ""])]
    #[case("", 5, &[""])]
    fn wraps(#[case] text: &str, #[case] room: u16, #[case] expected: &[&str]) {
        assert_eq!(wrap(text, room), expected);
    }

    proptest! {
        #[test]
        fn of_what_is_clean_the_length_says_enough(text in any::<String>(), room in 0u16..40) {
            let text = crate::text::Text::whole(&text);
            prop_assert_eq!(fits(text.as_str(), room), width(text.as_str()) <= room);
        }

        #[test]
        fn what_is_cut_fits(text in any::<String>(), room in 0u16..40) {
            prop_assert!(width(&cut_end(&text, room, "…")) <= room);
            prop_assert!(width(&cut_middle(&text, room, "…")) <= room);
            prop_assert!(!wrap(&text, room).is_empty());
        }
    }
}
