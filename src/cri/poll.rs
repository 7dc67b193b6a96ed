//! One round of lists: what is wanted, at once, and what came of it.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::error::{CriError, Kind};
use super::list::Listing;
use super::pace::Round;
use super::read::Reader;
use super::{Update, Wanted};
use crate::domain::IdSet;
use crate::domain::{Container, Image};
use crate::text::Text;

/// Images change rarely: they are listed in every so many rounds.
const IMAGES_EVERY: u32 = 5;

impl Wanted {
    /// Something is wanted here that is not in `other`.
    pub(super) fn beyond(self, other: Self) -> bool {
        self.pods && !other.pods
            || self.containers && !other.containers
            || self.images && !other.images
    }
}

/// What a round showed about the connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The runtime answered.
    Good,
    /// Nothing was answered in time.
    Silent,
    /// Every call was refused because the runtime starts or stops; its words.
    NotReady(Text),
    /// The connection is gone.
    Down,
}

/// Fetches and sends lists over one connection.
#[derive(Debug)]
pub(super) struct Poller {
    reader: Reader,
    out: mpsc::Sender<Update>,
    pods: Feed,
    containers: Feed,
    images: Feed,
    joins: Joins,
    rounds: u32,
    last: Round,
    changed: Option<Instant>,
}

impl Poller {
    /// A poller that has sent nothing yet.
    pub fn new(reader: Reader, out: mpsc::Sender<Update>) -> Self {
        let now = Instant::now();
        Self {
            reader,
            out,
            pods: Feed::default(),
            containers: Feed::default(),
            images: Feed::default(),
            joins: Joins::default(),
            rounds: 0,
            last: Round {
                began: now,
                ended: now,
            },
            changed: None,
        }
    }

    /// The last round.
    pub fn last(&self) -> Round {
        self.last
    }

    /// When a list last differed from the one before.
    pub fn changed(&self) -> Option<Instant> {
        self.changed
    }

    /// Lists what is wanted and due (`all`: due or not), and sends what is new. With nothing
    /// wanted it only asks whether the runtime is there.
    pub async fn round(&mut self, wanted: Wanted, all: bool) -> Outcome {
        let began = Instant::now();
        self.pods.want(wanted.pods);
        self.containers.want(wanted.containers);
        let newly = self.images.want(wanted.images);
        let turn = self.rounds.is_multiple_of(IMAGES_EVERY);
        self.rounds = self.rounds.wrapping_add(1);
        let results = if wanted == Wanted::default() {
            vec![self.reader.version().await.map(|_| false)]
        } else {
            let images = wanted.images && (all || newly || turn);
            self.lists(Wanted { images, ..wanted }).await
        };
        if results.contains(&Ok(true)) {
            self.changed = Some(Instant::now());
        }
        self.last = Round {
            began,
            ended: Instant::now(),
        };
        let outcome = outcome(&results);
        if outcome == Outcome::Good {
            for feed in [&mut self.pods, &mut self.containers, &mut self.images] {
                feed.complain(&self.out).await;
            }
        }
        outcome
    }

    /// Fetches the lists side by side; each is sent as soon as it is there. For each: whether it
    /// changed, or why there is none.
    async fn lists(&mut self, ask: Wanted) -> Vec<Result<bool, CriError>> {
        let (reader, out, joins) = (&self.reader, &self.out, &mut self.joins);
        let (pods, containers, images) = tokio::join!(
            when(ask.pods, async {
                let list = reader.list_pods().await;
                self.pods.send(list, Update::Pods, out).await
            }),
            when(ask.containers, async {
                let list = reader.list_containers().await;
                if let Ok(listing) = &list {
                    joins.refer(listing);
                }
                self.containers.send(list, Update::Containers, out).await
            }),
            when(ask.images, reader.list_images()),
        );
        let images = match images {
            None if self.images.wanted && self.joins.missing() => Some(reader.list_images().await),
            images => images,
        };
        let mut results: Vec<_> = pods.into_iter().chain(containers).collect();
        if let Some(list) = images {
            if let Ok(listing) = &list {
                self.joins.learn(listing);
            }
            results.push(self.images.send(list, Update::Images, out).await);
        }
        results
    }
}

