//! What is asked when somebody wants to know why: a container or a pod as the lists know it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{
    Container, ContainerDetail, ContainerId, ContainerState, Pod, PodState, label,
};
use crate::model::Store;
use crate::model::rows::{ContainerRow, PodRow};
use crate::model::trouble::Trouble;
use crate::triage::facts::{About, Attempt, Standing};

/// Seconds that a container gets to end, in the kubelet's annotation.
const GRACE: &str = "io.kubernetes.pod.terminationGracePeriod";
/// Where a pod comes from.
const SOURCE: &str = "kubernetes.io/config.source";

/// A container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskedContainer {
    /// Whose facts are wanted.
    pub about: About,
    /// Its sandbox.
    pub pod: Option<Arc<Pod>>,
    /// Its attempts, the newest first, with what is known of their statuses.
    pub attempts: Vec<(Arc<Container>, Option<Arc<ContainerDetail>>)>,
    /// Where it stands.
    pub standing: Standing,
}

/// A pod sandbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AskedPod {
    /// The sandbox.
    pub pod: Arc<Pod>,
    /// A newer one of the same pod is there.
    pub superseded: bool,
    /// Its containers, each by its newest attempt.
    pub containers: Vec<Arc<Container>>,
}

/// What is asked: a pod, and one container of it if it has any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Asked {
    /// The pod, if its sandbox is listed.
    pub pod: Option<AskedPod>,
    /// The container.
    pub container: Option<AskedContainer>,
}

impl Asked {
    /// About the newest attempt of the container that `id` is an attempt of.
    pub fn container(store: &Store, id: &ContainerId) -> Option<Self> {
        let row = store.container(id)?;
        let pod = row.pod.as_ref().and_then(|pod| store.pod(&pod.id));
        Some(Self {
            pod: pod.map(|pod| asked_pod(store, pod)),
            container: Some(asked_container(store, row)),
        })
    }

    /// About a pod: the container that is worst off, or the only one.
    pub fn pod(store: &Store, pod: &PodRow) -> Self {
        let worst = pod.trouble.as_ref().and_then(|(name, _)| name.as_ref());
        let rows = store.attempts_in(&pod.pod.id);
        let mut own = rows
            .into_iter()
            .filter(|row| row.container.pod_id == pod.pod.id && !row.superseded);
        let row = match worst {
            Some(name) => own.find(|row| row.container.name == *name),
            None => own.next().filter(|_| own.next().is_none()),
        };
        Self {
            pod: Some(asked_pod(store, pod)),
            container: row.map(|row| asked_container(store, row)),
        }
    }
}

/// A sandbox and its containers.
pub fn asked_pod(store: &Store, row: &PodRow) -> AskedPod {
    let members = store.attempts_in(&row.pod.id);
    let own = members.into_iter().filter(|member| {
        let first = row.superseded || !member.superseded;
        member.container.pod_id == row.pod.id && first
    });
    AskedPod {
        pod: Arc::clone(&row.pod),
        superseded: row.superseded,
        containers: own.map(|row| Arc::clone(&row.container)).collect(),
    }
}

/// A container with all its attempts.
pub fn asked_container(store: &Store, row: &ContainerRow) -> AskedContainer {
    let siblings = store.attempts_in(&row.container.pod_id);
    let attempts: Vec<_> = siblings
        .into_iter()
        .filter(|other| other.container.name == row.container.name)
        .collect();
    let newest = attempts.first().map_or(row, |newest| newest);
    AskedContainer {
        about: about(newest),
        pod: newest.pod.clone(),
        standing: standing(store, newest),
        attempts: attempts
            .iter()
            .map(|row| (Arc::clone(&row.container), row.detail.clone()))
            .collect(),
    }
}

fn about(row: &ContainerRow) -> About {
    About {
        namespace: row.namespace().into(),
        pod: row.pod_name().into(),
        container: Some(row.container.name.clone()),
        container_id: Some(row.container.id.clone()),
    }
}

/// What is known of a pod as a whole.
pub fn about_pod(pod: &Pod) -> About {
    About {
        namespace: pod.namespace.clone(),
        pod: pod.name.clone(),
        ..About::default()
    }
}

fn standing(store: &Store, row: &ContainerRow) -> Standing {
    let container = &row.container;
    let next_restart = match &row.trouble {
        Some(Trouble::Ended { next, .. }) => *next,
        _ => None,
    };
    let grace = label(&container.annotations, GRACE);
    let of = row.pod.as_ref();
    Standing {
        sick: row.trouble.is_some(),
        pod_ready: of.is_some_and(|pod| pod.state == PodState::Ready),
        restarts: container.restart_count(),
        next_restart,
        image: row.image.clone(),
        image_here: store
            .loaded()
            .all()
            .then(|| store.has_image(container.image_id.key())),
        grace: grace.and_then(|grace| grace.as_str().parse().ok()),
        static_pod: of.is_some_and(|pod| {
            label(&pod.annotations, SOURCE).is_some_and(|source| *source == "file")
        }),
    }
}

/// An attempt as its status tells it.
pub fn attempt(container: &Container, detail: Option<&ContainerDetail>) -> Attempt {
    let text = |of: fn(&ContainerDetail) -> &Option<crate::text::Text>| {
        detail
            .and_then(|detail| of(detail).clone())
            .unwrap_or_default()
    };
    let time = |of: fn(&ContainerDetail) -> Option<Timestamp>| detail.and_then(of);
    Attempt {
        id: container.id.clone(),
        number: container.attempt,
        state: container.state,
        created_at: container.created_at,
        started_at: time(|detail| detail.started_at),
        finished_at: time(|detail| detail.finished_at),
        exit_code: match container.state {
            ContainerState::Exited => detail.and_then(|detail| detail.exit_code),
            _ => None,
        },
        reason: text(|detail| &detail.reason),
        message: text(|detail| &detail.message),
    }
}
