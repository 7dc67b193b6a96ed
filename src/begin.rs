//! What comes before everything else: rights that are given up, and the simulated node alone.

use std::io::{self, Write as _};
use std::path::Path;

use critui::cli::{self, Cli, Command};
use critui::confine::{self, Confined};
use critui::demo::{self, DemoNode, Profile, Scenario};
use tokio::runtime::Runtime;

use crate::Failure;

/// Has the kernel refuse what `--read-only` forbids. A simulated node lives in this process and
/// writes its own files, so it is left out.
pub fn confine(cli: &Cli) -> Option<Confined> {
    let simulated =
        cli.connection.demo.is_some() || matches!(cli.command, Some(Command::DemoNode { .. }));
    let terminal = rustix::termios::ttyname(rustix::stdio::stdout(), Vec::new()).ok();
    let terminal = terminal.map(|path| path.to_string_lossy().into_owned().into());
    (cli.behaviour.read_only && !simulated).then(|| confine::confine(terminal))
}

/// Runs the simulated node alone.
pub fn demo_node(
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
