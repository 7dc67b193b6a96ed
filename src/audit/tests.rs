//! Facts in, findings out: a row for each way in which a check can come out.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use super::facts::{
    ContainerFacts, Context, FileFact, HostFacts, ImageFacts, Owned, PodFacts, Purpose,
    RuntimeFacts,
};
use super::kubelet::Kubelet;
use super::*;
use crate::domain::security::{
    HostNamespaces, ImageSecurity, Mount, Oci, PodSecurity, RuntimeSecurity, Security,
};
use crate::domain::{Limits, PodId, RuntimeVersion};
use crate::text::Text;

const UID: &str = "6f6c";

fn subject(kind: Kind) -> Subject {
    Subject {
        kind,
        namespace: "shop".into(),
        pod: "web-0".into(),
        workload: "web".into(),
        container: (kind == Kind::Container).then(|| "app".into()),
        pod_id: Some(PodId::new("p1")),
        ..Subject::default()
    }
}

fn context() -> Context {
    Context {
        modules: Ok(vec!["capability".into(), "apparmor".into()]),
        registries: vec![],
    }
}

/// One that nothing can be said against.
fn hardened() -> ContainerFacts {
    ContainerFacts {
        subject: subject(Kind::Container),
        uid: UID.into(),
        told: Ok(Security {
            privileged: Some(false),
            spec: Some(Oci {
                uid: Some(10001),
                user_namespace: false,
                no_new_privileges: true,
                capabilities: vec![],
                seccomp: true,
                apparmor: Some("cri-containerd.apparmor.d".into()),
                selinux: None,
                read_only_root: true,
                masked: true,
                devices: vec![],
                secrets: vec![],
            }),
            added: vec![],
            mounts: Some(vec![mount(&format!(
                "/var/lib/kubelet/pods/{UID}/volumes/x"
            ))]),
            limits: Some(Limits {
                memory: Some(1 << 20),
                cpu: Some(1000),
            }),
            image: Some("ghcr.io/shop/app:1@sha256:abc".into()),
        }),
        host_ports: vec![],
        moved_to: None,
        context: Arc::new(context()),
    }
}

fn mount(path: &str) -> Mount {
    Mount {
        host_path: path.into(),
        path: "/there".into(),
        ..Mount::default()
    }
}

fn security(facts: &mut ContainerFacts) -> &mut Security {
    facts.told.as_mut().unwrap()
}

fn spec(facts: &mut ContainerFacts) -> &mut Oci {
    security(facts).spec.as_mut().unwrap()
}

fn caps(names: &[&str]) -> Vec<crate::text::Text> {
    names.iter().map(|name| (*name).into()).collect()
}

/// `check severity[:detail]`, or `check unknown`, of each finding.
fn told(findings: &[Finding]) -> Vec<String> {
    let one = |finding: &Finding| match finding.status {
        Status::Unknown => format!("{} unknown", finding.rule.id),
        Status::Found if finding.detail.is_empty() => {
            format!("{} {}", finding.rule.id, finding.severity.name())
        }
        Status::Found => {
            let (id, severity) = (finding.rule.id, finding.severity.name());
            format!("{id} {severity}:{}", finding.detail)
        }
    };
    findings.iter().map(one).collect()
}

fn of<F>(checks: &'static [&'static Check<F>], facts: &F) -> Vec<Finding> {
    let mut all = Vec::new();
    judge(checks, facts, &subject(Kind::Container), &mut all);
    all
}

type Change = fn(&mut ContainerFacts);

