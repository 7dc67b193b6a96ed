//! What the loop does about containers: lends them the terminal, opens ports, looks at them.

use std::io;

use tokio::task::JoinSet;

use super::{App, inside};
use crate::clipboard;
use crate::domain::ContainerId;
use crate::local::{Program, Reads};
use crate::logs::export::Export;
use crate::model::Msg;
use crate::model::forward::Asked;
use crate::model::visit::Visit;
use crate::shell::Return;
use crate::terminal::{Keys, Surface};
use crate::text::Text;

impl<S: Surface, I: Keys> App<S, I> {
    /// Lends the terminal to something in a container.
    pub(super) fn visit(&mut self, visit: Visit, jobs: &mut JoinSet<Msg>) -> io::Result<()> {
        let Some(grant) = self.grant.clone() else {
            jobs.spawn(async { Msg::Returned("this run is read-only".into()) });
            return Ok(());
        };
        let console = self.surface.lend()?;
        let typed = self.input.take_unread();
        let acting = (&self.connection, &*grant);
        self.inside.visit(visit, console, typed, acting);
        Ok(())
    }

    /// Gives the terminal to the pager or the editor.
    pub(super) fn read(&mut self, export: Export, by: Reads, jobs: &mut JoinSet<Msg>) {
        let host = self.gauge.host().clone();
        let program = match &self.grant {
            Some(grant) => Program::on_log(by, &self.inside.tools, export, host, grant),
            None => Err(io::Error::other("this run is read-only")),
        };
        match program {
            Ok(program) => self.start(program),
            Err(error) => {
                let why = Text::clean(&format!("no program for the log: {error}"));
                jobs.spawn(async move { Msg::Returned(why) });
            }
        }
    }

    fn start(&mut self, program: Program) {
        self.surface.step_aside();
        self.inside.start(program);
    }

    pub(super) fn forward(&mut self, asked: &Asked, jobs: &mut JoinSet<Msg>) {
        let line = match &self.grant {
            Some(grant) => {
                let writer = self.inside.writer(&self.connection, grant);
                let opened = self.inside.forwards.open(asked, &writer);
                opened.unwrap_or_else(|why| why)
            }
            None => "this run is read-only".into(),
        };
        self.tell_forwards(Some(line), jobs);
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
