//! All files of a container's log in one order, and what becomes of them: growing, rotation,
//! truncation, the next attempt.

use std::io;
use std::sync::Arc;

use super::place::{Found, Home, Place, PlaceError};
use super::scan::Pos;
use super::segment::Segment;
use crate::text::Text;

/// Bytes before the end by which a file is recognised.
const TAIL: u64 = 128;
/// A look at a folder in which files are being renamed is repeated so often.
const LOOKS: usize = 5;

/// Which attempts to read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// All that have files, and those to come.
    All,
    /// The newest, and those to come.
    Current,
    /// The one before the newest.
    Previous,
    /// This one alone.
    Only(u32),
}

/// The files as they are at one moment: cheap to clone and to hand to another thread. What is
/// read between its start and its end does not change when the log goes on.
#[derive(Clone, Debug, Default)]
pub struct Files {
    pub(super) segments: Vec<Arc<Segment>>,
    end: Pos,
}

impl Files {
    /// The beginning of the oldest file.
    pub fn start(&self) -> Pos {
        Pos::default()
    }

    /// The end of the newest file when it was last looked at.
    pub fn end(&self) -> Pos {
        self.end
    }

    /// The files, oldest first; [`Pos::segment`] counts in it.
    pub fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// The attempt that wrote at `pos`.
    pub fn attempt(&self, pos: Pos) -> Option<u32> {
        Some(self.segments.get(pos.segment)?.attempt)
    }

    /// Length of a file as far as it belongs to this moment.
    pub(super) fn len_of(&self, segment: usize) -> io::Result<u64> {
        if segment == self.end.segment {
            return Ok(self.end.offset);
        }
        self.segments.get(segment).map_or(Ok(0), |file| file.len())
    }

