//! What is known of a pod as a whole.

use jiff::Timestamp;

use super::{About, ProcessState, Said, Seen};
use crate::domain::{ContainerState, PodId};
use crate::format::seconds_between;
use crate::text::Text;

/// What is known of a pod sandbox as a whole.
#[derive(Clone, PartialEq, Debug)]
pub struct PodFacts {
    /// Whose facts.
    pub about: About,
    /// When they were gathered.
    pub now: Timestamp,
    /// Id of the sandbox.
    pub id: PodId,
    /// It is ready.
    pub ready: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// How many sandboxes the pod had before.
    pub attempt: u32,
    /// A newer sandbox of the same pod is there.
    pub superseded: bool,
    /// Its containers, with their states.
    pub containers: Vec<(Text, ContainerState)>,
    /// Processes of containers that run in it.
    pub processes: Vec<(Text, ProcessState)>,
    /// The kubelet's and the runtime's lines about it, oldest first.
    pub said: Seen<Vec<Said>>,
    /// The network of pods does not work, and why.
    pub no_network: Option<Text>,
}

impl PodFacts {
    /// How old it is, in seconds.
    pub fn age(&self) -> u64 {
        self.created_at
            .map_or(0, |created| seconds_between(created, self.now))
    }

    /// Lines that contain one of `marks`, the newest first.
    pub fn says<'a>(&'a self, marks: &'a [&'a str]) -> impl Iterator<Item = &'a Said> {
        let said = self.said.as_ref().map_or(&[][..], Vec::as_slice);
        said.iter()
            .rev()
            .filter(move |line| marks.iter().any(|mark| line.text.as_str().contains(mark)))
    }
}
