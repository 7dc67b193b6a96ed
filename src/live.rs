//! `critui top`.

use std::io::{self, Write};

use critui::cli::{self, Form};
use critui::top::{Taker, Top};
use rustix::termios::tcgetwinsize;

use super::{Failure, Setup, connect, print};

/// Back to the corner, and nothing below what is written next.
const HOME: &str = "\x1b[H\x1b[J";

impl Setup {
    pub(super) fn top(&mut self, top: &Top) -> Result<(), Failure> {
        let endpoint = self.settle(false)?;
        let (target, timing) = (self.target(&endpoint), self.timing());
        let (retries, every) = (self.retries(), self.config.refresh.value);
        let (watch, form) = (top.watch, top.output.form);
        let failed = |line: String| Failure(cli::FAILED, line);
        self.runtime.block_on(async {
            let mut ended =
                tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                    .map_err(|error| failed(error.to_string()))?;
            let looking = async {
                let (reader, _) = connect(&target, &timing, retries).await.map_err(failed)?;
                let mut taker = Taker::new(reader, top.clone());
                let mut report = taker.first().await.map_err(|e| failed(e.to_string()))?;
                for note in report.notes() {
                    // A note that cannot be shown must not stop the report.
                    let _ = writeln!(io::stderr(), "critui: {note}");
                }
                loop {
                    if !show(&report, form, watch)? || !watch {
                        return Ok(());
                    }
                    tokio::time::sleep(every).await;
                    report = taker.next().await.map_err(|e| failed(e.to_string()))?;
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

/// Shows one report; false when nobody reads any more.
fn show(report: &critui::top::Report, form: Form, watch: bool) -> Result<bool, Failure> {
    let screen = rustix::termios::isatty(rustix::stdio::stdout());
    if watch && form == Form::Table && screen {
        let size = tcgetwinsize(rustix::stdio::stdout());
        let (rows, columns) = size.map_or((24, 80), |size| (size.ws_row, size.ws_col));
        let cut = |line: &String| -> String { line.chars().take(columns.into()).collect() };
        let lines = report.lines();
        let shown = lines.iter().take(usize::from(rows.max(2)) - 1).map(cut);
        let text: String = shown.map(|line| line + "\n").collect();
        return print(|out| out.write_all(format!("{HOME}{text}").as_bytes())).map(|()| true);
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut write = || -> io::Result<()> {
        report.write(form, watch, &mut out)?;
        if watch && form == Form::Table {
            writeln!(out)?;
        }
        out.flush()
    };
    match write() {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure(cli::FAILED, format!("standard output: {error}"))),
    }
}
