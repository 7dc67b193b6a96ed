//! From the container to the terminal.

use prost::bytes::Bytes;
use tokio::sync::Notify;

use super::super::launch::MARK;
use super::{Heard, Way};
use crate::cri::stream::{Event, Output};
use crate::text::Text;

/// From the container to the terminal.
pub(super) struct Down<'a> {
    shown: &'a tokio::sync::mpsc::Sender<Bytes>,
    heard: &'a mut Heard,
    bare: bool,
    /// What came while the mark is awaited.
    mark: Option<Vec<u8>>,
}

impl<'a> Down<'a> {
    pub fn new(
        shown: &'a tokio::sync::mpsc::Sender<Bytes>,
        heard: &'a mut Heard,
        bare: bool,
        marked: bool,
    ) -> Self {
        Self {
            shown,
            heard,
            bare,
            mark: marked.then(Vec::new),
        }
    }

    pub async fn run(mut self, output: &mut Output, begun: &Notify) -> Way {
        loop {
            let bytes = match output.next().await {
                Ok(Event::Open) => continue,
                Ok(Event::Stdout(bytes) | Event::Stderr(bytes)) => bytes,
                Ok(Event::Ended(ending)) => {
                    self.heard.ending = Some(Ok(ending));
                    return Way::Over;
                }
                Err(error) => {
                    self.heard.ending = Some(Err(error));
                    return Way::Over;
                }
            };
            let bytes = self.unmarked(bytes);
            if self.mark.is_none() {
                begun.notify_one();
            }
            if bytes.is_empty() {
                continue;
            }
            self.heard.anything = true;
            let bytes = if self.bare { returned(&bytes) } else { bytes };
            if self.shown.send(bytes).await.is_err() {
                return Way::Gone;
            }
        }
    }

    /// Takes the mark off the beginning, if it is there.
    fn unmarked(&mut self, bytes: Bytes) -> Bytes {
        let Some(mut seen) = self.mark.take() else {
            return bytes;
        };
        seen.extend_from_slice(&bytes);
        match mark(&seen) {
            Mark::Found(pid, length) => {
                self.heard.pid = Some(pid);
                self.heard.anything = true;
                Bytes::from(seen.split_off(length))
            }
            Mark::None => Bytes::from(seen),
            Mark::More => {
                self.mark = Some(seen);
                Bytes::new()
            }
        }
    }
}

#[derive(PartialEq, Eq, Debug)]
enum Mark {
    Found(u32, usize),
    More,
    None,
}

/// `critui PID` and the end of the line at the beginning of `bytes`.
fn mark(bytes: &[u8]) -> Mark {
    let known = MARK.len().min(bytes.len());
    if bytes[..known] != MARK.as_bytes()[..known] {
        return Mark::None;
    }
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return if bytes.len() > 64 {
            Mark::None
        } else {
            Mark::More
        };
    };
    let number = std::str::from_utf8(&bytes[known..end]).unwrap_or_default();
    match number.trim_end().parse() {
        Ok(pid) if pid > 1 => Mark::Found(pid, end + 1),
        _ => Mark::None,
    }
}

/// A return before each newline that has none. What is no terminal may still send anything, so
/// it is shown as text.
fn returned(bytes: &[u8]) -> Bytes {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| Text::clean(line.trim_end_matches('\r')).to_string())
        .collect();
    Bytes::from(lines.join("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"critui 123\r\n/ # ", Mark::Found(123, 12))]
    #[case(b"critui 7\n", Mark::Found(7, 9))]
    #[case(b"", Mark::More)]
    #[case(b"crit", Mark::More)]
    #[case(b"critui 12", Mark::More)]
    #[case(b"/ # ", Mark::None)]
    #[case(b"critui one\r\n", Mark::None)]
    // Signals to these would reach everything.
    #[case(b"critui 0\r\n", Mark::None)]
    #[case(b"critui 1\r\n", Mark::None)]
    #[case(b"critui -5\r\n", Mark::None)]
    fn marks(#[case] bytes: &[u8], #[case] expected: Mark) {
        assert_eq!(mark(bytes), expected);
    }

    #[test]
    fn lines_without_a_terminal_are_shown_as_text() {
        assert_eq!(&returned(b"a\nb\r\n")[..], b"a\r\nb\r\n");
        assert!(!returned(b"\x1b[2J").contains(&0x1b));
    }
}
