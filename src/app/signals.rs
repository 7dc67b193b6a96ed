//! The signals that mean something here.

use std::io;

use super::Due;
use crate::model::Msg;

/// The signals that mean something here.
pub(super) struct Signals {
    end: [tokio::signal::unix::Signal; 3],
    stop: tokio::signal::unix::Signal,
    size: tokio::signal::unix::Signal,
}

impl Signals {
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let stop = SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw());
        let end = [
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::interrupt(),
        ];
        let [term, hup, int] = end.map(signal);
        Ok(Self {
            end: [term?, hup?, int?],
            stop: signal(stop)?,
            size: signal(SignalKind::window_change())?,
        })
    }

    pub async fn next(&mut self) -> Due {
        let [term, hup, int] = &mut self.end;
        tokio::select! {
            _ = term.recv() => Due::Leave,
            _ = hup.recv() => Due::Leave,
            _ = int.recv() => Due::Interrupt,
            _ = self.stop.recv() => Due::Suspend,
            _ = self.size.recv() => Due::Message(Msg::Redraw),
        }
    }
}

/// Stops critui until it is continued.
pub(super) fn stop() -> io::Result<()> {
    let me = rustix::process::getpid();
    Ok(rustix::process::kill_process(
        me,
        rustix::process::Signal::STOP,
    )?)
}
