//! What the README says of the program is what the program says of itself.

use std::fs;
use std::process::Command;

use critui::audit;
use critui::model::command::keys_table;
use critui::triage;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");

/// What stands between `<!-- NAME -->` and `<!-- /NAME -->`.
fn part(name: &str) -> String {
    let readme = fs::read_to_string(README).expect("README.md");
    let after = readme.split_once(&format!("<!-- {name} -->\n"));
    let (_, after) = after.unwrap_or_else(|| panic!("README.md has no line <!-- {name} -->"));
    let before = after.split_once(&format!("<!-- /{name} -->"));
    let (part, _) = before.unwrap_or_else(|| panic!("README.md has no line <!-- /{name} -->"));
    part.to_owned()
}

#[test]
fn the_keys_are_those_of_the_program() {
    let expected = keys_table();
    assert_eq!(
        part("keys").trim(),
        expected.trim(),
        "put the output of `critui keys` between the two lines"
    );
}

#[test]
fn the_verdicts_are_those_of_the_program() {
    let expected = triage::table();
    assert_eq!(
        part("verdicts").trim(),
        expected.trim(),
        "put the output of `critui triage --verdicts` between the two lines"
    );
}

#[test]
fn the_checks_are_those_of_the_program() {
    let expected = audit::table();
    assert_eq!(
        part("checks").trim(),
        expected.trim(),
        "put the output of `critui audit --checks` between the two lines"
    );
}

#[test]
fn critui_keys_prints_them() {
    let output = Command::new(env!("CARGO_BIN_EXE_critui"))
        .arg("keys")
        .env_clear()
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), keys_table());
}
