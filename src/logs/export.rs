//! Saving what a view of logs shows: into a new file that nobody else can read, never over or
//! through anything that is there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::print::{Printer, Select, Source, Style};
use super::sift::Sift;
use super::viewer::Whose;
use super::viewer::sources::Sources;
use crate::access::WriteGrant;
use crate::format::bytes;
use crate::host::open::HostRoot;
use crate::text::Text;

/// How often progress is told.
const TELL: Duration = Duration::from_millis(200);
/// Written at once.
const BUFFER: usize = 256 << 10;

/// What to save, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Whose logs.
    pub whose: Whose,
    /// Which lines.
    pub sift: Sift,
    /// Only lines since then.
    pub since: Option<Timestamp>,
    /// With the time before each line.
    pub timestamps: bool,
}

/// Breaks an export off when it is set.
pub type Stop = Arc<AtomicBool>;

/// Counts what is written, tells of it, and stops when asked to.
struct Counted<'a> {
    file: BufWriter<File>,
    written: u64,
    lines: u64,
    told: Instant,
    tell: &'a dyn Fn(String),
    stop: &'a Stop,
}

impl Write for Counted<'_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("stopped"));
        }
        self.file.write_all(part)?;
        self.written += part.len() as u64;
        self.lines += memchr::memchr_iter(b'\n', part).count() as u64;
        if self.told.elapsed() >= TELL {
            self.told = Instant::now();
            (self.tell)(format!(
                "saving: {} lines, {}; ^s stops it",
                self.lines,
                bytes(self.written)
            ));
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Export {
    /// Saves it to the new file `path`, telling of progress; what came of it, in one line. Blocks.
    /// Writes a file, so it demands the grant.
    pub fn save(
        &self,
        path: &Path,
        _: &WriteGrant,
        host: &HostRoot,
        stop: &Stop,
        tell: &dyn Fn(String),
    ) -> Result<Text, Text> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let shown = path.display();
        let saved = match create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(format!(
                "not saved: {shown} is there already, and nothing is overwritten"
            )),
            Err(error) => Err(format!("not saved: {shown} cannot be made: {error}")),
            Ok(file) => {
                let mut out = Counted {
                    file: BufWriter::with_capacity(BUFFER, file),
                    written: 0,
                    lines: 0,
                    told: Instant::now(),
                    tell,
                    stop,
                };
                let result = self.print(host, &mut out);
                let result = result.and_then(|()| out.flush());
                // The disk may turn out to be full only now.
                let result = result.and_then(|()| out.file.get_ref().sync_all());
                let size = bytes(out.written);
                let lines = out.lines;
                match result {
                    Ok(()) => Ok(format!("saved {lines} lines, {size}, to {shown}")),
                    Err(error) => Err(format!(
                        "saving ended early ({error}): a part, {size}, is in {shown}"
                    )),
                }
            }
        };
        saved
            .map(|line| Text::clean(&line))
            .map_err(|line| Text::clean(&line))
    }

    /// Writes it as text that is safe to show. Blocks.
    pub fn print(&self, host: &HostRoot, out: &mut dyn Write) -> io::Result<()> {
        let mut sources = Sources::new(host.clone(), self.whose.clone());
        sources.look();
        let all: Vec<Source> = sources
            .logs
            .into_iter()
            .map(|log| Source {
                name: [
                    self.whose.namespace.to_string(),
                    self.whose.pod.to_string(),
                    log.name.to_string(),
                ],
                timeline: log.timeline,
            })
            .collect();
        if let (true, Some((_, why))) = (all.is_empty(), sources.missing.first()) {
            return Err(io::Error::other(why.to_string()));
        }
        let mut printer = Printer {
            select: Select {
                since: self.since,
                until: None,
                tail: None,
                stream: self.sift.stream,
                pattern: self
                    .sift
                    .pattern
                    .as_ref()
                    .map(|sought| sought.pattern().clone()),
                context: self.sift.context,
            },
            style: Style {
                timestamps: self.timestamps,
                json: false,
                // Whoever looks at it later does so in a terminal.
                sanitise: true,
                prefix: all.len() > 1,
            },
            out,
            note: &mut |_| {},
            over: &|| false,
        };
        printer.print(&all)
    }
}

