//! What `/` takes: words that a row must hold. Fuzzy by default; `!word` must not be there,
//! `~word` is a regular expression, and `ns:`, `state:`, `image:` and `label:key=value` look at
//! one thing. Words are separated by blanks, and a row must satisfy them all.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;
use jiff::Timestamp;
use regex::{Regex, RegexBuilder};

use crate::domain::Labels;

/// Memory that a regular expression may take.
const REGEX_LIMIT: usize = 1 << 20;

/// A row as a filter sees it.
// The defaults are literals, what implements them borrows.
#[allow(clippy::unnecessary_literal_bound)]
pub trait Searchable {
    /// The texts that are shown in its cells and worth finding, the name first; none is made
    /// after `visit` has had enough.
    fn texts(
        &self,
        now: Timestamp,
        visit: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> ControlFlow<()>;
    /// Labels: its own, or its pod's.
    fn labels(&self) -> Option<&Labels> {
        None
    }
    /// Namespace.
    fn namespace(&self) -> &str {
        ""
    }
    /// State, as crictl names it.
    fn state(&self) -> &str {
        ""
    }
    /// Name of its image.
    fn image(&self) -> &str {
        ""
    }
}

/// A filter as it was typed, and what it means.
#[derive(Clone)]
pub struct Filter {
    source: String,
    terms: Vec<Term>,
    matcher: Arc<SkimMatcherV2>,
}

impl std::fmt::Debug for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.source)
    }
}

#[derive(Clone, Debug)]
struct Term {
    /// As it was typed.
    source: String,
    negated: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Fuzzy(String),
    Regex(Regex),
    Label(String, Option<String>),
    Namespace(String),
    State(String),
    Image(String),
}

impl Filter {
    /// Reads a filter; `None` when it says nothing. The error says what is wrong in a few words.
    pub fn parse(source: &str) -> Result<Option<Self>, String> {
        let terms = source
            .split_whitespace()
            .map(Term::parse)
            .collect::<Result<Vec<_>, _>>()?;
        let terms: Vec<Term> = terms.into_iter().flatten().collect();
        if terms.is_empty() {
            return Ok(None);
        }
        let matcher = Arc::new(SkimMatcherV2::default().smart_case());
        Ok(Some(Self {
            source: source.trim().to_owned(),
            terms,
            matcher,
        }))
    }

    /// As it was typed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// How well a row matches, the more the better; `None` when it does not.
    pub fn score(&self, row: &impl Searchable, now: Timestamp) -> Option<i64> {
        self.terms.iter().try_fold(0, |sum, term| {
            Some(sum + term.score(row, now, &self.matcher)?)
        })
    }

    /// True when rows have scores that tell better from worse.
    pub fn ranks(&self) -> bool {
        self.terms
            .iter()
            .any(|term| !term.negated && matches!(term.what, What::Fuzzy(_)))
    }

    /// Whatever `other` leaves, this leaves too, as far as the words tell: those of `other` begin
    /// with these, and the last of these may have become longer.
    pub fn leaves_all_of(&self, other: &Self) -> bool {
        let Some((last, before)) = self.terms.split_last() else {
            return true;
        };
        let (mut mine, mut others) = (before.iter(), other.terms.iter());
        mine.all(|term| {
            others
                .next()
                .is_some_and(|other| term.source == other.source)
        }) && others.next().is_some_and(|other| last.leaves_all_of(other))
    }

    /// The parts of a cell's text that matched, in bytes and in order, to be highlighted.
    pub fn matched(&self, text: &str) -> Vec<Range<usize>> {
        let shown = self.terms.iter().filter(|term| !term.negated);
        let mut ranges: Vec<Range<usize>> = shown
            .flat_map(|term| term.matched(text, &self.matcher))
            .collect();
        ranges.sort_by_key(|range| range.start);
        ranges
    }
}