async fn when<T>(wanted: bool, call: impl Future<Output = T>) -> Option<T> {
    if wanted { Some(call.await) } else { None }
}

/// Judges a round by how its calls failed.
fn outcome(results: &[Result<bool, CriError>]) -> Outcome {
    let mut errors = results.iter().filter_map(|result| result.as_ref().err());
    if errors.clone().any(|error| error.kind == Kind::Down) {
        return Outcome::Down;
    }
    let all = |kind| {
        let failed = |result: &Result<_, CriError>| matches!(result, Err(e) if e.kind == kind);
        results.iter().all(failed)
    };
    match errors.next() {
        Some(_) if all(Kind::Timeout) => Outcome::Silent,
        Some(first) if all(Kind::NotReady) => Outcome::NotReady(first.message.clone()),
        // The runtime answers, if only to refuse.
        _ => Outcome::Good,
    }
}

/// One list and those who look at it.
#[derive(Debug, Default)]
struct Feed {
    wanted: bool,
    /// The version that was sent since it is wanted: only another one is sent.
    sent: Option<u64>,
    /// Why it could not be fetched the last time.
    problem: Option<Text>,
    /// The problem that the user knows of.
    told: Option<Text>,
}

impl Feed {
    /// Sets whether it is wanted; true if it was not before.
    fn want(&mut self, wanted: bool) -> bool {
        let newly = wanted && !self.wanted;
        self.wanted = wanted;
        self.sent = self.sent.filter(|_| wanted);
        newly
    }

    /// Sends a list if it is new; whether it changed.
    async fn send<T>(
        &mut self,
        list: Result<Listing<T>, CriError>,
        update: fn(Vec<Arc<T>>) -> Update,
        out: &mpsc::Sender<Update>,
    ) -> Result<bool, CriError> {
        self.problem = list.as_ref().err().map(|error| error.message.clone());
        let listing = list?;
        let before = self.sent.replace(listing.version);
        if before != self.sent {
            let _ = out.send(update(listing.items)).await;
        }
        Ok(before.is_some_and(|before| before != listing.version))
    }

    /// Tells the user, once, why this list fails while the runtime answers.
    async fn complain(&mut self, out: &mpsc::Sender<Update>) {
        if self.told == self.problem {
            return;
        }
        self.told.clone_from(&self.problem);
        if let Some(problem) = self.problem.clone() {
            let _ = out.send(Update::Notice(problem)).await;
        }
    }
}

/// Which images are known and which are referred to, by their keys.
#[derive(Debug, Default)]
struct Joins {
    known: IdSet<Box<str>>,
    /// Referred to, but not known.
    unknown: IdSet<Box<str>>,
    /// Not there when last looked for: no reason to look again.
    absent: IdSet<Box<str>>,
}

impl Joins {
    fn refer(&mut self, containers: &Listing<Container>) {
        for container in &containers.fresh {
            let key = container.image_id.key();
            let seen = [&self.known, &self.absent, &self.unknown];
            if !seen.into_iter().any(|keys| keys.contains(key)) {
                self.unknown.insert(Box::from(key));
            }
        }
    }

    fn learn(&mut self, images: &Listing<Image>) {
        self.known = keys(images.items.iter().map(|item| item.id.key()));
        self.absent.extend(self.unknown.drain());
        self.absent.retain(|key| !self.known.contains(key));
    }

    /// A container refers to an image that is not in the list, and was not looked for yet.
    fn missing(&self) -> bool {
        !self.unknown.is_empty()
    }
}

fn keys<'a>(ids: impl Iterator<Item = &'a str>) -> IdSet<Box<str>> {
    let mut keys = IdSet::default();
    for id in ids {
        if !keys.contains(id) {
            keys.insert(Box::from(id));
        }
    }
    keys
}
