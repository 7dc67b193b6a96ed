//! The mouse, for those who ask for it (`M`): a click selects a row, a click on the selected row
//! opens it, a click on a head sorts, the wheel moves, and the line between lists and preview can
//! be dragged.

use crate::layout::SPLIT;
use crate::model::list::{Move, Sort};
use crate::model::prompt::Purpose;
use crate::model::{Effect, Model, Mouse, Panel, PanelSeen, Seen, arranging, command};

/// Rows that a turn of the wheel moves.
const TURN: isize = 3;

/// The mouse was used at `(x, y)`.
pub fn used(model: &mut Model, seen: &Seen, mouse: Mouse, (x, y): (u16, u16)) -> Vec<Effect> {
    model.home.touched(model.clock.uptime);
    if model.confirm.is_some() {
        // A question is answered by keys: where the mouse hits what, and when, is too uncertain.
        return vec![];
    }
    match (&mut model.prompt, mouse) {
        (None, _) => {}
        (Some(prompt), Mouse::Wheel(turns)) => {
            let Purpose::Palette(palette) = &mut prompt.purpose else {
                return vec![];
            };
            palette.choose(turns);
            return palette.preview();
        }
        _ => return vec![],
    }
    match mouse {
        Mouse::Drag => {
            drag(model, seen, x);
            vec![]
        }
        Mouse::Release if model.comfort.dragging => {
            model.comfort.dragging = false;
            arranging::split(model, 0)
        }
        Mouse::Wheel(turns) => wheel(model, seen, turns, (x, y)),
        Mouse::Click if model.layers.is_empty() => click(model, seen, (x, y)),
        Mouse::Click | Mouse::Release => vec![],
    }
}

/// The panel at this place of the home screen; a row above its rows are its heads.
fn panel_at(seen: &Seen, (x, y): (u16, u16)) -> Option<(Panel, &PanelSeen)> {
    Panel::ALL.into_iter().find_map(|panel| {
        let drawn = seen.panels[panel.index()].as_ref()?;
        let rows = drawn.rows;
        let inside = (rows.x..rows.right()).contains(&x) && y + 1 >= rows.y && y < rows.bottom();
        inside.then_some((panel, drawn))
    })
}

fn wheel(model: &mut Model, seen: &Seen, turns: isize, at: (u16, u16)) -> Vec<Effect> {
    if model.layers.is_empty() {
        let Some((panel, _)) = panel_at(seen, at) else {
            return vec![];
        };
        if model.home.focus != panel {
            model.home.focus(panel, model.clock.uptime);
        }
    }
    command::go(model, seen, Move::By(turns * TURN))
}

/// Moves the line between lists and preview to column `x`.
fn drag(model: &mut Model, seen: &Seen, x: u16) {
    if let Some((_, area)) = seen.split.filter(|_| model.comfort.dragging) {
        let (_, least, most) = SPLIT;
        let share = u32::from(x.saturating_sub(area.x)) * 100 / u32::from(area.width.max(1));
        let share = u16::try_from(share).unwrap_or(most);
        model.home.arranged.split = share.clamp(least, most);
    }
}

fn click(model: &mut Model, seen: &Seen, (x, y): (u16, u16)) -> Vec<Effect> {
    let on_rule = seen.split.is_some_and(|(rule, area)| {
        // The line is thin: its neighbours count.
        rule.abs_diff(x) <= 1 && (area.y..area.bottom()).contains(&y)
    });
    if on_rule {
        model.comfort.dragging = true;
        return vec![];
    }
    let uptime = model.clock.uptime;
    let Some((panel, drawn)) = panel_at(seen, (x, y)) else {
        return vec![];
    };
    let focused = model.home.focus == panel;
    if !focused {
        model.home.focus(panel, uptime);
    }
    if y < drawn.rows.y {
        sort(model, drawn, x);
        return vec![];
    }
    let row = usize::from(y - drawn.rows.y) + model.home.offset();
    let before = model.home.subject().filter(|_| focused);
    model.home.go(Move::To(row), seen, uptime);
    let beyond = row > model.home.cursor();
    if before.is_some() && before == model.home.subject() && !beyond {
        return command::open(model, seen);
    }
    vec![]
}

/// Sorts by the column whose head is at `x`; by the same once more: the other way round.
fn sort(model: &mut Model, drawn: &PanelSeen, x: u16) {
    let mut columns = drawn.columns.iter();
    let column = columns.find(|(from, to, _)| (*from..*to).contains(&x));
    if let Some((.., column)) = column {
        let (sort, _) = model.home.sort_mut();
        let again = sort.column == Some(*column);
        *sort = Sort {
            column: Some(*column),
            reverse: again && !sort.reverse,
        };
        model.home.resort();
    }
}
