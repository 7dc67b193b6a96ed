//! What the loop does about containers: lends them the terminal, opens ports, looks at them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::act::{self, Keeps};
use super::{App, inside};
use serde_json::json;

use crate::act::quoted;
use crate::clipboard;
use crate::cri::CriError;
use crate::domain::ContainerId;
use crate::host::owner;
use crate::journal::Entry;
use crate::local::{HostShell, Program, Reads};
use crate::logs::export::Export;
use crate::model::Msg;
use crate::model::act::choose::title;
use crate::model::forward::Asked;
use crate::model::visit::Visit;
use crate::shell::Return;
use crate::terminal::{Keys, Surface};
use crate::text::Text;

/// Containers in which a command runs at once.
const AT_ONCE: usize = 8;
/// Longest time for a command in several containers: nobody can interrupt it.
const LIMIT: Duration = Duration::from_secs(30);
/// Lines shown of each.
const LINES: usize = 200;

/// Said when the grant is missing, which the dispatch of commands has already looked at.
pub(super) const READ_ONLY: &str = "this run is read-only";

impl<S: Surface, I: Keys> App<S, I> {
    /// Lends the terminal to something in a container.
    pub(super) fn visit(&mut self, visit: Visit, jobs: &mut JoinSet<Msg>) -> io::Result<()> {
        let Some(grant) = self.grant.clone() else {
            jobs.spawn(async { Msg::Returned(READ_ONLY.into()) });
            return Ok(());
        };
        let console = self.surface.lend()?;
        let typed = self.input.take_unread();
        let acting = (&self.connection, &grant);
        self.inside.visit(visit, console, typed, acting);
        Ok(())
    }

    /// Gives the terminal to the pager or the editor.
    pub(super) fn read(&mut self, export: Export, by: Reads, jobs: &mut JoinSet<Msg>) {
        let host = self.gauge.host().clone();
        let tools = &self.inside.tools;
        let grant = self.grant.as_ref();
        let program = grant.map(|grant| Program::on_log(by, tools, export, host, grant));
        self.start(program, None, jobs);
    }

    /// Gives the terminal to a shell of this node.
    pub(super) fn host_shell(
        &mut self,
        visit: Visit,
        (runs, processes): (bool, bool),
        jobs: &mut JoinSet<Msg>,
    ) {
        let entry = Entry {
            what: "node shell",
            object: visit.container.to_string(),
            name: visit.title.to_string(),
            parameters: json!({"in_its_network": true, "among_its_processes": processes}),
            crictl: String::new(),
        };
        let shell = HostShell {
            container: runs.then_some(visit.container),
            pod: visit.pod,
            title: visit.title,
            processes,
            reader: self.connection.reader(),
            host: self.gauge.host().clone(),
            shell: self.inside.tools.shell.clone(),
        };
        let grant = self.grant.as_ref();
        let program = grant.map(|grant| Program::host_shell(shell, grant));
        self.start(program, Some(entry), jobs);
    }

    fn start(&mut self, program: Option<Program>, entry: Option<Entry>, jobs: &mut JoinSet<Msg>) {
        if let Some(program) = program {
            self.surface.step_aside();
            let keeps = entry.and_then(|entry| self.keeps(entry));
            self.inside.start(program, keeps);
        } else {
            jobs.spawn(async { Msg::Returned(READ_ONLY.into()) });
        }
    }

    /// Runs a line in several containers, a few at once.
    pub(super) fn run_in_all(&self, ids: Vec<ContainerId>, line: &str, jobs: &mut JoinSet<Msg>) {
        let Some(grant) = &self.grant else {
            return;
        };
        let writer = self.inside.writer(&self.connection, grant);
        let room = Arc::new(Semaphore::new(AT_ONCE));
        let command = ["sh", "-c", line].map(str::to_owned);
        for (place, id) in ids.into_iter().enumerate() {
            let (writer, room, command) = (writer.clone(), Arc::clone(&room), command.clone());
            let Some(keeps) = self.keeps(Entry {
                what: "exec",
                object: id.to_string(),
                name: self.title_of(&id),
                parameters: json!({"command": line}),
                crictl: format!("crictl exec -s {id} sh -c {}", quoted(line)),
            }) else {
                return;
            };
            jobs.spawn(async move {
                // It is never closed.
                let _room = room.acquire_owned().await;
                let mut warned = None;
                let ran = Box::pin(act::kept(
                    keeps,
                    async |why| warned = Some(why),
                    writer.run(&id, &command, LIMIT),
                    |ran| match ran {
                        Ok(outcome) => Ok(Text::clean(&format!("exit {}", outcome.code))),
                        Err(error) => Err(error.message.clone()),
                    },
                ))
                .await;
                let left = ran.map(|outcome| {
                    let mut lines = outcome.text();
                    lines.splice(0..0, warned);
                    if lines.len() > LINES {
                        let more = lines.len() - LINES;
                        lines.truncate(LINES);
                        lines.push(Text::clean(&format!("(and {more} lines more)")));
                    }
                    (outcome.code, lines)
                });
                Msg::Ran(place, left.map_err(|error| error.message))
            });
        }
    }

