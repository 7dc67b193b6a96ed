//! What the loop has going on inside containers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::access::WriteGrant;
use crate::cri::stream::Trust;
use crate::cri::{Connection, Writer};
use crate::model::visit::Visit;
use crate::shell::{self, Means, Return, Shells};
use crate::terminal::Console;

/// Longest wait for a shell to be ended when the program ends; it takes less by itself.
const GOODBYE: Duration = Duration::from_secs(4);

/// Everything inside containers.
#[derive(Debug, Default)]
pub struct Inside {
    trust: Arc<Trust>,
    shells: Shells,
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
