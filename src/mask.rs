//! Secrets are masked where what the node says becomes our types: a view, a report, a search, a
//! comparison or the clipboard never has the value at all, only [`MASK`] in its place.
//!
//! A value is secret by its name (`DB_PASSWORD`, `--token`, `"auth"`) or by its shape (a JWT, a
//! private key, a password in a URL, a cloud's key). In doubt it is masked: who needs it knows
//! where it lies, and who only looks should not see it.

mod names;
mod pairs;
mod shapes;

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU64;
use std::ops::Range;
use std::sync::LazyLock;

use crate::text::Text;

pub use names::is_secret;

/// What stands in the place of a secret.
pub const MASK: &str = "<masked>";
/// Longest text that is looked through and kept, in bytes: as long as Kubernetes lets annotations
/// be, and twice as long as Linux lets a variable be.
const LONGEST: usize = 256 << 10;
/// The annotation that holds a whole manifest, with everything that stood in it.
const APPLIED: &str = "last-applied-configuration";

/// A text that may have been masked. Two secrets can be told apart, but not be read, nor be
/// compared with anything outside this run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guarded {
    /// What may be shown.
    pub text: Text,
    /// Of the whole value, if something of it is masked: a hash with a key that ends with the run.
    mark: Option<NonZeroU64>,
}

impl Guarded {
    /// `raw` as it may be shown, `masked` being what one of the functions here made of it.
    // By value, as the functions here give it.
    #[allow(clippy::needless_pass_by_value)]
    pub fn new(raw: &str, masked: Cow<'_, str>) -> Self {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let whole = matches!(masked, Cow::Borrowed(_));
        // Not 0: half the room.
        let mark = |raw| NonZeroU64::new(KEY.hash_one(raw)).unwrap_or(NonZeroU64::MIN);
        Self {
            text: Text::whole(&masked),
            mark: (!whole).then(|| mark(raw)),
        }
    }

    /// Nothing of it is masked.
    pub fn open(text: Text) -> Self {
        Self { text, mark: None }
    }

    /// Something of it is masked.
    pub fn is_masked(&self) -> bool {
        self.mark.is_some()
    }
}

/// Running text: error messages, command lines, image history. Borrowed if nothing is masked.
pub fn text(raw: &str) -> Cow<'_, str> {
    cover(raw, shapes::in_text(head(raw)))
}

/// What a name says about the value that it names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Naming {
    /// Nothing.
    Plain,
    /// It is secret, if it can be.
    Secret,
    /// It is a whole manifest, with all that is secret in it.
    Manifest,
}

impl Naming {
    /// Of a name, without what stands before its last `/`.
    pub fn of(name: &str) -> Self {
        let bare = name.rsplit('/').next().unwrap_or(name);
        if bare == APPLIED {
            Self::Manifest
        } else if is_secret(bare) {
            Self::Secret
        } else {
            Self::Plain
        }
    }

    /// `raw`, so named, as it may be shown: masked as a whole if the name says so, else by shape.
    pub fn mask(self, raw: &str) -> Cow<'_, str> {
        let whole = match self {
            Self::Plain => false,
            Self::Secret => names::can_be_secret(raw),
            Self::Manifest => true,
        };
        if whole {
            Cow::Owned(MASK.to_owned())
        } else {
            text(raw)
        }
    }
}

/// A value that is known by `name`: masked as a whole if the name says so, else by shape.
pub fn named<'a>(name: &str, raw: &'a str) -> Cow<'a, str> {
    Naming::of(name).mask(raw)
}

/// An entry of an environment, `NAME=VALUE`.
pub fn entry(raw: &str) -> Cow<'_, str> {
    let Some((name, value)) = raw.split_once('=') else {
        return text(raw);
    };
    match environment(name, value) {
        Cow::Borrowed(_) => Cow::Borrowed(raw),
        Cow::Owned(masked) => Cow::Owned(format!("{name}={masked}")),
    }
}

