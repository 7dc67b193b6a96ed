//! What the screens look like, to the cell and its style: each view in each state that it can be
//! in, at the sizes between which the layout changes. The snapshots are in tests/snapshots; after
//! a change on purpose, look at each of them (`INSTA_UPDATE=always cargo test --test screens`).

#[path = "support/sample.rs"]
#[allow(dead_code)]
mod sample;
#[path = "support/typing.rs"]
mod typing;

use critui::cri::Update;
use critui::link::Link;
use critui::logs::Stream;
use critui::model::Msg;
use critui::theme::Ability;
use rstest::rstest;
use sample::{FULL, Lists, PLAIN, Screen, Wrote, ago, busy, hostile};

mod measured {
    //! What everything uses, for five minutes: waves of CPU, memory that climbs, a limit in reach.

    use std::time::Duration;

    use critui::domain::{ContainerState, Limits};
    use critui::model::Msg;
    use critui::model::node::{NodeSeen, Plane};
    use critui::model::stats::Sampled;
    use critui::stats::cgroup::{Cgroup, Look, Pressure};
    use critui::stats::node::{
        Disk, Fill, Fills, ImageGc, Least, NodeFiles, NodeMemory, Threshold, Ticks, What,
    };
    use critui::stats::{Cpu, Memory, Sample};
    use critui::triage::facts::{Certificate, Kubelet};

    use crate::sample::{Screen, ago};

    /// Adds it.
    pub fn use_up(screen: &mut Screen) {
        let rows = screen.model.store.container_rows();
        let runs = rows.filter(|row| row.container.state == ContainerState::Running);
        let mut ids: Vec<_> = runs.map(|row| row.container.id.clone()).collect();
        ids.sort();
        let mut totals = vec![1_u64; ids.len()];
        for step in 0..150_u64 {
            let mut sampled = Sampled {
                containers: Ok(vec![]),
                cgroups: Ok(vec![]),
                network: None,
            };
            for ((id, nth), total) in ids.iter().zip(0_u64..).zip(&mut totals) {
                // Half a second to a second of CPU time in two.
                *total += (500 + (step * (nth + 3)) % 50 * 10) * 1_000_000 / (nth + 1);
                let used = (20 + nth * 7 + step / 4) << 20;
                let sample = Sample {
                    id: id.clone(),
                    cpu: Some(Cpu {
                        at: 0,
                        total: Some(*total),
                        rate: None,
                    }),
                    memory: Some(Memory {
                        working_set: Some(used),
                        available: (64_u64 << 20).checked_sub(used),
                        ..Memory::default()
                    }),
                    layer: Some(8192),
                };
                sampled.containers.as_mut().expect("a list").push(sample);
                let look = Look {
                    own: Some(cgroup(step)),
                    pod: None,
                };
                sampled
                    .cgroups
                    .as_mut()
                    .expect("a list")
                    .push((id.clone(), look));
            }
            screen.clock.uptime += Duration::from_secs(2);
            screen.send(Msg::Sampled(Box::new(sampled)));
        }
    }

    fn cgroup(step: u64) -> Cgroup {
        let mut group = Cgroup {
            version: 2,
            limits: Limits {
                memory: None,
                cpu: Some(500_000),
            },
            ..Cgroup::default()
        };
        group.counters.throttled = Some(step * 400_000_000);
        group.counters.read = Some(step * step * 4096);
        group.counters.written = Some(step * 80_000);
        group.counters.oom_kills = Some(step / 100);
        group.gauges.peak = Some(70 << 20);
        group.gauges.pids = Some(3);
        let psi = |some| Some(Pressure { some, full: 0 });
        group.gauges.pressure = [psi(1234), psi(5), psi(0)];
        group
    }

