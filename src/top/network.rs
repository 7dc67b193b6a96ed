//! What goes through the networks of pods.

use super::rates;
use crate::domain::{IdMap, PodId};
use crate::stats::rate::Moment;
use crate::stats::{Network, PodSample};

/// The last reading of each pod, and the rate that it gave.
#[derive(Debug, Default)]
pub(super) struct Networks(IdMap<PodId, Known>);

#[derive(Debug)]
struct Known {
    last: (Network, Moment),
    rate: Option<(u64, u64)>,
}

impl Networks {
    /// Takes one look at all pods.
    pub(super) fn take(&mut self, pods: &[PodSample], moment: Moment) {
        let mut next = IdMap::default();
        for pod in pods {
            let Some(network) = pod.network else { continue };
            let last = (network, moment);
            let before = self.0.get(&pod.id);
            let rate = before.and_then(|known| rates(&known.last, &last).or(known.rate));
            next.insert(pod.id.clone(), Known { last, rate });
        }
        self.0 = next;
    }

    /// Bytes a second in and out.
    pub(super) fn rate(&self, id: &PodId) -> Option<(u64, u64)> {
        self.0.get(id)?.rate
    }
}
