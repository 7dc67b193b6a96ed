//! Colours as numbers: how well one is read on another, and the nearest that a terminal has.

use ratatui::style::Color;

use super::Depth;

/// Least contrast of text that is read with ease: WCAG 2.2, level AA.
pub const READABLE: f64 = 4.5;

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// The sixteen as VGA has them, the darkest of the palettes in use: what is read in these is read
/// in others.
const VGA: [(Color, Rgb); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (170, 0, 0)),
    (Color::Green, (0, 170, 0)),
    (Color::Yellow, (170, 85, 0)),
    (Color::Blue, (0, 0, 170)),
    (Color::Magenta, (170, 0, 170)),
    (Color::Cyan, (0, 170, 170)),
    (Color::Gray, (170, 170, 170)),
    (Color::DarkGray, (85, 85, 85)),
    (Color::LightRed, (255, 85, 85)),
    (Color::LightGreen, (85, 255, 85)),
    (Color::LightYellow, (255, 255, 85)),
    (Color::LightBlue, (85, 85, 255)),
    (Color::LightMagenta, (255, 85, 255)),
    (Color::LightCyan, (85, 255, 255)),
    (Color::White, (255, 255, 255)),
];

/// What a colour looks like; `None` for the terminal's own.
pub fn rgb(color: Color) -> Option<Rgb> {
    match color {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(index @ 0..16) => Some(VGA[usize::from(index)].1),
        Color::Indexed(index @ 232..) => {
            let grey = 8 + 10 * (index - 232);
            Some((grey, grey, grey))
        }
        Color::Indexed(index) => {
            let at = index - 16;
            let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            Some((step(at / 36), step(at / 6 % 6), step(at % 6)))
        }
        named => {
            let known = VGA.iter().find(|(known, _)| *known == named);
            known.map(|(_, rgb)| *rgb)
        }
    }
}

/// How bright a colour is, from 0 to 1, as WCAG defines it.
fn luminance((r, g, b): Rgb) -> f64 {
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// How well one colour is read on another, from 1 to 21, as WCAG defines it.
pub fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// The nearest colour that a terminal of this depth has; of those that are read on `ground`, if the
/// colour itself is.
pub fn fitted(color: Color, ground: Option<Rgb>, depth: Depth) -> Color {
    let sixteen = VGA.iter().copied();
    match (color, depth) {
        (Color::Rgb(..), Depth::Indexed) => {
            let indexed = (16..=255).map(Color::Indexed);
            let indexed = indexed.filter_map(|color| Some((color, rgb(color)?)));
            nearest(color, ground, indexed)
        }
        (Color::Rgb(..) | Color::Indexed(16..), Depth::Sixteen) => {
            // Red stays red and grey grey: what a colour is says more than how bright it is.
            let coloured = rgb(color).is_some_and(is_coloured);
            let alike = sixteen.filter(|(_, rgb)| is_coloured(*rgb) == coloured);
            nearest(color, ground, alike)
        }
        (other, _) => other,
    }
}

/// Whether it is more than a grey.
fn is_coloured((r, g, b): Rgb) -> bool {
    r.max(g).max(b) - r.min(g).min(b) > 40
}

/// The ground of a theme for a terminal of this depth: of sixteen colours only black and white
/// leave enough to be read on them.
pub fn ground(color: Color, depth: Depth) -> Color {
    match (depth, rgb(color)) {
        (Depth::Sixteen, Some(rgb)) if luminance(rgb) < 0.18 => Color::Black,
        (Depth::Sixteen, Some(_)) => Color::White,
        _ => fitted(color, None, depth),
    }
}

fn nearest(color: Color, ground: Option<Rgb>, known: impl Iterator<Item = (Color, Rgb)>) -> Color {
    let Some(wanted) = rgb(color) else {
        return color;
    };
    let reads = |rgb| ground.is_none_or(|ground| contrast(rgb, ground) >= READABLE);
    let must_read = reads(wanted);
    known
        .filter(|(_, rgb)| !must_read || reads(*rgb))
        .min_by_key(|(_, rgb)| distance(*rgb, wanted))
        .map_or(color, |(color, _)| color)
}

/// How different two colours look, by a formula that is quick and good enough ("redmean").
fn distance(one: Rgb, other: Rgb) -> i32 {
    let by = |a: u8, b: u8| i32::from(a) - i32::from(b);
    let (r, g, b) = (by(one.0, other.0), by(one.1, other.1), by(one.2, other.2));
    let red = i32::midpoint(i32::from(one.0), i32::from(other.0));
    (((512 + red) * r * r) >> 8) + 4 * g * g + (((767 - red) * b * b) >> 8)
}

/// `color`, lighter or darker until it is read on `ground`.
pub fn readable(color: Rgb, ground: Rgb) -> Rgb {
    let end = if luminance(ground) < 0.18 { 255 } else { 0 };
    let mix = |channel: u8, step: u16| {
        let mixed = (u16::from(channel) * (20 - step) + end * step) / 20;
        u8::try_from(mixed).unwrap_or(u8::MAX)
    };
    let steps = (0..=20).map(|step| (mix(color.0, step), mix(color.1, step), mix(color.2, step)));
    let mut steps = steps.skip_while(|rgb| contrast(*rgb, ground) < READABLE);
    steps.next().unwrap_or(color)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case((0, 0, 0), (255, 255, 255), 21.0)]
    #[case((118, 118, 118), (255, 255, 255), 4.54)]
    #[case((170, 0, 0), (0, 0, 0), 2.71)]
    fn contrasts_are_those_of_wcag(#[case] one: Rgb, #[case] other: Rgb, #[case] expected: f64) {
        assert!((contrast(one, other) - expected).abs() < 0.01);
        assert!((contrast(other, one) - expected).abs() < 0.01);
    }

    #[rstest]
    #[case("#ff0000", Depth::Sixteen, None, Color::Red)]
    #[case("#aa0000", Depth::Sixteen, None, Color::Red)]
    #[case("#ff5f5f", Depth::Sixteen, Some((0, 0, 0)), Color::LightRed)]
    // What is read must still be read.
    #[case("#949494", Depth::Sixteen, Some((0, 0, 0)), Color::Gray)]
    #[case("203", Depth::Sixteen, Some((0, 0, 0)), Color::LightRed)]
    #[case("#87d787", Depth::Sixteen, Some((0, 0, 0)), Color::LightGreen)]
    #[case("203", Depth::Indexed, None, Color::Indexed(203))]
    #[case("#ff0000", Depth::Indexed, None, Color::Indexed(196))]
    #[case("#808080", Depth::Indexed, None, Color::Indexed(244))]
    #[case("#123456", Depth::True, None, Color::Rgb(0x12, 0x34, 0x56))]
    #[case("darkgray", Depth::Sixteen, Some((0, 0, 0)), Color::DarkGray)]
    fn colours_degrade_to_their_neighbours(
        #[case] color: &str,
        #[case] depth: Depth,
        #[case] ground: Option<Rgb>,
        #[case] expected: Color,
    ) {
        assert_eq!(fitted(color.parse().unwrap(), ground, depth), expected);
    }

    #[test]
    fn what_cannot_be_read_is_made_so() {
        for ground in [(0, 0, 0), (46, 52, 64), (255, 255, 255)] {
            for color in [(0, 0, 255), (255, 0, 255), (0, 175, 175)] {
                assert!(contrast(readable(color, ground), ground) >= READABLE);
            }
        }
    }
}
