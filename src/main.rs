//! The program: parse, connect, run, restore the terminal.

mod begin;
mod finding;
mod live;
mod play;
mod reach;
mod screen;
mod survey;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use critui::cli::{self, Cli, Command, Form, Stop};
use critui::config::discovery::{self, Candidate, Found, NoneAnswered};
use critui::config::endpoint::Endpoint;
use critui::config::env::Env;
use critui::config::report::Report;
use critui::config::value::{Source, Valued};
use critui::config::watch::Watcher;
use critui::config::{self, Config};
use critui::confine::Confined;
use critui::cri::stream::Trust;
use critui::cri::{self, SocketPath, Target, Timing};
use critui::demo::DemoNode;
use critui::host::open::HostRoot;
use critui::inspect_command::Inspect;
use critui::logs_command::{self, Logs};
use critui::snapshot::{self, Origin};
use critui::text::Text;
use jiff::Timestamp;
use play::{demo_node, start_demo};
use reach::{connect, print};
use tokio::runtime::Runtime;
use tokio::signal::unix::SignalKind;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// Why the program ends early: the exit code, and the line for standard error, if one is needed.
struct Failure(u8, String);

/// What every command works with.
struct Setup {
    config: Config,
    env: Env,
    host: HostRoot,
    /// Of the settings, for the screen.
    watcher: Watcher,
    runtime: Runtime,
    /// `--low-bandwidth`.
    slow: bool,
    /// The simulated node of `--demo`; it goes with the program.
    demo: Option<DemoNode>,
    /// What the kernel holds this run to.
    confined: Option<Confined>,
}

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
            if !line.is_empty() {
                let _ = writeln!(io::stderr(), "critui: {line}");
            }
            code.into()
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    if cli.command.is_none() {
        screen::check().map_err(|line| Failure(cli::USAGE, line))?;
    }
    if let Some(text) = begin::text(cli)? {
        return print(|out| out.write_all(&text));
    }
    // The one file that an audit may write is opened before the right to write is given up.
    let baseline = begin::baseline(cli).map_err(|line| Failure(cli::FAILED, line))?;
    // Before any thread starts: what they may do is settled here.
    let confined = begin::confine(cli);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure(cli::FAILED, format!("no event loop: {error}")))?;
    if let Some(Command::DemoNode {
        socket,
        scenario,
        profile,
    }) = &cli.command
    {
        return demo_node(&runtime, socket, scenario, profile);
    }
    let mut setup = Setup::new(cli, runtime, confined)?;
    setup.trace(cli.command.is_some());
    let result = match &cli.command {
        Some(Command::Triage(triage)) => setup.triage(triage),
        Some(Command::Audit(audit)) => setup.audit(audit, baseline),
        Some(Command::Config { output }) => setup.show_config(output.form),
        Some(Command::Settings { output, .. }) => {
            print(|out| Report::of_settings(&setup.config).write(output.form, out))
        }
        Some(Command::Snapshot { output }) => setup.snapshot(output.form),
        Some(Command::Logs(logs)) => setup.logs(logs),
        Some(Command::Inspect(inspect)) => setup.inspect(inspect),
        Some(Command::Top(top)) => setup.top(top),
        _ => setup.screen(cli),
    };
    // A file system that hangs must not keep the program from ending.
    setup.runtime.shutdown_background();
    result
}

impl From<config::ConfigError> for Failure {
    fn from(error: config::ConfigError) -> Self {
        Self(error.code, error.line.to_string())
    }
}

