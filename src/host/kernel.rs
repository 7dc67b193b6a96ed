//! What the kernel has logged about processes that it ended.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::open::{HostRoot, Resolver};
use crate::mask;
use crate::text::Text;
use crate::triage::facts::{Fault, Kernel, Kill, Said, Seen};

mod parse;

use parse::Parser;

/// Longest look.
const DEADLINE: Duration = Duration::from_secs(2);
/// Bytes of a log file that are looked at.
const TAIL: u64 = 4 << 20;
/// Kills and faults that are kept, of each.
const MOST: usize = 1000;
/// Where syslog daemons write what the kernel says.
const FILES: [&str; 3] = ["/var/log/kern.log", "/var/log/messages", "/var/log/syslog"];

/// Reads it. The error is a line for the user.
pub fn read(host: &HostRoot) -> Seen<Kernel> {
    let looked = host.work(DEADLINE, |files| Ok(look(files)));
    looked.unwrap_or_else(|error| Err(Text::clean(&format!("/dev/kmsg {error}"))))
}

/// All that is in it, as far as it is kept. The error is a line for the user.
pub fn lines(host: &HostRoot) -> Seen<Vec<Said>> {
    let looked = host.work(DEADLINE, |files| {
        let mut lines = Vec::new();
        let read = read_all(files, |at, text| {
            lines.push((at, Text::clean(&mask::text(text))));
        });
        let said = |source: &str| {
            let source = Text::clean(source);
            let said = |(at, text)| Said {
                at,
                text,
                source: source.clone(),
            };
            lines.into_iter().map(said).collect()
        };
        Ok(read.map(said))
    });
    looked.unwrap_or_else(|error| Err(Text::clean(&format!("/dev/kmsg {error}"))))
}

fn look(files: &Resolver) -> Seen<Kernel> {
    let mut parser = Parser::default();
    let source = read_all(files, |at, text| parser.text(at, text))?;
    Ok(told(parser, source))
}

/// Hands over each line with its time; says which log it was.
fn read_all(files: &Resolver, mut take: impl FnMut(Option<Timestamp>, &str)) -> Seen<&'static str> {
    let boot = boot(files);
    let mut whole = |(at, text): (Option<Timestamp>, &str)| take(at, text);
    let first = match files.kernel_log(|line| parse::record(boot, line).map_or((), &mut whole)) {
        Ok(()) => return Ok("/dev/kmsg"),
        Err(error) => error,
    };
    for path in FILES {
        if let Ok(bytes) = files.tail(Path::new(path), TAIL) {
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.lines().filter_map(|line| parse::line(boot, line));
            lines.for_each(&mut whole);
            return Ok(path);
        }
    }
    Err(Text::clean(&format!(
        "/dev/kmsg {first}; nor is there {}",
        FILES.join(" or ")
    )))
}

/// When the node booted.
fn boot(files: &Resolver) -> Option<Timestamp> {
    let bytes = files.read(Path::new("/proc/stat"), 4 << 20).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let second = text.lines().find_map(|line| line.strip_prefix("btime "))?;
    Timestamp::from_second(second.trim().parse().ok()?).ok()
}

fn told(parser: Parser, source: &str) -> Kernel {
    fn last<T>(mut all: Vec<T>) -> Vec<T> {
        all.drain(..all.len().saturating_sub(MOST));
        all
    }
    let (kills, faults): (Vec<Kill>, Vec<Fault>) = parser.done();
    Kernel {
        source: Text::clean(source),
        kills: last(kills),
        faults: last(faults),
    }
}
