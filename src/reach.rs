//! Connecting once, and printing, for commands that print and end.

use std::io::{self, Write};
use std::time::Duration;

use critui::cli;
use critui::cri::{self, Reader, Target, Timing};
use critui::domain::RuntimeVersion;

use super::Failure;

/// crictl's pause before it tries to connect again: so long, doubling, up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Connects, with so many attempts after the first; for ever if negative. The error is one line.
pub async fn connect(
    target: &Target,
    timing: &Timing,
    mut retries: i64,
) -> Result<(Reader, RuntimeVersion), String> {
    let mut pause = FIRST_PAUSE;
    loop {
        match cri::connect_once(target, timing).await {
            Ok(connected) => return Ok(connected),
            Err(problem) if retries == 0 => {
                return Err(format!("{}; {}", problem.what, problem.advice));
            }
            Err(_) => retries = retries.saturating_sub(1),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// Prints to standard output. That whoever reads has gone is no error.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure(cli::FAILED, format!("standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}