#[rstest]
#[case::hardened(|_: &mut ContainerFacts| (), &[])]
#[case::root(|f: &mut ContainerFacts| spec(f).uid = Some(0), &["runs-as-root medium"])]
#[case::root_in_a_user_namespace(
    |f: &mut ContainerFacts| { spec(f).uid = Some(0); spec(f).user_namespace = true; },
    &["runs-as-root info"]
)]
#[case::no_user(|f: &mut ContainerFacts| spec(f).uid = None, &["runs-as-root unknown"])]
#[case::setuid(|f: &mut ContainerFacts| spec(f).no_new_privileges = false, &["privilege-escalation medium"])]
#[case::seccomp(|f: &mut ContainerFacts| spec(f).seccomp = false, &["seccomp-unconfined medium"])]
#[case::apparmor(|f: &mut ContainerFacts| spec(f).apparmor = None, &["apparmor-unconfined medium"])]
#[case::apparmor_by_name(
    |f: &mut ContainerFacts| spec(f).apparmor = Some("unconfined".into()),
    &["apparmor-unconfined medium"]
)]
#[case::apparmor_not_on(
    |f: &mut ContainerFacts| {
        spec(f).apparmor = None;
        f.context = Arc::new(Context { modules: Ok(vec![]), registries: vec![] });
    },
    &[]
)]
#[case::apparmor_not_seen(
    |f: &mut ContainerFacts| {
        spec(f).apparmor = None;
        f.context = Arc::new(Context { modules: Err("no".into()), registries: vec![] });
    },
    &["apparmor-unconfined unknown", "selinux-unconfined unknown"]
)]
#[case::selinux(
    |f: &mut ContainerFacts| f.context = Arc::new(Context { modules: Ok(vec!["selinux".into()]), registries: vec![] }),
    &["selinux-unconfined medium"]
)]
#[case::selinux_held(
    |f: &mut ContainerFacts| {
        spec(f).selinux = Some("system_u:system_r:container_t:s0:c1,c2".into());
        f.context = Arc::new(Context { modules: Ok(vec!["selinux".into()]), registries: vec![] });
    },
    &[]
)]
#[case::selinux_super(
    |f: &mut ContainerFacts| {
        spec(f).selinux = Some("system_u:system_r:spc_t:s0".into());
        f.context = Arc::new(Context { modules: Ok(vec!["selinux".into()]), registries: vec![] });
    },
    &["selinux-unconfined medium"]
)]
#[case::proc(|f: &mut ContainerFacts| spec(f).masked = false, &["proc-unmasked high"])]
#[case::root_file_system(|f: &mut ContainerFacts| spec(f).read_only_root = false, &["writable-root low"])]
#[case::one_port(|f: &mut ContainerFacts| spec(f).capabilities = caps(&["NET_BIND_SERVICE"]), &[])]
#[case::usual(|f: &mut ContainerFacts| spec(f).capabilities = caps(&["CHOWN", "NET_RAW"]), &["capabilities-kept low"])]
#[case::added(
    |f: &mut ContainerFacts| spec(f).capabilities = caps(&["IPC_LOCK"]),
    &["capabilities-added medium:IPC_LOCK"]
)]
#[case::dangerous(
    |f: &mut ContainerFacts| spec(f).capabilities = caps(&["CHOWN", "NET_ADMIN", "SYS_ADMIN"]),
    &["capabilities-added high:NET_ADMIN+SYS_ADMIN", "capabilities-kept low"]
)]
#[case::raw_asked_for(
    |f: &mut ContainerFacts| { spec(f).capabilities = caps(&["NET_RAW"]); security(f).added = caps(&["NET_RAW"]); },
    &["capabilities-added medium:NET_RAW"]
)]
#[case::device(|f: &mut ContainerFacts| spec(f).devices = caps(&["/dev/fuse"]), &["device medium:/dev/fuse"])]
#[case::disk(|f: &mut ContainerFacts| spec(f).devices = caps(&["/dev/sda1"]), &["device critical:/dev/sda1"])]
#[case::usual_device(|f: &mut ContainerFacts| spec(f).devices = caps(&["/dev/null"]), &[])]
#[case::secret(
    |f: &mut ContainerFacts| spec(f).secrets = vec![(3, "DB_PASSWORD".into())],
    &["secret-in-environment medium:DB_PASSWORD"]
)]
#[case::privileged_says_it_all(
    |f: &mut ContainerFacts| {
        security(f).privileged = Some(true);
        spec(f).capabilities = caps(&["SYS_ADMIN"]);
        (spec(f).seccomp, spec(f).masked, spec(f).apparmor) = (false, false, None);
        spec(f).devices = caps(&["/dev/sda"]);
    },
    &["privileged high"]
)]
#[case::privileged_by_its_looks(
    |f: &mut ContainerFacts| {
        security(f).privileged = None;
        let many: Vec<String> = (0..40).map(|n| format!("CAP{n}")).collect();
        spec(f).capabilities = many.iter().map(|name| name.as_str().into()).collect();
        (spec(f).seccomp, spec(f).masked) = (false, false);
    },
    &["privileged high", "capabilities-added medium:*", "seccomp-unconfined medium", "proc-unmasked high"]
)]
#[case::socket(
    |f: &mut ContainerFacts| security(f).mounts = Some(vec![mount("/var/run/docker.sock")]),
    &["runtime-socket critical:/var/run/docker.sock"]
)]
#[case::folder_of_a_socket(
    |f: &mut ContainerFacts| security(f).mounts = Some(vec![mount("/run/containerd/")]),
    &["runtime-socket critical:/run/containerd/"]
)]
#[case::whole_node(
    |f: &mut ContainerFacts| security(f).mounts = Some(vec![mount("/")]),
    &["host-path critical:/"]
)]
#[case::whole_node_to_read(
    |f: &mut ContainerFacts| security(f).mounts = Some(vec![Mount { read_only: true, ..mount("/") }]),
    &["host-path high:/"]
)]
#[case::another_pods_volume(
    |f: &mut ContainerFacts| security(f).mounts = Some(vec![mount("/var/lib/kubelet/pods/other/volumes/x")]),
    &["host-path critical:/var/lib/kubelet/pods/other/volumes/x"]
)]
#[case::propagation(
    |f: &mut ContainerFacts| security(f).mounts = Some(vec![Mount { bidirectional: true, ..mount("/srv/x") }]),
    &["host-path medium:/srv/x", "mount-propagation medium:/srv/x"]
)]
#[case::token(
    |f: &mut ContainerFacts| {
        let token = "/var/run/secrets/kubernetes.io/serviceaccount";
        let path = format!("/var/lib/kubelet/pods/{UID}/volumes/kubernetes.io~projected/t");
        security(f).mounts = Some(vec![Mount { path: token.into(), ..mount(&path) }]);
    },
    &["service-account-token low"]
)]
#[case::port(|f: &mut ContainerFacts| f.host_ports = vec![80], &["host-port low:80"])]
#[case::no_limits(
    |f: &mut ContainerFacts| security(f).limits = Some(Limits::default()),
    &["no-memory-limit low", "no-cpu-limit info"]
)]
#[case::limits_not_told(
    |f: &mut ContainerFacts| security(f).limits = None,
    &["no-memory-limit unknown", "no-cpu-limit unknown"]
)]
#[case::latest(
    |f: &mut ContainerFacts| security(f).image = Some("ghcr.io/a/b:latest".into()),
    &["image-latest medium"]
)]
#[case::no_tag(
    |f: &mut ContainerFacts| security(f).image = Some("busybox".into()),
    &["image-latest medium", "image-unqualified low"]
)]
#[case::tag(|f: &mut ContainerFacts| security(f).image = Some("ghcr.io/a/b:1".into()), &["image-tag info"])]
#[case::moved(|f: &mut ContainerFacts| f.moved_to = Some("0123456789abc".into()), &["image-moved medium"])]
#[case::other_registry(
    |f: &mut ContainerFacts| f.context = Arc::new(Context { registries: vec!["quay.io".into()], ..context() }),
    &["image-registry medium"]
)]
#[case::own_registry(
    |f: &mut ContainerFacts| f.context = Arc::new(Context { registries: vec!["ghcr.io/shop/".into()], ..context() }),
    &[]
)]
#[case::image_by_id(
    |f: &mut ContainerFacts| security(f).image = Some(format!("sha256:{}", "a".repeat(64)).into()),
    &["image-latest unknown", "image-tag unknown", "image-moved unknown", "image-unqualified unknown"]
)]
fn of_a_container(#[case] change: Change, #[case] expected: &[&str]) {
    let mut facts = hardened();
    change(&mut facts);
    let told = told(&of(&checks::CONTAINER, &facts));
    // A star stands for whatever detail.
    let told: Vec<String> = told
        .into_iter()
        .zip(expected.iter().map(Some).chain(std::iter::repeat(None)))
        .map(
            |(one, expected)| match expected.and_then(|e| e.strip_suffix('*')) {
                Some(start) if one.starts_with(start) => format!("{start}*"),
                _ => one,
            },
        )
        .collect();
    assert_eq!(told, expected);
}

