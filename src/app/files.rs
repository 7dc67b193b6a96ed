//! Looks at the files of a container, and copies them out.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::enter::READ_ONLY;
use super::{App, act};
use crate::cri::{Reader, Writer};
use crate::domain::{Contents, FileRow};
use crate::format::bytes;
use crate::host::open::{HostRoot, Kind};
use crate::host::process::Claim;
use crate::host::tree::{self, Entry, Found, Tree};
use crate::journal;
use crate::local;
use crate::logs::export::create;
use crate::model::Msg;
use crate::model::files::Browse;
use crate::terminal::{Keys, Surface};
use crate::text::Text;

/// Longest look at one place.
const DEADLINE: Duration = Duration::from_secs(5);
/// Bytes of a file that are shown.
const SHOWN: u64 = 256 << 10;

/// Where a container's files are.
enum Whence {
    Process(Claim),
    Layers(Vec<PathBuf>),
}

impl<S: Surface, I: Keys> App<S, I> {
    /// Looks at a place.
    pub(super) fn browse(&self, browse: Browse, jobs: &mut JoinSet<Msg>) {
        let Some((reader, writer, host)) = self.means() else {
            return;
        };
        jobs.spawn(async move {
            let asked = browse.path.clone();
            let found = match whence(&browse, &reader, &writer).await {
                Ok(whence) => blocking(move || contents(&host, whence, &browse.path)).await,
                Err(why) => Err(why),
            };
            Msg::Browsed(asked, found)
        });
    }

    /// Copies a file out, into a new one.
    pub(super) fn copy_out(&self, browse: Browse, to: PathBuf, jobs: &mut JoinSet<Msg>) {
        let Some((reader, writer, host)) = self.means() else {
            jobs.spawn(async { Msg::CopiedOut(READ_ONLY.into()) });
            return;
        };
        let keeps = self.keeps(journal::Entry {
            what: "copy out",
            object: browse.visit.container.to_string(),
            name: browse.visit.title.to_string(),
            parameters: json!({
                "path": browse.path.to_string_lossy(),
                "to": to.to_string_lossy(),
            }),
            crictl: String::new(),
        });
        jobs.spawn(async move {
            let Some(keeps) = keeps else {
                return Msg::CopiedOut(READ_ONLY.into());
            };
            let work = async {
                match whence(&browse, &reader, &writer).await {
                    Ok(whence) => blocking(move || copy(&host, whence, &browse.path, &to)).await,
                    Err(why) => Err(why),
                }
            };
            let mut warned = None;
            let warn = async |why: Text| warned = Some(why);
            let copied = Box::pin(act::kept(keeps, warn, work, Result::clone)).await;
            let line = copied.unwrap_or_else(|why| why);
            Msg::CopiedOut(match warned {
                Some(why) => Text::clean(&format!("{line}; {why}")),
                None => line,
            })
        });
    }

    fn means(&self) -> Option<(Reader, Writer, HostRoot)> {
        let writer = self.inside.writer(&self.connection, self.grant.as_ref()?);
        let host = self.gauge.host().clone();
        Some((self.connection.reader(), writer, host))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Text> + Send + 'static,
) -> Result<T, Text> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Text::clean(&error.to_string())))
}

async fn whence(browse: &Browse, reader: &Reader, writer: &Writer) -> Result<Whence, Text> {
    let id = &browse.visit.container;
    if browse.runs {
        let claim = local::claim(id.as_str(), reader.process(id).await)?;
        return Ok(Whence::Process(claim));
    }
    let layers = writer.layers(id).await;
    layers.map(Whence::Layers).map_err(|error| error.message)
}

fn find(host: &HostRoot, whence: Whence, path: &Path) -> Result<(PathBuf, Found), Text> {
    let failed = |error| Text::clean(&format!("{} {error}", path.display()));
    let tree = match whence {
        Whence::Process(claim) => tree::of_process(host, &claim)?,
        Whence::Layers(layers) => {
            let opened = host.work(DEADLINE, move |resolver| Tree::of_layers(resolver, &layers));
            opened.map_err(failed)?
        }
    };
    let at = path.to_owned();
    let found = host.work(DEADLINE, move |_| tree.find(&at));
    found.map_err(failed)
}

fn contents(host: &HostRoot, whence: Whence, path: &Path) -> Result<(PathBuf, Contents), Text> {
    let (real, found) = find(host, whence, path)?;
    let contents = match found {
        Found::Folder(entries, all) => {
            Contents::Folder(entries.into_iter().map(row).collect(), all)
        }
        Found::File(file, size) => beginning(host, file, size)?,
        Found::Other(kind) => {
            return Err(Text::clean(&format!(
                "{} is {kind}, which is not read",
                path.display()
            )));
        }
    };
    Ok((Path::new("/").join(real), contents))
}

/// The beginning of a file as lines.
fn beginning(host: &HostRoot, file: File, size: u64) -> Result<Contents, Text> {
    // Of /proc some files wait for what may never come.
    let read = host.work(DEADLINE, move |_| {
        let mut bytes = Vec::new();
        let read = file.take(SHOWN + 1).read_to_end(&mut bytes);
        Ok(read.map(|_| bytes))
    });
    let read = read.map_err(|error| Text::clean(&error.to_string()))?;
    let mut text = read.map_err(|error| Text::clean(&error.to_string()))?;
    let all = text.len() as u64 <= SHOWN;
    text.truncate(usize::try_from(SHOWN).unwrap_or(usize::MAX));
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().map(Text::clean).collect();
    Ok(Contents::File(lines, size, all))
}

fn row(entry: Entry) -> FileRow {
    let kind = match entry.kind {
        Kind::File => '-',
        Kind::Folder => 'd',
        Kind::Link => 'l',
        Kind::Device => 'c',
        Kind::Fifo => 'p',
        Kind::Socket => 's',
        Kind::Other => '?',
    };
    let target = entry
        .target
        .map(|target| Text::clean(&target.to_string_lossy()));
    FileRow {
        name: Text::clean(&entry.name.to_string_lossy()),
        raw: entry.name,
        kind,
        size: entry.size,
        mode: entry.mode,
        uid: entry.uid,
        target,
    }
}

/// The file alone: no owner, no setuid, nothing that a name in a container could ask for.
fn copy(host: &HostRoot, whence: Whence, path: &Path, to: &Path) -> Result<Text, Text> {
    let (_, found) = find(host, whence, path)?;
    let Found::File(mut file, _) = found else {
        return Err(Text::clean(&format!("{} is no file", path.display())));
    };
    let to = std::path::absolute(to).unwrap_or_else(|_| to.to_owned());
    let shown = to.display();
    let mut new = create(&to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Text::clean(&format!(
            "not copied: {shown} is there already, and nothing is overwritten"
        )),
        _ => Text::clean(&format!("not copied: {shown} cannot be made: {error}")),
    })?;
    let copied = io::copy(&mut file, &mut new).and_then(|count| new.sync_all().map(|()| count));
    let line = match copied {
        Ok(count) => format!("copied {} to {shown}", bytes(count)),
        Err(error) => format!("copying ended early ({error}): a part is in {shown}"),
    };
    Ok(Text::clean(&line))
}
