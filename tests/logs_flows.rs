//! What a user of the view of logs does and sees: keys through the real loop against the
//! simulated node, which writes real log files.

#[path = "support/flow.rs"]
#[allow(dead_code)]
mod flow;
#[path = "support/typing.rs"]
mod typing;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use critui::demo::DemoNode;
use critui::local::Tools;
use flow::{Start, each, flow, opened};

/// Types a filter that leaves one pod, and opens its log.
fn log_of(pod: &str) -> String {
    format!("/{pod}<Enter>l")
}

/// The newest log file of a container.
fn file(node: &DemoNode, pod: &str, name: &str) -> PathBuf {
    let pods = node.host_root().join("var/log/pods");
    let folders = fs::read_dir(pods).expect("pods");
    let mut folders = folders.map(|entry| entry.expect("an entry").path());
    let folder = folders.find(|path| path.to_string_lossy().contains(pod));
    folder.expect("its folder").join(name)
}

fn append(node: &DemoNode, pod: &str, name: &str, text: &str) {
    let path = file(node, pod, name);
    let before = fs::read(&path).expect("a log");
    // As a writer that appends: the file stays the same one.
    let mut options = fs::OpenOptions::new();
    let mut log = options.append(true).open(&path).expect("a log");
    let line = format!("2026-11-20T10:00:00Z stdout F {text}\n");
    std::io::Write::write_all(&mut log, line.as_bytes()).expect("it is written");
    assert!(fs::read(&path).expect("a log").len() > before.len());
}

#[test]
fn a_log_opens_at_its_end_and_follows() {
    flow(&log_of("cache-0"))
        .sees("Logs shop/cache-0")
        .sees("attempt 3 ended: OOMKilled")
        .sees("following")
        .node(|node| append(node, "cache-0", "redis/4.log", "a line that came later"))
        .sees("a line that came later")
        .types("q")
        .sees("1 Pods");
}

#[test]
fn a_pod_without_containers_has_no_log() {
    flow(&log_of("recommender")).sees("it has no container on this node");
}

#[test]
fn logs_in_many_ways() {
    each(
        &Start::default(),
        &[
            // One container of several, all of them, and their names.
            ("orders", "", "orders_accepted_total"),
            ("orders", "w", "metrics "),
            ("cache-0", "p", "line 21 of 36"),
            ("cache-0", "g", "Redis is starting"),
            ("cache-0", "gG", "following"),
            ("cache-0", "f", "%"),
            ("cache-0", "/ready<Enter>N", "match 1 of 2"),
            ("cache-0", "/~read[xy]<Enter>", "match 2 of 2"),
            ("cache-0", "/nothing like it<Enter>", "no match"),
            ("cache-0", "&ready<Enter>", "only \"ready\""),
            ("cache-0", "&no such thing<Enter>", "no line matches"),
            ("cache-0", "&ready<Enter>++", "+-2"),
            ("payments", "o", "stderr only"),
            ("payments", "oo", "stdout only"),
            ("payments", "tt", "11-20 09:"),
            ("payments", "2", "last 1m"),
            ("payments", "20", "following"),
            ("payments", "mkkm", "2 marked"),
            ("api-5f", "", "INFO  request  method=GET"),
            ("api-5f", "J", "{\"level\":"),
            ("api-5f", "<Enter>", "\"method\": \"GET\""),
            ("api-5f", "Kpath, nothing,msg<Enter>", "INFO  path=/"),
            ("api-5f", "Kpath<Enter>K<^u><Enter>", "request  method=GET"),
            ("cache-0", "/ready<Enter>", "match 2 of 2"),
            ("cache-0", "]", "no line is marked"),
            ("api-5f", "@50%<Enter>", "line 601 of 1200"),
            ("api-5f", "@2<Enter>", "line 2 of"),
            ("api-5f", "@never<Enter>", "is no place"),
            ("cache-0", "W", "> Why shop/cache-0"),
            ("cache-0", "?", "go on with what comes, or stay here"),
            ("report-worker", "", "does not exist"),
        ],
        |flow, (pod, keys, text)| {
            let flow = flow.types(&log_of(pod)).sees("> Logs ");
            // What comes first has been read.
            let flow = if pod == "report-worker" {
                flow
            } else {
                flow.misses("reading the log").misses("Looked for again")
            };
            flow.types(keys).sees(text)
        },
    );
}

#[test]
fn escape_drops_one_thing_after_another() {
    flow(&log_of("cache-0"))
        .misses("reading the log")
        .misses("Looked for again")
        .types("/ready<Enter>")
        .sees("of 2")
        .types("&connections<Enter>")
        .sees("only \"connections\"")
        .types("<Esc>")
        .misses("only \"")
        .sees("of 2")
        .types("<Esc>")
        .misses("match")
        .types("<Esc>")
        .sees("1 Pods");
}

#[test]
fn matches_are_gone_to() {
    flow(&log_of("cache-0"))
        .misses("reading the log")
        .misses("Looked for again")
        .types("/starting<Enter>")
        .selects("Redis is starting")
        .types("N")
        .selects("Redis is starting")
        .types("N")
        .sees("no match before this line")
        .types("nnn")
        .sees("no match after this line");
}

#[test]
fn a_container_that_restarts_goes_on_in_its_next_attempt() {
    flow(&log_of("payments"))
        .misses("reading the log")
        .misses("Looked for again")
        .passes(Duration::from_secs(141))
        .sees("attempt 7 ended: exit 1 after 11s; attempt 8 began 5m later")
        .sees("following");
}

