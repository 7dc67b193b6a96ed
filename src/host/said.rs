//! What the kubelet and the runtime have logged: in files, else in the journal.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::journal;
use super::open::{HostRoot, Resolver};
use crate::mask;
use crate::text::Text;
use crate::triage::facts::{Said, Seen};

/// Longest look.
const DEADLINE: Duration = Duration::from_secs(2);
/// Bytes of each file that are looked at.
const TAIL: u64 = 2 << 20;
/// Lines that are kept.
const MOST: usize = 20_000;
/// Where they write where there is no journal.
const FILES: [&str; 7] = [
    "/var/log/kubelet.log",
    "/var/log/containerd.log",
    "/var/log/crio.log",
    "/var/lib/rancher/rke2/agent/logs/kubelet.log",
    "/var/lib/rancher/rke2/agent/containerd/containerd.log",
    "/var/lib/rancher/k3s/agent/containerd/containerd.log",
    "/var/log/k3s.log",
];

/// Reads them. The error is a line for the user.
pub fn read(host: &HostRoot, now: Timestamp) -> Seen<Vec<Said>> {
    let looked = host.work(DEADLINE, move |files| Ok(of_files(files, now)));
    let mut lines = looked.map_err(|error| Text::clean(&format!("/var/log {error}")))?;
    let why = if host.is_slash() {
        match journal::read() {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                lines.extend(text.lines().filter_map(|line| said(line, "journal", now)));
                "the journal holds nothing of the kubelet or the runtime".to_owned()
            }
            Err(why) => why,
        }
    } else {
        "the journal can be read on the node itself only".to_owned()
    };
    if lines.is_empty() {
        let files = FILES[..3].join(", ");
        return Err(Text::clean(&format!("{why}, and there is no {files}")));
    }
    lines.sort_by_key(|line| line.at);
    lines.drain(..lines.len().saturating_sub(MOST));
    Ok(lines)
}

fn of_files(files: &Resolver, now: Timestamp) -> Vec<Said> {
    let mut lines = Vec::new();
    for path in FILES {
        let Ok(bytes) = files.tail(Path::new(path), TAIL) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        lines.extend(text.lines().filter_map(|line| said(line, path, now)));
    }
    lines
}

fn said(line: &str, source: &str, now: Timestamp) -> Option<Said> {
    let text = Text::clean(&mask::text(line)).non_empty()?;
    Some(Said {
        at: time(line, now),
        text,
        source: Text::clean(source),
    })
}

/// When a line was written, in the forms of journals, syslog daemons, containerd and klog.
fn time(line: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some((_, rest)) = line.split_once("time=\"")
        && let Some((time, _)) = rest.split_once('"')
        && let Ok(time) = time.parse()
    {
        return Some(time);
    }
    let first = line.split(' ').next()?;
    if let Some((seconds, micros)) = first.split_once('.')
        && let (Ok(seconds), Ok(micros)) = (seconds.parse(), micros.parse::<i32>())
    {
        return Timestamp::new(seconds, micros.checked_mul(1000)?).ok();
    }
    first.parse().ok().or_else(|| klog(line, now))
}

/// `E1120 10:00:00.123456 ...`: without a year, and taken as UTC.
fn klog(line: &str, now: Timestamp) -> Option<Timestamp> {
    let mut words = line.split_whitespace();
    let (date, clock) = (words.next()?, words.next()?);
    let date = date.strip_prefix(['I', 'W', 'E', 'F'])?;
    let (month, day) = (date.get(..2)?, date.get(2..4)?);
    let year = now.to_zoned(TimeZone::UTC).year();
    let of_year = |year: i16| {
        let text = format!("{year:04}-{month}-{day}T{clock}");
        let time: DateTime = text.parse().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let time = of_year(year)?;
    // Written before the turn of the year.
    if time.as_second() > now.as_second() + 86_400 {
        return of_year(year - 1);
    }
    Some(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "1700000000.123456 worker kubelet[1]: E1114 x",
        Some("2023-11-14T22:13:20.123456Z")
    )]
    #[case(
        "time=\"2026-11-20T10:00:00.5Z\" level=info msg=\"StopContainer\"",
        Some("2026-11-20T10:00:00.5Z")
    )]
    #[case(
        "2026-11-20T10:00:00.5+01:00 worker kubelet[1]: x",
        Some("2026-11-20T09:00:00.5Z")
    )]
    #[case(
        "E1120 10:00:00.123456    1 pod_workers.go:1] x",
        Some("2026-11-20T10:00:00.123456Z")
    )]
    #[case("I1231 23:59:59.000000    1 x.go:1] x", Some("2025-12-31T23:59:59Z"))]
    #[case("something else", None)]
    #[case("", None)]
    #[case("E1399 10:00:00 x", None)]
    fn times(#[case] line: &str, #[case] expected: Option<&str>) {
        let now = "2026-11-21T00:00:00Z".parse().unwrap();
        assert_eq!(
            time(line, now).map(|time| time.to_string()).as_deref(),
            expected
        );
    }

    #[test]
    fn nothing_to_read_says_so() {
        let empty = tempfile::tempdir().unwrap();
        let host = HostRoot::new(empty.path()).unwrap();
        let why = read(&host, Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(
            why.as_str().contains("there is no /var/log/kubelet.log"),
            "{why}"
        );
    }

    #[test]
    fn secrets_in_lines_are_masked() {
        let line = said(
            "x postgres://api:hunter2@db/shop",
            "f",
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        assert!(!line.text.as_str().contains("hunter2"), "{line:?}");
    }
}
