//! The command line. Its help is the reference: what a flag does is said here and nowhere else.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{go, settings};
use crate::text::Text;

/// Exit code: done.
pub const DONE: u8 = 0;
/// Exit code: critui could not look or act.
pub const FAILED: u8 = 1;
/// Exit code: the command line is wrong.
pub const USAGE: u8 = 2;
/// Exit code: it looked, and there are findings.
pub const FINDINGS: u8 = 3;

/// What the help says below the flags.
fn after_help() -> String {
    let settings: Vec<_> = settings::KEYS
        .iter()
        .map(|key| format!("  {:10} {}\n", key.name, key.doc))
        .collect();
    format!(
        "\
Environment:
  CONTAINER_RUNTIME_ENDPOINT  as --runtime-endpoint
  IMAGE_SERVICE_ENDPOINT      as --image-endpoint
  CRI_CONFIG_FILE             as --config
  CRITUI_READ_ONLY            as --read-only, unless it is empty, 0 or false
                              (sudo removes it: use the flag or a settings file)

Files:
  /etc/crictl.yaml                crictl's own: endpoints, timeout
  /etc/critui/settings.yaml       critui's settings for everybody
  ~/.config/critui/settings.yaml  critui's settings for one user, which win

Settings ('critui settings --default' prints a file with all of them):
{}
A flag wins over the environment, that over a file, that over what is built in. Only read-only
mode is different: whoever asks for it gets it. As root, files and sockets that others can
write are used only when a flag names them. 'critui config' shows every value in effect and
where it comes from.

Exit codes: 0 done, 1 could not look or act, 2 wrong usage, 3 findings",
        settings.concat()
    )
}

