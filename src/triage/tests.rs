//! Facts to verdicts, one line a case. Facts are words: `exit=137 reason=OOMKilled limit=64`; a `+`
//! in a value stands for a space. Verdicts are told as `id confidence`, the first one alone.

use jiff::Timestamp;
use rstest::rstest;

use super::facts::{
    About, AddressRange, Attempt, Certificate, Condition, ContainerFacts, Fault, Kernel, Kill,
    LogLine, LogTail, Manifest, NodeFacts, OnDisk, PodFacts, ProcessState, Said, Scope, Spec,
    Standing, later,
};
use super::{Verdict, cause, of_container, of_node, of_pod, rules, table};
use crate::domain::{ContainerId, ContainerState, PodId};
use crate::stats::cgroup::{Cgroup, Look};
use crate::stats::node::{Disk, Least, NodeFiles, NodeMemory, Threshold};
use crate::text::Text;

const ID: &str = "aaaaaaaaaaaaaaaaaaaa";
const OLDER: &str = "bbbbbbbbbbbbbbbbbbbb";
const MIB: u64 = 1 << 20;

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

fn attempt(id: &str, state: ContainerState) -> Attempt {
    let over = matches!(state, ContainerState::Exited | ContainerState::Unknown);
    Attempt {
        id: ContainerId::new(id),
        number: 0,
        state,
        created_at: Some(later(now(), -101)),
        started_at: Some(later(now(), -100)),
        finished_at: over.then(|| later(now(), -10)),
        exit_code: None,
        reason: Text::default(),
        message: Text::default(),
    }
}

/// A container that has ended in a pod that is ready; nobody has said anything about it.
fn container(words: &str) -> ContainerFacts {
    let mut facts = ContainerFacts {
        about: About {
            namespace: "shop".into(),
            pod: "web-0".into(),
            container: Some("web".into()),
            container_id: Some(ContainerId::new(ID)),
        },
        now: now(),
        standing: Standing {
            sick: true,
            pod_ready: true,
            image: "shop/web:1".into(),
            image_here: Some(true),
            ..Standing::default()
        },
        attempts: vec![attempt(ID, ContainerState::Exited)],
        spec: Ok(Spec {
            args: vec!["/app".into()],
            ..Spec::default()
        }),
        changes: vec![],
        cgroups: Look::default(),
        kernel: Ok(Kernel::default()),
        log: Ok(LogTail::default()),
        said: Ok(vec![]),
        disk: OnDisk::default(),
    };
    for word in words.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        apply(&mut facts, key, &value.replace('+', " "));
    }
    facts
}

fn apply(facts: &mut ContainerFacts, key: &str, value: &str) {
    let number = || value.parse::<u64>().unwrap();
    match key {
        "exit" => facts.attempts[0].exit_code = Some(value.parse().unwrap()),
        "reason" => facts.attempts[0].reason = value.into(),
        "msg" => {
            let one = &mut facts.attempts[0];
            (one.message, one.reason, one.started_at) = (value.into(), "StartError".into(), None);
        }
        "neverstarted" => facts.attempts[0].started_at = None,
        "lost" => facts.attempts[0].state = ContainerState::Unknown,
        "created" => {
            facts.attempts[0] = attempt(ID, ContainerState::Created);
            facts.attempts[0].started_at = None;
        }
        "runs" => facts
            .attempts
            .insert(0, attempt(ID, ContainerState::Running)),
        "alone" => facts.attempts.truncate(1),
        "before" => {
            facts.attempts[0].id = ContainerId::new(OLDER);
            facts.attempts[0].exit_code = Some(value.parse().unwrap());
            facts
                .attempts
                .insert(0, attempt(ID, ContainerState::Running));
        }
        "well" => facts.standing.sick = false,
        "restarts" => facts.standing.restarts = u32::try_from(number()).unwrap(),
        "notready" => facts.standing.pod_ready = false,
        "image" => facts.standing.image_here = Some(false),
        "log" => log(facts, value),
        "missing" => facts.disk.missing_mounts.push(value.into()),
        "process" => facts.disk.process = Some(process(value)),
        _ => apply_more(facts, key, value),
    }
}

fn process(value: &str) -> ProcessState {
    match value {
        "gone" => ProcessState::Gone(42),
        state => ProcessState::There(42, state.chars().next().unwrap(), "nfs_wait".into()),
    }
}

