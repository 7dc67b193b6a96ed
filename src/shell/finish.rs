//! The end of a shell that is left: it is hung up as by a terminal that goes away, and if that is
//! not enough, killed. Bounded, since the program may be ending.

use std::time::Duration;

use tokio::time::timeout;

use super::launch::{Launch, Program, in_shell};
use crate::cri::stream::{Event, Session};

/// Sends a signal to everything of one session: its leader's end reaches only what is in the
/// foreground. Sessions are told by the fourth word after the name in `/proc/PID/stat`; a name
/// can hold anything, so what stands before its last bracket is cut off.
const HANG_UP: &str = "for f in /proc/[0-9]*/stat; do read -r l <$f || continue; p=${f#/proc/}; \
    p=${p%/stat}; set -- ${l##*) }; [ \"$4\" = SESSION ] && kill -SIGNAL $p; done 2>/dev/null; \
    kill -SIGNAL SESSION 2>/dev/null";
/// Longest wait for the runtime to pass a signal on.
const SIGNAL: Duration = Duration::from_secs(1);
/// Longest wait for the shell to end after a signal.
const DEATH: Duration = Duration::from_millis(700);

/// Ends the shell.
pub(super) async fn finish(
    launch: &Launch<'_>,
    program: &Program,
    pid: Option<u32>,
    open: &mut Session,
) {
    let Some(pid) = pid else {
        return typed(open).await;
    };
    for signal in ["HUP", "KILL"] {
        let script = HANG_UP.replace("SIGNAL", signal);
        let script = script.replace("SESSION", &pid.to_string());
        let command = in_shell(program.shell(), &script);
        let sent = launch.writer.run(launch.container, &command, SIGNAL);
        let ended = async {
            // Its end is waited for on the stream; nobody looks at what it still writes.
            let _ = timeout(SIGNAL, sent).await;
            drain(open).await;
        };
        if timeout(SIGNAL + DEATH, ended).await.is_ok() {
            return;
        }
    }
}

/// Ends what can only be reached through its terminal: interrupted, its line given up, told the
/// end of its input, and once more in a shell's words.
pub(super) async fn typed(open: &mut Session) {
    for words in [&b"\x03\x15\x04"[..], b"\x1c\nexit\n"] {
        let told = async {
            let _ = open.input.stdin(words).await;
            drain(open).await;
        };
        if timeout(DEATH, told).await.is_ok() {
            return;
        }
    }
}

/// Reads until it is over.
async fn drain(open: &mut Session) {
    while let Ok(event) = open.output.next().await {
        if let Event::Ended(_) = event {
            return;
        }
    }
}
