//! Numbers, booleans and durations as Go reads them, because crictl does: what works in
//! `/etc/crictl.yaml` and on crictl's command line works here, and fails here with its words.

use std::time::Duration;

/// `strconv.Atoi` on a 64-bit machine.
pub fn atoi(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("strconv.Atoi: parsing {text:?}: invalid syntax"));
    }
    text.parse()
        .map_err(|_| format!("strconv.Atoi: parsing {text:?}: value out of range"))
}

/// `strconv.ParseBool`.
pub fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!(
            "strconv.ParseBool: parsing {text:?}: invalid syntax"
        )),
    }
}

/// `time.ParseDuration`, in nanoseconds: `2s`, `1h15m30.918s`, `-1.5h`, `0`.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {text:?}");
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (part, after) = duration_part(rest).map_err(|bad| bad.describe(text))?;
        total = total
            .checked_add(part)
            .filter(|sum| *sum <= 1 << 63)
            .ok_or_else(invalid)?;
        rest = after;
    }
    let total = i128::from(total);
    i64::try_from(if negative { -total } else { total }).map_err(|_| invalid())
}

/// A parsed duration as Rust has it; `None` when it is zero or negative.
pub fn positive(nanos: i64) -> Option<Duration> {
    u64::try_from(nanos)
        .ok()
        .filter(|nanos| *nanos > 0)
        .map(Duration::from_nanos)
}

/// What is wrong with a part of a duration.
enum Bad<'a> {
    Number,
    MissingUnit,
    UnknownUnit(&'a str),
}

impl Bad<'_> {
    fn describe(&self, text: &str) -> String {
        match self {
            Self::Number => format!("time: invalid duration {text:?}"),
            Self::MissingUnit => format!("time: missing unit in duration {text:?}"),
            Self::UnknownUnit(unit) => {
                format!("time: unknown unit {unit:?} in duration {text:?}")
            }
        }
    }
}

/// The first number and unit of `text` in nanoseconds, and what follows.
fn duration_part(text: &str) -> Result<(u64, &str), Bad<'_>> {
    let (whole, rest) = split_digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(after) => split_digits(after),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(Bad::Number);
    }
    let end = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, after) = rest.split_at(end);
    let scale: u64 = match unit {
        "" => return Err(Bad::MissingUnit),
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return Err(Bad::UnknownUnit(unit)),
    };
    let whole: u64 = match whole {
        "" => 0,
        digits => digits.parse().map_err(|_| Bad::Number)?,
    };
    let nanos = whole
        .checked_mul(scale)
        .and_then(|nanos| nanos.checked_add(fraction_of(fraction, scale)))
        .ok_or(Bad::Number)?;
    Ok((nanos, after))
}

