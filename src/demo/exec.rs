//! One-shot commands.

// Every method is a function of one shape, for the table of them.
#![allow(clippy::needless_pass_by_value)]

use k8s_cri::v1;
use tonic::Status;

use super::chance::digest;
use super::change::in_state;
use super::node::Node;
use super::streaming::has_shell;
use super::world::{Container, State};

pub(super) fn exec_sync(
    node: &Node,
    request: v1::ExecSyncRequest,
) -> Result<v1::ExecSyncResponse, Status> {
    let world = node.world();
    let id = node.container_id(&world, "ExecSync", &request.container_id)?;
    let container = &world.containers[&id];
    if container.state != State::Running {
        return Err(Status::unknown(format!(
            "container is in {} state",
            in_state(container)
        )));
    }
    let words: Vec<&str> = request.cmd.iter().map(String::as_str).collect();
    if let Some(pid) = hung_up(&words) {
        node.streams.hang_up(pid);
        return Ok(v1::ExecSyncResponse::default());
    }
    let known = has_shell(&container.spec);
    let ran = known.then(|| run(&words, container)).flatten();
    ran.ok_or_else(|| {
        let command = words.first().copied().unwrap_or_default();
        Status::unknown(no_command(command))
    })
}

/// The words of a runtime about a command that the image does not have.
pub(super) fn no_command(command: &str) -> String {
    let id = digest(command);
    format!(
        "failed to exec in container: failed to start exec {id:?}: OCI runtime exec failed: exec failed: unable to start container process: exec: {command:?}: stat {command}: no such file or directory: unknown"
    )
}

/// The process that a script of critui's ends.
fn hung_up(words: &[&str]) -> Option<u32> {
    let ["sh", "-c", script] = words else {
        return None;
    };
    let (_, last) = script.rsplit_once("; kill -")?;
    last.split_whitespace().nth(1)?.parse().ok()
}

/// The few commands that every container knows.
fn run(words: &[&str], container: &Container) -> Option<v1::ExecSyncResponse> {
    let said = |stdout: String, exit_code| {
        Some(v1::ExecSyncResponse {
            stdout: stdout.into_bytes(),
            stderr: Vec::new(),
            exit_code,
        })
    };
    match words {
        ["sh" | "/bin/sh", "-c", line] => {
            let words: Vec<&str> = line.split_whitespace().collect();
            let name = words.first().copied().unwrap_or_default();
            run(&words, container).or_else(|| said(format!("sh: {name}: not found\n"), 127))
        }
        ["true" | ":"] => said(String::new(), 0),
        ["false"] => said(String::new(), 1),
        ["echo", rest @ ..] => said(format!("{}\n", rest.join(" ")), 0),
        ["hostname"] => said(format!("{}\n", container.spec.name), 0),
        ["env"] => said(container.spec.env.join("\n") + "\n", 0),
        ["ls", ..] => said("bin\ndev\netc\nproc\nsys\ntmp\nvar\n".into(), 0),
        _ => None,
    }
}
