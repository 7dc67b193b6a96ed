//! critui's own settings: `/etc/critui/settings.yaml`, then the user's.
//!
//! Loading never stops the program. It fails closed: where a file may have asked for read-only
//! mode and could not be understood or trusted, read-only it is.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_yaml::Value;

use super::env::{Env, FILE_DEADLINE};
use super::go;
use super::journal::JournalSettings;
use super::logs::LogSettings;
use super::look::{self, Bound, Look, Skin};
use super::schema::{Draft, Here, READ_ONLY, no_such, scalar};
pub use super::schema::{KEYS, Key};
use super::trust::Guard;
use super::value::Valued;
use super::yaml::{Fault, MAX_BYTES, Places};
use crate::access::Reason;
use crate::host::open::{HostRoot, OpenError};
use crate::model::list::Sort;
use crate::text::Text;

/// Where the settings for everybody are.
pub const SYSTEM: &str = "/etc/critui/settings.yaml";
/// Where a user's are, below the folder of his configuration.
const USER: &str = "critui/settings.yaml";
/// Shortest time between two looks at the runtime.
const MIN_REFRESH: Duration = Duration::from_millis(250);
/// Longest.
const MAX_REFRESH: Duration = Duration::from_secs(5 * 60);

/// Most problems that are told: a file may hold a million unknown keys.
const MAX_PROBLEMS: usize = 16;

/// What the settings files say, apart from `read-only`, which is a [`Reason`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// Time between two looks at the runtime.
    pub refresh: Option<Valued<Duration>>,
    /// The theme.
    pub theme: Option<Valued<Skin>>,
    /// The orders of the lists, by [`Panel::index`](crate::model::Panel::index).
    pub sort: [Option<Valued<Sort>>; 3],
    /// How the view of logs begins.
    pub logs: LogSettings,
    /// Where the journal is.
    pub journal: JournalSettings,
    /// Keys of commands, a later one for the same command wins.
    pub keys: Vec<Bound>,
}

impl Settings {
    /// What `later` says replaces what is here.
    fn add(&mut self, later: Self) {
        fn replace<T>(here: &mut Option<T>, later: Option<T>) {
            if later.is_some() {
                *here = later;
            }
        }
        replace(&mut self.refresh, later.refresh);
        replace(&mut self.theme, later.theme);
        for (here, later) in self.sort.iter_mut().zip(later.sort) {
            replace(here, later);
        }
        self.logs.add(later.logs);
        self.journal.add(later.journal);
        self.keys.extend(later.keys);
    }

    /// Theme, keys and orders, with what is built in where nothing is said.
    pub fn look(self) -> Look {
        Look::new(self.theme, self.sort, self.logs, self.keys)
    }
}

/// What came of all files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Loaded {
    /// The settings that are good; a user's file wins over the one for everybody.
    pub settings: Settings,
    /// Voices for read-only mode.
    pub reasons: Vec<Reason>,
    /// What is wrong, one line each: file, line, column, key.
    pub problems: Vec<Text>,
    /// What is odd but was asked for.
    pub warnings: Vec<Text>,
}

/// A duration from 250 ms to 5 min as Go writes it.
pub fn parse_refresh(text: &str) -> Result<Duration, String> {
    go::positive(go::parse_duration(text)?)
        .filter(|refresh| (MIN_REFRESH..=MAX_REFRESH).contains(refresh))
        .ok_or_else(|| format!("{text:?} is not between 250ms and 5m"))
}

/// Reads every file that concerns this run. `named` is `--settings`, which replaces the user's
/// file. Files for everybody are read from the program's own file system and from the host's.
pub fn load(named: Option<&Path>, env: &Env, host: &HostRoot) -> Loaded {
    let mut loaded = Loaded::default();
    for file in loaded.files(named, env, host) {
        loaded.add(&file);
    }
    let clashes = look::settle(&mut loaded.settings.keys);
    loaded.problems.extend(clashes.into_iter().map(Text::from));
    loaded
}

