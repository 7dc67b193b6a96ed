//! Which columns a list shows, in which order and how wide. The first column, the name, is always
//! there and always first.

use crate::layout::SPLIT;
use crate::model::columns::{CONTAINERS, Column, IMAGES, PODS};
use crate::model::{Panel, sorting};

/// The arrangement that is there without settings: what fits, the most important first.
pub const FIT: &str = "fit";
/// Every column.
const ALL: &str = "all";
/// Arrangements by name, besides [`FIT`] and [`ALL`], by [`Panel::index`].
const PRESETS: [&[(&str, &[&str])]; 3] = [
    &[
        ("usage", &["status", "cpu", "mem", "restarts", "age"]),
        ("network", &["namespace", "ready", "status", "ip", "age"]),
        (
            "ids",
            &["namespace", "attempt", "sandbox-id", "status", "age"],
        ),
    ],
    &[
        (
            "usage",
            &["status", "cpu", "mem", "%limit", "cpu-1-min", "age"],
        ),
        ("images", &["pod", "status", "image", "age"]),
        ("ids", &["attempt", "container-id", "sandbox-id", "status"]),
    ],
    &[
        ("use", &["used-by", "size"]),
        ("ids", &["tags", "image-id", "digest", "size"]),
    ],
];
/// The narrowest and the widest that one can ask for, in cells.
pub const WIDTHS: (u16, u16) = (4, 120);

/// A column that is to be shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chosen {
    /// Its place in the list's table of columns.
    pub column: usize,
    /// Cells it takes; `None` for what it holds.
    pub width: Option<u16>,
}

/// How the lists are laid out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arranged {
    /// The columns of each panel.
    pub columns: [Arrangement; 3],
    /// Columns of each panel that are left of what is shown.
    pub shift: [usize; 3],
    /// Percent of the width that the lists have beside the preview.
    pub split: u16,
    /// Preview and containers do not follow the cursor: only opening a pod shows its containers.
    pub still: bool,
}

impl Default for Arranged {
    fn default() -> Self {
        Self {
            columns: Default::default(),
            shift: [0; 3],
            split: SPLIT.0,
            still: false,
        }
    }
}

/// The columns of one list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Arrangement {
    /// In their order; none for what fits, the most important first.
    chosen: Vec<Chosen>,
}

/// Names of a list's columns, as settings write them.
pub fn names(panel: Panel) -> Vec<String> {
    // The first order is no column's.
    sorting::names(panel).split_off(1)
}

/// The columns of a list that are there however little room there is.
pub fn essential(panel: Panel) -> Vec<usize> {
    fn of<R>(columns: &[Column<R>]) -> Vec<usize> {
        let places = columns.iter().enumerate();
        let essential = places.filter(|(_, column)| column.rank <= 2);
        essential.map(|(place, _)| place).collect()
    }
    match panel {
        Panel::Pods => of(&PODS),
        Panel::Containers => of(&CONTAINERS),
        Panel::Images => of(&IMAGES),
    }
}

impl Arrangement {
    /// These columns. The first one is added if it is missing, and comes first.
    pub fn of(mut chosen: Vec<Chosen>) -> Self {
        if chosen.is_empty() {
            return Self::default();
        }
        let place = chosen.iter().position(|one| one.column == 0);
        let name = place.map(|place| chosen.remove(place));
        let name = name.unwrap_or(Chosen {
            column: 0,
            width: None,
        });
        chosen.insert(0, name);
        Self { chosen }
    }

    /// The columns in their order; `None` if what fits is shown.
    pub fn chosen(&self) -> Option<&[Chosen]> {
        Some(&self.chosen[..]).filter(|chosen| !chosen.is_empty())
    }

    /// Reads names of columns, each maybe with a width, as in `status 30`; or the name of a preset
    /// alone. The error is the name that nothing has.
    pub fn parse(panel: Panel, texts: &[String]) -> Result<Self, String> {
        if let [only] = texts
            && let Some(preset) = Self::preset(panel, only)
        {
            return Ok(preset);
        }
        let known = names(panel);
        let mut chosen: Vec<Chosen> = Vec::new();
        for text in texts {
            let (name, width) = match text.trim().split_once(' ') {
                Some((name, width)) => {
                    let cells = width.trim().parse().map_err(|_| text.clone())?;
                    (name, Some(u16::clamp(cells, WIDTHS.0, WIDTHS.1)))
                }
                None => (text.trim(), None),
            };
            let place = known.iter().position(|known| known == name);
            let column = place.ok_or_else(|| name.to_owned())?;
            if chosen.iter().all(|one| one.column != column) {
                chosen.push(Chosen { column, width });
            }
        }
        Ok(Self::of(chosen))
    }

