//! Container logs, read from the files that the runtime writes: every attempt, through rotation,
//! at any size. Nothing here knows the screen or tokio: everything blocks, and belongs on a
//! thread that may.
//!
//! ```text
//! Place (where) ── Timeline (the files, oldest first) ─┬─ page    lines before and after a place
//!                     │                                ├─ search  matches, counts, the next one
//!                     └─ Watch, refresh (what changed) ├─ index   line numbers, per cent, times
//!                                                      ├─ follow  every new line, once
//!                                                      └─ weave   several logs as one, sifted
//! Viewer: a thread that keeps a window on all this, for a screen; shown: its lines
//! ```
//!
//! A *line of the file* is what a runtime wrote; an [`Entry`] is a line of the container, joined
//! from its chunks. An entry stands where its last chunk stands. Memory is bounded by constants:
//! a line of the file is cut after 4 to 8 MiB, an entry is handed on in pieces of 8 MiB, and
//! whoever keeps entries says how much of each.

pub mod export;
mod follow;
mod index;
mod join;
pub mod level;
pub mod line;
mod page;
mod place;
mod print;
mod scan;
mod search;
mod segment;
pub mod shown;
mod sift;
mod sought;
#[cfg(test)]
mod tests;
mod timeline;
pub mod viewer;
pub mod weave;

pub use follow::{Follower, GO_ON, News, STOP, Watch};
pub use index::Index;
pub use join::{Entry, Flow};
pub use line::Stream;
pub use page::Row;
pub use place::{POD_LOGS, Place, PlaceError};
pub use print::{Printer, Select, Source, Style, push_safe};
pub use scan::Pos;
pub use search::{Count, Pattern, Progress};
pub use segment::Segment;
pub use sift::Sift;
pub use sought::Sought;
pub use timeline::{Change, Files, Timeline, Which};