/// The value of a variable of an environment.
pub fn environment<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if names::is_secret_variable(name) && names::can_be_secret(value) {
        return Cow::Owned(MASK.to_owned());
    }
    named(name, value)
}

/// A command line in its parts: what follows `--password` is masked too.
pub fn args<'a>(raw: &[&'a str]) -> Vec<Cow<'a, str>> {
    let mut secret = false;
    let mut masked = Vec::with_capacity(raw.len());
    for (at, arg) in raw.iter().enumerate() {
        let follows = std::mem::take(&mut secret) && !arg.starts_with('-');
        masked.push(if follows && names::can_be_secret(arg) {
            Cow::Owned(MASK.to_owned())
        } else {
            secret = names::is_secret_flag(raw.first().copied().unwrap_or(""), arg);
            let glued = names::glued(raw.first().copied().unwrap_or(""), arg);
            match glued.filter(|_| at > 0) {
                Some(flag) => Cow::Owned(format!("{flag}{MASK}")),
                None if arg.starts_with('-') => entry(arg),
                None => text(arg),
            }
        });
    }
    masked
}

/// What is looked through of a text.
fn head(raw: &str) -> &str {
    if raw.len() <= LONGEST {
        return raw;
    }
    let end = (0..=LONGEST).rev().find(|at| raw.is_char_boundary(*at));
    &raw[..end.unwrap_or(0)]
}

