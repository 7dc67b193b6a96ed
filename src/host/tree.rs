//! The files of a container, from the outside: through the root of its process, or through the
//! layers of its snapshot once that has ended. Nothing here leaves the container's root: its links
//! are followed by hand and inside it, whatever they say. Everything here blocks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Component, Path, PathBuf};

use super::open::{Folder, HostRoot, Kind, OpenError, Resolver};
use super::process::{self, Claim};
use crate::text::Text;

/// Most links on the way to a file, as in the kernel.
const LINKS: usize = 40;
/// Most names of one folder.
const MOST: usize = 10_000;

/// A container's root.
#[derive(Debug)]
pub struct Tree {
    /// The uppermost first.
    layers: Vec<Folder>,
}

/// A name in a folder, and what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The name, as it is.
    pub name: OsString,
    /// What it is; a link is not followed.
    pub kind: Kind,
    /// Bytes of a file.
    pub size: u64,
    /// Permission bits (`0o7777`).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Where a link points.
    pub target: Option<PathBuf>,
}

/// What a path leads to.
#[derive(Debug)]
pub enum Found {
    /// A folder: its names in order, and whether those are all.
    Folder(Vec<Entry>, bool),
    /// A regular file, and its size.
    File(File, u64),
    /// What is not opened: a device, a pipe, a socket.
    Other(Kind),
}

/// The root of a container's process, which is held while it is opened. The error is a line for
/// the user.
pub fn of_process(host: &HostRoot, claim: &Claim) -> Result<Tree, Text> {
    let roots = process::links(host, claim, &["root"])?;
    let layers = roots.into_iter().map(Folder::of_process).collect();
    Ok(Tree { layers })
}

impl Tree {
    /// The folders of an overlay on this node, the uppermost first.
    pub fn of_layers(host: &Resolver, layers: &[PathBuf]) -> Result<Self, OpenError> {
        let layers = layers.iter().map(|path| host.folder(path));
        Ok(Self {
            layers: layers.collect::<Result<_, _>>()?,
        })
    }

    /// What `path` leads to, links followed, and where that is without any link.
    pub fn find(&self, path: &Path) -> Result<(PathBuf, Found), OpenError> {
        let (real, places) = self.resolve(path)?;
        let Some((layer, entry)) = places.first() else {
            return Err(OpenError::Missing);
        };
        let found = match entry.kind {
            Kind::Folder => {
                let layers: Vec<usize> = places.iter().map(|(layer, _)| *layer).collect();
                let (entries, all) = self.list(&real, &layers)?;
                Found::Folder(entries, all)
            }
            Kind::File => Found::File(self.layers[*layer].open(&real)?, entry.size),
            other => Found::Other(other),
        };
        Ok((real, found))
    }

    /// Follows a path by hand: each name is looked up without following anything.
    fn resolve(&self, path: &Path) -> Result<(PathBuf, Vec<(usize, Entry)>), OpenError> {
        let mut todo = names(path);
        let (mut real, mut links) = (PathBuf::new(), 0);
        let mut places = self.root()?;
        while let Some(name) = todo.pop_front() {
            if name == ".." {
                // The root's own parent is the root.
                real.pop();
                places = self.unlinked(&real)?;
                continue;
            }
            let layers: Vec<usize> = places.iter().map(|(layer, _)| *layer).collect();
            let next = self.look(&layers, &real.join(&name))?;
            let Some((_, first)) = next.first() else {
                return Err(OpenError::Missing);
            };
            match (&first.target, first.kind) {
                (Some(target), _) => {
                    links += 1;
                    if links > LINKS {
                        return Err(OpenError::Other(rustix::io::Errno::LOOP));
                    }
                    if target.is_absolute() {
                        real = PathBuf::new();
                        places = self.root()?;
                    }
                    for name in names(target).into_iter().rev() {
                        todo.push_front(name);
                    }
                }
                (None, kind) if kind != Kind::Folder && !todo.is_empty() => {
                    return Err(OpenError::Missing);
                }
                (None, _) => {
                    real.push(name);
                    places = next;
                }
            }
        }
        Ok((real, places))
    }

    fn root(&self) -> Result<Vec<(usize, Entry)>, OpenError> {
        self.unlinked(Path::new(""))
    }

    /// A folder without a link on the way.
    fn unlinked(&self, path: &Path) -> Result<Vec<(usize, Entry)>, OpenError> {
        let mut at = PathBuf::new();
        let all: Vec<usize> = (0..self.layers.len()).collect();
        let mut places = self.look(&all, &at)?;
        for name in names(path) {
            let layers: Vec<usize> = places.iter().map(|(layer, _)| *layer).collect();
            at.push(name);
            places = self.look(&layers, &at)?;
        }
        Ok(places)
    }

    /// What is at `path` in these layers: a folder may be in several, anything else hides what
    /// lies below it.
    fn look(&self, layers: &[usize], path: &Path) -> Result<Vec<(usize, Entry)>, OpenError> {
        let mut found: Vec<(usize, Entry)> = Vec::new();
        for layer in layers {
            let meta = match self.layers[*layer].meta(path) {
                Err(OpenError::Missing) => continue,
                meta => meta?,
            };
            let folder = meta.kind == Kind::Folder;
            if meta.whiteout || (!folder && !found.is_empty()) {
                break;
            }
            let entry = Entry {
                name: path.file_name().unwrap_or_default().to_owned(),
                kind: meta.kind,
                size: meta.size,
                mode: meta.mode,
                uid: meta.uid,
                target: meta.target,
            };
            found.push((*layer, entry));
            if !folder || meta.opaque {
                break;
            }
        }
        Ok(found)
    }

