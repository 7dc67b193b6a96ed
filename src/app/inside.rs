//! What the loop has going on inside containers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::access::WriteGrant;
use crate::cri::stream::Trust;
use crate::cri::{Connection, Reader, Writer};
use crate::domain::{self, ContainerId};
use crate::forward::Forwards;
use crate::host::open::HostRoot;
use crate::host::process::{self, Claim};
use crate::model::visit::Visit;
use crate::shell::{self, Means, Return, Shells};
use crate::terminal::Console;
use crate::text::Text;

/// Longest wait for a shell to be ended when the program ends; it takes less by itself.
const GOODBYE: Duration = Duration::from_secs(4);

/// Everything inside containers.
#[derive(Debug, Default)]
pub struct Inside {
    trust: Arc<Trust>,
    shells: Shells,
    /// Forwarded ports.
    pub(super) forwards: Forwards,
    away: Option<Away>,
}

/// Something in a container has the terminal.
#[derive(Debug)]
struct Away {
    task: JoinHandle<Return>,
    ask: Option<oneshot::Sender<()>>,
}

impl Inside {
    /// Nothing yet; streaming servers are trusted by `trust`.
    pub fn new(trust: Trust) -> Self {
        Self {
            trust: Arc::new(trust),
            ..Self::default()
        }
    }

    /// What acts on the node.
    pub(super) fn writer(&self, connection: &Connection, grant: &WriteGrant) -> Writer {
        Writer::new(connection.reader(), Arc::clone(&self.trust), grant)
    }

    /// The terminal is lent.
    pub(super) fn is_away(&self) -> bool {
        self.away.is_some()
    }

    /// Gives `console` to something in a container, and `typed` before what is typed there.
    pub(super) fn visit(
        &mut self,
        visit: Visit,
        console: Console,
        typed: Vec<u8>,
        acting: (&Connection, &WriteGrant),
    ) {
        let (ask, asked) = oneshot::channel();
        let means = Means {
            writer: self.writer(acting.0, acting.1),
            reader: acting.0.reader(),
            shells: self.shells.clone(),
            ask: asked,
            typed,
        };
        self.away = Some(Away {
            task: tokio::spawn(shell::visit(visit, console, means)),
            ask: Some(ask),
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
    const SECOND: i64 = 1_000_000_000;
    let process = reader.process(id).await.map_err(|error| error.message)?;
    if !process.running {
        return Err("the container does not run".into());
    }
    let claim = Claim {
        pid: process.pid.unwrap_or(0),
        container: Text::clean(id.as_str()),
        created: process.created_at / SECOND,
        started: process.started_at / SECOND,
    };
    let looked = tokio::task::spawn_blocking(move || process::look(&host, &claim)).await;
    looked.unwrap_or_else(|error| Err(Text::clean(&error.to_string())))
}