    /// True if nothing more of the attempt comes after `pos`.
    pub(super) fn ends_attempt(&self, pos: Pos) -> io::Result<bool> {
        let attempt = self.attempt(pos);
        let mut at = pos;
        while at.offset >= self.len_of(at.segment)? {
            at = Pos::start_of(at.segment + 1);
            if self.attempt(at) != attempt {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What [`Timeline::refresh`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Change {
    /// There is more to read.
    pub grown: bool,
    /// Files added at the end.
    pub added: usize,
    /// The newest file was truncated, and nobody kept a copy: what was not read is lost.
    pub lost: bool,
}

/// The log of one container.
#[derive(Debug)]
pub struct Timeline {
    place: Place,
    first: u32,
    last: u32,
    files: Files,
    /// The last bytes of the newest file before its end as last seen.
    tail: Vec<u8>,
}

impl Timeline {
    /// Opens the files. A place without files, or without the attempt asked for, is an error.
    pub fn open(place: Place, which: Which) -> Result<Self, PlaceError> {
        let attempts = place.attempts()?;
        let empty = || PlaceError::Empty(Text::clean(&place.shown().to_string_lossy()));
        let newest = attempts.last().copied().ok_or_else(empty)?;
        let (first, last) = match which {
            Which::All => (0, u32::MAX),
            Which::Current => (newest, u32::MAX),
            Which::Previous => {
                let before = attempts.iter().rev().nth(1).ok_or(PlaceError::NoPrevious {
                    folder: Text::clean(&place.shown().to_string_lossy()),
                    attempt: newest,
                })?;
                (*before, *before)
            }
            Which::Only(attempt) => (attempt, attempt),
        };
        let mut timeline = Self {
            place,
            first,
            last,
            files: Files::default(),
            tail: Vec::new(),
        };
        timeline.look(&mut Change::default())?;
        if timeline.files.segments.is_empty() {
            let shown = timeline.place.shown().to_string_lossy();
            return Err(PlaceError::Empty(Text::clean(&shown)));
        }
        Ok(timeline)
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The files as last looked at.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Looks at the files again. After it, every byte that was in [`Files`] before is still there
    /// (unless [`Change::lost`]), and everything that is on disk now has a place after it.
    pub fn refresh(&mut self) -> Result<Change, PlaceError> {
        let mut change = Change::default();
        self.look(&mut change)?;
        Ok(change)
    }

    fn look(&mut self, change: &mut Change) -> Result<(), PlaceError> {
        let before = self.files.end;
        let newest = self.files.segments.last().map(|file| file.attempt);
        for attempt in self.place.attempts()? {
            let wanted = (self.first..=self.last).contains(&attempt);
            if wanted && newest.is_none_or(|newest| attempt >= newest) {
                self.look_at(attempt, newest == Some(attempt), change)?;
            }
        }
        self.measure().map_err(|error| self.failed(&error))?;
        change.grown = self.files.end != before;
        Ok(())
    }

    fn look_at(
        &mut self,
        attempt: u32,
        known: bool,
        change: &mut Change,
    ) -> Result<(), PlaceError> {
        let home = self.place.home(attempt)?;
        for _ in 0..LOOKS {
            let files = home.files().map_err(|error| home.failed("", error))?;
            let settled = if known {
                self.compare(&home, &files, change)?
            } else {
                self.append(&home, &files, false, change)?
            };
            if settled {
                break;
            }
        }
        Ok(())
    }

    /// Compares what is on disk with the newest file known; true when all is in its place.
    fn compare(
        &mut self,
        home: &Home,
        files: &[Found],
        change: &mut Change,
    ) -> Result<bool, PlaceError> {
        let (Some(newest), Some(current)) = (self.files.segments.last().cloned(), files.last())
        else {
            return Ok(true);
        };
        let same = current.id == newest.id;
        let truncated = same && self.is_truncated(&newest, files);
        if same && !truncated {
            return Ok(true);
        }
        let renamed = files.iter().position(|file| file.id == newest.id && !same);
        let from = match renamed {
            Some(place) => place + 1,
            // Renamed or removed, and not made again yet.
            None if !current.current => return Ok(true),
            None => self.replace(home, files, same, &newest, change),
        };
        self.append(home, &files[from..], same, change)
    }

    /// The newest file is not under any name any more, or was truncated: takes a copy of it in
    /// its place if there is one. Where what comes after it begins among `files`.
    fn replace(
        &mut self,
        home: &Home,
        files: &[Found],
        truncated: bool,
        newest: &Segment,
        change: &mut Change,
    ) -> usize {
        let place = self.files.segments.len() - 1;
        let rotated = files.iter().enumerate().filter(|(_, file)| !file.current);
        let mut first_new = None;
        for (nth, file) in rotated {
            let known = |segment: &Arc<Segment>| segment.id == file.id;
            if self.files.segments.iter().any(known) {
                continue;
            }
            let Ok(opened) = open(home, newest.attempt, &file.name) else {
                continue;
            };
            if self.is_packed(&opened) {
                continue;
            }
            if self.is_copy(&opened) {
                self.files.segments[place] = Arc::new(opened);
                return nth + 1;
            }
            first_new.get_or_insert(nth);
        }
        if truncated {
            self.files.segments[place] = Arc::new(newest.lost());
            change.lost = true;
        }
        first_new.unwrap_or(files.len() - 1)
    }

    /// True if `file` holds what the newest file held.
    fn is_copy(&self, file: &Segment) -> bool {
        let mut found = vec![0; self.tail.len()];
        let at = self.files.end.offset - self.tail.len() as u64;
        file.read_at(at, &mut found).ok() == Some(found.len()) && found == self.tail
    }

    /// True if `file` is one of the older ones, gzipped in the meantime.
    fn is_packed(&self, file: &Segment) -> bool {
        let length = file.len_hint().ok();
        let older = self.files.segments.iter();
        !file.is_plain() && older.clone().any(|known| known.len().ok() == length)
    }

    fn is_truncated(&self, newest: &Segment, files: &[Found]) -> bool {
        // Of a file that was empty only a new name beside it can tell.
        let empty = self.files.end.offset == 0;
        let known = |file: &Found| self.files.segments.iter().any(|known| known.id == file.id);
        !self.is_copy(newest) || empty && !files.iter().all(known)
    }

    /// Adds files at the end; false when one was renamed in between.
    fn append(
        &mut self,
        home: &Home,
        files: &[Found],
        truncated: bool,
        change: &mut Change,
    ) -> Result<bool, PlaceError> {
        for file in files {
            let known = |segment: &Arc<Segment>| segment.id == file.id;
            let again = truncated && file.current;
            if !again && self.files.segments.iter().any(known) {
                continue;
            }
            let opened = match open(home, home.attempt, &file.name) {
                Ok(opened) => opened,
                // Renamed or removed since the look at the folder.
                Err(PlaceError::Open { error, .. }) if is_missing(&error) => return Ok(false),
                Err(error) => return Err(error),
            };
            if opened.id != file.id {
                return Ok(false);
            }
            self.files.segments.push(Arc::new(opened));
            self.tail.clear();
            self.files.end = Pos::start_of(self.files.segments.len() - 1);
            change.added += 1;
        }
        Ok(true)
    }

    fn measure(&mut self) -> io::Result<()> {
        let Some(newest) = self.files.segments.last() else {
            return Ok(());
        };
        let segment = self.files.segments.len() - 1;
        let offset = newest.len()?;
        if (Pos { segment, offset }) == self.files.end {
            return Ok(());
        }
        let length = offset.min(TAIL);
        self.tail.resize(usize::try_from(length).unwrap_or(0), 0);
        let count = newest.read_at(offset - length, &mut self.tail)?;
        self.tail.truncate(count);
        let offset = offset - length + count as u64;
        self.files.end = Pos { segment, offset };
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> PlaceError {
        PlaceError::Read {
            folder: Text::clean(&self.place.shown().to_string_lossy()),
            error: Text::clean(&error.to_string()),
        }
    }
}

fn is_missing(error: &crate::host::open::OpenError) -> bool {
    *error == crate::host::open::OpenError::Missing
}

fn open(home: &Home, attempt: u32, name: &str) -> Result<Segment, PlaceError> {
    let failed = |error| home.failed(name, error);
    let file = home.open(name).map_err(failed)?;
    Segment::new(attempt, name, file).map_err(|_| failed(crate::host::open::OpenError::Missing))
}
