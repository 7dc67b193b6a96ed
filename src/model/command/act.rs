//! The commands that change what runs on the node.

use super::{Command, ENTERED, LISTS, changes, command, unless};
use crate::model::act::make::Wanted;
use crate::model::act::{self, choose, image, limits, typed};
use crate::model::{Noun, Page};

use super::run::push;

/// What can be removed.
const REMOVED: &[Noun] = &[
    Noun::Pod,
    Noun::Container,
    Noun::Image,
    Noun::Page,
    Noun::Inside,
];
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
            REMOVED,
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
    changes(command(
        "pull",
        &["P"],
        LISTS,
        "",
        "pull an image; REFERENCE as USER asks for a password",
        |m, _| {
            typed::open_pull(m);
            vec![]
        },
    )),
    changes(unless(
        command(
            "prune",
            &[],
            LISTS,
            "",
            "remove all images that nobody uses, after a look at what goes",
            |m, _| image::prune(m),
        ),
        image::refuse_prune,
    )),
    changes(unless(
        command(
            "set-limits",
            &["U"],
            ENTERED,
            "",
            "set the CPU and memory limits of a running container",
            |m, _| {
                typed::open_limits(m);
                vec![]
            },
        ),
        limits::refuse,
    )),
    changes(unless(
        command(
            "checkpoint",
            &[],
            ENTERED,
            "",
            "write the state of a running container to a file of this node",
            |m, _| {
                typed::open_checkpoint(m);
                vec![]
            },
        ),
        limits::refuse,
    )),
    changes(unless(
        command(
            "reopen-log",
            &[],
            ENTERED,
            "",
            "have the runtime open the container's log anew, after it was moved",
            |m, _| limits::reopen(m),
        ),
        limits::refuse,
    )),
    changes(command(
        "run-pod",
        &[],
        LISTS,
        "",
        "make a pod from a file of crictl's form (crictl runp)",
        |m, _| {
            typed::open_files(m, Wanted::Pod);
            vec![]
        },
    )),
    changes(command(
        "run-files",
        &[],
        LISTS,
        "",
        "make a pod and a container in it from files (crictl run)",
        |m, _| {
            typed::open_files(m, Wanted::Both);
            vec![]
        },
    )),
    changes(unless(
        command(
            "create-container",
            &[],
            ENTERED,
            "",
            "make a container in this pod from a file, without starting it (crictl create)",
            |m, _| {
                typed::open_files(m, Wanted::Created);
                vec![]
            },
        ),
        act::make::refuse,
    )),
    changes(unless(
        command(
            "run-container",
            &[],
            ENTERED,
            "",
            "make a container in this pod from a file, and start it",
            |m, _| {
                typed::open_files(m, Wanted::Started);
                vec![]
            },
        ),
        act::make::refuse,
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
            "end now",
            "do not wait for the end of the grace period; a pull is broken off",
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
