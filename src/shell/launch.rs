//! Which shell to start, and how.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::cri::stream::{Session, Size, StreamError};
use crate::cri::{Kind, Writer};
use crate::domain::{ContainerId, ImageId};

use super::talk::{Talk, Way};

/// Longest wait for one shell to show that it is there.
const PROBE: Duration = Duration::from_secs(2);
/// Shells that an image without `sh` may have.
const OTHERS: [&str; 2] = ["bash", "ash"];
/// What a shell says first: this and the id of its process.
pub(super) const MARK: &str = "critui ";
/// What an image without any gets.
pub(super) const NO_SHELL: &str =
    "the image has no shell (neither sh nor bash nor ash): b shows what can be done without one";

/// What is started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Program {
    /// `sh`, which becomes the best shell there is: one start instead of three probes.
    Best,
    /// A shell by name.
    Named(&'static str),
}

impl Program {
    /// The shell that runs scripts of ours.
    pub fn shell(&self) -> &'static str {
        match self {
            Self::Best => "sh",
            Self::Named(name) => name,
        }
    }

    fn command(&self, line: Option<&str>) -> Vec<String> {
        let shell = self.shell();
        // `$$` stays the same through an exec.
        let script = match (self, line) {
            (_, Some(_)) => format!("echo {MARK}$$; exec {shell} -c \"$1\""),
            (Self::Best, None) => format!(
                "echo {MARK}$$; for s in bash ash; do command -v $s >/dev/null 2>&1 && exec $s; \
                 done; exec sh"
            ),
            (Self::Named(name), None) => format!("echo {MARK}$$; exec {name}"),
        };
        let mut command = in_shell(shell, &script);
        if let Some(line) = line {
            command.extend([shell.to_owned(), line.to_owned()]);
        }
        command
    }
}

/// `SHELL -c SCRIPT`.
pub(super) fn in_shell(shell: &str, script: &str) -> Vec<String> {
    [shell, "-c", script].map(str::to_owned).to_vec()
}

/// Which shell the images have, as far as it is known. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shells(Arc<Mutex<HashMap<ImageId, Option<&'static str>>>>);

impl Shells {
    /// What to start in a container of this image: `None` if it is known to have no shell.
    pub(super) fn known(&self, image: &ImageId) -> Option<Program> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(image) {
            Some(Some(name)) => Some(Program::Named(name)),
            Some(None) => None,
            None => Some(Program::Best),
        }
    }

    pub(super) fn learn(&self, image: &ImageId, program: Option<&Program>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match program {
            // The default, so there is nothing to remember.
            Some(Program::Best) => {}
            Some(Program::Named(name)) => drop(known.insert(image.clone(), Some(name))),
            None => drop(known.insert(image.clone(), None)),
        }
    }
}

/// What starts shells in one container.
pub(super) struct Launch<'a> {
    pub writer: &'a Writer,
    pub container: &'a ContainerId,
    /// A line to run instead of an interactive shell.
    pub line: Option<&'a str>,
}

impl Launch<'_> {
    /// Starts it.
    pub async fn open(&self, program: &Program, size: Size) -> Result<Session, StreamError> {
        let command = program.command(self.line);
        self.writer.shell(self.container, &command, size).await
    }

    /// The first shell other than `sh` that the container has.
    pub async fn probe(&self) -> Result<Option<Program>, StreamError> {
        for name in OTHERS {
            let command = in_shell(name, ":");
            match self.writer.run(self.container, &command, PROBE).await {
                Ok(outcome) if outcome.code == 0 => return Ok(Some(Program::Named(name))),
                Err(error) if matches!(error.kind, Kind::Down | Kind::ReadOnly) => {
                    return Err(error.into());
                }
                // Not there, or it does not answer in time.
                _ => {}
            }
        }
        Ok(None)
    }

    /// Starts the words of a line as they are, for images without a shell.
    pub async fn bare(&self, line: &str, talk: &mut Talk) -> Result<(Way, String), StreamError> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut open = self
            .writer
            .shell(self.container, &words, talk.size())
            .await?;
        let way = talk.with(&mut open, false).await;
        let left = way != Way::Over;
        if left {
            // Nobody knows its process: interrupt it, and end its input.
            super::finish::typed(&mut open).await;
        }
        open.input.close().await;
        Ok((way, talk.ended(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_shell_is_found_in_one_start() {
        let command = Program::Best.command(None);
        assert_eq!(command[..2], ["sh", "-c"]);
        assert!(command[2].starts_with("echo critui $$; for s in bash ash;"));
        assert!(command[2].ends_with("exec sh"));
    }

    #[test]
    fn a_line_is_an_argument_and_never_a_part_of_the_script() {
        let command = Program::Named("bash").command(Some("echo \"$(x)\"; exit 3"));
        let expected = [
            "bash",
            "-c",
            "echo critui $$; exec bash -c \"$1\"",
            "bash",
            "echo \"$(x)\"; exit 3",
        ];
        assert_eq!(command, expected);
    }

    #[test]
    fn what_an_image_has_is_remembered() {
        let shells = Shells::default();
        let (one, other) = (ImageId::new("1"), ImageId::new("2"));
        assert_eq!(shells.known(&one), Some(Program::Best));
        shells.learn(&one, Some(&Program::Named("bash")));
        shells.learn(&other, None);
        assert_eq!(shells.known(&one), Some(Program::Named("bash")));
        assert_eq!(shells.known(&other), None);
    }
}
