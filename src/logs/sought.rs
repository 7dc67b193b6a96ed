//! What a user types to look for something in logs.

use super::search::Pattern;
use crate::text::Text;

/// A typed search: the text itself, or `~` and a regular expression. Without a capital letter in
/// it, capitals do not matter.
#[derive(Clone, Debug)]
pub struct Sought {
    line: String,
    pattern: Pattern,
}

impl PartialEq for Sought {
    fn eq(&self, other: &Self) -> bool {
        self.line == other.line
    }
}

impl Eq for Sought {}

impl Sought {
    /// What `line` means; nothing if it is empty. The error is one line.
    pub fn parse(line: &str) -> Result<Option<Self>, Text> {
        let pattern = match line.strip_prefix('~') {
            _ if line.is_empty() || line == "~" => return Ok(None),
            Some(regex) => Pattern::regex(regex)?,
            None => Pattern::literal(line),
        };
        let line = line.to_owned();
        Ok(Some(Self { line, pattern }))
    }

    /// As it was typed.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// What it finds.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a.c", "xA.C", true)]
    #[case("a.c", "abc", false)]
    #[case("A.c", "a.c", false)]
    #[case("~a.c", "aBC", true)]
    #[case("~^b", "ab", false)]
    fn finds(#[case] line: &str, #[case] content: &str, #[case] expected: bool) {
        let sought = Sought::parse(line).unwrap().unwrap();
        assert_eq!(sought.pattern().is_match(content.as_bytes()), expected);
    }

    #[test]
    fn nothing_and_nonsense() {
        assert_eq!(Sought::parse("").unwrap(), None);
        assert_eq!(Sought::parse("~").unwrap(), None);
        assert!(
            Sought::parse("~(")
                .unwrap_err()
                .as_str()
                .contains("no regular expression")
        );
    }
}
