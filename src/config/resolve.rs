//! From flags, environment and files to one [`Config`].

use std::path::PathBuf;
use std::time::Duration;

use super::crictl::{CrictlFile, Entry};
use super::endpoint::{self, Endpoint, USE_ANYWAY};
use super::env::{Env, FILE_DEADLINE};
use super::value::{Source, Valued};
use super::yaml::MAX_BYTES;
use super::{Config, ConfigError, CrictlOptions, Endpoints, go, settings};
use crate::access::{Access, Reason};
use crate::cli::{Behaviour, Cli, Connection, FAILED};
use crate::host::open::{HostRoot, Kind, OpenError, Stat};
use crate::text::Text;

/// Where crictl's configuration is unless something else is said.
const CRICTL_YAML: &str = "/etc/crictl.yaml";
/// Deadline of a call when nothing else is said, as crictl's.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest deadline: more makes no sense and would overflow clocks.
const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);
/// Time between two looks at the runtime when nothing else is said.
const DEFAULT_REFRESH: Duration = Duration::from_secs(2);
/// crictl's retries when there is no configuration file; with a file that does not say, none.
const DEFAULT_RETRIES: i64 = 3;

/// Opens the host's root: `--host-root`, else `/`.
pub fn host_root(flags: &Connection, env: &Env) -> Result<HostRoot, ConfigError> {
    let Some(path) = &flags.host_root else {
        return Ok(env.own.clone());
    };
    HostRoot::new(&env.cwd.join(path)).map_err(|error| {
        let line = format!("--host-root: {} {error}", path.display());
        ConfigError::new(&Source::Flag("--host-root"), line)
    })
}

/// Works out the configuration. Reads files of `host` and of the program's own file system;
/// asks no runtime and no name service.
pub fn resolve(cli: &Cli, env: &Env, host: &HostRoot) -> Result<Config, ConfigError> {
    let mut reader = Reader {
        connection: &cli.connection,
        env,
        host,
        warnings: Vec::new(),
    };
    let (path, file) = reader.crictl_file()?;
    let endpoints = reader.endpoints(&file)?;
    let crictl = options(cli, path, &file);
    let warnings = reader.warnings;
    assemble(cli, env, host, endpoints, crictl, warnings)
}

fn assemble(
    cli: &Cli,
    env: &Env,
    host: &HostRoot,
    endpoints: Endpoints,
    crictl: CrictlOptions,
    mut warnings: Vec<Text>,
) -> Result<Config, ConfigError> {
    let named = cli.behaviour.settings.as_deref();
    let mut loaded = settings::load(named, env, host);
    if let Some(problem) = loaded.first_problem().filter(|_| cli.behaviour.strict) {
        return Err(ConfigError {
            line: problem.into(),
            code: FAILED,
        });
    }
    warnings.extend(loaded.problems.into_iter().chain(loaded.warnings));
    let access = Access::decide(voices(&cli.behaviour, env, loaded.reasons));
    let events = events(&cli.behaviour, &access);
    if cli.behaviour.events && !events.value {
        warnings.push("--events has no effect in read-only mode".into());
    }
    Ok(Config {
        endpoints,
        crictl,
        refresh: match cli.behaviour.refresh {
            Some(refresh) => Valued::new(refresh, Source::Flag("--refresh")),
            None => in_files(loaded.settings.refresh.take()),
        },
        journal: std::mem::take(&mut loaded.settings.journal),
        look: loaded.settings.look(),
        events,
        host_root: match &cli.connection.host_root {
            Some(path) => Valued::new(path.clone(), Source::Flag("--host-root")),
            None => Valued::default_of("/".into()),
        },
        access,
        warnings,
    })
}

/// Time between two looks, as the files say or built in.
pub(super) fn in_files(refresh: Option<Valued<Duration>>) -> Valued<Duration> {
    refresh.unwrap_or(Valued::default_of(DEFAULT_REFRESH))
}

