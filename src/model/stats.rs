//! Statistics on the screen: when to look, at what, and what was learnt.
//!
//! While something shows statistics there is one look at everything every two seconds, else one
//! every ten, so that there is a history when somebody asks. Never two at once, and the slower the
//! runtime answers, the less often it is asked.

use std::time::Duration;

use crate::domain::{ContainerId, ContainerState, IdSet, Limits, PodId, PodState};
use crate::link::Link;
use crate::model::home::page;
use crate::model::rows::ContainerRow;
use crate::model::{Effect, Model, Page, Panel, Seen, Subject, top};
use crate::stats::cgroup::Look;
use crate::stats::rate::Moment;
use crate::stats::{Deeps, Load, Meters, Network, Networks, Sample};
use crate::text::Text;

/// Time between two looks while somebody sees them.
const PACE: Duration = Duration::from_secs(2);
/// Time between two looks otherwise.
const BACKGROUND: Duration = Duration::from_secs(10);
/// Time between the first look and the second, which gives the first rates.
const QUICK: Duration = Duration::from_millis(500);
/// A look may take a quarter of the time at most.
const SHARE: u32 = 3;
/// Rows sorted by statistics change their places so often at most.
const RANKED: Duration = Duration::from_secs(6);
/// Cgroups looked at in one go at most.
const CGROUPS: usize = 64;

/// What is known of what everything uses.
#[derive(Debug, Default)]
pub struct Board {
    /// Containers.
    pub meters: Meters,
    /// Their cgroups, of those that somebody looks at.
    pub deeps: Deeps,
    /// Networks of pods that somebody looks at.
    pub networks: Networks,
    /// Why the last look at the containers told nothing.
    pub problem: Option<Text>,
    /// Why nothing is known of cgroups.
    pub no_cgroups: Option<Text>,
    /// Why nothing is known of a pod's network.
    pub no_network: Option<Text>,
    pace: Pacing,
}

#[derive(Debug, Default)]
struct Pacing {
    /// Something on the screen shows statistics.
    shown: bool,
    /// When the look that is under way began.
    asked: Option<Duration>,
    /// When the last one began and ended.
    last: Option<(Duration, Duration)>,
    looks: u32,
    /// When rows that are sorted by statistics changed their places last.
    ranked: Option<Duration>,
}

/// What is to be looked at beside the containers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// Cgroups of these containers.
    pub cgroups: Vec<ContainerId>,
    /// The network of this pod.
    pub network: Option<PodId>,
}

/// What was seen.
#[derive(Debug)]
pub struct Sampled {
    /// All containers, or why nothing.
    pub containers: Result<Vec<Sample>, Text>,
    /// Cgroups, or why none could be looked at.
    pub cgroups: Result<Vec<(ContainerId, Look)>, Text>,
    /// A pod's network, if it has one of its own, or why it is not known.
    pub network: Option<(PodId, Result<Option<Network>, Text>)>,
}

impl Pacing {
    fn due(&self) -> Option<Duration> {
        if self.asked.is_some() {
            return None;
        }
        let Some((began, ended)) = self.last else {
            return Some(Duration::ZERO);
        };
        let pause = match self.shown {
            true if self.looks == 1 => QUICK,
            true => PACE,
            false => BACKGROUND,
        };
        let rested = ended + ended.saturating_sub(began) * SHARE;
        Some((began + pause).max(rested))
    }
}

/// When to look next, by the time since the start.
pub fn due(model: &Model) -> Option<Duration> {
    let ready = model.node.link == Link::Up && model.store.loaded().all();
    model.stats.pace.due().filter(|_| ready)
}

/// Takes note of whether what is drawn shows statistics.
pub fn drawn(model: &mut Model, seen: &Seen) {
    let mut panels = seen.panels.iter().flatten();
    let shown = match model.layers.last().map(|layer| &layer.page) {
        None => seen.log_tail.is_some() || panels.any(|panel| panel.shows_load),
        Some(page) => matches!(page, Page::Summary(_) | Page::Top(_) | Page::Node),
    };
    model.stats.pace.shown = shown;
}

/// Looks, if it is time.
pub fn next(model: &mut Model, seen: &Seen) -> Option<Effect> {
    drawn(model, seen);
    due(model).filter(|at| *at <= model.clock.uptime)?;
    let asked = Asked {
        cgroups: looked_at(model, seen),
        network: network(model),
    };
    model.stats.pace.asked = Some(model.clock.uptime);
    Some(Effect::Sample(Box::new(asked)))
}

/// The pod whose network is on the screen, if it runs.
fn network(model: &Model) -> Option<PodId> {
    let pod = top::pod(model, &model.top()?.subject)?;
    let ready = model.store.pod(&pod)?.pod.state == PodState::Ready;
    ready.then_some(pod)
}

/// Containers whose cgroups are worth a look: the selection, then what is on the screen, then
/// what is in trouble.
fn looked_at(model: &Model, seen: &Seen) -> Vec<ContainerId> {
    if !model.stats.pace.shown {
        return vec![];
    }
    if let Some(subject) = model.top().map(|view| &view.subject) {
        return of(model, subject).into_iter().take(CGROUPS).collect();
    }
    let list = &model.home.containers;
    let rows = page(seen, Panel::Containers);
    let visible = list.rows().iter().skip(list.offset()).take(rows);
    let selected = model
        .home
        .preview
        .as_ref()
        .map(|subject| of(model, subject));
    let (troubled, calm): (Vec<_>, Vec<_>) = visible.partition(|row| row.trouble.is_some());
    let runs =
        |row: &&&std::sync::Arc<ContainerRow>| row.container.state == ContainerState::Running;
    let rows = calm.iter().filter(runs).chain(troubled.iter().filter(runs));
    let ids = rows.map(|row| row.container.id.clone());
    let mut known = IdSet::default();
    let all = selected.into_iter().flatten().chain(ids);
    all.filter(|id| known.insert(id.clone()))
        .take(CGROUPS)
        .collect()
}

