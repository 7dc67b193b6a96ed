//! What the loop has going on inside containers.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::act::{self, Keeps};
use crate::access::WriteGrant;
use crate::cri::stream::Trust;
use crate::cri::{Connection, Reader, Writer};
use crate::domain::{self, ContainerId};
use crate::forward::Forwards;
use crate::host::open::HostRoot;
use crate::host::process;
use crate::journal::Journal;
use crate::local::{self, Program, Tools};
use crate::logs::export::Stop;
use crate::model::visit::Visit;
use crate::shell::{self, Means, Return, Shells};
use crate::terminal::Console;
use crate::text::Text;

/// Longest wait for a shell to be ended when the program ends; it takes less by itself.
const GOODBYE: Duration = Duration::from_secs(4);

/// Everything inside containers.
#[derive(Debug)]
pub struct Inside {
    trust: Arc<Trust>,
    shells: Shells,
    /// Forwarded ports.
    pub(super) forwards: Forwards,
    /// The user's pager and editor.
    pub(super) tools: Tools,
    /// What keeps the changes.
    pub(super) journal: Journal,
    /// Changes that can be broken off, by their numbers.
    breaks: HashMap<u64, oneshot::Sender<()>>,
    away: Option<Away>,
}

/// Something else has the terminal.
#[derive(Debug)]
struct Away {
    task: JoinHandle<Return>,
    ask: Option<oneshot::Sender<()>>,
    /// It is a program of this node; set, it stops what is done before its start.
    local: Option<Stop>,
}

impl Inside {
    /// Nothing yet; streaming servers are trusted by `trust`, and `journal` keeps what is done.
    pub fn new(trust: Trust, tools: Tools, journal: Journal) -> Self {
        Self {
            trust: Arc::new(trust),
            shells: Shells::default(),
            forwards: Forwards::default(),
            tools,
            journal,
            breaks: HashMap::new(),
            away: None,
        }
    }

    /// What acts on the node.
    pub(super) fn writer(&self, connection: &Connection, grant: &WriteGrant) -> Writer {
        Writer::new(connection.reader(), Arc::clone(&self.trust), grant)
    }

    /// What tells that the change of this number is to be broken off.
    pub(super) fn may_break_off(&mut self, id: u64) -> oneshot::Receiver<()> {
        self.breaks.retain(|_, sender| !sender.is_closed());
        let (sender, receiver) = oneshot::channel();
        self.breaks.insert(id, sender);
        receiver
    }

    /// Breaks the change of this number off.
    pub(super) fn break_off(&mut self, id: u64) {
        if let Some(sender) = self.breaks.remove(&id) {
            // It may be over by now.
            let _ = sender.send(());
        }
    }

    /// The terminal is lent.
    pub(super) fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// A program of this node has the terminal as it is: its signals are meant for that.
    pub(super) fn is_local(&self) -> bool {
        self.away.as_ref().is_some_and(|away| away.local.is_some())
    }

    /// The terminal interrupts: a running program has been told by the terminal itself.
    pub(super) fn interrupt(&self) {
        if let Some(stop) = self.away.as_ref().and_then(|away| away.local.as_ref()) {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// Runs a program of this node, which inherits the terminal.
    pub(super) fn start(&mut self, program: Program, keeps: Option<Keeps>) {
        let (ask, asked) = oneshot::channel();
        let stop = Arc::clone(&program.stop);
        let run = local::run(program, asked);
        let task = match keeps {
            None => tokio::spawn(run),
            Some(keeps) => tokio::spawn(act::kept(
                keeps,
                async |why: Text| {
                    // The terminal is the program's already, and shows it.
                    let _ = writeln!(std::io::stdout(), "critui: {why}");
                },
                run,
                |returned| Ok(returned.line.clone()),
            )),
        };
        self.away = Some(Away {
            task,
            ask: Some(ask),
            local: Some(stop),
        });
    }

    /// Gives `console` to something in a container, and `typed` before what is typed there.
    pub(super) fn visit(
        &mut self,
        visit: Visit,
        console: Console,
        typed: Vec<u8>,
        acting: (&Connection, &Arc<WriteGrant>),
    ) {
        let (ask, asked) = oneshot::channel();
        let keeps = Keeps {
            journal: self.journal.clone(),
            entry: act::of_visit(&visit),
            grant: Arc::clone(acting.1),
        };
        let shown = console.shown.clone();
        let warn = async move |why: Text| shell::say(&shown, &format!("critui: {why}")).await;
        let means = Means {
            writer: self.writer(acting.0, acting.1),
            reader: acting.0.reader(),
            shells: self.shells.clone(),
            ask: asked,
            typed,
        };
        self.away = Some(Away {
            task: tokio::spawn(act::kept(
                keeps,
                warn,
                shell::visit(visit, console, means),
                |returned| Ok(returned.line.clone()),
            )),
            ask: Some(ask),
            local: None,
        });
    }

    /// Waits until the terminal is given back. Never, when it is not lent.
    pub(super) async fn returned(&mut self) -> Return {
        let Some(away) = &mut self.away else {
            return std::future::pending().await;
        };
        let returned = (&mut away.task).await;
        self.away = None;
        returned.unwrap_or_else(|error| Return {
            line: format!("the session broke: {error}").into(),
            ..Return::default()
        })
    }

    /// Asks whatever has the terminal to end.
    pub(super) fn ask(&mut self) {
        if let Some(ask) = self.away.as_mut().and_then(|away| away.ask.take()) {
            // It may have ended by itself.
            let _ = ask.send(());
        }
    }

    /// Ends everything, within a bound.
    pub(super) async fn end(&mut self) {
        self.ask();
        if self.is_away()
            && timeout(GOODBYE, self.returned()).await.is_err()
            && let Some(away) = self.away.take()
        {
            away.task.abort();
        }
    }
}

/// Looks at a container from outside.
pub(super) async fn look(
    reader: &Reader,
    host: HostRoot,
    id: &ContainerId,
) -> Result<domain::Inside, Text> {
    let claim = local::claim(id.as_str(), reader.process(id).await)?;
    let looked = tokio::task::spawn_blocking(move || process::look(&host, &claim)).await;
    looked.unwrap_or_else(|error| Err(Text::clean(&error.to_string())))
}
