//! Logs to standard output: one container's at the speed of reading, several merged by time.

use std::collections::VecDeque;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::follow::{Follower, News, Watch};
use super::join::{Entry, Flow};
use super::line;
use super::page::{Row, stop_if};
use super::place::PlaceError;
use super::scan::{PIECE, Pos};
use super::timeline::{Files, Timeline};

mod around;
mod safe;
mod select;

pub use safe::push_safe;
pub use select::Select;

use around::Around;
use select::last_line;

/// Written at once.
const FULL: usize = 64 << 10;
/// Lines of each container read at once when several are merged.
const PAGE: usize = 128;

/// One container's log, and whose it is.
#[derive(Debug)]
pub struct Source {
    /// Its files.
    pub timeline: Timeline,
    /// Namespace, pod and container, as far as they are known.
    pub name: [String; 3],
}

/// How to print them.
#[derive(Clone, Copy, Debug, Default)]
// Each is a flag of its own.
#[allow(clippy::struct_excessive_bools)]
pub struct Style {
    /// With the time stamp before each.
    pub timestamps: bool,
    /// As JSON, one object a line.
    pub json: bool,
    /// Safe for a terminal.
    pub sanitise: bool,
    /// With the container's name before each.
    pub prefix: bool,
}

/// Prints lines to somewhere. Notes about attempts go to `note`.
pub struct Printer<'a> {
    /// Which.
    pub select: Select,
    /// How.
    pub style: Style,
    /// Where to.
    pub out: &'a mut dyn Write,
    /// Told when the lines of another attempt begin.
    pub note: &'a mut dyn FnMut(&str),
    /// True when nobody reads any more.
    pub over: &'a dyn Fn() -> bool,
}

#[derive(Serialize)]
struct Object<'a> {
    time: Option<&'a str>,
    namespace: Option<&'a str>,
    pod: Option<&'a str>,
    container: Option<&'a str>,
    attempt: u32,
    stream: &'static str,
    line: &'a str,
}

/// What has been printed and how that went.
struct Sink<'a, 'b> {
    printer: &'b mut Printer<'a>,
    buffer: Vec<u8>,
    failed: Option<io::Error>,
}

impl Printer<'_> {
    /// Prints what there is; an error of `out` ends it.
    pub fn print(&mut self, sources: &[Source]) -> io::Result<()> {
        let starts = self.starts(sources)?;
        let mut sink = Sink::new(self);
        match sources {
            [one] => sink.one(one, starts[0])?,
            _ => sink.merged(sources, &starts, None)?,
        }
        sink.end()
    }

    /// Prints what there is and goes on until nobody reads any more.
    pub fn follow(&mut self, sources: &mut [Source]) -> io::Result<()> {
        let mut starts = self.starts(sources)?;
        let mut sink = Sink::new(self);
        if sources.len() > 1 {
            let ends: Vec<Pos> = sources
                .iter()
                .map(|source| last_line(source.timeline.files()))
                .collect::<io::Result<_>>()?;
            sink.merged(sources, &starts, Some(&ends))?;
            for (start, end) in starts.iter_mut().zip(ends) {
                *start = end.max(*start);
            }
        }
        sink.live(sources, &starts)
    }

    fn starts(&self, sources: &[Source]) -> io::Result<Vec<Pos>> {
        sources
            .iter()
            .map(|source| self.select.start(source.timeline.files()))
            .collect()
    }
}

impl<'a, 'b> Sink<'a, 'b> {
    fn new(printer: &'b mut Printer<'a>) -> Self {
        Self {
            printer,
            buffer: Vec::with_capacity(2 * FULL),
            failed: None,
        }
    }

    fn end(mut self) -> io::Result<()> {
        let _ = self.write();
        self.failed.map_or(Ok(()), Err)
    }

    fn write(&mut self) -> Flow {
        if self.failed.is_none() {
            self.failed = self.printer.out.write_all(&self.buffer).err();
        }
        self.buffer.clear();
        stop_if(self.failed.is_some())
    }

