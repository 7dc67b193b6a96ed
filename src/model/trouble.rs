//! Which containers and pods are in trouble, from lists and statuses alone. A pure function of
//! facts and the time.
//!
//! In trouble is: the newest attempt exited non-zero or never started; its state is lost; a
//! ready sandbox has had no container for a minute; a stopped one has containers that run; or there
//! was a restart within ten minutes.
//! It lasts until ten minutes of good running. What finished with exit 0 for good is no trouble.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Container, ContainerDetail, ContainerState, Pod, PodState};
use crate::format::{seconds_between, span};
use crate::model::exit;
use crate::text::Text;

/// Good running that ends trouble, and the time in which a restart counts.
const RECENT: SignedDuration = SignedDuration::from_mins(10);
/// A ready sandbox may be without containers for so long: images are being pulled.
const EMPTY_GRACE: SignedDuration = SignedDuration::from_secs(60);
/// A container may be created but not started for so long.
const START_GRACE: SignedDuration = SignedDuration::from_secs(30);
/// The kubelet's longest pause between restarts.
const MAX_BACKOFF_SECONDS: i64 = 300;

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// The newest attempt ended, or could not start, and that was no success.
    Ended {
        /// Exit code, if known.
        code: Option<i32>,
        /// The runtime's word for it.
        reason: Option<Text>,
        /// Why it could not start, for `StartError`.
        cause: Option<&'static str>,
        /// Restarts so far.
        restarts: u32,
        /// When the kubelet will probably restart it.
        next: Option<Timestamp>,
        /// When it ended.
        at: Option<Timestamp>,
    },
    /// The runtime has lost its state.
    Lost,
    /// Created but not started.
    NotStarted {
        /// Since when.
        since: Timestamp,
    },
    /// A ready sandbox without containers: an image that cannot be pulled, a missing secret.
    Empty {
        /// Since when.
        since: Timestamp,
    },
    /// A stopped sandbox whose containers run on: they are stopped before it.
    Stuck {
        /// How many.
        running: usize,
        /// When the sandbox was made: nobody tells when it stopped.
        made: Option<Timestamp>,
    },
    /// It runs, but only since a restart a short while ago.
    Restarted {
        /// When it started again.
        at: Timestamp,
        /// Restarts so far.
        restarts: u32,
        /// How the attempt before ended, if that is still known.
        before: Option<String>,
    },
}

/// A judgement and when it must be made anew although no fact has changed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Judgement {
    /// What is wrong, if anything.
    pub trouble: Option<Trouble>,
    /// When time alone may change that.
    pub recheck: Option<Timestamp>,
}

impl Judgement {
    fn now(trouble: Trouble) -> Self {
        Self {
            trouble: Some(trouble),
            recheck: None,
        }
    }

    /// Trouble from `from` until `until`, whichever lies ahead is the recheck.
    fn within(now: Timestamp, from: Timestamp, until: Option<Timestamp>, trouble: Trouble) -> Self {
        if now < from {
            return Self {
                trouble: None,
                recheck: Some(from),
            };
        }
        if until.is_some_and(|until| now >= until) {
            return Self::default();
        }
        Self {
            trouble: Some(trouble),
            recheck: until,
        }
    }
}

impl Trouble {
    /// How bad: 3 broken now, 2 not coming up, 1 recovering, or not going.
    pub fn severity(&self) -> u8 {
        match self {
            Self::Ended { .. } => 3,
            Self::Lost | Self::NotStarted { .. } | Self::Empty { .. } => 2,
            Self::Restarted { .. } | Self::Stuck { .. } => 1,
        }
    }