    fn list(&self, path: &Path, layers: &[usize]) -> Result<(Vec<Entry>, bool), OpenError> {
        let mut entries: BTreeMap<OsString, Entry> = BTreeMap::new();
        let (mut hidden, mut all) = (BTreeSet::new(), true);
        for layer in layers {
            let listing = self.layers[*layer].folder(path)?.list(MOST)?;
            all &= listing.complete;
            for name in listing.names {
                if entries.contains_key(&name) || hidden.contains(&name) {
                    continue;
                }
                // It may have gone since.
                let Ok(meta) = self.layers[*layer].meta(&path.join(&name)) else {
                    continue;
                };
                if meta.whiteout {
                    hidden.insert(name);
                    continue;
                }
                let entry = Entry {
                    name: name.clone(),
                    kind: meta.kind,
                    size: meta.size,
                    mode: meta.mode,
                    uid: meta.uid,
                    target: meta.target,
                };
                entries.insert(name, entry);
            }
        }
        Ok((entries.into_values().collect(), all))
    }
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsStr::new("..").to_owned()),
        _ => None,
    };
    path.components().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    struct Case {
        temp: tempfile::TempDir,
    }

    impl Case {
        /// Files by layer, the uppermost first: a name that ends in a slash is a folder, one with
        /// an arrow a link.
        fn new(layers: &[&[&str]]) -> Self {
            let temp = tempfile::tempdir().unwrap();
            for (nth, names) in layers.iter().enumerate() {
                let layer = temp.path().join(nth.to_string());
                fs::create_dir(&layer).unwrap();
                for name in *names {
                    match name.split_once(" -> ") {
                        Some((name, target)) => symlink(target, layer.join(name)).unwrap(),
                        None if name.ends_with('/') => {
                            fs::create_dir_all(layer.join(name)).unwrap();
                        }
                        None => {
                            let path = layer.join(name);
                            fs::create_dir_all(path.parent().unwrap()).unwrap();
                            fs::write(path, format!("{name} of {nth}")).unwrap();
                        }
                    }
                }
            }
            Self { temp }
        }

        fn tree(&self, layers: usize) -> Tree {
            let host = Resolver::new(self.temp.path()).unwrap();
            let layers: Vec<PathBuf> = (0..layers).map(|nth| format!("/{nth}").into()).collect();
            Tree::of_layers(&host, &layers).unwrap()
        }
    }

    fn told(tree: &Tree, path: &str) -> String {
        match tree.find(Path::new(path)) {
            Ok((_, Found::File(mut file, size))) => {
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                assert_eq!(text.len() as u64, size);
                text
            }
            Ok((_, Found::Folder(entries, true))) => {
                let names = entries.iter().map(|entry| entry.name.to_str().unwrap());
                names.collect::<Vec<_>>().join(" ")
            }
            Ok((_, other)) => format!("{other:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn nothing_leaves_the_root() {
        let case = Case::new(&[&[
            "etc/passwd",
            "up -> ../../../../etc/passwd",
            "abs -> /etc/passwd",
            "loop -> loop",
            "out -> /../../0/etc",
            "etc/back -> ../etc/./passwd",
            "proc/1/root/x",
        ]]);
        fs::write(case.temp.path().join("secret"), "no").unwrap();
        let tree = case.tree(1);
        for path in [
            "/etc/passwd",
            "/up",
            "/abs",
            "/etc/back",
            "../../etc/passwd",
        ] {
            assert_eq!(told(&tree, path), "etc/passwd of 0", "{path}");
        }
        for path in ["/../secret", "/out", "/nothing", "/etc/passwd/x"] {
            assert_eq!(told(&tree, path), "does not exist", "{path}");
        }
        assert!(
            told(&tree, "/loop").contains("symbolic"),
            "{}",
            told(&tree, "/loop")
        );
        assert_eq!(told(&tree, "/"), "abs etc loop out proc up");
    }

    #[test]
    fn layers_are_one_tree() {
        let case = Case::new(&[
            &["etc/new", "link -> usr/bin/tool", "cover"],
            &["etc/old", "usr/bin/tool", "cover/hidden", "bin -> usr/bin"],
            &["etc/old", "etc/oldest", "bin/never"],
        ]);
        let tree = case.tree(3);
        assert_eq!(told(&tree, "/etc"), "new old oldest");
        assert_eq!(told(&tree, "/etc/old"), "etc/old of 1");
        assert_eq!(told(&tree, "/etc/oldest"), "etc/oldest of 2");
        assert_eq!(told(&tree, "/link"), "usr/bin/tool of 1");
        assert_eq!(told(&tree, "/bin/tool"), "usr/bin/tool of 1");
        assert_eq!(told(&tree, "/cover"), "cover of 0");
        assert_eq!(told(&tree, "/cover/hidden"), "does not exist");
        assert_eq!(told(&tree, "/"), "bin cover etc link usr");
    }

    #[test]
    fn what_was_deleted_is_gone() {
        let case = Case::new(&[&["etc/"], &["etc/gone", "etc/here"]]);
        let device = case.temp.path().join("0/etc/gone");
        let made = rustix::fs::mknodat(
            rustix::fs::CWD,
            &device,
            rustix::fs::FileType::CharacterDevice,
            rustix::fs::Mode::empty(),
            0,
        );
        let tree = case.tree(2);
        if made.is_ok() {
            assert_eq!(told(&tree, "/etc"), "here");
            assert_eq!(told(&tree, "/etc/gone"), "does not exist");
        } else {
            // Not root: whiteouts cannot be made, and are not found.
            assert_eq!(told(&tree, "/etc"), "gone here");
        }
    }
}
