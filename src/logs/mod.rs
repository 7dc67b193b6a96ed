//! Container logs, read from the files that the runtime writes: every attempt, through rotation,
//! at any size. Nothing here knows the screen or tokio: everything blocks, and belongs on a
//! thread that may.
//!
//! ```text
//! Place (where) ── Timeline (the files, oldest first) ─┬─ page    lines before and after a place
//!                     │                                ├─ search  matches, counts, the next one
//!                     └─ Watch, refresh (what changed) ├─ index   line numbers, per cent, times
//!                                                      └─ follow  every new line, once
//! ```
//!
//! A *line of the file* is what a runtime wrote; an [`Entry`] is a line of the container, joined
//! from its chunks. An entry stands where its last chunk stands. Memory is bounded by constants:
//! a line of the file is cut after 4 to 8 MiB, an entry is handed on in pieces of 8 MiB, and
//! whoever keeps entries says how much of each.

pub mod line;
mod segment;

pub use line::Stream;
pub use segment::Segment;
