//! Which key means what: the keys of [`COMMANDS`], changed by the user's settings.

use crate::keys::Key;
use crate::model::Noun;
use crate::model::command::{COMMANDS, Command};

/// The keys that the user wants for one command, in place of its own. None unbinds it.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The command.
    pub command: &'static Command,
    /// Its keys.
    pub keys: Vec<Key>,
}

impl PartialEq for Binding {
    fn eq(&self, other: &Self) -> bool {
        (self.command.name, &self.keys) == (other.command.name, &other.keys)
    }
}

impl Eq for Binding {}

/// A binding that cannot be: its key means something else already.
#[derive(Clone, Debug)]
pub struct Clash {
    /// The binding that has no effect, by its place among those that were given.
    pub binding: usize,
    /// The key.
    pub key: Key,
    /// What the key means.
    pub taken_by: &'static Command,
    /// The binding that says so; `None` if the table of commands does.
    pub by: Option<usize>,
}

/// The keys of every command. No key means two things to one noun.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keymap {
    /// In the order of [`COMMANDS`].
    keys: Vec<Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = |command: &Command| command.keys.iter().filter_map(|key| key.parse().ok());
        Self {
            keys: COMMANDS.iter().map(|c| keys(c).collect()).collect(),
        }
    }
}

impl Keymap {
    /// The keys of the table with `bindings` in place of some; of two for one command the later
    /// wins. Where keys clash the later binding has no effect, and is told.
    pub fn new(bindings: &[Binding]) -> (Self, Vec<Clash>) {
        let table = Self::default();
        if bindings.is_empty() {
            // Tested to be free of clashes; looking for them takes time at the start.
            return (table, Vec::new());
        }
        let mut active: Vec<usize> = (0..bindings.len()).collect();
        let mut clashes = Vec::new();
        loop {
            let keymap = table.with(active.iter().map(|at| &bindings[*at]));
            let Some(clash) = keymap.clash(bindings, &active) else {
                return (keymap, clashes);
            };
            active.retain(|at| *at != clash.binding);
            clashes.push(clash);
        }
    }

    fn with<'a>(&self, bindings: impl Iterator<Item = &'a Binding>) -> Self {
        let mut keymap = self.clone();
        for binding in bindings {
            if let Some(keys) = place(binding.command).and_then(|at| keymap.keys.get_mut(at)) {
                keys.clone_from(&binding.keys);
            }
        }
        keymap
    }

    /// The first key that means two things to one noun, laid to the later of the two bindings.
    fn clash(&self, bindings: &[Binding], active: &[usize]) -> Option<Clash> {
        let binding_of = |command: &Command| {
            let of = |at: &&usize| bindings[**at].command.name == command.name;
            active.iter().rev().find(of).copied()
        };
        let pairs = COMMANDS.iter().enumerate().flat_map(|(at, one)| {
            let later = COMMANDS.iter().skip(at + 1);
            later.map(move |other| (one, other))
        });
        pairs.into_iter().find_map(|(one, other)| {
            let key = self.shared(one, other)?;
            let (by_one, by_other) = (binding_of(one), binding_of(other));
            let (binding, taken_by, by) = if by_one > by_other {
                (by_one, other, by_other)
            } else {
                (by_other, one, by_one)
            };
            Some(Clash {
                binding: binding?,
                key,
                taken_by,
                by,
            })
        })
    }

    /// A key of both commands, if there is a noun that both are about.
    fn shared(&self, one: &Command, other: &Command) -> Option<Key> {
        if !one.on.iter().any(|noun| other.on.contains(noun)) {
            return None;
        }
        let others = self.keys_of(other);
        let keys = self.keys_of(one);
        // A key that means something by itself begins no sequence.
        let clash = |key: &&Key| {
            let same = |other: &Key| {
                other == *key || other.first() == Some(**key) || key.first() == Some(*other)
            };
            others.iter().any(same)
        };
        keys.iter().find(clash).copied()
    }

    /// The sequences for `noun` that `key` begins: their last keys, and what they mean.
    pub fn begun(&self, key: Key, noun: Noun) -> Vec<(Key, &'static Command)> {
        let commands = COMMANDS.iter().zip(&self.keys);
        let of_noun = commands.filter(|(command, _)| command.on.contains(&noun));
        let begun = of_noun.filter_map(|(command, keys)| {
            let sequence = keys.iter().find(|known| known.first() == Some(key))?;
            Some((sequence.last(), command))
        });
        begun.collect()
    }

    /// The command that `key` means for `noun`.
    pub fn find(&self, key: Key, noun: Noun) -> Option<&'static Command> {
        let commands = COMMANDS.iter().zip(&self.keys);
        commands
            .filter(|(command, keys)| command.on.contains(&noun) && keys.contains(&key))
            .map(|(command, _)| command)
            .next()
    }

    /// The keys of a command, the one to show first; none if it has none.
    pub fn keys_of(&self, command: &Command) -> &[Key] {
        place(command)
            .and_then(|at| self.keys.get(at))
            .map_or(&[], Vec::as_slice)
    }

    /// The keys of a command as help shows them; empty if it has none.
    pub fn shown(&self, command: &Command) -> String {
        let keys: Vec<_> = self.keys_of(command).iter().map(Key::to_string).collect();
        keys.join(" ")
    }

    /// The first key of the command with this name, if it has one.
    pub fn key_of(&self, name: &str) -> Option<Key> {
        let at = COMMANDS.iter().position(|command| command.name == name)?;
        self.keys.get(at)?.first().copied()
    }
}

