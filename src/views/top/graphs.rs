//! The graphs, as many as there is room for; the others say their numbers in a line.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::{Cx, body};
use super::scale::top_of;
use super::{milli, tenths};
use crate::format::{age, bytes, span};
use crate::model::top::{self, Member, Span, Together, TopView, WINDOWS};
use crate::stats::{deep, meter, network};
use crate::theme::Role;
use crate::widgets::graph::{Graph, values_in};

/// A graph in fewer lines says little.
const GOOD: u16 = 6;
/// And in fewer nothing.
const LEAST: u16 = 4;
/// From so many cells on graphs stand side by side.
const TWO: u16 = 100;
const THREE: u16 = 170;

/// What the graphs are about.
struct Frame<'a> {
    cx: &'a Cx<'a>,
    view: &'a TopView,
    members: &'a [Member],
    span: Span,
}

type Make = for<'a> fn(&Frame<'a>) -> Graph<'static>;

/// In the order in which they matter.
const ALL: [Make; 7] = [
    cpu,
    memory,
    disk,
    traffic,
    waiting::<0>,
    waiting::<1>,
    waiting::<2>,
];

/// From here on they are about waiting.
const WAITING: usize = 4;

/// Draws what fits.
pub fn draw(cx: &Cx, view: &TopView, members: &[Member], area: Rect, buffer: &mut Buffer) {
    let columns = match area.width {
        THREE.. => 3,
        TWO.. => 2,
        _ => 1,
    };
    let wide = area.width / columns - u16::from(columns > 1) * 2;
    let one = Rect {
        width: wide,
        ..area
    };
    let window = WINDOWS[view.window.min(WINDOWS.len() - 1)].0;
    let frame = Frame {
        cx,
        view,
        members,
        span: Span {
            end: cx.model.clock.uptime,
            window,
            values: values_in(cx.theme, one),
        },
    };
    let graphs: Vec<Graph> = ALL.iter().map(|make| make(&frame)).collect();
    let known = |graph: &&Graph| graph.area.iter().chain(&graph.line).any(Option::is_some);
    let drawn: Vec<&Graph> = graphs.iter().filter(known).collect();
    // Those that are left out take a line each; those about waiting share one.
    let fitting = |rows: u16| usize::from(rows * columns);
    let rows_for = |count: usize| u16::try_from(count.div_ceil(usize::from(columns))).unwrap_or(1);
    let short = |full: usize| short(&frame, &drawn[..full.min(drawn.len())], &graphs);
    let lines = |full: usize| u16::try_from(short(full).len()).unwrap_or(0);
    let mut rows = rows_for(drawn.len());
    let beyond = |rows: u16, least| rows * least + lines(fitting(rows)) > area.height;
    // The first two matter most; better both in little room than one in more.
    while rows > 2 / columns.min(2) && beyond(rows, GOOD) {
        rows -= 1;
    }
    while rows > 1 && beyond(rows, LEAST) {
        rows -= 1;
    }
    let full = fitting(rows).min(drawn.len());
    let left = area.height.saturating_sub(lines(full));
    let height = left.checked_div(rows).map_or(0, |height| height.min(16));
    for (nth, graph) in drawn.iter().take(full).enumerate() {
        let nth = u16::try_from(nth).unwrap_or(0);
        let place = Rect {
            x: area.x + (nth % columns) * (wide + 2),
            y: area.y + (nth / columns) * height,
            width: wide,
            height,
        };
        graph.draw(cx.theme, place, buffer);
    }
    for ((text, role), y) in short(full)
        .iter()
        .zip(area.y + rows * height..area.bottom())
    {
        let line = Rect {
            y,
            height: 1,
            ..area
        };
        body::line(cx, line, buffer, text, *role);
    }
}

/// What is not drawn, in words.
fn short(frame: &Frame, drawn: &[&Graph], all: &[Graph]) -> Vec<(String, Role)> {
    let left = |graph: &&Graph| !drawn.iter().any(|one| std::ptr::eq(*one, *graph));
    let single = all.iter().take(WAITING).filter(left);
    let mut lines: Vec<(String, Role)> = single
        .map(|graph| (graph.title.clone(), graph.role))
        .collect();
    if all.iter().skip(WAITING).any(|graph| left(&graph)) {
        lines.push(waits(frame));
    }
    lines
}

