//! Changes of a container that goes on running: limits, checkpoint, its log.

use crate::act::Act;
use crate::domain::{ContainerId, Limits};
use crate::format::bytes;
use crate::model::act::choose::{Victim, Weight, title};
use crate::model::act::confirm::{self, Confirm};
use crate::model::act::foresee::Question;
use crate::model::visit::{self, Errand};
use crate::model::{Effect, Model};
use crate::text::Text;

/// Smallest limit of memory that runtimes take, in bytes.
const LEAST: u64 = 4 << 20;

/// A container with what it has and uses now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limited {
    /// The container.
    pub id: ContainerId,
    /// `namespace/pod/container`.
    pub title: Text,
    /// What it may use, once that was read.
    pub limits: Option<Limits>,
    /// Bytes of memory that it uses, if that is known.
    used: Option<u64>,
}

/// Why there is nothing whose limits could be set.
pub fn refuse(model: &Model) -> Option<&'static str> {
    visit::refuse(model)
}

/// The running container that is meant.
pub fn aim(model: &Model) -> Result<Limited, &'static str> {
    let visit = visit::aim(model, Errand::Attach).ok_or("no running container is selected")?;
    let row = model
        .store
        .container(&visit.container)
        .ok_or("it is gone")?;
    let limits = row.detail.as_ref().map(|detail| detail.limits);
    Ok(Limited {
        id: visit.container,
        title: title(row),
        limits,
        used: row.load.get().memory,
    })
}

impl Limited {
    /// The limits there are, as they are typed.
    pub fn shown(&self) -> String {
        let limits = self.limits.unwrap_or_default();
        let memory = limits
            .memory
            .map(|bytes| format!("memory={}", exact(bytes)));
        let cpu = limits.cpu.map(|cpu| format!("cpu={}m", cpu / 1000));
        let both: Vec<String> = memory.into_iter().chain(cpu).collect();
        both.join(" ")
    }
}

/// Bytes as Kubernetes writes them, nothing lost.
fn exact(count: u64) -> String {
    let units = [(30, "Gi"), (20, "Mi"), (10, "Ki")];
    let whole = |shift: &u32| count.is_multiple_of(1 << shift);
    match units.into_iter().find(|(shift, _)| whole(shift)) {
        Some((shift, unit)) => format!("{}{unit}", count >> shift),
        None => count.to_string(),
    }
}

/// `512Mi`, `1G`, `1048576`.
fn size(text: &str) -> Option<u64> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(at.unwrap_or(text.len()));
    let factor: u64 = match unit.trim_end_matches(['B', 'b']) {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "k" | "K" => 1000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    number.checked_mul(factor)
}

/// `500m`, `2`, `1.5` as thousandths of a core.
fn cores(text: &str) -> Option<u64> {
    if let Some(milli) = text.strip_suffix('m') {
        return milli.parse().ok();
    }
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if part.len() > 3 || part.chars().any(|c| !c.is_ascii_digit()) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let part: u64 = format!("{part:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(part)
}

/// What `memory=512Mi cpu=500m` asks for.
fn parse(typed: &str) -> Result<(Option<u64>, Option<u64>), String> {
    let (mut memory, mut cpu) = (None, None);
    for word in typed.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        match name {
            "memory" => {
                let bytes = size(value);
                let bytes = bytes
                    .ok_or_else(|| format!("memory={value}: expected a size, such as 512Mi"))?;
                if bytes < LEAST {
                    return Err(format!(
                        "memory={value}: less than {} runs nothing",
                        bytes_of(LEAST)
                    ));
                }
                memory = Some(bytes);
            }
            "cpu" => {
                let cores = cores(value).filter(|cpu| (10..=1_000_000).contains(cpu));
                cpu =
                    Some(cores.ok_or_else(|| {
                        format!("cpu={value}: expected cores, such as 500m or 1.5")
                    })?);
            }
            other => return Err(format!("{other} is no limit: there are memory and cpu")),
        }
    }
    if memory.is_none() && cpu.is_none() {
        return Err("type a limit, such as memory=512Mi or cpu=500m".to_owned());
    }
    Ok((memory, cpu))
}

fn bytes_of(count: u64) -> String {
    bytes(count)
}

