//! Roles and their styles, and what the terminal can show. No other module names a colour or
//! draws a glyph that a terminal without Unicode could not.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::paint::{Ink, Paint};

/// What a piece of the screen means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Less important.
    Dim,
    /// Titles of panels and pages.
    Title,
    /// Frame and title of what has the focus.
    Focus,
    /// Frames.
    Border,
    /// The row under the cursor.
    Selected,
    /// Heads of columns.
    Head,
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// In trouble.
    Bad,
    /// Names that matter in running text.
    Accent,
    /// A key.
    Key,
    /// READ-ONLY, a lost connection.
    Alert,
    /// What a filter has found.
    Match,
}

/// How many colours the terminal has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Depth {
    /// No colour, `NO_COLOR` or a terminal that has none.
    None,
    /// The sixteen of every terminal.
    Sixteen,
    /// 256.
    Indexed,
    /// 24 bits.
    True,
}

/// What the terminal can show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ability {
    /// Colours.
    pub depth: Depth,
    /// Characters beyond ASCII.
    pub unicode: bool,
}

impl Ability {
    /// From the environment: `NO_COLOR`, `COLORTERM`, `TERM`, and the locale for Unicode.
    pub fn detect(var: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| var(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        let truecolor = set("COLORTERM").is_some_and(|v| v == "truecolor" || v == "24bit");
        let depth = if set("NO_COLOR").is_some() || term.starts_with("vt") {
            Depth::None
        } else if truecolor || term.ends_with("-direct") {
            Depth::True
        } else if term.contains("256color") {
            Depth::Indexed
        } else {
            Depth::Sixteen
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|name| set(name));
        let unicode = locale.is_some_and(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        });
        Self {
            depth,
            unicode: unicode && term != "linux",
        }
    }
}

/// Glyphs, each with its ASCII stand-in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Glyphs {
    /// Before a row in trouble.
    pub bad: &'static str,
    /// Before a row that runs well.
    pub good: &'static str,
    /// Before a row that has ended or is superseded.
    pub past: &'static str,
    /// Before a row that is marked.
    pub mark: &'static str,
    /// What was cut.
    pub more: &'static str,
    /// Between parts of a line.
    pub dot: &'static str,
    /// Sorted upwards, downwards.
    pub arrows: [&'static str; 2],
}

const UNICODE: Glyphs = Glyphs {
    bad: "▲",
    good: "●",
    past: "○",
    mark: "◆",
    more: "…",
    dot: "·",
    arrows: ["↑", "↓"],
};
const ASCII: Glyphs = Glyphs {
    bad: "!",
    good: "*",
    past: "-",
    mark: "+",
    more: "~",
    dot: "-",
    arrows: ["^", "v"],
};

/// The colours that a terminal has of its own.
const SIXTEEN: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];
/// Colours that neither trouble nor its absence has.
const HUES: [Color; 6] = [
    Color::Cyan,
    Color::Magenta,
    Color::Blue,
    Color::LightCyan,
    Color::LightMagenta,
    Color::LightBlue,
];

/// Styles of the roles for one terminal.
#[derive(Clone, Debug)]
pub struct Theme {
    styles: BTreeMap<Role, Style>,
    ability: Ability,
}

/// The themes inside the program: name and source.
pub const THEMES: [(&str, &str); 3] = [
    ("default", include_str!("../themes/default.yaml")),
    ("dusk", include_str!("../themes/dusk.yaml")),
    ("paper", include_str!("../themes/paper.yaml")),
];

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
// A theme file reads best with one word for each attribute.
#[allow(clippy::struct_excessive_bools)]
struct Entry {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    reversed: bool,
    underlined: bool,
}

impl Entry {
    fn style(&self, depth: Depth) -> Result<Style, String> {
        let mut style = Style::new();
        if depth > Depth::None {
            style.fg = self
                .fg
                .as_deref()
                .map(|text| color(text, depth))
                .transpose()?;
            style.bg = self
                .bg
                .as_deref()
                .map(|text| color(text, depth))
                .transpose()?;
        }
        let attributes = [
            (self.bold, Modifier::BOLD),
            // Without colours, what is dim by colour is dim by attribute, and what stands out
            // by its background is reversed.
            (self.dim, Modifier::DIM),
            (
                self.reversed || (depth == Depth::None && self.bg.is_some()),
                Modifier::REVERSED,
            ),
            (self.underlined, Modifier::UNDERLINED),
        ];
        for (_, attribute) in attributes.iter().filter(|(on, _)| *on) {
            style = style.add_modifier(*attribute);
        }
        Ok(style)
    }
}

