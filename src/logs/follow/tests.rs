//! Following against the files that runtimes and rotation leave, at any moment.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::host::open::HostRoot;
use crate::logs::{Timeline, Which};

struct Node {
    temp: TempDir,
    host: HostRoot,
    attempt: u32,
    rotations: u32,
    file: File,
}

type Lines = Vec<(u32, Vec<u8>)>;

impl Node {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir_all(temp.path().join("var/log/pods/a_b_c/d")).unwrap();
        let host = HostRoot::new(temp.path()).unwrap();
        let file = tempfile::tempfile().unwrap();
        let mut node = Self {
            temp,
            host,
            attempt: 0,
            rotations: 0,
            file,
        };
        node.open();
        node
    }

    fn path(&self) -> PathBuf {
        let name = format!("var/log/pods/a_b_c/d/{}.log", self.attempt);
        self.temp.path().join(name)
    }

    fn open(&mut self) {
        let mut options = OpenOptions::new();
        let options = options.append(true).create(true);
        self.file = options.open(self.path()).unwrap();
    }

    fn write(&mut self, bytes: &[u8]) {
        self.file.write_all(bytes).unwrap();
    }

    fn stamp(&mut self) -> PathBuf {
        self.rotations += 1;
        let mut name = self.path().into_os_string();
        name.push(format!(".20261120-{:06}", self.rotations));
        name.into()
    }

    fn rename(&mut self) {
        let to = self.stamp();
        fs::rename(self.path(), to).unwrap();
    }

    fn copy_and_truncate(&mut self) {
        let to = self.stamp();
        fs::copy(self.path(), to).unwrap();
        self.file.set_len(0).unwrap();
    }

    fn restart(&mut self) {
        self.attempt += 1;
        self.open();
    }

    fn timeline(&self) -> Timeline {
        let place = Place::of_container(&self.host, "a", "b", "c", "d").unwrap();
        Timeline::open(place, Which::All).unwrap()
    }

    fn whole(&self) -> Lines {
        let timeline = self.timeline();
        let files = timeline.files();
        let mut lines = Vec::new();
        let all = files.each(files.start(), files.end(), |entry| {
            let attempt = files.attempt(entry.at).unwrap();
            lines.push((attempt, entry.content.to_vec()));
            GO_ON
        });
        all.unwrap();
        lines
    }
}

struct Reader {
    timeline: Timeline,
    follower: Follower,
    attempt: u32,
    lines: Lines,
}

impl Reader {
    fn new(node: &Node) -> Self {
        let timeline = node.timeline();
        let follower = Follower::new(timeline.files(), timeline.files().start()).unwrap();
        Self {
            timeline,
            follower,
            attempt: 0,
            lines: Vec::new(),
        }
    }

    fn poll(&mut self) {
        self.timeline.refresh().unwrap();
        let (attempt, lines) = (&mut self.attempt, &mut self.lines);
        let read = self.follower.read(self.timeline.files(), |news| {
            match news {
                News::Line(entry) => lines.push((*attempt, entry.content.to_vec())),
                News::Attempt(number) => *attempt = number,
            }
            GO_ON
        });
        read.unwrap();
    }

    fn finish(mut self) -> Lines {
        // A file that was replaced gets one more look before it is left.
        for _ in 0..3 {
            self.poll();
        }
        let (mut attempt, mut lines) = (self.attempt, self.lines);
        let files = self.timeline.files();
        let finished = self.follower.finish(files, |news| {
            match news {
                News::Line(entry) => lines.push((attempt, entry.content.to_vec())),
                News::Attempt(number) => attempt = number,
            }
            GO_ON
        });
        finished.unwrap();
        lines
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<u8>),
    Line(Vec<u8>),
    Rename,
    Reopen,
    CopyTruncate,
    Restart,
    Poll,
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let chunk = prop_oneof![
        Just(b"2026-11-20T10:00:00.5Z stdout F ".to_vec()),
        Just(b"2026-11-20T10:00:00.5Z stdout P ".to_vec()),
        Just(b"2026-11-20T10:00:00.5Z stderr P ".to_vec()),
        Just(
            b"{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T10:00:00.5Z\"}\n"
                .to_vec()
        ),
        Just(b"\n".to_vec()),
        Just(b"\0\xff\r".to_vec()),
        "[a-z ]{0,12}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(chunk, 0..6).prop_map(|chunks| chunks.concat())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => bytes().prop_map(Step::Write),
        4 => bytes().prop_map(Step::Line),
        3 => Just(Step::Poll),
        2 => Just(Step::Rename),
        2 => Just(Step::Reopen),
        1 => Just(Step::CopyTruncate),
        1 => Just(Step::Restart),
    ]
}

