//! The simulated node's folder: private, with a random name, gone when the node stops. What a
//! killed process left behind is removed by the next one.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const PREFIX: &str = "critui-demo-";

/// Makes a new folder, and begins to remove what dead processes left.
pub(super) fn make() -> io::Result<TempDir> {
    let base = base();
    // A large node's files can be a hundred thousand: nobody waits for that. What is not removed
    // when this process ends is left to the next, as it is without a thread.
    let from = base.clone();
    let _ = std::thread::Builder::new()
        .name("leftovers".to_owned())
        .spawn(move || remove_leftovers(&from));
    let pid = std::process::id();
    let started = started_at(pid).unwrap_or(0);
    let folder = tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{pid}-{started}-"))
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(&base);
    folder.map_err(|error| {
        let text = format!(
            "cannot make the demo's folder in {}: {error}; set TMPDIR to a folder that can be written",
            base.display()
        );
        io::Error::new(error.kind(), text)
    })
}

/// `$XDG_RUNTIME_DIR` if it can be used, else the folder for temporary files.
fn base() -> PathBuf {
    std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute() && is_ours(path))
        .unwrap_or_else(std::env::temp_dir)
}

fn is_ours(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir() && private(&found))
}

fn private(found: &Metadata) -> bool {
    found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o777 == 0o700
}

/// Start time of a process in clock ticks since the boot: field 22 of its `stat`, counted behind
/// the name, which may hold spaces and brackets.
fn started_at(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after) = stat.rsplit_once(')')?;
    after.split_whitespace().nth(19)?.parse().ok()
}

fn remove_leftovers(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(owner);
        if owner.is_some_and(is_dead) && is_ours(&entry.path()) {
            // Somebody else may be removing it, too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Process and its start time, from the name of a folder.
fn owner(name: &str) -> Option<(u32, u64)> {
    let mut parts = name.strip_prefix(PREFIX)?.split('-');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn is_dead((pid, started): (u32, u64)) -> bool {
    match started_at(pid) {
        Some(now) => now != started,
        None => !Path::new(&format!("/proc/{pid}")).exists(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(base: &Path, name: &str, mode: u32) -> PathBuf {
        let path = base.join(name);
        fs::create_dir(&path).expect("it can be made");
        fs::write(path.join("file"), "x").expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("it is ours");
        path
    }

    #[test]
    fn what_the_dead_left_is_removed_and_nothing_else() {
        let base = tempfile::tempdir().expect("a folder");
        let own = std::process::id();
        let started = started_at(own).expect("we run");
        let gone = [
            folder(base.path(), "critui-demo-4194399-17-abc", 0o700),
            folder(base.path(), &format!("critui-demo-{own}-1-abc"), 0o700),
        ];
        let kept = [
            folder(
                base.path(),
                &format!("critui-demo-{own}-{started}-abc"),
                0o700,
            ),
            folder(base.path(), "critui-demo-4194399-17-shared", 0o755),
            folder(base.path(), "critui-demo-notes", 0o700),
            folder(base.path(), "other", 0o700),
        ];
        remove_leftovers(base.path());
        assert!(gone.iter().all(|path| !path.exists()), "{gone:?}");
        assert!(kept.iter().all(|path| path.exists()), "{kept:?}");
    }

    #[test]
    fn a_new_folder_is_private_and_goes_away() {
        let made = make().expect("a folder");
        let path = made.path().to_owned();
        assert!(is_ours(&path));
        assert_eq!(
            path.file_name()
                .and_then(|name| name.to_str())
                .and_then(owner),
            Some((
                std::process::id(),
                started_at(std::process::id()).expect("we run")
            ))
        );
        drop(made);
        assert!(!path.exists());
    }
}