/// Where [`load`] looks.
pub fn places(named: Option<&Path>, env: &Env, host: &HostRoot) -> Vec<(HostRoot, PathBuf)> {
    let files = Loaded::default().files(named, env, host);
    let place = |file: File<'_>| (file.host.clone(), file.path);
    files.into_iter().map(place).collect()
}

/// A file that may be there.
struct File<'a> {
    host: &'a HostRoot,
    path: PathBuf,
    shown: String,
    guard: Option<Guard>,
    /// Named by flag: it must be there, and distrust is a warning.
    named: bool,
    /// Under sudo, the user and group whose file it is: it is read as them.
    caller: Option<(u32, u32)>,
}

impl<'a> File<'a> {
    fn new(host: &'a HostRoot, path: PathBuf, guard: Option<Guard>) -> Self {
        let shown = Text::clean(&host.outside(&path).to_string_lossy()).to_string();
        Self {
            host,
            path,
            shown,
            guard,
            named: false,
            caller: None,
        }
    }

    /// Its text, or `None` when it is not there and need not be; and why it is not trusted if
    /// it is used all the same.
    fn text(&self) -> Result<(Option<String>, Option<String>), String> {
        match self.read(&self.path) {
            Err(OpenError::Missing) if !self.named => Ok((None, None)),
            Err(error) => Err(error.to_string()),
            Ok((_, Some(why))) if !self.named => Err(format!("{why}, so it is not trusted")),
            Ok((bytes, distrust)) => Ok((Some(utf8(bytes)?), distrust)),
        }
    }

    /// The text of a theme that the file names; the error follows the theme's path.
    fn theme(&self, path: &Path) -> Result<String, String> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        match self.read(&folder.join(path)) {
            Err(error) => Err(format!(" {error}")),
            Ok((_, Some(why))) => Err(format!(" {why}, so it is not trusted")),
            Ok((bytes, None)) => utf8(bytes).map_err(|what| format!(" {what}")),
        }
    }

    /// What a path holds, with the rights that this file has, and why it should not be trusted.
    fn read(&self, path: &Path) -> Result<(Vec<u8>, Option<String>), OpenError> {
        if let Some(caller) = self.caller {
            let read = self.host.read_as(caller, path, MAX_BYTES, FILE_DEADLINE);
            let (stat, bytes) = read?;
            let guard = self.guard.as_ref();
            return Ok((bytes, guard.and_then(|guard| guard.fault(stat))));
        }
        let distrust = match &self.guard {
            Some(guard) => guard.distrust(self.host, path)?,
            None => None,
        };
        Ok((self.host.read(path, MAX_BYTES, FILE_DEADLINE)?, distrust))
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".into())
}

impl Loaded {
    /// What `--strict` says; `None` when all is well.
    pub fn first_problem(&self) -> Option<String> {
        let first = self.problems.first()?;
        let more = match self.problems.len() - 1 {
            0 => String::new(),
            1 => " (and 1 more problem: 'critui settings' shows both)".into(),
            n => format!(" (and {n} more problems: 'critui settings' shows them all)"),
        };
        Some(format!("{first}{more}"))
    }

