//! Facts about one container and its pod.

use jiff::Timestamp;
use tokio::task::spawn_blocking;

use super::{Logs, claim, log, look};
use crate::cri::Reader;
use crate::domain::{ContainerState, PodState, Spec};
use crate::host::open::HostRoot;
use crate::host::traces::{self, Sought};
use crate::model::asked::{Asked, AskedContainer, AskedPod, about_pod, attempt};
use crate::stats::cgroup::Look;
use crate::text::Text;
use crate::triage::facts::{Kernel, LogTail, OnDisk, Said, Seen};
use crate::triage::{ContainerFacts, PodFacts};

/// Lines of the kubelet and the runtime that are kept for one container.
const MOST: usize = 400;

/// What is already known of a container when its facts are gathered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known<'a> {
    pub(super) spec: Option<&'a Spec>,
    pub(super) before: Option<&'a Spec>,
    pub(super) cgroups: Look,
}

/// Why one thing is as it is: facts of the container and of the pod, gathered now.
pub async fn why(
    reader: &Reader,
    host: &HostRoot,
    asked: Asked,
    now: Timestamp,
) -> (Option<ContainerFacts>, Option<PodFacts>) {
    let logs = Logs::read(host, now).await;
    let facts = match asked.container {
        Some(container) => Some(one(reader, host, container, &logs, now).await),
        None => None,
    };
    let known = facts.as_slice();
    let pod = asked
        .pod
        .map(|pod| pod_facts(&pod, known, &logs, None, now));
    (facts, pod)
}

async fn one(
    reader: &Reader,
    host: &HostRoot,
    mut asked: AskedContainer,
    logs: &Logs,
    now: Timestamp,
) -> ContainerFacts {
    let mut specs: [Option<Spec>; 2] = [None, None];
    for ((container, detail), spec) in asked.attempts.iter_mut().zip(&mut specs) {
        // What cannot be read is told as that, below.
        if let Ok((fresh, read)) = reader.container_spec(&container.id).await {
            *detail = Some(std::sync::Arc::new(fresh));
            *spec = Some(read);
        }
    }
    let [spec, before] = &specs;
    let cgroups = match asked.attempts.first().zip(spec.as_ref()) {
        Some(((container, _), spec)) => {
            let claims = claim(&container.id, spec).into_iter().collect();
            let looks = look(host, claims).await;
            looks.first().map_or_else(Look::default, |(_, look)| *look)
        }
        None => Look::default(),
    };
    let known = Known {
        spec: spec.as_ref(),
        before: before.as_ref(),
        cgroups,
    };
    let mut facts = close_up(host, asked, &known, logs, now).await;
    super::blind_to_processes(std::slice::from_mut(&mut facts));
    facts
}

/// All that can be known.
pub(super) async fn close_up(
    host: &HostRoot,
    asked: AskedContainer,
    known: &Known<'_>,
    logs: &Logs,
    now: Timestamp,
) -> ContainerFacts {
    let over = |state| matches!(state, ContainerState::Exited | ContainerState::Unknown);
    let ended = asked.attempts.iter().find(|(one, _)| over(one.state));
    let path = ended
        .or(asked.attempts.first())
        .and_then(|(_, detail)| detail.as_ref()?.log_path.clone());
    let sought = sought(&asked, known, true);
    let tail = log::tail(host, path);
    let (tail, disk) = tokio::join!(tail, traced(host, sought));
    built(asked, known, logs, tail, disk, now)
}

/// What can be known without reading its log.
pub(super) async fn from_afar(
    host: &HostRoot,
    asked: AskedContainer,
    known: &Known<'_>,
    logs: &Logs,
    now: Timestamp,
) -> ContainerFacts {
    let runs = asked
        .attempts
        .first()
        .is_some_and(|(one, _)| one.state == ContainerState::Running);
    let disk = if runs {
        traced(host, sought(&asked, known, false)).await
    } else {
        OnDisk::default()
    };
    let tail = Err("not read: nothing seems wrong".into());
    built(asked, known, logs, tail, disk, now)
}

async fn traced(host: &HostRoot, sought: Sought) -> OnDisk {
    let host = host.clone();
    spawn_blocking(move || traces::look(&host, sought))
        .await
        .unwrap_or_default()
}

fn sought(asked: &AskedContainer, known: &Known<'_>, all: bool) -> Sought {
    let newest = asked.attempts.first().map(|(one, _)| one);
    let runs = newest.is_some_and(|one| one.state == ContainerState::Running);
    let id = newest.map_or("", |one| one.id.as_str());
    let spec = known.spec.filter(|_| all);
    Sought {
        container: Text::clean(id),
        uid: asked
            .pod
            .as_ref()
            .filter(|_| all)
            .map_or_else(Text::default, |pod| pod.uid.clone()),
        mounts: spec.map_or_else(Vec::new, |spec| {
            spec.mounts.iter().map(|(from, _)| from.clone()).collect()
        }),
        last_word: spec.and_then(|spec| spec.last_word.clone()),
        pid: known.spec.filter(|_| runs).and_then(|spec| spec.pid),
    }
}

