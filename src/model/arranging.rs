//! The dialog of columns: what is chosen, in which order, how wide.

use crate::layout::{Layout, SPLIT};
use crate::model::arrange::{Arrangement, Chosen, WIDTHS, essential, names};
use crate::model::list::Move;
use crate::model::{Effect, Layer, Model, Page, Panel, Seen};

/// Cells that one key makes a column wider.
const STEP: u16 = 2;

/// A line of the dialog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// The column.
    pub column: usize,
    /// Whether it is shown.
    pub shown: bool,
    /// Cells it takes; `None` for what it holds.
    pub width: Option<u16>,
}

/// An open dialog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dialog {
    /// Whose columns.
    pub panel: Panel,
    /// All of them, in the order in which they are shown.
    pub lines: Vec<Line>,
    /// The line under the cursor.
    pub cursor: usize,
    /// What comes of it.
    pub draft: Arrangement,
}

impl Dialog {
    /// The columns of `panel` as they are; those on the screen count as chosen where nobody has
    /// chosen any.
    fn new(model: &Model, seen: &Seen) -> Self {
        let panel = model.home.focus;
        let mut dialog = Self {
            panel,
            lines: vec![],
            cursor: 0,
            draft: model.home.arranged.columns[panel.index()].clone(),
        };
        let on_screen = seen.panels[panel.index()].as_ref();
        let on_screen = on_screen.map(|seen| seen.columns.iter().map(|(.., column)| *column));
        let on_screen = on_screen.map_or_else(|| essential(panel), Iterator::collect);
        dialog.list(&on_screen);
        dialog
    }

    /// Lists the columns: the chosen ones first, in their order.
    fn list(&mut self, on_screen: &[usize]) {
        let count = names(self.panel).len();
        let line = |column, shown, width| Line {
            column,
            shown,
            width,
        };
        self.lines = match self.draft.chosen() {
            Some(chosen) => {
                let rest = (0..count).filter(|at| chosen.iter().all(|one| one.column != *at));
                let first = chosen.iter().map(|one| line(one.column, true, one.width));
                first.chain(rest.map(|at| line(at, false, None))).collect()
            }
            None => (0..count)
                .map(|at| line(at, on_screen.contains(&at), None))
                .collect(),
        };
    }

    /// Takes over what the lines say.
    fn settle(&mut self) {
        let shown = self.lines.iter().filter(|line| line.shown);
        let chosen = shown.map(|line| Chosen {
            column: line.column,
            width: line.width,
        });
        self.draft = Arrangement::of(chosen.collect());
    }

    fn toggle(&mut self) {
        let line = &mut self.lines[self.cursor];
        // The name never goes.
        line.shown = !line.shown || line.column == 0;
        self.settle();
    }

    /// Moves the column under the cursor; the name stays the first.
    fn shift(&mut self, by: isize) {
        let to = self.cursor.saturating_add_signed(by);
        if self.cursor > 0 && to > 0 && to < self.lines.len() {
            self.lines.swap(self.cursor, to);
            self.cursor = to;
            self.settle();
        }
    }

    /// Makes the column wider or narrower than it is drawn; `None` for what it holds.
    fn resize(&mut self, seen: &Seen, held: &[u16], by: Option<isize>) {
        let names = names(self.panel);
        let line = &mut self.lines[self.cursor];
        line.width = by.map(|by| {
            let spans = seen.panels[self.panel.index()].as_ref();
            let spans = spans.map_or(&[][..], |seen| &seen.columns);
            let drawn = spans.iter().find(|(.., column)| *column == line.column);
            // What is not on the screen is as wide as what it holds, and its head.
            let name = names.get(line.column).map_or(0, String::len);
            let least = u16::try_from(name).unwrap_or(WIDTHS.0);
            let content = held
                .get(line.column)
                .map_or(least, |cells| least.max(*cells));
            let drawn = drawn.map_or(content, |(from, to, _)| to - from);
            let by = i16::try_from(by).unwrap_or(0) * STEP.cast_signed();
            let wanted = line.width.unwrap_or(drawn).saturating_add_signed(by);
            wanted.clamp(WIDTHS.0, WIDTHS.1)
        });
        line.shown = true;
        self.settle();
    }
}

/// Opens the dialog.
pub fn open(model: &mut Model, seen: &Seen) -> Vec<Effect> {
    let dialog = Dialog::new(model, seen);
    model.layers.push(Layer {
        page: Page::Columns(Box::new(dialog)),
        scroll: 0,
    });
    vec![]
}

/// The dialog, if it is on top.
pub fn dialog(model: &mut Model) -> Option<&mut Dialog> {
    match &mut model.layers.last_mut()?.page {
        Page::Columns(dialog) => Some(dialog),
        _ => None,
    }
}

