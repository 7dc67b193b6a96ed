//! Which lines are printed.

use std::io;

use jiff::Timestamp;

use crate::logs::join::LONGEST;
use crate::logs::line::{self, Stream};
use crate::logs::scan::Pos;
use crate::logs::search::Pattern;
use crate::logs::timeline::Files;

/// Lines looked at at once when counting from the end.
const BACK: usize = 1000;
/// How far before a time lines are read that may be out of order.
const SLACK_BYTES: u64 = 1 << 20;
/// How long after a time a line must be to end the output.
const SLACK_SECONDS: i64 = 60;

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
    /// Lines around each that matches.
    pub context: usize,
}

impl Select {
    /// Where the first line to print may stand.
    pub(super) fn start(&self, files: &Files) -> io::Result<Pos> {
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
            let rows = files.before(to, BACK, LONGEST)?;
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

    pub(super) fn has(&self, stream: Stream, time: &[u8]) -> bool {
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
    pub(super) fn is_over(&self, time: &[u8]) -> bool {
        let late = |until: Timestamp| {
            let at = line::instant(time)?;
            Some(at.as_second() - until.as_second() > SLACK_SECONDS)
        };
        self.until.and_then(late).unwrap_or(false)
    }
}

/// Where the last line begins that has no newline yet, or the end.
pub(super) fn last_line(files: &Files) -> io::Result<Pos> {
    let end = files.end();
    files.align(end.segment, end.offset)
}
