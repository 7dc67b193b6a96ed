//! State and drawing of what views are made of. Widgets know ratatui and the theme, and nothing
//! of nodes.

pub mod graph;
pub mod page;
pub mod table;
pub mod text;
