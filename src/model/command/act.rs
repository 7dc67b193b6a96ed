//! The commands that change what runs on the node.

use super::{Command, ENTERED, LISTS, changes, command, unless};
use crate::model::act::{self, choose};
use crate::model::{Noun, Page};

use super::run::push;

/// The page of changes.
const DEEDS: &[Noun] = &[Noun::Deed];

pub(super) const COMMANDS: &[Command] = &[
    changes(unless(
        command(
            "stop",
            &["x", "^k"],
            ENTERED,
            "stop",
            "stop, with the pod's own grace period, after a confirmation; once more: kill now",
            |m, _| choose::stop(m),
        ),
        choose::refuse_stop,
    )),
    changes(unless(
        command(
            "remove",
            &["D"],
            ENTERED,
            "",
            "remove, after a confirmation that says what follows",
            |m, _| choose::remove(m),
        ),
        choose::refuse_remove,
    )),
    changes(unless(
        command(
            "start",
            &[],
            ENTERED,
            "",
            "start a container that was created and never ran",
            |m, _| choose::start(m),
        ),
        choose::refuse_start,
    )),
    command(
        "actions",
        &["X"],
        LISTS,
        "",
        "the changes of this run: what is under way, what came of the others",
        |m, _| act::open(m),
    ),
    changes(unless(
        command(
            "kill-now",
            &["x", "^k"],
            DEEDS,
            "kill now",
            "do not wait for the end of the grace period",
            |m, _| choose::kill(m),
        ),
        choose::refuse_kill,
    )),
    unless(
        command(
            "cancel-actions",
            &["c"],
            DEEDS,
            "cancel what waits",
            "do not begin what has not begun; what is under way goes on",
            |m, _| act::cancel(m),
        ),
        act::refuse_cancel,
    ),
    command(
        "journal",
        &["J"],
        LISTS,
        "",
        "the journal: every change that was asked for on this node, by whom, and its outcome",
        |m, s| {
            let mut effects = push(m, Page::Journal(None));
            let _ = s;
            effects.push(crate::model::Effect::ReadJournal);
            effects
        },
    ),
];