/// What is not told is unknown, each and every check of it.
#[test]
fn nothing_told_is_nothing_passed() {
    let mut facts = hardened();
    facts.told = Err("ContainerStatus: no answer in 2s".into());
    let findings = of(&checks::CONTAINER, &facts);
    let unknown = findings
        .iter()
        .filter(|one| one.status == Status::Unknown)
        .count();
    // Ports stand in the list, and nobody has named registries.
    assert_eq!(
        (unknown, findings.len()),
        (checks::CONTAINER.len() - 2, unknown)
    );
    facts.told = Ok(Security::default());
    let findings = of(&checks::CONTAINER, &facts);
    let known: Vec<&str> = findings
        .iter()
        .filter(|one| one.status == Status::Found)
        .map(|one| one.rule.id)
        .collect();
    assert_eq!(known, Vec::<&str>::new());
    assert_eq!(findings.len(), checks::CONTAINER.len() - 2);
}

fn pod(told: PodSecurity, managed: bool) -> PodFacts {
    PodFacts {
        subject: subject(Kind::Pod),
        told: Ok(told),
        managed,
    }
}

#[rstest]
#[case(HostNamespaces::default(), &[], true, &[])]
#[case(
    HostNamespaces { network: true, pid: true, ipc: true }, &[], true,
    &["host-pid high", "host-ipc high", "host-network medium"]
)]
#[case(HostNamespaces::default(), &["net.ipv4.ping_group_range"], true, &[])]
#[case(HostNamespaces::default(), &["kernel.msgmax"], true, &["sysctl medium:kernel.msgmax"])]
#[case(HostNamespaces::default(), &[], false, &["unmanaged high"])]
fn of_a_pod(
    #[case] namespaces: HostNamespaces,
    #[case] sysctls: &[&str],
    #[case] managed: bool,
    #[case] expected: &[&str],
) {
    let told_of = PodSecurity {
        namespaces: Some(namespaces),
        sysctls: Some(caps(sysctls)),
    };
    assert_eq!(told(&of(&checks::POD, &pod(told_of, managed))), expected);
}

