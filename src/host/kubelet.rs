//! Whether the kubelet runs and is well.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use super::open::{HostRoot, Resolver};
use crate::text::Text;
use crate::triage::facts::{Kubelet, Seen};

mod process;
pub(super) mod settings;

/// Longest look at all processes.
const DEADLINE: Duration = Duration::from_secs(2);
/// Longest time for its health port.
const HEALTH: Duration = Duration::from_secs(1);
/// Its port for health, on loopback only.
pub const PORT: u16 = 10248;
/// Its configuration, where kubeadm puts it; k3s and rke2 have their own.
const CONFIGS: [&str; 3] = [
    "/var/lib/kubelet/config.yaml",
    "/var/lib/rancher/rke2/agent/kubelet.kubeconfig",
    "/var/lib/rancher/k3s/agent/kubelet.kubeconfig",
];

/// Looks for it.
pub fn look(host: &HostRoot) -> Kubelet {
    let looked = host.work(DEADLINE, |files| {
        let expected = CONFIGS
            .iter()
            .any(|path| files.stat(Path::new(path)).is_ok());
        let process = if expected { process(files) } else { None };
        Ok((expected, process))
    });
    let (expected, process) = looked.unwrap_or_default();
    // Below another root the port would be that of another node.
    let health = (expected && host.is_slash()).then(|| health(PORT));
    Kubelet {
        expected,
        process,
        health,
    }
}

/// `None` where not even process 1 can be seen, or where it is not the node's own.
fn process(files: &Resolver) -> Option<bool> {
    let found = process::find(files).ok()?;
    if !found.kubelets.is_empty() {
        return Some(true);
    }
    found.all.then_some(false)
}

fn health(port: u16) -> Seen<()> {
    let failed = |error: std::io::Error| Text::clean(&error.to_string());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, HEALTH).map_err(failed)?;
    stream.set_read_timeout(Some(HEALTH)).map_err(failed)?;
    stream.set_write_timeout(Some(HEALTH)).map_err(failed)?;
    let request = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    stream.write_all(request).map_err(failed)?;
    let mut head = [0; 15];
    stream.read_exact(&mut head).map_err(failed)?;
    let head = String::from_utf8_lossy(&head);
    if head.contains(" 200 ") {
        return Ok(());
    }
    Err(Text::clean(&format!("it answers {head}")))
}

#[cfg(test)]
mod tests {
    use super::super::testing::with;
    use super::*;
    use std::net::TcpListener;

    fn answering(answer: &'static [u8]) -> Seen<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 512];
            let _ = stream.read(&mut asked).unwrap();
            stream.write_all(answer).unwrap();
        });
        let found = health(port);
        server.join().unwrap();
        found
    }

    #[test]
    fn its_health_port() {
        assert_eq!(answering(b"HTTP/1.1 200 OK\r\n\r\nok"), Ok(()));
        let why = answering(b"HTTP/1.1 500 Internal\r\n\r\nno").unwrap_err();
        assert_eq!(why, "it answers HTTP/1.1 500 In");
    }

    fn host(files: &[(&str, &str)]) -> Kubelet {
        let (_root, host) = with(files);
        look(&host)
    }

    #[test]
    fn where_there_is_one_and_where_not() {
        let config = ("var/lib/kubelet/config.yaml", "");
        let thread = ("proc/2/comm", "kthreadd\n");
        assert_eq!(host(&[]), Kubelet::default());
        assert_eq!(host(&[config]).process, None);
        let found = host(&[config, thread, ("proc/1/comm", "systemd\n")]);
        assert_eq!(
            (found.expected, found.process, found.health),
            (true, Some(false), None)
        );
        let found = host(&[config, thread, ("proc/77/comm", "kubelet\n")]);
        assert_eq!(found.process, Some(true));
    }
}
