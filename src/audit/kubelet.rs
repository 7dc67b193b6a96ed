//! How a kubelet is set: by its flags, its configuration file, or its own defaults, in this order.

use std::collections::BTreeMap;

use super::facts::Seen;
use super::finding::Evidence;
use crate::config::go::parse_bool;
use crate::text::Text;

/// Something that can be set, and what holds where nobody sets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// Its place in the configuration file, with dots; empty if only a flag sets it.
    pub path: &'static str,
    /// Its flag, without the dashes; empty if only the file sets it.
    pub flag: &'static str,
    /// It is on or off: its flag needs no value.
    pub switch: bool,
    /// What holds without it, where there is a configuration file.
    pub default: &'static str,
    /// What holds without it, where there is no configuration file: the kubelet keeps older and
    /// laxer defaults for its flags.
    pub bare: &'static str,
}

const fn key(path: &'static str, flag: &'static str, default: &'static str) -> Key {
    Key {
        path,
        flag,
        switch: false,
        default,
        bare: default,
    }
}

const fn switch(path: &'static str, flag: &'static str, default: &'static str) -> Key {
    Key {
        switch: true,
        ..key(path, flag, default)
    }
}

/// Requests without credentials are taken.
pub static ANONYMOUS: Key = Key {
    bare: "true",
    ..switch(
        "authentication.anonymous.enabled",
        "anonymous-auth",
        "false",
    )
};
/// Who may do what: `Webhook`, `AlwaysAllow`.
pub static AUTHORIZATION: Key = Key {
    bare: "AlwaysAllow",
    ..key("authorization.mode", "authorization-mode", "Webhook")
};
/// The authority that clients' certificates come from.
pub static CLIENT_CA: Key = key("authentication.x509.clientCAFile", "client-ca-file", "");
/// A port that answers without credentials.
pub static READ_ONLY_PORT: Key = Key {
    bare: "10255",
    ..key("readOnlyPort", "read-only-port", "0")
};
/// After how long idle streams end.
pub static IDLE: Key = key(
    "streamingConnectionIdleTimeout",
    "streaming-connection-idle-timeout",
    "4h0m0s",
);
/// Most processes of a pod.
pub static PIDS: Key = key("podPidsLimit", "pod-max-pids", "-1");
/// Pods without a profile get the runtime's own.
pub static SECCOMP: Key = switch("seccompDefault", "seccomp-default", "false");
/// It renews its certificate for the API server.
pub static ROTATION: Key = switch("rotateCertificates", "rotate-certificates", "");
/// It keeps the rules of the packet filter that others count on.
pub static FIREWALL: Key = switch(
    "makeIPTablesUtilChains",
    "make-iptables-util-chains",
    "true",
);
/// The certificate that it serves with.
pub static CERTIFICATE: Key = key("tlsCertFile", "tls-cert-file", "");
/// The private key to that.
pub static PRIVATE_KEY: Key = key("tlsPrivateKeyFile", "tls-private-key-file", "");
/// It asks the cluster for a certificate to serve with.
pub static BOOTSTRAP: Key = switch("serverTLSBootstrap", "rotate-server-certificates", "false");
/// The ciphers that it takes, with commas.
pub static CIPHERS: Key = key("tlsCipherSuites", "tls-cipher-suites", "");
/// A name of the node that is not its own.
pub static HOSTNAME: Key = key("", "hostname-override", "");
/// Where the manifests of static pods are.
pub static MANIFESTS: Key = key("staticPodPath", "pod-manifest-path", "");
/// The credentials for the API server.
pub static KUBECONFIG: Key = key("", "kubeconfig", "");
/// The configuration file.
pub static CONFIG: Key = key("", "config", "");
/// A folder with parts that are laid over the configuration file.
pub static CONFIG_FOLDER: Key = key("", "config-dir", "");