fn log(facts: &mut ContainerFacts, value: &str) {
    let line = |text: &str| LogLine {
        at: Some(later(now(), -10)),
        stderr: true,
        text: text.into(),
    };
    let lines: Vec<LogLine> = value.split('|').map(line).collect();
    let (cause, crash) = cause::find(&lines);
    facts.log = Ok(LogTail {
        source: "/var/log/pods/x/0.log".into(),
        lines,
        cause,
        crash,
    });
}

/// Facts from cgroups, the kernel and other logs.
fn apply_more(facts: &mut ContainerFacts, key: &str, value: &str) {
    let cgroups = &mut facts.cgroups;
    let pair = || {
        let (a, b) = value.split_once('/').unwrap();
        (a.parse::<u64>().unwrap(), b.parse::<u64>().unwrap())
    };
    match key {
        "limit" => {
            let spec = facts.spec.as_mut().unwrap();
            spec.limits.memory = Some(value.parse::<u64>().unwrap() * MIB);
        }
        "podlimit" => {
            cgroups.pod.get_or_insert_default().limits.memory =
                Some(value.parse::<u64>().unwrap() * MIB);
        }
        "memory" => {
            let own: &mut Cgroup = cgroups.own.get_or_insert_default();
            let (used, limit) = pair();
            (own.gauges.working_set, own.limits.memory) = (Some(used * MIB), Some(limit * MIB));
        }
        "oomcount" => {
            cgroups.own.get_or_insert_default().counters.oom_kills = Some(value.parse().unwrap());
        }
        "throttled" => {
            let own = cgroups.own.get_or_insert_default();
            let (throttled, all) = pair();
            own.counters.periods = Some((all, throttled));
            own.limits.cpu = Some(500_000);
        }
        "pids" => {
            let own = cgroups.own.get_or_insert_default();
            let (pids, limit) = pair();
            (own.gauges.pids, own.gauges.pids_limit) = (Some(pids), Some(limit));
        }
        "args" => facts.spec.as_mut().unwrap().args = vec![value.into()],
        "kill" => facts.kernel.as_mut().unwrap().kills.push(kill(value)),
        "fault" => facts.kernel.as_mut().unwrap().faults.push(Fault {
            at: Some(later(now(), -10)),
            process: "app".into(),
            pid: 42,
            line: format!("app[42]: {value}").into(),
        }),
        "blind" => {
            facts.kernel = Err("/dev/kmsg may not be opened".into());
            facts.said = Err("no journal".into());
        }
        "said" => facts.said.as_mut().unwrap().push(Said {
            at: Some(later(now(), -20)),
            text: value.into(),
            source: "journal".into(),
        }),
        "saidlate" => facts.said.as_mut().unwrap().push(Said {
            at: Some(later(now(), 20)),
            text: value.into(),
            source: "journal".into(),
        }),
        other => panic!("no fact is called {other}"),
    }
}

/// `own`, `older`, `pod`, `pods` or `node`: whose limit it was.
fn kill(whose: &str) -> Kill {
    let id = if whose == "older" { OLDER } else { ID };
    let pod = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice";
    let own = format!("{pod}/cri-containerd-{id}.scope");
    let scope = match whose {
        "own" | "older" => Scope::Cgroup(own.as_str().into()),
        "pod" => Scope::Cgroup(pod.into()),
        "pods" => Scope::Cgroup("/kubepods.slice".into()),
        _ => Scope::Node,
    };
    Kill {
        at: Some(later(now(), -10)),
        scope,
        cgroup: own.into(),
        process: "app".into(),
        pid: 42,
        line: "oom-kill:".into(),
    }
}

fn first(verdicts: &[Verdict]) -> String {
    verdicts.first().map_or_else(String::new, |verdict| {
        format!("{} {}", verdict.id, verdict.opinion.confidence.name())
    })
}

