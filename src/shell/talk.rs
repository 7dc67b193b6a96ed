//! Bytes both ways between the terminal and a session.

use std::collections::VecDeque;
use std::future::pending;
use std::time::Duration;

use prost::bytes::Bytes;
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

use super::leave::Leave;
use crate::cri::stream::{Ending, Input, Session, Size, StreamError};
use crate::terminal::Console;

mod down;

use down::Down;

/// A shell that has said nothing by now will not say its process id: what is typed goes to it.
const MUTE: Duration = Duration::from_secs(2);
/// Streaming servers cut a session without data off, after four hours by default.
const IDLE: Duration = Duration::from_secs(600);

/// How a talk ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// The other side ended it.
    Over,
    /// The user typed the keys that leave.
    Left,
    /// The program ends.
    Asked,
    /// The terminal is gone.
    Gone,
}

/// One terminal, and what it has been told.
#[derive(Debug)]
pub(super) struct Talk {
    console: Console,
    keys: Keys,
    ask: Option<oneshot::Receiver<()>>,
    heard: Heard,
    /// No terminal on the other side: its lines end without a return.
    bare: bool,
    /// Nobody reads what is typed.
    deaf: bool,
}

/// What is typed and has not been sent.
#[derive(Debug)]
struct Keys {
    leave: Leave,
    ahead: VecDeque<Vec<u8>>,
    left: bool,
}

/// What the other side has said.
#[derive(Debug, Default)]
struct Heard {
    pid: Option<u32>,
    /// It has shown something.
    anything: bool,
    ending: Option<Result<Ending, StreamError>>,
}

impl Talk {
    pub fn new(console: Console, leave: Leave, ask: oneshot::Receiver<()>, typed: &[u8]) -> Self {
        let mut keys = Keys {
            leave,
            ahead: VecDeque::new(),
            left: false,
        };
        keys.take(typed);
        Self {
            console,
            keys,
            ask: Some(ask),
            heard: Heard::default(),
            bare: false,
            deaf: false,
        }
    }

    /// Whether the other side has a terminal, and an input.
    pub fn raw(&mut self, tty: bool, stdin: bool) {
        self.bare = !tty;
        self.deaf = !stdin;
    }

    /// Size of the terminal.
    pub fn size(&self) -> Size {
        *self.console.size.borrow()
    }

    /// The shell's process in the container, once it has said so.
    pub fn pid(&self) -> Option<u32> {
        self.heard.pid
    }

    /// How it ended, in words.
    pub fn ended(&self, left: bool) -> String {
        match &self.heard.ending {
            _ if left => "left, and hung up".to_owned(),
            Some(Ok(ending)) => ending.to_string(),
            Some(Err(error)) => format!("lost, and may still run in there: {error}"),
            None => String::new(),
        }
    }

    /// What was to be started is not there.
    pub fn missing(&self, way: Way) -> bool {
        let Some(Ok(ending)) = &self.heard.ending else {
            return false;
        };
        let missing = match ending {
            Ending::Failed(words) => {
                let words = words.as_str();
                words.contains("no such file") || words.contains("not found")
            }
            // What a runtime that starts it through a helper says.
            Ending::Exit(code) => matches!(code, 126 | 127),
        };
        way == Way::Over && !self.heard.anything && missing
    }

    /// One line of critui's own.
    pub async fn say(&self, line: &str) {
        super::say(&self.console.shown, line).await;
    }

    /// Shows bytes.
    pub async fn show(&self, bytes: Bytes) {
        // A terminal that is gone is noticed by its silence.
        let _ = self.console.shown.send(bytes).await;
    }

    /// Sets another size and the right one, so that the program there draws itself.
    pub async fn provoke(&self, input: &mut Input) -> Result<(), StreamError> {
        let size = self.size();
        let smaller = Size {
            rows: size.rows.saturating_sub(1).max(1),
            ..size
        };
        input.resize(smaller).await?;
        input.resize(size).await
    }

    /// Says `line` and waits for a key, or for an end.
    pub async fn wait_for_key(&mut self, line: &str) {
        self.say(line).await;
        self.keys.ahead.clear();
        tokio::select! {
            _ = self.console.typed.recv() => {}
            () = asked(&mut self.ask) => {}
        }
    }

