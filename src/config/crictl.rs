//! `/etc/crictl.yaml`, read exactly as crictl reads it.

use super::go;
use super::yaml::{Fault, Places, Raw, did_you_mean};

/// Every key that crictl knows.
pub const KEYS: [&str; 7] = [
    "runtime-endpoint",
    "image-endpoint",
    "timeout",
    "debug",
    "pull-image-on-create",
    "disable-pull-on-run",
    "max-retries",
];

/// A value of the file and the line of its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<T> {
    /// The value.
    pub value: T,
    /// Line of the key, from 1, if it is known.
    pub line: Option<usize>,
}

/// What the file says; `None` is what it does not say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CrictlFile {
    /// Endpoint of the runtime service, unparsed.
    pub runtime_endpoint: Option<Entry<String>>,
    /// Endpoint of the image service, unparsed.
    pub image_endpoint: Option<Entry<String>>,
    /// Seconds; zero and less mean the default.
    pub timeout: Option<Entry<i64>>,
    /// Debug output.
    pub debug: Option<Entry<bool>>,
    /// For `crictl create`.
    pub pull_image_on_create: Option<Entry<bool>>,
    /// For `crictl run`.
    pub disable_pull_on_run: Option<Entry<bool>>,
    /// Attempts after the first; below zero is without end.
    pub max_retries: Option<Entry<i64>>,
    /// What is odd but no error, for the user.
    pub oddities: Vec<String>,
}

impl CrictlFile {
    /// Reads the text of a file. When a key repeats, the last one counts.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let mut file = Self::default();
        let pairs = match Raw::parse(text)? {
            Raw::Pairs(pairs) => pairs,
            Raw::Empty => return Ok(file),
            Raw::Other => {
                let odd = "holds no mapping of keys to values, so it sets nothing";
                file.oddities.push(odd.into());
                return Ok(file);
            }
        };
        let places = Places::of(text);
        let mut seen = Vec::new();
        for (key, text) in &pairs {
            let place = places.get(key);
            let odd = format!("sets {key} more than once: the last one counts");
            if !seen.contains(&key) {
                seen.push(key);
            } else if !file.oddities.contains(&odd) {
                file.oddities.push(odd);
            }
            file.set(key, text, place.map(|place| place.line))
                .map_err(|what| Fault::at(place, what))?;
        }
        Ok(file)
    }

    fn set(&mut self, key: &str, text: &str, line: Option<usize>) -> Result<(), String> {
        let string = || {
            Some(Entry {
                value: text.to_owned(),
                line,
            })
        };
        let number = || entry(go::atoi(text), key, line, number_hint(key));
        let boolean = || entry(go::parse_bool(text), key, line, "write true or false");
        match key {
            "runtime-endpoint" => self.runtime_endpoint = string(),
            "image-endpoint" => self.image_endpoint = string(),
            "timeout" => self.timeout = Some(number()?),
            "debug" => self.debug = Some(boolean()?),
            "pull-image-on-create" => self.pull_image_on_create = Some(boolean()?),
            "disable-pull-on-run" => self.disable_pull_on_run = Some(boolean()?),
            "max-retries" => self.max_retries = Some(number()?),
            _ => return Err(unknown(key)),
        }
        Ok(())
    }
}

fn entry<T>(
    parsed: Result<T, String>,
    key: &str,
    line: Option<usize>,
    hint: &str,
) -> Result<Entry<T>, String> {
    match parsed {
        Ok(value) => Ok(Entry { value, line }),
        Err(what) => Err(format!("parsing config option '{key}': {what} ({hint})")),
    }
}

fn number_hint(key: &str) -> &'static str {
    if key == "timeout" {
        "write whole seconds without a unit"
    } else {
        "write a whole number"
    }
}