#[rstest]
// Killed for memory.
#[case(
    "exit=137 reason=OOMKilled limit=64 kill=own",
    "oom-container-limit proven"
)]
#[case("exit=137 reason=OOMKilled limit=64", "oom-container-limit likely")]
#[case(
    "exit=137 reason=OOMKilled limit=64 blind",
    "oom-container-limit likely"
)]
#[case(
    "exit=137 reason=Error limit=64 kill=own",
    "oom-container-limit proven"
)]
#[case(
    "exit=137 reason=OOMKilled podlimit=128 kill=pod",
    "oom-pod-limit proven"
)]
#[case(
    "exit=137 reason=OOMKilled limit=64 podlimit=64 kill=pod",
    "oom-pod-limit proven"
)]
#[case("exit=137 reason=OOMKilled podlimit=128", "oom-pod-limit likely")]
#[case("exit=137 reason=OOMKilled kill=node", "oom-node proven")]
#[case("exit=137 reason=OOMKilled limit=64 kill=node", "oom-node proven")]
#[case("exit=137 reason=OOMKilled kill=pods", "oom-node proven")]
#[case("exit=137 reason=OOMKilled", "oom-node likely")]
#[case("exit=137 reason=Error limit=64 kill=older", "killed-unknown likely")]
#[case(
    "before=137 reason=Error limit=64 kill=older",
    "oom-container-limit proven"
)]
#[case("exit=1 reason=Error limit=64 kill=own", "oom-child-process proven")]
#[case("runs alone well oomcount=2", "oom-child-process proven")]
#[case("runs alone well oomcount=0", "")]
#[case("runs alone well kill=own", "oom-child-process proven")]
// The heap of a language's runtime.
#[case(
    "exit=3 log=java.lang.OutOfMemoryError:+Java+heap+space",
    "app-heap-exhausted proven"
)]
#[case(
    "exit=1 log=Exception+in+thread+main+java.lang.OutOfMemoryError",
    "app-heap-exhausted proven"
)]
#[case(
    "exit=134 log=FATAL+ERROR:+Reached+heap+limit+Allocation+failed+-+JavaScript+heap+out+of+memory",
    "app-heap-exhausted proven"
)]
#[case(
    "exit=143 log=java.lang.OutOfMemoryError",
    "terminated-by-request likely"
)]
#[case(
    "exit=0 restarts=3 log=java.lang.OutOfMemoryError",
    "exits-zero-restarts likely"
)]
// It ended by itself.
#[case("exit=1", "app-error likely")]
#[case("exit=1 reason=Error log=level=error+msg=no+route", "app-error likely")]
#[case("exit=2 log=usage:+app+FILE", "app-error likely")]
#[case("exit=78", "app-error likely")]
#[case("exit=125", "app-error likely")]
#[case("exit=200", "app-error likely")]
#[case("exit=1 blind", "app-error likely")]
#[case("before=1 restarts=4", "app-error likely")]
#[case("exit=2 log=panic:+nil+map|goroutine+1+[running]:", "app-panic likely")]
#[case(
    "exit=101 log=thread+'main'+panicked+at+src/main.rs:3:5:",
    "app-panic likely"
)]
#[case(
    "exit=1 log=Traceback+(most+recent+call+last):|++File+a.py|ValueError:+x",
    "app-panic likely"
)]
#[case(
    "exit=1 log=Exception+in+thread+main+java.lang.NullPointerException",
    "app-panic likely"
)]
#[case("exit=0 reason=Completed restarts=9", "exits-zero-restarts likely")]
#[case("before=0 restarts=9", "exits-zero-restarts likely")]
#[case("exit=0 restarts=0 well", "")]
#[case("exit=0 restarts=0", "unknown possible")]
// It could not start.
#[case(
    "exit=128 msg=exec:+\"/app\":+stat+/app:+no+such+file+or+directory",
    "command-not-found proven"
)]
#[case(
    "exit=128 msg=exec:+\"app\":+executable+file+not+found+in+$PATH",
    "command-not-found proven"
)]
#[case(
    "exit=128 msg=exec:+\"/app\":+permission+denied",
    "permission-denied proven"
)]
#[case(
    "exit=128 msg=error+mounting+\"/srv/x\"+to+rootfs+at+\"/x\":+no+such+file+or+directory",
    "missing-mount proven"
)]
#[case(
    "exit=128 msg=error+mounting+\"/srv/x\"+to+rootfs:+permission+denied",
    "missing-mount proven"
)]
#[case(
    "exit=128 msg=error+mounting+\"/a\":+not+a+directory missing=/a",
    "missing-mount proven"
)]
#[case("exit=128 msg=exec+/app:+exec+format+error", "start-error proven")]
#[case("exit=128 msg=unable+to+apply+apparmor+profile", "start-error proven")]
#[case("exit=128 msg=", "start-error proven")]
#[case("exit=128 neverstarted", "start-error proven")]
#[case("exit=127", "command-not-found likely")]
#[case("exit=127 log=sh:+1:+curl:+not+found", "command-not-found proven")]
#[case("exit=126", "permission-denied likely")]
#[case("exit=1 missing=/srv/data", "app-error likely")]
#[case("exit=137 missing=/srv/data blind", "missing-mount possible")]
// Signals.
#[case("exit=139", "segfault likely")]
#[case("exit=139 fault=+segfault+at+0+ip+1", "segfault proven")]
#[case(
    "exit=139 args=/bin/other fault=+segfault+at+0+ip+1",
    "segfault likely"
)]
#[case("exit=134", "abort likely")]
#[case("exit=134 log=terminate+called+after+throwing", "abort likely")]
#[case("exit=132", "illegal-instruction likely")]
#[case(
    "exit=132 fault=trap+invalid+opcode+ip:1",
    "illegal-instruction proven"
)]
#[case("exit=135", "bus-error likely")]
#[case("exit=159", "seccomp-killed likely")]
#[case("exit=159 fault=audit:+type=1326", "seccomp-killed proven")]
#[case("exit=159 reason=seccomp+killed", "seccomp-killed proven")]
#[case("exit=136", "unknown possible")]
// Somebody ended it.
#[case(
    "exit=137 said=Container+web+failed+liveness+probe,+will+be+restarted",
    "killed-by-probe proven"
)]
#[case(
    "exit=143 said=Container+web+failed+startup+probe,+will+be+restarted",
    "killed-by-probe proven"
)]
#[case(
    "exit=143 said=\"Probe+failed\"+probeType=\"Liveness\"",
    "killed-by-probe proven"
)]
#[case(
    "exit=143 said=\"Probe+failed\"+probeType=\"Readiness\"",
    "terminated-by-request likely"
)]
#[case("exit=137 saidlate=failed+liveness+probe", "killed-unknown likely")]
#[case(
    "exit=137 said=StopContainer+for+\"x\"+with+timeout+5+(s)",
    "killed-after-grace proven"
)]
#[case(
    "exit=137 said=\"Killing+container+with+a+grace+period\"",
    "killed-after-grace proven"
)]
#[case("exit=137 notready", "killed-after-grace likely")]
#[case("exit=137", "killed-unknown likely")]
#[case("exit=137 blind", "killed-unknown possible")]
#[case(
    "exit=143 said=StopContainer+for+\"x\"+with+timeout+30+(s)",
    "terminated-by-request proven"
)]
#[case("exit=143", "terminated-by-request likely")]
#[case("exit=255 reason=Unknown", "runtime-restarted likely")]
#[case("exit=255 reason=Error", "unknown possible")]
#[case("lost", "runtime-restarted likely")]
// It waits.
#[case("created", "created-never-started proven")]
#[case("created well", "")]
#[case("exit=1 image=gone", "app-error likely")]
#[case("exit=136 image=gone", "image-missing likely")]
// It runs, but closely.
#[case("runs alone well memory=60/64", "memory-near-limit likely")]
#[case("runs alone well memory=40/64", "")]
#[case("runs alone well throttled=40/100", "cpu-throttled likely")]
#[case("runs alone well throttled=4/10", "")]
#[case("runs alone well throttled=10/100", "")]
#[case("runs alone well pids=95/100", "pid-limit likely")]
#[case("runs alone well pids=5/100", "")]
#[case(
    "exit=1 log=java.lang.OutOfMemoryError:+unable+to+create+native+thread",
    "app-heap-exhausted proven"
)]
#[case("runs alone well process=gone", "process-gone possible")]
#[case("runs alone well process=D", "process-gone possible")]
#[case("runs alone well process=S", "")]
// Nothing that a healthy container's past holds counts.
#[case("before=137 reason=OOMKilled kill=older well", "")]
#[case("before=1 well", "")]
fn containers(#[case] words: &str, #[case] expected: &str) {
    let verdicts = of_container(&container(words));
    assert_eq!(first(&verdicts), expected, "{verdicts:#?}");
}

