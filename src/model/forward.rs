//! Ports of pods on this node: what was asked for, and what goes through.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use serde_json::Value;

use crate::domain::{PodId, label};
use crate::model::{Effect, Model, Page, Subject};
use crate::text::Text;

/// How often the list counts anew while it is shown.
const COUNTS: Duration = Duration::from_secs(1);

/// One port to open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ports {
    /// Where to listen.
    pub bind: IpAddr,
    /// The port here; 0 is any that is free.
    pub local: u16,
    /// The port in the pod.
    pub remote: u16,
}

impl Ports {
    /// Others than this machine can connect.
    pub fn is_wide(&self) -> bool {
        !self.bind.is_loopback()
    }
}

/// A pod whose ports are asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The sandbox.
    pub pod: PodId,
    /// `namespace/pod`.
    pub title: Text,
    /// The ports.
    pub ports: Vec<Ports>,
}

/// One open port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forward {
    /// What it is stopped by.
    pub id: u32,
    /// `namespace/pod`.
    pub title: Text,
    /// Where it listens, with the port that it got, and where it leads.
    pub ports: Ports,
    /// Connections there are.
    pub open: u64,
    /// Connections there were.
    pub total: u64,
    /// Bytes into the pod.
    pub sent: u64,
    /// Bytes out of the pod.
    pub received: u64,
    /// What went wrong last.
    pub problem: Option<Text>,
}

/// All open ports.
#[derive(Debug, Default)]
pub struct Forwards {
    /// In the order in which they were opened.
    pub list: Vec<Forward>,
    /// The one under the cursor, by its place.
    pub cursor: usize,
    /// When they were last counted.
    pub counted: Duration,
}

impl Forwards {
    /// The one under the cursor.
    pub fn chosen(&self) -> Option<&Forward> {
        self.list.get(self.cursor)
    }

    /// Takes a new list over.
    pub fn set(&mut self, list: Vec<Forward>) {
        self.list = list;
        self.cursor = self.cursor.min(self.list.len().saturating_sub(1));
    }

    /// Moves the cursor.
    pub fn go(&mut self, by: isize) {
        let last = self.list.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(by).min(last);
    }

    /// Some can be reached by others than this machine.
    pub fn wide(&self) -> usize {
        self.list.iter().filter(|one| one.ports.is_wide()).count()
    }
}

/// When they are to be counted again, by the time since the start: while somebody looks.
pub fn due(model: &Model) -> Option<Duration> {
    let top = model.layers.last();
    let shown = top.is_some_and(|layer| matches!(layer.page, Page::Forwards));
    (shown && !model.forwards.list.is_empty()).then(|| model.forwards.counted + COUNTS)
}

/// Has them counted, if it is time: once, for the answer may take a moment.
pub fn count(model: &mut Model) -> Option<Effect> {
    due(model).filter(|at| *at <= model.clock.uptime)?;
    model.forwards.counted = model.clock.uptime;
    Some(Effect::CountForwards)
}

/// What `LOCAL:REMOTE ...` means.
pub fn parse(line: &str) -> Result<Vec<Ports>, String> {
    let words = line.split([' ', ',']).filter(|word| !word.is_empty());
    let ports: Vec<Ports> = words.map(one).collect::<Result<_, _>>()?;
    if ports.is_empty() {
        return Err("type a port, or LOCAL:REMOTE".to_owned());
    }
    Ok(ports)
}

fn one(word: &str) -> Result<Ports, String> {
    let number = |text: &str| {
        let port = text.parse::<u16>().ok();
        port.ok_or_else(|| format!("{text:?} is no port: 1 to 65535"))
    };
    let (bind, rest) = address(word)?;
    let (local, remote) = match rest.split_once(':') {
        None => (number(rest)?, number(rest)?),
        Some(("", remote)) => (0, number(remote)?),
        Some((local, remote)) => (number(local)?, number(remote)?),
    };
    if remote == 0 {
        return Err("a pod has no port 0".to_owned());
    }
    Ok(Ports {
        bind,
        local,
        remote,
    })
}

