//! The threads that read logs: what the model wants is compared with what runs, after each
//! message.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::host::open::HostRoot;
use crate::logs::viewer::{Request, Viewer, Whose};
use crate::model::logs::wanted;
use crate::model::{Model, Msg, Slot};

const SLOTS: [Slot; 2] = [Slot::View, Slot::Preview];

/// What is done beside the loop.
pub(super) struct Work {
    pub(super) jobs: JoinSet<Msg>,
    pub(super) logs: Logs,
}

/// Both slots, each with a thread while it is wanted.
pub(super) struct Logs {
    host: HostRoot,
    running: [Option<Running>; 2],
    news: Arc<Notify>,
}

struct Running {
    whose: Whose,
    request: Request,
    viewer: Viewer,
}

impl Logs {
    pub(super) fn new(host: HostRoot) -> Self {
        Self {
            host,
            running: [None, None],
            news: Arc::default(),
        }
    }

    /// Starts and ends threads, and asks them for what is wanted now.
    pub(super) fn sync(&mut self, model: &Model) {
        for (slot, running) in SLOTS.into_iter().zip(&mut self.running) {
            let Some((whose, request)) = wanted(model, slot) else {
                *running = None;
                continue;
            };
            if running.as_ref().is_none_or(|known| known.whose != *whose) {
                let news = Arc::clone(&self.news);
                let viewer = Viewer::start(self.host.clone(), whose.clone(), move || {
                    news.notify_one();
                });
                let viewer = match viewer {
                    Ok(viewer) => viewer,
                    Err(error) => {
                        // Without threads there are no logs; the next message tries again.
                        tracing::debug!("logs: {error}");
                        continue;
                    }
                };
                viewer.ask(request.clone());
                *running = Some(Running {
                    whose: whose.clone(),
                    request: request.clone(),
                    viewer,
                });
            }
            if let Some(known) = running
                && known.request != *request
            {
                known.request.clone_from(request);
                known.viewer.ask(request.clone());
            }
        }
    }

    /// Waits until anything has been read.
    pub(super) async fn changed(&self) {
        self.news.notified().await;
    }

    /// What has been read.
    pub(super) fn take(&mut self) -> Option<Msg> {
        let mut running = SLOTS.into_iter().zip(&self.running);
        running.find_map(|(slot, running)| {
            let news = running.as_ref()?.viewer.news();
            (!news.is_empty()).then(|| Msg::Logs(slot, Box::new(news)))
        })
    }
}