#[test]
fn the_wait_begins_with_the_request() {
    let mut facts = container("exit=137 said=StopContainer+for+x+with+timeout+10");
    facts.said.as_mut().unwrap().push(Said {
        at: Some(later(now(), -9)),
        text: "StopContainer for x returns successfully".into(),
        source: "journal".into(),
    });
    let verdicts = of_container(&facts);
    let summary = verdicts[0].opinion.summary.as_str();
    assert!(summary.contains("did not for 10s"), "{summary}");
}

/// A ready sandbox of ten minutes.
fn pod(words: &str) -> PodFacts {
    let mut facts = PodFacts {
        about: About::default(),
        now: now(),
        id: PodId::new("cccccccccccccccc"),
        ready: true,
        created_at: Some(later(now(), -600)),
        attempt: 0,
        superseded: false,
        containers: vec![],
        processes: vec![],
        said: Ok(vec![]),
        no_network: None,
    };
    for word in words.split_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let value = value.replace('+', " ");
        match key {
            "stopped" => facts.ready = false,
            "new" => facts.created_at = Some(later(now(), -5)),
            "older" => facts.superseded = true,
            "runs" => facts.containers.push(("a".into(), ContainerState::Running)),
            "ended" => facts.containers.push(("b".into(), ContainerState::Exited)),
            "process" => facts.processes.push(("a".into(), process(&value))),
            "blind" => facts.said = Err("no journal".into()),
            "nonet" => facts.no_network = Some("cni plugin not initialized".into()),
            "said" => facts.said.as_mut().unwrap().push(Said {
                at: Some(later(now(), -30)),
                text: value.into(),
                source: "journal".into(),
            }),
            other => panic!("no fact is called {other}"),
        }
    }
    facts
}

