//! Hostile strings, in every field of a reply that the runtime can fill with what a workload says.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Fields that keep their value, so that lists and statuses still belong together.
const KEPT: [&str; 5] = ["id", "pod_sandbox_id", "image_id", "container_id", "uid"];

/// What a workload may call itself.
pub(super) fn strings() -> Vec<String> {
    vec![
        "\x1b[2J\x1b[31mred\x1b[0m".into(),
        "\x1b]0;owned\x07\x1b]52;c;cm0gLXJmIC8=\x07".into(),
        "\u{9b}31mc1\u{9d}0;title\u{9c}".into(),
        "safe\u{202e}gpj.exe\u{2066}\u{2069}".into(),
        "line one\nline two\r\x0b\x0cline three\ttab".into(),
        format!("z{}algo", "\u{301}\u{316}\u{489}".repeat(200)),
        "zero\u{200b}\u{200d}\u{feff}width\u{ad}".into(),
        "\u{0}nul\u{7f}del\u{8}\u{8}\u{8}".into(),
        "日本語🦀👩‍👩‍👧‍👦\u{fffd}\u{e000}\u{10ffff}".into(),
        "\u{e0041}\u{e0042}tags\u{2028}\u{2029}".into(),
        "{\"json\": [\"not".into(),
        "%s%n${x}$(reboot)`id`;'\"\\".into(),
        "x".repeat(100 * 1024),
    ]
}

/// `message` with every string replaced, but for ids.
pub(super) fn poison<M: Serialize + DeserializeOwned>(message: M) -> M {
    let strings = strings();
    let Ok(mut value) = serde_json::to_value(&message) else {
        return message;
    };
    let mut next = 0;
    walk(&mut value, &strings, &mut next);
    serde_json::from_value(value).unwrap_or(message)
}

fn walk(value: &mut Value, strings: &[String], next: &mut usize) {
    match value {
        Value::String(text) => {
            // One long one a message is enough: a list of them would pass every limit.
            let choices = if *next < strings.len() {
                strings.len()
            } else {
                strings.len() - 1
            };
            text.clone_from(&strings[*next % choices]);
            *next += 1;
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, strings, next)),
        Value::Object(fields) => {
            let is_map = fields.keys().any(|key| key.contains('.'));
            for (key, field) in fields.iter_mut() {
                let kept = KEPT.contains(&key.as_str()) || key.starts_with("io.kubernetes.");
                if !kept {
                    walk(field, strings, next);
                }
            }
            if is_map {
                let key = strings[*next % (strings.len() - 1)].clone();
                fields.insert(key, Value::String(strings[0].clone()));
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_cri::v1;

    #[test]
    fn strings_are_replaced_and_ids_stay() {
        let container = v1::Container {
            id: "abc".into(),
            metadata: Some(v1::ContainerMetadata {
                name: "web".into(),
                attempt: 3,
            }),
            labels: [("a.b".to_owned(), "c".to_owned())].into(),
            ..v1::Container::default()
        };
        let poisoned = poison(container);
        assert_eq!(poisoned.id, "abc");
        let metadata = poisoned.metadata.expect("it stays");
        assert_eq!(metadata.attempt, 3);
        assert_ne!(metadata.name, "web");
        assert_eq!(poisoned.labels.len(), 2);
        assert_ne!(poisoned.labels["a.b"], "c");
    }
}
