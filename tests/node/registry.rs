//! Pulling from a real registry on the loopback, with and without a password, and from one that
//! never answers; removing; limits; pods from files. What came of it is seen by the suite's own
//! client.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use k8s_cri::v1::ContainerState;

use crate::CRITUI;
use crate::exec::quit;
use crate::harness::{Node, node};
use crate::image::{APP, UNUSED};
use crate::pods::{Recipe, create_one};
use crate::support::words::{UP, link_is};
use crate::support::{Program, Term, wait_until};

/// For what takes no time; generous, since the machine may be busy.
const SOON: Duration = Duration::from_secs(10);
/// Where changes are kept.
const JOURNAL: &str = "/var/log/critui/journal.jsonl";
/// `alice` with the password `hunter2`, as htpasswd writes it.
const ALICE: &str = "alice:$2y$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.\n";

/// Debian's docker-registry, until it is dropped.
struct Registry {
    daemon: Child,
    host: String,
    folder: PathBuf,
}

impl Registry {
    /// Starts one on this port that keeps its images in `folder`.
    fn start(node: &Node, folder: &Path, port: u16, secured: bool) -> Self {
        let host = format!("127.0.0.1:{port}");
        fs::create_dir_all(folder).expect("the registry's folder");
        let config = folder.join(format!("{port}.yml"));
        let users = folder.join("htpasswd");
        fs::write(&users, ALICE).expect("the registry's users");
        let auth = format!(
            "auth:\n  htpasswd: {{realm: critui, path: {}}}\n",
            users.display()
        );
        let text = format!(
            "version: 0.1\nlog: {{level: warn}}\nstorage:\n  filesystem: {{rootdirectory: {}}}\n\
             http: {{addr: '{host}'}}\n{}",
            folder.join("data").display(),
            if secured { &auth } else { "" }
        );
        fs::write(&config, text).expect("the registry's configuration");
        let log = fs::File::create(folder.join(format!("{port}.log"))).expect("its log");
        let daemon = Command::new(node.base("usr/bin/docker-registry"))
            .args(["serve".as_ref(), config.as_os_str()])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("docker-registry starts");
        let registry = Self {
            daemon,
            host,
            folder: folder.to_owned(),
        };
        let up = wait_until(SOON, || TcpStream::connect(&registry.host).is_ok());
        assert!(up, "the registry does not answer");
        registry
    }

