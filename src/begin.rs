//! What comes before everything else: rights that are given up.

use critui::audit::baseline::Baseline;
use critui::audit_command::BaselineFile;
use critui::cli::{Cli, Command};
use critui::confine::{self, Confined};

/// Has the kernel refuse what `--read-only` forbids, which is what an audit needs none of. A simulated node lives in this process and
/// writes its own files, so it is left out.
pub fn confine(cli: &Cli) -> Option<Confined> {
    let simulated =
        cli.connection.demo.is_some() || matches!(cli.command, Some(Command::DemoNode { .. }));
    let terminal = rustix::termios::ttyname(rustix::stdio::stdout(), Vec::new()).ok();
    let terminal = terminal.map(|path| path.to_string_lossy().into_owned().into());
    let audits = matches!(cli.command, Some(Command::Audit(_)));
    let only_looks = cli.behaviour.read_only || audits;
    (only_looks && !simulated).then(|| confine::confine(terminal))
}

/// What the screen is not to show.
#[derive(Debug, Default)]
pub struct Guarded {
    /// No masked value is shown, not even for a moment.
    pub mask_always: bool,
    /// No log is shown that nobody asked for.
    pub quiet: bool,
    /// Findings of an audit that are known and accepted.
    pub baseline: Baseline,
}

/// What the flags say of that.
pub fn guarded(cli: &Cli) -> Result<Guarded, String> {
    let behaviour = &cli.behaviour;
    let baseline = match &behaviour.audit_baseline {
        Some(path) => BaselineFile::open(path, false)?.read()?,
        None => Baseline::default(),
    };
    Ok(Guarded {
        mask_always: behaviour.mask_always,
        quiet: behaviour.mask_always || behaviour.read_only,
        baseline,
    })
}

/// The baseline of an audit, open as far as it may be used.
pub fn baseline(cli: &Cli) -> Result<Option<BaselineFile>, String> {
    match &cli.command {
        Some(Command::Audit(audit)) => audit.open_baseline(),
        _ => Ok(None),
    }
}
