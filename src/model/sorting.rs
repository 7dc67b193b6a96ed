//! Sort orders by name, as settings write them: `age`, `image-id reversed`.

use crate::model::columns::{CONTAINERS, IMAGES, PODS};
use crate::model::list::Sort;
use crate::model::{Home, Panel};

/// The name of the order that is there without settings: what is in trouble first.
pub const TROUBLE: &str = "trouble";
/// What may follow the name.
const REVERSED: &str = "reversed";

/// The order in which each list begins, by [`Panel::index`].
pub type Sorts = [Sort; 3];

/// A panel's name in settings.
pub fn panel_name(panel: Panel) -> &'static str {
    ["pods", "containers", "images"][panel.index()]
}

/// The names of a panel's orders: [`TROUBLE`], then its columns.
pub fn names(panel: Panel) -> Vec<String> {
    let heads: Vec<&str> = match panel {
        Panel::Pods => PODS.iter().map(|column| column.head).collect(),
        Panel::Containers => CONTAINERS.iter().map(|column| column.head).collect(),
        Panel::Images => IMAGES.iter().map(|column| column.head).collect(),
    };
    let name = |head: &str| head.to_lowercase().replace(' ', "-");
    let columns = heads.into_iter().map(name);
    std::iter::once(TROUBLE.to_owned()).chain(columns).collect()
}

/// Why a text names no order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoSort {
    /// No column is called so.
    Column(String),
    /// After the column something else than `reversed`.
    Suffix(String),
}

/// Reads an order.
pub fn parse(panel: Panel, text: &str) -> Result<Sort, NoSort> {
    let (name, suffix) = match text.trim().split_once(' ') {
        Some((name, suffix)) => (name, suffix.trim()),
        None => (text.trim(), ""),
    };
    if !["", REVERSED].contains(&suffix) {
        return Err(NoSort::Suffix(suffix.to_owned()));
    }
    let place = names(panel).iter().position(|known| known == name);
    let place = place.ok_or_else(|| NoSort::Column(name.to_owned()))?;
    Ok(Sort {
        column: place.checked_sub(1),
        reverse: suffix == REVERSED,
    })
}

/// Writes an order as [`parse`] reads it.
pub fn print(panel: Panel, sort: Sort) -> String {
    let place = sort.column.map_or(0, |column| column + 1);
    let name = names(panel).into_iter().nth(place).unwrap_or_default();
    if sort.reverse {
        format!("{name} {REVERSED}")
    } else {
        name
    }
}

impl Home {
    /// Sort order of the focused panel, to be changed, and how many columns it has.
    pub fn sort_mut(&mut self) -> (&mut Sort, usize) {
        match self.focus {
            Panel::Pods => (&mut self.pods.sort, PODS.len()),
            Panel::Containers => (&mut self.containers.sort, CONTAINERS.len()),
            Panel::Images => (&mut self.images.sort, IMAGES.len()),
        }
    }

    /// Place of the cursor in the focused panel.
    pub fn cursor(&self) -> usize {
        match self.focus {
            Panel::Pods => self.pods.cursor(),
            Panel::Containers => self.containers.cursor(),
            Panel::Images => self.images.cursor(),
        }
    }

    /// Sorts the list of `panel` from now on.
    pub fn sort_by(&mut self, panel: Panel, sort: Sort) {
        match panel {
            Panel::Pods => self.pods.sort = sort,
            Panel::Containers => self.containers.sort = sort,
            Panel::Images => self.images.sort = sort,
        }
        self.resort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn every_order_is_read_as_it_is_written() {
        for panel in Panel::ALL {
            for (place, name) in names(panel).iter().enumerate() {
                for (reverse, suffix) in [(false, ""), (true, " reversed")] {
                    let text = format!("{name}{suffix}");
                    let sort = parse(panel, &text).unwrap();
                    assert_eq!((sort.column, sort.reverse), (place.checked_sub(1), reverse));
                    assert_eq!(print(panel, sort), text);
                }
            }
        }
        assert!(names(Panel::Images).contains(&"image-id".to_owned()));
    }

    #[rstest]
    #[case("agee", NoSort::Column("agee".into()))]
    #[case("AGE", NoSort::Column("AGE".into()))]
    #[case("", NoSort::Column(String::new()))]
    #[case("age  reverse", NoSort::Suffix("reverse".into()))]
    fn what_is_no_order(#[case] text: &str, #[case] why: NoSort) {
        assert_eq!(parse(Panel::Pods, text), Err(why));
    }
}
