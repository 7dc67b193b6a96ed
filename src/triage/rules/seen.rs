//! What rules share: the evidence that many of them show, and the steps that many of them name.

use crate::format::span;
use crate::triage::facts::{ContainerFacts, Kill, PodFacts, Said, Scope, size};
use crate::triage::verdict::{Evidence, word};

/// Lines that are shown of a log at most, in bytes.
const LONGEST: usize = 300;

/// How the attempt ended.
pub fn exit(facts: &ContainerFacts) -> Vec<Evidence> {
    let Some(ended) = facts.ended() else {
        return vec![];
    };
    let code = ended
        .exit_code
        .map_or_else(|| "unknown".to_owned(), |code| code.to_string());
    let ran = match ended.ran() {
        Some(seconds) => format!(", ran {}", span(seconds)),
        None => ", never started".to_owned(),
    };
    let reason = match ended.reason.as_str() {
        "" => String::new(),
        reason => format!(", reason {reason}"),
    };
    let exit = Evidence::new(
        "exit code",
        format!("{code}{reason}{ran}"),
        "ContainerStatus",
    );
    let mut all = vec![exit.at(ended.finished_at)];
    if !ended.message.is_empty() {
        let message = cut(ended.message.as_str());
        all.push(Evidence::new(
            "runtime's message",
            message,
            "ContainerStatus",
        ));
    }
    all
}

/// The line of the log that is likely the cause, and its last word if it left one.
pub fn words(facts: &ContainerFacts) -> Vec<Evidence> {
    let mut all = Vec::new();
    if let Ok(log) = &facts.log
        && let Some(line) = log.cause()
    {
        let evidence = Evidence::new("log", cut(line.text.as_str()), &log.source);
        all.push(evidence.at(line.at));
    }
    if let Some(last) = &facts.disk.last_word {
        all.push(Evidence::new(
            "termination message",
            cut(last.as_str()),
            "the file that the kubelet mounts at terminationMessagePath",
        ));
    }
    all
}

/// Memory: the limit, the highest use, and how often the kernel has killed.
pub fn memory(facts: &ContainerFacts) -> Vec<Evidence> {
    let (own, pod) = (facts.own(), facts.cgroups.pod.as_ref());
    // The files have other names in cgroup v1.
    let old = own.or(pod).is_some_and(|group| group.version == 1);
    let [limit, peak_in, kills_in] = if old {
        [
            "ContainerStatus and memory.limit_in_bytes",
            "memory.max_usage_in_bytes",
            "memory.oom_control of the pod",
        ]
    } else {
        [
            "ContainerStatus and memory.max",
            "memory.peak",
            "memory.events of the pod",
        ]
    };
    let mut all = vec![Evidence::new("memory limit", size(facts.limit()), limit)];
    if let Some(peak) = own.and_then(|own| own.gauges.peak) {
        all.push(Evidence::new("highest use", size(Some(peak)), peak_in));
    }
    let kills = pod.and_then(|pod| pod.counters.oom_kills);
    if let Some(kills) = kills.filter(|kills| *kills > 0) {
        let value = format!("{kills} in this pod so far");
        all.push(Evidence::new("kills for memory", value, kills_in));
    }
    if let Ok(spec) = &facts.spec {
        let heap = spec.heap.iter();
        all.extend(heap.map(|(name, value)| {
            Evidence::new(
                "heap setting",
                format!("{name} {value}"),
                "its specification",
            )
        }));
    }
    all
}

/// A kill, in the kernel's words.
pub fn kill(facts: &ContainerFacts, kill: &Kill) -> Vec<Evidence> {
    let source = facts
        .kernel
        .as_ref()
        .map_or_else(|_| "kernel log".to_owned(), |log| log.source.to_string());
    let value = format!("{} (process {})", kill.process, kill.pid);
    let whose = match &kill.scope {
        Scope::Cgroup(path) => path.to_string(),
        Scope::Node => "the node".to_owned(),
    };
    vec![
        Evidence::new("killed", value, &source).at(kill.at),
        Evidence::new("limit of", whose, &source).at(kill.at),
    ]
}

/// What somebody logged.
pub fn said(line: &Said) -> Evidence {
    let text = cut(line.text.as_str());
    Evidence::new("log line", text, &line.source).at(line.at)
}

/// What could not be seen and might have decided it.
pub fn unseen(facts: &ContainerFacts) -> Vec<Evidence> {
    let failed = [
        ("kernel log", facts.kernel.as_ref().err()),
        ("kubelet's and runtime's log", facts.said.as_ref().err()),
        ("container's log", facts.log.as_ref().err()),
        ("specification", facts.spec.as_ref().err()),
    ];
    let unseen = failed.into_iter().filter_map(|(what, why)| {
        let value = format!("not seen: {}", why?);
        Some(Evidence::new(what, value, ""))
    });
    unseen.collect()
}

/// A command that shows the log.
pub fn logs(facts: &ContainerFacts) -> String {
    format!(
        "critui logs {} --all-attempts --tail 100",
        word(&facts.target())
    )
}

/// A command that shows all that the runtime tells.
pub fn inspect(facts: &ContainerFacts) -> String {
    let id = facts.newest().map_or("", |newest| newest.id.short());
    format!("crictl inspect {}", word(id))
}

/// A command that shows what the API server knows of the pod, run where that can be reached.
pub fn describe(facts: &ContainerFacts) -> String {
    let about = &facts.about;
    describe_of(about.namespace.as_str(), about.pod.as_str())
}

/// The same, of a pod.
pub fn describe_pod(facts: &PodFacts) -> String {
    describe_of(facts.about.namespace.as_str(), facts.about.pod.as_str())
}

fn describe_of(namespace: &str, pod: &str) -> String {
    format!("kubectl -n {} describe pod {}", word(namespace), word(pod))
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
