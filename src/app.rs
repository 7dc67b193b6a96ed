//! The loop: one `select!` that awaits keys, the connection, finished jobs, time, signals and
//! the terminal, and nothing else. Generic over the surface and the input, so that tests drive
//! this very loop.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crossterm::event::Event;
use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::access::WriteGrant;
use crate::clipboard::{self, Clipboard};
use crate::config::watch::Reload;
use crate::cri::{Connection, Update};
use crate::host::pressure::Gauge;
use crate::model::{
    Clock, Effect, LogView, Model, Msg, Seen, fit, settle, trends, turns, update, wake, wanted,
};
use crate::shell::Return;
use crate::terminal::{Keys, Surface};
use crate::theme::Theme;
use crate::views;

mod act;
mod audit;
mod enter;
mod files;
mod frame;
mod input;
mod inside;
mod inspect;
mod lines;
mod logs;
mod looks;
mod signals;
mod stats;
mod why;

pub use inside::Inside;
pub use inspect::inspect;
pub use looks::Looks;

use frame::{Alarm, Frame};
use input::input;
use logs::{Logs, Work};
use signals::Signals;

/// How long the first frame waits for data: a runtime that answers at once spares the terminal a
/// frame that says only that it is being asked.
const FIRST: Duration = Duration::from_millis(8);
/// How long the first data of a panel waits for that of the others.
const COMPANY: Duration = Duration::from_millis(5);
/// When the pressure on the node is measured for the first time.
const FIRST_PRESSURE: Duration = Duration::from_millis(500);
/// How often the pressure on the node is measured.
const PRESSURE: Duration = Duration::from_secs(10);
/// Messages handled between two frames at most, so that a flood of data cannot starve drawing.
const BURST: usize = 512;

/// What the loop works with.
pub struct App<S, I> {
    /// What is known.
    pub model: Model,
    /// How it looks.
    pub theme: Theme,
    /// Other looks.
    pub looks: Looks,
    /// Where it is drawn.
    pub surface: S,
    /// Keys and resizes.
    pub input: I,
    /// The connection.
    pub connection: Connection,
    /// What it learns.
    pub updates: mpsc::Receiver<Update>,
    /// Settings that have changed; nothing comes when nobody watches them.
    pub settings: mpsc::Receiver<Reload>,
    /// Measures the pressure on the node.
    pub gauge: Gauge,
    /// What changes anything needs it; gone for good when the settings turn read-only on.
    pub grant: Option<Arc<WriteGrant>>,
    /// How the terminal takes what is copied.
    pub clipboard: Clipboard,
    /// What goes on inside containers.
    pub inside: Inside,
    /// When the program started, for [`Clock::uptime`].
    pub started: Instant,
    /// The wall clock.
    pub wall: fn() -> Timestamp,
}

/// What has become due.
enum Due {
    Message(Msg),
    Nothing,
    Interrupt,
    Suspend,
    Returned(Return),
    Leave,
}

