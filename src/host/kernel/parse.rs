//! Lines of the kernel's log.

use jiff::{SignedDuration, Timestamp};

use crate::text::Text;
use crate::triage::facts::{Fault, Kill, Scope};

/// A record of `/dev/kmsg`, `priority,sequence,microseconds,flags;text`: its time and text.
pub fn record(boot: Option<Timestamp>, record: &str) -> Option<(Option<Timestamp>, &str)> {
    let (head, text) = record.split_once(';')?;
    let text = text.lines().next().unwrap_or_default();
    let micros = head.split(',').nth(2);
    let micros = micros.and_then(|micros| micros.parse().ok());
    Some((time(boot, micros), text))
}

/// A line of a log file, `... kernel: [seconds] text`: its time and text.
pub fn line(boot: Option<Timestamp>, line: &str) -> Option<(Option<Timestamp>, &str)> {
    let (head, text) = line.split_once("kernel: ")?;
    let stamped = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "));
    let (micros, text) = match stamped {
        Some((seconds, text)) => (micros(seconds), text),
        None => (None, text),
    };
    let named = head.split(' ').next().and_then(|word| word.parse().ok());
    Some((named.or_else(|| time(boot, micros)), text))
}

fn time(boot: Option<Timestamp>, micros: Option<i64>) -> Option<Timestamp> {
    boot?.checked_add(SignedDuration::from_micros(micros?)).ok()
}

/// What is put together from lines.
#[derive(Debug, Default)]
pub struct Parser {
    kills: Vec<Kill>,
    faults: Vec<Fault>,
    /// Whose limit and whose process, as kernels before 5.0 say it in a line of its own.
    older: Option<(Text, Text)>,
}

impl Parser {
    /// Kills and faults, oldest first.
    pub fn done(self) -> (Vec<Kill>, Vec<Fault>) {
        (self.kills, self.faults)
    }

    /// Takes the next line.
    pub fn text(&mut self, at: Option<Timestamp>, text: &str) {
        if text.starts_with("oom-kill:") {
            self.kills.extend(kill(at, text));
        } else if let Some(rest) = text.strip_prefix("Task in ") {
            let parts = rest.split_once(" killed as a result of limit of ");
            self.older = parts.map(|(task, limit)| (Text::clean(task), Text::clean(limit)));
        } else if let Some((task, limit)) = older_kill(text).and_then(|_| self.older.take()) {
            let (pid, process) = older_kill(text).unwrap_or_default();
            self.kills.push(Kill {
                at,
                scope: Scope::Cgroup(limit),
                cgroup: task,
                process: Text::clean(process),
                pid,
                line: Text::clean(text),
            });
        } else {
            self.faults.extend(fault(at, text));
        }
    }
}

/// `12345.678901` seconds.
fn micros(seconds: &str) -> Option<i64> {
    let (whole, rest) = seconds.trim().split_once('.')?;
    let rest = format!("{rest:0<6}");
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(1_000_000)?
        .checked_add(rest.get(..6)?.parse().ok()?)
}

