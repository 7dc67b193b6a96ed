//! Paging, searching and jumping against plain reads of the same files.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::host::open::HostRoot;

/// A timeline of these files, `NAME -> BYTES`; names that end in .gz are gzipped.
fn timeline(files: &[(&str, &[u8])]) -> (TempDir, Timeline) {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("var/log/pods/a_b_c/d");
    fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in files {
        let mut content = bytes.to_vec();
        if segment::is_gzip(name) {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            content = encoder.finish().unwrap();
        }
        fs::write(folder.join(name), content).unwrap();
    }
    let host = HostRoot::new(temp.path()).unwrap();
    let place = Place::of_container(&host, "a", "b", "c", "d").unwrap();
    let timeline = Timeline::open(place, Which::All).unwrap();
    (temp, timeline)
}

fn all(files: &Files) -> Vec<Row> {
    let mut rows = Vec::new();
    let read = files.each(files.start(), files.end(), |entry| {
        rows.push(Row::of(entry, usize::MAX));
        GO_ON
    });
    read.unwrap();
    rows
}

fn texts(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .map(|row| String::from_utf8_lossy(&row.content).into_owned())
        .collect()
}

fn cri(second: usize, rest: &str) -> String {
    let (minute, second) = (second / 60, second % 60);
    format!("2026-11-20T10:{minute:02}:{second:02}.123456789Z {rest}\n")
}

#[test]
fn rotated_and_gzipped_files_and_attempts_are_one_log() {
    let (_temp, timeline) = timeline(&[
        ("0.log.20261120-100000.gz", cri(0, "stdout F a").as_bytes()),
        ("0.log.20261120-100001", cri(1, "stdout P b").as_bytes()),
        ("0.log", cri(2, "stdout F c").as_bytes()),
        ("1.log", cri(3, "stderr P d").as_bytes()),
        ("2.log", b"no format, no end"),
    ]);
    let files = timeline.files();
    let rows = all(files);
    assert_eq!(texts(&rows), ["a", "bc", "d", "no format, no end"]);
    let attempts: Vec<_> = rows.iter().map(|row| files.attempt(row.at)).collect();
    assert_eq!(attempts, [Some(0), Some(0), Some(1), Some(2)]);
    assert_eq!(files.before(files.end(), 9, 99).unwrap(), rows);
    assert!(rows[2].open && !rows[1].open);
}

#[test]
fn streams_are_joined_apart() {
    let text = [
        cri(0, "stdout P one "),
        cri(0, "stderr P eins "),
        cri(0, "stdout F two"),
        cri(0, "stderr F zwei"),
    ]
    .concat();
    let (_temp, timeline) = timeline(&[("0.log", text.as_bytes())]);
    let rows = all(timeline.files());
    assert_eq!(texts(&rows), ["one two", "eins zwei"]);
    let page = timeline.files().before(rows[1].at, 9, 99).unwrap();
    assert_eq!(texts(&page), ["one two"]);
    let page = timeline.files().after(rows[0].end, 9, 99).unwrap();
    assert_eq!(texts(&page), ["eins zwei"]);
}

#[test]
fn what_is_kept_of_a_line_is_bounded() {
    let text = cri(0, &format!("stdout F {}", "x".repeat(100_000)));
    let (_temp, timeline) = timeline(&[("0.log", text.as_bytes())]);
    let files = timeline.files();
    let page = files.before(files.end(), 1, 10).unwrap();
    assert_eq!((page[0].content.len(), page[0].omitted), (10, 99_990));
}

