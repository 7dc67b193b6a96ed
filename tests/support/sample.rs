//! A node that is the same to the last byte each time, and a screen on it without a terminal,
//! fed by messages as the loop feeds it.

use std::sync::Arc;
use std::time::Duration;

use critui::cri::Update;
use critui::domain::{
    Changes, Container, ContainerDetail, ContainerId, ContainerState, Image, ImageId, Pod,
    PodDetail, PodId, PodState, RuntimeVersion,
};
use critui::keys::Key;
use critui::link::{Link, Problem};
use critui::logs::shown::{Line, Spot};
use critui::logs::viewer::{News, Status, Window};
use critui::logs::{Pos, Row, Stream};
use critui::model::logs::wanted;
use critui::model::{
    Clock, Effect, Keymap, Model, Msg, Node, Seen, Slot, Target, fit, settle, trends, update,
};
use critui::theme::{Ability, Depth, Theme};
use critui::views;
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::typing::typed;

/// All that a terminal can do.
pub const FULL: Ability = Ability {
    depth: Depth::True,
    unicode: true,
};
/// As little as a terminal can do.
pub const PLAIN: Ability = Ability {
    depth: Depth::None,
    unicode: false,
};

/// When all this happens.
pub fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().expect("a time")
}

/// So many seconds before [`now`].
pub fn ago(seconds: i64) -> Option<Timestamp> {
    now().checked_sub(SignedDuration::from_secs(seconds)).ok()
}

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// What the runtime would answer.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    pub pods: Vec<Pod>,
    pub containers: Vec<Container>,
    pub images: Vec<Image>,
    pub pod_details: Vec<(PodId, PodDetail)>,
    pub details: Vec<(ContainerId, ContainerDetail)>,
}

/// An id that looks like one and tells whose it is.
pub fn hex(name: &str) -> String {
    let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let [a, b, c, d] = [0, 13, 26, 39].map(|bits| seed.rotate_left(bits));
    format!("{a:016x}{b:016x}{c:016x}{d:016x}")
}

/// A ready pod with an IP and two labels.
pub fn pod(namespace: &str, name: &str, age: i64) -> Pod {
    Pod {
        id: PodId::new(&hex(&format!("{namespace}/{name}/{age}"))),
        uid: format!("uid-of-{name}").into(),
        name: name.into(),
        namespace: namespace.into(),
        attempt: 0,
        state: PodState::Ready,
        created_at: ago(age),
        runtime_handler: None,
        labels: vec![
            ("app".into(), name.into()),
            ("io.kubernetes.pod.namespace".into(), namespace.into()),
        ],
        annotations: vec![],
    }
}

/// A running container in `pod`.
pub fn container(pod: &Pod, name: &str, attempt: u32, age: i64, image: &str) -> Container {
    Container {
        id: ContainerId::new(&hex(&format!("{}/{name}/{attempt}", pod.id))),
        pod_id: pod.id.clone(),
        name: name.into(),
        attempt,
        state: ContainerState::Running,
        created_at: ago(age),
        image: image.into(),
        image_id: image_id(image),
        labels: vec![("io.kubernetes.container.name".into(), name.into())],
        annotations: vec![],
    }
}

fn image_id(name: &str) -> ImageId {
    ImageId::new(&format!("sha256:{}", hex(name)))
}

/// An image with one tag.
pub fn image(name: &str, size: u64) -> Image {
    let repository = name.rsplit_once(':').map_or(name, |(left, _)| left);
    Image {
        id: image_id(name),
        tags: vec![name.into()],
        digests: vec![format!("{repository}@sha256:{}", hex(repository)).into()],
        size,
        pinned: false,
    }
}

impl Lists {
    pub fn add(&mut self, pod: &Pod, containers: Vec<Container>) {
        let ips = vec![format!("10.244.3.{}", self.pods.len() + 4).into()];
        let detail = PodDetail {
            ips,
            ..PodDetail::default()
        };
        self.pod_details.push((pod.id.clone(), detail));
        self.pods.push(pod.clone());
        self.containers.extend(containers);
    }

