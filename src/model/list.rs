//! A list with a cursor. Identity is the id: selection and scroll survive every refresh, and
//! the row under the cursor stays where it is on the screen.

use std::sync::Arc;

use crate::domain::{IdMap, IdSet};
use crate::model::narrowing::Trail;
use crate::model::rows::Row;

/// How a list is sorted: by a column, else trouble first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sort {
    /// Index of the column; `None` is the default order.
    pub column: Option<usize>,
    /// Reversed.
    pub reverse: bool,
}

/// A movement of the cursor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    /// Rows down (up when negative).
    By(isize),
    /// Pages down, in halves.
    HalfPages(isize),
    /// First row.
    First,
    /// Last row.
    Last,
    /// This row.
    To(usize),
}

/// What to do with the marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// Mark the row under the cursor, or unmark it.
    Toggle,
    /// Mark everything between the cursor and the nearest mark.
    Range,
    /// Mark all that is shown.
    All,
    /// Mark what is shown and not marked, and the other way round.
    Invert,
    /// Unmark everything.
    None,
}

/// Rows in the order shown, with cursor and scroll.
#[derive(Debug)]
pub struct List<R: Row> {
    /// All rows in their order, from which narrowing chooses.
    pub(super) base: Vec<Arc<R>>,
    /// What filters left of them.
    pub(super) trail: Trail<R>,
    rows: Vec<Arc<R>>,
    selected: Option<R::Id>,
    cursor: usize,
    offset: usize,
    /// Sort order.
    pub sort: Sort,
    /// Rows there would be without narrowing, of every pod.
    pub all: usize,
    /// Rows that a bulk action would be about, also when a filter hides them.
    marked: IdSet<R::Id>,
}

impl<R: Row> Default for List<R> {
    fn default() -> Self {
        Self {
            base: vec![],
            trail: Trail::default(),
            rows: vec![],
            selected: None,
            cursor: 0,
            offset: 0,
            sort: Sort::default(),
            all: 0,
            marked: IdSet::default(),
        }
    }
}

impl<R: Row> List<R> {
    /// Rows in the order shown.
    pub fn rows(&self) -> &[Arc<R>] {
        &self.rows
    }

    /// Index of the first row on the screen.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Index of the row under the cursor; 0 in an empty list.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// The row under the cursor.
    pub fn current(&self) -> Option<&Arc<R>> {
        self.rows.get(self.cursor)
    }