fn color(text: &str, depth: Depth) -> Result<Color, String> {
    let parsed: Color = text
        .replace('-', "")
        .parse()
        .map_err(|_| format!("{text:?} is not a colour: write a name such as cyan or #rrggbb"))?;
    Ok(fitted(parsed, depth))
}

fn fitted(color: Color, depth: Depth) -> Color {
    match color {
        Color::Rgb(r, g, b) if depth == Depth::Indexed => Color::Indexed(nearest_indexed(r, g, b)),
        Color::Rgb(r, g, b) if depth == Depth::Sixteen => nearest_named(r, g, b),
        other => other,
    }
}

/// Nearest of the 6x6x6 cube and the grey ramp of the 256 colours.
fn nearest_indexed(r: u8, g: u8, b: u8) -> u8 {
    let spread = r.max(g).max(b) - r.min(g).min(b);
    if spread < 10 {
        return 232 + (u16::from(r).saturating_sub(8) / 10).min(23) as u8;
    }
    let step = |v: u8| (u16::from(v).saturating_sub(35) / 40).min(5) as u8;
    16 + 36 * step(r) + 6 * step(g) + step(b)
}

/// Nearest of the sixteen by which channels are strong.
fn nearest_named(r: u8, g: u8, b: u8) -> Color {
    let high = r.max(g).max(b);
    let on = |v: u8| u8::from(u16::from(v) * 3 > u16::from(high) * 2);
    match (on(r), on(g), on(b), high) {
        (_, _, _, 0..48) => Color::Black,
        (1, 1, 1, 48..128) => Color::DarkGray,
        (1, 1, 1, 128..200) => Color::Gray,
        (1, 1, 1, _) => Color::White,
        (1, 0, 0, _) => Color::Red,
        (0, 1, 0, _) => Color::Green,
        (1, 1, 0, _) => Color::Yellow,
        (0, 0, 1, _) => Color::Blue,
        (1, 0, 1, _) => Color::Magenta,
        _ => Color::Cyan,
    }
}