fn voices(flags: &Behaviour, env: &Env, settings: Vec<Reason>) -> Vec<Reason> {
    let flag = flags.read_only.then_some(Reason::Flag);
    let variable = env.get("CRITUI_READ_ONLY").and_then(|value| {
        let value = value.to_string_lossy();
        let off = matches!(value.as_ref(), "" | "0" | "false");
        (!off).then(|| Reason::Environment {
            value: Text::clean(&value).to_string(),
        })
    });
    flag.into_iter().chain(variable).chain(settings).collect()
}

fn events(flags: &Behaviour, access: &Access) -> Valued<bool> {
    match (flags.events, access.grant()) {
        (true, Some(_)) => Valued::new(true, Source::Flag("--events")),
        (true, None) => Valued::new(false, Source::Follows("read-only")),
        (false, _) => Valued::default_of(false),
    }
}

fn options(cli: &Cli, path: Option<Valued<PathBuf>>, file: &Shown<CrictlFile>) -> CrictlOptions {
    let said = &file.value;
    let retries = if path.is_some() { 0 } else { DEFAULT_RETRIES };
    let seconds = |seconds: i64| u64::try_from(seconds).ok().map(Duration::from_secs);
    let timeout = match (cli.connection.timeout, &said.timeout) {
        (Some(nanos), _) => Valued::new(go::positive(nanos), Source::Flag("--timeout")),
        (None, Some(entry)) => Valued::new(seconds(entry.value), file.at(entry.line)),
        (None, None) => Valued::default_of(None),
    };
    CrictlOptions {
        timeout: Valued {
            value: match timeout.value {
                None | Some(Duration::ZERO) => DEFAULT_TIMEOUT,
                Some(timeout) => timeout.min(MAX_TIMEOUT),
            },
            source: timeout.source,
        },
        debug: if cli.behaviour.debug {
            Valued::new(true, Source::Flag("--debug"))
        } else {
            file.or(said.debug.as_ref(), false)
        },
        max_retries: file.or(said.max_retries.as_ref(), retries),
        pull_image_on_create: file.or(said.pull_image_on_create.as_ref(), false),
        disable_pull_on_run: file.or(said.disable_pull_on_run.as_ref(), false),
        file: path,
    }
}

/// Something read from a file, and how messages name that file.
struct Shown<T> {
    value: T,
    shown: Text,
}

impl<T> Shown<T> {
    fn at(&self, line: Option<usize>) -> Source {
        let path = self.shown.clone();
        Source::File { path, line }
    }

    fn or<V: Copy>(&self, entry: Option<&Entry<V>>, default: V) -> Valued<V> {
        match entry {
            Some(entry) => Valued::new(entry.value, self.at(entry.line)),
            None => Valued::default_of(default),
        }
    }
}

/// What resolving the connection's part needs at every step.
struct Reader<'a> {
    connection: &'a Connection,
    env: &'a Env,
    host: &'a HostRoot,
    warnings: Vec<Text>,
}

