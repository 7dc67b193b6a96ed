//! The end of a container's log.

use std::path::Path;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::host::open::HostRoot;
use crate::logs::{Place, Stream, Timeline, Which};
use crate::mask;
use crate::text::Text;
use crate::triage::cause;
use crate::triage::facts::{LogLine, LogTail, Seen};

/// Lines that are read, and bytes that are kept of each.
const LINES: usize = 200;
const KEPT: usize = 1000;
/// Longest look at one log.
const DEADLINE: Duration = Duration::from_secs(3);

/// The end of the log that the runtime writes to `path`. The error is a line for the user.
pub async fn tail(host: &HostRoot, path: Option<Text>) -> Seen<LogTail> {
    let path = path.ok_or_else(|| Text::from("the runtime names no log file"))?;
    let (host, shown) = (host.clone(), path.clone());
    let read = spawn_blocking(move || read(&host, path.as_str()));
    match timeout(DEADLINE, read).await {
        Ok(read) => read.unwrap_or_else(|error| Err(Text::clean(&error.to_string()))),
        Err(_) => Err(Text::clean(&format!("{shown} cannot be read in time"))),
    }
}

fn read(host: &HostRoot, path: &str) -> Seen<LogTail> {
    let told = |error: &dyn std::fmt::Display| Text::clean(&error.to_string());
    let path = Path::new(path);
    let place = Place::of_log_path(host, path).map_err(|error| told(&error))?;
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let attempt = stem.and_then(|stem| stem.parse().ok()).unwrap_or(0);
    let timeline = Timeline::open(place, Which::Only(attempt)).map_err(|error| told(&error))?;
    let files = timeline.files();
    let rows = files
        .before(files.end(), LINES, KEPT)
        .map_err(|error| told(&error))?;
    let lines = rows.iter().map(|row| LogLine {
        at: row.instant(),
        stderr: row.stream == Stream::Stderr,
        text: Text::clean(&mask::text(&String::from_utf8_lossy(&row.content))),
    });
    let lines: Vec<LogLine> = lines.collect();
    let (cause, crash) = cause::find(&lines);
    Ok(LogTail {
        source: Text::clean(&path.to_string_lossy()),
        lines,
        cause,
        crash,
    })
}
