//! The view of logs: a window of lines around a cursor, what is asked of the thread that reads
//! them, and how they are to look. Never the log itself.

mod items;
mod layout;
mod moves;
mod tail;
mod typed;
mod whose;

use std::collections::BTreeMap;

use jiff::Timestamp;
use ratatui::layout::Size;

use crate::logs::shown::{Fields, Line, LineId};
use crate::logs::viewer::{News, Request, Status, Tally, To, Whose, Window};
use crate::logs::{Sift, Sought, Stream};
use crate::model::{Model, Subject};
use crate::text::Text;
use items::items;
use whose::whose;

pub use items::{Item, Restart};
pub use layout::{Columns, words};
pub use tail::{Crash, Tail, has_crashed, settle, wanted};
pub use typed::check;
pub use whose::attempt;

/// Lines asked for in each direction before the screen is known.
const UNSEEN: usize = 100;
/// Lines asked for in each direction, in screens.
const SCREENS: usize = 3;
/// Most marks.
const MARKS: usize = 1000;
/// Most lines of context around what a filter finds.
const CONTEXT: usize = 20;

/// The log of a pod or a container on the screen.
#[derive(Debug)]
pub struct LogView {
    /// What it is about.
    pub subject: Subject,
    /// Whose files are read.
    pub whose: Whose,
    /// How lines look and which are shown.
    pub look: Look,
    /// What is in the window, by time.
    pub items: Vec<Item>,
    /// The window without its lines.
    pub frame: Window,
    /// Place of the cursor among the items, on the screen and sideways.
    pub place: Place,
    /// What there is, and how many match.
    pub known: Known,
    /// Lines that were marked.
    pub marks: BTreeMap<LineId, Line>,
    /// The line that is shown in full.
    pub spread: Option<LineId>,
    /// It is to open at the end of the attempt before.
    pub opens_previous: bool,
    request: Request,
    /// What could not be done before the next lines are here.
    pending: Pending,
}

/// What was asked for faster than it could be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Pending {
    /// Lines of the screen to move on.
    lines: isize,
    /// Matches to go on, back if negative.
    matches: isize,
    /// The cursor goes to where was asked for, and does not stay with its line.
    jump: bool,
}

/// Where one is in the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Index of the item under the cursor.
    pub cursor: usize,
    /// Lines of the screen above it; negative if its first lines are above the screen.
    pub above: isize,
    /// Columns hidden to the left.
    pub column: usize,
}

/// What the thread that reads has told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Known {
    /// Sizes, and logs that are missing.
    pub status: Status,
    /// Matches of the search.
    pub tally: Option<Tally>,
    /// The match that was found last, and which of all it is.
    pub rank: Option<(LineId, u64)>,
    /// It has answered at least once.
    pub answered: bool,
    ticket: u64,
}

/// How lines look and which are shown.
// Each is a switch of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Look {
    /// Long lines take several lines of the screen.
    pub wrap: bool,
    /// JSON is shown as it was written.
    pub raw: bool,
    /// Times before the lines.
    pub stamps: Stamps,
    /// One stream alone.
    pub stream: Option<Stream>,
    /// Lines around what the filter finds.
    pub context: usize,
    /// Only lines since then, and how that was asked for.
    pub since: Option<(Timestamp, &'static str)>,
    /// Only lines with this in them.
    pub filter: Option<Sought>,
    /// What is looked for.
    pub search: Option<Sought>,
    /// Of JSON, these fields instead of all of them.
    pub fields: Fields,
}

/// Times before lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stamps {
    /// None.
    #[default]
    Off,
    /// How long ago.
    Relative,
    /// In the time zone of this terminal's user.
    Local,
    /// In UTC.
    Utc,
}

impl Stamps {
    /// All of them, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::Off, Self::Relative, Self::Local, Self::Utc];

    /// As settings name it.
    pub fn name(self) -> &'static str {
        ["off", "relative", "local", "utc"][self as usize]
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }
}