    /// When the trouble was last seen to happen.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Ended { at, .. } => *at,
            Self::Lost => None,
            Self::Stuck { made, .. } => *made,
            Self::NotStarted { since } | Self::Empty { since } => Some(*since),
            Self::Restarted { at, .. } => Some(*at),
        }
    }

    /// The verdict in words; countdowns are rounded up to `step` seconds.
    pub fn words(&self, now: Timestamp, step: u64) -> String {
        match self {
            Self::Ended { .. } => self.ended_words(now, step),
            Self::Lost => "state unknown to the runtime".to_owned(),
            Self::Stuck { running, .. } => format!("NotReady, {running} still running"),
            Self::NotStarted { since } => {
                format!("created, not started for {}", span_in(*since, now, step))
            }
            Self::Empty { since } => {
                format!("no containers for {}", span_in(*since, now, step))
            }
            Self::Restarted {
                at,
                restarts,
                before,
            } => {
                let ago = span_in(*at, now, step);
                match before {
                    Some(before) => format!("{before}{}, restarted {ago} ago", times(*restarts)),
                    None => format!("restarted {ago} ago{}", times(*restarts)),
                }
            }
        }
    }

    /// In how many seconds [`Trouble::words`] changes by itself.
    pub fn changes_in(&self, now: Timestamp, step: u64) -> Option<u64> {
        let since = |since| step - seconds_between(since, now) % step;
        match self {
            Self::Ended {
                next: Some(next), ..
            } if *next > now => Some((seconds_between(now, *next) + step - 1) % step + 1),
            Self::Ended { .. } | Self::Lost | Self::Stuck { .. } => None,
            Self::NotStarted { since: at }
            | Self::Empty { since: at }
            | Self::Restarted { at, .. } => Some(since(*at)),
        }
    }

    fn ended_words(&self, now: Timestamp, step: u64) -> String {
        let Self::Ended {
            code,
            reason,
            cause,
            restarts,
            next,
            ..
        } = self
        else {
            return String::new();
        };
        let mut words = ending(*code, reason.as_ref(), *cause);
        words.push_str(&times(*restarts));
        match next {
            Some(next) if *next > now => {
                let left = seconds_between(now, *next).div_ceil(step) * step;
                words.push_str(", restart in ~");
                words.push_str(&span(left));
            }
            Some(_) => words.push_str(", restart due"),
            None => {}
        }
        words
    }
}

/// How an attempt ended, in words: `exit 1`, `OOMKilled`, `exit 127 command not found`.
pub fn ending(code: Option<i32>, reason: Option<&Text>, cause: Option<&'static str>) -> String {
    let reason = reason.map_or("", Text::as_str);
    match (code, cause) {
        (Some(code), _) if reason == "OOMKilled" && code != 0 => "OOMKilled".to_owned(),
        (_, Some(cause)) => format!("cannot start: {cause}"),
        (Some(code), None) => {
            let meaning = exit::meaning(code);
            let meaning = if meaning.is_empty() { reason } else { meaning };
            // "Error" is what the runtime says of every code but 0.
            if meaning.is_empty() || meaning == "Error" {
                format!("exit {code}")
            } else {
                format!("exit {code} {meaning}")
            }
        }
        (None, None) if reason.is_empty() => "ended, exit code unknown".to_owned(),
        (None, None) => reason.to_owned(),
    }
}

fn times(restarts: u32) -> String {
    if restarts == 0 {
        String::new()
    } else {
        format!(" x{restarts}")
    }
}

fn span_in(from: Timestamp, to: Timestamp, step: u64) -> String {
    let seconds = seconds_between(from, to);
    span(if seconds >= 60 {
        seconds / step * step
    } else {
        seconds
    })
}

/// What is known of the newest attempt of a container.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The attempt.
    pub container: &'a Container,
    /// What its status says, once known.
    pub detail: Option<&'a ContainerDetail>,
    /// What the status of the attempt before says.
    pub before: Option<&'a ContainerDetail>,
    /// Its sandbox.
    pub pod: Option<&'a Pod>,
}

/// Judges the newest attempt of a container.
pub fn judge_container(facts: Facts<'_>, now: Timestamp) -> Judgement {
    let Facts {
        container,
        detail,
        before,
        pod,
    } = facts;
    let restarts = container.restart_count();
    match container.state {
        ContainerState::Unknown => Judgement::now(Trouble::Lost),
        ContainerState::Created => container
            .created_at
            .map_or_else(Judgement::default, |since| {
                Judgement::within(
                    now,
                    later(since, START_GRACE),
                    None,
                    Trouble::NotStarted { since },
                )
            }),
        ContainerState::Running if restarts > 0 => {
            let started = detail
                .and_then(|detail| detail.started_at)
                .or(container.created_at);
            started.map_or_else(Judgement::default, |at| {
                let before =
                    before.map(|detail| ending(detail.exit_code, detail.reason.as_ref(), None));
                let trouble = Trouble::Restarted {
                    at,
                    restarts,
                    before,
                };
                Judgement::within(now, Timestamp::MIN, Some(later(at, RECENT)), trouble)
            })
        }
        ContainerState::Running => Judgement::default(),
        ContainerState::Exited => detail.map_or_else(Judgement::default, |detail| {
            judge_exited(
                container,
                detail,
                pod.is_some_and(|p| p.state == PodState::Ready),
                now,
            )
        }),
    }
}