impl Term {
    fn parse(word: &str) -> Result<Option<Self>, String> {
        let (negated, rest) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        if rest.is_empty() || rest == "~" {
            // Still being typed.
            return Ok(None);
        }
        let lower = |text: &str| text.to_lowercase();
        let what = match rest.split_once(':') {
            _ if rest.starts_with('~') => What::Regex(regex(&rest[1..])?),
            Some(("ns" | "namespace", value)) => What::Namespace(lower(value)),
            Some(("state", value)) => What::State(lower(value)),
            Some(("image", value)) => What::Image(lower(value)),
            Some(("label", value)) => match value.split_once('=') {
                Some((key, value)) => What::Label(key.to_owned(), Some(value.to_owned())),
                None => What::Label(value.to_owned(), None),
            },
            _ => What::Fuzzy(short_id(rest).to_owned()),
        };
        let source = word.to_owned();
        Ok(Some(Self {
            source,
            negated,
            what,
        }))
    }

    fn leaves_all_of(&self, other: &Self) -> bool {
        let longer = match (&self.what, &other.what) {
            (What::Fuzzy(word), What::Fuzzy(longer)) => longer.starts_with(word.as_str()),
            _ => false,
        };
        self.source == other.source || (longer && !self.negated && !other.negated)
    }

    fn score(&self, row: &impl Searchable, now: Timestamp, matcher: &SkimMatcherV2) -> Option<i64> {
        let found = match &self.what {
            // What must not be there is meant to the letter: a fuzzy "not" excludes too much.
            What::Fuzzy(word) if self.negated => holds(row, now, |text| contains(text, word)),
            What::Fuzzy(word) => first(row, now, |text| fuzzy(matcher, text, word)),
            What::Regex(regex) => holds(row, now, |text| regex.is_match(text)),
            What::Label(key, value) => row
                .labels()
                .is_some_and(|labels| has(labels, key, value.as_deref()))
                .then_some(0),
            What::Namespace(name) => starts(row.namespace(), name),
            What::State(name) => starts(row.state(), name),
            What::Image(name) => contains(row.image(), name).then_some(0),
        };
        match (self.negated, found) {
            (false, found) => found,
            (true, Some(_)) => None,
            (true, None) => Some(0),
        }
    }

    fn matched(&self, text: &str, matcher: &SkimMatcherV2) -> Vec<Range<usize>> {
        match &self.what {
            What::Fuzzy(word) => {
                let Some((_, places)) = matcher.fuzzy_indices(text, word) else {
                    return vec![];
                };
                let mut places = places.into_iter().peekable();
                let chars = text.char_indices().enumerate();
                let mut ranges = Vec::new();
                for (place, (at, c)) in chars {
                    if places.next_if_eq(&place).is_some() {
                        ranges.push(at..at + c.len_utf8());
                    }
                }
                ranges
            }
            What::Regex(regex) => regex.find_iter(text).map(|found| found.range()).collect(),
            What::Label(..) | What::Namespace(_) | What::State(_) | What::Image(_) => vec![],
        }
    }
}

/// Rows show the first 13 digits of an id: what was pasted whole is cut to those.
fn short_id(word: &str) -> &str {
    let bare = word.strip_prefix("sha256:").unwrap_or(word);
    match bare.get(..13) {
        Some(short) if bare.bytes().all(|b| b.is_ascii_hexdigit()) => short,
        _ => word,
    }
}

fn regex(source: &str) -> Result<Regex, String> {
    RegexBuilder::new(source)
        .case_insensitive(!source.chars().any(char::is_uppercase))
        .size_limit(REGEX_LIMIT)
        .build()
        .map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or("not a regular expression");
            last.trim_start_matches("error: ").to_owned()
        })
}

/// Each text further back is worth so much less: a match in the name counts most.
const FURTHER: i64 = 1000;

/// The score of the first text that matches.
fn first(
    row: &impl Searchable,
    now: Timestamp,
    score: impl Fn(&str) -> Option<i64>,
) -> Option<i64> {
    let (mut found, mut back) = (None, 0);
    let _ = row.texts(now, &mut |text| {
        found = score(text).map(|score| score - back);
        back += FURTHER;
        stop_if(found.is_some())
    });
    found
}

/// Letters of a word for which the matcher is not asked: they are in nearly every row, and it
/// takes its time with each.
const FEW: usize = 3;

