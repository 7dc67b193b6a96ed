//! The control plane of a node that has one.

use std::sync::Arc;

use super::super::Cx;
use crate::domain::label;
use crate::format::{age, seconds_between};
use crate::model::columns::{ROW_STEP, Stands};
use crate::model::node::Plane;
use crate::model::rows::PodRow;
use crate::stats::node::NodeFiles;
use crate::theme::Role;
use crate::widgets::page::Doc;

/// A certificate that ends sooner than this is worth a colour, in seconds.
const SOON: u64 = 30 * 24 * 3600;

/// One part: its name, its port, and what its certificate's path has in it.
struct Part(&'static str, u16, Option<&'static str>);

/// In the order in which the parts need each other.
const PARTS: [Part; 4] = [
    Part("etcd", 2379, Some("/etcd/server.crt")),
    Part("kube-apiserver", 6443, Some("/apiserver.crt")),
    Part("kube-controller-manager", 10_257, None),
    Part("kube-scheduler", 10_259, None),
];

/// What is said of one part.
struct Line {
    name: &'static str,
    text: String,
    role: Role,
}

/// What of the control plane runs here as static pods, and the kubelet; the first that is broken
/// comes first, since it explains the rest.
pub fn control_plane(cx: &Cx, files: Option<&NodeFiles>, plane: Option<&Plane>, doc: &mut Doc) {
    let rows = PARTS.each_ref().map(|part| pod(cx, part.0));
    if rows.iter().all(Option::is_none) {
        return;
    }
    let mut lines: Vec<Line> = PARTS
        .iter()
        .zip(rows)
        .map(|(part, row)| line(cx, part, row, files, plane))
        .collect();
    lines.extend(
        plane
            .filter(|plane| plane.kubelet.expected)
            .map(|plane| kubelet(cx, plane)),
    );
    doc.title("Control plane, in the order in which its parts need each other");
    if let Some(broken) = lines.iter().find(|line| line.role == Role::Bad) {
        let text = format!("{}: {}", broken.name, broken.text);
        doc.fact_as("first broken", text, Role::Bad);
    }
    for line in lines {
        doc.fact_as(line.name, line.text, line.role);
    }
}

/// The static pod of a part.
fn pod<'a>(cx: &'a Cx, name: &str) -> Option<&'a Arc<PodRow>> {
    cx.model.store.pod_rows().find(|row| {
        let pod = &row.pod;
        let file = label(&pod.annotations, "kubernetes.io/config.source");
        let fixed = file.is_some_and(|source| *source == *"file");
        fixed && !row.superseded && pod.name.as_str().starts_with(name)
    })
}

fn line(
    cx: &Cx,
    part: &Part,
    row: Option<&Arc<PodRow>>,
    files: Option<&NodeFiles>,
    plane: Option<&Plane>,
) -> Line {
    let Part(name, port, certificate) = *part;
    let Some(row) = row else {
        return Line {
            name,
            text: "is not on this node".to_owned(),
            role: Role::Dim,
        };
    };
    let mut text = format!(
        "{}, {} restarts",
        row.verdict(cx.now(), ROW_STEP),
        row.restarts
    );
    let mut role = row.standing().role();
    if let Some(files) = files.filter(|files| !files.ports.is_empty()) {
        let listens = files.ports.contains(&port);
        text += if listens {
            ", listens"
        } else {
            ", does not listen"
        };
        text += &format!(" on {port}");
        if !listens {
            role = Role::Bad;
        }
    }
    if let Some(at) = row.pod.created_at {
        let seconds = seconds_between(at, cx.now());
        cx.shows_age(seconds);
        text += &format!(", sandbox {} old", age(seconds));
    }
    if let Some(path) = certificate {
        role = ends(cx, plane, path, &mut text).unwrap_or(role);
    }
    Line { name, text, role }
}

fn kubelet(cx: &Cx, plane: &Plane) -> Line {
    let kubelet = &plane.kubelet;
    let (mut text, mut role) = match (kubelet.process, &kubelet.health) {
        (_, Some(Ok(()))) => ("its health port says ok".to_owned(), Role::Good),
        (Some(false), _) => ("does not run".to_owned(), Role::Bad),
        (_, Some(Err(why))) => (format!("its health port does not say ok: {why}"), Role::Bad),
        (Some(true), None) => ("runs".to_owned(), Role::Good),
        (None, None) => (
            "not known: its process cannot be seen".to_owned(),
            Role::Dim,
        ),
    };
    role = ends(cx, Some(plane), "/kubelet-client-", &mut text).unwrap_or(role);
    Line {
        name: "kubelet",
        text,
        role,
    }
}

/// Says when a certificate ends; a role if that is soon.
fn ends(cx: &Cx, plane: Option<&Plane>, path: &str, text: &mut String) -> Option<Role> {
    let mut all = plane?.certificates.iter();
    let one = all.find(|one| one.path.as_str().contains(path))?;
    if one.ends_at <= cx.now() {
        *text += &format!(
            ", its certificate ended {} ago",
            age(seconds_between(one.ends_at, cx.now()))
        );
        return Some(Role::Bad);
    }
    let left = seconds_between(cx.now(), one.ends_at);
    *text += &format!(", its certificate ends in {}", age(left));
    (left < SOON).then_some(Role::Warn)
}
