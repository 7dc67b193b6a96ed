//! The rules of src/lib.rs about who may know whom, and of how long a file and a function may be.
//! They read the sources as text: enough to notice, not to prove.

use std::fs;
use std::path::{Path, PathBuf};

use critui::theme::{Ability, Depth, Theme};
use rstest::rstest;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Longest file, in lines before its tests.
const FILE: usize = 400;
/// Files that are longer, and how long they may be: they may shrink, and leave this list.
const LONGER: [(&str, usize); 4] = [
    // Mostly literals: the columns, and what each runtime says.
    ("src/model/columns.rs", 490),
    ("src/demo/profile.rs", 450),
    ("src/demo/tell.rs", 500),
    // One type each, whose fields belong together.
    ("src/demo/stats.rs", 480),
];
/// Longest function, in lines.
const FUNCTION: usize = 80;

/// One file below src, without its tests.
struct Source {
    path: String,
    /// Lines before the module of tests, comments taken out, their numbers kept.
    lines: Vec<String>,
}

impl Source {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a source");
        let shown = path
            .strip_prefix(ROOT)
            .unwrap_or(path)
            .display()
            .to_string();
        Self::new(shown, &text)
    }

    fn new(path: String, text: &str) -> Self {
        let product = text.split("\n#[cfg(test)]\nmod tests {").next();
        let lines = product.unwrap_or_default().lines().map(code).collect();
        Self { path, lines }
    }

    /// `path:line` and the line, of each that holds `text`.
    fn with<'a>(&'a self, text: &'a str) -> impl Iterator<Item = String> + 'a {
        let found = self
            .lines
            .iter()
            .enumerate()
            .filter(move |(_, line)| line.contains(text));
        found.map(|(at, line)| format!("{}:{}: {}", self.path, at + 1, line.trim()))
    }

    /// Name and length of each function.
    fn functions(&self) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        for (start, line) in self.lines.iter().enumerate() {
            let name = line.split("fn ").nth(1).filter(|_| is_function(line));
            let Some(name) = name else { continue };
            let indent = line.len() - line.trim_start().len();
            // rustfmt closes a function's brace in the column of its first line.
            let end = format!("{}}}", " ".repeat(indent));
            let body = self.lines.iter().skip(start);
            let length = body.take_while(|line| **line != end).count() + 1;
            let one_line = line.trim_end().ends_with('}') || line.trim_end().ends_with(';');
            let name = name.split(['(', '<']).next().unwrap_or_default();
            found.push((name.to_owned(), if one_line { 1 } else { length }));
        }
        found
    }
}

fn is_function(line: &str) -> bool {
    let words = [
        "fn ",
        "pub fn ",
        "const fn ",
        "pub const fn ",
        "async fn ",
        "pub async fn ",
    ];
    let line = line.trim_start();
    let line = line
        .split_once(") ")
        .filter(|(start, _)| start.starts_with("pub("))
        .map_or(line, |(_, rest)| rest);
    words.iter().any(|word| line.starts_with(word))
}

/// The line without a comment. (A `//` in a string is none if a quote is open before it.)
fn code(line: &str) -> String {
    let comment = line
        .match_indices("//")
        .find(|(at, _)| line[..*at].matches('"').count().is_multiple_of(2));
    comment
        .map_or(line, |(at, _)| &line[..at])
        .trim_end()
        .to_owned()
}

/// All sources below `folder` of src, or one file, but for those that are tests as a whole.
fn sources(folder: &str) -> Vec<Source> {
    let mut files = Vec::new();
    let path = Path::new(ROOT).join("src").join(folder);
    collect(&path, &mut files);
    let tests = |path: &PathBuf| {
        let path = path.to_string_lossy();
        path.ends_with("tests.rs") || path.ends_with("testing.rs")
    };
    let sources: Vec<Source> = files
        .iter()
        .filter(|path| !tests(path))
        .map(|path| Source::read(path))
        .collect();
    assert!(!sources.is_empty(), "src/{folder} holds nothing");
    sources
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
        return;
    }
    let entries = fs::read_dir(path)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let mut entries: Vec<PathBuf> = entries.collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() || entry.extension().is_some_and(|end| end == "rs") {
            collect(&entry, files);
        }
    }
}

