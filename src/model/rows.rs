//! The rows of the three panels: what the lists say, joined.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    Container, ContainerDetail, ContainerId, ContainerState, Image, ImageId, Labels, Pod,
    PodDetail, PodId, PodState,
};
use crate::model::columns::ROW_STEP;
use crate::model::filter::Searchable;
use crate::model::trouble::Trouble;
use crate::stats::load::Live;
use crate::text::Text;

/// Something a list can hold: identified by its id, never by its place.
pub trait Row {
    /// Type of the id.
    type Id: Clone + Eq + std::hash::Hash + std::fmt::Debug;
    /// The id.
    fn id(&self) -> &Self::Id;
}

/// One pod sandbox with what is known of its containers.
#[derive(Clone, PartialEq, Debug)]
pub struct PodRow {
    /// The sandbox.
    pub pod: Arc<Pod>,
    /// IPs and host namespaces, once its status has been read.
    pub detail: Option<Arc<PodDetail>>,
    /// Containers that run.
    pub running: usize,
    /// Containers there are, counting each by its newest attempt; init containers that have
    /// succeeded are not counted.
    pub total: usize,
    /// Every one of them has ended with exit code 0.
    pub completed: bool,
    /// Restarts of all its containers.
    pub restarts: u32,
    /// What is wrong, and in which container.
    pub trouble: Option<(Option<Text>, Trouble)>,
    /// A newer sandbox of the same pod exists.
    pub superseded: bool,
    /// What its containers use.
    pub load: Live,
}

/// One attempt of a container with its pod and image.
#[derive(Clone, PartialEq, Debug)]
pub struct ContainerRow {
    /// The attempt.
    pub container: Arc<Container>,
    /// Its sandbox, if it is still listed.
    pub pod: Option<Arc<Pod>>,
    /// Its status, once read.
    pub detail: Option<Arc<ContainerDetail>>,
    /// Its image by name.
    pub image: Text,
    /// What is wrong.
    pub trouble: Option<Trouble>,
    /// A newer attempt exists.
    pub superseded: bool,
    /// What it uses.
    pub load: Live,
}

/// One image.
#[derive(Clone, PartialEq, Debug)]
pub struct ImageRow {
    /// The image.
    pub image: Arc<Image>,
    /// Its first tag, else `repository:<none>` of its first digest, else `<none>`.
    pub name: Text,
    /// Containers that were made from it, in whatever state.
    pub used_by: usize,
    /// Those of them that run.
    pub running: usize,
}

impl ImageRow {
    /// No name leads to it any more.
    pub fn is_dangling(&self) -> bool {
        self.image.tags.is_empty()
    }

    /// It is the image of the pause containers, which no list of containers shows: older
    /// runtimes do not pin it.
    pub fn is_pause(&self) -> bool {
        let last = self.name.as_str().rsplit('/').next().unwrap_or_default();
        last == "pause" || last.starts_with("pause:") || last.starts_with("pause-")
    }

    /// Nobody would miss it: no container was made from it, and the runtime does not keep it.
    pub fn is_reclaimable(&self) -> bool {
        self.used_by == 0 && !self.image.pinned && !self.is_pause()
    }
}

impl Row for PodRow {
    type Id = PodId;
    fn id(&self) -> &PodId {
        &self.pod.id
    }
}

impl Row for ContainerRow {
    type Id = ContainerId;
    fn id(&self) -> &ContainerId {
        &self.container.id
    }
}

impl Row for ImageRow {
    type Id = ImageId;
    fn id(&self) -> &ImageId {
        &self.image.id
    }
}

impl PodRow {
    /// The verdict: what is wrong, else the state in a word or two.
    pub fn verdict(&self, now: Timestamp, step: u64) -> String {
        match &self.trouble {
            Some((Some(name), trouble)) if self.total > 1 => {
                format!("{name}: {}", trouble.words(now, step))
            }
            Some((_, trouble)) => trouble.words(now, step),
            None if self.superseded => "replaced".to_owned(),
            None => self.state(),
        }
    }

