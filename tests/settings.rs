//! critui's settings from outside: mistakes, the file that critui writes, and what happens on the
//! open screen when a file changes.

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use rstest::rstest;
use support::{Program, Term};
use tempfile::TempDir;

const CRITUI: &str = env!("CARGO_BIN_EXE_critui");
/// For what takes no time.
const SOON: Duration = Duration::from_secs(10);
/// For what waits until the files are looked at again.
const LATER: Duration = Duration::from_secs(20);

/// A user with a settings file.
struct User {
    home: TempDir,
}

impl User {
    fn new(settings: &str) -> Self {
        let user = Self {
            home: tempfile::tempdir().expect("a folder"),
        };
        fs::create_dir_all(user.home.path().join(".config/critui")).expect("a folder");
        user.writes(settings);
        user
    }

    fn file(&self) -> PathBuf {
        self.home.path().join(".config/critui/settings.yaml")
    }

    /// As editors do: the new file takes the place of the old.
    fn writes(&self, settings: &str) {
        let new = self.home.path().join("new");
        fs::write(&new, settings).expect("a file");
        fs::rename(new, self.file()).expect("a file");
    }

    fn runs(&self, args: &[&str]) -> Output {
        let mut command = Command::new(CRITUI);
        command.env_clear().env("HOME", self.home.path());
        command.args(args).output().expect("critui runs")
    }

    /// The open screen on a node on which nothing happens.
    fn opens(&self, args: &[&str]) -> Term {
        let home = self.home.path().to_str().expect("a path");
        let args = ["--demo=calm"].iter().chain(args);
        let program = Program::new(CRITUI).args(args).env("HOME", home);
        let term = program.env("COLORTERM", "truecolor").spawn();
        term.wait_for_text("Running", SOON);
        term
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn the_default_file_can_be_used_as_it_is() {
    let default = User::new("").runs(&["settings", "--default"]);
    assert_eq!(default.status.code(), Some(0));
    let user = User::new(text(&default.stdout));
    let strict = user.runs(&["settings", "--strict"]);
    assert_eq!(text(&strict.stderr), "");
    let plain = User::new("").runs(&["settings"]);
    assert_eq!(text(&strict.stdout), text(&plain.stdout));
}

#[rstest]
#[case("theme: nrod\n", "theme: nrod is no theme: did you mean nord?", "")]
#[case(
    "theme: nrod\nsort: {pods: agee}\n",
    "theme: nrod is no theme: did you mean nord?",
    " (and 1 more problem: 'critui settings' shows both)"
)]
#[case(
    "colour: a\nmode: b\nkind: c\n",
    "colour is no setting: there are read-only, refresh, theme, keys, sort, logs, journal",
    " (and 2 more problems: 'critui settings' shows them all)"
)]
fn strict_names_the_first_mistake(#[case] settings: &str, #[case] what: &str, #[case] more: &str) {
    let user = User::new(settings);
    for args in [&["settings", "--strict"], &["config", "--strict"]] {
        let output = user.runs(args);
        let place = format!("critui: {}:1:1: ", user.file().display());
        assert_eq!(text(&output.stderr), format!("{place}{what}{more}\n"));
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stdout), "");
    }
    let output = user.runs(&["settings"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains(what));
}

#[test]
fn settings_are_shown_with_their_sources() {
    let user =
        User::new("theme: light\nkeys:\n  sort: [F5, F6]\n  reverse: []\nsort:\n  pods: age\n");
    let table = user.runs(&["settings"]);
    let place = |line| format!("{}:{line}", user.file().display());
    let rows: Vec<Vec<&str>> = text(&table.stdout)
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for row in [
        vec!["theme", "light", &place(1)],
        vec!["keys.sort", "F5", "F6", &place(3)],
        vec!["keys.reverse", "-", &place(4)],
        vec!["sort.pods", "age", &place(6)],
        vec!["keys.down", "j", "Down", "default"],
        vec!["sort.images", "trouble", "default"],
    ] {
        assert!(rows.contains(&row), "{row:?} in {rows:?}");
    }
    let config = user.runs(&["config", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&config.stdout).expect("JSON");
    let of = |name: &str| {
        let rows = json["settings"].as_array().expect("rows").iter();
        rows.filter(|row| row["name"] == name).count()
    };
    assert_eq!((of("theme"), of("keys.sort"), of("keys.down")), (1, 1, 0));
}

#[test]
fn the_screen_takes_keys_sort_and_theme() {
    let user = User::new("keys: {help: F1}\nsort: {pods: name}\ntheme: light\n");
    let mut term = user.opens(&[]);
    term.wait_for_text("F1 help", SOON);
    term.wait_for_text("NAME↑", SOON);
    term.keys("?");
    term.wait_for_text("? does nothing here; F1 shows the keys", SOON);
    term.keys("\x1bOP");
    term.wait_for_text("─ Pods > Help", SOON);
    term.wait_for("help with the user's keys", SOON, |screen| {
        !screen.contents().contains("? ") && screen.contents().contains("F1")
    });
}

#[test]
fn a_changed_file_takes_effect_on_the_open_screen() {
    let user = User::new("");
    let mut term = user.opens(&[]);
    let before = colours(&term);
    user.writes("theme: light\nkeys: {help: F1}\nsort: {pods: name}\n");
    term.wait_for_text("settings loaded again", LATER);
    term.wait_for_text("NAME↑", SOON);
    assert_ne!(colours(&term), before);
    term.keys("\x1bOP");
    term.wait_for_text("─ Pods > Help", SOON);
    // The order that the hand has chosen since stays: only its setting counts.
    term.keys("\x1b");
    term.wait_for_text("F1 help", SOON);
    term.keys("O");
    term.wait_for_text("NAME↓", SOON);
    user.writes("theme: nord\nsort: {pods: name}\n");
    term.wait_for_text("settings loaded again", LATER);
    assert!(term.text().contains("NAME↓"), "{}", term.text());
    term.keys("?");
    term.wait_for_text("─ Pods > Help", SOON);
}

#[test]
fn a_changed_file_turns_read_only_on_and_never_off() {
    let user = User::new("");
    let mut term = user.opens(&["--events"]);
    assert!(!term.text().contains("READ-ONLY"));
    user.writes("read-only: true\n");
    term.wait_for_text("read-only from now on", LATER);
    term.wait_for_text("READ-ONLY", SOON);
    user.writes("read-only: false\n");
    term.wait_for_text("settings loaded again", LATER);
    assert!(term.text().contains("READ-ONLY"), "{}", term.text());
    term.keys("N");
    term.wait_for_text("says read-only: true", SOON);
}

#[test]
fn a_mistake_is_a_notice_and_the_rest_takes_effect() {
    let user = User::new("");
    let mut term = user.opens(&[]);
    user.writes("keys: {sort: j, help: F1}\n");
    term.wait_for_text("keys: sort: j is the key of down already", LATER);
    assert!(!term.text().contains("READ-ONLY"));
    term.keys("\x1bOP");
    term.wait_for_text("─ Pods > Help", SOON);
    user.writes("raed-only: true\n");
    term.wait_for_text("raed-only is no setting: did you mean", LATER);
    term.wait_for_text("READ-ONLY", SOON);
}

/// The colours of the header and of the panel's title.
fn colours(term: &Term) -> Vec<vt100::Color> {
    let screen = term.screen();
    let cells = (0..80).flat_map(|column| [screen.cell(0, column), screen.cell(1, column)]);
    cells.flatten().map(vt100::Cell::fgcolor).collect()
}
