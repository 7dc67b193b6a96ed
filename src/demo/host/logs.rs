//! Container logs, as the runtime writes them and the kubelet rotates them. Which line comes when
//! is a function of time; what is kept is how many have been written.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

use super::super::chance::Chance;
use super::super::profile::LogFormat;
use super::super::scenario::Log;
use super::super::tell::log_path;
use super::super::world::{Container, Id, World};
use super::{SECOND, make_parent};

/// Lines of the past that are there when the story begins, in the file and in each rotated one.
const PAST: i64 = 400;
/// The kubelet rotates at this size: `containerLogMaxSize` of its configuration.
const MAX_SIZE: u64 = 1 << 20;
/// And keeps so many files: `containerLogMaxFiles`.
const MAX_FILES: usize = 5;
/// A name in /var/log/containers is cut at this length, without its extension.
const MAX_NAME: usize = 251;

/// The log files of the node.
#[derive(Debug)]
pub(super) struct Logs {
    root: PathBuf,
    format: LogFormat,
    files: BTreeMap<Id, LogFile>,
}

#[derive(Debug)]
struct LogFile {
    /// Where the lines go.
    path: PathBuf,
    /// Other names of it, removed with it.
    links: Vec<PathBuf>,
    file: Option<File>,
    size: u64,
    script: Log,
    started: i64,
    /// Number of the next of the repeated lines.
    next: i64,
    done: bool,
}

impl Logs {
    pub(super) fn new(root: PathBuf, format: LogFormat) -> Self {
        Self {
            root,
            format,
            files: BTreeMap::new(),
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Writes what is due; makes the files of new containers, removes those of gone ones.
    pub(super) fn keep(
        &mut self,
        containers: &[&Container],
        world: &World,
        now: i64,
    ) -> io::Result<()> {
        self.files.retain(|id, file| {
            let there = world.containers.contains_key(id);
            if !there {
                file.remove();
            }
            there
        });
        self.write(containers, world, now)
    }

    /// Writes what is due of some containers.
    pub(super) fn write(
        &mut self,
        containers: &[&Container],
        world: &World,
        now: i64,
    ) -> io::Result<()> {
        for container in containers {
            if container.started == 0 || container.started > now {
                continue;
            }
            if !self.files.contains_key(&container.id) {
                let file = self.begin(container, world, now)?;
                self.files.insert(Id::clone(&container.id), file);
            }
            if let Some(file) = self.files.get_mut(&container.id) {
                file.keep(self.format, container, now)?;
            }
        }
        Ok(())
    }

    /// When the next line is due.
    pub(super) fn next(&self, now: i64) -> Option<i64> {
        let live = self.files.values().filter(|file| !file.done);
        let due = live.filter_map(|file| {
            let every = file.script.every?.0;
            Some(file.started + file.next.max(1) * every)
        });
        due.min().map(|at| at.max(now))
    }

    pub(super) fn reopen(&mut self, id: &Id) -> io::Result<()> {
        match self.files.get_mut(id) {
            Some(file) => file.open(),
            None => Ok(()),
        }
    }

    fn begin(&self, container: &Container, world: &World, now: i64) -> io::Result<LogFile> {
        let told = log_path(container, world).unwrap_or_default();
        let mut path = self.at(&told);
        let mut links = self.link_from_containers(container, world, &told)?;
        if self.format == LogFormat::DockerJson {
            let id = &container.id;
            let target = format!("/var/lib/docker/containers/{id}/{id}-json.log");
            links.push(link(&target, path)?);
            path = self.at(&target);
        }
        let mut file = LogFile {
            path,
            links,
            file: None,
            size: 0,
            script: container.spec.log.clone(),
            started: container.started,
            next: 1,
            done: false,
        };
        file.begin(self.format, now)?;
        Ok(file)
    }

    fn link_from_containers(
        &self,
        container: &Container,
        world: &World,
        told: &str,
    ) -> io::Result<Vec<PathBuf>> {
        let Some(pod) = world.pods.get(&container.pod) else {
            return Ok(Vec::new());
        };
        let (spec, name) = (&pod.spec, &container.spec.name);
        let mut base = format!("{}_{}_{name}-{}", spec.name, spec.namespace, container.id);
        base.truncate(MAX_NAME);
        let at = self.at(&format!("/var/log/containers/{base}.log"));
        Ok(vec![link(told, at)?])
    }
}

/// Makes a link at `at` to the node's `target`, unless something is there.
fn link(target: &str, at: PathBuf) -> io::Result<PathBuf> {
    make_parent(&at)?;
    match symlink(target, &at) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(at),
    }
}

impl LogFile {
    /// Writes the beginning, or, if that is long ago, the last lines of the past and up to two
    /// rotated files before them.
    fn begin(&mut self, format: LogFormat, now: i64) -> io::Result<()> {
        let due = self.due(now);
        self.open()?;
        if due > PAST {
            let files = ((due - 1) / PAST).min(3);
            self.next = due - files * PAST;
            let every = self.script.every.map_or(0, |every| every.0);
            for left in (1..files).rev() {
                self.write_until(format, due - left * PAST)?;
                self.rotate(self.started + (due - left * PAST) * every)?;
            }
        } else {
            let mut out = Vec::new();
            for (nth, text) in (0..).zip(&self.script.first) {
                push(&mut out, format, self.started + nth * SECOND / 50, text);
            }
            self.append(&out)?;
        }
        Ok(())
    }

