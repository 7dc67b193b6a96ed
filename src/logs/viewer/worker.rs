//! The thread of a [`super::Viewer`].

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::count::Count;
use super::sources::{Look, Sources, Whose};
use super::{Request, Shared, Status, To, Window};
use crate::host::open::HostRoot;
use crate::logs::follow::POLL;
use crate::logs::scan::Pos;
use crate::logs::shown::{KEEP, LineId};
use crate::logs::weave::{Woven, weave};
use crate::logs::{Files, Row};
use crate::text::Text;

/// Least time between two windows that nobody asked for.
const PACE: Duration = Duration::from_millis(33);
/// Bytes whose lines are counted between two looks.
const INDEXED: u64 = 16 << 20;

pub(super) struct Worker {
    shared: Arc<Shared>,
    sources: Sources,
    request: Option<Request>,
    count: Option<Count>,
    status: Status,
    pushed: Instant,
    told: Instant,
    /// It has grown since the last window.
    grown: bool,
    /// The last window had no lines.
    empty: bool,
}

/// Where a window is, and the line to look at.
struct Aim {
    spot: Vec<Pos>,
    focus: Option<LineId>,
    note: Option<Text>,
}

impl Aim {
    fn at(spot: Vec<Pos>) -> Self {
        Self {
            spot,
            focus: None,
            note: None,
        }
    }
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
        }
    }

    /// Until the viewer is dropped.
    pub fn run(mut self) {
        while !self.shared.is_over() {
            let request = self.shared.take_request();
            let asked = request.is_some();
            let look = self.sources.look();
            if let Some(request) = request {
                self.search(&request);
                self.sources.set_since(request.since);
                self.request = Some(request);
            }
            self.grown |= look.grown || look.more;
            let follows = self.request.as_ref().is_some_and(|request| request.follow);
            let due = self.pushed.elapsed() >= PACE;
            if asked || (look.more && self.empty) || (self.grown && follows && due) {
                self.answer();
            }
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

    /// Counts what is looked for, if that is something else than before.
    fn search(&mut self, request: &Request) {
        let before = self.request.as_ref().and_then(|r| r.search.as_ref());
        if before == request.search.as_ref() {
            return;
        }
        self.count = None;
        if let Some(sought) = &request.search {
            let files = self.files().into_iter().cloned().collect();
            let pattern = sought.pattern().clone();
            self.count = Count::start(&self.shared, request.ticket, pattern, files);
        }
    }

    fn files(&self) -> Vec<&Files> {
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
        self.pushed = Instant::now();
        self.shared.publish(|news| news.window = Some(window));
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
        Ok(Window {
            ticket: request.ticket,
            first_number: self.number(request, &woven)?,
            lines: woven.lines,
            focus,
            from_start: woven.from_start,
            to_end: woven.to_end,
            names: logs.iter().map(|log| log.name.clone()).collect(),
            sizes: sizes(&files)?,
            note: aim.note,
        })
    }

    /// Where `request` leads.
    fn aim(&self, request: &Request) -> io::Result<Aim> {
        let files = self.files();
        let each = |f: &dyn Fn(&Files) -> io::Result<Pos>| -> io::Result<Vec<Pos>> {
            files.iter().map(|files| f(files)).collect()
        };
        Ok(match &request.to {
            To::End => Aim::at(each(&|files| Ok(files.end()))?),
            To::Start => {
                let logs = self.sources.logs.iter();
                Aim::at(logs.map(|log| log.floor).collect())
            }
            To::Around(spot) => Aim::at(spot.to_vec()),
            To::Time(time) => Aim::at(each(&|files| files.at_time(*time))?),
            To::Share(share) => match &files[..] {
                [one] => Aim::at(vec![one.at_share(*share)?]),
                _ => self.at_share_of_time(*share)?,
            },
            To::Number(number) => match &self.sources.logs[..] {
                [one] => {
                    let place = one.index.place_of(one.timeline.files(), *number)?;
                    Aim::at(vec![place.unwrap_or_else(|| one.timeline.files().end())])
                }
                _ => Aim {
                    note: Some("several logs have no common line numbers".into()),
                    ..Aim::at(each(&|files| Ok(files.end()))?)
                },
            },
            To::Match { spot, line, back } => self.find(request, spot, *line, *back)?,
            To::Attempt { spot, line, older } => self.attempt(spot, *line, *older)?,
        })
    }

    /// Of several logs, the share of the time that the largest spans.
    fn at_share_of_time(&self, share: u16) -> io::Result<Aim> {
        let files = self.files();
        let size = |files: &&&Files| files.share_before(files.end()).map(|_| files.end());
        let largest = files
            .iter()
            .max_by_key(|files| size(files).unwrap_or_default());
        let Some(largest) = largest else {
            return Ok(Aim::at(Vec::new()));
        };
        let row = largest.after(largest.at_share(share)?, 1, KEEP)?.pop();
        let time = row.and_then(|row| row.instant());
        let time = time.unwrap_or(Timestamp::MAX);
        let spot: io::Result<_> = files.iter().map(|files| files.at_time(time)).collect();
        Ok(Aim::at(spot?))
    }

    /// The next match, in whichever log it comes first.
    fn find(&self, request: &Request, spot: &[Pos], line: LineId, back: bool) -> io::Result<Aim> {
        let mut best: Option<(Timestamp, usize, Row)> = None;
        for (source, files) in self.files().into_iter().enumerate() {
            let from = spot.get(source).copied().unwrap_or_else(|| files.end());
            let own = source == line.source;
            let Some(row) = self.find_in(files, request, from, own.then_some(line.at), back)?
            else {
                continue;
            };
            let time = row.instant().unwrap_or(Timestamp::MIN);
            let better =
                best.as_ref().is_none_or(
                    |(known, ..)| {
                        if back { time >= *known } else { time < *known }
                    },
                );
            if better && row.at >= self.sources.logs[source].floor {
                best = Some((time, source, row));
            }
        }
        let Some((time, source, row)) = best else {
            let way = if back { "before" } else { "after" };
            return Ok(Aim {
                note: Some(Text::clean(&format!("no match {way} this line"))),
                focus: Some(line),
                ..Aim::at(spot.to_vec())
            });
        };
        self.beside(source, &row, time)
    }

    /// The next match in one log that is also let through; `leave` is the line to leave behind.
    fn find_in(
        &self,
        files: &Files,
        request: &Request,
        from: Pos,
        leave: Option<Pos>,
        back: bool,
    ) -> io::Result<Option<Row>> {
        let Some(sought) = &request.search else {
            return Ok(None);
        };
        let shared = &self.shared;
        let go_on = || shared.goes_on();
        let mut from = from;
        loop {
            let row = if back {
                files.previous_match(sought.pattern(), from, KEEP, go_on)?
            } else {
                files.next_match(sought.pattern(), from, KEEP, go_on)?
            };
            let Some(row) = row else { return Ok(None) };
            let left = leave == Some(row.at);
            if !left && request.sift.wants(row.stream, &row.content) {
                return Ok(Some(row));
            }
            from = if back { row.at } else { row.end };
        }
    }

    /// The place before a row of one log, among the others by time.
    fn beside(&self, source: usize, row: &Row, time: Timestamp) -> io::Result<Aim> {
        let mut spot = Vec::new();
        for (other, files) in self.files().into_iter().enumerate() {
            spot.push(if other == source {
                row.at
            } else {
                files.at_time(time)?
            });
        }
        let at = row.at;
        Ok(Aim {
            focus: Some(LineId { source, at }),
            ..Aim::at(spot)
        })
    }

    fn attempt(&self, spot: &[Pos], line: LineId, older: bool) -> io::Result<Aim> {
        let none = |text: &str| Aim {
            note: Some(text.into()),
            focus: Some(line),
            ..Aim::at(spot.to_vec())
        };
        let Some(log) = self.sources.logs.get(line.source) else {
            return Ok(none("that log is gone"));
        };
        let files = log.timeline.files();
        let now = files.attempt(line.at);
        let attempts: Vec<Option<u32>> = files.segments().iter().map(|s| Some(s.attempt)).collect();
        let row = if older {
            let first = attempts.iter().position(|attempt| *attempt == now);
            let begin = Pos::start_of(first.unwrap_or(0));
            files.before(begin, 1, KEEP)?.pop()
        } else {
            let last = attempts.iter().rposition(|attempt| *attempt == now);
            let next = Pos::start_of(last.map_or(0, |last| last + 1));
            let more = next.segment < attempts.len();
            let rows = if more {
                files.after(next, 1, KEEP)?
            } else {
                Vec::new()
            };
            rows.into_iter().next()
        };
        let Some(row) = row.filter(|row| row.at >= log.floor) else {
            return Ok(none(if older {
                "there is no log of an older attempt"
            } else {
                "there is no newer attempt"
            }));
        };
        self.beside(line.source, &row, row.instant().unwrap_or(Timestamp::MAX))
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
