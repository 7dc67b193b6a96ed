//! What goes through the networks of pods.

use std::time::Duration;

use super::history::{Fold, History};
use super::rate::{Moment, Reading, step};
use super::sample::Network;
use crate::domain::{IdMap, PodId};

/// Series: KiB received a second.
pub const RECEIVED: usize = 0;
/// Series: KiB sent a second.
pub const SENT: usize = 1;
/// How long a pod that nothing is told of is remembered.
const REMEMBER: Duration = Duration::from_secs(900);

/// What is known of one pod's network.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// Bytes received and sent a second now.
    pub rate: Option<(u64, u64)>,
    /// Bytes received and sent so far.
    pub last: Network,
    /// What was.
    pub history: History<2>,
    read: Moment,
}

/// The networks of all pods that were looked at.
#[derive(Clone, Debug, Default)]
pub struct Networks(IdMap<PodId, Traffic>);

impl Networks {
    /// Takes one look at a pod.
    pub fn take(&mut self, id: &PodId, network: Network, read: Moment) {
        let Some(traffic) = self.0.get_mut(id) else {
            let traffic = Traffic {
                rate: None,
                last: network,
                history: History::new([Fold::Mean; 2]),
                read,
            };
            self.0.insert(id.clone(), traffic);
            return;
        };
        traffic.rate = rates(traffic, network, read).or(traffic.rate);
        let kib = |rate: u64| u32::try_from(rate.div_ceil(1024)).unwrap_or(u32::MAX - 1);
        let (received, sent) = traffic.rate.map(|(a, b)| (kib(a), kib(b))).unzip();
        traffic.history.push(read.uptime, [received, sent]);
        (traffic.last, traffic.read) = (network, read);
    }

    /// Forgets what has not been looked at for a quarter of an hour.
    pub fn forget(&mut self, uptime: Duration) {
        self.0
            .retain(|_, traffic| uptime.saturating_sub(traffic.read.uptime) < REMEMBER);
    }

    /// One of them.
    pub fn get(&self, id: &PodId) -> Option<&Traffic> {
        self.0.get(id)
    }
}

/// Bytes a second in and out.
fn rates(before: &Traffic, after: Network, read: Moment) -> Option<(u64, u64)> {
    const SECOND: u64 = 1_000_000_000;
    let rate = |of: fn(&Network) -> u64| {
        let reading = |network: &Network, read| Reading {
            at: network.at,
            total: of(network),
            read,
        };
        step(&reading(&before.last, before.read), &reading(&after, read)).per(SECOND)
    };
    Some((
        rate(|network| network.received)?,
        rate(|network| network.sent)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{SignedDuration, Timestamp};

    fn take(networks: &mut Networks, second: u64, received: u64) {
        let wall = SignedDuration::from_secs(i64::try_from(second).unwrap());
        let moment = Moment {
            now: Timestamp::UNIX_EPOCH + wall,
            uptime: Duration::from_secs(second),
        };
        let network = Network {
            // containerd before 2.4 says no time.
            at: 0,
            received,
            sent: received * 2,
        };
        networks.take(&PodId::new("p"), network, moment);
    }

    #[test]
    fn two_looks_make_a_rate_and_old_ones_are_forgotten() {
        let mut networks = Networks::default();
        let rate = |networks: &Networks| networks.get(&PodId::new("p")).unwrap().rate;
        take(&mut networks, 10, 1000);
        assert_eq!(rate(&networks), None);
        take(&mut networks, 12, 5096);
        assert_eq!(rate(&networks), Some((2048, 4096)));
        networks.forget(Duration::from_secs(500));
        assert!(networks.get(&PodId::new("p")).is_some());
        networks.forget(Duration::from_secs(1000));
        assert!(networks.get(&PodId::new("p")).is_none());
    }
}
