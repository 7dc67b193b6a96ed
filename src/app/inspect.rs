//! What the loop asks the runtime about single things.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::App;
use crate::cri::Reader;
use crate::model::inspect::{About, Answer};
use crate::model::{Msg, Subject, Target};
use crate::terminal::{Keys, Surface};

impl<S: Surface, I: Keys> App<S, I> {
    /// Reads a status.
    pub(super) fn fetch(&self, target: Target, jobs: &mut JoinSet<Msg>) {
        let reader = self.connection.reader();
        match target {
            Target::Pod(id) => jobs.spawn(async move {
                let detail = reader.pod_detail(&id).await.ok();
                Msg::PodDetail(id, detail)
            }),
            Target::Container(id, state) => jobs.spawn(async move {
                let detail = reader.container_detail(&id).await.ok();
                Msg::ContainerDetail(id, state, detail)
            }),
        };
    }

    /// Asks for everything about one thing.
    pub(super) fn inspect(&self, about: About, state: &'static str, jobs: &mut JoinSet<Msg>) {
        let reader = self.connection.reader();
        jobs.spawn(async move {
            let answer = inspect(&reader, &about).await;
            Msg::Inspected(about, state, answer)
        });
    }
}

/// Asks for everything about one thing. The error is one line.
pub async fn inspect(reader: &Reader, about: &About) -> Answer {
    let tree = match about {
        About::One(Subject::Pod(id)) => reader.inspect_pod(id).await,
        About::One(Subject::Container(id)) => reader.inspect_container(id).await,
        About::One(Subject::Image(id)) => reader.inspect_image(id.as_str()).await,
        About::Runtime => reader.inspect_runtime().await,
    };
    tree.map(Arc::new).map_err(|error| error.message)
}
