//! The facts about one pod, container or image, from lists and statuses.

mod container;
mod image;
mod labels;
mod pod;
pub mod runtime;
mod words;

use jiff::Timestamp;

use super::Cx;
use crate::domain::{ContainerDetail, Labels, PodId};
use crate::format::{age, bytes, seconds_between, span};
use crate::link::Link;
use crate::model::columns::{ROW_STEP, Stands};
use crate::model::rows::{ContainerRow, ImageRow, PodRow};
use crate::model::{Subject, exit};
use crate::stats::Load;
use crate::text::Text;
use crate::theme::Role;
use crate::widgets::page::Doc;

/// Labels shown at most; the rest is counted.
const LABELS: usize = 12;

/// Everything about `subject`: first what the lists tell, below it what the runtime says when it
/// is asked for more, so that nothing moves when that comes in.
pub fn whole(cx: &Cx, subject: &Subject) -> (String, Doc) {
    let (title, mut doc) = facts(cx, subject, true);
    let inspected = cx.model.inspections.of_subject(subject);
    match inspected {
        None if cx.model.node.link == Link::Up => {
            doc.title("More").text("asking the runtime", Role::Dim);
            return (title, doc);
        }
        None => {
            doc.title("More")
                .text("asked for when the runtime answers", Role::Dim);
        }
        Some(Err(why)) => {
            doc.title("More")
                .fact_as("not told", why.as_str(), Role::Warn);
        }
        Some(Ok(tree)) => match subject {
            Subject::Pod(_) => pod::sections(tree, &mut doc),
            Subject::Container(_) => container::sections(tree, &mut doc),
            Subject::Image(_) => {
                users(cx, subject, &mut doc);
                image::sections(tree, &mut doc);
            }
        },
    }
    let store = &cx.model.store;
    match subject {
        Subject::Pod(id) => {
            if let Some(row) = store.pod(id) {
                labels::all(&mut doc, "Labels", &row.pod.labels);
                labels::all(&mut doc, "Annotations", &row.pod.annotations);
                labels::lineage(&mut doc, &row.pod);
            }
        }
        Subject::Container(id) => {
            if let Some(row) = store.container(id) {
                labels::all(&mut doc, "Labels", &row.container.labels);
                labels::all(&mut doc, "Annotations", &row.container.annotations);
                if let Some(pod) = &row.pod {
                    labels::lineage(&mut doc, pod);
                }
            }
        }
        Subject::Image(_) => {}
    }
    (title, doc)
}

/// Title and facts of `subject`.
/// The attempts can be left out, for a pane of their own.
pub fn page(cx: &Cx, subject: &Subject, with_attempts: bool) -> (String, Doc) {
    let (title, mut doc) = facts(cx, subject, with_attempts);
    let store = &cx.model.store;
    match subject {
        Subject::Pod(id) => {
            if let Some(row) = store.pod(id) {
                self::labels(&mut doc, &row.pod.labels);
            }
        }
        Subject::Container(id) => {
            if let Some(row) = store.container(id) {
                self::labels(&mut doc, &row.container.labels);
            }
        }
        Subject::Image(_) => {}
    }
    (title, doc)
}

fn facts(cx: &Cx, subject: &Subject, with_attempts: bool) -> (String, Doc) {
    let store = &cx.model.store;
    let mut doc = Doc::default();
    let title = match subject {
        Subject::Pod(id) => store
            .pod(id)
            .map(|row| pod(cx, row, with_attempts, &mut doc)),
        Subject::Container(id) => store
            .container(id)
            .map(|row| container(cx, row, with_attempts, &mut doc)),
        Subject::Image(id) => store.image(id).map(|row| image(cx, row, &mut doc)),
    };
    let title = title.unwrap_or_else(|| {
        doc.text("It is no longer on this node.", Role::Dim);
        "Gone".to_owned()
    });
    (title, doc)
}

/// The containers of an image.
fn users(cx: &Cx, subject: &Subject, doc: &mut Doc) {
    let (title, used) = related(cx, subject);
    if !used.is_empty() {
        doc.title(title).append(used);
    }
}