impl Theme {
    /// The theme called `name`, fitted to the terminal.
    ///
    /// # Errors
    /// Names the themes that exist.
    pub fn named(name: &str, ability: Ability) -> Result<Self, String> {
        let source = THEMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, source)| *source);
        let known = || THEMES.map(|(known, _)| known).join(", ");
        let source = source.ok_or_else(|| format!("no theme {name:?}: there are {}", known()))?;
        Self::parse(source, ability)
    }

    /// Reads a theme file.
    ///
    /// # Errors
    /// Says which role or colour is wrong.
    pub fn parse(source: &str, ability: Ability) -> Result<Self, String> {
        let entries: BTreeMap<Role, Entry> =
            serde_yaml::from_str(source).map_err(|error| error.to_string())?;
        let styles = entries
            .iter()
            .map(|(role, entry)| Ok((*role, entry.style(ability.depth)?)))
            .collect::<Result<_, String>>()?;
        Ok(Self { styles, ability })
    }

    /// The theme called `name`, for the same terminal.
    ///
    /// # Errors
    /// As [`Theme::named`].
    pub fn renamed(&self, name: &str) -> Result<Self, String> {
        Self::named(name, self.ability)
    }

    /// Style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }

    /// What a container painted itself, as far as this terminal can.
    pub fn paint(&self, paint: Paint) -> Style {
        let mut style = Style::new();
        let ink = |ink| match ink {
            // The first sixteen are the terminal's own, as in the themes.
            Ink::Indexed(index) => match SIXTEEN.get(usize::from(index)) {
                Some(color) => Some(*color),
                None => (self.ability.depth >= Depth::Indexed).then_some(Color::Indexed(index)),
            },
            Ink::Rgb(r, g, b) => Some(fitted(Color::Rgb(r, g, b), self.ability.depth)),
        };
        if self.ability.depth > Depth::None {
            style.fg = paint.fg.and_then(ink);
            style.bg = paint.bg.and_then(ink);
        }
        let attributes = [
            (paint.bold, Modifier::BOLD),
            (paint.dim, Modifier::DIM),
            (paint.italic, Modifier::ITALIC),
            (paint.underlined, Modifier::UNDERLINED),
            (paint.reversed, Modifier::REVERSED),
        ];
        for (_, attribute) in attributes.iter().filter(|(on, _)| *on) {
            style = style.add_modifier(*attribute);
        }
        style
    }

    /// A colour to tell the `nth` of several things by; their names stand beside it.
    pub fn hue(&self, nth: usize) -> Style {
        let mut style = Style::new();
        if self.ability.depth > Depth::None {
            style.fg = Some(HUES[nth % HUES.len()]);
        }
        style
    }

    /// Glyphs that this terminal can show.
    pub fn glyphs(&self) -> Glyphs {
        if self.ability.unicode { UNICODE } else { ASCII }
    }

    /// What the terminal can show.
    pub fn ability(&self) -> Ability {
        self.ability
    }

    /// True when characters beyond ASCII can be shown.
    pub fn unicode(&self) -> bool {
        self.ability.unicode
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const FULL: Ability = Ability {
        depth: Depth::True,
        unicode: true,
    };

    #[test]
    fn every_theme_has_every_role_at_every_depth() {
        for (name, source) in THEMES {
            for depth in [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True] {
                let theme = Theme::parse(
                    source,
                    Ability {
                        depth,
                        unicode: true,
                    },
                )
                .unwrap();
                assert_eq!(theme.styles.len(), 14, "{name}");
            }
        }
    }

    #[test]
    fn no_color_means_no_colour() {
        let theme = Theme::named(
            "dusk",
            Ability {
                depth: Depth::None,
                unicode: false,
            },
        )
        .unwrap();
        assert!(
            theme
                .styles
                .values()
                .all(|style| style.fg.is_none() && style.bg.is_none())
        );
        assert!(
            theme
                .style(Role::Selected)
                .add_modifier
                .contains(Modifier::REVERSED)
        );
    }

    #[test]
    fn mistakes_are_named() {
        assert!(
            Theme::named("duks", FULL)
                .unwrap_err()
                .contains("default, dusk, paper")
        );
        assert!(Theme::parse("txt: {}", FULL).unwrap_err().contains("txt"));
        assert!(
            Theme::parse("text: { fg: mauve }", FULL)
                .unwrap_err()
                .contains("mauve")
        );
    }

    #[rstest]
    #[case(&[("TERM", "xterm-256color"), ("LANG", "en_US.UTF-8")], Depth::Indexed, true)]
    #[case(&[("TERM", "xterm"), ("COLORTERM", "truecolor"), ("LANG", "C.utf8")], Depth::True, true)]
    #[case(&[("TERM", "xterm"), ("LANG", "C")], Depth::Sixteen, false)]
    #[case(&[("TERM", "xterm"), ("NO_COLOR", "1")], Depth::None, false)]
    #[case(&[("TERM", "vt100")], Depth::None, false)]
    #[case(&[("TERM", "linux"), ("LANG", "C.UTF-8")], Depth::Sixteen, false)]
    fn detects(#[case] vars: &[(&str, &str)], #[case] depth: Depth, #[case] unicode: bool) {
        let var = |name: &str| {
            vars.iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        };
        assert_eq!(Ability::detect(var), Ability { depth, unicode });
    }

    #[test]
    fn colours_degrade_to_their_neighbours() {
        assert_eq!(color("#ff0000", Depth::Sixteen).unwrap(), Color::Red);
        assert_eq!(
            color("#ff0000", Depth::Indexed).unwrap(),
            Color::Indexed(196)
        );
        assert_eq!(
            color("#808080", Depth::Indexed).unwrap(),
            Color::Indexed(244)
        );
        assert_eq!(color("dark-gray", Depth::Sixteen).unwrap(), Color::DarkGray);
    }
}
