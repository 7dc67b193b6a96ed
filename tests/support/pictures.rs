//! The README's pictures: the real screen on the simulated node, through the real loop. Time stands
//! still there and the seed is fixed, so they come out the same each time.

use std::path::{Path, PathBuf};

use critui::theme::{Ability, Depth, THEMES, Theme};

use super::flow::{self, Start};
use super::picture::svg;

/// Columns and rows: of the first picture, and of those of themes.
const SIZES: [(u16, u16); 2] = [(120, 40), (80, 15)];

/// Every picture: its file and what it is.
pub fn all() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dark = theme("dark");
    let first = (root.join("examples/screen.svg"), svg(&screen(), &dark));
    let themes = themes().into_iter().map(|(name, picture)| {
        let file = format!("themes/pictures/{name}.svg");
        (root.join(file), picture)
    });
    std::iter::once(first).chain(themes).collect()
}

fn theme(name: &str) -> Theme {
    let ability = Ability {
        depth: Depth::True,
        unicode: true,
    };
    Theme::named(name, ability).expect("it is built in")
}

/// The pod that ran out of memory, once its attempts and its status are there.
fn screen() -> ratatui::buffer::Buffer {
    let start = Start {
        size: SIZES[0],
        ..Start::default()
    };
    let flow = flow::opened(&start)
        .types("jjjjj")
        .sees("─ Pod shop/cache-0")
        .sees("redis #3 ")
        .sees("ip ")
        .sees("uses ")
        .sees("changes in 60 seconds")
        .sees("82m   1m");
    let buffer = flow.shown().buffer;
    flow.quits("q");
    buffer
}

/// The pods, in every theme.
fn themes() -> Vec<(&'static str, String)> {
    let start = Start {
        size: SIZES[1],
        ..Start::default()
    };
    let mut flow = flow::opened(&start)
        .types("j")
        .sees("2 Containers of payments");
    let mut pictures = Vec::new();
    for (name, _) in THEMES {
        flow = flow.types(&format!(":theme {name}<Enter>"));
        // What was said goes with the next key, and the containers follow the cursor.
        flow = flow.sees(&format!("'theme: {name}'")).types("<Esc>j");
        flow = flow.misses("'theme").sees("2 Containers of payments");
        pictures.push((name, svg(&flow.shown().buffer, &theme(name))));
    }
    flow.quits("q");
    pictures
}
