//! What comes before everything else: rights that are given up.

use critui::cli::{Cli, Command};
use critui::confine::{self, Confined};

/// Has the kernel refuse what `--read-only` forbids. A simulated node lives in this process and
/// writes its own files, so it is left out.
pub fn confine(cli: &Cli) -> Option<Confined> {
    let simulated =
        cli.connection.demo.is_some() || matches!(cli.command, Some(Command::DemoNode { .. }));
    let terminal = rustix::termios::ttyname(rustix::stdio::stdout(), Vec::new()).ok();
    let terminal = terminal.map(|path| path.to_string_lossy().into_owned().into());
    (cli.behaviour.read_only && !simulated).then(|| confine::confine(terminal))
}
