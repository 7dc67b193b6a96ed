//! One round of lists: what is wanted, at once, and what came of it.

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::error::{CriError, Kind};
use super::list::Listed;
use super::pace::Round;
use super::read::{List, Reader};
use super::{Update, Wanted};
use crate::domain::{Changes, Container, IdSet, Image, Pod};
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
    pods: Feed<Pod>,
    containers: Feed<Container>,
    images: Feed<Image>,
    /// Images were wanted in the round before.
    had_images: bool,
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
            had_images: false,
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
        let newly = wanted.images && !self.had_images;
        self.had_images = wanted.images;
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
            self.pods.complain(&self.out).await;
            self.containers.complain(&self.out).await;
            self.images.complain(&self.out).await;
        }
        outcome
    }

    /// Fetches the lists side by side; each is sent as soon as it is there. For each: whether it
    /// changed, or why there is none.
    async fn lists(&mut self, ask: Wanted) -> Vec<Result<bool, CriError>> {
        let (reader, out, joins) = (&self.reader, &self.out, &mut self.joins);
        let (pods, containers, images) = tokio::join!(
            when(ask.pods, async {
                let changes = self.pods.fetch(reader).await?;
                Ok(self.pods.send(changes, Update::Pods, out).await)
            }),
            when(ask.containers, async {
                let changes = self.containers.fetch(reader).await?;
                joins.refer(&changes);
                Ok(self.containers.send(changes, Update::Containers, out).await)
            }),
            when(ask.images, self.images.fetch(reader)),
        );
        let images = match images {
            None if self.had_images && self.joins.missing() => {
                Some(self.images.fetch(reader).await)
            }
            images => images,
        };
        let mut results: Vec<_> = pods.into_iter().chain(containers).collect();
        match images {
            Some(Ok(changes)) => {
                self.joins.learn(&changes);
                results.push(Ok(self.images.send(changes, Update::Images, out).await));
            }
            Some(Err(error)) => results.push(Err(error)),
            None => {}
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

/// One list, and what is wrong with it.
#[derive(Debug)]
struct Feed<T> {
    list: List<T>,
    /// Why it could not be fetched the last time.
    problem: Option<Text>,
    /// The problem that the user knows of.
    told: Option<Text>,
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self {
            list: List::default(),
            problem: None,
            told: None,
        }
    }
}

impl<T: Listed> Feed<T> {
    async fn fetch(&mut self, reader: &Reader) -> Result<Changes<T>, CriError> {
        let changes = reader.list(&mut self.list).await;
        let problem = changes.as_ref().err();
        self.problem = problem.map(|error| error.message.clone());
        changes
    }

    /// Sends what changed, if anything did; whether it did since the first list.
    async fn send(
        &mut self,
        changes: Changes<T>,
        update: fn(Changes<T>) -> Update,
        out: &mpsc::Sender<Update>,
    ) -> bool {
        let (first, same) = (changes.whole, changes.is_empty());
        if !same {
            let _ = out.send(update(changes)).await;
        }
        !first && !same
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
    fn refer(&mut self, containers: &Changes<Container>) {
        for container in &containers.came {
            let key = container.image_id.key();
            let seen = [&self.known, &self.absent, &self.unknown];
            if !seen.into_iter().any(|keys| keys.contains(key)) {
                self.unknown.insert(Box::from(key));
            }
        }
    }

    fn learn(&mut self, images: &Changes<Image>) {
        for image in &images.went {
            self.known.remove(image.id.key());
        }
        let came = images.came.iter().map(|image| Box::from(image.id.key()));
        self.known.extend(came);
        self.absent.extend(self.unknown.drain());
        self.absent.retain(|key| !self.known.contains(key));
    }

    /// A container refers to an image that is not in the list, and was not looked for yet.
    fn missing(&self) -> bool {
        !self.unknown.is_empty()
    }
}
