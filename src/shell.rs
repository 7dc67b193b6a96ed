//! A shell in a container, with the user's terminal: the screen steps aside, [`visit`] talks, and
//! when it returns nothing of it is left in the container.
//!
//! ```text
//! visit ─ launch   which shell, and the id of its process in the container
//!       ├ talk     bytes both ways, sizes, the keys that leave
//!       └ finish   ends the shell, within a bound, on every way out
//! ```
//!
//! The socket's end does not end a shell: it would sit in the container for ever. So the shell
//! first says its process id, and whoever leaves it has it hung up, as a terminal that goes away
//! does.

mod debug;
mod finish;
mod launch;
mod leave;
mod talk;

use std::time::Duration;

use prost::bytes::Bytes;
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::cri::stream::{Ending, StreamError};
use crate::cri::{CriError, Kind, Reader, Writer};
use crate::model::visit::{Errand, Visit};
use crate::terminal::Console;
use crate::text::Text;

pub use launch::Shells;

use launch::{Launch, Program};
use leave::Leave;
use talk::{Talk, Way};

/// How to leave whatever has the terminal, for the banner.
const LEAVE: &str = "exit or ctrl-d leaves, ctrl-] three times always does";
const DETACH: &str = "ctrl-p ctrl-q leaves";

/// How a visit ended.
#[derive(Debug, Default)]
pub struct Return {
    /// One line about it.
    pub line: Text,
    /// What was typed after its end.
    pub unread: Vec<u8>,
    /// The terminal is gone.
    pub gone: bool,
}

/// What a visit works with.
#[derive(Debug)]
pub struct Means {
    /// Acts.
    pub writer: Writer,
    /// Asks.
    pub reader: Reader,
    /// Which shell an image has, as far as it has been found out.
    pub shells: Shells,
    /// Told when the program ends: leave now.
    pub ask: oneshot::Receiver<()>,
    /// Typed before.
    pub typed: Vec<u8>,
}

/// Goes into a container and returns when that is over. Takes a second or two at most once `ask`
/// asks for the end.
pub async fn visit(visit: Visit, console: Console, means: Means) -> Return {
    let how = match visit.errand {
        Errand::Attach => DETACH,
        _ => LEAVE,
    };
    let banner = format!("critui: {} on {}; {how}", visit.title, visit.node);
    say(&console.shown, &banner).await;
    let leave = match visit.errand {
        Errand::Attach => Leave::detach(),
        _ => Leave::shell(),
    };
    let mut talk = Talk::new(console, leave, means.ask, &means.typed);
    let result = match &visit.errand {
        Errand::Attach => attach(&visit, &mut talk, &means.reader, &means.writer).await,
        Errand::Debug(image, runs) => {
            Box::pin(debug::debug(
                &visit,
                (image, *runs),
                &mut talk,
                &means.writer,
            ))
            .await
        }
        _ => enter(&visit, &mut talk, &means.writer, &means.shells).await,
    };
    let (way, mut line) = match result {
        Ok((way, line)) => (way, line),
        Err(error) => (Way::Over, error.to_string()),
    };
    if way == Way::Over && matches!(visit.errand, Errand::Command(_)) {
        talk.wait_for_key(&format!("{line}; any key returns")).await;
    }
    if line.is_empty() {
        "left".clone_into(&mut line);
    }
    Return {
        line: Text::clean(&format!("{}: {line}", visit.title)),
        gone: way == Way::Gone,
        unread: talk.unread(),
    }
}

/// Shows one line of critui's own.
pub async fn say(shown: &Sender<Bytes>, line: &str) {
    let line = format!("\x1b[7m{}\x1b[0m\r\n", Text::clean(line));
    // A terminal that is gone is noticed soon enough.
    let _ = shown.send(Bytes::from(line)).await;
}

