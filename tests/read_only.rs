//! The third lock of read-only mode: whatever keys are pressed, only reads reach the runtime. The
//! whole program is run against a node that records each call it receives.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[allow(unused_imports)]
mod support;
#[path = "support/typing.rs"]
#[allow(dead_code)]
mod typing;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::time::Duration;

use critui::cri::gate::READS;
use critui::demo::DemoNode;
use critui::model::command::COMMANDS;
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use flow::{Start, opened};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use support::{Program, wait_until};

/// Events between two looks at the screen.
const BURST: usize = 12;
/// Keys in one run.
const KEYS: usize = 250;
/// Runs with other keys: few, for each draws some hundred screens.
const RUNS: u32 = 4;
/// Long enough for any machine.
const LONG: Duration = Duration::from_secs(20);

/// Words in the names of calls that change a node. The list of reads says it all; this says it
/// again, without trusting that list.
const CHANGES: [&str; 14] = [
    "Exec",
    "Attach",
    "PortForward",
    "Stop",
    "Start",
    "Remove",
    "Create",
    "Run",
    "Update",
    "Pull",
    "Reopen",
    "Checkpoint",
    "GetContainerEvents",
    "Delete",
];

/// A key of any kind that a keyboard has.
fn key() -> impl Strategy<Value = KeyEvent> {
    let named = prop::sample::select(vec![
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Insert,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Null,
    ]);
    let code = prop_oneof![
        8 => prop::char::range(' ', '~').prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
        3 => named,
        1 => (0u8..=24).prop_map(KeyCode::F),
    ];
    let modifiers = prop_oneof![
        4 => Just(KeyModifiers::NONE),
        2 => Just(KeyModifiers::CONTROL),
        1 => any::<u8>().prop_map(KeyModifiers::from_bits_truncate),
    ];
    (code, modifiers).prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

/// The calls that are no reads.
fn changes(node: &DemoNode) -> Vec<String> {
    let calls = node.recording().into_iter().map(|call| call.path);
    let change = |path: &String| {
        let method = path.rsplit('/').next().unwrap_or_default();
        // A method of the allow-list that merely tells of an update would still be noticed.
        // It says Run, and only tells.
        let method = method.trim_start_matches("RuntimeConfig");
        !READS.contains(&path.as_str()) || CHANGES.iter().any(|word| method.contains(word))
    };
    calls.filter(change).collect()
}

/// What lies in the folder that the program would write into.
fn written() -> BTreeSet<OsString> {
    let entries = fs::read_dir(".").expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").file_name())
        .collect()
}

/// Hammers on a program that was started in this way.
fn hammer(start: &Start) {
    let mut runner = TestRunner::new(Config {
        cases: RUNS,
        max_shrink_iters: 10,
        failure_persistence: None,
        ..Config::default()
    });
    let keys = prop::collection::vec(key(), KEYS);
    let before = written();
    let result = runner.run(&keys, |keys| {
        let flow = opened(start).hammers(start, &keys).lists_once_more();
        let found = changes(&flow.demo);
        if found.is_empty() {
            Ok(())
        } else {
            Err(TestCaseError::fail(format!("{found:?} arrived")))
        }
    });
    result.expect("reads only");
    assert_eq!(written(), before);
}

#[test]
fn no_key_changes_anything_in_read_only_mode() {
    hammer(&Start {
        size: (80, 24),
        read_only: true,
        events: true,
        ..Start::default()
    });
}

/// Something that a user can do: a key, an entry of the palette by its name, the mouse.
fn deed() -> impl Strategy<Value = Vec<Event>> {
    let names: Vec<&str> = COMMANDS.iter().map(|command| command.name).collect();
    let entry = prop::sample::select(names).prop_map(|name| {
        let keys = typing::typed(&format!("<Esc><Esc>:{name}<Enter>"));
        keys.into_iter().map(Event::Key).collect()
    });
    let kinds = prop::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Right),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::Moved,
        MouseEventKind::ScrollDown,
        MouseEventKind::ScrollUp,
    ]);
    let mouse = (kinds, 0..130_u16, 0..45_u16).prop_map(|(kind, column, row)| {
        vec![Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })]
    });
    prop_oneof![
        12 => key().prop_map(|key| vec![Event::Key(key)]),
        1 => entry,
        1 => mouse,
    ]
}

