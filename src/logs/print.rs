//! Logs to standard output: one container's at the speed of reading, several merged by time.

use std::collections::VecDeque;
use std::io::{self, Write};

use jiff::Timestamp;
use serde::Serialize;

use super::follow::{Follower, News, Watch};
use super::join::{Entry, Flow};
use super::line::{self, Stream};
use super::page::{Row, stop_if};
use super::place::PlaceError;
use super::scan::{PIECE, Pos};
use super::search::Pattern;
use super::timeline::{Files, Timeline};
use crate::text::{MAX_BYTES, sanitise};

/// Written at once.
const FULL: usize = 64 << 10;
/// Lines of each container read at once when several are merged.
const PAGE: usize = 128;
/// Lines looked at at once when counting from the end.
const BACK: usize = 1000;
/// How far before a time lines are read that may be out of order.
const SLACK_BYTES: u64 = 1 << 20;
/// How long after a time a line must be to end the output.
const SLACK_SECONDS: i64 = 60;

/// One container's log, and whose it is.
#[derive(Debug)]
pub struct Source {
    /// Its files.
    pub timeline: Timeline,
    /// Namespace, pod and container, as far as they are known.
    pub name: [String; 3],
}

/// Which lines to print.
#[derive(Clone, Debug, Default)]
pub struct Select {
    /// Not those written before it.
    pub since: Option<Timestamp>,
    /// Not those written after it.
    pub until: Option<Timestamp>,
    /// Only the last ones of these.
    pub tail: Option<usize>,
    /// Only one stream's.
    pub stream: Option<Stream>,
    /// Only those that match.
    pub pattern: Option<Pattern>,
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

impl Select {
    /// Where the first line to print may stand.
    fn start(&self, files: &Files) -> io::Result<Pos> {
        let mut start = files.start();
        if let Some(since) = self.since {
            let at = files.at_time(since)?;
            start = files.align(at.segment, at.offset.saturating_sub(SLACK_BYTES))?;
        }
        let Some(tail) = self.tail else {
            return Ok(start);
        };
        let (mut to, mut left) = (files.end(), tail);
        while left > 0 && to > start {
            let rows = files.before(to, BACK, super::join::LONGEST)?;
            let Some(first) = rows.first() else { break };
            to = first.at;
            for row in rows.iter().rev() {
                let matches = |pattern: &Pattern| pattern.is_match(&row.content);
                let wanted =
                    self.has(row.stream, &row.time) && self.pattern.as_ref().is_none_or(matches);
                left -= usize::from(wanted);
                if left == 0 {
                    to = row.at;
                    break;
                }
            }
        }
        Ok(to.max(start))
    }

    fn has(&self, stream: Stream, time: &[u8]) -> bool {
        if self.stream.is_some_and(|wanted| wanted != stream) {
            return false;
        }
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        line::instant(time).is_some_and(|at| {
            self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
        })
    }

    /// True when everything after this line is too late.
    fn is_over(&self, time: &[u8]) -> bool {
        let late = |until: Timestamp| {
            let at = line::instant(time)?;
            Some(at.as_second() - until.as_second() > SLACK_SECONDS)
        };
        self.until.and_then(late).unwrap_or(false)
    }
}

/// Where the last line begins that has no newline yet, or the end.
fn last_line(files: &Files) -> io::Result<Pos> {
    let end = files.end();
    files.align(end.segment, end.offset)
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
        match self.printer.select.pattern.clone() {
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
            let entry = Entry {
                at: row.at,
                end: row.end,
                time: &row.time,
                stream: row.stream,
                content: &row.content,
                open: row.open,
            };
            self.attempt(source, head.last, row.at);
            head.last = row.at;
            let pattern = self.printer.select.pattern.as_ref();
            if pattern.is_none_or(|pattern| pattern.is_match(&row.content))
                && self.entry(source, &entry).is_break()
            {
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
        while !(self.printer.over)() {
            let mut pause = super::follow::POLL;
            for (source, live) in sources.iter_mut().zip(&mut lives) {
                refresh(source, self.printer.note)?;
                let source = &*source;
                live.read(source.timeline.files(), |news| self.news(source, &news))?;
                pause = pause.min(live.pause(source.timeline.files()));
            }
            if self.write().is_break() {
                break;
            }
            wait(&mut watches, pause);
        }
        self.end()
    }

    fn news(&mut self, source: &Source, news: &News<'_>) -> Flow {
        match news {
            News::Line(entry) => {
                let pattern = self.printer.select.pattern.as_ref();
                if pattern.is_none_or(|pattern| pattern.is_match(entry.content)) {
                    return self.entry(source, entry);
                }
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

/// Appends `bytes` in a form that is safe to show: colours go, all else that a terminal acts on
/// becomes visible.
pub fn push_safe(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        out.extend_from_slice(bytes);
        return;
    }
    let text = String::from_utf8_lossy(bytes);
    let text = without_colours(&text);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let mut cut = rest.len().min(MAX_BYTES);
        while !rest.is_char_boundary(cut) {
            cut -= 1;
        }
        out.extend_from_slice(sanitise(&rest[..cut]).as_bytes());
        rest = &rest[cut..];
    }
}

/// `text` without SGR sequences (`ESC [ ... m`).
fn without_colours(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut parts = text.split("\x1b[");
    kept.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':');
        match end {
            Some(end) if part[end..].starts_with('m') => kept.push_str(&part[end + 1..]),
            _ => {
                kept.push_str("\x1b[");
                kept.push_str(part);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"plain", "plain")]
    #[case(b"\x1b[1;31mred\x1b[0m \x1b[2Jgone", "red \\x1b[2Jgone")]
    #[case(b"\xff\x00\x1b]0;t\x07", "\u{fffd}\\x00\\x1b]0;t\\x07")]
    #[case(b"\x1b[", "\\x1b[")]
    fn what_a_terminal_acts_on_is_shown(#[case] raw: &[u8], #[case] expected: &str) {
        let mut out = Vec::new();
        push_safe(&mut out, raw);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn long_lines_stay_whole() {
        let mut out = Vec::new();
        push_safe(&mut out, "é".repeat(50_000).as_bytes());
        assert_eq!(out.len(), 100_000);
    }
}
