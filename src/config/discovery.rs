//! Finding the runtime when nobody says where it is.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;

use super::endpoint::{self, Endpoint};
use super::env::{Env, FILE_DEADLINE};
use super::value::{Source, Valued};
use super::yaml;
use crate::host::open::{HostRoot, Resolver};
use crate::link::Problem;
use crate::text::Text;

/// Where runtimes usually listen, in order: crictl's three, then the distributions'.
const USUAL: [(&str, &str); 6] = [
    (
        "/run/containerd/containerd.sock",
        "containerd's usual socket",
    ),
    ("/run/crio/crio.sock", "CRI-O's usual socket"),
    ("/var/run/cri-dockerd.sock", "cri-dockerd's usual socket"),
    (
        "/run/k3s/containerd/containerd.sock",
        "the socket of k3s and RKE2",
    ),
    ("/run/k0s/containerd.sock", "the socket of k0s"),
    (
        "/var/snap/microk8s/common/run/containerd.sock",
        "the socket of MicroK8s",
    ),
];
const KUBELET_CONFIG: &str = "/var/lib/kubelet/config.yaml";
const KUBEADM_FLAGS: &str = "/var/lib/kubelet/kubeadm-flags.env";
const FLAG: &str = "--container-runtime-endpoint";
/// Most processes looked at for the kubelet.
const MAX_PROCESSES: usize = 1 << 16;

/// A socket that may be the runtime's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The socket.
    pub endpoint: Endpoint,
    /// Why it is one, after "because": `it is containerd's usual socket`.
    pub why: Text,
}

/// The candidates in order of preference, each socket once: what the kubelet uses, then the
/// usual places.
pub fn candidates(env: &Env, host: &HostRoot) -> Vec<Candidate> {
    let usual = USUAL.iter().map(|(path, what)| {
        let path = PathBuf::from(path);
        (path, format!("it is {what}"))
    });
    let mut seen = HashSet::new();
    kubelets(host)
        .into_iter()
        .chain(usual)
        .filter(|(path, _)| seen.insert(plain(path)))
        .map(|(path, why)| Candidate {
            endpoint: Endpoint::new(path, env.guard.clone()),
            why: why.into(),
        })
        .collect()
}

/// `/var/run` is a link to `/run` on every distribution of today.
fn plain(path: &Path) -> PathBuf {
    match path.strip_prefix("/var/run") {
        Ok(rest) => Path::new("/run").join(rest),
        Err(_) => path.to_owned(),
    }
}

/// What the kubelet is told: by kubeadm's flags, by its configuration, and only if both are
/// silent by its command line, because looking through all processes takes time.
fn kubelets(host: &HostRoot) -> Vec<(PathBuf, String)> {
    let read = |path: &str| {
        let bytes = host.read(Path::new(path), yaml::MAX_BYTES, FILE_DEADLINE);
        String::from_utf8(bytes.ok()?).ok()
    };
    let flags = read(KUBEADM_FLAGS).and_then(|text| flag_in(words_of_env(&text)));
    let config = read(KUBELET_CONFIG).and_then(|text| endpoint_in_config(&text));
    let mut found: Vec<_> = [(flags, KUBEADM_FLAGS), (config, KUBELET_CONFIG)]
        .into_iter()
        .filter_map(|(endpoint, file)| Some((endpoint?, format!("{file} names it"))))
        .collect();
    if found.is_empty() {
        // What cannot be read is no clue; the usual places remain.
        let running = host.work(FILE_DEADLINE, |resolver| Ok(running_kubelet(resolver)));
        let why = "the running kubelet was started with it";
        found.extend(running.ok().flatten().map(|text| (text, why.to_owned())));
    }
    found
        .into_iter()
        .filter_map(|(text, why)| Some((endpoint::parse(&text).ok()?, why)))
        .collect()
}

fn endpoint_in_config(text: &str) -> Option<String> {
    let config: serde_yaml::Value = serde_yaml::from_str(text).ok()?;
    let endpoint = config.get("containerRuntimeEndpoint")?.as_str()?;
    (!endpoint.is_empty()).then(|| endpoint.to_owned())
}

/// The words in the values of `NAME="word word"` lines.
fn words_of_env(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .flat_map(|(_, value)| value.split(|c: char| c.is_whitespace() || "\"'".contains(c)))
}