/// A fuzzy match; the quick look spares the matcher what cannot match.
fn fuzzy(matcher: &SkimMatcherV2, text: &str, word: &str) -> Option<i64> {
    if word.chars().count() <= FEW {
        return few_letters(text, word);
    }
    if word.is_ascii() && !Letters::of(word).are_in(text) {
        return None;
    }
    matcher.fuzzy_match(text, word)
}

/// Best is the word at the beginning of the text, then at that of a word in it, then anywhere,
/// then its letters apart.
fn few_letters(text: &str, word: &str) -> Option<i64> {
    let letters = Letters::of(word);
    let first = word.chars().next()?;
    let (mut before, mut best) = (None, None);
    for (at, c) in text.char_indices() {
        if letters.same(c, first) {
            let rest = &text[at..];
            // What is not there from the first place is not from a later one.
            if best.is_none() && !letters.are_in(rest) {
                return None;
            }
            let score = match (letters.begin(rest), before) {
                (true, None) => 4,
                (true, Some(before)) if !char::is_alphanumeric(before) => 3,
                (true, Some(_)) => 2,
                (false, _) => 1,
            };
            best = best.max(Some(score));
            if score >= 3 {
                break;
            }
        }
        before = Some(c);
    }
    best
}

/// The letters of a word, as the matcher takes them: one capital among them, and all are meant.
struct Letters<'a> {
    word: &'a str,
    exact: bool,
}

impl<'a> Letters<'a> {
    fn of(word: &'a str) -> Self {
        let exact = word.chars().any(char::is_uppercase);
        Self { word, exact }
    }

    fn same(&self, c: char, wanted: char) -> bool {
        if self.exact {
            c == wanted
        } else if c.is_ascii() {
            c.to_ascii_lowercase() == wanted
        } else {
            c.to_lowercase().eq([wanted])
        }
    }

    /// The text begins with them.
    fn begin(&self, text: &str) -> bool {
        let mut chars = text.chars();
        let mut here = |wanted| chars.next().is_some_and(|c| self.same(c, wanted));
        self.word.chars().all(&mut here)
    }

    /// The text has them in this order.
    fn are_in(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let mut word = self.word.chars();
        word.all(|wanted| rest.any(|c| self.same(c, wanted)))
    }
}

fn stop_if(enough: bool) -> ControlFlow<()> {
    if enough {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

fn holds(row: &impl Searchable, now: Timestamp, matches: impl Fn(&str) -> bool) -> Option<i64> {
    let found = row.texts(now, &mut |text| stop_if(matches(text)));
    found.is_break().then_some(0)
}

fn starts(text: &str, with: &str) -> Option<i64> {
    lower(text).starts_with(with).then_some(0)
}

/// In small letters; most names are already.
fn lower(text: &str) -> Cow<'_, str> {
    let small = text
        .bytes()
        .all(|b| b.is_ascii() && !b.is_ascii_uppercase());
    if small {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.to_lowercase())
    }
}

fn contains(text: &str, word: &str) -> bool {
    if word.chars().any(char::is_uppercase) {
        text.contains(word)
    } else {
        lower(text).contains(word)
    }
}