    fn files<'a>(
        &mut self,
        named: Option<&Path>,
        env: &'a Env,
        host: &'a HostRoot,
    ) -> Vec<File<'a>> {
        let system = File::new(&env.own, SYSTEM.into(), env.guard.clone());
        let on_host = File::new(host, SYSTEM.into(), env.guard.clone());
        let host_is_other = on_host.shown != system.shown;
        let mut files = vec![system];
        files.extend(Some(on_host).filter(|_| host_is_other));
        if let Some(path) = named {
            let mut file = File::new(&env.own, env.cwd.join(path), env.guard.clone());
            file.named = true;
            files.push(file);
        } else {
            files.extend(self.users(env));
        }
        files
    }

    /// The user's file, and under sudo that of the user who called it.
    fn users<'a>(&mut self, env: &'a Env) -> impl Iterator<Item = File<'a>> + use<'a> {
        let users = self.path_below(env.config_home());
        let caller = env.sudo_user();
        let callers = caller.and_then(|(uid, _)| {
            let home = env.home_of(uid);
            self.path_below(home.map(|home| home.map(|home| home.join(".config"))))
        });
        let users = users.filter(|path| callers.as_ref() != Some(path));
        let users = users.map(|path| File::new(&env.own, path, env.guard.clone()));
        let callers = callers.zip(caller).map(|(path, caller)| {
            let guard = env.guard.clone().map(|guard| guard.and(caller));
            let mut file = File::new(&env.own, path, guard);
            file.caller = Some(caller);
            file
        });
        users.into_iter().chain(callers)
    }

    fn path_below(&mut self, folder: Result<Option<PathBuf>, OpenError>) -> Option<PathBuf> {
        match folder {
            Ok(folder) => folder.map(|folder| folder.join(USER)),
            Err(error) => {
                self.broken("/etc/passwd", &Fault::at(None, error.to_string()));
                None
            }
        }
    }

    fn add(&mut self, file: &File<'_>) {
        let shown = &file.shown;
        let (text, distrust) = match file.text() {
            Ok(found) => found,
            Err(what) => return self.broken(shown, &Fault::at(None, what)),
        };
        if let Some(why) = distrust {
            let line = format!("{shown} {why}; it is used because --settings names it");
            self.warnings.push(line.into());
        }
        let Some(text) = text else { return };
        let mut settings = self.add_text(shown, &text, &|path| file.theme(path));
        if file.caller.is_some() {
            // Looks and keys are his own affair; how often root asks the runtime is not.
            settings.refresh = None;
            // Nor where root keeps its records.
            settings.journal = JournalSettings::default();
        }
        self.settings.add(settings);
    }

    fn add_text(
        &mut self,
        shown: &str,
        text: &str,
        read: &dyn Fn(&Path) -> Result<String, String>,
    ) -> Settings {
        match parse(text) {
            Ok(pairs) => self.add_pairs(shown, &pairs, &Places::of(text), read),
            Err(fault) => {
                self.broken(shown, &fault);
                Settings::default()
            }
        }
    }

    fn add_pairs(
        &mut self,
        shown: &str,
        pairs: &serde_yaml::Mapping,
        places: &Places,
        read: &dyn Fn(&Path) -> Result<String, String>,
    ) -> Settings {
        let mut draft = Draft::default();
        for (key, value) in pairs {
            let name = scalar(key);
            let Some(key) = KEYS.iter().find(|known| known.name == name) else {
                // A key that nobody knows may be read-only, misspelt.
                let what = no_such("setting", &name, KEYS.iter().map(|key| key.name));
                self.broken(shown, &Fault::at(places.get(&name), what));
                continue;
            };
            let here = Here {
                shown,
                places,
                key,
                read,
            };
            for fault in (key.set)(&mut draft, value, &here) {
                if key.name == READ_ONLY {
                    self.broken(shown, &fault);
                } else if self.problems.len() < MAX_PROBLEMS {
                    self.problems.push(fault.in_file(shown).into());
                }
            }
        }
        if draft.read_only == Some(true) {
            let path = shown.to_owned();
            self.reasons.push(Reason::Settings { path });
        }
        draft.settings
    }

    fn broken(&mut self, path: &str, fault: &Fault) {
        if self.reasons.len() >= MAX_PROBLEMS {
            return;
        }
        self.reasons.push(Reason::BrokenSettings {
            path: path.to_owned(),
            problem: Text::clean(&fault.to_string()).to_string(),
        });
        self.problems.push(fault.in_file(path).into());
    }
}