/// A terminal UI for a Kubernetes node: its pods, containers and images, live from the
/// container runtime over CRI, like crictl.
///
/// Without a command it opens the screen. Run it as root, or as a user who may use the
/// runtime's socket.
#[derive(Parser, Clone, Debug)]
#[command(name = "critui", version, after_help = after_help())]
#[command(max_term_width = 100, subcommand_help_heading = "Commands")]
pub struct Cli {
    /// What to reach and how.
    #[command(flatten)]
    pub connection: Connection,
    /// How to behave.
    #[command(flatten)]
    pub behaviour: Behaviour,
    /// What to do instead of opening the screen.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that decide what is reached.
// The texts are the help: backticks would show.
#[allow(clippy::doc_markdown)]
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection (as crictl's)")]
pub struct Connection {
    /// Read this file instead of /etc/crictl.yaml
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Socket of the container runtime, such as unix:///run/containerd/containerd.sock;
    /// without one, critui asks the usual places and says which it took
    #[arg(short, long, global = true, value_name = "ENDPOINT")]
    pub runtime_endpoint: Option<String>,
    /// Socket of the image service, when it is not the runtime's
    #[arg(short, long, global = true, value_name = "ENDPOINT")]
    pub image_endpoint: Option<String>,
    /// How long to wait for an answer of the runtime, such as 2s or 500ms; 0 is the default, 2s
    #[arg(short, long, global = true, value_name = "DURATION", value_parser = go::parse_duration)]
    #[arg(allow_hyphen_values = true)]
    pub timeout: Option<i64>,
    /// Also exec, attach and forward ports through a streaming server at this address, which is
    /// neither this machine's nor loopback; may be given several times
    #[arg(long, global = true, value_name = "HOST")]
    pub streaming_host: Vec<String>,
    /// Authorities (PEM) that certificates of streaming servers must come from; without it only
    /// those on loopback may speak TLS, which is not verified there
    #[arg(long, global = true, value_name = "FILE")]
    pub streaming_ca: Option<PathBuf>,
    /// Show a simulated node instead of a real one: node (also without a name), large or calm,
    /// on an old kernel with ,cgroup=v1 behind it; needs no runtime and no root, and touches
    /// nothing of this machine
    #[arg(long, global = true, value_name = "SCENARIO", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "node")]
    #[arg(conflicts_with_all = ["runtime_endpoint", "image_endpoint", "host_root"])]
    pub demo: Option<String>,
    /// Where the node's file system is, for example /host inside kubectl debug node/NAME: all
    /// files and sockets of the node, also those named by flags, are looked up below it
    #[arg(long, global = true, value_name = "DIR")]
    pub host_root: Option<PathBuf>,
}

/// Flags that decide what critui does.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Behaviour")]
// One word for each flag.
#[allow(clippy::struct_excessive_bools)]
pub struct Behaviour {
    /// Change nothing: critui only looks, runs no programs and writes no files; nothing turns
    /// this off again
    #[arg(long, global = true)]
    pub read_only: bool,
    /// On the screen show no masked value, not even for a moment, and no log beside the lists
    #[arg(long, global = true)]
    pub mask_always: bool,
    /// On the screen dim the findings of the audit that are in this file: see critui audit --help
    #[arg(long, global = true, value_name = "FILE")]
    pub audit_baseline: Option<PathBuf>,
    /// Read this file instead of ~/.config/critui/settings.yaml
    #[arg(long, global = true, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Do not start while a settings file holds a mistake; without this critui tells it and starts
    /// with the rest, read-only where the file may have asked for that
    #[arg(long, global = true)]
    pub strict: bool,
    /// Time between two looks at the runtime, 250ms to 5m; 2s if nothing else is set
    #[arg(long, global = true, value_name = "DURATION", value_parser = settings::parse_refresh)]
    pub refresh: Option<Duration>,
    /// For a slow line: few frames, no graphs and no preview, and a mark in place of the bar of the
    /// cursor, so that a move costs less than 150 bytes
    #[arg(long, global = true)]
    pub low_bandwidth: bool,
    /// Also subscribe to the runtime's events, for faster updates: not in read-only mode and
    /// not on containerd 1.7, where that takes events away from the kubelet
    #[arg(long, global = true)]
    pub events: bool,
    /// Write every call to the runtime to standard error; while the screen is open only if that is
    /// redirected, as in critui -D 2>trace
    #[arg(short = 'D', long, global = true)]
    pub debug: bool,
}

/// What to do instead of opening the screen.
#[derive(Subcommand, Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Show every setting in effect and where it comes from
    Config {
        /// Form of the output
        #[command(flatten)]
        output: Output,
    },
    /// Show critui's own settings in effect and where they come from
    Settings {
        /// Print a settings file with every key, command, theme and column, at its default
        #[arg(long, conflicts_with = "form")]
        default: bool,
        /// Form of the output
        #[command(flatten)]
        output: Output,
    },
    /// Print pods, containers and images once, joined, to standard output
    Snapshot {
        /// Form of the output
        #[command(flatten)]
        output: Output,
    },
    /// Print what uses most CPU or memory, and how close it is to its limits
    Top(crate::top::Top),
    /// Print the keys of the screen as a table in Markdown
    Keys,
    /// Print the logs of a container, or of all containers of a pod, from the files on the node
    Logs(crate::logs_command::Logs),
    /// Print what the runtime tells of a pod, a container, an image or itself: the facts, or all
    Inspect(crate::inspect_command::Inspect),
    /// Print what is wrong with pods, containers and the node, why, and what to do; the exit code is
    /// 3 if anything is
    Triage(crate::triage_command::Triage),
    /// Print what a shell needs to complete critui's commands and flags
    Completion {
        /// For which shell
        shell: Shell,
    },
    /// Print the manual page of critui, or of one of its commands, for man -l -
    Man {
        /// The command, such as snapshot
        command: Option<String>,
    },
    /// Print what on this node could hurt: what runs with more power than it should, where secrets
    /// lie open; it changes nothing, and the exit code is 3 if anything is as bad as --fail-on says
    Audit(crate::audit_command::Audit),
    /// Run the simulated node alone, for other clients such as crictl, until it is told to end
    DemoNode {
        /// Where to listen
        #[arg(long, value_name = "PATH")]
        socket: PathBuf,
        /// node, large or calm, on an old kernel with ,cgroup=v1 behind it
        #[arg(default_value = "node")]
        scenario: String,
        /// Which runtime to play
        #[arg(long, value_name = "RUNTIME", default_value = "containerd-2")]
        profile: String,
    },
}

/// The flag `-o`.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Output {
    /// Form of the output
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FORM",
        default_value = "table"
    )]
    pub form: Form,
}

/// A shell that can complete.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shell {
    /// GNU's.
    Bash,
    /// Z.
    Zsh,
    /// The friendly one.
    Fish,
}

/// Form of a report.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Form {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
}

/// What came of parsing the command line when it does not lead into the program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Help or version: print it to standard output, exit with [`DONE`].
    Print(String),
    /// Wrong usage: one line without the leading `critui: `, exit with [`USAGE`].
    Usage(Text),
}

/// Parses the arguments, the program's name first.
pub fn parse<I, T>(args: I) -> Result<Cli, Stop>
where
    I: IntoIterator<Item = T>,
    T: Into<std::ffi::OsString> + Clone,
{
    Cli::try_parse_from(args).map_err(|error| {
        let text = error.render().to_string();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Stop::Print(text),
            _ => Stop::Usage(Text::clean(&one_line(&text))),
        }
    })
}

