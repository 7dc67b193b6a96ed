//! What of the node is mounted into a container.

use super::Check;
use crate::audit::facts::{CONTAINER_STATUS, ContainerFacts, Seen};
use crate::audit::finding::{Evidence, Level, Opinion, Rule, Severity};
use crate::domain::security::Mount;

/// Sockets by which a container can be made, or another's be entered, by name.
const SOCKETS: [&str; 6] = [
    "containerd.sock",
    "crio.sock",
    "docker.sock",
    "cri-dockerd.sock",
    "podman.sock",
    "kubelet.sock",
];
/// Folders that hold one of them and little else.
const HOLDERS: [&str; 8] = [
    "/run",
    "/run/containerd",
    "/run/crio",
    "/run/podman",
    "/run/k3s",
    "/run/k3s/containerd",
    "/run/k0s",
    "/var/lib/kubelet/pod-resources",
];
/// Who writes there owns the node; who reads there has its secrets.
const OWNS: [&str; 12] = [
    "/",
    "/etc",
    "/etc/kubernetes",
    "/root",
    "/home",
    "/boot",
    "/usr",
    "/proc",
    "/var",
    "/var/lib",
    "/var/lib/kubelet",
    "/var/lib/etcd",
];
/// The same, but what lies there concerns containers, devices or the kernel.
const CLOSE: [&str; 10] = [
    "/sys",
    "/dev",
    "/run",
    "/lib",
    "/opt/cni",
    "/etc/cni",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/log",
];

const CONTROL: Option<(Level, &str)> = Some((Level::Baseline, "HostPath Volumes"));

pub static RUNTIME_SOCKET: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "runtime-socket",
        title: "reaches the socket of a container runtime",
        severity: Severity::Critical,
        level: CONTROL,
        cis: &["5.2.11"],
        nsa: "Pod security enforcement",
        advice: "Take the mount away: whoever reaches the socket is root on the node, also through \
                 a read-only mount.",
    },
    judge: |facts| {
        let mounts = facts.host_mounts()?;
        let found = mounts.into_iter().filter_map(|(place, mount)| {
            let path = plain(mount);
            let is_one = reaches_socket(&path);
            let words = format!(
                "{} of the node is mounted: a runtime's socket is there",
                mount.host_path
            );
            is_one.then(|| opinion(place, mount, words))
        });
        Ok(found.collect())
    },
};

pub static HOST_PATH: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "host-path",
        title: "has files of the node",
        severity: Severity::Medium,
        level: CONTROL,
        cis: &["5.2.11"],
        nsa: "Pod security enforcement",
        advice: "Use another kind of volume; where it must be hostPath, the narrowest path and \
                 readOnly.",
    },
    judge: |facts| {
        let mounts = facts.host_mounts()?;
        Ok(mounts.into_iter().filter_map(host_path).collect())
    },
};

pub static PROPAGATION: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "mount-propagation",
        title: "mounts into the node",
        severity: Severity::Medium,
        level: None,
        cis: &["5.6.3"],
        nsa: "Pod security enforcement",
        advice: "Set mountPropagation to None or HostToContainer; only storage drivers need \
                 Bidirectional.",
    },
    judge: |facts| {
        let mounts = facts.host_mounts()?;
        let both = mounts.into_iter().filter(|(_, mount)| mount.bidirectional);
        let one = |(place, mount): (usize, &Mount)| {
            let words = format!(
                "what it mounts below {} is mounted on the node too",
                mount.path
            );
            opinion(place, mount, words)
        };
        Ok(both.map(one).collect())
    },
};

pub static TOKEN: Check<ContainerFacts> = Check {
    rule: Rule {
        id: "service-account-token",
        title: "has a token for the API server",
        severity: Severity::Low,
        level: None,
        cis: &["5.1.6"],
        nsa: "Protecting Pod service account tokens",
        advice: "Set automountServiceAccountToken to false where it does not talk to the API server.",
    },
    judge: |facts| {
        let mounts = facts.security()?.mounts.as_ref();
        let mounts = mounts.ok_or("the runtime tells no mounts")?;
        let token = "/var/run/secrets/kubernetes.io/serviceaccount";
        let own = mounts.iter().enumerate().find(|(_, mount)| {
            let path = mount.path.as_str();
            path == token || path.strip_prefix("/run/") == token.strip_prefix("/var/run/")
        });
        let words = "who breaks into it can act as its service account";
        let found = own.map(|(place, mount)| {
            let mut found = opinion(place, mount, words.to_owned());
            found.detail = String::new();
            found
        });
        Ok(found.into_iter().collect::<Vec<Opinion>>()) as Seen<_>
    },
};

