//! Where the remembered layout is, and what it says.

use std::path::PathBuf;

use super::env::{Env, FILE_DEADLINE};
use super::shown_path;
use crate::host::open::OpenError;
use crate::layout::{FILE, Layout, MOST};
use crate::text::Text;

/// The remembered layout of this run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// The file, or why there is none.
    pub place: Result<PathBuf, Text>,
    /// What it says, or what is so without it.
    pub layout: Layout,
    /// What is wrong with it.
    pub problem: Option<Text>,
}

/// Looks for it. As root nobody else may own or write what leads there.
pub fn remembered(env: &Env) -> Remembered {
    let place = place(env);
    let (mut layout, mut problem) = (Layout::default(), None);
    if let Ok(path) = &place {
        let read = env.own.read(path, MOST, FILE_DEADLINE);
        let text = read.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let told = |what: String| Text::clean(&format!("{}: {what}", path.display()));
        match text.map(|text| Layout::parse(&text)) {
            Ok(Ok(read)) => layout = read,
            Err(OpenError::Missing) => {}
            Ok(Err(what)) => problem = Some(told(what)),
            Err(error) => problem = Some(told(error.to_string())),
        }
    }
    Remembered {
        place,
        layout,
        problem,
    }
}

fn place(env: &Env) -> Result<PathBuf, Text> {
    let folder = env
        .state_home()
        .ok_or_else(|| Text::from("HOME is not set"))?;
    let path = folder.join(FILE);
    let Some(guard) = &env.guard else {
        return Ok(path);
    };
    for part in path.ancestors() {
        match guard.distrust(&env.own, part) {
            Ok(None) => return Ok(path),
            Ok(Some(why)) => {
                return Err(Text::clean(&format!("{} {why}", shown_path(part))));
            }
            // The folders above are what matters then.
            Err(OpenError::Missing) => {}
            Err(error) => return Err(Text::clean(&format!("{} {error}", shown_path(part)))),
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::super::testing::Node;
    use super::*;

    const PATH: &str = "/home/u/.local/state/critui/layout.yaml";

    #[test]
    fn what_is_there_is_read_and_what_is_wrong_is_told() {
        let node = Node::new();
        assert_eq!(remembered(&node.env).layout, Layout::default());
        node.write(PATH, "pods: [usage]\nhint: false\n");
        let found = remembered(&node.env);
        assert_eq!((found.place, found.problem), (Ok(PATH.into()), None));
        assert_eq!(found.layout.pods, ["usage"]);
        node.write(PATH, "pods: 3\n");
        let found = remembered(&node.env);
        assert_eq!(found.layout, Layout::default());
        assert!(found.problem.unwrap().as_str().starts_with(PATH));
    }

    #[test]
    fn without_a_home_nothing_is_remembered() {
        let mut node = Node::new();
        node.env.vars.clear();
        assert_eq!(remembered(&node.env).place, Err("HOME is not set".into()));
    }
}
