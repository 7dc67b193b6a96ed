//! The files of `/proc`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::domain::{Listener, Process};
use crate::mask;
use crate::text::Text;

/// Clock ticks in a second, as `/proc` counts on every architecture of Linux.
pub(super) const TICKS: i64 = 100;

/// When the node was booted, in seconds since the epoch.
pub(super) fn boot_time(stat: &str) -> Option<i64> {
    let mut lines = stat.lines();
    lines
        .find_map(|line| line.strip_prefix("btime "))?
        .parse()
        .ok()
}

/// When a process was started, in ticks since the boot. Its name can hold anything, brackets too.
pub(super) fn start_ticks(stat: &str) -> Option<i64> {
    let (_, after) = stat.rsplit_once(") ")?;
    after.split_whitespace().nth(19)?.parse().ok()
}

/// The process that started it, or took its place.
pub(super) fn parent(stat: &str) -> Option<u32> {
    let (_, after) = stat.rsplit_once(") ")?;
    after.split_whitespace().nth(1)?.parse().ok()
}

/// A process by its `status` and `cmdline`.
pub(super) fn row(pid: u32, status: &str, command: &str) -> Option<Process> {
    let field = |name: &str| {
        let mut lines = status.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    };
    let name = field("Name")?.trim();
    let inner = field("NSpid").and_then(|all| all.split_whitespace().last()?.parse().ok());
    let uid = field("Uid").and_then(|all| all.split_whitespace().nth(1)?.parse().ok());
    let memory: u64 = field("VmRSS")
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    let args: Vec<&str> = command.trim_end_matches('\0').split('\0').collect();
    let command = mask::args(&args).join(" ");
    let command = if command.is_empty() {
        format!("[{name}]")
    } else {
        command
    };
    Some(Process {
        pid,
        inner: inner.unwrap_or(pid),
        uid: uid.unwrap_or(0),
        state: field("State")
            .and_then(|text| text.trim().chars().next())
            .unwrap_or('?'),
        memory: memory * 1024,
        command: Text::clean(&command),
    })
}

/// What listens, in a table of `/proc/PID/net`.
pub(super) fn listeners(table: &str, text: &str) -> Vec<Listener> {
    let (protocol, state) = match table {
        "tcp" | "tcp6" => ("tcp", "0A"),
        // A UDP socket that is connected to nobody.
        _ => ("udp", "07"),
    };
    let row = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (address, port) = words.get(1)?.split_once(':')?;
        (*words.get(3)? == state).then_some(())?;
        Some(Listener {
            port: u16::from_str_radix(port, 16).ok()?,
            protocol,
            address: self::address(address)?,
        })
    };
    text.lines().skip(1).filter_map(row).collect()
}

/// An address as the kernel prints it: words of four bytes in the machine's order.
fn address(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let word = u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            let bytes: [u8; 16] = words.try_into().ok()?;
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(
            boot_time("cpu 1 2\nbtime 1700000000\nx"),
            Some(1_700_000_000)
        );
        assert_eq!(boot_time(""), None);
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 100 1";
        assert_eq!(start_ticks(stat), Some(4711));
        assert_eq!(start_ticks("7 (a"), None);
    }

    #[test]
    fn processes() {
        let status = "Name:\tsh\nState:\tS (sleeping)\nUid:\t0\t1000\t0\t0\nVmRSS:\t    20 kB\n\
                      NSpid:\t4711\t7\n";
        let row = row(4711, status, "sh\0-c\0sleep \x1b[2J1\0").unwrap();
        assert_eq!(
            (row.inner, row.uid, row.state, row.memory),
            (7, 1000, 'S', 20480)
        );
        assert!(row.command.as_str().starts_with("sh -c sleep "));
        assert!(!row.command.as_str().contains('\x1b'));
        let kernel = self::row(2, "Name:\tkthreadd\n", "").unwrap();
        assert_eq!((kernel.command.as_str(), kernel.inner), ("[kthreadd]", 2));
        assert_eq!(self::row(2, "", ""), None);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn ports() {
        let head = "  sl  local_address rem_address   st\n";
        let tcp = format!(
            "{head} 0: 0100007F:1F90 00000000:0000 0A x\n 1: 0100007F:1F91 0100007F:1 01 x\n 2: x\n"
        );
        let found = listeners("tcp", &tcp);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].port, found[0].address.to_string()),
            (8080, "127.0.0.1".into())
        );
        let six = format!("{head} 0: 00000000000000000000000001000000:0050 0:0 0A x\n");
        assert_eq!(listeners("tcp6", &six)[0].address.to_string(), "::1");
        let udp = format!("{head} 0: 00000000:0035 00000000:0000 07 x\n");
        assert_eq!(
            (
                listeners("udp", &udp)[0].protocol,
                listeners("udp", &udp)[0].port
            ),
            ("udp", 53)
        );
    }
}