    /// The node has been looked at, twice.
    pub fn look(screen: &mut Screen) {
        for nth in 0..2 {
            let threshold = |signal: &str, least| Threshold {
                signal: signal.into(),
                least,
                default: false,
            };
            let files = NodeFiles {
                image_gc: Some(ImageGc::default()),
                ticks: Some(Ticks {
                    busy: nth * 930,
                    all: nth * 1000,
                }),
                cores: 4,
                memory: Some(NodeMemory {
                    total: 8 << 30,
                    available: 90 << 20,
                    swap: (0, 0),
                }),
                load: Some("3.20 2.10 1.00".into()),
                uptime: Some(90_000),
                pressure: [
                    Some(Pressure {
                        some: 4200,
                        full: 0,
                    }),
                    None,
                    None,
                ],
                disks: vec![Disk {
                    holds: vec!["images", "kubelet", "logs", "root"],
                    paths: vec!["/".into()],
                    size: 100 << 30,
                    available: 12 << 30,
                    inodes: 1000,
                    inodes_free: 900,
                }],
                thresholds: vec![
                    threshold("memory.available", Least::Count(100 << 20)),
                    threshold("imagefs.available", Least::Share(150)),
                ],
                no_thresholds: None,
                ports: vec![2379, 6443],
            };
            screen.send(Msg::Node(Box::new(NodeSeen {
                files: Some(Ok(files)),
                health: Some(Err("Status: the runtime did not answer within 2s".into())),
                latencies: vec![],
                plane: Some(Plane {
                    kubelet: Kubelet {
                        expected: true,
                        process: Some(true),
                        health: Some(Err("Connection refused".into())),
                    },
                    certificates: vec![Certificate {
                        path: "/etc/kubernetes/pki/apiserver.crt".into(),
                        ends_at: ago(-800_000).expect("a time"),
                    }],
                }),
            })));
        }
        let fill = |what, mib: u64, files| Fill {
            what,
            bytes: mib << 20,
            files,
        };
        screen.send(Msg::Filled(Ok(Fills {
            all: vec![
                fill(What::Deleted("java".into(), 4711), 2048, 1),
                fill(What::Logs("shop/payments-6d5f-x7k2p".into()), 900, 6),
                fill(What::EmptyDir("gone-uid".into(), "scratch".into()), 300, 12),
                fill(What::Journal, 120, 3),
            ],
            partial: true,
            unseen: Some("/var/log/pods may not be read".into()),
        })));
    }
}

/// A screen in one of its states.
type State = fn((u16, u16), Ability) -> Screen;

fn opened(size: (u16, u16), ability: Ability) -> Screen {
    Screen::new(size, ability)
}

fn waiting(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = Screen::new(size, ability);
    screen.connect();
    screen
}

fn unreachable(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = Screen::new(size, ability);
    screen.lose();
    screen
}

fn empty(size: (u16, u16), ability: Ability) -> Screen {
    Screen::with(size, ability, Lists::default())
}

fn normal(size: (u16, u16), ability: Ability) -> Screen {
    Screen::with(size, ability, busy())
}

fn lost(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = normal(size, ability);
    screen.lose();
    screen
}

fn silent(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = normal(size, ability);
    let since = ago(15).expect("a time");
    screen.feed(Update::Link(Link::Silent { since }));
    screen
}

fn guarded(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = normal(size, ability);
    screen.model.node.read_only = vec![
        "--read-only was given".into(),
        "/etc/critui/settings.yaml says read-only: true".into(),
    ];
    screen.send(Msg::Pressure(Some("memory 95% full".into())));
    screen.feed(Update::Notice(
        "images cannot be listed: permission denied".into(),
    ));
    screen.rest();
    screen.clock.uptime += std::time::Duration::from_secs(5);
    screen.send(Msg::Wake);
    screen
}

fn nasty(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = Screen::with(size, ability, hostile());
    screen.model.node.name = sample::HOSTILE[5].into();
    screen
}

