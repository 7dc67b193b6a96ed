//! What must hold for any input: for the fuzzer, and for the corpora on every test run.

use critui::logs::line::{instant, parse};
use critui::logs::{Stream, push_safe};
use critui::text::is_unsafe;

/// Every line of `bytes` is taken apart without loss, and shown without harm.
pub fn log_lines(bytes: &[u8]) {
    for text in bytes.split(|byte| *byte == b'\n') {
        let line = parse(text);
        let _ = instant(line.time);
        if line.stream == Stream::Raw {
            assert_eq!(&*line.content, text);
            assert!(line.time.is_empty() && !line.partial);
        } else {
            assert!(line.time.len() + line.content.len() < text.len());
            let tag = if line.partial { "P" } else { "F" };
            let head = format!(" {} {tag} ", line.stream.name());
            let again = [line.time, head.as_bytes(), &line.content].concat();
            let cri = parse(&again);
            // docker's times are not looked at before they are needed: anything may stand there.
            if cri.stream != Stream::Raw && !line.time.contains(&b' ') {
                assert_eq!(cri, line);
            }
        }
        let mut shown = Vec::new();
        push_safe(&mut shown, &line.content);
        let shown = String::from_utf8(shown).expect("it is text");
        assert!(!shown.chars().any(is_unsafe), "{shown:?}");
    }
}

/// Whatever a streaming server sends is taken or left.
pub fn stream_frames(bytes: &[u8]) {
    critui::cri::stream::survives(bytes);
}
