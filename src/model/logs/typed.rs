//! What is typed for a view of logs: a search, a filter, where to go.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::layout::Size;

use super::{LogView, Stamps};
use crate::logs::Sought;
use crate::logs::export::Export;
use crate::logs::shown::{Fields, LineId};
use crate::logs::viewer::To;
use crate::model::prompt::LogLine;

/// Why a line means nothing, if so.
pub fn check(what: LogLine, text: &str, now: Timestamp) -> Result<(), String> {
    match what {
        LogLine::Search | LogLine::Filter => sought(text).map(|_| ()),
        LogLine::GoTo if text.is_empty() => Ok(()),
        LogLine::Save | LogLine::Fields => Ok(()),
        LogLine::GoTo => place(text, now, &TimeZone::UTC).map(|_| ()),
    }
}

/// Names with commas or spaces between them.
pub fn fields(text: &str) -> Fields {
    let names = text.split([',', ' ']).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

fn sought(text: &str) -> Result<Option<Sought>, String> {
    Sought::parse(text).map_err(|error| error.to_string())
}

impl LogView {
    /// Takes a line that was typed.
    pub fn typed(
        &mut self,
        what: LogLine,
        text: &str,
        now: Timestamp,
        size: Size,
    ) -> Result<(), String> {
        match what {
            LogLine::Search => {
                self.look.search = sought(text)?;
                self.known.tally = None;
                self.known.rank = None;
                match &self.look.search {
                    // At the end the newest match is meant.
                    Some(_) => self.seek(self.follows(), false, size),
                    None => self.ask_again(size),
                }
            }
            LogLine::Filter => {
                self.look.filter = sought(text)?;
                self.ask_again(size);
            }
            // Written outside: see [`LogView::export`].
            LogLine::Save => {}
            LogLine::Fields => {
                self.look.fields = fields(text);
                self.look.raw = false;
                self.ask_again(size);
            }
            LogLine::GoTo if text.is_empty() => {}
            LogLine::GoTo => {
                let zone = match self.look.stamps {
                    Stamps::Local => TimeZone::system(),
                    _ => TimeZone::UTC,
                };
                let to = place(text, now, &zone)?;
                self.ask(to, false, size);
            }
        }
        Ok(())
    }

    /// All that is shown, for a file or another program.
    pub fn export(&self) -> Export {
        Export {
            whose: self.whose.clone(),
            sift: self.request.sift.clone(),
            since: self.request.since,
            timestamps: self.look.stamps != Stamps::Off,
        }
    }

    /// A name for the file to save to.
    pub fn file_name(&self, now: Timestamp) -> String {
        let container = self.whose.container.as_ref();
        let container = container.map_or_else(String::new, |name| format!("-{name}"));
        let time = now.strftime("%Y%m%d-%H%M%S");
        let name = format!("{}{container}-{time}.log", self.whose.pod);
        // Names come from outside: this one stays in its folder.
        name.replace('/', "_")
    }

    /// To the next match; `leave` the line under the cursor even if it is one.
    pub fn seek(&mut self, back: bool, leave: bool, size: Size) {
        let seeking = matches!(self.request.to, To::Match { .. });
        if leave && seeking && self.is_waiting() {
            self.pending.matches += if back { -1 } else { 1 };
            return;
        }
        let Some(line) = self.line() else {
            return self.ask_again(size);
        };
        let mut spot = line.spot.to_vec();
        let mut id = line.id;
        if !leave {
            if back && let Some(own) = spot.get_mut(id.source) {
                *own = line.end;
            }
            let source = usize::MAX;
            id = LineId { source, ..id };
        }
        let to = To::Match {
            spot: spot.into(),
            line: id,
            back,
        };
        self.ask(to, false, size);
    }

    /// To the attempt before that of the line under the cursor, or to the next one.
    pub fn go_to_attempt(&mut self, older: bool, size: Size) {
        let Some(line) = self.line() else { return };
        let to = To::Attempt {
            spot: line.spot.clone(),
            line: line.id,
            older,
        };
        self.ask(to, false, size);
    }

    /// Drops the filter, else the search; false if there is neither.
    pub fn drop_one(&mut self, size: Size) -> bool {
        if self.spread.take().is_some() {
            return true;
        }
        let look = &mut self.look;
        let dropped = look.filter.take().or_else(|| look.search.take());
        if dropped.is_some() {
            if look.search.is_none() {
                self.known.tally = None;
            }
            self.ask_again(size);
        }
        dropped.is_some()
    }
}

/// A share (`50%`), a line's number from 1, a time of day, a full time, or how long ago.
fn place(text: &str, now: Timestamp, zone: &TimeZone) -> Result<To, String> {
    let text = text.trim();
    let expected = || {
        format!(
            "{text:?} is no place: expected a time (10:15, 2026-11-20T10:15:00Z), how long ago \
             (15m), a line (1200) or a share (50%)"
        )
    };
    if let Some(share) = text.strip_suffix('%') {
        let share: u16 = share.trim().parse().map_err(|_| expected())?;
        return Ok(To::Share(share.min(100) * 100));
    }
    if let Ok(number) = text.parse::<u64>() {
        return Ok(To::Number(number.saturating_sub(1)));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(To::Time(time));
    }
    let Ok(time) = text.parse::<Time>() else {
        let ago: SignedDuration = text
            .trim_end_matches(" ago")
            .parse()
            .map_err(|_| expected())?;
        return now.checked_sub(ago).map(To::Time).map_err(|_| expected());
    };
    let today = now.to_zoned(zone.clone()).date();
    let at = |date: jiff::civil::Date| {
        let zoned = date.to_datetime(time).to_zoned(zone.clone());
        zoned.map(|zoned| zoned.timestamp())
    };
    let at_today = at(today).map_err(|_| expected())?;
    // What lies ahead was yesterday.
    if at_today > now {
        let yesterday = today.yesterday().and_then(at);
        return yesterday.map(To::Time).map_err(|_| expected());
    }
    Ok(To::Time(at_today))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("50%", Some(To::Share(5000)))]
    #[case("120%", Some(To::Share(10_000)))]
    #[case("1200", Some(To::Number(1199)))]
    #[case("2026-11-20T09:00:00Z", Some(To::Time("2026-11-20T09:00:00Z".parse().unwrap())))]
    #[case("09:15", Some(To::Time("2026-11-20T09:15:00Z".parse().unwrap())))]
    #[case("09:15:30", Some(To::Time("2026-11-20T09:15:30Z".parse().unwrap())))]
    #[case("23:00", Some(To::Time("2026-11-19T23:00:00Z".parse().unwrap())))]
    #[case("15m", Some(To::Time("2026-11-20T09:45:00Z".parse().unwrap())))]
    #[case("15m ago", Some(To::Time("2026-11-20T09:45:00Z".parse().unwrap())))]
    #[case("soon", None)]
    #[case("-%", None)]
    fn places(#[case] text: &str, #[case] expected: Option<To>) {
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        assert_eq!(place(text, now, &TimeZone::UTC).ok(), expected);
    }
}
