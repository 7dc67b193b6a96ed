//! What drawing tells the next update: where things are.

use jiff::Timestamp;
use ratatui::layout::{Rect, Size};

/// What drawing tells the next update: where things are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Size of the terminal.
    pub size: Size,
    /// Rows of each panel that is shown in full, by [`Panel::index`](super::Panel::index).
    pub panels: [Option<PanelSeen>; 3],
    /// Lines of the page on top, and how many of them fit.
    pub page: Option<PageSeen>,
    /// Area of the lines of the view of logs.
    pub log: Option<Size>,
    /// Area of the log in the preview.
    pub log_tail: Option<Size>,
    /// The line between lists and preview, and the area that it divides.
    pub split: Option<(u16, Rect)>,
    /// When something drawn changes by itself.
    pub wake_at: Option<Timestamp>,
}

/// A list as it was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelSeen {
    /// Where its rows are.
    pub rows: Rect,
    /// Width of the widest cell drawn, by column.
    pub widths: Vec<u16>,
    /// Where each column that is shown begins and ends, and its index.
    pub columns: Vec<(u16, u16, usize)>,
    /// There are columns further to the right.
    pub more: bool,
    /// Columns that are left of those behind the name.
    pub shift: usize,
    /// Whether the column that needs every pod's status is shown.
    pub shows_ip: bool,
    /// Whether a column of statistics is shown.
    pub shows_load: bool,
}

/// A page as it was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSeen {
    /// Lines there are.
    pub lines: usize,
    /// Lines that fit.
    pub height: usize,
}