    /// `all` rows, in the order in which they were and with new ones behind: what is nearly in
    /// order is sorted in a fraction of the time.
    pub(super) fn as_before<'a>(
        &self,
        all: impl Iterator<Item = &'a Arc<R>>,
        row: impl Fn(&R::Id) -> Option<&'a Arc<R>>,
    ) -> Vec<Arc<R>>
    where
        R: 'a,
    {
        let mut rows: Vec<Arc<R>> = Vec::with_capacity(self.base.len());
        rows.extend(self.base.iter().filter_map(|old| row(old.id()).cloned()));
        let old: IdSet<&R::Id> = self.base.iter().map(|row| row.id()).collect();
        rows.extend(all.filter(|row| !old.contains(row.id())).cloned());
        rows
    }

    /// All rows in their order have changed.
    pub(super) fn set_base(&mut self, rows: Vec<Arc<R>>) {
        let old = std::mem::replace(&mut self.base, rows);
        self.trail.forget(old);
    }

    /// Forgets what is shown, cursor and scroll.
    pub fn clear(&mut self) {
        (self.rows, self.selected, self.cursor, self.offset) = (vec![], None, 0, 0);
    }

    /// Replaces the rows by `rows`, which are in the order to be shown. With `keep` the rows that
    /// are already there keep their places, and new ones go to the end: nothing moves under a
    /// hand that is about to press a key.
    pub fn replace(&mut self, rows: Vec<Arc<R>>, keep: bool, page: usize) {
        let on_screen = self.cursor.saturating_sub(self.offset);
        let old = std::mem::replace(&mut self.rows, rows);
        if keep {
            self.keep_places(&old);
        }
        let found = self.selected.as_ref().and_then(|id| self.position(id));
        let fallback = self.cursor.min(self.rows.len().saturating_sub(1));
        self.cursor = found.unwrap_or(fallback);
        self.selected = self.current().map(|row| row.id().clone());
        self.offset = self.cursor.saturating_sub(on_screen);
        self.scroll_into_view(page);
    }

    fn keep_places(&mut self, old: &[Arc<R>]) {
        let places: IdMap<&R::Id, usize> = old
            .iter()
            .enumerate()
            .map(|(place, row)| (row.id(), place))
            .collect();
        self.rows
            .sort_by_cached_key(|row| places.get(row.id()).copied().unwrap_or(usize::MAX));
    }

    fn position(&self, id: &R::Id) -> Option<usize> {
        // Most refreshes leave the row where it was.
        if self.current().is_some_and(|row| row.id() == id) {
            return Some(self.cursor);
        }
        self.rows.iter().position(|row| row.id() == id)
    }

    /// True if the row is marked.
    pub fn is_marked(&self, id: &R::Id) -> bool {
        self.marked.contains(id)
    }

    /// Rows that are marked.
    pub fn marked(&self) -> usize {
        self.marked.len()
    }

    /// The marked rows that are in the list, else the one under the cursor.
    pub fn chosen(&self) -> Vec<&Arc<R>> {
        if self.marked.is_empty() {
            return self.current().into_iter().collect();
        }
        self.rows
            .iter()
            .filter(|row| self.is_marked(row.id()))
            .collect()
    }

    /// Marks and unmarks.
    pub fn mark(&mut self, what: Mark) {
        let shown = self.rows.iter().map(|row| row.id().clone());
        match what {
            Mark::Toggle => self.marked = self.toggled(self.selected.clone().into_iter()),
            Mark::Range => {
                let last = self
                    .rows
                    .iter()
                    .enumerate()
                    .filter(|(_, row)| self.is_marked(row.id()));
                let nearest = last
                    .map(|(at, _)| at)
                    .min_by_key(|at| at.abs_diff(self.cursor));
                let from = nearest.unwrap_or(self.cursor);
                let range = from.min(self.cursor)..=from.max(self.cursor);
                let ids = self.rows.get(range).unwrap_or_default().iter();
                self.marked.extend(ids.map(|row| row.id().clone()));
            }
            Mark::All => self.marked.extend(shown),
            Mark::Invert => self.marked = self.toggled(shown),
            Mark::None => self.marked.clear(),
        }
    }

    fn toggled(&self, ids: impl Iterator<Item = R::Id>) -> IdSet<R::Id> {
        let mut marked = self.marked.clone();
        for id in ids {
            if !marked.remove(&id) {
                marked.insert(id);
            }
        }
        marked
    }

    /// Forgets the marks of what is no longer there.
    pub fn keep_marks(&mut self, there: impl Fn(&R::Id) -> bool) {
        self.marked.retain(there);
    }

    /// Moves the cursor. `page` is the number of rows on the screen.
    pub fn go(&mut self, to: Move, page: usize) {
        let last = self.rows.len().saturating_sub(1);
        let half = isize::try_from((page / 2).max(1)).unwrap_or(1);
        let target = match to {
            Move::By(rows) => self.cursor.saturating_add_signed(rows),
            Move::HalfPages(halves) => self.cursor.saturating_add_signed(halves * half),
            Move::First => 0,
            Move::Last => last,
            Move::To(row) => row,
        };
        self.cursor = target.min(last);
        self.selected = self.current().map(|row| row.id().clone());
        self.scroll_into_view(page);
    }

    /// Puts the cursor on the row with this id. False if it is not in the list.
    pub fn select(&mut self, id: &R::Id, page: usize) -> bool {
        let found = self.position(id);
        if let Some(place) = found {
            self.go(Move::To(place), page);
        }
        found.is_some()
    }

    /// Scrolls so that the cursor is on the screen and no line stays empty without need.
    pub fn scroll_into_view(&mut self, page: usize) {
        let page = page.max(1);
        let highest = self.rows.len().saturating_sub(page);
        self.offset = self
            .offset
            .clamp((self.cursor + 1).saturating_sub(page), self.cursor);
        self.offset = self.offset.min(highest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug)]
    struct Item(u32);
    impl Row for Item {
        type Id = u32;
        fn id(&self) -> &u32 {
            &self.0
        }
    }

    fn rows(ids: &[u32]) -> Vec<Arc<Item>> {
        ids.iter().map(|id| Arc::new(Item(*id))).collect()
    }

    fn shown(list: &List<Item>) -> Vec<u32> {
        list.rows().iter().map(|row| row.0).collect()
    }

    #[test]
    fn the_selection_survives_and_stays_on_its_line() {
        let mut list = List::default();
        list.replace(rows(&[10, 20, 30, 40, 50]), false, 3);
        list.go(Move::To(3), 3);
        assert_eq!((list.current().unwrap().0, list.offset()), (40, 1));
        list.replace(rows(&[1, 2, 3, 10, 20, 30, 40, 50]), false, 3);
        assert_eq!(
            (list.current().unwrap().0, list.cursor() - list.offset()),
            (40, 2)
        );
    }

    #[test]
    fn rows_come_in_the_order_in_which_they_were() {
        let list = List {
            base: rows(&[5, 3, 9, 1]),
            ..List::default()
        };
        let now = rows(&[1, 2, 3, 5, 7]);
        let found = list.as_before(now.iter(), |id| now.iter().find(|row| row.0 == *id));
        let found: Vec<u32> = found.iter().map(|row| row.0).collect();
        assert_eq!(found, [5, 3, 1, 2, 7]);
    }

    #[test]
    fn when_the_selected_row_goes_its_neighbour_is_selected() {
        let mut list = List::default();
        list.replace(rows(&[1, 2, 3]), false, 9);
        list.go(Move::To(1), 9);
        list.replace(rows(&[1, 3]), false, 9);
        assert_eq!(list.current().unwrap().0, 3);
        list.replace(rows(&[]), false, 9);
        assert!(list.current().is_none());
    }

    #[test]
    fn while_keys_are_pressed_rows_keep_their_places() {
        let mut list = List::default();
        list.replace(rows(&[2, 4, 6]), false, 9);
        list.replace(rows(&[1, 6, 4, 3]), true, 9);
        assert_eq!(shown(&list), [4, 6, 1, 3]);
        list.replace(rows(&[1, 3, 4, 6]), false, 9);
        assert_eq!(shown(&list), [1, 3, 4, 6]);
    }

    #[test]
    fn marks_stay_with_their_rows() {
        let mut list = List::default();
        list.replace(rows(&[1, 2, 3, 4, 5]), false, 9);
        list.mark(Mark::Toggle);
        list.go(Move::To(2), 9);
        list.mark(Mark::Range);
        list.replace(rows(&[2, 5]), false, 9);
        let chosen = |list: &List<Item>| list.chosen().iter().map(|row| row.0).collect::<Vec<_>>();
        assert_eq!((list.marked(), chosen(&list)), (3, vec![2]));
        list.mark(Mark::Invert);
        assert_eq!((list.marked(), chosen(&list)), (3, vec![5]));
        list.keep_marks(|id| *id != 1);
        list.mark(Mark::All);
        assert_eq!((list.marked(), chosen(&list)), (3, vec![2, 5]));
        list.mark(Mark::None);
        assert_eq!(list.marked(), 0);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Go(Move, usize),
        Replace(Vec<u32>, bool, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        let go = prop_oneof![
            any::<i8>().prop_map(|n| Move::By(n.into())),
            any::<i8>().prop_map(|n| Move::HalfPages(n.into())),
            Just(Move::First),
            Just(Move::Last),
            (0usize..99).prop_map(Move::To),
        ];
        prop_oneof![
            (go, 0usize..20).prop_map(|(go, page)| Step::Go(go, page)),
            (
                proptest::collection::btree_set(0u32..40, 0..30),
                any::<bool>(),
                0usize..20
            )
                .prop_map(|(ids, keep, page)| Step::Replace(
                    ids.into_iter().collect(),
                    keep,
                    page
                )),
        ]
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_on_a_row_and_on_the_screen(
            steps in proptest::collection::vec(step(), 1..40)
        ) {
            let mut list: List<Item> = List::default();
            for step in steps {
                let (before, page) = (list.selected, match step {
                    Step::Go(_, page) | Step::Replace(_, _, page) => page,
                });
                match step {
                    Step::Go(to, page) => list.go(to, page),
                    Step::Replace(ids, keep, page) => {
                        let stays = before.is_some_and(|id| ids.contains(&id));
                        list.replace(rows(&ids), keep, page);
                        prop_assert!(!stays || list.selected == before);
                    }
                }
                prop_assert_eq!(list.current().map(|row| row.0), list.selected);
                prop_assert_eq!(list.rows().is_empty(), list.selected.is_none());
                prop_assert!(list.offset() <= list.cursor());
                prop_assert!(list.cursor() < list.offset() + page.max(1));
            }
        }
    }
}
