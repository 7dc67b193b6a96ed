//! What the loop does about changes of the node: finds out what they depend on, does them, and
//! has the journal keep them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::App;
use super::enter::READ_ONLY;
use crate::access::WriteGrant;
use crate::act::{Act, Login};
use crate::cri::Reader;
use crate::domain::{ContainerId, PodId};
use crate::host::open::HostRoot;
use crate::host::{ingest, manifest, process};
use crate::journal::{Entry, Journal};
use crate::local;
use crate::model::Msg;
use crate::model::act::foresee::{Foreseen, Omen, Question};
use crate::model::act::make::Wanted;
use crate::model::visit::{Errand, Visit};
use crate::registry::{self, Reference};
use crate::spec_file;
use crate::terminal::{Keys, Surface};
use crate::text::Text;

/// Longest look before a question can be answered.
const PATIENCE: Duration = Duration::from_secs(3);
/// Containers that are looked at at once.
const AT_ONCE: usize = 8;

impl<S: Surface, I: Keys> App<S, I> {
    /// Finds out what a question depends on.
    pub(super) fn foresee(&self, token: u64, questions: Vec<Question>, jobs: &mut JoinSet<Msg>) {
        let (reader, host) = (self.connection.reader(), self.gauge.host().clone());
        let (journal, grant) = (self.inside.journal.clone(), self.grant.clone());
        jobs.spawn(async move {
            let journal = match grant {
                Some(grant) => journal.check(&grant).await,
                None => Err(READ_ONLY.into()),
            };
            let many = questions.len();
            let looks = questions
                .into_iter()
                .map(|asked| omen(&reader, &host, asked));
            let looks = stream::iter(looks).buffered(AT_ONCE).collect::<Vec<Omen>>();
            let of = timeout(PATIENCE, looks).await.unwrap_or_else(|_| {
                let unseen = Some("it took too long to look at them".into());
                let none = Omen {
                    unseen,
                    ..Omen::default()
                };
                vec![none; many]
            });
            Msg::Foreseen(token, Foreseen { of, journal })
        });
    }

    /// Does one change.
    pub(super) fn act(
        &mut self,
        id: u64,
        (act, title): (Act, Text),
        unrecorded: bool,
        jobs: &mut JoinSet<Msg>,
    ) {
        let Some(grant) = self.grant.clone() else {
            jobs.spawn(async move { Msg::Acted(id, Err(READ_ONLY.into())) });
            return;
        };
        let writer = self.inside.writer(&self.connection, &grant);
        let (journal, host) = (self.inside.journal.clone(), self.gauge.host().clone());
        let broken_off = self.inside.may_break_off(id);
        jobs.spawn(async move {
            let entry = entry(&act, &title);
            let does = async move {
                let act = with_login(act, &host).await;
                tokio::select! {
                    done = Box::pin(writer.act(&act)) => {
                        done.map(Text::from).map_err(|error| error.message)
                    }
                    Ok(()) = broken_off => Err("it was broken off".into()),
                }
            };
            let came = recorded(&journal, entry, &grant, unrecorded, does).await;
            Msg::Acted(id, came)
        });
    }

    /// Reads files that say what to make.
    pub(super) fn read_files(
        wanted: Wanted,
        pod: Option<PodId>,
        paths: Vec<PathBuf>,
        jobs: &mut JoinSet<Msg>,
    ) {
        jobs.spawn(async move {
            let read = move || match wanted {
                Wanted::Pod => spec_file::pod(&paths),
                Wanted::Both => spec_file::pod_and_container(&paths),
                Wanted::Created => spec_file::container(&paths, pod, false),
                Wanted::Started => spec_file::container(&paths, pod, true),
            };
            let read = tokio::task::spawn_blocking(read).await;
            let read = read.unwrap_or_else(|error| Err(Text::clean(&error.to_string())));
            Msg::Planned(read.map(Box::new))
        });
    }

    /// Counts what comes in of images: CRI itself tells nothing of a pull before its end.
    pub(super) fn count_coming(&self, jobs: &mut JoinSet<Msg>) {
        let (reader, host) = (self.connection.reader(), self.gauge.host().clone());
        jobs.spawn(async move {
            let Ok(places) = reader.image_places().await else {
                return Msg::Coming(None);
            };
            let counted = tokio::task::spawn_blocking(move || ingest::coming(&host, &places));
            Msg::Coming(counted.await.ok().flatten())
        });
    }

    /// Reads the journal.
    pub(super) fn read_journal(&self, jobs: &mut JoinSet<Msg>) {
        let journal = self.inside.journal.clone();
        jobs.spawn(async move { Msg::Journal(journal.read().await) });
    }
}

/// What this node's files hold for a reference.
async fn credentials(host: &HostRoot, reference: String) -> Option<registry::Found> {
    let host = host.clone();
    let found = tokio::task::spawn_blocking(move || {
        let files = registry::files(|name| std::env::var_os(name).map(PathBuf::from));
        let reference = Reference::parse(&reference).ok()?;
        registry::find(&host, &files, &reference)
    });
    found.await.ok().flatten()
}

/// The same with credentials that are to be found.
async fn with_login(act: Act, host: &HostRoot) -> Act {
    match act {
        Act::Pull {
            reference,
            login: Login::Found,
        } => {
            let found = credentials(host, reference.clone()).await;
            let login = found.map_or(Login::None, registry::Found::into_login);
            Act::Pull { reference, login }
        }
        other => other,
    }
}

fn entry(act: &Act, title: &Text) -> Entry {
    Entry {
        what: act.what(),
        object: act.object().to_owned(),
        name: title.to_string(),
        parameters: act.parameters(),
        crictl: act.crictl(),
    }
}