#[rstest]
// Before there is anything to show.
#[case("opened-80x24", opened, (80, 24), FULL, "")]
#[case("waiting-120x40", waiting, (120, 40), FULL, "")]
#[case("unreachable-80x24", unreachable, (80, 24), FULL, "")]
#[case("unreachable-120x40-plain", unreachable, (120, 40), PLAIN, "")]
#[case("unreachable-40x10", unreachable, (40, 10), FULL, "")]
#[case("empty-80x24", empty, (80, 24), FULL, "")]
#[case("empty-200x50-plain", empty, (200, 50), PLAIN, "")]
// The panels of the home screen.
#[case("pods-80x24", normal, (80, 24), FULL, "")]
#[case("containers-80x24", normal, (80, 24), FULL, "<Enter>")]
#[case("every-container-80x24", normal, (80, 24), PLAIN, "2*")]
#[case("images-80x24", normal, (80, 24), FULL, "3")]
#[case("pods-120x40", normal, (120, 40), FULL, "")]
#[case("containers-120x40", normal, (120, 40), FULL, "jj<Enter>")]
#[case("images-120x40-plain", normal, (120, 40), PLAIN, "3j")]
#[case("pods-200x50", normal, (200, 50), FULL, "")]
#[case("every-container-200x50", normal, (200, 50), FULL, "*2j")]
#[case("images-200x50-plain", normal, (200, 50), PLAIN, "3jj")]
#[case("pods-40x10", normal, (40, 10), FULL, "")]
#[case("images-40x10-plain", normal, (40, 10), PLAIN, "3")]
#[case("sorted-120x40", normal, (120, 40), FULL, "oO")]
#[case("too-small-39x10", normal, (39, 10), FULL, "")]
#[case("too-small-1x1", normal, (1, 1), FULL, "")]
// The connection.
#[case("lost-80x24", lost, (80, 24), FULL, "")]
#[case("lost-120x40-plain", lost, (120, 40), PLAIN, "")]
#[case("lost-summary-40x10", lost, (40, 10), FULL, "d")]
#[case("silent-80x24", silent, (80, 24), FULL, "")]
#[case("silent-200x50-plain", silent, (200, 50), PLAIN, "")]
// Pages.
#[case("summary-pod-80x24", normal, (80, 24), FULL, "jd")]
#[case("summary-container-80x24", normal, (80, 24), FULL, "j<Enter>d")]
#[case("summary-container-120x40-plain", normal, (120, 40), PLAIN, "j<Enter>d")]
#[case("summary-image-80x24", normal, (80, 24), FULL, "3jd")]
#[case("summary-end-40x10", normal, (40, 10), FULL, "jdG")]
#[case("help-80x24", normal, (80, 24), FULL, "?")]
#[case("help-end-80x24", normal, (80, 24), FULL, "?G")]
#[case("help-200x50-plain", normal, (200, 50), PLAIN, "?")]
#[case("notices-80x24", normal, (80, 24), FULL, "N")]
// Read-only, with a notice and pressure.
#[case("read-only-80x24", guarded, (80, 24), FULL, "")]
#[case("read-only-120x40-plain", guarded, (120, 40), PLAIN, "")]
#[case("read-only-40x10", guarded, (40, 10), FULL, "")]
#[case("read-only-notices-80x24", guarded, (80, 24), FULL, "N")]
// What nobody vouches for.
#[case("hostile-pods-80x24", nasty, (80, 24), FULL, "")]
#[case("hostile-pods-200x50", nasty, (200, 50), FULL, "jjj")]
#[case("hostile-containers-120x40-plain", nasty, (120, 40), PLAIN, "*2G")]
#[case("hostile-summary-80x24", nasty, (80, 24), FULL, "jd")]
fn screen(
    #[case] name: &str,
    #[case] state: State,
    #[case] size: (u16, u16),
    #[case] ability: Ability,
    #[case] keys: &str,
) {
    let mut screen = state(size, ability);
    if !keys.is_empty() {
        screen.keys(keys);
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, format!("{:?}", screen.draw()));
    });
}

