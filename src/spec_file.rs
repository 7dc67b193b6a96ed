//! Files that say what pod or container to make: JSON or YAML, as crictl takes them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use saphyr::{LoadableYamlNode as _, MarkedYaml, YamlData};
use serde_json::Value;

use crate::config::yaml::{Fault, Place as At};
use crate::cri::spec::{self, Place, Plan, Wrong};
use crate::domain::PodId;
use crate::host::open::HostRoot;
use crate::text::Text;

/// Largest file.
const LARGEST: u64 = 1 << 20;
/// Longest wait for it.
const DEADLINE: Duration = Duration::from_secs(2);

/// A pod from one file. An error is one line that names file, line and field.
pub fn pod(files: &[PathBuf]) -> Result<Plan, Text> {
    let [file] = files else {
        return Err("expected one file".into());
    };
    let config = read(file, spec::pod)?;
    let place = Place::New(Box::new(config));
    Ok(Plan::new(place, None, false, names(files)))
}

/// A pod and a container in it: the container's file comes first, as for crictl.
pub fn pod_and_container(files: &[PathBuf]) -> Result<Plan, Text> {
    let [of_container, of_pod] = files else {
        return Err("expected the file of a container and that of a pod".into());
    };
    let container = read(of_container, spec::container)?;
    let place = Place::New(Box::new(read(of_pod, spec::pod)?));
    Ok(Plan::new(place, Some(container), true, names(files)))
}

/// A container for a pod that is there.
pub fn container(files: &[PathBuf], pod: Option<PodId>, starts: bool) -> Result<Plan, Text> {
    let ([file], Some(pod)) = (files, pod) else {
        return Err("expected one file, and a pod".into());
    };
    let container = read(file, spec::container)?;
    Ok(Plan::new(
        Place::There(pod),
        Some(container),
        starts,
        names(files),
    ))
}

fn names(files: &[PathBuf]) -> Vec<String> {
    files
        .iter()
        .map(|file| file.display().to_string())
        .collect()
}

fn read<T>(file: &Path, parse: impl Fn(&Value) -> Result<T, Wrong>) -> Result<T, Text> {
    let shown = file.display().to_string();
    let failed = |what: String| Text::clean(&format!("{shown}: {what}"));
    let path = std::path::absolute(file).map_err(|error| failed(error.to_string()))?;
    // Fifos and devices are not read, and nothing waits for ever.
    let own = HostRoot::new(Path::new("/")).map_err(|error| failed(error.to_string()))?;
    let bytes = own.read(&path, LARGEST, DEADLINE);
    let bytes = bytes.map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("is not UTF-8 text".to_owned()))?;
    let told: Value = serde_yaml::from_str(&text)
        .map_err(|error| Text::clean(&Fault::from(error).in_file(&shown)))?;
    parse(&told).map_err(|wrong| {
        let field = wrong.field.join(".");
        let what = match field.as_str() {
            "" => wrong.what,
            field => format!("{field} {}", wrong.what),
        };
        Text::clean(&Fault::at(place(&text, &wrong.field), what).in_file(&shown))
    })
}

/// Where a field stands, or the deepest part of the way to it that is there.
fn place(text: &str, field: &[String]) -> Option<At> {
    let documents = MarkedYaml::load_from_str(text).ok()?;
    let mut node = documents.first()?;
    let mut found = None;
    for name in field {
        let at = match &node.data {
            YamlData::Mapping(mapping) => {
                let mut entries = mapping.iter();
                entries.find(|(key, _)| key.data.as_str() == Some(name))
            }
            YamlData::Sequence(items) => {
                let nth: Option<usize> = name.parse().ok();
                let item = nth.and_then(|nth| items.get(nth));
                item.map(|item| (item, item))
            }
            _ => None,
        };
        let Some((key, value)) = at else { break };
        found = Some(At {
            line: key.span.start.line(),
            column: key.span.start.col() + 1,
        });
        node = value;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn wrong(name: &str, text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let line = pod(&[file]).unwrap_err().to_string();
        let at = format!("{}/", folder.path().display());
        line.replace(&at, "")
    }

    #[rstest]
    #[case(
        "pod.yaml",
        "metadata:\n  name: a\n  namespace: b\n  uid: 7\n",
        "pod.yaml:4:3: metadata.uid expected a text (in quotes), found 7"
    )]
    #[case(
        "pod.json",
        "{\n  \"metadata\": {\n    \"name\": \"a\",\n    \"namespce\": \"b\"\n  }\n}",
        "pod.json:4:5: metadata.namespce is no field; namespace is near"
    )]
    #[case(
        "pod.yaml",
        "metadata:\n  name: a\n  namespace: b\n",
        "pod.yaml:1:1: metadata.uid is missing, and needed"
    )]
    #[case(
        "pod.yaml",
        "port_mappings:\n- host_port: 80\n- host_port: x\n",
        "pod.yaml:3:3: port_mappings.1.host_port expected a number, found \"x\""
    )]
    #[case("pod.yaml", "a: [b", "pod.yaml:")]
    #[case("pod.yaml", "", "pod.yaml: expected a mapping")]
    fn mistakes_are_told_with_line_and_field(
        #[case] name: &str,
        #[case] text: &str,
        #[case] expected: &str,
    ) {
        let line = wrong(name, text);
        assert!(line.starts_with(expected), "{line}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let line = pod(&["/nowhere/pod.yaml".into()]).unwrap_err();
        assert!(line.as_str().starts_with("/nowhere/pod.yaml: "), "{line}");
    }

    #[test]
    fn the_examples_are_good() {
        let example = |name: &str| {
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("examples")
                .join(name)
        };
        let both = [example("container.yaml"), example("pod.yaml")];
        let plan = pod_and_container(&both).unwrap();
        assert_eq!(plan.name(), "default/hello/web");
        let both = [example("container.json"), example("pod.json")];
        assert_eq!(
            pod_and_container(&both).unwrap().name(),
            "default/hello-json/web"
        );
    }
}
