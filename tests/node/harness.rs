//! One real containerd: its configuration, its life (start, kill, freeze) and its images. Works
//! only inside the namespaces that `tests/run` makes, so that nothing here can reach another
//! runtime of the machine.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::cri::Cri;
use crate::image::{self, Build};
use crate::pods::{self, Pods};
use crate::support::wait_until;

/// Names of ours on the machine start like this.
pub const PREFIX: &str = "critui-test";
/// How long a start of containerd may take.
const START: Duration = Duration::from_secs(30);

/// A containerd with images and pods.
pub struct Node {
    /// The Debian suite that containerd comes from.
    suite: String,
    /// What [`tests/node/fetch`](fetch) unpacked.
    cache: PathBuf,
    /// Everything this node writes.
    dir: PathBuf,
    /// The runtime's version, as it says itself.
    pub version: String,
    /// The test's own client.
    pub cri: Cri,
    /// The pods.
    pub pods: Pods,
    daemon: Option<Child>,
}

static NODE: LazyLock<Mutex<Node>> = LazyLock::new(|| Mutex::new(Node::new()));

/// The node, for one test at a time; in order again whatever the test before did to it.
pub fn node() -> MutexGuard<'static, Node> {
    let mut node = NODE.lock().unwrap_or_else(PoisonError::into_inner);
    node.thaw();
    node.ensure_up();
    node
}

/// Like `std::env::var`, but says what is wrong when the suite is started by hand.
fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: the real-node suite needs the namespaces and packages that \
             tests/run prepares; start it with `tests/run --node-only`"
        )
    })
}

impl Node {
    fn new() -> Self {
        let suite = setting("CRITUI_TEST_SUITE");
        let cache = PathBuf::from(setting("CRITUI_TEST_CACHE"));
        let dir = Path::new("/run").join(PREFIX);
        for sub in ["root", "state", "cni"] {
            fs::create_dir_all(dir.join(sub)).expect("the node's folders");
        }
        // Where critui looks for it: there is no journal here.
        let link =
            std::os::unix::fs::symlink(dir.join("containerd.log"), "/var/log/containerd.log");
        link.expect("a name for the runtime's log");
        let cri = Cri::new(&dir.join("containerd.sock"));
        let mut node = Self {
            suite,
            cache,
            version: String::new(),
            cri,
            pods: Pods::default(),
            daemon: None,
            dir,
        };
        node.configure();
        node.start();
        node.version = node.cri.version().runtime_version;
        println!("real node: containerd {} ({})", node.version, node.suite);
        node.load_images();
        node.pods = pods::create(&node.cri, &Node::logs());
        node
    }

