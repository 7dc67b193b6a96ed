//! The home screen: three lists, of which one has the focus.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::PodId;
use crate::model::arrange::Arranged;
use crate::model::columns::{CONTAINERS, Column, IMAGES, PODS, Stands};
use crate::model::list::{List, Mark, Move, Sort};
use crate::model::narrowing::{Counts, Narrowing};
use crate::model::rows::{ContainerRow, ImageRow, PodRow, Row};
use crate::model::store::Dirty;
use crate::model::{Clock, Panel, Seen, Store, Subject};

/// Rows keep their places for so long after a key.
const HANDS_ON: Duration = Duration::from_millis(1500);
/// The preview, and the containers of the selected pod, follow after so long a rest.
const REST: Duration = Duration::from_millis(150);
/// Rows on the screen before anything was drawn.
const UNSEEN_PAGE: usize = 20;

/// State of the home screen.
#[derive(Debug, Default)]
pub struct Home {
    /// The panel with the focus.
    pub focus: Panel,
    /// Pods.
    pub pods: List<PodRow>,
    /// Containers, of [`Home::of_pod`] only if that is set.
    pub containers: List<ContainerRow>,
    /// Images.
    pub images: List<ImageRow>,
    /// The pod whose containers are shown; `None` shows all.
    pub of_pod: Option<PodId>,
    /// Containers of every pod are shown, whatever pod is selected.
    pub every_pod: bool,
    /// What the preview shows: the selection, once the cursor rests.
    pub preview: Option<Subject>,
    /// Width that the cells of each panel's columns have wanted so far. They only grow, so
    /// that columns do not jump.
    pub widths: [Vec<u16>; 3],
    /// How the lists are laid out.
    pub arranged: Arranged,
    /// What else hides rows.
    pub narrowing: Narrowing,
    /// How many there are of what, for the header and the titles.
    pub counts: Counts,
    hands: Hands,
    /// Lists to be filled anew before the next frame.
    stale: Dirty,
    /// Lists of which other rows are to be shown, though they are the same in the same order.
    narrowed: [bool; 3],
    /// The pod to be selected when the list is filled next.
    wanted: Option<PodId>,
}

/// What the hand does, to keep still what it is about to touch.
#[derive(Debug, Default)]
struct Hands {
    last_key: Option<Duration>,
    /// The cursor moved and nothing has followed it yet.
    moved_at: Option<Duration>,
    /// Lists whose rows kept their places although the order says otherwise.
    unsorted: [bool; 3],
}

impl Hands {
    /// Rows may move at once: that is what the hand has asked for.
    fn let_go(&mut self) {
        self.last_key = self.last_key.map(|_| Duration::ZERO);
    }
}

impl Home {
    /// The thing under the cursor of the focused panel.
    pub fn subject(&self) -> Option<Subject> {
        match self.focus {
            Panel::Pods => self
                .pods
                .current()
                .map(|row| Subject::Pod(row.pod.id.clone())),
            Panel::Containers => self
                .containers
                .current()
                .map(|row| Subject::Container(row.container.id.clone())),
            Panel::Images => self
                .images
                .current()
                .map(|row| Subject::Image(row.image.id.clone())),
        }
    }

    /// A key was pressed at `uptime`.
    pub fn touched(&mut self, uptime: Duration) {
        self.hands.last_key = Some(uptime);
    }

    /// The hand has asked for another order: rows may move at once.
    pub fn resort(&mut self) {
        self.hands.let_go();
        self.stale = Dirty {
            pods: true,
            containers: true,
            images: true,
        };
    }

    /// Index of the first row on the screen in the focused panel.
    pub fn offset(&self) -> usize {
        match self.focus {
            Panel::Pods => self.pods.offset(),
            Panel::Containers => self.containers.offset(),
            Panel::Images => self.images.offset(),
        }
    }

    /// Moves the cursor of the focused panel.
    pub fn go(&mut self, to: Move, seen: &Seen, uptime: Duration) {
        let page = page(seen, self.focus);
        match self.focus {
            Panel::Pods => self.pods.go(to, page),
            Panel::Containers => self.containers.go(to, page),
            Panel::Images => self.images.go(to, page),
        }
        self.hands.moved_at = Some(uptime);
    }

    /// Selects a pod, once the list is filled.
    pub fn go_to(&mut self, pod: PodId) {
        self.focus = Panel::Pods;
        self.wanted = Some(pod);
        self.stale.pods = true;
    }

