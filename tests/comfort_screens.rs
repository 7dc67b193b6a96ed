//! Every view in every theme on every kind of terminal: the same text everywhere, colours that the
//! terminal has, and letters that can be read. What only this part of the program draws is kept as
//! snapshots, as in tests/screens.rs.

#[path = "support/sample.rs"]
#[allow(dead_code)]
mod sample;
#[path = "support/typing.rs"]
mod typing;

use critui::theme::{Ability, Depth, Role, THEMES, Theme, fit};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use rstest::rstest;
use sample::{FULL, Lists, PLAIN, Screen, busy, hostile};

/// Keys that lead to each view that needs nothing from outside, from the home screen.
const VIEWS: [&str; 21] = [
    "",
    "j<Enter>",
    "2*",
    "3j",
    "jd",
    "3d",
    "?",
    "?/log<Enter>",
    "N",
    "F",
    "X",
    "J",
    "v",
    "w",
    "y",
    "I",
    "n",
    "zc",
    ":theme ",
    "/web",
    "t",
];
const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];
const DEPTHS: [Depth; 4] = [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True];

fn themed(name: &str, depth: Depth, unicode: bool) -> Theme {
    Theme::named(name, Ability { depth, unicode }).expect("it is built in")
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width);
    let lines = buffer.content.chunks(width);
    let lines: Vec<String> = lines
        .map(|cells| cells.iter().map(Cell::symbol).collect())
        .collect();
    lines.join("\n")
}

/// Whether a terminal of that depth has the colour.
fn is_there(color: Color, depth: Depth) -> bool {
    match color {
        Color::Reset => true,
        Color::Rgb(..) => depth == Depth::True,
        Color::Indexed(16..) => depth >= Depth::Indexed,
        _ => depth >= Depth::Sixteen,
    }
}

/// How well the letters of a cell are read, on whatever its ground may be.
fn contrast(theme: &Theme, cell: &Cell) -> f64 {
    let on = |ground: fit::Rgb| {
        let fg = fit::rgb(cell.fg).unwrap_or(theme.ground().letters());
        let bg = fit::rgb(cell.bg).unwrap_or(ground);
        fit::contrast(fg, bg)
    };
    theme
        .ground()
        .extremes()
        .map(on)
        .into_iter()
        .fold(21.0, f64::min)
}

#[rstest]
fn every_view_in_every_theme_on_every_terminal(#[values(0, 1)] size: usize) {
    for keys in VIEWS {
        let mut screen = Screen::with(SIZES[size], FULL, busy());
        screen.keys(keys);
        let expected = text(&screen.draw());
        for ((name, _), depth) in THEMES
            .iter()
            .flat_map(|theme| DEPTHS.map(|depth| (theme, depth)))
        {
            screen.theme = themed(name, depth, true);
            let buffer = screen.draw();
            let what = format!("{keys:?} in {name} at {depth:?}");
            assert_eq!(text(&buffer), expected, "{what}");
            let lines = screen.theme.style(Role::Border).fg.unwrap_or_default();
            for cell in &buffer.content {
                let colours = is_there(cell.fg, depth) && is_there(cell.bg, depth);
                assert!(colours, "{what}: {cell:?}");
                let letters = cell.symbol() != " " && (cell.fg != lines || lines == Color::Reset);
                let reversed = cell.modifier.contains(Modifier::REVERSED);
                if letters && !reversed {
                    let contrast = contrast(&screen.theme, cell);
                    assert!(contrast >= fit::READABLE, "{what}: {contrast:.2} {cell:?}");
                }
            }
        }
    }
}

#[rstest]
fn without_unicode_every_view_is_ascii(#[values(0, 1)] size: usize) {
    for keys in VIEWS {
        let mut screen = Screen::with(SIZES[size], PLAIN, busy());
        screen.keys(keys);
        let text = text(&screen.draw());
        let foreign: String = text.chars().filter(|c| !c.is_ascii()).collect();
        assert_eq!(foreign, "", "{keys:?}:\n{text}");
    }
}

