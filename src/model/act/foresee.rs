//! What has to be found out before a change can be confirmed honestly: the file that a static pod
//! comes from, processes that no signal ends, and whether the journal can keep it.

use crate::domain::ContainerId;
use crate::model::act::choose::Weight;
use crate::text::Text;

/// What to look at for one victim.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Question {
    /// Namespace and name of a static pod.
    pub manifest_of: Option<(Text, Text)>,
    /// Containers that run, and are to be ended.
    pub ended: Vec<ContainerId>,
    /// Names of an image that is to be removed.
    pub removed: Vec<Text>,
    /// What is to be pulled, with credentials of this node's files if there are any.
    pub pulled: Option<String>,
}

/// What was seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Foreseen {
    /// For each victim, in order.
    pub of: Vec<Omen>,
    /// Where the journal is, or why it cannot keep anything.
    pub journal: Result<Text, Text>,
}

/// What was seen of one victim.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Omen {
    /// The file that the kubelet makes the pod from.
    pub manifest: Option<Text>,
    /// Its processes that wait in the kernel: number and name.
    pub stuck: Vec<Text>,
    /// What started it, and would reap it, is gone.
    pub orphaned: bool,
    /// Why its processes could not be seen.
    pub unseen: Option<Text>,
    /// The runtime's configuration names it as the image of its sandboxes.
    pub needed: bool,
    /// Which credentials will be used, in words.
    pub login: Option<Text>,
}

impl Omen {
    /// No signal ends it.
    pub fn is_beyond_kill(&self) -> bool {
        self.orphaned || !self.stuck.is_empty()
    }

    /// What it means.
    pub fn lines(&self) -> Vec<(Weight, String)> {
        let mut lines = Vec::new();
        if let Some(file) = &self.manifest {
            let line = format!("to end it for good move {file} out of its folder instead");
            lines.push((Weight::Bad, line));
        }
        if let Some(first) = self.stuck.first() {
            let more = match self.stuck.len() {
                1 => String::new(),
                all => format!(" and {} more", all - 1),
            };
            let line = format!(
                "process {first}{more} is in state D: it waits in the kernel, mostly for a disk or \
                 a network file system, and no signal, also no kill, ends it before that answers"
            );
            lines.push((Weight::Bad, line));
        }
        if self.orphaned {
            let line = "its shim is gone: nobody is left who could tell the runtime of its end, so \
                        stopping it may never finish; restarting the runtime may clean up";
            lines.push((Weight::Bad, line.to_owned()));
        }
        if self.needed {
            let line =
                "the runtime's configuration names it as the image of its sandboxes: it stays";
            lines.push((Weight::Bad, line.to_owned()));
        }
        if let Some(login) = &self.login {
            lines.push((Weight::Plain, login.to_string()));
        }
        if let Some(why) = &self.unseen {
            lines.push((Weight::Plain, format!("its processes were not seen: {why}")));
        }
        lines
    }
}