    /// Gives `panel` the focus.
    pub fn focus(&mut self, panel: Panel, uptime: Duration) {
        self.focus = panel;
        self.hands.moved_at = Some(uptime);
    }

    /// Marks and unmarks rows of the focused panel.
    pub fn mark(&mut self, what: Mark) {
        match self.focus {
            Panel::Pods => self.pods.mark(what),
            Panel::Containers => self.containers.mark(what),
            Panel::Images => self.images.mark(what),
        }
    }

    /// Ids of what is marked in the focused panel, else of the selection.
    pub fn chosen(&self) -> Vec<Subject> {
        match self.focus {
            Panel::Pods => self
                .pods
                .chosen()
                .into_iter()
                .map(|row| Subject::Pod(row.pod.id.clone()))
                .collect(),
            Panel::Containers => {
                let rows = self.containers.chosen().into_iter();
                rows.map(|row| Subject::Container(row.container.id.clone()))
                    .collect()
            }
            Panel::Images => {
                let rows = self.images.chosen().into_iter();
                rows.map(|row| Subject::Image(row.image.id.clone()))
                    .collect()
            }
        }
    }

    /// Hides other rows than before, and selects the best of those that are left.
    pub fn narrow_to_best(&mut self, narrowing: Narrowing) {
        self.pods.clear();
        self.containers.clear();
        self.images.clear();
        // What was cleared is filled again, whether its own filter changed or not.
        self.narrowed = [true; 3];
        self.narrow(narrowing);
    }

    /// Hides other rows than before.
    pub fn narrow(&mut self, narrowing: Narrowing) {
        for (narrowed, differs) in self
            .narrowed
            .iter_mut()
            .zip(self.narrowing.differs(&narrowing))
        {
            *narrowed |= differs;
        }
        self.narrowing = narrowing;
        self.hands.moved_at = self.hands.moved_at.or(self.hands.last_key);
        self.hands.let_go();
    }

    /// Lets the preview and the containers follow the selection at once.
    pub fn follow_now(&mut self) {
        self.hands.moved_at = None;
        self.preview = self.subject();
        let selected = self.pods.current().map(|row| row.pod.id.clone());
        let of_pod = selected.filter(|_| !self.every_pod);
        if of_pod != self.of_pod {
            self.of_pod = of_pod;
            // Another pod's containers are another list: start at its top, in its own order.
            self.containers.clear();
            self.stale.containers = true;
        }
    }

    /// Does what is due at `uptime`: after a rest the preview follows, and rows that kept their
    /// places are sorted.
    pub fn rest(&mut self, uptime: Duration) {
        if !self.arranged.still && self.hands.moved_at.is_some_and(|at| uptime >= at + REST) {
            self.follow_now();
        }
        if !self.hands_on(uptime) {
            let [pods, containers, images] = std::mem::take(&mut self.hands.unsorted);
            self.stale.add(Dirty {
                pods,
                containers,
                images,
            });
        }
    }