    /// Has an image under this name.
    fn has(&self, node: &Node, name: &str) {
        let there = format!("{}/{name}", self.host);
        node.ctr(&["images", "tag", "--force", UNUSED, &there]);
        node.ctr(&["images", "push", "--plain-http", &there]);
        node.cri.remove_image(&there);
        assert!(wait_until(SOON, || node.cri.image(&there).is_none()));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn opened(node: &Node) -> Term {
    let term = Program::new(CRITUI)
        .args(["-r".to_owned(), node.endpoint()])
        .size(120, 50)
        .spawn();
    term.wait_for("the pods", SOON, |screen| {
        link_is(screen, UP) && screen.contents().contains("1 Pods 1/2")
    });
    term
}

/// Asks for something and confirms it.
fn confirms(term: &mut Term, keys: &str, question: &str) {
    term.keys(keys);
    term.wait_for_text(question, SOON);
    term.wait_for_text("kept in the journal", SOON);
    term.keys("y");
}

fn pulls(term: &mut Term, what: &str, question: &str) {
    confirms(term, &format!("3P\x15{what}\r"), question);
    term.keys("X");
}

#[test]
fn an_image_is_pulled_and_removed() {
    let node = node();
    let registry = Registry::start(&node, Path::new("/run/critui-test/registry"), 5010, false);
    registry.has(&node, "team/tool:1");
    let name = format!("{}/team/tool:1", registry.host);
    let mut term = opened(&node);
    pulls(&mut term, &name, &format!("Pull {name}?"));
    term.wait_for_text("done after", SOON);
    let image = node.cri.image(&name).expect("it was pulled");
    assert!(image.repo_tags.contains(&name), "{image:?}");
    term.keys("q3/team/tool\r");
    // The same content as another image: all its names go, and both are told.
    confirms(&mut term, "D", "Remove ");
    term.keys("X");
    term.wait_for_text("remove image", SOON);
    assert!(wait_until(SOON, || node.cri.image(&name).is_none()));
    let missing = format!("{}/team/tool:2", registry.host);
    term.keys("q");
    pulls(&mut term, &missing, "team/tool:2?");
    term.wait_for_text("failed: PullImage: ", SOON);
    term.wait_for_text("not found", SOON);
    quit(term);
    // The others of this suite need it.
    node.load_image(&[UNUSED], &["/bin/true"]);
}

#[test]
fn a_registry_with_a_password() {
    let node = node();
    let folder = Path::new("/run/critui-test/registry-secured");
    let open = Registry::start(&node, folder, 5011, false);
    open.has(&node, "secret/tool:1");
    let registry = Registry::start(&node, folder, 5012, true);
    let name = format!("{}/secret/tool:1", registry.host);
    let mut term = opened(&node);
    pulls(&mut term, &name, "without credentials");
    term.wait_for_text("failed: PullImage: ", SOON);
    assert!(node.cri.image(&name).is_none());
    for (password, comes) in [("wrong", false), ("hunter2", true)] {
        term.keys(&format!("q3P\x15{name} as alice\r"));
        term.wait_for_text("password ", SOON);
        term.keys(password);
        term.keys("\r");
        term.wait_for_text("as alice, with the password that was typed", SOON);
        term.wait_for_text("kept in the journal", SOON);
        term.keys("yX");
        if comes {
            term.wait_for_text("done after", SOON);
        }
        let over = || {
            let kept = fs::read_to_string(JOURNAL).unwrap_or_default();
            let outcome = if comes { "\"done\"" } else { "\"failed" };
            let last = kept.lines().rev().find(|line| line.contains(&name));
            last.is_some_and(|line| line.contains("alice") && line.contains(outcome))
        };
        assert!(wait_until(SOON, over), "{}", term.text());
        assert_eq!(node.cri.image(&name).is_some(), comes, "{password}");
    }
    let kept = fs::read_to_string(JOURNAL).expect("a journal");
    assert!(
        !kept.contains("hunter2") && !kept.contains("wrong"),
        "{kept}"
    );
    assert!(!term.text().contains("hunter2"));
    quit(term);
    node.cri.remove_image(&name);
    node.load_image(&[UNUSED], &["/bin/true"]);
}

#[test]
fn a_registry_that_never_answers_can_be_left() {
    let node = node();
    // The system takes the connection, nobody reads from it.
    let _deaf = TcpListener::bind("127.0.0.1:5013").expect("a port");
    let mut term = opened(&node);
    pulls(&mut term, "127.0.0.1:5013/tool:1", "127.0.0.1:5013/tool:1?");
    term.wait_for_text("pulling for ", SOON);
    // Everything else goes on.
    term.keys("q1\r");
    term.wait_for_text("2 Containers of ", SOON);
    term.keys("Xx");
    term.wait_for_text("failed: it was broken off", SOON);
    quit(term);
}

/// A number that the kernel enforces for a container.
fn of_cgroup(id: &str, names: &[&str]) -> Option<String> {
    let mut folders = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        for path in below.map(|entry| entry.path()) {
            if path.to_string_lossy().contains(id) {
                let read = |name: &&str| fs::read_to_string(path.join(name)).ok();
                if let Some(text) = names.iter().find_map(read) {
                    return Some(text.trim().to_owned());
                }
            }
            folders.push(path);
        }
    }
    None
}

#[test]
fn limits_of_a_container_that_runs() {
    let node = node();
    let pod = create_one(&node.cri, &Node::logs(), "tight", 930, Recipe::Sleep);
    let app = node.cri.container("tight", "app");
    let memory = ["memory.max", "memory.limit_in_bytes"];
    let before = of_cgroup(&app, &memory).expect("a limit");
    let mut term = opened(&node);
    term.keys("/tight\r\r/app\r");
    term.wait_for_text("2 Containers of tight", SOON);
    confirms(&mut term, "U\x15memory=96Mi cpu=250m\r", "96.0MiB then");
    term.wait_for_text("done after", SOON);
    let after = of_cgroup(&app, &memory);
    assert_ne!(Some(before), after);
    assert_eq!(after.as_deref(), Some("100663296"));
    let quota = of_cgroup(&app, &["cpu.max", "cpu.cfs_quota_us"]);
    assert!(quota.is_some_and(|quota| quota.starts_with("25000")));
    quit(term);
    node.cri.remove_sandbox(&pod.id);
}

#[test]
fn a_pod_from_files() {
    let node = node();
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let pod = write(
        "pod file.yaml",
        "metadata: {name: by-hand, namespace: default, uid: 3f0c8f5e-0001}\n\
         log_directory: /var/log/pods/default_by-hand_3f0c8f5e-0001\n\
         linux: {cgroup_parent: /critui-test/by-hand, security_context: {namespace_options: {network: 2}}}\n"
            .into(),
    );
    let container = write(
        "container.json",
        format!(
            r#"{{"metadata": {{"name": "main"}}, "image": {{"image": "{APP}"}},
            "command": ["/bin/busybox", "sleep", "1000"], "log_path": "main/0.log", "linux": {{}}}}"#
        ),
    );
    let mut term = opened(&node);
    term.keys(&format!(":run-files\r{container} '{pod}'\r"));
    term.wait_for_text("Run default/by-hand/main?", SOON);
    term.wait_for_text("kept in the journal", SOON);
    term.keys("y");
    let made = || {
        let all = node.cri.containers().into_iter();
        let named = |name: &str| name == "main";
        all.filter_map(|one| Some((one.metadata?.name, one.id, one.pod_sandbox_id)))
            .find(|(name, ..)| named(name))
    };
    assert!(wait_until(SOON, || made().is_some()), "{}", term.text());
    let (_, id, sandbox) = made().expect("a container");
    let runs = || node.cri.status(&id).state() == ContainerState::ContainerRunning;
    assert!(wait_until(SOON, runs));
    let status = node.cri.sandbox_status(&sandbox);
    assert_eq!(status.metadata.expect("a name").name, "by-hand");
    term.wait_for_text("done", SOON);
    quit(term);
    node.cri.remove_sandbox(&sandbox);
}