/// `oom-kill:constraint=CONSTRAINT_MEMCG,...,oom_memcg=/a,task_memcg=/a/b,task=x,pid=1,uid=0`.
fn kill(at: Option<Timestamp>, text: &str) -> Option<Kill> {
    let parts = text.strip_prefix("oom-kill:")?.split(',');
    let find = |name: &str| {
        let mut parts = parts.clone();
        parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let scope = match find("oom_memcg") {
        Some(path) if find("constraint") == Some("CONSTRAINT_MEMCG") => Scope::Cgroup(path.into()),
        _ => Scope::Node,
    };
    Some(Kill {
        at,
        scope,
        cgroup: Text::clean(find("task_memcg")?),
        process: Text::clean(find("task")?),
        pid: find("pid")?.parse().ok()?,
        line: Text::clean(text),
    })
}

/// `Memory cgroup out of memory: Kill process 1 (name) score 1 or sacrifice child`, before 5.0.
fn older_kill(text: &str) -> Option<(u32, &str)> {
    let rest = text.strip_prefix("Memory cgroup out of memory: Kill process ")?;
    let (pid, rest) = rest.split_once(" (")?;
    Some((pid.parse().ok()?, rest.split_once(')')?.0))
}

fn fault(at: Option<Timestamp>, text: &str) -> Option<Fault> {
    const MARKS: [&str; 4] = [
        " segfault at ",
        " trap invalid opcode",
        "general protection",
        "type=1326",
    ];
    if !MARKS.iter().any(|mark| text.contains(mark)) {
        return None;
    }
    let (process, pid) = if text.contains("type=1326") {
        let value = |name: &str| {
            Some(
                text.split_once(name)?
                    .1
                    .split(' ')
                    .next()?
                    .trim_matches('"'),
            )
        };
        (value("comm=")?, value(" pid=")?)
    } else {
        let head = text.strip_prefix("traps: ").unwrap_or(text);
        let (process, rest) = head.split_once('[')?;
        (process, rest.split_once(']')?.0)
    };
    Some(Fault {
        at,
        process: Text::clean(process),
        pid: pid.parse().ok()?,
        line: Text::clean(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NEWER: &str = "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg=/kubepods/p/cri-containerd-abc.scope,task_memcg=/kubepods/p/cri-containerd-abc.scope,task=redis-server,pid=41,uid=0";

    fn parsed(lines: &[&str]) -> (Vec<Kill>, Vec<Fault>) {
        let boot = Some(Timestamp::from_second(1000).unwrap());
        let mut parser = Parser::default();
        for one in lines {
            let form = if one.contains("kernel: ") {
                line
            } else {
                record
            };
            if let Some((at, text)) = form(boot, one) {
                parser.text(at, text);
            }
        }
        parser.done()
    }

    #[test]
    fn records_and_lines_tell_the_same() {
        let record = format!("6,77,2500000,-;{NEWER}\n SUBSYSTEM=x");
        let line = format!("Nov 20 10:00:00 worker kernel: [    2.500000] {NEWER}");
        let iso = format!("1970-01-01T00:16:42.500000Z worker kernel: [9.000000] {NEWER}");
        let (kills, _) = parsed(&[&record, &line, &iso]);
        assert_eq!(kills.len(), 3);
        assert!(kills.iter().all(|kill| *kill == kills[0]), "{kills:#?}");
        let kill = &kills[0];
        assert_eq!(kill.at.unwrap().as_millisecond(), 1_002_500);
        assert_eq!((kill.process.as_str(), kill.pid), ("redis-server", 41));
        assert_eq!(kill.scope, Scope::Cgroup(kill.cgroup.clone()));
    }

    #[test]
    fn the_node_and_older_kernels() {
        let (kills, _) = parsed(&[
            "6,1,0,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg=/k/a,task=x,pid=2,uid=0",
            "6,2,0,-;Task in /k/pod1/abc killed as a result of limit of /k/pod1",
            "6,3,0,-;Memory cgroup out of memory: Kill process 7 (java) score 1 or sacrifice child",
            // As newer ones say it after the line above: nothing more is learnt.
            "3,4,0,-;Memory cgroup out of memory: Killed process 9 (x) total-vm:1kB",
        ]);
        assert_eq!(kills.len(), 2);
        assert_eq!(kills[0].scope, Scope::Node);
        assert_eq!(kills[1].scope, Scope::Cgroup("/k/pod1".into()));
        assert_eq!((kills[1].cgroup.as_str(), kills[1].pid), ("/k/pod1/abc", 7));
    }

    #[rstest]
    #[case(
        "app[123]: segfault at 0 ip 00 sp 00 error 4 in app[4000+1]",
        "app",
        123
    )]
    #[case(
        "traps: my app[7] trap invalid opcode ip:1 sp:2 error:0 in x",
        "my app",
        7
    )]
    #[case(
        "audit: type=1326 audit(1.2:3): auid=0 uid=0 gid=0 ses=1 pid=55 comm=\"sh\" exe=\"/bin/sh\" sig=31 arch=c000003e syscall=39",
        "sh",
        55
    )]
    fn faults(#[case] text: &str, #[case] process: &str, #[case] pid: u32) {
        let (_, faults) = parsed(&[&format!("6,1,0,-;{text}")]);
        assert_eq!((faults[0].process.as_str(), faults[0].pid), (process, pid));
    }

    #[rstest]
    #[case("")]
    #[case("6,1,0,-;oom-kill:constraint=")]
    #[case("6,1,0,-;Task in x")]
    #[case("6,1,0,-; segfault at ")]
    #[case("no record")]
    #[case("x kernel: [")]
    fn nonsense_is_nothing(#[case] line: &str) {
        assert_eq!(parsed(&[line]), (vec![], vec![]));
    }
}
