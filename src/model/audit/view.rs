//! The list of findings: groups, lines, the cursor.

use std::collections::HashMap;
use std::sync::Arc;

use super::Progress;
use crate::audit::{Finding, Kind, Report, Status};
use crate::logs::Sought;
use crate::model::list::Move;
use crate::text::Text;

/// What findings are put together by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Group {
    /// How bad they are.
    #[default]
    Severity,
    /// What they are about: pods and their containers, images, the runtime, the node.
    Pod,
    /// What was found.
    Check,
}

impl Group {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Severity => "severity",
            Self::Pod => "pod",
            Self::Check => "check",
        }
    }

    pub(super) fn next(self) -> Self {
        match self {
            Self::Severity => Self::Pod,
            Self::Pod => Self::Check,
            Self::Check => Self::Severity,
        }
    }
}

/// A line of the view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// The head of a group: its name, and how many findings are in it.
    Head(Text, usize),
    /// A finding, by its place in the report.
    Finding(usize),
}

/// The view.
#[derive(Debug)]
pub struct AuditView {
    /// What was found; `None` while that takes its time.
    pub report: Option<Result<Arc<Report>, Text>>,
    /// What findings are put together by.
    pub group: Group,
    /// Only those that match.
    pub filter: Option<Sought>,
    /// What is shown.
    pub rows: Vec<Row>,
    /// The line under the cursor.
    pub cursor: usize,
    /// The first line on the screen.
    pub top: usize,
    /// How far it has come.
    pub progress: Progress,
    pub(super) ticket: u64,
}

impl AuditView {
    pub(super) fn report(&self) -> Option<&Arc<Report>> {
        self.report.as_ref()?.as_ref().ok()
    }

    /// The finding under the cursor.
    pub fn chosen(&self) -> Option<&Finding> {
        match self.rows.get(self.cursor)? {
            Row::Finding(place) => self.report()?.findings.get(*place),
            Row::Head(..) => None,
        }
    }

    /// Puts the rows together again; the cursor stays on its finding.
    pub(super) fn lay_out(&mut self) {
        let here = match self.rows.get(self.cursor) {
            Some(Row::Finding(place)) => Some(*place),
            _ => None,
        };
        let Some(report) = self.report().cloned() else {
            return;
        };
        let takes = |finding: &Finding| self.filter.as_ref().is_none_or(|f| matches(f, finding));
        let mut places: Vec<usize> = (0..report.findings.len())
            .filter(|place| takes(&report.findings[*place]))
            .collect();
        let heads: Vec<String> = report
            .findings
            .iter()
            .map(|finding| self.group.head(finding))
            .collect();
        // The report begins with the worst, so the group with the worst comes first.
        let mut order: HashMap<&str, usize> = HashMap::new();
        for (place, head) in heads.iter().enumerate() {
            order.entry(head).or_insert(place);
        }
        places.sort_by_key(|place| (order.get(heads[*place].as_str()).copied(), *place));
        self.rows.clear();
        for group in places.chunk_by(|a, b| heads[*a] == heads[*b]) {
            let head = Text::clean(&heads[group[0]]);
            self.rows.push(Row::Head(head, group.len()));
            self.rows
                .extend(group.iter().map(|place| Row::Finding(*place)));
        }
        let same =
            here.and_then(|place| self.rows.iter().position(|row| *row == Row::Finding(place)));
        self.cursor = same.unwrap_or(usize::from(self.rows.len() > 1));
    }

    /// Moves the cursor, over heads; `height` lines fit.
    pub(super) fn go(&mut self, to: Move, height: usize) {
        let half = isize::try_from((height / 2).max(1)).unwrap_or(1);
        let last = self.rows.len().saturating_sub(1);
        let (target, back) = match to {
            Move::By(lines) => (self.cursor.saturating_add_signed(lines), lines < 0),
            Move::HalfPages(halves) => {
                (self.cursor.saturating_add_signed(halves * half), halves < 0)
            }
            Move::First => (0, false),
            Move::Last => (last, true),
            Move::To(line) => (line, false),
        };
        let target = target.min(last);
        let is_one = |at: &usize| matches!(self.rows.get(*at), Some(Row::Finding(_)));
        let after = || (target..=last).find(is_one);
        let before = || (0..=target).rev().find(is_one);
        let found = if back {
            before().or_else(after)
        } else {
            after().or_else(before)
        };
        self.cursor = found.unwrap_or(0);
    }

