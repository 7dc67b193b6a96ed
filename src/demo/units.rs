//! Amounts as scenarios write them: `2m10s`, `48Mi`.

use serde::{Deserialize, Deserializer, de};

/// A span of time in nanoseconds, written `12d`, `2m10s`, `500ms`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Nanos(pub i64);

/// Bytes, written `48Mi`, `10k`, `512`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Bytes(pub u64);

const TIMES: [(&str, i64); 5] = [
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

const SIZES: [(&str, u64); 6] = [
    ("", 1),
    ("k", 1_000),
    ("M", 1_000_000),
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
];

fn span(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut sum = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let factor = TIMES.iter().find(|(name, _)| *name == unit)?.1;
        sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(factor)?)?;
        rest = tail;
    }
    Some(sum)
}

fn size(text: &str) -> Option<u64> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = SIZES.iter().find(|(name, _)| *name == unit)?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

impl<'de> Deserialize<'de> for Nanos {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        span(&text)
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is no span of time such as 2m10s")))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        size(&text)
            .map(Self)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is no size such as 48Mi")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2m10s", Some(130_000_000_000))]
    #[case("12d", Some(1_036_800_000_000_000))]
    #[case("500ms", Some(500_000_000))]
    #[case("10", None)]
    #[case("3w", None)]
    fn spans(#[case] text: &str, #[case] expected: Option<i64>) {
        assert_eq!(span(text), expected);
    }

    #[rstest]
    #[case("48Mi", Some(48 << 20))]
    #[case("512", Some(512))]
    #[case("10k", Some(10_000))]
    #[case("Mi", None)]
    #[case("4Pi", None)]
    fn sizes(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(size(text), expected);
    }
}
