//! What comes before everything else: what needs no node, rights that are given up.

use critui::audit::baseline::Baseline;
use critui::audit_command::{Audit, BaselineFile};
use critui::cli::{self, Cli, Command};
use critui::config;
use critui::config::env::Env;
use critui::config::layout::Remembered;
use critui::confine::{self, Confined};
use critui::demo::DemoNode;
use critui::layout::{self, Layout};
use critui::manual;
use critui::model::command;
use critui::triage_command::Triage;

use super::Failure;

/// Has the kernel refuse what `--read-only` forbids, which is what an audit needs none of. A
/// simulated node lives in this process and writes its own files, so it is left out.
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

/// What commands print that need no node: no thread is started for them and nothing is read.
pub fn text(cli: &Cli) -> Result<Option<Vec<u8>>, Failure> {
    let usage = |line| Failure(cli::USAGE, line);
    Ok(match &cli.command {
        Some(Command::Keys) => Some(command::keys_table().into_bytes()),
        Some(Command::Triage(triage)) if triage.verdicts => {
            let mut text = Vec::new();
            // Memory takes all.
            let _ = Triage::list(&mut text);
            Some(text)
        }
        Some(Command::Audit(audit)) if audit.checks => {
            let mut text = Vec::new();
            // Memory takes all.
            let _ = Audit::list(&mut text);
            Some(text)
        }
        Some(Command::Settings { default: true, .. }) => Some(config::example::text().into_bytes()),
        Some(Command::Completion { shell }) => Some(manual::completion(*shell)),
        Some(Command::Man { command }) => Some(manual::man(command.as_deref()).map_err(usage)?),
        _ => None,
    })
}

/// What the screen remembers. A simulated node remembers as long as it is there.
pub fn layout(env: &Env, demo: Option<&DemoNode>) -> Remembered {
    let Some(demo) = demo else {
        return config::layout::remembered(env);
    };
    Remembered {
        place: Ok(demo.host_root().join(".local/state").join(layout::FILE)),
        layout: Layout::default(),
        problem: None,
    }
}
