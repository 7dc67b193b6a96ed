//! What is looked for, and how the lines are found quickly that may hold it.

use std::ops::Range;

use memchr::arch::all::packedpair::HeuristicFrequencyRank;
use memchr::memmem::{self, Finder, FinderBuilder};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange};
use regex_syntax::hir::{Hir, HirKind, Look};

use super::line_around;
use crate::logs::line::{self, without_return};
use crate::text::Text;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Pattern {
    exact: Matcher,
    /// Finds the lines of a file that need a closer look; `None` where nothing does.
    pub(super) scout: Option<Scout>,
}

#[derive(Clone, Debug)]
pub(super) enum Matcher {
    Literal(Box<Finder<'static>>),
    Regex(Regex),
}

impl Matcher {
    fn find(&self, bytes: &[u8]) -> Option<Range<usize>> {
        match self {
            Self::Literal(finder) => {
                let start = finder.find(bytes)?;
                Some(start..start + finder.needle().len())
            }
            Self::Regex(regex) => Some(regex.find(bytes)?.range()),
        }
    }

    fn is_match(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Literal(finder) => finder.find(bytes).is_some(),
            Self::Regex(regex) => regex.is_match(bytes),
        }
    }
}

/// Finds at least every line of a file whose content matches, and every partial line.
#[derive(Clone, Debug)]
pub(super) enum Scout {
    /// Both in one pass: half the memory to go through.
    Together(Regex),
    /// One after the other, where a regex for both would be slower than one for each.
    Apart(Matcher),
}

impl Scout {
    fn new(text: &str, insensitive: bool) -> Result<Self, Text> {
        let error = |error: &dyn std::fmt::Display| one_line(text, &error.to_string());
        let hir = regex_syntax::ParserBuilder::new()
            .case_insensitive(insensitive)
            .utf8(false)
            .build()
            .parse(text)
            .map_err(|e| error(&e))?;
        let weak = weaken(&hir);
        let alone = || Regex::new(&weak.to_string()).map_err(|e| error(&e));
        match quick_part(&weak) {
            Some(part) => {
                let both = Regex::new(&format!("(?:{part})| P[ :]"));
                both.map(Self::Together).map_err(|e| error(&e))
            }
            None => alone().map(|regex| Self::Apart(Matcher::Regex(regex))),
        }
    }

    /// The same for a log whose bytes are as frequent as those of `sample`, where that is
    /// quicker: a text is looked for by the two of its bytes that are rarest in this log.
    pub fn tuned(&self, sample: &[u8]) -> Option<Finder<'_>> {
        match self {
            Self::Apart(Matcher::Literal(finder)) => {
                let ranks = Ranks::of(sample);
                Some(FinderBuilder::new().build_forward_with_ranker(ranks, finder.needle()))
            }
            _ => None,
        }
    }

    /// Where something is at or after `at` that needs a closer look. `partial` is the next
    /// partial line that is known, and kept between calls; `tuned` is what [`Scout::tuned`] made.
    pub fn next(
        &self,
        tuned: Option<&Finder<'_>>,
        bytes: &[u8],
        at: usize,
        partial: &mut Option<usize>,
    ) -> Option<usize> {
        match self {
            Self::Together(regex) => regex.find_at(bytes, at).map(|found| found.start()),
            Self::Apart(raw) => {
                let known = partial.filter(|known| *known >= at);
                let until = known.unwrap_or_else(|| next_partial(bytes, at));
                *partial = Some(until);
                let searched = &bytes[at..until];
                let found = match tuned {
                    Some(finder) => finder.find(searched),
                    None => raw.find(searched).map(|found| found.start),
                };
                found
                    .map(|found| at + found)
                    .or((until < bytes.len()).then_some(until))
            }
        }
    }
}

/// How frequent each byte is in a log, as a rank.
struct Ranks([u8; 256]);

impl Ranks {
    fn of(sample: &[u8]) -> Self {
        let mut counts = [0_u32; 256];
        for byte in sample {
            counts[usize::from(*byte)] += 1;
        }
        let mut bytes: Vec<u8> = (0..=u8::MAX).collect();
        bytes.sort_by_key(|byte| counts[usize::from(*byte)]);
        let mut ranks = [0; 256];
        for (rank, byte) in (0..=u8::MAX).zip(bytes) {
            ranks[usize::from(byte)] = rank;
        }
        Self(ranks)
    }
}

impl HeuristicFrequencyRank for Ranks {
    fn rank(&self, byte: u8) -> u8 {
        self.0[usize::from(byte)]
    }
}