impl LogView {
    /// The logs of a pod or container, at their end and following; `previous` at the end of the
    /// attempt before. `None` for what has no logs.
    pub fn open(model: &Model, subject: &Subject, look: Look) -> Option<Self> {
        let whose = whose(model, subject)?;
        let mut view = Self {
            subject: subject.clone(),
            whose,
            look,
            items: Vec::new(),
            frame: Window::default(),
            place: Place::default(),
            known: Known::default(),
            marks: BTreeMap::new(),
            spread: None,
            opens_previous: false,
            request: Request {
                ticket: 0,
                to: To::End,
                most: UNSEEN,
                follow: true,
                numbers: true,
                sift: Sift::default(),
                since: None,
                search: None,
                fields: Fields::default(),
            },
            pending: Pending::default(),
        };
        view.ask(To::End, true, Size::default());
        Some(view)
    }

    /// What is asked of the thread that reads.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// New lines are shown as they come.
    pub fn follows(&self) -> bool {
        self.request.follow
    }

    /// The answer has not come yet.
    pub fn is_waiting(&self) -> bool {
        self.known.ticket != self.request.ticket
    }

    /// Asks for something else than before.
    pub fn ask(&mut self, to: To, follow: bool, size: Size) {
        let look = &self.look;
        self.request = Request {
            ticket: self.request.ticket + 1,
            to,
            most: (usize::from(size.height) * SCREENS).max(UNSEEN),
            follow,
            numbers: true,
            sift: Sift {
                stream: look.stream,
                pattern: look.filter.clone(),
                context: look.context,
            },
            since: look.since.map(|(since, _)| since),
            search: look.search.clone(),
            fields: look.fields.clone(),
        };
        self.pending.lines = 0;
        self.pending.jump = false;
    }

    /// Other lines are to be shown: around the cursor if it is not at the end.
    pub fn ask_again(&mut self, size: Size) {
        let spot = self.line().map(|line| line.spot.clone());
        match spot {
            Some(spot) if !self.follows() => self.ask(To::Around(spot), false, size),
            _ => self.ask(To::End, self.follows() || self.items.is_empty(), size),
        }
    }

    /// The line under the cursor, or the next one.
    pub fn line(&self) -> Option<&Line> {
        let rest = self.items.get(self.place.cursor..)?;
        rest.iter().find_map(Item::line)
    }

    /// Takes what has become known; a line to say about it.
    pub fn take(&mut self, news: News, size: Size) -> Option<Text> {
        if let Some(status) = news.status {
            // More may be read after what was the end.
            self.frame.to_end &= !status.grown;
            self.known.status = status;
        }
        if let Some(tally) = news.tally {
            self.known.tally = Some(tally);
        }
        self.known.rank = news.rank.or(self.known.rank);
        let window = news.window?;
        if window.ticket != self.request.ticket {
            return None;
        }
        let first = self.known.ticket != window.ticket;
        self.known.ticket = window.ticket;
        self.known.answered = true;
        self.show(window, first, size)
    }

    fn show(&mut self, mut window: Window, first: bool, size: Size) -> Option<Text> {
        let before = self.items.get(self.place.cursor).map(Item::id);
        self.items = items(std::mem::take(&mut window.lines));
        let note = window.note.take();
        let focus = window.focus.map(|id| (id, false));
        let around = matches!(self.request.to, To::Around(_));
        let stays = around && !self.pending.jump;
        let wanted = if stays { before.or(focus) } else { focus };
        let find = |id: Option<(LineId, bool)>| {
            let id = id?;
            self.items.iter().position(|item| item.id() == id)
        };
        let found = find(wanted).or_else(|| find(focus));
        let last = self.items.len().saturating_sub(1);
        self.place.cursor = found.unwrap_or(last).min(last);
        if first && !around && note.is_none() {
            self.place.above = match self.request.to {
                To::End => isize::MAX / 2,
                To::Start => 0,
                _ => isize::try_from(size.height / 3).unwrap_or(0),
            };
        }
        self.frame = window;
        if let Some(spread) = self.spread {
            let is = |item: &Item| item.id() == (spread, false);
            self.spread = self.spread.filter(|_| self.items.iter().any(is));
        }
        if std::mem::take(&mut self.opens_previous) {
            self.go_to_attempt(true, size);
        }
        let Pending { lines, matches, .. } = std::mem::take(&mut self.pending);
        self.move_by(lines, size);
        if matches != 0 && note.is_none() {
            self.pending.matches = matches - matches.signum();
            self.seek(matches < 0, true, size);
        }
        note
    }

