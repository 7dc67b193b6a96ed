//! Changes of the node: what is asked before, what is under way, and what came of it.

pub mod choose;
pub mod confirm;
pub mod follow;
pub mod foresee;
pub mod image;
pub mod limits;
pub mod make;
pub mod typed;

use std::time::Duration;

use crate::act::Act;
use crate::journal::Kept;
use crate::model::list::Move;
use crate::model::{Effect, Layer, Model, Page, update};
use crate::text::Text;

pub use confirm::Confirm;

/// Changes under way at once; the others wait.
pub const AT_ONCE: usize = 8;
/// How often what comes in is counted.
const COUNTS: Duration = Duration::from_secs(1);
/// Changes that are remembered.
const MOST: usize = 1000;

/// One change that was confirmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deed {
    /// Its number in this run.
    pub id: u64,
    /// The number of the first that was confirmed with it.
    pub batch: u64,
    /// What it is.
    pub act: Act,
    /// Of what, as the user knows it.
    pub title: Text,
    /// How far it is.
    pub stage: Stage,
    /// It was said that the journal cannot keep it.
    unrecorded: bool,
}

/// How far a change is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Others come first.
    Waiting,
    /// Since then, by the time since the start.
    Running(Duration),
    /// Done, after so long; a word about it, if there is one.
    Done(Duration, Text),
    /// Why it was not.
    Failed(Text),
    /// It was never begun.
    Cancelled,
}

/// All changes of this run, the newest last.
#[derive(Debug, Default)]
pub struct Deeds {
    /// In the order in which they were confirmed.
    pub list: Vec<Deed>,
    /// The one under the cursor of the page, counted from the newest.
    pub cursor: usize,
    numbers: u64,
    /// Questions that were opened.
    pub(super) asked: u64,
    /// Something has been done, so the lists are out of date.
    stale: bool,
    /// Bytes of layers that have come in and are not unpacked yet, while something is pulled.
    pub coming: Option<u64>,
    /// When that was looked at, by the time since the start; `None` while an answer is awaited.
    looked: Option<Duration>,
}

/// How many of one batch are how far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Not begun.
    pub waiting: usize,
    /// Under way.
    pub running: usize,
    /// Done.
    pub done: usize,
    /// Failed.
    pub failed: usize,
    /// Never to be begun.
    pub cancelled: usize,
}

impl Tally {
    /// Nothing of it is to come.
    pub fn is_over(&self) -> bool {
        self.waiting + self.running == 0
    }
}

impl Deed {
    /// Under way since then.
    pub fn since(&self) -> Option<Duration> {
        match self.stage {
            Stage::Running(since) => Some(since),
            _ => None,
        }
    }

    /// Seconds until what still runs is killed.
    pub fn left(&self, now: Duration) -> Option<u64> {
        let grace = Duration::from_secs(self.act.grace()?.into());
        let left = (self.since()? + grace).saturating_sub(now);
        Some(left.as_secs() + u64::from(left.subsec_nanos() > 0))
    }

    /// It is to come, or under way.
    pub fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Waiting | Stage::Running(_))
    }
}

impl Deeds {
    /// Takes over what was confirmed.
    pub fn add(&mut self, acts: Vec<(Act, Text)>, unrecorded: bool) {
        let batch = self.numbers + 1;
        for (act, title) in acts {
            self.numbers += 1;
            self.list.push(Deed {
                id: self.numbers,
                batch,
                act,
                title,
                stage: Stage::Waiting,
                unrecorded,
            });
        }
        let excess = self.list.len().saturating_sub(MOST);
        let mut spare = excess;
        self.list.retain(|deed| {
            let keep = spare == 0 || deed.is_open();
            spare -= usize::from(!keep);
            keep
        });
    }

    /// How far a batch is.
    pub fn tally(&self, batch: u64) -> Tally {
        let mut tally = Tally::default();
        for deed in self.list.iter().filter(|deed| deed.batch == batch) {
            match deed.stage {
                Stage::Waiting => tally.waiting += 1,
                Stage::Running(_) => tally.running += 1,
                Stage::Done(..) => tally.done += 1,
                Stage::Failed(_) => tally.failed += 1,
                Stage::Cancelled => tally.cancelled += 1,
            }
        }
        tally
    }

    /// What is to come or under way.
    pub fn open(&self) -> impl Iterator<Item = &Deed> {
        self.list.iter().filter(|deed| deed.is_open())
    }

    /// The one under way that waits for this to end.
    pub fn ending(&self, object: &str) -> Option<&Deed> {
        self.list.iter().rev().find(|deed| {
            deed.since().is_some() && deed.act.object() == object && deed.act.at_once().is_some()
        })
    }

    /// The one under the cursor of the page.
    pub fn chosen(&self) -> Option<&Deed> {
        self.list.iter().rev().nth(self.cursor)
    }

    /// Gives up what has not begun; how many that were.
    pub fn cancel(&mut self) -> usize {
        let waiting = |deed: &&mut Deed| deed.stage == Stage::Waiting;
        let given_up = self.list.iter_mut().filter(waiting);
        given_up
            .map(|deed| deed.stage = Stage::Cancelled)
            .collect::<Vec<_>>()
            .len()
    }
}

/// Bytes that come in have been counted.
pub fn counted(model: &mut Model, coming: Option<u64>) {
    model.deeds.coming = coming;
    model.deeds.looked = Some(model.clock.uptime);
}

