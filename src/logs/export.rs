//! Saving what a view of logs shows: into a new file that nobody else can read, never over or
//! through anything that is there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
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
    /// Which lines; neighbours of matches are left out.
    pub sift: Sift,
    /// Only lines since then.
    pub since: Option<Timestamp>,
    /// With the time before each line.
    pub timestamps: bool,
    /// The file to make.
    pub path: PathBuf,
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
    /// Saves it, telling of progress; what came of it, in one line. Blocks. Writes a file, so it
    /// demands the grant.
    pub fn save(
        &self,
        _: &WriteGrant,
        host: &HostRoot,
        stop: &Stop,
        tell: &dyn Fn(String),
    ) -> Text {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let shown = path.display();
        let line = match create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                format!("not saved: {shown} is there already, and nothing is overwritten")
            }
            Err(error) => format!("not saved: {shown} cannot be made: {error}"),
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
                    Ok(()) => format!("saved {lines} lines, {size}, to {shown}"),
                    Err(error) => {
                        format!("saving ended early ({error}): a part, {size}, is in {shown}")
                    }
                }
            }
        };
        Text::clean(&line)
    }

    fn print(&self, host: &HostRoot, out: &mut Counted<'_>) -> io::Result<()> {
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
fn create(path: &Path) -> io::Result<File> {
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

    struct Case {
        temp: tempfile::TempDir,
        export: Export,
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
            path: temp.path().join("out.log"),
        };
        Case { temp, export }
    }

    const LINES: &str = "2026-11-20T10:00:00Z stdout F one\n\
                         2026-11-20T10:00:01Z stderr F two \u{1b}[2J\n\
                         2026-11-20T10:00:02Z stdout F three\n";

    fn save(case: &Case) -> String {
        let access = Access::decide(vec![]);
        let grant = access.grant().unwrap();
        let host = HostRoot::new(case.temp.path()).unwrap();
        let line = case.export.save(grant, &host, &Stop::default(), &|_| {});
        line.to_string()
    }

    #[test]
    fn what_is_shown_is_saved_for_the_owner_alone() {
        let mut case = case(LINES);
        let line = save(&case);
        assert!(line.starts_with("saved 3 lines, 22B, to /"), "{line}");
        let saved = fs::read_to_string(&case.export.path).unwrap();
        assert_eq!(saved, "one\ntwo \\x1b[2J\nthree\n");
        let mode = fs::metadata(&case.export.path)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        case.export.path = case.temp.path().join("some.log");
        case.export.sift.pattern = Sought::parse("t").unwrap();
        case.export.timestamps = true;
        save(&case);
        let saved = fs::read_to_string(&case.export.path).unwrap();
        assert_eq!(saved.lines().count(), 2);
        assert!(saved.starts_with("2026-11-20T10:00:01Z two"), "{saved}");
    }

    #[test]
    fn nothing_is_overwritten_and_no_link_is_followed() {
        let case = case(LINES);
        fs::write(&case.export.path, "mine").unwrap();
        assert!(save(&case).contains("nothing is overwritten"));
        assert_eq!(fs::read_to_string(&case.export.path).unwrap(), "mine");
        fs::remove_file(&case.export.path).unwrap();
        let elsewhere = case.temp.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, &case.export.path).unwrap();
        assert!(save(&case).starts_with("not saved: "));
        assert!(!elsewhere.exists());
    }

    #[test]
    fn what_cannot_be_saved_says_why() {
        let mut case = case(LINES);
        case.export.path = "/dev/full/x".into();
        assert!(save(&case).contains("cannot be made"));
        case.export.path = case.temp.path().join("out.log");
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