    /// When [`Home::rest`] is due.
    pub fn rest_at(&self) -> Option<Duration> {
        let follow = self.hands.moved_at.map(|at| at + REST);
        let follow = follow.filter(|_| !self.arranged.still);
        let sort = self
            .hands
            .last_key
            .filter(|_| self.hands.unsorted.contains(&true))
            .map(|at| at + HANDS_ON);
        match (follow, sort) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn hands_on(&self, uptime: Duration) -> bool {
        self.hands.last_key.is_some_and(|at| uptime < at + HANDS_ON)
    }

    /// Scrolls so that each cursor is on the screen as it was drawn. True if anything moved.
    pub fn fit(&mut self, seen: &Seen) -> bool {
        let before = [
            self.pods.offset(),
            self.containers.offset(),
            self.images.offset(),
        ];
        for (shift, panel) in self.arranged.shift.iter_mut().zip(&seen.panels) {
            *shift = panel.as_ref().map_or(*shift, |panel| panel.shift);
        }
        self.pods.scroll_into_view(page(seen, Panel::Pods));
        self.containers
            .scroll_into_view(page(seen, Panel::Containers));
        self.images.scroll_into_view(page(seen, Panel::Images));
        before
            != [
                self.pods.offset(),
                self.containers.offset(),
                self.images.offset(),
            ]
    }

    /// Takes over how wide the cells are that were drawn.
    pub fn widen(&mut self, seen: &Seen) {
        for (widths, panel) in self.widths.iter_mut().zip(&seen.panels) {
            let wanted = panel.as_ref().map_or(&[][..], |panel| &panel.widths);
            widths.resize(widths.len().max(wanted.len()), 0);
            for (width, wanted) in widths.iter_mut().zip(wanted) {
                *width = (*width).max(*wanted);
            }
        }
    }

    /// Fills the lists whose rows have changed, or of which others are to be shown.
    pub fn fill(&mut self, store: &mut Store, seen: &Seen, clock: Clock) {
        self.stale.add(store.take_dirty());
        if self.stale.pods || self.stale.containers {
            self.counts = Counts::of(store);
        }
        let [pods, containers, images] = std::mem::take(&mut self.narrowed);
        if std::mem::take(&mut self.stale.pods) {
            let rows = self.pods.as_before(store.pod_rows(), |id| store.pod(id));
            let rows = sorted(rows, &PODS, self.pods.sort);
            self.pods.set_base(rows);
            self.pods.all = self.counts.pods;
            self.pods.keep_marks(|id| store.pod(id).is_some());
            self.fill_pods(seen, clock);
        } else if pods {
            self.fill_pods(seen, clock);
        }
        if self.hands.moved_at.is_none() && !self.arranged.still {
            self.follow_now();
        }
        if std::mem::take(&mut self.stale.containers) {
            let rows = if let Some(pod) = &self.of_pod {
                store.attempts_in(pod).into_iter().cloned().collect()
            } else {
                let all = store.container_rows();
                self.containers.as_before(all, |id| store.container(id))
            };
            let rows = sorted(rows, &CONTAINERS, self.containers.sort);
            self.containers.set_base(rows);
            self.containers.all = self.counts.containers;
            self.containers
                .keep_marks(|id| store.container(id).is_some());
            self.fill_containers(seen, clock);
        } else if containers {
            self.fill_containers(seen, clock);
        }
        if std::mem::take(&mut self.stale.images) {
            let rows = store.image_rows().cloned().collect();
            let rows = sorted(rows, &IMAGES, self.images.sort);
            self.images.set_base(rows);
            self.images.all = self.images.base.len();
            self.images.keep_marks(|id| store.image(id).is_some());
            self.fill_images(seen, clock);
        } else if images {
            self.fill_images(seen, clock);
        }
    }

    fn fill_pods(&mut self, seen: &Seen, clock: Clock) {
        let keep = self.keep(Panel::Pods, clock.uptime);
        let page = page(seen, Panel::Pods);
        let list = &mut self.pods;
        let rows = self
            .narrowing
            .narrow(Panel::Pods, &list.base, &mut list.trail, clock.now);
        self.pods.replace(rows, keep, page);
        if let Some(id) = self.wanted.take() {
            self.pods.select(&id, page);
        }
        if self.hands.last_key.is_none() {
            // Until the first key the worst is selected, whatever comes in.
            self.pods.go(Move::First, page);
        }
    }

    fn fill_containers(&mut self, seen: &Seen, clock: Clock) {
        let keep = self.keep(Panel::Containers, clock.uptime);
        let list = &mut self.containers;
        let rows = self
            .narrowing
            .narrow(Panel::Containers, &list.base, &mut list.trail, clock.now);
        self.containers
            .replace(rows, keep, page(seen, Panel::Containers));
    }

    fn fill_images(&mut self, seen: &Seen, clock: Clock) {
        let keep = self.keep(Panel::Images, clock.uptime);
        let list = &mut self.images;
        let rows = self
            .narrowing
            .narrow(Panel::Images, &list.base, &mut list.trail, clock.now);
        self.images.replace(rows, keep, page(seen, Panel::Images));
    }

    fn keep(&mut self, panel: Panel, uptime: Duration) -> bool {
        let keep = panel == self.focus && self.hands_on(uptime);
        self.hands.unsorted[panel.index()] = keep;
        keep
    }
}

/// Rows that fit in a panel.
pub fn page(seen: &Seen, panel: Panel) -> usize {
    seen.panels[panel.index()]
        .as_ref()
        .map_or(UNSEEN_PAGE, |seen| seen.rows.height.into())
}

fn sorted<R: Row + Stands>(
    mut rows: Vec<Arc<R>>,
    columns: &'static [Column<R>],
    sort: Sort,
) -> Vec<Arc<R>> {
    let by_column = sort
        .column
        .and_then(|at| columns.get(at))
        .map(|column| column.order);
    rows.sort_by(|a, b| {
        let primary = by_column.map_or(Ordering::Equal, |order| order(a, b));
        let ordered = primary.then_with(|| a.by_trouble(b));
        if sort.reverse {
            ordered.reverse()
        } else {
            ordered
        }
    });
    rows
}