#[test]
fn the_preview_follows_the_selection() {
    flow("j")
        .sees("Log: how it ended")
        .sees("org.postgresql.util.PSQLException: FATAL")
        .types("jjjj")
        .sees("changes in 60 seconds")
        .node(|node| append(node, "cache-0", "redis/4.log", "seen in the preview"))
        .sees("seen in the preview")
        .types("l")
        .sees("following")
        .types("q")
        .sees("seen in the preview");
}

#[test]
fn small_screens_have_logs_too() {
    for size in [(80, 24), (40, 10)] {
        let start = Start {
            size,
            full: "",
            ..Start::default()
        };
        opened_small(&start)
            .types(&log_of("cache-0"))
            .sees("following")
            .types("q");
    }
}

fn opened_small(start: &Start) -> flow::Flow {
    flow::opening(start).sees("in trouble")
}

#[test]
fn a_log_that_goes_away_under_its_reader_harms_nothing() {
    flow(&log_of("cache-0"))
        .misses("reading the log")
        .misses("Looked for again")
        .node(|node| {
            let folder = file(node, "cache-0", "redis");
            fs::remove_dir_all(folder).expect("it goes");
        })
        .types("g")
        .sees("Redis is starting")
        .types("q")
        .sees("1 Pods");
}

#[test]
fn a_hostile_log_reaches_no_cell() {
    let hostile =
        "\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[31mred\u{1b}[0m\u{202e}evil\u{0}\u{9b}31m\r\u{8}";
    let mut flow = opened(&Start::default())
        .types(&log_of("cache-0"))
        .misses("reading the log")
        .misses("Looked for again")
        .node(|node| append(node, "cache-0", "redis/4.log", hostile))
        .sees("\\x1b]0;title\\x07\\x1b[2Jred\\u{202e}evil\\x00\\x9b31m");
    for keys in ["", "w", "<Enter>", "t", "q"] {
        flow = flow.types(keys);
        for cell in &flow.shown().buffer.content {
            let bad = cell.symbol().chars().find(|c| critui::text::is_unsafe(*c));
            assert_eq!(bad, None, "after {keys:?}: {:?}", cell.symbol());
        }
    }
}

#[test]
fn what_is_shown_is_saved_and_not_twice() {
    let flow = flow(&log_of("cache-0"))
        .misses("reading the log")
        .misses("Looked for again");
    let path = flow.demo.host_root().join("saved.log");
    let keys = format!("&ready<Enter><^s><^u>{}<Enter>", path.display());
    let flow = flow
        .types(&keys)
        .sees("saved 2 lines, ")
        .types(&keys)
        .sees("nothing is overwritten");
    let saved = fs::read_to_string(&path).expect("it is there");
    assert_eq!(saved.lines().count(), 2);
    flow.types("q").sees("1 Pods");
}

#[test]
fn marks_are_gone_to_in_turn() {
    flow(&log_of("cache-0"))
        .misses("reading the log")
        .misses("Looked for again")
        .types("/starting<Enter>")
        .selects("Redis is starting")
        .types("mG")
        .sees("line 36 of 36")
        .types("km")
        .sees("2 marked")
        .types("g[")
        .misses("looking")
        .types("]")
        .selects("Redis is starting")
        .types("[")
        .sees("line 3");
}

#[test]
fn another_program_reads_what_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let script =
        |keep: &str, rest: &str| format!("sh -c '{keep} >{} {rest}'", at("read").display());
    let tools = Tools {
        pager: script("cat", "; echo $LESSSECURE >>\"$0\"")
            .replace("\"$0\"", &at("read").display().to_string())
            .into(),
        shell: "sh".into(),
        editor: script(
            "cat \"$0\"",
            &format!("; echo \"$0\" >{}; exit 3", at("name").display()),
        )
        .into(),
    };
    let start = Start {
        tools,
        ..Start::default()
    };
    let flow = opened(&start)
        .types(&log_of("cache-0"))
        .misses("reading the log")
        .misses("Looked for again")
        .types("&ready<Enter>")
        .sees("only \"ready\"")
        .types("|")
        .sees("only \"ready\"");
    let read = fs::read_to_string(at("read")).expect("it was read");
    assert_eq!(read.lines().count(), 3, "{read}");
    assert!(read.ends_with("1\n"), "{read}");
    let flow = flow
        .types("&<^u><Enter>")
        .misses("only \"")
        .types("v")
        .sees("the editor ended with exit code 3");
    let read = fs::read_to_string(at("read")).expect("it was read");
    assert!(read.contains("Redis is starting"), "{read}");
    // The copy is gone with its folder.
    let name = fs::read_to_string(at("name")).expect("its name");
    assert!(name.trim().ends_with("/log.txt"), "{name}");
    assert!(!std::path::Path::new(name.trim()).exists());
    flow.types("q").sees("1 Pods");
}

#[test]
fn read_only_saves_nothing() {
    let start = Start {
        read_only: true,
        ..Start::default()
    };
    opened(&start)
        .types(&log_of("cache-0"))
        .misses("reading the log")
        .misses("Looked for again")
        .types("<^s>")
        .sees("save: this run is read-only")
        .types("|")
        .sees("pager: this run is read-only")
        .types("v")
        .sees("editor: this run is read-only");
}