    fn one(&mut self, source: &Source, from: Pos) -> io::Result<()> {
        let files = source.timeline.files();
        let mut segment = from.segment;
        let mut print = |sink: &mut Self, entry: &Entry<'_>| {
            if entry.at.segment != segment {
                sink.attempt(source, Pos::start_of(segment), entry.at);
                segment = entry.at.segment;
            }
            sink.entry(source, entry)
        };
        let mut around = Around::new(&self.printer.select);
        match self.printer.select.pattern.clone() {
            Some(_) if around.is_wanted() => files.each(from, files.end(), |entry| {
                around.offer(entry, |entry| print(self, entry))
            }),
            Some(pattern) => files.matches(&pattern, from, files.end(), |e| print(self, e)),
            None => files.each(from, files.end(), |entry| print(self, entry)),
        }
    }

    /// Notes that another attempt begins, if it does.
    fn attempt(&mut self, source: &Source, before: Pos, now: Pos) {
        let files = source.timeline.files();
        if let Some(attempt) = files.attempt(now)
            && files.attempt(before) != Some(attempt)
        {
            // In its place among the lines, where both go to a terminal.
            let _ = self.write();
            (self.printer.note)(&note(source, attempt));
        }
    }

    /// Prints several logs by time, each up to its end or to the one of `ends`.
    fn merged(&mut self, all: &[Source], from: &[Pos], ends: Option<&[Pos]>) -> io::Result<()> {
        let mut heads: Vec<Head> = from.iter().map(|pos| Head::new(*pos)).collect();
        let select = &self.printer.select;
        let mut around: Vec<Around> = all.iter().map(|_| Around::new(select)).collect();
        loop {
            let mut first: Option<(Timestamp, usize)> = None;
            for (nth, head) in heads.iter_mut().enumerate() {
                let end = ends.map(|ends| ends[nth]);
                if let Some(time) = head.time(all[nth].timeline.files(), end)?
                    && first.is_none_or(|(earliest, _)| time < earliest)
                {
                    first = Some((time, nth));
                }
            }
            let Some((_, nth)) = first else {
                return Ok(());
            };
            let (source, head) = (&all[nth], &mut heads[nth]);
            let Some(row) = head.rows.pop_front() else {
                return Ok(());
            };
            self.attempt(source, head.last, row.at);
            head.last = row.at;
            let printed = around[nth].offer(&row.entry(), |entry| self.entry(source, entry));
            if printed.is_break() {
                return Ok(());
            }
        }
    }

    fn live(mut self, sources: &mut [Source], from: &[Pos]) -> io::Result<()> {
        let mut lives = Vec::new();
        for (source, from) in sources.iter().zip(from) {
            lives.push(Follower::new(source.timeline.files(), *from)?);
        }
        let mut watches: Vec<Watch> = sources
            .iter()
            .map(|source| Watch::new(source.timeline.place()))
            .collect();
        let select = &self.printer.select;
        let mut around: Vec<Around> = sources.iter().map(|_| Around::new(select)).collect();
        while !(self.printer.over)() {
            let mut pause = super::follow::POLL;
            for ((source, live), around) in sources.iter_mut().zip(&mut lives).zip(&mut around) {
                refresh(source, self.printer.note)?;
                let source = &*source;
                live.read(source.timeline.files(), |news| {
                    self.news(source, around, &news)
                })?;
                pause = pause.min(live.pause(source.timeline.files()));
            }
            if self.write().is_break() {
                break;
            }
            wait(&mut watches, pause);
        }
        self.end()
    }

    fn news(&mut self, source: &Source, around: &mut Around, news: &News<'_>) -> Flow {
        match news {
            News::Line(entry) => {
                return around.offer(entry, |entry| self.entry(source, entry));
            }
            News::Attempt(attempt) => {
                let _ = self.write();
                (self.printer.note)(&note(source, *attempt));
            }
        }
        Flow::Continue(())
    }

    fn entry(&mut self, source: &Source, entry: &Entry<'_>) -> Flow {
        let select = &self.printer.select;
        if !select.has(entry.stream, entry.time) {
            return stop_if(select.is_over(entry.time));
        }
        let style = self.printer.style;
        if style.json {
            self.object(source, entry);
        } else {
            self.text(source, entry, style);
        }
        if self.buffer.len() >= FULL {
            return self.write();
        }
        Flow::Continue(())
    }

    fn text(&mut self, source: &Source, entry: &Entry<'_>, style: Style) {
        let out = &mut self.buffer;
        if style.prefix {
            out.extend_from_slice(b"[");
            push_safe(out, source.name[2].as_bytes());
            out.extend_from_slice(b"] ");
        }
        if style.timestamps && !entry.time.is_empty() {
            push_safe(out, entry.time);
            out.push(b' ');
        }
        if style.sanitise {
            push_safe(out, line::without_return(entry.content));
        } else {
            out.extend_from_slice(entry.content);
        }
        // A piece of a very long line is followed by the next one.
        if !(entry.open && entry.content.len() as u64 >= PIECE / 2) {
            out.push(b'\n');
        }
    }

    fn object(&mut self, source: &Source, entry: &Entry<'_>) {
        let known = |text: &'_ String| (!text.is_empty()).then(|| text.clone());
        let [namespace, pod, container] = source.name.each_ref().map(known);
        let time = String::from_utf8_lossy(entry.time);
        let files = source.timeline.files();
        let object = Object {
            time: (!time.is_empty()).then_some(&time),
            namespace: namespace.as_deref(),
            pod: pod.as_deref(),
            container: container.as_deref(),
            attempt: files.attempt(entry.at).unwrap_or_default(),
            stream: entry.stream.name(),
            line: &String::from_utf8_lossy(line::without_return(entry.content)),
        };
        // Writing text to a Vec cannot fail.
        let _ = serde_json::to_writer(&mut self.buffer, &object);
        self.buffer.push(b'\n');
    }
}

