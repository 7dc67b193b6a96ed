//! The program.

use std::io::{self, Write};
use std::process::ExitCode;

use critui::cli::{self, Cli, Command, Form, Stop};
use critui::config::discovery::{self, Found, NoneAnswered};
use critui::config::endpoint::Endpoint;
use critui::config::env::Env;
use critui::config::report::Report;
use critui::config::{self, Config};
use critui::host::open::HostRoot;
use critui::link::Problem;
use critui::text::Text;

/// Why the program ends early: the exit code, and the line for standard error.
struct Failure(u8, String);

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(Stop::Print(text)) => return finish(print(|out| out.write_all(text.as_bytes()))),
        Err(Stop::Usage(line)) => return finish(Err(Failure(cli::USAGE, line.to_string()))),
    };
    finish(run(&cli))
}

fn finish(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => cli::DONE.into(),
        Err(Failure(code, line)) => {
            // If standard error is gone, the exit code has to say it all.
            let _ = writeln!(io::stderr(), "critui: {line}");
            code.into()
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure(cli::FAILED, format!("/: {error}"));
    let env = Env::of_process().map_err(failed)?;
    let host = config::host_root(&cli.connection, &env).map_err(fatal)?;
    let mut config = config::resolve(cli, &env, &host).map_err(fatal)?;
    match &cli.command {
        Some(Command::Config { output }) => show_config(&mut config, &env, &host, output.form),
        Some(Command::Snapshot { .. }) | None => Err(Failure(
            cli::FAILED,
            "this build only knows the command config".into(),
        )),
    }
}

fn fatal(error: config::ConfigError) -> Failure {
    Failure(error.code, error.line.to_string())
}

fn show_config(config: &mut Config, env: &Env, host: &HostRoot, form: Form) -> Result<(), Failure> {
    let mut why = None;
    if config.endpoints.runtime.is_none() {
        match discover(config, env, host)? {
            Ok(found) => config.endpoints.settle(Some(found.endpoint)),
            Err(none) => {
                why = Some("no container runtime answers");
                config.warnings.extend(none.lines());
            }
        }
    }
    let report = Report::of(config, why);
    print(|out| report.write(form, out))
}

fn discover(
    config: &Config,
    env: &Env,
    host: &HostRoot,
) -> Result<Result<Found, NoneAnswered>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure(cli::FAILED, format!("no event loop: {error}")))?;
    let candidates = discovery::candidates(env, host);
    let timeout = config.crictl.timeout.value;
    let probe = |endpoint: Endpoint| async move { connect(&endpoint, host).await };
    Ok(runtime.block_on(discovery::choose(candidates, timeout, probe)))
}

/// Connects only: the connection's `Version` call takes this place.
async fn connect(endpoint: &Endpoint, host: &HostRoot) -> Result<(), Problem> {
    let failed = |error: io::Error| discovery::cannot_open(&error);
    let socket = endpoint.open(host).map_err(failed)?;
    tokio::net::UnixStream::connect(socket.path())
        .await
        .map_err(failed)?;
    Ok(())
}

fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        // Whoever reads has seen enough, as in `critui config | head -1`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            let line = format!("standard output: {error}");
            Err(Failure(cli::FAILED, Text::clean(&line).to_string()))
        }
        Ok(()) => Ok(()),
    }
}
