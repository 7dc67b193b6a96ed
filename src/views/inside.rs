//! The processes of a container and what listens, from outside.

use super::Cx;
use crate::domain::{ContainerId, Inside};
use crate::format::bytes;
use crate::model::Noun;
use crate::model::command::COMMANDS;
use crate::theme::Role;
use crate::widgets::page::Doc;

/// What is possible here as elsewhere, and of use.
const OTHERS: [&str; 3] = ["shell", "run", "forward"];

/// The page.
pub fn page(cx: &Cx, id: &ContainerId) -> Doc {
    let mut doc = Doc::default();
    possible(cx, &mut doc);
    let seen = cx.model.look.seen.as_ref().filter(|(of, _)| of == id);
    match seen.map(|(_, seen)| seen) {
        None => doc.text("looking", Role::Dim),
        Some(Err(why)) => doc.text(why.as_str(), Role::Bad),
        Some(Ok(inside)) => tables(&mut doc, inside),
    };
    doc
}

/// What can be done here, and why not if it cannot.
fn possible(cx: &Cx, doc: &mut Doc) {
    doc.title("What can be done");
    let commands = COMMANDS.iter().filter(|command| {
        let here = command.on == [Noun::Inside];
        here || OTHERS.contains(&command.name)
    });
    for command in commands {
        let key = cx.model.keymap.shown(command);
        match command.refused(cx.model) {
            None => doc.text(format!("{key:>4}  {}", command.doc), Role::Text),
            Some(why) => doc.text(format!("{key:>4}  {}: {why}", command.doc), Role::Dim),
        };
    }
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