fn note(source: &Source, attempt: u32) -> String {
    let [_, pod, container] = &source.name;
    let whose = if container.is_empty() {
        String::new()
    } else {
        format!(" of {pod}/{container}")
    };
    format!("attempt {attempt}{whose}")
}

/// Looks at the files again. What cannot be read for now may be later.
fn refresh(source: &mut Source, note: &mut dyn FnMut(&str)) -> io::Result<()> {
    match source.timeline.refresh() {
        Ok(change) => {
            if change.lost {
                note("the log was truncated: lines may be missing here");
            }
            Ok(())
        }
        Err(PlaceError::Read { .. }) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}

fn wait(watches: &mut [Watch], pause: std::time::Duration) {
    match watches {
        [one] => {
            one.wait(pause);
        }
        // A screenful late at most.
        many => {
            let each = pause / u32::try_from(many.len()).unwrap_or(u32::MAX).max(1);
            let _ = many.iter_mut().any(|watch| watch.wait(each));
        }
    }
}

/// The next lines of one of several logs.
struct Head {
    rows: VecDeque<Row>,
    next: Pos,
    last: Pos,
    /// The time of the last line that told one: lines without stay with it, and one that is out
    /// of order does not overtake.
    time: Timestamp,
}

impl Head {
    fn new(next: Pos) -> Self {
        Self {
            rows: VecDeque::new(),
            next,
            last: next,
            time: Timestamp::MIN,
        }
    }

    /// The time of its next line, if there is one before `end`.
    fn time(&mut self, files: &Files, end: Option<Pos>) -> io::Result<Option<Timestamp>> {
        if self.rows.is_empty() {
            let rows = files.after(self.next, PAGE, super::join::LONGEST)?;
            self.next = rows.last().map_or(self.next, |row| row.end);
            let before_end = |row: &Row| end.is_none_or(|end| row.end <= end && !row.open);
            self.rows = rows.into_iter().filter(before_end).collect();
        }
        let Some(row) = self.rows.front() else {
            return Ok(None);
        };
        self.time = self.time.max(row.instant().unwrap_or(self.time));
        Ok(Some(self.time))
    }
}
