//! The view of events: which of them, and where the cursor is.

use crate::logs::Sought;
use crate::model::events::{Event, History};
use crate::model::list::Move;
use crate::text::Text;

/// Events on the screen, the newest first.
#[derive(Debug, Default)]
pub struct EventsView {
    /// Only those of this pod: its uid, and what it is called.
    pub pod: Option<(Text, Text)>,
    /// Only those that match.
    pub filter: Option<Sought>,
    /// The event under the cursor, by its number; none is the newest, whichever that is.
    pub cursor: Option<u64>,
    /// The first line on the screen.
    pub top: usize,
}

impl EventsView {
    /// Those that are shown, the newest first.
    pub fn shown<'a>(&'a self, history: &'a History) -> impl Iterator<Item = &'a Event> {
        history.all().rev().filter(|event| self.takes(event))
    }

    fn takes(&self, event: &Event) -> bool {
        let of_pod = self.pod.as_ref().is_none_or(|(uid, _)| event.uid == *uid);
        let found = |sought: &Sought| {
            let is = |text: &str| sought.pattern().is_match(text.as_bytes());
            let reason = event
                .ending
                .as_ref()
                .and_then(|(_, reason)| reason.as_ref());
            is(event.name.as_str())
                || is(event.what.word())
                || reason.is_some_and(|reason| is(reason.as_str()))
        };
        of_pod && self.filter.as_ref().is_none_or(found)
    }

    /// The place of the cursor among those that are shown.
    pub fn place(&self, history: &History) -> usize {
        let Some(number) = self.cursor else { return 0 };
        let place = self.shown(history).position(|event| event.number == number);
        place.unwrap_or(0)
    }

    /// What is under the cursor.
    pub fn chosen<'a>(&'a self, history: &'a History) -> Option<&'a Event> {
        self.shown(history).nth(self.place(history))
    }

    /// Moves the cursor; `height` lines fit.
    pub fn go(&mut self, history: &History, to: Move, height: usize) {
        let count = self.shown(history).count();
        let half = isize::try_from((height / 2).max(1)).unwrap_or(1);
        let here = self.place(history);
        let place = match to {
            Move::By(lines) => here.saturating_add_signed(lines),
            Move::HalfPages(halves) => here.saturating_add_signed(halves * half),
            Move::First => 0,
            Move::Last => usize::MAX,
            Move::To(line) => line,
        };
        let place = place.min(count.saturating_sub(1));
        let event = self.shown(history).nth(place).map(|event| event.number);
        self.cursor = event.filter(|_| place > 0);
    }

    /// Scrolls so that the cursor can be seen. True if it did.
    pub fn fit(&mut self, history: &History, height: usize) -> bool {
        let place = self.place(history);
        let before = self.top;
        let first = (place + 1).saturating_sub(height);
        let lowest = self.shown(history).count().saturating_sub(height);
        self.top = self.top.clamp(first, place).min(lowest);
        before != self.top
    }

    /// Drops the filter, else the pod; false if there is neither.
    pub fn widen(&mut self) -> bool {
        self.filter.take().is_some() || self.pod.take().is_some()
    }
}
