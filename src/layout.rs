//! What the screen remembers from one run to the next: columns, the split, that the first hint was
//! seen. A file of one's own that this program alone writes, and only with the write grant.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::access::WriteGrant;

/// The file, below the folder of the user's state.
pub const FILE: &str = "critui/layout.yaml";
/// Longest file that is read.
pub const MOST: u64 = 64 << 10;
/// The share of the width that the lists have beside the preview, in percent, at first and at its
/// extremes.
pub const SPLIT: (u16, u16, u16) = (58, 25, 80);

/// What is remembered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Layout {
    /// The hint of the first start is still to be shown.
    pub hint: bool,
    /// Percent of the width that the lists have beside the preview.
    pub split: u16,
    /// Columns of the pods: a preset's name, or names of columns, each maybe with its width.
    pub pods: Vec<String>,
    /// Those of the containers.
    pub containers: Vec<String>,
    /// Those of the images.
    pub images: Vec<String>,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            hint: true,
            split: SPLIT.0,
            pods: vec![],
            containers: vec![],
            images: vec![],
        }
    }
}

impl Layout {
    /// Reads what [`Layout::write`] wrote. The error says what is wrong, without the file's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let layout: Self = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        let split = layout.split.clamp(SPLIT.1, SPLIT.2);
        Ok(Self { split, ..layout })
    }

    /// Writes it, all or nothing. Missing folders are made, but for the home itself. The error is
    /// one line that names the file.
    pub fn write(&self, path: &Path, _: &WriteGrant) -> Result<(), String> {
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = serde_yaml::to_string(self).map_err(|error| wrong(&error))?;
        let text = format!("# Written by critui: what its screen remembers.\n{text}");
        replace(path, text.as_bytes()).map_err(|error| wrong(&error))
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    // $HOME/.local/state/critui: whoever has no home gets none.
    let home = folder.ancestors().nth(3).unwrap_or(Path::new("/"));
    if !home.is_dir() {
        return Err(io::Error::other(format!("no folder {}", home.display())));
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut other = PathBuf::from(path);
    other.set_extension(format!("{}.new", std::process::id()));
    let mut options = fs::OpenOptions::new();
    // Nobody's link is followed: the name is new, or it fails.
    let mut file = (options.write(true).create_new(true).mode(0o600)).open(&other)?;
    let written = file.write_all(bytes);
    let moved = written.and_then(|()| fs::rename(&other, path));
    if moved.is_err() {
        let _ = fs::remove_file(&other);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Access;
    use std::os::unix::fs::PermissionsExt as _;

    fn grant() -> std::sync::Arc<WriteGrant> {
        let access = Access::decide(vec![]);
        std::sync::Arc::clone(access.grant().unwrap())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".local/state").join(FILE);
        let layout = Layout {
            hint: false,
            split: 40,
            pods: vec!["name".into(), "status 30".into()],
            ..Layout::default()
        };
        for _ in 0..2 {
            layout.write(&path, &grant()).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(Layout::parse(&text), Ok(layout));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_made_where_there_is_no_home() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("none/.local/state").join(FILE);
        let error = Layout::default().write(&path, &grant()).unwrap_err();
        assert!(error.contains("layout.yaml: no folder "), "{error}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_in_its_place_is_replaced_and_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(".local/state").join(FILE);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let other = home.path().join("other");
        fs::write(&other, "kept").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        Layout::default().write(&path, &grant()).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "kept");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    fn mistakes_are_told_and_splits_stay_sane() {
        assert!(Layout::parse("pods: 3").is_err());
        assert!(Layout::parse("pod: []").unwrap_err().contains("pod"));
        assert_eq!(Layout::parse("split: 99").unwrap().split, SPLIT.2);
        assert_eq!(Layout::parse("{}"), Ok(Layout::default()));
    }
}
