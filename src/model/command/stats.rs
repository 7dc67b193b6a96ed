//! The commands of statistics.

use super::run::nothing_selected;
use super::{Command, LISTS, command, unless};
use crate::model::{Effect, Model, Noun, node, top};

const STATS: &[Noun] = &[Noun::Stats];

pub(super) const COMMANDS: &[Command] = &[
    unless(
        command(
            "stats",
            &["t"],
            &[Noun::Pod, Noun::Container],
            "stats",
            "CPU, memory, I/O, network and pressure over time, against their limits",
            |m, _| top::open(m),
        ),
        nothing_selected,
    ),
    command(
        "node",
        &["n"],
        LISTS,
        "",
        "the node itself: CPU, memory, disks, pressure, its runtime and how fast that answers",
        |m, _| node::open(m),
    ),
    command(
        "measure",
        &["m"],
        &[Noun::Node],
        "measure disks",
        "measure what fills the disks, 20 s at most, or end that",
        |m, _| node::measure(m),
    ),
    command(
        "stats-longer",
        &["+", "="],
        STATS,
        "longer",
        "graphs of a longer time, up to an hour",
        |m, _| zoom(m, true),
    ),
    command(
        "stats-shorter",
        &["-"],
        STATS,
        "shorter",
        "graphs of a shorter time, down to a minute",
        |m, _| zoom(m, false),
    ),
    command(
        "stats-earlier",
        &["Left", "h"],
        STATS,
        "value before",
        "the values of a moment before",
        |m, _| step(m, true),
    ),
    command(
        "stats-later",
        &["Right", "l"],
        STATS,
        "after",
        "the values of a moment after, then those of now",
        |m, _| step(m, false),
    ),
];

fn zoom(model: &mut Model, longer: bool) -> Vec<Effect> {
    if let Some(view) = model.top_mut() {
        view.zoom(longer);
    }
    vec![]
}

fn step(model: &mut Model, earlier: bool) -> Vec<Effect> {
    let now = model.clock.uptime;
    if let Some(view) = model.top_mut() {
        view.step(earlier, now);
    }
    vec![]
}