/// All of them.
pub static KEYS: [&Key; 18] = [
    &ANONYMOUS,
    &AUTHORIZATION,
    &CLIENT_CA,
    &READ_ONLY_PORT,
    &IDLE,
    &PIDS,
    &SECCOMP,
    &ROTATION,
    &FIREWALL,
    &CERTIFICATE,
    &PRIVATE_KEY,
    &BOOTSTRAP,
    &CIPHERS,
    &HOSTNAME,
    &MANIFESTS,
    &KUBECONFIG,
    &CONFIG,
    &CONFIG_FOLDER,
];

/// Values of flags, by the flag's name.
pub type Flags = BTreeMap<&'static str, Text>;

/// What the command line of a kubelet says of [`KEYS`]. Nothing else of it is kept.
pub fn flags(args: &[&str]) -> Flags {
    let mut found = Flags::new();
    let mut args = args.iter().skip(1);
    while let Some(arg) = args.next() {
        if *arg == "--" {
            break;
        }
        let Some(rest) = arg.strip_prefix("--") else {
            continue;
        };
        let (name, value) = match rest.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (rest, None),
        };
        // As the kubelet does.
        let name = name.replace('_', "-");
        let Some(key) = KEYS.iter().find(|key| key.flag == name) else {
            continue;
        };
        let value = match value {
            Some(value) => value,
            None if key.switch => "true",
            None => args.next().unwrap_or(&""),
        };
        found.insert(key.flag, plain(key, value));
    }
    found
}

/// A value as it is shown and compared.
pub fn plain(key: &Key, value: &str) -> Text {
    let on = key.switch.then(|| parse_bool(value).ok()).flatten();
    let word = on.map(|on| if on { "true" } else { "false" });
    Text::clean(&crate::mask::text(word.unwrap_or(value)))
}

/// A kubelet's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kubelet {
    /// Its configuration files: the first, and what is laid over it; empty if it has none.
    pub files: Vec<Text>,
    /// What they say, by [`Key::path`], and in which of them.
    pub told: BTreeMap<&'static str, (Text, Text)>,
    /// Its command line, as `/proc/PID/cmdline`, and what stands there; why not, if it could not be
    /// seen; `None` if it does not run.
    pub flags: Option<Seen<(Text, Flags)>>,
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "none" } else { value }
}

/// The value of one of [`KEYS`] and what shows that it is so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// The value; empty if there is none.
    pub value: Text,
    /// Where that stands.
    pub evidence: Evidence,
    /// In words, for a sentence: `--anonymous-auth=true`, `readOnlyPort: 10255`.
    pub words: String,
    /// Nobody set it.
    pub is_default: bool,
}

impl Kubelet {
    /// What holds as far as that is known: a flag wins over the file, and both over the default.
    pub fn setting(&self, key: &Key) -> Setting {
        let flags = self.flags.as_ref().and_then(|seen| seen.as_ref().ok());
        if let Some((path, value)) =
            flags.and_then(|(path, flags)| Some((path, flags.get(key.flag)?)))
        {
            let flag = format!("--{}", key.flag);
            return Setting {
                words: format!("{flag}={value}"),
                evidence: Evidence::file(path, &flag, shown(value.as_str())),
                value: value.clone(),
                is_default: false,
            };
        }
        let name = if key.path.is_empty() {
            format!("--{}", key.flag)
        } else {
            key.path.to_owned()
        };
        if let Some((value, file)) = self.told.get(key.path) {
            let shown = shown(value.as_str());
            return Setting {
                words: format!("{name}: {shown}"),
                evidence: Evidence::file(file, &name, shown),
                value: value.clone(),
                is_default: false,
            };
        }
        self.default(key, &name)
    }

