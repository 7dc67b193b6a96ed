//! The journal, by the one program that critui runs without being asked, also in read-only mode:
//! `journalctl` by its absolute path, with fixed arguments and an empty environment, for a bounded
//! time and a bounded answer.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Where it is.
pub const PROGRAMS: [&str; 2] = ["/usr/bin/journalctl", "/bin/journalctl"];
/// All it is ever given.
const ARGUMENTS: [&str; 16] = [
    "--no-pager",
    "--quiet",
    "--output=short-unix",
    "--lines=5000",
    "--since=-2h",
    "--unit=kubelet",
    "--unit=containerd",
    "--unit=crio",
    "--unit=docker",
    "--unit=cri-docker",
    "--unit=k3s",
    "--unit=k3s-agent",
    "--unit=rke2-server",
    "--unit=rke2-agent",
    "--unit=k0scontroller",
    "--unit=k0sworker",
];
/// How long it may take.
const DEADLINE: Duration = Duration::from_secs(2);
/// Bytes of its answer that are read.
const LARGEST: u64 = 4 << 20;

/// What the kubelet and the runtime wrote into the journal in the last two hours; the error says
/// why that cannot be told.
pub fn read() -> Result<Vec<u8>, String> {
    let program = PROGRAMS
        .iter()
        .find(|path| std::path::Path::new(path).exists());
    let program = program.ok_or("there is no journalctl")?;
    let mut child = Command::new(program)
        .args(ARGUMENTS)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let out = child.stdout.take();
    let (done, answer) = mpsc::sync_channel(1);
    let reader = std::thread::Builder::new().name("journal".into());
    let started = reader.spawn(move || {
        let mut bytes = Vec::new();
        let read = out.map(|out| out.take(LARGEST).read_to_end(&mut bytes));
        // Nobody listens after the deadline.
        let _ = done.send(read.transpose().map(|_| bytes));
    });
    let bytes = started.map_err(|error| error.to_string()).and_then(|_| {
        answer
            .recv_timeout(DEADLINE)
            .map_err(|_| format!("{program} takes too long"))
    });
    // It may have ended already; either way nothing of it stays.
    let _ = child.kill();
    let _ = child.wait();
    bytes?.map_err(|error| format!("{program}: {error}"))
}
