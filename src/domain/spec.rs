//! What a container was made from, as far as it explains how it fares.

use super::Limits;
use crate::text::Text;

/// What a container was made from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Spec {
    /// Its command line, secrets masked.
    pub args: Vec<Text>,
    /// Names of its environment, each with a hash of its value: what is compared is never shown.
    pub env: Vec<(Text, u64)>,
    /// Settings of the heap of a language's runtime, with their values: `-Xmx`, `GOMEMLIMIT`, ...
    pub heap: Vec<(Text, Text)>,
    /// What it may use.
    pub limits: Limits,
    /// Its image, as it was asked for.
    pub image: Text,
    /// Where its mounts come from on the node, and where they are in the container.
    pub mounts: Vec<(Text, Text)>,
    /// Host path of its termination message, if the kubelet gave it one.
    pub last_word: Option<Text>,
    /// Its first process; `None` if there is none or the runtime does not say.
    pub pid: Option<u32>,
    /// `cgroupsPath`: a path, or `slice:prefix:name`.
    pub cgroup: Option<Text>,
}

impl Spec {
    /// What differs from the attempt `before`, in words.
    pub fn changes_since(&self, before: &Self) -> Vec<Text> {
        let mut changes = Vec::new();
        let mut note = |line: String| changes.push(Text::clean(&line));
        if self.image != before.image {
            note(format!(
                "image: {} before, now {}",
                before.image, self.image
            ));
        }
        if self.args != before.args {
            note("command line".to_owned());
        }
        if self.limits.memory != before.limits.memory {
            let (was, is) = (before.limits.memory, self.limits.memory);
            note(format!(
                "memory limit: {} before, now {}",
                bytes(was),
                bytes(is)
            ));
        }
        if self.limits.cpu != before.limits.cpu {
            note("CPU limit".to_owned());
        }
        compare(&before.env, &self.env, "environment", &mut note);
        compare(&before.mounts, &self.mounts, "mount", &mut note);
        changes
    }
}

fn bytes(count: Option<u64>) -> String {
    count.map_or_else(|| "none".to_owned(), crate::format::bytes)
}

/// What was added, removed or changed, by name.
fn compare<V: PartialEq>(
    before: &[(Text, V)],
    now: &[(Text, V)],
    what: &str,
    note: &mut impl FnMut(String),
) {
    let find = |list: &[(Text, V)], name: &Text| list.iter().position(|(other, _)| other == name);
    for (name, value) in now {
        match find(before, name) {
            None => note(format!("{what} {name}: added")),
            Some(at) if before[at].1 != *value => note(format!("{what} {name}: changed")),
            Some(_) => {}
        }
    }
    for (name, _) in before {
        if find(now, name).is_none() {
            note(format!("{what} {name}: removed"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_told_without_values() {
        let before = Spec {
            image: "app:1".into(),
            env: vec![("A".into(), 1), ("B".into(), 2), ("C".into(), 3)],
            limits: Limits {
                memory: Some(64 << 20),
                cpu: None,
            },
            ..Spec::default()
        };
        let now = Spec {
            image: "app:2".into(),
            env: vec![("A".into(), 1), ("B".into(), 9), ("D".into(), 3)],
            ..Spec::default()
        };
        let changes = now.changes_since(&before);
        let changes: Vec<&str> = changes.iter().map(Text::as_str).collect();
        assert_eq!(
            changes,
            [
                "image: app:1 before, now app:2",
                "memory limit: 64.0MiB before, now none",
                "environment B: changed",
                "environment D: added",
                "environment C: removed",
            ]
        );
        assert!(now.changes_since(&now).is_empty());
    }
}
