//! What a cursor move costs on a slow line.

#[path = "support/sample.rs"]
#[allow(dead_code)]
mod sample;
#[path = "support/typing.rs"]
mod typing;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use sample::{FULL, PLAIN, Screen, busy};

/// What the loop writes around each frame: synchronised update, no cursor.
const FRAME: usize = 22;

/// Bytes that turn one screen into the other.
fn cost(before: &Buffer, after: &Buffer) -> usize {
    let mut bytes = Vec::new();
    let mut backend = CrosstermBackend::new(&mut bytes);
    backend
        .draw(before.diff(after).into_iter())
        .expect("memory takes all");
    bytes.len() + FRAME
}

#[test]
fn a_cursor_move_at_200x50_stays_below_400_bytes() {
    for ability in [FULL, PLAIN] {
        let mut screen = Screen::with((200, 50), ability, busy());
        for key in ["j", "j", "j", "j", "k"] {
            let before = screen.draw();
            screen.hasty(key);
            let after = screen.draw();
            let cost = cost(&before, &after);
            println!("{ability:?} {key}: {cost} bytes");
            assert!(cost < 400, "{cost} bytes for {key} with {ability:?}");
        }
    }
}
