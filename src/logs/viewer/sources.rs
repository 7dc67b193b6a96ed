//! The logs of a pod or container: opened, looked at again, and more of them as they appear.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::host::open::{HostRoot, Kind};
use crate::logs::scan::Pos;
use crate::logs::{Index, POD_LOGS, Place, PlaceError, Timeline, Watch, Which};
use crate::text::Text;

/// How often new containers are looked for, and what could not be opened is tried again.
const RELIST: Duration = Duration::from_secs(1);
/// Most containers of a pod that are shown together.
const MOST: usize = 32;
/// How long the host's file system may take for one look.
const DEADLINE: Duration = Duration::from_secs(5);

/// Whose logs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Whose {
    /// Namespace of the pod.
    pub namespace: Text,
    /// Its name.
    pub pod: Text,
    /// Its uid.
    pub uid: Text,
    /// One container of it; all of them if none.
    pub container: Option<Text>,
    /// Containers that the runtime knows, and where they write as far as it says.
    pub known: Vec<(Text, Option<Text>)>,
}

impl Whose {
    fn folder(&self) -> String {
        format!("{}_{}_{}", self.namespace, self.pod, self.uid)
    }
}

/// One log.
pub(in crate::logs) struct Log {
    pub name: Text,
    pub timeline: Timeline,
    pub index: Index,
    /// Nothing before it is wanted.
    pub floor: Pos,
}

/// All of them.
pub(in crate::logs) struct Sources {
    host: HostRoot,
    whose: Whose,
    pub logs: Vec<Log>,
    pub missing: Vec<(Text, Text)>,
    pub watch: Option<Watch>,
    listed: Option<Instant>,
    since: Option<Timestamp>,
}

/// What a look has found.
#[derive(Clone, Copy, Default)]
pub(in crate::logs) struct Look {
    pub grown: bool,
    pub more: bool,
    pub lost: bool,
}

impl Sources {
    pub fn new(host: HostRoot, whose: Whose) -> Self {
        Self {
            host,
            whose,
            logs: Vec::new(),
            missing: Vec::new(),
            watch: None,
            listed: None,
            since: None,
        }
    }

    /// Looks at every log again, and now and then for more of them.
    pub fn look(&mut self) -> Look {
        let mut look = Look::default();
        if self.listed.is_none_or(|at| at.elapsed() >= RELIST) {
            look.more = self.list();
            self.listed = Some(Instant::now());
        }
        for log in &mut self.logs {
            match log.timeline.refresh() {
                Ok(change) => {
                    look.grown |= change.grown || change.added > 0;
                    look.lost |= change.lost;
                }
                // What was read stays; the folder may be back at the next look.
                Err(error) => tracing::debug!("logs: {error}"),
            }
        }
        look
    }

    /// Opens what is not open yet; true if anything is new.
    fn list(&mut self) -> bool {
        let before = (self.logs.len(), self.missing.clone());
        self.missing.clear();
        for (name, path) in self.wanted() {
            if self.logs.iter().any(|log| log.name == name) || self.logs.len() >= MOST {
                continue;
            }
            let opened = self.place(&name, path.as_ref());
            match opened.and_then(|place| Timeline::open(place, Which::All)) {
                Ok(timeline) => self.add(name, timeline),
                Err(error) => {
                    let error = Text::clean(&error.to_string());
                    self.missing.push((name, error));
                }
            }
        }
        before != (self.logs.len(), self.missing.clone())
    }

    fn add(&mut self, name: Text, timeline: Timeline) {
        let place = timeline.place();
        match &mut self.watch {
            Some(watch) => watch.add(place),
            None => self.watch = Some(Watch::new(place)),
        }
        let index = Index::default();
        let mut log = Log {
            name,
            timeline,
            index,
            floor: Pos::default(),
        };
        log.set_floor(self.since, &|| true);
        self.logs.push(log);
    }

    /// The containers to show: those that the runtime knows and those that have a folder.
    fn wanted(&self) -> Vec<(Text, Option<Text>)> {
        let mut wanted = self.whose.known.clone();
        if let Some(container) = &self.whose.container {
            wanted.retain(|(name, _)| name == container);
            if wanted.is_empty() {
                wanted.push((container.clone(), None));
            }
            return wanted;
        }
        let folder = Path::new(POD_LOGS).join(self.whose.folder());
        let names = self.host.list_dir(&folder, MOST, DEADLINE);
        for name in names.map_or_else(|_| Vec::new(), |listing| listing.names) {
            let path = folder.join(&name);
            let name = Text::clean(&name.to_string_lossy());
            let found = self.host.stat(&path, DEADLINE);
            let is_folder = found.is_ok_and(|found| found.kind == Kind::Folder);
            if is_folder && !wanted.iter().any(|(known, _)| *known == name) {
                wanted.push((name, None));
            }
        }
        wanted
    }

    fn place(&self, container: &Text, told: Option<&Text>) -> Result<Place, PlaceError> {
        let whose = &self.whose;
        let laid_out = || {
            let (namespace, pod) = (whose.namespace.as_str(), whose.pod.as_str());
            let (uid, container) = (whose.uid.as_str(), container.as_str());
            Place::of_container(&self.host, namespace, pod, uid, container)
        };
        match told {
            Some(path) => Place::of_log_path(&self.host, Path::new(path.as_str()))
                .or_else(|error| laid_out().map_err(|_| error)),
            None => laid_out(),
        }
    }

    /// Shows only lines since then.
    pub fn set_since(&mut self, since: Option<Timestamp>, go_on: &dyn Fn() -> bool) {
        if self.since != since {
            self.since = since;
            for log in &mut self.logs {
                log.set_floor(since, go_on);
            }
            if !go_on() {
                // Broken off, so these are no floors: the next request looks again.
                self.since = None;
                for log in &mut self.logs {
                    log.floor = Pos::default();
                }
            }
        }
    }
}

impl Log {
    fn set_floor(&mut self, since: Option<Timestamp>, go_on: &dyn Fn() -> bool) {
        let files = self.timeline.files();
        let floor = since.map_or(Ok(Pos::default()), |since| {
            files.at_time_while(since, go_on)
        });
        self.floor = floor.unwrap_or_default();
    }
}
