//! The simulated node.

use std::io::{self, Write};
use std::path::Path;

use critui::cli;
use critui::demo::{self, DemoNode, Profile, Scenario};
use tokio::runtime::Runtime;

use super::Failure;

/// Plays it alone, until it is told to end.
pub(super) fn demo_node(
    runtime: &Runtime,
    socket: &Path,
    scenario: &str,
    profile: &str,
) -> Result<(), Failure> {
    let scenario = Scenario::named(scenario).map_err(|line| Failure(cli::USAGE, line))?;
    let profile = Profile::named(profile).map_err(|line| Failure(cli::USAGE, line))?;
    let options = demo::Options {
        profile,
        ..demo::Options::default()
    };
    let ready = |node: &DemoNode| {
        let (socket, root) = (node.socket().display(), node.host_root().display());
        // Whoever waits for this line reads standard output; nobody has to.
        let _ = writeln!(
            io::stdout(),
            "listening at unix://{socket}, its files are in {root}"
        );
    };
    let served = demo::serve_alone(socket, &scenario, options, ready);
    (runtime.block_on(served)).map_err(|error| Failure(cli::FAILED, error.to_string()))
}

/// Plays it for the command that runs.
pub(super) fn start_demo(name: &str) -> Result<DemoNode, Failure> {
    let scenario = Scenario::named(name).map_err(|line| Failure(cli::USAGE, line))?;
    DemoNode::start(&scenario, demo::Options::default())
        .map_err(|error| Failure(cli::FAILED, format!("--demo: {error}")))
}
