//! `critui triage`, once and again.

use std::io;

use critui::cli;
use critui::cri::Reader;
use critui::text::Text;
use critui::triage::Report;
use critui::triage_command::{self, Before, Triage};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Setup, connect, print};

impl Setup {
    pub(super) fn triage(&mut self, triage: &Triage) -> Result<(), Failure> {
        let failed = |line: String| Failure(cli::FAILED, line);
        let endpoint = self.settle(!triage.watch)?;
        let there = endpoint.value.open(&self.host).is_ok();
        let (target, timing, retries) = (self.target(&endpoint), self.timing(), self.retries());
        if let Some(demo) = &self.demo {
            self.runtime.block_on(demo.files_written());
        }
        let (host, every) = (self.host.clone(), self.config.refresh.value);
        self.runtime.block_on(async {
            let mut ended = signal(SignalKind::terminate()).map_err(|e| failed(e.to_string()))?;
            let looking = async {
                let reader = match connect(&target, &timing, retries).await {
                    Ok((reader, _)) => reader,
                    Err(why) if there && !triage.watch => {
                        let why = Text::clean(&why);
                        let report = triage_command::look_without_runtime(&host, why).await;
                        print(|out| triage.write(&report, out))?;
                        return found(&report);
                    }
                    Err(why) => return Err(failed(why)),
                };
                let look = |reader: Reader| {
                    let host = host.clone();
                    async move {
                        let looked = triage_command::look(&reader, &host).await;
                        looked.map_err(|error| failed(error.to_string()))
                    }
                };
                let mut report = look(reader.clone()).await?;
                if !triage.watch {
                    print(|out| triage.write(&report, out))?;
                    return found(&report);
                }
                let mut before = Before::default();
                loop {
                    let (now, mut out) = (Timestamp::now(), io::stdout().lock());
                    match triage.changes(&report, &mut before, now, &mut out) {
                        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                        written => written.map_err(|error| failed(error.to_string()))?,
                    }
                    drop(out);
                    tokio::time::sleep(every).await;
                    report = look(reader.clone()).await?;
                }
            };
            tokio::select! {
                done = looking => done,
                _ = tokio::signal::ctrl_c() => Ok(()),
                _ = ended.recv() => Ok(()),
            }
        })
    }
}

/// The exit code says it, without a line.
fn found(report: &Report) -> Result<(), Failure> {
    if report.is_empty() {
        return Ok(());
    }
    Err(Failure(cli::FINDINGS, String::new()))
}
