//! A theme file: what it may hold, and how it becomes styles.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use super::fit::{self, Rgb};
use super::{Depth, Role};

/// Colours to tell several things apart by, if a theme names none: neither that of trouble nor that
/// of its absence. They are made readable on the ground.
const HUES: [Rgb; 6] = [
    (0, 175, 175),
    (175, 95, 215),
    (95, 135, 215),
    (135, 215, 215),
    (215, 135, 215),
    (135, 175, 255),
];

/// What a theme is drawn on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ground {
    /// The terminal's own background, which is dark.
    #[default]
    Dark,
    /// The terminal's own background, which is light.
    Light,
    /// A colour of the theme's own.
    Own(Color),
}

impl Ground {
    fn parse(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some("dark") => Ok(Self::Dark),
            Some("light") => Ok(Self::Light),
            Some(text) => color(text).map(Self::Own),
            None => Err("expected dark, light or a colour in quotes".to_owned()),
        }
    }

    /// The backgrounds that text must be read on: of the terminal's own the usual extremes.
    pub fn extremes(self) -> [Rgb; 2] {
        match self {
            Self::Dark => [(0, 0, 0), (0x1e, 0x1e, 0x1e)],
            Self::Light => [(0xff, 0xff, 0xff), (0xf2, 0xf2, 0xf2)],
            Self::Own(color) => [fit::rgb(color).unwrap_or_default(); 2],
        }
    }

    /// What the terminal's own letters look like on it.
    pub fn letters(self) -> Rgb {
        match self {
            Self::Light => (0x20, 0x20, 0x20),
            Self::Dark | Self::Own(_) => (0xd0, 0xd0, 0xd0),
        }
    }
}

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

/// A key of a theme file.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Background,
    Hues,
    Of(Role),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::IntoDeserializer as _;
        let name = String::deserialize(from)?;
        match name.as_str() {
            "background" => Ok(Self::Background),
            "hues" => Ok(Self::Hues),
            _ => Role::deserialize(name.into_deserializer()).map(Self::Of),
        }
    }
}

/// What a theme file says, fitted to a terminal.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Styles by role.
    pub styles: BTreeMap<Role, Style>,
    /// What they are drawn on.
    pub ground: Ground,
    /// Colours to tell several things apart by.
    pub hues: Vec<Color>,
}

impl Sheet {
    /// Reads a theme file. The error says which role or colour is wrong.
    pub fn parse(source: &str, depth: Depth) -> Result<Self, String> {
        let mut keys: BTreeMap<Key, Value> =
            serde_yaml::from_str(source).map_err(|error| error.to_string())?;
        let ground = keys.remove(&Key::Background);
        let ground = ground.map_or(Ok(Ground::default()), |value| {
            Ground::parse(&value).map_err(|what| format!("background: {what}"))
        })?;
        let ground = match ground {
            Ground::Own(color) => Ground::Own(fit::ground(color, depth)),
            terminals => terminals,
        };
        let fit = |color| fit::fitted(color, Some(on(ground)), depth);
        let hues: Option<Vec<String>> = (keys.remove(&Key::Hues))
            .map(|value| serde_yaml::from_value(value).map_err(|error| format!("hues: {error}")))
            .transpose()?;
        let hues: Result<Vec<Color>, String> = match hues {
            Some(hues) => hues.iter().map(|text| color(text).map(fit)).collect(),
            None => Ok(HUES
                .map(|hue| fit::readable(hue, on(ground)))
                .map(|(r, g, b)| Color::Rgb(r, g, b))
                // Of the 256: enough to tell things apart by, in few bytes.
                .map(|hue| fit::fitted(hue, Some(on(ground)), Depth::Indexed))
                .map(fit)
                .to_vec()),
        };
        let mut styles = BTreeMap::new();
        for (key, value) in keys {
            if let Key::Of(role) = key {
                let entry: Entry = serde_yaml::from_value(value)
                    .map_err(|error| format!("{}: {error}", name(role)))?;
                let style = entry.style(on(ground), depth);
                styles.insert(
                    role,
                    style.map_err(|what| format!("{}: {what}", name(role)))?,
                );
            }
        }
        Ok(Self {
            styles,
            ground,
            hues: hues.map_err(|what| format!("hues: {what}"))?,
        })
    }
}

/// The ground that is the hardest to read on.
fn on(ground: Ground) -> Rgb {
    ground.extremes()[1]
}

fn name(role: Role) -> String {
    format!("{role:?}").to_lowercase()
}

impl Entry {
    fn style(&self, ground: Rgb, depth: Depth) -> Result<Style, String> {
        let mut style = Style::new();
        // A mistake is one at any depth.
        let parsed = |text: &Option<String>| text.as_deref().map(color).transpose();
        let (fg, bg) = (parsed(&self.fg)?, parsed(&self.bg)?);
        if depth > Depth::None {
            style.bg = bg.map(|bg| fit::fitted(bg, fg.and_then(fit::rgb), depth));
            let behind = style.bg.and_then(fit::rgb).unwrap_or(ground);
            style.fg = fg.map(|fg| fit::fitted(fg, Some(behind), depth));
        }
        let attributes = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            // Without colours, what stands out by its background is reversed.
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

/// A colour as a theme file writes it.
fn color(text: &str) -> Result<Color, String> {
    text.replace('-', "").parse().map_err(|_| {
        format!(
            "{text:?} is not a colour: write a name such as cyan, a number up to 255, or #rrggbb"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("txt: {}", "txt")]
    #[case("text: { fg: mauve }", "text: \"mauve\" is not a colour")]
    #[case("text: { fgg: red }", "text: unknown field `fgg`")]
    #[case(
        "background: 7",
        "background: expected dark, light or a colour in quotes"
    )]
    #[case("background: dusk", "background: \"dusk\" is not a colour")]
    #[case("hues: [blue, x]", "hues: \"x\" is not a colour")]
    #[case("hues: 3", "hues: ")]
    fn mistakes_are_named(#[case] source: &str, #[case] part: &str) {
        for depth in [Depth::None, Depth::True] {
            let error = Sheet::parse(source, depth).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_ground_is_the_terminals_or_a_colour() {
        let ground = |text: &str| Sheet::parse(text, Depth::True).unwrap().ground;
        assert_eq!(ground("text: {}"), Ground::Dark);
        assert_eq!(ground("background: light"), Ground::Light);
        let own = ground("background: '#102030'");
        assert_eq!(own, Ground::Own(Color::Rgb(16, 32, 48)));
    }
}