#[rstest]
#[case("", "no-containers possible")]
#[case("blind", "no-containers possible")]
#[case("new", "")]
#[case("runs", "")]
#[case("stopped ended", "")]
#[case(
    "said=with+ErrImagePull:+\"rpc+error:+desc+=+not+found\"",
    "image-pull-failing proven"
)]
#[case("ended said=ImagePullBackOff", "image-pull-failing proven")]
#[case(
    "said=with+CreateContainerConfigError:+\"secret+\\\"db\\\"+not+found\"",
    "container-config-missing proven"
)]
#[case(
    "said=MountVolume.SetUp+failed+for+volume+data",
    "container-config-missing proven"
)]
#[case(
    "stopped said=RunPodSandbox+for+x+failed,+error+cni",
    "sandbox-failing proven"
)]
#[case("stopped nonet", "sandbox-failing likely")]
#[case("stopped", "")]
#[case("stopped runs", "stuck-terminating proven")]
#[case("stopped runs process=D", "stuck-terminating proven")]
#[case("stopped runs ended", "stuck-terminating proven")]
#[case("older runs", "zombie-sandbox likely")]
#[case("older", "zombie-sandbox likely")]
#[case("older stopped ended", "")]
fn pods(#[case] words: &str, #[case] expected: &str) {
    let verdicts = of_pod(&pod(words));
    assert_eq!(first(&verdicts), expected, "{verdicts:#?}");
}

/// A node on which all is well.
fn node() -> NodeFacts {
    let condition = |name: &str| Condition {
        name: name.into(),
        ok: true,
        why: Text::default(),
    };
    let disk = Disk {
        holds: vec!["kubelet", "logs"],
        paths: vec!["/var/lib/kubelet".into()],
        size: 100 << 30,
        available: 50 << 30,
        inodes: 1000,
        inodes_free: 500,
    };
    NodeFacts {
        now: now(),
        files: Ok(NodeFiles {
            memory: Some(NodeMemory {
                total: 8 << 30,
                available: 4 << 30,
                swap: (0, 0),
            }),
            disks: vec![disk],
            thresholds: vec![Threshold {
                signal: "nodefs.available".into(),
                least: Least::Share(100),
                default: true,
            }],
            ports: vec![2379, 6443],
            ..NodeFiles::default()
        }),
        conditions: Ok(vec![condition("RuntimeReady"), condition("NetworkReady")]),
        slow_calls: vec![("ListContainers".into(), 20)],
        kubelet: super::facts::Kubelet {
            expected: true,
            process: Some(true),
            health: Some(Ok(())),
        },
        ranges: vec![],
        networks: Ok(1),
        manifests: Ok(vec![]),
        certificates: vec![],
        newest: Some(now()),
        ghosts: vec![],
    }
}

fn manifest(name: &str, running: bool) -> Manifest {
    Manifest {
        path: format!("/etc/kubernetes/manifests/{name}.yaml").into(),
        pod: Some(name.into()),
        running,
        sandbox: running,
        changed_at: Some(later(now(), -86_400)),
    }
}

fn files(facts: &mut NodeFacts) -> &mut NodeFiles {
    facts.files.as_mut().unwrap()
}

