//! Everything that can be done to the node, as values: what the user confirms, what is sent, what
//! the journal keeps and what crictl would be told are made from the same one.

use serde_json::{Value, json};

use crate::domain::{ContainerId, PodId};

/// Seconds a process gets to end by itself when nobody has said otherwise, as in Kubernetes.
pub const GRACE: u32 = 30;

/// One change of the node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// Ends the process of a container: politely, and by force after so many seconds.
    Stop {
        /// The container.
        id: ContainerId,
        /// Seconds; 0 kills at once.
        grace: u32,
    },
    /// Removes a container. One that runs is stopped first.
    Remove {
        /// The container.
        id: ContainerId,
        /// It runs, and gets so many seconds.
        running: Option<u32>,
    },
    /// Starts a container that was created.
    Start {
        /// The container.
        id: ContainerId,
    },
    /// Stops the containers of a pod, then its sandbox.
    StopPod {
        /// The sandbox.
        id: PodId,
        /// Its containers that run.
        running: Vec<ContainerId>,
        /// Seconds that each of them gets; 0 kills at once.
        grace: u32,
    },
    /// Stops a pod if it runs, and removes its sandbox with all containers.
    RemovePod {
        /// The sandbox.
        id: PodId,
        /// Its containers that run.
        running: Vec<ContainerId>,
        /// Seconds that each of them gets.
        grace: u32,
    },
}

/// `word` as a shell takes it for one word.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

impl Act {
    /// What it does, in the words of the journal.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Stop { grace: 0, .. } => "kill container",
            Self::Stop { .. } => "stop container",
            Self::Remove { .. } => "remove container",
            Self::Start { .. } => "start container",
            Self::StopPod { grace: 0, .. } => "kill pod",
            Self::StopPod { .. } => "stop pod",
            Self::RemovePod { .. } => "remove pod",
        }
    }

    /// What it does while it does it, for a line on the screen.
    pub fn doing(&self) -> &'static str {
        match self {
            Self::Stop { grace: 0, .. } | Self::StopPod { grace: 0, .. } => "killing",
            Self::Stop { .. } | Self::StopPod { .. } => "stopping",
            Self::Remove { .. } | Self::RemovePod { .. } => "removing",
            Self::Start { .. } => "starting",
        }
    }

    /// What it is done to, by the runtime's own name.
    pub fn object(&self) -> &str {
        match self {
            Self::Stop { id, .. } | Self::Remove { id, .. } | Self::Start { id } => id.as_str(),
            Self::StopPod { id, .. } | Self::RemovePod { id, .. } => id.as_str(),
        }
    }

    /// Seconds after which what still runs is killed, if it waits for something to end.
    pub fn grace(&self) -> Option<u32> {
        match self {
            Self::Stop { grace, .. }
            | Self::Remove {
                running: Some(grace),
                ..
            } => Some(*grace),
            Self::StopPod { running, grace, .. } | Self::RemovePod { running, grace, .. } => {
                (!running.is_empty()).then_some(*grace)
            }
            Self::Remove { running: None, .. } | Self::Start { .. } => None,
        }
    }

    /// The same without any patience, if it is one that waits.
    pub fn at_once(&self) -> Option<Self> {
        self.grace().filter(|grace| *grace > 0)?;
        let mut act = self.clone();
        match &mut act {
            Self::Stop { grace, .. }
            | Self::Remove {
                running: Some(grace),
                ..
            }
            | Self::StopPod { grace, .. }
            | Self::RemovePod { grace, .. } => *grace = 0,
            Self::Remove { running: None, .. } | Self::Start { .. } => {}
        }
        Some(act)
    }

    /// What else the journal keeps.
    pub fn parameters(&self) -> Value {
        match self.grace() {
            Some(grace) => json!({"grace_seconds": grace}),
            None => json!({}),
        }
    }

    /// The same for crictl, in one line for a shell. It takes the beginnings of ids.
    pub fn crictl(&self) -> String {
        let stop = |ids: &[ContainerId], grace: u32| {
            let ids: Vec<&str> = ids.iter().map(ContainerId::short).collect();
            match ids[..] {
                [] => String::new(),
                _ => format!("crictl stop --timeout {grace} {} && ", ids.join(" ")),
            }
        };
        match self {
            Self::Stop { id, grace } => format!("crictl stop --timeout {grace} {}", id.short()),
            Self::Remove { id, running } => {
                let first = running.map(|grace| stop(std::slice::from_ref(id), grace));
                format!("{}crictl rm {}", first.unwrap_or_default(), id.short())
            }
            Self::Start { id } => format!("crictl start {}", id.short()),
            Self::StopPod { id, running, grace } => {
                format!("{}crictl stopp {}", stop(running, *grace), id.short())
            }
            Self::RemovePod { id, running, grace } => {
                let (first, id) = (stop(running, *grace), id.short());
                format!("{first}crictl stopp {id} && crictl rmp {id}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn id(id: &str) -> ContainerId {
        ContainerId::new(id)
    }

    fn pod(running: &[&str]) -> Act {
        Act::RemovePod {
            id: PodId::new("p"),
            running: running.iter().map(|one| id(one)).collect(),
            grace: 7,
        }
    }

    #[rstest]
    #[case(Act::Stop { id: id("a"), grace: 30 }, "crictl stop --timeout 30 a")]
    #[case(Act::Remove { id: id("a"), running: None }, "crictl rm a")]
    #[case(Act::Remove { id: id("a"), running: Some(5) }, "crictl stop --timeout 5 a && crictl rm a")]
    #[case(Act::Start { id: id("a") }, "crictl start a")]
    #[case(pod(&["a", "b"]), "crictl stop --timeout 7 a b && crictl stopp p && crictl rmp p")]
    #[case(pod(&[]), "crictl stopp p && crictl rmp p")]
    fn as_crictl_is_told(#[case] act: Act, #[case] line: &str) {
        assert_eq!(act.crictl(), line);
    }

    #[test]
    fn only_what_waits_can_be_hurried() {
        assert_eq!(pod(&["a"]).at_once().unwrap().grace(), Some(0));
        assert_eq!(pod(&["a"]).at_once().unwrap().at_once(), None);
        assert_eq!(pod(&[]).at_once(), None);
        assert_eq!(Act::Start { id: id("a") }.at_once(), None);
    }
}