    /// Ends the container that came in last: so many seconds ago, after so many of running.
    fn ended(&mut self, code: i32, reason: &str, ago_: i64, ran: i64) {
        let last = self.containers.last_mut().expect("a container");
        last.state = ContainerState::Exited;
        let detail = ContainerDetail {
            started_at: ago(ago_ + ran),
            finished_at: ago(ago_),
            exit_code: Some(code),
            reason: Some(reason.into()),
            message: None,
            log_path: Some(format!("/var/log/pods/{}/{}.log", last.name, last.attempt).into()),
            image: None,
            limits: critui::domain::Limits::default(),
        };
        self.details.push((last.id.clone(), detail));
    }

    /// The same lists with `other`'s at their end.
    pub fn and(mut self, other: Self) -> Self {
        self.pods.extend(other.pods);
        self.containers.extend(other.containers);
        self.images.extend(other.images);
        self.pod_details.extend(other.pod_details);
        self.details.extend(other.details);
        self
    }
}

const WEB: &str = "docker.io/library/nginx:1.27.3";
const PAYMENTS: &str = "registry.shop.example/shop/payments:2.14.0";
const WORKER: &str = "registry.shop.example/ops/report-worker:0.7.3";
const DNS: &str = "registry.k8s.io/coredns/coredns:v1.11.3";

/// A node on which some things go wrong.
pub fn busy() -> Lists {
    let mut lists = Lists::default();
    let web = pod("shop", "web-7d9c5b8f6d-4kqzm", 12 * DAY);
    let sidecar = container(&web, "mesh-proxy", 0, 12 * DAY, WEB);
    lists.add(
        &web,
        vec![container(&web, "nginx", 0, 12 * DAY, WEB), sidecar],
    );
    let payments = pod("shop", "payments-6c7f9d5b4-x2x4l", 3 * HOUR);
    let before = container(&payments, "payments", 6, 9 * MINUTE, PAYMENTS);
    lists.add(&payments, vec![before]);
    lists.ended(1, "Error", 8 * MINUTE, 11);
    lists
        .containers
        .push(container(&payments, "payments", 7, 171, PAYMENTS));
    lists.ended(1, "Error", 160, 11);
    let report = pod("ops", "report-worker-5b8d7f9c6-q9w8e", 26 * HOUR);
    lists.add(&report, vec![container(&report, "worker", 2, 90, WORKER)]);
    lists.ended(137, "OOMKilled", 30, 60);
    let dns = pod("kube-system", "coredns-668d6bf9bc-5w7hn", 20 * DAY);
    lists.add(&dns, vec![container(&dns, "coredns", 1, 4 * MINUTE, DNS)]);
    let mut job = pod("batch", "migrate-orders-28912340-zt5rk", 50 * MINUTE);
    job.state = PodState::NotReady;
    lists.add(
        &job,
        vec![container(&job, "migrate", 0, 50 * MINUTE, WORKER)],
    );
    lists.ended(0, "Completed", 48 * MINUTE, 110);
    lists.pod_details.pop();
    let pulling = pod("shop", "soap-bridge-0", 5 * MINUTE);
    lists.add(&pulling, vec![]);
    lists.images = images();
    lists
}

fn images() -> Vec<Image> {
    let mut pause = image("registry.k8s.io/pause:3.10", 320_000);
    pause.pinned = true;
    let mut dangling = image("registry.shop.example/shop/payments:2.13.2", 117_000_000);
    dangling.tags.clear();
    let mut imported = image("localhost/debug-tools:test", 61_000_000);
    imported.digests.clear();
    vec![
        pause,
        dangling,
        imported,
        image(WEB, 72_000_000),
        image(PAYMENTS, 118_000_000),
        image(WORKER, 51_000_000),
        image(DNS, 18_000_000),
    ]
}

/// Texts that want to do harm, or need more or less room than they have characters.
pub const HOSTILE: [&str; 9] = [
    "\x1b[2J\x1b[31mred\x1b[0m",
    "\x1b]0;owned\x07\u{9b}31m",
    "safe\u{202e}gpj.exe\u{2066}",
    "line one\nline two\r\ttab",
    "zero\u{200b}\u{feff}width\u{ad}",
    "日本語のとても長い名前のポッドがここにあります-x2x4l",
    "e\u{301}\u{316}\u{489}\u{301}\u{316}🦀👩‍👩‍👧‍👦",
    "",
    "an-endless-name-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-to-the-end",
];

