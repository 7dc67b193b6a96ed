//! The processes of a container and what listens, from outside.

use super::Cx;
use crate::domain::{ContainerId, Inside};
use crate::format::bytes;
use crate::theme::Role;
use crate::widgets::page::Doc;

/// The page.
pub fn page(cx: &Cx, id: &ContainerId) -> Doc {
    let mut doc = Doc::default();
    let seen = cx.model.look.seen.as_ref().filter(|(of, _)| of == id);
    match seen.map(|(_, seen)| seen) {
        None => doc.text("looking", Role::Dim),
        Some(Err(why)) => doc.text(why.as_str(), Role::Bad),
        Some(Ok(inside)) => tables(&mut doc, inside),
    };
    doc.title("Without a shell in the image").text(
        "This page needs none: it is read from the node's /proc, and changes nothing.",
        Role::Dim,
    );
    doc
}

fn tables<'a>(doc: &'a mut Doc, inside: &Inside) -> &'a mut Doc {
    let count = inside.processes.len();
    doc.title(format!("Processes ({count})"));
    doc.text(
        "    PID   ON NODE    USER  S     MEMORY  COMMAND",
        Role::Dim,
    );
    for row in &inside.processes {
        let line = format!(
            "{:>7}  {:>8}  {:>6}  {}  {:>9}  {}",
            row.inner,
            row.pid,
            row.uid,
            row.state,
            bytes(row.memory),
            row.command,
        );
        // A process that cannot be ended or that nobody waits for.
        let role = if matches!(row.state, 'D' | 'Z') {
            Role::Warn
        } else {
            Role::Text
        };
        doc.text(line, role);
    }
    doc.title("Listening in the pod's network");
    if inside.listeners.is_empty() {
        doc.text("nothing", Role::Dim);
    }
    for listener in &inside.listeners {
        let at = std::net::SocketAddr::new(listener.address, listener.port);
        doc.text(format!("{:>7}  {at}", listener.protocol), Role::Text);
    }
    doc
}
