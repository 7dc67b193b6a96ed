//! Lines of the node's files, to be read as they are.

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::{Logs, container};
use crate::host::open::HostRoot;
use crate::host::{kernel, said, traces};
use crate::model::asked::Asked;
use crate::model::lines::Wanted;
use crate::text::Text;
use crate::triage::facts::{Kernel, Said, Seen};

/// Lines of a log that are kept: the newest.
const MOST: usize = 5000;

/// Reads them. The error is a line for the user.
pub async fn lines(host: &HostRoot, wanted: Wanted, now: Timestamp) -> Seen<Vec<Said>> {
    match wanted {
        Wanted::NodeLog => {
            let host = host.clone();
            let read = spawn_blocking(move || (said::read(&host, now), kernel::lines(&host)));
            let (said, kernel) = read.await.map_err(broken)?;
            together(said, kernel)
        }
        Wanted::LogOf(asked) => {
            let logs = Logs::read(host, now).await;
            let (said, kernel) = about(&asked, &logs);
            together(said, kernel.map(|kernel| of_kernel(&kernel)))
        }
        Wanted::Configs(uid) => {
            let host = host.clone();
            let read = spawn_blocking(move || traces::values(&host, uid.as_str()));
            read.await.map_err(broken)?
        }
    }
}

// As it is handed over.
#[allow(clippy::needless_pass_by_value)]
fn broken(error: tokio::task::JoinError) -> Text {
    Text::clean(&error.to_string())
}

fn about(asked: &Asked, logs: &Logs) -> (Seen<Vec<Said>>, Seen<Kernel>) {
    let mut names = Vec::new();
    if let Some(container) = &asked.container {
        names.extend(container::names(container));
    }
    if let Some(pod) = &asked.pod {
        names.extend(container::names_of_pod(&pod.pod));
    }
    let said = container::said_of(&logs.said, &names, None);
    let kernel = match &asked.container {
        Some(container) => container::kernel_of(&logs.kernel, container),
        None => Ok(Kernel::default()),
    };
    (said, kernel)
}

fn of_kernel(kernel: &Kernel) -> Vec<Said> {
    let kills = kernel.kills.iter().map(|kill| (kill.at, &kill.line));
    let lines = kills.map(|(at, text)| Said {
        at,
        text: text.clone(),
        source: kernel.source.clone(),
    });
    lines.collect()
}

/// Both by time; one that cannot be read is told in a line.
fn together(said: Seen<Vec<Said>>, kernel: Seen<Vec<Said>>) -> Seen<Vec<Said>> {
    if let (Err(said), Err(kernel)) = (&said, &kernel) {
        return Err(Text::clean(&format!("{said}; {kernel}")));
    }
    let mut lines = Vec::new();
    for (part, name) in [(said, "kubelet, runtime"), (kernel, "kernel")] {
        match part {
            Ok(part) => lines.extend(part.into_iter().map(line)),
            Err(why) => lines.push(Said {
                at: None,
                source: name.into(),
                text: why,
            }),
        }
    }
    lines.sort_by_key(|line| line.at);
    lines.drain(..lines.len().saturating_sub(MOST));
    Ok(lines)
}

fn line(said: Said) -> Said {
    let (source, text) = match logged(said.text.as_str()) {
        Some((program, text)) => (Text::clean(program), Text::clean(text)),
        None => (short(&said.source), said.text),
    };
    Said {
        at: said.at,
        text,
        source,
    }
}

/// `TIME HOST PROGRAM[PID]: TEXT`, as the journal and syslog daemons have it.
fn logged(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line
        .split_once(' ')
        .filter(|(time, _)| time.starts_with(|c: char| c.is_ascii_digit()))?;
    let (_, rest) = rest.split_once(' ')?;
    let (program, text) = rest.split_once(": ")?;
    let program = program.split('[').next().unwrap_or(program);
    (!program.contains(' ')).then_some((program, text))
}

/// `/var/log/kubelet.log` is `kubelet`.
fn short(source: &Text) -> Text {
    let name = source.as_str().rsplit('/').next().unwrap_or_default();
    match name {
        "kmsg" | "kern.log" => "kernel".into(),
        name => Text::clean(name.strip_suffix(".log").unwrap_or(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(second: i64, source: &str, text: &str) -> Said {
        Said {
            at: Timestamp::from_second(second).ok(),
            text: text.into(),
            source: source.into(),
        }
    }

    #[test]
    fn by_time_with_what_could_not_be_read() {
        let journal = said(2, "journal", "2.000001 worker kubelet[1]: E1120 no");
        let kernel = said(1, "/dev/kmsg", "eth0: link is down");
        let both = together(Ok(vec![journal.clone()]), Ok(vec![kernel])).unwrap();
        let shown: Vec<String> = both
            .iter()
            .map(|line| format!("{}: {}", line.source, line.text))
            .collect();
        assert_eq!(shown, ["kernel: eth0: link is down", "kubelet: E1120 no"]);
        let one = together(Ok(vec![journal]), Err("no /dev/kmsg".into())).unwrap();
        assert_eq!(one[0].text.as_str(), "no /dev/kmsg");
        let none = together(Err("a".into()), Err("b".into())).unwrap_err();
        assert_eq!(none.as_str(), "a; b");
    }
}