#[test]
fn of_a_pod_of_which_nothing_is_told() {
    let facts = pod(PodSecurity::default(), true);
    let expected = ["host-pid", "host-ipc", "host-network", "sysctl"];
    let expected = expected.map(|id| format!("{id} unknown"));
    assert_eq!(told(&of(&checks::POD, &facts)), expected);
}

#[rstest]
#[case(Some(10), &[], true, true, &[])]
#[case(Some(400), &[], true, true, &["image-old low"])]
#[case(Some(400), &[], false, true, &["image-unused info"])]
#[case(None, &[], true, true, &["image-old unknown"])]
#[case(Some(10), &["API_KEY"], true, true, &["secret-in-image high:API_KEY"])]
#[case(Some(10), &[], true, false, &["image-dangling info"])]
fn of_an_image(
    #[case] days: Option<i64>,
    #[case] secrets: &[&str],
    #[case] needed: bool,
    #[case] named: bool,
    #[case] expected: &[&str],
) {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let facts = ImageFacts {
        subject: subject(Kind::Image),
        now,
        told: Ok(ImageSecurity {
            built_at: days.map(|days| now - SignedDuration::from_hours(24 * days)),
            secrets: secrets.iter().map(|name| (0, (*name).into())).collect(),
            history: vec![],
        }),
        needed,
        named,
    };
    assert_eq!(told(&of(&checks::IMAGE, &facts)), expected);
}

fn runtime(name: &str, version: &str, change: impl FnOnce(&mut RuntimeSecurity)) -> RuntimeFacts {
    let mut told = RuntimeSecurity {
        apparmor_off: Some(false),
        seccomp_default: Some("".into()),
        streaming: Some("127.0.0.1".into()),
        streaming_tls: Some(false),
        insecure_registries: Some(vec![]),
        credentials: Some(vec![]),
        deprecations: Some("".into()),
    };
    change(&mut told);
    RuntimeFacts {
        version: RuntimeVersion {
            name: name.into(),
            version: version.into(),
            api_version: "v1".into(),
        },
        told: Ok(told),
        context: Arc::new(context()),
    }
}

