//! What the settings say about the view of logs.

use serde_yaml::Value;

use super::schema::{Draft, Here, no_such, scalar};
use super::value::Valued;
use super::yaml::Fault;
use crate::model::logs::{Look, Stamps};

/// The names inside the key.
const NAMES: [&str; 4] = ["wrap", "timestamps", "json", "fields"];
/// How JSON can be shown.
const JSON: [&str; 2] = ["short", "raw"];

/// How lines look at first, as far as it is said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogSettings {
    /// Long lines are broken.
    pub wrap: Option<Valued<bool>>,
    /// Times before lines.
    pub timestamps: Option<Valued<Stamps>>,
    /// JSON as it was written.
    pub raw: Option<Valued<bool>>,
    /// Fields of JSON that are shown.
    pub fields: Option<Valued<Vec<String>>>,
}

impl LogSettings {
    /// What `later` says replaces what is here.
    pub(super) fn add(&mut self, later: Self) {
        self.wrap = later.wrap.or(self.wrap.take());
        self.timestamps = later.timestamps.or(self.timestamps.take());
        self.raw = later.raw.or(self.raw.take());
        self.fields = later.fields.or(self.fields.take());
    }

    /// How a view of logs begins.
    pub fn look(&self) -> Look {
        Look {
            wrap: self.wrap.as_ref().is_some_and(|wrap| wrap.value),
            stamps: self
                .timestamps
                .as_ref()
                .map(|stamps| stamps.value)
                .unwrap_or_default(),
            raw: self.raw.as_ref().is_some_and(|raw| raw.value),
            fields: self
                .fields
                .iter()
                .flat_map(|fields| fields.value.iter().cloned())
                .collect(),
            ..Look::default()
        }
    }
}

/// Reads the key.
pub(super) fn read(draft: &mut Draft, value: &Value, here: &Here<'_>) -> Vec<Fault> {
    here.each(value, |name, value| {
        let logs = &mut draft.settings.logs;
        let text = scalar(value);
        match name {
            "wrap" => {
                let wrap = value.as_bool();
                let wrap =
                    wrap.ok_or_else(|| format!("wrap: expected true or false, found {text}"))?;
                logs.wrap = Some(here.valued(wrap, Some(name)));
            }
            "timestamps" => {
                // YAML takes a bare off for false.
                let text = if value.as_bool() == Some(false) {
                    "off"
                } else {
                    &*text
                };
                let stamps = Stamps::ALL.into_iter().find(|stamps| stamps.name() == text);
                let names = Stamps::ALL.map(Stamps::name);
                let stamps = stamps
                    .ok_or_else(|| format!("timestamps: {}", no_such("form", text, names)))?;
                logs.timestamps = Some(here.valued(stamps, Some(name)));
            }
            "json" => {
                let form = JSON.into_iter().find(|form| *form == text);
                let form = form.ok_or_else(|| format!("json: {}", no_such("form", &text, JSON)))?;
                logs.raw = Some(here.valued(form == "raw", Some(name)));
            }
            "fields" => {
                let names = value.as_sequence().map(|names| {
                    let names = names.iter().map(|name| name.as_str().map(str::to_owned));
                    names.collect::<Option<Vec<_>>>()
                });
                let names = names.flatten().ok_or_else(|| {
                    format!(
                        "fields: expected a list of names, as in [msg, http.status], found {text}"
                    )
                })?;
                logs.fields = Some(here.valued(names, Some(name)));
            }
            _ => return Err(no_such("option", name, NAMES)),
        }
        Ok(())
    })
}

/// Each option, its value as it is written, and where it comes from.
pub fn options(logs: &LogSettings) -> [(&'static str, Valued<String>); 4] {
    let look = logs.look();
    let json = JSON[usize::from(look.raw)];
    let or_default = |source: Option<super::value::Source>, value: String| {
        Valued::new(value, source.unwrap_or(super::value::Source::Default))
    };
    [
        (
            "wrap",
            or_default(
                logs.wrap.as_ref().map(|v| v.source.clone()),
                look.wrap.to_string(),
            ),
        ),
        (
            "timestamps",
            or_default(
                logs.timestamps.as_ref().map(|v| v.source.clone()),
                look.stamps.name().to_owned(),
            ),
        ),
        (
            "json",
            or_default(logs.raw.as_ref().map(|v| v.source.clone()), json.to_owned()),
        ),
        (
            "fields",
            or_default(
                logs.fields.as_ref().map(|v| v.source.clone()),
                format!("[{}]", look.fields.join(", ")),
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::settings::{self, SYSTEM};
    use super::super::testing::Node;
    use super::*;
    use rstest::rstest;

    fn load(text: &str) -> settings::Loaded {
        let node = Node::new();
        node.write(SYSTEM, text);
        settings::load(None, &node.env, &node.host)
    }

    #[test]
    fn each_option_is_taken() {
        let loaded = load("logs: {wrap: true, timestamps: utc, json: raw}");
        assert_eq!(loaded.problems, Vec::<crate::text::Text>::new());
        let look = loaded.settings.logs.look();
        assert_eq!(
            (look.wrap, look.stamps, look.raw),
            (true, Stamps::Utc, true)
        );
        let fields = load("logs: {fields: [msg, http.status]}");
        assert_eq!(*fields.settings.logs.look().fields, ["msg", "http.status"]);
        let off = load("logs: {timestamps: off}");
        assert_eq!(off.problems, Vec::<crate::text::Text>::new());
        assert_eq!(off.settings.logs.look(), Look::default());
    }

    #[rstest]
    #[case("logs: {wrap: 3}", "logs: wrap: expected true or false, found 3")]
    #[case(
        "logs: {timestamps: locla}",
        "logs: timestamps: locla is no form: did you mean local?"
    )]
    #[case("logs: {json: x}", "logs: json: x is no form: there are short, raw")]
    #[case("logs: {wrp: true}", "logs: wrp is no option: did you mean wrap?")]
    fn mistakes_are_named(#[case] text: &str, #[case] expected: &str) {
        let loaded = load(text);
        assert_eq!(loaded.problems.len(), 1);
        assert!(
            loaded.problems[0].as_str().ends_with(expected),
            "{:?}",
            loaded.problems
        );
        assert_eq!(loaded.reasons, []);
    }
}
