//! The README's pictures are what the program draws, and the README shows them all.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/picture.rs"]
mod picture;
#[path = "support/pictures.rs"]
mod pictures;
#[path = "support/typing.rs"]
mod typing;

use std::fs;
use std::path::Path;

#[test]
fn the_pictures_are_what_the_program_draws() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("README.md");
    let all = pictures::all();
    for (path, drawn) in &all {
        let there = fs::read_to_string(path).unwrap_or_default();
        let shown = path
            .strip_prefix(root)
            .unwrap_or(path)
            .display()
            .to_string();
        // No diff: it would fill screens.
        assert!(
            there == *drawn,
            "{shown} is not what the program draws: cargo run --example picture"
        );
        assert!(readme.contains(&shown), "README.md does not show {shown}");
    }
    let folder = fs::read_dir(root.join("themes/pictures")).expect("pictures");
    assert_eq!(
        folder.count() + 1,
        all.len(),
        "themes/pictures holds others"
    );
}
