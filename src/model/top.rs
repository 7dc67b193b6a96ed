//! The full screen of statistics for a pod or a container: what is chosen there, and the numbers
//! that its graphs show.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::{ContainerId, ContainerState, IdSet, Limits, PodId};
use crate::format::seconds_between;
use crate::model::list::Move;
use crate::model::rows::ContainerRow;
use crate::model::{Effect, Layer, Model, Page, Subject, why};
use crate::stats::history::History;
use crate::stats::load::memory_limit;
use crate::stats::{Deep, Meter, Source, Sourced};
use crate::text::Text;

/// How far back the graphs reach, and how that is called.
pub const WINDOWS: [(Duration, &str); 4] = [
    (Duration::from_secs(60), "1 minute"),
    (Duration::from_secs(300), "5 minutes"),
    (Duration::from_secs(900), "15 minutes"),
    (Duration::from_secs(3600), "1 hour"),
];
/// Steps of the cursor across a window.
const STEPS: u32 = 60;

/// State of the screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopView {
    /// What it was opened for.
    pub subject: Subject,
    /// Its name.
    pub title: Text,
    /// Which of [`WINDOWS`].
    pub window: usize,
    /// The moment under the cursor, as the time since the start.
    pub at: Option<Duration>,
    /// Which line of the breakdown: 0 is the pod as a whole.
    pub line: usize,
}

/// Opens it for what is selected.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let Some(subject) = model.subject() else {
        return vec![];
    };
    let store = &model.store;
    let title = match &subject {
        Subject::Pod(id) => store
            .pod(id)
            .map(|row| format!("{}/{}", row.pod.namespace, row.pod.name)),
        Subject::Container(id) => {
            let row = store.container(id);
            row.map(|row| {
                format!(
                    "{}/{}/{}",
                    row.namespace(),
                    row.pod_name(),
                    row.container.name
                )
            })
        }
        Subject::Image(_) => None,
    };
    let Some(title) = title else { return vec![] };
    let moment = why::moment(model).and_then(|ago| moment(ago, model.clock.uptime));
    let (window, at) = moment.unzip();
    let view = TopView {
        subject,
        title: Text::clean(&title),
        window: window.unwrap_or(1),
        at,
        line: 0,
    };
    model.layers.push(Layer {
        page: Page::Top(Box::new(view)),
        scroll: 0,
    });
    vec![]
}

/// The shortest window that reaches so far back, and the moment in it; none for a time before
/// this run, or of which no graph tells.
fn moment(ago: Duration, uptime: Duration) -> Option<(usize, Duration)> {
    let at = uptime.checked_sub(ago)?;
    let window = WINDOWS.iter().position(|(window, _)| *window > ago)?;
    Some((window, at))
}

impl TopView {
    /// A longer window, or a shorter one.
    pub fn zoom(&mut self, longer: bool) {
        let last = WINDOWS.len() - 1;
        self.window = if longer {
            (self.window + 1).min(last)
        } else {
            self.window.saturating_sub(1)
        };
    }

    /// Moves the cursor; beyond now there is none.
    pub fn step(&mut self, earlier: bool, now: Duration) {
        let (window, _) = WINDOWS[self.window];
        let step = window / STEPS;
        let at = self.at.unwrap_or(now);
        if earlier {
            let oldest = now.saturating_sub(window);
            self.at = Some(at.saturating_sub(step).max(oldest));
        } else {
            self.at = Some(at + step).filter(|at| *at < now && self.at.is_some());
        }
    }

    /// Chooses another line of the breakdown.
    pub fn go(&mut self, to: Move, lines: usize) {
        let last = lines.saturating_sub(1);
        let line = match to {
            Move::By(by) => self.line.saturating_add_signed(by),
            Move::First => 0,
            Move::HalfPages(halves) if halves < 0 => 0,
            Move::HalfPages(_) | Move::Last => last,
            Move::To(line) => line,
        };
        self.line = line.min(last);
    }
}

/// One line of the breakdown: a container with all its attempts, the newest first.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its newest attempt.
    pub row: Arc<ContainerRow>,
    /// All of them.
    pub ids: Vec<ContainerId>,
}