/// Its path on the node: `/var/run` is `/run`, and nothing is at the end.
fn plain(mount: &Mount) -> String {
    let path = mount.host_path.as_str();
    let path = match path.strip_prefix("/var/run") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/run{rest}"),
        _ => path.to_owned(),
    };
    match path.trim_end_matches('/') {
        "" => "/".to_owned(),
        path => path.to_owned(),
    }
}

/// It is a socket of a runtime, or a folder that is there for one.
fn reaches_socket(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    SOCKETS.contains(&name) || HOLDERS.contains(&path)
}

fn opinion(place: usize, mount: &Mount, words: String) -> Opinion {
    let path = format!(".status.mounts[{place}]");
    let mode = if mount.read_only {
        "read-only"
    } else {
        "writable"
    };
    let value = format!("{} at {}, {mode}", mount.host_path, mount.path);
    let evidence = Evidence::told(CONTAINER_STATUS, &path, "mount", value);
    Opinion::new(words, evidence).about(mount.host_path.as_str())
}

/// How bad a path is: writable, and read-only.
fn grade(path: &str) -> (Severity, Severity) {
    let below = |root: &&str| {
        let rest = path.strip_prefix(*root);
        *root != "/" && rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let at = |root: &&str| path == *root;
    // Below /var and /usr is much that harms nobody.
    let deep = [
        "/etc/kubernetes",
        "/root",
        "/proc",
        "/var/lib/kubelet",
        "/var/lib/etcd",
        "/boot",
    ];
    if CLOSE.iter().any(|root| at(root) || below(root)) {
        (Severity::High, Severity::Medium)
    } else if OWNS.iter().any(at) || deep.iter().any(below) {
        (Severity::Critical, Severity::High)
    } else if path.starts_with("/etc/") || path.starts_with("/usr/") {
        (Severity::High, Severity::Low)
    } else {
        (Severity::Medium, Severity::Low)
    }
}

fn host_path((place, mount): (usize, &Mount)) -> Option<Opinion> {
    let path = plain(mount);
    if reaches_socket(&path) {
        return None;
    }
    let (writable, read_only) = grade(&path);
    let severity = if mount.read_only { read_only } else { writable };
    let can = if mount.read_only { "read" } else { "write" };
    let words = format!("can {can} {path} of the node, at {}", mount.path);
    Some(opinion(place, mount, words).severity(severity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/", Severity::Critical, Severity::High)]
    #[case("/etc", Severity::Critical, Severity::High)]
    #[case("/etc/kubernetes/pki", Severity::Critical, Severity::High)]
    #[case("/etc/ssl/certs", Severity::High, Severity::Low)]
    #[case("/var/lib/kubelet/pods", Severity::Critical, Severity::High)]
    #[case("/var/lib/etcd/member", Severity::Critical, Severity::High)]
    #[case("/var/lib/etcdata", Severity::Medium, Severity::Low)]
    #[case("/var/lib/containerd/io", Severity::High, Severity::Medium)]
    #[case("/etc/cni/net.d", Severity::High, Severity::Medium)]
    #[case("/lib/modules", Severity::High, Severity::Medium)]
    #[case("/srv/data", Severity::Medium, Severity::Low)]
    fn paths_are_graded(#[case] path: &str, #[case] write: Severity, #[case] read: Severity) {
        assert_eq!(grade(path), (write, read));
    }

    #[rstest]
    #[case("/var/run/docker.sock", "/run/docker.sock")]
    #[case("/var/run", "/run")]
    #[case("/var/runner", "/var/runner")]
    #[case("/etc/", "/etc")]
    #[case("/", "/")]
    fn paths_have_one_spelling(#[case] raw: &str, #[case] expected: &str) {
        let mount = Mount {
            host_path: raw.into(),
            ..Mount::default()
        };
        assert_eq!(plain(&mount), expected);
    }
}
