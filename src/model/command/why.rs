//! The commands that say why.

use super::{Command, command, unless};
use crate::model::prompt::ViewLine;
use crate::model::{Noun, lines, typing, why};

const WHY: &[Noun] = &[Noun::Why];
const LINES: &[Noun] = &[Noun::Lines];

pub(super) const COMMANDS: &[Command] = &[
    unless(
        command(
            "why",
            &["w"],
            &[
                Noun::Pod,
                Noun::Container,
                Noun::Page,
                Noun::Inside,
                Noun::Stats,
                Noun::Events,
            ],
            "why",
            "why it fares as it does: the verdict, with its evidence and what to do",
            |m, _| why::open(m),
        ),
        why::refuse,
    ),
    command(
        "why-logs",
        &["l"],
        WHY,
        "log at the cause",
        "the log at the line that is likely the cause",
        why::logs,
    ),
    command(
        "why-node-log",
        &["n"],
        WHY,
        "node log",
        "what the kubelet, the runtime and the kernel have logged about it",
        |m, _| lines::log_of(m),
    ),
    command(
        "why-config",
        &["m"],
        WHY,
        "config",
        "what is in the ConfigMaps of its pod, and the keys of its Secrets",
        |m, _| lines::configs(m),
    ),
    command(
        "node-log",
        &["l"],
        &[Noun::Node],
        "node log",
        "what the kubelet, the runtime and the kernel have logged",
        |m, _| lines::node_log(m),
    ),
    command(
        "line-filter",
        &["/"],
        LINES,
        "filter",
        "only lines that match: text, or ~ and a regular expression",
        |m, _| {
            typing::open_view_line(m, ViewLine::Lines);
            vec![]
        },
    ),
    command(
        "read-again",
        &["R"],
        LINES,
        "read again",
        "read it once more",
        |m, _| lines::again(m),
    ),
    command(
        "copy-steps",
        &["c"],
        WHY,
        "copy steps",
        "copy the commands to go on with",
        |m, _| why::steps(m),
    ),
    command(
        "copy-ticket",
        &["C"],
        WHY,
        "copy all",
        "copy verdict and evidence in Markdown, for a ticket",
        |m, _| why::ticket(m),
    ),
];