/// How long some task waited, for all three in one line.
fn waits(frame: &Frame) -> (String, Role) {
    let share = |nth: usize| {
        let series = frame.deep(deep::PRESSURE + nth, Together::Most);
        frame.told(&series).0
    };
    match [share(0), share(1), share(2)] {
        [None, None, None] => {
            let text = "waiting for CPU, memory and disks: not known (cgroup v2 tells it)";
            (text.to_owned(), Role::Dim)
        }
        shares => {
            let text = shares.map(|share| {
                share.map_or_else(
                    || "not known".to_owned(),
                    |share| format!("{}.{:02}%", share / 100, share % 100),
                )
            });
            let [cpu, memory, disks] = text;
            let text = format!("waiting for CPU {cpu}, memory {memory}, disks {disks} of the time");
            (text, Role::Title)
        }
    }
}

impl Frame<'_> {
    /// The value under the cursor, by its index, of so many.
    fn cursor(&self) -> Option<usize> {
        let ago = self.span.end.saturating_sub(self.view.at?);
        let values = u32::try_from(self.span.values).unwrap_or(1);
        let step = self.span.window / values.max(1);
        let back = usize::try_from(ago.as_nanos() / step.as_nanos().max(1)).ok()?;
        self.span.values.checked_sub(back + 1)
    }

    /// The value to be told in a title: under the cursor, or the newest; how long ago that was.
    fn told(&self, values: &[Option<u32>]) -> (Option<u32>, String) {
        match self.cursor() {
            Some(at) => {
                let ago = self.view.at.map(|at| self.span.end.saturating_sub(at));
                let ago = ago.unwrap_or_default().as_secs();
                (
                    values.get(at).copied().flatten(),
                    format!(" {} ago", age(ago)),
                )
            }
            None => (
                values.iter().rev().take(4).find_map(|value| *value),
                String::new(),
            ),
        }
    }

    fn graph(&self, area: Vec<Option<u32>>, unit: fn(u32) -> String) -> Graph<'static> {
        let window = self.span.window;
        let ago = |time: Duration| format!("{} ago", span(time.as_secs()));
        Graph {
            title: String::new(),
            role: Role::Title,
            area,
            line: vec![],
            limit: None,
            top: 1,
            unit,
            strip: None,
            times: [ago(window), ago(window / 2), "now".to_owned()],
            cursor: self.cursor(),
        }
    }

    /// A series of the containers' cgroups.
    fn deep(&self, nth: usize, together: Together) -> Vec<Option<u32>> {
        let deeps = &self.cx.model.stats.deeps;
        top::series(self.members, self.span, together, |id| {
            Some((&deeps.get(id)?.history, nth))
        })
    }

    fn meters(&self, nth: usize) -> Vec<Option<u32>> {
        let meters = &self.cx.model.stats.meters;
        top::series(self.members, self.span, Together::Sum, |id| {
            Some((&meters.get(id)?.history, nth))
        })
    }
}

fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX - 1)
}

fn cpu(frame: &Frame) -> Graph<'static> {
    let now = top::now(frame.cx.model, frame.members);
    let mut graph = frame.graph(frame.meters(meter::CPU), |micro| milli(micro.into()));
    graph.limit = now.cpu_limit.map(|limit| small(limit.value));
    graph.top = top_of(&graph.area, graph.limit, 10_000);
    let (value, when) = frame.told(&graph.area);
    let used = value.map_or_else(|| "not known".to_owned(), |micro| milli(micro.into()));
    let throttled = frame.deep(deep::THROTTLED, Together::Most);
    let (share, _) = frame.told(&throttled);
    let share = share.map_or_else(String::new, |share| {
        format!(", throttled {} of the time", tenths(share.into()))
    });
    graph.title = format!("CPU{when} {used}{share}");
    let level = |share: &Option<u32>| match share {
        None | Some(0) => 0,
        Some(1..100) => 1,
        Some(100..500) => 2,
        Some(_) => 3,
    };
    if throttled.iter().any(Option::is_some) {
        let levels = throttled.iter().map(level).collect();
        graph.strip = Some(("throttle", levels, Role::Warn));
    }
    graph
}

