//! The commands that say why.

use super::{Command, command, unless};
use crate::model::{Noun, why};

const WHY: &[Noun] = &[Noun::Why];

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