/// clap's paragraphs without the usage, joined.
fn one_line(text: &str) -> String {
    let text = text.split("\n\nUsage:").next().unwrap_or_default();
    let text = text
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    let line = lines.join("; ").replace(":; ", ": ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    format!("{line}; try 'critui --help'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use rstest::rstest;

    fn args(line: &str) -> Result<Cli, Stop> {
        parse(std::iter::once("critui").chain(line.split_whitespace()))
    }

    #[test]
    fn clap_finds_no_mistake() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_may_follow_the_command() {
        let cli =
            args("config -r unix:///x -i /y -t 500ms -D -c /c -o json --host-root /host").unwrap();
        let Connection {
            config,
            runtime_endpoint,
            image_endpoint,
            timeout,
            streaming_host,
            streaming_ca,
            demo,
            host_root,
        } = cli.connection;
        assert_eq!((streaming_host, streaming_ca), (vec![], None));
        assert_eq!(demo, None);
        assert_eq!(config, Some("/c".into()));
        assert_eq!(runtime_endpoint.as_deref(), Some("unix:///x"));
        assert_eq!(image_endpoint.as_deref(), Some("/y"));
        assert_eq!(timeout, Some(500_000_000));
        assert_eq!(host_root, Some("/host".into()));
        assert!(cli.behaviour.debug);
        let output = Output { form: Form::Json };
        assert_eq!(cli.command, Some(Command::Config { output }));
    }

    #[test]
    fn behaviour_flags() {
        let line = "--read-only --mask-always --audit-baseline b --strict --events \
                    --low-bandwidth --settings s.yaml --refresh 250ms";
        let cli = args(line).unwrap();
        let Behaviour {
            read_only,
            mask_always,
            audit_baseline,
            settings,
            strict,
            refresh,
            low_bandwidth,
            events,
            debug,
        } = cli.behaviour;
        assert!(read_only && mask_always && events && strict && low_bandwidth && !debug);
        assert_eq!(audit_baseline, Some("b".into()));
        assert_eq!(settings, Some("s.yaml".into()));
        assert_eq!(refresh, Some(Duration::from_millis(250)));
        assert_eq!(cli.command, None);
    }

    #[rstest]
    #[case(
        "-t 2",
        "invalid value '2' for '--timeout <DURATION>': time: missing unit in duration \"2\"; try 'critui --help'"
    )]
    #[case(
        "--refresh 1ms",
        "invalid value '1ms' for '--refresh <DURATION>': \"1ms\" is not between 250ms and 5m; try 'critui --help'"
    )]
    #[case(
        "--read-onyl",
        "unexpected argument '--read-onyl' found; tip: a similar argument exists: '--read-only'; try 'critui --help'"
    )]
    #[case(
        "snapshot -o xml",
        "invalid value 'xml' for '--output <FORM>'; [possible values: table, json, yaml]; tip: a similar value exists: 'yaml'; try 'critui --help'"
    )]
    #[case("frob", "unrecognized subcommand 'frob'; try 'critui --help'")]
    #[case(
        "-r",
        "a value is required for '--runtime-endpoint <ENDPOINT>' but none was supplied; try 'critui --help'"
    )]
    fn wrong_usage_is_one_line(#[case] line: &str, #[case] expected: &str) {
        assert_eq!(args(line).unwrap_err(), Stop::Usage(expected.into()));
    }

    #[rstest]
    #[case("-t 0s", 0)]
    #[case("-t -2s", -2_000_000_000)]
    #[case("--timeout=-1m", -60_000_000_000)]
    fn timeouts_may_be_negative(#[case] line: &str, #[case] nanos: i64) {
        assert_eq!(args(line).unwrap().connection.timeout, Some(nanos));
    }

    #[rstest]
    #[case("--demo", "node")]
    #[case("--demo=large snapshot", "large")]
    #[case("snapshot --demo", "node")]
    fn the_demo_goes_with_every_command(#[case] line: &str, #[case] scenario: &str) {
        assert_eq!(
            args(line).unwrap().connection.demo.as_deref(),
            Some(scenario)
        );
    }

    #[test]
    fn version_and_help_are_printed() {
        let version = format!("critui {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(args("--version").unwrap_err(), Stop::Print(version));
        let Stop::Print(help) = args("--help").unwrap_err() else {
            panic!("help is no error");
        };
        for part in [
            "Connection",
            "--host-root",
            "CRITUI_READ_ONLY",
            "snapshot",
            "Exit codes",
            "  refresh    Time",
        ] {
            assert!(help.contains(part), "{part} is missing in\n{help}");
        }
    }
}
