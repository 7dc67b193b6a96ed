//! Commands that lead into a container, or look at it from outside.

use super::run::push;
use super::{Command, ENTERED, LISTS, changes, command, unless};
use crate::model::visit::{self, Errand};
use crate::model::{Effect, Noun, Page, forward, look, typing};

pub(super) const COMMANDS: &[Command] = &[
    changes(unless(
        command(
            "shell",
            &["s", "e"],
            ENTERED,
            "shell",
            "a shell in the container",
            |m, _| visit::enter(m, Errand::Shell),
        ),
        visit::refuse,
    )),
    changes(unless(
        command(
            "run",
            &["S"],
            ENTERED,
            "",
            "run a command in the container, with a terminal",
            |m, _| {
                typing::open_run(m);
                vec![]
            },
        ),
        visit::refuse,
    )),
    changes(unless(
        command(
            "attach",
            &["a"],
            ENTERED,
            "",
            "attach to the container's process; ctrl-p ctrl-q leaves",
            |m, _| visit::enter(m, Errand::Attach),
        ),
        visit::refuse,
    )),
    unless(
        command(
            "inside",
            &["b"],
            ENTERED,
            "",
            "the container from outside: processes and ports, without a shell",
            |m, _| look::open(m),
        ),
        visit::refuse,
    ),
    changes(unless(
        command(
            "forward",
            &["f"],
            ENTERED,
            "",
            "forward ports of the pod: LOCAL:REMOTE, several with spaces",
            |m, _| {
                typing::open_forward(m);
                vec![]
            },
        ),
        forward::refuse,
    )),
    command(
        "forwards",
        &["F"],
        LISTS,
        "",
        "the forwarded ports, what goes through them, and their end",
        |m, _| {
            push(m, Page::Forwards);
            vec![Effect::CountForwards]
        },
    ),
    unless(
        command(
            "stop-forward",
            &["x"],
            &[Noun::Forward],
            "stop",
            "stop forwarding this port",
            |m, _| forward::stop(m),
        ),
        |m| m.forwards.chosen().is_none().then_some("the list is empty"),
    ),
];