/// Moves the cursor of the dialog. False if there is none.
pub fn go(model: &mut Model, to: Move) -> bool {
    let Some(dialog) = dialog(model) else {
        return false;
    };
    let last = dialog.lines.len().saturating_sub(1);
    let page = isize::try_from(dialog.lines.len() / 2).unwrap_or(1);
    dialog.cursor = match to {
        Move::By(by) => dialog.cursor.saturating_add_signed(by),
        Move::HalfPages(halves) => dialog.cursor.saturating_add_signed(halves * page),
        Move::First => 0,
        Move::Last => last,
        Move::To(line) => line,
    }
    .min(last);
    true
}

/// What a key does to the dialog.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Shows the column, or hides it.
    Toggle,
    /// Moves it so many places.
    Shift(isize),
    /// Makes it wider, or narrower; `None` for what it holds.
    Resize(Option<isize>),
    /// Takes the next preset.
    Preset,
}

/// Changes what the dialog proposes.
pub fn change(model: &mut Model, seen: &Seen, change: Change) -> Vec<Effect> {
    let held = model.home.widths[model.home.focus.index()].clone();
    if let Some(dialog) = dialog(model) {
        match change {
            Change::Toggle => dialog.toggle(),
            Change::Shift(by) => dialog.shift(by),
            Change::Resize(by) => dialog.resize(seen, &held, by),
            Change::Preset => {
                dialog.draft = dialog.draft.next_preset(dialog.panel);
                let all: Vec<usize> = (0..dialog.lines.len()).collect();
                dialog.list(&all);
            }
        }
    }
    vec![]
}

/// Takes over what the dialog proposes, and has it remembered.
pub fn keep(model: &mut Model, _: &Seen) -> Vec<Effect> {
    let Some(dialog) = dialog(model) else {
        return vec![];
    };
    let (panel, draft) = (dialog.panel, dialog.draft.clone());
    model.layers.pop();
    arrange(model, panel, draft)
}

/// The next preset, without the dialog.
pub fn next_preset(model: &mut Model, _: &Seen) -> Vec<Effect> {
    let panel = model.home.focus;
    let next = model.home.arranged.columns[panel.index()].next_preset(panel);
    arrange(model, panel, next)
}

fn arrange(model: &mut Model, panel: Panel, columns: Arrangement) -> Vec<Effect> {
    let name = columns.preset_name(panel).unwrap_or("your own");
    model.home.arranged.columns[panel.index()] = columns;
    model.home.arranged.shift[panel.index()] = 0;
    vec![Effect::Remember(Box::new(layout(model)), name)]
}

/// Shows columns further to the right, or to the left again.
pub fn scroll(model: &mut Model, seen: &Seen, right: bool) -> Vec<Effect> {
    let panel = model.home.focus.index();
    let more = seen.panels[panel].as_ref().is_some_and(|seen| seen.more);
    let shift = &mut model.home.arranged.shift[panel];
    match right {
        true if more => *shift += 1,
        true => {}
        false => *shift = shift.saturating_sub(1),
    }
    vec![]
}

/// What is to be there again at the next start.
pub fn layout(model: &Model) -> Layout {
    let columns = |panel: Panel| model.home.arranged.columns[panel.index()].print(panel);
    Layout {
        hint: model.comfort.hint,
        split: model.home.arranged.split,
        pods: columns(Panel::Pods),
        containers: columns(Panel::Containers),
        images: columns(Panel::Images),
    }
}

/// Takes over what was remembered; the error names what is wrong, and the rest holds.
pub fn take(model: &mut Model, layout: &Layout) -> Result<(), String> {
    model.comfort.hint = layout.hint;
    model.home.arranged.split = layout.split;
    let mut wrong = None;
    for (panel, texts) in
        Panel::ALL
            .into_iter()
            .zip([&layout.pods, &layout.containers, &layout.images])
    {
        match Arrangement::parse(panel, texts) {
            Ok(columns) => model.home.arranged.columns[panel.index()] = columns,
            Err(name) => wrong = Some(format!("{}: no column {name}", panel.title())),
        }
    }
    wrong.map_or(Ok(()), Err)
}

/// Gives the lists more room beside the preview, or less, in percent.
pub fn split(model: &mut Model, by: i16) -> Vec<Effect> {
    let (_, least, most) = SPLIT;
    let split = model.home.arranged.split.saturating_add_signed(by);
    model.home.arranged.split = split.clamp(least, most);
    vec![Effect::Remember(Box::new(layout(model)), "")]
}

/// A key was pressed: whoever presses keys needs no hint any more.
pub fn first_key(model: &mut Model) -> Vec<Effect> {
    if std::mem::take(&mut model.comfort.hint) {
        return vec![Effect::Remember(Box::new(layout(model)), "")];
    }
    vec![]
}