/// So many events in read-only mode, in bursts.
fn storm(events: usize) {
    let start = Start {
        // With a preview, so that there is a split to drag.
        size: (120, 40),
        read_only: true,
        events: true,
        ..Start::default()
    };
    let before = written();
    let mut runner = TestRunner::new(Config::default());
    let burst = prop::collection::vec(deed(), BURST);
    let (mut flow, mut taken) = (opened(&start), 0);
    while taken < events {
        let bursts: Vec<Vec<Event>> = (0..20)
            .map(|_| {
                let tree = burst.new_tree(&mut runner).expect("a burst");
                tree.current().concat()
            })
            .collect();
        let count;
        (flow, count) = flow.hammers_with(&start, &bursts);
        taken += count;
        let found = changes(&flow.demo);
        assert_eq!(found, Vec::<String>::new(), "after {bursts:?}");
        // What is recorded is bounded.
        assert!(flow.demo.recording().len() < 60_000);
        if taken % 10_000 < count {
            drop(flow);
            flow = opened(&start);
        }
    }
    let flow = flow.lists_once_more();
    assert_eq!(changes(&flow.demo), Vec::<String>::new());
    assert_eq!(written(), before);
    assert!(!flow::journal_of(&flow.demo).exists());
    assert!(!flow::layout_of(&flow.demo).exists());
}

#[test]
fn no_key_entry_or_mouse_changes_anything_in_read_only_mode() {
    storm(2_000);
}

/// As many as a user presses in a year. It takes minutes: tests/run has it.
#[test]
#[ignore = "takes minutes; tests/run runs it"]
fn a_hundred_thousand_events_change_nothing_in_read_only_mode() {
    storm(100_000);
}

/// A call that is no read, with a grant and `--events`: it shows that these tests would notice
/// one.
#[test]
fn what_is_no_read_is_noticed() {
    let start = Start {
        events: true,
        ..Start::default()
    };
    let flow = opened(&start);
    let subscribe = "/runtime.v1.RuntimeService/GetContainerEvents";
    assert!(
        wait_until(LONG, || changes(&flow.demo) == [subscribe]),
        "{:?}",
        changes(&flow.demo)
    );
}

/// The program as it is installed: flags, settings, terminal and all.
#[test]
fn the_installed_program_only_reads() {
    let node = flow::node(&Start::default());
    let mut term = Program::new(env!("CARGO_BIN_EXE_critui"))
        .args(["--read-only", "--events", "-r"])
        .args([format!("unix://{}", node.socket().display())])
        .spawn();
    term.wait_for_text("READ-ONLY", LONG);
    term.wait_for_text("3 Images 1/", LONG);
    // Every byte that a key can be, but for those that end or stop the program, and escape
    // sequences of keys beyond them.
    let endings = [b'q', 0x03, 0x1a];
    let bytes = (0x01..0x7f_u8).filter(|byte| !endings.contains(byte));
    for byte in bytes {
        let key = char::from(byte).to_string();
        // From the list and from a page.
        term.keys(&format!("{key}d{key}"));
        term.keys("\x1b[15~\x1b[3~\x1b[A");
    }
    assert!(term.runs());
    let lists = || {
        let calls = node.recording();
        calls
            .iter()
            .filter(|call| call.method() == "ListPodSandbox")
            .count()
    };
    let before = lists();
    assert!(
        wait_until(LONG, || lists() > before + 1),
        "it lists no more"
    );
    assert_eq!(changes(&node), Vec::<String>::new());
}
