//! Whose something is that critui has made on the node: a label that names one process for good.

use std::path::Path;
use std::time::Duration;

use super::open::HostRoot;
use super::process::start_of;

/// Longest look.
const DEADLINE: Duration = Duration::from_secs(1);

/// This very process: `BOOT/PIDNAMESPACE/PID/START`. Empty if `/proc` does not tell.
pub fn own() -> String {
    let pid = std::process::id();
    let named = place().zip(start(pid));
    named.map_or_else(String::new, |(place, start)| {
        format!("{place}/{pid}/{start}")
    })
}

/// True if that process has ended for certain. Of another kind of process ids nothing is known, so
/// it may live.
pub fn is_dead(owner: &str) -> bool {
    let Some(here) = place() else { return false };
    let Some((boot, _)) = owner.split_once('/') else {
        return false;
    };
    if !here.starts_with(boot) {
        // Before the last boot.
        return !boot.is_empty();
    }
    let rest = owner
        .strip_prefix(&here)
        .and_then(|rest| rest.strip_prefix('/'));
    let named = rest.and_then(|rest| rest.split_once('/'));
    let Some((pid, began)) = named else {
        return false;
    };
    pid.parse()
        .is_ok_and(|pid| start(pid).is_none_or(|start| start.to_string() != began))
}

/// Boot and kind of process ids.
fn place() -> Option<String> {
    // critui's own, whatever --host-root says.
    let own = HostRoot::new(Path::new("/")).ok()?;
    own.work(DEADLINE, |proc| {
        let boot = proc.read(Path::new("/proc/sys/kernel/random/boot_id"), 64)?;
        let pids = proc.link_stat(Path::new("/proc/self/ns/pid"))?.1;
        let boot = String::from_utf8_lossy(&boot).trim().to_owned();
        let pids = pids.unwrap_or_default().display().to_string();
        let number = pids.trim_matches(|c: char| !c.is_ascii_digit());
        Ok(format!("{boot}/{number}"))
    })
    .ok()
}

fn start(pid: u32) -> Option<i64> {
    let own = HostRoot::new(Path::new("/")).ok()?;
    own.work(DEADLINE, move |proc| Ok(start_of(proc, pid)))
        .ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_others_do_not() {
        let own = own();
        assert_eq!(own.split('/').count(), 4, "{own}");
        assert!(!is_dead(&own));
        let (place, start) = own.rsplit_once('/').unwrap();
        // The same number, by another process.
        assert!(is_dead(&format!("{place}/{start}1")));
        assert!(is_dead(&format!("other-boot/{start}")));
        // Nothing is known of these.
        assert!(!is_dead(""));
        assert!(!is_dead("nonsense"));
        let mut parts: Vec<&str> = own.split('/').collect();
        parts[1] = "4";
        assert!(!is_dead(&parts.join("/")));
    }
}