type RuntimeChange = fn(&mut RuntimeSecurity);

#[rstest]
#[case("containerd", "1.7.34", |_: &mut RuntimeSecurity| (), &[])]
// What a runtime does not tell is not passed.
#[case(
    "containerd", "v2.1.9",
    |t: &mut RuntimeSecurity| { t.streaming = None; t.insecure_registries = None; t.credentials = None; },
    &["streaming-server unknown", "insecure-registry unknown", "registry-credentials unknown"]
)]
#[case("containerd", "1.7.34", |t: &mut RuntimeSecurity| t.streaming = None, &["streaming-server unknown"])]
#[case("containerd", "1.6.20", |_: &mut RuntimeSecurity| (), &["runtime-outdated high"])]
#[case("cri-o", "1.37.0", |_: &mut RuntimeSecurity| (), &[])]
#[case("cri-o", "1.24.1", |_: &mut RuntimeSecurity| (), &["runtime-outdated high"])]
#[case("docker", "29.1.0", |_: &mut RuntimeSecurity| (), &["runtime-outdated unknown"])]
#[case("containerd", "next", |_: &mut RuntimeSecurity| (), &["runtime-outdated unknown"])]
#[case("containerd", "1.7.34", |t: &mut RuntimeSecurity| t.streaming = Some("0.0.0.0".into()), &["streaming-server high"])]
#[case("containerd", "1.7.34", |t: &mut RuntimeSecurity| t.apparmor_off = Some(true), &["runtime-apparmor-off medium"])]
#[case("containerd", "1.7.34", |t: &mut RuntimeSecurity| t.apparmor_off = None, &["runtime-apparmor-off unknown"])]
#[case("containerd", "1.7.34", |t: &mut RuntimeSecurity| t.seccomp_default = Some("unconfined".into()), &["runtime-seccomp-unconfined low"])]
#[case("containerd", "1.7.34", |t: &mut RuntimeSecurity| t.insecure_registries = Some(vec!["r:5000".into()]), &["insecure-registry high:r:5000"])]
#[case("containerd", "1.7.34", |t: &mut RuntimeSecurity| t.credentials = Some(vec!["r".into()]), &["registry-credentials medium:r"])]
#[case("containerd", "1.7.34", |t: &mut RuntimeSecurity| t.deprecations = Some("x goes".into()), &["runtime-deprecation info"])]
fn of_a_runtime(
    #[case] name: &str,
    #[case] version: &str,
    #[case] change: RuntimeChange,
    #[case] expected: &[&str],
) {
    let facts = runtime(name, version, change);
    assert_eq!(told(&of(&checks::RUNTIME, &facts)), expected);
}

fn file(path: &str, purpose: Purpose, mode: u32) -> FileFact {
    let (uid, gid) = (0, 0);
    FileFact {
        path: path.into(),
        purpose,
        stat: Ok(Owned { uid, gid, mode }),
    }
}

fn files(files: Vec<FileFact>) -> HostFacts {
    HostFacts {
        files,
        kubelet: None,
    }
}

#[rstest]
#[case(Purpose::Key, 0o600, &[])]
#[case(Purpose::Key, 0o400, &[])]
#[case(Purpose::Key, 0o640, &["key-mode high:/f"])]
#[case(Purpose::Kubeconfig, 0o644, &["kubeconfig-mode high:/f"])]
#[case(Purpose::Manifest, 0o644, &["manifest-mode low:/f"])]
#[case(Purpose::KubeletConfig, 0o644, &["kubelet-config-mode low:/f"])]
#[case(Purpose::Etcd, 0o700, &[])]
#[case(Purpose::Etcd, 0o755, &["etcd-mode high:/f"])]
#[case(Purpose::Socket, 0o660, &[])]
#[case(Purpose::Socket, 0o755, &[])]
#[case(Purpose::Socket, 0o666, &["socket-mode critical:/f"])]
fn of_files(#[case] purpose: Purpose, #[case] mode: u32, #[case] expected: &[&str]) {
    let facts = files(vec![file("/f", purpose, mode)]);
    assert_eq!(told(&of(&checks::HOST, &facts)), expected);
}

