//! The connection to the container runtime.
//!
//! [`Connection`] is the handle of a task that owns connecting, backing off and polling, and
//! tells the rest of the program what it learns as [`Update`]s. [`Reader`] asks for details.
//! Everything that leaves for the runtime passes the [`gate`], which lets only reads through
//! unless it was built with a `WriteGrant`. The wire format ends in `convert`: nothing above
//! this module sees a protobuf type.
//!
//! ```text
//! Connection ── link ─┬─ dial ── gate ── read ── pieces ── list ── convert ──> Update, answers
//!                     ├─ pace     when to list next
//!                     ├─ hints    file notifications: list now
//!                     └─ events   runtime events (opt-in): list now
//! Writer ── gate, opened by the grant ── stream   exec, attach, port-forward
//! ```

mod act;
mod ask;
mod audited;
mod convert;
pub mod debug;
mod diagnose;
mod dial;
mod error;
mod events;
mod fields;
pub mod gate;
mod hints;
mod image;
mod inspect;
mod latency;
mod layers;
mod link;
mod list;
mod make;
mod node;
mod pace;
mod pieces;
mod poll;
mod read;
mod resources;
pub mod spec;
mod specified;
mod stats;
pub mod stream;
mod target;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod verbose;
mod write;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

use events::Events;
use gate::Pass;
use link::{Actor, Reports, Wake};

pub use act::GONE;
pub use convert::Condition;
pub use error::{CriError, Kind};
pub use inspect::Whole;
pub use latency::{Latency, latencies};
pub use node::Health;
pub use read::{Reader, connect_once};
pub use stats::samples_of;
pub use target::{SocketPath, Target, Timing};
pub use verbose::{Place, Process};
pub use write::{Outcome, Writer};

use crate::access::WriteGrant;
use crate::domain::{Changes, Container, Image, Pod, RuntimeVersion};
use crate::link::Link;
use crate::text::Text;

/// What the connection has learnt.
#[derive(Clone, Debug)]
pub enum Update {
    /// The state of the connection changed.
    Link(Link),
    /// The runtime said who it is: once for each connection made.
    Version(RuntimeVersion),
    /// What changed about the pod sandboxes since this was last told. The first over each
    /// connection is whole, and told even if it is empty.
    Pods(Changes<Pod>),
    /// What changed about the containers; see [`Update::Pods`].
    Containers(Changes<Container>),
    /// What changed about the images; see [`Update::Pods`].
    Images(Changes<Image>),
    /// One line for the user about something that did not work as asked.
    Notice(Text),
}

/// Which lists somebody looks at. What nobody looks at is not fetched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// Fetch the pod sandboxes.
    pub pods: bool,
    /// Fetch the containers.
    pub containers: bool,
    /// Fetch the images.
    pub images: bool,
}

/// Handle of the task that keeps the connection. Dropping it stops everything.
#[derive(Debug)]
pub struct Connection {
    wanted: watch::Sender<Wanted>,
    refresh: Arc<Notify>,
    every: watch::Sender<Duration>,
    reader: Reader,
    events: Option<Arc<Events>>,
    task: JoinHandle<()>,
    runtime: Handle,
}

impl Connection {
    /// Starts connecting to `target`; call it inside a tokio runtime. Nothing is listed before
    /// [`Connection::want`]. `events` subscribes to the runtime's events too (`--events`).
    pub fn start(
        target: Target,
        timing: Timing,
        events: Option<&WriteGrant>,
        out: mpsc::Sender<Update>,
    ) -> Self {
        let reader = Reader::new(&timing);
        let (wanted, wants) = watch::channel(Wanted::default());
        let wake = Wake::default();
        let refresh = wake.refresh.clone();
        let events = events.map(|grant| {
            let (pass, hint) = (Pass::new(grant), wake.hint.clone());
            Events::new(pass, target.clone(), timing, hint, out.clone())
        });
        let reports = Reports {
            reader: reader.clone(),
            out,
            events: events.clone(),
        };
        let (every, interval) = watch::channel(timing.refresh);
        let actor = Actor::new(target, timing, reports, wants, interval, wake);
        Self {
            wanted,
            refresh,
            every,
            reader,
            events,
            task: tokio::spawn(actor.run()),
            runtime: Handle::current(),
        }
    }

    /// Where the connection lives. Many small calls cost least there: each crosses to another
    /// thread once, not with each of its frames.
    pub fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Says which lists to keep fetching. What is newly wanted is fetched at once.
    pub fn want(&self, wanted: Wanted) {
        self.wanted.send_if_modified(|now| {
            let changed = *now != wanted;
            *now = wanted;
            changed
        });
    }

    /// Lists everything wanted now; while the runtime is down, tries to connect now.
    pub fn refresh(&self) {
        self.refresh.notify_one();
    }

    /// Sets the time between two lists when nothing happens, from now on.
    pub fn refresh_every(&self, interval: Duration) {
        let changed = self.every.send_if_modified(|now| {
            let changed = *now != interval;
            *now = interval;
            changed
        });
        if changed {
            // The pause that has begun may be the old, long one.
            self.refresh();
        }
    }

    /// Closes the subscription to events for good: from now on nothing may be changed.
    pub fn forbid_events(&mut self) {
        self.pause_events();
        self.events = None;
    }

    /// Closes the subscription to events, if there is one, and returns when it is closed. To be
    /// called before the program is suspended: a subscriber that does not read stalls the runtime.
    pub fn pause_events(&self) {
        if let Some(events) = &self.events {
            events.pause(true);
        }
    }

    /// Subscribes again after [`Connection::pause_events`].
    pub fn resume_events(&self) {
        if let Some(events) = &self.events {
            events.pause(false);
        }
    }

    #[cfg(test)]
    fn events_run(&self) -> bool {
        self.events.as_ref().is_some_and(|events| events.runs())
    }

    /// What answers questions about single objects.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
        self.reader.hang_up();
        self.pause_events();
    }
}
