//! The commands of the audit.

use super::{Command, command, unless};
use crate::model::prompt::ViewLine;
use crate::model::{Noun, audit, typing};

const AUDIT: &[Noun] = &[Noun::Audit];
/// The list of findings, and one of them.
const FINDINGS: &[Noun] = &[Noun::Audit, Noun::Finding];
const FROM: &[Noun] = &[
    Noun::Pod,
    Noun::Container,
    Noun::Image,
    Noun::Page,
    Noun::Node,
    Noun::Why,
    Noun::Events,
    Noun::Stats,
    Noun::Inside,
    Noun::Tree,
];

/// All of them, in the order in which help shows them.
pub(super) const COMMANDS: &[Command] = &[
    command(
        "audit",
        &["A"],
        FROM,
        "",
        "what on this node could hurt: what has more power than it should, open secrets",
        |m, _| audit::open(m),
    ),
    unless(
        command(
            "finding",
            &["Enter"],
            AUDIT,
            "open",
            "the finding: what was seen, which standard says so, what to do",
            |m, _| audit::detail(m),
        ),
        audit::refuse,
    ),
    unless(
        command(
            "finding-proof",
            &["y"],
            FINDINGS,
            "proof",
            "the place in what the runtime tells that proves it",
            |m, _| audit::proof(m),
        ),
        audit::refuse_proof,
    ),
    command(
        "audit-group",
        &["o"],
        AUDIT,
        "group",
        "group by severity, by pod, by check",
        |m, _| audit::regroup(m),
    ),
    command(
        "audit-filter",
        &["/"],
        AUDIT,
        "filter",
        "only findings that match: text, or ~ and a regular expression",
        |m, _| {
            typing::open_view_line(m, ViewLine::Audit);
            vec![]
        },
    ),
    unless(
        command(
            "copy-finding",
            &["c"],
            FINDINGS,
            "copy id",
            "copy the id of the finding, for a baseline",
            |m, _| audit::copy(m),
        ),
        audit::refuse,
    ),
    command(
        "audit-again",
        &["R"],
        AUDIT,
        "again",
        "look at everything again",
        |m, _| audit::again(m),
    ),
];