/// When they are to be counted, by the time since the start.
pub fn due(model: &Model) -> Option<Duration> {
    let pulls = |deed: &Deed| matches!(deed.act, Act::Pull { .. }) && deed.since().is_some();
    let pulls = model.deeds.list.iter().any(pulls);
    Some(model.deeds.looked.filter(|_| pulls)? + COUNTS)
}

/// What is to be begun now.
pub fn next(model: &mut Model) -> Vec<Effect> {
    let now = model.clock.uptime;
    let deeds = &mut model.deeds;
    let running = deeds
        .list
        .iter()
        .filter(|deed| deed.since().is_some())
        .count();
    let mut effects = Vec::new();
    if std::mem::take(&mut deeds.stale) {
        effects.push(Effect::Refresh);
    }
    let mut room = AT_ONCE.saturating_sub(running);
    let waiting = |deed: &&mut Deed| deed.stage == Stage::Waiting;
    for deed in deeds.list.iter_mut().filter(waiting) {
        // A kill is what somebody waits for now.
        let urgent = deed.act.grace() == Some(0);
        if room == 0 && !urgent {
            continue;
        }
        room = room.saturating_sub(1);
        deed.stage = Stage::Running(now);
        if matches!(deed.act, Act::Pull { .. }) {
            deeds.looked = Some(now);
        }
        let (act, title) = (Box::new(deed.act.clone()), deed.title.clone());
        effects.push(Effect::Act(deed.id, act, title, deed.unrecorded));
    }
    if due(model).is_some_and(|at| at <= now) {
        model.deeds.looked = None;
        effects.push(Effect::CountComing);
    }
    effects
}

/// Takes what came of one.
pub fn acted(model: &mut Model, id: u64, came: Result<Text, Text>) {
    let now = model.clock.uptime;
    let Some(deed) = model.deeds.list.iter_mut().find(|deed| deed.id == id) else {
        return;
    };
    let took = now.saturating_sub(deed.since().unwrap_or(now));
    deed.stage = match came {
        Ok(word) => Stage::Done(took, word),
        Err(why) => Stage::Failed(why),
    };
    let (batch, line) = (deed.batch, told(deed));
    model.deeds.stale = true;
    let tally = model.deeds.tally(batch);
    if !tally.is_over() {
        return;
    }
    let all = tally.done + tally.failed + tally.cancelled;
    if all == 1 {
        update::say(model, &line);
    } else {
        update::say(model, &format!("{}: X shows them", summed_up(tally)));
    }
}

/// What came of a batch, in words.
pub fn summed_up(tally: Tally) -> String {
    let parts = [
        (tally.done, "done"),
        (tally.failed, "failed"),
        (tally.cancelled, "not begun"),
        (tally.running, "under way"),
        (tally.waiting, "to come"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}

/// What came of one, in a line.
fn told(deed: &Deed) -> String {
    let what = deed.act.what();
    match &deed.stage {
        Stage::Done(took, word) if word.is_empty() => {
            format!("{what} {}: done after {}s", deed.title, took.as_secs())
        }
        Stage::Done(_, word) => format!("{what} {}: done, {word}", deed.title),
        // The reason first: the line may end before the name does.
        Stage::Failed(why) => format!("{what} failed: {why} ({})", deed.title),
        _ => format!("{what} {}", deed.title),
    }
}

/// Takes what the journal holds.
pub fn journal_read(model: &mut Model, read: Result<Vec<Kept>, Text>) {
    let mut layers = model.layers.iter_mut().rev();
    let page = layers.find_map(|layer| match &mut layer.page {
        Page::Journal(page) => Some(page),
        _ => None,
    });
    if let Some(page) = page {
        *page = Some(read);
    }
}

/// Opens the page about them.
pub fn open(model: &mut Model) -> Vec<Effect> {
    model.deeds.cursor = 0;
    model.layers.push(Layer {
        page: Page::Deeds,
        scroll: 0,
    });
    vec![]
}

/// Moves the cursor of the page, if that is on top.
pub fn go(model: &mut Model, to: Move, height: usize) -> bool {
    let top = model.layers.last().map(|layer| &layer.page);
    if !matches!(top, Some(Page::Deeds)) {
        return false;
    }
    let last = model.deeds.list.len().saturating_sub(1);
    let half = isize::try_from((height / 2).max(1)).unwrap_or(1);
    let cursor = model.deeds.cursor;
    let cursor = match to {
        Move::By(by) => cursor.saturating_add_signed(by),
        Move::HalfPages(halves) => cursor.saturating_add_signed(halves * half),
        Move::First => 0,
        Move::Last => last,
        Move::To(at) => at,
    };
    model.deeds.cursor = cursor.min(last);
    true
}

/// Gives up what has not begun.
pub fn cancel(model: &mut Model) -> Vec<Effect> {
    let count = model.deeds.cancel();
    update::say(
        model,
        &format!("{count} will not be begun; what is under way goes on to its end"),
    );
    vec![]
}

/// Why nothing can be given up.
pub fn refuse_cancel(model: &Model) -> Option<&'static str> {
    let mut open = model.deeds.open();
    let waits = open.any(|deed| deed.stage == Stage::Waiting);
    (!waits).then_some("nothing waits to be begun")
}

/// What is under way, if so, for whoever wants to leave.
pub fn under_way(model: &Model) -> Option<String> {
    let open = model.deeds.open().count();
    let first = model.deeds.open().next()?;
    Some(match open {
        1 => format!(
            "{} {} is under way, and what comes of it will not be known",
            first.act.what(),
            first.title
        ),
        _ => format!("{open} changes are under way or to come"),
    })
}
