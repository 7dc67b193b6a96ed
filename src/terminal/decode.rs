//! From the bytes that a terminal sends to keys. Own code rather than crossterm's, because that
//! reads ahead on a thread of its own and keeps what it has read: while a shell in a container has
//! the terminal, every byte must be the shell's, also those that were typed just before.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

/// Longest sequence that means anything; a longer one is skipped.
const LONGEST: usize = 64;
const ESC: u8 = 0x1b;

/// The first event of `bytes`, `None` for a sequence that means nothing, and how many bytes it
/// takes. `None` altogether if more bytes are needed. An escape at the very end is the key.
pub(super) fn decode(bytes: &[u8]) -> Option<(Option<Event>, usize)> {
    let key = |code, modifiers| Some((Some(Event::Key(KeyEvent::new(code, modifiers))), 1));
    let control = |c: u8| key(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    match *bytes.first()? {
        ESC => escape(bytes),
        b'\r' => key(KeyCode::Enter, KeyModifiers::NONE),
        b'\t' => key(KeyCode::Tab, KeyModifiers::NONE),
        0x7f => key(KeyCode::Backspace, KeyModifiers::NONE),
        0 => control(b' '),
        c @ 0x01..=0x1a => control(c - 1 + b'a'),
        c @ 0x1c..=0x1f => control(c - 0x1c + b'4'),
        _ => character(bytes),
    }
}

fn escape(bytes: &[u8]) -> Option<(Option<Event>, usize)> {
    let esc = Some((Some(Event::Key(KeyCode::Esc.into())), 1));
    match bytes.get(1) {
        None | Some(&ESC) => esc,
        Some(b'[') => sequence(bytes),
        Some(b'O') => {
            let letter = *bytes.get(2)?;
            Some((with(by_letter(letter), KeyModifiers::NONE), 3))
        }
        Some(_) => {
            let (event, used) = decode(&bytes[1..])?;
            let event = event.map(|event| match event {
                Event::Key(mut key) => {
                    key.modifiers |= KeyModifiers::ALT;
                    Event::Key(key)
                }
                other => other,
            });
            Some((event, used + 1))
        }
    }
}

/// `ESC [`, parameters, a letter.
fn sequence(bytes: &[u8]) -> Option<(Option<Event>, usize)> {
    let rest = &bytes[2..];
    // The console of Linux.
    if rest.first() == Some(&b'[') {
        let letter = *rest.get(1)?;
        let code = matches!(letter, b'A'..=b'E').then(|| KeyCode::F(letter - b'A' + 1));
        return Some((with(code, KeyModifiers::NONE), 4));
    }
    let Some(end) = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        return (rest.len() > LONGEST).then_some((None, bytes.len()));
    };
    let used = end + 3;
    let (parameters, letter) = (&rest[..end], rest[end]);
    if let Some(mouse) = parameters.strip_prefix(b"<") {
        return Some((self::mouse(mouse, letter), used));
    }
    let numbers = numbers(parameters);
    let modifiers = modifiers(numbers.get(1).copied().unwrap_or(1));
    let event = match letter {
        b'~' => with(by_number(numbers.first().copied()), modifiers),
        b'Z' => with(Some(KeyCode::BackTab), modifiers | KeyModifiers::SHIFT),
        letter => with(by_letter(letter), modifiers),
    };
    Some((event, used))
}

fn with(code: Option<KeyCode>, modifiers: KeyModifiers) -> Option<Event> {
    code.map(|code| Event::Key(KeyEvent::new(code, modifiers)))
}

fn by_letter(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        _ => return None,
    })
}

fn by_number(number: Option<u16>) -> Option<KeyCode> {
    let function = |number: u16| u8::try_from(number).ok().map(KeyCode::F);
    match number? {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        n @ 11..=15 => function(n - 10),
        n @ 17..=21 => function(n - 11),
        n @ 23..=24 => function(n - 12),
        _ => None,
    }
}

/// Numbers between semicolons; what is none counts as 0.
fn numbers(parameters: &[u8]) -> Vec<u16> {
    let number = |part: &[u8]| {
        let text = std::str::from_utf8(part).unwrap_or_default();
        text.parse().unwrap_or(0)
    };
    parameters.split(|byte| *byte == b';').map(number).collect()
}

/// xterm's mask, which is one more than the sum of its bits.
fn modifiers(mask: u16) -> KeyModifiers {
    let bits = mask.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [
        (1, KeyModifiers::SHIFT),
        (2, KeyModifiers::ALT),
        (4, KeyModifiers::CONTROL),
    ] {
        modifiers.set(modifier, bits & bit != 0);
    }
    modifiers
}