fn has(labels: &Labels, key: &str, value: Option<&str>) -> bool {
    let found = labels.iter().find(|(name, _)| name.as_str() == key);
    found.is_some_and(|(_, found)| value.is_none_or(|value| found.as_str() == value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    struct Sample(Labels);

    #[allow(clippy::unnecessary_literal_bound)]
    impl Searchable for Sample {
        fn texts(
            &self,
            _: Timestamp,
            visit: &mut dyn FnMut(&str) -> ControlFlow<()>,
        ) -> ControlFlow<()> {
            visit("checkout-7d9f-x2x4l")?;
            visit("exit 1 x7")
        }
        fn labels(&self) -> Option<&Labels> {
            Some(&self.0)
        }
        fn namespace(&self) -> &str {
            "shop"
        }
        fn state(&self) -> &str {
            "Ready"
        }
        fn image(&self) -> &str {
            "registry/shop/Checkout:2"
        }
    }

    #[rstest]
    #[case("web-api", "w", Some(4))]
    #[case("web-api", "a", Some(3))]
    #[case("Web-api", "w", Some(4))]
    #[case("web-api", "i", Some(2))]
    #[case("web-api", "W", None)]
    #[case("Élan", "é", Some(4))]
    #[case("web-api", "api", Some(3))]
    #[case("web-api", "eb", Some(2))]
    #[case("web-api", "wa", Some(1))]
    #[case("web-api", "aw", None)]
    #[case("aa-ab", "ab", Some(3))]
    fn few_letters_are_best_where_words_begin(
        #[case] text: &str,
        #[case] word: &str,
        #[case] expected: Option<i64>,
    ) {
        assert_eq!(few_letters(text, word), expected);
    }

    #[rstest]
    #[case("we", "web", true)]
    #[case("web", "web", true)]
    #[case("web", "web ns:shop", true)]
    #[case("web n", "web ns:shop", false)]
    #[case("web x", "web xy", true)]
    #[case("web", "we", false)]
    #[case("web", "api", false)]
    #[case("!w", "!web", false)]
    #[case("!web", "!web a", true)]
    #[case("~a", "~ab", false)]
    #[case("ns:a", "ns:ab", false)]
    fn what_one_filter_leaves_another_can_choose_from(
        #[case] one: &str,
        #[case] other: &str,
        #[case] expected: bool,
    ) {
        let [one, other] = [one, other].map(|text| Filter::parse(text).unwrap().unwrap());
        assert_eq!(one.leaves_all_of(&other), expected);
    }

    proptest! {
        #[test]
        fn few_letters_match_what_the_matcher_does(
            text in "[a-dA-D1 -]{0,12}",
            word in "[a-dA-D1-]{1,3}",
        ) {
            let matcher = SkimMatcherV2::default().smart_case();
            let expected = matcher.fuzzy_match(&text, &word).is_some();
            prop_assert_eq!(few_letters(&text, &word).is_some(), expected);
        }
    }

    fn found(filter: &str) -> bool {
        let sample = Sample(vec![("app".into(), "checkout".into())]);
        let filter = Filter::parse(filter).unwrap();
        filter.is_none_or(|filter| filter.score(&sample, Timestamp::UNIX_EPOCH).is_some())
    }

    #[rstest]
    #[case("", true)]
    #[case("check", true)]
    #[case("ckout", true)]
    #[case("Check", false)]
    #[case("exit", true)]
    #[case("nginx", false)]
    #[case("!nginx", true)]
    #[case("!checkout", false)]
    #[case("!chkt", true)]
    #[case("chkt", true)]
    #[case("!", true)]
    #[case("~^check.*l$", true)]
    #[case("~^heck", false)]
    #[case("!~^check", false)]
    #[case("ns:shop", true)]
    #[case("ns:sh", true)]
    #[case("ns:ops", false)]
    #[case("!ns:ops", true)]
    #[case("state:ready", true)]
    #[case("image:checkout", true)]
    #[case("label:app", true)]
    #[case("label:app=checkout", true)]
    #[case("label:app=web", false)]
    #[case("check exit ns:shop", true)]
    #[case("check ns:ops", false)]
    fn finds(#[case] filter: &str, #[case] expected: bool) {
        assert_eq!(found(filter), expected, "{filter}");
    }

    #[test]
    fn a_broken_expression_says_what_is_wrong() {
        assert_eq!(Filter::parse("~(").unwrap_err(), "unclosed group");
    }

    #[rstest]
    #[case("ck", "checkout", &[0..1, 4..5])]
    #[case("~h.c", "checkout", &[1..4])]
    #[case("!check", "checkout", &[])]
    #[case("ü", "grün", &[2..4])]
    #[allow(clippy::single_range_in_vec_init)]
    fn highlights(#[case] filter: &str, #[case] text: &str, #[case] ranges: &[Range<usize>]) {
        assert_eq!(
            Filter::parse(filter).unwrap().unwrap().matched(text),
            ranges
        );
    }

    proptest! {
        #[test]
        fn nothing_typed_panics(source in any::<String>(), text in any::<String>()) {
            if let Ok(Some(filter)) = Filter::parse(&source) {
                for range in filter.matched(&text) {
                    prop_assert!(text.get(range).is_some());
                }
            }
            let _ = found(&source.replace('~', ""));
        }
    }
}