    /// Writes it as [`Arrangement::parse`] reads it: a preset by its name.
    pub fn print(&self, panel: Panel) -> Vec<String> {
        if let Some(preset) = self.preset_name(panel) {
            return vec![preset.to_owned()];
        }
        let names = names(panel);
        let print = |one: &Chosen| {
            let name = names.get(one.column).map_or("", String::as_str);
            match one.width {
                Some(width) => format!("{name} {width}"),
                None => name.to_owned(),
            }
        };
        self.chosen.iter().map(print).collect()
    }

    /// The preset that it is.
    pub fn preset_name(&self, panel: Panel) -> Option<&'static str> {
        presets(panel).find(|name| Self::preset(panel, name).as_ref() == Some(self))
    }

    fn preset(panel: Panel, name: &str) -> Option<Self> {
        let all = names(panel);
        let plain = |column| Chosen {
            column,
            width: None,
        };
        match name {
            FIT => Some(Self::default()),
            ALL => Some(Self::of((0..all.len()).map(plain).collect())),
            _ => {
                let mut presets = PRESETS[panel.index()].iter();
                let (_, columns) = presets.find(|(known, _)| *known == name)?;
                let place = |name: &&str| all.iter().position(|known| known == name);
                let columns = columns.iter().filter_map(place).map(plain);
                Some(Self::of(columns.collect()))
            }
        }
    }

    /// The preset after this one; the first one after columns of one's own.
    #[must_use]
    pub fn next_preset(&self, panel: Panel) -> Self {
        let names: Vec<&str> = presets(panel).collect();
        let now = self.preset_name(panel);
        let place = names.iter().position(|name| Some(*name) == now);
        let next = place.map_or(0, |place| (place + 1) % names.len());
        Self::preset(panel, names[next]).unwrap_or_default()
    }
}

/// The names of a list's presets.
pub fn presets(panel: Panel) -> impl Iterator<Item = &'static str> {
    let own = PRESETS[panel.index()].iter().map(|(name, _)| *name);
    [FIT].into_iter().chain(own).chain([ALL])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn texts(line: &str) -> Vec<String> {
        line.split(',').map(str::to_owned).collect()
    }

    #[rstest]
    #[case("fit", "fit")]
    #[case("usage", "usage")]
    #[case("status,cpu,mem,restarts,age", "usage")]
    #[case("age,name", "name,age")]
    #[case("name 30, status 12", "name 30,status 12")]
    #[case("status 2,status 9", "name,status 4")]
    fn reads_and_writes(#[case] line: &str, #[case] expected: &str) {
        let read = Arrangement::parse(Panel::Pods, &texts(line)).unwrap();
        assert_eq!(read.print(Panel::Pods), texts(expected));
    }

    #[rstest]
    #[case("nmae", "nmae")]
    #[case("name,status wide", "status wide")]
    fn names_what_nothing_has(#[case] line: &str, #[case] wrong: &str) {
        let read = Arrangement::parse(Panel::Pods, &texts(line));
        assert_eq!(read, Err(wrong.to_owned()));
    }

    #[test]
    fn every_preset_is_complete_and_comes_round() {
        for panel in Panel::ALL {
            let mut now = Arrangement::default();
            for name in presets(panel) {
                assert_eq!(now.preset_name(panel), Some(name));
                let known = PRESETS[panel.index()].iter().find(|(n, _)| *n == name);
                let columns = now.chosen().map_or(0, <[Chosen]>::len);
                // One more: the name.
                assert!(
                    known.is_none_or(|(_, named)| named.len() + 1 == columns),
                    "{name}"
                );
                now = now.next_preset(panel);
            }
            assert_eq!(now, Arrangement::default());
        }
    }

    proptest! {
        #[test]
        fn print_and_parse_are_inverse(
            columns in proptest::collection::btree_map(0usize..11, proptest::option::of(4u16..121), 0..9)
        ) {
            let chosen = columns.into_iter().map(|(column, width)| Chosen { column, width });
            let arrangement = Arrangement::of(chosen.rev().collect());
            let printed = arrangement.print(Panel::Pods);
            prop_assert_eq!(Arrangement::parse(Panel::Pods, &printed), Ok(arrangement));
        }
    }
}
