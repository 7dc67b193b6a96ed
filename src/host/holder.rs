//! Who holds a TCP port of this machine, as `/proc` tells.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::open::{HostRoot, OpenError, Resolver};
use crate::text::Text;

/// Longest look.
const DEADLINE: Duration = Duration::from_secs(1);
/// Largest table that is read.
const TABLE: u64 = 4 << 20;
/// Processes, and open files of one, that are looked at.
const MOST: usize = 1 << 16;
/// The state of a socket that listens.
const LISTENS: &str = "0A";

/// The process that listens on `port`: `nginx (pid 4711)`. `None` if `/proc` does not tell, as to
/// others than root.
pub fn of_port(port: u16) -> Option<Text> {
    // critui's own network and processes, not those under --host-root.
    let own = HostRoot::new(Path::new("/")).ok()?;
    let found = own.work(DEADLINE, move |proc| Ok(holder(proc, port)));
    found.ok().flatten()
}

fn holder(proc: &Resolver, port: u16) -> Option<Text> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|table| proc.read(Path::new(table), TABLE).ok())
        .flat_map(|table| listening(&String::from_utf8_lossy(&table), port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    let processes = proc.list_dir(Path::new("/proc"), MOST).ok()?.names;
    let numbers = processes.iter().filter(|name| is_number(name));
    numbers
        .map(|name| Path::new("/proc").join(name))
        .find(|process| holds(proc, process, &inodes).unwrap_or(false))
        .map(|process| named(proc, &process))
}

fn is_number(name: &OsStr) -> bool {
    let digits = name.to_string_lossy();
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn holds(proc: &Resolver, process: &Path, inodes: &[String]) -> Result<bool, OpenError> {
    let folder = process.join("fd");
    for name in proc.list_dir(&folder, MOST)?.names {
        let target = proc.link_stat(&folder.join(name));
        let Ok((_, Some(target))) = target else {
            continue;
        };
        if inodes
            .iter()
            .any(|inode| target.as_os_str() == inode.as_str())
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn named(proc: &Resolver, process: &Path) -> Text {
    let name = proc.read(&process.join("comm"), 64).unwrap_or_default();
    let name = String::from_utf8_lossy(&name);
    let pid = process.file_name().unwrap_or_default().to_string_lossy();
    Text::clean(&format!("{} (pid {pid})", name.trim()))
}

/// Inodes of the sockets in a table of `/proc/net` that listen on `port`.
fn listening(table: &str, port: u16) -> Vec<String> {
    let wanted = format!("{port:04X}");
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (_, local) = words.get(1)?.rsplit_once(':')?;
        let hit = local == wanted && *words.get(3)? == LISTENS;
        hit.then(|| words.get(9).map(ToString::to_string)).flatten()
    };
    table.lines().skip(1).filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 100 0 0 10 0
   2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0
   3: short
";

    #[test]
    fn only_what_listens_holds() {
        assert_eq!(listening(TABLE, 8080), ["4711"]);
        assert_eq!(listening(TABLE, 80), ["4713"]);
        assert!(listening(TABLE, 81).is_empty());
        assert!(listening("", 80).is_empty());
    }

    #[test]
    fn this_very_process_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let holder = of_port(port).expect("it is ours");
        let pid = std::process::id();
        assert!(
            holder.as_str().ends_with(&format!("(pid {pid})")),
            "{holder}"
        );
    }
}
