//! Keys and their names: `j`, `G`, `^d`, `S-Tab`, `Enter`, `F5`. Printing and parsing are
//! inverse, so what help shows is what a keymap file accepts.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with its modifiers, normalised: an upper-case letter carries no shift, a control
/// letter is lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    /// The key of a character that must come before it.
    after: Option<char>,
    code: KeyCode,
    ctrl: bool,
    alt: bool,
    shift: bool,
}

const NAMED: [(&str, KeyCode); 14] = [
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Space", KeyCode::Char(' ')),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
];

impl Key {
    /// Esc.
    pub const ESC: Self = Self {
        after: None,
        code: KeyCode::Esc,
        ctrl: false,
        alt: false,
        shift: false,
    };

    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let ctrl = modifiers.contains(KeyModifiers::CONTROL);
        let alt = modifiers.contains(KeyModifiers::ALT);
        let shift = modifiers.contains(KeyModifiers::SHIFT);
        match code {
            KeyCode::BackTab => Self {
                after: None,
                code: KeyCode::Tab,
                ctrl,
                alt,
                shift: true,
            },
            KeyCode::Char(c) if ctrl => {
                let code = KeyCode::Char(c.to_ascii_lowercase());
                Self {
                    after: None,
                    code,
                    ctrl,
                    alt,
                    shift: false,
                }
            }
            KeyCode::Char(_) => Self {
                after: None,
                code,
                ctrl,
                alt,
                shift: false,
            },
            _ => Self {
                after: None,
                code,
                ctrl,
                alt,
                shift,
            },
        }
    }

    /// This key as the second of a sequence, after one that types a character.
    #[must_use]
    pub fn after(self, first: Self) -> Self {
        let after = first.typed().filter(|_| first.after.is_none());
        Self { after, ..self }
    }

    /// The key that begins the sequence which this is.
    pub fn first(self) -> Option<Self> {
        let first = KeyCode::Char(self.after?);
        Some(Self::new(first, KeyModifiers::NONE))
    }

    /// The last key of the sequence which this is.
    #[must_use]
    pub fn last(self) -> Self {
        Self {
            after: None,
            ..self
        }
    }

    /// The key without its modifiers.
    pub fn code(self) -> KeyCode {
        self.code
    }

    /// Whether control is held.
    pub fn ctrl(self) -> bool {
        self.ctrl
    }

    /// The character that this key types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Self::new(event.code, event.modifiers)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.first() {
            write!(f, "{first} ")?;
        }
        if self.alt {
            f.write_str("A-")?;
        }
        if self.shift {
            f.write_str("S-")?;
        }
        if self.ctrl {
            f.write_str("^")?;
        }
        match self.code {
            KeyCode::F(n) => write!(f, "F{n}"),
            code => match (NAMED.iter().find(|(_, named)| *named == code), code) {
                (Some((name, _)), _) => f.write_str(name),
                (None, KeyCode::Char(c)) => write!(f, "{c}"),
                (None, other) => write!(f, "{other}"),
            },
        }
    }
}

/// A key name that nobody knows.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a key: write a character, ^c for control, A- for alt, S-Tab, F1 to F12, one of Enter Esc Tab Space Backspace Delete Up Down Left Right Home End PgUp PgDn, or two keys with a space between"
)]
pub struct UnknownKey(String);

impl FromStr for Key {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let unknown = || UnknownKey(text.to_owned());
        if let Some((first, last)) = text.split_once(' ') {
            let (first, last): (Self, Self) = (first.parse()?, last.parse()?);
            let sequence = last.after(first);
            return sequence.after.map(|_| sequence).ok_or_else(unknown);
        }
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        while rest.chars().count() > 1 {
            let (modifier, width) = match rest {
                _ if rest.starts_with("A-") => (KeyModifiers::ALT, 2),
                _ if rest.starts_with("S-") => (KeyModifiers::SHIFT, 2),
                _ if rest.starts_with('^') => (KeyModifiers::CONTROL, 1),
                _ => break,
            };
            modifiers |= modifier;
            rest = &rest[width..];
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) if c != ' ' && !c.is_control() => KeyCode::Char(c),
            _ => named(rest).ok_or_else(unknown)?,
        };
        let types = matches!(code, KeyCode::Char(c) if c != ' ');
        if types && modifiers.contains(KeyModifiers::SHIFT) {
            return Err(unknown());
        }
        Ok(Self::new(code, modifiers))
    }
}

/// How other programs write modifiers and keys, in lower case, and how critui does.
const FOREIGN_MODIFIERS: [(&str, &str); 10] = [
    ("ctrl-", "^"),
    ("ctrl+", "^"),
    ("control-", "^"),
    ("c-", "^"),
    ("alt-", "A-"),
    ("alt+", "A-"),
    ("meta-", "A-"),
    ("m-", "A-"),
    ("shift-", "S-"),
    ("shift+", "S-"),
];
const FOREIGN_NAMES: [(&str, &str); 6] = [
    ("return", "Enter"),
    ("escape", "Esc"),
    ("pageup", "PgUp"),
    ("pagedown", "PgDn"),
    ("del", "Delete"),
    ("spacebar", "Space"),
];

