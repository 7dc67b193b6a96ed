//! Records as they are read again: those of one change as one, the newest first.

use std::collections::HashMap;

use serde_json::Value;

use crate::text::Text;

/// Records that are shown.
const MOST: usize = 1000;

/// One change of the journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// When it was asked for, in UTC.
    pub when: Text,
    /// By whom.
    pub who: Text,
    /// What was asked for, of what.
    pub what: Text,
    /// `asked` if nothing is known of its outcome, `done`, `failed`.
    pub outcome: Text,
    /// More about it.
    pub detail: Text,
}

impl Kept {
    /// All but the time, in a line.
    pub fn line(&self) -> String {
        let outcome = match self.outcome.as_str() {
            "asked" => "no outcome (yet)",
            outcome => outcome,
        };
        let detail = if self.detail.is_empty() {
            String::new()
        } else {
            format!(", {}", self.detail)
        };
        format!("{}: {}: {outcome}{detail}", self.who, self.what)
    }
}

/// The changes in lines of JSON. What is no record is passed over.
pub(super) fn of(lines: &str) -> Vec<Kept> {
    let mut all: Vec<Kept> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for line in lines.lines() {
        let Ok(Value::Object(record)) = serde_json::from_str(line) else {
            continue;
        };
        let record = Value::Object(record);
        let Some(id) = record["id"].as_str() else {
            continue;
        };
        let kept = kept(&record);
        if let Some(before) = places.get(id).and_then(|at| all.get_mut(*at)) {
            (before.outcome, before.detail) = (kept.outcome, kept.detail);
        } else {
            places.insert(id.to_owned(), all.len());
            all.push(kept);
        }
    }
    all.reverse();
    all.truncate(MOST);
    all
}

fn kept(record: &Value) -> Kept {
    let text = |name: &str| record[name].as_str().unwrap_or_default();
    let user = match (text("login"), text("user")) {
        ("", "") => format!("uid {}", record["uid"]),
        ("", user) => user.to_owned(),
        (login, user) if user.is_empty() || login == user => login.to_owned(),
        (login, user) => format!("{login} as {user}"),
    };
    let from = text("ssh").split(' ').next().unwrap_or_default();
    let who = if from.is_empty() {
        user
    } else {
        format!("{user} from {from}")
    };
    let parameters = record["parameters"].as_object();
    let parameters = parameters.into_iter().flatten().map(|(name, value)| {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        format!(" {}={value}", name.replace('_', "-"))
    });
    let parameters: String = parameters.collect();
    let name = match text("name") {
        "" => text("object"),
        name => name,
    };
    let when = text("time").replace('T', " ");
    let when = when.split('.').next().unwrap_or_default().to_owned();
    Kept {
        when: Text::clean(&when),
        who: Text::clean(&who),
        what: Text::clean(&format!("{} {name}{parameters}", text("what"))),
        outcome: Text::clean(text("outcome")),
        detail: Text::clean(text("detail")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_one_change_are_one_and_rubbish_is_passed_over() {
        let lines = r#"{"time":"2026-11-20T10:00:00.123Z","id":"1","uid":0,"user":"root","login":"alice","ssh":"10.0.0.5 51234 10.0.0.9 22","what":"stop container","name":"shop/web/app","parameters":{"grace_seconds":30},"outcome":"asked"}
{"time":"2026-11-20T10:00:
[1]
{"time":"2026-11-20T10:01:00Z","id":"2","uid":1000,"what":"exec","object":"abc","outcome":"asked"}
{"time":"2026-11-20T10:00:03Z","id":"1","what":"stop container","outcome":"failed","detail":"no \u001b[2J"}"#;
        let kept = of(lines);
        assert_eq!(kept.len(), 2);
        assert_eq!(kept[0].line(), "uid 1000: exec abc: no outcome (yet)");
        assert_eq!(kept[1].when, *"2026-11-20 10:00:00");
        let line = kept[1].line();
        assert!(
            line.starts_with(
                "alice as root from 10.0.0.5: stop container shop/web/app grace-seconds=30: failed, no "
            ),
            "{line}"
        );
        assert!(!line.contains('\x1b'));
    }
}