/// The address before `LOCAL:REMOTE`, if there is one; IPv6 in brackets.
fn address(word: &str) -> Result<(IpAddr, &str), String> {
    let none = |text: &str| format!("{text:?} is no address of this node");
    if let Some(rest) = word.strip_prefix('[') {
        let (ip, rest) = rest.split_once("]:").ok_or_else(|| none(word))?;
        return Ok((ip.parse().map_err(|_| none(ip))?, rest));
    }
    if word.matches(':').count() < 2 {
        return Ok((Ipv4Addr::LOCALHOST.into(), word));
    }
    let (ip, rest) = word.split_once(':').unwrap_or_default();
    Ok((ip.parse().map_err(|_| none(ip))?, rest))
}

/// Why no port can be forwarded now.
pub fn refuse(model: &Model) -> Option<&'static str> {
    aim(model).err()
}

/// The pod that is meant, and what to propose.
pub fn aim(model: &Model) -> Result<(Asked, String), &'static str> {
    let id = match model.subject() {
        Some(Subject::Pod(id)) => id,
        Some(Subject::Container(id)) => {
            let row = model.store.container(&id).ok_or("it is gone")?;
            row.container.pod_id.clone()
        }
        Some(Subject::Image(_)) => return Err("an image has no ports, only a pod"),
        None => return Err("nothing is selected"),
    };
    let row = model.store.pod(&id).ok_or("it is gone")?;
    if row.pod.state != crate::domain::PodState::Ready {
        return Err("the pod does not run");
    }
    let asked = Asked {
        pod: id.clone(),
        title: Text::clean(&format!("{}/{}", row.pod.namespace, row.pod.name)),
        ports: vec![],
    };
    let known = declared(model, &id).map_or_else(String::new, |port| {
        // Low ports are root's and often taken.
        let local = if port < 1024 { port + 8000 } else { port };
        format!("{local}:{port}")
    });
    Ok((asked, known))
}

/// The first port that a container of the pod declares.
fn declared(model: &Model, id: &PodId) -> Option<u16> {
    let rows = model.store.container_rows();
    let mut ports = rows
        .filter(|row| row.container.pod_id == *id)
        .filter_map(|row| label(&row.container.annotations, "io.kubernetes.container.ports"))
        .filter_map(|text| serde_json::from_str::<Value>(text.as_str()).ok())
        .filter_map(|ports| ports[0]["containerPort"].as_u64())
        .filter_map(|port| u16::try_from(port).ok())
        .filter(|port| *port > 0);
    ports.next()
}

/// Stops the one under the cursor.
pub fn stop(model: &Model) -> Vec<Effect> {
    let chosen = model.forwards.chosen();
    chosen
        .map(|forward| Effect::StopForward(forward.id))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn told(line: &str) -> String {
        match parse(line) {
            Ok(ports) => {
                let one = |p: &Ports| format!("{} {} {}", p.bind, p.local, p.remote);
                ports.iter().map(one).collect::<Vec<_>>().join(", ")
            }
            Err(why) => why,
        }
    }

    #[rstest]
    #[case("8080", "127.0.0.1 8080 8080")]
    #[case("8080:80", "127.0.0.1 8080 80")]
    #[case(":80", "127.0.0.1 0 80")]
    #[case("0:80", "127.0.0.1 0 80")]
    #[case(" 1:2, 3:4 5", "127.0.0.1 1 2, 127.0.0.1 3 4, 127.0.0.1 5 5")]
    #[case("0.0.0.0:8080:80", "0.0.0.0 8080 80")]
    #[case("[::1]:8080:80", "::1 8080 80")]
    #[case("[::]::80", ":: 0 80")]
    #[case("", "type a port, or LOCAL:REMOTE")]
    #[case("80:0", "a pod has no port 0")]
    #[case("http", "\"http\" is no port: 1 to 65535")]
    #[case("70000:80", "\"70000\" is no port: 1 to 65535")]
    #[case("a.b:1:2", "\"a.b\" is no address of this node")]
    #[case("[::1:80", "\"[::1:80\" is no address of this node")]
    #[case("1:2:3:4", "\"1\" is no address of this node")]
    fn lines(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(told(line), expected);
    }

    #[test]
    fn wide_is_whatever_others_reach() {
        let wide = |line: &str| parse(line).unwrap()[0].is_wide();
        assert!(!wide("8080") && !wide("[::1]:1:1") && !wide("127.0.0.9:1:1"));
        assert!(wide("0.0.0.0:1:1") && wide("[::]:1:1") && wide("10.0.0.7:1:1"));
    }
}