    fn state(&self) -> String {
        let state = self.pod.state;
        if state == PodState::NotReady && self.running > 0 {
            return format!("NotReady, {} still running", self.running);
        }
        if state == PodState::NotReady && self.completed {
            return "Completed".to_owned();
        }
        if state == PodState::Ready && self.total == 0 {
            return "Ready, no containers yet".to_owned();
        }
        state.name().to_owned()
    }

    /// Primary IP, or `host`.
    pub fn ip(&self) -> &str {
        match self.detail.as_deref() {
            Some(detail) if detail.host_network => "host",
            Some(detail) => detail.ips.first().map_or("", Text::as_str),
            None => "",
        }
    }
}

impl ContainerRow {
    /// The verdict: what is wrong, else the state, with the exit for an ended one.
    pub fn verdict(&self, now: Timestamp, step: u64) -> String {
        if let Some(trouble) = &self.trouble {
            return trouble.words(now, step);
        }
        let state = self.container.state;
        match (&self.detail, state) {
            (Some(detail), ContainerState::Exited) => {
                let words = super::trouble::ending(detail.exit_code, detail.reason.as_ref(), None);
                if words == "exit 0 completed" {
                    "Completed".to_owned()
                } else {
                    words
                }
            }
            _ => state.name().to_owned(),
        }
    }

    /// Name of its pod, else what its labels say, else nothing.
    pub fn pod_name(&self) -> &str {
        self.named(|pod| &pod.name, "io.kubernetes.pod.name")
    }

    /// Namespace of its pod.
    pub fn namespace(&self) -> &str {
        self.named(|pod| &pod.namespace, "io.kubernetes.pod.namespace")
    }

    fn named(&self, of_pod: impl Fn(&Pod) -> &Text, label: &str) -> &str {
        let known = self.pod.as_deref().map(of_pod);
        known
            .or_else(|| crate::domain::label(&self.container.labels, label))
            .map_or("", Text::as_str)
    }
}

impl Searchable for PodRow {
    fn texts(
        &self,
        now: Timestamp,
        visit: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        visit(self.pod.name.as_str())?;
        visit(self.pod.namespace.as_str())?;
        visit(self.ip())?;
        visit(self.pod.id.short())?;
        visit(&self.verdict(now, ROW_STEP))
    }
    fn labels(&self) -> Option<&Labels> {
        Some(&self.pod.labels)
    }
    fn namespace(&self) -> &str {
        self.pod.namespace.as_str()
    }
    fn state(&self) -> &str {
        self.pod.state.name()
    }
}

impl Searchable for ContainerRow {
    fn texts(
        &self,
        now: Timestamp,
        visit: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        visit(self.container.name.as_str())?;
        visit(self.pod_name())?;
        visit(self.namespace())?;
        visit(self.image.as_str())?;
        visit(self.container.id.short())?;
        visit(&self.verdict(now, ROW_STEP))
    }
    fn labels(&self) -> Option<&Labels> {
        // A container carries four labels of the kubelet's; those that people know are its pod's.
        Some(
            self.pod
                .as_ref()
                .map_or(&self.container.labels, |pod| &pod.labels),
        )
    }
    fn namespace(&self) -> &str {
        ContainerRow::namespace(self)
    }
    fn state(&self) -> &str {
        self.container.state.name()
    }
    fn image(&self) -> &str {
        self.image.as_str()
    }
}

impl Searchable for ImageRow {
    fn texts(
        &self,
        _: Timestamp,
        visit: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        visit(self.name.as_str())?;
        self.image
            .tags
            .iter()
            .skip(1)
            .try_for_each(|tag| visit(tag.as_str()))?;
        visit(self.image.id.as_str())
    }
    fn state(&self) -> &str {
        if self.used_by > 0 { "used" } else { "unused" }
    }
    fn image(&self) -> &str {
        self.name.as_str()
    }
}

/// The name under which an image is shown.
pub fn image_name(image: &Image) -> Text {
    let from_digest = || {
        let repository = image.digests.first()?.as_str().split('@').next()?;
        Some(Text::clean(&format!("{repository}:<none>")))
    };
    image
        .tags
        .first()
        .cloned()
        .or_else(from_digest)
        .unwrap_or_else(|| Text::clean("<none>"))
}