fn measured(size: (u16, u16), ability: Ability) -> Screen {
    let mut screen = normal(size, ability);
    measured::use_up(&mut screen);
    screen
}

/// A filter that leaves the shop's web pod.
const WEB_POD: &str = "/web-7d<Enter>";

#[rstest]
#[case("measured-120x40", (120, 40), FULL, "2*")]
#[case("measured-200x50", (200, 50), FULL, "2**")]
#[case("measured-200x50-plain", (200, 50), PLAIN, "2**")]
#[case("stats-pod-80x24", (80, 24), FULL, "t")]
#[case("stats-pod-80x24-plain", (80, 24), PLAIN, "t-")]
#[case("stats-pod-120x40", (120, 40), FULL, "tj<Left><Left><Left>")]
#[case("stats-pod-200x50", (200, 50), FULL, "t+")]
#[case("stats-40x10", (40, 10), FULL, "t")]
fn uses(
    #[case] name: &str,
    #[case] size: (u16, u16),
    #[case] ability: Ability,
    #[case] keys: &str,
) {
    let mut screen = measured(size, ability);
    screen.keys(&format!("{WEB_POD}{keys}"));
    shot(name, &mut screen);
}

#[rstest]
#[case("node-80x24", (80, 24), FULL, "n")]
#[case("node-120x40-plain", (120, 40), PLAIN, "n")]
fn the_node(
    #[case] name: &str,
    #[case] size: (u16, u16),
    #[case] ability: Ability,
    #[case] keys: &str,
) {
    let mut screen = measured(size, ability);
    screen.keys(keys);
    measured::look(&mut screen);
    shot(name, &mut screen);
}

/// The control plane runs on it, as static pods.
#[test]
fn the_node_of_a_control_plane() {
    let mut lists = busy();
    for name in ["etcd-cp1", "kube-apiserver-cp1", "kube-scheduler-cp1"] {
        let mut pod = sample::pod("kube-system", name, 1_000_000);
        pod.annotations = vec![("kubernetes.io/config.source".into(), "file".into())];
        let container = sample::container(&pod, "main", 0, 1_000_000, "pause");
        lists.add(&pod, vec![container]);
    }
    let mut screen = Screen::with((120, 40), FULL, lists);
    screen.keys("n");
    measured::look(&mut screen);
    shot("node-plane-120x40", &mut screen);
}

fn shot(name: &str, screen: &mut Screen) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, format!("{:?}", screen.draw()));
    });
}

/// A log with something of everything: two containers, two attempts, levels in several formats,
/// colours, and what nobody vouches for.
const LOG: [Wrote; 14] = [
    (0, 6, Stream::Stdout, 95, "starting v2.14.0"),
    (
        0,
        6,
        Stream::Stdout,
        94,
        "level=warn msg=\"pool is small\" size=2",
    ),
    (1, 0, Stream::Stdout, 93, "GET /healthz 200"),
    (
        0,
        6,
        Stream::Stderr,
        92,
        "panic: runtime error: index out of range [3] with length 3",
    ),
    (
        0,
        6,
        Stream::Stderr,
        92,
        "\tgoroutine 1 [running]: main.main()",
    ),
    (0, 7, Stream::Stdout, 41, "starting v2.14.0"),
    (
        0,
        7,
        Stream::Stdout,
        40,
        r#"{"level":"error","msg":"no route","peer":"10.0.0.7","ms":12}"#,
    ),
    (
        0,
        7,
        Stream::Stderr,
        39,
        "E1120 09:59:21.000000       1 main.go:3] cannot listen",
    ),
    (
        0,
        7,
        Stream::Stdout,
        38,
        "\u{1b}[32mready\u{1b}[0m to \u{1b}[1mserve\u{1b}[0m",
    ),
    (
        1,
        0,
        Stream::Stdout,
        37,
        "title \u{1b}]0;gone\u{7} and \u{202e}evil\u{202c} and \u{1b}[2J",
    ),
    (
        0,
        7,
        Stream::Stdout,
        36,
        "日本語のログ、幅の広い文字が続く行はここで切れるか折り返される、どちらでも崩れない、最後まで",
    ),
    (
        1,
        0,
        Stream::Stdout,
        35,
        "GET /a/very/long/path/that/does/not/fit/into/a/narrow/terminal/and/is/cut/or/broken 200 12ms",
    ),
    (1, 0, Stream::Stdout, -90, "from the future"),
    (0, 7, Stream::Stdout, 1, "DEBUG flushed 3 rows"),
];

