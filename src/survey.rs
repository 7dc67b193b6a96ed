//! `critui audit`.

use std::io::{self, Write as _};

use critui::audit::Report;
use critui::audit_command::{Audit, BaselineFile};
use critui::cli;
use critui::cri::CriError;
use critui::gather::audit::{self, Asked};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Setup, connect, print};

/// An audit has time: what else runs on the node goes first.
const AUDIT_NICE: i32 = 19;

impl Setup {
    pub(super) fn audit(
        &mut self,
        audit: &Audit,
        baseline: Option<BaselineFile>,
    ) -> Result<(), Failure> {
        let failed = |line: String| Failure(cli::FAILED, line);
        // It is a courtesy: without it the audit is the same.
        let _ = rustix::process::nice(AUDIT_NICE);
        let mut baseline = baseline;
        let known = baseline.as_mut().map(BaselineFile::read).transpose();
        let known = known.map_err(failed)?.unwrap_or_default();
        let endpoint = self.settle(false)?;
        let (target, timing, retries) = (self.target(&endpoint), self.timing(), self.retries());
        if let Some(demo) = &self.demo {
            self.runtime.block_on(demo.files_written());
        }
        let asked = Asked {
            host: self.host.clone(),
            socket: endpoint.value.path().to_owned(),
            registries: audit.registry.clone(),
            now: Timestamp::now(),
        };
        let looked = self.runtime.block_on(async {
            let mut ended = signal(SignalKind::terminate()).map_err(|e| failed(e.to_string()))?;
            let looking = async {
                let (reader, version) = connect(&target, &timing, retries).await.map_err(failed)?;
                let looked = audit::facts(&reader, version, asked, |_, _| ()).await;
                looked.map_err(|error: CriError| failed(error.to_string()))
            };
            tokio::select! {
                done = looking => done.map(Some),
                _ = tokio::signal::ctrl_c() => Ok(None),
                _ = ended.recv() => Ok(None),
            }
        });
        // Half an audit says nothing.
        let Some(facts) = looked? else {
            return Err(failed("interrupted".to_owned()));
        };
        let (report, stale) = Report::of(&facts, &audit.narrow(), &known);
        if stale > 0 && audit.namespace.is_empty() && audit.exclude.is_empty() {
            // A note that cannot be shown must not stop the report.
            let note =
                format!("critui: {stale} entries of the baseline belong to nothing any more");
            let _ = writeln!(io::stderr(), "{note}");
        }
        print(|out| audit.write(&report, out))?;
        if let Some(file) = baseline.as_mut().filter(|file| file.writes()) {
            file.write(&report).map_err(failed)?;
            return Ok(());
        }
        if report.fails(audit.fail_on) {
            // The exit code says it, without a line.
            return Err(Failure(cli::FINDINGS, String::new()));
        }
        Ok(())
    }
}
