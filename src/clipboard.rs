//! What is copied, as the terminal takes it: OSC 52 works through SSH, and through tmux and screen
//! when they are told to pass it on. One copy is one sequence.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::text::is_unsafe;

/// Longest text: terminals refuse more than about 100 KB of base64.
pub const MOST: usize = 75 * 1000;

/// How the terminal is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clipboard {
    /// Straight.
    Direct,
    /// Through tmux.
    Tmux,
    /// Through screen.
    Screen,
    /// Not at all: the terminal is known to ignore it.
    None,
}

impl Clipboard {
    /// From the environment: `TMUX`, `STY`, `TERM`.
    pub fn detect(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).is_some_and(|value| !value.is_empty());
        let term = var("TERM").unwrap_or_default();
        if set("TMUX") {
            Self::Tmux
        } else if set("STY") {
            Self::Screen
        } else if term == "linux" || term.starts_with("vt") {
            Self::None
        } else {
            Self::Direct
        }
    }
}

/// The sequence that copies `text`, in one line without control characters. The error says why
/// it cannot be copied.
pub fn copy(text: &str, clipboard: Clipboard) -> Result<Vec<u8>, String> {
    let blank = |c: char| if c.is_whitespace() { ' ' } else { c };
    let clean: String = text.chars().map(blank).filter(|c| !is_unsafe(*c)).collect();
    let clean = clean.trim_end();
    if clean.len() > MOST {
        return Err(format!(
            "too long to copy: {} bytes, at most {MOST}",
            clean.len()
        ));
    }
    if clean.is_empty() {
        return Err("nothing to copy".to_owned());
    }
    let sequence = format!("\x1b]52;c;{}\x07", STANDARD.encode(clean));
    match clipboard {
        Clipboard::Direct => Ok(sequence.into_bytes()),
        Clipboard::Tmux => Ok(format!("\x1bPtmux;\x1b{sequence}\x1b\\").into_bytes()),
        Clipboard::Screen => Ok(format!("\x1bP{sequence}\x1b\\").into_bytes()),
        Clipboard::None => {
            Err("this terminal has no clipboard that a program can reach".to_owned())
        }
    }
}

/// The sequence that turns mouse reports on or off: buttons, wheel, and moves with a button down.
pub fn mouse(on: bool) -> &'static [u8] {
    if on {
        b"\x1b[?1002h\x1b[?1006h"
    } else {
        b"\x1b[?1002l\x1b[?1006l"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("abc", Clipboard::Direct, "\x1b]52;c;YWJj\x07")]
    #[case("abc\n", Clipboard::Direct, "\x1b]52;c;YWJj\x07")]
    #[case("abc", Clipboard::Tmux, "\x1bPtmux;\x1b\x1b]52;c;YWJj\x07\x1b\\")]
    #[case("abc", Clipboard::Screen, "\x1bP\x1b]52;c;YWJj\x07\x1b\\")]
    fn sequences(#[case] text: &str, #[case] clipboard: Clipboard, #[case] expected: &str) {
        assert_eq!(copy(text, clipboard).unwrap(), expected.as_bytes());
    }

    #[rstest]
    #[case("", Clipboard::Direct, "nothing to copy")]
    #[case(
        "abc",
        Clipboard::None,
        "this terminal has no clipboard that a program can reach"
    )]
    fn refusals(#[case] text: &str, #[case] clipboard: Clipboard, #[case] expected: &str) {
        assert_eq!(copy(text, clipboard).unwrap_err(), expected);
    }

    #[test]
    fn what_is_too_long_is_not_cut() {
        let long = "x".repeat(MOST + 1);
        assert!(
            copy(&long, Clipboard::Direct)
                .unwrap_err()
                .starts_with("too long")
        );
        assert!(copy(&long[..MOST], Clipboard::Direct).is_ok());
    }

    #[rstest]
    #[case(&[("TMUX", "/tmp/tmux-0/default,1,0"), ("TERM", "screen")], Clipboard::Tmux)]
    #[case(&[("STY", "1.pts"), ("TERM", "screen")], Clipboard::Screen)]
    #[case(&[("TERM", "linux")], Clipboard::None)]
    #[case(&[("TERM", "xterm-256color"), ("TMUX", "")], Clipboard::Direct)]
    fn detects(#[case] vars: &[(&str, &str)], #[case] expected: Clipboard) {
        let var = |name: &str| {
            vars.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        };
        assert_eq!(Clipboard::detect(var), expected);
    }

    proptest! {
        #[test]
        fn what_is_copied_holds_no_control_character(text in any::<String>()) {
            if let Ok(sequence) = copy(&text, Clipboard::Direct) {
                let base64 = &sequence[7..sequence.len() - 1];
                let copied = String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap();
                prop_assert!(!copied.chars().any(is_unsafe));
            }
        }
    }
}