/// Does what `entry` tells of, between its two records. If the journal cannot keep the first and
/// that was not said before, nothing is done.
pub(super) async fn recorded(
    journal: &Journal,
    entry: Entry,
    grant: &Arc<WriteGrant>,
    unrecorded: bool,
    does: impl Future<Output = Result<Text, Text>>,
) -> Result<Text, Text> {
    let (noted, kept) = journal.asked(entry, grant).await;
    if let Err(why) = kept.as_ref()
        && !unrecorded
    {
        let line = format!(
            "not done, for the journal cannot keep it any more ({why}); ask again to do it all \
             the same"
        );
        return Err(Text::clean(&line));
    }
    let came = does.await;
    let told = match &came {
        Ok(word) => noted.ended(Ok(word.as_str())).await,
        Err(why) => noted.ended(Err(why.as_str())).await,
    };
    match (came, told) {
        (Ok(word), Err(why)) if !unrecorded => {
            let line = format!("{word} (its outcome is not in the journal: {why})");
            Ok(Text::clean(line.trim()))
        }
        (came, _) => came,
    }
}

/// Looks at one victim.
async fn omen(reader: &Reader, host: &HostRoot, asked: Question) -> Omen {
    let mut omen = Omen::default();
    if let Some((namespace, pod)) = asked.manifest_of {
        let host = host.clone();
        let found = tokio::task::spawn_blocking(move || {
            manifest::of(&host, namespace.as_str(), pod.as_str())
        });
        let found = found.await.ok().flatten();
        omen.manifest = found.map(|path| Text::clean(&path.to_string_lossy()));
    }
    if !asked.removed.is_empty() {
        // On older containerd nothing else protects it: no list of containers shows its use.
        let sandboxes = reader.sandbox_image().await.ok().flatten();
        omen.needed = sandboxes.is_some_and(|name| {
            let full = Reference::parse(name.as_str()).map(|parsed| parsed.full());
            let tags = asked.removed.iter().map(Text::as_str);
            tags.into_iter()
                .any(|tag| *tag == *name.as_str() || full.as_deref() == Ok(tag))
        });
    }
    if let Some(reference) = asked.pulled {
        omen.login = Some(match credentials(host, reference).await {
            None => "without credentials: no auth file here has any for its registry".into(),
            Some(found) => match &found.login {
                Ok((user, _)) => {
                    Text::clean(&format!("as {user}, from {} ({})", found.file, found.key))
                }
                Err(why) => Text::clean(&format!(
                    "without credentials: {} says of {} that {why}",
                    found.file, found.key
                )),
            },
        });
    }
    for id in asked.ended {
        match processes(reader, host, &id).await {
            Ok((stuck, orphaned)) => {
                omen.stuck.extend(stuck);
                omen.orphaned |= orphaned;
            }
            // That is so for all of them, and no news.
            Err(why) if why == *process::ELSEWHERE => {}
            Err(why) => omen.unseen = Some(why),
        }
    }
    omen
}

/// Those of its processes that no signal ends, and whether its shim is gone.
async fn processes(
    reader: &Reader,
    host: &HostRoot,
    id: &ContainerId,
) -> Result<(Vec<Text>, bool), Text> {
    let claim = local::claim(id.as_str(), reader.process(id).await)?;
    let host = host.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let inside = process::look(&host, &claim)?;
        let stuck = inside.processes.iter().filter(|one| one.state == 'D');
        let stuck = stuck.map(|one| Text::clean(&format!("{} ({})", one.pid, one.command)));
        Ok((stuck.collect(), process::is_orphan(&host, &claim)))
    });
    let looked = looked.await;
    looked.unwrap_or_else(|error| Err(Text::clean(&error.to_string())))
}

/// A change through another part of the loop, between its two records. `warn` is told before it if
/// it cannot be kept; what came of it is in the words of `told`.
pub(super) async fn kept<T>(
    keeps: Keeps,
    warn: impl AsyncFnOnce(Text),
    does: impl Future<Output = T>,
    told: impl FnOnce(&T) -> Result<Text, Text>,
) -> T {
    let (noted, first) = keeps.journal.asked(keeps.entry, &keeps.grant).await;
    if let Err(why) = first {
        warn(Text::clean(&format!(
            "the journal does NOT keep this: {why}"
        )))
        .await;
    }
    let done = does.await;
    // Who could be told has been told.
    let _ = match told(&done) {
        Ok(word) => noted.ended(Ok(word.as_str())).await,
        Err(why) => noted.ended(Err(why.as_str())).await,
    };
    done
}

/// What a change is kept with.
#[derive(Debug)]
pub(super) struct Keeps {
    pub journal: Journal,
    pub entry: Entry,
    pub grant: Arc<WriteGrant>,
}

/// What is kept of a visit: never what is typed or shown there.
pub(super) fn of_visit(visit: &Visit) -> Entry {
    let id = visit.container.as_str();
    let (what, parameters, crictl) = match &visit.errand {
        Errand::Shell => ("shell", json!({}), format!("crictl exec -it {id} sh")),
        Errand::Command(line) => (
            "exec",
            json!({"command": line}),
            format!("crictl exec -it {id} {line}"),
        ),
        Errand::Attach => ("attach", json!({}), format!("crictl attach -it {id}")),
        Errand::Debug(image, _) => ("debug container", json!({"image": image}), String::new()),
    };
    Entry {
        what,
        object: id.to_owned(),
        name: visit.title.to_string(),
        parameters,
        crictl,
    }
}