#[test]
fn of_files_of_others_and_of_those_that_are_not_seen() {
    let mut key = file("/k", Purpose::Key, 0o600);
    key.stat = Ok(Owned {
        uid: 1000,
        gid: 0,
        mode: 0o600,
    });
    let mut socket = file("/s", Purpose::Socket, 0o660);
    socket.stat = Ok(Owned {
        uid: 0,
        gid: 998,
        mode: 0o660,
    });
    let mut unseen = file("/u", Purpose::Manifest, 0);
    unseen.stat = Err("permission denied".into());
    let facts = files(vec![key, socket, unseen]);
    assert_eq!(
        told(&of(&checks::HOST, &facts)),
        [
            "socket-mode medium:/s",
            "manifest-mode unknown",
            "file-owner medium:/k"
        ]
    );
}

/// A kubelet with a configuration in which all is well but for what stands in `file`, and these
/// flags.
fn kubelet_set(file: &[(&'static str, &str)], flags: &[&str]) -> HostFacts {
    let path = Text::from("/var/lib/kubelet/config.yaml");
    let well = [
        ("authentication.x509.clientCAFile", "/ca"),
        ("podPidsLimit", "4096"),
        ("seccompDefault", "true"),
        ("serverTLSBootstrap", "true"),
    ];
    let all = well.iter().chain(file);
    let told = all.map(|(key, value)| (*key, (Text::from(*value), path.clone())));
    let args = [&["kubelet"], flags].concat();
    HostFacts {
        files: vec![],
        kubelet: Some(Ok(Kubelet {
            told: told.collect(),
            files: vec![path],
            flags: Some(Ok(("/proc/812/cmdline".into(), kubelet::flags(&args)))),
        })),
    }
}

#[rstest]
#[case(&[], &[], &[])]
#[case(&[("authentication.anonymous.enabled", "true")], &[], &["kubelet-anonymous high"])]
#[case(&[("authentication.anonymous.enabled", "true")], &["--anonymous-auth=false"], &[])]
#[case(&[], &["--anonymous-auth"], &["kubelet-anonymous high"])]
#[case(
    &[("authentication.anonymous.enabled", "true")], &["--authorization-mode=AlwaysAllow"],
    &["kubelet-anonymous critical", "kubelet-always-allow high"]
)]
#[case(&[("readOnlyPort", "10255")], &[], &["kubelet-read-only-port high"])]
#[case(&[("readOnlyPort", "10255")], &["--read-only-port=0"], &[])]
#[case(&[("authentication.x509.clientCAFile", "")], &[], &["kubelet-client-ca medium"])]
#[case(&[("streamingConnectionIdleTimeout", "0s")], &[], &["kubelet-idle-streams low"])]
#[case(&[("streamingConnectionIdleTimeout", "10m")], &[], &[])]
#[case(&[("podPidsLimit", "-1")], &[], &["kubelet-pids-limit low"])]
#[case(&[("seccompDefault", "false")], &[], &["kubelet-seccomp-default low"])]
#[case(&[("rotateCertificates", "false")], &[], &["kubelet-rotation low"])]
#[case(&[("serverTLSBootstrap", "false")], &[], &["kubelet-server-certificate low"])]
#[case(&[("serverTLSBootstrap", "false")], &["--tls-cert-file=/x"], &[])]
#[case(&[], &["--tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA"], &["kubelet-ciphers low"])]
#[case(&[], &["--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"], &[])]
#[case(&[], &["--make-iptables-util-chains=false"], &["kubelet-iptables low"])]
#[case(&[], &["--hostname-override=x"], &["kubelet-hostname info"])]
fn of_a_kubelet(
    #[case] file: &[(&'static str, &str)],
    #[case] flags: &[&str],
    #[case] expected: &[&str],
) {
    assert_eq!(
        told(&of(&checks::HOST, &kubelet_set(file, flags))),
        expected
    );
}

