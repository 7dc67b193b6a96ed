//! Programs of this node that get the terminal for a while: a pager, an editor, a shell.
//!
//! They inherit it as it is, in the same process group as critui: what the terminal sends to the
//! group (an interrupt, a stop) is theirs, and critui stops with them. They end with critui: by a
//! hangup first, and by force when that does not help.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::access::WriteGrant;
use crate::host::open::HostRoot;
use crate::logs::export::{Export, Stop};
use crate::shell::Return;
use crate::text::Text;

mod spaces;

pub use spaces::{HostShell, claim};

/// How long a program may take to end after a hangup.
const PATIENCE: Duration = Duration::from_secs(2);

/// The user's pager, editor and shell, as their environment names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tools {
    /// A line for the shell, which reads standard input.
    pub pager: OsString,
    /// A line for the shell, which takes a file's name.
    pub editor: OsString,
    /// The user's shell.
    pub shell: OsString,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            pager: "less".into(),
            editor: "vi".into(),
            shell: "/bin/sh".into(),
        }
    }
}

impl Tools {
    /// `$PAGER`, and `$VISUAL` before `$EDITOR`, as `var` tells them.
    pub fn from_env(var: impl Fn(&str) -> Option<OsString>) -> Self {
        let first = |names: &[&str]| {
            let found = names.iter().filter_map(|name| var(name));
            found
                .filter(|line| !line.is_empty())
                .find(|line| line != "cat")
        };
        let default = Self::default();
        Self {
            pager: first(&["PAGER"]).unwrap_or(default.pager),
            editor: first(&["VISUAL", "EDITOR"]).unwrap_or(default.editor),
            shell: first(&["SHELL"]).unwrap_or(default.shell),
        }
    }
}

/// What reads a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// The pager, from a pipe.
    Pager,
    /// The editor, from a copy in a private folder that goes away afterwards.
    Editor,
}

/// Something to start, and what it needs while it runs.
#[derive(Debug)]
pub struct Program {
    /// What it is called in messages.
    name: String,
    work: Work,
    /// Set when the terminal interrupts what is done before the start.
    pub stop: Stop,
}

#[derive(Debug)]
enum Work {
    Pager { line: OsString, log: Log },
    Editor { line: OsString, log: Log },
    Shell(Box<HostShell>),
}

/// A log for a program: written to its standard input, or to a copy before it starts.
#[derive(Debug)]
struct Log {
    export: Export,
    host: HostRoot,
    grant: Arc<WriteGrant>,
}

/// What is started, and what goes away with it.
#[derive(Debug)]
struct Started {
    command: Command,
    log: Option<Log>,
    /// Held until it has ended.
    _keeps: (Option<TempDir>, Vec<OwnedFd>),
}

impl Program {
    /// The user's pager or editor on a log. It starts a program that can do anything, so it
    /// demands the grant.
    pub fn on_log(
        reads: Reads,
        tools: &Tools,
        export: Export,
        host: HostRoot,
        grant: &Arc<WriteGrant>,
    ) -> Self {
        let log = Log {
            export,
            host,
            grant: Arc::clone(grant),
        };
        match reads {
            Reads::Pager => Self::new(
                "the pager",
                Work::Pager {
                    line: tools.pager.clone(),
                    log,
                },
            ),
            Reads::Editor => Self::new(
                "the editor",
                Work::Editor {
                    line: tools.editor.clone(),
                    log,
                },
            ),
        }
    }

    /// A shell of this node in namespaces of a pod; demands the grant.
    pub fn host_shell(shell: HostShell, _: &WriteGrant) -> Self {
        Self::new("the shell", Work::Shell(Box::new(shell)))
    }

    fn new(name: &str, work: Work) -> Self {
        Self {
            name: name.to_owned(),
            work,
            stop: Stop::default(),
        }
    }
}

impl Work {
    /// Does what is to be done before the start.
    async fn prepare(self, stop: Stop) -> Result<Started, Text> {
        match self {
            Self::Pager { line, log } => {
                let mut command = in_shell(&line, None);
                // A pager that can start a shell is more than a pager: less does without.
                command.env("LESSSECURE", "1").stdin(Stdio::piped());
                Ok(Started {
                    command,
                    log: Some(log),
                    _keeps: (None, vec![]),
                })
            }
            Self::Editor { line, log } => {
                let no_copy = |error: io::Error| {
                    Text::clean(&format!("no copy for the editor can be made: {error}"))
                };
                // 0700, and of a name that nobody can guess.
                let folder = tempfile::Builder::new().prefix("critui-").tempdir();
                let folder = folder.map_err(no_copy)?;
                let path = folder.path().join("log.txt");
                let command = in_shell(&line, Some(path.clone()));
                let save = move || {
                    let tell = |_| {};
                    log.export.save(&path, &log.grant, &log.host, &stop, &tell)
                };
                let saved = tokio::task::spawn_blocking(save).await;
                saved.map_err(|error| no_copy(error.into()))??;
                Ok(Started {
                    command,
                    log: None,
                    _keeps: (Some(folder), vec![]),
                })
            }
            Self::Shell(shell) => {
                let (command, spaces) = shell.prepare().await?;
                Ok(Started {
                    command,
                    log: None,
                    _keeps: (None, spaces),
                })
            }
        }
    }
}

