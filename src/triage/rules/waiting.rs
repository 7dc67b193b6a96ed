//! A container that is there but does not run, and one that cannot be started again.

use super::seen;
use crate::domain::ContainerState;
use crate::triage::facts::{ContainerFacts, ProcessState, ago};
use crate::triage::verdict::{Evidence, Opinion, Rule, word};

/// Created, never started.
pub const CREATED: Rule<ContainerFacts> = Rule {
    id: "created-never-started",
    means: "The container was created, and nobody has started it since.",
    todo: "The runtime hangs in the start, or whoever made it went away: see the kubelet's log.",
    judge: created,
};
/// Its image went away.
pub const IMAGE: Rule<ContainerFacts> = Rule {
    id: "image-missing",
    means: "The image that the container was made from is not on the node any more.",
    todo: "The next start has to pull it: check that the registry still has it.",
    judge: image,
};
/// It runs as far as the runtime knows, but there is no process.
pub const GONE: Rule<ContainerFacts> = Rule {
    id: "process-gone",
    means: "The runtime says that it runs, but its first process is gone or cannot be ended.",
    todo: "The runtime's shim is gone or stuck: look for it, and for what the process waits for.",
    judge: gone,
};

fn created(facts: &ContainerFacts) -> Option<Opinion> {
    let newest = facts.newest()?;
    if newest.state != ContainerState::Created || !facts.standing.sick {
        return None;
    }
    let since = newest.created_at.map(|at| ago(at, facts.now));
    let since = since.unwrap_or_else(|| "some time ago".to_owned());
    let line = format!("it was created {since} and not started since");
    let state =
        Evidence::new("state", "CONTAINER_CREATED", "ContainerStatus").at(newest.created_at);
    let said = facts.says(&["StartContainer"]).next().map(seen::said);
    let opinion = Opinion::proven(line)
        .with([state])
        .with(said)
        .with(seen::unseen(facts));
    Some(
        opinion
            .next(seen::inspect(facts))
            .next(seen::describe(facts)),
    )
}

fn image(facts: &ContainerFacts) -> Option<Opinion> {
    let gone = facts.standing.image_here == Some(false);
    if !gone || facts.runs() || !facts.standing.sick || !facts.standing.pod_ready {
        return None;
    }
    let image = &facts.standing.image;
    let evidence = Evidence::new("image", format!("{image} is not there"), "ListImages");
    let line = format!("its image {image} is not on the node any more");
    let pull = format!("crictl pull {}", word(image.as_str()));
    Some(
        Opinion::likely(line)
            .with([evidence])
            .next("crictl images")
            .next(pull),
    )
}

fn gone(facts: &ContainerFacts) -> Option<Opinion> {
    if !facts.runs() {
        return None;
    }
    let process = facts.disk.process.as_ref()?;
    let (line, evidence) = match process {
        ProcessState::Gone(pid) => (
            format!("the runtime says that it runs, but its process {pid} is gone"),
            Evidence::new(
                "process",
                format!("{pid} is not there"),
                format!("/proc/{pid}"),
            ),
        ),
        ProcessState::There(pid, state @ ('D' | 'Z'), waits) => {
            let how = if *state == 'Z' {
                "has ended, and nobody waits for it"
            } else {
                "cannot be ended now"
            };
            let value = format!("state {state} {waits}");
            (
                format!("its process {pid} {how}"),
                Evidence::new("process", value, format!("/proc/{pid}/stat")),
            )
        }
        ProcessState::There(..) => return None,
    };
    let opinion = Opinion::possible(line).with([evidence]);
    Some(opinion.next(seen::inspect(facts)))
}