/// Goes through other sizes and comes back; the screen then.
fn tour(screen: &mut Screen) -> String {
    for size in [(80, 24), (40, 10), (39, 9), (200, 50), (1, 1), (120, 40)] {
        screen.size = size;
        screen.send(critui::model::Msg::Redraw);
        screen.draw();
    }
    text(&screen.draw())
}

#[test]
fn nothing_is_lost_by_resizing() {
    for keys in VIEWS {
        let mut screen = Screen::with((120, 40), FULL, busy());
        screen.keys(keys);
        // Columns only grow: once, what every size shows has been seen.
        let _ = tour(&mut screen);
        let before = text(&screen.draw());
        let after = tour(&mut screen);
        assert_eq!(after, before, "{keys:?}");
    }
}

type State = fn((u16, u16), Ability) -> Screen;

fn normal(size: (u16, u16), ability: Ability) -> Screen {
    Screen::with(size, ability, busy())
}

fn first(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = normal(size, ability);
    screen.model.comfort.hint = true;
    screen
}

fn slow_with(size: (u16, u16), ability: Ability, lists: Lists) -> Screen {
    let mut screen = Screen::new(size, ability);
    (screen.model.comfort.slow, screen.model.home.arranged.still) = (true, true);
    screen.connect();
    screen.list(lists);
    screen
}

fn slow(size: (u16, u16), ability: Ability) -> Screen {
    slow_with(size, ability, busy())
}

fn nasty(size: (u16, u16), ability: Ability) -> Screen {
    Screen::with(size, ability, hostile())
}

#[rstest]
#[case("columns-80x24", normal, (80, 24), FULL, "zcjj ")]
#[case("columns-120x40-plain", normal, (120, 40), PLAIN, "2zcpj")]
#[case("columns-40x10", normal, (40, 10), FULL, "zcG")]
#[case("columns-scrolled-80x24", normal, (80, 24), FULL, "zpzpzpzp<Right>")]
#[case("columns-hostile-80x24-plain", nasty, (80, 24), PLAIN, "zpzp")]
#[case("sequence-80x24", normal, (80, 24), FULL, "z")]
#[case("themes-80x24", normal, (80, 24), FULL, "zt")]
#[case("themes-120x40-plain", normal, (120, 40), PLAIN, "zt<Down>")]
#[case("help-search-80x24", normal, (80, 24), FULL, "?/attempt log")]
#[case("help-images-80x24-plain", normal, (80, 24), PLAIN, "3?")]
#[case("hint-80x24", first, (80, 24), FULL, "")]
#[case("hint-120x40-plain", first, (120, 40), PLAIN, "")]
#[case("slow-80x24", slow, (80, 24), FULL, "j")]
#[case("slow-120x40-plain", slow, (120, 40), PLAIN, "jj")]
#[case("slow-events-80x24", slow, (80, 24), FULL, "v")]
#[case("forwards-80x24", normal, (80, 24), FULL, "F")]
#[case("forwards-120x40-plain", normal, (120, 40), PLAIN, "F")]
#[case("actions-80x24", normal, (80, 24), FULL, "X")]
#[case("why-80x24-plain", normal, (80, 24), PLAIN, "w")]
#[case("palette-80x24", normal, (80, 24), FULL, ":")]
#[case("confirm-80x24", normal, (80, 24), FULL, "x")]
#[case("confirm-120x40-plain", normal, (120, 40), PLAIN, "x")]
#[case("filter-80x24-plain", normal, (80, 24), PLAIN, "/web")]
fn screen(
    #[case] name: &str,
    #[case] state: State,
    #[case] size: (u16, u16),
    #[case] ability: Ability,
    #[case] keys: &str,
) {
    let mut screen = state(size, ability);
    screen.model.comfort.hint &= keys.is_empty();
    if !keys.is_empty() {
        screen.keys(keys);
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, format!("{:?}", screen.draw()));
    });
}