/// `raw` with the mask over `ranges`; what lies behind the part that was looked through goes.
fn cover(raw: &str, mut ranges: Vec<Range<usize>>) -> Cow<'_, str> {
    let unseen = raw.len().saturating_sub(LONGEST);
    if ranges.is_empty() && unseen == 0 {
        return Cow::Borrowed(raw);
    }
    ranges.sort_by_key(|range| (range.start, range.end));
    let raw = head(raw);
    let mut out = String::with_capacity(raw.len() + MASK.len());
    let mut at = 0;
    for range in ranges {
        if range.start >= at {
            out.push_str(&raw[at..range.start]);
            out.push_str(MASK);
        }
        at = at.max(range.end);
    }
    out.push_str(&raw[at..]);
    if unseen > 0 {
        out.push_str("… (more, not looked through)");
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.SflKxwRJSMeKKF2QT4fwpMeJf36POk";

    #[rstest]
    #[case("DB_PASSWORD=hunter2", "DB_PASSWORD=<masked>")]
    #[case("PGPASSWORD=hunter2 and more", "PGPASSWORD=<masked>")]
    #[case("STRIPE_KEY=abc", "STRIPE_KEY=<masked>")]
    #[case("PUBLIC_KEY=abc", "PUBLIC_KEY=abc")]
    #[case("PATH=/bin:/usr/bin", "PATH=/bin:/usr/bin")]
    #[case("PWD=/app", "PWD=/app")]
    #[case("DB_PWD=x1", "DB_PWD=<masked>")]
    #[case("DB_PASSWORD_FILE=/run/secrets/db", "DB_PASSWORD_FILE=/run/secrets/db")]
    #[case("PASSWORD=", "PASSWORD=")]
    #[case(
        "DATABASE_URL=postgres://app:s3cr3t@db:5432/x",
        "DATABASE_URL=postgres://app:<masked>@db:5432/x"
    )]
    #[case("SOMETHING", "SOMETHING")]
    #[case(
        "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG",
        "AWS_SECRET_ACCESS_KEY=<masked>"
    )]
    #[case("TOKEN_TTL=3600", "TOKEN_TTL=3600")]
    #[case("USE_TOKEN=true", "USE_TOKEN=true")]
    #[case("KUBERNETES_SERVICE_PORT=443", "KUBERNETES_SERVICE_PORT=443")]
    #[case("LOG_LEVEL=debug", "LOG_LEVEL=debug")]
    fn entries(#[case] raw: &str, #[case] expected: &str) {
        assert_eq!(entry(raw), expected);
    }

    #[rstest]
    #[case(&["mysql", "--password", "x y", "-h", "db"], "mysql|--password|<masked>|-h|db")]
    #[case(&["app", "--password=x y", "run"], "app|--password=<masked>|run")]
    #[case(&["app", "--api-key", "abc"], "app|--api-key|<masked>")]
    #[case(&["app", "--token", "--verbose"], "app|--token|--verbose")]
    #[case(&["app", "--token-file", "/x"], "app|--token-file|/x")]
    #[case(&["app", "--password", "$(DB_PASSWORD)"], "app|--password|$(DB_PASSWORD)")]
    #[case(&["/usr/bin/mysqldump", "-phunter2", "-p3306"], "/usr/bin/mysqldump|-p<masked>|-p<masked>")]
    #[case(&["redis-cli", "-a", "hunter2", "ping"], "redis-cli|-a|<masked>|ping")]
    #[case(&["ls", "-a", "folder"], "ls|-a|folder")]
    #[case(&["curl", "-u", "admin:hunter2", "http://x"], "curl|-u|<masked>|http://x")]
    #[case(&["sh", "-c", "mysql --password hunter2 -h db; PGPASSWORD=abc psql"], "sh|-c|mysql --password <masked> -h db; PGPASSWORD=<masked> psql")]
    #[case(&["java", "-Ddb.password=abc", "-jar"], "java|-Ddb.password=<masked>|-jar")]
    #[case(&["sleep", "1"], "sleep|1")]
    #[case(&[], "")]
    fn command_lines(#[case] raw: &[&str], #[case] expected: &str) {
        assert_eq!(args(raw).join("|"), expected);
    }

    #[rstest]
    #[case("plain words", "plain words")]
    #[case(JWT, "<masked>")]
    #[case(&format!("got {JWT}: expired"), "got <masked>: expired")]
    #[case(
        "-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- end",
        "<masked> end"
    )]
    #[case("-----BEGIN PRIVATE KEY-----\ncut of", "<masked>")]
    #[case("-----BEGIN CERTIFICATE-----\nMII", "-----BEGIN CERTIFICATE-----\nMII")]
    #[case("https://user:p%40ss@host/x", "https://user:<masked>@host/x")]
    #[case(
        "https://ghp_abcdefghijklmnopqrstuvwxyz0123456789@github.com",
        "https://<masked>@github.com"
    )]
    #[case(
        "docker://registry:5000/app@sha256:abc",
        "docker://registry:5000/app@sha256:abc"
    )]
    #[case("http://10.0.0.1:8080/health", "http://10.0.0.1:8080/health")]
    #[case("key AKIAIOSFODNN7EXAMPLE used", "key <masked> used")]
    #[case("AIzaSyA1234567890abcdefghijklmnopqrstuv", "<masked>")]
    #[case("xoxb-123456789012-abcdefghij", "<masked>")]
    #[case(
        "Authorization: Bearer abcdef0123456789",
        "Authorization: Bearer <masked>"
    )]
    #[case("authorization: Basic dXNlcjpwYXNz", "authorization: Basic <masked>")]
    #[case(
        r#"{"password":"a\"b c","user":"x"}"#,
        r#"{"password":"<masked>","user":"x"}"#
    )]
    #[case(
        r#"{\"token\":\"abc\",\"user\":\"x\"}"#,
        r#"{\"token\":\"<masked>\",\"user\":\"x\"}"#
    )]
    #[case(
        "https://s3/x?X-Amz-Signature=abcdef&y=1",
        "https://s3/x?X-Amz-Signature=<masked>&y=1"
    )]
    #[case("invalid token: unexpected EOF", "invalid token: unexpected EOF")]
    #[case(
        "failed to fetch anonymous token: Get \"https://auth.docker.io/x\": EOF",
        "failed to fetch anonymous token: Get \"https://auth.docker.io/x\": EOF"
    )]
    #[case("password: hunter2, user: x", "password: <masked>, user: x")]
    #[case("ENV DB_PASSWORD=hunter2", "ENV DB_PASSWORD=<masked>")]
    #[case(
        "/bin/sh -c #(nop)  ENV API_TOKEN=abc",
        "/bin/sh -c #(nop)  ENV API_TOKEN=<masked>"
    )]
    #[case("ARG SECRET=a b", "ARG SECRET=<masked> b")]
    #[case("password=${DB_PASSWORD}", "password=${DB_PASSWORD}")]
    #[case(
        "DefaultEndpointsProtocol=https;AccountKey=abc==;EndpointSuffix=x",
        "DefaultEndpointsProtocol=https;AccountKey=<masked>;EndpointSuffix=x"
    )]
    fn running_text(#[case] raw: &str, #[case] expected: &str) {
        assert_eq!(text(raw), expected);
    }

    #[rstest]
    #[case("kubectl.kubernetes.io/last-applied-configuration", "{}", "<masked>")]
    #[case("example.com/api-token", "abc", "<masked>")]
    #[case("secrets.example.com/mode", "abc", "abc")]
    #[case("kubernetes.io/config.hash", "abc", "abc")]
    #[case("auth", "dXNlcjpwYXNz", "<masked>")]
    #[case("identitytoken", "abc", "<masked>")]
    #[case("accessToken", "abc", "<masked>")]
    #[case("snapshotKey", "abc", "abc")]
    #[case("automountServiceAccountToken", "false", "false")]
    #[case("secretName", "tls", "tls")]
    #[case("tokenPath", "/x", "/x")]
    #[case("username", "me", "me")]
    fn by_name(#[case] name: &str, #[case] raw: &str, #[case] expected: &str) {
        assert_eq!(named(name, raw), expected);
    }

    #[test]
    fn two_secrets_can_be_told_apart_but_not_read() {
        let of = |raw: &str| Guarded::new(raw, entry(raw));
        let (one, same, other) = (of("TOKEN=a"), of("TOKEN=a"), of("TOKEN=b"));
        assert_eq!(one.text, other.text);
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert!(one.is_masked() && !of("X=a").is_masked());
        assert_eq!(of("X=a"), Guarded::open("X=a".into()));
    }

    #[test]
    fn what_is_not_looked_through_is_not_shown() {
        let long = format!("{} password=hunter2", "a ".repeat(LONGEST / 2));
        for masked in [text(&long), named("x", &long)] {
            assert!(masked.ends_with("… (more, not looked through)"));
            assert!(masked.len() < LONGEST + 64 && !masked.contains("hunter2"));
        }
        let short = "a ".repeat(LONGEST / 4);
        assert_eq!(Guarded::new(&short, text(&short)).text.as_str(), short);
    }

    proptest! {
        #[test]
        fn any_text_can_be_masked(raw in any::<String>(), name in "[a-zA-Z_./-]{0,12}") {
            let _ = (text(&raw), entry(&raw), named(&name, &raw), args(&[&name, &raw]));
        }

        #[test]
        fn a_named_secret_never_gets_through(
            secret in "[a-zA-Z0-9]{4}[a-zA-Z0-9+_.@:-]{4,20}[0-9]",
            before in "[a-z ]{0,8}",
            name in "(DB_PASSWORD|API_TOKEN|client-secret|PASSWD|apiKey)",
        ) {
            let lines = [
                text(&format!("{before} {name}={secret}")).into_owned(),
                text(&format!("{before} --{name} {secret}")).into_owned(),
                text(&format!("{{\"{name}\":\"{secret}\"}}")).into_owned(),
                entry(&format!("{name}={secret}")).into_owned(),
                named(&name, &secret).into_owned(),
                args(&["x", &format!("--{name}"), &secret]).concat(),
                text(&format!("https://{name}:{secret}@host")).into_owned(),
            ];
            for line in lines {
                prop_assert!(!line.contains(&secret), "{line}");
            }
        }

        #[test]
        fn masking_twice_changes_nothing(raw in "[ -~]{0,60}") {
            let once = text(&raw).into_owned();
            prop_assert_eq!(text(&once).into_owned(), once);
        }
    }
}
