//! Keys as tests write them: `jj<Enter><^d>`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The key events of `keys`: characters as they are, others by name in angle brackets.
pub fn typed(keys: &str) -> Vec<KeyEvent> {
    let mut events = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (event, after) = match name {
            Some((name, after)) => (named(name), after),
            None => (plain(KeyCode::Char(c)), &rest[c.len_utf8()..]),
        };
        events.push(event);
        rest = after;
    }
    events
}

fn plain(code: KeyCode) -> KeyEvent {
    KeyEvent::new(code, KeyModifiers::NONE)
}

fn named(name: &str) -> KeyEvent {
    if let Some(c) = name.strip_prefix('^').and_then(|rest| rest.chars().next()) {
        return KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
    }
    plain(match name {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Backspace" => KeyCode::Backspace,
        "Tab" => KeyCode::Tab,
        "S-Tab" => KeyCode::BackTab,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        other => panic!("no key is called {other}"),
    })
}