#[test]
fn what_shows_how_a_kubelet_is_set_is_named() {
    let both = ("authentication.anonymous.enabled", "false");
    let facts = kubelet_set(
        &[both],
        &["--anonymous-auth", "--authorization-mode=AlwaysAllow"],
    );
    let all = of(&checks::HOST, &facts);
    assert_eq!(
        all[0].summary,
        "anybody who reaches its port can run commands in every pod (--anonymous-auth=true, \
         --authorization-mode=AlwaysAllow)"
    );
    let told = |one: &Evidence| format!("{}: {}={}", one.source, one.what, one.value);
    let evidence: Vec<String> = all[0].evidence.iter().map(told).collect();
    assert_eq!(
        evidence,
        [
            "/proc/812/cmdline: --anonymous-auth=true",
            "/proc/812/cmdline: --authorization-mode=AlwaysAllow",
        ]
    );
}

/// Without its flags only what its file says and is bad is known.
#[test]
fn a_kubelet_whose_flags_are_not_seen_is_half_unknown() {
    let mut facts = kubelet_set(&[("readOnlyPort", "10255"), ("tlsCertFile", "")], &[]);
    let Some(Ok(set)) = &mut facts.kubelet else {
        panic!("it is there");
    };
    set.flags = Some(Err("no".into()));
    let told = told(&of(&checks::HOST, &facts));
    assert_eq!(
        told.iter().filter(|one| one.ends_with("unknown")).count(),
        11
    );
    assert!(
        told.contains(&"kubelet-read-only-port high".to_owned()),
        "{told:?}"
    );
    // One that does not run has no flags.
    let Some(Ok(set)) = &mut facts.kubelet else {
        panic!("it is there");
    };
    set.flags = None;
    assert_eq!(
        self::told(&of(&checks::HOST, &facts)),
        ["kubelet-read-only-port high"]
    );
}

#[test]
fn a_kubelet_that_cannot_be_read_is_unknown() {
    let facts = HostFacts {
        files: vec![],
        kubelet: Some(Err("no".into())),
    };
    let findings = of(&checks::HOST, &facts);
    assert!(findings.iter().all(|one| one.status == Status::Unknown));
    assert_eq!(findings.len(), 12);
}

/// The level that a pod with this container meets, in words.
fn level(change: impl FnOnce(&mut ContainerFacts, &mut PodFacts)) -> String {
    let mut container = hardened();
    let told_of = PodSecurity {
        namespaces: Some(HostNamespaces::default()),
        sysctls: Some(vec![]),
    };
    let mut pod = pod(told_of, true);
    change(&mut container, &mut pod);
    let mut all = Vec::new();
    judge(&checks::CONTAINER, &container, &container.subject, &mut all);
    judge(&checks::POD, &pod, &pod.subject, &mut all);
    let levels = level::of_pods(std::iter::once(&pod.subject), &all);
    levels[0].words()
}

#[test]
fn levels_of_the_pod_security_standards() {
    assert_eq!(level(|_, _| ()), "restricted");
    assert_eq!(
        level(|c, _| spec(c).seccomp = false),
        "baseline; restricted needs Seccomp (app)"
    );
    assert_eq!(
        level(|c, p| {
            spec(c).uid = Some(0);
            p.told.as_mut().unwrap().namespaces = Some(HostNamespaces {
                network: true,
                ..HostNamespaces::default()
            });
        }),
        "privileged; baseline needs Host Namespaces"
    );
    assert_eq!(
        level(|_, p| p.told = Err("no".into())),
        "unknown; not known: Host Namespaces, Sysctls"
    );
    assert_eq!(
        level(|c, _| spec(c).uid = None),
        "baseline; not known: Running as Non-root user"
    );
}

#[test]
fn every_rule_has_a_name_of_its_own_and_says_what_to_do() {
    let rules = checks::rules();
    let ids: std::collections::HashSet<&str> = rules.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), rules.len());
    for rule in rules {
        assert!(
            !rule.title.is_empty() && rule.advice.ends_with('.'),
            "{}",
            rule.id
        );
        assert!(!rule.standards().is_empty(), "{}", rule.id);
    }
}
