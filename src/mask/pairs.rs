//! Sets of two neighbouring bytes, asked for each byte of a text.

/// A bit for each pair of bytes: small enough to stay at hand.
pub(super) struct Pairs([u64; 1024]);

impl Pairs {
    /// These.
    pub const fn of(pairs: &[&[u8; 2]]) -> Self {
        let mut set = Self([0; 1024]);
        let mut at = 0;
        while at < pairs.len() {
            set.add(pairs[at][0], pairs[at][1]);
            at += 1;
        }
        set
    }

    /// These, which are small letters, and the same in large ones.
    pub const fn in_any_case(pairs: &[&[u8; 2]]) -> Self {
        let mut set = Self::of(pairs);
        let mut at = 0;
        while at < pairs.len() {
            let [a, b] = *pairs[at];
            let (large_a, large_b) = (a.to_ascii_uppercase(), b.to_ascii_uppercase());
            set.add(a, large_b);
            set.add(large_a, b);
            set.add(large_a, large_b);
            at += 1;
        }
        set
    }

    const fn add(&mut self, a: u8, b: u8) {
        let bit = (a as usize) << 8 | b as usize;
        self.0[bit >> 6] |= 1 << (bit & 63);
    }

    /// One of them.
    #[inline]
    pub fn has(&self, a: u8, b: u8) -> bool {
        let bit = usize::from(a) << 8 | usize::from(b);
        self.0[bit >> 6] >> (bit & 63) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_and_no_others() {
        let set = Pairs::of(&[b"ab", b"\xff\x00"]);
        let members = (0..=u8::MAX).flat_map(|a| (0..=u8::MAX).map(move |b| (a, b)));
        let members: Vec<_> = members.filter(|(a, b)| set.has(*a, *b)).collect();
        assert_eq!(members, [(b'a', b'b'), (0xff, 0)]);
        let set = Pairs::in_any_case(&[b"ab"]);
        assert!(
            [b"ab", b"aB", b"Ab", b"AB"]
                .iter()
                .all(|[a, b]| set.has(*a, *b))
        );
        assert!(!set.has(b'b', b'a'));
    }
}