    /// Number of repeated lines that should have come until `at`.
    fn due(&self, at: i64) -> i64 {
        let Some(every) = self.script.every.filter(|every| every.0 > 0) else {
            return 0;
        };
        if self.script.lines.is_empty() {
            return 0;
        }
        (at - self.started) / every.0 + 1
    }

    fn keep(&mut self, format: LogFormat, container: &Container, now: i64) -> io::Result<()> {
        if self.done {
            return Ok(());
        }
        let end = container.ended().map(|end| end.at);
        self.write_until(format, self.due(end.unwrap_or(now).min(now)))?;
        if self.size > MAX_SIZE && end.is_none() {
            self.rotate(now)?;
        }
        if let Some(end) = end {
            self.done = true;
            let mut out = Vec::new();
            for text in &self.script.last {
                push(&mut out, format, end - SECOND / 100, text);
            }
            self.append(&out)?;
            self.file = None;
        }
        Ok(())
    }

    fn write_until(&mut self, format: LogFormat, due: i64) -> io::Result<()> {
        let every = self.script.every.map_or(0, |every| every.0);
        let mut out = Vec::new();
        while self.next < due {
            let at = self.started + self.next * every;
            let count = i64::try_from(self.script.lines.len()).unwrap_or(1).max(1);
            let line = usize::try_from(self.next % count).unwrap_or(0);
            if let Some(text) = self.script.lines.get(line) {
                push(&mut out, format, at, &filled(text, self.next));
            }
            self.next += 1;
        }
        self.append(&out)
    }

    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if self.file.is_none() {
            self.open()?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(text)?;
            self.size += text.len() as u64;
        }
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        make_parent(&self.path)?;
        let mut options = OpenOptions::new();
        let file = options
            .append(true)
            .create(true)
            .mode(0o640)
            .open(&self.path)?;
        self.size = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    /// What the kubelet does with a log that has grown: it renames it and has it reopened.
    fn rotate(&mut self, at: i64) -> io::Result<()> {
        let mut name = self.path.clone().into_os_string();
        name.push(stamp(at));
        fs::rename(&self.path, name)?;
        let rotated = self.rotated();
        let surplus = (rotated.len() + 1).saturating_sub(MAX_FILES);
        for old in &rotated[..surplus] {
            fs::remove_file(old)?;
        }
        // All but the newest, which may still be written to.
        for old in rotated[surplus..].iter().rev().skip(1) {
            compress(old)?;
        }
        self.open()
    }

    /// The rotated files, oldest first.
    fn rotated(&self) -> Vec<PathBuf> {
        let prefix = self.path.file_name().unwrap_or_default().to_string_lossy();
        let parent = self.path.parent().unwrap_or(Path::new("/"));
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries
            .filter(|entry| {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                name.len() > prefix.len() && name.starts_with(prefix.as_ref())
            })
            .map(|entry| entry.path())
            .collect();
        found.sort();
        found
    }

