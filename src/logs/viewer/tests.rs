use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::logs::scan::Pos;
use crate::logs::weave::{Woven, weave};
use crate::logs::{Files, Place, Stream, Timeline, Which};

/// Reached only by a failure.
const LONG: Duration = Duration::from_secs(20);
const POD: &str = "var/log/pods/shop_web_u1";

struct Node {
    temp: TempDir,
    host: HostRoot,
}

impl Node {
    fn new(containers: &[&str]) -> Self {
        let temp = tempfile::tempdir().unwrap();
        for container in containers {
            fs::create_dir_all(temp.path().join(POD).join(container)).unwrap();
        }
        let host = HostRoot::new(temp.path()).unwrap();
        Self { temp, host }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(POD).join(name)
    }

    /// Appends `SECOND STREAM TEXT` lines.
    fn write(&self, name: &str, lines: &[(u32, &str, &str)]) {
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .open(self.path(name))
            .unwrap();
        for (second, stream, text) in lines {
            let (minutes, seconds) = (second / 60, second % 60);
            writeln!(
                file,
                "2026-11-20T10:{minutes:02}:{seconds:02}Z {stream} F {text}"
            )
            .unwrap();
        }
    }

    fn viewer(&self, container: Option<&str>) -> Watched {
        let whose = Whose {
            namespace: "shop".into(),
            pod: "web".into(),
            uid: "u1".into(),
            container: container.map(Text::from),
            known: vec![],
        };
        let (tell, told) = channel();
        let tell = move || {
            let _ = tell.send(());
        };
        Watched {
            viewer: Viewer::start(self.host.clone(), whose, tell).unwrap(),
            told,
            ticket: 0,
            status: Status::default(),
            tally: None,
        }
    }
}

/// A viewer and its user.
struct Watched {
    viewer: Viewer,
    told: Receiver<()>,
    ticket: u64,
    status: Status,
    tally: Option<Tally>,
}

impl Watched {
    fn ask(&mut self, to: To, change: impl FnOnce(&mut Request)) -> Window {
        self.ticket += 1;
        let mut request = Request {
            ticket: self.ticket,
            to,
            most: 50,
            follow: false,
            numbers: true,
            sift: Sift::default(),
            since: None,
            search: None,
            fields: Fields::default(),
        };
        change(&mut request);
        self.viewer.ask(request);
        self.until(|_| true)
    }

    /// Waits for a window that answers the last question.
    fn until(&mut self, wanted: impl Fn(&Window) -> bool) -> Window {
        let end = Instant::now() + LONG;
        loop {
            let ticket = self.ticket;
            let found = self.news().filter(|w| w.ticket == ticket && wanted(w));
            if let Some(window) = found {
                return window;
            }
            self.wait(end);
        }
    }

    fn until_status(&mut self, wanted: impl Fn(&Status) -> bool) {
        let end = Instant::now() + LONG;
        while !wanted(&self.status) {
            self.wait(end);
            self.news();
        }
    }

    fn until_counted(&mut self) -> u64 {
        let end = Instant::now() + LONG;
        loop {
            if let Some(tally) = self.tally.filter(|tally| tally.complete) {
                return tally.matches;
            }
            self.wait(end);
            self.news();
        }
    }

    fn news(&mut self) -> Option<Window> {
        let news = self.viewer.news();
        self.status = news.status.unwrap_or_else(|| self.status.clone());
        self.tally = news.tally.or(self.tally);
        news.window
    }

    fn wait(&self, end: Instant) {
        let left = end.saturating_duration_since(Instant::now());
        self.told.recv_timeout(left).expect("it did not come");
    }
}

fn texts(window: &Window) -> Vec<&str> {
    window.lines.iter().map(|line| line.text.as_str()).collect()
}

fn sought(text: &str) -> Option<Sought> {
    Sought::parse(text).unwrap()
}

#[test]
fn the_end_is_followed_through_rotation_and_into_the_next_attempt() {
    let node = Node::new(&["app"]);
    node.write("app/0.log", &[(1, "stdout", "one")]);
    let mut watched = node.viewer(Some("app"));
    let window = watched.ask(To::End, |request| request.follow = true);
    assert_eq!(texts(&window), ["one"]);
    assert!(window.from_start && window.to_end);
    node.write("app/0.log", &[(2, "stderr", "two")]);
    watched.until(|window| texts(window) == ["one", "two"]);
    fs::rename(
        node.path("app/0.log"),
        node.path("app/0.log.20261120-100003"),
    )
    .unwrap();
    node.write("app/0.log", &[(3, "stdout", "three")]);
    watched.until(|window| texts(window) == ["one", "two", "three"]);
    node.write("app/1.log", &[(9, "stdout", "again")]);
    let window = watched.until(|window| texts(window).len() == 4);
    let attempts: Vec<u32> = window.lines.iter().map(|line| line.attempt).collect();
    assert_eq!(attempts, [0, 0, 0, 1]);
}