/// The containers that the screen is about.
pub fn members(model: &Model, subject: &Subject) -> Vec<Member> {
    let (pod, name) = match subject {
        Subject::Pod(id) => (id, None),
        Subject::Container(id) => match model.store.container(id) {
            Some(row) => (&row.container.pod_id, Some(row.container.name.clone())),
            None => return vec![],
        },
        Subject::Image(_) => return vec![],
    };
    let mut members: Vec<Member> = Vec::new();
    for row in model.store.attempts_in(pod) {
        let id = row.container.id.clone();
        match members.last_mut() {
            Some(last) if last.row.container.name == row.container.name => last.ids.push(id),
            _ if name
                .as_ref()
                .is_some_and(|name| *name != row.container.name) => {}
            _ => members.push(Member {
                row: Arc::clone(row),
                ids: vec![id],
            }),
        }
    }
    members
}

/// The members of the chosen line.
pub fn chosen(view: &TopView, members: &[Member]) -> Vec<Member> {
    match view.line.checked_sub(1).and_then(|line| members.get(line)) {
        Some(member) => vec![member.clone()],
        None => members.to_vec(),
    }
}

/// The sandbox whose network is shown.
pub fn pod(model: &Model, subject: &Subject) -> Option<PodId> {
    match subject {
        Subject::Pod(id) => Some(id.clone()),
        Subject::Container(id) => Some(model.store.container(id)?.container.pod_id.clone()),
        Subject::Image(_) => None,
    }
}

/// What is used now, and how much of it there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// CPU in millionths of a core.
    pub cpu: Option<Sourced>,
    /// The limit of that.
    pub cpu_limit: Option<Sourced>,
    /// Working set in bytes.
    pub memory: Option<u64>,
    /// The limit of that.
    pub memory_limit: Option<Sourced>,
    /// Throttled, in tenths of a percent of the time; the worst of several.
    pub throttled: Option<u64>,
    /// Killed for memory.
    pub oom_kills: Option<u64>,
    /// Highest memory, with cache, of the newest attempt.
    pub peak: Option<u64>,
    /// Tasks.
    pub pids: Option<u64>,
}

/// What several containers use together. There is a limit when each has one.
pub fn now(model: &Model, members: &[Member]) -> Now {
    let each: Vec<Now> = members.iter().map(|member| of_one(model, member)).collect();
    if let [one] = each[..] {
        return one;
    }
    let sum = |of: fn(&Now) -> Option<u64>| each.iter().filter_map(of).reduce(u64::saturating_add);
    let all = |of: fn(&Now) -> Option<Sourced>| {
        let limits: Option<Vec<Sourced>> = each.iter().map(of).collect();
        let sum = limits?
            .iter()
            .map(|limit| limit.value)
            .reduce(u64::saturating_add);
        sum.map(|sum| Sourced::new(sum, Source::Sum))
    };
    Now {
        cpu: sum(|now| Some(now.cpu?.value)).map(|sum| Sourced::new(sum, Source::Sum)),
        cpu_limit: all(|now| now.cpu_limit),
        memory: sum(|now| now.memory),
        memory_limit: all(|now| now.memory_limit),
        throttled: each.iter().filter_map(|now| now.throttled).max(),
        // The pod's own count is in each.
        oom_kills: each.iter().filter_map(|now| now.oom_kills).max(),
        peak: None,
        pids: sum(|now| now.pids),
    }
}

fn of_one(model: &Model, member: &Member) -> Now {
    let id = &member.row.container.id;
    let meter = model.stats.meters.get(id);
    let deep = model.stats.deeps.get(id);
    let said = member
        .row
        .detail
        .as_ref()
        .map_or_else(Limits::default, |detail| detail.limits);
    let read = deep.map_or_else(Limits::default, |deep| deep.last.limits);
    let from = |said: Option<u64>, read: Option<u64>| {
        let said = said.map(|limit| Sourced::new(limit, Source::Status));
        said.or_else(|| Some(Sourced::new(read?, Source::Cgroup)))
    };
    let runs = member.row.container.state == ContainerState::Running;
    let implied = meter.and_then(|meter| memory_limit(meter, Limits::default()));
    Now {
        cpu: meter.and_then(|meter| meter.cpu).filter(|_| runs),
        cpu_limit: from(said.cpu, read.cpu),
        memory: meter.and_then(Meter::working_set).filter(|_| runs),
        memory_limit: from(said.memory, read.memory).or(implied),
        throttled: deep.and_then(|deep| deep.throttled).filter(|_| runs),
        oom_kills: deep.and_then(Deep::oom_kills),
        peak: deep.and_then(Deep::peak),
        pids: deep.and_then(|deep| deep.last.gauges.pids).filter(|_| runs),
    }
}