fn unknown(key: &str) -> String {
    let hint = match did_you_mean(key, KEYS) {
        Some(name) => format!("did you mean {name}?"),
        None => format!("crictl's options are {}", KEYS.join(", ")),
    };
    format!("Config option '{key}' is not valid ({hint})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[test]
    fn every_key_is_read_with_its_line() {
        let text = "# crictl\nruntime-endpoint: unix:///r\nimage-endpoint: \"unix:///i\"\n\
            timeout: \"7\"\ndebug: t\npull-image-on-create: 1\ndisable-pull-on-run: False\n\
            max-retries: -1\n";
        let file = CrictlFile::parse(text).unwrap();
        let at = |line| Some(line);
        let text = |value: &str, line| {
            Some(Entry {
                value: value.to_owned(),
                line: at(line),
            })
        };
        let expected = CrictlFile {
            runtime_endpoint: text("unix:///r", 2),
            image_endpoint: text("unix:///i", 3),
            timeout: Some(Entry {
                value: 7,
                line: at(4),
            }),
            debug: Some(Entry {
                value: true,
                line: at(5),
            }),
            pull_image_on_create: Some(Entry {
                value: true,
                line: at(6),
            }),
            disable_pull_on_run: Some(Entry {
                value: false,
                line: at(7),
            }),
            max_retries: Some(Entry {
                value: -1,
                line: at(8),
            }),
            oddities: vec![],
        };
        assert_eq!(file, expected);
    }

    #[rstest]
    #[case("", 0)]
    #[case("# nothing\n", 0)]
    #[case("{}", 0)]
    #[case("- runtime-endpoint\n- unix:///x\n", 1)]
    #[case("text", 1)]
    fn empty_files_set_nothing(#[case] text: &str, #[case] oddities: usize) {
        let mut file = CrictlFile::parse(text).unwrap();
        assert_eq!(file.oddities.len(), oddities);
        file.oddities.clear();
        assert_eq!(file, CrictlFile::default());
    }

    #[rstest]
    #[case(
        "timeout: 2s",
        "f:1:1: parsing config option 'timeout': strconv.Atoi: parsing \"2s\": invalid syntax (write whole seconds without a unit)"
    )]
    #[case(
        "timeout:",
        "f:1:1: parsing config option 'timeout': strconv.Atoi: parsing \"\": invalid syntax (write whole seconds without a unit)"
    )]
    #[case(
        "timeout: 1.5",
        "f:1:1: parsing config option 'timeout': strconv.Atoi: parsing \"1.5\": invalid syntax (write whole seconds without a unit)"
    )]
    #[case(
        "\nmax-retries: ~",
        "f:2:1: parsing config option 'max-retries': strconv.Atoi: parsing \"~\": invalid syntax (write a whole number)"
    )]
    #[case(
        "timeout: 1\ndebug: yes",
        "f:2:1: parsing config option 'debug': strconv.ParseBool: parsing \"yes\": invalid syntax (write true or false)"
    )]
    #[case(
        "runtime_endpoint: unix:///x",
        "f:1:1: Config option 'runtime_endpoint' is not valid (did you mean runtime-endpoint?)"
    )]
    #[case(
        "foo: 1",
        "f:1:1: Config option 'foo' is not valid (crictl's options are runtime-endpoint, image-endpoint, timeout, debug, pull-image-on-create, disable-pull-on-run, max-retries)"
    )]
    #[case(
        "1: 2",
        "f: Config option '1' is not valid (crictl's options are runtime-endpoint, image-endpoint, timeout, debug, pull-image-on-create, disable-pull-on-run, max-retries)"
    )]
    #[case(
        "debug: [1]",
        "f:1:8: debug: invalid type: sequence, expected a string"
    )]
    fn bad_files(#[case] text: &str, #[case] error: &str) {
        assert_eq!(CrictlFile::parse(text).unwrap_err().in_file("f"), error);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            raw in "(timeout|debug|[a-z]{1,3}|[-:?,\\[\\]{}#&*!|>'\"%@`~ \n\t\u{feff}\u{1b}]|: |\n- |[0-9]){0,20}",
        ) {
            let _ = CrictlFile::parse(&raw);
        }
    }

    #[test]
    fn the_last_of_repeated_keys_counts_and_is_told() {
        let file = CrictlFile::parse("timeout: 1\ntimeout: 2\ntimeout: 3\n").unwrap();
        assert_eq!(file.timeout.map(|entry| entry.value), Some(3));
        assert_eq!(
            file.oddities,
            ["sets timeout more than once: the last one counts"]
        );
    }
}
