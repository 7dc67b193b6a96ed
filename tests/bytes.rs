//! What a cursor move costs on a slow line.

#[path = "support/sample.rs"]
#[allow(dead_code)]
mod sample;
#[path = "support/typing.rs"]
mod typing;

use critui::theme::{Ability, Depth};
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

/// A move of the cursor that needs no scrolling, in every list and in views with a cursor.
#[test]
fn a_cursor_move_on_a_slow_line_stays_below_150_bytes() {
    let narrow = Ability {
        depth: Depth::Indexed,
        unicode: true,
    };
    for (size, ability) in [((80, 24), narrow), ((200, 50), narrow), ((120, 40), PLAIN)] {
        for way in ["", "2*", "3", "v", "zc", ":"] {
            let mut screen = Screen::with(size, ability, busy());
            (screen.model.comfort.slow, screen.model.home.arranged.still) = (true, true);
            screen.keys(way);
            for key in ["<Down>", "<Down>", "<Up>"] {
                let before = screen.draw();
                screen.hasty(key);
                let after = screen.draw();
                let cost = cost(&before, &after);
                println!("{size:?} {way} {key}: {cost} bytes");
                assert!(
                    cost < 150,
                    "{cost} bytes for {key} after {way:?} at {size:?}"
                );
            }
        }
    }
}

/// What a frame of data alone costs where nothing but ages has changed: they wait.
#[test]
fn a_slow_line_is_left_alone_between_minutes() {
    let mut screen = Screen::with((80, 24), PLAIN, busy());
    screen.draw();
    let often = screen.seen.wake_at.expect("an age ticks");
    screen.model.comfort.slow = true;
    screen.draw();
    let seldom = screen.seen.wake_at.expect("an age ticks");
    assert!(
        seldom.duration_since(screen.clock.now).as_secs() >= 10,
        "{often} {seldom}"
    );
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