impl<S, I> App<S, I>
where
    S: Surface,
    I: Keys,
{
    /// Runs until the user leaves, the terminal is gone, or a signal asks to end.
    pub async fn run(mut self) -> io::Result<()> {
        let mut signals = Signals::new()?;
        let mut work = Work {
            jobs: JoinSet::new(),
            logs: Logs::new(self.gauge.host().clone()),
            places: stats::Places::default(),
            measuring: Arc::default(),
        };
        let mut seen = Seen::default();
        let now = Instant::now();
        let mut frame = Frame {
            dirty: true,
            soon: Some(now + FIRST),
            last: Some(now),
            slow: self.model.comfort.slow,
            ..Frame::default()
        };
        self.connection.want(wanted());
        // The pods come first.
        self.measure(&mut work.jobs, FIRST_PRESSURE);
        while !self.model.leaving {
            // While the terminal is lent nothing is drawn.
            let ready = !self.inside.is_away() && self.surface.ready()?;
            if ready && frame.due_at().is_some_and(|at| at <= Instant::now()) {
                seen = self.draw(&seen)?;
                work.logs.sync(&self.model);
                frame = Frame {
                    last: Some(Instant::now()),
                    complete: frame.complete,
                    slow: frame.slow,
                    ..Frame::default()
                };
                continue;
            }
            match self
                .next(&mut work, &mut signals, &seen, &frame, ready)
                .await
            {
                Due::Nothing => {}
                // The terminal's own signals go to its whole group: what has it deals with an
                // interrupt, and critui stops with it.
                Due::Interrupt if self.inside.is_local() => self.inside.interrupt(),
                Due::Leave | Due::Interrupt => break,
                Due::Suspend if self.inside.is_local() => signals::stop()?,
                // Whatever has the terminal goes on.
                Due::Suspend if self.inside.is_away() => {}
                Due::Suspend => self.run_effect(Effect::Suspend, &mut work)?,
                Due::Returned(returned) => {
                    let msg = self.come_back(returned)?;
                    self.take(msg, &mut seen, &mut frame, &mut work)?;
                }
                Due::Message(msg) => {
                    self.take(msg, &mut seen, &mut frame, &mut work)?;
                    self.drain(&mut seen, &mut frame, &mut work).await?;
                }
            }
        }
        self.inside.end().await;
        Ok(())
    }

    /// Waits for whatever comes first.
    async fn next(
        &mut self,
        work: &mut Work,
        signals: &mut Signals,
        seen: &Seen,
        frame: &Frame,
        ready: bool,
    ) -> Due {
        let alarm = self.alarm(seen, frame, ready);
        let sleep = alarm.map_or_else(Instant::now, Alarm::at);
        let away = self.inside.is_away();
        tokio::select! {
            event = self.input.next(), if !away => input(event.as_ref()),
            returned = self.inside.returned(), if away => Due::Returned(returned),
            Some(update) = self.updates.recv() => Due::Message(Msg::Feed(update)),
            Some(reload) = self.settings.recv() => Due::Message(self.reload(reload)),
            Some(done) = work.jobs.join_next(), if !work.jobs.is_empty() => {
                done.map_or(Due::Nothing, Due::Message)
            }
            () = work.logs.changed() => work.logs.take().map_or(Due::Nothing, Due::Message),
            () = self.surface.changed(), if !ready && !away => Due::Nothing,
            () = tokio::time::sleep_until(sleep), if alarm.is_some() => match alarm {
                Some(Alarm::Pass(_)) => Due::Message(Msg::Wake),
                _ => Due::Nothing,
            },
            signal = signals.next() => signal,
        }
    }

    fn alarm(&self, seen: &Seen, frame: &Frame, can_draw: bool) -> Option<Alarm> {
        let model = wake(&self.model).map(|uptime| self.started + uptime);
        let stale = seen.wake_at.map(|at| {
            let left = at.duration_since((self.wall)());
            Instant::now() + Duration::try_from(left).unwrap_or_default()
        });
        frame.alarm(model, stale, can_draw)
    }

    /// Takes everything else that is already there, so that a burst costs one frame.
    async fn drain(
        &mut self,
        seen: &mut Seen,
        frame: &mut Frame,
        work: &mut Work,
    ) -> io::Result<()> {
        for _ in 0..BURST {
            if self.model.leaving {
                break;
            }
            let msg = if let Ok(update) = self.updates.try_recv() {
                Msg::Feed(update)
            } else if let Some(Ok(msg)) = work.jobs.try_join_next() {
                msg
            } else if let Some(msg) = work.logs.take() {
                msg
            } else if self.inside.is_away() {
                break;
            } else if let Poll::Ready(event) = self.peek_input().await {
                match input(event.as_ref()) {
                    Due::Message(msg) => msg,
                    Due::Nothing | Due::Suspend | Due::Returned(_) => continue,
                    Due::Leave | Due::Interrupt => {
                        self.model.leaving = true;
                        break;
                    }
                }
            } else {
                break;
            };
            self.take(msg, seen, frame, work)?;
        }
        Ok(())
    }

    /// An event that is already there.
    async fn peek_input(&mut self) -> Poll<Option<io::Result<Event>>> {
        poll_fn(|cx| Poll::Ready(self.input.poll_next_unpin(cx))).await
    }

    fn take(
        &mut self,
        msg: Msg,
        seen: &mut Seen,
        frame: &mut Frame,
        work: &mut Work,
    ) -> io::Result<()> {
        let before = self.model.store.loaded();
        let waited = self.model.log().is_some_and(LogView::is_waiting);
        let clock = self.clock();
        if !matches!(msg, Msg::Wake) || self.has_turned(seen, clock) {
            frame.urgent |= msg.is_awaited();
            frame.gather(matches!(msg, Msg::Sampled(_)));
        }
        if matches!(msg, Msg::Pressure(_)) {
            self.measure(&mut work.jobs, PRESSURE);
        }
        let effects = update(&mut self.model, seen, clock, msg);
        // The first data of all panels, and the last status that was missing, are drawn at once.
        let loaded = self.model.store.loaded();
        if loaded != before {
            frame.urgent |= loaded.all();
            frame.soon = frame.soon.or_else(|| Some(Instant::now() + COMPANY));
        }
        let complete = loaded.all() && self.model.fetches.settled();
        frame.urgent |= complete && !frame.complete;
        frame.complete |= complete;
        // What a key asked of a log.
        frame.urgent |= waited && !self.model.log().is_some_and(LogView::is_waiting);
        for effect in effects {
            self.run_effect(effect, work)?;
        }
        work.logs.sync(&self.model);
        Ok(())
    }

    /// Time alone may have changed what is shown.
    fn has_turned(&self, seen: &Seen, clock: Clock) -> bool {
        turns(&self.model).is_some_and(|at| at <= clock.uptime)
            || seen.wake_at.is_some_and(|at| at <= clock.now)
    }

    fn clock(&self) -> Clock {
        Clock {
            now: (self.wall)(),
            uptime: self.started.elapsed(),
        }
    }

    fn draw(&mut self, before: &Seen) -> io::Result<Seen> {
        self.model.clock = self.clock();
        settle(&mut self.model, before);
        let mut seen = self.frame(before)?;
        // Another size may have left the cursor outside.
        if fit(&mut self.model, &seen) {
            seen = self.frame(&seen)?;
        }
        self.surface.present();
        Ok(seen)
    }

    fn frame(&mut self, before: &Seen) -> io::Result<Seen> {
        trends(&self.model, before);
        let mut seen = Seen::default();
        let (model, theme) = (&self.model, &self.theme);
        self.surface
            .terminal()
            .draw(|frame| seen = views::draw(model, theme, frame.buffer_mut()))
            .map_err(|error| io::Error::other(error.to_string()))?;
        Ok(seen)
    }

    fn run_effect(&mut self, effect: Effect, work: &mut Work) -> io::Result<()> {
        let jobs = &mut work.jobs;
        match effect {
            Effect::Want(wanted) => self.connection.want(wanted),
            Effect::Refresh => self.connection.refresh(),
            Effect::Fetch(targets) => targets.into_iter().for_each(|t| self.fetch(t, jobs)),
            Effect::Repaint => self.surface.repaint()?,
            Effect::Theme(name) => self.looks.choose(&mut self.theme, &name),
            Effect::Preview(name) => self.looks.preview(&mut self.theme, name.as_ref()),
            Effect::Mouse(on) => self.surface.raw(clipboard::mouse(on))?,
            Effect::Copy(text) => self.copy(&text, jobs)?,
            Effect::Save(export, path) => work.logs.save(*export, path, self.grant.as_ref()),
            Effect::Read(export, by) => self.read(*export, by, jobs),
            Effect::StopSaving => work.logs.stop_saving(),
            Effect::Visit(visit) => self.visit(*visit, jobs)?,
            Effect::Forward(asked) => self.forward(&asked, jobs),
            Effect::StopForward(id) => {
                self.inside.forwards.stop(id);
                self.tell_forwards(None, jobs);
            }
            Effect::Look(id) => self.look(id, jobs),
            Effect::ReadLines(ticket, wanted) => self.read_lines(ticket, wanted, jobs),
            Effect::Why(ticket, asked) => self.why(ticket, *asked, jobs),
            Effect::Audit(asked) => self.audit(*asked, jobs),
            Effect::Inspect(about, state) => self.inspect(about, state, jobs),
            Effect::Reveal(about, keys) => self.reveal(about, keys, jobs),
            Effect::HostShell(visit, runs, all) => self.host_shell(*visit, (runs, all), jobs),
            Effect::RunInAll(ids, line) => self.run_in_all(ids, &line, jobs),
            Effect::Browse(browse) => self.browse(*browse, jobs),
            Effect::CopyOut(browse, to) => self.copy_out(*browse, to, jobs),
            Effect::Owners(owned) => Self::owners(owned, jobs),
            Effect::Discard(left) => self.discard(left, jobs),
            Effect::LookAtNode(deep) => self.look_at_node(deep, jobs),
            Effect::MeasureDisks => self.measure_disks(&mut work.measuring, jobs),
            Effect::StopMeasuring => stats::stop(&work.measuring),
            Effect::Sample(asked) => self.sample(*asked, &work.places, jobs),
            Effect::Foresee(token, questions) => self.foresee(token, questions, jobs),
            Effect::Act(id, act, title, told) => self.act(id, (*act, title), told, jobs),
            Effect::ReadFiles(wanted, pod, paths) => Self::read_files(wanted, pod, paths, jobs),
            Effect::CountComing => self.count_coming(jobs),
            Effect::BreakOff(id) => self.inside.break_off(id),
            Effect::ReadJournal => self.read_journal(jobs),
            Effect::Remember(layout, name) => self.remember(*layout, name, jobs),
            Effect::CountForwards => self.tell_forwards(None, jobs),
            Effect::Suspend => {
                // A subscriber that stops reading would stall the runtime.
                self.connection.pause_events();
                self.surface.suspend()?;
                self.connection.resume_events();
            }
        }
        Ok(())
    }
}