#[test]
fn times_lines_and_shares_are_found() {
    let text: String = (0..3000)
        .map(|n| cri(n, &format!("stdout F line {n}")))
        .collect();
    let (head, rest) = text.split_at(text.find("10:10:00").unwrap() - 11);
    let (_temp, timeline) = timeline(&[
        ("0.log.20261120-100000.gz", head.as_bytes()),
        ("0.log", rest.as_bytes()),
    ]);
    let files = timeline.files();
    let mut index = Index::default();
    while !index.build(files, 10_000).unwrap() {}
    assert_eq!(index.reached(), (files.end(), 3000));
    for wanted in [0, 1, 599, 600, 601, 2999] {
        let time = format!("2026-11-20T10:{:02}:{:02}Z", wanted / 60, wanted % 60);
        let expected = format!("line {wanted}");
        let at = files.at_time(time.parse().unwrap()).unwrap();
        assert_eq!(texts(&files.after(at, 1, 99).unwrap()), [&*expected]);
        let place = index.place_of(files, wanted).unwrap().unwrap();
        assert_eq!(place, at);
        assert_eq!(index.line_at(files, at).unwrap(), Some(wanted));
    }
    assert_eq!(
        files
            .at_time("2026-11-21T00:00:00Z".parse().unwrap())
            .unwrap(),
        files.end()
    );
    assert_eq!(index.place_of(files, 3000).unwrap(), None);
    assert_eq!(files.at_share(0).unwrap(), files.start());
    assert_eq!(files.at_share(10_000).unwrap(), files.end());
    let half = files.at_share(5_000).unwrap();
    let share = files.share_before(half).unwrap();
    assert!((4_950..=5_000).contains(&share), "{share}");
}

#[test]
fn the_next_and_the_previous_match_are_found_across_files() {
    let text: String = (0..20_000)
        .map(|n| {
            cri(
                n % 3600,
                &format!("stdout F {n} {}", if n % 9000 == 5 { "Hit" } else { "-" }),
            )
        })
        .collect();
    let (_temp, timeline) = timeline(&[
        ("0.log.20261120-100000.gz", text.as_bytes()),
        ("0.log", text.as_bytes()),
    ]);
    let files = timeline.files();
    let pattern = Pattern::literal("Hit");
    let (mut on, mut from) = (Vec::new(), files.start());
    while let Some(row) = files.next_match(&pattern, from, 99, || true).unwrap() {
        from = row.end;
        on.push(row);
    }
    let (mut back, mut to) = (Vec::new(), files.end());
    while let Some(row) = files.previous_match(&pattern, to, 99, || true).unwrap() {
        to = row.at;
        back.insert(0, row);
    }
    assert_eq!(texts(&on), ["5 Hit", "9005 Hit", "18005 Hit"].repeat(2));
    assert_eq!(on, back);
    assert_eq!(
        files
            .next_match(&pattern, files.start(), 9, || false)
            .unwrap(),
        None
    );
    assert_eq!(
        files
            .previous_match(&pattern, files.end(), 9, || false)
            .unwrap(),
        None
    );
}

#[test]
fn a_sparse_terabyte_opens_at_its_end() {
    let (temp, _) = timeline(&[("0.log", b"")]);
    let path = temp.path().join("var/log/pods/a_b_c/d/0.log");
    let file = fs::OpenOptions::new().append(true).open(path).unwrap();
    file.set_len((1 << 40) + 50).unwrap();
    (&file)
        .write_all(format!("\n{}", cri(0, "stdout F last")).as_bytes())
        .unwrap();
    let host = HostRoot::new(temp.path()).unwrap();
    let place = Place::of_container(&host, "a", "b", "c", "d").unwrap();
    let timeline = Timeline::open(place, Which::Current).unwrap();
    let files = timeline.files();
    let page = files.before(files.end(), 3, 20).unwrap();
    assert_eq!(page.len(), 3);
    assert_eq!(page[2].content, b"last");
    assert_eq!(page[1].content, [0; 20]);
}

#[test]
fn what_is_no_file_is_said_and_does_not_hang() {
    let (temp, _) = timeline(&[("0.log", b"")]);
    let folder = temp.path().join("var/log/pods/a_b_c/d");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let fifo = folder.join("1.log");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    fs::create_dir(folder.join("2.log")).unwrap();
    let host = HostRoot::new(temp.path()).unwrap();
    for (attempt, expected) in [
        (1, "d/1.log is a named pipe, not a regular file"),
        (2, "d/2.log is a folder, not a regular file"),
        (3, "d holds no log file (N.log)"),
    ] {
        let place = Place::of_container(&host, "a", "b", "c", "d").unwrap();
        let error = Timeline::open(place, Which::Only(attempt)).unwrap_err();
        assert_eq!(error.to_string(), format!("/var/log/pods/a_b_c/{expected}"));
    }
}

fn count(files: &Files, pattern: &Pattern) -> u64 {
    files.count(pattern, 2, &|_| GO_ON).unwrap().matches
}

