//! Columns, themes, mouse, help and slow lines as their user meets them: keys and the mouse through
//! the real loop against the simulated node.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/typing.rs"]
mod typing;

use std::fs;

use crossterm::event::{MouseButton, MouseEventKind};
use flow::{Flow, Start, each, flow, layout_of, opened};
use ratatui::style::Color;

const DOWN: MouseEventKind = MouseEventKind::Down(MouseButton::Left);
const DRAG: MouseEventKind = MouseEventKind::Drag(MouseButton::Left);
const UP: MouseEventKind = MouseEventKind::Up(MouseButton::Left);

fn narrow() -> Start {
    Start {
        size: (80, 24),
        ..Start::default()
    }
}

/// The heads of the list on top.
fn heads(flow: &Flow) -> String {
    flow.shown().lines()[2].clone()
}

#[test]
fn columns_in_many_ways() {
    each(
        &narrow(),
        &[
            // The dialog, by both its keys, and its presets.
            ("|", "Columns of pods"),
            ("zc", "Columns of pods"),
            ("2zc", "Columns of containers"),
            ("zcp", "[usage]"),
            ("zcpppp", "[all]"),
            // What is chosen stands where it was put, at once.
            ("zcjj ", "READY"),
            ("zcj K", "[own]"),
            ("zcjJJJ", "[own]"),
            ("zc+++", "36 wide"),
            // Sequences of keys.
            ("z", "z …  c columns"),
            ("zx", "z x does nothing here"),
            ("zcG-<Enter><Right><Right>", "SANDBOX"),
        ],
        |flow, (keys, text)| flow.types(keys).sees(text),
    );
}

#[test]
fn presets_come_round() {
    let flow = opened(&narrow());
    let before = heads(&flow);
    let flow = flow
        .types("zp")
        .sees("columns: usage, also for the next start");
    let flow = flow.types("zp").sees("columns: network, ").types("zpzpzp");
    let flow = flow.sees("columns: fit, ");
    assert_eq!(heads(&flow), before);
    flow.types("3zp").sees("columns: use, ").sees("USED BY");
}

#[test]
fn the_name_stays_and_a_discarded_choice_leaves_no_trace() {
    let flow = opened(&narrow());
    let before = heads(&flow);
    let flow = flow.types("zc ").sees("[x] name").types("jjj <Esc>");
    let flow = flow.misses("Columns of");
    assert_eq!(heads(&flow), before);
    let flow = flow.types("zcppppp").types("q").misses("Columns of");
    assert_eq!(heads(&flow), before);
}

#[test]
fn columns_that_do_not_fit_are_scrolled_to() {
    let flow = opened(&narrow()).types("zpzpzpzp");
    let flow = flow.sees("columns: all").sees("›");
    assert!(!heads(&flow).contains("SANDBOX ID"));
    let flow = flow
        .types("<Right><Right><Right><Right>")
        .sees("‹")
        .sees("IP");
    assert!(heads(&flow).contains("NAME") && !heads(&flow).contains("STATUS"));
    // It ends where the last column is.
    let flow = flow.types("<Right><Right><Right><Right><Right><Right><Right><Right>");
    let flow = flow.sees("SANDBOX ID");
    assert!(heads(&flow).contains("NAME"));
    let back = "<Left>".repeat(12);
    flow.types(&back).misses("‹").sees("NAMESPACE");
}

#[test]
fn columns_are_remembered_with_the_grant_alone() {
    let start = narrow();
    let flow = opened(&start)
        .types("zcjj <Enter>")
        .sees("also for the next start");
    let chosen = heads(&flow);
    let flow = flow.again(&start);
    assert_eq!(heads(&flow), chosen);
    let written = fs::read_to_string(layout_of(&flow.demo)).expect("a file");
    assert!(written.contains("- ready"), "{written}");
    let locked = Start {
        read_only: true,
        ..narrow()
    };
    let flow = flow
        .again(&locked)
        .types("zp")
        .sees("for this run: read-only mode writes nothing");
    let now = fs::read_to_string(layout_of(&flow.demo)).expect("a file");
    assert_eq!(now, written);
}

#[test]
fn themes_are_shown_as_they_are_gone_over_and_esc_takes_that_back() {
    let start = Start {
        themes: vec![("sea", "background: '#001020'\ntext: { fg: '#abcdef' }\n")],
        ..narrow()
    };
    let ground = |flow: &Flow| flow.shown().buffer[(79, 10)].bg;
    let flow = opened(&start);
    assert_eq!(ground(&flow), Color::Reset);
    let flow = flow.types(":theme nord").sees("theme nord");
    assert_eq!(ground(&flow), Color::Rgb(0x2e, 0x34, 0x40));
    let flow = flow.types("<Esc>").misses("theme nord");
    assert_eq!(ground(&flow), Color::Reset);
    let flow = flow.types("zt<Down><Down>").sees("theme high-contrast");
    assert_eq!(ground(&flow), Color::Rgb(0, 0, 0));
    let flow = flow.types("<Up><Up><Esc>");
    assert_eq!(ground(&flow), Color::Reset);
    let flow = flow
        .types(":theme sea<Enter>")
        .sees("'theme: sea' in settings.yaml keeps it");
    assert_eq!(ground(&flow), Color::Rgb(0, 0x10, 0x20));
    // What is no theme leaves the one in effect.
    let flow = flow
        .types(":theme nord")
        .sees("theme nord")
        .types("<Backspace><Backspace><Backspace><Backspace>");
    let flow = flow.types("<Esc>:sort<Enter>");
    assert_eq!(ground(&flow), Color::Rgb(0, 0x10, 0x20));
}

