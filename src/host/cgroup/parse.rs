//! The formats of cgroup files.

use crate::stats::cgroup::Pressure;

/// The only number of a file; `max` is none.
pub(super) fn first(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The number behind `name`.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    value.trim().parse().ok()
}

/// A limit as the kernel writes it: `max`, -1 and what is larger than any memory are none, as 0.
pub(super) fn limit(text: &str) -> i64 {
    text.trim().parse().unwrap_or(0)
}

/// Quota and period of `cpu.max`: `30000 100000` or `max 100000`.
pub(super) fn quota_v2(text: &str) -> (i64, i64) {
    let mut words = text.split_whitespace();
    let mut number = || words.next().map_or(0, limit);
    (number(), number())
}

/// Bytes read and written, of all devices together, in `io.stat`.
pub(super) fn io_v2(text: &str) -> (u64, u64) {
    let sum = |key: &str| {
        let words = text.split_whitespace();
        let values = words.filter_map(|word| word.strip_prefix(key)?.parse::<u64>().ok());
        values.fold(0, u64::saturating_add)
    };
    (sum("rbytes="), sum("wbytes="))
}

/// Bytes read and written, of all devices together, in `blkio.throttle.io_service_bytes`.
pub(super) fn io_v1(text: &str) -> Option<(u64, u64)> {
    let sum = |what: &str| {
        let values = text.lines().filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [_, kind, value] if kind == what => value.parse::<u64>().ok(),
                _ => None,
            }
        });
        values.fold(0, u64::saturating_add)
    };
    // Every line is of one device, save the last.
    text.contains("Total").then(|| (sum("Read"), sum("Write")))
}

/// The averages over ten seconds in a file of pressure.
pub(in crate::host) fn pressure(text: &str) -> Option<Pressure> {
    let average = |kind: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(kind))?;
        let value = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("avg10="))?;
        let (whole, rest) = value.split_once('.')?;
        let rest: u32 = rest.get(..2)?.parse().ok()?;
        Some(whole.parse::<u32>().ok()?.min(100) * 100 + rest)
    };
    Some(Pressure {
        some: average("some ")?,
        // Older kernels have no such line for the CPU.
        full: average("full ").unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("some avg10=8.15 avg60=1.00 avg300=0.00 total=5\nfull avg10=0.07 avg60=0.00 avg300=0.00 total=3\n", Some((815, 7)))]
    #[case("some avg10=99.99 avg60=1.00 avg300=0.00 total=5\n", Some((9999, 0)))]
    #[case("some avg10= avg60\n", None)]
    #[case("", None)]
    fn pressures(#[case] text: &str, #[case] expected: Option<(u32, u32)>) {
        let found = pressure(text).map(|pressure| (pressure.some, pressure.full));
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case("30000 100000\n", (30_000, 100_000))]
    #[case("max 100000\n", (0, 100_000))]
    #[case("", (0, 0))]
    fn quotas(#[case] text: &str, #[case] expected: (i64, i64)) {
        assert_eq!(quota_v2(text), expected);
    }

    #[test]
    fn io() {
        let text =
            "254:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:0 rbytes=1 wbytes=2\n";
        assert_eq!(io_v2(text), (11, 22));
        assert_eq!(io_v2(""), (0, 0));
        let text = "8:0 Read 10\n8:0 Write 20\n8:0 Sync 5\n8:16 Read 1\n8:16 Write 2\nTotal 33\n";
        assert_eq!(io_v1(text), Some((11, 22)));
        assert_eq!(io_v1("Total 0\n"), Some((0, 0)));
        assert_eq!(io_v1(""), None);
    }

    #[test]
    fn fields() {
        let text = "oom 3\noom_kill 2\noom_group_kill 9\nodd x\n";
        assert_eq!(field(text, "oom_kill"), Some(2));
        assert_eq!(field(text, "oom"), Some(3));
        assert_eq!(field(text, "odd"), None);
        assert_eq!(limit("9223372036854771712\n"), 9_223_372_036_854_771_712);
        assert_eq!(limit("max\n"), 0);
        assert_eq!(limit("18446744073709551615\n"), 0);
    }
}
