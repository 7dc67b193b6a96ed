//! The files of a container, looked at from outside.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::domain::{Contents, FileRow};
use crate::model::list::Move;
use crate::model::visit::Visit;
use crate::model::{Effect, Layer, Model, Page, look, update};
use crate::text::Text;

/// A place in a container's files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Browse {
    /// The container.
    pub visit: Visit,
    /// It runs: through the root of its process; else through the layers of its snapshot.
    pub runs: bool,
    /// The path there.
    pub path: PathBuf,
}

/// One folder or file on the screen.
#[derive(Debug)]
pub struct Files {
    /// Where it is, and after the answer without links.
    pub at: Browse,
    /// What is there, or why it cannot be seen; `None` while that is awaited.
    pub contents: Option<Result<Contents, Text>>,
    /// The line under the cursor.
    pub cursor: usize,
    /// A name to put the cursor on, when they are known.
    came_from: Option<OsString>,
}

impl Files {
    fn new(at: Browse) -> Self {
        Self {
            at,
            contents: None,
            cursor: 0,
            came_from: None,
        }
    }

    /// The names, if it is a folder.
    pub fn rows(&self) -> &[FileRow] {
        match &self.contents {
            Some(Ok(Contents::Folder(rows, _))) => rows,
            _ => &[],
        }
    }

    /// Lines there are.
    pub fn lines(&self) -> usize {
        match &self.contents {
            Some(Ok(Contents::File(lines, ..))) => lines.len(),
            _ => self.rows().len(),
        }
    }

    /// `namespace/pod/container:/path`.
    pub fn title(&self) -> String {
        let path = self.at.path.to_string_lossy();
        let path = path.trim_start_matches('/');
        format!("{}:/{path}", self.at.visit.title)
    }

    fn go(&mut self, to: Move, height: usize) {
        let last = self.lines().saturating_sub(1);
        let half = isize::try_from(height / 2).unwrap_or(1).max(1);
        let by = |by: isize| self.cursor.saturating_add_signed(by).min(last);
        self.cursor = match to {
            Move::First => 0,
            Move::Last => last,
            Move::By(lines) => by(lines),
            Move::HalfPages(halves) => by(halves * half),
            Move::To(line) => line.min(last),
        };
    }

    fn take(&mut self, found: Result<(PathBuf, Contents), Text>) {
        self.contents = Some(found.map(|(path, contents)| {
            self.at.path = path;
            contents
        }));
        let from = self.came_from.take();
        let at = from.and_then(|from| self.rows().iter().position(|row| row.raw == from));
        self.cursor = at.unwrap_or(0);
    }
}

/// Opens the root of the container that is looked at.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let runs = look::refuse_processes(model).is_none();
    let Some(visit) = look::visit(model).cloned() else {
        return vec![];
    };
    let path = PathBuf::from("/");
    push(model, Browse { visit, runs, path })
}

fn push(model: &mut Model, at: Browse) -> Vec<Effect> {
    let browse = Effect::Browse(Box::new(at.clone()));
    model.layers.push(Layer {
        page: Page::Files(Box::new(Files::new(at))),
        scroll: 0,
    });
    vec![browse]
}

/// The view on top.
pub fn top(model: &Model) -> Option<&Files> {
    match &model.layers.last()?.page {
        Page::Files(files) => Some(files),
        _ => None,
    }
}

/// The view on top, to change it.
pub fn top_mut(model: &mut Model) -> Option<&mut Files> {
    match &mut model.layers.last_mut()?.page {
        Page::Files(files) => Some(files),
        _ => None,
    }
}

/// Moves the cursor; true if there is one to move.
pub fn go(model: &mut Model, to: Move, height: usize) -> bool {
    let files = top_mut(model);
    files.map(|files| files.go(to, height)).is_some()
}

/// Opens what is under the cursor: a folder in place of this one, anything else above it.
pub fn enter(model: &mut Model) -> Vec<Effect> {
    let Some(files) = top_mut(model) else {
        return vec![];
    };
    let Some(row) = files.rows().get(files.cursor) else {
        return vec![];
    };
    let mut at = files.at.clone();
    at.path = Path::new("/").join(&at.path).join(&row.raw);
    if row.kind != 'd' {
        return push(model, at);
    }
    *files = Files::new(at.clone());
    vec![Effect::Browse(Box::new(at))]
}

/// To the folder that this is in.
pub fn up(model: &mut Model) -> Vec<Effect> {
    let Some(files) = top_mut(model) else {
        return vec![];
    };
    let path = Path::new("/").join(&files.at.path);
    let Some(parent) = path.parent() else {
        return vec![];
    };
    let at = Browse {
        path: parent.to_owned(),
        ..files.at.clone()
    };
    *files = Files {
        came_from: path.file_name().map(ToOwned::to_owned),
        ..Files::new(at.clone())
    };
    vec![Effect::Browse(Box::new(at))]
}

/// Takes what was found.
pub fn found(model: &mut Model, asked: &Path, found: Result<(PathBuf, Contents), Text>) {
    let waits = |files: &&mut Files| files.contents.is_none() && files.at.path == asked;
    if let Some(files) = top_mut(model).filter(waits) {
        files.take(found);
    }
}

/// What would be copied out: the file on the screen, or under the cursor.
pub fn chosen(model: &Model) -> Result<Browse, &'static str> {
    let files = top(model).ok_or("no file is looked at")?;
    let mut at = files.at.clone();
    at.path = Path::new("/").join(&at.path);
    match &files.contents {
        Some(Ok(Contents::File(..))) => Ok(at),
        Some(Ok(Contents::Folder(rows, _))) => match rows.get(files.cursor) {
            Some(row) if matches!(row.kind, '-' | 'l') => {
                at.path.push(&row.raw);
                Ok(at)
            }
            _ => Err("only files can be copied"),
        },
        _ => Err("nothing is here to copy"),
    }
}

/// The path under the cursor, for the clipboard.
pub fn copy_path(model: &mut Model) -> Vec<Effect> {
    let path = chosen(model).map(|at| at.path.display().to_string());
    match path {
        Ok(path) => vec![Effect::Copy(Text::clean(&path).to_string())],
        Err(why) => {
            update::say(model, why);
            vec![]
        }
    }
}