/// The value of the kubelet's flag, written as one word or two; the last one counts.
fn flag_in<'a>(words: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut found = None;
    let mut words = words.filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        match word.strip_prefix(FLAG) {
            Some("") => found = words.next(),
            Some(rest) => found = rest.strip_prefix('=').or(found),
            None => {}
        }
    }
    found.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn running_kubelet(resolver: &Resolver) -> Option<String> {
    let proc = Path::new("/proc");
    let listing = resolver.list_dir(proc, MAX_PROCESSES).ok()?;
    let processes = listing.names.into_iter().filter(|name| {
        let name = name.to_str().unwrap_or("x");
        name.bytes().all(|b| b.is_ascii_digit())
    });
    processes.map(|name| proc.join(name)).find_map(|process| {
        let comm = resolver.read(&process.join("comm"), 64).ok()?;
        if comm != b"kubelet\n" {
            return None;
        }
        let line = resolver.read(&process.join("cmdline"), 1 << 16).ok()?;
        flag_in(String::from_utf8_lossy(&line).split('\0'))
    })
}

/// No candidate answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoneAnswered {
    /// Each candidate and what is wrong with it.
    pub tried: Vec<(Candidate, Problem)>,
}

impl NoneAnswered {
    /// One line for each candidate, which names its socket.
    pub fn lines(&self) -> impl Iterator<Item = Text> {
        self.tried.iter().map(|(_, problem)| problem.what.clone())
    }
}

impl fmt::Display for NoneAnswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no container runtime answers; name its socket with --runtime-endpoint")?;
        self.lines().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl std::error::Error for NoneAnswered {}

/// The runtime that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found<T> {
    /// Its endpoint; the source says why.
    pub endpoint: Valued<Endpoint>,
    /// `using ENDPOINT because WHY`.
    pub line: Text,
    /// What the probe made of it: a connection, a version.
    pub answer: T,
}

/// Asks all candidates at once and takes the first in their order that answers; later ones are
/// dropped as soon as that is certain. `probe` makes one `Version` call and is given up after
/// `deadline`; its problem names the socket.
pub async fn choose<T, P, F>(
    candidates: Vec<Candidate>,
    deadline: Duration,
    probe: P,
) -> Result<Found<T>, NoneAnswered>
where
    P: Fn(Endpoint) -> F,
    F: Future<Output = Result<T, Problem>>,
{
    let mut answers: FuturesOrdered<_> = candidates
        .iter()
        .map(|candidate| tokio::time::timeout(deadline, probe(candidate.endpoint.clone())))
        .collect();
    let mut problems = Vec::new();
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(Ok(answer)) => return Ok(found(&candidates[problems.len()], answer)),
            Ok(Err(problem)) => problems.push(problem),
            Err(_) => problems.push(silent(&candidates[problems.len()], deadline)),
        }
    }
    let tried = candidates.into_iter().zip(problems).collect();
    Err(NoneAnswered { tried })
}

fn found<T>(candidate: &Candidate, answer: T) -> Found<T> {
    let Candidate { endpoint, why } = candidate;
    let line = format!("using {endpoint} because {why} and it answers");
    let source = Source::Discovered(format!("because {why} and it answers").into());
    Found {
        endpoint: Valued::new(endpoint.clone(), source),
        line: line.into(),
        answer,
    }
}

