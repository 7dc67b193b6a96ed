//! The fuzz targets' corpora, on every test run.

use std::path::Path;

#[path = "fuzz/checks.rs"]
mod checks;

/// Calls `check` with every seed of `corpus`.
fn holds(corpus: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut count = 0;
    for entry in std::fs::read_dir(folder.join(corpus)).expect("the corpus is there") {
        let path = entry.expect("an entry").path();
        check(&std::fs::read(path).expect("a seed"));
        count += 1;
    }
    assert!(count >= 10, "only {count} seeds");
}

#[test]
fn corpora_hold() {
    holds("log_lines", checks::log_lines);
    holds("stream_frames", checks::stream_frames);
}
