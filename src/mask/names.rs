//! Which names are those of secrets.

use super::pairs::Pairs;

/// Words that make a name that of a secret, alone or at the end of a longer word (`PGPASSWORD`).
const SECRET: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "credential",
    "credentials",
];
/// Words that do so only as they are.
const ALONE: [&str; 18] = [
    "passwords",
    "secrets",
    "pass",
    "pw",
    "auth",
    "authorization",
    "bearer",
    "cookie",
    "jwt",
    "dsn",
    "sig",
    "signature",
    "accesskey",
    "secretkey",
    "privatekey",
    "accountkey",
    "sharedkey",
    "connstr",
];
/// What stands before `key` in the name of a secret key.
const KEYS: [&str; 15] = [
    "api",
    "access",
    "account",
    "private",
    "secret",
    "encryption",
    "signing",
    "master",
    "shared",
    "client",
    "ssh",
    "deploy",
    "license",
    "session",
    "hmac",
];
/// Last words of names that tell something about a secret, not the secret.
const ABOUT: [&str; 44] = [
    "file",
    "files",
    "path",
    "dir",
    "name",
    "names",
    "ttl",
    "expiry",
    "expiration",
    "expires",
    "timeout",
    "url",
    "uri",
    "endpoint",
    "issuer",
    "alg",
    "algorithm",
    "type",
    "kind",
    "policy",
    "length",
    "size",
    "enabled",
    "disabled",
    "count",
    "version",
    "address",
    "host",
    "port",
    "mode",
    "ref",
    "class",
    "provider",
    "header",
    "interval",
    "period",
    "audience",
    "audiences",
    "namespace",
    "realm",
    "hash",
    "mount",
    "max",
    "min",
];

/// How something begins that makes a name secret, and how it goes on.
const HINTS: [(&[u8; 2], &[u8]); 13] = [
    (b"au", b"th"),
    (b"be", b"arer"),
    (b"cr", b"ed"),
    (b"co", b"okie"),
    (b"co", b"nn"),
    (b"ds", b"n"),
    (b"jw", b"t"),
    (b"ke", b"y"),
    (b"pa", b"ss"),
    (b"pw", b""),
    (b"se", b"cret"),
    (b"si", b"g"),
    (b"to", b"ken"),
];
/// The beginnings of [`HINTS`].
static BEGINNINGS: Pairs = {
    let mut all = [HINTS[0].0; HINTS.len()];
    let mut at = 0;
    while at < HINTS.len() {
        all[at] = HINTS[at].0;
        at += 1;
    }
    Pairs::in_any_case(&all)
};

/// True if something in the name begins, in whatever case, what makes a name secret: most names
/// have nothing of it, and are not looked at any closer.
fn may_be_secret(name: &str) -> bool {
    let name = name.as_bytes();
    let begins = |at: usize| {
        let (two, rest) = name[at..].split_at(2);
        HINTS.iter().any(|(beginning, more)| {
            let goes_on = rest.get(..more.len());
            beginning.eq_ignore_ascii_case(two)
                && goes_on.is_some_and(|rest| rest.eq_ignore_ascii_case(more))
        })
    };
    let mut pairs = name.windows(2).enumerate();
    pairs.any(|(at, two)| BEGINNINGS.has(two[0], two[1]) && begins(at))
}

/// True for the name of a secret, in whatever style it is written.
pub fn is_secret(name: &str) -> bool {
    if !may_be_secret(name) {
        return false;
    }
    let words = words(name);
    let Some(last) = words.last() else {
        return false;
    };
    if words.len() > 1 && ABOUT.contains(&&**last) {
        return false;
    }
    let pair = |pair: &[String]| pair[1] == "key" && KEYS.contains(&&*pair[0]);
    let connection = |pair: &[String]| pair[0] == "connection" && pair[1] == "string";
    words.iter().any(|word| is_secret_word(word))
        // `PWD` is the working folder, `DB_PWD` is not.
        || (words.len() > 1 && last == "pwd" && words[0] != "old")
        || words.windows(2).any(|two| pair(two) || connection(two))
}

fn is_secret_word(word: &str) -> bool {
    ALONE.contains(&word) || SECRET.iter().any(|secret| word.ends_with(secret))
}

/// True for the name of a variable whose value is secret: there, any key is, but a public one.
pub(super) fn is_secret_variable(name: &str) -> bool {
    if !may_be_secret(name) {
        return false;
    }
    let words = words(name);
    let last = words.last().map(String::as_str);
    let public = words.iter().any(|word| word == "public" || word == "pub");
    is_secret(name) || (last == Some("key") && !public)
}

/// True for a flag whose value follows as the next argument. Short ones mean a secret only to
/// some programs.
pub(super) fn is_secret_flag(program: &str, arg: &str) -> bool {
    let short = matches!(
        (base(program), arg),
        ("redis-cli", "-a")
            | ("curl" | "wget", "-u" | "--user")
            | (
                "sshpass" | "docker" | "podman" | "nerdctl" | "helm" | "ldapsearch",
                "-p" | "-w"
            )
    );
    short || (arg.starts_with('-') && !arg.contains(['=', ' ']) && is_secret(arg))
}

/// The flag of an argument that goes on with a secret, as in `mysql -pSECRET`.
pub(super) fn glued(program: &str, arg: &str) -> Option<&'static str> {
    let known = [
        "mysql",
        "mysqldump",
        "mysqladmin",
        "mariadb",
        "mariadb-dump",
        "sshpass",
    ];
    (known.contains(&base(program)) && arg.len() > 2 && arg.starts_with("-p")).then_some("-p")
}

fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}

/// False for what no secret is: nothing, a yes or no, a variable that is only referred to.
pub(super) fn can_be_secret(value: &str) -> bool {
    let plain = ["", "true", "false", "null", "none", super::MASK];
    let value = value.trim();
    let refers = |open: &str, close: char| {
        let inner = value
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close));
        inner.is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
    };
    !plain.iter().any(|plain| value.eq_ignore_ascii_case(plain))
        && !refers("${", '}')
        && !refers("$(", ')')
}

/// The words of a name, in small letters: `dbPassword`, `DB_PASSWORD` and `db.password` are two.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut lower = false;
    for c in name.chars() {
        let begins = c.is_ascii_uppercase() && lower;
        if (begins || !c.is_ascii_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_ascii_alphanumeric() {
            word.push(c.to_ascii_lowercase());
        }
        lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_look_misses_no_name() {
        let keys = KEYS.map(|start| format!("{start}_key"));
        let alone = ALONE.iter().filter(|word| **word != "pw");
        let words = SECRET.iter().chain(alone).map(|word| (*word).to_owned());
        let more = ["DB_PWD", "connection_string", "DB_PW", "pw"].map(str::to_owned);
        for name in words.chain(keys).chain(more) {
            assert!(is_secret(&name), "{name}");
            assert!(is_secret(&name.to_uppercase()), "{name}");
        }
        assert!(is_secret_variable("STRIPE_KEY") && !is_secret_variable("PUBLIC_KEY"));
    }
}