fn parse(text: &str) -> Result<serde_yaml::Mapping, Fault> {
    match serde_yaml::from_str(text)? {
        Value::Null => Ok(serde_yaml::Mapping::new()),
        Value::Mapping(pairs) => Ok(pairs),
        _ => Err(Fault::at(
            None,
            "expected a mapping of keys to values, such as read-only: true",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Node;
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;
    use std::collections::BTreeMap;

    const USERS: &str = "/home/u/.config/critui/settings.yaml";

    fn loaded(node: &Node) -> Loaded {
        load(None, &node.env, &node.host)
    }

    fn text(raw: &str) -> Loaded {
        let node = Node::new();
        node.write(SYSTEM, raw);
        loaded(&node)
    }

    #[test]
    fn nothing_there_is_nothing_wrong() {
        assert_eq!(loaded(&Node::new()), Loaded::default());
        assert_eq!(text(""), Loaded::default());
        assert_eq!(text("# only a comment\n"), Loaded::default());
        assert_eq!(text("read-only: false\n"), Loaded::default());
    }

    #[test]
    fn the_users_file_wins_but_cannot_turn_read_only_off() {
        let node = Node::new();
        node.write(SYSTEM, "read-only: true\nrefresh: 5s\n");
        node.write(USERS, "\nrefresh: 1m\nread-only: false\n");
        let loaded = loaded(&node);
        let refresh = loaded.settings.refresh.unwrap();
        assert_eq!(refresh.value, Duration::from_secs(60));
        assert_eq!(
            refresh.source.to_string(),
            format!("{}:2", node.shown(USERS))
        );
        let path = node.shown(SYSTEM);
        assert_eq!(loaded.reasons, [Reason::Settings { path }]);
        assert_eq!(loaded.problems, Vec::<Text>::new());
    }

    #[rstest]
    #[case(
        "raed-only: true",
        ":1:1: raed-only is no setting: did you mean read-only?"
    )]
    #[case(
        "refresh: 1s\nread_only: true",
        ":2:1: read_only is no setting: did you mean read-only?"
    )]
    #[case(
        "\ncolour: red",
        ":2:1: colour is no setting: there are read-only, refresh"
    )]
    #[case("read-only: yes", ":1:1: read-only: expected true or false, found yes")]
    #[case("read-only:", ":1:1: read-only: expected true or false, found nothing")]
    #[case(
        "read-only: [true]",
        ":1:1: read-only: expected true or false, found a list"
    )]
    #[case(
        "- read-only",
        ": expected a mapping of keys to values, such as read-only: true"
    )]
    #[case("read-only: 'true", ":1:17: ")]
    #[case(
        "read-only: true\nread-only: false",
        ":1:1: duplicate entry with key \"read-only\""
    )]
    #[case("\u{1b}[2J: 1", ":1:1: ")]
    fn what_is_not_understood_is_read_only(#[case] raw: &str, #[case] problem: &str) {
        let loaded = text(raw);
        assert_eq!(loaded.problems.len(), 1);
        let line = loaded.problems[0].as_str();
        assert!(line.contains(&format!("settings.yaml{problem}")), "{line}");
        assert!(
            matches!(loaded.reasons[..], [Reason::BrokenSettings { .. }]),
            "{:?}",
            loaded.reasons
        );
    }

    #[rstest]
    #[case("refresh: 2", "found 2")]
    #[case("refresh: 10ms", "found 10ms")]
    #[case("refresh: 6m", "found 6m")]
    #[case("refresh: {a: b}", "found a mapping")]
    fn another_wrong_value_is_only_a_problem(#[case] raw: &str, #[case] found: &str) {
        let loaded = text(raw);
        let expected =
            "settings.yaml:1:1: refresh: expected a duration from 250ms to 5m, such as 2s, ";
        let line = loaded.problems[0].as_str();
        assert!(line.ends_with(&format!("{expected}{found}")), "{line}");
        assert_eq!(loaded.reasons, []);
        assert_eq!(loaded.settings, Settings::default());
    }

    #[test]
    fn good_settings_survive_bad_neighbours() {
        let loaded = text("colour: red\nrefresh: 3s\n");
        assert_eq!(
            loaded.settings.refresh.unwrap().value,
            Duration::from_secs(3)
        );
        assert_eq!(loaded.reasons.len(), 1);
    }

    #[test]
    fn a_flood_of_problems_is_cut() {
        let flood: Vec<_> = (0..500).map(|n| format!("x{n}: 1")).collect();
        let loaded = text(&flood.join("\n"));
        assert_eq!(loaded.reasons.len(), MAX_PROBLEMS);
        assert_eq!(loaded.problems.len(), MAX_PROBLEMS);
    }

    #[test]
    fn what_cannot_be_read_is_read_only() {
        let node = Node::new();
        node.write("/etc/critui/settings.yaml/inside", "");
        node.write_bytes(USERS, b"refresh: \xff\n");
        let loaded = loaded(&node);
        let problems: Vec<_> = loaded.problems.iter().map(Text::as_str).collect();
        let expected = [
            format!("{}: is a folder, not a regular file", node.shown(SYSTEM)),
            format!("{}: is not UTF-8 text", node.shown(USERS)),
        ];
        assert_eq!(problems, expected);
        assert_eq!(loaded.reasons.len(), 2);
    }

    #[test]
    fn a_named_file_replaces_the_users_and_must_exist() {
        let node = Node::new();
        node.write(USERS, "refresh: 9s\n");
        node.write("/work/my.yaml", "refresh: 8s\n");
        let named = load(Some(Path::new("my.yaml")), &node.env, &node.host);
        assert_eq!(
            named.settings.refresh.unwrap().value,
            Duration::from_secs(8)
        );
        let absent = load(Some(Path::new("/none.yaml")), &node.env, &node.host);
        assert_eq!(absent.settings.refresh, None);
        assert!(
            absent.problems[0]
                .as_str()
                .ends_with("/none.yaml: does not exist")
        );
        assert_eq!(absent.reasons.len(), 1);
    }

    #[test]
    fn the_hosts_file_counts_as_well() {
        let (own, other) = (Node::new(), Node::new());
        other.write(SYSTEM, "read-only: true\n");
        let loaded = load(None, &own.env, &other.host);
        let path = other.shown(SYSTEM);
        assert_eq!(loaded.reasons, [Reason::Settings { path }]);
    }

    proptest! {
        /// Whatever the file holds: if it does not make the program read-only, then it is a
        /// mapping of known keys that does not say so.
        #[test]
        fn only_what_is_understood_gives_full_access(
            raw in "([a-z-]{1,9}|read-only|refresh|true|[-:?,\\[\\]{}#&*!|>'\"%@` \n\t\u{feff}\u{1b}]|: |\n- ){0,12}",
        ) {
            let mut loaded = Loaded::default();
            loaded.add_text("settings.yaml", &raw, &|_| Err(" is not there".into()));
            if loaded.reasons.is_empty() {
                let pairs: Option<BTreeMap<String, Value>> = serde_yaml::from_str(&raw).unwrap();
                for (key, value) in pairs.unwrap_or_default() {
                    prop_assert!(KEYS.iter().any(|known| known.name == key), "{key}");
                    prop_assert!(key != READ_ONLY || value == Value::Bool(false));
                }
            }
        }
    }

    mod as_root {
        use super::*;

        fn node(mode: u32) -> Node {
            let node = Node::as_root();
            node.write(SYSTEM, "refresh: 9s\n");
            node.chmod(SYSTEM, mode);
            node
        }

        #[test]
        fn what_others_write_is_read_only() {
            let loaded = loaded(&node(0o666));
            assert_eq!(loaded.settings, Settings::default());
            assert_eq!(loaded.reasons.len(), 1);
            let line = loaded.problems[0].as_str();
            assert!(line.ends_with(", so it is not trusted"), "{line}");
        }

        #[test]
        fn a_named_file_that_others_write_is_used_with_a_warning() {
            let node = node(0o644);
            node.write("/work/my.yaml", "refresh: 8s\n");
            node.chmod("/work/my.yaml", 0o666);
            node.write(SYSTEM, "");
            let loaded = load(Some(Path::new("my.yaml")), &node.env, &node.host);
            assert_eq!(
                loaded.settings.refresh.unwrap().value,
                Duration::from_secs(8)
            );
            let line = loaded.warnings.last().unwrap().as_str();
            assert!(
                line.ends_with("it is used because --settings names it"),
                "{line}"
            );
        }

        const CALLERS: &str = "/home/c/.config/critui/settings.yaml";

        /// Under sudo; the caller's files are his own where whoever runs the tests can give them
        /// away.
        fn sudo(settings: &str) -> Node {
            let mut node = Node::as_root();
            let me = rustix::process::geteuid();
            let caller = if me.is_root() { 4242 } else { me.as_raw() };
            node.set("SUDO_UID", &caller.to_string());
            let passwd = format!("c:x:{caller}:{caller}::/home/c:/bin/sh\n");
            node.write("/etc/passwd", &passwd);
            node.write(CALLERS, settings);
            node.give(CALLERS, caller);
            node
        }

        #[test]
        fn under_sudo_the_caller_has_a_say_in_looks_and_in_read_only() {
            let raw = "refresh: 9s\nread-only: true\ntheme: light\nkeys: {sort: F5}\n\
                       sort: {pods: age}\n";
            let mut node = sudo(raw);
            node.write(SYSTEM, "theme: nord\nrefresh: 3s\n");
            let loaded = loaded(&node);
            assert_eq!(loaded.problems, [""; 0]);
            let path = node.shown(CALLERS);
            assert_eq!(loaded.reasons, [Reason::Settings { path }]);
            let refresh = loaded
                .settings
                .refresh
                .as_ref()
                .map(|refresh| refresh.value);
            assert_eq!(refresh, Some(Duration::from_secs(3)));
            // sudo may keep $HOME or not.
            node.set("HOME", "/home/c");
            assert_eq!(load(None, &node.env, &node.host), loaded);
            let look = loaded.settings.look();
            assert_eq!(look.theme.value.name.as_str(), "light");
            assert_eq!(look.keymap.key_of("sort").unwrap().to_string(), "F5");
            assert_eq!(
                look.sort[0].source.to_string(),
                format!("{}:5", node.shown(CALLERS))
            );
        }

        /// What is wrong with the caller's file.
        fn refused(node: &Node) -> String {
            let loaded = loaded(node);
            assert_eq!(loaded.settings, Settings::default());
            assert!(matches!(
                loaded.reasons[..],
                [Reason::BrokenSettings { .. }]
            ));
            let line = loaded.problems[0].as_str();
            line.replace(&node.shown(CALLERS), "C")
        }

        #[test]
        fn the_callers_file_must_be_no_link_and_written_by_nobody_else() {
            let node = sudo("theme: light\n");
            node.chmod(CALLERS, 0o646);
            assert_eq!(
                refused(&node),
                "C: can be written by everyone, so it is not trusted"
            );
            std::fs::remove_file(node.at(CALLERS)).unwrap();
            node.write("/home/c/elsewhere", "theme: light\n");
            std::os::unix::fs::symlink("/home/c/elsewhere", node.at(CALLERS)).unwrap();
            assert_eq!(refused(&node), "C: is a symbolic link, not a regular file");
        }

        /// Needs root, as sudo does: nobody else can take another user's part.
        #[test]
        fn what_the_caller_cannot_read_is_not_read_for_him() {
            if !rustix::process::geteuid().is_root() {
                return;
            }
            let node = sudo("theme: /etc/shadow\n");
            node.write("/etc/shadow", "root:secret\n");
            node.chmod("/etc/shadow", 0o600);
            let loaded = loaded(&node);
            let place = format!("{}:1:1: ", node.shown(CALLERS));
            let what = "theme: /etc/shadow cannot be opened: permission denied";
            assert_eq!(loaded.problems, [Text::from(format!("{place}{what}"))]);
            // His file itself, if it is not his.
            node.give(CALLERS, 0);
            node.chmod(CALLERS, 0o600);
            assert_eq!(refused(&node), "C: cannot be opened: permission denied");
            // Somebody else's that he can read.
            node.give(CALLERS, 77);
            node.chmod(CALLERS, 0o644);
            assert_eq!(
                refused(&node),
                "C: belongs to user 77, so it is not trusted"
            );
        }
    }
}
