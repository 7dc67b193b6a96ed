//! Where a request leads.

use std::io;

use jiff::Timestamp;

use super::worker::Worker;
use super::{Request, To};
use crate::logs::scan::Pos;
use crate::logs::shown::{KEEP, LineId};
use crate::logs::{Files, Row};
use crate::text::Text;

/// Where a window is, and the line to look at.
pub(super) struct Aim {
    pub spot: Vec<Pos>,
    pub focus: Option<LineId>,
    pub note: Option<Text>,
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
    /// Where `request` leads.
    pub(super) fn aim(&self, request: &Request) -> io::Result<Aim> {
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
            To::Time(time) => Aim::at(each(&|files| self.at_time(files, *time))?),
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

    fn at_time(&self, files: &Files, time: Timestamp) -> io::Result<Pos> {
        files.at_time_while(time, &|| self.shared.goes_on())
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
        let spot: io::Result<_> = files
            .iter()
            .map(|files| self.at_time(files, time))
            .collect();
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
                self.at_time(files, time)?
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
}
