//! Rates from counters: whoever reads them twice knows how fast they grow, if nothing jumped in
//! between.

use std::time::Duration;

use jiff::Timestamp;

/// Shortest time between two readings that gives a rate: below, the noise is the number.
const SHORTEST: i128 = 50_000_000;
/// Our two clocks may drift apart by so much without a jump: slewing.
const SLEW: i128 = 100_000_000;
/// A reading cannot span much more than the time that has passed for us: what collects every
/// minute is the slowest that there is.
const LATE: i128 = 90_000_000_000;

/// The moment at which something was read, by both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// Wall clock, which may jump.
    pub now: Timestamp,
    /// Since the start, which cannot.
    pub uptime: Duration,
}

/// One reading of a counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// When it was measured by the node's clock, in nanoseconds since the epoch; 0 if nobody
    /// says.
    pub at: i64,
    /// The counter.
    pub total: u64,
    /// When it was read.
    pub read: Moment,
}

/// What two readings say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It is the same reading again, or too close to the one before.
    Same,
    /// The counter has begun anew, or the clocks say nothing that can be used.
    Reset,
    /// It grew by so much in so many nanoseconds.
    Grew {
        /// By how much.
        by: u64,
        /// In how many nanoseconds.
        within: u64,
    },
}

impl Step {
    /// How much of `unit` a second; a counter of nanoseconds and 1,000,000 give millionths of a
    /// core when `per` is a nanosecond. `None` unless it grew.
    pub fn per(self, nanoseconds: u64) -> Option<u64> {
        let Self::Grew { by, within } = self else {
            return None;
        };
        let rate = u128::from(by) * u128::from(nanoseconds) / u128::from(within.max(1));
        u64::try_from(rate).ok()
    }
}

/// What `after` says after `before`.
pub fn step(before: &Reading, after: &Reading) -> Step {
    let mono = nanoseconds(after.read.uptime) - nanoseconds(before.read.uptime);
    let within = if before.at > 0 && after.at > 0 {
        if after.at == before.at {
            return Step::Same;
        }
        // The runtime's wall clock is ours: what ours jumped by, its has too.
        let wall = after.read.now.as_nanosecond() - before.read.now.as_nanosecond();
        let jump = wall - mono;
        let jump = if jump.abs() < SLEW { 0 } else { jump };
        i128::from(after.at) - i128::from(before.at) - jump
    } else {
        mono
    };
    if after.total < before.total || within < 0 || within > mono + LATE {
        return Step::Reset;
    }
    if within < SHORTEST {
        return Step::Same;
    }
    Step::Grew {
        by: after.total - before.total,
        within: u64::try_from(within).unwrap_or(u64::MAX),
    }
}

fn nanoseconds(span: Duration) -> i128 {
    i128::try_from(span.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use rstest::rstest;

    /// Milliseconds: by the node's clock at the measurement, wall clock and uptime at the reading.
    fn reading(at: i64, wall: i64, up: u64, total: u64) -> Reading {
        Reading {
            at: at * 1_000_000,
            total,
            read: Moment {
                now: Timestamp::UNIX_EPOCH + SignedDuration::from_millis(wall),
                uptime: Duration::from_millis(up),
            },
        }
    }

    fn grew(by: u64, milliseconds: u64) -> Step {
        Step::Grew {
            by,
            within: milliseconds * 1_000_000,
        }
    }

    #[rstest]
    #[case::plain((1000, 1010, 10, 5), (3000, 3010, 2010, 65), grew(60, 2000))]
    #[case::by_the_runtimes_clock_not_by_ours((1000, 1500, 500, 0), (3000, 3900, 2900, 60), grew(60, 2000))]
    #[case::nothing_was_used((1000, 1000, 0, 7), (3000, 3000, 2000, 7), grew(0, 2000))]
    #[case::the_same_reading_from_a_cache((1000, 1000, 0, 7), (1000, 3000, 2000, 7), Step::Same)]
    #[case::too_close((1000, 1000, 0, 7), (1020, 1020, 20, 9), Step::Same)]
    #[case::a_collector_that_comes_by_every_ten_seconds((1000, 8000, 0, 0), (11_000, 11_500, 3500, 9), grew(9, 10_000))]
    #[case::the_counter_began_anew((1000, 1000, 0, 700), (3000, 3000, 2000, 7), Step::Reset)]
    #[case::the_clock_went_back((100_000, 100_000, 0, 0), (52_000, 52_000, 2000, 60), grew(60, 2000))]
    #[case::the_clock_went_forward((1000, 1000, 0, 0), (3_603_000, 3_603_000, 2000, 60), grew(60, 2000))]
    #[case::slewing_is_no_jump((1000, 1000, 0, 0), (3050, 3050, 2000, 60), grew(60, 2050))]
    #[case::a_jump_that_only_the_runtime_saw((1000, 1000, 0, 0), (3_603_000, 3000, 2000, 60), Step::Reset)]
    #[case::no_times((0, 1000, 0, 0), (0, 3000, 2000, 60), grew(60, 2000))]
    #[case::no_times_and_a_jump((0, 1000, 0, 0), (0, 900_000, 2000, 60), grew(60, 2000))]
    fn steps(
        #[case] before: (i64, i64, u64, u64),
        #[case] after: (i64, i64, u64, u64),
        #[case] expected: Step,
    ) {
        let of = |(at, wall, up, total)| reading(at, wall, up, total);
        assert_eq!(step(&of(before), &of(after)), expected);
    }

    #[rstest]
    #[case(grew(600_000_000, 2000), 1_000_000, Some(300_000))]
    #[case(grew(2048, 2000), 1_000_000_000, Some(1024))]
    #[case(Step::Grew { by: u64::MAX, within: 1 }, u64::MAX, None)]
    #[case(Step::Same, 1, None)]
    #[case(Step::Reset, 1, None)]
    fn rates(#[case] step: Step, #[case] unit: u64, #[case] expected: Option<u64>) {
        assert_eq!(step.per(unit), expected);
    }
}
