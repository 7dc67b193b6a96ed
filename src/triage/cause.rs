//! Which line at the end of a log is most likely the cause.

use super::facts::LogLine;
use crate::logs::level::{Level, looks_like_cause};

/// Lines looked at from the end.
const NEAR: usize = 80;
/// How a crash is reported by the runtimes of languages.
const CRASHES: [&str; 12] = [
    "panic:",
    "panicked at",
    "Traceback (most recent call last)",
    "Exception in thread",
    "Uncaught",
    "Unhandled",
    "uncaughtException",
    "fatal error:",
    "terminate called after",
    "runtime error:",
    "SIGSEGV",
    "core dumped",
];

/// The place of the likely cause, and whether it is a crash that a language's runtime reports.
pub fn find(lines: &[LogLine]) -> (Option<usize>, bool) {
    let from = lines.len().saturating_sub(NEAR);
    let near = || lines.iter().enumerate().skip(from);
    let crash = near().find(|(_, line)| is_crash(line.text.as_str()));
    if let Some((at, line)) = crash {
        let at = if line.text.as_str().contains("Traceback") {
            after_traceback(lines, at)
        } else {
            at
        };
        return (Some(at), true);
    }
    let mut found = near().filter(|(_, line)| is_cause(line.text.as_str()));
    if let Some((at, _)) = found.next() {
        return (Some(at), false);
    }
    let error = |(_, line): &(usize, &LogLine)| {
        Level::of_text(line.text.as_str()).is_some_and(|level| level >= Level::Error)
    };
    let last = near().rfind(error);
    let stderr = near().rfind(|(_, line)| line.stderr && !is_calm(line.text.as_str()));
    (last.or(stderr).map(|(at, _)| at), false)
}

fn is_crash(text: &str) -> bool {
    CRASHES.iter().any(|mark| text.contains(mark)) && !is_calm(text)
}

fn is_cause(text: &str) -> bool {
    looks_like_cause(text) && !is_calm(text) && !is_frame(text)
}

/// A line that says itself that it is no error.
fn is_calm(text: &str) -> bool {
    Level::of_text(text).is_some_and(|level| level <= Level::Warn)
}

/// A line of a stack.
fn is_frame(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("at ") || text.starts_with("File \"")
}

/// Python names the exception after its stack: the next line that is not indented.
fn after_traceback(lines: &[LogLine], at: usize) -> usize {
    let indented = |text: &str| text.starts_with([' ', '\t']) || text.is_empty();
    let after = lines.iter().enumerate().skip(at + 1);
    let named = after
        .take(NEAR)
        .find(|(_, line)| !indented(line.text.as_str()));
    named.map_or(at, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&["starting", "panic: runtime error: index out of range", "goroutine 1 [running]:"], Some(1), true)]
    #[case(&["ok", "Traceback (most recent call last):", "  File \"a.py\", line 1", "ValueError: x", "bye"], Some(3), true)]
    #[case(&["thread 'main' panicked at src/main.rs:3:5:", "no config"], Some(0), true)]
    #[case(
        &["WARN Exception during pool initialization", "2 ERROR boot failed", "PSQLException: FATAL: password", " at x.y", "Caused by: IllegalStateException"],
        Some(2), false
    )]
    #[case(&["level=info msg=a", "level=error msg=\"no route\"", "level=info msg=bye"], Some(1), false)]
    #[case(&["a", "b"], None, false)]
    #[case(&[], None, false)]
    fn causes(#[case] lines: &[&str], #[case] place: Option<usize>, #[case] crash: bool) {
        let line = |text: &&str| LogLine {
            at: None,
            stderr: false,
            text: (*text).into(),
        };
        let lines: Vec<LogLine> = lines.iter().map(line).collect();
        assert_eq!(find(&lines), (place, crash));
    }

    #[test]
    fn the_last_word_on_standard_error() {
        let line = |text: &str, stderr| LogLine {
            at: None,
            stderr,
            text: text.into(),
        };
        let lines = [
            line("a", false),
            line("b: no such file", true),
            line("c", false),
        ];
        assert_eq!(find(&lines), (Some(1), false));
    }
}
