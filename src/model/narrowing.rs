//! What hides rows, and how many there are without it.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::IdMap;
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

    /// The rows that are left of `rows`, which are in their order: the best match first. `trail`
    /// is what was left of the same rows before.
    pub(super) fn narrow<R: Searchable + Stands>(
        &self,
        panel: Panel,
        rows: &[Arc<R>],
        trail: &mut Trail<R>,
        now: Timestamp,
    ) -> Vec<Arc<R>> {
        let open = |row: &&Arc<R>| !self.only_trouble || row.in_trouble();
        let Some(filter) = self.filters[panel.index()].as_ref() else {
            return rows.iter().filter(open).cloned().collect();
        };
        trail.go_back(filter, self.only_trouble);
        let known = trail.steps.last();
        if known.is_none_or(|known| known.filter.source() != filter.source()) {
            let score = |row: &Arc<R>| Some((filter.score(row.as_ref(), now)?, Arc::clone(row)));
            let left = if let Some(known) = known {
                known
                    .left
                    .iter()
                    .filter_map(|(_, row)| score(row))
                    .collect()
            } else {
                let before = trail.before.as_ref().filter(|before| before.is_of(filter));
                let score = |row: &Arc<R>| match before.and_then(|before| before.fared(row)) {
                    Some(Fared::Left(known)) => Some((*known, Arc::clone(row))),
                    Some(Fared::Dropped) => None,
                    None => score(row),
                };
                rows.iter().filter(open).filter_map(score).collect()
            };
            trail.steps.push(Step {
                filter: filter.clone(),
                only_trouble: self.only_trouble,
                left,
            });
        }
        let left = trail.steps.last().map_or(&[][..], |step| &step.left);
        let mut best: Vec<&(i64, Arc<R>)> = left.iter().collect();
        if filter.ranks() {
            best.sort_by_key(|(score, _)| Reverse(*score));
        }
        best.into_iter().map(|(_, row)| Arc::clone(row)).collect()
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

/// What was left by a filter as it was typed, letter by letter, of the same rows: another letter
/// looks only at what the last one left, and one less at nothing.
#[derive(Debug)]
pub(super) struct Trail<R> {
    steps: Vec<Step<R>>,
    before: Option<Before<R>>,
}

/// How the rows fared that were there before these: most are the same ones.
#[derive(Debug)]
struct Before<R> {
    filter: Filter,
    /// Keeps the addresses of the rows theirs.
    _rows: Vec<Arc<R>>,
    scores: IdMap<usize, Fared>,
}

/// How a row fared.
#[derive(Clone, Copy, Debug)]
enum Fared {
    Left(i64),
    Dropped,
}

impl<R> Before<R> {
    fn is_of(&self, filter: &Filter) -> bool {
        self.filter.source() == filter.source()
    }

    /// How it fared; `None` for a row that was not there.
    fn fared(&self, row: &Arc<R>) -> Option<&Fared> {
        self.scores.get(&address(row))
    }
}

fn address<R>(row: &Arc<R>) -> usize {
    Arc::as_ptr(row).addr()
}

#[derive(Debug)]
struct Step<R> {
    filter: Filter,
    only_trouble: bool,
    /// With their scores, in the rows' own order.
    left: Vec<(i64, Arc<R>)>,
}

impl<R> Default for Trail<R> {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            before: None,
        }
    }
}

impl<R> Trail<R> {
    /// Other rows are there now; `old` were before.
    pub fn forget(&mut self, old: Vec<Arc<R>>) {
        // Of those that are in no trouble nothing is known if only trouble was looked at.
        let last = self.steps.pop().filter(|last| !last.only_trouble);
        self.steps.clear();
        self.before = last.map(|last| {
            let dropped = |row| (address(row), Fared::Dropped);
            let mut scores: IdMap<usize, Fared> = old.iter().map(dropped).collect();
            let left = last.left.iter();
            scores.extend(left.map(|(score, row)| (address(row), Fared::Left(*score))));
            Before {
                filter: last.filter,
                _rows: old,
                scores,
            }
        });
    }

    /// Forgets steps until the last one leaves all that `filter` can leave.
    fn go_back(&mut self, filter: &Filter, only_trouble: bool) {
        while let Some(last) = self.steps.last()
            && (last.only_trouble != only_trouble || !last.filter.leaves_all_of(filter))
        {
            self.steps.pop();
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::columns::Standing;
    use proptest::prelude::*;
    use std::ops::ControlFlow;

    #[derive(PartialEq, Debug)]
    struct Name(String);

    impl Searchable for Name {
        fn texts(
            &self,
            _: Timestamp,
            visit: &mut dyn FnMut(&str) -> ControlFlow<()>,
        ) -> ControlFlow<()> {
            visit(&self.0)
        }
    }

    impl Stands for Name {
        fn standing(&self) -> Standing {
            Standing::Good
        }

        fn in_trouble(&self) -> bool {
            self.0.contains('x')
        }

        fn by_trouble(&self, other: &Self) -> std::cmp::Ordering {
            self.0.cmp(&other.0)
        }
    }

    proptest! {
        #[test]
        fn a_trail_leads_where_a_fresh_look_does(
            names in proptest::collection::vec("[abx]{1,5}", 0..20),
            typed in proptest::collection::vec(("[abx! ~-]{0,6}", any::<bool>(), any::<bool>()), 1..12),
        ) {
            let mut rows: Vec<Arc<Name>> = names.into_iter().map(|name| Arc::new(Name(name))).collect();
            let now = Timestamp::UNIX_EPOCH;
            let mut trail = Trail::default();
            let mut line = String::new();
            for (part, back, changes) in typed {
                if back {
                    line.pop();
                } else {
                    line += &part;
                }
                let Ok(filter) = Filter::parse(&line) else { continue };
                let narrowing = Narrowing {
                    filters: [filter, None, None],
                    only_trouble: line.len() % 5 == 4,
                };
                if changes {
                    // One goes, one comes, the others stay the same.
                    let mut others = rows.clone();
                    others.truncate(rows.len().saturating_sub(1));
                    others.push(Arc::new(Name(format!("x{line}"))));
                    trail.forget(std::mem::replace(&mut rows, others));
                }
                let kept = narrowing.narrow(Panel::Pods, &rows, &mut trail, now);
                let fresh = narrowing.narrow(Panel::Pods, &rows, &mut Trail::default(), now);
                prop_assert_eq!(kept, fresh);
            }
        }
    }
}
