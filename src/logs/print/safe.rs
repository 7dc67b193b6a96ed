//! Text that is safe to show in a terminal.

use crate::text::{MAX_BYTES, sanitise};

/// Appends `bytes` in a form that is safe to show: colours go, all else that a terminal acts on
/// becomes visible.
pub fn push_safe(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        out.extend_from_slice(bytes);
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let text = without_colours(&text);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let mut cut = rest.len().min(MAX_BYTES);
        while !rest.is_char_boundary(cut) {
            cut -= 1;
        }
        out.extend_from_slice(sanitise(&rest[..cut]).as_bytes());
        rest = &rest[cut..];
    }
}

/// `text` without SGR sequences (`ESC [ ... m`).
fn without_colours(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut parts = text.split("\x1b[");
    kept.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':');
        match end {
            Some(end) if part[end..].starts_with('m') => kept.push_str(&part[end + 1..]),
            _ => {
                kept.push_str("\x1b[");
                kept.push_str(part);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"plain", "plain")]
    #[case(b"\x1b[1;31mred\x1b[0m \x1b[2Jgone", "red \\x1b[2Jgone")]
    #[case(b"\xff\x00\x1b]0;t\x07", "\u{fffd}\\x00\\x1b]0;t\\x07")]
    #[case(b"\x1b[", "\\x1b[")]
    fn what_a_terminal_acts_on_is_shown(#[case] raw: &[u8], #[case] expected: &str) {
        let mut out = Vec::new();
        push_safe(&mut out, raw);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn long_lines_stay_whole() {
        let mut out = Vec::new();
        push_safe(&mut out, "é".repeat(50_000).as_bytes());
        assert_eq!(out.len(), 100_000);
    }
}
