//! Themes of one's own: the files of the folder `themes` beside the settings.

use std::path::{Path, PathBuf};

use super::env::{Env, FILE_DEADLINE};
use super::look::Skin;
use super::schema::THEMES_FOLDER;
use super::settings::SYSTEM;
use super::yaml::MAX_BYTES;
use crate::host::open::OpenError;
use crate::text::Text;

/// Themes looked at in one folder.
const MOST: usize = 64;

/// The themes of everybody's folder and of the user's, and what is wrong with others, one line
/// each. Of two of one name the user's wins, and nothing replaces one that is built in.
pub fn own(env: &Env) -> (Vec<Skin>, Vec<Text>) {
    let system = Path::new(SYSTEM).parent().map(Path::to_owned);
    let users = env.config_home().ok().flatten();
    let users = users.map(|folder| folder.join("critui"));
    let (mut skins, mut problems): (Vec<Skin>, Vec<Text>) = (vec![], vec![]);
    for folder in system.into_iter().chain(users) {
        for path in files(env, &folder.join(THEMES_FOLDER)) {
            match read(env, &path) {
                Ok(skin) => {
                    skins.retain(|known| known.name != skin.name);
                    skins.push(skin);
                }
                Err(what) => {
                    let line = format!("{}{what}", path.display());
                    problems.push(Text::clean(&line));
                }
            }
        }
    }
    skins.sort_by(|a, b| a.name.cmp(&b.name));
    (skins, problems)
}

fn files(env: &Env, folder: &Path) -> Vec<PathBuf> {
    let listing = env.own.list_dir(folder, MOST, FILE_DEADLINE);
    let names = listing.map(|listing| listing.names).unwrap_or_default();
    let paths = names.into_iter().map(|name| folder.join(name));
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    paths.sort();
    paths
}

fn read(env: &Env, path: &Path) -> Result<Skin, String> {
    let told = |error: OpenError| format!(" {error}");
    if let Some(guard) = &env.guard
        && let Some(why) = guard.distrust(&env.own, path).map_err(told)?
    {
        return Err(format!(" {why}, so it is not trusted"));
    }
    let bytes = (env.own.read(path, MAX_BYTES, FILE_DEADLINE)).map_err(told)?;
    let source = String::from_utf8(bytes).map_err(|_| " is not UTF-8 text".to_owned())?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    if Skin::named(&name).is_some() {
        return Err(": a built-in theme is called so: give it another name".to_owned());
    }
    let skin = Skin::parse(path.to_owned(), &source);
    skin.map(|skin| skin.called(&name))
        .map_err(|what| format!(": {what}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Node;
    use super::*;

    #[test]
    fn the_folder_beside_the_settings_is_read() {
        let node = Node::new();
        let (mine, theirs) = ("/home/u/.config/critui/themes", "/etc/critui/themes");
        node.write(&format!("{mine}/sea.yaml"), "text: { fg: '#abcdef' }\n");
        node.write(&format!("{theirs}/sea.yaml"), "text: { fg: red }\n");
        node.write(&format!("{theirs}/shore.yaml"), "background: light\n");
        node.write(&format!("{mine}/nord.yaml"), "text: {}\n");
        node.write(&format!("{mine}/bad.yaml"), "txt: {}\n");
        node.write(&format!("{mine}/notes.txt"), "not a theme\n");
        let (skins, problems) = own(&node.env);
        let names: Vec<&str> = skins.iter().map(|skin| skin.name.as_str()).collect();
        assert_eq!(names, ["sea", "shore"]);
        assert!(skins[0].file.as_ref().unwrap().starts_with("/home/u"));
        let [bad, nord] = &problems[..] else {
            panic!("{problems:?}")
        };
        assert!(bad.as_str().contains("bad.yaml: ") && bad.as_str().contains("txt"));
        assert!(
            nord.as_str()
                .ends_with("nord.yaml: a built-in theme is called so: give it another name")
        );
    }
}
