//! Commands that lead into a container, or look at it from outside.

use super::run::push;
use super::{Command, ENTERED, LISTS, changes, command, unless};
use crate::model::visit::{self, Errand};
use crate::model::{Effect, Noun, Page, files, forward, look, ran, typing};

const INSIDE: &[Noun] = &[Noun::Inside];
const FILES: &[Noun] = &[Noun::File];

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
            "run a command in the container, with a terminal; in all that are marked, without",
            |m, _| {
                typing::open_run(m);
                vec![]
            },
        ),
        |m| {
            ran::marked(m)
                .is_empty()
                .then(|| visit::refuse(m))
                .flatten()
        },
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
            "debug without a shell in the image: processes, ports, shells of the node, a debug container",
            |m, _| look::open(m),
        ),
        visit::refuse_near,
    ),
    changes(command(
        "host-shell",
        &["h"],
        INSIDE,
        "host shell",
        "a shell of this node, with its tools, in the pod's network",
        |m, _| look::host_shell(m, false),
    )),
    changes(unless(
        command(
            "host-shell-processes",
            &["H"],
            INSIDE,
            "",
            "the same, among the container's processes",
            |m, _| look::host_shell(m, true),
        ),
        look::refuse_processes,
    )),
    changes(unless(
        command(
            "debug",
            &["d"],
            INSIDE,
            "debug container",
            "a container beside it from an image that is here, gone when you leave",
            |m, _| {
                typing::open_debug(m);
                vec![]
            },
        ),
        look::refuse_debug,
    )),
    changes(command(
        "files",
        &["o"],
        INSIDE,
        "files",
        "the container's files: look around, read, copy out; also once it has ended",
        |m, _| files::open(m),
    )),
    command(
        "open-file",
        &["Enter"],
        FILES,
        "open",
        "open the folder or file",
        |m, _| files::enter(m),
    ),
    command(
        "folder-above",
        &["Left", "h", "Backspace"],
        FILES,
        "up",
        "to the folder that this is in",
        |m, _| files::up(m),
    ),
    changes(unless(
        command(
            "copy-out",
            &["^s"],
            FILES,
            "copy out",
            "copy the file to a new file of this node",
            |m, _| {
                typing::open_copy_out(m);
                vec![]
            },
        ),
        |m| files::chosen(m).err(),
    )),
    command("copy-path", &["c"], FILES, "", "copy the path", |m, _| {
        files::copy_path(m)
    }),
    changes(unless(
        command(
            "remove-left",
            &[],
            LISTS,
            "",
            "remove debug containers that a critui left behind which is no more",
            |m, _| look::remove_left(m),
        ),
        look::refuse_left,
    )),
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
