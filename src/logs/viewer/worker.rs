//! The thread of a [`super::Viewer`].

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::count::Count;
use super::sources::{Look, Sources, Whose};
use super::{Request, Shared, Status, To, Window};
use crate::host::open::HostRoot;
use crate::logs::Files;
use crate::logs::follow::POLL;
use crate::logs::scan::Pos;
use crate::logs::shown::{LineId, Spot};
use crate::logs::weave::{Woven, weave};
use crate::text::Text;

/// Least time between two windows that nobody asked for.
const PACE: Duration = Duration::from_millis(33);
/// Lines of larger logs are not counted: that would keep a processor busy for long.
const COUNTED: u64 = 8 << 30;
/// Bytes whose lines are counted between two looks.
const INDEXED: u64 = 4 << 20;

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) sources: Sources,
    request: Option<Request>,
    count: Option<Count>,
    status: Status,
    pushed: Instant,
    told: Instant,
    /// It has grown since the last window.
    grown: bool,
    /// The last window had no lines.
    empty: bool,
    /// The match that was found last, until it is known which of all it is.
    found: Option<(LineId, Spot)>,
}

impl Worker {
    pub fn new(host: HostRoot, whose: Whose, shared: Arc<Shared>) -> Self {
        Self {
            shared,
            sources: Sources::new(host, whose),
            request: None,
            count: None,
            status: Status::default(),
            pushed: Instant::now(),
            told: Instant::now(),
            grown: false,
            empty: true,
            found: None,
        }
    }

    /// Until the viewer is dropped.
    pub fn run(mut self) {
        while !self.shared.is_over() {
            let request = self.shared.take_request();
            let asked = request.is_some();
            let look = self.sources.look();
            if let Some(request) = request {
                let before = self
                    .request
                    .as_ref()
                    .and_then(|request| request.search.as_ref());
                if before != request.search.as_ref() {
                    self.search(&request);
                }
                let shared = &self.shared;
                self.sources.set_since(request.since, &|| shared.goes_on());
                self.request = Some(request);
            }
            self.grown |= look.grown || look.more;
            let follows = self.request.as_ref().is_some_and(|request| request.follow);
            let due = self.pushed.elapsed() >= PACE;
            if asked || (look.more && self.empty) || (self.grown && follows && due) {
                self.answer();
            }
            if look.more
                && let Some(request) = self.request.clone()
            {
                self.search(&request);
            } else if look.grown {
                self.count_on();
            }
            self.rank();
            let indexed = self.index();
            if asked || self.told.elapsed() >= PACE {
                self.tell(look);
            }
            let pause = match (self.grown && follows, indexed) {
                (_, false) => Duration::ZERO,
                (true, true) => PACE.saturating_sub(self.pushed.elapsed()),
                (false, true) => POLL,
            };
            self.wait(pause);
        }
    }

    fn wait(&mut self, pause: Duration) {
        let bell = Some(self.shared.bell());
        match &mut self.sources.watch {
            Some(watch) => {
                watch.wait_or(bell, pause);
            }
            None => crate::logs::follow::rest(bell, pause),
        }
    }

    /// Counts what is looked for.
    fn search(&mut self, request: &Request) {
        self.count = None;
        if let Some(sought) = &request.search {
            let files = self.files().into_iter().cloned().collect();
            let pattern = sought.pattern().clone();
            self.count = Count::start(&self.shared, request.ticket, pattern, files);
        }
    }

    /// Counts what has come, too.
    fn count_on(&mut self) {
        if let Some(mut count) = self.count.take() {
            // What cannot be read is not counted.
            let _ = count.go_on(&self.shared, &self.files());
            self.count = Some(count);
        }
    }

    pub(super) fn files(&self) -> Vec<&Files> {
        let logs = self.sources.logs.iter();
        logs.map(|log| log.timeline.files()).collect()
    }

    fn answer(&mut self) {
        let Some(request) = self.request.take() else {
            return;
        };
        let window = match self.window(&request) {
            Ok(window) => window,
            Err(error) => Window {
                note: Some(Text::clean(&format!("a log cannot be read: {error}"))),
                ..Window::default()
            },
        };
        self.request = Some(request);
        if !self.shared.goes_on() {
            // Something else is wanted by now; this may be half of what it should be.
            return;
        }
        self.grown = false;
        self.empty = window.lines.is_empty();
        self.found = self.matched(&window);
        self.pushed = Instant::now();
        self.shared.publish(|news| news.window = Some(window));
    }

