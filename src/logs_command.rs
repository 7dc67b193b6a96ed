//! `critui logs`: finds what is asked for through the runtime and on disk, and prints it.

mod target;

use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::config::go;
use crate::cri::Reader;
use crate::host::open::{HostRoot, Kind};
use crate::logs::{
    POD_LOGS, Pattern, Place, PlaceError, Printer, Select, Source, Stream, Style, Timeline, Which,
};
use crate::text::Text;
use target::Candidate;

/// Most folders looked at below the log root, and in a pod's.
const MOST: usize = 20_000;
/// How long the host's file system may take for one look.
const DEADLINE: Duration = Duration::from_secs(5);

/// The arguments of `critui logs`.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Logs {
    /// [NAMESPACE/]POD[/CONTAINER], where the beginning of POD is enough, or the beginning of an id;
    /// or a PATH that begins with / or .
    /// (a log file, or the log folder of a pod or container), which needs no runtime
    #[arg(value_name = "TARGET")]
    pub target: String,
    /// Which lines
    #[command(flatten)]
    pub lines: Lines,
    /// In which form
    #[command(flatten)]
    pub form: LogForm,
}

/// Which lines.
#[derive(Args, Clone, PartialEq, Eq, Debug, Default)]
pub struct Lines {
    /// All attempts of the container that have logs, oldest first, not only the current one
    #[arg(long, conflicts_with = "previous")]
    pub all_attempts: bool,
    /// The attempt before the current one
    #[arg(short, long, conflicts_with = "follow")]
    pub previous: bool,
    /// Go on with what comes, also into the next attempt
    #[arg(short, long)]
    pub follow: bool,
    /// Only lines since a time, or for a duration: 2026-11-20T10:00:00Z, 15m, or Unix seconds
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    pub since: Option<Timestamp>,
    /// Only lines until then
    #[arg(long, value_name = "WHEN", value_parser = parse_when)]
    pub until: Option<Timestamp>,
    /// Only the last N of these lines
    #[arg(long, value_name = "N")]
    pub tail: Option<usize>,
    /// Only one stream
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<OneStream>,
    /// Only lines that match a regular expression; without a capital letter in it, capitals do
    /// not matter
    #[arg(long, value_name = "REGEX")]
    pub grep: Option<String>,
    /// With --grep: also so many lines before and after each
    #[arg(
        long,
        short = 'C',
        value_name = "N",
        requires = "grep",
        default_value_t = 0
    )]
    pub context: usize,
}

/// In which form.
#[derive(Args, Clone, PartialEq, Eq, Debug, Default)]
pub struct LogForm {
    /// Put the time before each line
    #[arg(long)]
    pub timestamps: bool,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: LogOutput,
    /// Make the lines safe to show, as is done anyway if they go to a terminal
    #[arg(long)]
    pub sanitize: bool,
}

/// A stream to choose.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum OneStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Form of lines.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogOutput {
    /// As the container wrote them.
    #[default]
    Text,
    /// One JSON object for each.
    Json,
}

fn parse_when(text: &str) -> Result<Timestamp, String> {
    let expected = || {
        format!(
            "{text:?} is no time: expected RFC 3339 (2026-11-20T10:00:00Z), a duration (15m) or \
             Unix seconds"
        )
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Timestamp::from_second(seconds).map_err(|_| expected());
    }
    let ago = go::parse_duration(text).map_err(|_| expected())?;
    let ago = SignedDuration::from_nanos(ago);
    Timestamp::now().checked_sub(ago).map_err(|_| expected())
}

/// The log files of one target, not opened yet.
#[derive(Debug)]
pub struct Found {
    place: Place,
    name: [String; 3],
    attempt: Option<u32>,
}

fn line(error: impl std::fmt::Display) -> Text {
    Text::clean(&error.to_string())
}

impl Logs {
    /// The path that is asked for, if one is: absolute, from the working folder.
    pub fn path(&self) -> Option<PathBuf> {
        let path = target::as_path(&self.target)?;
        Some(std::path::absolute(&path).unwrap_or(path))
    }

    /// What lies at a path. The error is one line.
    pub fn at_path(&self, host: &HostRoot, path: &Path) -> Result<Vec<Found>, Text> {
        let of = |place: Place| Found {
            place,
            name: Default::default(),
            attempt: None,
        };
        let is_folder = host
            .stat(path, DEADLINE)
            .is_ok_and(|stat| stat.kind == Kind::Folder);
        if is_folder {
            let within = folders(host, path);
            let places = within.into_iter().filter_map(|name| {
                let place = Place::of_path(host, &path.join(&name)).ok()?;
                let holds = place.attempts().is_ok_and(|attempts| !attempts.is_empty());
                let name = [String::new(), String::new(), name];
                holds.then(|| Found { name, ..of(place) })
            });
            let places: Vec<Found> = places.collect();
            if !places.is_empty() {
                return Ok(places);
            }
        }
        let place = Place::of_path(host, path).map_err(line)?;
        Ok(vec![of(place)])
    }

    /// What the runtime and the folders on disk know under that name. `reader` is none when no
    /// runtime answers. The error is one line.
    pub async fn by_name(
        &self,
        host: &HostRoot,
        reader: Option<&Reader>,
    ) -> Result<Vec<Found>, Text> {
        let mut known = Vec::new();
        if let Some(reader) = reader {
            let lists = tokio::try_join!(reader.pods(), reader.containers());
            let (pods, containers) = lists.map_err(line)?;
            known = target::of_runtime(&pods, &containers);
        }
        let root = Path::new(POD_LOGS);
        for folder in folders(host, root) {
            let containers = folders(host, &root.join(&folder));
            target::add_of_disk(&mut known, &folder, &containers);
        }
        let mut found = Vec::new();
        for candidate in target::choose(&known, &self.target)? {
            found.push(place_of(host, reader, candidate).await?);
        }
        Ok(found)
    }