    /// Finds out which containers were left behind.
    pub(super) fn owners(owned: Vec<(ContainerId, Text)>, jobs: &mut JoinSet<Msg>) {
        jobs.spawn_blocking(move || {
            let dead = owned
                .into_iter()
                .filter(|(_, owner)| owner::is_dead(owner.as_str()));
            Msg::LeftBehind(dead.map(|(id, _)| id).collect())
        });
    }

    /// Removes containers that were left behind.
    pub(super) fn discard(&self, left: Vec<ContainerId>, jobs: &mut JoinSet<Msg>) {
        let writer = self.grant.as_ref();
        let writer = writer.map(|grant| self.inside.writer(&self.connection, grant));
        let keeps: Vec<_> = left
            .iter()
            .filter_map(|id| {
                self.keeps(Entry {
                    what: "remove debug container",
                    object: id.to_string(),
                    name: self.title_of(id),
                    parameters: json!({}),
                    crictl: format!("crictl stop --timeout 0 {id} && crictl rm {id}"),
                })
            })
            .collect();
        jobs.spawn(async move {
            let Some(writer) = writer else {
                return Msg::Returned(READ_ONLY.into());
            };
            let (mut removed, mut wrong) = (0, String::new());
            let mut warned = None;
            for (id, keeps) in left.iter().zip(keeps) {
                let discards = writer.discard(id);
                let told = |done: &Result<(), CriError>| match done {
                    Ok(()) => Ok(Text::default()),
                    Err(error) => Err(error.message.clone()),
                };
                let warn = async |why| warned = Some(why);
                match act::kept(keeps, warn, discards, told).await {
                    Ok(()) => removed += 1,
                    Err(error) => wrong = format!("; {} was not: {error}", id.short()),
                }
            }
            let warned = warned.map_or_else(String::new, |why| format!("; {why}"));
            let line = format!("removed {removed} that a critui had left behind{wrong}{warned}");
            Msg::Returned(Text::clean(&line))
        });
    }

    pub(super) fn forward(&mut self, asked: &Asked, jobs: &mut JoinSet<Msg>) {
        let Some(grant) = &self.grant else {
            return self.tell_forwards(Some(READ_ONLY.into()), jobs);
        };
        let writer = self.inside.writer(&self.connection, grant);
        let opened = self.inside.forwards.open(asked, &writer);
        let ports = asked.ports.iter();
        let ports: Vec<String> = ports
            .map(|one| format!("{}:{}:{}", one.bind, one.local, one.remote))
            .collect();
        let entry = Entry {
            what: "port-forward",
            object: asked.pod.to_string(),
            name: asked.title.to_string(),
            parameters: json!({"ports": ports}),
            crictl: String::new(),
        };
        let list = self.inside.forwards.list();
        let keeps = self.keeps(entry);
        jobs.spawn(async move {
            let mut line = match &opened {
                Ok(line) | Err(line) => line.clone(),
            };
            if let Some(keeps) = keeps {
                let warn = async |why: Text| line = Text::clean(&format!("{line}; {why}"));
                act::kept(keeps, warn, std::future::ready(()), |()| opened).await;
            }
            Msg::Forwards(list, Some(line))
        });
    }

    /// What a change is kept with; nothing if this run may do none.
    pub(super) fn keeps(&self, entry: Entry) -> Option<Keeps> {
        Some(Keeps {
            journal: self.inside.journal.clone(),
            entry,
            grant: self.grant.clone()?,
        })
    }

    /// `namespace/pod/container`, as far as it is known.
    fn title_of(&self, id: &ContainerId) -> String {
        let row = self.model.store.container(id);
        row.map_or_else(String::new, |row| title(row).to_string())
    }

    pub(super) fn tell_forwards(&self, line: Option<Text>, jobs: &mut JoinSet<Msg>) {
        let list = self.inside.forwards.list();
        jobs.spawn(async move { Msg::Forwards(list, line) });
    }

    pub(super) fn come_back(&mut self, returned: Return) -> io::Result<Msg> {
        if returned.gone {
            self.model.leaving = true;
        }
        self.input.put_back(&returned.unread);
        self.surface.take_back()?;
        if self.model.mouse {
            self.surface.raw(clipboard::mouse(true))?;
        }
        Ok(Msg::Returned(returned.line))
    }

    pub(super) fn look(&self, id: ContainerId, jobs: &mut JoinSet<Msg>) {
        let (reader, host) = (self.connection.reader(), self.gauge.host().clone());
        jobs.spawn(async move {
            let seen = inside::look(&reader, host, &id).await;
            Msg::Looked(id, seen)
        });
    }
}