fn none(found: impl Iterator<Item = String>, rule: &str) {
    let found: Vec<String> = found.collect();
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

/// What each part of the program must not name.
#[rstest]
#[case("views", &["tokio", "tonic", "crate::cri", "k8s_cri", "std::fs", "crate::app", "crate::host"])]
#[case("widgets", &["tokio", "tonic", "k8s_cri", "crate::model", "crate::views", "crate::cri", "crate::domain", "crate::app", "jiff"])]
#[case("model", &["tokio", "tonic", "k8s_cri", "crate::views", "crate::app", "crate::config", "crate::host", "std::fs", "crate::terminal"])]
#[case("cri", &["crate::model", "crate::views", "crate::widgets", "crate::app", "crate::config", "crate::demo", "crate::snapshot", "crate::theme", "crate::terminal", "ratatui"])]
#[case("host", &["crate::model", "crate::views", "crate::app", "crate::cri", "crate::demo", "ratatui"])]
#[case("demo", &["crate::model", "crate::views", "crate::app", "crate::cri", "ratatui"])]
#[case("triage", &["tokio", "tonic", "k8s_cri", "std::fs", "crate::cri", "crate::host", "crate::model", "crate::views", "crate::app", "crate::gather"])]
#[case("audit", &["tokio", "tonic", "k8s_cri", "std::fs", "crate::cri", "crate::host", "crate::model", "crate::views", "crate::app"])]
#[case("config", &["crate::views", "crate::widgets", "crate::app", "crate::terminal", "tonic", "ratatui"])]
fn arrows(#[case] part: &str, #[case] never: &[&str]) {
    for source in sources(part) {
        for name in never {
            none(source.with(name), &format!("{part} must not know {name}"));
        }
    }
}

/// The leaves know each other at most.
#[test]
fn leaves_know_only_leaves() {
    let leaves = ["domain", "text", "link", "format", "keys", "access"];
    for leaf in leaves {
        for source in sources(&format!("{leaf}.rs")) {
            let foreign = |line: &String| {
                let named = line.split("crate::").skip(1);
                let mut modules =
                    named.map(|rest| rest.split([':', ';', ',']).next().unwrap_or_default());
                modules.any(|module| !leaves.contains(&module))
            };
            none(
                source.with("crate::").filter(foreign),
                &format!("{leaf} is a leaf"),
            );
            none(source.with("tokio"), &format!("{leaf} is a leaf"));
        }
    }
}

/// Nothing but ratatui, the theme, the widths of characters and the standard library.
#[test]
fn widgets_import_little() {
    let known = [
        "std::",
        "ratatui::",
        "unicode_width::",
        "crate::theme::",
        "crate::widgets",
        "super::",
    ];
    for source in sources("widgets") {
        let foreign = |line: &String| {
            let import = line.split(": use ").nth(1);
            import.is_some_and(|import| !known.iter().any(|known| import.starts_with(known)))
        };
        none(
            source.with("use ").filter(foreign),
            "widgets know ratatui and the theme",
        );
    }
}

#[test]
fn colours_are_named_in_the_theme_alone() {
    for source in sources("")
        .iter()
        .filter(|source| !source.path.starts_with("src/theme"))
    {
        // A role has a colour; nothing else has.
        let found = source.with("Color").chain(source.with("Style::new"));
        none(found, "colours are the theme's");
    }
}

#[test]
fn nothing_unwraps_what_the_world_sends() {
    for source in sources("") {
        let found = source.with(".unwrap()").chain(source.with(".expect("));
        let unexplained = found.filter(|line| !is_explained(line));
        none(
            unexplained,
            "handle it, or say in a comment above why it cannot fail",
        );
    }
}

/// A comment stands right above.
fn is_explained(found: &str) -> bool {
    let mut parts = found.splitn(3, ':');
    let path = parts.next().unwrap_or_default();
    let line: usize = parts.next().and_then(|at| at.parse().ok()).unwrap_or(0);
    let text = fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_default();
    let above = text.lines().nth(line.saturating_sub(2)).unwrap_or_default();
    above.trim_start().starts_with("//")
}

#[test]
fn files_and_functions_are_short() {
    for source in sources("") {
        let lines = source.lines.len();
        let longer = LONGER.iter().find(|(path, _)| *path == source.path);
        let most = longer.map_or(FILE, |(_, most)| *most);
        assert!(
            longer.is_none() || lines > FILE,
            "{} left the list of longer files",
            source.path
        );
        assert!(
            lines <= most,
            "{} has {lines} lines before its tests",
            source.path
        );
        for (name, length) in source.functions() {
            assert!(
                length <= FUNCTION,
                "{}: {name} has {length} lines",
                source.path
            );
        }
    }
}

#[test]
fn every_theme_can_be_used() {
    let ability = Ability {
        depth: Depth::True,
        unicode: true,
    };
    let folder = fs::read_dir(Path::new(ROOT).join("themes")).expect("themes");
    let mut count = 0;
    for entry in folder {
        let path = entry.expect("an entry").path();
        // Their pictures lie there too.
        if path.is_dir() {
            continue;
        }
        let source = fs::read_to_string(&path).expect("a theme");
        if let Err(problem) = Theme::parse(&source, ability) {
            panic!("{}: {problem}", path.display());
        }
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a name");
        Theme::named(name, ability).expect("it is built in");
        count += 1;
    }
    assert_eq!(count, critui::theme::THEMES.len());
}

#[test]
fn the_top_level_holds_nothing_else() {
    let known = [
        "Cargo.toml",
        "Cargo.lock",
        "LICENSE",
        "README.md",
        "examples",
        "src",
        "target",
        "tests",
        "themes",
    ];
    let entries = fs::read_dir(ROOT).expect("the top level");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let other: Vec<_> = names
        .filter(|name| !name.as_encoded_bytes().starts_with(b"."))
        .filter(|name| !known.iter().any(|known| name == known))
        .collect();
    assert!(other.is_empty(), "{other:?}");
}

/// The readers above see what they are meant to see.
#[test]
fn these_tests_can_fail() {
    let text = "use crate::cri; // crate::fine\nfn long(\n    a: u8,\n) {\n    b();\n}\n#[cfg(test)]\nmod tests {\n    tokio\n}\n";
    let source = Source::new("x.rs".into(), text);
    assert_eq!(
        source.with("crate::cri").collect::<Vec<_>>(),
        ["x.rs:1: use crate::cri;"]
    );
    assert_eq!(source.with("crate::fine").count(), 0);
    assert_eq!(source.with("tokio").count(), 0);
    assert_eq!(source.functions(), [("long".to_owned(), 5)]);
    let functions: usize = sources("")
        .iter()
        .map(|source| source.functions().len())
        .sum();
    assert!(functions > 500, "only {functions} functions were found");
}