fn silent(candidate: &Candidate, deadline: Duration) -> Problem {
    let (endpoint, millis) = (&candidate.endpoint, deadline.as_millis());
    Problem {
        what: format!("{endpoint} gives no answer within {millis} ms").into(),
        advice: "see whether the runtime hangs, or give it more time with --timeout".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Node;
    use super::*;
    use rstest::rstest;
    use std::future::pending;

    fn listed(node: &Node) -> Vec<(String, String)> {
        candidates(&node.env, &node.host)
            .iter()
            .map(|candidate| (candidate.endpoint.to_string(), candidate.why.to_string()))
            .collect()
    }

    fn usual() -> Vec<String> {
        USUAL
            .iter()
            .map(|(path, _)| format!("unix://{path}"))
            .collect()
    }

    #[test]
    fn without_a_kubelet_the_usual_places() {
        let listed = listed(&Node::new());
        assert_eq!(listed[0].1, "it is containerd's usual socket");
        let endpoints: Vec<_> = listed.into_iter().map(|(endpoint, _)| endpoint).collect();
        assert_eq!(endpoints, usual());
    }

    #[test]
    fn what_the_kubelet_uses_comes_first_and_once() {
        let node = Node::new();
        let flags = "KUBELET_KUBEADM_ARGS=\"--x=y --container-runtime-endpoint=unix:///run/cri-dockerd.sock --z\"\n";
        node.write(KUBEADM_FLAGS, flags);
        let config = "kind: KubeletConfiguration\ncontainerRuntimeEndpoint: unix:///opt/c.sock\n";
        node.write(KUBELET_CONFIG, config);
        let listed = listed(&node);
        let first = format!("{KUBEADM_FLAGS} names it");
        assert_eq!(listed[0], ("unix:///run/cri-dockerd.sock".into(), first));
        let second = format!("{KUBELET_CONFIG} names it");
        assert_eq!(listed[1], ("unix:///opt/c.sock".into(), second));
        assert_eq!(listed.len(), 2 + USUAL.len() - 1);
    }

    #[test]
    fn the_running_kubelet_is_asked_last() {
        let node = Node::new();
        node.write("/proc/1/comm", "systemd\n");
        node.write("/proc/self/comm", "kubelet\n");
        node.write("/proc/77/comm", "kubelet\n");
        node.write(
            "/proc/77/cmdline",
            "/usr/bin/kubelet\0--container-runtime-endpoint\0unix:///r.sock\0",
        );
        let why = "the running kubelet was started with it";
        assert_eq!(listed(&node)[0], ("unix:///r.sock".into(), why.into()));
        node.write(KUBELET_CONFIG, "containerRuntimeEndpoint: /c.sock\n");
        assert_eq!(listed(&node)[0].0, "unix:///c.sock");
    }

    #[rstest]
    #[case("", "containerRuntimeEndpoint: ''")]
    #[case("", "containerRuntimeEndpoint: 7")]
    #[case("", "containerRuntimeEndpoint: npipe:////./pipe/x")]
    #[case("", "- a")]
    #[case("", "a: [")]
    #[case("A=\"--container-runtime-endpoint\"", "")]
    #[case("A=\"--container-runtime-endpoint=\"", "")]
    #[case("A=\"--container-runtime-endpoints=/x\"", "")]
    #[case("=\n==\n\"", "")]
    fn odd_kubelet_files_are_no_candidates(#[case] flags: &str, #[case] config: &str) {
        let node = Node::new();
        node.write(KUBEADM_FLAGS, flags);
        node.write(KUBELET_CONFIG, config);
        assert_eq!(listed(&node).len(), USUAL.len());
    }

    #[rstest]
    #[case(&["kubelet", "--container-runtime-endpoint=/a"], Some("/a"))]
    #[case(&["kubelet", "--container-runtime-endpoint", "/a"], Some("/a"))]
    #[case(&["--container-runtime-endpoint=/a", "--container-runtime-endpoint=/b"], Some("/b"))]
    #[case(&["--container-runtime-endpoint-x=/a"], None)]
    #[case(&["container-runtime-endpoint=/a"], None)]
    #[case(&[], None)]
    fn flags(#[case] words: &[&str], #[case] expected: Option<&str>) {
        assert_eq!(flag_in(words.iter().copied()).as_deref(), expected);
    }

    fn problem(what: &str) -> Problem {
        Problem {
            what: what.into(),
            advice: "".into(),
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// What each socket answers, by its path: `Some` at once, `None` never.
    async fn ask(answers: &[(&str, Option<Result<(), &str>>)]) -> Result<Found<()>, NoneAnswered> {
        let listed = answers.iter().map(|(path, _)| Candidate {
            endpoint: Endpoint::new(path.into(), None),
            why: format!("it is {path}").into(),
        });
        choose(listed.collect(), SECOND, |endpoint| async move {
            let found = answers
                .iter()
                .find(|(path, _)| Path::new(path) == endpoint.path());
            match found.and_then(|(_, answer)| *answer) {
                Some(answer) => answer.map_err(problem),
                None => pending().await,
            }
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_in_order_that_answers_wins() {
        let start = tokio::time::Instant::now();
        let found = ask(&[
            ("/a", Some(Err("no"))),
            ("/b", Some(Ok(()))),
            ("/c", Some(Ok(()))),
            ("/d", None),
        ]);
        let found = found.await.unwrap();
        assert_eq!(
            found.line,
            "using unix:///b because it is /b and it answers"
        );
        let source = found.endpoint.source.to_string();
        assert_eq!(source, "discovered because it is /b and it answers");
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn silent_candidates_cost_one_deadline_together() {
        let start = tokio::time::Instant::now();
        let found = ask(&[("/a", None), ("/b", None), ("/c", Some(Ok(())))]).await;
        assert_eq!(found.unwrap().endpoint.value.path(), Path::new("/c"));
        assert_eq!(start.elapsed().as_secs(), SECOND.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn if_none_answers_each_is_listed() {
        let none = ask(&[("/a", Some(Err("refused"))), ("/b", None)]).await;
        let expected = "no container runtime answers; name its socket with --runtime-endpoint\n  \
            refused\n  unix:///b gives no answer within 1000 ms";
        assert_eq!(none.unwrap_err().to_string(), expected);
    }
}