/// Title and facts of what belongs to `subject`: the attempts of a pod's containers, or the
/// containers of an image.
pub fn related(cx: &Cx, subject: &Subject) -> (String, Doc) {
    let store = &cx.model.store;
    let mut doc = Doc::default();
    match subject {
        Subject::Pod(id) => attempts(cx, id, None, &mut doc),
        Subject::Container(id) => {
            if let Some(row) = store.container(id) {
                attempts(
                    cx,
                    &row.container.pod_id,
                    Some(&row.container.name),
                    &mut doc,
                );
            }
        }
        Subject::Image(id) => {
            let mut rows: Vec<_> = store
                .container_rows()
                .filter(|row| row.container.image_id.key() == id.key())
                .collect();
            rows.sort_by(|a, b| a.by_trouble(b));
            for row in rows {
                let name = format!("{}/{}", row.pod_name(), row.container.name);
                doc.text(name, Role::Accent);
                let verdict = row.verdict(cx.now(), ROW_STEP);
                doc.text(format!("  {verdict}"), row.standing().role());
            }
            return ("Used by".to_owned(), doc);
        }
    }
    ("Attempts".to_owned(), doc)
}

fn pod(cx: &Cx, row: &PodRow, with_attempts: bool, doc: &mut Doc) -> String {
    let pod = &row.pod;
    let now = cx.now();
    doc.title("Status");
    doc.fact_as("status", row.verdict(now, ROW_STEP), row.standing().role());
    doc.fact(
        "containers",
        format!("{} of {} running", row.running, row.total),
    );
    doc.fact("restarts", row.restarts.to_string());
    uses(doc, &row.load.get());
    moment(cx, doc, "created", pod.created_at);
    doc.title("Identity");
    doc.fact("namespace", pod.namespace.as_str())
        .fact("name", pod.name.as_str());
    doc.fact("pod uid", pod.uid.as_str())
        .fact("sandbox id", pod.id.as_str());
    doc.fact(
        "sandbox",
        format!("{}, attempt {}", pod.state.name(), pod.attempt),
    );
    doc.maybe("handler", pod.runtime_handler.as_ref().map(Text::as_str));
    if let Some(detail) = &row.detail {
        let ips: Vec<&str> = detail.ips.iter().map(Text::as_str).collect();
        let ips = if detail.host_network {
            "the node's network".into()
        } else {
            ips.join(", ")
        };
        doc.maybe("ip", Some(ips).filter(|ips| !ips.is_empty()));
        let host = [(detail.host_pid, "processes"), (detail.host_ipc, "IPC")];
        for (_, what) in host.iter().filter(|(on, _)| *on) {
            doc.fact_as("host", format!("sees the node's {what}"), Role::Warn);
        }
    }
    if with_attempts {
        doc.title("Attempts");
        attempts(cx, &pod.id, None, doc);
    }
    format!("Pod {}/{}", pod.namespace, pod.name)
}

fn container(cx: &Cx, row: &ContainerRow, with_attempts: bool, doc: &mut Doc) -> String {
    let container = &row.container;
    doc.title("Status");
    let verdict = row.verdict(cx.now(), ROW_STEP);
    doc.fact_as("status", verdict, row.standing().role());
    doc.fact("state", container.state.name());
    match &row.detail {
        Some(detail) => outcome(cx, detail, doc),
        None => moment(cx, doc, "created", container.created_at),
    }
    uses(doc, &row.load.get());
    doc.fact("restarts", container.restart_count().to_string());
    doc.fact("attempt", container.attempt.to_string());
    doc.title("Identity");
    doc.fact("namespace", row.namespace())
        .fact("pod", row.pod_name());
    doc.fact("name", container.name.as_str())
        .fact("container id", container.id.as_str());
    doc.fact("sandbox id", container.pod_id.as_str());
    doc.title("Image");
    doc.fact("image", row.image.as_str())
        .fact("image id", container.image_id.as_str());
    if with_attempts {
        doc.title("Attempts");
        attempts(cx, &container.pod_id, Some(&container.name), doc);
    }
    format!("Container {}/{}", row.pod_name(), container.name)
}

/// What it uses, as far as it is known.
fn uses(doc: &mut Doc, load: &Load) {
    let cpu = load.cpu.map(|milli| format!("{milli}m CPU"));
    let memory = load.memory.map(|memory| match load.percent {
        Some(percent) => format!("{} of memory, {percent}% of a limit", bytes(memory)),
        None => format!("{} of memory", bytes(memory)),
    });
    let known: Vec<String> = [cpu, memory].into_iter().flatten().collect();
    let role = match load.percent {
        Some(95..) => Role::Bad,
        Some(80..) => Role::Warn,
        _ => Role::Text,
    };
    if !known.is_empty() {
        doc.fact_as("uses", known.join(", "), role);
    }
}

