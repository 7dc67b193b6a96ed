//! Registries: what a reference to an image is, and which credentials this node's files hold for
//! it. Programs that keep credentials (`credHelpers`) are not run.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::act::{Login, Secret};
use crate::host::open::HostRoot;
use crate::text::Text;

/// Longest wait for one file.
const DEADLINE: Duration = Duration::from_secs(1);
/// Largest file.
const LARGEST: u64 = 1 << 20;
/// What an image without a registry is pulled from, and how docker writes that.
const HUB: [&str; 4] = [
    "docker.io",
    "index.docker.io",
    "https://index.docker.io/v1/",
    "registry-1.docker.io",
];

/// What stands in a reference: `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reference {
    /// The registry.
    pub host: String,
    /// The path in there.
    pub name: String,
    /// Tag or digest, with its sign.
    pub version: String,
}

impl Reference {
    /// Reads what was typed; the error says what is wrong with it.
    pub fn parse(typed: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!("{typed:?} is no image: {why}; expected [HOST[:PORT]/]NAME[:TAG][@DIGEST]")
        };
        if typed.is_empty() {
            return Err("type the name of an image, such as registry:5000/app:1.2".to_owned());
        }
        let (rest, digest) = match typed.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (typed, None),
        };
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (rest, None),
        };
        let is_host = |first: &&str| first.contains(['.', ':']) || *first == "localhost";
        let (host, name) = match path.split_once('/') {
            Some((first, name)) if is_host(&first) => (first.to_owned(), name.to_owned()),
            Some(_) => (HUB[0].to_owned(), path.to_owned()),
            None => (HUB[0].to_owned(), format!("library/{path}")),
        };
        if host
            .chars()
            .any(|c| !(c.is_ascii_alphanumeric() || ".-:[]".contains(c)))
        {
            return Err(wrong("its registry is no host"));
        }
        if name.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(wrong("names are written in lower case"));
        }
        let part = |part: &str| {
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
            let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            part.chars().all(inner) && edge(part.chars().next()) && edge(part.chars().last())
        };
        if !name.split('/').all(part) {
            return Err(wrong(
                "its name may hold letters, digits, and . _ - between them",
            ));
        }
        let word = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let tags = |tag: &str| !tag.is_empty() && tag.len() <= 128 && tag.chars().all(word);
        if tag.is_some_and(|tag| !tags(tag)) {
            return Err(wrong("its tag may hold letters, digits, and . _ -"));
        }
        let digests = |digest: &str| {
            let hex = digest.split_once(':').map_or("", |(_, hex)| hex);
            hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit())
        };
        if digest.is_some_and(|digest| !digests(digest)) {
            return Err(wrong(
                "a digest is such as sha256:0123... with all its digits",
            ));
        }
        let version = match (tag, digest) {
            (_, Some(digest)) => format!("@{digest}"),
            (Some(tag), None) => format!(":{tag}"),
            (None, None) => ":latest".to_owned(),
        };
        Ok(Self {
            host,
            name,
            version,
        })
    }

    /// All of it, nothing left to be guessed.
    pub fn full(&self) -> String {
        format!("{}/{}{}", self.host, self.name, self.version)
    }
}

/// Credentials, and the file that holds them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The file.
    pub file: Text,
    /// They are for this part of the registry.
    pub key: Text,
    /// Name and password; why there are none if the file only says who has them.
    pub login: Result<(String, Secret), Text>,
}

/// The auth files, the first wins: those of containers, then docker's, then the kubelet's own.
pub fn files(var: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let below = |name: &str, rest: &str| Some(var(name)?.join(rest));
    let files = [
        var("REGISTRY_AUTH_FILE"),
        below("XDG_RUNTIME_DIR", "containers/auth.json"),
        Some("/run/containers/0/auth.json".into()),
        below("XDG_CONFIG_HOME", "containers/auth.json"),
        below("HOME", ".config/containers/auth.json"),
        below("DOCKER_CONFIG", "config.json"),
        below("HOME", ".docker/config.json"),
        Some("/var/lib/kubelet/config.json".into()),
    ];
    let files = files.into_iter().flatten();
    files.filter(|file| file.is_absolute()).collect()
}

/// What the first file that knows the registry holds for it. What cannot be read is passed over.
pub fn find(host: &HostRoot, files: &[PathBuf], reference: &Reference) -> Option<Found> {
    files.iter().find_map(|file| {
        let bytes = host.read(file, LARGEST, DEADLINE).ok()?;
        let told: Value = serde_json::from_slice(&bytes).ok()?;
        found(file, &told, reference)
    })
}

