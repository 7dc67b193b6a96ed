//! What this run is to do: flags, environment and files made into one [`Config`], in which each
//! value remembers where it comes from.
//!
//! Per setting a flag wins over the environment, that over `/etc/crictl.yaml`, that over what is
//! built in, as with crictl. Read-only mode is different: it is the OR of all voices. As root,
//! files and sockets that others can write are used only when a flag names them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::access::Access;
use crate::cli::{FAILED, USAGE};
use crate::text::Text;

pub mod crictl;
pub mod discovery;
pub mod endpoint;
pub mod env;
pub mod example;
pub mod go;
pub mod journal;
pub mod layout;
pub mod logs;
pub mod look;
pub mod report;
mod resolve;
mod schema;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod themes;
pub mod trust;
pub mod value;
pub mod watch;
pub mod yaml;

use endpoint::Endpoint;
use journal::JournalSettings;
use look::Look;
pub use resolve::{host_root, resolve};
use value::{Source, Valued};

/// Everything in effect.
#[derive(Debug)]
pub struct Config {
    /// Where the runtime is.
    pub endpoints: Endpoints,
    /// The rest of crictl's settings.
    pub crictl: CrictlOptions,
    /// Time between two looks at the runtime.
    pub refresh: Valued<Duration>,
    /// Theme, keys, the order of the lists.
    pub look: Look,
    /// Where the journal is.
    pub journal: JournalSettings,
    /// Subscribe to the runtime's events. Off in read-only mode.
    pub events: Valued<bool>,
    /// The host's root, as it was named.
    pub host_root: Valued<PathBuf>,
    /// What this run may do.
    pub access: Access,
    /// What the user should know, one line each.
    pub warnings: Vec<Text>,
}

/// The endpoints. What is `None` has to be discovered: see [`Endpoints::settle`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Endpoints {
    /// Of the runtime service.
    pub runtime: Option<Valued<Endpoint>>,
    /// Of the image service.
    pub image: Option<Valued<Endpoint>>,
}

impl Endpoints {
    /// Fills in what is missing: the runtime's endpoint with what was found, then the image
    /// service's with the runtime's.
    pub fn settle(&mut self, found: Option<Valued<Endpoint>>) {
        self.runtime = self.runtime.take().or(found);
        if self.image.is_none() {
            let runtime = self.runtime.as_ref();
            self.image = runtime.map(|runtime| {
                Valued::new(runtime.value.clone(), Source::Follows("runtime-endpoint"))
            });
        }
    }
}

/// crictl's settings apart from the endpoints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CrictlOptions {
    /// The configuration file; `None` when there is none or it could not be used.
    pub file: Option<Valued<PathBuf>>,
    /// Deadline of a call.
    pub timeout: Valued<Duration>,
    /// Write a trace.
    pub debug: Valued<bool>,
    /// Attempts to connect after the first; below zero is without end.
    pub max_retries: Valued<i64>,
    /// crictl pulls the image when it creates a container.
    pub pull_image_on_create: Valued<bool>,
    /// crictl does not pull the image when it runs a container.
    pub disable_pull_on_run: Valued<bool>,
}

/// Why the program cannot start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// One line: the file, key, flag or variable, what was expected, what to do.
    pub line: Text,
    /// The exit code: [`USAGE`] for a flag's value, else [`FAILED`].
    pub code: u8,
}

impl ConfigError {
    fn new(source: &Source, line: impl Into<Text>) -> Self {
        let code = if matches!(source, Source::Flag(_)) {
            USAGE
        } else {
            FAILED
        };
        Self {
            line: line.into(),
            code,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line.fmt(f)
    }
}

impl std::error::Error for ConfigError {}

/// A path as it is shown to the user.
fn shown_path(path: &Path) -> Text {
    Text::clean(&path.to_string_lossy())
}
