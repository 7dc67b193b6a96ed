//! The fuzz targets' corpora, on every test run.

use std::path::Path;

#[path = "fuzz/checks.rs"]
mod checks;

#[test]
fn corpora_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/log_lines");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is there") {
        let path = entry.expect("an entry").path();
        checks::log_lines(&std::fs::read(path).expect("a seed"));
        count += 1;
    }
    assert!(count >= 10, "only {count} seeds");
}