fn memory(frame: &Frame) -> Graph<'static> {
    let now = top::now(frame.cx.model, frame.members);
    let kib = |kib: u32| bytes(u64::from(kib) * 1024);
    let mut graph = frame.graph(frame.meters(meter::MEMORY), kib);
    graph.limit = now.memory_limit.map(|limit| small(limit.value / 1024));
    graph.top = top_of(&graph.area, graph.limit, 1024);
    let (value, when) = frame.told(&graph.area);
    let used = value.map_or_else(|| "not known".to_owned(), kib);
    graph.title = format!("memory{when} {used}");
    let kills = top::kills(frame.cx.model, frame.members);
    let Span {
        end,
        window,
        values,
    } = frame.span;
    let mut levels = vec![0; values];
    for at in kills.iter().filter(|at| **at + window > end && **at <= end) {
        let into = (*at + window).saturating_sub(end);
        let step = window / u32::try_from(values).unwrap_or(1).max(1);
        let place = into.as_nanos() / step.as_nanos().max(1);
        if let Some(level) = usize::try_from(place)
            .ok()
            .and_then(|place| levels.get_mut(place))
        {
            *level = 3;
        }
    }
    if levels.contains(&3) {
        graph.strip = Some(("killed", levels, Role::Bad));
    }
    graph
}

/// Two series of KiB a second in one graph.
fn flow(
    frame: &Frame,
    name: &str,
    words: [&str; 2],
    series: [Vec<Option<u32>>; 2],
) -> Graph<'static> {
    let rate = |kib: u32| format!("{}/s", bytes(u64::from(kib) * 1024));
    let [area, line] = series;
    let mut graph = frame.graph(area, rate);
    graph.line = line;
    let top = [&graph.area, &graph.line].map(|values| top_of(values, None, 4));
    graph.top = top[0].max(top[1]);
    let (first, when) = frame.told(&graph.area);
    let (second, _) = frame.told(&graph.line);
    let said = |value: Option<u32>| value.map_or_else(|| "not known".to_owned(), rate);
    let line = if frame.cx.theme.unicode() {
        "line"
    } else {
        "o"
    };
    graph.title = format!(
        "{name}{when} {} {}, {} {} ({line})",
        words[0],
        said(first),
        words[1],
        said(second)
    );
    graph
}

fn disk(frame: &Frame) -> Graph<'static> {
    let series = [deep::READ, deep::WRITTEN].map(|nth| frame.deep(nth, Together::Sum));
    let mut graph = flow(frame, "disks", ["read", "written"], series);
    why(&mut graph, frame.cx.model.stats.no_cgroups.as_ref());
    graph
}

fn traffic(frame: &Frame) -> Graph<'static> {
    let stats = &frame.cx.model.stats;
    let pod = top::pod(frame.cx.model, &frame.view.subject);
    let traffic = pod.as_ref().and_then(|pod| stats.networks.get(pod));
    let Span {
        end,
        window,
        values,
    } = frame.span;
    let series = [network::RECEIVED, network::SENT].map(|nth| {
        traffic.map_or_else(
            || vec![None; values],
            |traffic| traffic.history.series(nth, end, window, values),
        )
    });
    let mut graph = flow(frame, "pod's network", ["received", "sent"], series);
    let row = pod.and_then(|pod| frame.cx.model.store.pod(&pod).cloned());
    if row.is_some_and(|row| {
        row.detail
            .as_ref()
            .is_some_and(|detail| detail.host_network)
    }) {
        "the node's network: nothing counts what this pod sends".clone_into(&mut graph.title);
        graph.role = Role::Dim;
    } else {
        why(&mut graph, stats.no_network.as_ref());
    }
    graph
}

/// Why there is nothing to be drawn.
fn why(graph: &mut Graph, reason: Option<&crate::text::Text>) {
    let known = graph.area.iter().chain(&graph.line).any(Option::is_some);
    if known {
        return;
    }
    graph.role = Role::Dim;
    if let Some(reason) = reason {
        graph.title = format!("{}: {reason}", graph.title);
    }
}

/// Time in which some task waited for CPU, memory or I/O.
fn waiting<const WHAT: usize>(frame: &Frame) -> Graph<'static> {
    let percent = |hundredths: u32| format!("{}%", hundredths / 100);
    let series = frame.deep(deep::PRESSURE + WHAT, Together::Most);
    let mut graph = frame.graph(series, percent);
    graph.top = top_of(&graph.area, None, 1000).min(10_000);
    let (value, when) = frame.told(&graph.area);
    let what = ["CPU", "memory", "disks"][WHAT];
    graph.title = match value {
        Some(share) => format!(
            "waiting for {what}{when} {}.{:02}% of the time",
            share / 100,
            share % 100
        ),
        None => format!("waiting for {what}{when} not known (cgroup v2 tells it)"),
    };
    why(&mut graph, None);
    graph
}