#[test]
fn matches_are_in_the_content_joined_never_in_the_prefix() {
    let text = [
        cri(0, "stdout F 2026 stdout F"),
        cri(0, "stdout P strad"),
        cri(0, "stderr F dling"),
        cri(0, "stdout F dling"),
        cri(0, "stdout F ^anchored$\r"),
    ]
    .concat();
    let (_temp, timeline) = timeline(&[("0.log", text.as_bytes())]);
    let files = timeline.files();
    for (literal, expected) in [
        ("2026", 1),
        ("stdout", 1),
        (" F", 1),
        ("straddling", 1),
        ("dling", 2),
        ("DLING", 0),
        ("T10", 0),
    ] {
        assert_eq!(
            count(files, &Pattern::literal(literal)),
            expected,
            "{literal}"
        );
    }
    for (regex, expected) in [
        ("^2026", 1),
        ("^dling$", 1),
        (r"\$$", 1),
        (r"\Astrad", 1),
        (r"[^z]*F$", 1),
        (r"(?s)F.*dling", 0),
        (r"\D\d\d:", 0),
        (r"[r-t]+tradd", 1),
        (r"[0-9]stdout", 0),
        (r".*dling$", 2),
    ] {
        assert_eq!(
            count(files, &Pattern::regex(regex).unwrap()),
            expected,
            "{regex}"
        );
    }
    let wrong = Pattern::regex("a(").unwrap_err();
    assert_eq!(wrong, "\"a(\" is no regular expression: unclosed group");
}

fn line() -> impl Strategy<Value = String> {
    let head = prop_oneof![
        6 => Just("2026-11-20T10:00:00.5Z stdout F "),
        2 => Just("2026-11-20T10:00:00.5Z stdout P "),
        2 => Just("2026-11-20T10:00:00.5Z stderr F "),
        1 => Just("2026-11-20T10:00:00.5Z stderr P:x "),
        1 => Just(""),
    ];
    (head, "[abPT0: \r]{0,9}").prop_map(|(head, content)| format!("{head}{content}\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn searching_finds_what_a_naive_search_finds(
        lines in proptest::collection::vec(line(), 0..40),
        split in 0..40_usize,
        literal in "[abPT0: ]{1,3}",
        regex in "[ab]{0,1}(\\^|)[abPT:]{1,2}(\\$|\\+|)|(\\[bT\\]\\+?|\\^?\\.\\*)[abP0: ]{2,3}(\\$|)",
    ) {
        let split = split.min(lines.len());
        let (older, newer) = (lines[..split].concat(), lines[split..].concat());
        let (_temp, timeline) =
            timeline(&[("0.log.20261120-100000", older.as_bytes()), ("0.log", newer.as_bytes())]);
        let files = timeline.files();
        let rows = all(files);
        for pattern in [Pattern::literal(&literal), Pattern::regex(&regex).unwrap()] {
            let naive: Vec<&Row> = rows.iter().filter(|row| pattern.is_match(&row.content)).collect();
            prop_assert_eq!(count(files, &pattern), naive.len() as u64);
            let mut found = Vec::new();
            let read = files.matches(&pattern, files.start(), files.end(), |entry| {
                found.push(Row::of(entry, usize::MAX));
                GO_ON
            });
            read.unwrap();
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), naive);
        }
    }

    #[test]
    fn pages_tile_the_whole(
        lines in proptest::collection::vec(line(), 0..40),
        size in 1..7_usize,
    ) {
        let (_temp, timeline) = timeline(&[("0.log", lines.concat().as_bytes())]);
        let files = timeline.files();
        let mut rows = all(files);
        let complete = rows.iter().filter(|row| !row.open).count();
        rows.truncate(complete);
        let mut back: Vec<Row> = Vec::new();
        let mut to = files.end();
        loop {
            let page = files.before(to, size, usize::MAX).unwrap();
            let Some(first) = page.first() else { break };
            to = first.at;
            back.splice(0..0, page);
        }
        back.retain(|row| !row.open);
        prop_assert_eq!(&back, &rows);
        let (mut on, mut from) = (Vec::new(), files.start());
        loop {
            let page = files.after(from, size, usize::MAX).unwrap();
            let Some(last) = page.last() else { break };
            from = last.end;
            on.extend(page);
        }
        on.retain(|row| !row.open);
        prop_assert_eq!(&on, &rows);
    }
}