/// `0.fraction * scale`, truncated.
fn fraction_of(fraction: &str, scale: u64) -> u64 {
    let mut unit = u128::from(scale) * 1_000_000_000_000_000_000;
    let mut sum = 0;
    for digit in fraction.bytes() {
        unit /= 10;
        sum += unit * u128::from(digit - b'0');
    }
    u64::try_from(sum / 1_000_000_000_000_000_000).unwrap_or(u64::MAX)
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("7", Ok(7))]
    #[case("+7", Ok(7))]
    #[case("-1", Ok(-1))]
    #[case("007", Ok(7))]
    #[case("9223372036854775807", Ok(i64::MAX))]
    #[case(
        "9223372036854775808",
        Err("strconv.Atoi: parsing \"9223372036854775808\": value out of range")
    )]
    #[case("2s", Err("strconv.Atoi: parsing \"2s\": invalid syntax"))]
    #[case("", Err("strconv.Atoi: parsing \"\": invalid syntax"))]
    #[case("-", Err("strconv.Atoi: parsing \"-\": invalid syntax"))]
    #[case("0x10", Err("strconv.Atoi: parsing \"0x10\": invalid syntax"))]
    #[case("1_000", Err("strconv.Atoi: parsing \"1_000\": invalid syntax"))]
    #[case("1.0", Err("strconv.Atoi: parsing \"1.0\": invalid syntax"))]
    #[case(" 1", Err("strconv.Atoi: parsing \" 1\": invalid syntax"))]
    #[case("٣", Err("strconv.Atoi: parsing \"٣\": invalid syntax"))]
    fn numbers(#[case] text: &str, #[case] expected: Result<i64, &str>) {
        assert_eq!(atoi(text), expected.map_err(str::to_owned));
    }

    #[rstest]
    #[case::yes(&["1", "t", "T", "true", "TRUE", "True"], Some(true))]
    #[case::no(&["0", "f", "F", "false", "FALSE", "False"], Some(false))]
    #[case::neither(&["yes", "no", "on", "", "tRUE", "2", " true"], None)]
    fn booleans(#[case] texts: &[&str], #[case] expected: Option<bool>) {
        for text in texts {
            assert_eq!(parse_bool(text).ok(), expected, "{text:?}");
        }
        assert_eq!(
            parse_bool("yes").unwrap_err(),
            "strconv.ParseBool: parsing \"yes\": invalid syntax"
        );
    }

    #[rstest]
    #[case("0", 0)]
    #[case("-0", 0)]
    #[case("2s", 2_000_000_000)]
    #[case("500ms", 500_000_000)]
    #[case("-2s", -2_000_000_000)]
    #[case("+5s", 5_000_000_000)]
    #[case("1h30m", 5_400_000_000_000)]
    #[case("1.5h", 5_400_000_000_000)]
    #[case(".5s", 500_000_000)]
    #[case("5.s", 5_000_000_000)]
    #[case("10us", 10_000)]
    #[case("10µs", 10_000)]
    #[case("10μs", 10_000)]
    #[case("3ns", 3)]
    #[case("0.9ns", 0)]
    #[case("0.100000000000000000000h", 360_000_000_000)]
    #[case("9223372036854775807ns", i64::MAX)]
    #[case("-9223372036854775808ns", i64::MIN)]
    fn durations(#[case] text: &str, #[case] nanos: i64) {
        assert_eq!(parse_duration(text), Ok(nanos));
    }

    #[rstest]
    #[case("", "time: invalid duration \"\"")]
    #[case("2", "time: missing unit in duration \"2\"")]
    #[case("-", "time: invalid duration \"-\"")]
    #[case("s", "time: invalid duration \"s\"")]
    #[case(".s", "time: invalid duration \".s\"")]
    #[case("2x", "time: unknown unit \"x\" in duration \"2x\"")]
    #[case("2 s", "time: unknown unit \" s\" in duration \"2 s\"")]
    #[case("1d", "time: unknown unit \"d\" in duration \"1d\"")]
    #[case("1s-2s", "time: unknown unit \"s-\" in duration \"1s-2s\"")]
    #[case(
        "9223372036854775808ns",
        "time: invalid duration \"9223372036854775808ns\""
    )]
    #[case("99999999999h", "time: invalid duration \"99999999999h\"")]
    fn no_durations(#[case] text: &str, #[case] error: &str) {
        assert_eq!(parse_duration(text), Err(error.to_owned()));
    }

    #[test]
    fn zero_and_less_are_not_positive() {
        assert_eq!(positive(0), None);
        assert_eq!(positive(-1), None);
        assert_eq!(positive(1), Some(Duration::from_nanos(1)));
    }

    proptest! {
        #[test]
        fn any_text_parses_or_fails(text in any::<String>()) {
            let _ = (atoi(&text), parse_bool(&text), parse_duration(&text));
        }

        #[test]
        fn nanoseconds_come_back(nanos in any::<i64>()) {
            prop_assert_eq!(parse_duration(&format!("{nanos}ns")), Ok(nanos));
            prop_assert_eq!(atoi(&nanos.to_string()), Ok(nanos));
        }

        #[test]
        fn parts_add_up(h in 0i64..1000, m in 0i64..100, ms in 0i64..100_000) {
            let sum = ((h * 3600 + m * 60) * 1000 + ms) * 1_000_000;
            prop_assert_eq!(parse_duration(&format!("-{h}h{m}m{ms}ms")), Ok(-sum));
        }
    }
}
