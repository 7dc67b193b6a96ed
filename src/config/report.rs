//! `critui config`: every value in effect and where it comes from.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::endpoint::Endpoint;
use super::journal::JournalSettings;
use super::look::Look;
use super::value::{Source, Valued};
use super::{Config, shown_path};
use crate::access::{Access, Reason};
use crate::cli::Form;
use crate::keys::Key;
use crate::model::{Panel, sorting};
use crate::text::Text;

/// The whole report, in the shape of its JSON and YAML.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Report {
    /// One entry for each setting, in a fixed order.
    pub settings: Vec<Row>,
    /// Who asked for read-only mode; empty when nobody did.
    pub read_only_reasons: Vec<Text>,
    /// What the user should know.
    pub warnings: Vec<Text>,
}

/// One setting.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// Its name in files and flags.
    pub name: String,
    /// Its value; null when there is none.
    pub value: Value,
    /// `flag`, `env`, `file`, `discovered`, `follows`, `default`, `none`; read-only also
    /// `several`.
    pub source: &'static str,
    /// Which flag, variable, `file:line`, or why; null when there is nothing to add.
    pub detail: Option<Text>,
}

impl Report {
    /// Collects the report. `discovery` says why no runtime was found, if none was.
    pub fn of(config: &Config, discovery: Option<&str>) -> Self {
        let crictl = &config.crictl;
        let endpoint = |name, endpoint: Option<&Valued<Endpoint>>| match endpoint {
            Some(endpoint) => row(name, json!(endpoint.value.to_string()), &endpoint.source),
            None => none(name, discovery),
        };
        let config_file = match &crictl.file {
            Some(file) => row("config", json!(shown_path(&file.value)), &file.source),
            None => none("config", None),
        };
        let host_root = json!(shown_path(&config.host_root.value));
        let settings = vec![
            endpoint("runtime-endpoint", config.endpoints.runtime.as_ref()),
            endpoint("image-endpoint", config.endpoints.image.as_ref()),
            duration("timeout", &crictl.timeout),
            plain("debug", &crictl.debug),
            plain("max-retries", &crictl.max_retries),
            plain("pull-image-on-create", &crictl.pull_image_on_create),
            plain("disable-pull-on-run", &crictl.disable_pull_on_run),
            config_file,
            row("host-root", host_root, &config.host_root.source),
            duration("refresh", &config.refresh),
        ];
        let look = &config.look;
        let keys = keys(look).filter(|row| row.source != Source::Default.kind());
        let rest = [plain("events", &config.events), read_only(&config.access)];
        let rest = journal(&config.journal).chain(rest);
        Self::with(
            config,
            settings
                .into_iter()
                .chain(tastes(look))
                .chain(keys)
                .chain(rest),
        )
    }

    /// Collects what settings files can say.
    pub fn of_settings(config: &Config) -> Self {
        let first = [
            read_only(&config.access),
            duration("refresh", &config.refresh),
        ];
        let look = &config.look;
        Self::with(
            config,
            first
                .into_iter()
                .chain(journal(&config.journal))
                .chain(tastes(look))
                .chain(keys(look)),
        )
    }

    fn with(config: &Config, settings: impl Iterator<Item = Row>) -> Self {
        Self {
            settings: settings.collect(),
            read_only_reasons: reasons(&config.access),
            warnings: config.warnings.clone(),
        }
    }

    /// Writes it in the form that was asked for.
    pub fn write(&self, form: Form, out: &mut dyn Write) -> io::Result<()> {
        match form {
            Form::Table => self.table(out),
            Form::Json => {
                serde_json::to_writer_pretty(&mut *out, self)?;
                writeln!(out)
            }
            Form::Yaml => serde_yaml::to_writer(out, self).map_err(io::Error::other),
        }
    }

    fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        let lines: Vec<[String; 3]> = self
            .settings
            .iter()
            .map(|row| [row.name.clone(), value_text(&row.value), source_text(row)])
            .collect();
        let head = ["SETTING", "VALUE", "SOURCE"].map(str::to_owned);
        let width = |column: usize| {
            let cells = lines.iter().map(|line| &line[column]);
            cells
                .chain([&head[column]])
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let (name, value) = (width(0), width(1));
        for line in std::iter::once(&head).chain(&lines) {
            writeln!(out, "{:name$}  {:value$}  {}", line[0], line[1], line[2])?;
        }
        section(out, "Read-only because", &self.read_only_reasons)?;
        section(out, "Warnings", &self.warnings)
    }
}

fn section(out: &mut dyn Write, head: &str, lines: &[Text]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{head}:")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Array(parts) if parts.is_empty() => "-".into(),
        Value::Array(parts) => parts.iter().map(value_text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn source_text(row: &Row) -> String {
    match (&row.detail, row.source) {
        (Some(place), "file") => place.to_string(),
        (Some(detail), kind) => format!("{kind}: {detail}"),
        (None, kind) => kind.to_owned(),
    }
}

/// Theme and orders.
fn tastes(look: &Look) -> impl Iterator<Item = Row> + use<'_> {
    let theme = row("theme", json!(look.theme.value.name), &look.theme.source);
    let sort = Panel::ALL.into_iter().zip(&look.sort).map(|(panel, sort)| {
        let name = format!("sort.{}", sorting::panel_name(panel));
        row(name, json!(sorting::print(panel, sort.value)), &sort.source)
    });
    let logs = super::logs::options(&look.logs)
        .map(|(name, value)| row(format!("logs.{name}"), json!(value.value), &value.source));
    std::iter::once(theme).chain(sort).chain(logs)
}

/// What is said about the journal.
fn journal(journal: &JournalSettings) -> impl Iterator<Item = Row> + use<> {
    let path = journal.path.as_ref().map(|path| {
        let shown = path.value.to_string_lossy();
        row("journal.path", json!(shown), &path.source)
    });
    let syslog = journal.syslog.as_ref();
    let syslog = syslog.map(|on| row("journal.syslog", json!(on.value), &on.source));
    path.into_iter().chain(syslog)
}

/// The keys of every command.
fn keys(look: &Look) -> impl Iterator<Item = Row> + use<'_> {
    look.keys().map(|(command, keys, source)| {
        let keys: Vec<String> = keys.iter().map(Key::to_string).collect();
        row(format!("keys.{}", command.name), json!(keys), source)
    })
}

fn row(name: impl Into<String>, value: Value, source: &Source) -> Row {
    Row {
        name: name.into(),
        value,
        source: source.kind(),
        detail: source.detail().map(Text::from),
    }
}

fn none(name: &'static str, why: Option<&str>) -> Row {
    Row {
        name: name.into(),
        value: Value::Null,
        source: "none",
        detail: why.map(Text::from),
    }
}

fn plain<T: Serialize + Copy>(name: &'static str, value: &Valued<T>) -> Row {
    row(name, json!(value.value), &value.source)
}

fn duration(name: &'static str, value: &Valued<Duration>) -> Row {
    row(name, json!(go_duration(value.value)), &value.source)
}

fn read_only(access: &Access) -> Row {
    let (source, detail) = match access {
        Access::Full(_) => ("default", None),
        Access::ReadOnly(reasons) => match &reasons[..] {
            [Reason::Flag] => ("flag", Some("--read-only".into())),
            [Reason::Environment { .. }] => ("env", Some("CRITUI_READ_ONLY".into())),
            [Reason::Settings { path } | Reason::BrokenSettings { path, .. }] => {
                ("file", Some(Text::clean(path)))
            }
            _ => ("several", None),
        },
    };
    Row {
        name: "read-only".into(),
        value: json!(access.grant().is_none()),
        source,
        detail,
    }
}

fn reasons(access: &Access) -> Vec<Text> {
    match access {
        Access::Full(_) => Vec::new(),
        Access::ReadOnly(reasons) => reasons.iter().map(|r| r.to_string().into()).collect(),
    }
}