fn certificate(days: i64) -> impl Fn(&mut NodeFacts) {
    move |facts| {
        facts.certificates.push(Certificate {
            path: "/etc/kubernetes/pki/apiserver.crt".into(),
            ends_at: later(now(), days * 86_400),
        });
    }
}

#[rstest]
#[case(|_: &mut NodeFacts| (), "")]
#[case(|f: &mut NodeFacts| files(f).disks[0].available = 5 << 30, "disk-pressure proven")]
#[case(|f: &mut NodeFacts| files(f).disks[0].inodes_free = 10, "inode-pressure proven")]
#[case(|f: &mut NodeFacts| files(f).memory.as_mut().unwrap().available = 50 << 20, "memory-pressure proven")]
#[case(|f: &mut NodeFacts| f.files = Err("hangs".into()), "")]
#[case(|f: &mut NodeFacts| f.conditions = Err("no answer".into()), "runtime-down proven")]
#[case(|f: &mut NodeFacts| f.conditions.as_mut().unwrap()[0].ok = false, "runtime-down proven")]
#[case(|f: &mut NodeFacts| f.conditions.as_mut().unwrap()[1].ok = false, "cni-not-ready proven")]
#[case(|f: &mut NodeFacts| f.slow_calls[0].1 = 2500, "runtime-slow likely")]
#[case(|f: &mut NodeFacts| f.kubelet.process = Some(false), "kubelet-down proven")]
#[case(|f: &mut NodeFacts| f.kubelet.health = Some(Err("refused".into())), "kubelet-down proven")]
#[case(|f: &mut NodeFacts| (f.kubelet.process, f.kubelet.health) = (None, None), "")]
#[case(|f: &mut NodeFacts| (f.kubelet.expected, f.kubelet.process) = (false, Some(false)), "")]
#[case(|f: &mut NodeFacts| f.ranges.push(AddressRange { network: "pods".into(), path: "/x".into(), size: 5, used: 5, leaked: 3 }), "ip-exhausted proven")]
#[case(|f: &mut NodeFacts| f.newest = Some(later(now(), 600)), "clock-skewed likely")]
#[case(|f: &mut NodeFacts| f.ghosts.push(("u".into(), "/m".into())), "pod-left-behind likely")]
#[case(certificate(3), "certificate-expiring proven")]
#[case(certificate(20), "certificate-expiring likely")]
#[case(certificate(-1), "certificate-expiring proven")]
#[case(certificate(90), "")]
#[case(|f: &mut NodeFacts| f.manifests = Ok(vec![manifest("haproxy", false)]), "static-pod-not-running likely")]
#[case(|f: &mut NodeFacts| f.manifests = Ok(vec![manifest("haproxy", true)]), "")]
#[case(|f: &mut NodeFacts| f.manifests = Ok(vec![manifest("etcd", false)]), "etcd-unhealthy likely")]
#[case(|f: &mut NodeFacts| f.manifests = Ok(vec![manifest("etcd", true), manifest("kube-apiserver", true)]), "")]
#[case(|f: &mut NodeFacts| f.manifests = Ok(vec![manifest("kube-scheduler", true)]), "control-plane-port-closed likely")]
fn nodes(#[case] change: impl Fn(&mut NodeFacts), #[case] expected: &str) {
    let mut facts = node();
    change(&mut facts);
    let verdicts = of_node(&facts);
    assert_eq!(first(&verdicts), expected, "{verdicts:#?}");
}

#[test]
fn ids_are_told_apart_and_explained() {
    let all = rules::all();
    let ids: std::collections::HashSet<_> = all.iter().map(|(id, ..)| id).collect();
    assert_eq!(ids.len(), all.len());
    let ends = |text: &str| text.ends_with(['.', '?']);
    assert!(all.iter().all(|(_, means, todo)| ends(means) && ends(todo)));
    assert_eq!(table().lines().count(), all.len() + 2);
}

/// What is told is told with something that was seen, and with something to do.
#[rstest]
#[case("exit=137 reason=OOMKilled limit=64 kill=own")]
#[case("exit=1")]
#[case("exit=136")]
#[case("created")]
fn every_verdict_stands_on_something(#[case] words: &str) {
    for verdict in of_container(&container(words)) {
        assert!(!verdict.opinion.evidence.is_empty(), "{verdict:#?}");
        assert!(!verdict.opinion.next_steps.is_empty(), "{verdict:#?}");
    }
}
