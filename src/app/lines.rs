//! Reads lines of the node's files, beside the loop.

use tokio::task::JoinSet;

use super::App;
use crate::gather;
use crate::model::Msg;
use crate::model::lines::Wanted;
use crate::terminal::{Keys, Surface};

impl<S: Surface, I: Keys> App<S, I> {
    pub(super) fn read_lines(&self, ticket: u64, wanted: Wanted, jobs: &mut JoinSet<Msg>) {
        let (host, now) = (self.gauge.host().clone(), (self.wall)());
        jobs.spawn(async move { Msg::Lines(ticket, gather::lines(&host, wanted, now).await) });
    }
}