/// The key that somebody who wrote `text` may have meant: other programs write `Ctrl-d`.
pub fn suggest(text: &str) -> Option<Key> {
    let lower = text.to_lowercase();
    let mut rest = lower.trim_matches(['<', '>']);
    let mut modifiers = String::new();
    while let Some((foreign, own)) = FOREIGN_MODIFIERS.iter().find(|(m, _)| rest.starts_with(m)) {
        modifiers += own;
        rest = &rest[foreign.len()..];
    }
    let own = NAMED.iter().map(|(name, _)| *name);
    let own = own.map(|name| (name.to_lowercase(), name));
    let foreign = FOREIGN_NAMES
        .iter()
        .map(|(name, own)| ((*name).to_owned(), *own));
    let functions = rest.starts_with('f').then(|| rest.to_uppercase());
    let name = own.chain(foreign).find(|(name, _)| name == rest);
    let name = name.map(|(_, own)| own.to_owned()).or(functions);
    format!("{modifiers}{}", name.as_deref().unwrap_or(rest))
        .parse()
        .ok()
}

/// The key that a terminal sends for `key` if it cannot tell the two apart, as `^i` and `Tab`.
pub fn arrives_as(key: Key) -> Option<&'static str> {
    match key {
        Key {
            code: KeyCode::Char('i'),
            ctrl: true,
            ..
        } => Some("Tab"),
        Key {
            code: KeyCode::Char('m'),
            ctrl: true,
            ..
        } => Some("Enter"),
        Key {
            code: KeyCode::Char('['),
            ctrl: true,
            ..
        } => Some("Esc"),
        _ => None,
    }
}

fn named(name: &str) -> Option<KeyCode> {
    let function = |digits: &str| digits.parse().ok().filter(|n| (1..=12).contains(n));
    NAMED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, code)| *code)
        .or_else(|| name.strip_prefix('F').and_then(function).map(KeyCode::F))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("j", KeyCode::Char('j'), KeyModifiers::NONE)]
    #[case("G", KeyCode::Char('G'), KeyModifiers::SHIFT)]
    #[case("^d", KeyCode::Char('d'), KeyModifiers::CONTROL)]
    #[case("^", KeyCode::Char('^'), KeyModifiers::NONE)]
    #[case("A-x", KeyCode::Char('x'), KeyModifiers::ALT)]
    #[case("S-Tab", KeyCode::BackTab, KeyModifiers::SHIFT)]
    #[case("Space", KeyCode::Char(' '), KeyModifiers::NONE)]
    #[case("F5", KeyCode::F(5), KeyModifiers::NONE)]
    #[case("PgDn", KeyCode::PageDown, KeyModifiers::NONE)]
    fn reads(#[case] text: &str, #[case] code: KeyCode, #[case] modifiers: KeyModifiers) {
        let key: Key = text.parse().unwrap();
        assert_eq!(key, Key::from(KeyEvent::new(code, modifiers)));
        assert_eq!(key.to_string(), text);
    }

    #[rstest]
    #[case("")]
    #[case("enter")]
    #[case("F13")]
    #[case("S-a")]
    #[case("ab")]
    fn refuses(#[case] text: &str) {
        assert_eq!(text.parse::<Key>(), Err(UnknownKey(text.to_owned())));
    }

    #[rstest]
    #[case("Ctrl-d", Some("^d"))]
    #[case("C-D", Some("^d"))]
    #[case("<c-x>", Some("^x"))]
    #[case("alt+x", Some("A-x"))]
    #[case("enter", Some("Enter"))]
    #[case("Return", Some("Enter"))]
    #[case("shift-tab", Some("S-Tab"))]
    #[case("PageDown", Some("PgDn"))]
    #[case("f5", Some("F5"))]
    #[case("f13", None)]
    #[case("ab", None)]
    #[case("", None)]
    fn suggests(#[case] text: &str, #[case] meant: Option<&str>) {
        assert_eq!(suggest(text).map(|key| key.to_string()).as_deref(), meant);
    }

    #[test]
    fn some_keys_arrive_as_others() {
        assert_eq!(arrives_as("^i".parse().unwrap()), Some("Tab"));
        assert_eq!(arrives_as("i".parse().unwrap()), None);
    }

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(c in any::<char>(), bits in 0u8..8) {
            prop_assume!(!c.is_control());
            let key = Key::new(KeyCode::Char(c), KeyModifiers::from_bits_truncate(bits));
            prop_assert_eq!(key.to_string().parse::<Key>(), Ok(key));
        }
    }
}
