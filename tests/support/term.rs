//! A program in a pseudo-terminal, and what its user sees.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use vt100::{Parser, Screen};

/// A program to start in a terminal.
pub struct Program {
    command: CommandBuilder,
    columns: u16,
    rows: u16,
}

impl Program {
    /// The program at `path`, in a colour terminal of 120x40 and an otherwise empty environment.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let mut command = CommandBuilder::new(path.as_ref());
        command.env_clear();
        // Else the home folder, which is not there.
        command.cwd("/");
        for name in ["PATH", "CRITUI_TEST_RUN"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        command.env("HOME", "/nonexistent");
        Self {
            command,
            columns: 120,
            rows: 40,
        }
    }

    /// Adds arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        for arg in args {
            self.command.arg(arg.into());
        }
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the terminal's size.
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    /// Starts it.
    pub fn spawn(self) -> Term {
        let pair = native_pty_system()
            .openpty(size(self.columns, self.rows))
            .expect("a pseudo-terminal");
        let settings = settings(&*pair.master);
        let started = Instant::now();
        let mut child = pair
            .slave
            .spawn_command(self.command)
            .expect("the program starts");
        // Else the terminal would never report its end.
        drop(pair.slave);
        let pid = child.process_id().expect("the program's id");
        let (tell, exited) = channel();
        std::thread::spawn(move || {
            let _ = tell.send(child.wait());
        });
        let seen = Arc::new((
            Mutex::new(Seen {
                parser: Parser::new(at_least_one(self.rows), at_least_one(self.columns), 0),
                bytes: Vec::new(),
                closed: false,
            }),
            Condvar::new(),
        ));
        let reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let output = Arc::clone(&seen);
        std::thread::spawn(move || listen(reader, &output));
        Term {
            master: pair.master,
            writer,
            seen,
            pid: i32::try_from(pid).ok().and_then(Pid::from_raw),
            exited,
            status: None,
            settings,
            started,
        }
    }
}

/// How a program ended and what it left behind.
#[derive(Debug)]
pub struct Exit {
    /// Its exit status.
    pub status: ExitStatus,
    /// Everything it wrote.
    pub bytes: Vec<u8>,
    /// The last screen, as text.
    pub screen: String,
    /// What is not as it was before: empty when the terminal is restored.
    pub damage: Vec<&'static str>,
}

/// A running program in its terminal. Killed when dropped.
pub struct Term {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    pid: Option<Pid>,
    exited: Receiver<std::io::Result<ExitStatus>>,
    status: Option<ExitStatus>,
    settings: String,
    started: Instant,
}

struct Seen {
    parser: Parser,
    bytes: Vec<u8>,
    closed: bool,
}

impl Term {
    /// Waits until the screen is as `wanted` says; how long that took. Panics with the screen when
    /// it does not come to that within `deadline`.
    pub fn wait_for(
        &self,
        what: &str,
        deadline: Duration,
        wanted: impl Fn(&Screen) -> bool,
    ) -> Duration {
        let start = Instant::now();
        // Asked once for each state of the screen: the next frame may be half written.
        let reached = std::cell::Cell::new(false);
        self.becomes(deadline, |seen| {
            reached.set(wanted(seen.parser.screen()));
            // A program that has ended will not get there.
            reached.get() || seen.closed
        });
        let took = start.elapsed();
        if reached.get() {
            return took;
        }
        panic!("not within {took:?}: {what}; the screen:\n{}", self.text());
    }

    /// Waits for a text anywhere on the screen.
    pub fn wait_for_text(&self, text: &str, deadline: Duration) -> Duration {
        self.wait_for(&format!("{text:?}"), deadline, |screen| {
            screen.contents().contains(text)
        })
    }

    /// Waits until more than `before` bytes have been written.
    pub fn wait_for_more(&self, before: usize, what: &str, deadline: Duration) -> Duration {
        let start = Instant::now();
        let more = self.becomes(deadline, |seen| seen.bytes.len() > before);
        assert!(
            more,
            "not within {deadline:?}: {what}; the screen:\n{}",
            self.text()
        );
        start.elapsed()
    }

