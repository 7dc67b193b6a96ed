//! Which columns stand where: those that fit, or those that were chosen, from the one on to which
//! was scrolled.

use crate::model::arrange::Arrangement;
use crate::widgets::table::{GAP, Slot, fit};

/// What a column that is not to be shown asks for: no room is enough.
pub const HIDDEN: Slot = Slot {
    least: u16::MAX / 2,
    want: 0,
    rank: u8::MAX,
};
/// Fewer cells of a column than this are of no use.
const LEAST: u16 = 6;

/// The columns of a list on the screen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// Their places in the table of columns, and their widths, from the left.
    pub shown: Vec<(usize, u16)>,
    /// Others stand further to the right.
    pub more: bool,
    /// Columns that are left of those behind the name.
    pub shift: usize,
}

/// Plans a line of `room` cells; `shift` columns behind the name are left of it.
pub fn plan(slots: &[Slot], arrangement: &Arrangement, shift: usize, room: u16) -> Plan {
    if arrangement.chosen().is_none() && shift == 0 {
        return fitting(slots, room);
    }
    if shift == 0
        && let Some(plan) = chosen_that_fit(slots, arrangement, room)
    {
        return plan;
    }
    let all: Vec<(usize, Option<u16>)> = match arrangement.chosen() {
        Some(chosen) => chosen.iter().map(|one| (one.column, one.width)).collect(),
        None => (0..slots.len()).map(|column| (column, None)).collect(),
    };
    let known =
        |(column, _): &&(usize, Option<u16>)| slots.get(*column).is_some_and(|s| *s != HIDDEN);
    let columns = all.iter().filter(known).map(|(column, width)| {
        let slot = slots[*column];
        (*column, width.unwrap_or(slot.want.max(slot.least)))
    });
    let columns: Vec<(usize, u16)> = columns.collect();
    let Some(((name, wanted), rest)) = columns.split_first() else {
        return Plan::default();
    };
    // The name is always there, and leaves room for what is looked for.
    let cut = (*wanted).min((room / 2).max(slots[*name].least.min(room)));
    let behind = room.saturating_sub(cut);
    let mut plan = Plan {
        shown: vec![(*name, cut)],
        more: false,
        // Nobody scrolls beyond the last column.
        shift: shift.min(enough(rest, behind)),
    };
    let mut left = behind;
    for (column, wanted) in &rest[plan.shift..] {
        let Some(space) = left.checked_sub(GAP) else {
            plan.more |= *wanted > 0;
            break;
        };
        let width = (*wanted).min(space);
        plan.more |= width < *wanted;
        if width < (*wanted).min(LEAST) {
            break;
        }
        plan.shown.push((*column, width));
        left = space - width;
    }
    if !plan.more {
        plan.shown[0].1 = (*wanted).min(cut + left);
    }
    plan
}

/// How many of `columns` must go before the others fit in `room` cells; one stays.
fn enough(columns: &[(usize, u16)], room: u16) -> usize {
    let mut taken: u16 = 0;
    let fit = columns.iter().rev().take_while(|(_, width)| {
        taken = taken.saturating_add(width.saturating_add(GAP));
        taken <= room
    });
    (columns.len() - fit.count()).min(columns.len().saturating_sub(1))
}

/// All chosen columns, if what they hold can be cut so that they fit.
fn chosen_that_fit(slots: &[Slot], arrangement: &Arrangement, room: u16) -> Option<Plan> {
    let chosen = arrangement.chosen()?.iter();
    let chosen = chosen.filter_map(|one| Some((one.column, one.width, *slots.get(one.column)?)));
    let known: Vec<(usize, Slot)> = chosen
        .filter(|(.., slot)| *slot != HIDDEN)
        .map(|(column, width, slot)| {
            let own = |width| Slot {
                least: width,
                want: width,
                ..slot
            };
            (column, width.map_or(slot, own))
        })
        .collect();
    let slots: Vec<Slot> = known.iter().map(|(_, slot)| *slot).collect();
    let widths: Option<Vec<u16>> = fit(&slots, room).into_iter().collect();
    let columns = known.iter().map(|(column, _)| *column);
    Some(Plan {
        shown: columns.zip(widths?).collect(),
        ..Plan::default()
    })
}