/// The containers that a subject is about, each by its newest attempt.
pub fn of(model: &Model, subject: &Subject) -> Vec<ContainerId> {
    match subject {
        Subject::Container(_) | Subject::Pod(_) => {
            let members = top::members(model, subject);
            let newest = members.into_iter().map(|member| member.row);
            newest.map(|row| row.container.id.clone()).collect()
        }
        Subject::Image(_) => vec![],
    }
}

/// Takes what was seen.
pub fn sampled(model: &mut Model, seen: Sampled) {
    let (clock, stats) = (model.clock, &mut model.stats);
    let moment = Moment {
        now: clock.now,
        uptime: clock.uptime,
    };
    let began = stats.pace.asked.take().unwrap_or(clock.uptime);
    stats.pace.last = Some((began, clock.uptime));
    match seen.containers {
        Ok(samples) => {
            stats.pace.looks = stats.pace.looks.saturating_add(1);
            stats.meters.take(&samples, moment);
            stats.problem = None;
        }
        Err(why) => stats.problem = Some(why),
    }
    match seen.cgroups {
        Ok(looks) => {
            stats.no_cgroups = None;
            for (id, look) in looks {
                stats.deeps.take(&id, look, moment);
            }
        }
        Err(why) => stats.no_cgroups = Some(why),
    }
    if let Some((id, network)) = seen.network {
        stats.no_network = network.as_ref().err().cloned();
        if let Ok(Some(network)) = network {
            stats.networks.take(&id, network, moment);
        }
    }
    stats.networks.forget(clock.uptime);
    let store = &model.store;
    stats.meters.forget(|id| store.container(id).is_some());
    rows(model);
}

/// Brings the rows up to date.
fn rows(model: &mut Model) {
    let uptime = model.clock.uptime;
    let Board {
        meters,
        deeps,
        pace,
        ..
    } = &mut model.stats;
    let rank = pace.ranked.is_none_or(|last| uptime >= last + RANKED);
    if rank {
        pace.ranked = Some(uptime);
    }
    model.store.set_loads(|row| {
        let Some(meter) = meters.get(&row.container.id) else {
            return Load::default();
        };
        let said = row.detail.as_ref().map(|detail| detail.limits);
        let read = deeps.get(&row.container.id).map(|deep| deep.last.limits);
        let limits = Limits {
            memory: said.and_then(|l| l.memory).or_else(|| read?.memory),
            cpu: said.and_then(|l| l.cpu).or_else(|| read?.cpu),
        };
        Load::of(meter, limits, (!rank).then(|| row.load.get()))
    });
}

/// Draws the trends of the rows that are on the screen.
pub fn trends(model: &Model, seen: &Seen) {
    if !model.layers.is_empty() {
        return;
    }
    let (home, meters) = (&model.home, &model.stats.meters);
    let uptime = model.clock.uptime;
    let pods = &home.pods;
    for row in on_screen(pods.rows(), pods.offset(), Panel::Pods, seen) {
        let members = model.store.containers_in(&row.pod.id);
        let members = members.filter_map(|member| meters.get(&member.container.id));
        row.load.draw(members, uptime);
    }
    let containers = &home.containers;
    for row in on_screen(
        containers.rows(),
        containers.offset(),
        Panel::Containers,
        seen,
    ) {
        row.load
            .draw(meters.get(&row.container.id).into_iter(), uptime);
    }
}

/// The rows of a panel that are on the screen, if it shows what they use.
fn on_screen<'a, R>(rows: &'a [R], offset: usize, panel: Panel, seen: &Seen) -> &'a [R] {
    let shown = seen.panels[panel.index()].as_ref();
    if shown.is_some_and(|panel| !panel.shows_load) {
        return &[];
    }
    let rows = rows.get(offset..).unwrap_or(&[]);
    &rows[..rows.len().min(page(seen, panel))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn pacing(shown: bool, looks: u32, last: Option<(u64, u64)>, asked: bool) -> Pacing {
        let ms = Duration::from_millis;
        Pacing {
            shown,
            looks,
            last: last.map(|(began, ended)| (ms(began), ms(ended))),
            asked: asked.then_some(ms(1)),
            ranked: None,
        }
    }

    #[rstest]
    #[case::the_first_at_once(pacing(false, 0, None, false), Some(0))]
    #[case::never_two(pacing(true, 3, None, true), None)]
    #[case::the_second_soon(pacing(true, 1, Some((1000, 1010)), false), Some(1500))]
    #[case::then_every_two_seconds(pacing(true, 2, Some((1000, 1010)), false), Some(3000))]
    #[case::unseen_every_ten(pacing(false, 1, Some((1000, 1010)), false), Some(11_000))]
    #[case::a_slow_runtime_is_spared(pacing(true, 9, Some((1000, 3000)), false), Some(9000))]
    fn the_next_look(#[case] pacing: Pacing, #[case] at: Option<u64>) {
        assert_eq!(pacing.due(), at.map(Duration::from_millis));
    }
}
