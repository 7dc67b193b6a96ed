//! The task behind a [`Connection`](super::Connection): connects, polls, notices silence and
//! loss, backs off, and comes back.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::diagnose::{Failure, diagnose};
use super::dial;
use super::error::Kind;
use super::events::Events;
use super::hints;
use super::pace::{self, Backoff};
use super::poll::{Outcome, Poller};
use super::read::{Reader, probe};
use super::target::{SocketPath, Target, Timing};
use super::{Update, Wanted};
use crate::link::Link;

/// How long one question to a silent runtime stays open. It is asked once and then waited for:
/// a frozen runtime answers it the moment it thaws, and gets no pile of questions until then.
const PATIENCE: Duration = Duration::from_secs(60);

/// What wakes the task before its time.
#[derive(Clone, Debug, Default)]
pub(super) struct Wake {
    /// Somebody wants everything listed now.
    pub refresh: Arc<Notify>,
    /// Something has probably changed.
    pub hint: Arc<Notify>,
}

/// Where what is learnt goes.
#[derive(Debug)]
pub(super) struct Reports {
    /// Gets each new connection.
    pub reader: Reader,
    /// Gets the updates.
    pub out: mpsc::Sender<Update>,
    /// Is told when there is a runtime to subscribe to.
    pub events: Option<Arc<Events>>,
}

/// Everything the task works with.
pub(super) struct Actor {
    target: Target,
    timing: Timing,
    reports: Reports,
    wants: watch::Receiver<Wanted>,
    /// Time between two lists when nothing happens.
    refresh: watch::Receiver<Duration>,
    wake: Wake,
    backoff: Backoff,
    /// When the runtime last answered, or when waiting for it began.
    heard: Timestamp,
    /// The link is up, as far as anybody has been told.
    up: bool,
    /// It has been down: a runtime that restarts says its version before it can list, so the
    /// link counts as up only after the first list.
    wary: bool,
}

impl Actor {
    pub fn new(
        target: Target,
        timing: Timing,
        reports: Reports,
        wants: watch::Receiver<Wanted>,
        refresh: watch::Receiver<Duration>,
        wake: Wake,
    ) -> Self {
        Self {
            target,
            timing,
            reports,
            wants,
            refresh,
            wake,
            backoff: Backoff::default(),
            heard: (timing.clock)(),
            up: false,
            wary: false,
        }
    }

    /// Runs until nobody listens any more.
    pub async fn run(mut self) {
        let out = self.reports.out.clone();
        tokio::select! {
            () = out.closed() => (),
            () = self.keep_connected() => (),
        }
    }

    async fn keep_connected(&mut self) {
        self.tell(Update::Link(Link::Connecting)).await;
        loop {
            let (socket, failure) = self.attempt().await;
            self.reports.reader.hang_up();
            if std::mem::take(&mut self.up) {
                self.heard = (self.timing.clock)();
            }
            let pause = self.backoff.next();
            self.tell_down(&socket, &failure, pause).await;
            tokio::select! {
                () = tokio::time::sleep(pause) => (),
                () = self.wake.refresh.notified() => (),
            }
        }
    }

    /// One connection, from dialling to its end.
    async fn attempt(&mut self) -> (SocketPath, Failure) {
        let (session, mut watch) = match dial::dial(&self.target, self.timing.deadline).await {
            Ok(dialled) => dialled,
            Err(failed) => return failed,
        };
        self.reports.reader.pick_up(session);
        let (target, hint) = (self.target.clone(), self.wake.hint.clone());
        let failure = if let Err(failure) = self.meet(&mut watch).await {
            failure
        } else {
            tokio::select! {
                failure = self.serve() => failure,
                () = watch.lost() => Failure::Lost,
                never = hints::follow(&target, &hint) => match never {},
            }
        };
        if let Some(events) = &self.reports.events {
            events.runtime_down();
        }
        (self.target.runtime.clone(), failure)
    }

    /// Waits for the first answer. A runtime that is mute keeps the connection: dialling again
    /// would only fill its queue.
    async fn meet(&mut self, watch: &mut dial::Watch) -> Result<(), Failure> {
        let version = match probe(&self.reports.reader, watch).await {
            Err(failure @ Failure::Mute(..)) => {
                let socket = self.target.runtime.clone();
                self.reports.reader.set_silent(true);
                self.tell_down(&socket, &failure, PATIENCE).await;
                tokio::select! {
                    version = patient(&self.reports.reader) => version?,
                    () = watch.lost() => return Err(Failure::Closed(watch.greeting())),
                }
            }
            met => met?,
        };
        if let Some(events) = &self.reports.events {
            events.runtime_up();
        }
        self.tell(Update::Version(version)).await;
        if !self.wary {
            self.tell_up().await;
        }
        Ok(())
    }

    /// Polls until the connection is of no more use; says why.
    async fn serve(&mut self) -> Failure {
        let mut poller = Poller::new(self.reports.reader.clone(), self.reports.out.clone());
        let mut all = true;
        loop {
            let wanted = *self.wants.borrow_and_update();
            let outcome = poller.round(wanted, all).await;
            match outcome {
                Outcome::Good => self.tell_up().await,
                Outcome::NotReady(words) => return Failure::Starting(words),
                Outcome::Down => return Failure::Lost,
                Outcome::Silent => {
                    let since = self.heard;
                    self.up = false;
                    self.reports.reader.set_silent(true);
                    self.tell(Update::Link(Link::Silent { since })).await;
                    if let Err(failure) = patient(&self.reports.reader).await {
                        return failure;
                    }
                    self.tell_up().await;
                    continue;
                }
            }
            all = self.rest(&poller, wanted).await;
        }
    }

    /// Waits until the next round is due; true if somebody asked for it.
    async fn rest(&mut self, poller: &Poller, had: Wanted) -> bool {
        let round = poller.last();
        let mut due = pace::due(round, *self.refresh.borrow(), poller.changed());
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(due) => return false,
                () = self.wake.refresh.notified() => return true,
                () = self.wake.hint.notified() => due = due.min(pace::hinted(round, Instant::now())),
                Ok(()) = self.wants.changed() => {
                    if self.wants.borrow_and_update().beyond(had) {
                        return false;
                    }
                }
            }
        }
    }

    async fn tell(&self, update: Update) {
        // Nobody listening any more ends the task in `run`.
        let _ = self.reports.out.send(update).await;
    }

    async fn tell_up(&mut self) {
        self.heard = (self.timing.clock)();
        self.backoff.reset();
        if !self.up {
            self.up = true;
            self.tell(Update::Link(Link::Up)).await;
        }
    }

    async fn tell_down(&mut self, socket: &SocketPath, failure: &Failure, pause: Duration) {
        self.wary = true;
        let now = (self.timing.clock)();
        let pause = SignedDuration::try_from(pause).unwrap_or_default();
        let link = Link::Down {
            problem: diagnose(socket, failure),
            since: self.heard,
            retry_at: now.saturating_add(pause).unwrap_or(now),
        };
        tracing::debug!(?link);
        self.tell(Update::Link(link)).await;
    }
}

/// Asks who is there and waits for as long as it takes.
async fn patient(reader: &Reader) -> Result<crate::domain::RuntimeVersion, Failure> {
    loop {
        match reader.version_within(PATIENCE).await {
            Ok(version) => {
                reader.set_silent(false);
                return Ok(version);
            }
            Err(error) => match error.kind {
                Kind::Timeout => (),
                Kind::NotReady => return Err(Failure::Starting(error.message)),
                Kind::Down => return Err(Failure::Lost),
                _ => return Err(Failure::Status(error.message)),
            },
        }
    }
}
