//! Which thing on the node a name means.

use std::cmp::Reverse;

use crate::domain::{ContainerId, ImageId, PodId};
use crate::format::some_of;
use crate::model::Store;
use crate::model::rows::{ContainerRow, ImageRow, PodRow};
use crate::text::Text;

/// Names told when there are several, or none.
const TOLD: usize = 8;
/// An id must be named by so many characters at least.
const SHORTEST_ID: usize = 4;

/// How well something fits: the lower, the better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Name,
    Id,
    Begins,
}

/// The pod, newest sandbox first.
pub fn pod(store: &Store, target: &str) -> Result<PodId, Text> {
    let parts: Vec<&str> = target.split('/').collect();
    let name = |row: &PodRow| format!("{}/{}", row.pod.namespace, row.pod.name);
    let fit = |row: &PodRow| {
        let pod = &row.pod;
        let (namespace, asked) = match *parts {
            [name] => (None, name),
            [namespace, name] => (Some(namespace), name),
            _ => return None,
        };
        if namespace.is_some_and(|namespace| pod.namespace != *namespace) {
            return None;
        }
        fits(asked, pod.name.as_str(), pod.id.as_str())
    };
    let mut rows: Vec<_> = store.pod_rows().collect();
    rows.sort_by_key(|row| Reverse((row.pod.created_at, row.pod.attempt)));
    let found = best(rows.iter().filter_map(|row| Some((fit(row)?, *row))));
    let all = rows.iter().map(|row| name(row)).collect();
    one(
        target,
        "pod",
        found.iter().map(|row| name(row)).collect(),
        all,
    )?;
    found
        .first()
        .map(|row| row.pod.id.clone())
        .ok_or_else(Text::default)
}

/// The container, newest attempt first.
pub fn container(store: &Store, target: &str) -> Result<ContainerId, Text> {
    let parts: Vec<&str> = target.split('/').collect();
    let name = |row: &ContainerRow| {
        format!(
            "{}/{}/{}",
            row.namespace(),
            row.pod_name(),
            row.container.name
        )
    };
    let fit = |row: &ContainerRow| {
        let (own, id) = (row.container.name.as_str(), row.container.id.as_str());
        match *parts {
            [asked] => fits(asked, own, id),
            [pod, asked] if own == asked => {
                fits(pod, row.pod_name(), row.container.pod_id.as_str())
            }
            [namespace, pod, asked] if own == asked && namespace == row.namespace() => {
                fits(pod, row.pod_name(), row.container.pod_id.as_str())
            }
            _ => None,
        }
    };
    let mut rows: Vec<_> = store.container_rows().collect();
    rows.sort_by_key(|row| Reverse((row.container.created_at, row.container.attempt)));
    let found = best(rows.iter().filter_map(|row| Some((fit(row)?, *row))));
    let all = rows.iter().map(|row| name(row)).collect();
    let names = found.iter().map(|row| name(row)).collect();
    one(target, "container", names, all)?;
    found
        .first()
        .map(|row| row.container.id.clone())
        .ok_or_else(Text::default)
}

/// The image.
pub fn image(store: &Store, target: &str) -> Result<ImageId, Text> {
    let fit = |row: &ImageRow| {
        let image = &row.image;
        let names = image.tags.iter().chain(&image.digests).map(Text::as_str);
        let bare = target.strip_prefix("sha256:").unwrap_or(target);
        names
            .filter_map(|name| image_fits(target, name))
            .chain(fits(bare, "", image.id.key()))
            .min()
    };
    let mut rows: Vec<_> = store.image_rows().collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let found = best(rows.iter().filter_map(|row| Some((fit(row)?, *row))));
    let all = rows.iter().map(|row| row.name.to_string()).collect();
    // Two images can have one name each that begins so.
    let names = found
        .iter()
        .map(|row| format!("{} ({})", row.name, row.image.id.short()));
    one(target, "image", names.collect(), all)?;
    found
        .first()
        .map(|row| row.image.id.clone())
        .ok_or_else(Text::default)
}