impl Reader<'_> {
    /// The configuration file and what it says. One that a flag or the environment names must
    /// be good; what is wrong with the default one is a warning.
    fn crictl_file(&mut self) -> Result<(Option<Valued<PathBuf>>, Shown<CrictlFile>), ConfigError> {
        let path = self.crictl_path()?;
        let mut file = Shown {
            value: CrictlFile::default(),
            shown: Text::clean(&self.host.outside(&path.value).to_string_lossy()),
        };
        match self.read_crictl(&path, &file.shown) {
            Ok(Some(said)) => file.value = said,
            Ok(None) => return Ok((None, file)),
            Err(what) if path.source == Source::Default => {
                let line = format!("{what}; critui goes on as if {CRICTL_YAML} did not exist");
                self.warnings.push(line.into());
                return Ok((None, file));
            }
            Err(what) => {
                let line = format!("{}: {what}", path.source.detail().unwrap_or_default());
                return Err(ConfigError::new(&path.source, line));
            }
        }
        for odd in &file.value.oddities {
            self.warnings.push(format!("{} {odd}", file.shown).into());
        }
        Ok((Some(path), file))
    }

    fn crictl_path(&self) -> Result<Valued<PathBuf>, ConfigError> {
        let named = match (&self.connection.config, self.env.get("CRI_CONFIG_FILE")) {
            (Some(path), _) => Valued::new(path.clone(), Source::Flag("--config")),
            (None, Some(path)) => Valued::new(path.into(), Source::Env("CRI_CONFIG_FILE")),
            (None, None) => return Ok(Valued::default_of(CRICTL_YAML.into())),
        };
        let name = named.source.detail().unwrap_or_default();
        let fail = |what: String| Err(ConfigError::new(&named.source, what));
        if named.value.as_os_str().is_empty() {
            return fail(format!(
                "{name} is set but empty: name a file, or leave it out for {CRICTL_YAML}"
            ));
        }
        if named.value.is_relative() && self.connection.host_root.is_some() {
            return fail(format!(
                "{name}: {} is relative: with --host-root give the absolute path that it has on \
                 the host",
                named.value.display()
            ));
        }
        Ok(Valued::new(self.env.cwd.join(&named.value), named.source))
    }

    /// `None` when there is no file at the default place.
    fn read_crictl(
        &mut self,
        path: &Valued<PathBuf>,
        shown: &Text,
    ) -> Result<Option<CrictlFile>, String> {
        let text = match self.read_trusted(path, shown) {
            Ok(bytes) => String::from_utf8(bytes),
            Err(Refused::Open(OpenError::Missing)) if path.source == Source::Default => {
                return Ok(None);
            }
            Err(Refused::Open(error)) => return Err(format!("{shown} {error}")),
            Err(Refused::Distrust(why)) => {
                return Err(format!(
                    "{shown} {why}, so root does not rely on it: correct that, or name the \
                     file with --config to use it anyway"
                ));
            }
        };
        let text = text.map_err(|_| format!("{shown} is not UTF-8 text"))?;
        match CrictlFile::parse(&text) {
            Ok(file) => Ok(Some(file)),
            Err(fault) => Err(fault.in_file(shown.as_str())),
        }
    }

    fn read_trusted(&mut self, path: &Valued<PathBuf>, shown: &Text) -> Result<Vec<u8>, Refused> {
        if let Some(guard) = &self.env.guard {
            match guard.distrust(self.host, &path.value)? {
                Some(why) if matches!(path.source, Source::Flag(_)) => {
                    let line = format!("{shown} {why}; it is used because --config names it");
                    self.warnings.push(line.into());
                }
                Some(why) => return Err(Refused::Distrust(why)),
                None => {}
            }
        }
        Ok(self.host.read(&path.value, MAX_BYTES, FILE_DEADLINE)?)
    }

    fn endpoints(&mut self, file: &Shown<CrictlFile>) -> Result<Endpoints, ConfigError> {
        let said = &file.value;
        let entry = |entry: Option<&Entry<String>>| {
            entry.map(|entry| Valued::new(entry.value.clone(), file.at(entry.line)))
        };
        let runtime = Named {
            key: "runtime-endpoint",
            flag: (
                self.connection.runtime_endpoint.as_deref(),
                "--runtime-endpoint",
            ),
            variable: "CONTAINER_RUNTIME_ENDPOINT",
            file: entry(said.runtime_endpoint.as_ref()),
        };
        let image = Named {
            key: "image-endpoint",
            flag: (
                self.connection.image_endpoint.as_deref(),
                "--image-endpoint",
            ),
            variable: "IMAGE_SERVICE_ENDPOINT",
            file: entry(said.image_endpoint.as_ref()),
        };
        let mut endpoints = Endpoints::default();
        if let Some(text) = runtime.pick(self.env)? {
            // crictl's rule: a flag or variable that is set counts, also when it is empty.
            let in_file = matches!(text.source, Source::File { .. });
            if !text.value.is_empty() {
                endpoints.runtime = Some(self.endpoint(&runtime, text)?);
            } else if !in_file {
                let line = format!(
                    "--runtime-endpoint is not set: {} is set but empty; write unix:///PATH, or leave \
                     it out and critui looks for the runtime",
                    runtime.place(&text.source)
                );
                return Err(ConfigError::new(&text.source, line));
            }
        }
        if let Some(text) = image.pick(self.env)?.filter(|text| !text.value.is_empty()) {
            endpoints.image = Some(self.endpoint(&image, text)?);
        }
        if endpoints.runtime.is_some() {
            endpoints.settle(None);
        }
        Ok(endpoints)
    }

    fn endpoint(
        &mut self,
        named: &Named<'_>,
        text: Valued<String>,
    ) -> Result<Valued<Endpoint>, ConfigError> {
        let source = text.source;
        let by_flag = matches!(source, Source::Flag(_));
        let place = named.place(&source);
        let path = endpoint::parse(&text.value)
            .map_err(|what| ConfigError::new(&source, format!("{place}: {what}")))?;
        let endpoint = Endpoint::new(path.clone(), self.env.guard.clone());
        match endpoint.distrust(self.host) {
            Ok(Some(why)) if by_flag => {
                let line = format!("{endpoint} {why}; it is used because {place} names it");
                self.warnings.push(line.into());
            }
            Ok(Some(why)) => {
                let line = format!("{place}: {endpoint} {why}; {USE_ANYWAY}");
                return Err(ConfigError::new(&source, line));
            }
            // The runtime may be down now and back later: the connection says so.
            Ok(None) | Err(_) => {}
        }
        if let Ok(Stat { kind, .. }) = self.host.stat(&path, FILE_DEADLINE)
            && kind != Kind::Socket
        {
            let line = format!("{place}: {endpoint} is {kind}, not a socket");
            self.warnings.push(line.into());
        }
        let endpoint = if by_flag {
            Endpoint::new(path, None)
        } else {
            endpoint
        };
        Ok(Valued::new(endpoint, source))
    }
}