fn judge_exited(
    container: &Container,
    detail: &ContainerDetail,
    pod_ready: bool,
    now: Timestamp,
) -> Judgement {
    let restarts = container.restart_count();
    let success = detail.exit_code == Some(0);
    let next = next_restart(restarts, detail).filter(|_| pod_ready);
    let never_started = detail
        .reason
        .as_ref()
        .is_some_and(|reason| *reason == "StartError" || *reason == "ContainerCannotRun");
    let message = detail.message.as_ref().map_or("", Text::as_str);
    let trouble = Trouble::Ended {
        code: detail.exit_code,
        reason: detail.reason.clone(),
        cause: never_started.then(|| exit::start_failure(message)),
        restarts,
        next,
        at: detail.finished_at.or(container.created_at),
    };
    if !success {
        return Judgement::now(trouble);
    }
    // An exit of 0 is trouble only while it is one of a row of restarts.
    match detail.finished_at {
        Some(at) if restarts > 0 && pod_ready => {
            Judgement::within(now, Timestamp::MIN, Some(later(at, RECENT)), trouble)
        }
        _ => Judgement::default(),
    }
}

/// When the kubelet restarts it: 0, 10, 20, 40 ... 300 s after the end. The first attempt of
/// all is restarted at once or never, so nothing is predicted for it; after ten minutes of good
/// running the pauses begin anew.
fn next_restart(restarts: u32, detail: &ContainerDetail) -> Option<Timestamp> {
    let finished = detail.finished_at.filter(|_| restarts > 0)?;
    let ran = detail
        .started_at
        .map_or(0, |started| seconds_between(started, finished));
    if ran >= RECENT.as_secs().unsigned_abs() {
        return Some(finished);
    }
    let doubled = 10_i64
        .checked_shl(restarts - 1)
        .filter(|seconds| *seconds > 0);
    let pause = doubled
        .unwrap_or(MAX_BACKOFF_SECONDS)
        .min(MAX_BACKOFF_SECONDS);
    Some(later(finished, SignedDuration::from_secs(pause)))
}