    fn which(&self, found: &Found) -> Which {
        match found.attempt {
            _ if self.lines.all_attempts => Which::All,
            _ if self.lines.previous => Which::Previous,
            Some(attempt) if !self.lines.follow => Which::Only(attempt),
            _ => Which::Current,
        }
    }

    /// Prints what was found to standard output; returns when it is done, or when nobody reads
    /// any more. Blocks. The error is one line.
    pub fn print(&self, found: Vec<Found>) -> Result<(), Text> {
        let mut sources = Vec::new();
        let mut failed = None;
        for found in found {
            let which = self.which(&found);
            match Timeline::open(found.place, which) {
                Ok(timeline) => sources.push(Source {
                    timeline,
                    name: found.name,
                }),
                // One of several containers may not have started yet.
                Err(error) => failed = Some(line(error)),
            }
        }
        if let (true, Some(error)) = (sources.is_empty(), failed) {
            return Err(error);
        }
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let fd = stdout.as_fd().try_clone_to_owned().map_err(line)?;
        // A larger pipe saves changing over between us and who reads; without it works as well.
        let _ = rustix::pipe::fcntl_setpipe_size(&fd, 1 << 20);
        let mut out = std::fs::File::from(fd);
        let watched = out.try_clone().map_err(line)?;
        let mut printer = Printer {
            select: self.select()?,
            style: Style {
                timestamps: self.form.timestamps,
                json: self.form.output == LogOutput::Json,
                sanitise: self.form.sanitize || terminal,
                prefix: sources.len() > 1,
            },
            out: &mut out,
            note: &mut |note| {
                // Who has closed standard error does not want to know.
                let _ = writeln!(io::stderr(), "critui: {}", Text::clean(note));
            },
            over: &|| is_closed(&watched),
        };
        let result = if self.lines.follow {
            printer.follow(&mut sources)
        } else {
            printer.print(&sources)
        };
        match result {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(line(format!("standard output or log: {error}"))),
            Ok(()) => Ok(()),
        }
    }

    fn select(&self) -> Result<Select, Text> {
        let lines = &self.lines;
        Ok(Select {
            since: lines.since,
            until: lines.until,
            tail: lines.tail,
            stream: lines.stream.map(|stream| match stream {
                OneStream::Stdout => Stream::Stdout,
                OneStream::Stderr => Stream::Stderr,
            }),
            pattern: match &lines.grep {
                Some(text) => {
                    let wrong = |why| Text::clean(&format!("--grep: {why}"));
                    Some(Pattern::regex(text).map_err(wrong)?)
                }
                None => None,
            },
            context: lines.context,
        })
    }
}

/// True when the reader of a pipe has gone.
fn is_closed(out: &std::fs::File) -> bool {
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut look = [PollFd::new(out, PollFlags::empty())];
    poll(&mut look, Some(&now)).is_ok() && look[0].revents().contains(PollFlags::ERR)
}

/// Names in a folder; none if it cannot be looked at.
fn folders(host: &HostRoot, path: &Path) -> Vec<String> {
    let listing = host.list_dir(path, MOST, DEADLINE);
    let names = listing.map_or_else(|_| Vec::new(), |listing| listing.names);
    let mut names: Vec<String> = names
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter(|name| {
            let found = host.stat(&path.join(name), DEADLINE);
            found.is_ok_and(|found| found.kind == Kind::Folder)
        })
        .collect();
    names.sort();
    names
}

async fn place_of(
    host: &HostRoot,
    reader: Option<&Reader>,
    candidate: Candidate,
) -> Result<Found, Text> {
    let Candidate {
        namespace,
        pod,
        uid,
        container,
        newest,
        attempt,
        ..
    } = candidate;
    let mut told = None;
    if let (Some(reader), Some(id)) = (reader, &newest) {
        // Gone since it was listed, or silent: the layout on disk says the same.
        let detail = reader.container_detail(id).await.ok();
        told = detail.and_then(|detail| detail.log_path);
    }
    let laid_out = || Place::of_container(host, &namespace, &pod, &uid, &container);
    let place = match told {
        Some(path) => match Place::of_log_path(host, Path::new(path.as_str())) {
            Ok(place) => Ok(place),
            Err(PlaceError::Outside(path)) => laid_out().map_err(|_| PlaceError::Outside(path)),
            Err(error) => laid_out().map_err(|_| error),
        },
        None => laid_out(),
    };
    Ok(Found {
        place: place.map_err(line)?,
        name: [namespace, pod, container],
        attempt,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-11-20T10:00:00Z", Some(1_795_168_800))]
    #[case("1795168800", Some(1_795_168_800))]
    #[case("yesterday", None)]
    fn times(#[case] text: &str, #[case] expected: Option<i64>) {
        let parsed = parse_when(text).ok().map(Timestamp::as_second);
        assert_eq!(parsed, expected);
    }

    #[test]
    fn durations_are_ago() {
        let at = parse_when("15m").unwrap();
        let ago = Timestamp::now().as_second() - at.as_second();
        assert!((899..=960).contains(&ago), "{ago}");
    }
}
