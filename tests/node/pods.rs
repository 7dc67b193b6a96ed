//! The pods of the suite, made the way a kubelet makes them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use k8s_cri::v1 as cri;

use crate::cri::{Cri, spec};
use crate::harness::PREFIX;
use crate::image;
use crate::support::wait_until;

/// Pods that do nothing but run; the special ones come on top.
const SLEEPERS: usize = 15;
/// How long a container may take to reach a state.
const SETTLE: Duration = Duration::from_secs(20);
/// An escape sequence, a bidi control and a line break, as a workload could put into a label.
pub const HOSTILE: &str = "a\u{1b}[31mred\u{202e}txt\nline";

/// What a container runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recipe {
    /// Writes one line and runs until it is stopped.
    Sleep,
    /// Exits with 1 and some last words on stderr, and is restarted twice.
    Crash,
    /// Exits with 0, as the rest of its pod.
    Done,
    /// Fills 16 MiB and is killed for it.
    Oom,
    /// Uses all CPU that it gets, which is 0.3 of a core.
    Busy,
    /// Holds 64 MiB.
    Holder,
    /// Takes a MB more seven times a second, until it is killed at 32 MiB.
    Climber,
    /// Writes 24 MiB into a file of its own.
    Writer,
    /// A shell with a terminal.
    Terminal,
    /// A command that does not exist.
    Wrong,
    /// Runs on when it is asked to end.
    Stubborn,
    /// Writes a numbered line a hundred times a second, each tenth to stderr, one in fifty longer
    /// than a chunk of the runtime's, until it is stopped.
    Chatter,
}

impl Recipe {
    fn command(self) -> Vec<String> {
        let script = match self {
            // TERM ends it: the shell is the container's first process.
            Self::Sleep => "echo started; trap 'exit 0' TERM; sleep 2147483647 & wait",
            Self::Crash => {
                "echo starting; echo 'panic: boom' >&2; echo ' at main.rs:1' >&2; exit 1"
            }
            Self::Done => "echo done",
            Self::Writer => {
                "dd if=/dev/zero of=/big bs=1M count=24; trap 'exit 0' TERM; sleep 2147483647 & wait"
            }
            Self::Oom => "x=0123456789abcdef; while :; do x=$x$x; done",
            Self::Chatter => {
                "trap 'exit 3' TERM; pad=$(head -c 20000 /dev/zero | tr '\\0' x); n=0; \
                 while :; do n=$((n+1)); line=\"line $n.\"; \
                 [ $((n % 50)) = 0 ] && line=\"$line $pad\"; \
                 if [ $((n % 10)) = 0 ]; then echo \"$line\" >&2; else echo \"$line\"; fi; \
                 usleep 10000; done"
            }
            Self::Stubborn => "trap '' TERM; while :; do usleep 100000; done",
            Self::Busy => "trap 'exit 0' TERM; while :; do :; done",
            // Shared memory belongs to who writes it, and to nobody's cache.
            Self::Holder => {
                "dd if=/dev/zero of=/dev/shm/held bs=1M count=64; trap 'exit 0' TERM; \
                 sleep 2147483647 & wait"
            }
            Self::Climber => {
                "x=$(head -c 1000000 /dev/zero | tr '\\0' x); y=; \
                 while :; do y=$y$x; usleep 150000; done"
            }
            Self::Terminal => return vec!["/bin/sh".to_owned()],
            Self::Wrong => return vec!["/no/such/command".to_owned()],
        };
        vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()]
    }

    fn memory_limit(self) -> i64 {
        match self {
            Self::Oom => 16 << 20,
            Self::Climber => 32 << 20,
            _ => 0,
        }
    }

    /// Microseconds of CPU time in each tenth of a second; 0 is no limit.
    fn cpu_quota(self) -> i64 {
        if self == Self::Busy { 30_000 } else { 0 }
    }

    /// The state that the container ends up in.
    fn settles(self) -> cri::ContainerState {
        match self {
            Self::Sleep
            | Self::Stubborn
            | Self::Chatter
            | Self::Terminal
            | Self::Busy
            | Self::Holder
            | Self::Writer
            | Self::Climber => cri::ContainerState::ContainerRunning,
            _ => cri::ContainerState::ContainerExited,
        }
    }
}

/// One pod that was made.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Id of its sandbox.
    pub id: String,
    /// What the sandbox was made with.
    pub config: cri::PodSandboxConfig,
}

