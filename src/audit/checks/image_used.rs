//! The image that a container was made from.

use super::Check;
use crate::audit::facts::{CONTAINER_STATUS, ContainerFacts, Seen};
use crate::audit::finding::{Evidence, Opinion, Rule, Severity};

const NSA: &str = "Building secure container images";

pub static LATEST: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "image-latest",
        title: "runs whatever is newest of its image",
        severity: Severity::Medium,
        level: None,
        cis: &["5.5.1"],
        nsa: NSA,
        advice: "Name a version, better a digest (image@sha256:...).",
    },
    judge: |facts| {
        let image = image(facts)?;
        let tag = tag(image);
        let newest = !has_digest(image) && matches!(tag, None | Some("latest"));
        let words = format!("{image} means another image each time a newer one is pushed");
        Ok(found(newest, image, words))
    },
};

pub static MUTABLE: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "image-tag",
        title: "names its image by a tag that can move",
        severity: Severity::Info,
        level: None,
        cis: &["5.5.1"],
        nsa: NSA,
        advice: "Name the image by its digest (image@sha256:...).",
    },
    judge: |facts| {
        let image = image(facts)?;
        let named = !has_digest(image) && tag(image).is_some_and(|tag| tag != "latest");
        let words = format!("{image} has no digest: who can push to its registry can change it");
        Ok(found(named, image, words))
    },
};

pub static MOVED: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "image-moved",
        title: "its tag leads to another image now",
        severity: Severity::Medium,
        level: None,
        cis: &["5.5.1"],
        nsa: NSA,
        advice: "Find out which of the two is meant; the next restart runs the other one.",
    },
    judge: |facts| {
        let image = image(facts)?;
        let Some(other) = &facts.moved_to else {
            return Ok(vec![]);
        };
        let words = format!("{image} is {other} on this node now, which is not what it runs");
        Ok(found(true, image, words))
    },
};

pub static UNQUALIFIED: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "image-unqualified",
        title: "does not say which registry its image is from",
        severity: Severity::Low,
        level: None,
        cis: &["5.5.1"],
        nsa: NSA,
        advice: "Write the registry's name in front.",
    },
    judge: |facts| {
        let image = image(facts)?;
        let words = format!("{image} is looked for in whatever registry the runtime asks first");
        Ok(found(registry(image).is_none(), image, words))
    },
};

pub static UNEXPECTED: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "image-registry",
        title: "its image is from a registry that is not expected",
        severity: Severity::Medium,
        level: None,
        cis: &["5.5.1"],
        nsa: NSA,
        advice: "Take the image into a registry of your own, or name this one with --registry.",
    },
    judge: |facts| {
        let expected = &facts.context.registries;
        if expected.is_empty() {
            return Ok(vec![]);
        }
        let image = image(facts)?;
        let known = |start: &String| {
            let rest = image.strip_prefix(start.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        let words = format!("{image} is from none of the registries that were named");
        Ok(found(!expected.iter().any(known), image, words))
    },
};

/// An image that is known by its id only cannot be judged by its name.
fn image(facts: &ContainerFacts) -> Seen<&str> {
    let image = facts.security()?.image.as_ref();
    let named = image.filter(|image| {
        let name = image.as_str();
        let bare = name.strip_prefix("sha256:").unwrap_or(name);
        bare.len() != 64 || !bare.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let named = named.ok_or("the runtime does not tell by which name its image was asked for")?;
    Ok(named.as_str())
}

fn has_digest(image: &str) -> bool {
    image.contains('@')
}

/// What is behind the last colon, if that is no port.
fn tag(image: &str) -> Option<&str> {
    let name = image.split('@').next().unwrap_or(image);
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split_once(':').map(|(_, tag)| tag)
}

/// As Docker and the runtimes tell it: the first part has a dot or a port, or is `localhost`.
fn registry(image: &str) -> Option<&str> {
    let (first, _) = image.split_once('/')?;
    (first == "localhost" || first.contains(['.', ':'])).then_some(first)
}

fn found(is_so: bool, image: &str, words: String) -> Vec<Opinion> {
    let path = ".status.image";
    let evidence = || Evidence::told(CONTAINER_STATUS, path, "image", image);
    is_so
        .then(|| Opinion::new(words, evidence()))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("nginx", None, None)]
    #[case("library/nginx:1.2", None, Some("1.2"))]
    #[case("docker.io/library/nginx:1.2", Some("docker.io"), Some("1.2"))]
    #[case("localhost/app:test", Some("localhost"), Some("test"))]
    #[case("registry:5000/app", Some("registry:5000"), None)]
    #[case("ghcr.io/a/b:1@sha256:abc", Some("ghcr.io"), Some("1"))]
    fn names(#[case] image: &str, #[case] from: Option<&str>, #[case] version: Option<&str>) {
        assert_eq!((registry(image), tag(image)), (from, version));
    }
}
