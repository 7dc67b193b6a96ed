//! The view of a tree: rows, folding, search.

use std::sync::Arc;
use std::time::Duration;

use crate::logs::Sought;
use crate::model::inspect::About;
use crate::model::list::Move;
use crate::text::Text;
use crate::tree::{Key, Tree, Value};

/// A branch with more nodes than this below it begins folded, unless it is near the root.
const LARGE: usize = 150;
/// Branches so deep are near the root.
const NEAR: u16 = 2;

/// One line of the view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// The node.
    pub node: usize,
    /// The line that closes it, in JSON.
    pub closes: bool,
}

/// A tree on the screen.
#[derive(Debug)]
pub struct TreeView {
    /// Whose it is.
    pub about: About,
    /// Its title.
    pub title: Text,
    /// As JSON, not YAML.
    pub json: bool,
    /// The tree, once it is known.
    pub tree: Option<Arc<Tree>>,
    /// The lines that are not folded away.
    pub rows: Vec<Row>,
    /// The line under the cursor.
    pub cursor: usize,
    /// The first line on the screen.
    pub top: usize,
    /// What is searched for.
    pub search: Option<Sought>,
    /// How many nodes match.
    pub matches: usize,
    /// The value under the cursor is shown in full.
    pub whole: bool,
    /// A masked value as it is, for a moment.
    pub revealed: Option<Revealed>,
    /// The path of the node that the cursor goes to once the tree is known.
    pub goal: Option<Text>,
    folded: Vec<bool>,
    /// Lines that fit on the screen.
    height: usize,
}

/// A value that is masked everywhere else.
#[derive(Debug)]
pub struct Revealed {
    /// Where it is.
    pub keys: Vec<Key>,
    /// What it is.
    pub text: Text,
    /// Until when it is shown, by [`Clock::uptime`](crate::model::Clock::uptime).
    pub until: Duration,
}

impl TreeView {
    /// A view of something that may not be known yet.
    pub fn new(about: About, title: Text) -> Self {
        Self {
            about,
            title,
            json: false,
            tree: None,
            rows: vec![],
            cursor: 0,
            top: 0,
            search: None,
            matches: 0,
            whole: false,
            revealed: None,
            goal: None,
            folded: vec![],
            height: 1,
        }
    }