/// `LINE [FILE]`, understood as the user's shell would.
fn in_shell(line: &OsString, file: Option<PathBuf>) -> Command {
    let mut command = Command::new("/bin/sh");
    let mut script = OsString::from("exec ");
    script.push(line);
    if file.is_some() {
        script.push(" \"$1\"");
    }
    command.arg("-c").arg(script).arg("sh").args(file);
    command
}

/// Runs it to its end, or until `ask` asks for that.
pub async fn run(program: Program, ask: oneshot::Receiver<()>) -> Return {
    let line = match program.work.prepare(program.stop).await {
        Ok(started) => start(&program.name, started, ask).await,
        Err(why) => why.to_string(),
    };
    Return {
        line: Text::clean(&line),
        ..Return::default()
    }
}

async fn start(name: &str, mut started: Started, ask: oneshot::Receiver<()>) -> String {
    let ended = match started.command.kill_on_drop(true).spawn() {
        Ok(mut child) => {
            feed(&mut child, started.log.take());
            finish(child, ask).await
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(status) if status.success() => String::new(),
        Ok(status) => match status.code() {
            Some(127) => format!("{name} was not found"),
            Some(code) => format!("{name} ended with exit code {code}"),
            None => format!("{name} was ended by a signal"),
        },
        Err(error) => format!("{name} cannot be started: {error}"),
    }
}

/// Writes a log to it, on a thread: it may read slowly, or never.
fn feed(child: &mut Child, log: Option<Log>) {
    let (Some(log), Some(pipe)) = (log, child.stdin.take()) else {
        return;
    };
    let Ok(pipe) = pipe.into_owned_fd() else {
        return;
    };
    let write = move || {
        let mut pipe = io::BufWriter::new(std::fs::File::from(pipe));
        // Whoever has seen enough closes it.
        if let Err(error) = log.export.print(&log.host, &mut pipe)
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            let _ = io::Write::write_all(&mut pipe, format!("critui: {error}\n").as_bytes());
        }
    };
    if let Err(error) = std::thread::Builder::new()
        .name("pager".into())
        .spawn(write)
    {
        tracing::debug!("pager: {error}");
    }
}

async fn finish(mut child: Child, ask: oneshot::Receiver<()>) -> io::Result<ExitStatus> {
    tokio::select! {
        ended = child.wait() => return ended,
        Ok(()) = ask => {}
    }
    if let Some(pid) = child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
        // It has not been waited for, so the number is its own.
        let _ = kill_process(pid, Signal::HUP);
    }
    if let Ok(ended) = timeout(PATIENCE, child.wait()).await {
        return ended;
    }
    child.kill().await?;
    child.wait().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&[], "less", "vi")]
    #[case(&[("PAGER", "most -s"), ("EDITOR", "nano")], "most -s", "nano")]
    #[case(&[("PAGER", ""), ("VISUAL", "emacs -nw"), ("EDITOR", "ed")], "less", "emacs -nw")]
    // Not to page at all is right for scripts, and would show nothing here.
    #[case(&[("PAGER", "cat")], "less", "vi")]
    fn tools(#[case] env: &[(&str, &str)], #[case] pager: &str, #[case] editor: &str) {
        let tools = Tools::from_env(|name| {
            let found = env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.into())
        });
        assert_eq!(tools.pager, pager);
        assert_eq!(tools.editor, editor);
    }

    async fn told(script: &str, ask: bool) -> String {
        let (asking, asked) = oneshot::channel();
        if ask {
            asking.send(()).unwrap();
        }
        let started = Started {
            command: in_shell(&script.into(), None),
            log: None,
            _keeps: (None, vec![]),
        };
        start("it", started, asked).await
    }

    #[tokio::test]
    async fn endings() {
        assert_eq!(told("true", false).await, "");
        assert_eq!(
            told("sh -c 'exit 3'", false).await,
            "it ended with exit code 3"
        );
        assert_eq!(told("/no/such/program", false).await, "it was not found");
        assert_eq!(told("sleep 60", true).await, "it was ended by a signal");
    }
}
