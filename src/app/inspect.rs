//! What the loop asks the runtime about single things.

use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use super::enter::READ_ONLY;
use super::{App, act};
use crate::cri::{Reader, Whole};
use crate::journal::Entry;
use crate::model::inspect::{About, Answer, title};
use crate::model::{Msg, Subject, Target};
use crate::terminal::{Keys, Surface};
use crate::text::Text;
use crate::tree::{Key, path};

impl<S: Surface, I: Keys> App<S, I> {
    /// Reads a status.
    pub(super) fn fetch(&self, target: Target, jobs: &mut JoinSet<Msg>) {
        let reader = self.connection.reader();
        let fetch = async move {
            match target {
                Target::Pod(id) => {
                    let detail = reader.pod_detail(&id).await.ok();
                    Msg::PodDetail(id, detail)
                }
                Target::Container(id, state) => {
                    let detail = reader.container_detail(&id).await.ok();
                    Msg::ContainerDetail(id, state, detail)
                }
            }
        };
        jobs.spawn_on(fetch, self.connection.runtime());
    }

    /// Asks for everything about one thing.
    pub(super) fn inspect(&self, about: About, state: &'static str, jobs: &mut JoinSet<Msg>) {
        let reader = self.connection.reader();
        jobs.spawn(async move {
            let answer = inspect(&reader, &about).await;
            Msg::Inspected(about, state, answer)
        });
    }

    /// Asks for one value as it is; the journal keeps that, not the value.
    pub(super) fn reveal(&self, about: About, keys: Vec<Key>, jobs: &mut JoinSet<Msg>) {
        let (object, crictl) = match &about {
            About::One(Subject::Pod(id)) => (id.as_str(), "inspectp"),
            About::One(Subject::Container(id)) => (id.as_str(), "inspect"),
            About::One(Subject::Image(id)) => (id.as_str(), "inspecti"),
            About::Runtime => ("", "info"),
        };
        let keeps = self.keeps(Entry {
            what: "reveal",
            object: object.to_owned(),
            name: title(&self.model, &about).to_string(),
            parameters: json!({"path": path(&keys)}),
            crictl: format!("crictl {crictl} {object}").trim_end().to_owned(),
        });
        let reader = self.connection.reader();
        jobs.spawn(async move {
            let Some(keeps) = keeps else {
                return Msg::Revealed(about, keys, Err(READ_ONLY.into()), None);
            };
            let grant = Arc::clone(&keeps.grant);
            let work = async {
                match reader.reveal(whole(&about), &keys, &grant).await {
                    Ok(Some(value)) => Ok(value),
                    Ok(None) => Err("it is there no more".into()),
                    Err(error) => Err(error.message),
                }
            };
            let mut warned = None;
            let warn = async |why: Text| warned = Some(why);
            let told = |value: &Result<Text, Text>| value.clone().map(|_| "shown".into());
            let value = Box::pin(act::kept(keeps, warn, work, told)).await;
            Msg::Revealed(about, keys, value, warned)
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