    fn default(&self, key: &Key, name: &str) -> Setting {
        let bare = self.files.is_empty();
        let value = if bare { key.bare } else { key.default };
        let shown = shown(value);
        let command = self.flags.as_ref().and_then(|seen| seen.as_ref().ok());
        let place = self
            .files
            .first()
            .or(command.map(|(path, _)| path))
            .cloned();
        let laxer = if bare && key.bare != key.default {
            ", it has no configuration file"
        } else {
            ""
        };
        Setting {
            value: value.into(),
            evidence: Evidence::file(
                &place.unwrap_or_default(),
                name,
                format!("{shown} (its default{laxer})"),
            ),
            words: format!("{name}: {shown} by default{laxer}"),
            is_default: true,
        }
    }

    /// Why something that is not set in the file could yet be set by a flag.
    pub fn flags_unseen(&self) -> Option<&Text> {
        self.flags.as_ref().and_then(|seen| seen.as_ref().err())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn told(args: &[&str]) -> Vec<String> {
        let found = flags(args);
        found.iter().map(|(k, v)| format!("{k}={v}")).collect()
    }

    #[rstest]
    #[case(&["kubelet"], &[])]
    #[case(&["kubelet", "--anonymous-auth"], &["anonymous-auth=true"])]
    #[case(&["kubelet", "--anonymous-auth=F"], &["anonymous-auth=false"])]
    // A switch takes no word from what follows.
    #[case(&["kubelet", "--anonymous-auth", "false"], &["anonymous-auth=true"])]
    #[case(&["kubelet", "--read-only-port", "10255", "--v=2"], &["read-only-port=10255"])]
    #[case(&["kubelet", "--read_only_port=1"], &["read-only-port=1"])]
    // The last one wins.
    #[case(&["kubelet", "--read-only-port=1", "--read-only-port=0"], &["read-only-port=0"])]
    #[case(&["kubelet", "--", "--read-only-port=1"], &[])]
    #[case(&["kubelet", "-v", "2", "--config", "/c"], &["config=/c"])]
    #[case(&["kubelet", "--config"], &["config="])]
    // What is not asked for is not kept.
    #[case(&["kubelet", "--bootstrap-token=hunter2"], &[])]
    #[case(&["kubelet", "--kubeconfig=https://u:hunter2@h/"], &["kubeconfig=https://u:<masked>@h/"])]
    fn of_a_command_line(#[case] args: &[&str], #[case] expected: &[&str]) {
        assert_eq!(told(args), expected);
    }

    #[test]
    fn every_key_has_a_name_of_its_own() {
        let mut names: Vec<&str> = KEYS.iter().map(|key| key.flag).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KEYS.len());
    }

    fn kubelet(file: &[(&'static str, &str)], args: &[&str]) -> Kubelet {
        let path = Text::from("/c");
        Kubelet {
            files: if file.is_empty() {
                vec![]
            } else {
                vec![path.clone()]
            },
            told: file
                .iter()
                .map(|(key, value)| (*key, ((*value).into(), path.clone())))
                .collect(),
            flags: Some(Ok(("/proc/7/cmdline".into(), flags(args)))),
        }
    }

    #[rstest]
    #[case::a_flag_wins(
        &[("readOnlyPort", "0")], &["", "--read-only-port=1"],
        "--read-only-port=1", "/proc/7/cmdline", "1"
    )]
    #[case::the_file(&[("readOnlyPort", "2")], &[""], "readOnlyPort: 2", "/c", "2")]
    #[case::the_default(
        &[("x", "")], &[""], "readOnlyPort: 0 by default", "/c", "0 (its default)"
    )]
    #[case::without_a_file(
        &[], &[""],
        "readOnlyPort: 10255 by default, it has no configuration file",
        "/proc/7/cmdline", "10255 (its default, it has no configuration file)"
    )]
    fn who_wins(
        #[case] file: &[(&'static str, &str)],
        #[case] args: &[&str],
        #[case] words: &str,
        #[case] source: &str,
        #[case] value: &str,
    ) {
        let setting = kubelet(file, args).setting(&READ_ONLY_PORT);
        assert_eq!(setting.words, words);
        assert_eq!(setting.evidence.source, source);
        assert_eq!(setting.evidence.value, value);
    }
}