#[test]
fn the_mouse_selects_opens_sorts_and_scrolls() {
    let flow = opened(&narrow()).types("M");
    let flow = flow
        .mouse(DOWN, (10, 5))
        .mouse(UP, (10, 5))
        .selects("recommender");
    // Once more opens it: its containers.
    let flow = flow.mouse(DOWN, (10, 5)).sees("this pod has no containers");
    let flow = flow
        .types("1")
        .mouse(DOWN, (4, 2))
        .starts_with("api-5f7b9d8c66");
    let flow = flow.mouse(DOWN, (4, 2)).starts_with("web-7d9c5b8f6d");
    let flow = flow.types("g").mouse(MouseEventKind::ScrollDown, (10, 9));
    let flow = flow.selects("report-worker");
    // Below the last row nothing is opened.
    let flow = flow
        .mouse(DOWN, (10, 20))
        .mouse(DOWN, (10, 20))
        .sees("1 Pods 17/17");
    // A question is for keys.
    let flow = flow
        .types("x")
        .sees("Cancel")
        .mouse(DOWN, (10, 6))
        .sees("Cancel");
    flow.types("<Esc>?")
        .mouse(MouseEventKind::ScrollDown, (10, 9))
        .sees("Help");
}

#[test]
fn the_split_is_dragged_and_remembered() {
    let start = Start::default();
    let rule = |flow: &Flow| flow.shown().lines()[10].chars().position(|c| c == '│');
    let flow = opened(&start).types("M");
    let at = u16::try_from(rule(&flow).expect("a rule")).expect("on the screen");
    let flow = flow
        .mouse(DOWN, (at, 10))
        .mouse(DRAG, (48, 12))
        .mouse(UP, (48, 12));
    assert_eq!(rule(&flow), Some(48));
    // Without holding it nothing moves.
    let flow = flow.mouse(DRAG, (90, 12));
    assert_eq!(rule(&flow), Some(48));
    let flow = flow
        .mouse(DOWN, (48, 10))
        .mouse(DRAG, (1, 12))
        .mouse(UP, (1, 12));
    assert_eq!(rule(&flow), Some(30));
    let flow = flow.types("z>").sees("│");
    assert_eq!(rule(&flow), Some(36));
    let flow = flow.lists_once_more().again(&start);
    assert_eq!(rule(&flow), Some(36));
}

#[test]
fn help_is_about_the_view_and_searched() {
    let flow = flow("?").sees("─ Pods > Help").sees("Here");
    let lines = flow.shown().lines();
    let place = |text: &str| lines.iter().position(|line| line.contains(text));
    assert!(place("Here") < place("why it fares"), "{lines:#?}");
    assert!(place("why it fares") < place("Everywhere").or(Some(99)));
    let flow = flow
        .types("/attempt log")
        .misses("Everywhere")
        .sees("at the end of the attempt before");
    let flow = flow.types("<Enter>").sees("Help: attempt log");
    let flow = flow
        .types("/zzz")
        .sees("nothing here has all of these words");
    let flow = flow
        .types("<Esc>")
        .sees("a shell in the container")
        .types("<Esc>")
        .misses("Help");
    let flow = flow.types("l").sees("Logs ops").types("?").sees("Here");
    flow.sees("go on with what comes")
        .types("q")
        .sees("following");
}

#[test]
fn the_hint_is_there_once() {
    let start = Start {
        first: true,
        ..narrow()
    };
    let flow = opened(&start)
        .sees("First time here? ? keys")
        .types("j")
        .misses("First time");
    let flow = flow.lists_once_more();
    let written = fs::read_to_string(layout_of(&flow.demo)).expect("a file");
    assert!(written.contains("hint: false"), "{written}");
    let flow = flow.again(&start).misses("First time");
    fs::remove_file(layout_of(&flow.demo)).expect("it is there");
    let locked = Start {
        read_only: true,
        ..start
    };
    let flow = flow
        .again(&locked)
        .sees("First time")
        .types("j")
        .misses("First time");
    assert!(!layout_of(&flow.lists_once_more().demo).exists());
}

#[test]
fn on_a_slow_line_little_changes_and_nothing_is_missing() {
    let start = Start {
        slow: true,
        ..Start::default()
    };
    let flow = opened(&start)
        .sees("▲>report-worker")
        .types("j")
        .sees("▲>payments");
    // No preview, no containers that follow.
    let flow = flow.misses("│").sees("/23 · 4 in trouble");
    let flow = flow
        .types("<Enter>")
        .sees("2 Containers of payments")
        .sees("▲>payments");
    let flow = flow
        .types("<Enter>")
        .sees("─ Containers > Container payments")
        .types("q<Esc>")
        .sees("▲>payments");
    let flow = flow.types("t").sees("memory").misses("⣀").types("q");
    flow.types("y").sees(">").types("q").types(":").sees(">why");
}