/// A shell or a command.
async fn enter(
    visit: &Visit,
    talk: &mut Talk,
    writer: &Writer,
    shells: &Shells,
) -> Result<(Way, String), StreamError> {
    let launch = Launch {
        writer,
        container: &visit.container,
        line: match &visit.errand {
            Errand::Command(line) => Some(line),
            _ => None,
        },
    };
    let mut tried = Vec::new();
    let mut program = shells.known(&visit.image);
    loop {
        let Some(now) = program.clone().filter(|program| !tried.contains(program)) else {
            shells.learn(&visit.image, None);
            return match &visit.errand {
                Errand::Command(line) => launch.bare(line, talk).await,
                _ => Ok((Way::Over, launch::NO_SHELL.to_owned())),
            };
        };
        let mut open = match launch.open(&now, talk.size()).await {
            Ok(session) => session,
            Err(error) => return fall_back(visit, talk, writer, error).await,
        };
        let way = talk.with(&mut open, true).await;
        if talk.missing(way) {
            tried.push(now.clone());
            program = match now {
                Program::Best => launch.probe().await?,
                Program::Named(_) => None,
            };
            continue;
        }
        shells.learn(&visit.image, Some(&now));
        let left = way != Way::Over;
        if left {
            finish::finish(&launch, &now, talk.pid(), &mut open).await;
        }
        open.input.close().await;
        return Ok((way, talk.ended(left)));
    }
}

/// The streaming server does not serve: a command can still run, without a terminal.
async fn fall_back(
    visit: &Visit,
    talk: &mut Talk,
    writer: &Writer,
    error: StreamError,
) -> Result<(Way, String), StreamError> {
    /// A command that nobody can interrupt ends by itself.
    const LIMIT: Duration = Duration::from_secs(30);
    let (Errand::Command(line), StreamError::Server(_) | StreamError::Address(_)) =
        (&visit.errand, &error)
    else {
        return Err(error);
    };
    talk.say(&format!(
        "{error}; without a terminal instead, {}s at most",
        LIMIT.as_secs()
    ))
    .await;
    let command = launch::in_shell("sh", line);
    let outcome = writer.run(&visit.container, &command, LIMIT).await?;
    for line in outcome.text() {
        talk.show(format!("{line}\r\n").into()).await;
    }
    Ok((Way::Over, Ending::Exit(outcome.code).to_string()))
}

/// The container's own process.
async fn attach(
    visit: &Visit,
    talk: &mut Talk,
    reader: &Reader,
    writer: &Writer,
) -> Result<(Way, String), StreamError> {
    let process = reader.process(&visit.container).await?;
    let size = process.tty.then(|| talk.size());
    let words = match (process.tty, process.stdin) {
        (true, _) => "its terminal; what it shows from now on",
        (false, true) => "no terminal; what it writes from now on, and you type to it",
        (false, false) => "no terminal and no input; what it writes from now on",
    };
    talk.say(words).await;
    if process.stdin_once {
        talk.say("its input ends when you leave (stdinOnce), which may end it")
            .await;
    }
    let mut open = writer.attach(&visit.container, size, process.stdin).await?;
    talk.raw(process.tty, process.stdin);
    if process.tty && process.stdin {
        // Nothing that was shown is shown again; most programs draw anew at a new size.
        talk.provoke(&mut open.input).await?;
    }
    let way = talk.with(&mut open, false).await;
    open.input.close().await;
    let line = match way {
        Way::Over => over(reader, visit, &talk.ended(false)).await,
        _ => "detached; it runs on".to_owned(),
    };
    Ok((way, line))
}

/// Attach says success whatever the code, so the container is asked, until it has ended for the
/// status as well.
async fn over(reader: &Reader, visit: &Visit, said: &str) -> String {
    const PATIENCE: Duration = Duration::from_secs(2);
    let ended = async {
        loop {
            match reader.container_detail(&visit.container).await {
                Ok(detail) => {
                    if let Some(code) = detail.exit_code {
                        return format!("the container ended with exit code {code}");
                    }
                }
                Err(CriError {
                    kind: Kind::NotFound,
                    ..
                }) => return "the container is gone".to_owned(),
                Err(_) => return said.to_owned(),
            }
            sleep(PATIENCE / 20).await;
        }
    };
    timeout(PATIENCE, ended)
        .await
        .unwrap_or_else(|_| said.to_owned())
}
