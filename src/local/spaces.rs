//! A shell of this node inside a pod's namespaces: all of the node's own tools, in the pod's
//! network, and among the container's processes if that is wanted.

use std::ffi::OsString;
use std::os::fd::{AsRawFd as _, OwnedFd};

use tokio::process::Command;

use crate::cri::{CriError, Process, Reader};
use crate::domain::{ContainerId, PodId};
use crate::host::open::HostRoot;
use crate::host::process::{self, Claim};
use crate::text::Text;

const NANOS: i64 = 1_000_000_000;
/// Ends what it starts when its parent ends, also when critui is killed.
const BOUND: [&str; 4] = ["setpriv", "--pdeathsig", "HUP", "--"];

/// Where a shell is to be.
#[derive(Debug)]
pub struct HostShell {
    /// The container, if its process runs; else only the sandbox has namespaces.
    pub container: Option<ContainerId>,
    /// The sandbox.
    pub pod: PodId,
    /// `namespace/pod/container`.
    pub title: Text,
    /// Among the container's processes, too.
    pub processes: bool,
    /// Asks for the process ids.
    pub reader: Reader,
    /// This node.
    pub host: HostRoot,
    /// The user's shell.
    pub shell: OsString,
}

impl HostShell {
    /// The command, and the namespaces that must stay open for it.
    pub(super) async fn prepare(self) -> Result<(Command, Vec<OwnedFd>), Text> {
        let claim = match &self.container {
            Some(id) => claim(id.as_str(), self.reader.process(id).await),
            None => claim(
                self.pod.as_str(),
                self.reader.sandbox_process(&self.pod).await,
            ),
        }?;
        let names: &[&str] = if self.processes {
            &["ns/net", "ns/pid"]
        } else {
            &["ns/net"]
        };
        let host = self.host.clone();
        let opened = tokio::task::spawn_blocking(move || process::links(&host, &claim, names));
        let spaces = opened
            .await
            .map_err(|error| Text::clean(&error.to_string()))??;
        let place = if self.processes {
            "network and processes"
        } else {
            "network"
        };
        let banner = format!(
            "critui: a shell of this node in the {place} of {}; exit leaves",
            self.title
        );
        // The terminal is the user's own screen now.
        println!("\x1b[7m{}\x1b[0m", Text::clean(&banner));
        Ok((command(&spaces, self.processes, &self.shell), spaces))
    }
}

/// What must hold of the process of a container or sandbox, by what the runtime tells of it.
pub fn claim(owner: &str, told: Result<Process, CriError>) -> Result<Claim, Text> {
    let process = told.map_err(|error| error.message)?;
    if !process.running {
        return Err("nothing of it runs, so it has no namespaces".into());
    }
    let pid = process.pid.ok_or_else(|| {
        Text::from("the runtime names no process for it (CRI-O has none for most sandboxes)")
    })?;
    Ok(Claim {
        pid,
        container: Text::clean(owner),
        created: process.created_at / NANOS,
        started: process.started_at / NANOS,
    })
}

fn command(spaces: &[OwnedFd], processes: bool, shell: &OsString) -> Command {
    let own = std::process::id();
    let mut words: Vec<OsString> = BOUND.map(OsString::from).to_vec();
    words.push("nsenter".into());
    for (option, space) in ["--net", "--pid"].iter().zip(spaces) {
        // A number that may be another process's by now is not looked up again.
        words.push(format!("{option}=/proc/{own}/fd/{}", space.as_raw_fd()).into());
    }
    words.push("--".into());
    if processes {
        // nsenter starts a child then, which is to end with it; its /proc shows those processes.
        words.extend(BOUND.map(OsString::from));
        words.extend(["unshare", "--mount", "--mount-proc=/proc", "--"].map(OsString::from));
    }
    words.push(shell.clone());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespaces_are_those_that_are_open() {
        let open = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let spaces = [open(), open()];
        let line = |spaces: &[OwnedFd], processes| {
            let command = command(spaces, processes, &"bash".into());
            let command = command.as_std();
            let args = command
                .get_args()
                .map(|arg| arg.to_string_lossy().into_owned());
            args.collect::<Vec<_>>().join(" ")
        };
        let (own, [net, pid]) = (
            std::process::id(),
            spaces.each_ref().map(OwnedFd::as_raw_fd),
        );
        assert_eq!(
            line(&spaces[..1], false),
            format!("--pdeathsig HUP -- nsenter --net=/proc/{own}/fd/{net} -- bash")
        );
        assert_eq!(
            line(&spaces, true),
            format!(
                "--pdeathsig HUP -- nsenter --net=/proc/{own}/fd/{net} --pid=/proc/{own}/fd/{pid} \
                 -- setpriv --pdeathsig HUP -- unshare --mount --mount-proc=/proc -- bash"
            )
        );
    }

    #[test]
    fn what_does_not_run_has_no_namespaces() {
        let process = Process {
            pid: Some(7),
            ..Process::default()
        };
        assert!(claim("c", Ok(process)).is_err());
        let running = Process {
            pid: None,
            running: true,
            ..process
        };
        let line = claim("c", Ok(running)).unwrap_err();
        assert!(line.as_str().contains("names no process"), "{line}");
    }
}