/// Where in the past to look, and how finely.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The end, as the time since the start.
    pub end: Duration,
    /// How long.
    pub window: Duration,
    /// Into how many values.
    pub values: usize,
}

/// How values of several containers become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Together {
    /// Their sum.
    Sum,
    /// The worst.
    Most,
}

/// A series over all attempts of all `members`; `None` where nothing is known of any.
pub fn series<'a, const N: usize>(
    members: &[Member],
    span: Span,
    together: Together,
    history: impl Fn(&ContainerId) -> Option<(&'a History<N>, usize)>,
) -> Vec<Option<u32>> {
    let mut all = vec![None; span.values];
    let histories = members
        .iter()
        .flat_map(|member| &member.ids)
        .filter_map(history);
    for (history, nth) in histories {
        let one = history.series(nth, span.end, span.window, span.values);
        for (sum, value) in all.iter_mut().zip(one) {
            *sum = match (*sum, value, together) {
                (Some(a), Some(b), Together::Sum) => Some(u32::saturating_add(a, b)),
                (a, b, Together::Most) => a.max(b),
                (a, b, Together::Sum) => a.or(b),
            };
        }
    }
    all
}

/// When containers were killed for their memory, as the time since the start: as their cgroups
/// counted it, and as the statuses of ended attempts say.
pub fn kills(model: &Model, members: &[Member]) -> Vec<Duration> {
    let ids = || members.iter().flat_map(|member| &member.ids);
    let counted = ids().filter_map(|id| model.stats.deeps.get(id));
    let counted = counted.flat_map(|deep| deep.kills.iter().copied());
    let told = ids().filter_map(|id| {
        let detail = model.store.container(id)?.detail.clone()?;
        detail
            .reason
            .as_ref()
            .filter(|reason| **reason == *"OOMKilled")?;
        let ago = Duration::from_secs(seconds_between(detail.finished_at?, model.clock.now));
        model.clock.uptime.checked_sub(ago)
    });
    // The same death, told twice, lies a few seconds apart at most.
    let mut kills: Vec<Duration> = counted.chain(told).collect();
    kills.sort();
    let mut seen = IdSet::default();
    kills.retain(|at| seen.insert(at.as_secs() / 5));
    kills
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(20, 100, Some((0, 80)))]
    #[case(61, 100, Some((1, 39)))]
    #[case(2000, 4000, Some((3, 2000)))]
    #[case(101, 100, None)]
    #[case(4000, 9000, None)]
    fn the_moment_of_an_end(
        #[case] ago: u64,
        #[case] uptime: u64,
        #[case] expected: Option<(usize, u64)>,
    ) {
        let seconds = Duration::from_secs;
        let expected = expected.map(|(window, at)| (window, seconds(at)));
        assert_eq!(moment(seconds(ago), seconds(uptime)), expected);
    }

    fn view() -> TopView {
        TopView {
            subject: Subject::Pod(PodId::new("p")),
            title: "p".into(),
            window: 0,
            at: None,
            line: 0,
        }
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_cursor_stays_within_the_window_and_leaves_at_its_end() {
        let mut view = view();
        view.step(false, secs(100));
        assert_eq!(view.at, None);
        view.step(true, secs(100));
        view.step(true, secs(100));
        assert_eq!(view.at, Some(secs(98)));
        // It stays at its moment while time passes.
        view.step(false, secs(105));
        assert_eq!(view.at, Some(secs(99)));
        for _ in 0..100 {
            view.step(true, secs(105));
        }
        assert_eq!(view.at, Some(secs(45)));
        for _ in 0..100 {
            view.step(false, secs(105));
        }
        assert_eq!(view.at, None);
    }

    #[rstest]
    #[case(&[true, true, true, true, true], 3)]
    #[case(&[false], 0)]
    #[case(&[true, false, true], 1)]
    fn windows(#[case] keys: &[bool], #[case] window: usize) {
        let mut view = view();
        for longer in keys {
            view.zoom(*longer);
        }
        assert_eq!(view.window, window);
    }

    #[test]
    fn lines_of_the_breakdown() {
        let mut view = view();
        view.go(Move::By(5), 3);
        assert_eq!(view.line, 2);
        view.go(Move::By(-1), 3);
        assert_eq!(view.line, 1);
        view.go(Move::Last, 0);
        assert_eq!(view.line, 0);
    }
}
