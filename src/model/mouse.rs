//! The mouse, for those who ask for it (`M`): a click selects a row or sorts by a head, the wheel
//! moves.

use crate::model::list::{Move, Sort};
use crate::model::{Model, Mouse, Panel, Seen, command};

/// Rows that a turn of the wheel moves.
const TURN: isize = 3;

/// The mouse was used at `(x, y)`.
pub fn used(model: &mut Model, seen: &Seen, mouse: Mouse, (x, y): (u16, u16)) {
    let uptime = model.clock.uptime;
    model.home.touched(uptime);
    if let Some(view) = model.log_mut() {
        if let Mouse::Wheel(turns) = mouse {
            view.go(Move::By(turns * TURN), command::area(seen));
        }
        return;
    }
    let height = seen.page.map_or(20, |page| page.height);
    if let (Some(view), history) = model.events_mut() {
        if let Mouse::Wheel(turns) = mouse {
            view.go(history, Move::By(turns * TURN), height);
        }
        return;
    }
    if let Some(view) = model.tree_mut() {
        if let Mouse::Wheel(turns) = mouse {
            view.go(Move::By(turns * TURN), height);
        }
        return;
    }
    if let Some(layer) = model.layers.last_mut() {
        if let (Mouse::Wheel(turns), Some(page)) = (mouse, seen.page) {
            let last = page.lines.saturating_sub(page.height);
            layer.scroll = layer.scroll.saturating_add_signed(turns * TURN).min(last);
        }
        return;
    }
    let at = Panel::ALL.into_iter().find_map(|panel| {
        let drawn = seen.panels[panel.index()].as_ref()?;
        let rows = drawn.rows;
        let inside = (rows.x..rows.right()).contains(&x) && y + 1 >= rows.y && y < rows.bottom();
        inside.then_some((panel, drawn))
    });
    let Some((panel, drawn)) = at else { return };
    if model.home.focus != panel {
        model.home.focus(panel, uptime);
    }
    match mouse {
        Mouse::Wheel(turns) => model.home.go(Move::By(turns * TURN), seen, uptime),
        Mouse::Click if y < drawn.rows.y => {
            let column = drawn
                .columns
                .iter()
                .find(|(from, to, _)| (*from..*to).contains(&x));
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
        Mouse::Click => {
            let row = usize::from(y - drawn.rows.y) + model.home.offset();
            model.home.go(Move::To(row), seen, uptime);
        }
    }
}