    /// Waits until nothing was written for `quiet`; false when that does not happen within
    /// `deadline`.
    pub fn settle(&self, quiet: Duration, deadline: Duration) -> bool {
        let end = Instant::now() + deadline;
        loop {
            let before = self.written();
            if !self.becomes(quiet, |seen| seen.bytes.len() > before) {
                return true;
            }
            if Instant::now() > end {
                return false;
            }
        }
    }

    /// The screen as text, a line a row.
    pub fn text(&self) -> String {
        self.lock().parser.screen().contents()
    }

    /// A copy of the screen.
    pub fn screen(&self) -> Screen {
        self.lock().parser.screen().clone()
    }

    /// How many bytes the program has written so far.
    pub fn written(&self) -> usize {
        self.lock().bytes.len()
    }

    /// What the program has written after its first `from` bytes.
    pub fn bytes_from(&self, from: usize) -> Vec<u8> {
        self.lock().bytes[from..].to_vec()
    }

    /// When the program was started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// The program's process id.
    pub fn pid(&self) -> i32 {
        self.pid.map_or(0, |pid| pid.as_raw_nonzero().get())
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        self.writer
            .write_all(keys.as_bytes())
            .and_then(|()| self.writer.flush())
            .expect("the terminal takes keys");
    }

    /// Changes the terminal's size, which signals the program.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.lock()
            .parser
            .screen_mut()
            .set_size(at_least_one(rows), at_least_one(columns));
        self.master
            .resize(size(columns, rows))
            .expect("the terminal can be resized");
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        let pid = self.pid.expect("the program's id");
        match kill_process(pid, signal) {
            // It has ended between the look and the signal.
            Ok(()) | Err(Errno::SRCH) => {}
            Err(error) => panic!("the program takes no signal: {error}"),
        }
    }

    /// Whether the program still runs.
    pub fn runs(&mut self) -> bool {
        self.ended(Duration::ZERO).is_none()
    }

    /// Waits for the program's end.
    pub fn exit(mut self, deadline: Duration) -> Exit {
        let Some(status) = self.ended(deadline) else {
            panic!(
                "still runs after {deadline:?}; the screen:\n{}",
                self.text()
            );
        };
        assert!(
            self.becomes(deadline, |seen| seen.closed),
            "the program ended but something holds its terminal"
        );
        let settings = settings(&*self.master);
        let seen = self.lock();
        let screen = seen.parser.screen();
        let mut damage = Vec::new();
        let mut check = |bad: bool, what| {
            if bad {
                damage.push(what);
            }
        };
        check(screen.alternate_screen(), "alternate screen on");
        check(screen.hide_cursor(), "cursor hidden");
        check(screen.bracketed_paste(), "bracketed paste on");
        check(screen.application_cursor(), "application cursor keys on");
        check(
            screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None,
            "mouse reports on",
        );
        check(settings != self.settings, "terminal settings changed");
        Exit {
            status,
            bytes: seen.bytes.clone(),
            screen: screen.contents(),
            damage,
        }
    }

    fn ended(&mut self, deadline: Duration) -> Option<ExitStatus> {
        if self.status.is_none()
            && let Ok(status) = self.exited.recv_timeout(deadline)
        {
            self.status = Some(status.expect("the program can be waited for"));
        }
        self.status.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `wanted` holds of what was seen, woken by each piece of output.
    fn becomes(&self, deadline: Duration, wanted: impl Fn(&Seen) -> bool) -> bool {
        let (_, more) = &*self.seen;
        let (_seen, timeout) = more
            .wait_timeout_while(self.lock(), deadline, |seen| !wanted(seen))
            .unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        if self.runs() {
            self.signal(Signal::KILL);
        }
    }
}

/// Takes what the program writes until its terminal closes.
fn listen(mut reader: Box<dyn Read + Send>, seen: &(Mutex<Seen>, Condvar)) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        // A terminal whose last user is gone answers with an error, not with an end.
        let count = reader.read(&mut buffer).unwrap_or(0);
        let mut now = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.parser.process(&buffer[..count]);
        now.bytes.extend_from_slice(&buffer[..count]);
        now.closed = count == 0;
        drop(now);
        seen.1.notify_all();
        if count == 0 {
            return;
        }
    }
}

fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols: columns,
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn at_least_one(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).unwrap_or(NonZeroU16::MIN)
}
