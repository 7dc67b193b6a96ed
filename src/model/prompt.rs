//! The line at the bottom in which one types: a filter, or what the palette is to do.

use crossterm::event::KeyCode;
use tui_input::{Input, InputRequest};

use crate::keys::Key;
use crate::model::act::typed::ActLine;
use crate::model::files::Browse;
use crate::model::filter::Filter;
use crate::model::forward::Asked;
use crate::model::narrowing::Narrowing;
use crate::model::palette::Palette;
use crate::model::visit::Visit;

/// Lines remembered.
const HISTORY: usize = 50;

/// What is being typed.
#[derive(Debug)]
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    /// Why what is typed means nothing, if so.
    pub error: Option<String>,
    line: Input,
    /// Place in the history, counted back from the newest; `None` is the line itself.
    back: Option<usize>,
}

/// What a line is for.
#[derive(Debug)]
pub enum Purpose {
    /// A filter, live. Holds what was narrowed before, for Esc.
    Filter(Box<Narrowing>),
    /// The palette.
    Palette(Palette),
    /// Something for the view of logs.
    Logs(LogLine),
    /// Something for the view on top.
    View(ViewLine),
    /// A command for this container, also when the cursor has moved on by itself.
    Run(Box<Visit>),
    /// A command for all of these.
    RunInAll(Vec<Visit>),
    /// Ports of this pod; `true` once it was said that others could reach them.
    Forward(Box<Asked>, bool),
    /// The file that a file of a container is copied to.
    CopyOut(Box<Browse>),
    /// Something about a change of the node.
    Act(ActLine),
}

/// What a line is for in other views.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ViewLine {
    /// What to look for in a tree.
    Tree,
    /// Which events to show.
    Events,
    /// What to look for in help.
    Help,
    /// Which findings to show.
    Audit,
    /// Which lines to show.
    Lines,
}

/// What a line is for in the view of logs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogLine {
    /// What to look for.
    Search,
    /// Which lines to show.
    Filter,
    /// Where to go.
    GoTo,
    /// The file to save to.
    Save,
    /// Which fields of JSON to show.
    Fields,
}

/// What came of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typed {
    /// The line has changed.
    Changed,
    /// Nothing to be done.
    Nothing,
    /// Enter.
    Accept,
    /// Esc.
    Cancel,
    /// Tab: complete, or for a filter: every panel.
    Tab,
    /// The next choice down, or up.
    Choose(isize),
}

impl Prompt {
    /// An open prompt that holds `text`.
    pub fn new(purpose: Purpose, text: &str) -> Self {
        Self {
            purpose,
            error: None,
            line: Input::new(text.to_owned()),
            back: None,
        }
    }

    /// What is typed.
    pub fn text(&self) -> &str {
        self.line.value()
    }

    /// Replaces what is typed.
    pub fn set(&mut self, text: &str) {
        self.line = Input::new(text.to_owned());
    }

    /// Characters before the cursor.
    pub fn cursor(&self) -> usize {
        self.line.cursor()
    }

    /// Takes a key.
    pub fn press(&mut self, key: Key, history: &[String]) -> Typed {
        let request = match (key.code(), key.ctrl()) {
            (KeyCode::Enter, _) => return Typed::Accept,
            (KeyCode::Esc, _) => return Typed::Cancel,
            (KeyCode::Tab, _) => return Typed::Tab,
            (KeyCode::Up, _) | (KeyCode::Char('p'), true) => return self.older(history, true),
            (KeyCode::Down, _) | (KeyCode::Char('n'), true) => return self.older(history, false),
            (KeyCode::Left, _) => InputRequest::GoToPrevChar,
            (KeyCode::Right, _) => InputRequest::GoToNextChar,
            (KeyCode::Home, _) | (KeyCode::Char('a'), true) => InputRequest::GoToStart,
            (KeyCode::End, _) | (KeyCode::Char('e'), true) => InputRequest::GoToEnd,
            (KeyCode::Backspace, _) if self.text().is_empty() => return Typed::Cancel,
            (KeyCode::Backspace, _) | (KeyCode::Char('h'), true) => InputRequest::DeletePrevChar,
            (KeyCode::Delete, _) => InputRequest::DeleteNextChar,
            (KeyCode::Char('w'), true) => InputRequest::DeletePrevWord,
            (KeyCode::Char('u'), true) => InputRequest::DeleteLine,
            _ => match key.typed() {
                Some(c) => InputRequest::InsertChar(c),
                None => return Typed::Nothing,
            },
        };
        self.back = None;
        match self.line.handle(request) {
            Some(change) if change.value => Typed::Changed,
            _ => Typed::Nothing,
        }
    }

    fn older(&mut self, history: &[String], older: bool) -> Typed {
        if matches!(self.purpose, Purpose::Palette(_)) {
            return Typed::Choose(if older { -1 } else { 1 });
        }
        let back = match (self.back, older) {
            (None, true) => Some(0),
            (Some(back), true) => Some((back + 1).min(history.len().saturating_sub(1))),
            (None | Some(0), false) => None,
            (Some(back), false) => Some(back - 1),
        };
        let text = back.and_then(|back| history.iter().rev().nth(back));
        let text = text.cloned().unwrap_or_default();
        self.set(&text);
        self.back = back;
        Typed::Changed
    }
}

/// Remembers a line, the newest last, each once.
pub fn remember(history: &mut Vec<String>, line: &str) {
    if line.trim().is_empty() {
        return;
    }
    history.retain(|known| known != line);
    history.push(line.to_owned());
    let excess = history.len().saturating_sub(HISTORY);
    history.drain(..excess);
}

/// The filter that a line means.
pub fn filter(line: &str) -> Result<Option<Filter>, String> {
    Filter::parse(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(prompt: &mut Prompt, keys: &str, history: &[String]) -> Vec<Typed> {
        keys.split(' ')
            .map(|key| prompt.press(key.parse().unwrap(), history))
            .collect()
    }

    fn prompt() -> Prompt {
        Prompt::new(Purpose::Filter(Box::default()), "")
    }

    #[test]
    fn edits_a_line() {
        let mut prompt = prompt();
        let typed = type_in(&mut prompt, "w e b Left Backspace x", &[]);
        assert_eq!((prompt.text(), prompt.cursor()), ("wxb", 2));
        assert_eq!(typed[3..], [Typed::Nothing, Typed::Changed, Typed::Changed]);
        type_in(&mut prompt, "^u", &[]);
        assert_eq!(prompt.text(), "");
        assert_eq!(type_in(&mut prompt, "Backspace", &[]), [Typed::Cancel]);
    }

    #[test]
    fn walks_through_the_history() {
        let history = ["old".to_owned(), "new".to_owned()];
        let mut prompt = prompt();
        for (key, text) in [
            ("Up", "new"),
            ("Up", "old"),
            ("Up", "old"),
            ("Down", "new"),
            ("Down", ""),
        ] {
            type_in(&mut prompt, key, &history);
            assert_eq!(prompt.text(), text, "{key}");
        }
    }

    #[test]
    fn remembers_each_line_once() {
        let mut history = vec![];
        for line in ["a", "b", "a", " "] {
            remember(&mut history, line);
        }
        assert_eq!(history, ["b", "a"]);
    }
}