/// Asks to set the limits that were typed.
pub fn set(model: &mut Model, one: Limited, typed: &str) -> Result<Vec<Effect>, String> {
    let (memory, cpu) = parse(typed)?;
    let has = one.limits.unwrap_or_default();
    let none = if one.limits.is_some() {
        "no limit"
    } else {
        "not known yet what"
    };
    let memory = memory.filter(|bytes| Some(*bytes) != has.memory);
    let cpu = cpu.filter(|cpu| Some(cpu * 1000) != has.cpu);
    if memory.is_none() && cpu.is_none() {
        return Err("those are its limits already".to_owned());
    }
    let mut lines = Vec::new();
    if let Some(wanted) = memory {
        let now = has.memory.map_or(none.to_owned(), bytes);
        lines.push((
            Weight::Plain,
            format!("memory: {now} now, {} then", bytes(wanted)),
        ));
        if let Some(used) = one.used.filter(|used| *used > wanted) {
            let line = format!(
                "it uses {}: the runtime refuses, or the kernel kills it at once",
                bytes(used)
            );
            lines.push((Weight::Bad, line));
        }
    }
    if let Some(wanted) = cpu {
        let now = has
            .cpu
            .map_or(none.to_owned(), |cpu| format!("{}m", cpu / 1000));
        lines.push((Weight::Plain, format!("CPU: {now} now, {wanted}m then")));
    }
    let line = "the kubelet knows nothing of it: a restart has the old limits again";
    lines.push((Weight::Warn, line.to_owned()));
    let victim = Victim {
        act: Act::Update {
            id: one.id,
            memory,
            cpu,
        },
        title: one.title,
        lines,
        looked_at: Question::default(),
    };
    let question = format!("Set the limits of {}?", victim.title);
    Ok(confirm::ask(
        model,
        Confirm::new(question, "Set", vec![victim]),
    ))
}

/// Asks to do something to a container that does not end it.
pub fn ask(model: &mut Model, act: Act, title: Text) -> Vec<Effect> {
    let (question, word, line) = match &act {
        Act::Checkpoint { to, .. } => (
            format!("Write a checkpoint of {title}?"),
            "Write",
            format!(
                "all of its memory goes to {}, secrets too; it stands still meanwhile",
                Text::clean(to)
            ),
        ),
        _ => (
            format!("Reopen the log of {title}?"),
            "Reopen",
            "the runtime writes on to a new file of the same name, if the old one was moved"
                .to_owned(),
        ),
    };
    let victim = Victim {
        act,
        title,
        lines: vec![(Weight::Plain, line)],
        looked_at: Question::default(),
    };
    confirm::ask(model, Confirm::new(question, word, vec![victim]))
}

/// Asks to have its log opened anew.
pub fn reopen(model: &mut Model) -> Vec<Effect> {
    match aim(model) {
        Ok(one) => ask(model, Act::Reopen { id: one.id }, one.title),
        Err(_) => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("memory=512Mi cpu=500m", Some(512 << 20), Some(500))]
    #[case("cpu=1.5", None, Some(1500))]
    #[case("cpu=2 memory=1G", Some(1_000_000_000), Some(2000))]
    #[case("memory=8388608", Some(8 << 20), None)]
    fn limits(#[case] typed: &str, #[case] memory: Option<u64>, #[case] cpu: Option<u64>) {
        assert_eq!(parse(typed), Ok((memory, cpu)));
    }

    #[rstest]
    #[case("", "type a limit")]
    #[case("memory=much", "expected a size")]
    #[case("memory=-5Mi", "expected a size")]
    #[case("memory=99999999999999Gi", "expected a size")]
    #[case("memory=1Ki", "runs nothing")]
    #[case("cpu=fast", "expected cores")]
    #[case("cpu=0", "expected cores")]
    #[case("cpu=1.2345", "expected cores")]
    #[case("disk=5", "is no limit")]
    fn no_limits(#[case] typed: &str, #[case] why: &str) {
        let line = parse(typed).unwrap_err();
        assert!(line.contains(why), "{line}");
    }

    #[test]
    fn what_is_there_is_typed_as_it_is() {
        assert_eq!(exact(384 << 20), "384Mi");
        assert_eq!(exact(1_000_001), "1000001");
        assert_eq!(size(&exact(384 << 20)), Some(384 << 20));
    }
}