fn outcome(cx: &Cx, detail: &ContainerDetail, doc: &mut Doc) {
    if let Some(code) = detail.exit_code {
        let role = if code == 0 { Role::Good } else { Role::Bad };
        let meaning = exit::meaning(code);
        let text = if meaning.is_empty() {
            code.to_string()
        } else {
            format!("{code}, {meaning}")
        };
        doc.fact_as("exit code", text, role);
    }
    doc.maybe("reason", detail.reason.as_ref().map(Text::as_str));
    if let Some(message) = &detail.message {
        doc.fact_as("message", message.as_str(), Role::Warn);
    }
    moment(cx, doc, "started", detail.started_at);
    moment(cx, doc, "finished", detail.finished_at);
    if let (Some(started), Some(finished)) = (detail.started_at, detail.finished_at) {
        doc.fact("ran for", span(seconds_between(started, finished)));
    }
    doc.maybe("log", detail.log_path.as_ref().map(Text::as_str));
}

fn image(_: &Cx, row: &ImageRow, doc: &mut Doc) -> String {
    let image = &row.image;
    doc.title("Image");
    doc.fact(
        "size",
        format!("{} ({} bytes)", bytes(image.size), image.size),
    );
    let used = match (row.used_by, row.running) {
        (0, _) => "no container".to_owned(),
        (1, running) => format!(
            "1 container, {}",
            if running > 0 { "running" } else { "ended" }
        ),
        (n, running) => format!("{n} containers, {running} running"),
    };
    let kept = match (image.pinned, row.is_pause(), row.used_by) {
        (true, ..) => "no, the runtime keeps it",
        (false, true, _) => "no, pods need it to exist",
        (false, false, 0) => "yes",
        _ => "no, containers were made from it",
    };
    doc.fact("used by", used)
        .fact("pinned", if image.pinned { "yes" } else { "no" });
    doc.fact("reclaimable", kept);
    doc.fact("image id", image.id.as_str());
    doc.title("Tags");
    list(doc, &image.tags, "none: it is dangling");
    doc.title("Digests");
    list(doc, &image.digests, "none (imported from a file)");
    format!("Image {}", row.name)
}

fn list(doc: &mut Doc, texts: &[Text], none: &str) {
    if texts.is_empty() {
        doc.text(none, Role::Dim);
    }
    for text in texts {
        doc.text(text.as_str(), Role::Text);
    }
}

fn attempts(cx: &Cx, pod: &PodId, name: Option<&Text>, doc: &mut Doc) {
    let rows = cx.model.store.attempts_in(pod);
    let rows = rows
        .into_iter()
        .filter(|row| name.is_none_or(|name| row.container.name == *name));
    for row in rows {
        let container = &row.container;
        let created = container.created_at.map(|at| seconds_between(at, cx.now()));
        let created = created.map_or_else(String::new, |seconds| {
            cx.shows_age(seconds);
            format!(", {} ago", age(seconds))
        });
        let ran = row
            .detail
            .as_ref()
            .and_then(|d| Some((d.started_at?, d.finished_at?)));
        let ran = ran.map_or_else(String::new, |(from, to)| {
            format!(", ran {}", span(seconds_between(from, to)))
        });
        let verdict = row.verdict(cx.now(), ROW_STEP);
        let head = format!("{} #{}", container.name, container.attempt);
        doc.fact_as(
            head,
            format!("{verdict}{ran}{created}"),
            row.standing().role(),
        );
    }
}

fn labels(doc: &mut Doc, labels: &Labels) {
    if labels.is_empty() {
        return;
    }
    doc.title("Labels");
    for (key, value) in labels.iter().take(LABELS) {
        doc.text(format!("{key}={value}"), Role::Text);
    }
    if labels.len() > LABELS {
        doc.text(format!("and {} more", labels.len() - LABELS), Role::Dim);
    }
}

fn moment(cx: &Cx, doc: &mut Doc, name: &str, at: Option<Timestamp>) {
    let Some(at) = at else { return };
    let seconds = seconds_between(at, cx.now());
    cx.shows_age(seconds);
    // Whole seconds in UTC, as the node's other logs have them.
    let shown = Timestamp::from_second(at.as_second()).unwrap_or(at);
    doc.fact(name, format!("{shown} ({} ago)", age(seconds)));
}
