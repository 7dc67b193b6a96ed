//! The page about the node itself: when to look, and what was seen.

use std::time::Duration;

pub use crate::cri::{Health, Latency};
use crate::model::{Effect, Layer, Model, Page};
use crate::stats::node::{Fills, NodeFiles, Ticks};
use crate::text::Text;
use crate::triage::facts::{Certificate, Kubelet};

/// How often it is looked at while it is shown.
const AGAIN: Duration = Duration::from_secs(2);
/// How often what changes seldom is looked at.
const SELDOM: Duration = Duration::from_secs(30);
/// When it is looked at again for the first share of busy time.
const QUICK: Duration = Duration::from_millis(500);

/// What changes seldom: looked at when the page opens, and now and then.
#[derive(Debug)]
pub struct Plane {
    /// The kubelet.
    pub kubelet: Kubelet,
    /// Certificates, and when they end.
    pub certificates: Vec<Certificate>,
}

/// One look.
#[derive(Debug, Default)]
pub struct NodeSeen {
    /// The node's own files, or why they tell nothing.
    pub files: Option<Result<NodeFiles, Text>>,
    /// What the runtime says of itself, or why nothing.
    pub health: Option<Result<Health, Text>>,
    /// How long its answers take.
    pub latencies: Vec<Latency>,
    /// What changes seldom, if it was looked at.
    pub plane: Option<Plane>,
}

/// What was seen last.
#[derive(Debug, Default)]
pub struct NodeLook {
    /// All of it.
    pub seen: NodeSeen,
    /// CPUs that were busy between the last two looks, in tenths of a percent.
    pub busy: Option<u64>,
    /// What changes seldom.
    pub plane: Option<Plane>,
    /// What fills the disks.
    pub fills: Measuring,
    before: Option<Ticks>,
    /// When what changes seldom is to be looked at again.
    deep_at: Duration,
    /// When, by the time since the start; `None` while an answer is awaited.
    at: Option<Duration>,
}

/// How far what fills the disks has been measured.
#[derive(Debug, Default)]
pub enum Measuring {
    /// Nobody has asked.
    #[default]
    Never,
    /// It goes on.
    Now,
    /// It has been, or why not.
    Done(Result<Fills, Text>),
}

/// Opens the page.
pub fn open(model: &mut Model) -> Vec<Effect> {
    model.layers.push(Layer {
        page: Page::Node,
        scroll: 0,
    });
    vec![look(model)]
}

fn look(model: &mut Model) -> Effect {
    model.node_look.at = None;
    Effect::LookAtNode(model.clock.uptime >= model.node_look.deep_at)
}

/// Takes what was seen.
pub fn seen(model: &mut Model, mut seen: NodeSeen) {
    if let Some(plane) = seen.plane.take() {
        model.node_look.plane = Some(plane);
        model.node_look.deep_at = model.clock.uptime + SELDOM;
    }
    let look = &mut model.node_look;
    let files = seen.files.as_ref().and_then(|files| files.as_ref().ok());
    let ticks = files.and_then(|files| files.ticks);
    if let (Some(before), Some(now)) = (look.before, ticks) {
        look.busy = now.busy_since(before).or(look.busy);
    }
    look.before = ticks;
    look.seen = seen;
    look.at = Some(model.clock.uptime);
}

/// Measures what fills the disks, or ends that.
pub fn measure(model: &mut Model) -> Vec<Effect> {
    if matches!(model.node_look.fills, Measuring::Now) {
        return vec![Effect::StopMeasuring];
    }
    model.node_look.fills = Measuring::Now;
    vec![Effect::MeasureDisks]
}

/// Ends measuring that nobody waits for any more.
pub fn leave(model: &mut Model) -> Option<Effect> {
    let here = model
        .layers
        .iter()
        .any(|layer| matches!(layer.page, Page::Node));
    let goes_on = matches!(model.node_look.fills, Measuring::Now);
    (goes_on && !here).then(|| {
        model.node_look.fills = Measuring::Never;
        Effect::StopMeasuring
    })
}

/// When to look again, by the time since the start.
pub fn due(model: &Model) -> Option<Duration> {
    matches!(model.layers.last()?.page, Page::Node).then_some(())?;
    let look = &model.node_look;
    Some(look.at? + if look.busy.is_none() { QUICK } else { AGAIN })
}

/// Looks again, if it is time.
pub fn again(model: &mut Model) -> Option<Effect> {
    due(model).filter(|at| *at <= model.clock.uptime)?;
    Some(look(model))
}