    /// Path of the runtime's socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("containerd.sock")
    }

    /// The folder of the pods' logs: the kubelet's, in namespaces in which nobody else has one.
    pub fn logs() -> PathBuf {
        PathBuf::from("/var/log/pods")
    }

    /// The endpoint as users write it.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn bin(&self, name: &str) -> PathBuf {
        self.cache.join(&self.suite).join("root/usr/bin").join(name)
    }

    /// strace, and the folder of libraries that it needs.
    pub fn strace(&self) -> (PathBuf, PathBuf) {
        let machine = format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH);
        (self.base("usr/bin/strace"), self.base(&machine))
    }

    /// The configuration of the pods' network.
    pub fn network(&self) -> PathBuf {
        self.dir.join("cni/10-critui-test.conflist")
    }

    /// A file of Debian 12's packages.
    pub fn base(&self, path: &str) -> PathBuf {
        self.cache.join("bookworm/root").join(path)
    }

    fn configure(&self) {
        let output = Command::new(self.bin("containerd"))
            .arg("--version")
            .output()
            .expect("containerd starts");
        let old = String::from_utf8_lossy(&output.stdout).contains(" 1.");
        let text = if old {
            self.config_2()
        } else {
            self.config_3()
        };
        self.write_config(&text);
    }

    /// The configuration's text.
    fn config(&self) -> String {
        fs::read_to_string(self.dir.join("config.toml")).expect("containerd's configuration")
    }

    /// Another containerd beside this one, without images and pods, that is configured like it but
    /// for `change`. Its owner kills it.
    pub fn beside(&self, change: impl FnOnce(&str) -> String) -> Self {
        let dir = self.dir.with_file_name(format!("{PREFIX}-beside"));
        // What a test before has left.
        let _ = fs::remove_dir_all(&dir);
        for sub in ["root", "state", "cni"] {
            fs::create_dir_all(dir.join(sub)).expect("the node's folders");
        }
        let mut node = Self {
            suite: self.suite.clone(),
            cache: self.cache.clone(),
            version: self.version.clone(),
            cri: Cri::new(&dir.join("containerd.sock")),
            pods: Pods::default(),
            daemon: None,
            dir,
        };
        node.configure();
        let config = change(&node.config());
        node.write_config(&config);
        node.start();
        node
    }

    fn write_config(&self, text: &str) {
        fs::write(self.dir.join("config.toml"), text).expect("containerd's configuration");
        fs::write(self.network(), self.cni_config()).expect("the network configuration");
    }

    fn config_head(&self, version: u32) -> String {
        let dir = self.dir.display();
        format!(
            r#"version = {version}
root = "{dir}/root"
state = "{dir}/state"
# What would write outside the two folders above, or needs what is not there.
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri",
  "io.containerd.internal.v1.tracing", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.erofs", "io.containerd.differ.v1.erofs"]
[grpc]
address = "{dir}/containerd.sock"
[ttrpc]
address = "{dir}/containerd.sock.ttrpc"
"#
        )
    }

    /// Configuration for containerd 1.x.
    fn config_2(&self) -> String {
        let cri = r#"plugins."io.containerd.grpc.v1.cri""#;
        format!(
            r#"{head}
[{cri}]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
stream_server_address = "127.0.0.1"
stream_server_port = "0"
[{cri}.containerd]
default_runtime_name = "runc"
[{cri}.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[{cri}.containerd.runtimes.runc.options]
BinaryName = "{runc}"
SystemdCgroup = false
[{cri}.cni]
bin_dir = "{cni}"
conf_dir = "{dir}/cni"
"#,
            head = self.config_head(2),
            pause = image::PAUSE,
            runc = self.base("usr/sbin/runc").display(),
            cni = self.base("usr/lib/cni").display(),
            dir = self.dir.display(),
        )
    }

    /// Configuration for containerd 2.x.
    fn config_3(&self) -> String {
        let runtime = "plugins.'io.containerd.cri.v1.runtime'";
        format!(
            r"{head}
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{pause}'
[plugins.'io.containerd.grpc.v1.cri']
stream_server_address = '127.0.0.1'
stream_server_port = '0'
[{runtime}]
restrict_oom_score_adj = true
enable_cdi = false
[{runtime}.containerd]
default_runtime_name = 'runc'
[{runtime}.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[{runtime}.containerd.runtimes.runc.options]
BinaryName = '{runc}'
SystemdCgroup = false
[{runtime}.cni]
bin_dirs = ['{cni}']
conf_dir = '{dir}/cni'
",
            head = self.config_head(3),
            pause = image::PAUSE,
            runc = self.base("usr/sbin/runc").display(),
            cni = self.base("usr/lib/cni").display(),
            dir = self.dir.display(),
        )
    }

    fn cni_config(&self) -> String {
        serde_json::json!({
            "cniVersion": "0.4.0",
            "name": PREFIX,
            "plugins": [{
                "type": "bridge",
                "bridge": PREFIX,
                "isGateway": true,
                "ipMasq": false,
                "ipam": {
                    "type": "host-local",
                    "dataDir": self.dir.join("ipam"),
                    "ranges": [[{"subnet": "10.213.0.0/16"}]],
                },
            }],
        })
        .to_string()
    }

    /// Starts containerd and waits until its CRI answers.
    pub fn start(&mut self) {
        assert!(self.daemon.is_none(), "containerd runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.dir.join("containerd.log"))
            .expect("containerd's log");
        let child = Command::new(self.bin("containerd"))
            .arg("--config")
            .arg(self.dir.join("config.toml"))
            // The shim is looked up in PATH.
            .env("PATH", self.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("containerd's log"))
            .stderr(log)
            .spawn()
            .expect("containerd starts");
        self.daemon = Some(child);
        let up = wait_until(START, || {
            UnixStream::connect(self.socket()).is_ok() && self.cri.network_ready()
        });
        assert!(up, "containerd does not answer:\n{}", self.log_tail());
    }

    fn path(&self) -> String {
        format!(
            "{}:{}:/usr/sbin:/usr/bin:/sbin:/bin",
            self.bin("").display(),
            self.base("usr/sbin").display()
        )
    }

    fn log_tail(&self) -> String {
        let text = fs::read_to_string(self.dir.join("containerd.log")).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Kills containerd at once. Its containers live on, as after a crash.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            child.kill().expect("containerd can be killed");
            child.wait().expect("containerd ends");
        }
    }

    /// Stops containerd from running, so that it holds its socket and answers nothing.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Undoes [`Node::freeze`].
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = &self.daemon {
            // The child is not waited for, so that its id is still its own.
            kill_process(Pid::from_child(child), signal).expect("containerd takes signals");
        }
    }

    /// Starts containerd unless it runs.
    pub fn ensure_up(&mut self) {
        let gone = match &mut self.daemon {
            Some(child) => child
                .try_wait()
                .expect("containerd can be asked for")
                .is_some(),
            None => true,
        };
        if gone {
            self.daemon = None;
            self.start();
        }
    }

    fn load_images(&self) {
        let sleep = ["/bin/busybox", "sleep", "2147483647"];
        let images: [(&[&str], &[&str]); 3] = [
            (&[image::PAUSE], &sleep),
            (&[image::APP, image::APP_LATEST], &["/bin/sh"]),
            (&[image::UNUSED], &["/bin/true"]),
        ];
        for (tags, entrypoint) in images {
            self.load_image(tags, entrypoint);
        }
    }

    /// Runs containerd's own client.
    pub fn ctr(&self, args: &[&str]) {
        let output = Command::new(self.bin("ctr"))
            .arg("--address")
            .arg(self.socket())
            .args(["--namespace", "k8s.io"])
            .args(args)
            .output()
            .expect("ctr starts");
        assert!(
            output.status.success(),
            "ctr {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Loads an image under these names.
    pub fn load_image(&self, tags: &[&str], entrypoint: &[&str]) {
        self.load(&Build::new(tags, entrypoint));
    }

    /// Loads an image.
    pub fn load(&self, build: &Build) {
        let archive = self.dir.join("image.tar");
        image::write(&archive, &self.base("bin/busybox"), build).expect("the image's archive");
        self.ctr(&["images", "import", &archive.to_string_lossy()]);
        fs::remove_file(&archive).expect("the image's archive");
        // The CRI side learns of images by events.
        for tag in build.tags {
            let known = wait_until(START, || self.cri.image(tag).is_some());
            assert!(known, "image {tag} did not appear");
        }
    }
}