/// Judges a sandbox that has no container at all.
pub fn judge_empty(pod: &Pod, now: Timestamp) -> Judgement {
    match (pod.state, pod.created_at) {
        (PodState::Ready, Some(since)) => Judgement::within(
            now,
            later(since, EMPTY_GRACE),
            None,
            Trouble::Empty { since },
        ),
        _ => Judgement::default(),
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ContainerId, ImageId, PodId};
    use rstest::rstest;

    const NOW: i64 = 1_700_000_000;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(NOW + second).unwrap()
    }

    fn container(state: ContainerState, attempt: u32, created: i64) -> Container {
        Container {
            id: ContainerId::new("c1"),
            pod_id: PodId::new("p1"),
            name: "app".into(),
            attempt,
            state,
            created_at: Some(at(created)),
            image: "app:1".into(),
            image_id: ImageId::new("sha256:1"),
            labels: vec![],
            annotations: vec![],
        }
    }

    fn pod(state: PodState, created: i64) -> Pod {
        Pod {
            id: PodId::new("p1"),
            uid: "u1".into(),
            name: "web".into(),
            namespace: "shop".into(),
            attempt: 0,
            state,
            created_at: Some(at(created)),
            runtime_handler: None,
            labels: vec![],
            annotations: vec![],
        }
    }

    fn judged(
        container: &Container,
        detail: Option<&ContainerDetail>,
        pod: Option<&Pod>,
        now: Timestamp,
    ) -> Judgement {
        judge_container(
            Facts {
                container,
                detail,
                before: None,
                pod,
            },
            now,
        )
    }

    fn ended(code: i32, reason: &str, started: i64, finished: i64) -> ContainerDetail {
        ContainerDetail {
            started_at: Some(at(started)),
            finished_at: Some(at(finished)),
            exit_code: Some(code),
            reason: Some(reason.into()),
            ..ContainerDetail::default()
        }
    }

    #[rstest]
    #[case(0, 1, "Error", "exit 1")]
    #[case(1, 1, "Error", "exit 1 x1, restart in ~10s")]
    #[case(4, 1, "Error", "exit 1 x4, restart in ~1m20s")]
    #[case(9, 1, "Error", "exit 1 x9, restart in ~5m")]
    #[case(70, 1, "Error", "exit 1 x70, restart in ~5m")]
    #[case(7, 137, "OOMKilled", "OOMKilled x7, restart in ~5m")]
    #[case(0, 137, "Error", "exit 137 SIGKILL")]
    #[case(0, 127, "Error", "exit 127 command not found")]
    #[case(0, 159, "seccomp killed", "exit 159 SIGSYS, seccomp?")]
    #[case(2, 0, "Completed", "exit 0 completed x2, restart in ~20s")]
    fn exited(#[case] n: u32, #[case] code: i32, #[case] reason: &str, #[case] words: &str) {
        let (c, p) = (
            container(ContainerState::Exited, n, -60),
            pod(PodState::Ready, -600),
        );
        let judgement = judged(&c, Some(&ended(code, reason, -30, 0)), Some(&p), at(0));
        assert_eq!(judgement.trouble.unwrap().words(at(0), 10), words);
    }

    #[rstest]
    // A clean end is no trouble, in a job pod or in an init container.
    #[case(ContainerState::Exited, 0, Some(ended(0, "Completed", -30, 0)))]
    // Its status has not arrived yet.
    #[case(ContainerState::Exited, 0, None)]
    #[case(ContainerState::Running, 0, None)]
    #[case(ContainerState::Created, 0, None)]
    fn no_trouble(#[case] s: ContainerState, #[case] n: u32, #[case] d: Option<ContainerDetail>) {
        let (c, p) = (container(s, n, -5), pod(PodState::Ready, -600));
        assert_eq!(judged(&c, d.as_ref(), Some(&p), at(0)).trouble, None);
    }

    #[test]
    fn a_restart_is_trouble_for_ten_minutes() {
        let c = container(ContainerState::Running, 3, 0);
        let judgement = judged(&c, None, None, at(90));
        assert_eq!(
            judgement.trouble.unwrap().words(at(90), 10),
            "restarted 1m30s ago x3"
        );
        assert_eq!(judgement.recheck, Some(at(600)));
        assert_eq!(judged(&c, None, None, at(600)), Judgement::default());
    }

    #[test]
    fn a_restart_says_what_it_follows() {
        let c = container(ContainerState::Running, 4, 0);
        let before = ended(137, "OOMKilled", -60, -10);
        let facts = Facts {
            container: &c,
            detail: None,
            before: Some(&before),
            pod: None,
        };
        let words = judge_container(facts, at(70))
            .trouble
            .unwrap()
            .words(at(70), 10);
        assert_eq!(words, "OOMKilled x4, restarted 1m10s ago");
    }

    #[test]
    fn a_created_container_gets_half_a_minute() {
        let c = container(ContainerState::Created, 0, 0);
        assert_eq!(judged(&c, None, None, at(0)).recheck, Some(at(30)));
        let words = judged(&c, None, None, at(40))
            .trouble
            .unwrap()
            .words(at(40), 10);
        assert_eq!(words, "created, not started for 40s");
    }

    #[test]
    fn an_empty_sandbox_gets_a_minute() {
        let p = pod(PodState::Ready, 0);
        assert_eq!(
            judge_empty(&p, at(59)),
            Judgement {
                trouble: None,
                recheck: Some(at(60))
            }
        );
        let words = judge_empty(&p, at(185)).trouble.unwrap().words(at(185), 10);
        assert_eq!(words, "no containers for 3m");
        assert_eq!(
            judge_empty(&pod(PodState::NotReady, 0), at(999)).trouble,
            None
        );
    }

    #[test]
    fn a_failed_start_names_its_cause() {
        let detail = ContainerDetail {
            exit_code: Some(128),
            reason: Some("StartError".into()),
            message: Some("runc: exec: \"nope\": executable file not found in $PATH".into()),
            finished_at: Some(at(-100)),
            ..ContainerDetail::default()
        };
        let (c, p) = (
            container(ContainerState::Exited, 1, -60),
            pod(PodState::Ready, -600),
        );
        let words = judged(&c, Some(&detail), Some(&p), at(0)).trouble.unwrap();
        assert_eq!(
            words.words(at(0), 10),
            "cannot start: command not found x1, restart due"
        );
    }

    #[test]
    fn long_running_resets_the_pauses() {
        let detail = ended(1, "Error", -1000, -10);
        assert_eq!(next_restart(9, &detail), Some(at(-10)));
    }

    #[test]
    fn times_at_the_edge_do_not_overflow() {
        let mut c = container(ContainerState::Running, u32::MAX, 0);
        c.created_at = Some(Timestamp::MAX);
        assert!(judged(&c, None, None, Timestamp::MIN).trouble.is_some());
        let detail = ContainerDetail {
            finished_at: Some(Timestamp::MAX),
            started_at: Some(Timestamp::MIN),
            ..ContainerDetail::default()
        };
        c.state = ContainerState::Exited;
        assert!(judged(&c, Some(&detail), None, at(0)).trouble.is_some());
    }
}