    /// What was typed and never sent.
    pub fn unread(mut self) -> Vec<u8> {
        let mut unread: Vec<u8> = self.keys.ahead.drain(..).flatten().collect();
        self.console.typed.close();
        while let Ok(bytes) = self.console.typed.try_recv() {
            unread.extend(bytes);
        }
        unread
    }

    /// Talks until one side ends it. `marked` if the other side first says its process id.
    pub async fn with(&mut self, open: &mut Session, marked: bool) -> Way {
        self.heard = Heard::default();
        let begun = Notify::new();
        if !marked {
            begun.notify_one();
        }
        let Self {
            console,
            keys,
            ask,
            heard,
            bare,
            deaf,
        } = self;
        let Console { typed, shown, size } = console;
        let up = Up {
            keys,
            typed,
            size,
            deaf: *deaf,
        };
        let down = Down::new(shown, heard, *bare, marked);
        tokio::select! {
            way = down.run(&mut open.output, &begun) => way,
            way = up.run(&mut open.input, &begun) => way,
            () = asked(ask) => Way::Asked,
        }
    }
}

/// Resolves when the program is to end.
async fn asked(ask: &mut Option<oneshot::Receiver<()>>) {
    match ask {
        Some(receiver) => {
            let asked = receiver.await.is_ok();
            *ask = None;
            if !asked {
                // Nobody can ask any more.
                pending::<()>().await;
            }
        }
        None => pending().await,
    }
}

impl Keys {
    fn take(&mut self, typed: &[u8]) {
        let (on, left) = self.leave.take(typed);
        if !on.is_empty() {
            self.ahead.push_back(on);
        }
        self.left |= left;
    }
}

/// From the terminal to the container.
struct Up<'a> {
    keys: &'a mut Keys,
    typed: &'a mut tokio::sync::mpsc::Receiver<Vec<u8>>,
    size: &'a mut tokio::sync::watch::Receiver<Size>,
    deaf: bool,
}

/// What is to be sent.
enum Piece {
    Typed(Vec<u8>),
    Size(Size),
    Leave(Way),
}

impl Up<'_> {
    async fn run(mut self, input: &mut Input, begun: &Notify) -> Way {
        // Typed before the shell runs, it would be shown before the mark.
        tokio::select! {
            way = self.listen() => return way,
            _ = timeout(MUTE, begun.notified()) => {}
        }
        loop {
            let piece = self.next().await;
            let sending = async {
                match &piece {
                    Piece::Typed(_) if self.deaf => Ok(()),
                    Piece::Typed(bytes) => input.stdin(bytes).await,
                    Piece::Size(size) => input.resize(*size).await,
                    Piece::Leave(_) => Ok(()),
                }
            };
            // A server that takes nothing any more must not keep the user.
            let sent = tokio::select! {
                sent = sending => sent,
                way = listen(self.keys, self.typed) => return way,
            };
            if let Piece::Leave(way) = piece {
                return way;
            }
            if sent.is_err() {
                // The other half knows why.
                return pending().await;
            }
        }
    }

    async fn next(&mut self) -> Piece {
        if let Some(bytes) = self.keys.ahead.pop_front() {
            return Piece::Typed(bytes);
        }
        if self.keys.left {
            return Piece::Leave(Way::Left);
        }
        tokio::select! {
            typed = self.typed.recv() => match typed {
                Some(bytes) => {
                    self.keys.take(&bytes);
                    match self.keys.ahead.pop_front() {
                        Some(bytes) => Piece::Typed(bytes),
                        None if self.keys.left => Piece::Leave(Way::Left),
                        None => Piece::Typed(Vec::new()),
                    }
                }
                None => Piece::Leave(Way::Gone),
            },
            Ok(()) = self.size.changed() => Piece::Size(*self.size.borrow_and_update()),
            () = sleep(IDLE) => Piece::Typed(Vec::new()),
        }
    }

    async fn listen(&mut self) -> Way {
        listen(self.keys, self.typed).await
    }
}

/// Reads on, for the keys that leave.
async fn listen(keys: &mut Keys, typed: &mut tokio::sync::mpsc::Receiver<Vec<u8>>) -> Way {
    /// Pieces kept for later; more are left in the terminal.
    const AHEAD: usize = 64;
    loop {
        if keys.left {
            return Way::Left;
        }
        if keys.ahead.len() >= AHEAD {
            return pending().await;
        }
        match typed.recv().await {
            Some(bytes) => keys.take(&bytes),
            None => return Way::Gone,
        }
    }
}