#[rstest]
#[case("logs-80x24", (80, 24), FULL, "")]
#[case("logs-120x40-plain", (120, 40), PLAIN, "")]
#[case("logs-200x50-times", (200, 50), FULL, "ttt")]
#[case("logs-80x24-wrapped", (80, 24), FULL, "wkkk")]
#[case("logs-80x24-sideways", (80, 24), FULL, "k<Right><Right>")]
#[case("logs-80x24-ages", (80, 24), PLAIN, "t")]
#[case("logs-120x40-expanded", (120, 40), FULL, "kkkkkkk<Enter>")]
#[case("logs-80x24-marked", (80, 24), FULL, "kkkmm")]
#[case("logs-80x24-searching", (80, 24), FULL, "/star<Enter>")]
#[case("logs-80x24-prompt", (80, 24), FULL, "/~(")]
#[case("logs-40x10", (40, 10), FULL, "")]
fn logs(
    #[case] name: &str,
    #[case] size: (u16, u16),
    #[case] ability: Ability,
    #[case] keys: &str,
) {
    let mut screen = normal(size, ability);
    screen.keys("jl");
    screen.read(&["payments", "proxy"], &LOG, &[]);
    screen.keys(keys);
    if keys.contains("<Enter>") {
        screen.read(&["payments", "proxy"], &LOG, &[]);
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, format!("{:?}", screen.draw()));
    });
}

#[test]
fn a_log_that_is_missing_says_why() {
    let mut screen = normal((80, 24), FULL);
    screen.keys("jl");
    let why = "/var/log/pods/shop_payments_u/payments does not exist";
    screen.read(&[], &[], &[("payments", why)]);
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("logs-missing-80x24", format!("{:?}", screen.draw()));
    });
}

#[rstest]
#[case("preview-crash-120x40", (120, 40), FULL, "j")]
#[case("preview-crash-200x50-plain", (200, 50), PLAIN, "j")]
fn the_preview_shows_how_it_ended(
    #[case] name: &str,
    #[case] size: (u16, u16),
    #[case] ability: Ability,
    #[case] keys: &str,
) {
    let mut screen = normal(size, ability);
    screen.keys(keys);
    screen.read(&["payments", "proxy"], &LOG[..5], &[]);
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, format!("{:?}", screen.draw()));
    });
}

#[test]
fn a_toast_takes_the_footer() {
    let mut screen = empty((80, 24), FULL);
    screen.hasty("d");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("toast-80x24", format!("{:?}", screen.draw()));
    });
}

#[test]
fn sorting_keeps_the_selection() {
    let mut screen = normal((80, 24), FULL);
    let before = screen.model.subject();
    screen.keys("o");
    assert_eq!(screen.model.subject(), before);
    screen.list(busy());
    assert_eq!(screen.model.subject(), before);
    let cursor = screen.model.home.pods.cursor();
    assert_ne!(cursor, 0, "the sort did not move the row");
}

#[test]
fn containers_of_every_pod_start_with_the_worst() {
    let mut screen = normal((80, 24), FULL);
    screen.hasty("2*");
    let containers = &screen.model.home.containers;
    assert_eq!((containers.cursor(), containers.rows().len()), (0, 7));
    assert_eq!(containers.rows()[0].container.name, "worker");
    assert_eq!(containers.rows()[6].container.name, "payments");
}
