//! The kernel as witness of `--read-only`: before any thread starts this process gives up the
//! rights to write, to run programs and to open TCP connections, as far as the kernel knows how.
//! It guards against mistakes and against this program, not against root.

use std::fmt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, NetPort,
    PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetStatus,
};
use rustix::thread::{self, CapabilitySet, CapabilitySets};

use crate::host::{journal, kubelet};

/// What the rules know; an older kernel keeps the part that it knows too.
const KNOWN: ABI = ABI::V5;
/// Capabilities that only read: files of others, and processes of others.
const READING: CapabilitySet = CapabilitySet::DAC_READ_SEARCH.union(CapabilitySet::SYS_PTRACE);

/// What holds, and why the rest does not.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Confined {
    /// What the kernel holds this process to, in short words.
    pub holds: Vec<&'static str>,
    /// What it does not, and why.
    pub lacks: Vec<String>,
}

impl Confined {
    fn add<E: fmt::Display>(&mut self, name: &'static str, done: Result<(), E>) {
        match done {
            Ok(()) => self.holds.push(name),
            Err(why) => self.lacks.push(format!("{name}: {why}")),
        }
    }

    /// It cannot become somebody else any more.
    pub fn has_no_capabilities(&self) -> bool {
        self.holds.contains(&CAPABILITIES)
    }
}

const CAPABILITIES: &str = "capabilities";

/// Gives up what only changes need. Only the calling thread and those that it starts are held to
/// it, so it has to come first. `terminal` can still be written.
pub fn confine(terminal: Option<PathBuf>) -> Confined {
    let mut confined = Confined::default();
    confined.add("no-new-privs", thread::set_no_new_privs(true));
    confined.add("landlock", landlock(terminal));
    confined.add(CAPABILITIES, drop_capabilities());
    confined
}

/// All but reading is given up, for good.
fn drop_capabilities() -> rustix::io::Result<()> {
    let now = thread::capabilities(None)?;
    let kept = now.permitted.intersection(READING);
    // Needs a capability that an ordinary user does not have, nor needs to give up.
    if now.effective.contains(CapabilitySet::SETPCAP) {
        for capability in CapabilitySet::all().difference(READING).iter() {
            // The kernel may not know the newest.
            let _ = thread::remove_capability_from_bounding_set(capability);
        }
    }
    let _ = thread::clear_ambient_capability_set();
    thread::set_capabilities(
        None,
        CapabilitySets {
            effective: kept,
            permitted: kept,
            inheritable: CapabilitySet::empty(),
        },
    )
}

/// What a program that is linked dynamically needs to be run at all.
const LOADERS: [&str; 4] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
];

/// Nothing may be written but the terminal, nothing run but journalctl, no TCP connection taken,
/// and none made but to the kubelet's own health port.
fn landlock(terminal: Option<PathBuf>) -> Result<(), String> {
    let told = |error: landlock::RulesetError| error.to_string();
    let writes: BitFlags<AccessFs> = AccessFs::from_write(KNOWN);
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(writes | AccessFs::Execute)
        .and_then(|rules| rules.handle_access(AccessNet::from_all(KNOWN)))
        .and_then(Ruleset::create)
        .map_err(told)?;
    rules = rules
        .add_rule(NetPort::new(kubelet::PORT, AccessNet::ConnectTcp))
        .map_err(told)?;
    let run = journal::PROGRAMS.into_iter().chain(LOADERS);
    let run = run.map(|path| (PathBuf::from(path), AccessFs::Execute.into()));
    let of_devices = AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    let devices = ["/dev/tty", "/dev/null"].map(PathBuf::from);
    let devices = devices.into_iter().chain(terminal);
    let devices = devices.map(|path| (path, of_devices));
    for (path, rights) in run.chain(devices) {
        // What is not there needs no rule.
        if let Ok(open) = PathFd::new(Path::new(&path)) {
            rules = rules
                .add_rule(PathBeneath::new(open, rights))
                .map_err(told)?;
        }
    }
    match rules.restrict_self().map_err(told)?.ruleset {
        RulesetStatus::NotEnforced => Err("this kernel has no Landlock, or it is off".to_owned()),
        RulesetStatus::PartiallyEnforced | RulesetStatus::FullyEnforced => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::ErrorKind;
    use std::net::TcpListener;
    use std::process::Command;

    /// Rights belong to a thread, so one of these can give its own up.
    #[test]
    fn a_thread_that_gave_them_up_reads_but_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("there");
        fs::write(&file, "old").unwrap();
        let (inside, there) = (folder.path().to_owned(), file.clone());
        let confined = std::thread::spawn(move || {
            let confined = confine(None);
            let left = thread::capabilities(None).unwrap();
            assert!(left.permitted.difference(READING).is_empty());
            assert!(thread::no_new_privs().unwrap());
            assert_eq!(fs::read_to_string(&there).unwrap(), "old");
            if !confined.holds.contains(&"landlock") {
                // What this kernel does not know is told, and shown in the header.
                assert!(confined.lacks.iter().any(|why| why.contains("landlock")));
                return confined;
            }
            let refused =
                |error: std::io::Error| assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            refused(fs::write(&there, "new").unwrap_err());
            refused(fs::write(inside.join("new"), "").unwrap_err());
            refused(fs::create_dir(inside.join("folder")).unwrap_err());
            refused(fs::remove_file(&there).unwrap_err());
            refused(fs::rename(&there, inside.join("other")).unwrap_err());
            refused(Command::new("/bin/true").status().unwrap_err());
            refused(TcpListener::bind("127.0.0.1:0").unwrap_err());
            if let Some(journal) = journal::PROGRAMS
                .iter()
                .find(|path| Path::new(path).exists())
            {
                let told = Command::new(journal).arg("--version").output().unwrap();
                assert!(told.status.success(), "{told:?}");
            }
            fs::write("/dev/null", "x").unwrap();
            confined
        });
        let confined = confined.join().unwrap();
        assert!(confined.has_no_capabilities(), "{confined:?}");
        // Nobody else has lost anything.
        fs::write(&file, "new").unwrap();
        println!("{confined:?}");
    }
}