/// `button;column;row` of a mouse report in SGR form: `M` is down, `m` up.
fn mouse(parameters: &[u8], letter: u8) -> Option<Event> {
    let [button, column, row] = numbers(parameters)[..] else {
        return None;
    };
    let kind = match (button, letter) {
        (0, b'M') => MouseEventKind::Down(MouseButton::Left),
        (0, b'm') => MouseEventKind::Up(MouseButton::Left),
        (32, b'M') => MouseEventKind::Drag(MouseButton::Left),
        (64, b'M') => MouseEventKind::ScrollUp,
        (65, b'M') => MouseEventKind::ScrollDown,
        _ => return None,
    };
    Some(Event::Mouse(MouseEvent {
        kind,
        column: column.saturating_sub(1),
        row: row.saturating_sub(1),
        modifiers: KeyModifiers::NONE,
    }))
}

/// One character of UTF-8; bytes that are none are skipped one by one.
fn character(bytes: &[u8]) -> Option<(Option<Event>, usize)> {
    let length = match bytes[0] {
        0x00..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Some((None, 1)),
    };
    let whole = bytes.get(..length);
    let Some(whole) = whole else {
        // The rest is on its way, unless what is there already cannot be the beginning of one.
        let fits = bytes[1..].iter().all(|byte| byte & 0xc0 == 0x80);
        return (!fits).then_some((None, 1));
    };
    let c = std::str::from_utf8(whole)
        .ok()
        .and_then(|s| s.chars().next());
    Some(match c {
        Some(c) => (with(Some(KeyCode::Char(c)), KeyModifiers::NONE), length),
        None => (None, 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Key;
    use proptest::prelude::*;
    use rstest::rstest;

    /// What these bytes mean, as the keymap names it; what is left over behind a `+`.
    fn told(mut bytes: &[u8]) -> String {
        let mut told = Vec::new();
        while !bytes.is_empty() {
            let Some((event, used)) = decode(bytes) else {
                told.push(format!("+{}", bytes.len()));
                break;
            };
            match event {
                Some(Event::Key(key)) => told.push(Key::from(key).to_string()),
                Some(Event::Mouse(mouse)) => {
                    told.push(format!("{:?}@{},{}", mouse.kind, mouse.column, mouse.row));
                }
                other => told.push(format!("{other:?}")),
            }
            bytes = &bytes[used..];
        }
        told.join(" ")
    }

    #[rstest]
    #[case(b"jG/:", "j G / :")]
    #[case("né€🦀".as_bytes(), "n é € 🦀")]
    #[case(b"\r\t\x7f\x1b", "Enter Tab Backspace Esc")]
    #[case(b"\x03\x04\x0a\x0c\x1a\0", "^c ^d ^j ^l ^z ^Space")]
    #[case(b"\x1c\x1d\x1f", "^4 ^5 ^7")]
    #[case(b"\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F", "Up Down Right Left Home End")]
    #[case(b"\x1bOA\x1bOB\x1bOP\x1bOS", "Up Down F1 F4")]
    #[case(b"\x1b[5~\x1b[6~\x1b[3~\x1b[1~\x1b[4~", "PgUp PgDn Delete Home End")]
    #[case(
        b"\x1b[11~\x1b[15~\x1b[17~\x1b[21~\x1b[24~\x1b[[A",
        "F1 F5 F6 F10 F12 F1"
    )]
    #[case(b"\x1b[Z", "S-Tab")]
    #[case(b"\x1b[1;5C\x1b[1;3A\x1b[3;2~", "^Right A-Up S-Delete")]
    #[case(b"\x1bx\x1b\x1b", "A-x Esc Esc")]
    #[case(
        b"\x1b[<0;10;5M\x1b[<64;1;1M\x1b[<65;1;1M",
        "Down(Left)@9,4 ScrollUp@0,0 ScrollDown@0,0"
    )]
    #[case(b"\x1b[<0;10;5m\x1b[<0M", "Up(Left)@9,4 None")]
    #[case(b"\x1b[<32;10;5M\x1b[<35;1;1M", "Drag(Left)@9,4 None")]
    // Answers and sequences that nobody asked for.
    #[case(b"\x1b[?1;2cj\x1b[200~j", "None j None j")]
    // The rest is on its way.
    #[case(b"j\x1b[1;", "j +4")]
    #[case(b"\x1bO", "+2")]
    #[case(b"\xe2\x82", "+2")]
    // No UTF-8.
    #[case(b"\xffj\xe2j\x80", "None j None j None")]
    fn keys(#[case] bytes: &[u8], #[case] expected: &str) {
        assert_eq!(told(bytes), expected);
    }

    #[test]
    fn what_never_ends_is_skipped() {
        let endless = [b"\x1b[".to_vec(), vec![b'1'; 100]].concat();
        assert_eq!(decode(&endless), Some((None, 102)));
    }

    proptest! {
        #[test]
        fn takes_some_and_never_too_much(bytes: Vec<u8>) {
            match decode(&bytes) {
                Some((_, used)) => prop_assert!(used > 0 && used <= bytes.len()),
                None => prop_assert!(bytes.len() <= LONGEST + 3),
            }
        }
    }
}
