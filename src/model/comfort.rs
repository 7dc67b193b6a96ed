//! What makes it comfortable on this terminal, and is no part of what is shown.

use crate::keys::Key;
use crate::text::Text;

/// What makes it comfortable on this terminal.
// Independent facts.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Comfort {
    /// The hint of the first start is shown.
    pub hint: bool,
    /// The first key of a sequence was pressed.
    pub pending: Option<Key>,
    /// The mouse holds the line between lists and preview.
    pub dragging: bool,
    /// The line is slow: few frames, few cells that change.
    pub slow: bool,
    /// Names of the user's own themes.
    pub own_themes: Vec<Text>,
}