#[test]
fn what_is_missing_is_told_and_looked_for_again() {
    let node = Node::new(&[]);
    let mut watched = node.viewer(Some("app"));
    let window = watched.ask(To::End, |request| request.follow = true);
    assert!(window.lines.is_empty());
    watched.until_status(|status| {
        let told = |why: &Text| why.as_str().contains("does not exist");
        status.missing.iter().any(|(_, why)| told(why))
    });
    fs::create_dir_all(node.path("app")).unwrap();
    node.write("app/0.log", &[(1, "stdout", "here")]);
    watched.until(|window| texts(window) == ["here"]);
}

#[test]
fn what_is_no_file_hangs_nobody() {
    let node = Node::new(&["app", "fifo"]);
    node.write("app/0.log", &[(1, "stdout", "here")]);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        node.path("fifo/0.log"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    fs::create_dir_all(node.path("folder/0.log")).unwrap();
    let mut watched = node.viewer(None);
    let window = watched.ask(To::End, |_| {});
    assert_eq!(texts(&window), ["here"]);
    watched.until_status(|status| status.missing.len() == 2);
}

#[test]
fn a_file_of_a_tebibyte_of_nothing_is_no_trouble() {
    let node = Node::new(&["app"]);
    let file = fs::File::create(node.path("app/0.log")).unwrap();
    file.set_len(1 << 40).unwrap();
    node.write("app/0.log", &[(1, "stdout", "the end")]);
    let mut watched = node.viewer(Some("app"));
    let window = watched.ask(To::End, |request| request.most = 3);
    assert!(!window.lines.is_empty());
    let kept = window
        .lines
        .iter()
        .map(|line| line.text.as_str().len())
        .max();
    assert!(kept.unwrap() < 64 << 10);
    // What would take minutes is broken off by the next question.
    let time = "2026-11-20T10:00:00Z".parse().ok();
    watched.ticket += 1;
    let endless = Request {
        ticket: watched.ticket,
        to: To::Start,
        most: 3,
        follow: false,
        numbers: true,
        sift: Sift::default(),
        since: time,
        search: sought("never"),
        fields: Fields::default(),
    };
    watched.viewer.ask(endless);
    let window = watched.ask(To::End, |request| request.most = 3);
    assert!(!window.lines.is_empty());
    assert_eq!(watched.status.lines, None);
}

#[test]
fn all_containers_of_a_pod_are_merged_by_time() {
    let node = Node::new(&["app", "side"]);
    node.write("app/0.log", &[(1, "stdout", "a1"), (4, "stdout", "a4")]);
    node.write(
        "side/0.log",
        &[
            (2, "stdout", "s2"),
            (3, "stdout", "s3"),
            (5, "stderr", "s5"),
        ],
    );
    let mut watched = node.viewer(None);
    let window = watched.ask(To::Start, |_| {});
    assert_eq!(texts(&window), ["a1", "s2", "s3", "a4", "s5"]);
    assert_eq!(window.names, ["app", "side"]);
    let window = watched.ask(To::Time("2026-11-20T10:00:03Z".parse().unwrap()), |_| {});
    assert_eq!(window.lines[2].id, window.focus.unwrap());
    assert_eq!(texts(&window)[2], "s3");
    let window = watched.ask(To::End, |request| {
        request.sift.stream = Some(Stream::Stderr);
    });
    assert_eq!(texts(&window), ["s5"]);
    let window = watched.ask(To::End, |request| {
        request.since = "2026-11-20T10:00:04Z".parse().ok();
    });
    assert_eq!(texts(&window), ["a4", "s5"]);
}

#[test]
fn matches_are_found_in_turn_and_counted() {
    let node = Node::new(&["app", "side"]);
    node.write("app/0.log", &[(1, "stdout", "Hit 1"), (3, "stdout", "no")]);
    node.write(
        "side/0.log",
        &[(2, "stdout", "hit 2"), (4, "stdout", "hit 4")],
    );
    let mut watched = node.viewer(None);
    let first = watched.ask(To::Start, |_| {}).lines[0].clone();
    let (mut line, mut seen) = (first, vec![]);
    for (back, note) in [(false, false), (false, false), (false, true), (true, false)] {
        let to = To::Match {
            spot: line.spot.clone(),
            line: line.id,
            back,
        };
        let window = watched.ask(to, |request| request.search = sought("hit"));
        assert_eq!(window.note.is_some(), note, "{:?}", window.note);
        let focus = window.focus.unwrap();
        line = window
            .lines
            .into_iter()
            .find(|line| line.id == focus)
            .unwrap();
        seen.push(line.text.to_string());
    }
    assert_eq!(seen, ["hit 2", "hit 4", "hit 4", "hit 2"]);
    assert_eq!(watched.until_counted(), 3);
    node.write("app/0.log", &[(5, "stdout", "hit 5"), (6, "stdout", "no")]);
    let end = Instant::now() + LONG;
    while watched.tally.is_none_or(|tally| tally.matches < 4) {
        watched.wait(end);
        watched.news();
    }
}

#[test]
fn a_filter_shows_neighbours_too() {
    let node = Node::new(&["app"]);
    let numbers: Vec<String> = (0..40).map(|n| format!("line {n}")).collect();
    let lines: Vec<_> = (0_u32..)
        .zip(&numbers)
        .map(|(n, text)| (n, "stdout", &**text))
        .collect();
    node.write("app/0.log", &lines);
    let mut watched = node.viewer(Some("app"));
    let window = watched.ask(To::End, |request| {
        request.sift.pattern = sought("~line [12]0");
        request.sift.context = 1;
    });
    let expected = [
        "line 9", "line 10", "line 11", "line 19", "line 20", "line 21",
    ];
    assert_eq!(texts(&window), expected);
    let matched: Vec<bool> = window.lines.iter().map(|line| line.matched).collect();
    assert_eq!(matched, [false, true, false, false, true, false]);
}

#[test]
fn attempts_are_gone_through() {
    let node = Node::new(&["app"]);
    node.write("app/3.log", &[(1, "stdout", "a"), (2, "stdout", "b")]);
    node.write("app/4.log", &[(3, "stdout", "c"), (4, "stdout", "d")]);
    let mut watched = node.viewer(Some("app"));
    let line = watched.ask(To::End, |_| {}).lines[3].clone();
    let focus = |window: Window| {
        let focus = window.focus.unwrap();
        let line = window.lines.into_iter().find(|line| line.id == focus);
        (line.unwrap(), window.note)
    };
    let mut go = |line: &Line, older| {
        let to = To::Attempt {
            spot: line.spot.clone(),
            line: line.id,
            older,
        };
        focus(watched.ask(to, |_| {}))
    };
    let (line, _) = go(&line, true);
    assert_eq!((line.text.as_str(), line.attempt), ("b", 3));
    let (stayed, told) = go(&line, true);
    assert_eq!((stayed.id, told.is_some()), (line.id, true));
    let (line, _) = go(&line, false);
    assert_eq!(line.text, "c");
}

#[test]
fn lines_have_numbers_and_shares() {
    let node = Node::new(&["app"]);
    let text = "x".repeat(100);
    let lines: Vec<_> = (0..1000).map(|_| (1, "stdout", &*text)).collect();
    node.write("app/0.log", &lines);
    let mut watched = node.viewer(Some("app"));
    watched.ask(To::End, |_| {});
    watched.until_status(|status| status.lines == Some(1000));
    let window = watched.ask(To::Number(499), |_| {});
    assert_eq!(window.first_number, Some(449));
    let half = window.focus;
    let window = watched.ask(To::Share(4990), |_| {});
    assert_eq!(window.focus, half);
}

#[test]
fn a_dropped_viewer_ends() {
    let node = Node::new(&["app"]);
    node.write("app/0.log", &[(1, "stdout", "one")]);
    let watched = node.viewer(Some("app"));
    let Watched { viewer, told, .. } = watched;
    drop(viewer);
    let end = Instant::now() + LONG;
    loop {
        // Its end drops what it would tell through.
        match told.recv_timeout(LONG) {
            Ok(()) => assert!(Instant::now() < end),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => panic!("it did not end"),
        }
    }
}

/// What a source holds: for each line its second (often out of order), stream and text; the
/// attempt goes up at times, and lines come in chunks.
type Written = Vec<(u32, bool, u8, bool)>;

fn open(node: &Node, container: &str, written: &Written) -> Timeline {
    let mut attempt = 0;
    for (nth, (second, stderr, kind, restart)) in written.iter().enumerate() {
        attempt += u32::from(*restart);
        let stream = if *stderr { "stderr" } else { "stdout" };
        let text = format!("{container}{nth} kind{kind}");
        node.write(
            &format!("{container}/{attempt}.log"),
            &[(*second, stream, &text)],
        );
    }
    if written.is_empty() {
        node.write(&format!("{container}/0.log"), &[]);
    }
    let place = Place::of_container(&node.host, "shop", "web", "u1", container).unwrap();
    Timeline::open(place, Which::All).unwrap()
}

fn walk(logs: &[&Files], sift: &Sift, most: usize, back: bool) -> Vec<(LineId, String, bool)> {
    let begin: Vec<Pos> = logs
        .iter()
        .map(|f| if back { f.end() } else { f.start() })
        .collect();
    let (mut spot, mut seen, mut rounds) = (begin, Vec::new(), 0);
    loop {
        let room = if back { (most, 0) } else { (0, most) };
        let Woven {
            lines,
            from_start,
            to_end,
            ..
        } = weave(logs, sift, &spot, &[], room, &|| true).unwrap();
        let over = if back { from_start } else { to_end };
        let next = if back { lines.first() } else { lines.last() };
        if let Some(next) = next {
            spot = next.spot.to_vec();
            if !back {
                spot[next.id.source] = next.end;
            }
        }
        let page = lines
            .into_iter()
            .map(|line| (line.id, line.text.to_string(), line.matched));
        if back {
            seen.splice(0..0, page);
        } else {
            seen.extend(page);
        }
        if over {
            return seen;
        }
        rounds += 1;
        assert!(rounds < 1000, "it goes on for ever");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn walking_shows_every_line_once_in_either_direction(
        sources in proptest::collection::vec(
            proptest::collection::vec((0_u32..300, any::<bool>(), 0_u8..4, proptest::bool::weighted(0.1)), 0..30),
            1..4,
        ),
        most in 1_usize..12,
        kind in proptest::option::of(0_u8..4),
        stderr in any::<bool>(),
    ) {
        let names = ["a", "b", "c"];
        let node = Node::new(&names);
        let timelines: Vec<Timeline> =
            sources.iter().zip(names).map(|(written, name)| open(&node, name, written)).collect();
        let logs: Vec<&Files> = timelines.iter().map(Timeline::files).collect();
        let sift = Sift {
            stream: stderr.then_some(Stream::Stderr),
            pattern: kind.and_then(|kind| sought(&format!("kind{kind}"))),
            context: 0,
        };
        for back in [false, true] {
            let seen = walk(&logs, &sift, most, back);
            for (source, (written, name)) in sources.iter().zip(names).enumerate() {
                let wanted = written.iter().enumerate().filter(|(_, (_, is_stderr, its_kind, _))| {
                    (!stderr || *is_stderr) && kind.is_none_or(|kind| kind == *its_kind)
                });
                let wanted: Vec<String> =
                    wanted.map(|(nth, line)| format!("{name}{nth} kind{}", line.2)).collect();
                let of_source = seen.iter().filter(|(id, ..)| id.source == source);
                let of_source: Vec<String> = of_source.map(|(_, text, _)| text.clone()).collect();
                prop_assert_eq!(of_source, wanted, "back: {}", back);
            }
        }
    }

    #[test]
    fn around_a_match_its_neighbours_are_there_wherever_one_looks_from(
        written in proptest::collection::vec((0_u32..300, any::<bool>(), 0_u8..6, proptest::bool::weighted(0.1)), 1..30),
        context in 0_usize..4,
        at in any::<proptest::sample::Index>(),
    ) {
        let node = Node::new(&["a"]);
        let timeline = open(&node, "a", &written);
        let logs = [timeline.files()];
        let sift = Sift { stream: None, pattern: sought("kind0"), context };
        let all = walk(&logs, &Sift::default(), 100, false);
        let (line, ..) = all[at.index(all.len())];
        let woven = weave(&logs, &sift, &[line.at], &[], (100, 100), &|| true).unwrap();
        let near = |nth: usize| {
            let from = nth.saturating_sub(context);
            let to = (nth + context).min(written.len() - 1);
            written[from..=to].iter().any(|line| line.2 == 0)
        };
        let wanted: Vec<LineId> = (0..all.len()).filter(|nth| near(*nth)).map(|nth| all[nth].0).collect();
        let seen: Vec<LineId> = woven.lines.iter().map(|line| line.id).collect();
        prop_assert_eq!(seen, wanted);
        for line in &woven.lines {
            prop_assert_eq!(line.matched, line.text.as_str().ends_with("kind0"));
        }
    }
}