/// Why a file is not used.
enum Refused {
    Open(OpenError),
    Distrust(String),
}

impl From<OpenError> for Refused {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

/// The places where an endpoint may be set.
struct Named<'a> {
    key: &'static str,
    flag: (Option<&'a str>, &'static str),
    variable: &'static str,
    file: Option<Valued<String>>,
}

impl Named<'_> {
    /// The place to correct.
    fn place(&self, source: &Source) -> String {
        match source {
            Source::File { .. } => format!("{source}: {}", self.key),
            other => other.detail().unwrap_or_default(),
        }
    }

    /// The text that counts.
    fn pick(&self, env: &Env) -> Result<Option<Valued<String>>, ConfigError> {
        if let (Some(text), name) = self.flag {
            return Ok(Some(Valued::new(text.to_owned(), Source::Flag(name))));
        }
        let Some(value) = env.get(self.variable) else {
            return Ok(self.file.clone());
        };
        let source = Source::Env(self.variable);
        match value.to_str() {
            Some(text) => Ok(Some(Valued::new(text.to_owned(), source))),
            None => Err(ConfigError::new(
                &source,
                format!("{} is not UTF-8 text", self.variable),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Node;
    use super::*;
    use crate::cli;
    use rstest::rstest;
    use std::os::unix::net::UnixListener;

    fn run(node: &Node, line: &str) -> Result<Config, ConfigError> {
        let cli = cli::parse(std::iter::once("critui").chain(line.split(' ')));
        let cli = if line.is_empty() {
            cli::parse(["critui"])
        } else {
            cli
        };
        resolve(&cli.unwrap(), &node.env, &node.host)
    }

    fn with_file(text: &str) -> Node {
        let node = Node::new();
        node.write(CRICTL_YAML, text);
        node
    }

    fn runtime(config: &Config) -> (String, String) {
        let runtime = config.endpoints.runtime.as_ref().unwrap();
        (runtime.value.to_string(), runtime.source.to_string())
    }

    fn error(node: &Node, line: &str) -> (u8, String) {
        let error = run(node, line).unwrap_err();
        (error.code, error.to_string().replace(&node.shown(""), "/"))
    }

    #[test]
    fn an_empty_node_has_the_defaults() {
        let config = run(&Node::new(), "").unwrap();
        assert_eq!(config.endpoints, Endpoints::default());
        assert_eq!(config.crictl.file, None);
        assert_eq!(config.crictl.timeout, Valued::default_of(DEFAULT_TIMEOUT));
        assert_eq!(config.crictl.max_retries, Valued::default_of(3));
        assert_eq!(config.refresh, Valued::default_of(DEFAULT_REFRESH));
        assert!(config.access.grant().is_some());
        assert_eq!(config.warnings, Vec::<Text>::new());
    }

    #[test]
    fn flag_over_env_over_file() {
        let mut node = with_file("timeout: 9\nruntime-endpoint: unix:///file\n");
        let place = format!("{}:2", node.shown(CRICTL_YAML));
        let file = run(&node, "").unwrap();
        assert_eq!(runtime(&file), ("unix:///file".into(), place));
        assert_eq!(file.crictl.timeout.value, Duration::from_secs(9));
        assert_eq!(file.crictl.max_retries, Valued::default_of(0));
        let image = file.endpoints.image.unwrap();
        assert_eq!(image.source, Source::Follows("runtime-endpoint"));

        node.set("CONTAINER_RUNTIME_ENDPOINT", "/env");
        let env = run(&node, "").unwrap();
        let name = "env CONTAINER_RUNTIME_ENDPOINT";
        assert_eq!(runtime(&env), ("unix:///env".into(), name.into()));

        let flag = run(&node, "-r unix:/flag -t 5s").unwrap();
        let name = "flag --runtime-endpoint";
        assert_eq!(runtime(&flag), ("unix:///flag".into(), name.into()));
        let timeout = Valued::new(Duration::from_secs(5), Source::Flag("--timeout"));
        assert_eq!(flag.crictl.timeout, timeout);
    }

    #[rstest]
    #[case("timeout: 0", "")]
    #[case("timeout: -3", "")]
    #[case("timeout: 9", "-t 0")]
    #[case("timeout: 9", "-t -1s")]
    fn timeouts_of_zero_and_less_are_the_default(#[case] file: &str, #[case] flags: &str) {
        let config = run(&with_file(file), flags).unwrap();
        assert_eq!(config.crictl.timeout.value, DEFAULT_TIMEOUT);
        assert_ne!(config.crictl.timeout.source, Source::Default);
    }

    #[test]
    fn a_timeout_of_ages_is_cut() {
        let config = run(&with_file("timeout: 9223372036854775807"), "").unwrap();
        assert_eq!(config.crictl.timeout.value, MAX_TIMEOUT);
    }

    #[test]
    fn an_empty_endpoint_counts_when_it_is_set() {
        let mut node = with_file("runtime-endpoint: unix:///file\nimage-endpoint: /image\n");
        node.set("IMAGE_SERVICE_ENDPOINT", "");
        let config = run(&node, "").unwrap();
        assert_eq!(
            config.endpoints.image.unwrap().value.to_string(),
            "unix:///file"
        );
        node.set("CONTAINER_RUNTIME_ENDPOINT", "");
        let (code, line) = error(&node, "");
        assert_eq!(code, cli::FAILED);
        assert!(
            line.starts_with(
                "--runtime-endpoint is not set: CONTAINER_RUNTIME_ENDPOINT is set but empty"
            ),
            "{line}"
        );
        assert_eq!(error(&node, "--runtime-endpoint=").0, cli::USAGE);
    }

    #[test]
    fn an_empty_endpoint_of_a_file_means_discovery() {
        let config = run(&with_file("runtime-endpoint: ''\nimage-endpoint:\n"), "").unwrap();
        assert_eq!(config.endpoints, Endpoints::default());
    }

    #[rstest]
    #[case(
        "-r tcp://h:1",
        cli::USAGE,
        "--runtime-endpoint: only support unix socket endpoint: write unix:///PATH instead of \"tcp://h:1\""
    )]
    #[case(
        "-r /ok -i x.sock",
        cli::USAGE,
        "--image-endpoint: \"x.sock\" has no scheme and is no absolute path: write unix:///PATH"
    )]
    #[case(
        "",
        cli::FAILED,
        "/etc/crictl.yaml:1: runtime-endpoint: \"unix://run/x\" names no absolute path: write unix:///run/x"
    )]
    fn bad_endpoints_name_their_place(
        #[case] flags: &str,
        #[case] code: u8,
        #[case] expected: &str,
    ) {
        let node = with_file("runtime-endpoint: unix://run/x\n");
        assert_eq!(error(&node, flags), (code, expected.to_owned()));
    }

    #[test]
    fn what_is_no_socket_is_a_warning() {
        let node = Node::new();
        node.write("/run/plain", "");
        let config = run(&node, "-r /run/plain").unwrap();
        let line = "--runtime-endpoint: unix:///run/plain is a regular file, not a socket";
        assert_eq!(config.warnings, [line]);
        let endpoint = config.endpoints.runtime.unwrap().value;
        let error = endpoint.open(&node.host).unwrap_err();
        assert_eq!(error.to_string(), "is a regular file, not a socket");
    }

    #[test]
    fn a_bad_default_file_is_a_warning() {
        for (text, problem) in [
            (
                "timeout: 2s\nruntime-endpoint: /x\n",
                "crictl.yaml:1:1: parsing config option 'timeout': strconv.Atoi: parsing \"2s\": invalid syntax",
            ),
            (
                "runtime_endpoint: /x\n",
                "crictl.yaml:1:1: Config option 'runtime_endpoint' is not valid",
            ),
            ("a: [\n", "crictl.yaml:"),
        ] {
            let config = run(&with_file(text), "").unwrap();
            assert_eq!(config.endpoints, Endpoints::default());
            assert_eq!(config.crictl.max_retries.value, 3);
            assert_eq!(config.warnings.len(), 1);
            let line = config.warnings[0].as_str();
            assert!(line.contains(problem), "{line}");
            assert!(
                line.ends_with("as if /etc/crictl.yaml did not exist"),
                "{line}"
            );
        }
    }

    #[test]
    fn an_unreadable_default_file_is_a_warning() {
        let node = Node::new();
        node.write("/etc/crictl.yaml/inside", "");
        let config = run(&node, "").unwrap();
        let line = config.warnings[0].as_str();
        assert!(
            line.contains("crictl.yaml is a folder, not a regular file"),
            "{line}"
        );
    }

    #[rstest]
    #[case("-c /none.yaml", "--config: /none.yaml does not exist", cli::USAGE)]
    #[case(
        "-c bad.yaml",
        "--config: /work/bad.yaml:1:1: Config option 'foo' is not valid",
        cli::USAGE
    )]
    #[case("", "CRI_CONFIG_FILE: /env.yaml does not exist", cli::FAILED)]
    fn a_bad_named_file_is_fatal(#[case] flags: &str, #[case] what: &str, #[case] code: u8) {
        let mut node = Node::new();
        node.write("/work/bad.yaml", "foo: 1\n");
        node.set("CRI_CONFIG_FILE", "/env.yaml");
        let found = error(&node, flags);
        assert!(found.0 == code && found.1.starts_with(what), "{found:?}");
    }

    #[test]
    fn named_files_replace_the_default_one() {
        let mut node = with_file("timeout: 3\n");
        node.write("/env.yaml", "timeout: 4\n");
        node.write("/work/flag.yaml", "timeout: 5\n");
        node.set("CRI_CONFIG_FILE", "/env.yaml");
        let seconds = |line| run(&node, line).unwrap().crictl.timeout.value.as_secs();
        assert_eq!((seconds(""), seconds("-c flag.yaml")), (4, 5));
        node.set("CRI_CONFIG_FILE", "");
        assert!(
            error(&node, "")
                .1
                .starts_with("CRI_CONFIG_FILE is set but empty")
        );
    }

    #[test]
    fn relative_names_make_no_sense_on_another_root() {
        let line = error(&Node::new(), "-c my.yaml --host-root /host").1;
        assert!(line.starts_with("--config: my.yaml is relative"), "{line}");
    }

    #[test]
    fn the_hosts_root_must_be_there() {
        let node = Node::new();
        let flags = Connection {
            host_root: Some("/none/at/all".into()),
            ..Connection::default()
        };
        let error = host_root(&flags, &node.env).unwrap_err();
        assert_eq!(error.line, "--host-root: /none/at/all does not exist");
        assert_eq!(error.code, cli::USAGE);
    }

    #[rstest]
    #[case("", false)]
    #[case("0", false)]
    #[case("false", false)]
    #[case("False", true)]
    #[case("no", true)]
    #[case("1", true)]
    #[case(" ", true)]
    fn the_variable_for_read_only(#[case] value: &str, #[case] read_only: bool) {
        let mut node = Node::new();
        node.set("CRITUI_READ_ONLY", value);
        let config = run(&node, "").unwrap();
        assert_eq!(config.access.grant().is_none(), read_only);
    }

    #[test]
    fn every_voice_for_read_only_is_kept() {
        let mut node = Node::new();
        node.set("CRITUI_READ_ONLY", "\x1b[2J");
        node.write(settings::SYSTEM, "read-only: true\n");
        let config = run(&node, "--read-only --events").unwrap();
        let Access::ReadOnly(reasons) = &config.access else {
            panic!("it is read-only");
        };
        let path = node.shown(settings::SYSTEM);
        let value = "\\x1b[2J".to_owned();
        let all = [
            Reason::Flag,
            Reason::Environment { value },
            Reason::Settings { path },
        ];
        assert_eq!(reasons, &all);
        assert!(!config.events.value);
        assert_eq!(
            config.warnings,
            ["--events has no effect in read-only mode"]
        );
    }

    #[test]
    fn the_flag_for_refresh_wins_over_the_settings() {
        let node = Node::new();
        node.write(settings::SYSTEM, "refresh: 9s\n");
        let refresh = |line| run(&node, line).unwrap().refresh.value.as_secs();
        assert_eq!((refresh(""), refresh("--refresh 3s")), (9, 3));
    }

    mod as_root {
        use super::*;

        fn root_with(text: &str, mode: u32) -> Node {
            let node = Node::as_root();
            node.write(CRICTL_YAML, text);
            node.chmod(CRICTL_YAML, mode);
            node
        }

        #[test]
        fn a_default_file_that_others_write_is_skipped_with_a_warning() {
            let config = run(&root_with("timeout: 9\n", 0o666), "").unwrap();
            assert_eq!(config.crictl.timeout, Valued::default_of(DEFAULT_TIMEOUT));
            let line = config.warnings[0].as_str();
            assert!(line.contains("so root does not rely on it"), "{line}");
        }

        #[test]
        fn named_by_flag_it_is_used_with_a_warning() {
            let node = root_with("timeout: 9\n", 0o666);
            let config = run(&node, "-c /etc/crictl.yaml").unwrap();
            assert_eq!(config.crictl.timeout.value, Duration::from_secs(9));
            let line = config.warnings[0].as_str();
            assert!(
                line.ends_with("it is used because --config names it"),
                "{line}"
            );
        }

        #[test]
        fn named_by_the_environment_it_is_fatal() {
            let mut node = root_with("timeout: 9\n", 0o666);
            node.set("CRI_CONFIG_FILE", CRICTL_YAML);
            let line = error(&node, "").1;
            assert!(line.contains("so root does not rely on it"), "{line}");
        }

        #[test]
        fn a_socket_that_others_write_needs_a_flag() {
            let mut node = root_with("", 0o644);
            node.write("/run/beside", "");
            let _listener = UnixListener::bind(node.at("/run/x.sock")).unwrap();
            node.chmod("/run/x.sock", 0o666);
            node.set("CONTAINER_RUNTIME_ENDPOINT", "/run/x.sock");
            let line = error(&node, "").1;
            assert!(line.ends_with(USE_ANYWAY), "{line}");
            let config = run(&node, "-r unix:///run/x.sock").unwrap();
            let line = config.warnings.last().unwrap().as_str();
            assert!(
                line.ends_with("it is used because --runtime-endpoint names it"),
                "{line}"
            );
            let endpoint = config.endpoints.runtime.unwrap().value;
            assert!(endpoint.open(&node.host).is_ok());
        }

        #[test]
        fn a_socket_that_turns_bad_later_is_not_connected() {
            let mut node = root_with("", 0o644);
            node.set("CONTAINER_RUNTIME_ENDPOINT", "/run/x.sock");
            let endpoint = run(&node, "").unwrap().endpoints.runtime.unwrap().value;
            let missing = endpoint.open(&node.host).unwrap_err();
            assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
            node.write("/run/beside", "");
            let _listener = UnixListener::bind(node.at("/run/x.sock")).unwrap();
            node.chmod("/run/x.sock", 0o666);
            let refused = endpoint.open(&node.host).unwrap_err();
            assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
        }
    }
}