/// A duration in the form that flags and files take: `2s`, `1500ms`, `7ns`.
fn go_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
    let unit = units.iter().find(|(scale, _)| nanos.is_multiple_of(*scale));
    let (scale, name) = unit.unwrap_or(&(1, "ns"));
    format!("{}{name}", nanos / scale)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Node;
    use super::super::{resolve, settings};
    use super::*;
    use crate::cli;
    use rstest::rstest;

    fn rendered(node: &Node, args: &[&str], form: Form) -> String {
        let cli = cli::parse(["critui"].iter().chain(args)).unwrap();
        let config = resolve(&cli, &node.env, &node.host).unwrap();
        let mut out = Vec::new();
        let why = Some("no container runtime answers");
        Report::of(&config, why).write(form, &mut out).unwrap();
        String::from_utf8(out)
            .unwrap()
            .replace(&node.shown(""), "/")
    }

    fn node() -> Node {
        let node = Node::new();
        node.write(
            "/etc/crictl.yaml",
            "runtime-endpoint: unix:///r\ndebug: true\n",
        );
        node.write(settings::SYSTEM, "raed-only: true\n");
        node
    }

    #[test]
    fn the_table_names_every_value_and_source() {
        let expected = "\
SETTING               VALUE             SOURCE
runtime-endpoint      unix:///r         /etc/crictl.yaml:1
image-endpoint        unix:///r         follows: runtime-endpoint
timeout               1500ms            flag: --timeout
debug                 true              /etc/crictl.yaml:2
max-retries           0                 default
pull-image-on-create  false             default
disable-pull-on-run   false             default
config                /etc/crictl.yaml  default
host-root             /                 default
refresh               2s                default
theme                 dark              default
sort.pods             trouble           default
sort.containers       trouble           default
sort.images           trouble           default
logs.wrap             false             default
logs.timestamps       off               default
logs.json             short             default
logs.fields           []                default
events                false             default
read-only             true              several

Read-only because:
  --read-only was given
  /etc/critui/settings.yaml could not be used (line 1 column 1: raed-only is no setting: did you mean read-only?), so it counts as read-only

Warnings:
  /etc/critui/settings.yaml:1:1: raed-only is no setting: did you mean read-only?
";
        let args = ["-t", "1.5s", "--read-only"];
        assert_eq!(rendered(&node(), &args, Form::Table), expected);
    }

    #[test]
    fn json_and_yaml_say_the_same() {
        let json: Value = serde_json::from_str(&rendered(&node(), &[], Form::Json)).unwrap();
        let yaml: Value = serde_yaml::from_str(&rendered(&node(), &[], Form::Yaml)).unwrap();
        assert_eq!(json, yaml);
        let runtime = json!({"name": "runtime-endpoint", "value": "unix:///r", "source": "file",
            "detail": "/etc/crictl.yaml:1"});
        assert_eq!(json["settings"][0], runtime);
        assert_eq!(json["settings"].as_array().unwrap().len(), 20);
        assert_eq!(json["read_only_reasons"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn what_was_not_found_is_null_with_the_reason() {
        let table = rendered(&Node::new(), &[], Form::Table);
        let line = "runtime-endpoint      -        none: no container runtime answers\n";
        assert!(table.contains(line), "{table}");
        assert!(!table.contains("Warnings"), "{table}");
    }

    #[rstest]
    #[case(0, "0s")]
    #[case(2_000_000_000, "2s")]
    #[case(90_000_000_000, "90s")]
    #[case(1_500_000_000, "1500ms")]
    #[case(1_500, "1500ns")]
    #[case(2_000, "2us")]
    fn durations_can_be_given_back(#[case] nanos: u64, #[case] text: &str) {
        let duration = Duration::from_nanos(nanos);
        assert_eq!(go_duration(duration), text);
        assert_eq!(
            super::super::go::parse_duration(text),
            Ok(nanos.cast_signed())
        );
    }
}
