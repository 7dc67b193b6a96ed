//! The threads that read logs: what the model wants is compared with what runs, after each
//! message.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::access::WriteGrant;
use crate::host::open::HostRoot;
use crate::logs::export::{Export, Stop};
use crate::logs::viewer::{Request, Viewer, Whose};
use crate::model::logs::wanted;
use crate::model::{Model, Msg, Slot};
use crate::text::Text;

const SLOTS: [Slot; 2] = [Slot::View, Slot::Preview];

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is done beside the loop.
pub(super) struct Work {
    pub(super) jobs: JoinSet<Msg>,
    pub(super) logs: Logs,
    pub(super) places: super::stats::Places,
    pub(super) measuring: super::stats::Stop,
}

/// Both slots, each with a thread while it is wanted.
pub(super) struct Logs {
    host: HostRoot,
    running: [Option<Running>; 2],
    saving: Option<Saving>,
    news: Arc<Notify>,
}

/// What is being saved. Dropping it breaks it off.
struct Saving {
    stop: Stop,
    /// The newest line about it, and whether that is the last one.
    line: Arc<Mutex<Option<(Text, bool)>>>,
}

impl Drop for Saving {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
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
            saving: None,
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

    /// Saves in the background; without the grant nothing is written.
    pub(super) fn save(&mut self, export: Export, path: PathBuf, grant: Option<&Arc<WriteGrant>>) {
        let stop = Stop::default();
        let line = Arc::default();
        let saving = Saving {
            stop: Arc::clone(&stop),
            line: Arc::clone(&line),
        };
        let news = Arc::clone(&self.news);
        let tell = move |text: String, over| {
            *lock(&line) = Some((Text::clean(&text), over));
            news.notify_one();
        };
        match grant.cloned() {
            None => tell("not saved: this run is read-only".to_owned(), true),
            Some(grant) => {
                let host = self.host.clone();
                let work = move || {
                    let saved = export.save(&path, &grant, &host, &stop, &|text| tell(text, false));
                    tell(saved.unwrap_or_else(|why| why).to_string(), true);
                };
                let thread = std::thread::Builder::new().name("save".into());
                if let Err(error) = thread.spawn(work) {
                    tracing::debug!("saving: {error}");
                }
            }
        }
        self.saving = Some(saving);
    }

    /// Breaks off what is being saved; its last line is still told.
    pub(super) fn stop_saving(&self) {
        if let Some(saving) = &self.saving {
            saving.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until anything has been read.
    pub(super) async fn changed(&self) {
        self.news.notified().await;
    }

    /// What has been read.
    pub(super) fn take(&mut self) -> Option<Msg> {
        if let Some(saving) = &self.saving
            && let Some((line, over)) = lock(&saving.line).take()
        {
            return Some(Msg::Saving(line, over));
        }
        let mut running = SLOTS.into_iter().zip(&self.running);
        running.find_map(|(slot, running)| {
            let news = running.as_ref()?.viewer.news();
            (!news.is_empty()).then(|| Msg::Logs(slot, Box::new(news)))
        })
    }
}