fn fitting(slots: &[Slot], room: u16) -> Plan {
    let fitted = fit(slots, room);
    let shown = fitted.iter().enumerate();
    let shown = shown.filter_map(|(column, width)| Some((column, (*width)?)));
    let left_out = |(slot, width): (&Slot, &Option<u16>)| width.is_none() && *slot != HIDDEN;
    Plan {
        shown: shown.collect(),
        more: slots.iter().zip(&fitted).any(left_out),
        shift: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Panel;
    use proptest::prelude::*;

    fn slots(wants: &[u16]) -> Vec<Slot> {
        let slot = |(rank, want): (usize, &u16)| Slot {
            least: 4.min(*want),
            want: *want,
            rank: u8::try_from(rank).unwrap(),
        };
        wants.iter().enumerate().map(slot).collect()
    }

    fn own(line: &str) -> Arrangement {
        let texts: Vec<String> = line.split(',').map(str::to_owned).collect();
        Arrangement::parse(Panel::Pods, &texts).unwrap()
    }

    #[test]
    fn chosen_columns_stand_in_their_order_and_the_name_first() {
        let plan = plan(&slots(&[8, 6, 5, 7]), &own("status,ready,name"), 0, 60);
        assert_eq!(plan.shown, [(0, 8), (3, 7), (2, 5)]);
        assert!(!plan.more);
    }

    #[test]
    fn what_does_not_fit_is_scrolled_to_and_the_name_stays() {
        let (slots, all) = (slots(&[8, 10, 10, 10]), own("name,namespace,ready,status"));
        let first = plan(&slots, &all, 0, 24);
        assert_eq!((first.shown, first.more), (vec![(0, 8), (1, 10)], true));
        let second = plan(&slots, &all, 1, 24);
        assert_eq!((second.shown, second.more), (vec![(0, 8), (2, 10)], true));
        let last = plan(&slots, &all, 2, 24);
        assert_eq!((last.shown, last.more), (vec![(0, 8), (3, 10)], false));
        assert_eq!(plan(&slots, &all, 9, 24).shift, 2);
    }

    #[test]
    fn a_column_without_width_needs_room_for_its_gap() {
        for (last, more) in [(0, false), (5, true)] {
            let slots = slots(&[8, 10, 18, last]);
            let plan = plan(&slots, &own("all"), 1, 8 + GAP + 18);
            assert_eq!((plan.shown, plan.more), (vec![(0, 8), (2, 18)], more));
        }
    }

    #[test]
    fn without_a_choice_scrolling_goes_through_all() {
        let slots = slots(&[8, 10, 10, 10]);
        let fit = Arrangement::default();
        assert!(plan(&slots, &fit, 0, 24).more);
        assert_eq!(plan(&slots, &fit, 2, 24).shown, [(0, 8), (3, 10)]);
        assert!(!plan(&slots, &fit, 0, 80).more);
    }

    #[test]
    fn a_long_name_gives_way_and_takes_what_is_left() {
        let slots = slots(&[40, 10, 10]);
        let all = own("all");
        assert_eq!(plan(&slots, &all, 0, 40).shown[0], (0, 28));
        assert_eq!(plan(&slots, &all, 1, 40).shown, [(0, 28), (2, 10)]);
    }

    proptest! {
        #[test]
        fn the_name_never_vanishes_and_nothing_overflows(
            wants in proptest::collection::vec(0u16..60, 1..12),
            order in proptest::collection::vec((0usize..11, proptest::option::of(4u16..121)), 0..11),
            shift in 0usize..14,
            room in 0u16..200,
        ) {
            let mut slots = slots(&wants);
            if wants.len() > 2 {
                slots[2] = HIDDEN;
            }
            let chosen = order.into_iter().map(|(column, width)| crate::model::arrange::Chosen { column, width });
            let plan = plan(&slots, &Arrangement::of(chosen.collect()), shift, room);
            let total: u16 = plan.shown.iter().map(|(_, width)| width).sum();
            let gaps = GAP * u16::try_from(plan.shown.len().saturating_sub(1)).unwrap();
            prop_assert!(total + gaps <= room.max(total.min(room)) || plan.shown.len() <= 1);
            if room >= 4 {
                prop_assert_eq!(plan.shown[0].0, 0);
            }
            prop_assert!(plan.shown.iter().all(|(column, _)| slots[*column] != HIDDEN));
        }
    }
}
