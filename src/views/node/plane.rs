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
    of: &Part,
    row: Option<&Arc<PodRow>>,
    files: Option<&NodeFiles>,
    plane: Option<&Plane>,
) -> Line {
    let Part(name, port, path) = *of;
    let Some(row) = row else {
        return Line {
            name,
            text: "is not on this node".to_owned(),
            role: Role::Dim,
        };
    };
    let verdict = row.verdict(cx.now(), ROW_STEP);
    let mut said = vec![verdict, format!("{} restarts", row.restarts)];
    let mut role = row.standing().role();
    if let Some(files) = files.filter(|files| !files.ports.is_empty()) {
        if files.ports.contains(&port) {
            said.push(format!("listens on {port}"));
        } else {
            said.push(format!("does not listen on {port}"));
            role = Role::Bad;
        }
    }
    if let Some(at) = row.pod.created_at {
        let seconds = seconds_between(at, cx.now());
        cx.shows_age(seconds);
        said.push(format!("sandbox {} old", age(seconds)));
    }
    if let Some((ends, soon)) = path.and_then(|path| certificate(cx, plane?, path)) {
        said.push(ends);
        role = soon.unwrap_or(role);
    }
    Line {
        name,
        text: said.join(", "),
        role,
    }
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
    if let Some((ends, soon)) = certificate(cx, plane, "/kubelet-client-") {
        text = format!("{text}, {ends}");
        role = soon.unwrap_or(role);
    }
    Line {
        name: "kubelet",
        text,
        role,
    }
}

/// When the certificate at `path` ends, in words; a role if that is soon.
fn certificate(cx: &Cx, plane: &Plane, path: &str) -> Option<(String, Option<Role>)> {
    let mut all = plane.certificates.iter();
    let one = all.find(|one| one.path.as_str().contains(path))?;
    if one.ends_at <= cx.now() {
        let ago = age(seconds_between(one.ends_at, cx.now()));
        return Some((format!("its certificate ended {ago} ago"), Some(Role::Bad)));
    }
    let left = seconds_between(cx.now(), one.ends_at);
    let ends = format!("its certificate ends in {}", age(left));
    Some((ends, (left < SOON).then_some(Role::Warn)))
}