/// Each of [`HOSTILE`] in every field that takes a text, in containers that have failed.
pub fn hostile() -> Lists {
    let mut lists = Lists::default();
    for (n, text) in HOSTILE.iter().enumerate() {
        lists = lists.and(full_of(text, i64::try_from(n).unwrap_or(0)));
    }
    lists
}

/// One pod, one container and one image with `text` in every field.
pub fn full_of(text: &str, n: i64) -> Lists {
    let mut lists = Lists::default();
    let mut pod = pod("shop", &format!("pod-{n}"), n * HOUR);
    (pod.name, pod.namespace) = (text.into(), text.into());
    pod.runtime_handler = Some(text.into());
    pod.labels = vec![(text.into(), text.into())];
    pod.annotations = vec![(text.into(), text.into())];
    let mut container = container(&pod, text, 3, n * HOUR, text);
    container.labels = vec![(text.into(), text.into())];
    container.annotations = vec![(text.into(), text.into())];
    lists.add(&pod, vec![container]);
    lists.ended(255, text, n * MINUTE, MINUTE);
    lists.pod_details[0].1.ips = vec![text.into()];
    let detail = &mut lists.details[0].1;
    detail.message = Some(text.into());
    detail.log_path = Some(text.into());
    detail.image = Some(text.into());
    let mut image = image(&format!("image-{n}"), 1 << n);
    image.tags = vec![text.into(), text.into()];
    image.digests = vec![text.into()];
    lists.images.push(image);
    lists
}

/// The screen of critui, without a terminal.
pub struct Screen {
    pub model: Model,
    pub seen: Seen,
    pub theme: Theme,
    pub size: (u16, u16),
    pub clock: Clock,
    lists: Lists,
}

impl Screen {
    /// A screen that has just been opened.
    pub fn new(size: (u16, u16), ability: Ability) -> Self {
        let node = Node {
            name: "worker-3".into(),
            endpoint: "unix:///run/containerd/containerd.sock".into(),
            endpoint_source: "/etc/crictl.yaml".into(),
            version: None,
            link: Link::Connecting,
            read_only: vec![],
            notices: vec![],
            kernel: None,
            pressure: None,
        };
        let clock = Clock {
            now: now(),
            uptime: Duration::ZERO,
        };
        let mut screen = Self {
            model: Model::new(node, clock, Keymap::default()),
            seen: Seen::default(),
            theme: Theme::named("default", ability).expect("a theme"),
            size,
            clock,
            lists: Lists::default(),
        };
        screen.draw();
        screen
    }

    /// A screen on which all of `lists` has arrived, and the cursor rests.
    pub fn with(size: (u16, u16), ability: Ability, lists: Lists) -> Self {
        let mut screen = Self::new(size, ability);
        screen.connect();
        screen.list(lists);
        screen
    }

    /// The runtime answers.
    pub fn connect(&mut self) {
        self.feed(Update::Version(RuntimeVersion {
            name: "containerd".into(),
            version: "v2.1.0".into(),
            api_version: "v1".into(),
        }));
        self.feed(Update::Link(Link::Up));
    }

    /// New lists arrive, and what is then asked for is answered.
    pub fn list(&mut self, lists: Lists) {
        for msg in self.listing(lists) {
            self.send(msg);
        }
        self.rest();
    }

    /// The messages with which new lists arrive.
    pub fn listing(&mut self, lists: Lists) -> [Msg; 3] {
        self.lists = lists.clone();
        [
            Msg::Feed(Update::Containers(Changes::all(arcs(lists.containers)))),
            Msg::Feed(Update::Images(Changes::all(arcs(lists.images)))),
            Msg::Feed(Update::Pods(Changes::all(arcs(lists.pods)))),
        ]
    }

    /// The connection has learnt something.
    pub fn feed(&mut self, update: Update) {
        self.send(Msg::Feed(update));
    }

    /// Types, and lets the cursor rest.
    pub fn keys(&mut self, keys: &str) {
        self.hasty(keys);
        self.rest();
    }

    /// Types, and does not wait.
    pub fn hasty(&mut self, keys: &str) {
        for event in typed(keys) {
            self.send(Msg::Key(Key::from(event)));
        }
    }

