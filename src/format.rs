//! Numbers and times as people read them in a table: short, aligned, without false precision.

use jiff::Timestamp;

/// Whole seconds from `from` to `to`, never negative: clocks jump, and some runtimes report an
/// end before its start.
pub fn seconds_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_second().saturating_sub(from.as_second())).unwrap_or(0)
}

/// A span in at most two units: `42s`, `12m`, `3h12m`, `2d4h`, `45d`. Seconds show only below
/// one minute, so that an idle screen changes once a minute at most.
pub fn age(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, m) => format!("{m}m"),
        (0, h, m) => two(h, 'h', m % 60, 'm'),
        (d @ 1..=6, h, _) => two(d, 'd', h % 24, 'h'),
        (d, _, _) => format!("{d}d"),
    }
}

/// A span that counts down or tells how long something ran: like [`age`], but with seconds
/// below one hour (`2m10s`).
pub fn span(seconds: u64) -> String {
    if (60..3600).contains(&seconds) {
        two(seconds / 60, 'm', seconds % 60, 's')
    } else {
        age(seconds)
    }
}

fn two(big: u64, big_unit: char, small: u64, small_unit: char) -> String {
    if small == 0 {
        format!("{big}{big_unit}")
    } else {
        format!("{big}{big_unit}{small}{small_unit}")
    }
}

/// Bytes in binary units with three significant digits: `512B`, `1.95MiB`, `128GiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count}B");
    }
    // Precision to three digits does not suffer from the 52 bits of the mantissa.
    #[allow(clippy::cast_precision_loss)]
    let mut value = count as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = if value < 9.995 {
        2
    } else {
        usize::from(value < 99.95)
    };
    format!("{value:.digits$}{}", UNITS[unit])
}

/// The first `most` names, and how many more there are.
pub fn some_of(names: &[String], most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let text = names[..names.len() - more].join(", ");
    if more > 0 {
        return format!("{text} and {more} more");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0s")]
    #[case(59, "59s")]
    #[case(60, "1m")]
    #[case(3599, "59m")]
    #[case(3600, "1h")]
    #[case(11_520, "3h12m")]
    #[case(86_400, "1d")]
    #[case(187_200, "2d4h")]
    #[case(86_400 * 45, "45d")]
    fn ages(#[case] seconds: u64, #[case] expected: &str) {
        assert_eq!(age(seconds), expected);
    }

    #[rstest]
    #[case(9, "9s")]
    #[case(130, "2m10s")]
    #[case(300, "5m")]
    #[case(3600, "1h")]
    fn spans(#[case] seconds: u64, #[case] expected: &str) {
        assert_eq!(span(seconds), expected);
    }

    #[rstest]
    #[case(0, "0B")]
    #[case(1023, "1023B")]
    #[case(1024, "1.00KiB")]
    #[case(10 * 1024, "10.0KiB")]
    #[case(1_048_575, "1.00MiB")]
    #[case(150 << 20, "150MiB")]
    #[case(u64::MAX, "16.0EiB")]
    fn sizes(#[case] count: u64, #[case] expected: &str) {
        assert_eq!(bytes(count), expected);
    }

    #[test]
    fn a_clock_that_jumps_back_gives_zero() {
        let (early, late) = (Timestamp::UNIX_EPOCH, Timestamp::MAX);
        assert_eq!(seconds_between(late, early), 0);
    }
}