fn fits(asked: &str, name: &str, id: &str) -> Option<Fit> {
    if asked.is_empty() {
        None
    } else if asked == name {
        Some(Fit::Name)
    } else if asked.len() >= SHORTEST_ID && id.starts_with(asked) {
        Some(Fit::Id)
    } else {
        name.starts_with(asked).then_some(Fit::Begins)
    }
}

/// A name with or without its registry and its tag.
fn image_fits(asked: &str, name: &str) -> Option<Fit> {
    let short = ["docker.io/library/", "docker.io/"]
        .into_iter()
        .find_map(|start| name.strip_prefix(start))
        .unwrap_or(name);
    let last = short.rsplit('/').next().unwrap_or(short);
    let latest = |name: &str| name.strip_suffix(":latest") == Some(asked);
    if [name, short]
        .iter()
        .any(|name| *name == asked || latest(name))
    {
        return Some(Fit::Name);
    }
    let begins = [name, short, last]
        .iter()
        .any(|name| name.starts_with(asked));
    (begins && !asked.is_empty()).then_some(Fit::Begins)
}

/// Those that fit best.
fn best<T>(found: impl Iterator<Item = (Fit, T)>) -> Vec<T> {
    let found: Vec<(Fit, T)> = found.collect();
    let best = found.iter().map(|(fit, _)| *fit).min();
    let mut kept = found.into_iter().filter(|(fit, _)| Some(*fit) == best);
    kept.by_ref().map(|(_, row)| row).collect()
}

/// An error that lists candidates, unless all found have one name.
fn one(target: &str, kind: &str, mut found: Vec<String>, mut all: Vec<String>) -> Result<(), Text> {
    found.sort();
    found.dedup();
    let line = match found.len() {
        1 => return Ok(()),
        0 if all.is_empty() => format!("{target}: this node has no {kind}"),
        0 => {
            let likeness = |name: &String| {
                let parts = name
                    .split('/')
                    .map(|part| strsim::jaro_winkler(part, target));
                parts.fold(strsim::jaro_winkler(name, target), f64::max)
            };
            all.sort();
            all.dedup();
            all.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
            format!(
                "{target} names no {kind} of this node; there are {}",
                some_of(&all, TOLD)
            )
        }
        _ => format!("{target} is ambiguous: {}", some_of(&found, TOLD)),
    };
    Err(Text::clean(&line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("web-1", Some(Fit::Name))]
    #[case("we", Some(Fit::Begins))]
    #[case("abcd", Some(Fit::Id))]
    #[case("abc", None)]
    #[case("", None)]
    fn names_and_ids(#[case] asked: &str, #[case] expected: Option<Fit>) {
        assert!(fits(asked, "web-1", "abcdef0123") == expected);
    }

    #[rstest]
    #[case("nginx:1.27", Some(Fit::Name))]
    #[case("docker.io/library/nginx:1.27", Some(Fit::Name))]
    #[case("nginx", Some(Fit::Begins))]
    #[case("ginx", None)]
    fn names_of_images(#[case] asked: &str, #[case] expected: Option<Fit>) {
        assert!(image_fits(asked, "docker.io/library/nginx:1.27") == expected);
        assert!(image_fits("busybox", "docker.io/library/busybox:latest") == Some(Fit::Name));
    }

    #[rstest]
    #[case(&[], &[], "x: this node has no pod")]
    #[case(&[], &["a/b"], "x names no pod of this node; there are a/b")]
    #[case(&["b", "a"], &[], "x is ambiguous: a, b")]
    fn errors(#[case] found: &[&str], #[case] all: &[&str], #[case] expected: &str) {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            one("x", "pod", owned(found), owned(all)).unwrap_err(),
            expected
        );
        assert_eq!(one("x", "pod", owned(&["a", "a"]), vec![]), Ok(()));
    }
}
