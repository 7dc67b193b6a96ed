//! Lines around those that match, as they come.

use std::collections::VecDeque;

use super::Select;
use crate::logs::join::{Entry, Flow, LONGEST};
use crate::logs::line::Stream;
use crate::logs::page::Row;
use crate::logs::search::Pattern;

/// Lets through what matches, and its neighbours, of one log.
pub(super) struct Around {
    pattern: Option<Pattern>,
    /// Neighbours are of this stream, too.
    stream: Option<Stream>,
    context: usize,
    before: VecDeque<Row>,
    /// Neighbours still to come.
    left: usize,
}

impl Around {
    pub fn new(select: &Select) -> Self {
        Self {
            pattern: select.pattern.clone(),
            stream: select.stream,
            context: select.context,
            before: VecDeque::new(),
            left: 0,
        }
    }

    /// More than the matching lines themselves is wanted.
    pub fn is_wanted(&self) -> bool {
        self.context > 0 && self.pattern.is_some()
    }

    /// Looks at the next line, and prints what is to be printed now.
    pub fn offer(&mut self, entry: &Entry<'_>, mut print: impl FnMut(&Entry<'_>) -> Flow) -> Flow {
        let Some(pattern) = &self.pattern else {
            return print(entry);
        };
        let of_stream = self.stream.is_none_or(|wanted| wanted == entry.stream);
        if of_stream && pattern.is_match(entry.content) {
            for row in self.before.drain(..) {
                print(&row.entry())?;
            }
            self.left = self.context;
            return print(entry);
        }
        if !of_stream || self.context == 0 {
            return Flow::Continue(());
        }
        if self.left > 0 {
            self.left -= 1;
            return print(entry);
        }
        if self.before.len() == self.context {
            self.before.pop_front();
        }
        self.before.push_back(Row::of(entry, LONGEST));
        Flow::Continue(())
    }
}