fn found(file: &Path, told: &Value, reference: &Reference) -> Option<Found> {
    let wanted = format!("{}/{}", reference.host, reference.name);
    let bare = |key: &str| {
        if HUB.contains(&key) {
            return HUB[0].to_owned();
        }
        let key = key
            .trim_start_matches("https://")
            .trim_start_matches("http://");
        key.trim_end_matches("/v1/")
            .trim_end_matches("/v2/")
            .trim_end_matches('/')
            .to_owned()
    };
    let covers = |key: &str| {
        let rest = wanted.strip_prefix(&bare(key));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let longest = |field: &str| {
        let entries = told.get(field)?.as_object()?;
        let covering = entries.iter().filter(|(key, _)| covers(key));
        covering.max_by_key(|(key, _)| bare(key).len())
    };
    let shown = |key: &str| Found {
        file: Text::clean(&file.to_string_lossy()),
        key: Text::clean(key),
        login: Err(Text::default()),
    };
    if let Some((key, entry)) = longest("auths")
        && let Some(login) = login(entry)
    {
        return Some(Found {
            login: Ok(login),
            ..shown(key)
        });
    }
    let (key, helper) = longest("credHelpers")?;
    let helper = helper.as_str().unwrap_or_default();
    let why = format!("it leaves them to the program docker-credential-{helper}, which is not run");
    Some(Found {
        login: Err(Text::clean(&why)),
        ..shown(key)
    })
}

fn login(entry: &Value) -> Option<(String, Secret)> {
    let text = |name: &str| entry[name].as_str().filter(|text| !text.is_empty());
    if let Some(auth) = text("auth") {
        let decoded = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        let password = password.trim_end_matches('\0');
        return Some((user.to_owned(), Secret::new(password.to_owned())));
    }
    let (user, password) = (text("username")?, text("password")?);
    Some((user.to_owned(), Secret::new(password.to_owned())))
}

impl Found {
    /// What it is used as.
    pub fn into_login(self) -> Login {
        match self.login {
            Ok((user, secret)) => Login::Typed(user, secret),
            Err(_) => Login::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case("nginx", "docker.io/library/nginx:latest")]
    #[case("grafana/grafana:11", "docker.io/grafana/grafana:11")]
    #[case("localhost/app", "localhost/app:latest")]
    #[case("registry:5000/a/b:1.2_x-y", "registry:5000/a/b:1.2_x-y")]
    #[case("127.0.0.1:5000/app", "127.0.0.1:5000/app:latest")]
    #[case(
        "quay.io/x/y:1@sha256:0123456789abcdef0123456789abcdef",
        "quay.io/x/y@sha256:0123456789abcdef0123456789abcdef"
    )]
    fn references(#[case] typed: &str, #[case] full: &str) {
        assert_eq!(Reference::parse(typed).unwrap().full(), full);
    }

    #[rstest]
    #[case("", "type the name")]
    #[case("Nginx", "lower case")]
    #[case("a b", "letters, digits")]
    #[case("app:", "tag may hold")]
    #[case("app:a/b:c d", "tag may hold")]
    #[case("app@sha256:12", "a digest is")]
    #[case("a//b", "letters, digits")]
    #[case("-a", "letters, digits")]
    #[case("reg.io/\u{1b}[31m", "letters, digits")]
    fn no_references(#[case] typed: &str, #[case] why: &str) {
        let line = Reference::parse(typed).unwrap_err();
        assert!(line.contains(why), "{line}");
        assert!(!line.contains('\u{1b}'), "{line:?}");
    }

    fn looked_up(told: &Value, reference: &str) -> Option<Found> {
        let reference = Reference::parse(reference).unwrap();
        found(Path::new("/root/.docker/config.json"), told, &reference)
    }

    #[test]
    fn the_entry_that_fits_best_is_used() {
        let auth = |pair: &str| json!({"auth": STANDARD.encode(pair)});
        let told = json!({"auths": {
            "quay.io": auth("all:1"),
            "quay.io/team": auth("team:2:3"),
            "https://index.docker.io/v1/": auth("hub:4"),
            "registry:5000": {"username": "plain", "password": "5"},
            "broken.io": {"auth": "%%%"},
            "ghcr.io": {},
        }, "credHelpers": {"gcr.io": "gcloud"}});
        let user = |reference: &str| {
            let (user, secret) = looked_up(&told, reference)?.login.ok()?;
            Some(format!("{user}={}", secret.reveal()))
        };
        assert_eq!(user("quay.io/other/app").as_deref(), Some("all=1"));
        assert_eq!(user("quay.io/team/app").as_deref(), Some("team=2:3"));
        assert_eq!(user("quay.io/teams/app").as_deref(), Some("all=1"));
        assert_eq!(user("nginx").as_deref(), Some("hub=4"));
        assert_eq!(user("registry:5000/app").as_deref(), Some("plain=5"));
        assert_eq!(user("broken.io/app"), None);
        assert_eq!(user("ghcr.io/app"), None);
        assert_eq!(user("nothing.io/app"), None);
        let helper = looked_up(&told, "gcr.io/app").unwrap();
        let why = helper.login.clone().unwrap_err();
        assert!(why.as_str().contains("docker-credential-gcloud"), "{why}");
        assert_eq!(helper.into_login(), Login::None);
        let shown = format!("{:?}", looked_up(&told, "quay.io/app"));
        assert!(
            !shown.contains("all:1") && shown.contains("<masked>"),
            "{shown}"
        );
    }
}