    fn remove(&self) {
        // The kubelet's clean-up: what is gone already needs no removing.
        for path in self.rotated().iter().chain(&self.links).chain([&self.path]) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Replaces a file by a gzipped one, as the kubelet does.
fn compress(path: &Path) -> io::Result<()> {
    if path.extension().is_some_and(|extension| extension == "gz") {
        return Ok(());
    }
    let mut name = path.to_owned().into_os_string();
    name.push(".gz");
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create_new(true)
        .mode(0o640)
        .open(name)?;
    let mut gz = GzEncoder::new(file, Compression::fast());
    gz.write_all(&fs::read(path)?)?;
    gz.finish()?;
    fs::remove_file(path)
}

/// Suffix of a rotated file: `.20261120-101112`.
fn stamp(at: i64) -> String {
    let at = Timestamp::from_nanosecond(i128::from(at)).unwrap_or_default();
    at.strftime(".%Y%m%d-%H%M%S").to_string()
}

/// A line's text with its blanks filled in, the same for the same number.
fn filled(text: &str, number: i64) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let mut chance = Chance::new(number.unsigned_abs());
    text.replace("{n}", &number.to_string())
        .replace("{ms}", &(10 + chance.below(90)).to_string())
        .replace("{id}", &chance.hex(8))
}

/// Appends one line as the runtime writes it. `2>` at its beginning means standard error.
fn push(out: &mut Vec<u8>, format: LogFormat, at: i64, text: &str) {
    let (stream, text) = match text.strip_prefix("2>") {
        Some(text) => ("stderr", text),
        None => ("stdout", text),
    };
    let at = Timestamp::from_nanosecond(i128::from(at)).unwrap_or_default();
    // Writing to a Vec cannot fail.
    let _ = match format {
        LogFormat::Cri => chunks(out, &format!("{at}"), stream, text, 16_384),
        LogFormat::Conmon => {
            let at = format!("{at:.9}").replace('Z', "+00:00");
            chunks(out, &at, stream, text, 8_192)
        }
        LogFormat::DockerJson => {
            let log = serde_json::Value::String(format!("{text}\n"));
            writeln!(
                out,
                "{{\"log\":{log},\"stream\":\"{stream}\",\"time\":\"{at}\"}}"
            )
        }
    };
}

/// A line in chunks of at most `size` bytes, cut anywhere: partial ones, then a full one.
fn chunks(out: &mut Vec<u8>, at: &str, stream: &str, text: &str, size: usize) -> io::Result<()> {
    let mut chunks = text.as_bytes().chunks(size).peekable();
    if text.is_empty() {
        return writeln!(out, "{at} {stream} F ");
    }
    while let Some(chunk) = chunks.next() {
        let tag = if chunks.peek().is_some() { 'P' } else { 'F' };
        write!(out, "{at} {stream} {tag} ")?;
        out.write_all(chunk)?;
        out.push(b'\n');
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(LogFormat::Cri, "hello", "2026-11-20T10:00:00.5Z stdout F hello\n")]
    #[case(LogFormat::Cri, "2>oh", "2026-11-20T10:00:00.5Z stderr F oh\n")]
    #[case(
        LogFormat::Conmon,
        "hello",
        "2026-11-20T10:00:00.500000000+00:00 stdout F hello\n"
    )]
    #[case(
        LogFormat::DockerJson,
        "2>say \"hi\"",
        "{\"log\":\"say \\\"hi\\\"\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-20T10:00:00.5Z\"}\n"
    )]
    fn lines_as_each_runtime_writes_them(
        #[case] format: LogFormat,
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        let at: Timestamp = "2026-11-20T10:00:00.5Z".parse().expect("a time");
        let mut out = Vec::new();
        push(
            &mut out,
            format,
            i64::try_from(at.as_nanosecond()).expect("it fits"),
            text,
        );
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn rotated_files_are_compressed_but_for_the_newest_and_five_are_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = LogFile {
            path: folder.path().join("0.log"),
            links: Vec::new(),
            file: None,
            size: 0,
            script: Log::default(),
            started: 0,
            next: 0,
            done: false,
        };
        for day in 0..6 {
            file.append(b"a line\n").expect("it is written");
            file.rotate(day * 86_400 * SECOND).expect("it rotates");
        }
        let names = file.rotated().into_iter();
        let names: Vec<_> = names
            .filter_map(|path| path.file_name().map(ToOwned::to_owned))
            .collect();
        let expected = [
            "0.log.19700103-000000.gz",
            "0.log.19700104-000000.gz",
            "0.log.19700105-000000.gz",
            "0.log.19700106-000000",
        ];
        assert_eq!(names, expected);
        let mut text = String::new();
        let gz = File::open(folder.path().join(expected[0])).expect("it is there");
        io::Read::read_to_string(&mut flate2::read::GzDecoder::new(gz), &mut text)
            .expect("it is gzip");
        assert_eq!(text, "a line\n");
    }

    #[rstest]
    #[case(16_384, 1)]
    #[case(16_385, 2)]
    #[case(40_000, 3)]
    fn long_lines_come_in_chunks(#[case] length: usize, #[case] expected: usize) {
        let mut out = Vec::new();
        push(&mut out, LogFormat::Cri, 0, &"x".repeat(length));
        let out = String::from_utf8(out).expect("it is text");
        assert_eq!(out.lines().count(), expected);
        let partial = out
            .lines()
            .filter(|line| line.contains(" stdout P "))
            .count();
        assert_eq!(partial, expected - 1);
    }
}