/// A new file, for its owner alone. What is there already is neither followed nor touched.
pub fn create(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use crate::logs::Sought;
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    struct Case {
        temp: tempfile::TempDir,
        export: Export,
        path: PathBuf,
    }

    fn case(lines: &str) -> Case {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("var/log/pods/shop_web_u1/app");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("0.log"), lines).unwrap();
        let export = Export {
            whose: Whose {
                namespace: "shop".into(),
                pod: "web".into(),
                uid: "u1".into(),
                container: Some("app".into()),
                known: vec![],
            },
            sift: Sift::default(),
            since: None,
            timestamps: false,
        };
        let path = temp.path().join("out.log");
        Case { temp, export, path }
    }

    const LINES: &str = "2026-11-20T10:00:00Z stdout F one\n\
                         2026-11-20T10:00:01Z stderr F two \u{1b}[2J\n\
                         2026-11-20T10:00:02Z stdout F three\n";

    fn save(case: &Case) -> String {
        let access = Access::decide(vec![]);
        let grant = access.grant().unwrap();
        let host = HostRoot::new(case.temp.path()).unwrap();
        let stop = Stop::default();
        let saved = case.export.save(&case.path, grant, &host, &stop, &|_| {});
        saved.unwrap_or_else(|line| line).to_string()
    }

    #[test]
    fn what_is_shown_is_saved_for_the_owner_alone() {
        let mut case = case(LINES);
        let line = save(&case);
        assert!(line.starts_with("saved 3 lines, 22B, to /"), "{line}");
        let saved = fs::read_to_string(&case.path).unwrap();
        assert_eq!(saved, "one\ntwo \\x1b[2J\nthree\n");
        let mode = fs::metadata(&case.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        case.path = case.temp.path().join("some.log");
        case.export.sift.pattern = Sought::parse("t").unwrap();
        case.export.timestamps = true;
        save(&case);
        let saved = fs::read_to_string(&case.path).unwrap();
        assert_eq!(saved.lines().count(), 2);
        assert!(saved.starts_with("2026-11-20T10:00:01Z two"), "{saved}");
    }

    #[test]
    fn lines_around_matches_are_saved_too() {
        let lines: Vec<String> = (0..20)
            .map(|n| format!("2026-11-20T10:00:{n:02}Z stdout F line {n}\n"))
            .collect();
        let mut case = case(&lines.concat());
        case.export.sift.pattern = Sought::parse("~line (4|6|15)$").unwrap();
        case.export.sift.context = 2;
        save(&case);
        let saved = fs::read_to_string(&case.path).unwrap();
        let numbers: Vec<&str> = saved
            .lines()
            .map(|line| line.trim_start_matches("line "))
            .collect();
        let expected = [
            "2", "3", "4", "5", "6", "7", "8", "13", "14", "15", "16", "17",
        ];
        assert_eq!(numbers, expected);
    }

    #[test]
    fn nothing_is_overwritten_and_no_link_is_followed() {
        let case = case(LINES);
        fs::write(&case.path, "mine").unwrap();
        assert!(save(&case).contains("nothing is overwritten"));
        assert_eq!(fs::read_to_string(&case.path).unwrap(), "mine");
        fs::remove_file(&case.path).unwrap();
        let elsewhere = case.temp.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, &case.path).unwrap();
        assert!(save(&case).starts_with("not saved: "));
        assert!(!elsewhere.exists());
    }

    #[test]
    fn what_cannot_be_saved_says_why() {
        let mut case = case(LINES);
        case.path = "/dev/full/x".into();
        assert!(save(&case).contains("cannot be made"));
        case.path = case.temp.path().join("out.log");
        case.export.whose.pod = "other".into();
        let line = save(&case);
        assert!(
            line.contains("does not exist") && line.contains("out.log"),
            "{line}"
        );
    }

    #[test]
    fn a_full_disk_names_the_part() {
        let case = case(LINES);
        // A device that is always full, in place of the new file.
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let stop = Stop::default();
        let mut out = Counted {
            file: BufWriter::with_capacity(BUFFER, file),
            written: 0,
            lines: 0,
            told: Instant::now(),
            tell: &|_| {},
            stop: &stop,
        };
        let host = HostRoot::new(case.temp.path()).unwrap();
        let result = case
            .export
            .print(&host, &mut out)
            .and_then(|()| out.flush());
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::StorageFull);
        stop.store(true, Ordering::Relaxed);
        assert!(case.export.print(&host, &mut out).is_err());
    }
}
