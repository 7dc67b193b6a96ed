//! The keys that leave, found in what is typed. They can come in pieces.

/// Finds the keys that leave.
#[derive(Clone, Debug)]
pub(super) struct Leave {
    keys: &'static [u8],
    /// Whether the keys are kept back until it is clear that they are no leave.
    keep: bool,
    seen: usize,
}

impl Leave {
    /// `ctrl-]` three times, which is typed to nothing by accident; each reaches the shell.
    pub fn shell() -> Self {
        Self {
            keys: b"\x1d\x1d\x1d",
            keep: false,
            seen: 0,
        }
    }

    /// `ctrl-p ctrl-q`, as of docker and crictl; the first is kept back until the next key.
    pub fn detach() -> Self {
        Self {
            keys: b"\x10\x11",
            keep: true,
            seen: 0,
        }
    }

    /// What of `typed` goes on, and whether to leave after that.
    pub fn take(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut on = Vec::with_capacity(typed.len() + 1);
        for byte in typed {
            let kept = self.seen;
            let hit = *byte == self.keys[self.seen];
            self.seen = match (hit, *byte == self.keys[0]) {
                (true, _) => self.seen + 1,
                (false, true) => 1,
                (false, false) => 0,
            };
            if self.seen == self.keys.len() {
                self.seen = 0;
                return (on, true);
            }
            if !self.keep {
                on.push(*byte);
                continue;
            }
            if !hit {
                on.extend_from_slice(&self.keys[..kept]);
            }
            if self.seen == 0 {
                on.push(*byte);
            }
        }
        (on, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Everything that goes on of what comes in pieces (`|`), with `!` where it is left.
    fn told(mut leave: Leave, pieces: &str) -> String {
        let mut told = Vec::new();
        for piece in pieces.split('|') {
            let (on, left) = leave.take(piece.as_bytes());
            told.extend(on);
            if left {
                told.push(b'!');
                break;
            }
        }
        String::from_utf8(told).unwrap()
    }

    #[rstest]
    #[case("ls\r", "ls\r")]
    #[case("\x10\x11", "!")]
    #[case("a\x10|\x11b", "a!")]
    #[case("\x10", "")]
    #[case("\x10|x", "\x10x")]
    #[case("\x10\x10\x11", "\x10!")]
    #[case("\x10\x10\x10x", "\x10\x10\x10x")]
    #[case("\x11\x10", "\x11")]
    #[case("", "")]
    fn detaching(#[case] pieces: &str, #[case] expected: &str) {
        assert_eq!(told(Leave::detach(), pieces), expected);
    }

    #[rstest]
    #[case("\x1d\x1d\x1d", "\x1d\x1d!")]
    #[case("\x1d\x1dx\x1d", "\x1d\x1dx\x1d")]
    #[case("\x1d|\x1d|\x1d", "\x1d\x1d!")]
    #[case(":tag\r\x1d", ":tag\r\x1d")]
    fn leaving_a_shell(#[case] pieces: &str, #[case] expected: &str) {
        assert_eq!(told(Leave::shell(), pieces), expected);
    }
}
