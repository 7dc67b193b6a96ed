//! Where the vertical axis ends.

/// A round number from which the graph hangs: above all values, and the limit where the values
/// come anywhere near it.
pub fn top_of(values: &[Option<u32>], limit: Option<u32>, least: u32) -> u32 {
    let most = values
        .iter()
        .flatten()
        .max()
        .copied()
        .unwrap_or(0)
        .max(least);
    match limit {
        Some(limit) if most >= limit / 10 => limit.max(most),
        _ => round(most),
    }
}

/// The next of 1, 2, 3, 5 and their multiples by ten.
fn round(value: u32) -> u32 {
    let mut unit = 1_u32;
    loop {
        for step in [1, 2, 3, 5] {
            let Some(top) = unit.checked_mul(step) else {
                return u32::MAX;
            };
            if top >= value {
                return top;
            }
        }
        let Some(next) = unit.checked_mul(10) else {
            return u32::MAX;
        };
        unit = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, 1)]
    #[case(11, 20)]
    #[case(300, 300)]
    #[case(301, 500)]
    #[case(501, 1000)]
    #[case(u32::MAX, u32::MAX)]
    fn rounds(#[case] value: u32, #[case] top: u32) {
        assert_eq!(round(value), top);
    }

    #[rstest]
    #[case::near(&[Some(50)], Some(100), 100)]
    #[case::above(&[Some(150)], Some(100), 150)]
    #[case::far_below(&[Some(50)], Some(100_000), 50)]
    #[case::none(&[None], None, 10)]
    fn tops(#[case] values: &[Option<u32>], #[case] limit: Option<u32>, #[case] top: u32) {
        assert_eq!(top_of(values, limit, 10), top);
    }
}
