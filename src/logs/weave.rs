//! Several logs as one: their lines by time, from any place on in both directions, with constant
//! memory. Each log keeps its own order, whatever its time stamps say, so that going back and
//! forth loses nothing and shows nothing twice.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::scan::Pos;
use super::shown::{KEEP, Line, Spot};
use super::sift::{Around, Found, Room, Sift};
use super::timeline::Files;

/// Lines of several logs around a place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Woven {
    /// By time.
    pub lines: Vec<Line>,
    /// How many of them stand before the place.
    pub before: usize,
    /// There is nothing before them.
    pub from_start: bool,
    /// There is nothing after them.
    pub to_end: bool,
}

/// The lines around `spot`, at most so many before it and from it on. Nothing before `floors` is
/// wanted.
pub fn weave(
    logs: &[&Files],
    sift: &Sift,
    spot: &[Pos],
    floors: &[Pos],
    most: (usize, usize),
    go_on: &dyn Fn() -> bool,
) -> io::Result<Woven> {
    let mut all = Vec::new();
    for (nth, files) in logs.iter().enumerate() {
        let floor = floors.get(nth).copied().unwrap_or_default();
        let at = spot.get(nth).copied().unwrap_or_else(|| files.end());
        let room = Room {
            lines: most,
            keep: KEEP,
            floor,
        };
        all.push(files.around(sift, at.max(floor), room, go_on)?);
    }
    let start: Vec<Pos> = (0..logs.len())
        .map(|nth| spot.get(nth).copied().unwrap_or_else(|| logs[nth].end()))
        .collect();
    let (mut lines, mut from_start) = backwards(logs, &all, &start, most.0);
    let before = lines.len();
    let (after, mut to_end) = forwards(logs, &all, &start, most.1);
    lines.extend(after);
    from_start &= all.iter().all(|one| one.from_start);
    to_end &= all.iter().all(|one| one.to_end);
    Ok(Woven {
        lines,
        before,
        from_start,
        to_end,
    })
}

fn line(logs: &[&Files], source: usize, found: &Found, spot: Spot) -> Line {
    let attempt = logs[source].attempt(found.row.at).unwrap_or_default();
    Line::new(source, &found.row, spot, attempt, found.matched)
}

/// The lines before the place, oldest first, and whether those are all that were read.
fn backwards(logs: &[&Files], all: &[Around], start: &[Pos], most: usize) -> (Vec<Line>, bool) {
    let mut left: Vec<&[Found]> = all.iter().map(|one| &*one.before).collect();
    let mut times = vec![Timestamp::MAX; all.len()];
    let mut spot = start.to_vec();
    let mut lines = Vec::new();
    while lines.len() < most {
        let mut last: Option<(Timestamp, usize)> = None;
        for (source, rows) in left.iter().enumerate() {
            let Some(found) = rows.last() else { continue };
            // A line without a time stays with the one after it.
            let time = found.row.instant().unwrap_or(times[source]);
            let time = time.min(times[source]);
            if last.is_none_or(|last| (time, source) >= last) {
                last = Some((time, source));
            }
        }
        let Some((time, source)) = last else { break };
        times[source] = time;
        let Some((found, rest)) = left[source].split_last() else {
            break;
        };
        left[source] = rest;
        spot[source] = found.row.at;
        lines.push(line(logs, source, found, Arc::from(&*spot)));
    }
    lines.reverse();
    (lines, left.iter().all(|rows| rows.is_empty()))
}

/// The lines from the place on, and whether those are all that were read.
fn forwards(logs: &[&Files], all: &[Around], start: &[Pos], most: usize) -> (Vec<Line>, bool) {
    let mut left: Vec<&[Found]> = all.iter().map(|one| &*one.after).collect();
    let mut times = vec![Timestamp::MIN; all.len()];
    let mut spot = start.to_vec();
    let mut lines = Vec::new();
    while lines.len() < most {
        let mut first: Option<(Timestamp, usize)> = None;
        for (source, rows) in left.iter().enumerate() {
            let Some(found) = rows.first() else { continue };
            let time = found.row.instant().unwrap_or(times[source]);
            let time = time.max(times[source]);
            if first.is_none_or(|first| (time, source) < first) {
                first = Some((time, source));
            }
        }
        let Some((time, source)) = first else { break };
        times[source] = time;
        let Some((found, rest)) = left[source].split_first() else {
            break;
        };
        left[source] = rest;
        spot[source] = found.row.at;
        lines.push(line(logs, source, found, Arc::from(&*spot)));
        spot[source] = found.row.end;
    }
    (lines, left.iter().all(|rows| rows.is_empty()))
}
