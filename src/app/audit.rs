//! Looks for what could hurt, beside the loop.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::App;
use crate::audit::Report;
use crate::audit::report::Narrow;
use crate::gather::audit;
use crate::model::Msg;
use crate::model::audit::{Asked, socket};
use crate::terminal::{Keys, Surface};
use crate::text::Text;

impl<S: Surface, I: Keys> App<S, I> {
    pub(super) fn audit(&self, asked: Asked, jobs: &mut JoinSet<Msg>) {
        let (reader, now) = (self.connection.reader(), (self.wall)());
        let look = audit::Asked {
            host: self.gauge.host().clone(),
            socket: socket(&asked.endpoint).to_owned(),
            registries: vec![],
            now,
        };
        jobs.spawn(async move {
            let Asked {
                ticket,
                version,
                baseline,
                progress,
                ..
            } = asked;
            let told = |done, all| progress.set(done, all);
            let facts = audit::facts(&reader, version, look, told).await;
            let report = match facts {
                Err(error) => Err(error.message),
                // Beside the loop: a node can have thousands of containers.
                Ok(facts) => tokio::task::spawn_blocking(move || {
                    Arc::new(Report::of(&facts, &Narrow::default(), &baseline).0)
                })
                .await
                .map_err(|error| Text::clean(&error.to_string())),
            };
            Msg::Audited(ticket, report)
        });
    }
}