impl Pod {
    /// Makes a container and does not start it; its id.
    pub fn make(&self, cri: &Cri, name: &str, recipe: Recipe) -> String {
        let config = container(&self.config, name, 0, recipe);
        cri.create(&self.id, config, &self.config)
    }

    /// Makes a container and starts it; its id.
    pub fn add(&self, cri: &Cri, name: &str, attempt: u32, recipe: Recipe) -> String {
        let config = container(&self.config, name, attempt, recipe);
        let id = cri.create(&self.id, config, &self.config);
        let started = cri.start(&id);
        assert_eq!(
            started.is_err(),
            recipe == Recipe::Wrong,
            "start of {name}: {started:?}"
        );
        id
    }
}

/// Rotates a container's log for the `nth` time as the kubelet does; the path of the old file.
pub fn rotate_log(cri: &Cri, container: &str, nth: u32) -> PathBuf {
    let current = cri.status(container).log_path;
    let old = Path::new(&current).with_extension(format!("log.20260101-{nth:06}"));
    fs::rename(&current, &old).expect("the log can be renamed");
    cri.reopen_log(container);
    assert!(Path::new(&current).exists(), "{current} was not reopened");
    old
}

/// Packs a rotated log as the kubelet does: under another name first.
pub fn pack_log(rotated: &Path) {
    let name = rotated.display();
    let file = File::create(format!("{name}.tmp")).expect("a file");
    let mut packed = GzEncoder::new(file, Compression::default());
    let mut plain = File::open(rotated).expect("the rotated log");
    std::io::copy(&mut plain, &mut packed).expect("it is packed");
    packed.finish().expect("it is packed");
    fs::rename(format!("{name}.tmp"), format!("{name}.gz")).expect("it is renamed");
    fs::remove_file(rotated).expect("the plain one goes");
}

/// All pods that were made, by name.
#[derive(Default, Debug)]
pub struct Pods(HashMap<String, Pod>);

impl Pods {
    /// A pod by name.
    pub fn get(&self, name: &str) -> &Pod {
        &self.0[name]
    }