    /// Shows a tree; one that is like that before keeps its folds and cursor.
    pub fn show(&mut self, tree: &Arc<Tree>) {
        if self
            .tree
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, tree))
        {
            return;
        }
        let here = self.node().map(|at| self.path_of(at));
        let nodes = tree.nodes();
        self.folded = (0..nodes.len())
            .map(|at| nodes[at].depth > NEAR && tree.end(at) - at > LARGE)
            .collect();
        self.tree = Some(Arc::clone(tree));
        self.lay_out();
        let same = here.and_then(|path| {
            let is = |row: &Row| tree.path(row.node) == path;
            self.rows.iter().position(is)
        });
        self.cursor = same.unwrap_or(0);
        self.count();
        if let Some(path) = self.goal.take() {
            self.reach(path.as_str());
        }
    }

    /// Goes to the node of this path, or to the nearest above it.
    fn reach(&mut self, path: &str) {
        let Some(tree) = self.tree.clone() else {
            return;
        };
        let leads = |at: &usize| {
            let own = tree.path(*at);
            let rest = path.strip_prefix(own.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        // What is above comes first, so the last that leads there is the nearest.
        let nearest = (1..tree.nodes().len()).rev().find(leads);
        if let Some(found) = nearest {
            self.unfold_above(&tree, found);
        }
    }

    /// Goes to a node, whatever it is folded into.
    fn unfold_above(&mut self, tree: &Tree, found: usize) {
        let mut above = tree.parent(found);
        while let Some(at) = above {
            self.folded[at] = false;
            above = tree.parent(at);
        }
        self.lay_out_at(Some(found));
    }

    fn path_of(&self, at: usize) -> String {
        self.tree
            .as_ref()
            .map_or_else(String::new, |tree| tree.path(at))
    }

    /// The node under the cursor.
    pub fn node(&self) -> Option<usize> {
        self.rows.get(self.cursor).map(|row| row.node)
    }

    /// Its path.
    pub fn path(&self) -> String {
        self.node().map_or_else(String::new, |at| self.path_of(at))
    }

    /// The keys to the masked value on the line of the cursor.
    pub fn masked(&self) -> Option<Vec<Key>> {
        let (tree, at) = (self.tree.as_ref()?, self.node()?);
        let line = [Some(at), self.beside(at)];
        let masked = line.into_iter().flatten().find(|at| tree.is_masked(*at))?;
        Some(tree.keys(masked))
    }

    /// True if what lies below a node is not shown.
    pub fn is_folded(&self, at: usize) -> bool {
        self.folded.get(at).copied().unwrap_or(false)
    }

    /// The first child of an item of a list, when it shares the item's line: `- name: x`.
    pub fn beside(&self, at: usize) -> Option<usize> {
        let tree = self.tree.as_ref()?;
        let node = tree.nodes().get(at)?;
        let shares = !self.json
            && !self.is_folded(at)
            && matches!((&node.key, &node.value), (Key::Item(_), Value::Map));
        let first = tree.children(at).next().filter(|_| shares)?;
        (!tree.is_branch(first)).then_some(first)
    }

    /// Puts the rows together.
    fn lay_out(&mut self) {
        let Some(tree) = self.tree.clone() else {
            return;
        };
        let count = tree.nodes().len();
        let mut rows = Vec::with_capacity(count);
        let mut open: Vec<usize> = Vec::new();
        // The root of YAML has no line of its own.
        let mut at = usize::from(!self.json && tree.is_branch(0) && count > 1);
        while at < count {
            while let Some(&last) = open.last().filter(|last| tree.end(**last) <= at) {
                rows.push(Row {
                    node: last,
                    closes: true,
                });
                open.pop();
            }
            rows.push(Row {
                node: at,
                closes: false,
            });
            let branch = tree.is_branch(at) && tree.end(at) > at + 1;
            at = if branch && self.is_folded(at) {
                tree.end(at)
            } else if let Some(first) = self.beside(at) {
                first + 1
            } else {
                if branch && self.json {
                    open.push(at);
                }
                at + 1
            };
        }
        rows.extend(
            open.into_iter()
                .rev()
                .map(|node| Row { node, closes: true }),
        );
        self.rows = rows;
    }

    /// Puts the rows together again, with the cursor on the same node or the one above it.
    fn lay_out_at(&mut self, node: Option<usize>) {
        self.lay_out();
        let Some(node) = node else { return };
        let reached = self
            .rows
            .iter()
            .take_while(|row| row.node <= node || row.closes)
            .count();
        let rows = &self.rows[..reached];
        let at = rows.iter().rposition(|row| !row.closes && row.node <= node);
        self.cursor = at.unwrap_or(0);
        // What is far away comes to the middle, with what stands around it.
        if self.cursor < self.top || self.cursor >= self.top + self.height {
            self.top = self.cursor.saturating_sub(self.height / 2);
        }
    }

    /// Folds the branch under the cursor, or unfolds it.
    pub fn toggle(&mut self) {
        let node = self.node();
        let branch = node.filter(|at| self.tree.as_ref().is_some_and(|tree| tree.is_branch(*at)));
        if let Some(at) = branch {
            self.folded[at] = !self.folded[at];
            self.lay_out_at(node);
        }
    }

    /// Folds the branch under the cursor; what is none, or is folded, goes to the branch above.
    pub fn fold(&mut self) {
        let (Some(at), Some(tree)) = (self.node(), self.tree.clone()) else {
            return;
        };
        if tree.is_branch(at) && !self.folded[at] && tree.end(at) > at + 1 {
            self.folded[at] = true;
            self.lay_out_at(Some(at));
        } else if let Some(above) = tree.parent(at) {
            self.lay_out_at(Some(above));
        }
    }

    /// Unfolds the branch under the cursor.
    pub fn unfold(&mut self) {
        let Some(at) = self.node().filter(|at| self.is_folded(*at)) else {
            return;
        };
        self.folded[at] = false;
        self.lay_out_at(Some(at));
    }

    /// Folds every branch right below the upper ones, or unfolds all there is.
    pub fn fold_all(&mut self, folded: bool) {
        let (node, Some(tree)) = (self.node(), self.tree.clone()) else {
            return;
        };
        for (at, fold) in self.folded.iter_mut().enumerate() {
            *fold = folded && tree.nodes()[at].depth >= NEAR && tree.is_branch(at);
        }
        self.lay_out_at(node);
    }

    /// YAML or JSON.
    pub fn change_form(&mut self) {
        let node = self.node();
        self.json = !self.json;
        self.lay_out_at(node);
    }

    /// Moves the cursor; `height` lines fit.
    pub fn go(&mut self, to: Move, height: usize) {
        let half = isize::try_from((height / 2).max(1)).unwrap_or(1);
        let target = match to {
            Move::By(lines) => self.cursor.saturating_add_signed(lines),
            Move::HalfPages(halves) => self.cursor.saturating_add_signed(halves * half),
            Move::First => 0,
            Move::Last => usize::MAX,
            Move::To(line) => line,
        };
        self.cursor = target.min(self.rows.len().saturating_sub(1));
    }

    /// Scrolls so that the cursor can be seen. True if it did.
    pub fn fit(&mut self, height: usize) -> bool {
        let before = (self.cursor, self.top);
        self.height = height;
        self.cursor = self.cursor.min(self.rows.len().saturating_sub(1));
        let lowest = self.rows.len().saturating_sub(height);
        let first = (self.cursor + 1).saturating_sub(height);
        self.top = self.top.clamp(first, self.cursor.max(first)).min(lowest);
        before != (self.cursor, self.top)
    }

    /// To the next node that matches, around the end; false if there is none. What it is folded
    /// into is unfolded. A masked value is never found.
    pub fn seek(&mut self, back: bool) -> bool {
        let (Some(tree), Some(sought)) = (self.tree.clone(), self.search.clone()) else {
            return false;
        };
        let count = tree.nodes().len();
        let here = self.node().unwrap_or(0);
        // The cursor stands for both halves of a shared line.
        let skip = self.beside(here).unwrap_or(here);
        let matches = |at: &usize| matched(&tree, *at, &sought);
        let found = if back {
            let before = (0..here).rev().find(matches);
            before.or_else(|| (here..count).rev().find(matches))
        } else {
            let after = (skip + 1..count).find(matches);
            after.or_else(|| (0..count.min(skip + 1)).find(matches))
        };
        let Some(found) = found else { return false };
        self.unfold_above(&tree, found);
        true
    }

    /// Searches from the cursor on; false if nothing matches.
    pub fn search(&mut self, sought: Option<Sought>) -> bool {
        self.search = sought;
        self.count();
        self.search.is_none() || self.seek(false)
    }

    /// Ends the search; false if there is none.
    pub fn drop_search(&mut self) -> bool {
        self.matches = 0;
        self.search.take().is_some()
    }

    fn count(&mut self) {
        self.matches = match (&self.tree, &self.search) {
            (Some(tree), Some(sought)) => (0..tree.nodes().len())
                .filter(|at| matched(tree, *at, sought))
                .count(),
            _ => 0,
        };
    }

    /// Folds a branch or unfolds it; shows a value in full, or no more.
    pub fn enter(&mut self) {
        let branch = |at| self.tree.as_ref().is_some_and(|tree| tree.is_branch(at));
        match self.node() {
            Some(at) if branch(at) => self.toggle(),
            _ => self.whole = !self.whole,
        }
    }

    /// What the cursor is on: a value, or a branch in the form that is shown.
    pub fn value(&self) -> Option<String> {
        let (tree, at) = (self.tree.as_ref()?, self.node()?);
        if let Some(text) = tree.shown(at) {
            return Some(text.to_owned());
        }
        Some(if self.json {
            tree.json(at)
        } else {
            tree.yaml(at)
        })
    }
}

/// True if the name or the value of a node is sought.
fn matched(tree: &Tree, at: usize, sought: &Sought) -> bool {
    let node = &tree.nodes()[at];
    let is = |text: &str| sought.pattern().is_match(text.as_bytes());
    let named = matches!(&node.key, Key::Name(name) if is(name.as_str()));
    named || (!tree.is_masked(at) && tree.shown(at).is_some_and(is))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::{Value as Json, json};

    fn view(json: &Json) -> TreeView {
        let mut view = TreeView::new(About::Runtime, "t".into());
        view.show(&Arc::new(Tree::of(json)));
        view
    }

    fn sample() -> Json {
        json!({"envs": [{"key": "A", "value": "1"}, {"key": "PASSWORD", "value": "x"}],
            "image": "busybox", "list": [1, 2], "z": {}})
    }

    fn paths(view: &TreeView) -> Vec<String> {
        let tree = view.tree.as_ref().unwrap();
        let path = |row: &Row| {
            format!(
                "{}{}",
                tree.path(row.node),
                if row.closes { "}" } else { "" }
            )
        };
        view.rows.iter().map(path).collect()
    }

    #[test]
    fn one_row_for_each_line() {
        let mut view = view(&sample());
        let yaml = [
            ".envs",
            ".envs[0]",
            ".envs[0].value",
            ".envs[1]",
            ".envs[1].value",
            ".image",
            ".list",
            ".list[0]",
            ".list[1]",
            ".z",
        ];
        assert_eq!(paths(&view), yaml);
        view.change_form();
        assert_eq!(
            view.rows.len(),
            view.tree.as_ref().unwrap().json(0).lines().count()
        );
    }

    #[rstest]
    #[case("busy", Some(".image"))]
    #[case("value", Some(".envs[0].value"))]
    #[case("nothing", None)]
    // Masked: neither the value nor what stands in its place.
    #[case("x", Some(".image"))]
    #[case("masked", None)]
    fn searching(#[case] text: &str, #[case] expected: Option<&str>) {
        let mut view = view(&sample());
        view.fold_all(true);
        view.search = Sought::parse(text).unwrap();
        let found = view.seek(false);
        assert_eq!(found.then(|| view.path()).as_deref(), expected);
    }

    #[test]
    fn folding_keeps_the_cursor() {
        let mut view = view(&sample());
        view.go(Move::By(2), 10);
        assert_eq!(view.path(), ".envs[0].value");
        view.fold();
        assert_eq!(view.path(), ".envs[0]");
        view.fold();
        view.fold();
        assert_eq!(view.path(), ".envs");
        view.fold();
        assert_eq!(view.rows.len(), 6);
        view.toggle();
        assert_eq!(view.rows.len(), 9, "one item is still folded");
        assert_eq!(view.value().unwrap().lines().count(), 4);
    }

    proptest! {
        #[test]
        fn any_keys_leave_it_whole(keys in prop::collection::vec(0u8..11, 0..60), height in 1usize..9) {
            let mut view = view(&sample());
            view.search = Sought::parse("e").unwrap();
            for key in keys {
                match key {
                    0 => view.go(Move::By(1), height),
                    1 => view.go(Move::By(-3), height),
                    2 => view.go(Move::Last, height),
                    3 => view.toggle(),
                    4 => view.fold(),
                    5 => view.unfold(),
                    6 => view.fold_all(true),
                    7 => view.fold_all(false),
                    8 => view.change_form(),
                    9 => drop(view.seek(true)),
                    _ => drop(view.seek(false)),
                }
                view.fit(height);
                prop_assert!(view.cursor < view.rows.len());
                prop_assert!(view.top <= view.cursor && view.cursor < view.top + height);
            }
        }
    }
}
