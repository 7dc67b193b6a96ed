//! What end-to-end tests share: waiting for conditions, and a program in a terminal.
// Each test program uses a part of it.
#![allow(dead_code)]

mod term;
pub mod words;

use std::time::{Duration, Instant};

pub use term::{Program, Term};

/// How often a condition that cannot be waited for is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until `condition` holds, `deadline` at most; whether it does.
pub fn wait_until(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + deadline;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(LOOK);
    }
}
