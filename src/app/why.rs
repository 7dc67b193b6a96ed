//! Finds out why, beside the loop.

use jiff::Timestamp;
use tokio::task::JoinSet;

use super::App;
use crate::gather;
use crate::model::Msg;
use crate::model::asked::Asked;
use crate::model::why::Found;
use crate::terminal::{Keys, Surface};

impl<S: Surface, I: Keys> App<S, I> {
    pub(super) fn why(&self, ticket: u64, asked: Asked, jobs: &mut JoinSet<Msg>) {
        let (reader, host) = (self.connection.reader(), self.gauge.host().clone());
        let now: Timestamp = (self.wall)();
        jobs.spawn(async move {
            let (container, pod) = gather::why(&reader, &host, asked, now).await;
            Msg::Why(ticket, Box::new(Found::new(container, pod)))
        });
    }
}
