//! Roles and their styles, and what the terminal can show. No other module names a colour or
//! draws a glyph that a terminal without Unicode could not.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::paint::{Ink, Paint};

pub mod fit;
mod sheet;

pub use sheet::Ground;
use sheet::Sheet;

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
    /// There is more to the left, to the right.
    pub sides: [&'static str; 2],
}

const UNICODE: Glyphs = Glyphs {
    bad: "▲",
    good: "●",
    past: "○",
    mark: "◆",
    more: "…",
    dot: "·",
    arrows: ["↑", "↓"],
    sides: ["‹", "›"],
};
const ASCII: Glyphs = Glyphs {
    bad: "!",
    good: "*",
    past: "-",
    mark: "+",
    more: "~",
    dot: "-",
    arrows: ["^", "v"],
    sides: ["<", ">"],
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
/// Styles of the roles for one terminal.
#[derive(Clone, Debug)]
pub struct Theme {
    sheet: Sheet,
    ability: Ability,
}

/// The themes inside the program: name and source. The first is the default.
pub const THEMES: [(&str, &str); 8] = [
    ("dark", include_str!("../themes/dark.yaml")),
    ("light", include_str!("../themes/light.yaml")),
    (
        "high-contrast",
        include_str!("../themes/high-contrast.yaml"),
    ),
    ("colour-blind", include_str!("../themes/colour-blind.yaml")),
    ("monochrome", include_str!("../themes/monochrome.yaml")),
    (
        "solarized-dark",
        include_str!("../themes/solarized-dark.yaml"),
    ),
    ("gruvbox", include_str!("../themes/gruvbox.yaml")),
    ("nord", include_str!("../themes/nord.yaml")),
];
/// What stands for the first of them, whatever it is called.
const DEFAULT: &str = "default";

/// The source of the theme inside the program that is called `name`, and its own name.
pub fn built_in(name: &str) -> Option<(&'static str, &'static str)> {
    let named = |(known, _): &&(&str, &str)| *known == name;
    let first = (name == DEFAULT).then_some(&THEMES[0]);
    THEMES.iter().find(named).or(first).copied()
}

impl Theme {
    /// The theme called `name`, fitted to the terminal.
    ///
    /// # Errors
    /// Names the themes that exist.
    pub fn named(name: &str, ability: Ability) -> Result<Self, String> {
        let known = || THEMES.map(|(known, _)| known).join(", ");
        let (_, source) =
            built_in(name).ok_or_else(|| format!("no theme {name:?}: there are {}", known()))?;
        Self::parse(source, ability)
    }

    /// Reads a theme file.
    ///
    /// # Errors
    /// Says which role or colour is wrong.
    pub fn parse(source: &str, ability: Ability) -> Result<Self, String> {
        let sheet = Sheet::parse(source, ability.depth)?;
        Ok(Self { sheet, ability })
    }

    /// Style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.sheet.styles.get(&role).copied().unwrap_or_default()
    }

    /// What it is drawn on.
    pub fn ground(&self) -> Ground {
        self.sheet.ground
    }

    /// Lays the theme's own ground under a finished screen, if it has one.
    pub fn lay(&self, buffer: &mut Buffer) {
        let Ground::Own(ground) = self.sheet.ground else {
            return;
        };
        if self.ability.depth == Depth::None {
            return;
        }
        let letters = self.style(Role::Text).fg.unwrap_or(Color::Reset);
        for cell in &mut buffer.content {
            if cell.bg == Color::Reset {
                cell.bg = ground;
            }
            if cell.fg == Color::Reset {
                cell.fg = letters;
            }
        }
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
            Ink::Rgb(r, g, b) => Some(fit::fitted(Color::Rgb(r, g, b), None, self.ability.depth)),
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
        if self.ability.depth > Depth::None && !self.sheet.hues.is_empty() {
            style.fg = self.sheet.hues.get(nth % self.sheet.hues.len()).copied();
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

    const DEPTHS: [Depth; 4] = [Depth::None, Depth::Sixteen, Depth::Indexed, Depth::True];

    fn at(name: &str, depth: Depth) -> Theme {
        let ability = Ability {
            depth,
            unicode: true,
        };
        Theme::named(name, ability).unwrap()
    }

    #[test]
    fn every_theme_sets_every_role_and_says_what_it_is_for() {
        for (name, source) in THEMES {
            assert!(source.contains("\nbackground: "), "{name}");
            for depth in DEPTHS {
                assert_eq!(at(name, depth).sheet.styles.len(), 14, "{name}");
            }
        }
    }

    /// What a role looks like: letters, and what they stand on.
    fn looks(theme: &Theme, style: Style) -> Vec<(fit::Rgb, fit::Rgb)> {
        let ground = theme.ground();
        let text = theme.style(Role::Text).fg.and_then(fit::rgb);
        let fg = style.fg.and_then(fit::rgb).or(text);
        let fg = fg.unwrap_or(ground.letters());
        let on = |ground| style.bg.and_then(fit::rgb).unwrap_or(ground);
        ground.extremes().map(|ground| (fg, on(ground))).to_vec()
    }

    #[test]
    fn every_role_of_every_theme_is_read_with_ease() {
        for (name, _) in THEMES {
            for depth in DEPTHS {
                let theme = at(name, depth);
                let hues = theme.sheet.hues.iter().map(|hue| Style::new().fg(*hue));
                let roles = theme.sheet.styles.iter();
                let roles = roles.map(|(role, style)| (format!("{role:?}"), *style));
                let all = roles.chain(hues.map(|hue| ("a hue".to_owned(), hue)));
                for (role, style) in all {
                    let least = match (name, role.as_str()) {
                        // Lines are no text.
                        (_, "Border") if depth > Depth::Sixteen => 3.0,
                        (_, "Border") => 2.0,
                        ("high-contrast", _) if depth != Depth::Sixteen => 7.0,
                        _ => fit::READABLE,
                    };
                    for (fg, on) in looks(&theme, style) {
                        let contrast = fit::contrast(fg, on);
                        let what = format!("{name}: {role} at {depth:?}: {fg:?} on {on:?}");
                        assert!(contrast >= least, "{what}: {contrast:.2}, {least} at least");
                    }
                }
            }
        }
    }

    /// What a colour looks like to who has no green cones (Viénot, Brettel and Mollon, 1999).
    fn without_green((r, g, b): fit::Rgb) -> [f64; 3] {
        let [r, g, b] = [r, g, b].map(|channel| (f64::from(channel) / 255.0).powf(2.2));
        let (yellow, blue) = (
            0.292_75 * r + 0.707_25 * g,
            -0.022_34 * r + 0.022_34 * g + b,
        );
        [yellow, yellow, blue].map(|linear| linear.max(0.0).powf(1.0 / 2.2))
    }

    #[test]
    fn good_and_bad_are_apart_for_colour_blind_eyes() {
        for depth in [Depth::Sixteen, Depth::Indexed, Depth::True] {
            let theme = at("colour-blind", depth);
            let seen = |role| without_green(fit::rgb(theme.style(role).fg.unwrap()).unwrap());
            for (one, other) in [
                (Role::Good, Role::Bad),
                (Role::Good, Role::Warn),
                (Role::Warn, Role::Bad),
            ] {
                let (a, b) = (seen(one), seen(other));
                let apart: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
                assert!(
                    apart.sqrt() > 0.2,
                    "{one:?}, {other:?} at {depth:?}: {apart}"
                );
            }
        }
    }

    #[test]
    fn no_color_means_no_colour() {
        for (name, _) in THEMES {
            let theme = at(name, Depth::None);
            let styles = theme.sheet.styles.values().copied();
            let mut styles = styles.chain([theme.hue(0)]);
            assert!(styles.all(|style| style.fg.is_none() && style.bg.is_none()));
            let selected = theme.style(Role::Selected).add_modifier;
            assert!(selected.contains(Modifier::REVERSED), "{name}");
            let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 2, 1));
            theme.lay(&mut buffer);
            assert_eq!(buffer[(0, 0)].bg, Color::Reset, "{name}");
        }
    }

    #[test]
    fn a_ground_of_its_own_lies_under_everything() {
        let theme = at("nord", Depth::True);
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, 2, 1));
        buffer[(1, 0)].set_style(theme.style(Role::Alert));
        theme.lay(&mut buffer);
        assert_eq!(buffer[(0, 0)].bg, Color::Rgb(0x2e, 0x34, 0x40));
        assert_eq!(buffer[(0, 0)].fg, Color::Rgb(0xd8, 0xde, 0xe9));
        assert_eq!(buffer[(1, 0)].bg, Color::Rgb(0xeb, 0xcb, 0x8b));
    }

    #[test]
    fn a_name_that_nobody_knows() {
        let ability = Ability {
            depth: Depth::True,
            unicode: true,
        };
        let error = Theme::named("drak", ability).unwrap_err();
        assert!(error.contains("there are dark, light, "), "{error}");
        assert!(Theme::named("default", ability).is_ok());
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
}