fn place(command: &Command) -> Option<usize> {
    COMMANDS.iter().position(|known| known.name == command.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    const NOUNS: [Noun; 5] = [
        Noun::Pod,
        Noun::Container,
        Noun::Image,
        Noun::Page,
        Noun::Logs,
    ];

    fn named(name: &str) -> &'static Command {
        COMMANDS.iter().find(|c| c.name == name).unwrap()
    }

    fn bind(name: &str, keys: &[&str]) -> Binding {
        Binding {
            command: named(name),
            keys: keys.iter().map(|key| key.parse().unwrap()).collect(),
        }
    }

    fn key(name: &str) -> Key {
        name.parse().unwrap()
    }

    #[test]
    fn without_settings_the_table_holds() {
        let (keymap, clashes) = Keymap::new(&[]);
        assert!(clashes.is_empty());
        for command in COMMANDS {
            assert_eq!(keymap.shown(command), command.keys.join(" "));
        }
        assert_eq!(keymap.find(key("j"), Noun::Page).unwrap().name, "down");
        assert!(keymap.find(key("o"), Noun::Page).is_none());
        assert_eq!(keymap.key_of("help"), Some(key("?")));
    }

    #[test]
    fn a_binding_replaces_all_keys_and_an_empty_one_unbinds() {
        let (keymap, clashes) = Keymap::new(&[bind("down", &["F5", "^n"]), bind("up", &[])]);
        assert!(clashes.is_empty());
        assert_eq!(keymap.shown(named("down")), "F5 ^n");
        assert!(keymap.find(key("j"), Noun::Pod).is_none());
        assert_eq!(keymap.shown(named("up")), "");
        assert_eq!(keymap.key_of("up"), None);
    }

    #[test]
    fn keys_can_be_swapped_and_the_later_binding_wins() {
        let swap = [
            bind("sort", &["O"]),
            bind("reverse", &["o"]),
            bind("sort", &["F5"]),
        ];
        let (keymap, clashes) = Keymap::new(&swap);
        assert!(clashes.is_empty());
        assert_eq!(keymap.find(key("F5"), Noun::Pod).unwrap().name, "sort");
        assert_eq!(keymap.find(key("o"), Noun::Pod).unwrap().name, "reverse");
    }

    #[test]
    fn a_key_that_is_taken_stays_where_it_was() {
        let (keymap, clashes) = Keymap::new(&[bind("sort", &["j"])]);
        assert_eq!(keymap, Keymap::default());
        let [clash] = &clashes[..] else {
            panic!("{clashes:?}")
        };
        assert_eq!((clash.binding, clash.by), (0, None));
        assert_eq!((clash.key, clash.taken_by.name), (key("j"), "down"));
    }

    #[test]
    fn of_two_bindings_the_earlier_keeps_the_key() {
        let (keymap, clashes) = Keymap::new(&[bind("sort", &["F5"]), bind("down", &["F5"])]);
        assert_eq!(keymap.find(key("F5"), Noun::Pod).unwrap().name, "sort");
        assert_eq!(keymap.find(key("j"), Noun::Pod).unwrap().name, "down");
        assert_eq!((clashes[0].binding, clashes[0].by), (1, Some(0)));
        assert_eq!(clashes.len(), 1);
    }

    #[test]
    fn a_binding_that_goes_may_take_others_along() {
        // Without the second, `reverse` has its own O again, which `sort` wants.
        let chain = [bind("sort", &["O"]), bind("reverse", &["j"])];
        let (keymap, clashes) = Keymap::new(&chain);
        assert_eq!(keymap, Keymap::default());
        assert_eq!(clashes.len(), 2);
    }

    fn bindings() -> impl Strategy<Value = Vec<Binding>> {
        let keys = select(vec!["j", "k", "o", "O", "q", "F5", "^d", "Enter"]);
        let keys = proptest::collection::vec(keys, 0..3);
        let binding = (any::<Index>(), keys).prop_map(|(at, keys)| Binding {
            command: &COMMANDS[at.index(COMMANDS.len())],
            keys: keys.into_iter().map(key).collect(),
        });
        proptest::collection::vec(binding, 0..9)
    }

    proptest! {
        #[test]
        fn no_key_means_two_things_whatever_is_asked_for(bindings in bindings()) {
            let (keymap, clashes) = Keymap::new(&bindings);
            for noun in NOUNS {
                let of_noun = COMMANDS.iter().filter(|c| c.on.contains(&noun));
                let mut seen = std::collections::HashMap::new();
                for command in of_noun {
                    for key in keymap.keys_of(command) {
                        let before = seen.insert(*key, command.name);
                        prop_assert!(before.is_none_or(|name| name == command.name));
                        prop_assert_eq!(keymap.find(*key, noun).unwrap().name, command.name);
                    }
                }
            }
            // What is not told is in effect, unless a later one says otherwise.
            for (at, binding) in bindings.iter().enumerate() {
                let later = bindings.iter().enumerate().skip(at + 1).any(|(later, other)| {
                    other.command.name == binding.command.name
                        && clashes.iter().all(|clash| clash.binding != later)
                });
                if !later && clashes.iter().all(|clash| clash.binding != at) {
                    prop_assert_eq!(keymap.keys_of(binding.command), &binding.keys[..]);
                }
            }
        }
    }
}