    /// Their names.
    pub fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// Makes the pods and waits until all are what they shall be: 20 of them, or as many as
/// `CRITUI_TEST_PODS` says.
pub fn create(cri: &Cri, logs: &Path) -> Pods {
    let special: [(&str, Recipe); 4] = [
        ("crash", Recipe::Crash),
        ("job", Recipe::Done),
        ("oom", Recipe::Oom),
        ("wrong", Recipe::Wrong),
    ];
    let wanted = std::env::var("CRITUI_TEST_PODS")
        .ok()
        .and_then(|n| n.parse().ok());
    let sleepers = wanted.map_or(SLEEPERS, |n: usize| n.saturating_sub(special.len() + 1));
    let mut pods = Pods::default();
    let names = (1..=sleepers)
        .map(|n| (format!("web-{n}"), Recipe::Sleep))
        .chain(special.map(|(name, recipe)| (name.to_owned(), recipe)))
        .chain([("hostile".to_owned(), Recipe::Sleep)]);
    for (index, (name, recipe)) in names.enumerate() {
        let pod = create_one(cri, logs, &name, index, recipe);
        pods.0.insert(name, pod);
    }
    pods
}

/// Makes one pod; `index` decides its namespace and uid.
pub fn create_one(cri: &Cri, logs: &Path, name: &str, index: usize, recipe: Recipe) -> Pod {
    let config = sandbox(name, index, logs);
    let pod = Pod {
        id: cri.run_sandbox(&config),
        config,
    };
    let side = if recipe == Recipe::Done {
        Recipe::Done
    } else {
        Recipe::Sleep
    };
    let id = pod.add(cri, "side", 0, side);
    settle(cri, &id, side);
    let app = pod.add(cri, "app", 0, recipe);
    settle(cri, &app, recipe);
    match recipe {
        Recipe::Crash => restart(cri, &pod, &app),
        // As the kubelet does when nothing of a pod will run again.
        Recipe::Done => cri.stop_sandbox(&pod.id),
        _ => {}
    }
    pod
}

/// Restarts the crashing container twice.
fn restart(cri: &Cri, pod: &Pod, app: &str) {
    let first = pod.add(cri, "app", 1, Recipe::Crash);
    settle(cri, &first, Recipe::Crash);
    // The kubelet keeps one dead instance.
    cri.remove(app);
    let second = pod.add(cri, "app", 2, Recipe::Crash);
    settle(cri, &second, Recipe::Crash);
}

/// Waits until the container is in its final state.
fn settle(cri: &Cri, id: &str, recipe: Recipe) {
    let settled = wait_until(SETTLE, || cri.status(id).state() == recipe.settles());
    assert!(settled, "{recipe:?} is {:?}", cri.status(id));
}

/// A sandbox's configuration with all that the kubelet sends.
fn sandbox(name: &str, index: usize, logs: &Path) -> cri::PodSandboxConfig {
    let namespace = ["default", "kube-system", "shop"][index % 3];
    let uid = format!("c0ffee00-0000-4000-8000-{index:012}");
    let host_network = name == "web-1";
    let mut labels = strings([
        ("io.kubernetes.pod.name", name),
        ("io.kubernetes.pod.namespace", namespace),
        ("io.kubernetes.pod.uid", &uid),
        ("app", name),
    ]);
    if name == "hostile" {
        labels.insert("note".to_owned(), HOSTILE.to_owned());
    }
    cri::PodSandboxConfig {
        metadata: Some(cri::PodSandboxMetadata {
            name: name.to_owned(),
            uid: uid.clone(),
            namespace: namespace.to_owned(),
            attempt: 0,
        }),
        hostname: if host_network {
            String::new()
        } else {
            name.to_owned()
        },
        log_directory: logs
            .join(format!("{namespace}_{name}_{uid}"))
            .display()
            .to_string(),
        dns_config: Some(cri::DnsConfig {
            servers: vec!["10.213.0.10".to_owned()],
            ..Default::default()
        }),
        labels,
        annotations: strings([
            (
                "kubernetes.io/config.seen",
                "2026-01-01T00:00:00.000000000Z",
            ),
            ("kubernetes.io/config.source", "api"),
        ]),
        linux: Some(cri::LinuxPodSandboxConfig {
            cgroup_parent: format!("/{PREFIX}/burstable/pod{uid}"),
            security_context: Some(cri::LinuxSandboxSecurityContext {
                namespace_options: Some(namespaces(host_network)),
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A container's configuration with all that the kubelet sends.
pub fn container(
    pod: &cri::PodSandboxConfig,
    name: &str,
    attempt: u32,
    recipe: Recipe,
) -> cri::ContainerConfig {
    let mut labels = pod.labels.clone();
    labels.remove("app");
    labels.insert("io.kubernetes.container.name".to_owned(), name.to_owned());
    cri::ContainerConfig {
        metadata: Some(cri::ContainerMetadata {
            name: name.to_owned(),
            attempt,
        }),
        image: Some(spec(image::APP)),
        command: recipe.command(),
        labels,
        annotations: strings([
            ("io.kubernetes.container.hash", "1a2b3c4d"),
            ("io.kubernetes.container.restartCount", &attempt.to_string()),
            (
                "io.kubernetes.container.terminationMessagePath",
                "/dev/termination-log",
            ),
            ("io.kubernetes.container.terminationMessagePolicy", "File"),
            ("io.kubernetes.pod.terminationGracePeriod", "30"),
        ]),
        log_path: format!("{name}/{attempt}.log"),
        tty: recipe == Recipe::Terminal,
        stdin: recipe == Recipe::Terminal,
        linux: Some(cri::LinuxContainerConfig {
            resources: Some(cri::LinuxContainerResources {
                cpu_shares: 2,
                cpu_quota: recipe.cpu_quota(),
                cpu_period: 100_000,
                memory_limit_in_bytes: recipe.memory_limit(),
                ..Default::default()
            }),
            security_context: Some(cri::LinuxContainerSecurityContext {
                namespace_options: Some(namespaces(is_host_network(pod))),
                ..Default::default()
            }),
        }),
        ..Default::default()
    }
}

fn is_host_network(pod: &cri::PodSandboxConfig) -> bool {
    pod.hostname.is_empty()
}

fn namespaces(host_network: bool) -> cri::NamespaceOption {
    let network = if host_network {
        cri::NamespaceMode::Node
    } else {
        cri::NamespaceMode::Pod
    };
    cri::NamespaceOption {
        network: network.into(),
        pid: cri::NamespaceMode::Container.into(),
        ..Default::default()
    }
}

fn strings<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, String> {
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}