/// Runs `steps`; a number in each line keeps files apart that would otherwise be equal.
fn run(steps: &[Step], copies: bool) -> (Lines, Lines) {
    let mut node = Node::new();
    let mut reader = Reader::new(&node);
    let mut renamed = false;
    for (number, step) in steps.iter().enumerate() {
        match step {
            Step::Write(bytes) => node.write(bytes),
            Step::Line(bytes) => {
                let head = format!("2026-11-20T10:00:00.{number:09}Z stdout F {number} ");
                node.write(&[head.as_bytes(), bytes, b"\n"].concat());
            }
            Step::Rename if !renamed && !copies => {
                node.rename();
                renamed = true;
            }
            Step::Reopen | Step::Restart if renamed => {
                node.open();
                renamed = false;
            }
            Step::CopyTruncate if copies => {
                // Without a line of its own a file says nothing about whose it is.
                node.write(format!("\n2026-11-20T10:00:00.{number:09}Z stderr F cut\n").as_bytes());
                node.copy_and_truncate();
                // Nor can one that grows again to the very bytes it had be told from itself.
                node.write(format!("2026-11-20T10:00:00.{number:09}Z stderr F anew\n").as_bytes());
            }
            Step::Restart => node.restart(),
            Step::Poll => reader.poll(),
            Step::Rename | Step::Reopen | Step::CopyTruncate => {}
        }
    }
    (reader.finish(), node.whole())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn following_yields_the_lines_of_a_whole_read(
        steps in proptest::collection::vec(step(), 0..30),
        copies in any::<bool>(),
    ) {
        let (followed, whole) = run(&steps, copies);
        prop_assert_eq!(followed, whole);
    }
}

#[test]
fn what_is_written_to_a_file_after_it_was_replaced_is_not_lost() {
    let mut node = Node::new();
    node.write(b"2026-11-20T10:00:00Z stdout F one\n");
    let mut reader = Reader::new(&node);
    reader.poll();
    node.rename();
    let mut old = node.file.try_clone().unwrap();
    node.open();
    node.write(b"2026-11-20T10:00:02Z stdout F three\n");
    reader.poll();
    old.write_all(b"2026-11-20T10:00:01Z stdout F two\n")
        .unwrap();
    reader.poll();
    old.write_all(b"2026-11-20T10:00:01Z stdout F late\n")
        .unwrap();
    reader.poll();
    let lines: Vec<_> = reader.finish().into_iter().map(|line| line.1).collect();
    assert_eq!(lines, [&b"one"[..], b"two", b"three", b"late"]);
}

#[test]
fn a_file_that_is_deleted_and_made_again_goes_on() {
    let mut node = Node::new();
    node.write(b"2026-11-20T10:00:00Z stdout F one\n");
    let mut reader = Reader::new(&node);
    reader.poll();
    node.write(b"2026-11-20T10:00:00Z stdout F two\n");
    fs::remove_file(node.path()).unwrap();
    node.write(b"2026-11-20T10:00:00Z stdout F three\n");
    node.open();
    node.write(b"2026-11-20T10:00:00Z stdout F four\n");
    let lines: Vec<_> = reader.finish().into_iter().map(|line| line.1).collect();
    assert_eq!(lines, [&b"one"[..], b"two", b"three", b"four"]);
}

#[test]
fn a_truncated_file_without_a_copy_goes_on_and_says_so() {
    let mut node = Node::new();
    node.write(b"2026-11-20T10:00:00Z stdout F one\n");
    let mut reader = Reader::new(&node);
    reader.poll();
    node.file.set_len(0).unwrap();
    node.write(b"2026-11-20T10:00:01Z stdout F a line that is longer than what was there\n");
    assert!(reader.timeline.refresh().unwrap().lost);
    let lines: Vec<_> = reader
        .finish()
        .into_iter()
        .map(|line| line.1.len())
        .collect();
    assert_eq!(lines, [3, 41]);
}

#[test]
fn a_change_wakes_the_watch() {
    let mut node = Node::new();
    let mut watch = Watch::new(node.timeline().place());
    assert!(watch.inotify.is_some());
    assert!(!watch.wait(Duration::ZERO));
    node.write(b"x");
    assert!(watch.wait(Duration::from_secs(20)));
}