fn built(
    asked: AskedContainer,
    known: &Known<'_>,
    logs: &Logs,
    log: Seen<LogTail>,
    disk: OnDisk,
    now: Timestamp,
) -> ContainerFacts {
    let changes = known.spec.zip(known.before);
    let changes = changes
        .map(|(now, before)| now.changes_since(before))
        .unwrap_or_default();
    let attempts = asked.attempts.iter();
    let attempts: Vec<_> = attempts
        .map(|(one, detail)| attempt(one, detail.as_deref()))
        .collect();
    let named = names(&asked);
    ContainerFacts {
        kernel: kernel_of(&logs.kernel, &asked),
        said: said_of(&logs.said, &named, asked.about.container.as_ref()),
        spec: known
            .spec
            .cloned()
            .ok_or_else(|| "the runtime does not tell it".into()),
        cgroups: known.cgroups,
        about: asked.about,
        now,
        standing: asked.standing,
        attempts,
        changes,
        log,
        disk,
    }
}

/// How logs name a container: its ids, and its pod's uid and name.
pub(super) fn names(asked: &AskedContainer) -> Vec<String> {
    let mut names: Vec<String> = asked
        .attempts
        .iter()
        .map(|(one, _)| one.id.as_str().to_owned())
        .collect();
    if let Some(pod) = &asked.pod {
        names.extend(names_of_pod(pod));
    }
    names
}

pub(super) fn names_of_pod(pod: &crate::domain::Pod) -> Vec<String> {
    vec![
        pod.uid.to_string(),
        pod.id.to_string(),
        format!("pod=\"{}/{}\"", pod.namespace, pod.name),
    ]
}

/// Lines that name one of `names`; of another container of the same pod they are not.
pub(super) fn said_of(
    all: &Seen<Vec<Said>>,
    names: &[String],
    container: Option<&Text>,
) -> Seen<Vec<Said>> {
    let all = all.as_ref().map_err(Clone::clone)?;
    let own = container.map(|name| format!("containerName=\"{name}\""));
    let ours = |line: &&Said| {
        let text = line.text.as_str();
        let others = own
            .as_ref()
            .is_some_and(|own| text.contains("containerName=") && !text.contains(own));
        // A name too short would be in everything.
        !others
            && names
                .iter()
                .any(|name| name.len() >= 8 && text.contains(name))
    };
    let mut lines: Vec<Said> = all.iter().rev().filter(ours).take(MOST).cloned().collect();
    lines.reverse();
    Ok(lines)
}

/// Kills in the container's cgroups or its pod's, and all faults: those name no cgroup.
pub(super) fn kernel_of(all: &Seen<Kernel>, asked: &AskedContainer) -> Seen<Kernel> {
    let all = all.as_ref().map_err(Clone::clone)?;
    let ids = asked.attempts.iter().map(|(one, _)| one.id.as_str());
    let mut names: Vec<String> = ids.map(str::to_owned).collect();
    if let Some(pod) = &asked.pod {
        // The systemd driver writes uids with underscores.
        names.extend([pod.uid.to_string(), pod.uid.as_str().replace('-', "_")]);
    }
    let kills = all.kills.iter().filter(|kill| {
        names
            .iter()
            .any(|name| name.len() >= 8 && kill.cgroup.as_str().contains(name))
    });
    Ok(Kernel {
        source: all.source.clone(),
        kills: kills.cloned().collect(),
        faults: all.faults.clone(),
    })
}

/// Facts of a pod; `known` are those of its containers, as far as they were gathered.
pub fn pod_facts(
    asked: &AskedPod,
    known: &[ContainerFacts],
    logs: &Logs,
    no_network: Option<Text>,
    now: Timestamp,
) -> PodFacts {
    let pod = &asked.pod;
    let mut names = names_of_pod(pod);
    // The runtime names a pod that has no sandbox yet by its metadata.
    names.push(format!("Name:{},Uid:{}", pod.name, pod.uid));
    let processes = asked.containers.iter().filter_map(|one| {
        let facts = known
            .iter()
            .find(|facts| facts.about.container_id.as_ref() == Some(&one.id))?;
        Some((one.name.clone(), facts.disk.process.clone()?))
    });
    PodFacts {
        about: about_pod(pod),
        now,
        id: pod.id.clone(),
        ready: pod.state == PodState::Ready,
        created_at: pod.created_at,
        attempt: pod.attempt,
        superseded: asked.superseded,
        containers: asked
            .containers
            .iter()
            .map(|one| (one.name.clone(), one.state))
            .collect(),
        processes: processes.collect(),
        said: said_of(&logs.said, &names, None),
        no_network,
    }
}