    /// Two seconds without a key.
    pub fn rest(&mut self) {
        self.clock.uptime += Duration::from_secs(2);
        self.send(Msg::Wake);
    }

    /// The connection is lost.
    pub fn lose(&mut self) {
        let problem = Problem {
            what: "/run/containerd/containerd.sock: nobody listens there (connection refused)"
                .into(),
            advice: "is the runtime running? try: systemctl status containerd".into(),
        };
        self.feed(Update::Link(Link::Down {
            problem,
            since: ago(42).expect("a time"),
            retry_at: now(),
        }));
    }

    /// One message, what follows from it, and a frame.
    pub fn send(&mut self, msg: Msg) {
        let mut waiting = vec![msg];
        while let Some(msg) = waiting.pop() {
            for effect in update(&mut self.model, &self.seen, self.clock, msg) {
                if let Effect::Fetch(targets) = effect {
                    waiting.extend(targets.into_iter().map(|target| self.answer(target)));
                }
            }
        }
        self.draw();
    }

    fn answer(&self, target: Target) -> Msg {
        let lists = &self.lists;
        match target {
            Target::Pod(id) => {
                let found = lists.pod_details.iter().find(|(known, _)| *known == id);
                let detail = found.map(|(_, detail)| detail.clone());
                Msg::PodDetail(id, detail.or_else(|| Some(PodDetail::default())))
            }
            Target::Container(id, state) => {
                let found = lists.details.iter().find(|(known, _)| *known == id);
                let detail = found.map(|(_, detail)| detail.clone());
                Msg::ContainerDetail(
                    id,
                    state,
                    detail.or_else(|| Some(ContainerDetail::default())),
                )
            }
        }
    }

    /// What is wanted of logs is read: these lines `(source, attempt, stream, seconds ago, text)`
    /// of the containers `names`, or why there are none.
    pub fn read(&mut self, names: &[&str], lines: &[Wrote], missing: &[(&str, &str)]) {
        for slot in [Slot::View, Slot::Preview] {
            let Some((_, request)) = wanted(&self.model, slot) else {
                continue;
            };
            let lines: Vec<Line> = (0..)
                .zip(lines)
                .map(|(nth, line)| shown(nth, *line))
                .collect();
            let text = |(name, why): &(&str, &str)| ((*name).into(), (*why).into());
            let news = News {
                window: Some(Window {
                    ticket: request.ticket,
                    focus: lines.last().map(|line| line.id),
                    lines,
                    from_start: true,
                    to_end: true,
                    names: names.iter().map(|name| (*name).into()).collect(),
                    sizes: vec![vec![0, 4096]; names.len()],
                    first_number: None,
                    note: None,
                }),
                status: Some(Status {
                    bytes: 4096,
                    missing: missing.iter().map(text).collect(),
                    ..Status::default()
                }),
                tally: None,
                rank: None,
            };
            self.send(Msg::Logs(slot, Box::new(news)));
        }
    }

    /// A frame.
    pub fn draw(&mut self) -> Buffer {
        settle(&mut self.model, &self.seen);
        let buffer = self.frame();
        if fit(&mut self.model, &self.seen) {
            return self.frame();
        }
        buffer
    }

    fn frame(&mut self) -> Buffer {
        trends(&self.model, &self.seen);
        let (width, height) = self.size;
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.seen = views::draw(&self.model, &self.theme, &mut buffer);
        buffer
    }
}

/// A line of a log: of which container, by which attempt, where, how many seconds ago, what.
pub type Wrote<'a> = (usize, u32, Stream, i64, &'a str);

fn shown(nth: u64, (source, attempt, stream, seconds, text): Wrote) -> Line {
    let pos = |offset| Pos { segment: 0, offset };
    let row = Row {
        at: pos(nth * 100),
        end: pos(nth * 100 + 99),
        time: ago(seconds).expect("a time").to_string().into_bytes(),
        stream,
        content: text.as_bytes().to_vec(),
        omitted: 0,
        open: false,
    };
    let spot: Spot = vec![pos(nth * 100), pos(nth * 100)].into();
    Line::new(source, &row, spot, attempt, true)
}

fn arcs<T>(list: Vec<T>) -> Vec<Arc<T>> {
    list.into_iter().map(Arc::new).collect()
}