    /// Marks the line under the cursor, or unmarks it.
    pub fn mark(&mut self) {
        let Some(Item::Line(line)) = self.items.get(self.place.cursor) else {
            return;
        };
        if self.marks.remove(&line.id).is_none() && self.marks.len() < MARKS {
            self.marks.insert(line.id, line.clone());
        }
    }

    /// What is to be copied: the marked lines, else the one under the cursor.
    pub fn chosen(&self) -> Vec<Text> {
        if !self.marks.is_empty() {
            let mut lines: Vec<&Line> = self.marks.values().collect();
            lines.sort_by_key(|line| (line.time, line.id));
            return lines.into_iter().map(|line| line.text.clone()).collect();
        }
        let line = self.items.get(self.place.cursor).and_then(Item::line);
        line.map(|line| line.text.clone()).into_iter().collect()
    }

    /// Shows the line under the cursor in full, or as the others. It stays where it is, so there
    /// is no following then.
    pub fn spread(&mut self, size: Size) {
        if self.follows() && !self.is_waiting() {
            self.stay(size);
        }
        let id = self.items.get(self.place.cursor).and_then(Item::line);
        let id = id.map(|line| line.id);
        self.spread = if self.spread == id { None } else { id };
    }

    /// Shows more or fewer neighbours of what the filter finds.
    pub fn widen_context(&mut self, by: isize, size: Size) {
        let context = self.look.context.saturating_add_signed(by);
        self.look.context = context.min(CONTEXT);
        self.ask_again(size);
    }

    /// To the next mark, or to the one before; the last leads to the first.
    pub fn go_to_mark(&mut self, back: bool, size: Size) -> bool {
        let mut marks: Vec<&Line> = self.marks.values().collect();
        marks.sort_by_key(|line| (line.time, line.id));
        let here = self.line().map(|line| (line.time, line.id));
        let after = |line: &&&Line| here.is_none_or(|here| (line.time, line.id) > here);
        let before = |line: &&&Line| here.is_none_or(|here| (line.time, line.id) < here);
        let mark = if back {
            marks.iter().rfind(before).or(marks.last())
        } else {
            marks.iter().find(after).or(marks.first())
        };
        let spot = mark.map(|line| line.spot.clone());
        let found = spot.is_some();
        if let Some(spot) = spot {
            self.ask(To::Around(spot), false, size);
            self.pending.jump = true;
        }
        found
    }

    /// Share of all bytes before the cursor, in per cent; the last line is the end.
    pub fn percent(&self) -> Option<u64> {
        let line = self.line()?;
        if self.frame.to_end && self.place.cursor + 1 >= self.items.len() {
            return Some(100);
        }
        let (mut before, mut total) = (0, 0);
        for (sizes, pos) in self.frame.sizes.iter().zip(line.spot.iter()) {
            let end = sizes.last().copied().unwrap_or(0);
            let base = sizes.get(pos.segment).copied().unwrap_or(end);
            before += (base + pos.offset).min(end);
            total += end;
        }
        (before * 100).checked_div(total)
    }

    /// Number of the line under the cursor, from 1, where that is known.
    pub fn number(&self) -> Option<u64> {
        let lines = self.items.iter().take(self.place.cursor);
        let before = lines.filter(|item| item.line().is_some()).count();
        Some(self.frame.first_number? + u64::try_from(before).ok()? + 1)
    }
}

#[cfg(test)]
mod tests;