    /// Scrolls so that the cursor can be seen, with the head above it. True if it did.
    pub(super) fn fit(&mut self, height: usize) -> bool {
        let before = self.top;
        let headed = matches!(
            self.cursor.checked_sub(1).and_then(|at| self.rows.get(at)),
            Some(Row::Head(..))
        );
        let highest = self.cursor - usize::from(headed && height > 1);
        let first = (self.cursor + 1).saturating_sub(height);
        let lowest = self.rows.len().saturating_sub(height);
        self.top = self.top.clamp(first, highest.max(first)).min(lowest);
        before != self.top
    }
}

impl Group {
    /// The name of the group that a finding is in.
    fn head(self, finding: &Finding) -> String {
        let subject = &finding.subject;
        match self {
            Self::Severity if finding.status == Status::Unknown => "not known".to_owned(),
            Self::Severity => finding.severity.name().to_owned(),
            Self::Check => format!("{}: {}", finding.rule.id, finding.rule.title),
            Self::Pod => match subject.kind {
                Kind::Node => "the node".to_owned(),
                Kind::Runtime => "the runtime".to_owned(),
                Kind::Pod | Kind::Container => format!("{}/{}", subject.namespace, subject.pod),
                Kind::Image => "images".to_owned(),
            },
        }
    }
}

/// Something of it is sought: severity, check, subject, what is said.
fn matches(sought: &Sought, finding: &Finding) -> bool {
    let is = |text: &str| sought.pattern().is_match(text.as_bytes());
    let line = format!(
        "{} {} {} {}",
        finding.severity.name(),
        finding.rule.id,
        finding.subject.name(),
        finding.summary
    );
    is(&line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Severity, Subject, checks};
    use proptest::prelude::*;

    fn finding(place: usize, severity: Severity, pod: &str) -> Finding {
        Finding {
            rule: checks::rules()[place],
            status: Status::Found,
            severity,
            subject: Subject {
                kind: Kind::Pod,
                namespace: "n".into(),
                pod: pod.into(),
                ..Subject::default()
            },
            detail: String::new(),
            summary: "so it is".into(),
            evidence: vec![],
            acknowledged: false,
        }
    }

    fn view() -> AuditView {
        let report = Report {
            standards: [""; 3],
            looked_at: crate::audit::report::LookedAt::default(),
            counts: crate::audit::report::Counts::default(),
            pods: vec![],
            findings: vec![
                finding(0, Severity::High, "b"),
                finding(0, Severity::Medium, "a"),
                finding(1, Severity::Medium, "b"),
            ],
        };
        let mut view = AuditView {
            report: Some(Ok(Arc::new(report))),
            group: Group::Severity,
            filter: None,
            rows: vec![],
            cursor: 0,
            top: 0,
            progress: Progress::default(),
            ticket: 0,
        };
        view.lay_out();
        view
    }

    fn shown(view: &AuditView) -> Vec<String> {
        let told = |row: &Row| match row {
            Row::Head(name, count) => format!("{name} {count}"),
            Row::Finding(place) => place.to_string(),
        };
        view.rows.iter().map(told).collect()
    }

    #[test]
    fn the_group_with_the_worst_comes_first_and_the_cursor_stays_on_its_finding() {
        let mut view = view();
        assert_eq!(shown(&view), ["high 1", "0", "medium 2", "1", "2"]);
        view.go(Move::Last, 10);
        assert_eq!(view.cursor, 4);
        view.group = Group::Pod;
        view.lay_out();
        assert_eq!(shown(&view), ["n/b 2", "0", "2", "n/a 1", "1"]);
        assert_eq!(view.cursor, 2);
        view.filter = Sought::parse("n/a").unwrap();
        view.lay_out();
        assert_eq!(shown(&view), ["n/a 1", "1"]);
        assert_eq!(view.cursor, 1);
    }

    proptest! {
        #[test]
        fn the_cursor_is_on_a_finding_and_on_the_screen(
            moves in proptest::collection::vec((0..5_usize, -9..9_isize), 0..20),
            height in 1..8_usize,
        ) {
            let mut view = view();
            for (kind, by) in moves {
                let to = match kind {
                    0 => Move::By(by),
                    1 => Move::HalfPages(by),
                    2 => Move::First,
                    3 => Move::Last,
                    _ => Move::To(by.unsigned_abs()),
                };
                view.go(to, height);
                view.fit(height);
                prop_assert!(view.chosen().is_some());
                prop_assert!(view.cursor >= view.top && view.cursor < view.top + height);
            }
        }
    }
}