    /// The match that a window is about, and the place before it.
    fn matched(&self, window: &Window) -> Option<(LineId, Spot)> {
        let request = self.request.as_ref()?;
        let found = matches!(request.to, To::Match { .. }) && window.note.is_none();
        let id = window.focus.filter(|_| found)?;
        let line = window.lines.iter().find(|line| line.id == id)?;
        Some((id, line.spot.clone()))
    }

    /// Tells which of all matches the last one is, once all are counted.
    fn rank(&mut self) {
        let (Some(count), Some((id, spot))) = (&self.count, &self.found) else {
            return;
        };
        let shared = &self.shared;
        let before = count.before(&self.files(), spot, &|| shared.goes_on());
        // What cannot be read is not counted.
        if let Some(before) = before.unwrap_or(None) {
            let rank = Some((*id, before + 1));
            self.shared.publish(|news| news.rank = rank);
            self.found = None;
        }
    }

    fn window(&self, request: &Request) -> io::Result<Window> {
        let aim = self.aim(request)?;
        let files = self.files();
        let logs = &self.sources.logs;
        let floors: Vec<Pos> = logs.iter().map(|log| log.floor).collect();
        let most = match request.to {
            To::End => (request.most, 0),
            To::Start => (0, request.most),
            _ => (request.most, request.most),
        };
        let shared = &self.shared;
        let go_on = || shared.goes_on();
        let woven = weave(&files, &request.sift, &aim.spot, &floors, most, &go_on)?;
        let at = woven.before.min(woven.lines.len().saturating_sub(1));
        let focus = match request.to {
            To::End => woven.lines.last(),
            _ => woven.lines.get(at),
        };
        let focus = aim.focus.or(focus.map(|line| line.id));
        let first_number = self.number(request, &woven)?;
        let mut lines = woven.lines;
        if !request.fields.is_empty() {
            for line in &mut lines {
                line.choose(&request.fields);
            }
        }
        Ok(Window {
            ticket: request.ticket,
            first_number,
            lines,
            focus,
            from_start: woven.from_start,
            to_end: woven.to_end,
            names: logs.iter().map(|log| log.name.clone()).collect(),
            sizes: sizes(&files)?,
            note: aim.note,
        })
    }

    /// Number of the first line of a window on one whole log.
    fn number(&self, request: &Request, woven: &Woven) -> io::Result<Option<u64>> {
        match (&self.sources.logs[..], woven.lines.first()) {
            ([one], Some(first)) if request.sift.is_open() => {
                one.index.line_at(one.timeline.files(), first.id.at)
            }
            _ => Ok(None),
        }
    }

    /// Counts lines for a while; true when there is nothing left to count.
    fn index(&mut self) -> bool {
        let mut done = true;
        let wanted = self.request.as_ref().is_some_and(|request| request.numbers);
        if !wanted || self.status.bytes > COUNTED {
            return true;
        }
        for log in &mut self.sources.logs {
            let files = log.timeline.files();
            // What cannot be read is not counted.
            done &= log.index.build(files, INDEXED).unwrap_or(true);
        }
        done
    }

    fn tell(&mut self, look: Look) {
        self.told = Instant::now();
        let files = self.files();
        let bytes = files.iter().map(|files| size(files).unwrap_or(0)).sum();
        let logs = &self.sources.logs;
        let done = logs
            .iter()
            .all(|log| log.index.reached().0 >= log.timeline.files().end());
        let lines = logs.iter().map(|log| log.index.reached().1).sum();
        let status = Status {
            bytes,
            lines: done.then_some(lines),
            grown: self.grown,
            missing: self.sources.missing.clone(),
            lost: self.status.lost || look.lost,
        };
        if status != self.status {
            self.status = status.clone();
            self.shared.publish(|news| news.status = Some(status));
        }
    }
}

fn size(files: &Files) -> io::Result<u64> {
    let mut total = 0;
    for segment in files.segments() {
        total += segment.len_hint()?;
    }
    Ok(total)
}

/// Of each log, the bytes before each of its files; the last one is where it ends.
fn sizes(logs: &[&Files]) -> io::Result<Vec<Vec<u64>>> {
    let mut all = Vec::new();
    for files in logs {
        let (mut before, mut sizes) = (0, Vec::new());
        for segment in files.segments() {
            sizes.push(before);
            before += segment.len_hint()?;
        }
        sizes.push(before);
        all.push(sizes);
    }
    Ok(all)
}
