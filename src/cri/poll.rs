//! One round of lists: what is wanted, at once, and what came of it.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::error::{CriError, Kind};
use super::list::Listing;
use super::pace::Round;
use super::read::Reader;
use super::{Update, Wanted};
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
    /// Lists that have been sent and are still wanted: those are sent again only when changed.
    sent: Wanted,
    rounds: u32,
    last: Round,
    changed: Option<Instant>,
    images: Images,
    /// What the user was told about each list that fails.
    notices: [Option<Text>; 3],
}

impl Poller {
    /// A poller that has sent nothing yet.
    pub fn new(reader: Reader, out: mpsc::Sender<Update>) -> Self {
        let now = Instant::now();
        Self {
            reader,
            out,
            sent: Wanted::default(),
            rounds: 0,
            last: Round {
                began: now,
                ended: now,
            },
            changed: None,
            images: Images::default(),
            notices: [None, None, None],
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
        self.sent = self.sent.and(wanted);
        let mut ask = wanted;
        ask.images &= all || !self.sent.images || self.rounds.is_multiple_of(IMAGES_EVERY);
        self.rounds = self.rounds.wrapping_add(1);
        let outcome = self.ask(ask).await;
        self.last = Round {
            began,
            ended: Instant::now(),
        };
        outcome
    }

    async fn ask(&mut self, ask: Wanted) -> Outcome {
        if ask == Wanted::default() {
            return outcome(&[(0, self.reader.version().await.err())]);
        }
        let reader = self.reader.clone();
        let (pods, containers, images) = tokio::join!(
            when(ask.pods, reader.list_pods()),
            when(ask.containers, reader.list_containers()),
            when(ask.images, reader.list_images()),
        );
        if let Some(Ok(listing)) = &containers {
            self.images.refer(listing);
        }
        let images = match images {
            None if self.sent.images && self.images.missing() => Some(reader.list_images().await),
            images => images,
        };
        if let Some(Ok(listing)) = &images {
            self.images.learn(listing);
        }
        let mut results = Vec::with_capacity(3);
        if let Some(pods) = pods {
            results.push((0, self.take(0, pods, Update::Pods).await));
        }
        if let Some(containers) = containers {
            results.push((1, self.take(1, containers, Update::Containers).await));
        }
        if let Some(images) = images {
            results.push((2, self.take(2, images, Update::Images).await));
        }
        let outcome = outcome(&results);
        if outcome == Outcome::Good {
            self.notify(results).await;
        }
        outcome
    }

    /// Sends a list if it is new; gives back why there is none.
    async fn take<T>(
        &mut self,
        list: usize,
        result: Result<Listing<T>, CriError>,
        update: fn(Vec<Arc<T>>) -> Update,
    ) -> Option<CriError> {
        let listing = match result {
            Ok(listing) => listing,
            Err(error) => return Some(error),
        };
        let sent = [
            &mut self.sent.pods,
            &mut self.sent.containers,
            &mut self.sent.images,
        ];
        let first = !std::mem::replace(sent[list], true);
        if listing.changed {
            self.changed = Some(Instant::now());
        }
        if listing.changed || first {
            let _ = self.out.send(update(listing.items)).await;
        }
        None
    }

    /// Tells the user about lists that fail while the runtime answers others: once each.
    async fn notify(&mut self, results: Vec<(usize, Option<CriError>)>) {
        for (list, error) in results {
            let message = error.map(|error| error.message);
            if self.notices[list] == message {
                continue;
            }
            self.notices[list].clone_from(&message);
            if let Some(message) = message {
                let _ = self.out.send(Update::Notice(message)).await;
            }
        }
    }
}

impl Wanted {
    fn and(self, other: Self) -> Self {
        Self {
            pods: self.pods && other.pods,
            containers: self.containers && other.containers,
            images: self.images && other.images,
        }
    }
}

async fn when<T>(wanted: bool, call: impl Future<Output = T>) -> Option<T> {
    if wanted { Some(call.await) } else { None }
}

/// Judges a round by how each of its calls failed.
fn outcome(results: &[(usize, Option<CriError>)]) -> Outcome {
    let mut errors = Vec::with_capacity(results.len());
    for (_, result) in results {
        match result {
            None => return Outcome::Good,
            Some(error) if error.kind == Kind::Down => return Outcome::Down,
            Some(error) => errors.push(error),
        }
    }
    let all = |kind| errors.iter().all(|error| error.kind == kind);
    match errors.first() {
        Some(_) if all(Kind::Timeout) => Outcome::Silent,
        Some(first) if all(Kind::NotReady) => Outcome::NotReady(first.message.clone()),
        // The runtime answers, if only to refuse.
        _ => Outcome::Good,
    }
}

/// Which images are known and which are referred to, by their keys.
#[derive(Debug, Default)]
struct Images {
    known: HashSet<Box<str>>,
    referred: HashSet<Box<str>>,
    /// Referred to, but not there when last looked: no reason to look again.
    absent: HashSet<Box<str>>,
}

impl Images {
    fn refer(&mut self, containers: &Listing<Container>) {
        if containers.changed || self.referred.is_empty() {
            self.referred = keys(containers.items.iter().map(|item| item.image_id.key()));
        }
    }

    fn learn(&mut self, images: &Listing<Image>) {
        self.known = keys(images.items.iter().map(|item| item.id.key()));
        self.absent = self.referred.difference(&self.known).cloned().collect();
    }

    /// A container refers to an image that is not in the list, and was not looked for yet.
    fn missing(&self) -> bool {
        let mut unknown = self.referred.difference(&self.known);
        unknown.any(|key| !self.absent.contains(key))
    }
}

fn keys<'a>(ids: impl Iterator<Item = &'a str>) -> HashSet<Box<str>> {
    let mut keys = HashSet::new();
    for id in ids {
        if !keys.contains(id) {
            keys.insert(Box::from(id));
        }
    }
    keys
}