impl Setup {
    fn new(cli: &Cli, runtime: Runtime, confined: Option<Confined>) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure(cli::FAILED, format!("/: {error}"));
        let mut env = Env::of_process().map_err(failed)?;
        let stays_root = confined.as_ref().is_some_and(Confined::has_no_capabilities);
        let caller = env.sudo_user().filter(|_| stays_root);
        if caller.is_some() {
            env.vars.remove("SUDO_UID");
        }
        let mut cli = cli.clone();
        let demo = cli
            .connection
            .demo
            .take()
            .map(|name| start_demo(&name))
            .transpose()?;
        if let Some(demo) = &demo {
            cli.connection.host_root = Some(demo.host_root().to_owned());
        }
        let host = match &demo {
            Some(demo) => demo.host().map_err(failed)?,
            None => config::host_root(&cli.connection, &env)?,
        };
        let mut config = config::resolve(&cli, &env, &host)?;
        if let Some(demo) = &demo {
            let inside = demo
                .socket()
                .strip_prefix(demo.host_root())
                .unwrap_or(demo.socket());
            let endpoint = Endpoint::new(Path::new("/").join(inside), None);
            let found = Valued::new(endpoint, Source::Flag("--demo"));
            config.endpoints = config::Endpoints::default();
            config.endpoints.settle(Some(found));
        }
        if caller.is_some() {
            let line = "the settings of the user who called sudo are not read: --read-only has given \
                        up the right to act as that user";
            config.warnings.push(line.into());
        }
        let watcher = Watcher {
            named: cli.behaviour.settings,
            refresh: cli.behaviour.refresh,
            env: env.clone(),
            host: host.clone(),
        };
        Ok(Self {
            config,
            env,
            host,
            watcher,
            slow: cli.behaviour.low_bandwidth,
            runtime,
            demo,
            confined,
        })
    }

    /// `--debug`: every call to standard error. Under the screen only if that is redirected.
    fn trace(&self, reports: bool) {
        let redirected = !rustix::termios::isatty(rustix::stdio::stderr());
        if self.config.crictl.debug.value && (reports || redirected) {
            // critui's own words only: HTTP/2 frames help nobody on a node.
            let own = Targets::new().with_target("critui", tracing::Level::DEBUG);
            let lines = tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_writer(io::stderr);
            tracing_subscriber::registry()
                .with(lines.with_filter(own))
                .init();
        }
    }

    fn show_config(&mut self, form: Form) -> Result<(), Failure> {
        let mut why = None;
        if self.config.endpoints.runtime.is_none() {
            match self.discover() {
                Ok(found) => self.config.endpoints.settle(Some(found.endpoint)),
                Err(none) => {
                    why = Some("no container runtime answers");
                    self.config.warnings.extend(none.lines());
                }
            }
        }
        let report = Report::of(&self.config, why);
        print(|out| report.write(form, out))
    }

    fn snapshot(&mut self, form: Form) -> Result<(), Failure> {
        let endpoint = self.settle(false)?;
        for warning in &self.config.warnings {
            // A warning that cannot be shown must not stop the report.
            let _ = writeln!(io::stderr(), "critui: {warning}");
        }
        let (target, timing) = (self.target(&endpoint), self.timing());
        let origin = Origin {
            endpoint: Text::clean(&endpoint.value.to_string()),
            source: Text::clean(&endpoint.source.to_string()),
        };
        let retries = self.retries();
        let taken = self.runtime.block_on(async {
            let (reader, version) = connect(&target, &timing, retries).await?;
            let taken = snapshot::take(&reader, version, origin, Timestamp::now()).await;
            taken.map_err(|error| error.to_string())
        });
        let taken = taken.map_err(|line| Failure(cli::FAILED, line))?;
        print(|out| taken.write(form, out))
    }

    fn inspect(&mut self, inspect: &Inspect) -> Result<(), Failure> {
        let endpoint = self.settle(false)?;
        let (target, timing, retries) = (self.target(&endpoint), self.timing(), self.retries());
        let read = self.runtime.block_on(async {
            let (reader, version) = connect(&target, &timing, retries).await?;
            let read = inspect.read(&reader, version).await;
            read.map_err(|line| line.to_string())
        });
        let report = read.map_err(|line| Failure(cli::FAILED, line))?;
        print(|out| report.write(out))
    }

    fn logs(&mut self, logs: &Logs) -> Result<(), Failure> {
        let failed = |line: Text| Failure(cli::FAILED, line.to_string());
        if let Some(demo) = &self.demo {
            self.runtime.block_on(demo.files_written());
        }
        let found = match logs.path() {
            Some(path) => logs.at_path(&self.host, &path),
            None => self.logs_by_name(logs),
        };
        let (found, logs) = (found.map_err(failed)?, logs.clone());
        self.runtime.block_on(async {
            // Ended from outside, a simulated node still has to go.
            let mut ended = tokio::signal::unix::signal(SignalKind::terminate())
                .map_err(|error| Failure(cli::FAILED, error.to_string()))?;
            let printed = tokio::task::spawn_blocking(move || logs.print(found));
            tokio::select! {
                printed = printed => printed.unwrap_or(Ok(())).map_err(failed),
                _ = tokio::signal::ctrl_c() => Ok(()),
                _ = ended.recv() => Ok(()),
            }
        })
    }

    /// Through the runtime, or without one if none answers: its files are there all the same.
    fn logs_by_name(&mut self, logs: &Logs) -> Result<Vec<logs_command::Found>, Text> {
        let endpoint = self.settle(false).map_err(|Failure(_, line)| line);
        let target = endpoint.map(|endpoint| self.target(&endpoint));
        let (timing, retries, host) = (self.timing(), self.retries(), self.host.clone());
        self.runtime.block_on(async {
            let connected = match target {
                Ok(target) => connect(&target, &timing, retries).await,
                Err(line) => Err(line),
            };
            match connected {
                Ok((reader, _)) => logs.by_name(&host, Some(&reader)).await,
                Err(why) => {
                    let found = logs.by_name(&host, None).await;
                    found.map_err(|line| Text::clean(&format!("{line} (on disk; {why})")))
                }
            }
        })
    }

    fn screen(&mut self, cli: &Cli) -> Result<(), Failure> {
        let flags = &cli.connection;
        let guarded = begin::guarded(cli).map_err(|line| Failure(cli::FAILED, line))?;
        let mut trust = Trust::hosts(flags.streaming_host.iter().cloned());
        if let Some(path) = &flags.streaming_ca {
            let verified = trust.by_authority(path);
            trust =
                verified.map_err(|why| Failure(cli::FAILED, format!("--streaming-ca {why}")))?;
        }
        let endpoint = self.settle(true)?;
        let target = self.target(&endpoint);
        let opening = screen::Opening {
            config: &self.config,
            endpoint: &endpoint,
            timing: self.timing(),
            watcher: self.watcher.clone(),
            target,
            trust,
            confined: self.confined.clone(),
            slow: self.slow,
            layout: begin::layout(&self.env, self.demo.as_ref()),
            guarded,
            journal: (self.config.journal).place(&self.env, &self.host, self.demo.is_some()),
        };
        let opened = self.runtime.block_on(screen::open(opening));
        opened.map_err(|error| Failure(cli::FAILED, error.to_string()))
    }

    /// The runtime's endpoint, discovered if nobody named one. `patient` takes one that does not
    /// answer yet, if there is one: the screen goes on trying.
    fn settle(&mut self, patient: bool) -> Result<Valued<Endpoint>, Failure> {
        if self.config.endpoints.runtime.is_none() {
            let found = match self.discover() {
                Ok(found) => found.endpoint,
                Err(none) => patient.then(|| self.silent_one(&none)).flatten().ok_or_else(|| {
                    let tried: Vec<String> = none.lines().map(|line| line.to_string()).collect();
                    let line = "no container runtime answers: start it, or name its socket with \
                                --runtime-endpoint; tried ";
                    Failure(cli::FAILED, format!("{line}{}", tried.join(", ")))
                })?,
            };
            self.config.endpoints.settle(Some(found));
        }
        let missing = || Failure(cli::FAILED, "no runtime endpoint".to_owned());
        self.config.endpoints.runtime.clone().ok_or_else(missing)
    }

    /// The first candidate that is there but does not answer.
    fn silent_one(&self, none: &NoneAnswered) -> Option<Valued<Endpoint>> {
        let candidates = none.tried.iter().map(|(candidate, _)| candidate);
        let there = |candidate: &&Candidate| candidate.endpoint.open(&self.host).is_ok();
        let candidate = candidates.into_iter().find(there)?;
        let why = format!("because {}, though it does not answer yet", candidate.why);
        Some(Valued::new(
            candidate.endpoint.clone(),
            Source::Discovered(why.into()),
        ))
    }

    fn discover(&self) -> Result<Found<()>, NoneAnswered> {
        let candidates = discovery::candidates(&self.env, &self.host);
        let timing = self.timing();
        let probe = |endpoint: Endpoint| {
            let target = self.target(&Valued::default_of(endpoint));
            async move { cri::connect_once(&target, &timing).await.map(drop) }
        };
        self.runtime
            .block_on(discovery::choose(candidates, timing.deadline, probe))
    }

    fn target(&self, runtime: &Valued<Endpoint>) -> Target {
        let image = self.config.endpoints.image.as_ref().unwrap_or(runtime);
        let socket = |endpoint: &Endpoint| {
            let opened = endpoint.clone();
            SocketPath::opened_by(endpoint.path(), move |host| opened.open(host))
        };
        Target {
            runtime: socket(&runtime.value),
            image: socket(&image.value),
            host: self.host.clone(),
        }
    }

    fn timing(&self) -> Timing {
        Timing {
            deadline: self.config.crictl.timeout.value,
            refresh: self.config.refresh.value,
            ..Timing::default()
        }
    }

    /// Attempts after the first. crictl's built-in three make a missing socket take 3.5 s, so
    /// only a file that asks for them gets them.
    fn retries(&self) -> i64 {
        let retries = &self.config.crictl.max_retries;
        if retries.source == Source::Default {
            0
        } else {
            retries.value
        }
    }
}
