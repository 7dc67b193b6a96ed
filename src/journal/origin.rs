//! Who sits at the terminal: as the kernel's audit knows him, through sudo and over SSH.

use std::fs;
use std::io::Read as _;

use serde::Serialize;

use crate::text::Text;

/// Processes that are looked at on the way up.
const FAR: usize = 16;
/// What is read of a file of `/proc`.
const MOST: u64 = 256 << 10;

/// Who started this run, and from where. What is not known is absent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Origin {
    /// The user that it runs as.
    pub uid: u32,
    /// His name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Who logged in: it stays the same through sudo and su.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// `CLIENT PORT SERVER PORT` of the SSH connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssh: Option<String>,
    /// The terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tty: Option<String>,
}

impl Origin {
    /// Of this process. sudo takes the variables of SSH away, so those of the processes above are
    /// asked too.
    pub fn of_process() -> Self {
        let uid = rustix::process::getuid().as_raw();
        let passwd = read("/etc/passwd");
        let name = |uid| name_in(&passwd, uid);
        let login: Option<u32> = read("/proc/self/loginuid").trim().parse().ok();
        // What never logged in has none.
        let login = login.filter(|uid| *uid != u32::MAX).map(|uid| {
            let name = name(uid);
            name.unwrap_or_else(|| uid.to_string())
        });
        let sudo = || std::env::var("SUDO_USER").ok();
        let tty = rustix::termios::ttyname(rustix::stdio::stdin(), Vec::new()).ok();
        Self {
            uid,
            user: name(uid),
            login: login.or_else(sudo).map(|name| clean(&name)),
            ssh: ssh().map(|ssh| clean(&ssh)),
            tty: tty.map(|tty| clean(&tty.to_string_lossy())),
        }
    }
}

fn clean(raw: &str) -> String {
    Text::clean(raw).to_string()
}

fn read(path: &str) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = fs::File::open(path) {
        // What cannot be read is not known.
        let _ = file.take(MOST).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn name_in(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let found: u32 = fields.nth(1)?.parse().ok()?;
        (found == uid).then(|| clean(name))
    })
}

fn ssh() -> Option<String> {
    const NAME: &str = "SSH_CONNECTION";
    if let Ok(own) = std::env::var(NAME) {
        return Some(own);
    }
    let mut pid = std::process::id();
    for _ in 0..FAR {
        pid = parent(&read(&format!("/proc/{pid}/stat")))?;
        if pid <= 1 {
            return None;
        }
        let found = variable(&read(&format!("/proc/{pid}/environ")), NAME);
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The fourth field of `/proc/PID/stat`; a name may hold anything, also brackets.
fn parent(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(1)?.parse().ok()
}

fn variable(environ: &str, name: &str) -> Option<String> {
    let mut all = environ
        .split('\0')
        .filter_map(|entry| entry.split_once('='));
    let (_, value) = all.find(|(found, _)| *found == name)?;
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(parent("12 (a) b) (x) S 7 12 12"), Some(7));
        assert_eq!(parent("rubbish"), None);
        let environ = "A=1\0SSH_CONNECTION=10.0.0.5 51234 10.0.0.9 22\0";
        let found = variable(environ, "SSH_CONNECTION");
        assert_eq!(found.as_deref(), Some("10.0.0.5 51234 10.0.0.9 22"));
        let passwd = "root:x:0:0::/root:/bin/sh\nal\x1bice:x:1000:1000::/home:/bin/sh\n";
        assert_eq!(name_in(passwd, 0).as_deref(), Some("root"));
        assert!(!name_in(passwd, 1000).unwrap().contains('\x1b'));
    }

    #[test]
    fn this_run_has_a_user() {
        assert_eq!(Origin::of_process().uid, rustix::process::getuid().as_raw());
    }
}
