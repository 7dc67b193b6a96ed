//! What hides rows, and how many there are without it.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{ContainerState, PodState};
use crate::model::columns::Stands;
use crate::model::filter::{Filter, Searchable};
use crate::model::{Panel, Store};

/// What hides rows.
#[derive(Debug, Default, Clone)]
pub struct Narrowing {
    /// The filter of each panel.
    pub filters: [Option<Filter>; 3],
    /// Only what is in trouble.
    pub only_trouble: bool,
}

impl Narrowing {
    /// True when nothing is hidden.
    pub fn is_none(&self) -> bool {
        !self.only_trouble && self.filters.iter().all(Option::is_none)
    }

    /// The rows that are left of `rows`, which are in their order: the best match first.
    pub(super) fn narrow<R: Searchable + Stands>(
        &self,
        panel: Panel,
        rows: &[Arc<R>],
        now: Timestamp,
    ) -> Vec<Arc<R>> {
        let filter = self.filters[panel.index()].as_ref();
        let score = |row: &Arc<R>| filter.map_or(Some(0), |filter| filter.score(row.as_ref(), now));
        let left = rows
            .iter()
            .filter(|row| !self.only_trouble || row.in_trouble())
            .filter_map(|row| Some((score(row)?, row)));
        if !filter.is_some_and(Filter::ranks) {
            return left.map(|(_, row)| Arc::clone(row)).collect();
        }
        let mut left: Vec<_> = left.collect();
        left.sort_by_key(|(score, _)| Reverse(*score));
        left.into_iter().map(|(_, row)| Arc::clone(row)).collect()
    }

    /// Panels for which `other` hides other rows.
    pub(super) fn differs(&self, other: &Self) -> [bool; 3] {
        let all = self.only_trouble != other.only_trouble;
        Panel::ALL.map(|panel| {
            let source = |narrowing: &Self| {
                let filter = narrowing.filters[panel.index()].as_ref();
                filter.map(|filter| filter.source().to_owned())
            };
            all || source(self) != source(other)
        })
    }
}

/// How many there are of what.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Sandboxes.
    pub pods: usize,
    /// Sandboxes that are ready.
    pub ready: usize,
    /// Attempts of containers.
    pub containers: usize,
    /// Those that run.
    pub running: usize,
    /// Those that have ended.
    pub exited: usize,
    /// Containers in trouble, and pods in trouble without one.
    pub trouble: usize,
}

impl Counts {
    pub(super) fn of(store: &Store) -> Self {
        let mut counts = Self::default();
        for row in store.pod_rows() {
            counts.pods += 1;
            counts.ready += usize::from(row.pod.state == PodState::Ready);
            counts.trouble += usize::from(matches!(row.trouble, Some((None, _))));
        }
        for row in store.container_rows() {
            counts.containers += 1;
            counts.running += usize::from(row.container.state == ContainerState::Running);
            counts.exited += usize::from(row.container.state == ContainerState::Exited);
            counts.trouble += usize::from(row.trouble.is_some());
        }
        counts
    }
}
