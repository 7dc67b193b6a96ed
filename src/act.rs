//! Everything that can be done to the node, as values: what the user confirms, what is sent, what
//! the journal keeps and what crictl would be told are made from the same one.

use std::fmt;

use serde_json::{Value, json};

use crate::cri::spec::Plan;
use crate::domain::{ContainerId, ImageId, PodId};

/// Seconds a process gets to end by itself when nobody has said otherwise, as in Kubernetes.
pub const GRACE: u32 = 30;

/// Microseconds in which a CPU limit is counted, as the kubelet has it.
pub const PERIOD: u64 = 100_000;

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
    /// Pulls an image.
    Pull {
        /// What to pull, as it was typed.
        reference: String,
        /// With which credentials.
        login: Login,
    },
    /// Removes an image with all its names.
    RemoveImage {
        /// The image.
        id: ImageId,
        /// Not if a container was made from it meanwhile.
        unused: bool,
    },
    /// Sets limits of a running container; what is `None` stays.
    Update {
        /// The container.
        id: ContainerId,
        /// Bytes of memory.
        memory: Option<u64>,
        /// CPU, in thousandths of a core.
        cpu: Option<u64>,
    },
    /// Writes the state of a container to a file.
    Checkpoint {
        /// The container.
        id: ContainerId,
        /// The file, absolute.
        to: String,
    },
    /// Has the runtime open a container's log anew.
    Reopen {
        /// The container.
        id: ContainerId,
    },
    /// Makes a pod, or a container in one, or both, as files say.
    Make(Box<Plan>),
}

/// Credentials for a registry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Login {
    /// Those that an auth file of this node holds for it, else none.
    #[default]
    Found,
    /// None, whatever the files hold.
    None,
    /// Typed.
    Typed(String, Secret),
}

/// What is never shown, kept or logged.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Hides `secret`.
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    /// For the runtime alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<masked>")
    }
}

/// Microseconds of CPU time in each [`PERIOD`], for so many thousandths of a core.
pub fn quota(cpu: u64) -> u64 {
    cpu * PERIOD / 1000
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
            Self::Pull { .. } => "pull image",
            Self::RemoveImage { .. } => "remove image",
            Self::Update { .. } => "set limits",
            Self::Checkpoint { .. } => "checkpoint",
            Self::Reopen { .. } => "reopen log",
            Self::Make(plan) => plan.what(),
        }
    }

    /// What it does while it does it, for a line on the screen.
    pub fn doing(&self) -> &'static str {
        match self {
            Self::Stop { grace: 0, .. } | Self::StopPod { grace: 0, .. } => "killing",
            Self::Stop { .. } | Self::StopPod { .. } => "stopping",
            Self::Remove { .. } | Self::RemovePod { .. } | Self::RemoveImage { .. } => "removing",
            Self::Pull { .. } => "pulling",
            Self::Update { .. } => "setting limits of",
            Self::Checkpoint { .. } => "writing a checkpoint of",
            Self::Reopen { .. } => "reopening the log of",
            Self::Make(_) => "making",
            Self::Start { .. } => "starting",
        }
    }

    /// What it is done to, by the runtime's own name.
    pub fn object(&self) -> &str {
        match self {
            Self::Stop { id, .. }
            | Self::Remove { id, .. }
            | Self::Start { id }
            | Self::Update { id, .. }
            | Self::Checkpoint { id, .. }
            | Self::Reopen { id } => id.as_str(),
            Self::Make(plan) => plan.name(),
            Self::StopPod { id, .. } | Self::RemovePod { id, .. } => id.as_str(),
            Self::Pull { reference, .. } => reference,
            Self::RemoveImage { id, .. } => id.as_str(),
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
            _ => None,
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
            _ => return None,
        }
        Some(act)
    }

    /// What else the journal keeps.
    pub fn parameters(&self) -> Value {
        match (self, self.grace()) {
            (Self::Pull { login, .. }, _) => match login {
                Login::Found => json!({"registry_user": "as an auth file says, if one does"}),
                Login::None => json!({"registry_user": "none"}),
                Login::Typed(user, _) => json!({"registry_user": format!("{user}, typed")}),
            },
            (Self::Update { memory, cpu, .. }, _) => {
                json!({"memory_bytes": memory, "cpu_millicores": cpu})
            }
            (Self::Checkpoint { to, .. }, _) => json!({"to": to}),
            (Self::Make(plan), _) => json!({"files": plan.files}),
            (_, Some(grace)) => json!({"grace_seconds": grace}),
            _ => json!({}),
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
            Self::Pull { reference, login } => {
                let login = match login {
                    Login::Typed(user, _) => format!("--creds {}:PASSWORD ", quoted(user)),
                    Login::Found | Login::None => String::new(),
                };
                format!("crictl pull {login}{}", quoted(reference))
            }
            Self::RemoveImage { id, .. } => format!("crictl rmi {}", id.short()),
            Self::Update { id, memory, cpu } => {
                let memory = memory.map_or_else(String::new, |bytes| format!("--memory {bytes} "));
                let cpu = cpu.map_or_else(String::new, |cpu| {
                    format!("--cpu-period {PERIOD} --cpu-quota {} ", quota(cpu))
                });
                format!("crictl update {cpu}{memory}{}", id.short())
            }
            Self::Checkpoint { id, to } => {
                format!("crictl checkpoint --export={} {}", quoted(to), id.short())
            }
            Self::Reopen { id } => format!("crictl logs --reopen {}", id.short()),
            Self::Make(plan) => plan.crictl(),
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
    fn a_password_is_in_nothing_that_is_shown() {
        let login = Login::Typed("alice".to_owned(), Secret::new("hunter2".to_owned()));
        let reference = "registry:5000/app:1".to_owned();
        let act = Act::Pull { reference, login };
        let line = "crictl pull --creds alice:PASSWORD registry:5000/app:1";
        assert_eq!(act.crictl(), line);
        let all = format!("{act:?} {} {}", act.parameters(), act.crictl());
        assert!(!all.contains("hunter2"), "{all}");
    }

    #[test]
    fn only_what_waits_can_be_hurried() {
        assert_eq!(pod(&["a"]).at_once().unwrap().grace(), Some(0));
        assert_eq!(pod(&["a"]).at_once().unwrap().at_once(), None);
        assert_eq!(pod(&[]).at_once(), None);
        assert_eq!(Act::Start { id: id("a") }.at_once(), None);
    }
}
