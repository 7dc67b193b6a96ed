//! End to end, without a runtime: the program in a terminal, with sockets that lead nowhere. However
//! it ends, it leaves the terminal as it found it.

mod support;

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rstest::rstest;
use rustix::process::Signal;
use support::{Program, Term};
use tempfile::TempDir;

/// For what takes no time.
const SOON: Duration = Duration::from_secs(5);
const CRITUI: &str = env!("CARGO_BIN_EXE_critui");
const ALTERNATE_ON: &str = "\x1b[?1049h";
const ALTERNATE_OFF: &str = "\x1b[?1049l";

/// A socket that leads nowhere, in one of the ways in which sockets do.
#[derive(Clone, Copy, Debug)]
enum Socket {
    /// There is none.
    Missing,
    /// Nobody listens any more.
    Dead,
    /// Takes connections and never answers.
    Hanging,
    /// A plain file.
    File,
}

/// A socket's folder, its path, and who listens on it.
struct Nowhere {
    _dir: TempDir,
    path: PathBuf,
    _listener: Option<UnixListener>,
}

impl Nowhere {
    fn new(kind: Socket) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("runtime.sock");
        let bind = || UnixListener::bind(&path).expect("a socket");
        let listener = match kind {
            Socket::Missing => None,
            Socket::Dead => {
                drop(bind());
                None
            }
            Socket::Hanging => Some(bind()),
            Socket::File => {
                std::fs::write(&path, "").expect("a file");
                None
            }
        };
        Self {
            _dir: dir,
            path,
            _listener: listener,
        }
    }

    fn endpoint(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// The program with this socket.
    fn program(&self) -> Program {
        Program::new(CRITUI).args(["-r".to_owned(), self.endpoint()])
    }

    /// The same, opened and drawn.
    fn open(&self) -> Term {
        let term = self.program().spawn();
        drawn(&term);
        term
    }
}

/// Waits until the program has drawn its screen.
fn drawn(term: &Term) {
    term.wait_for("a screen", SOON, |screen| {
        screen.alternate_screen() && !screen.contents().trim().is_empty()
    });
}

/// How a user or a system ends the program.
#[derive(Clone, Copy, Debug)]
enum End {
    Keys(&'static str),
    Sent(Signal),
}

#[rstest]
fn the_terminal_is_restored(
    #[values(Socket::Missing, Socket::Dead, Socket::Hanging, Socket::File)] socket: Socket,
    #[values(
        End::Keys("q"),
        End::Keys("\x03"),
        End::Sent(Signal::TERM),
        End::Sent(Signal::HUP),
        End::Sent(Signal::INT)
    )]
    end: End,
) {
    let nowhere = Nowhere::new(socket);
    let mut term = nowhere.open();
    match end {
        End::Keys(keys) => term.keys(keys),
        End::Sent(signal) => term.signal(signal),
    }
    let exit = term.exit(SOON);
    assert_eq!(exit.damage, Vec::<&str>::new());
    let bytes = String::from_utf8_lossy(&exit.bytes);
    assert_eq!(bytes.matches(ALTERNATE_ON).count(), 1);
    assert_eq!(bytes.matches(ALTERNATE_OFF).count(), 1);
    if matches!(end, End::Keys(_)) {
        assert!(exit.status.success(), "{:?}", exit.status);
    }
}

#[rstest]
fn the_screen_names_the_socket_that_leads_nowhere(
    #[values(Socket::Missing, Socket::Dead, Socket::Hanging, Socket::File)] socket: Socket,
) {
    let nowhere = Nowhere::new(socket);
    let term = nowhere.open();
    term.wait_for_text("runtime.sock", SOON);
}

#[test]
fn any_size_can_be_drawn() {
    let nowhere = Nowhere::new(Socket::Missing);
    let mut term = nowhere.open();
    let sizes = [
        (1, 1),
        (300, 1),
        (1, 100),
        (39, 9),
        (200, 50),
        (2, 2),
        (80, 24),
    ];
    for (columns, rows) in sizes {
        let before = term.written();
        term.resize(columns, rows);
        term.wait_for_more(before, "a frame of the new size", SOON);
        assert!(term.runs(), "ended at {columns}x{rows}");
    }
    term.wait_for_text("runtime.sock", SOON);
    term.keys("q");
    assert_eq!(term.exit(SOON).damage, Vec::<&str>::new());
}

#[test]
fn starts_in_a_terminal_of_one_cell() {
    let nowhere = Nowhere::new(Socket::Missing);
    let mut term = nowhere.program().size(1, 1).spawn();
    term.wait_for(
        "the alternate screen",
        SOON,
        vt100::Screen::alternate_screen,
    );
    term.resize(80, 24);
    term.wait_for_text("runtime.sock", SOON);
    term.keys("q");
    assert!(term.exit(SOON).status.success());
}

#[test]
fn the_terminal_is_asked_nothing() {
    let nowhere = Nowhere::new(Socket::Missing);
    let term = nowhere.open();
    let bytes = String::from_utf8_lossy(&term.bytes_from(0)).into_owned();
    let questions = [
        "\x1b[c", "\x1b[0c", "\x1b[>c", "\x1b[6n", "\x1b[5n", "\x1b[?u", "]10;?", "]11;?",
    ];
    for question in questions {
        assert!(!bytes.contains(question), "asks {question:?}: {bytes:?}");
    }
}

#[test]
fn without_a_terminal_it_names_snapshot() {
    let nowhere = Nowhere::new(Socket::Missing);
    let output = Command::new(CRITUI)
        .args(["-r", &nowhere.endpoint()])
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("critui snapshot"), "{stderr}");
    assert!(stderr.contains("terminal"), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[test]
fn a_dumb_terminal_is_told_so() {
    let nowhere = Nowhere::new(Socket::Missing);
    let exit = nowhere.program().env("TERM", "dumb").spawn().exit(SOON);
    assert_eq!(exit.status.exit_code(), 2, "{}", exit.screen);
    assert!(exit.screen.contains("dumb"), "{}", exit.screen);
    assert!(exit.screen.contains("snapshot"), "{}", exit.screen);
    assert!(!exit.bytes.contains(&0x1b), "escape sequences were written");
}

#[test]
fn these_tests_notice_a_terminal_that_is_not_restored() {
    let script = r"printf '\033[?1049h\033[?25l\033[?1000h'; stty -echo; exit 3";
    let exit = Program::new("/bin/sh")
        .args(["-c", script])
        .spawn()
        .exit(SOON);
    assert_eq!(exit.status.exit_code(), 3);
    let expected = [
        "alternate screen on",
        "cursor hidden",
        "mouse reports on",
        "terminal settings changed",
    ];
    assert_eq!(exit.damage, expected);
}

#[test]
fn these_tests_notice_a_terminal_that_is() {
    let script = r"printf '\033[?1049h\033[?25lhello'; read -r key; printf '\033[?25h\033[?1049l'";
    let mut term = Program::new("/bin/sh").args(["-c", script]).spawn();
    term.wait_for_text("hello", SOON);
    term.keys("x\n");
    let exit = term.exit(SOON);
    assert_eq!(exit.damage, Vec::<&str>::new());
    assert!(exit.status.success());
}