/// `weak`, or the longest end of it, that begins with a literal: only then does a regex go through
/// memory at full speed. A line that matches `weak` matches it too.
fn quick_part(weak: &Hir) -> Option<Hir> {
    let begins_with = |hir: &Hir, length| {
        let mut first = Extractor::new().extract(hir);
        first.optimize_for_prefix_by_preference();
        first.min_literal_len().is_some_and(|least| least >= length)
    };
    if begins_with(weak, 3) {
        return Some(weak.clone());
    }
    let HirKind::Concat(parts) = weak.kind() else {
        return None;
    };
    (1..parts.len())
        .map(|from| Hir::concat(parts[from..].to_vec()))
        .find(|end| begins_with(end, 2))
}

/// Where the first partial line at or after `from` begins, or the end.
fn next_partial(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = memmem::find(&bytes[at..], b" P") {
        at += found + 2;
        if !matches!(bytes.get(at), Some(b' ' | b':')) {
            continue;
        }
        let (start, end) = line_around(bytes, from, at);
        if line::header(&bytes[start..end]).is_some_and(|header| header.partial) {
            return start;
        }
        at = end;
    }
    bytes.len()
}

impl Pattern {
    /// The text itself; without a capital in it, capitals do not matter.
    pub fn literal(text: &str) -> Self {
        let exactly = || Matcher::Literal(Box::new(Finder::new(text.as_bytes()).into_owned()));
        let insensitive = has_cases(text) && !text.chars().any(char::is_uppercase);
        let escaped = regex::escape(text);
        let any_case = RegexBuilder::new(&escaped).case_insensitive(true).build();
        let (exact, scout) = match (any_case, Scout::new(&escaped, true)) {
            (Ok(regex), Ok(scout)) if insensitive => (Matcher::Regex(regex), scout),
            // Capitals matter, or it is too long a text for a regex.
            _ => (exactly(), Scout::Apart(exactly())),
        };
        Self {
            exact,
            scout: (!text.contains('\n')).then_some(scout),
        }
    }

    /// A regular expression; without a capital letter in it, capitals do not matter. The error
    /// is one line.
    pub fn regex(text: &str) -> Result<Self, Text> {
        let insensitive = !has_capital(text);
        let exact = RegexBuilder::new(text)
            .case_insensitive(insensitive)
            .build()
            .map_err(|error| one_line(text, &error.to_string()))?;
        Ok(Self {
            exact: Matcher::Regex(exact),
            scout: Some(Scout::new(text, insensitive)?),
        })
    }

    /// True if the line matches.
    pub fn is_match(&self, content: &[u8]) -> bool {
        self.exact.is_match(without_return(content))
    }

    /// Where it matches, for highlighting; at most `most` ranges of `content`.
    pub fn ranges(&self, content: &[u8], most: usize) -> Vec<Range<usize>> {
        let content = without_return(content);
        let mut found = Vec::new();
        match &self.exact {
            Matcher::Literal(finder) => {
                let length = finder.needle().len();
                let starts = finder.find_iter(content).take(most);
                found.extend(starts.map(|start| start..start + length));
            }
            Matcher::Regex(regex) => {
                found.extend(regex.find_iter(content).take(most).map(|at| at.range()));
            }
        }
        found
    }
}

fn has_cases(text: &str) -> bool {
    text.chars()
        .any(|c| c.is_alphabetic() && (c.is_lowercase() || c.is_uppercase()))
}

/// A capital letter that is not part of an escape such as `\S`.
fn has_capital(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c.is_uppercase() {
            return true;
        }
    }
    false
}

fn one_line(text: &str, error: &str) -> Text {
    let last = error.lines().rev().find(|line| !line.trim().is_empty());
    let last = last.unwrap_or("it cannot be used");
    let last = last.trim().trim_start_matches("error: ");
    Text::clean(&format!("{text:?} is no regular expression: {last}"))
}

/// `hir` without anchors to the beginning and end of a line, and never matching a newline: what
/// matches the content of a line in a file also matches in the middle of a block with this.
fn weaken(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) if literal.0.contains(&b'\n') => Hir::fail(),
        HirKind::Literal(literal) => Hir::literal(literal.0.clone()),
        HirKind::Class(Class::Unicode(class)) => {
            let mut class = class.clone();
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(Class::Bytes(class)) => {
            let mut class = class.clone();
            class.difference(&ClassBytes::new([ClassBytesRange::new(b'\n', b'\n')]));
            Hir::class(Class::Bytes(class))
        }
        HirKind::Look(look) => match look {
            Look::Start
            | Look::End
            | Look::StartLF
            | Look::EndLF
            | Look::StartCRLF
            | Look::EndCRLF => Hir::empty(),
            look => Hir::look(*look),
        },
        HirKind::Repetition(repetition) => {
            let mut repetition = repetition.clone();
            repetition.sub = Box::new(weaken(&repetition.sub));
            Hir::repetition(repetition)
        }
        HirKind::Capture(capture) => weaken(&capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(weaken).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(weaken).collect()),
    }
}
