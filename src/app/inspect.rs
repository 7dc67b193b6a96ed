//! What the loop asks the runtime about single things.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::App;
use super::enter::READ_ONLY;
use crate::cri::{Reader, Whole};
use crate::model::inspect::{About, Answer};
use crate::model::{Msg, Subject, Target};
use crate::terminal::{Keys, Surface};
use crate::tree::Key;

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

    /// Asks for one value as it is.
    pub(super) fn reveal(&self, about: About, keys: Vec<Key>, jobs: &mut JoinSet<Msg>) {
        let (reader, grant) = (self.connection.reader(), self.grant.clone());
        jobs.spawn(async move {
            let value = match grant {
                None => Err(READ_ONLY.into()),
                Some(grant) => match reader.reveal(whole(&about), &keys, &grant).await {
                    Ok(Some(value)) => Ok(value),
                    Ok(None) => Err("it is there no more".into()),
                    Err(error) => Err(error.message),
                },
            };
            Msg::Revealed(about, keys, value)
        });
    }
}

/// Asks for everything about one thing. The error is one line.
pub async fn inspect(reader: &Reader, about: &About) -> Answer {
    let tree = reader.inspect(whole(about)).await;
    tree.map(Arc::new).map_err(|error| error.message)
}

fn whole(about: &About) -> Whole<'_> {
    match about {
        About::One(Subject::Pod(id)) => Whole::Pod(id),
        About::One(Subject::Container(id)) => Whole::Container(id),
        About::One(Subject::Image(id)) => Whole::Image(id.as_str()),
        About::Runtime => Whole::Runtime,
    }
}
